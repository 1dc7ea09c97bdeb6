//! Values of the data, of plugins and of templates, one as the other.
//!
//! Data become values of plugins, and these values of templates: all three are Python's.

use jinja::Value;
use jinja::value::{self, Parts};
use makejinja::Data;
use makejinja_plugins::PluginValue;
use serde_json::Map;

use super::plugin_object::PluginServer;
use std::sync::Arc;

/// Returns a value of the data as plugins get it.
pub(super) fn of_data(data: &Data) -> PluginValue {
    let all = |items: &[Data]| items.iter().map(of_data).collect();
    match data {
        Data::Null => PluginValue::Null,
        Data::Bool(flag) => PluginValue::Bool(*flag),
        Data::Integer(digits) => PluginValue::Integer(digits.clone()),
        Data::Float(number) => PluginValue::Float(*number),
        Data::Text(text) => PluginValue::text(text.as_str()),
        Data::Bytes(bytes) => PluginValue::Bytes(bytes.clone().into()),
        Data::Date(day) => PluginValue::Date(day.to_string()),
        Data::Time(time) => PluginValue::Time(time.to_string()),
        Data::DateTime(time) => PluginValue::DateTime(time.to_string()),
        Data::List(items) => PluginValue::List(all(items)),
        Data::Tuple(items) => PluginValue::Tuple(all(items)),
        Data::Set(items) => PluginValue::Set(all(items)),
        Data::Map(entries) => {
            let entries = entries.iter();
            PluginValue::Map(
                entries
                    .map(|(key, value)| (of_data(key), of_data(value)))
                    .collect(),
            )
        }
    }
}

/// Returns a value of a plugin as templates see it; objects that stay in Python are asked by `server`.
pub(super) fn to_template(value: &PluginValue, server: Option<&Arc<PluginServer>>) -> Value {
    let all = |items: &[PluginValue]| items.iter().map(|it| to_template(it, server)).collect();
    match value {
        PluginValue::Null => Value::from(()),
        PluginValue::Bool(flag) => Value::from(*flag),
        PluginValue::Integer(digits) => {
            value::integer_from_decimal(digits).unwrap_or_else(|| Value::from(digits.as_str()))
        }
        PluginValue::Float(number) => Value::from(*number),
        PluginValue::Text(text) => Value::from(text.as_str()),
        PluginValue::Bytes(bytes) => Value::from_bytes(bytes.to_vec()),
        PluginValue::Date(text) | PluginValue::DateTime(text) | PluginValue::Time(text) => {
            value::moment(text).unwrap_or_else(|| Value::from(text.as_str()))
        }
        PluginValue::Path(path) => Value::from(path.to_string_lossy().into_owned()),
        PluginValue::Tuple(items) => value::tuple(all(items)),
        // A template can go through a set and ask what is in it, as through a list.
        PluginValue::List(items) | PluginValue::Set(items) | PluginValue::FrozenSet(items) => {
            value::list(all(items))
        }
        PluginValue::Map(entries) => {
            let entries = entries.iter();
            value::dict(
                entries
                    .map(|(key, value)| (to_template(key, server), to_template(value, server)))
                    .collect(),
            )
        }
        PluginValue::Handle(handle) => match server {
            Some(server) => server.object(handle.clone()),
            None => Value::from(handle.text.as_str()),
        },
        _ => value::undefined(),
    }
}

/// Returns a value of a template as plugins get it.
pub(super) fn of_template(value: &Value) -> PluginValue {
    let all = |items: &[Value]| items.iter().map(of_template).collect();
    if let Some(handle) = PluginServer::handle_of(value) {
        return PluginValue::Handle(handle);
    }
    match value::parts(value) {
        Parts::Bool(flag) => PluginValue::Bool(flag),
        Parts::Integer(digits) => PluginValue::Integer(digits),
        Parts::Float(number) => PluginValue::Float(number),
        Parts::Bytes(bytes) => PluginValue::Bytes(bytes.into()),
        Parts::Moment(text) if text.contains(' ') => PluginValue::DateTime(text),
        Parts::Moment(text) if text.contains(':') => PluginValue::Time(text),
        Parts::Moment(text) => PluginValue::Date(text),
        Parts::List(items) => PluginValue::List(all(&items)),
        Parts::Tuple(items) => PluginValue::Tuple(all(&items)),
        Parts::Dict(entries) => {
            let entries = entries.iter();
            PluginValue::Map(
                entries
                    .map(|(key, value)| (of_template(key), of_template(value)))
                    .collect(),
            )
        }
        Parts::Undefined(name) => PluginValue::Undefined(name),
        Parts::Text(text) | Parts::Object(text) => PluginValue::text(text),
        // `None`.
        _ => PluginValue::Null,
    }
}

/// Returns a value of a plugin as JSON, as far as JSON goes: texts take the place of what it has not.
pub(super) fn to_json(value: &PluginValue) -> serde_json::Value {
    use serde_json::Value as Json;
    let all = |items: &[PluginValue]| Json::Array(items.iter().map(to_json).collect());
    match value {
        PluginValue::Bool(flag) => Json::Bool(*flag),
        PluginValue::Integer(digits) => digits
            .parse::<i64>()
            .map_or_else(|_| Json::String(digits.clone()), Json::from),
        PluginValue::Float(number) => Json::from(*number),
        PluginValue::Text(text) => Json::String(text.to_string()),
        PluginValue::Date(text) | PluginValue::DateTime(text) | PluginValue::Time(text) => {
            Json::String(text.clone())
        }
        PluginValue::Path(path) => Json::String(path.to_string_lossy().into_owned()),
        PluginValue::List(items)
        | PluginValue::Tuple(items)
        | PluginValue::Set(items)
        | PluginValue::FrozenSet(items) => all(items),
        PluginValue::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (key_text(key), to_json(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        PluginValue::Handle(handle) => Json::String(handle.text.to_string()),
        _ => Json::Null,
    }
}

fn key_text(key: &PluginValue) -> String {
    match to_json(key) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}
