//! Entries in the order of insertion, found by Python's equality of keys.

use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use indexmap::{Equivalent, IndexMap};
use num_bigint::BigInt;
use num_traits::FromPrimitive as _;

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::value::order::DEPTH;
use crate::value::{Entity, Moment, Value, View, effort, type_name, view};

/// What Python's hash and equality make of a value: `1`, `1.0` and `True` are one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    None,
    Integer(i64),
    BigInteger(BigInt),
    /// The bits of a number that is no integer.
    Float(u64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Tuple(Vec<Self>),
    Moment(Moment),
    Undefined,
    /// The address of an object that is only equal to itself.
    Object(usize),
}

impl Key {
    pub(crate) fn of(value: &Value) -> Outcome<Self> {
        Self::within(value, DEPTH)
    }

    fn within(value: &Value, depth: u32) -> Outcome<Self> {
        effort::spend(1)?;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Failure::over(ExceededLimit::Depth));
        };
        Ok(match view(value) {
            View::None => Self::None,
            View::Bool(truth) => Self::Integer(i64::from(truth)),
            View::Int(number) => Self::Integer(number),
            View::Float(number) => Self::of_float(number),
            View::Text(text) => Self::Text(text.into()),
            View::Bytes(bytes) => Self::Bytes(bytes.into()),
            View::Entity(entity) => match entity {
                Entity::BigInteger(number) => Self::BigInteger(number.clone()),
                Entity::Tuple { items, .. } => {
                    let items = items.iter().map(|item| Self::within(item, depth));
                    Self::Tuple(items.collect::<Outcome<_>>()?)
                }
                Entity::Moment(moment) => Self::Moment(moment.clone()),
                Entity::Undefined(undefined) => undefined.check_use().map(|()| Self::Undefined)?,
                Entity::List(_) | Entity::Dict(_) | Entity::DictView { .. } => {
                    return Err(unhashable(value));
                }
                _ => Self::Object(std::ptr::from_ref(entity).addr()),
            },
            View::Foreign => return Err(unhashable(value)),
        })
    }

    fn of_float(number: f64) -> Self {
        if number.fract() != 0.0 || !number.is_finite() {
            return Self::Float(number.to_bits());
        }
        match BigInt::from_f64(number) {
            Some(integer) => {
                i64::try_from(&integer).map_or(Self::BigInteger(integer), Self::Integer)
            }
            None => Self::Float(number.to_bits()),
        }
    }
}

fn unhashable(value: &Value) -> Box<Failure> {
    Failure::of_type(format!(
        "a value of type `{}` cannot be a key",
        type_name(value)
    ))
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::None | Self::Undefined => state.write_u8(0),
            Self::Integer(number) => number.hash(state),
            Self::BigInteger(number) => number.hash(state),
            Self::Float(bits) => bits.hash(state),
            Self::Text(text) => TextKey(text).hash(state),
            Self::Bytes(bytes) => bytes.hash(state),
            Self::Tuple(items) => items.hash(state),
            Self::Moment(moment) => moment.hash(state),
            Self::Object(address) => address.hash(state),
        }
    }
}

/// A text that is looked up without a copy of it.
#[derive(Hash)]
struct TextKey<'text>(&'text str);

impl Equivalent<Key> for TextKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(key, Key::Text(text) if **text == *self.0)
    }
}

/// The entries of a dict.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary(IndexMap<Key, (Value, Value)>);

impl Dictionary {
    /// The dict of these entries.
    pub(crate) fn into_value(self) -> Value {
        Value::from_object(Entity::Dict(Mutex::new(self)))
    }

    /// Sets the value of a key; a key that is there keeps its place and its form.
    pub(crate) fn insert(&mut self, hashed: Key, key: Value, value: Value) {
        match self.0.get_mut(&hashed) {
            Some(entry) => entry.1 = value,
            None => {
                self.0.insert(hashed, (key, value));
            }
        }
    }

    pub(crate) fn insert_text(&mut self, key: &str, value: Value) {
        self.insert(Key::Text(key.into()), Value::from(key), value);
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.0.get(key).map(|entry| &entry.1)
    }

    pub(crate) fn get_text(&self, key: &str) -> Option<&Value> {
        self.0.get(&TextKey(key)).map(|entry| &entry.1)
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Value> {
        self.0.shift_remove(key).map(|entry| entry.1)
    }

    pub(crate) fn remove_last(&mut self) -> Option<(Value, Value)> {
        self.0.pop().map(|entry| entry.1)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn pairs(&self) -> Vec<(Value, Value)> {
        effort::note(self.len());
        self.0.values().cloned().collect()
    }

    pub(crate) fn keys(&self) -> Vec<Value> {
        effort::note(self.len());
        self.0.values().map(|entry| entry.0.clone()).collect()
    }

    pub(crate) fn values(&self) -> Vec<Value> {
        effort::note(self.len());
        self.0.values().map(|entry| entry.1.clone()).collect()
    }

    pub(crate) fn hashed(&self) -> Vec<(Key, Value)> {
        effort::note(self.len());
        self.0
            .iter()
            .map(|(key, entry)| (key.clone(), entry.1.clone()))
            .collect()
    }

    /// All keys and values in a list, and none of them left.
    pub(crate) fn drain(&mut self) -> Vec<Value> {
        self.0
            .drain(..)
            .flat_map(|(_, (key, value))| [key, value])
            .collect()
    }
}

/// The error of a key that is not there; the key may be a secret.
pub(crate) fn missing_key() -> Box<Failure> {
    Failure::raised("KeyError", "the key that is asked for does not exist")
}
