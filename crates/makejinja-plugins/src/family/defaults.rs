//! The defaults that the plugins of the family add to the data.

use std::collections::BTreeMap;

use super::{FamilyError, NetworkLibrary, network};
use crate::value::PluginValue;

/// What the `data` hook of a plugin of the family does: it sets defaults, one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataDefaults {
    pub(crate) steps: Vec<DefaultStep>,
}

/// One statement of a `data` hook.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DefaultStep {
    /// `name = value`.
    Keep(String, DefaultValue),
    /// `data.setdefault("key", value)`.
    Set(DataPlace, DefaultValue),
}

/// The data, or a mapping on their top level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DataMapping {
    Whole,
    Part(String),
}

/// A key of the data, or of a mapping on their top level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataPlace {
    pub(crate) of: DataMapping,
    pub(crate) key: String,
    /// Whether it is an error if it is not there, as with `data["key"]`; else it is `None`.
    pub(crate) required: bool,
}

/// What a default is found by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DefaultValue {
    Literal(PluginValue),
    Kept(String),
    /// `nthhost(network, n)`.
    Host(NetworkLibrary, DataPlace, PluginValue),
    /// `all(data.get(key) for key in keys)`.
    AllTrue(Vec<DataPlace>),
    /// `len(data.get("key")) > n`.
    LongerThan(DataPlace, usize),
}

impl DataDefaults {
    /// Tells whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// Adds the defaults of a plugin to the data, as its `data` hook does: a key that is there stays, whatever it holds.
///
/// # Errors
///
/// Fails where the original raises an exception, as without the `nodes` that it counts.
pub fn defaults(which: &DataDefaults, data: &mut PluginValue) -> Result<(), FamilyError> {
    let mut kept = BTreeMap::new();
    for step in &which.steps {
        match step {
            DefaultStep::Keep(name, value) => {
                let value = evaluate(value, data, &kept)?;
                kept.insert(name.as_str(), value);
            }
            DefaultStep::Set(place, value) => {
                let value = evaluate(value, data, &kept)?;
                set_default(place, data, value)?;
            }
        }
    }
    Ok(())
}

fn evaluate(
    value: &DefaultValue,
    data: &PluginValue,
    kept: &BTreeMap<&str, PluginValue>,
) -> Result<PluginValue, FamilyError> {
    match value {
        DefaultValue::Literal(value) => Ok(value.clone()),
        DefaultValue::Kept(name) => {
            let value = kept.get(name.as_str()).cloned();
            value.ok_or_else(|| FamilyError::new(format!("`{name}` has no value")))
        }
        DefaultValue::Host(library, place, nth) => {
            let network = read(place, data)?.unwrap_or(&PluginValue::Null);
            network::nth_host(*library, network, nth)
        }
        DefaultValue::AllTrue(places) => {
            for place in places {
                if !read(place, data)?.is_some_and(PluginValue::is_true) {
                    return Ok(PluginValue::Bool(false));
                }
            }
            Ok(PluginValue::Bool(true))
        }
        DefaultValue::LongerThan(place, least) => Ok(PluginValue::Bool(
            count(place, read(place, data)?)? > *least,
        )),
    }
}

fn missing(key: &str) -> FamilyError {
    FamilyError::new(format!("the data have no `{key}`"))
}

fn read<'a>(
    place: &DataPlace,
    data: &'a PluginValue,
) -> Result<Option<&'a PluginValue>, FamilyError> {
    let mapping = match &place.of {
        DataMapping::Part(part) => data.get(part).ok_or_else(|| missing(part))?,
        DataMapping::Whole => data,
    };
    check_mapping(mapping, place)?;
    match mapping.get(&place.key) {
        None if place.required => Err(missing(&place.key)),
        found => Ok(found),
    }
}

fn check_mapping(mapping: &PluginValue, place: &DataPlace) -> Result<(), FamilyError> {
    if matches!(mapping, PluginValue::Map(_)) {
        return Ok(());
    }
    let kind = mapping.type_name();
    let message = match &place.of {
        DataMapping::Part(part) => format!("`{part}` is of type `{kind}`, and a mapping is needed"),
        DataMapping::Whole => format!("the data are of type `{kind}`, and a mapping is needed"),
    };
    Err(FamilyError::new(message))
}

fn count(place: &DataPlace, found: Option<&PluginValue>) -> Result<usize, FamilyError> {
    let key = &place.key;
    match found {
        Some(PluginValue::List(items) | PluginValue::Tuple(items)) => Ok(items.len()),
        Some(PluginValue::Map(entries)) => Ok(entries.len()),
        Some(PluginValue::Text(text)) => Ok(text.chars().count()),
        Some(other) => {
            let kind = other.type_name();
            let message = format!("`{key}` is of type `{kind}`, and a list is needed");
            Err(FamilyError::new(message))
        }
        None => Err(missing(key)),
    }
}

fn set_default(
    place: &DataPlace,
    data: &mut PluginValue,
    value: PluginValue,
) -> Result<(), FamilyError> {
    if read(place, data)?.is_some() {
        return Ok(());
    }
    let mapping = match &place.of {
        DataMapping::Part(part) => data.get_mut(part),
        DataMapping::Whole => Some(data),
    };
    if let Some(PluginValue::Map(entries)) = mapping {
        entries.push((PluginValue::from(place.key.as_str()), value));
    }
    Ok(())
}
