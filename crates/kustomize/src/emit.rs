//! Objects as text.

mod key_order;
mod number;
mod scalar;

use std::cmp::Ordering;

use super::field::{Field, FieldEntry, FieldValue};
use key_order::sort_keys;
use scalar::{EmittedScalar, ScalarLayout};

/// Writes an object as `kustomize build` writes it: keys sorted, as go-yaml v2 lays them out, with a final newline.
///
/// This is also the text in which Flux substitutes variables: which scalars stand plain, in quotes or as a block is
/// part of what is guaranteed. Infinities and NaN, which kustomize cannot print, stay as they are written.
pub fn to_yaml(field: &Field) -> String {
    let mut emitter = Emitter {
        text: String::new(),
        column: 0,
        indent: None,
        spaced: true,
        indenting: true,
    };
    emitter.write_node(field, Position::Root);
    emitter.start_line();
    emitter.text
}

/// Where a value stands; it decides how far a list goes in, and how a scalar may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Root,
    Item,
    /// A value, or a key that has a line of its own.
    Entry,
}

/// How wide a line may be before a space in a scalar becomes a line break.
const LINE_WIDTH: usize = 80;

/// The longest key, in bytes, that stands on the line of its value.
const SIMPLE_KEY_LENGTH: usize = 128;

struct Emitter {
    text: String,
    /// How many characters the last line has.
    column: usize,
    /// How far the content of the collection goes in; `None` outside of any.
    indent: Option<usize>,
    /// Whether what comes next needs no space before it.
    spaced: bool,
    /// Whether the last line holds nothing but spaces and the signs of collections.
    indenting: bool,
}

impl Emitter {
    fn write_node(&mut self, field: &Field, position: Position) {
        match &field.value {
            FieldValue::Scalar(scalar) => {
                let scalar = EmittedScalar::of_field(scalar);
                self.write_scalar(&scalar, scalar.layout());
            }
            FieldValue::Sequence(items) if items.is_empty() => self.write_sign("[]", false),
            FieldValue::Mapping(entries) if entries.is_empty() => self.write_sign("{}", false),
            FieldValue::Sequence(items) => {
                // Below a key, a list stands as far left as the key.
                let flush = position == Position::Entry && !self.indenting;
                let outer = self.enter(flush);
                for item in items {
                    self.start_line();
                    self.write_sign("-", true);
                    self.write_node(item, Position::Item);
                }
                self.indent = outer;
            }
            FieldValue::Mapping(entries) => {
                let outer = self.enter(false);
                for entry in sort_keys(entries) {
                    self.write_entry(entry);
                }
                self.indent = outer;
            }
        }
    }

    fn write_entry(&mut self, entry: &FieldEntry) {
        self.start_line();
        let key = EmittedScalar::of_text(&entry.key);
        if key.is_multiline() || key.text.len() > SIMPLE_KEY_LENGTH {
            self.write_sign("?", true);
            self.write_scalar(&key, key.layout());
            self.start_line();
            self.write_sign(":", true);
        } else {
            self.write_key(&key);
            self.write_colon();
        }
        self.write_node(&entry.value, Position::Entry);
    }

    /// Goes into a collection, and returns the indentation to come back to.
    fn enter(&mut self, flush: bool) -> Option<usize> {
        let outer = self.indent;
        self.indent = match outer {
            None => Some(0),
            Some(indent) if flush => Some(indent),
            Some(indent) => Some(indent + 2),
        };
        outer
    }

    fn write_key(&mut self, key: &EmittedScalar<'_>) {
        match key.layout() {
            ScalarLayout::Plain => self.write_plain(&key.text, false),
            ScalarLayout::SingleQuoted => self.write_single_quoted(&key.text, false),
            ScalarLayout::DoubleQuoted | ScalarLayout::Literal => {
                self.write_double_quoted(&key.text, false);
            }
        }
    }

    fn write_scalar(&mut self, scalar: &EmittedScalar<'_>, layout: ScalarLayout) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(2, |indent| indent + 2));
        match layout {
            ScalarLayout::Plain => self.write_plain(&scalar.text, true),
            ScalarLayout::SingleQuoted => self.write_single_quoted(&scalar.text, true),
            ScalarLayout::DoubleQuoted => self.write_double_quoted(&scalar.text, true),
            ScalarLayout::Literal => self.write_literal(&scalar.text),
        }
        self.indent = outer;
    }

