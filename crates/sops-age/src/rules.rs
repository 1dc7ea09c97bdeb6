//! Creation rules: which file is sealed for whom, and how far.

mod read;

use std::collections::BTreeSet;

use regex::Regex;
use spanned_yaml::{LoadError, Span};

use crate::keys::{Recipient, Unfit};
use crate::pattern::PatternError;
use crate::plain::SealTarget;
use crate::scope::{Scope, Selector};

/// The name under which SOPS looks for rules.
pub const RULE_FILE: &str = ".sops.yaml";

/// How new metadata is laid out, by format; a rule file sets it for all of its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layouts {
    /// The indentation of YAML, in blanks (`stores.yaml.indent`).
    pub yaml: usize,
    /// What a level of JSON is indented with (`stores.json.indent`).
    pub json: String,
    /// What a level of the JSON around a binary file is indented with (`stores.json_binary.indent`).
    pub binary: String,
}

impl Default for Layouts {
    /// As SOPS has it when nothing is set.
    fn default() -> Self {
        Self {
            yaml: 4,
            json: "\t".to_owned(),
            binary: "\t".to_owned(),
        }
    }
}

/// The rules of one `.sops.yaml`.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// The `creation_rules` key.
    pub span: Option<Span>,
    /// The rules, in order: the first that matches decides.
    pub rules: Vec<CreationRule>,
    /// What is wrong whichever rule is used; unknown keys are no error to SOPS.
    pub problems: Vec<RuleProblem>,
    /// Whether there is something in it that nobody knows, so that it may be another file than it seems, and may hold
    /// what must not be shown.
    pub strange: bool,
}

/// One creation rule.
#[derive(Clone, Debug)]
pub struct CreationRule {
    path: Option<Regex>,
    /// `path_regex` as written; a rule without it matches every file.
    pub path_regex: Option<String>,
    /// Where it says which files it is for.
    pub span: Span,
    /// Where it starts.
    pub start: Span,
    /// What is encrypted.
    pub scope: Scope,
    /// Where it says how far it goes.
    pub scope_span: Span,
    /// Whether the digest is over what is encrypted only.
    pub mac_only_encrypted: bool,
    /// For whom it seals, each once.
    pub recipients: Vec<Recipient>,
    /// Where it says for whom it seals.
    pub recipients_span: Option<Span>,
    /// How metadata is laid out.
    pub layouts: Layouts,
    /// Whoever can open what it seals: age recipients as they are, other keys with their kind (`pgp: …`).
    pub named_keys: BTreeSet<String>,
    /// What stops this crate from sealing by this rule; nothing is wrong before a file needs it, as a rule for other
    /// files and other tools may stand beside.
    pub unfit: Vec<RuleProblem>,
}

/// Something in a rule file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// What it is.
    pub kind: RuleProblemKind,
    /// Where; nothing for what no part of the line may be shown of.
    pub span: Option<Span>,
}

/// What can be wrong in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblemKind {
    /// A value has another form than SOPS takes.
    #[error("{0}")]
    Shape(String),
    /// SOPS passes over the key in silence.
    #[error("SOPS knows no key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that SOPS knows there.
        known: Vec<&'static str>,
    },
    /// More than one way to say what is encrypted.
    #[error("a rule has both `{}` and `{}`, and SOPS takes only one", .one.key(), .other.key())]
    Selectors {
        /// The first of them.
        one: Selector,
        /// Where it stands.
        one_span: Span,
        /// The second.
        other: Selector,
    },
    /// No regular expression that Go takes.
    #[error("`{key}` is not a regular expression: {problem}")]
    Pattern {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: PatternError,
    },
    /// No recipient of age.
    #[error("`{text}` is not an age recipient")]
    Recipient {
        /// What stands there; it may be a secret when `hidden` says so.
        text: String,
        /// Whether it does not even start like a recipient.
        hidden: bool,
        /// Why it is none.
        unfit: Unfit,
    },
    /// The data key would have to be split (Shamir).
    #[error("a rule has several key groups")]
    KeyGroups,
    /// More groups are asked for than there are.
    #[error("a threshold of {0} key groups cannot be honoured: the rule has one group")]
    Threshold(u64),
    /// Nobody to seal for.
    #[error("a rule names no one to seal for")]
    NoRecipient,
    /// Another kind of key than age's.
    #[error("a rule seals for a key of `{0}`")]
    ForeignKey(&'static str),
}

impl RuleProblem {
    /// Returns whether SOPS takes it, in silence.
    pub fn is_warning(&self) -> bool {
        matches!(self.kind, RuleProblemKind::UnknownKey { .. })
    }
}

impl RuleFile {
    /// Reads a `.sops.yaml`.
    ///
    /// # Errors
    /// What is no YAML; everything else is told in [`RuleFile::problems`] and [`CreationRule::unfit`].
    pub fn read(text: &str) -> Result<Self, LoadError> {
        read::rules(text)
    }

    /// Returns the first rule that matches a path, given as seen from the folder of the rule file.
    pub fn find(&self, path: &str) -> Option<&CreationRule> {
        self.rules.iter().find(|rule| rule.matches(path))
    }
}

impl CreationRule {
    /// Returns whether the rule is for a path, given as seen from the folder of the rule file.
    pub fn matches(&self, path: &str) -> bool {
        self.path.as_ref().is_none_or(|regex| regex.is_match(path))
    }

    /// Returns how a file is sealed by this rule.
    pub fn target(&self) -> SealTarget<'_> {
        SealTarget {
            scope: &self.scope,
            mac_only_encrypted: self.mac_only_encrypted,
            recipients: &self.recipients,
            layouts: &self.layouts,
        }
    }
}
