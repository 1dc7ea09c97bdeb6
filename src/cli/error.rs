//! Why a command did not come to a clean end, and the exit code for it.

use std::process::ExitCode;

use crate::diagnostic::Diagnostic;
use crate::fs;
use crate::source::ReadError;
use crate::{watch, write};

/// How a command that could do its work came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Nothing wrong, nothing differs: exit code 0.
    Clean,
    /// Findings or differences: exit code 1.
    Findings,
    /// Something that was asked stays open: exit code 2.
    Incomplete,
}

impl From<CommandOutcome> for ExitCode {
    fn from(outcome: CommandOutcome) -> Self {
        Self::from(match outcome {
            CommandOutcome::Clean => 0,
            CommandOutcome::Findings => 1,
            CommandOutcome::Incomplete => 2,
        })
    }
}

/// Why a command stopped.
#[derive(Debug)]
pub enum CommandError {
    /// The user's input is wrong: exit code 1.
    Problems(Vec<Diagnostic>),
    /// The user's input is wrong, so that what was asked about it stays open: exit code 2.
    Unanswered(Vec<Diagnostic>),
    /// The world is in the way (usage, files, keys), so that the question stays open: exit code 2.
    Failed(FailedCommand),
}

/// What stood in the way.
#[derive(Debug)]
pub struct FailedCommand {
    /// What could not be done, without a final period.
    pub message: String,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What the user can do, one sentence each.
    pub hints: Vec<String>,
}

impl CommandError {
    /// Starts an error of the world.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(FailedCommand {
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        })
    }

    /// Wraps an error of a module that names its path or name itself.
    pub fn of(error: &dyn std::error::Error) -> Self {
        let failed = Self::failed(error.to_string());
        match error.source() {
            Some(source) => failed.because(source),
            None => failed,
        }
    }

    /// Adds the causes of an error of the world.
    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        if let Self::Failed(failed) = &mut self {
            let mut cause = Some(error);
            while let Some(error) = cause {
                failed.causes.push(error.to_string());
                cause = error.source();
            }
        }
        self
    }

    /// Says what the user can do about an error of the world.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Failed(failed) = &mut self {
            failed.hints.push(hint.into());
        }
        self
    }

    /// Says that the question was another one than whether the input is right.
    #[must_use]
    pub fn unanswered(self) -> Self {
        match self {
            Self::Problems(problems) => Self::Unanswered(problems),
            other => other,
        }
    }

    /// Says which of several compiled things it is about; the question was what differs.
    #[must_use]
    pub fn in_side(self, label: &str) -> Self {
        match self {
            Self::Problems(mut problems) | Self::Unanswered(mut problems) => {
                let errors = problems.iter_mut().filter(|problem| problem.is_error());
                errors.for_each(|problem| problem.hints.push(format!("this is in {label}")));
                Self::Unanswered(problems)
            }
            Self::Failed(mut failed) => {
                failed.causes.push(format!("this is in {label}"));
                Self::Failed(failed)
            }
        }
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Problems(_) => 1,
            Self::Unanswered(_) | Self::Failed(_) => 2,
        })
    }
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        Self::of(&error)
    }
}

impl From<fs::DiskError> for CommandError {
    fn from(error: fs::DiskError) -> Self {
        Self::of(&error)
    }
}

impl From<watch::WatchError> for CommandError {
    fn from(error: watch::WatchError) -> Self {
        Self::of(&error)
    }
}

impl From<write::WriteError> for CommandError {
    fn from(error: write::WriteError) -> Self {
        let failed = Self::of(&error);
        if error.is_busy() {
            return failed.hint("wait until it is done, and run this again");
        }
        failed
    }
}
