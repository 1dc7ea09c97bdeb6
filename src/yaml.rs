//! YAML with its places, by the crate `spanned-yaml`, and what Kiln's own stages need of it.

mod diagnose;
mod packed;
mod toml;

pub use diagnose::{diagnose, diagnose_decoding};
pub use packed::{unpack, unpack_entries, unpack_json, unpack_without};
pub use spanned_yaml::*;
pub use toml::read_toml;
