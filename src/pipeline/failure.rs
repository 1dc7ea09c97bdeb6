//! How a compile ends when it does not end well.

use crate::diagnostic::{Diagnostic, StageResult};
use crate::source::ReadError;

/// Why a project did not compile.
#[derive(Debug)]
pub enum CompileFailure {
    /// The user's input is wrong; everything that one stage found, warnings of earlier stages first.
    Problems(Vec<Diagnostic>),
    /// A file could not be read; typically a matter of permissions.
    Read(ReadError),
}

impl From<ReadError> for CompileFailure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// What the stages warned of so far.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    pub(super) list: Vec<Diagnostic>,
}

impl Warnings {
    /// Takes a stage's warnings and returns its value; on errors gives all that was found until now.
    pub(super) fn keep<T>(&mut self, result: StageResult<T>) -> Result<T, CompileFailure> {
        match result {
            Ok(warned) => {
                self.list.extend(warned.warnings);
                Ok(warned.value)
            }
            Err(problems) => {
                let mut all = std::mem::take(&mut self.list);
                all.extend(problems);
                Err(CompileFailure::Problems(all))
            }
        }
    }
}
