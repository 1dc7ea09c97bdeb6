//! The objects behind values.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use num_bigint::BigInt;

use crate::callable::Callable;
use crate::function::Function;
use crate::interpreter::{BlockReference, LoopState, Macro, SelfReference};
use crate::value::{
    Dictionary, Key, Moment, Undefined, Value, integer, is_true, try_repr, try_str, tuple,
};

/// A value that MiniJinja does not have.
pub(crate) enum Entity {
    Undefined(Undefined),
    /// An integer beyond 64 bits.
    BigInteger(BigInt),
    List(Mutex<Vec<Value>>),
    /// A tuple, and the names of its items if it has some.
    Tuple {
        items: Vec<Value>,
        fields: &'static [&'static str],
    },
    Dict(Mutex<Dictionary>),
    DictView {
        dict: Value,
        kind: ViewKind,
    },
    Range {
        start: i64,
        end: i64,
        step: i64,
    },
    Generator {
        name: &'static str,
        items: Mutex<VecDeque<Value>>,
    },
    Moment(Moment),
    /// A method of a value that is not called yet.
    Method {
        receiver: Value,
        name: Arc<str>,
    },
    Function(Function),
    Callable {
        name: String,
        callable: Arc<dyn Callable>,
    },
    Namespace(Mutex<Dictionary>),
    Cycler {
        items: Vec<Value>,
        position: Mutex<usize>,
    },
    Joiner {
        separator: Value,
        used: Mutex<bool>,
    },
    Macro(Macro),
    Module(Module),
    Loop(LoopState),
    SelfReference(SelfReference),
    Block(BlockReference),
}

/// What of a dict is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViewKind {
    Keys,
    Values,
    Items,
}

/// An imported template: its text, and what it exports.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) template: Arc<str>,
    pub(crate) text: String,
    pub(crate) exports: BTreeMap<Arc<str>, Value>,
}

/// Takes a lock; a panic elsewhere does not make what it guards unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entity {
    /// What `len` gives, if it gives something.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(lock(items).len()),
            Self::Tuple { items, .. } => Some(items.len()),
            Self::Dict(entries) => Some(lock(entries).len()),
            Self::DictView { dict, .. } => match dict.downcast_object_ref::<Self>() {
                Some(Self::Dict(entries)) => Some(lock(entries).len()),
                _ => None,
            },
            Self::Range { .. } => usize::try_from(self.range_length()).ok(),
            Self::Loop(state) => Some(state.length()),
            _ => None,
        }
    }

    fn range_length(&self) -> i128 {
        let Self::Range { start, end, step } = *self else {
            return 0;
        };
        let (start, end, step) = (i128::from(start), i128::from(end), i128::from(step));
        let distance = if step > 0 { end - start } else { start - end };
        if distance <= 0 {
            0
        } else {
            (distance - 1) / step.abs() + 1
        }
    }

    /// The item of a range at an index that is not negative.
    pub(crate) fn range_item(&self, index: i128) -> Option<i64> {
        let Self::Range { start, step, .. } = *self else {
            return None;
        };
        if !(0..self.range_length()).contains(&index) {
            return None;
        }
        i64::try_from(i128::from(start) + index * i128::from(step)).ok()
    }

    /// All items that going through it gives, if that can be done.
    pub(crate) fn items(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(items) => Some(lock(items).clone()),
            Self::Tuple { items, .. } => Some(items.clone()),
            Self::Dict(entries) => Some(lock(entries).keys()),
            Self::DictView { dict, kind } => match dict.downcast_object_ref::<Self>() {
                Some(Self::Dict(entries)) => {
                    let entries = lock(entries);
                    Some(match kind {
                        ViewKind::Keys => entries.keys(),
                        ViewKind::Values => entries.values(),
                        ViewKind::Items => entries
                            .pairs()
                            .into_iter()
                            .map(|(key, value)| tuple(vec![key, value]))
                            .collect(),
                    })
                }
                _ => None,
            },
            Self::Range { .. } => Some(
                (0..self.range_length())
                    .map_while(|index| self.range_item(index))
                    .map(Value::from)
                    .collect(),
            ),
            Self::Generator { items, .. } => Some(lock(items).drain(..).collect()),
            Self::Undefined(_) => Some(Vec::new()),
            _ => None,
        }
    }

    /// Values that are dropped with it.
    fn take_children(&mut self) -> Vec<Value> {
        fn inner<T>(mutex: &mut Mutex<T>) -> &mut T {
            mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
        match self {
            Self::List(items) => std::mem::take(inner(items)),
            Self::Tuple { items, .. } | Self::Cycler { items, .. } => std::mem::take(items),
            Self::Dict(entries) | Self::Namespace(entries) => inner(entries).drain(),
            Self::DictView { dict, .. } => vec![std::mem::take(dict)],
            Self::Method { receiver, .. } => vec![std::mem::take(receiver)],
            Self::Generator { items, .. } => std::mem::take(inner(items)).into(),
            _ => Vec::new(),
        }
    }
}

thread_local! {
    /// Values that wait to be dropped while another one is.
    static DROPPED: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Drops values one after the other: templates can nest them deeper than the stack goes.
impl Drop for Entity {
    fn drop(&mut self) {
        let mut children = self.take_children();
        if children.is_empty() {
            return;
        }
        let is_first = DROPPED.try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            if let Some(waiting) = waiting.as_mut() {
                waiting.append(&mut children);
                false
            } else {
                *waiting = Some(std::mem::take(&mut children));
                true
            }
        });
        if is_first != Ok(true) {
            return;
        }
        loop {
            let next = DROPPED.with(|waiting| waiting.borrow_mut().as_mut().and_then(Vec::pop));
            if next.is_none() {
                break;
            }
            drop(next);
        }
        DROPPED.with(|waiting| *waiting.borrow_mut() = None);
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_name())
    }
}

/// What MiniJinja, and who uses its values, sees of it.
impl Object for Entity {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match **self {
            Self::List(_) | Self::Tuple { .. } => ObjectRepr::Seq,
            Self::Dict(_) => ObjectRepr::Map,
            Self::DictView { .. } | Self::Range { .. } | Self::Generator { .. } => {
                ObjectRepr::Iterable
            }
            _ => ObjectRepr::Plain,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match &**self {
            Self::List(items) => lock(items).get(key.as_usize()?).cloned(),
            Self::Tuple { items, .. } => items.get(key.as_usize()?).cloned(),
            Self::Dict(entries) => lock(entries).get(&Key::of(key).ok()?).cloned(),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &**self {
            Self::Undefined(_) => Enumerator::NonEnumerable,
            _ => self
                .items()
                .map_or(Enumerator::NonEnumerable, Enumerator::Values),
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        is_true(&Value::from_dyn_object(Arc::clone(self))).unwrap_or_default()
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = Value::from_dyn_object(Arc::clone(self));
        let printed = if formatter.alternate() {
            try_repr(&value)
        } else {
            try_str(&value)
        };
        formatter.write_str(&printed.unwrap_or_default())
    }
}

/// A range whose bounds fit 64 bits.
pub(crate) fn range(start: i64, end: i64, step: i64) -> Value {
    Value::from_object(Entity::Range { start, end, step })
}

/// The value of a size or an index.
pub(crate) fn count(number: usize) -> Value {
    i64::try_from(number).map_or_else(|_| integer(BigInt::from(number)), Value::from)
}
