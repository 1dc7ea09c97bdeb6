//! The filters that templates can apply.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use tera::{Kwargs, State, Tera, TeraResult, Value};

use super::callable::{Arguments, Filter, FunctionFailure, kind};
use super::session;
use super::sourcemap;
use crate::render::codes;
use crate::yaml;

/// Every filter beyond Tera's own, sorted by name. `default` and `get` replace Tera's, as null counts as missing for them;
/// `indent`, `join` and `replace`, since what they make can be many times as long as what they are given.
pub static FILTERS: &[Filter] = &[
    Filter {
        name: "b64decode",
        signature: "b64decode",
        summary: "Decodes Base64 to the text in it",
        takes_undefined: false,
        arguments: &[],
        call: b64decode,
    },
    Filter {
        name: "b64encode",
        signature: "b64encode",
        summary: "Encodes a text as Base64",
        takes_undefined: false,
        arguments: &[],
        call: b64encode,
    },
    Filter {
        name: "basename",
        signature: "basename",
        summary: "Returns the last part of a path",
        takes_undefined: false,
        arguments: &[],
        call: basename,
    },
    Filter {
        name: "default",
        signature: "default(value, boolean=false)",
        summary: "Replaces what does not exist or is not set (null); with `boolean=true`, also `false`, 0 and what is empty",
        takes_undefined: true,
        arguments: &["value", "boolean"],
        call: default,
    },
    Filter {
        name: "from_json",
        signature: "from_json",
        summary: "Reads a JSON text",
        takes_undefined: false,
        arguments: &[],
        call: from_json,
    },
    Filter {
        name: "get",
        signature: "get(key, default)",
        summary: "Returns the value of a key; `default` replaces one that does not exist or is not set (null)",
        takes_undefined: false,
        arguments: &["key", "default"],
        call: get,
    },
    Filter {
        name: "indent",
        signature: "indent(width=4, first=false)",
        summary: "Indents each line but the first, and that too if wanted; empty lines stay empty",
        takes_undefined: false,
        arguments: &["width", "first"],
        call: indent,
    },
    Filter {
        name: "join",
        signature: "join(sep=\"\")",
        summary: "Writes the items of a list one behind the other, with a separator between them",
        takes_undefined: false,
        arguments: &["sep"],
        call: join,
    },
    Filter {
        name: "quote",
        signature: "quote",
        summary: "Writes a value as a double-quoted YAML string",
        takes_undefined: false,
        arguments: &[],
        call: quote,
    },
    Filter {
        name: "replace",
        signature: "replace(from, to)",
        summary: "Replaces each occurrence of a text by another",
        takes_undefined: false,
        arguments: &["from", "to"],
        call: replace,
    },
    Filter {
        name: "to_json",
        signature: "to_json",
        summary: "Writes a value as JSON on one line",
        takes_undefined: false,
        arguments: &[],
        call: to_json,
    },
    Filter {
        name: "to_yaml",
        signature: "to_yaml",
        summary: "Writes a value as block YAML that Kubernetes reads back as the same, without the last line break",
        takes_undefined: false,
        arguments: &[],
        call: to_yaml,
    },
];

/// The filters of Tera itself, for suggestions.
pub(super) const BUILT_IN: &[&str] = &[
    "abs",
    "capitalize",
    "escape",
    "escape_html",
    "escape_xml",
    "first",
    "float",
    "group_by",
    "int",
    "join",
    "keys",
    "last",
    "length",
    "lower",
    "newlines_to_br",
    "nth",
    "pairs",
    "pluralize",
    "replace",
    "reverse",
    "round",
    "safe",
    "sort",
    "split",
    "str",
    "title",
    "trim",
    "trim_end",
    "trim_start",
    "truncate",
    "unique",
    "upper",
    "values",
    "wordcount",
];

/// The tests of Tera itself, for suggestions.
pub(super) const TESTS: &[&str] = &[
    "array",
    "bool",
    "containing",
    "defined",
    "divisible_by",
    "ending_with",
    "even",
    "float",
    "integer",
    "iterable",
    "map",
    "none",
    "number",
    "odd",
    "starting_with",
    "string",
    "undefined",
];

