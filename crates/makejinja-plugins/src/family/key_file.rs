//! Functions that read key files.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::{FamilyError, KeyFiles};
use crate::value::PluginValue;

/// Reads a text as Python does: any end of a line becomes `\n`.
fn read(files: &dyn KeyFiles, file: &str) -> Result<Zeroizing<String>, FamilyError> {
    let text = files
        .read_secret(file)
        .map_err(|why| FamilyError::new(format!("`{file}` cannot be read: {why}")))?
        .ok_or_else(|| FamilyError::new(format!("there is no file `{file}`")))?;
    if !text.contains('\r') {
        return Ok(text);
    }
    let mut read = Zeroizing::new(String::with_capacity(text.len()));
    for (number, part) in text.split('\r').enumerate() {
        let after_return = number > 0;
        if after_return {
            read.push('\n');
        }
        let joined = part.strip_prefix('\n').filter(|_| after_return);
        read.push_str(joined.unwrap_or(part));
    }
    Ok(read)
}

/// Leaves out white space on both sides as `str.strip` does.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// Returns what a file holds.
pub(super) fn file_text(
    files: &dyn KeyFiles,
    file: &str,
    strips: bool,
    refuses_empty: bool,
) -> Result<PluginValue, FamilyError> {
    let text = read(files, file)?;
    let kept = if strips { strip(&text) } else { &text };
    if refuses_empty && kept.is_empty() {
        return Err(FamilyError::new(format!("`{file}` is empty")));
    }
    Ok(PluginValue::text(kept))
}

/// Returns the public or the private key of an age key file.
pub(super) fn age_key(
    files: &dyn KeyFiles,
    file: &str,
    kind: &str,
    post_quantum: bool,
) -> Result<PluginValue, FamilyError> {
    let text = read(files, file)?;
    let key = match kind {
        "public" => find_key(&text, "# public key: ", &["age1"]),
        "private" if post_quantum => {
            find_key(&text, "", &["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"])
        }
        "private" => find_key(&text, "", &["AGE-SECRET-KEY-"]),
        _ => {
            let message = "`key_type` is neither `public` nor `private`";
            return Err(FamilyError::new(message));
        }
    };
    let key = key.ok_or_else(|| FamilyError::new(format!("`{file}` has no {kind} key")))?;
    Ok(PluginValue::text(key))
}

/// Finds the first text that begins with one of the beginnings and goes on with letters, digits and `_`.
fn find_key<'a>(text: &'a str, before: &str, beginnings: &[&str]) -> Option<&'a str> {
    text.char_indices().find_map(|(at, _)| {
        let rest = text[at..].strip_prefix(before)?;
        beginnings.iter().find_map(|beginning| {
            let key = rest.strip_prefix(beginning)?;
            let in_key = |c: char| c.is_alphanumeric() || c == '_';
            let length = key.find(|c| !in_key(c)).unwrap_or(key.len());
            (length > 0).then(|| &rest[..beginning.len() + length])
        })
    })
}

/// A JSON object that is wiped when it is dropped.
struct SecretObject(serde_json::Map<String, Value>);

impl Drop for SecretObject {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn read_object(files: &dyn KeyFiles, file: &str) -> Result<SecretObject, FamilyError> {
    let text = read(files, file)?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(entries)) => Ok(SecretObject(entries)),
        Ok(mut other) => {
            wipe(&mut other);
            Err(FamilyError::new(format!("`{file}` holds no JSON object")))
        }
        // The position alone: the message of the parser can quote the file.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(FamilyError::new(format!(
                "`{file}` is not JSON, at line {line}, column {column}"
            )))
        }
    }
}

/// Tells whether Python takes a JSON value for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

fn to_plugin_value(value: &Value) -> PluginValue {
    match value {
        Value::Null => PluginValue::Null,
        Value::Bool(is) => PluginValue::Bool(*is),
        Value::Number(number) if number.is_f64() => {
            PluginValue::Float(number.as_f64().unwrap_or_default())
        }
        Value::Number(number) => PluginValue::Integer(number.to_string()),
        Value::String(text) => PluginValue::text(text),
        Value::Array(items) => PluginValue::List(items.iter().map(to_plugin_value).collect()),
        Value::Object(entries) => {
            let entry =
                |(key, value): (&String, &Value)| (PluginValue::text(key), to_plugin_value(value));
            PluginValue::Map(entries.iter().map(entry).collect())
        }
    }
}

/// Returns the id of a tunnel.
pub(super) fn tunnel_id(
    files: &dyn KeyFiles,
    file: &str,
    refuses_empty: bool,
) -> Result<PluginValue, FamilyError> {
    let object = read_object(files, file)?;
    match object.0.get("TunnelID") {
        None | Some(Value::Null) => Err(missing("TunnelID", file)),
        Some(id) if refuses_empty && !is_true(id) => Err(empty("TunnelID", file)),
        Some(id) => Ok(to_plugin_value(id)),
    }
}

fn missing(field: &str, file: &str) -> FamilyError {
    FamilyError::new(format!("`{file}` has no `{field}`"))
}

fn empty(field: &str, file: &str) -> FamilyError {
    FamilyError::new(format!("`{field}` is empty in `{file}`"))
}

/// Returns one field of a tunnel's file, `None` if it has no such field.
pub(super) fn tunnel_field(
    files: &dyn KeyFiles,
    file: &str,
    field: &str,
) -> Result<PluginValue, FamilyError> {
    let object = read_object(files, file)?;
    Ok(object
        .0
        .get(field)
        .map_or(PluginValue::Null, to_plugin_value))
}

/// Returns the token of a tunnel: Base64 of a JSON object as Python prints it without spaces.
pub(super) fn tunnel_secret(
    files: &dyn KeyFiles,
    file: &str,
    refuses_empty: bool,
) -> Result<PluginValue, FamilyError> {
    let object = read_object(files, file)?;
    let mut token = Zeroizing::new(String::new());
    for (short, field) in [
        ("{\"a\":", "AccountTag"),
        (",\"t\":", "TunnelID"),
        (",\"s\":", "TunnelSecret"),
    ] {
        let value = object.0.get(field).ok_or_else(|| missing(field, file))?;
        if refuses_empty && !is_true(value) {
            return Err(empty(field, file));
        }
        token.push_str(short);
        match value {
            Value::String(text) => push_json_text(&mut token, text),
            Value::Null | Value::Bool(_) => token.push_str(&value.to_string()),
            Value::Number(number) if !number.is_f64() => token.push_str(&value.to_string()),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                let message = format!("`{field}` is no text in `{file}`");
                return Err(FamilyError::new(message));
            }
        }
    }
    token.push('}');
    Ok(PluginValue::text(STANDARD.encode(token.as_bytes())))
}

/// Writes a text as Python's `json` does: in ASCII.
fn push_json_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            ' '..='~' => json.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _written = write!(json, "\\u{unit:04x}");
                }
            }
        }
    }
    json.push('"');
}
