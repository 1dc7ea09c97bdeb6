//! What stages read of a config: its values as the schemas describe them, and what is known of each.
//!
//! The JSON Schemas are the only description of the values; the few that Rust code needs are read where they are needed.

pub mod versions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use super::places::ConfigPlaces;
pub use super::readings::OtherReading;
use super::references::PublicReference;
use crate::secret::Secrets;
use versions::VersionTable;

/// The data files of a project as one value.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The value, with nothing defaulted.
    pub value: Value,
    /// Where each part of it was written.
    pub places: ConfigPlaces,
    /// The secrets that came from the environment, from files or from encrypted data files.
    pub secrets: Secrets,
    /// Where they stand: JSON pointers (RFC 6901).
    pub secret_pointers: BTreeSet<String>,
    /// The files that hold some of them.
    pub secret_files: BTreeSet<String>,
    /// Where values have to be made up, since nothing here knows the real ones: by JSON pointer, what holds them.
    pub made_up: BTreeMap<String, String>,
    /// What comes from the environment and is said to be no secret.
    pub public: Vec<PublicReference>,
    /// What YAML 1.1 reads otherwise.
    pub readings: Vec<OtherReading>,
}

/// A config that passed validation.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// All values with their defaults, as templates see them.
    pub values: Value,
    /// Where each value was written.
    pub places: ConfigPlaces,
    /// The secrets in it.
    pub secrets: Secrets,
    /// The JSON pointers (RFC 6901) of the secrets in `values`, sorted: all that is below one of them is secret, too.
    pub secret_pointers: Vec<String>,
    /// The files that hold some of them.
    pub secret_files: BTreeSet<String>,
    /// Where values are made up, since nothing here knows the real ones: by JSON pointer, what holds them.
    pub made_up: BTreeMap<String, String>,
    /// What comes from the environment and is said to be no secret.
    pub public: Vec<PublicReference>,
    /// The values as they were given, before any default.
    pub given: Value,
    /// The versions of what it consists of.
    pub versions: VersionTable,
}