    fn write_plain(&mut self, text: &str, fold: bool) {
        if !self.spaced {
            self.put(' ');
        }
        self.write_folded(text, fold, false);
        self.spaced = false;
        self.indenting = false;
    }

    fn write_single_quoted(&mut self, text: &str, fold: bool) {
        self.write_sign("'", false);
        self.write_folded(text, fold, true);
        self.put('\'');
        self.spaced = false;
        self.indenting = false;
    }

    /// Writes the characters of a plain or single-quoted scalar; a break goes where a line is long enough.
    fn write_folded(&mut self, text: &str, fold: bool, quoted: bool) {
        if self.column + text.len() <= LINE_WIDTH && !text.contains(['\'', '\u{2028}', '\u{2029}'])
        {
            self.put_short(text);
            return;
        }
        let mut behind_space = false;
        let mut behind_break = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if character == ' ' {
                let next = characters.peek().map(|(_, next)| *next);
                let within = !quoted || (at > 0 && next.is_some());
                if fold && !behind_space && self.column > LINE_WIDTH && within && next != Some(' ')
                {
                    self.start_line();
                } else {
                    self.put(' ');
                }
                behind_space = true;
            } else if is_break(character) {
                self.put_break(character);
                self.indenting = true;
                behind_break = true;
            } else {
                if behind_break {
                    self.start_line();
                }
                if quoted && character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.indenting = false;
                behind_space = false;
                behind_break = false;
            }
        }
    }

    fn write_double_quoted(&mut self, text: &str, fold: bool) {
        self.write_sign("\"", false);
        let mut behind_space = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let escape = scalar::escape(character).or_else(|| {
                // go-yaml looks for a byte order mark at the start, wherever it is in the text.
                text.starts_with('\u{feff}')
                    .then(|| scalar::escape_code(character).into())
            });
            if let Some(escape) = escape {
                self.put_short(&escape);
                behind_space = false;
            } else if character == ' ' {
                let next = characters.peek().map(|(_, next)| *next);
                if fold && !behind_space && self.column > LINE_WIDTH && at > 0 && next.is_some() {
                    self.start_line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                behind_space = true;
            } else {
                self.put(character);
                behind_space = false;
            }
        }
        self.put('"');
        self.spaced = false;
        self.indenting = false;
    }

    fn write_literal(&mut self, text: &str) {
        self.write_sign("|", false);
        let first = text.chars().next();
        if first.is_some_and(|first| first == ' ' || is_break(first)) {
            self.put('2');
        }
        let mut backwards = text.chars().rev();
        match (backwards.next(), backwards.next()) {
            (Some(last), before) if is_break(last) => {
                if before.is_none_or(is_break) {
                    self.put('+');
                }
            }
            _ => self.put('-'),
        }
        self.put_break('\n');
        self.indenting = true;
        self.spaced = true;
        let mut behind_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.put_break(character);
                self.indenting = true;
                behind_break = true;
            } else {
                if behind_break {
                    self.start_line();
                }
                self.put(character);
                self.indenting = false;
                behind_break = false;
            }
        }
    }

    /// Goes to where the next key, item or line of a scalar starts.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let behind = match self.column.cmp(&indent) {
            Ordering::Greater => true,
            Ordering::Equal => !self.spaced,
            Ordering::Less => false,
        };
        if !self.indenting || behind {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.spaced = true;
        self.indenting = true;
    }

    /// Writes a sign, with a space before it where one is needed; `indents` says that a collection may follow on the
    /// line.
    fn write_sign(&mut self, sign: &str, indents: bool) {
        if !self.spaced {
            self.put(' ');
        }
        self.put_short(sign);
        self.spaced = false;
        self.indenting &= indents;
    }

    fn write_colon(&mut self) {
        self.put(':');
        self.spaced = false;
        self.indenting = false;
    }

    fn put(&mut self, character: char) {
        self.text.push(character);
        self.column += 1;
    }

    fn put_short(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn put_break(&mut self, character: char) {
        self.text.push(character);
        self.column = 0;
    }
}

/// Returns whether YAML 1.1 takes a character for the end of a line.
fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
