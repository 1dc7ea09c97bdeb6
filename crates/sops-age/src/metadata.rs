//! The `sops` mapping that SOPS appends to every document.

use std::collections::BTreeSet;

use spanned_yaml::{Content, Node};

use crate::json;
use crate::keys::WrappedKey;
use crate::plain::SealTarget;
use crate::scalar_text;
use crate::scope::{Scope, Selector};
use crate::store::Store;

/// The version of SOPS whose format the files follow.
const VERSION: &str = "3.11.0";

/// Keys of other kinds of master keys.
const FOREIGN: [&str; 6] = ["pgp", "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault"];

/// Why metadata is none that this crate can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A key is not there.
    #[error("the SOPS metadata has no `{0}`")]
    Missing(&'static str),
    /// The age keys are no list.
    #[error("`sops.age` is not a list")]
    NoList,
    /// An age key is not whole.
    #[error("an entry of `sops.age` has no `recipient` or no `enc`")]
    Incomplete,
    /// Each key group holds a share of the data key (Shamir); none is a key by itself.
    #[error("the data key is split over several key groups, which cannot be joined here")]
    KeyGroups,
    /// More than one way to say what is encrypted.
    #[error("the SOPS metadata has two selectors of what is encrypted")]
    TwoSelectors,
    /// A pattern that Go does not take either.
    #[error("`{0}` of the SOPS metadata is not a regular expression")]
    Pattern(&'static str),
    /// The time cannot be read.
    #[error("`lastmodified` of the SOPS metadata is not a time")]
    Time,
}

/// What SOPS keeps about a file.
#[derive(Clone)]
pub struct Metadata {
    /// The data key, for each of its recipients.
    pub age: Vec<WrappedKey>,
    /// RFC 3339 in UTC; authenticates `mac`.
    pub last_modified: String,
    /// The encrypted digest of the plain text.
    pub mac: String,
    /// What is encrypted.
    pub scope: Scope,
    /// Whether the digest is over what is encrypted only.
    pub mac_only_encrypted: bool,
    /// The kinds of keys besides age that also open the file.
    pub foreign: Vec<&'static str>,
}

/// Returns whether a mapping is SOPS metadata, by the same two keys as `sops filestatus`.
pub(crate) fn is_metadata(node: &Node) -> bool {
    let set = |key| node.find_text(key).is_some_and(|text| !text.is_empty());
    set("mac") && set("version")
}

impl Metadata {
    /// Reads the value of a `sops` key; the error says in words what is wrong with it.
    pub(crate) fn read(node: &Node) -> Result<Self, MetadataError> {
        let text = |key: &'static str| {
            let found = node.find_text(key).filter(|text| !text.is_empty());
            found.map(str::to_owned).ok_or(MetadataError::Missing(key))
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
                    return Err(MetadataError::KeyGroups);
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

    /// Returns for whom the file says that it is sealed.
    pub fn sealed_for(&self) -> BTreeSet<String> {
        let copies = self.age.iter();
        copies.map(|copy| copy.recipient.clone()).collect()
    }

    /// Writes the mapping as block YAML for a root whose keys stand `column` bytes from the left.
    pub(crate) fn to_block(&self, column: usize, indent: usize) -> String {
        let margin = |blanks: usize| " ".repeat(column + blanks);
        let first = margin(indent);
        let mut lines = vec![format!("{}sops:", margin(0)), format!("{first}age:")];
        lines.extend(self.age_block(column + 2 * indent, false));
        let fields = self.fields().into_iter();
        lines.extend(fields.map(|(key, value)| format!("{first}{key}: {value}")));
        lines.push(String::new());
        lines.join("\n")
    }

    /// Writes the lines of the copies of the data key, with their dashes at a margin.
    pub(crate) fn age_block(&self, margin: usize, enc_first: bool) -> Vec<String> {
        let item = " ".repeat(margin);
        let copy = |key: &WrappedKey| {
            let mut enc = vec!["enc: |".to_owned()];
            enc.extend(key.enc.lines().map(|line| format!("  {line}")));
            let recipient = format!("recipient: {}", scalar_text::inline(&key.recipient));
            let at = if enc_first { enc.len() } else { 0 };
            enc.insert(at, recipient);
            let lines = enc.into_iter().enumerate();
            let line = |(at, line)| format!("{item}{} {line}", if at == 0 { "-" } else { " " });
            lines.map(line).collect::<Vec<String>>()
        };
        self.age.iter().flat_map(copy).collect()
    }

    /// Writes the mapping as one entry of a mapping in braces.
    pub(crate) fn to_flow(&self) -> String {
        let mut parts = vec![format!("\"age\": {}", self.age_flow())];
        for (key, value) in self.fields() {
            let bare = value == "true";
            let value = if bare || value.starts_with('"') {
                value
            } else {
                scalar_text::quoted(&value)
            };
            parts.push(format!("\"{key}\": {value}"));
        }
        format!("\"sops\": {{{}}}", parts.join(", "))
    }

    /// Writes the copies of the data key as a list in brackets.
    pub(crate) fn age_flow(&self) -> String {
        let quoted = scalar_text::quoted;
        let copy = |key: &WrappedKey| {
            let (recipient, enc) = (quoted(&key.recipient), quoted(&key.enc));
            format!("{{\"recipient\": {recipient}, \"enc\": {enc}}}")
        };
        let copies: Vec<String> = self.age.iter().map(copy).collect();
        format!("[{}]", copies.join(", "))
    }

    /// Writes the mapping as one entry of a JSON object, over several lines that each start with `indent` for each
    /// level.
    pub(crate) fn to_json(&self, indent: &str) -> String {
        let margin = |level: usize| format!("\n{}", indent.repeat(level));
        let mut parts = vec![format!("\"age\": {}", self.age_json(indent))];
        let fields = [
            ("lastmodified", self.last_modified.as_str()),
            ("mac", self.mac.as_str()),
            (self.scope.selector.key(), self.scope.pattern.as_str()),
        ];
        let text = |(key, value)| format!("\"{key}\": {}", json::quoted(value));
        parts.extend(fields.map(text));
        if self.mac_only_encrypted {
            parts.push("\"mac_only_encrypted\": true".to_owned());
        }
        parts.push(text(("version", VERSION)));
        let lines = parts.iter().map(|part| format!("{}{part}", margin(2)));
        let lines: Vec<String> = lines.collect();
        format!("\"sops\": {{{}{}}}", lines.join(","), margin(1))
    }

    /// Writes the copies of the data key as a list of JSON, for its place in [`Metadata::to_json`].
    pub(crate) fn age_json(&self, indent: &str) -> String {
        let margin = |level: usize| format!("\n{}", indent.repeat(level));
        let copy = |key: &WrappedKey| {
            let (recipient, enc) = (json::quoted(&key.recipient), json::quoted(&key.enc));
            let (brace, field) = (margin(3), margin(4));
            format!("{brace}{{{field}\"recipient\": {recipient},{field}\"enc\": {enc}{brace}}}")
        };
        let copies: Vec<String> = self.age.iter().map(copy).collect();
        format!("[{}{}]", copies.join(","), margin(2))
    }

    /// Returns whether a rule says the same of what is encrypted; no rule says anything of that for a binary file.
    pub fn is_of_rule(&self, target: &SealTarget<'_>, store: Store) -> bool {
        let rule =
            self.scope == *target.scope && self.mac_only_encrypted == target.mac_only_encrypted;
        (rule || store == Store::Binary) && self.foreign.is_empty()
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

fn wrapped_keys(node: &Node) -> Result<Vec<WrappedKey>, MetadataError> {
    let Some(items) = node.items() else {
        return if node.is_null() {
            Ok(Vec::new())
        } else {
            Err(MetadataError::NoList)
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
    keys.ok_or(MetadataError::Incomplete)
}

fn foreign_keys(node: &Node) -> Vec<&'static str> {
    let set = |key: &&'static str| {
        node.get(key)
            .and_then(Node::items)
            .is_some_and(|items| !items.is_empty())
    };
    FOREIGN.into_iter().filter(set).collect()
}

fn scope(node: &Node) -> Result<Scope, MetadataError> {
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
            return Err(MetadataError::TwoSelectors);
        }
        let scope =
            Scope::new(selector, pattern).map_err(|_| MetadataError::Pattern(selector.key()))?;
        found = Some(scope);
    }
    Ok(found.unwrap_or_default())
}

/// SOPS authenticates the MAC with the time as it would print it, not as it stands in the file.
pub(crate) fn normal_time(text: &str) -> Result<String, MetadataError> {
    text.parse().map(rfc3339).map_err(|_| MetadataError::Time)
}

/// Writes a time as SOPS does: in UTC, to the second.
pub(crate) fn rfc3339(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
