//! JSON, in which a string keeps its text: what nobody sees is written as a `\u` escape.

use std::fmt::Write as _;

use serde_json::Value;

use super::Shown;
use super::marks::{is_unseen, without_orders};

/// Writes a value in one line.
pub fn line(value: &Value) -> Shown {
    Shown(ascii(&value.to_string()) + "\n")
}

/// Writes a value in many lines.
pub fn page(value: &Value) -> Shown {
    document(&format!("{value:#}\n"))
}

/// Takes a document that is JSON already.
pub fn document(text: &str) -> Shown {
    let lines: Vec<String> = text.split('\n').map(ascii).collect();
    Shown(lines.join("\n"))
}

/// Writes a text as what stands between the quotes of a string.
pub fn escaped(text: &str) -> String {
    let quoted = ascii(&Value::from(text).to_string());
    quoted[1..quoted.len() - 1].to_owned()
}

/// Escapes a line of JSON, in which such characters stand in strings only.
fn ascii(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for letter in line.chars() {
        if is_unseen(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(shown, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        } else {
            shown.push(letter);
        }
    }
    without_orders(&shown, "\\u0023").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_keeps_its_text() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}\u{e0041}\u{7f}\n\u{2028}::error::x ##[error]"]});
        for shown in [line(&value), page(&value)] {
            assert!(
                !shown
                    .as_str()
                    .trim_end()
                    .replace('\n', "")
                    .contains(is_unseen)
            );
            assert!(!shown.as_str().contains("##["), "{shown}");
            assert_eq!(
                serde_json::from_str::<Value>(shown.as_str()).unwrap(),
                value
            );
        }
        assert_eq!(escaped("\u{202e}\""), "\\u202e\\\"");
    }
}
