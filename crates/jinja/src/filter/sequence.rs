//! Filters for lists, dicts and what else has items.

use crate::arguments::{CallArguments, flag, given, index, required};
use crate::error::{Failure, Outcome};
use crate::filter::selection::{AttributePath, extreme, ignore_case};
use crate::interpreter::Interpreter;
use crate::sequence::sort_by_keys;
use crate::value::{
    Entity, Key, Value, View, count, generator, items, list, lock, text_like, text_of, try_html,
    try_str, tuple, type_name, undefined_of, view,
};

pub(super) fn length_of(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("length")?;
    crate::value::length(value).map(count)
}

pub(super) fn list_of(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("list")?;
    let length = crate::value::length(value).unwrap_or_default();
    interpreter
        .budget
        .reserve(length.saturating_mul(size_of::<Value>()))?;
    items(value).map(list)
}

pub(super) fn first(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("first")?;
    let found = match view(value) {
        View::Entity(Entity::Generator { items, .. }) => lock(items).pop_front(),
        View::Entity(Entity::Range { .. }) => crate::sequence::item(value, &Value::from(0))?,
        _ => items(value)?.into_iter().next(),
    };
    Ok(found.unwrap_or_else(|| interpreter.undefined("No first item, sequence was empty.", None)))
}

pub(super) fn last(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("last")?;
    let found = match view(value) {
        View::Entity(Entity::Generator { .. }) => {
            return Err(Failure::of_type(
                "a generator is not gone through from its end",
            ));
        }
        View::Entity(Entity::Range { .. }) => crate::sequence::item(value, &Value::from(-1))?,
        _ => items(value)?.pop(),
    };
    Ok(found.unwrap_or_else(|| interpreter.undefined("No last item, sequence was empty.", None)))
}

pub(super) fn reverse(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("reverse")?;
    if let Some(content) = text_of(value) {
        return Ok(text_like(value.is_safe(), content.chars().rev().collect()));
    }
    let is_generator = matches!(view(value), View::Entity(Entity::Generator { .. }));
    let mut content = items(value).map_err(|failure| match failure.exception {
        "TypeError" => Failure::raised("FilterArgumentError", "`reverse` takes what has items"),
        _ => failure,
    })?;
    content.reverse();
    Ok(if is_generator {
        list(content)
    } else {
        generator("reversed", content)
    })
}

pub(super) fn join(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [separator, attribute] = arguments.bind("join", ["d", "attribute"])?;
    let separator = separator.unwrap_or_else(|| Value::from(""));
    let mut content = items(value)?;
    if let Some(path) = AttributePath::optional(attribute) {
        for item in &mut content {
            *item = path.of(interpreter, std::mem::take(item), None)?;
        }
    }
    let is_markup =
        interpreter.autoescape && (separator.is_safe() || content.iter().any(Value::is_safe));
    let printed = if is_markup { try_html } else { try_str };
    let separator = printed(&separator)?;
    let mut joined = String::new();
    for (at, item) in content.iter().enumerate() {
        if at > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&printed(item)?);
        interpreter.budget.check_size(joined.len())?;
    }
    interpreter.budget.reserve(joined.len())?;
    Ok(text_like(is_markup, joined))
}

pub(super) fn items_of(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("items")?;
    let View::Entity(Entity::Dict(entries)) = view(value) else {
        if undefined_of(value).is_some() {
            return Ok(generator("do_items", Vec::new()));
        }
        return Err(Failure::of_type(format!(
            "`items` takes a mapping, not `{}`",
            type_name(value)
        )));
    };
    let pairs = lock(entries).pairs();
    Ok(generator(
        "do_items",
        pairs
            .into_iter()
            .map(|(key, value)| tuple(vec![key, value]))
            .collect(),
    ))
}

pub(super) fn dictsort(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [case_sensitive, by, reverse] =
        arguments.bind("dictsort", ["case_sensitive", "by", "reverse"])?;
    let by = by.unwrap_or_else(|| Value::from("key"));
    let by_key = match text_of(&by) {
        Some("key") => true,
        Some("value") => false,
        _ => {
            return Err(Failure::raised(
                "FilterArgumentError",
                "`dictsort` sorts by `key` or by `value`",
            ));
        }
    };
    if let Some(undefined) = undefined_of(value) {
        return Err(undefined.failure());
    }
    let View::Entity(Entity::Dict(entries)) = view(value) else {
        let message = format!("`dictsort` takes a dict, not `{}`", type_name(value));
        return Err(Failure::raised("AttributeError", message));
    };
    let pairs = lock(entries).pairs();
    let case_sensitive = flag(case_sensitive, false)?;
    let keyed = pairs
        .into_iter()
        .map(|(key, value)| {
            let sorted_by = if by_key { key.clone() } else { value.clone() };
            (
                ignore_case(sorted_by, case_sensitive),
                tuple(vec![key, value]),
            )
        })
        .collect();
    let sorted = sort_by_keys(keyed, flag(reverse, false)?, &mut interpreter.budget)?;
    Ok(list(sorted.into_iter().map(|(_, pair)| pair).collect()))
}

