//! Values that the config takes from elsewhere and calls public.

use std::sync::Arc;

use super::project::Project;
use super::{Decrypt, data_files, parse};
use crate::source::{Files, Source};
use crate::yaml::{Node, Resolver};

/// A value that is taken from the environment or from a file, and is said to be no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicReference {
    /// The dotted key in the config.
    pub key: String,
    /// What it is taken from, as the config says it: `fromEnv: NAME`.
    pub origin: String,
    /// The data file.
    pub file: String,
    /// The line in it, counted from 1.
    pub line: usize,
}

/// Finds every `{ fromEnv: NAME, public: true }` in the data files, as they are written.
///
/// Files that cannot be read have none: loading the config says what is wrong with them.
pub fn public_references(
    files: &dyn Files,
    project: &Project,
    decrypt: &Decrypt<'_>,
) -> Vec<PublicReference> {
    let mut found = Vec::new();
    for path in data_files(project) {
        let Ok(Some(bytes)) = files.read(&path) else {
            continue;
        };
        let text = String::from_utf8(bytes).unwrap_or_default();
        // Without the word there is nothing to look for; a sealed file shows its keys, too.
        if !text.contains("public") {
            continue;
        }
        if let Ok(parsed) = parse::parse(&path, &text, decrypt) {
            for root in &parsed.roots {
                walk(root, "", &parsed.source, &mut found);
            }
        }
    }
    found
}

fn walk(node: &Node, key: &str, source: &Arc<Source>, found: &mut Vec<PublicReference>) {
    let below = |name: &str| match key {
        "" => name.to_owned(),
        key => format!("{key}.{name}"),
    };
    for (at, item) in node.items().unwrap_or_default().iter().enumerate() {
        walk(item, &below(&at.to_string()), source, found);
    }
    for entry in node.entries().unwrap_or_default() {
        walk(&entry.value, &below(&entry.key), source, found);
    }
    let is_public = |node: &Node| node.to_value(Resolver::Core).as_bool() == Some(true);
    if !node.get("public").is_some_and(is_public) {
        return;
    }
    for kind in ["fromEnv", "fromFile"] {
        if let Some(name) = node.find_text(kind) {
            found.push(PublicReference {
                key: key.to_owned(),
                origin: format!("{kind}: {name}"),
                file: source.path.clone(),
                line: source.line_column(node.first_line_span().start).0,
            });
        }
    }
}
