//! CEL conditions on the config.

use std::cell::OnceCell;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::{Context, ExecutionError, Value};
use serde_json::Value as Json;

use crate::cel::{self, Expression, Meter, Unevaluated};
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::source::{Place, Span};

/// Evaluates conditions, which share one budget; each top-level key of the config is a variable.
pub(super) struct Conditions<'v> {
    functions: OnceCell<Context<'static>>,
    meter: Meter,
    values: &'v Json,
}

impl<'v> Conditions<'v> {
    pub(super) fn new(values: &'v Json) -> Self {
        Self {
            functions: OnceCell::new(),
            meter: Meter::default(),
            values,
        }
    }

    /// Returns whether the condition at `place` holds.
    pub(super) fn holds(&self, condition: &str, place: &Place) -> Result<bool, Box<Diagnostic>> {
        if let Some(holds) = self.named(condition) {
            return Ok(holds);
        }
        match self.evaluate(condition, place)? {
            Value::Bool(holds) => Ok(holds),
            other => {
                let message = format!(
                    "this condition gives {}, not true or false",
                    other.type_of()
                );
                Err(Box::new(Self::problem(message, condition, place, None)))
            }
        }
    }

    /// Returns what the expression at `place` gives.
    pub(super) fn value(&self, expression: &str, place: &Place) -> Result<Json, Box<Diagnostic>> {
        let value = self.evaluate(expression, place)?;
        cel::json(&value).ok_or_else(|| {
            let message = format!(
                "this expression gives {}, which no file can hold",
                value.type_of()
            );
            Box::new(Self::problem(message, expression, place, None))
        })
    }

    fn evaluate(&self, condition: &str, place: &Place) -> Result<Value, Box<Diagnostic>> {
        let tree = cel::expression(condition).map_err(|errors| {
            let first = errors.errors.first();
            let message = first.map_or("it cannot be read", |error| error.msg.as_str());
            let at = first.and_then(|error| offset(condition, error.pos));
            let message = format!("this condition is not CEL: {}", syntax(message));
            Box::new(Self::problem(message, condition, place, at))
        })?;
        let evaluated = tree.evaluate(&self.context(&tree), &self.meter);
        evaluated.map_err(|error| {
            Box::new(match error {
                Unevaluated::Execution(error) => self.failed(&error, condition, place),
                Unevaluated::TooCostly => too_costly(place),
            })
        })
    }

    /// Looks up a condition that is the path of a switch, or several that must all be on, without a program:
    /// most are.
    fn named(&self, condition: &str) -> Option<bool> {
        let switch = |condition: &str| {
            let mut keys = path(condition)?.into_iter();
            keys.try_fold(self.values, |value, key| value.get(key))?
                .as_bool()
        };
        let switches: Option<Vec<bool>> = condition.split(" && ").map(switch).collect();
        Some(switches?.into_iter().all(|on| on))
    }

    /// Returns what an expression sees: handing it more than it asks for costs.
    fn context(&self, tree: &Expression) -> Context<'_> {
        let functions = || {
            let mut functions = Context::default().with_all();
            cel::add_functions(&mut functions);
            functions
        };
        let mut context = self.functions.get_or_init(functions).new_inner_scope();
        for (key, value) in self.values.as_object().into_iter().flatten() {
            if let Some(part) = cel::part(value, key, tree) {
                context.add_variable_from_value(key.as_str(), part);
            }
        }
        context
    }

    fn failed(&self, error: &ExecutionError, condition: &str, place: &Place) -> Diagnostic {
        let (name, message) = match error {
            ExecutionError::UndeclaredReference(name) => (
                Some(name),
                format!("the config has no `{name}`, and CEL no such function"),
            ),
            ExecutionError::NoSuchKey(name) => {
                let spelt = condition.contains(name.as_str()).then_some(name);
                (spelt, cel::no_such_key(name, condition))
            }
            other => (
                None,
                format!("this condition fails: {}", reason(other, condition)),
            ),
        };
        let at = name.and_then(|name| word(condition, name));
        let diagnostic = Self::problem(message, condition, place, at);
        match name {
            Some(name) => diagnostic.with_suggestion(name, self.keys(condition, at)),
            None => diagnostic,
        }
    }

    /// Lists the keys that could stand at a byte of the condition: behind `network.` those of `network`.
    fn keys(&self, condition: &str, at: Option<Span>) -> Vec<&'v str> {
        let before = at.map_or("", |span| &condition[..span.start]);
        let path = before
            .rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
            .map_or(before, |end| {
                let skip = before[end..].chars().next().map_or(0, char::len_utf8);
                &before[end + skip..]
            });
        let mut value = self.values;
        for key in path
            .trim_end_matches('.')
            .split('.')
            .filter(|key| !key.is_empty())
        {
            match value.get(key) {
                Some(next) => value = next,
                None => return Vec::new(),
            }
        }
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect()
    }

    /// Points at a part of the condition, when the file spells it as it is, else at all of it.
    fn problem(message: String, condition: &str, place: &Place, at: Option<Span>) -> Diagnostic {
        let written = &place.source.text[place.span.start..place.span.end];
        let span = match at.zip(written.find(condition)) {
            Some((part, start)) => {
                let start = place.span.start + start;
                Span::new(start + part.start, start + part.end)
            }
            None => place.span,
        };
        Diagnostic::error(&codes::APP_CONDITION, message).at(&place.source, span, "")
    }
}

