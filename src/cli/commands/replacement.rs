//! Replacing several files that the user wrote or sealed, as nobody else writes to the project.

use crate::cli::error::CommandError;
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::cli::turn::Turn;
use crate::fs::Disk;
use crate::write::{self, ClaimedFolder};

/// Files that were replaced, with what they held: ciphertext, or plain files of the user's that lost a secret.
pub(super) struct Replacement<'d> {
    disk: &'d Disk,
    /// By path; `None` for files that are new.
    before: Vec<(String, Option<Vec<u8>>)>,
}

impl<'d> Replacement<'d> {
    /// Replaces files, each in one step, and makes those that are not there; if one cannot be written, those before it are
    /// put back.
    pub(super) fn make(
        disk: &'d Disk,
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, CommandError> {
        let mut made = Self {
            disk,
            before: Vec::new(),
        };
        for (path, text) in files {
            let old = disk.peek(&path)?;
            if let Err(error) = disk.put(&path, text.as_bytes()) {
                made.undo()?;
                return Err(error.into());
            }
            made.before.push((path, old));
        }
        Ok(made)
    }

    /// Puts back what was there.
    pub(super) fn undo(self) -> Result<(), CommandError> {
        for (path, bytes) in self.before {
            match bytes {
                Some(bytes) => self.disk.replace(&path, &bytes)?,
                None => self.disk.folder(".")?.remove(&path)?,
            }
        }
        Ok(())
    }
}

/// Waits for another Kiln, and opens the project as nobody else writes it from then on: what is read and what is
/// written goes together.
pub(super) fn open_claimed(
    settings: &Settings,
    printer: &mut Printer,
    command: &str,
) -> Result<(ProjectSession, ClaimedFolder), CommandError> {
    let mut turn = Turn::new(settings);
    loop {
        let before = ProjectSession::open(settings, KeyUse::WithPlugins, printer)?;
        let layout = before.layout()?;
        let claimed = turn.wait(|| write::claim(&before.target(&layout, command)))?;
        // What was read before the wait may be otherwise now, the name of the folder too.
        let session = ProjectSession::open(settings, KeyUse::WithPlugins, printer)?;
        if session.layout()?.output == layout.output {
            return Ok((session, claimed));
        }
    }
}
