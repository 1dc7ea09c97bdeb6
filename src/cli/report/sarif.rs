//! The parts of SARIF 2.1.0 that all reports share.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::shown::marks::marked;
use crate::source::{Source, Span};

/// A part of a file: lines and columns from 1, columns in characters, the end exclusive.
#[derive(Clone, Copy, Debug)]
pub struct SarifRegion {
    line: usize,
    /// Column, last line and its column; `None` for the whole line.
    rest: Option<(usize, usize, usize)>,
}

impl SarifRegion {
    /// Takes a whole line.
    pub fn line(line: usize) -> Self {
        Self { line, rest: None }
    }

    /// Takes some bytes of a text.
    pub fn of(source: &Source, span: Span) -> Self {
        let (line, column) = source.line_column(span.start);
        let (end_line, end_column) = source.line_column(span.end.max(span.start));
        Self {
            line,
            rest: Some((column, end_line, end_column)),
        }
    }

    fn to_json(self) -> Value {
        match self.rest {
            None => json!({"startLine": self.line}),
            Some((column, end_line, end_column)) => json!({
                "startLine": self.line,
                "startColumn": column,
                "endLine": end_line,
                "endColumn": end_column,
            }),
        }
    }
}

/// Writes a log of one run.
pub fn log(rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "kiln",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Writes the place of something in a file.
pub fn location(path: &str, region: SarifRegion) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(path)},
            "region": region.to_json(),
        },
    })
}

/// Writes a text as a message, in which brackets would make a link (SARIF 2.1.0, 3.11.6).
pub fn message(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = marked(line).replace('\\', "\\\\");
        line.replace('[', "\\[").replace(']', "\\]")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Escapes what a relative URI may not hold (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@!$&'()*+,;=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    uri
}
