//! Methods of texts.

use crate::arguments::{CallArguments, flag, given, index, index_or, required, text_argument};
use crate::brace_format::{Fields, format_braces};
use crate::error::{Failure, Outcome};
use crate::limits::Budget;
use crate::text::{
    bounded_index, byte_of, capitalize, escape_html, is_all_case, is_cased, is_space, split_lines,
    title,
};
use crate::value::{
    Entity, Value, View, count, is_printable, items, list, lock, markup, text, text_of, try_str,
    tuple, type_name, view,
};

/// Methods whose results are safe, for safe texts; what some of them put in is escaped.
pub(super) const SAFE: [&str; 24] = [
    "capitalize",
    "casefold",
    "center",
    "expandtabs",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
    "format",
];

/// Calls a method of a text that is safe in HTML.
pub(super) fn call_safe(
    budget: &mut Budget,
    content: &str,
    name: &str,
    mut arguments: CallArguments,
) -> Outcome<Value> {
    if !SAFE.contains(&name) {
        return call(budget, content, name, arguments);
    }
    let escape = |value: &mut Value| {
        if let Some(text) = text_of(value).filter(|_| !value.is_safe()) {
            *value = markup(escape_html(text));
        }
    };
    match name {
        "replace" => arguments.positional.iter_mut().skip(1).for_each(escape),
        "center" | "ljust" | "rjust" => arguments.positional.iter_mut().for_each(escape),
        "format" => {
            arguments.positional.iter_mut().for_each(escape);
            arguments
                .named
                .iter_mut()
                .for_each(|(_, value)| escape(value));
        }
        "join" => {
            for argument in &mut arguments.positional {
                let mut parts = items(argument)?;
                for part in &mut parts {
                    if text_of(part).is_none() {
                        *part = text(try_str(part)?);
                    }
                    escape(part);
                }
                *argument = list(parts);
            }
        }
        _ => {}
    }
    let safe = |value: &Value| {
        text_of(value).map_or_else(|| value.clone(), |text| markup(text.to_owned()))
    };
    let result = call(budget, content, name, arguments)?;
    Ok(match view(&result) {
        View::Entity(Entity::List(parts)) => list(lock(parts).iter().map(safe).collect()),
        View::Entity(Entity::Tuple { items, .. }) => tuple(items.iter().map(safe).collect()),
        _ => safe(&result),
    })
}

pub(super) fn call(
    budget: &mut Budget,
    content: &str,
    name: &str,
    arguments: CallArguments,
) -> Outcome<Value> {
    budget.take(content.len() / 16)?;
    match name {
        "split" | "rsplit" => split(content, name, arguments),
        "strip" | "lstrip" | "rstrip" => strip(content, name, arguments),
        "startswith" | "endswith" => starts_or_ends(content, name, arguments),
        "find" | "rfind" | "index" | "rindex" | "count" => find(content, name, arguments),
        "replace" => replace(budget, content, arguments),
        "join" => join(budget, content, arguments),
        "center" | "ljust" | "rjust" | "zfill" => justify(budget, content, name, arguments),
        "partition" | "rpartition" => partition(content, name, arguments),
        "format" => {
            let mut fields = Fields::new(&arguments.positional, &arguments.named);
            format_braces(content, &mut fields, 3, budget).map(text)
        }
        "format_map" => {
            let [mapping] = arguments.bind(name, ["mapping"])?;
            let named = crate::arguments::named_of(&required(mapping, name, "mapping")?)?;
            format_braces(content, &mut Fields::new(&[], &named), 3, budget).map(text)
        }
        "splitlines" => {
            let [keeps] = arguments.bind(name, ["keepends"])?;
            let lines = split_lines(content, flag(keeps, false)?);
            Ok(list(lines.into_iter().map(Value::from).collect()))
        }
        "removeprefix" | "removesuffix" => {
            let [part] = arguments.bind(name, ["part"])?;
            let part = required(part, name, "part")?;
            let part = text_argument(&part, "what is removed")?;
            let rest = if name == "removeprefix" {
                content.strip_prefix(part)
            } else {
                content.strip_suffix(part)
            };
            Ok(Value::from(rest.unwrap_or(content)))
        }
        "expandtabs" => {
            let [size] = arguments.bind(name, ["tabsize"])?;
            expand_tabs(budget, content, index_or(size, 8, "the size of a tab")?)
        }
        "encode" => {
            let [encoding, _] = arguments.bind(name, ["encoding", "errors"])?;
            check_encoding(encoding.as_ref())?;
            Ok(Value::from_bytes(content.as_bytes().to_vec()))
        }
        _ => {
            arguments.expect_none(name)?;
            Ok(change_case(content, name).map_or_else(|| Value::from(asks(content, name)), text))
        }
    }
}

