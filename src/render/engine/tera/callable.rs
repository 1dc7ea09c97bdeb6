//! How functions and filters are declared, called, and refuse.

use tera::{Kwargs, Value};

use super::environment::TemplateEnvironment;
use super::session;
use crate::diagnostic::Meaning;
use crate::diagnostic::closest;
use crate::render::codes;

/// A function that templates can call.
///
/// Registration and documentation both come from this record, so they cannot drift apart.
pub struct Function {
    /// What templates call it.
    pub name: &'static str,
    /// The call with its arguments, as the documentation shows it.
    pub signature: &'static str,
    /// What it returns, in one sentence.
    pub summary: &'static str,
    /// Whether its value may be seen.
    pub flow: Flow,
    pub(super) arguments: &'static [&'static str],
    pub(super) call: fn(&TemplateEnvironment, &Arguments) -> Result<Value, FunctionFailure>,
}

/// What a function reads, and who may see what it gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// It reads no secret.
    #[default]
    Open,
    /// It gives a secret, which may only go into sealed files.
    Secret,
    /// It gives what may be seen of a secret: a public key, an id.
    Declassified,
}

/// A filter that templates can apply.
pub struct Filter {
    /// What templates call it.
    pub name: &'static str,
    /// The filter with its arguments, as the documentation shows it.
    pub signature: &'static str,
    /// What it makes of its value, in one sentence.
    pub summary: &'static str,
    /// Whether its value may be undefined.
    pub(super) takes_undefined: bool,
    pub(super) arguments: &'static [&'static str],
    pub(super) call: fn(&Value, &Arguments) -> Result<Value, FunctionFailure>,
}

/// Why a call failed. Never carries the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FunctionFailure {
    pub(super) meaning: &'static Meaning,
    pub(super) message: String,
    pub(super) hints: Vec<String>,
}

impl FunctionFailure {
    pub(super) fn new(meaning: &'static Meaning, message: impl Into<String>) -> Self {
        Self {
            meaning,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// Starts the failure of a call with a wrong argument.
    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::new(&codes::WRONG_ARGUMENT, message)
    }

    /// Starts the failure of a call with a value that does not exist.
    pub(super) fn undefined(message: impl Into<String>) -> Self {
        Self::new(&codes::UNDEFINED_VARIABLE, message)
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(super) fn with_suggestion<'c>(
        self,
        given: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Self {
        match closest(given, candidates) {
            Some(name) => self.with_hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Keeps the failure for the report and gives Tera an error in its place.
    pub(super) fn into_tera(self) -> tera::Error {
        let error = tera::Error::message(&self.message);
        session::fail(self);
        error
    }
}

/// The arguments of a call, by name.
pub(super) struct Arguments {
    callee: &'static str,
    given: Kwargs,
    /// The flow of the callee.
    pub(super) flow: Flow,
}

impl Arguments {
    /// Takes the arguments of a call of `callee`, which knows those in `known`.
    pub(super) fn new(
        callee: &'static str,
        known: &[&str],
        given: Kwargs,
    ) -> Result<Self, FunctionFailure> {
        for (key, _) in given.iter() {
            let name = key.as_str().unwrap_or_default();
            if !known.contains(&name) {
                let message = format!("`{callee}` has no argument `{name}`");
                return Err(
                    FunctionFailure::argument(message).with_suggestion(name, known.iter().copied())
                );
            }
        }
        Ok(Self {
            callee,
            given,
            flow: Flow::Open,
        })
    }

    /// Adds what the callee reads.
    pub(super) fn flowing(self, flow: Flow) -> Self {
        Self { flow, ..self }
    }

    /// Returns what is given for an argument, even if it is undefined.
    pub(super) fn given(&self, name: &str) -> Option<&Value> {
        let mut given = self.given.iter();
        let found = given.find(|(key, _)| key.as_str() == Some(name));
        found.map(|(_, value)| value)
    }

    fn value(&self, name: &str) -> Result<Option<&Value>, FunctionFailure> {
        match self.given(name) {
            Some(value) if value.is_undefined() => Err(FunctionFailure::undefined(format!(
                "the argument `{name}` of `{}` is not defined",
                self.callee
            ))),
            given => Ok(given),
        }
    }

    fn missing(&self, name: &str) -> FunctionFailure {
        FunctionFailure::argument(format!("`{}` needs the argument `{name}`", self.callee))
    }

    fn required(&self, name: &str) -> Result<&Value, FunctionFailure> {
        self.value(name)?.ok_or_else(|| self.missing(name))
    }

    /// Returns a value of any kind that must be given, and may be undefined.
    pub(super) fn anything(&self, name: &str) -> Result<&Value, FunctionFailure> {
        self.given(name).ok_or_else(|| self.missing(name))
    }

    fn wrong(&self, name: &str, wanted: &str, value: &Value) -> FunctionFailure {
        let message = format!(
            "the argument `{name}` of `{}` must be {wanted}, not {}",
            self.callee,
            kind(value)
        );
        FunctionFailure::argument(message)
    }

    /// Returns a text that must be given.
    pub(super) fn text(&self, name: &str) -> Result<&str, FunctionFailure> {
        let value = self.required(name)?;
        value
            .as_str()
            .ok_or_else(|| self.wrong(name, "a string", value))
    }

    /// Returns a text, or what it is when it is not given.
    pub(super) fn text_or<'a>(
        &'a self,
        name: &str,
        default: &'a str,
    ) -> Result<&'a str, FunctionFailure> {
        if self.value(name)?.is_some() {
            self.text(name)
        } else {
            Ok(default)
        }
    }

    /// Returns a whole number that must be given.
    pub(super) fn integer(&self, name: &str) -> Result<i128, FunctionFailure> {
        let value = self.required(name)?;
        value
            .as_i128()
            .ok_or_else(|| self.wrong(name, "a whole number", value))
    }

    /// Returns a whole number, or what it is when it is not given.
    pub(super) fn integer_or(&self, name: &str, default: i128) -> Result<i128, FunctionFailure> {
        if self.value(name)?.is_some() {
            self.integer(name)
        } else {
            Ok(default)
        }
    }

    /// Returns a truth value, `false` when it is not given.
    pub(super) fn flag(&self, name: &str) -> Result<bool, FunctionFailure> {
        match self.value(name)? {
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.wrong(name, "true or false", value)),
            None => Ok(false),
        }
    }
}

/// Names the type of a value as users know it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.name() {
        "bool" => "a truth value",
        "string" => "a string",
        "array" => "a list",
        "map/struct" => "a map",
        "none" => "null",
        "undefined" => "undefined",
        "bytes" => "bytes",
        _ => "a number",
    }
}
