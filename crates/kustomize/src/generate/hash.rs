//! The hash at the end of the name of a generated object.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::super::field::Field;
use super::super::problem::Findings;
use super::super::resource::Resource;
use super::super::resources::Resources;

/// Puts the hash behind the name of each object that asks for one.
///
/// The hash of an object that is neither a ConfigMap nor a Secret depends on kustomize's own memory of it, and is not
/// seen.
pub(crate) fn append_hashes(resources: &mut Resources, findings: &mut Findings) {
    for resource in &mut resources.list {
        if !resource.needs_hash {
            continue;
        }
        match hash_of(resource) {
            Some(hash) => append_hash(resource, &hash),
            None => findings.not_seen(
                format!("the hash in the name of {}", resource.id().shown()),
                "kustomize hashes only a ConfigMap or Secret by its content",
                resource.name_place(),
            ),
        }
    }
}

fn append_hash(resource: &mut Resource, hash: &str) {
    let name = format!("{}-{hash}", resource.name());
    resource.remember_id();
    let maker = resource.place().clone();
    if let Some(field) = resource.root.find_mut(&["metadata", "name"]) {
        *field = Field::text(name, field.origin.clone().and(&maker));
    }
}

fn hash_of(resource: &Resource) -> Option<String> {
    let root = &resource.root;
    let kind = resource.kind();
    let optional = match kind {
        "ConfigMap" => "binaryData",
        "Secret" => "stringData",
        _ => return None,
    };
    // The name is asked for by a path that no object has, so it never is a part of the hash.
    let mut hashed = Map::from_iter([
        ("data".to_owned(), hashed_value(root.get("data"))),
        ("kind".to_owned(), Value::from(kind)),
        ("name".to_owned(), Value::from("")),
    ]);
    if let Some(field) = root.get(optional).filter(|field| field.entries().is_some()) {
        hashed.insert(optional.to_owned(), field.to_json());
    }
    if kind == "Secret" {
        hashed.insert("type".to_owned(), hashed_value(root.get("type")));
    }
    let mut text = String::new();
    write_json(&Value::Object(hashed), &mut text);
    Some(letters_of(&Sha256::digest(text.as_bytes())))
}

fn hashed_value(field: Option<&Field>) -> Value {
    match field {
        None => Value::from(""),
        Some(field) => match field.as_scalar() {
            Some(scalar) => Value::from(scalar.text.as_str()),
            None if field.entries().is_some() => field.to_json(),
            None => Value::Null,
        },
    }
}

/// Writes the first ten digits, with letters for those that could spell a word or look like another.
fn letters_of(digest: &[u8]) -> String {
    let mut hex = String::new();
    for byte in digest.iter().take(5) {
        let _ = write!(hex, "{byte:02x}");
    }
    let replaced = hex.chars().map(|digit| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    });
    replaced.collect()
}

/// Writes JSON byte for byte as Go's `encoding/json` does: sorted keys, no spaces, letters of HTML escaped.
fn write_json(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => write_number(number.as_f64().unwrap_or_default(), text),
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_json(item, text);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(key, text);
                text.push(':');
                write_json(value, text);
            }
            text.push('}');
        }
    }
}

fn write_number(number: f64, text: &mut String) {
    let size = number.abs();
    let written = if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let short = format!("{number:e}");
        match short.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => short,
        }
    } else {
        number.to_string()
    };
    text.push_str(&written);
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_json_as_go_does() {
        let value = json!({
            "b": "<a href=\"x\">&\u{2028}\u{1}\u{8}\t\u{7f}é",
            "a": [1, 1.5, 1e21, -2.5e-9, 100_000_000_000_000_000_000_u128 as f64, null, true],
        });
        let mut text = String::new();
        write_json(&value, &mut text);
        let expected = concat!(
            r#"{"a":[1,1.5,1e+21,-2.5e-9,100000000000000000000,null,true],"#,
            r#""b":"\u003ca href=\"x\"\u003e\u0026\u2028\u0001\b\t"#,
            "\u{7f}é\"}",
        );
        assert_eq!(text, expected);
    }
}
