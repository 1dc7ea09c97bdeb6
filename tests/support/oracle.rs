//! The real tools that decide what is correct: those of `tests/oracles/table`.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

type Answer = Result<PathBuf, String>;

/// What was asked for in this process: an oracle is found, or built, and tried once.
static ASKED: Mutex<BTreeMap<String, Arc<OnceLock<Answer>>>> = Mutex::new(BTreeMap::new());

/// Finds a real tool, or builds it into the cache of the user's.
///
/// Where it cannot be had, says so and what is not checked, and returns `None`, so that the test is
/// skipped; with `CI=true` that is a failure instead.
pub(crate) fn oracle(name: &str) -> Option<PathBuf> {
    let asked = Arc::clone(ASKED.lock().unwrap().entry(name.to_owned()).or_default());
    match asked.get_or_init(|| install(name)) {
        Ok(path) => Some(path.clone()),
        Err(skipped) => {
            assert!(
                env::var_os("CI").is_none_or(|ci| ci != "true"),
                "CI has to have every oracle. {skipped}"
            );
            eprintln!("{skipped}");
            None
        }
    }
}

fn install(name: &str) -> Answer {
    // The crates of this repository ask as well.
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut scripts = above.map(|folder| folder.join("tests/oracles/install"));
    let script = scripts.find(|script| script.is_file()).ok_or_else(|| {
        format!("SKIPPED {name}: no `tests/oracles/install` here; not checked: what {name} tells")
    })?;
    let output = Command::new("bash").arg(script).arg(name).output();
    let output = output.map_err(|error| {
        format!("SKIPPED {name}: no `bash` ({error}); not checked: what {name} tells")
    })?;
    let told = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        Ok(PathBuf::from(told.trim_end()))
    } else {
        let problem = String::from_utf8_lossy(&output.stderr);
        Err(problem.trim_end().to_owned())
    }
}