fn change_case(content: &str, name: &str) -> Option<String> {
    Some(match name {
        "upper" => content.to_uppercase(),
        "lower" => content.to_lowercase(),
        "casefold" => content.to_lowercase().replace('ß', "ss"),
        "capitalize" => capitalize(content),
        "title" => title(content),
        "swapcase" => content
            .chars()
            .flat_map(|letter| -> Vec<char> {
                if letter.is_uppercase() {
                    letter.to_lowercase().collect()
                } else if letter.is_lowercase() {
                    letter.to_uppercase().collect()
                } else {
                    vec![letter]
                }
            })
            .collect(),
        _ => return None,
    })
}

/// The questions whose names start with `is`.
fn asks(content: &str, name: &str) -> bool {
    let all = |accepts: fn(char) -> bool| !content.is_empty() && content.chars().all(accepts);
    match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => content.is_ascii(),
        "isdecimal" | "isdigit" => all(is_decimal),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(is_space),
        "isprintable" => content.chars().all(is_printable),
        "islower" => is_all_case(content, false),
        "isupper" => is_all_case(content, true),
        "istitle" => is_title(content),
        _ => {
            content.starts_with(|first: char| first.is_alphabetic() || first == '_')
                && content.chars().all(crate::text::is_word)
        }
    }
}

fn is_decimal(character: char) -> bool {
    crate::value::parse_integer(character.encode_utf8(&mut [0; 4]), 10).is_some()
}

fn is_title(content: &str) -> bool {
    let mut after_letter = false;
    let mut found = false;
    for character in content.chars() {
        if character.is_uppercase() && after_letter || character.is_lowercase() && !after_letter {
            return false;
        }
        after_letter = is_cased(character);
        found |= after_letter;
    }
    found
}

pub(super) fn check_encoding(encoding: Option<&Value>) -> Outcome<()> {
    let Some(encoding) = encoding else {
        return Ok(());
    };
    let name = text_argument(encoding, "the name of an encoding")?
        .to_ascii_lowercase()
        .replace('_', "-");
    match name.as_str() {
        "utf-8" | "utf8" => Ok(()),
        _ => Err(Failure::unsupported(
            "only the encoding `utf-8` is supported",
        )),
    }
}

fn split(content: &str, name: &str, arguments: CallArguments) -> Outcome<Value> {
    let [separator, most] = arguments.bind(name, ["sep", "maxsplit"])?;
    let most = index_or(most, -1, "the number of splits")?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let from_end = name == "rsplit";
    let parts: Vec<&str> = match given(separator) {
        Some(separator) => {
            let separator = text_argument(&separator, "what is split at")?;
            if separator.is_empty() {
                return Err(Failure::of_value("a text is not split at nothing"));
            }
            let limit = most.saturating_add(1);
            if from_end {
                let mut parts: Vec<&str> = content.rsplitn(limit, separator).collect();
                parts.reverse();
                parts
            } else {
                content.splitn(limit, separator).collect()
            }
        }
        None if from_end => split_words_from_end(content, most),
        None => split_words(content, most),
    };
    Ok(list(parts.into_iter().map(Value::from).collect()))
}

fn split_words(content: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = content.trim_start_matches(is_space);
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        parts.push(word);
        rest = after.trim_start_matches(is_space);
    }
    parts
}

