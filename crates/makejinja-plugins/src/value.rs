//! A value that goes to a plugin or comes from one.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// A Python value.
///
/// Texts and bytes may be secrets: they are wiped when dropped, and `Debug` shows the shape of a value and no text of
/// it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum PluginValue {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An `int`: decimal digits, after `-` if it is negative.
    Integer(String),
    /// A `float`.
    Float(f64),
    /// A `str`, or an object of a subclass of it that prints as that text.
    Text(Zeroizing<String>),
    /// `bytes` or a `bytearray`.
    Bytes(Zeroizing<Vec<u8>>),
    /// A `datetime.date` as Python prints it: `2024-01-31`.
    Date(String),
    /// A `datetime.datetime` as Python prints it: `2024-01-31 10:00:00+00:00`.
    DateTime(String),
    /// A `datetime.time` as Python prints it: `10:00:00`.
    Time(String),
    /// A path for Python, as a `pathlib.Path`. Paths that come from Python are handles.
    Path(PathBuf),
    /// A variable that is not there, by its name if that is known.
    Undefined(String),
    /// A `list`.
    List(Vec<Self>),
    /// A `tuple`.
    Tuple(Vec<Self>),
    /// A `set`. Numbers stand in Python's order, anything else is sorted: Python's order of texts is not the same
    /// twice.
    Set(Vec<Self>),
    /// A `frozenset`, ordered as a set is.
    FrozenSet(Vec<Self>),
    /// A `dict`, in its order.
    Map(Vec<(Self, Self)>),
    /// Any other object, which stays in Python.
    Handle(Handle),
}

/// An object that stays in Python, and what a template needs to know of it without asking.
#[derive(Clone, PartialEq)]
pub struct Handle {
    /// Its number in the host process that lent it out; it means nothing to another one.
    pub id: u64,
    /// The name of its type, without the module.
    pub type_name: String,
    /// What `str` made of it when it was lent out.
    pub text: Zeroizing<String>,
    /// What can be done with it.
    pub kind: HandleKind,
    /// Whether it can be called.
    pub callable: bool,
    /// Whether it was true as a condition.
    pub is_true: bool,
}

/// What can be done with an object that stays in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    /// It has keys and items.
    Mapping,
    /// It has a length and items by number.
    Sequence,
    /// It can be iterated, perhaps only once, as a generator.
    Iterable,
    /// It has attributes at most.
    Plain,
}

impl PluginValue {
    /// Makes a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// Makes an integer.
    pub fn integer(number: impl Into<i128>) -> Self {
        Self::Integer(number.into().to_string())
    }

    /// Makes a mapping with texts as keys.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter();
        Self::Map(
            entries
                .map(|(key, value)| (Self::text(key), value))
                .collect(),
        )
    }

    /// Returns the text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value under a text as key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                let entry = entries.iter().find(|(name, _)| name.as_text() == Some(key));
                entry.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Returns the value under a text as key to change it, if this is a mapping that has it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match self {
            Self::Map(entries) => {
                let mut entries = entries.iter_mut();
                let entry = entries.find(|(name, _)| name.as_text() == Some(key));
                entry.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Tells whether Python takes the value for true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Null | Self::Undefined(_) => false,
            Self::Bool(is) => *is,
            Self::Integer(digits) => digits.bytes().any(|digit| matches!(digit, b'1'..=b'9')),
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::Date(_) | Self::DateTime(_) | Self::Time(_) | Self::Path(_) => true,
            Self::List(items) | Self::Tuple(items) | Self::Set(items) | Self::FrozenSet(items) => {
                !items.is_empty()
            }
            Self::Map(entries) => !entries.is_empty(),
            Self::Handle(handle) => handle.is_true,
        }
    }

    /// Returns the name of its type in Python.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::DateTime(_) => "datetime",
            Self::Time(_) => "time",
            Self::Path(_) => "Path",
            Self::Undefined(_) => "Undefined",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Map(_) => "dict",
            Self::Handle(handle) => &handle.type_name,
        }
    }
}

impl From<&str> for PluginValue {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for PluginValue {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<bool> for PluginValue {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

impl From<i64> for PluginValue {
    fn from(number: i64) -> Self {
        Self::integer(number)
    }
}

impl fmt::Debug for PluginValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) | Self::FrozenSet(items) => {
                formatter.write_str(self.type_name())?;
                formatter.debug_list().entries(items).finish()
            }
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key, value));
                formatter.debug_map().entries(entries).finish()
            }
            Self::Handle(handle) => handle.fmt(formatter),
            other => formatter.write_str(other.type_name()),
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} #{}", self.type_name, self.id)
    }
}
