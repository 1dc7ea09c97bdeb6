//! The file format of [SOPS](https://github.com/getsops/sops) for keys of [age](https://age-encryption.org), in memory:
//! files are opened, sealed, and sealed again such that what has not changed keeps its bytes.

mod cipher;
mod edit;
mod json;
pub mod keys;
mod mac;
mod merge;
mod metadata;
mod outline;
mod pattern;
mod plain;
mod reader;
mod renew;
mod rules;
mod scalar_text;
mod scope;
mod secret;
mod store;
mod timestamp;
mod value;
mod writer;

pub use cipher::{DataKey, Token};
pub use edit::Edit;
pub use json::JsonError;
pub use metadata::{Metadata, MetadataError};
pub use outline::{
    Content, Document, Leaf, Notation, Outline, OutlineError, Spot, State, Tie, as_read, is_sealed,
};
pub use pattern::PatternError;
pub use plain::{Draw, PlainError, PlainFile, SealError, SealTarget};
pub use reader::{LockedError, OpenError, OpenedFile, SealedError, SealedFile};
pub use rules::{CreationRule, Layouts, RULE_FILE, RuleFile, RuleProblem, RuleProblemKind};
pub use scope::{Scope, Selector, covered_value, is_covered};
pub use secret::Secret;
pub use store::Store;
pub use value::{Kind, Value};
pub use writer::cover;
