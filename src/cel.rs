//! CEL as all of Kiln evaluates it: values from JSON, expressions parsed once, and errors in words without
//! values.

mod asked;
mod meter;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, ExecutionError, IdedExpr, ParseError, ParseErrors, Program, Value};
use serde_json::Value as Json;

use asked::AskedParts;
pub use meter::{MAX_COST, Meter, Unevaluated, add_functions};

/// What this process parsed: a watch, and the two sides of a diff, ask the same again.
static PARSED: Mutex<BTreeMap<String, Arc<Expression>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// Whether the libraries of CEL are at work.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether a panic on this thread is one of the libraries of CEL, which is taken for an expression that cannot
/// work with its values.
pub fn is_at_work() -> bool {
    AT_WORK.get()
}

/// Does what the libraries of CEL may panic at, such as quantities that do not fit a number; `None` if they do.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    AT_WORK.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    AT_WORK.set(false);
    result.ok()
}

/// Starts the complaint about a text that is not CEL.
fn unreadable(message: &str) -> ParseErrors {
    ParseErrors {
        errors: vec![ParseError {
            source: None,
            pos: (1, 1),
            msg: message.to_owned(),
            expr_id: 0,
            source_info: None,
        }],
    }
}

/// An expression that was parsed.
#[derive(Debug)]
pub struct Expression {
    /// What stands there.
    pub tree: IdedExpr,
    /// The same, with what pays for its work.
    metered: IdedExpr,
}

impl Expression {
    /// Evaluates the expression, and pays for it from `meter`.
    ///
    /// `context` needs the functions of [`add_functions`].
    ///
    /// # Errors
    /// When it cannot work with the values, or costs too much.
    pub fn evaluate(&self, context: &Context<'_>, meter: &Meter) -> Result<Value, Unevaluated> {
        meter.evaluate(&self.metered, context)
    }
}

/// Returns an expression, ready to be evaluated.
///
/// # Errors
/// When it is not CEL, or has a message in it.
pub fn expression(text: &str) -> Result<Arc<Expression>, ParseErrors> {
    let parsed = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = parsed().get(text) {
        return Ok(Arc::clone(known));
    }
    let program = guarded(|| Program::compile(text))
        .unwrap_or_else(|| Err(unreadable("it cannot be read")))?;
    let tree = program.expression().clone();
    if meter::has_message(&tree) {
        return Err(unreadable("there are no messages here"));
    }
    let metered = meter::metered(&tree);
    let expression = Arc::new(Expression { tree, metered });
    parsed().insert(text.to_owned(), Arc::clone(&expression));
    Ok(expression)
}

/// Converts a config value; whole numbers become `int`, since CEL does not mix `int` and `uint`.
pub fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, Some(integer)) => Value::UInt(integer),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        Json::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, item)| (Key::String(Arc::new(key.clone())), value(item)));
            Value::Map(Map {
                map: Arc::new(entries.collect()),
            })
        }
    }
}

/// Converts as much of a config value as an expression asks for under the name of a variable; `None` when it
/// does not name it.
pub fn part(json: &Json, variable: &str, expression: &Expression) -> Option<Value> {
    let asked = AskedParts::of(variable, &expression.tree)?;
    Some(asked_of(json, &asked))
}

fn asked_of(json: &Json, asked: &AskedParts<'_>) -> Value {
    match json {
        Json::Object(entries) if !asked.whole => {
            let there = asked.below.iter().filter_map(|(key, asked)| {
                let item = asked_of(entries.get(*key)?, asked);
                Some((Key::String(Arc::new((*key).to_owned())), item))
            });
            Value::Map(Map {
                map: Arc::new(there.collect()),
            })
        }
        other => value(other),
    }
}

/// Converts a result back; `None` for what JSON has no form for.
pub fn json(value: &Value) -> Option<Json> {
    match value {
        Value::Null => Some(Json::Null),
        Value::Bool(flag) => Some(Json::Bool(*flag)),
        Value::Int(number) => Some(Json::from(*number)),
        Value::UInt(number) => Some(Json::from(*number)),
        Value::Float(number) => Some(Json::from(*number)),
        Value::String(text) => Some(Json::String(text.as_ref().clone())),
        Value::List(items) => items
            .iter()
            .map(json)
            .collect::<Option<Vec<_>>>()
            .map(Json::Array),
        Value::Map(entries) => {
            let entries = entries.map.iter().map(|(key, value)| match key {
                Key::String(key) => Some((key.as_ref().clone(), json(value)?)),
                _ => None,
            });
            // A CEL map has no order, and output must have one.
            let entries: BTreeMap<String, Json> = entries.collect::<Option<_>>()?;
            Some(Json::Object(entries.into_iter().collect()))
        }
        _ => None,
    }
}

/// Names the key that a map does not have if the expression spells it: computed, it may be a secret.
pub fn no_such_key(name: &str, expression: &str) -> String {
    if expression.contains(name) {
        format!("there is no key `{name}`")
    } else {
        "a map does not have the key that is computed".to_owned()
    }
}

/// Says what went wrong in an expression without the values, which may be secrets.
pub fn reason(error: &ExecutionError, expression: &str) -> String {
    match error {
        ExecutionError::UndeclaredReference(name) => {
            format!("there is no variable or function `{name}`")
        }
        ExecutionError::NoSuchKey(name) => no_such_key(name, expression),
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            format!(
                "`{operator}` does not take {} and {}",
                left.type_of(),
                right.type_of()
            )
        }
        ExecutionError::UnsupportedUnaryOperator(operator, value) => {
            format!("`{operator}` does not take {}", value.type_of())
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!(
                "{} and {} cannot be compared",
                left.type_of(),
                right.type_of()
            )
        }
        ExecutionError::UnexpectedType { got, want } => format!("{want} was expected, not {got}"),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("{expected} arguments were expected, not {actual}")
        }
        ExecutionError::NotSupportedAsMethod { method, target } => {
            format!("{} has no `{method}`", target.type_of())
        }
        ExecutionError::FunctionError { function, .. } => {
            format!("`{function}` cannot work with its value")
        }
        ExecutionError::NoSuchOverload => {
            "an operator or a function does not take these types".to_owned()
        }
        _ => "its values do not fit".to_owned(),
    }
}
