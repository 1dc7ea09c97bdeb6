//! The functions that every template has.

use std::sync::Mutex;

use crate::arguments::{CallArguments, index, required};
use crate::error::{Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::method::collect_entries;
use crate::value::{Dictionary, Entity, Value, range};

/// A function of Jinja2 itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Range,
    Dict,
    Lipsum,
    Cycler,
    Joiner,
    Namespace,
}

impl Function {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("range", Self::Range),
        ("dict", Self::Dict),
        ("lipsum", Self::Lipsum),
        ("cycler", Self::Cycler),
        ("joiner", Self::Joiner),
        ("namespace", Self::Namespace),
    ];

    pub(crate) fn printed(self) -> String {
        match self {
            Self::Range => "<class 'range'>",
            Self::Dict => "<class 'dict'>",
            Self::Lipsum => "<function generate_lorem_ipsum>",
            Self::Cycler => "<class 'jinja2.utils.Cycler'>",
            Self::Joiner => "<class 'jinja2.utils.Joiner'>",
            Self::Namespace => "<class 'jinja2.utils.Namespace'>",
        }
        .to_owned()
    }

    pub(crate) fn call(
        self,
        interpreter: &mut Interpreter<'_>,
        arguments: CallArguments,
    ) -> Outcome<Value> {
        match self {
            Self::Range => call_range(arguments),
            Self::Dict => dictionary("dict", arguments).map(Dictionary::into_value),
            Self::Namespace => dictionary("namespace", arguments)
                .map(|entries| Value::from_object(Entity::Namespace(Mutex::new(entries)))),
            Self::Lipsum => Err(Failure::unsupported(
                "`lipsum` is not supported: it prints something else each time",
            )),
            Self::Cycler => {
                interpreter.budget.take(arguments.positional.len())?;
                if let Some((name, _)) = arguments.named.first() {
                    return Err(Failure::of_type(format!(
                        "`cycler` has no argument `{name}`"
                    )));
                }
                if arguments.positional.is_empty() {
                    return Err(Failure::raised(
                        "RuntimeError",
                        "`cycler` needs at least one item",
                    ));
                }
                Ok(Value::from_object(Entity::Cycler {
                    items: arguments.positional,
                    position: Mutex::new(0),
                }))
            }
            Self::Joiner => {
                let [separator] = arguments.bind("joiner", ["sep"])?;
                let separator = separator.unwrap_or_else(|| Value::from(", "));
                Ok(Value::from_object(Entity::Joiner {
                    separator,
                    used: Mutex::new(false),
                }))
            }
        }
    }
}

fn dictionary(callee: &str, arguments: CallArguments) -> Outcome<Dictionary> {
    let mut entries = Dictionary::default();
    for (hashed, key, value) in collect_entries(callee, arguments)? {
        entries.insert(hashed, key, value);
    }
    Ok(entries)
}

fn call_range(arguments: CallArguments) -> Outcome<Value> {
    if let Some((name, _)) = arguments.named.first() {
        return Err(Failure::of_type(format!(
            "`range` has no argument `{name}`"
        )));
    }
    let [first, second, third] = arguments.bind("range", ["start", "stop", "step"])?;
    let first = index(&required(first, "range", "stop")?, "a bound of a range")?;
    let Some(second) = second else {
        return Ok(range(0, first, 1));
    };
    let second = index(&second, "a bound of a range")?;
    match third.map_or(Ok(1), |step| index(&step, "the step of a range"))? {
        0 => Err(Failure::of_value("the step of a range is zero")),
        step => Ok(range(first, second, step)),
    }
}
