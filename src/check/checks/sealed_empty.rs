//! An empty value in a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Place;
use crate::yaml::Node;

/// What template engines write for a value that is not there.
const NOTHING: [&str; 6] = [
    "null",
    "none",
    "nil",
    "undefined",
    "<no value>",
    "[object object]",
];

pub(in crate::check) const CHECK: Check = Check {
    code: "sealed-empty",
    summary: "A secret has a value that is empty or undefined",
    explanation: "\
Once a file is sealed, nobody sees that a token in it is empty or the word `null`; the app that uses it
fails in the cluster with something like \"unauthorized\". The check looks at `data` and `stringData` of each
document in a file that will be sealed, before it is.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for file in context.tree.files().filter(|file| file.is_secret()) {
        for document in file.documents.iter() {
            for field in ["data", "stringData"] {
                let entries = document
                    .root
                    .get(field)
                    .and_then(Node::entries)
                    .unwrap_or_default();
                for entry in entries.iter().filter(|entry| is_empty(&entry.value, field)) {
                    let message = format!("`{field}.{}` in `{}` is empty", entry.key, file.path);
                    let place = Place::new(&file.source, entry.key_span);
                    let problem = context.at(Diagnostic::error(CHECK.code, message), &place, "");
                    problems.push(
                        problem.with_hint("set the value that it comes from, or leave the key out"),
                    );
                }
            }
        }
    }
    problems
}

fn is_empty(value: &Node, field: &str) -> bool {
    let Some(text) = value.text() else {
        return value.is_null();
    };
    let decoded = STANDARD
        .decode(text.trim())
        .ok()
        .filter(|_| field == "data");
    value.is_null()
        || says_nothing(text)
        || decoded.is_some_and(|bytes| says_nothing(&String::from_utf8_lossy(&bytes)))
}

fn says_nothing(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.is_empty() || NOTHING.contains(&text.as_str())
}
