//! An empty value in a secret.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::{Category, Rule};
use crate::source::Place;
use crate::tree::secret_manifest::{decoded, with_items};
use crate::yaml::Node;

/// What template engines write for a value that is not there; `none` in lower case is a word, which many
/// charts take.
const NOTHING: [&str; 9] = [
    "null",
    "Null",
    "NULL",
    "None",
    "nil",
    "<nil>",
    "undefined",
    "<no value>",
    "[object Object]",
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "sealed-empty",
        summary: "No value of a secret is empty or undefined",
        text: "\
Once a file is sealed, nobody sees that a token in it is empty or what a template engine writes for nothing
(`null`, `None`, `undefined`); the app that uses it fails in the cluster with something like \"unauthorized\".
The check looks at `data` and `stringData` of each document in a file that will be sealed, and of each item of a
`List`, before it is.

A value that is meant can be exempt, with a reason:

    [[exempt]]
    rule = \"sealed-empty\"
    namespace = \"media\"
    name = \"player\"
    reason = \"The player asks for no password\"",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 0,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for file in facts.files.values().filter(|file| file.is_secret()) {
        let objects = file.documents.iter();
        for (_, object) in objects.flat_map(|document| with_items(&document.root)) {
            for field in ["data", "stringData"] {
                let entries = object.get(field).and_then(Node::entries);
                let entries = entries.unwrap_or_default().iter();
                for entry in entries.filter(|entry| is_empty(&entry.value, field)) {
                    let message = format!("`{field}.{}` in `{}` is empty", entry.key, file.path);
                    let place = Place::new(&file.source, entry.key_span);
                    judge.report(facts.at(judge.error(message), &place, "").with_hint(
                        "set the value that it comes from, leave the key out, or exempt it in `[[exempt]]` of `kiln.toml`",
                    ));
                }
            }
        }
    }
}

fn is_empty(value: &Node, field: &str) -> bool {
    let Some(text) = value.text() else {
        return false;
    };
    let decoded = decoded(text).filter(|_| field == "data");
    value.is_null()
        || says_nothing(text)
        || decoded.is_some_and(|bytes| says_nothing(&String::from_utf8_lossy(&bytes)))
}

fn says_nothing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || NOTHING.contains(&text)
}
