//! Objects that stay in Python, as templates see them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jinja::foreign::{ForeignKind, ForeignObject};
use jinja::{CallError, Callable, Value};
use makejinja_plugins::{Callee, Handle, HandleKind, PluginError, PluginHost, PluginValue};

use super::plugins::{SourceReader, plugin_failure};
use super::values::{of_template, to_template};
use crate::diagnostic::Diagnostic;
use crate::render::CallFailure;

/// The process of the plugins, which answers one question after the other.
pub(super) struct PluginServer {
    host: Mutex<PluginHost>,
    /// The folder of the project, by which its own files are told.
    root: PathBuf,
    read: SourceReader,
}

impl PluginServer {
    pub(super) fn new(host: PluginHost, root: &Path, read: SourceReader) -> Arc<Self> {
        Arc::new(Self {
            host: Mutex::new(host),
            root: root.to_owned(),
            read,
        })
    }

    /// Returns the folder in which Python runs.
    pub(super) fn folder(&self) -> &Path {
        &self.root
    }

    pub(super) fn failure(&self, error: &PluginError) -> Diagnostic {
        plugin_failure(error, &self.root, self.read.as_ref())
    }

    pub(super) fn host(&self) -> MutexGuard<'_, PluginHost> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a value of an object that stays in Python.
    pub(super) fn object(self: &Arc<Self>, handle: Handle) -> Value {
        jinja::foreign::value(Arc::new(PluginObject {
            server: Arc::clone(self),
            handle,
        }))
    }

    /// Returns the object behind a value, if it is one that stays in Python.
    pub(super) fn handle_of(value: &Value) -> Option<Handle> {
        let object = jinja::foreign::object::<PluginObject>(value)?;
        Some(object.handle.clone())
    }

    fn answer(
        self: &Arc<Self>,
        answer: Result<PluginValue, PluginError>,
    ) -> Result<Value, CallError> {
        match answer {
            Ok(value) => Ok(to_template(&value, Some(self))),
            Err(error) => {
                let failure = self.failure(&error);
                Err(CallError {
                    message: failure.message.clone(),
                    cause: Some(Box::new(CallFailure(failure))),
                })
            }
        }
    }
}

fn arguments(args: &[Value], kwargs: &[(String, Value)]) -> (Vec<PluginValue>, Named) {
    let named = kwargs.iter();
    let named = named.map(|(name, value)| (name.clone(), of_template(value)));
    (args.iter().map(of_template).collect(), named.collect())
}

type Named = Vec<(String, PluginValue)>;

/// A function, filter or test of a plugin.
pub(super) struct PluginFunction {
    pub(super) server: Arc<PluginServer>,
    pub(super) callee: Callee,
}

impl Callable for PluginFunction {
    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError> {
        let (args, kwargs) = arguments(args, kwargs);
        let answer = self.server.host().call(&self.callee, &args, &kwargs);
        self.server.answer(answer)
    }
}

/// An object that stays in Python.
struct PluginObject {
    server: Arc<PluginServer>,
    handle: Handle,
}

/// Shows no text of it, which may be a secret.
impl fmt::Debug for PluginObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PluginObject({})", self.handle.type_name)
    }
}

impl ForeignObject for PluginObject {
    fn kind(&self) -> ForeignKind {
        match self.handle.kind {
            HandleKind::Mapping | HandleKind::Sequence | HandleKind::Iterable => {
                ForeignKind::Iterable
            }
            HandleKind::Plain => ForeignKind::Plain,
        }
    }

    fn text(&self) -> &str {
        &self.handle.text
    }

    fn is_true(&self) -> bool {
        self.handle.is_true
    }

    fn attribute(&self, name: &str) -> Result<Value, CallError> {
        let answer = self.server.host().attribute(&self.handle, name);
        self.server.answer(answer)
    }

    fn item(&self, key: &Value) -> Result<Value, CallError> {
        let answer = self.server.host().item(&self.handle, &of_template(key));
        self.server.answer(answer)
    }

    fn items(&self) -> Result<Vec<Value>, CallError> {
        let answer = self.server.host().iterate(&self.handle);
        let answer = self.server.answer(answer.map(PluginValue::List))?;
        match jinja::value::parts(&answer) {
            jinja::value::Parts::List(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError> {
        let (args, kwargs) = arguments(args, kwargs);
        let answer = self.server.host().call_handle(&self.handle, &args, &kwargs);
        self.server.answer(answer)
    }
}
