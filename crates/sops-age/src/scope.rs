//! Which values of a file are encrypted.

use std::fmt;

use regex::Regex;

use crate::outline::{Content, Leaf};
use crate::pattern::{self, PatternError};
use crate::value::Value;

/// The six ways in which SOPS lets a rule choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// All but what lies below a key with this end.
    UnencryptedSuffix,
    /// What lies below a key with this end.
    EncryptedSuffix,
    /// All but what lies below a key in which the pattern is found.
    UnencryptedRegex,
    /// What lies below a key in which the pattern is found.
    EncryptedRegex,
    /// All but what is governed by a comment in which the pattern is found.
    UnencryptedCommentRegex,
    /// What is governed by a comment in which the pattern is found.
    EncryptedCommentRegex,
}

impl Selector {
    /// All, in the order in which SOPS writes them.
    pub const ALL: [Self; 6] = [
        Self::UnencryptedSuffix,
        Self::EncryptedSuffix,
        Self::UnencryptedRegex,
        Self::EncryptedRegex,
        Self::UnencryptedCommentRegex,
        Self::EncryptedCommentRegex,
    ];

    /// Returns the key that names it, in rules and in metadata alike.
    pub fn key(self) -> &'static str {
        match self {
            Self::UnencryptedSuffix => "unencrypted_suffix",
            Self::EncryptedSuffix => "encrypted_suffix",
            Self::UnencryptedRegex => "unencrypted_regex",
            Self::EncryptedRegex => "encrypted_regex",
            Self::UnencryptedCommentRegex => "unencrypted_comment_regex",
            Self::EncryptedCommentRegex => "encrypted_comment_regex",
        }
    }

    fn is_regex(self) -> bool {
        !matches!(self, Self::UnencryptedSuffix | Self::EncryptedSuffix)
    }
}

/// A selector with its pattern.
#[derive(Clone, Debug)]
pub struct Scope {
    /// How values are chosen.
    pub selector: Selector,
    /// The suffix, or the regular expression in Go's syntax.
    pub pattern: String,
    regex: Option<Regex>,
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.selector == other.selector && self.pattern == other.pattern
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.selector.key(), self.pattern)
    }
}

impl Default for Scope {
    /// Everything is encrypted except below keys that end in `_unencrypted`.
    fn default() -> Self {
        Self {
            selector: Selector::UnencryptedSuffix,
            pattern: "_unencrypted".to_owned(),
            regex: None,
        }
    }
}

impl Scope {
    /// Compiles a scope; the regular expressions are searched for anywhere in a key.
    pub fn new(selector: Selector, pattern: &str) -> Result<Self, PatternError> {
        let regex = if selector.is_regex() {
            Some(pattern::compile(pattern)?)
        } else {
            None
        };
        Ok(Self {
            selector,
            pattern: pattern.to_owned(),
            regex,
        })
    }

    /// Returns whether a value is encrypted.
    ///
    /// `keys` lead to the value (or to the mapping in which a comment stands), `comments` are those
    /// that govern it, and `comment` is the text when it is a comment itself.
    pub fn covers(&self, keys: &[String], comments: &[String], comment: Option<&str>) -> bool {
        let mut all = comments.iter().map(String::as_str);
        match self.selector {
            Selector::UnencryptedSuffix => !keys.iter().any(|key| key.ends_with(&self.pattern)),
            Selector::EncryptedSuffix => keys.iter().any(|key| key.ends_with(&self.pattern)),
            Selector::UnencryptedRegex => !keys.iter().any(|key| self.hits(key)),
            Selector::EncryptedRegex => keys.iter().any(|key| self.hits(key)),
            // A comment that says "unencrypted" covers itself; one that says "encrypted" must stay
            // readable, or nothing would say so any more.
            Selector::UnencryptedCommentRegex => !all.chain(comment).any(|text| self.hits(text)),
            Selector::EncryptedCommentRegex => all.any(|text| self.hits(text)),
        }
    }

    /// Returns whether an encrypted comment would be taken for one that says "unencrypted", in which
    /// case the file could not be opened again.
    pub(crate) fn misreads(&self, token: &str) -> bool {
        self.selector == Selector::UnencryptedCommentRegex && self.hits(token)
    }

    /// Returns whether a comment decides about the values after it.
    pub fn heeds(&self, comment: &str) -> bool {
        self.is_by_comment() && self.hits(comment)
    }

    /// Returns whether comments decide what is encrypted.
    pub(crate) fn is_by_comment(&self) -> bool {
        matches!(
            self.selector,
            Selector::UnencryptedCommentRegex | Selector::EncryptedCommentRegex
        )
    }

    fn hits(&self, text: &str) -> bool {
        self.regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }
}

/// Returns the value of a leaf that is to be encrypted; SOPS leaves nulls and empty strings alone.
pub fn covered_value<'l>(leaf: &'l Leaf, scope: &Scope) -> Option<&'l Value> {
    match &leaf.content {
        Content::Value(value) if !value.is_empty() && is_covered(leaf, scope) => Some(value),
        _ => None,
    }
}

/// Returns whether a scope covers a leaf.
pub fn is_covered(leaf: &Leaf, scope: &Scope) -> bool {
    scope.covers(&leaf.keys, &leaf.comments, leaf.comment())
}
