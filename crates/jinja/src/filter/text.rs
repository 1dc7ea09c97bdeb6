//! Filters for texts.

use crate::arguments::{CallArguments, flag, given, index, index_or, required, text_argument};
use crate::error::{Failure, Outcome};
use crate::filter::soft_text;
use crate::interpreter::Interpreter;
use crate::method::{justified, replace_text};
use crate::percent_format::format_percent;
use crate::text::{escape_html, is_space, is_word, split_lines};
use crate::value::{
    Dictionary, Value, count, text, text_like, text_of, try_str, tuple, type_name, undefined_of,
};

/// Changes the text of a value, which stays safe if it is.
fn changed(value: &Value, change: impl FnOnce(&str) -> String) -> Outcome<Value> {
    let (content, safe) = soft_text(value)?;
    Ok(text_like(safe, change(&content)))
}

pub(super) fn upper(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("upper")?;
    changed(value, str::to_uppercase)
}

pub(super) fn lower(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("lower")?;
    changed(value, str::to_lowercase)
}

pub(super) fn capitalize(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("capitalize")?;
    changed(value, crate::text::capitalize)
}

pub(super) fn string(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("string")?;
    changed(value, str::to_owned)
}

/// A large letter at the start of each word; words start after blanks, hyphens and opening brackets.
pub(super) fn title(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("title")?;
    let content = try_str(value)?;
    let separates =
        |character: char| is_space(character) || matches!(character, '-' | '(' | '{' | '[' | '<');
    let mut titled = String::with_capacity(content.len());
    for word in content.split_inclusive(separates) {
        let mut characters = word.chars();
        if let Some(first) = characters.next() {
            titled.extend(first.to_uppercase());
            titled.push_str(&characters.as_str().to_lowercase());
        }
    }
    Ok(text(titled))
}

pub(super) fn trim(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [characters] = arguments.bind("trim", ["chars"])?;
    match given(characters) {
        Some(characters) => {
            let dropped = text_argument(&characters, "what is trimmed")?;
            changed(value, |content| {
                content
                    .trim_matches(|character| dropped.contains(character))
                    .to_owned()
            })
        }
        None => changed(value, |content| content.trim_matches(is_space).to_owned()),
    }
}

pub(super) fn center(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [width] = arguments.bind("center", ["width"])?;
    let width = usize::try_from(index_or(width, 80, "a width")?).unwrap_or_default();
    interpreter.budget.reserve(width)?;
    changed(value, |content| justified(content, width, ' ', "center"))
}

pub(super) fn wordcount(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("wordcount")?;
    let content = try_str(value)?;
    Ok(count(
        content
            .split(|character| !is_word(character))
            .filter(|word| !word.is_empty())
            .count(),
    ))
}

pub(super) fn format(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    if !arguments.positional.is_empty() && !arguments.named.is_empty() {
        return Err(Failure::raised(
            "FilterArgumentError",
            "`format` takes values by place or by name, not both",
        ));
    }
    let operand = if arguments.named.is_empty() {
        tuple(arguments.positional)
    } else {
        let mut entries = Dictionary::default();
        arguments
            .named
            .into_iter()
            .for_each(|(name, value)| entries.insert_text(&name, value));
        entries.into_value()
    };
    let (content, safe) = soft_text(value)?;
    format_percent(&content, safe, &operand, &mut interpreter.budget)
}

pub(super) fn replace(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [old, new, most] = arguments.bind("replace", ["old", "new", "count"])?;
    let (old, new) = (
        required(old, "replace", "old")?,
        required(new, "replace", "new")?,
    );
    let most = index_or(given(most), -1, "the number of replacements")?;
    let (mut content, mut safe) = soft_text(value)?;
    let (old_text, mut new_text) = (try_str(&old)?, try_str(&new)?);
    if !interpreter.autoescape {
        return replace_text(
            &mut interpreter.budget,
            &content,
            &old_text,
            &new_text,
            most,
        )
        .map(text);
    }
    if old.is_safe() || (new.is_safe() && !safe) {
        content = if safe { content } else { escape_html(&content) };
        safe = true;
    }
    if safe {
        new_text = if new.is_safe() {
            new_text
        } else {
            escape_html(&new_text)
        };
    }
    let replaced = replace_text(
        &mut interpreter.budget,
        &content,
        &old_text,
        &new_text,
        most,
    )?;
    Ok(text_like(safe, replaced))
}

pub(super) fn indent(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [width, first, blank] = arguments.bind("indent", ["width", "first", "blank"])?;
    let indention = match &width {
        Some(width) => {
            if let Some(indention) = text_of(width) {
                indention.to_owned()
            } else {
                let width = usize::try_from(index(width, "the width")?).unwrap_or_default();
                interpreter.budget.reserve(width)?;
                " ".repeat(width)
            }
        }
        None => "    ".to_owned(),
    };
    let (first, blank) = (flag(first, false)?, flag(blank, false)?);
    let Some(content) = text_of(value) else {
        if let Some(undefined) = undefined_of(value) {
            return Err(undefined.failure());
        }
        // Python adds a line break first, which a list takes.
        let exception = if type_name(value) == "list" {
            "AttributeError"
        } else {
            "TypeError"
        };
        let message = format!("`indent` takes a text, not `{}`", type_name(value));
        return Err(Failure::raised(exception, message));
    };
    let closed = format!("{content}\n");
    let lines = split_lines(&closed, false);
    interpreter.budget.reserve(
        content
            .len()
            .saturating_add(lines.len().saturating_mul(indention.len())),
    )?;
    let mut indented = String::with_capacity(content.len() + lines.len() * indention.len());
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            indented.push('\n');
        }
        if if at == 0 {
            first
        } else {
            blank || !line.is_empty()
        } {
            indented.push_str(&indention);
        }
        indented.push_str(line);
    }
    Ok(text_like(value.is_safe(), indented))
}

pub(super) fn truncate(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [length, killwords, end, leeway] =
        arguments.bind("truncate", ["length", "killwords", "end", "leeway"])?;
    let length = index_or(length, 255, "the length")?;
    let end = end.unwrap_or_else(|| Value::from("..."));
    let end = text_argument(&end, "the end of a shortened text")?;
    let leeway = index_or(given(leeway), 5, "the leeway")?;
    interpreter.budget.take(1)?;
    let size = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if length < size(end) || leeway < 0 {
        return Err(Failure::raised(
            "AssertionError",
            "the length is smaller than that of the end, or the leeway negative",
        ));
    }
    let Some(content) = text_of(value) else {
        if let Some(undefined) = undefined_of(value) {
            return undefined.check_use().map(|()| value.clone());
        }
        // Python asks for the length first.
        let size = crate::value::length(value)?;
        if i64::try_from(size).is_ok_and(|size| size <= length.saturating_add(leeway)) {
            return Ok(value.clone());
        }
        let message = format!("`truncate` takes a text, not `{}`", type_name(value));
        return Err(Failure::raised("AttributeError", message));
    };
    if size(content) <= length.saturating_add(leeway) {
        return Ok(value.clone());
    }
    let kept = usize::try_from(length - size(end)).unwrap_or_default();
    let kept: String = content.chars().take(kept).collect();
    let kept = if flag(killwords, false)? {
        kept.as_str()
    } else {
        kept.rsplit_once(' ').map_or(&*kept, |(start, _)| start)
    };
    Ok(text_like(value.is_safe(), format!("{kept}{end}")))
}
