//! The command that runs after a change.

use std::io;
use std::path::Path;
use std::process::{self, Child, Stdio};
use std::time::Duration;

use super::{Watch, WatchError};

/// How long a list may be that is handed over in one variable: Linux takes 128 KiB.
const LONGEST: usize = 100_000;
/// How often to look whether the command has ended.
const BETWEEN: Duration = Duration::from_millis(10);

/// What was written, as paths in the project.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'c> {
    /// New outputs.
    pub created: &'c [String],
    /// Outputs with new content.
    pub changed: &'c [String],
    /// Outputs that are gone.
    pub removed: &'c [String],
}

impl Changes<'_> {
    /// Returns whether nothing was written.
    pub fn is_empty(&self) -> bool {
        [self.created, self.changed, self.removed]
            .iter()
            .all(|paths| paths.is_empty())
    }
}

/// A command line of the user's.
#[derive(Clone, Debug)]
pub struct UserCommand {
    /// What is given to the shell.
    pub line: String,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself; the exit code, if it was not a signal.
    Code(Option<i32>),
    /// It was stopped as the user wanted to stop.
    Stopped,
}

impl UserCommand {
    /// Runs the command by the shell in the project's folder, and waits for its end.
    ///
    /// Its output goes to stderr, as stdout is the caller's. It gets `KILN_ROOT`, `KILN_CREATED`,
    /// `KILN_UPDATED`, `KILN_REMOVED` and, with all of these, `KILN_CHANGED`: one path a line. A list
    /// that is too long for a variable is empty; `KILN_COUNT` is right all the same.
    ///
    /// # Errors
    /// When there is no shell.
    pub fn run(&self, watch: &Watch, changes: Changes<'_>) -> Result<Ended, WatchError> {
        let failed = |cause| WatchError::Command {
            command: self.line.clone(),
            cause,
        };
        let mut child = self
            .shell(watch.disk().root(), changes)
            .spawn()
            .map_err(failed)?;
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(Ended::Code(status.code()));
            }
            if watch.is_stopped() {
                end(&mut child).map_err(failed)?;
                return Ok(Ended::Stopped);
            }
            std::thread::sleep(BETWEEN);
        }
    }

    fn shell(&self, root: &Path, changes: Changes<'_>) -> process::Command {
        let Changes {
            created,
            changed,
            removed,
        } = changes;
        let all = [created, changed, removed].concat();
        let list = |paths: &[String]| {
            let text = paths.join("\n");
            if text.len() > LONGEST {
                String::new()
            } else {
                text
            }
        };
        let mut command = shell(&self.line, root);
        command
            .env("KILN_ROOT", root)
            .env("KILN_CREATED", list(created))
            .env("KILN_UPDATED", list(changed))
            .env("KILN_REMOVED", list(removed))
            .env("KILN_CHANGED", list(&all))
            .env("KILN_COUNT", all.len().to_string());
        command
    }
}

/// Runs a command line by the shell in a folder, waits for its end, and returns its exit code, if it was not a signal
/// that ended it; its output goes to stderr.
///
/// # Errors
/// When there is no shell.
pub fn run_line(line: &str, folder: &Path) -> Result<Option<i32>, WatchError> {
    let status = shell(line, folder).status();
    let status = status.map_err(|cause| WatchError::Command {
        command: line.to_owned(),
        cause,
    })?;
    Ok(status.code())
}

fn shell(line: &str, folder: &Path) -> process::Command {
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut command = process::Command::new(shell);
    command
        .args([flag, line])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(io::stderr());
    command
}

fn end(child: &mut Child) -> io::Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}
