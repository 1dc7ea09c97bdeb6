//! The file format of [SOPS](https://github.com/getsops/sops) for keys of [age](https://age-encryption.org), in memory:
//! files are opened, sealed, and sealed again such that what has not changed keeps its bytes.
//!
//! Nothing here reads a file, a variable or a clock; randomness is handed in, but for the ephemeral keys inside of age.
//! Secrets are wiped from memory when they are dropped, and no error, `Debug` or panic shows one.
//!
//! ```
//! use sops_age::keys::Keyring;
//! use sops_age::{Draw, PlainFile, RuleFile, SealedFile, Secret, Store};
//!
//! let identity = age::x25519::Identity::generate();
//! let rules = format!("creation_rules:\n  - age: {}\n    encrypted_regex: ^stringData$\n", identity.to_public());
//! let rules = RuleFile::read(&rules).map_err(|error| error.message)?;
//! let rule = rules.find("db.sops.yaml").ok_or("no rule matches")?;
//!
//! let plain = PlainFile::read(b"kind: Secret\nstringData:\n  user: admin\n  password: tulip\n", Store::Yaml)?;
//! let draw = Draw::new(&plain, &rule.scope, &mut rand_core::OsRng);
//! let sealed = plain.seal(&rule.target(), &draw, "2026-11-30T12:00:00Z")?;
//! assert!(sealed.contains("password: ENC[AES256_GCM,data:"));
//!
//! use age::secrecy::ExposeSecret as _;
//! let key = Secret::new(identity.to_string().expose_secret());
//! let (keyring, _) = Keyring::parse(&[("age.key".to_owned(), key)]);
//! let file = SealedFile::read(&sealed, Store::Yaml)?;
//! let key = file.unlock(&keyring)?;
//! let opened = file.open(key)?;
//!
//! // One value changes, and with it one line, the digest and the time.
//! let changed = PlainFile::read(b"kind: Secret\nstringData:\n  user: admin\n  password: rose\n", Store::Yaml)?;
//! let draw = Draw::new(&changed, &rule.scope, &mut rand_core::OsRng);
//! let renewed = opened.renew(&changed, &rule.target(), &draw, "2026-12-01T12:00:00Z")?;
//! let moved = sealed.lines().zip(renewed.lines()).filter(|(before, after)| before != after);
//! assert_eq!(moved.count(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The format
//!
//! Sources: the code of sops 3.13.3 (`sops.go`, `aes/cipher.go`, `stores/`, `cmd/sops/main.go`) and of go-yaml v3, held
//! against the programs `sops` 3.11.0 and 3.13.3 on random files.
//!
//! - Each file has a *data key* of 32 random bytes. It is wrapped for each recipient in an age file of its own, in armor:
//!   `sops.age[].enc`. The name beside it, `recipient`, is not authenticated.
//! - A value is encrypted with AES-256-GCM, a nonce of 32 bytes and a tag of 16 bytes, as
//!   `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` in standard base64. What is authenticated along with it are the keys that
//!   lead to it, each with a `:` behind it; list positions are no part of that, and neither is the type.
//! - Types are those of go-yaml v3 (`0644` is the integer 420): `str`, `int`, `float`, `bool`, `time`, and `comment`.
//!   Null and empty texts are left alone. Comments are encrypted in the scope that they stand in.
//! - The digest is SHA-512 over the texts of all values in order, comments left out; with `mac_only_encrypted` over
//!   those that are encrypted, behind 32 fixed bytes. It is encrypted with `lastmodified` authenticated along.
//! - The metadata stands below `sops` in each document, and is read from the first.
//! - A *binary* file is a JSON object with one value, `data`, always encrypted.
//!
//! # What is not here
//!
//! dotenv and INI files, `key_groups` (Shamir), and other kinds of keys than age's are refused by name.

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