fn split_words_from_end(content: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = content.trim_end_matches(is_space);
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let start = rest
            .char_indices()
            .rev()
            .find(|(_, character)| is_space(*character));
        let start = start.map_or(0, |(at, character)| at + character.len_utf8());
        let (before, word) = rest.split_at(start);
        parts.push(word);
        rest = before.trim_end_matches(is_space);
    }
    parts.reverse();
    parts
}

fn strip(content: &str, name: &str, arguments: CallArguments) -> Outcome<Value> {
    let [characters] = arguments.bind(name, ["chars"])?;
    let characters = given(characters);
    let dropped = characters
        .as_ref()
        .map(|value| text_argument(value, "what is stripped"))
        .transpose()?;
    let drops = |character: char| {
        dropped.map_or_else(
            || is_space(character),
            |dropped| dropped.contains(character),
        )
    };
    let mut rest = content;
    if name != "rstrip" {
        rest = rest.trim_start_matches(drops);
    }
    if name != "lstrip" {
        rest = rest.trim_end_matches(drops);
    }
    Ok(Value::from(rest))
}

/// The part of a text between two places.
fn window(
    content: &str,
    start: Option<Value>,
    stop: Option<Value>,
) -> Outcome<(usize, &str, bool)> {
    let length = content.chars().count();
    let from = index_or(given(start), 0, "a place in a text")?;
    let beyond = from > i64::try_from(length).unwrap_or(i64::MAX);
    let from = bounded_index(from, length);
    let to = bounded_index(
        index_or(given(stop), i64::MAX, "a place in a text")?,
        length,
    );
    let part = content
        .get(byte_of(content, from)..byte_of(content, to))
        .unwrap_or_default();
    Ok((from, part, beyond || to < from))
}

fn starts_or_ends(content: &str, name: &str, arguments: CallArguments) -> Outcome<Value> {
    let [part, start, stop] = arguments.bind(name, ["part", "start", "end"])?;
    let part = required(part, name, "part")?;
    let (_, inside, is_outside) = window(content, start, stop)?;
    let holds = |part: &Value| -> Outcome<bool> {
        let part = text_argument(part, "what a text starts or ends with")?;
        let found = if name == "startswith" {
            inside.starts_with(part)
        } else {
            inside.ends_with(part)
        };
        Ok(found && !is_outside)
    };
    if let View::Entity(Entity::Tuple { items, .. }) = view(&part) {
        for part in items {
            if holds(part)? {
                return Ok(Value::from(true));
            }
        }
        return Ok(Value::from(false));
    }
    holds(&part).map(Value::from)
}

fn find(content: &str, name: &str, arguments: CallArguments) -> Outcome<Value> {
    let [part, start, stop] = arguments.bind(name, ["sub", "start", "end"])?;
    let part = required(part, name, "sub")?;
    let part = text_argument(&part, "what is looked for")?;
    let (from, inside, is_outside) = window(content, start, stop)?;
    if name == "count" {
        let found = match part.is_empty() {
            _ if is_outside => 0,
            true => inside.chars().count() + 1,
            false => inside.matches(part).count(),
        };
        return Ok(count(found));
    }
    let found = if name.starts_with('r') {
        inside.rfind(part)
    } else {
        inside.find(part)
    };
    match found.filter(|_| !is_outside) {
        Some(at) => Ok(count(
            from + inside.get(..at).unwrap_or_default().chars().count(),
        )),
        None if name.ends_with("find") => Ok(Value::from(-1)),
        None => Err(Failure::of_value("what is looked for is not in the text")),
    }
}

fn replace(budget: &mut Budget, content: &str, arguments: CallArguments) -> Outcome<Value> {
    let [old, new, most] = arguments.bind("replace", ["old", "new", "count"])?;
    let (old, new) = (
        required(old, "replace", "old")?,
        required(new, "replace", "new")?,
    );
    let (old, new) = (
        text_argument(&old, "what is replaced")?,
        text_argument(&new, "what replaces")?,
    );
    replace_text(
        budget,
        content,
        old,
        new,
        index_or(most, -1, "the number of replacements")?,
    )
    .map(text)
}

