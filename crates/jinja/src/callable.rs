//! Functions, filters and tests of the embedding program.

use std::error::Error;

use crate::value::Value;

/// A function, filter or test that the embedding program adds to an [`Engine`](crate::Engine).
///
/// A filter and a test get what they apply to as the first argument.
pub trait Callable: Send + Sync {
    /// Calls it. Lists and dicts are shared with the template: what is changed in them is changed there.
    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError>;
}

impl<F> Callable for F
where
    F: Fn(&[Value], &[(String, Value)]) -> Result<Value, CallError> + Send + Sync,
{
    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError> {
        self(args, kwargs)
    }
}

/// Why a call of a [`Callable`] failed.
#[derive(Debug)]
pub struct CallError {
    /// One sentence without a final period.
    pub message: String,
    /// The error behind it; [`TemplateError::cause`](crate::TemplateError::cause) hands it back.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl CallError {
    /// An error without another one behind it.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause: None,
        }
    }
}
