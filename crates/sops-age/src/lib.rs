//! The file format of [SOPS](https://github.com/getsops/sops) for keys of [age](https://age-encryption.org), in memory.

pub mod cipher;
pub mod keys;
mod secret;
pub mod timestamp;
pub mod value;

pub use secret::Secret;
