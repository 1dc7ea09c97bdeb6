//! The only user of the disk (stub until the branch `write` lands).
#![expect(
    clippy::disallowed_methods,
    reason = "the one module that touches the disk"
)]

pub mod single;

use crate::source::{Files, ReadError};
use std::path::{Path, PathBuf};

/// A stub.
pub struct Disk {
    root: PathBuf,
}
/// A stub.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct Error;

impl Disk {
    /// A stub.
    pub fn open(root: &Path) -> Result<Self, Error> {
        Ok(Self {
            root: root.to_owned(),
        })
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(std::fs::read(self.root.join(path)).ok())
    }

    fn list(&self, _: &str) -> Result<Vec<String>, ReadError> {
        Ok(Vec::new())
    }
}
