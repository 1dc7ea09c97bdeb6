//! Objects of the embedding program, which stay where they are and answer questions.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};

use crate::callable::CallError;
use crate::value::{Value, adopt, is_undefined};

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

    /// Returns what `object.name` gives, an undefined value if there is nothing of that name.
    ///
    /// # Errors
    /// Asking for it fails; the template takes the attribute for undefined.
    fn attribute(&self, name: &str) -> Result<Value, CallError>;

    /// Returns what `object[key]` gives, an undefined value if there is nothing; a key may be a text.
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

/// The attribute of an object that is no entity, `None` if it has none.
pub(crate) fn attribute(owner: &Value, name: &str) -> Option<Value> {
    found(match of(owner) {
        Some(object) => object.attribute(name).ok(),
        None => owner.get_attr(name).ok(),
    })
}

/// The item of an object that is no entity, `None` if it has none.
pub(crate) fn item(owner: &Value, key: &Value) -> Option<Value> {
    found(match of(owner) {
        Some(object) => object.item(key).ok(),
        None => owner.get_item(key).ok(),
    })
}

/// What is undefined is left out: the template's own undefined value knows the mode and the name.
fn found(answer: Option<Value>) -> Option<Value> {
    answer.filter(|value| !is_undefined(value)).map(adopt)
}

/// Whether two values are one object of the embedding program.
pub(crate) fn are_identical(left: &Value, right: &Value) -> bool {
    match (of(left), of(right)) {
        (Some(left), Some(right)) => std::ptr::addr_eq(Arc::as_ptr(left), Arc::as_ptr(right)),
        _ => false,
    }
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
