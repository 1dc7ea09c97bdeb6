//! Rules about secrets: what is sealed, and what must not be read.

mod sealed_empty;
mod secret_data_invalid;
mod secret_leak;
mod secret_unsealed;

use super::Rule;

/// The code of what nothing can be exempt from: it would write a secret in plain text.
pub(super) const LEAK: &str = secret_leak::RULE.meaning.code;

/// The codes of what would be written in plain text, where they are errors: no list of what is ignored or known covers them.
pub const PLAIN_TEXT: [&str; 2] = [LEAK, secret_unsealed::RULE.meaning.code];

pub(super) const RULES: &[Rule] = &[
    secret_unsealed::RULE,
    sealed_empty::RULE,
    secret_data_invalid::RULE,
    secret_leak::RULE,
];
