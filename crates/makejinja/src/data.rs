//! The data for templates: what Python makes of YAML, TOML and JSON.

mod dict;
mod json;
mod load;
mod number;
mod time;
pub(crate) mod toml;
mod yaml;

use std::fmt;

pub use load::{DataEntry, DataReader, LoadedData, load_data, load_file_data};
pub use time::{Date, DateTime, TimeOfDay};

/// A value as Python has it.
///
/// It may be a secret: `{:?}` shows its type only.
#[derive(Clone, PartialEq)]
pub enum Data {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of any size, in decimal digits, with `-` before a negative one.
    Integer(String),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Text(String),
    /// `bytes`: `!!binary` of YAML.
    Bytes(Vec<u8>),
    /// A `datetime.date`.
    Date(Date),
    /// A `datetime.time`: a local time of TOML.
    Time(TimeOfDay),
    /// A `datetime.datetime`, with or without offset.
    DateTime(DateTime),
    /// A `list`.
    List(Vec<Self>),
    /// A `tuple`: a pair of `!!omap` or `!!pairs` of YAML.
    Tuple(Vec<Self>),
    /// A `set`: `!!set` of YAML, in the order written.
    Set(Vec<Self>),
    /// A `dict`, in its order; no two keys are equal for Python.
    Map(Vec<(Self, Self)>),
}

impl Data {
    /// Returns the text of a `str`.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a text key of a `dict`.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let entry = entries
            .iter()
            .find(|(known, _)| known.as_text() == Some(key));
        entry.map(|(_, value)| value)
    }

    /// Returns what Python's `type` calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "datetime",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Map(_) => "dict",
        }
    }

    /// Returns what Python's `str` gives for a text, number, boolean or time.
    pub(crate) fn printed(&self) -> Option<String> {
        Some(match self {
            Self::Text(text) | Self::Integer(text) => text.clone(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Float(number) => number::printed_float(*number),
            Self::Date(date) => date.to_string(),
            Self::Time(time) => time.to_string(),
            Self::DateTime(time) => time.to_string(),
            _ => return None,
        })
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_name())
    }
}
