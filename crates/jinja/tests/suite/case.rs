//! A template with what it is rendered with, and what is expected of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jinja::{Callable, Engine, Limits, Loader, Syntax, UndefinedMode, Value, value};
use serde_json::Value as Json;

/// What `CPython`'s Jinja2 or this crate answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Output(String),
    /// The class of the exception.
    Error(String),
}

pub(crate) fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => number.as_i64().map_or_else(
            || number.as_f64().map_or_else(Value::default, Value::from),
            Value::from,
        ),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => value::list(items.iter().map(value_of).collect()),
        Json::Object(entries) => {
            if let (1, Some((key, inner))) = (entries.len(), entries.iter().next())
                && let Some(value) = tagged(key, inner)
            {
                return value;
            }
            value::dict(
                entries
                    .iter()
                    .map(|(key, inner)| (Value::from(key.as_str()), value_of(inner)))
                    .collect(),
            )
        }
    }
}

/// A value that JSON does not have.
fn tagged(key: &str, inner: &Json) -> Option<Value> {
    let numbers = || -> Vec<i64> {
        inner
            .as_array()
            .into_iter()
            .flatten()
            .map(|number| number.as_i64().unwrap_or_default())
            .collect()
    };
    let unsigned = |number: i64| u32::try_from(number).expect("a part of a date");
    match key {
        "$tuple" => Some(value::tuple(
            inner.as_array()?.iter().map(value_of).collect(),
        )),
        "$int" => value::integer_from_decimal(inner.as_str()?),
        "$float" => inner.as_str()?.parse::<f64>().ok().map(Value::from),
        "$date" => {
            let numbers = numbers();
            value::date(
                i32::try_from(numbers[0]).ok()?,
                unsigned(numbers[1]),
                unsigned(numbers[2]),
            )
        }
        "$datetime" => {
            let numbers = numbers();
            let offset = inner
                .as_array()?
                .last()?
                .as_i64()
                .map(|offset| i32::try_from(offset).expect("an offset"));
            let day = (
                i32::try_from(numbers[0]).ok()?,
                unsigned(numbers[1]),
                unsigned(numbers[2]),
            );
            let clock = [
                unsigned(numbers[3]),
                unsigned(numbers[4]),
                unsigned(numbers[5]),
                unsigned(numbers[6]),
            ];
            value::datetime(day, clock, offset)
        }
        _ => None,
    }
}

fn pair(json: &Json, default: (String, String)) -> (String, String) {
    match json.as_array().map(Vec::as_slice) {
        Some([start, end]) => (
            start.as_str().unwrap_or_default().to_owned(),
            end.as_str().unwrap_or_default().to_owned(),
        ),
        _ => default,
    }
}

pub(crate) fn syntax_of(json: &Json) -> Syntax {
    let default = Syntax::default();
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    Syntax {
        block: pair(&json["block"], default.block),
        variable: pair(&json["variable"], default.variable),
        comment: pair(&json["comment"], default.comment),
        line_statement: text("line_statement"),
        line_comment: text("line_comment"),
        trim_blocks: json["trim_blocks"].as_bool().unwrap_or_default(),
        lstrip_blocks: json["lstrip_blocks"].as_bool().unwrap_or_default(),
        keep_trailing_newline: json["keep_trailing_newline"].as_bool().unwrap_or_default(),
        newline: text("newline").unwrap_or(default.newline),
    }
}

pub(crate) fn undefined_of(json: &Json) -> UndefinedMode {
    match json.as_str() {
        Some("chainable") => UndefinedMode::Chainable,
        Some("debug") => UndefinedMode::Debug,
        Some("strict") => UndefinedMode::Strict,
        _ => UndefinedMode::Default,
    }
}

pub(crate) fn templates_of(case: &Json) -> BTreeMap<String, String> {
    match case["templates"].as_object() {
        Some(templates) => templates
            .iter()
            .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
            .collect(),
        None => BTreeMap::from([(
            "main".to_owned(),
            case["template"].as_str().unwrap_or_default().to_owned(),
        )]),
    }
}

pub(crate) fn loader_of(templates: BTreeMap<String, String>) -> Loader {
    Arc::new(move |name| templates.get(name).map(|text| Arc::from(text.as_str())))
}

/// An engine for a case, whose work is bounded so that a hostile template ends soon.
pub(crate) fn engine_of(case: &Json) -> Engine {
    let loader = loader_of(templates_of(case));
    let mut engine = Engine::new(
        syntax_of(&case["syntax"]),
        undefined_of(&case["undefined"]),
        loader,
    )
    .with_limits(Limits {
        steps: 2_000_000,
        output_bytes: 4 << 20,
    });
    let names = case["functions"].as_array().into_iter().flatten();
    for name in names.filter_map(Json::as_str) {
        let printed = name.to_owned();
        let callable: Arc<dyn Callable> = Arc::new(move |args: &[Value], _: &[(String, Value)]| {
            let shown: Vec<String> = args.iter().map(value::repr).collect();
            Ok(Value::from(format!("{printed}({})", shown.join(", "))))
        });
        engine.add_function(name, Arc::clone(&callable));
        engine.add_filter(name, callable);
    }
    engine
}

/// What this crate answers.
pub(crate) fn render(case: &Json) -> Answer {
    answer(&engine_of(case), "main", &case["context"])
}

/// What an engine makes of a template; lines are checked on the way, since each line of a text has one.
pub(crate) fn answer(engine: &Engine, name: &str, context: &Json) -> Answer {
    match engine.render(name, &value_of(context)) {
        Ok(printed) => {
            assert_eq!(printed.lines.len(), printed.text.lines().count(), "{name}");
            Answer::Output(printed.text)
        }
        Err(error) => Answer::Error(error.exception.to_owned()),
    }
}

pub(crate) fn expected_of(case: &Json) -> Answer {
    match case["output"].as_str() {
        Some(output) => Answer::Output(output.to_owned()),
        None => Answer::Error(case["error"].as_str().unwrap_or_default().to_owned()),
    }
}

/// Whether the answers are the same; errors are held against each other by class.
pub(crate) fn agree(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Error(ours), Answer::Error(theirs)) => class(ours) == class(theirs),
        _ => ours == theirs,
    }
}

/// Jinja2 has two classes for what it refuses before a template runs, and leaves some of it to Python's compiler.
fn class(exception: &str) -> &str {
    match exception {
        "TemplateAssertionError" | "SyntaxError" => "TemplateSyntaxError",
        other => other,
    }
}