/// The text with the first so many places replaced, all of them if the number is negative.
pub(crate) fn replace_text(
    budget: &mut Budget,
    content: &str,
    old: &str,
    new: &str,
    most: i64,
) -> Outcome<String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let found = if old.is_empty() {
        content.chars().count() + 1
    } else {
        content.matches(old).count()
    };
    budget.reserve(
        content
            .len()
            .saturating_add(found.min(most).saturating_mul(new.len())),
    )?;
    Ok(content.replacen(old, new, most))
}

fn join(budget: &mut Budget, content: &str, arguments: CallArguments) -> Outcome<Value> {
    let [parts] = arguments.bind("join", ["iterable"])?;
    let parts = items(&required(parts, "join", "iterable")?)?;
    let mut joined = String::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(part) = text_of(part) else {
            return Err(Failure::of_type(format!(
                "`join` takes texts, not `{}`",
                type_name(part)
            )));
        };
        if at > 0 {
            joined.push_str(content);
        }
        joined.push_str(part);
        budget.check_size(joined.len())?;
    }
    budget.reserve(joined.len())?;
    Ok(text(joined))
}

fn justify(
    budget: &mut Budget,
    content: &str,
    name: &str,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [width, fill] = arguments.bind(name, ["width", "fillchar"])?;
    let width = index(&required(width, name, "width")?, "a width")?;
    let fill = match &fill {
        Some(fill) => {
            let mut characters = text_argument(fill, "what is filled with")?.chars();
            match (characters.next(), characters.next()) {
                (Some(fill), None) => fill,
                _ => return Err(Failure::of_type("a text is filled with one character")),
            }
        }
        None => ' ',
    };
    let width = usize::try_from(width).unwrap_or_default();
    budget.reserve(width.saturating_add(content.len()))?;
    Ok(text(justified(content, width, fill, name)))
}

/// The text at a place of a wider one.
pub(crate) fn justified(content: &str, width: usize, fill: char, place: &str) -> String {
    let length = content.chars().count();
    let missing = width.saturating_sub(length);
    let fill = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    match place {
        "ljust" => format!("{content}{}", fill(missing)),
        "rjust" => format!("{}{content}", fill(missing)),
        "zfill" => {
            let zeros = "0".repeat(missing);
            match content.chars().next() {
                Some(sign @ ('+' | '-')) => {
                    format!("{sign}{zeros}{}", content.get(1..).unwrap_or_default())
                }
                _ => format!("{zeros}{content}"),
            }
        }
        _ => {
            // CPython puts the odd blank to the left if the width is odd.
            let left = missing / 2 + (missing & width & 1);
            format!("{}{content}{}", fill(left), fill(missing - left))
        }
    }
}

fn partition(content: &str, name: &str, arguments: CallArguments) -> Outcome<Value> {
    let [separator] = arguments.bind(name, ["sep"])?;
    let separator = required(separator, name, "sep")?;
    let separator = text_argument(&separator, "what is split at")?;
    if separator.is_empty() {
        return Err(Failure::of_value("a text is not split at nothing"));
    }
    let parts = if name == "partition" {
        content
            .split_once(separator)
            .map_or([content, "", ""], |(before, after)| {
                [before, separator, after]
            })
    } else {
        content
            .rsplit_once(separator)
            .map_or(["", "", content], |(before, after)| {
                [before, separator, after]
            })
    };
    Ok(tuple(parts.into_iter().map(Value::from).collect()))
}

fn expand_tabs(budget: &mut Budget, content: &str, size: i64) -> Outcome<Value> {
    let size = usize::try_from(size).unwrap_or_default();
    budget.reserve(
        content
            .len()
            .saturating_add(content.matches('\t').count().saturating_mul(size)),
    )?;
    let mut expanded = String::new();
    let mut column = 0;
    for character in content.chars() {
        match character {
            '\t' if size > 0 => {
                let blanks = size - column % size;
                expanded.push_str(&" ".repeat(blanks));
                column += blanks;
            }
            '\t' => {}
            '\n' | '\r' => {
                expanded.push(character);
                column = 0;
            }
            _ => {
                expanded.push(character);
                column += 1;
            }
        }
    }
    Ok(text(expanded))
}
