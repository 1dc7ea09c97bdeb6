//! Methods of lists and dicts.

use std::sync::Mutex;

use crate::arguments::{CallArguments, flag, given, index, index_or, required};
use crate::error::{Failure, Outcome};
use crate::limits::Budget;
use crate::method::find_item;
use crate::operator::position;
use crate::sequence::{place_of, sorted};
use crate::value::{
    Dictionary, Entity, Key, Value, View, ViewKind, items, list, lock, missing_key, tuple,
    type_name, view,
};

/// Methods of what cannot be changed.
pub(super) fn call_sequence(
    receiver: &Value,
    name: &str,
    arguments: CallArguments,
) -> Outcome<Value> {
    find_item(&items(receiver)?, name, arguments)
}

fn nothing() -> Value {
    Value::from(())
}

pub(super) fn call_list(
    budget: &mut Budget,
    receiver: &Value,
    content: &Mutex<Vec<Value>>,
    name: &str,
    arguments: CallArguments,
) -> Outcome<Value> {
    match name {
        "append" => {
            let [item] = arguments.bind(name, ["object"])?;
            lock(content).push(required(item, name, "object")?);
        }
        "extend" => {
            let [others] = arguments.bind(name, ["iterable"])?;
            let others = items(&required(others, name, "iterable")?)?;
            budget.reserve((lock(content).len() + others.len()) * size_of::<Value>())?;
            lock(content).extend(others);
        }
        "insert" => {
            let [place, item] = arguments.bind(name, ["index", "object"])?;
            let place = index(&required(place, name, "index")?, "the place to insert at")?;
            let item = required(item, name, "object")?;
            let mut content = lock(content);
            let at = crate::text::bounded_index(place, content.len());
            content.insert(at, item);
        }
        "pop" => {
            let [place] = arguments.bind(name, ["index"])?;
            let place = index_or(place, -1, "the place to take from")?;
            let mut content = lock(content);
            let at = place_of(&Value::from(place), content.len());
            return at.map(|at| content.remove(at)).ok_or_else(|| {
                Failure::raised("IndexError", "there is no item to take from the list")
            });
        }
        "remove" => {
            let [item] = arguments.bind(name, ["value"])?;
            let item = required(item, name, "value")?;
            let snapshot = lock(content).clone();
            match position(&snapshot, &item)? {
                Some(at) => drop(lock(content).remove(at)),
                None => return Err(Failure::of_value("the item to remove is not in the list")),
            }
        }
        "clear" => {
            arguments.expect_none(name)?;
            lock(content).clear();
        }
        "copy" => {
            arguments.expect_none(name)?;
            return Ok(list(items(receiver)?));
        }
        "reverse" => {
            arguments.expect_none(name)?;
            lock(content).reverse();
        }
        "sort" => {
            let [key, reverse] = arguments.bind(name, ["key", "reverse"])?;
            if given(key).is_some() {
                return Err(Failure::unsupported(
                    "`sort` with a key is not supported; the filter `sort` has `attribute`",
                ));
            }
            let snapshot = lock(content).clone();
            let ordered = sorted(snapshot, flag(reverse, false)?, budget)?;
            *lock(content) = ordered;
        }
        _ => return find_item(&items(receiver)?, name, arguments),
    }
    Ok(nothing())
}

pub(super) fn call_dict(
    receiver: &Value,
    entries: &Mutex<Dictionary>,
    name: &str,
    arguments: CallArguments,
) -> Outcome<Value> {
    match name {
        "keys" | "values" | "items" => {
            arguments.expect_none(name)?;
            let kind = match name {
                "keys" => ViewKind::Keys,
                "values" => ViewKind::Values,
                _ => ViewKind::Items,
            };
            Ok(Value::from_object(Entity::DictView {
                dict: receiver.clone(),
                kind,
            }))
        }
        "get" => {
            let [key, otherwise] = arguments.bind(name, ["key", "default"])?;
            let key = Key::of(&required(key, name, "key")?)?;
            Ok(lock(entries)
                .get(&key)
                .cloned()
                .unwrap_or_else(|| otherwise.unwrap_or_else(nothing)))
        }
        "pop" => {
            let [key, otherwise] = arguments.bind(name, ["key", "default"])?;
            let key = required(key, name, "key")?;
            let hashed = Key::of(&key)?;
            let removed = lock(entries).remove(&hashed);
            removed.or(otherwise).ok_or_else(missing_key)
        }
        "setdefault" => {
            let [key, otherwise] = arguments.bind(name, ["key", "default"])?;
            let key = required(key, name, "key")?;
            let hashed = Key::of(&key)?;
            let mut entries = lock(entries);
            if let Some(value) = entries.get(&hashed) {
                return Ok(value.clone());
            }
            let value = otherwise.unwrap_or_else(nothing);
            entries.insert(hashed, key, value.clone());
            Ok(value)
        }
        "popitem" => {
            arguments.expect_none(name)?;
            let last = lock(entries).remove_last();
            last.map(|(key, value)| tuple(vec![key, value]))
                .ok_or_else(|| Failure::raised("KeyError", "the dict is empty"))
        }
        "update" => {
            let added = collect_entries(name, arguments)?;
            let mut entries = lock(entries);
            for (hashed, key, value) in added {
                entries.insert(hashed, key, value);
            }
            Ok(nothing())
        }
        "clear" => {
            arguments.expect_none(name)?;
            lock(entries).clear();
            Ok(nothing())
        }
        _ => {
            arguments.expect_none(name)?;
            Ok(lock(entries).clone().into_value())
        }
    }
}

/// The entries that `dict` and `update` take: a dict or pairs, and named ones.
pub(crate) fn collect_entries(
    callee: &str,
    mut arguments: CallArguments,
) -> Outcome<Vec<(Key, Value, Value)>> {
    let named = std::mem::take(&mut arguments.named);
    let [first] = arguments.bind(callee, ["mapping"])?;
    let mut collected = Vec::new();
    if let Some(first) = first {
        let pairs = match view(&first) {
            View::Entity(Entity::Dict(entries)) => lock(entries).pairs(),
            _ => pairs_of(&first)?,
        };
        for (key, value) in pairs {
            collected.push((Key::of(&key)?, key, value));
        }
    }
    for (name, value) in named {
        collected.push((Key::Text(name.as_str().into()), Value::from(name), value));
    }
    Ok(collected)
}

fn pairs_of(value: &Value) -> Outcome<Vec<(Value, Value)>> {
    items(value)?
        .into_iter()
        .map(|pair| match <[Value; 2]>::try_from(items(&pair)?) {
            Ok([key, value]) => Ok((key, value)),
            Err(_) => Err(Failure::of_value(format!(
                "a dict is made of pairs, not of `{}`",
                type_name(&pair)
            ))),
        })
        .collect()
}