/// Makes the filters known to Tera.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter(
        sourcemap::INDENT,
        |text: &str, given: Kwargs, _: &State| -> TeraResult<Value> {
            let by = given.must_get::<&str>("by")?;
            let indented = indented(text, by, true).map_err(FunctionFailure::into_tera)?;
            Ok(Value::from(indented))
        },
    );
    for filter in FILTERS {
        tera.register_filter(
            filter.name,
            move |value: &Value, given: Kwargs, _: &State| -> TeraResult<Value> {
                Arguments::new(filter.name, filter.arguments, given)
                    .and_then(|arguments| {
                        if value.is_undefined() && !filter.takes_undefined {
                            return Err(FunctionFailure::undefined(format!(
                                "the value of `{}` is not defined",
                                filter.name
                            )));
                        }
                        session::pay_for_reading(value)?;
                        let result = (filter.call)(value, &arguments)?;
                        session::pay_for_result(&result)?;
                        Ok(result)
                    })
                    .map_err(FunctionFailure::into_tera)
            },
        );
    }
}

fn wrong_value(filter: &str, wanted: &str, value: &Value) -> FunctionFailure {
    FunctionFailure::argument(format!("`{filter}` takes {wanted}, not {}", kind(value)))
}

/// Returns a scalar as it would be printed; null is refused, since an empty value is hardly meant.
fn scalar(filter: &str, value: &Value) -> Result<String, FunctionFailure> {
    if value.is_string() || value.is_number() || value.is_bool() {
        Ok(value.to_string())
    } else {
        Err(wrong_value(filter, "a string", value))
    }
}

fn string<'v>(filter: &str, value: &'v Value) -> Result<&'v str, FunctionFailure> {
    value
        .as_str()
        .ok_or_else(|| wrong_value(filter, "a string", value))
}

fn b64decode(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    let text = string("b64decode", value)?;
    let compact: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD
        .decode(compact)
        .map_err(|_| FunctionFailure::argument("the value is not Base64"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| FunctionFailure::argument("the value decodes to no UTF-8 text"))?;
    Ok(Value::from(text))
}

fn b64encode(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    Ok(Value::from(STANDARD.encode(scalar("b64encode", value)?)))
}

fn basename(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    let path = string("basename", value)?.trim_end_matches('/');
    Ok(Value::from(path.rsplit('/').next().unwrap_or(path)))
}

/// What the config leaves unset is null in it: that is as good as missing.
fn is_unset(value: &Value) -> bool {
    value.is_undefined() || value.is_none()
}

fn default(value: &Value, arguments: &Arguments) -> Result<Value, FunctionFailure> {
    let default = arguments.anything("value")?;
    let empty = arguments.flag("boolean")? && !value.is_truthy();
    let replaced = is_unset(value) || empty;
    Ok(if replaced { default } else { value }.clone())
}

fn get(value: &Value, arguments: &Arguments) -> Result<Value, FunctionFailure> {
    let Some(map) = value.as_map() else {
        return Err(wrong_value("get", "a map", value));
    };
    let key = arguments.text("key")?;
    let mut entries = map.iter();
    let found = entries.find(|(name, _)| name.as_str() == Some(key));
    let found = found.map(|(_, value)| value);
    match (found, arguments.given("default")) {
        (Some(value), None) => Ok(value.clone()),
        (Some(value), Some(_)) if !is_unset(value) => Ok(value.clone()),
        (_, Some(default)) => Ok(default.clone()),
        // Which key may come from a secret.
        (None, None) => Err(FunctionFailure::new(
            &codes::TEMPLATE_FAILED,
            "the map does not have this key, and there is no default",
        )),
    }
}

fn from_json(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    let text = string("from_json", value)?;
    let read: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        FunctionFailure::argument(format!("the value is not JSON, from {place} on"))
    })?;
    Ok(Value::from_serializable(&read))
}

fn indent(value: &Value, arguments: &Arguments) -> Result<Value, FunctionFailure> {
    let text = string("indent", value)?;
    let width = arguments.integer_or("width", 4)?;
    let width = usize::try_from(width)
        .ok()
        .filter(|width| *width <= 100)
        .ok_or_else(|| {
            FunctionFailure::argument("the argument `width` of `indent` must be from 0 to 100")
        })?;
    let first = arguments.flag("first")?;
    let by = " ".repeat(width);
    Ok(Value::from(indented(text, &by, first)?))
}

