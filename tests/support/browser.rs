//! A real browser, which looks at pages.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::oracle::oracle;

/// Finds the folder with the browser and what drives it, as [`oracle`] does.
pub(crate) fn browser() -> Option<PathBuf> {
    oracle("browser")
}

/// Returns a command that runs a script of this folder with the browser; the page comes next.
pub(crate) fn looking(folder: &Path, name: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(format!(
            "{}/tests/support/{name}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .arg(folder);
    command
}
