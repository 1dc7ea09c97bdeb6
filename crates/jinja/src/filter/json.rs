//! The filter `tojson`.

use std::fmt::Write as _;

use crate::arguments::{CallArguments, given};
use crate::error::{ExceededLimit, Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::sequence::sort_by_keys;
use crate::value::{
    Entity, Number, Value, View, items, lock, markup, number_of, print_float, type_name, view,
};

/// How deep lists and dicts may be inside of one another.
const DEPTH: usize = 200;

pub(super) fn tojson(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [indent] = arguments.bind("tojson", ["indent"])?;
    let indent = given(indent)
        .map(|indent| indentation(&indent))
        .transpose()?;
    let mut writer = Writer {
        interpreter,
        indent,
        text: String::new(),
        depth: 0,
    };
    writer.write(value)?;
    let escaped = writer
        .text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\'', "\\u0027");
    Ok(markup(escaped))
}

struct Writer<'interpreter, 'environment> {
    interpreter: &'interpreter mut Interpreter<'environment>,
    indent: Option<String>,
    text: String,
    depth: usize,
}

impl Writer<'_, '_> {
    fn write(&mut self, value: &Value) -> Outcome<()> {
        self.interpreter.budget.take(1)?;
        self.interpreter.budget.check_size(self.text.len())?;
        match view(value) {
            View::None => self.text.push_str("null"),
            View::Bool(truth) => self.text.push_str(if truth { "true" } else { "false" }),
            View::Text(content) => self.write_text(content),
            View::Float(number) => self.text.push_str(&json_float(number)),
            View::Int(_) | View::Entity(Entity::BigInteger(_)) => {
                let printed = crate::value::try_repr(value)?;
                self.text.push_str(&printed);
            }
            View::Entity(Entity::List(_) | Entity::Tuple { .. }) => {
                let content = items(value)?;
                self.write_group('[', ']', &content, Self::write)?;
            }
            View::Entity(Entity::Dict(entries)) => {
                let pairs = lock(entries).pairs();
                let pairs = sort_by_keys(pairs, false, &mut self.interpreter.budget)?;
                self.write_group('{', '}', &pairs, Self::write_pair)?;
            }
            _ => {
                return Err(Failure::of_type(format!(
                    "JSON has no value of type `{}`",
                    type_name(value)
                )));
            }
        }
        Ok(())
    }

    fn write_group<T>(
        &mut self,
        start: char,
        end: char,
        content: &[T],
        write: fn(&mut Self, &T) -> Outcome<()>,
    ) -> Outcome<()> {
        self.text.push(start);
        if !content.is_empty() {
            self.depth += 1;
            if self.depth > DEPTH {
                return Err(Failure::over(ExceededLimit::Depth));
            }
            for (at, item) in content.iter().enumerate() {
                if at > 0 {
                    self.text
                        .push_str(if self.indent.is_some() { "," } else { ", " });
                }
                self.break_line();
                write(self, item)?;
            }
            self.depth -= 1;
            self.break_line();
        }
        self.text.push(end);
        Ok(())
    }

    fn break_line(&mut self) {
        if let Some(indent) = &self.indent {
            self.text.push('\n');
            self.text.push_str(&indent.repeat(self.depth));
        }
    }

    fn write_pair(&mut self, (key, value): &(Value, Value)) -> Outcome<()> {
        match view(key) {
            View::Text(name) => self.write_text(name),
            View::None => self.text.push_str("\"null\""),
            View::Bool(truth) => self
                .text
                .push_str(if truth { "\"true\"" } else { "\"false\"" }),
            _ => match number_of(key) {
                Some(Number::Float(number)) => {
                    let printed = json_float(number);
                    self.write_text(&printed);
                }
                Some(_) => {
                    let printed = crate::value::try_repr(key)?;
                    self.write_text(&printed);
                }
                None => {
                    return Err(Failure::of_type(format!(
                        "JSON has no key of type `{}`",
                        type_name(key)
                    )));
                }
            },
        }
        self.text.push_str(": ");
        self.write(value)
    }

    fn write_text(&mut self, content: &str) {
        self.text.push('"');
        for character in content.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\x08' => self.text.push_str("\\b"),
                '\x0c' => self.text.push_str("\\f"),
                ' '..='~' => self.text.push(character),
                _ => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        // Writing to a text does not fail.
                        _ = write!(self.text, "\\u{unit:04x}");
                    }
                }
            }
        }
        self.text.push('"');
    }
}

fn json_float(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned()
    } else {
        print_float(number)
    }
}

/// What a level is indented by: so many blanks, or a text.
fn indentation(indent: &Value) -> Outcome<String> {
    if let Some(indent) = crate::value::text_of(indent) {
        return Ok(indent.to_owned());
    }
    let width = crate::arguments::index(indent, "the indentation")?.clamp(0, 1000);
    Ok(" ".repeat(usize::try_from(width).unwrap_or_default()))
}
