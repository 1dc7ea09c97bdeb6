//! Bringing a project's `versions.yaml` up to the versions of the catalogue.

use super::super::edit::{EditError, remove, set};
use super::FILE;
use crate::config::cluster::versions::VersionKey;
use crate::yaml::{Node, Route, load, pointer_step};
use serde_json::Value;

/// What a new file starts with.
const HEAD: &str = "\
---
# The versions that Renovate keeps for this cluster. They go over those of Kiln: `kiln apps outdated` tells where Kiln
# has a newer one, and `kiln apps outdated --write` takes it over. What is not in here is as Kiln has it.
";

/// A version of the catalogue that a project's file shall hold.
#[derive(Clone, Debug)]
pub struct RaisedVersion {
    /// Which one.
    pub key: VersionKey,
    /// The version.
    pub version: String,
    /// What comes with it.
    pub digest: Option<String>,
    /// The line that tells Renovate where new ones come from, without `#`.
    pub annotation: Option<String>,
}

impl RaisedVersion {
    /// Takes over what the text of the catalogue's file says of entries; those that it does not have are left out.
    pub fn all_of<'k>(keys: impl Iterator<Item = &'k VersionKey>, catalogue: &str) -> Vec<Self> {
        let documents = load(catalogue).unwrap_or_default();
        let Some(document) = documents.first() else {
            return Vec::new();
        };
        keys.filter_map(|key| Self::of(key, catalogue, &document.root))
            .collect()
    }

    /// Takes over what the catalogue's file, given as text and loaded, says of an entry; `None` if it has none.
    fn of(key: &VersionKey, catalogue: &str, root: &Node) -> Option<Self> {
        let node = root.at(&Route::from_pointer(&pointer(key, "")))?;
        let version = node.get("version")?;
        let above = catalogue[..version.span.start].lines().rev().nth(1);
        let comment = above.and_then(|line| line.trim_start().strip_prefix("# "));
        Some(Self {
            key: key.clone(),
            version: version.text()?.to_owned(),
            digest: node.find_text("digest").map(str::to_owned),
            annotation: comment
                .filter(|comment| comment.starts_with("renovate:"))
                .map(str::to_owned),
        })
    }
}

/// Returns the text of a project's `versions.yaml` with other versions in it; comments and order stay, and entries that
/// were not there come with the line for Renovate.
///
/// # Errors
/// Where the text is no YAML, or something else stands in the place of an entry.
pub fn raise(text: Option<&str>, versions: &[RaisedVersion]) -> Result<String, EditError> {
    let mut text = text.unwrap_or(HEAD).to_owned();
    for raised in versions {
        let place = pointer(&raised.key, "/version");
        let is_new = !holds(&text, &place);
        text = set(FILE, &text, &place, &Value::from(raised.version.as_str()))?;
        text = without_quotes(text, &place, &raised.version);
        let digest = pointer(&raised.key, "/digest");
        text = match &raised.digest {
            Some(value) => set(FILE, &text, &digest, &Value::from(value.as_str()))?,
            None if holds(&text, &digest) => remove(FILE, &text, &digest)?,
            None => text,
        };
        if let (true, Some(annotation)) = (is_new, &raised.annotation) {
            text = annotated(text, &place, annotation);
        }
    }
    Ok(text)
}

/// Takes the quotes off a version at a place if no reader of YAML takes it for a number, as people write it.
fn without_quotes(mut text: String, pointer: &str, version: &str) -> String {
    let documents = load(&text).unwrap_or_default();
    let root = documents.first().map(|document| &document.root);
    let node = root.and_then(|root| root.at(&Route::from_pointer(pointer)));
    let span = node.map_or(0..0, |node| node.span.start..node.span.end);
    if version.matches('.').count() >= 2 && text[span.clone()] == format!("\"{version}\"") {
        text.replace_range(span, version);
    }
    text
}

/// Writes a comment above the line of a value, unless the line holds more than that.
fn annotated(mut text: String, pointer: &str, annotation: &str) -> String {
    let Some(at) = key_start(&text, pointer) else {
        return text;
    };
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let indentation = text[line..at].to_owned();
    if indentation.trim().is_empty() {
        text.insert_str(line, &format!("{indentation}# {annotation}\n"));
    }
    text
}

fn key_start(text: &str, pointer: &str) -> Option<usize> {
    let root = load(text).ok()?.into_iter().next()?.root;
    let (parent, key) = pointer.rsplit_once('/')?;
    let entry = root.at(&Route::from_pointer(parent))?.entry(key)?;
    Some(entry.key_span.start)
}

fn holds(text: &str, pointer: &str) -> bool {
    key_start(text, pointer).is_some()
}

/// Returns the JSON pointer of an entry, or of what is below it.
fn pointer(key: &VersionKey, below: &str) -> String {
    let group = key.group.key();
    if key.name.is_empty() {
        format!("/{group}{below}")
    } else {
        format!("/{group}/{}{below}", pointer_step(&key.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::cluster::versions::VersionGroup;

    #[test]
    fn leaves_the_quotes_of_other_entries() {
        let text = "charts:\n  a:\n    version: 1.2.2\n  b:\n    version: \"1.2.3\"\n";
        let raised = RaisedVersion {
            key: VersionKey {
                group: VersionGroup::Charts,
                name: "a".to_owned(),
            },
            version: "1.2.3".to_owned(),
            digest: None,
            annotation: None,
        };
        let raised = raise(Some(text), &[raised]).unwrap();
        assert_eq!(raised, text.replace("1.2.2", "1.2.3"));
    }
}
