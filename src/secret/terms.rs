//! For whom a file is sealed, and how much of it.

use std::collections::BTreeSet;

/// What a creation rule, or a sealed file, says of its sealing; nothing of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealTerms {
    /// The `path_regex` of the rule; `None` for a rule without one, and for a sealed file.
    pub path_regex: Option<String>,
    /// Whoever can open it: age recipients as they are, other keys with their kind (`pgp: …`).
    pub recipients: BTreeSet<String>,
    /// What is encrypted, as a rule says it: `encrypted_regex: ^data$`.
    pub selector: String,
    /// The line of the rule, counted from 1.
    pub line: usize,
}