/// Puts `by` before each line, before the first one only if `first`.
///
/// An empty line stays empty. One of blanks is content, in a block text of YAML that has other lines.
fn indented(text: &str, by: &str, first: bool) -> Result<String, FunctionFailure> {
    session::pay_for_text(text.len() + by.len() * (text.matches('\n').count() + 1))?;
    let mut indented = String::with_capacity(text.len() + by.len() * 8);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if (index > 0 || first) && !sourcemap::is_empty_line(line) {
            indented.push_str(by);
        }
        indented.push_str(line);
    }
    Ok(indented)
}

fn join(value: &Value, arguments: &Arguments) -> Result<Value, FunctionFailure> {
    let Some(items) = value.as_array() else {
        return Err(wrong_value("join", "a list", value));
    };
    let separator = arguments.text_or("sep", "")?;
    session::pay_for_text(separator.len().saturating_mul(items.len()))?;
    // Items can share what they hold: what is written may be much longer than what is kept.
    session::pay_for_text(session::weight(value))?;
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    Ok(Value::from(items.join(separator)))
}

fn replace(value: &Value, arguments: &Arguments) -> Result<Value, FunctionFailure> {
    let text = string("replace", value)?;
    let (from, to) = (arguments.text("from")?, arguments.text("to")?);
    let growth = text.matches(from).count().saturating_mul(to.len());
    session::pay_for_text(growth.saturating_add(text.len()))?;
    Ok(Value::from(text.replace(from, to)))
}

/// YAML's double quotes are JSON's, but for what YAML does not take unescaped.
fn quote(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    let text = if value.is_none() {
        String::new()
    } else {
        scalar("quote", value)?
    };
    let json = serde_json::Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for character in json.chars() {
        match u32::from(character) {
            code @ (0x7f..=0x9f | 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff) => {
                write!(quoted, "\\u{code:04x}").expect("a String takes all");
            }
            _ => quoted.push(character),
        }
    }
    Ok(Value::from(quoted))
}

fn to_json(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    Ok(Value::from(plain("to_json", value)?.to_string()))
}

fn to_yaml(value: &Value, _: &Arguments) -> Result<Value, FunctionFailure> {
    let text = yaml::emit(&plain("to_yaml", value)?);
    Ok(Value::from(text.strip_suffix('\n').unwrap_or(&text)))
}

fn plain(filter: &str, value: &Value) -> Result<serde_json::Value, FunctionFailure> {
    serde_json::to_value(value)
        .map_err(|_| wrong_value(filter, "a value that JSON can hold", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_and_test_that_is_suggested_exists() {
        for name in BUILT_IN {
            let mut tera = Tera::default();
            tera.add_raw_template("t", &format!("{{{{ x | {name} }}}}"))
                .unwrap();
        }
        for name in TESTS {
            let mut tera = Tera::default();
            tera.add_raw_template("t", &format!("{{{{ x is {name} }}}}"))
                .unwrap();
        }
    }

    #[test]
    fn the_table_is_sorted_and_signatures_start_with_the_name() {
        assert!(FILTERS.is_sorted_by_key(|filter| filter.name));
        for filter in FILTERS {
            assert!(filter.signature.starts_with(filter.name));
            for argument in filter.arguments {
                assert!(filter.signature.contains(argument), "{argument}");
            }
        }
    }

    #[test]
    fn a_quoted_text_is_read_back_as_it_was() {
        let none = || Arguments::new("quote", &[], Kwargs::default()).unwrap();
        for text in [
            "",
            "a\"b\\c",
            "ü\t\n\r\u{7}\u{7f}\u{85}\u{2028}\u{feff}",
            "no",
            "0644",
            "#% x",
        ] {
            let quoted = quote(&Value::from(text), &none()).unwrap().to_string();
            let documents = yaml::load(&quoted).unwrap();
            assert_eq!(documents[0].root.text(), Some(text), "{quoted}");
        }
    }
}
