//! Filters that choose values, or change each, by attributes, filters and tests.

use std::cmp::Ordering;

use crate::arguments::{CallArguments, flag, given, required, text_argument};
use crate::error::{Failure, Outcome};
use crate::interpreter::{Interpreter, callable_name};
use crate::parser::KnownNames as _;
use crate::sequence::sort_by_keys;
use crate::value::{
    Entity, Value, are_equal, generator, integer, is_true, items, list, parse_integer, text_like,
    text_of, undefined_of,
};

/// A path such as `metadata.name` or `0.name`, by which filters reach into values.
pub(super) struct AttributePath(Vec<Value>);

impl AttributePath {
    pub(super) fn new(attribute: &Value) -> Self {
        match text_of(attribute) {
            Some(path) => Self(path.split('.').map(part).collect()),
            None => Self(vec![attribute.clone()]),
        }
    }

    /// The path of an argument that may be left out.
    pub(super) fn optional(attribute: Option<Value>) -> Option<Self> {
        given(attribute).map(|attribute| Self::new(&attribute))
    }

    /// What a value has there; what is undefined on the way is the default, if there is one.
    pub(super) fn of(
        &self,
        interpreter: &mut Interpreter<'_>,
        value: Value,
        default: Option<&Value>,
    ) -> Outcome<Value> {
        let mut value = value;
        for part in &self.0 {
            value = interpreter.item(&value, part)?;
            if let Some(default) = default
                && undefined_of(&value).is_some()
            {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

fn part(part: &str) -> Value {
    let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match is_number.then(|| parse_integer(part, 10)).flatten() {
        Some(number) => integer(number),
        None => Value::from(part),
    }
}

/// A text in small letters, other values as they are.
pub(super) fn ignore_case(value: Value, case_sensitive: bool) -> Value {
    match text_of(&value) {
        Some(content) if !case_sensitive => text_like(value.is_safe(), content.to_lowercase()),
        _ => value,
    }
}

pub(super) fn default(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [default, boolean] = arguments.bind("default", ["default_value", "boolean"])?;
    let is_replaced = undefined_of(value).is_some() || (flag(boolean, false)? && !is_true(value)?);
    Ok(if is_replaced {
        default.unwrap_or_else(|| Value::from(""))
    } else {
        value.clone()
    })
}

pub(super) fn attr(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [name] = arguments.bind("attr", ["name"])?;
    let name = required(name, "attr", "name")?;
    let name_text = text_argument(&name, "the name of an attribute")?;
    if let Some(undefined) = undefined_of(value) {
        return undefined.check_access().map(|()| value.clone());
    }
    let found = interpreter.own_attribute(value, &std::sync::Arc::from(name_text));
    Ok(found.unwrap_or_else(|| interpreter.missing_in(value, &name).into_value()))
}

/// The items of a value that is not empty, as these filters ask for it.
fn items_if_true(value: &Value) -> Outcome<Vec<Value>> {
    if is_true(value)? {
        items(value)
    } else {
        Ok(Vec::new())
    }
}

fn argument_error(message: impl Into<String>) -> Box<Failure> {
    Failure::raised("FilterArgumentError", message)
}

pub(super) fn map(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    mut arguments: CallArguments,
) -> Outcome<Value> {
    let content = items_if_true(value)?;
    let mut mapped = Vec::with_capacity(content.len());
    if arguments.positional.is_empty()
        && let Some(attribute) = arguments.take_named("attribute")
    {
        let default = given(arguments.take_named("default"));
        if let Some((name, _)) = arguments.named.first() {
            return Err(argument_error(format!("`map` has no argument `{name}`")));
        }
        let path = AttributePath::new(&attribute);
        for item in content {
            mapped.push(path.of(interpreter, item, default.as_ref())?);
        }
        return Ok(generator("sync_do_map", mapped));
    }
    if content.is_empty() {
        return Ok(generator("sync_do_map", mapped));
    }
    if arguments.positional.is_empty() {
        return Err(argument_error("`map` needs a filter or an attribute"));
    }
    let name = callable_name(&arguments.positional.remove(0), |name| {
        interpreter.environment.has_filter(name)
    })?;
    for item in content {
        let arguments = CallArguments {
            positional: arguments.positional.clone(),
            named: arguments.named.clone(),
        };
        mapped.push(interpreter.apply_filter(&name, item, arguments)?);
    }
    Ok(generator("sync_do_map", mapped))
}

pub(super) fn select(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    choose(interpreter, value, arguments, false, true)
}

pub(super) fn reject(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    choose(interpreter, value, arguments, false, false)
}

pub(super) fn selectattr(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    choose(interpreter, value, arguments, true, true)
}

pub(super) fn rejectattr(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    choose(interpreter, value, arguments, true, false)
}

fn choose(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    mut arguments: CallArguments,
    by_attribute: bool,
    keeps: bool,
) -> Outcome<Value> {
    let content = items_if_true(value)?;
    let mut chosen = Vec::new();
    if content.is_empty() {
        return Ok(generator("select_or_reject", chosen));
    }
    let path = if by_attribute {
        if arguments.positional.is_empty() {
            return Err(argument_error("the name of an attribute is missing"));
        }
        Some(AttributePath::new(&arguments.positional.remove(0)))
    } else {
        None
    };
    let test = if arguments.positional.is_empty() {
        None
    } else {
        Some(callable_name(&arguments.positional.remove(0), |name| {
            interpreter.environment.has_test(name)
        })?)
    };
    for item in content {
        let subject = match &path {
            Some(path) => path.of(interpreter, item.clone(), None)?,
            None => item.clone(),
        };
        let holds = match &test {
            Some(test) => {
                let arguments = CallArguments {
                    positional: arguments.positional.clone(),
                    named: arguments.named.clone(),
                };
                let holds = interpreter.apply_test(test, subject, arguments)?;
                is_true(&holds)?
            }
            None => is_true(&subject)?,
        };
        if holds == keeps {
            chosen.push(item);
        }
    }
    Ok(generator("select_or_reject", chosen))
}

pub(super) fn groupby(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [attribute, default, case_sensitive] =
        arguments.bind("groupby", ["attribute", "default", "case_sensitive"])?;
    let path = AttributePath::new(&required(attribute, "groupby", "attribute")?);
    let (default, case_sensitive) = (given(default), flag(case_sensitive, false)?);
    let mut keyed = Vec::new();
    for item in items(value)? {
        let key = path.of(interpreter, item.clone(), default.as_ref())?;
        keyed.push((ignore_case(key, case_sensitive), item));
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in sort_by_keys(keyed, false, &mut interpreter.budget)? {
        match groups.last_mut() {
            Some((last, group)) if are_equal(last, &key)? => group.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let mut tuples = Vec::new();
    for (key, group) in groups {
        let key = match group.first() {
            // The key as it is written, of the first of the group.
            Some(first) if !case_sensitive => {
                path.of(interpreter, first.clone(), default.as_ref())?
            }
            _ => key,
        };
        let items = vec![key, list(group)];
        tuples.push(Value::from_object(Entity::Tuple {
            items,
            fields: &["grouper", "list"],
        }));
    }
    Ok(list(tuples))
}

/// The first of the smallest values, or of the largest.
pub(super) fn extreme(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
    callee: &str,
) -> Outcome<Value> {
    let [case_sensitive, attribute] = arguments.bind(callee, ["case_sensitive", "attribute"])?;
    let case_sensitive = flag(case_sensitive, false)?;
    let path = AttributePath::optional(attribute);
    let mut best: Option<(Value, Value)> = None;
    for item in items(value)? {
        interpreter.budget.take(1)?;
        let key = match &path {
            Some(path) => path.of(interpreter, item.clone(), None)?,
            None => item.clone(),
        };
        let key = ignore_case(key, case_sensitive);
        let is_better = match &best {
            None => true,
            Some((best, _)) if callee == "min" => {
                crate::value::compare(&key, best, "<")?.is_some_and(Ordering::is_lt)
            }
            Some((best, _)) => crate::value::compare(&key, best, ">")?.is_some_and(Ordering::is_gt),
        };
        if is_better {
            best = Some((key, item));
        }
    }
    Ok(match best {
        Some((_, item)) => item,
        None => interpreter.undefined("No aggregated item, sequence was empty.", None),
    })
}
