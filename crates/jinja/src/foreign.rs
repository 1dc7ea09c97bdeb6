//! Objects of the embedding program, which stay where they are and answer questions.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};

use crate::callable::CallError;
use crate::value::Value;

/// What can be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKind {
    /// It has attributes, and perhaps items, and is not gone through.
    Plain,
    /// It is gone through as well, a mapping by its keys.
    Iterable,
}

/// An object of the embedding program.
///
/// Templates print it, ask for its attributes and items, go through it and call it; it equals itself alone.
pub trait ForeignObject: std::any::Any + fmt::Debug + Send + Sync {
    /// Says what can be done with it.
    fn kind(&self) -> ForeignKind;

    /// Returns what it prints as.
    fn text(&self) -> &str;

    /// Returns whether it is true as a condition.
    fn is_true(&self) -> bool;

    /// Returns an attribute, an undefined value if there is none of that name.
    ///
    /// # Errors
    /// Asking for it fails; the template takes the attribute for undefined.
    fn attribute(&self, name: &str) -> Result<Value, CallError>;

    /// Returns an item, an undefined value if there is none.
    ///
    /// # Errors
    /// As of [`attribute`](Self::attribute).
    fn item(&self, key: &Value) -> Result<Value, CallError>;

    /// Returns the items that going through it gives.
    ///
    /// # Errors
    /// Going through it fails; the template takes it for one that is not gone through.
    fn items(&self) -> Result<Vec<Value>, CallError>;

    /// Calls it.
    ///
    /// # Errors
    /// It cannot be called, or fails.
    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError>;
}

/// Makes a value of an object.
pub fn value(object: Arc<dyn ForeignObject>) -> Value {
    Value::from_object(ForeignValue(object))
}

/// Returns the object behind a value, if it is of a type.
pub fn object<T: ForeignObject>(value: &Value) -> Option<&T> {
    let object: &dyn std::any::Any = of(value)?.as_ref();
    object.downcast_ref::<T>()
}

/// Returns the object behind a value, if there is one.
pub(crate) fn of(value: &Value) -> Option<&Arc<dyn ForeignObject>> {
    value.downcast_object_ref::<ForeignValue>().map(|it| &it.0)
}

struct ForeignValue(Arc<dyn ForeignObject>);

impl fmt::Debug for ForeignValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.text())
    }
}

impl Object for ForeignValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.0.kind() {
            ForeignKind::Plain => ObjectRepr::Plain,
            ForeignKind::Iterable => ObjectRepr::Iterable,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let answer = match key.as_str() {
            Some(name) => self.0.attribute(name),
            None => self.0.item(key),
        };
        answer.ok()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.0.items() {
            Ok(items) => Enumerator::Values(items),
            Err(_) => Enumerator::NonEnumerable,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.is_true()
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.text())
    }
}