pub(super) fn sort(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [reverse, case_sensitive, attribute] =
        arguments.bind("sort", ["reverse", "case_sensitive", "attribute"])?;
    let (reverse, case_sensitive) = (flag(reverse, false)?, flag(case_sensitive, false)?);
    let paths: Vec<Option<AttributePath>> = match given(attribute) {
        None => vec![None],
        Some(attribute) => match text_of(&attribute) {
            Some(names) => names
                .split(',')
                .map(|name| Some(AttributePath::new(&Value::from(name))))
                .collect(),
            None => vec![Some(AttributePath::new(&attribute))],
        },
    };
    let mut keyed = Vec::new();
    for item in items(value)? {
        let mut key = Vec::with_capacity(paths.len());
        for path in &paths {
            let part = match path {
                Some(path) => path.of(interpreter, item.clone(), None)?,
                None => item.clone(),
            };
            key.push(ignore_case(part, case_sensitive));
        }
        keyed.push((list(key), item));
    }
    let sorted = sort_by_keys(keyed, reverse, &mut interpreter.budget)?;
    Ok(list(sorted.into_iter().map(|(_, item)| item).collect()))
}

pub(super) fn unique(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [case_sensitive, attribute] = arguments.bind("unique", ["case_sensitive", "attribute"])?;
    let case_sensitive = flag(case_sensitive, false)?;
    let path = AttributePath::optional(attribute);
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = Vec::new();
    for item in items(value)? {
        let key = match &path {
            Some(path) => path.of(interpreter, item.clone(), None)?,
            None => item.clone(),
        };
        if seen.insert(Key::of(&ignore_case(key, case_sensitive))?) {
            kept.push(item);
        }
    }
    Ok(generator("sync_do_unique", kept))
}

pub(super) fn min(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    extreme(interpreter, value, arguments, "min")
}

pub(super) fn max(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    extreme(interpreter, value, arguments, "max")
}

pub(super) fn batch(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [linecount, fill_with] = arguments.bind("batch", ["linecount", "fill_with"])?;
    let size = index(
        &required(linecount, "batch", "linecount")?,
        "the size of a batch",
    )?;
    let fill_with = given(fill_with);
    let mut batches: Vec<Vec<Value>> = Vec::new();
    let mut current: Vec<Value> = Vec::new();
    let is_full = |current: &Vec<Value>| i64::try_from(current.len()) == Ok(size);
    for item in items(value)? {
        if is_full(&current) {
            batches.push(std::mem::take(&mut current));
        }
        current.push(item);
    }
    if !current.is_empty() {
        let missing = usize::try_from(size)
            .unwrap_or_default()
            .saturating_sub(current.len());
        if let Some(fill) = fill_with {
            interpreter
                .budget
                .reserve(missing.saturating_mul(size_of::<Value>()))?;
            current.extend(std::iter::repeat_n(fill, missing));
        }
        batches.push(current);
    }
    Ok(generator(
        "do_batch",
        batches.into_iter().map(list).collect(),
    ))
}

pub(super) fn slice(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [slices, fill_with] = arguments.bind("slice", ["slices", "fill_with"])?;
    let slices = index(
        &required(slices, "slice", "slices")?,
        "the number of slices",
    )?;
    let fill_with = given(fill_with);
    let content = items(value)?;
    if slices == 0 {
        return Err(Failure::raised(
            "ZeroDivisionError",
            "a list is not cut into no slices",
        ));
    }
    let number = usize::try_from(slices).unwrap_or_default();
    interpreter
        .budget
        .reserve(number.saturating_mul(size_of::<Value>()))?;
    let (size, larger) = (content.len() / number.max(1), content.len() % number.max(1));
    let mut rest = content.into_iter();
    let mut parts = Vec::with_capacity(number);
    for at in 0..number {
        let mut part: Vec<Value> = rest
            .by_ref()
            .take(size + usize::from(at < larger))
            .collect();
        if at >= larger {
            part.extend(fill_with.clone());
        }
        parts.push(list(part));
    }
    Ok(generator("sync_do_slice", parts))
}
