//! The `sops` mapping that SOPS appends to every document.

use super::scalar_text;
use super::scope::{Scope, Selector};
use crate::yaml::{Content, Node};
use sops_age::keys::WrappedKey;

/// The version of SOPS whose format the files follow.
const VERSION: &str = "3.11.0";

/// Keys of other kinds of master keys.
const FOREIGN: [&str; 6] = ["pgp", "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault"];

/// What SOPS keeps about a file.
#[derive(Clone)]
pub(super) struct Metadata {
    pub(super) age: Vec<WrappedKey>,
    /// RFC 3339 in UTC; authenticates `mac`.
    pub(super) last_modified: String,
    /// The encrypted digest of the plain text.
    pub(super) mac: String,
    pub(super) scope: Scope,
    pub(super) mac_only_encrypted: bool,
    /// The kinds of keys besides age that also open the file.
    pub(super) foreign: Vec<&'static str>,
}

/// Returns whether a mapping is SOPS metadata, by the same two keys as `sops filestatus`.
pub(super) fn is_metadata(node: &Node) -> bool {
    let set = |key| node.find_text(key).is_some_and(|text| !text.is_empty());
    set("mac") && set("version")
}

impl Metadata {
    /// Reads the value of a `sops` key; the error says in words what is wrong with it.
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let text = |key: &str| {
            let found = node.find_text(key).filter(|text| !text.is_empty());
            found
                .map(str::to_owned)
                .ok_or_else(|| format!("the SOPS metadata has no `{key}`"))
        };
        let mut age = node
            .get("age")
            .map_or_else(|| Ok(Vec::new()), wrapped_keys)?;
        let mut foreign = foreign_keys(node);
        if let Some(groups) = node.get("key_groups").and_then(Node::items) {
            // With several groups each holds a share of the data key; none is a key by itself.
            match groups {
                [] => {}
                [group] => {
                    age.extend(
                        group
                            .get("age")
                            .map_or_else(|| Ok(Vec::new()), wrapped_keys)?,
                    );
                    foreign.extend(foreign_keys(group));
                }
                _ => {
                    return Err(
                        "the data key is split over several key groups, which Kiln cannot join"
                            .to_owned(),
                    );
                }
            }
        }
        Ok(Self {
            age,
            last_modified: normal_time(&text("lastmodified")?)?,
            mac: text("mac")?,
            scope: scope(node)?,
            mac_only_encrypted: node
                .find_text("mac_only_encrypted")
                .is_some_and(|text| matches!(text, "true" | "True" | "TRUE")),
            foreign,
        })
    }

    /// Writes the mapping as block YAML for a root whose keys stand `column` bytes from the left.
    pub(super) fn to_block(&self, column: usize, indent: usize) -> String {
        let margin = |blanks: usize| " ".repeat(column + blanks);
        let (first, item) = (margin(indent), margin(2 * indent));
        let mut lines = vec![format!("{}sops:", margin(0)), format!("{first}age:")];
        for key in &self.age {
            lines.push(format!(
                "{item}- recipient: {}",
                scalar_text::inline(&key.recipient)
            ));
            lines.push(format!("{item}  enc: |"));
            lines.extend(key.enc.lines().map(|line| format!("{item}    {line}")));
        }
        lines.extend(
            self.fields()
                .iter()
                .map(|(key, value)| format!("{first}{key}: {value}")),
        );
        lines.push(String::new());
        lines.join("\n")
    }

    /// Writes the mapping as one entry of a mapping in braces.
    pub(super) fn to_flow(&self) -> String {
        let quoted = scalar_text::quoted;
        let keys: Vec<String> = self
            .age
            .iter()
            .map(|key| {
                format!(
                    "{{\"recipient\": {}, \"enc\": {}}}",
                    quoted(&key.recipient),
                    quoted(&key.enc)
                )
            })
            .collect();
        let mut parts = vec![format!("\"age\": [{}]", keys.join(", "))];
        for (key, value) in self.fields() {
            let bare = value == "true";
            let value = if bare || value.starts_with('"') {
                value
            } else {
                quoted(&value)
            };
            parts.push(format!("\"{key}\": {value}"));
        }
        format!("\"sops\": {{{}}}", parts.join(", "))
    }

    /// The fields after the keys, in the order of SOPS up to 3.12, as YAML.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("lastmodified", scalar_text::quoted(&self.last_modified)),
            ("mac", self.mac.clone()),
            (
                self.scope.selector.key(),
                scalar_text::inline(&self.scope.pattern),
            ),
        ];
        if self.mac_only_encrypted {
            fields.push(("mac_only_encrypted", "true".to_owned()));
        }
        fields.push(("version", VERSION.to_owned()));
        fields
    }
}

fn wrapped_keys(node: &Node) -> Result<Vec<WrappedKey>, String> {
    let Some(items) = node.items() else {
        return if node.is_null() {
            Ok(Vec::new())
        } else {
            Err("`sops.age` is not a list".to_owned())
        };
    };
    let read = |item: &Node| {
        let text = |key| item.find_text(key).map(str::to_owned);
        Some(WrappedKey {
            recipient: text("recipient")?,
            enc: text("enc")?,
        })
    };
    let keys: Option<Vec<WrappedKey>> = items.iter().map(read).collect();
    keys.ok_or_else(|| "an entry of `sops.age` has no `recipient` or no `enc`".to_owned())
}

fn foreign_keys(node: &Node) -> Vec<&'static str> {
    let set = |key: &&'static str| {
        node.get(key)
            .and_then(Node::items)
            .is_some_and(|items| !items.is_empty())
    };
    FOREIGN.into_iter().filter(set).collect()
}

fn scope(node: &Node) -> Result<Scope, String> {
    let mut found = None;
    for selector in Selector::ALL {
        let Some(pattern) = node.find_text(selector.key()) else {
            continue;
        };
        let empty = matches!(node.get(selector.key()).map(|node| &node.content), Some(Content::Scalar(_)) if pattern.is_empty());
        if empty {
            continue;
        }
        if found.is_some() {
            return Err("the SOPS metadata has two selectors of what is encrypted".to_owned());
        }
        let scope = Scope::new(selector, pattern).map_err(|_| {
            format!(
                "`{}` of the SOPS metadata is not a regular expression",
                selector.key()
            )
        })?;
        found = Some(scope);
    }
    Ok(found.unwrap_or_default())
}

/// SOPS authenticates the MAC with the time as it would print it, not as it stands in the file.
fn normal_time(text: &str) -> Result<String, String> {
    text.parse()
        .map(rfc3339)
        .map_err(|_| "`lastmodified` of the SOPS metadata is not a time".to_owned())
}

/// Writes a time as SOPS does: in UTC, to the second.
pub(super) fn rfc3339(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
