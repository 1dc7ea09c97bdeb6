//! What went wrong in a plugin, or on the way to it.

use std::path::PathBuf;

/// Why a plugin gave no answer.
///
/// Messages of exceptions are those of the project's own code: they can hold what that code read, secrets included. Who
/// shows one hides the secrets that he knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PluginError {
    /// What kind of failure it is.
    pub kind: PluginErrorKind,
    /// What is wrong; of an exception the type and the message.
    pub message: String,
    /// Where Python was, from the outside to the inside; the project's own files stand after those of libraries.
    pub frames: Vec<PluginFrame>,
    /// What to do, if that is known.
    pub hint: Option<String>,
    /// What the process printed since it was asked last.
    pub printed: String,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginErrorKind {
    /// The command that runs Python cannot be started.
    MissingInterpreter,
    /// A module is not installed, or lacks what is imported from it.
    MissingModule,
    /// The plugin raised an exception.
    Exception,
    /// The plugin did not answer in time; the process was ended.
    Timeout,
    /// What was sent makes no sense, or a value cannot be sent.
    Protocol,
    /// The process ended before it answered.
    Died,
}

/// A place in Python code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFrame {
    /// The absolute path of the file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The function, `<module>` outside of any.
    pub function: String,
}

impl PluginError {
    pub(crate) fn new(kind: PluginErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            frames: Vec::new(),
            hint: None,
            printed: String::new(),
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