fn too_costly(place: &Place) -> Diagnostic {
    Diagnostic::error(&codes::ENDLESS_CONDITION, "this condition costs too much")
        .at(&place.source, place.span, "")
        .with_hint(format!(
            "the conditions of all apps may look at {} values together; a macro in a macro multiplies",
            cel::MAX_COST
        ))
}

/// Splits `apps["unifi-dns"].enabled` into its keys; `None` for anything that is no such path.
fn path(condition: &str) -> Option<Vec<&str>> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut keys = Vec::new();
    for part in condition.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, Some(index)),
            None => (part, None),
        };
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_part) {
            return None;
        }
        keys.push(name);
        if let Some(index) = index {
            let key = index.strip_prefix('"')?.strip_suffix("\"]")?;
            if !key.chars().all(|c| is_part(c) || c == '-') {
                return None;
            }
            keys.push(key);
        }
    }
    Some(keys)
}

/// Leaves the lists of tokens out of a message of the parser.
fn syntax(message: &str) -> String {
    if message.contains("<EOF>") {
        return "it ends too early".to_owned();
    }
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    lower_first(message.split(" expecting ").next().unwrap_or(message))
}

/// Names what went wrong without the values, and operators by their signs.
fn reason(error: &ExecutionError, condition: &str) -> String {
    let ExecutionError::UnsupportedBinaryOperator(operator, left, right) = error else {
        return cel::reason(error, condition);
    };
    let sign = match *operator {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other,
    };
    format!(
        "`{sign}` does not take {} and {}",
        left.type_of(),
        right.type_of()
    )
}

/// Finds a name that stands as a word of its own.
fn word(condition: &str, name: &str) -> Option<Span> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    condition
        .match_indices(name)
        .map(|(at, _)| Span::new(at, at + name.len()))
        .find(|span| {
            !condition[..span.start].ends_with(part) && !condition[span.end..].starts_with(part)
        })
}

/// Turns a line and a column, both from 1, into the byte there.
fn offset(condition: &str, (line, column): (isize, isize)) -> Option<Span> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start: usize = condition
        .split_inclusive('\n')
        .take(line)
        .map(str::len)
        .sum();
    let within = condition[start..].char_indices().nth(column);
    let at = within.map_or(condition.len(), |(at, _)| start + at);
    let length = condition[at..].chars().next().map_or(0, char::len_utf8);
    Some(Span::new(at, at + length))
}

pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_plain_paths_do_without_a_program() {
        assert_eq!(
            path("apps.echo.enabled").unwrap(),
            ["apps", "echo", "enabled"]
        );
        assert_eq!(
            path("apps[\"unifi-dns\"].enabled").unwrap(),
            ["apps", "unifi-dns", "enabled"]
        );
        for other in [
            "!apps.x",
            "a == b",
            "has(a.b)",
            "apps[0].x",
            "apps.",
            "apps['x'].y",
            "a && b",
        ] {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
