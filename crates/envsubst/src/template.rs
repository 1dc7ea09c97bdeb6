//! The language of expressions.

use std::ops::Range;

use super::function::Function;
use super::{ExpandError, MalformedKind, is_name_character};

/// How deep expressions may be nested: deeper ones are no honest text, and would exhaust the stack.
const DEPTH_LIMIT: usize = 200;

/// A part of a text.
#[derive(Debug)]
pub(super) enum Part {
    /// Text, after escapes are taken off.
    Text(String),
    /// An expression.
    Expression(Expression),
}

/// `${…}`.
#[derive(Debug)]
pub(super) struct Expression {
    /// The bytes from `${` to `}`.
    pub(super) span: Range<usize>,
    /// The name of the variable.
    pub(super) name: String,
    pub(super) function: Function,
    pub(super) arguments: Vec<Part>,
}

/// Takes a text apart.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, ExpandError> {
    // The scanner of Flux takes a NUL for the end.
    let end = text.find('\0').unwrap_or(text.len());
    let mut parser = TemplateParser {
        text: &text[..end],
        at: 0,
        depth: 0,
    };
    let mut parts = Vec::new();
    while parser.at < parser.text.len() {
        if parser.at_expression() {
            parts.push(Part::Expression(parser.parse_expression()?));
        } else {
            parts.push(Part::Text(parser.take_text()));
        }
    }
    Ok(parts)
}

/// Where an argument ends, and what is escaped in it.
#[derive(Clone, Copy)]
struct ArgumentRule {
    ends: &'static [char],
    escapes: bool,
}

/// The rest of an expression: `$$` and `\` are text.
const REST: ArgumentRule = ArgumentRule {
    ends: &['}'],
    escapes: false,
};
const OFFSET: ArgumentRule = ArgumentRule {
    ends: &[':', '}'],
    escapes: false,
};
/// The text to replace, which may hold a `}`.
const OLD_TEXT: ArgumentRule = ArgumentRule {
    ends: &['/'],
    escapes: true,
};
const NEW_TEXT: ArgumentRule = ArgumentRule {
    ends: &['}'],
    escapes: true,
};

struct TemplateParser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl TemplateParser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn at_expression(&self) -> bool {
        self.rest().starts_with("${")
    }

    /// Takes the text up to the next expression; `$$` is one `$`.
    fn take_text(&mut self) -> String {
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find('$').unwrap_or(rest.len());
            text.push_str(&rest[..plain]);
            self.at += plain;
            if plain == rest.len() || self.at_expression() {
                return text;
            }
            text.push('$');
            self.at += if rest[plain..].starts_with("$$") {
                2
            } else {
                1
            };
        }
    }

    fn parse_expression(&mut self) -> Result<Expression, ExpandError> {
        let start = self.at;
        if self.depth == DEPTH_LIMIT {
            return Err(self.malformed(start, MalformedKind::Depth));
        }
        self.depth += 1;
        self.at += 2;
        let mut arguments = Vec::new();
        let parsed = if self.take(&['#'], 1) == 1 {
            self.parse_length(start)
        } else {
            self.parse_function(start, &mut arguments)
        };
        let (name, function) = parsed?;
        self.depth -= 1;
        Ok(Expression {
            span: start..self.at,
            name,
            function,
            arguments,
        })
    }

    fn parse_length(&mut self, start: usize) -> Result<(String, Function), ExpandError> {
        let name = self
            .take_name()
            .ok_or_else(|| self.malformed(start, MalformedKind::End))?;
        self.close(start)?;
        Ok((name, Function::Length))
    }

    fn parse_function(
        &mut self,
        start: usize,
        arguments: &mut Vec<Part>,
    ) -> Result<(String, Function), ExpandError> {
        let name = self
            .take_name()
            .ok_or_else(|| self.malformed(start, MalformedKind::Name))?;
        let function = match self.peek() {
            Some(':') => self.parse_colon(start, arguments)?,
            Some('=') => {
                self.at += 1;
                self.parse_default(start, arguments)?
            }
            Some(',' | '^') => self.parse_casing(start)?,
            Some('/') => self.parse_replacement(start, arguments)?,
            Some(sign @ ('#' | '%')) => self.parse_removal(start, sign, arguments)?,
            Some('}') => {
                self.at += 1;
                Function::Value
            }
            _ => return Err(self.malformed(start, MalformedKind::Function)),
        };
        Ok((name, function))
    }

    fn parse_colon(
        &mut self,
        start: usize,
        arguments: &mut Vec<Part>,
    ) -> Result<Function, ExpandError> {
        self.at += 1;
        match self.peek() {
            Some('=' | '-' | '?' | '+') => {
                self.at += 1;
                return self.parse_default(start, arguments);
            }
            // Flux steps back by the width of this character, and no longer finds the colon.
            Some(character) if character.is_ascii() => {}
            _ => return Err(self.malformed(start, MalformedKind::End)),
        }
        arguments.push(self.parse_argument(start, OFFSET)?);
        if self.peek() != Some('}') {
            if self.take(&[':'], usize::MAX) == 0 {
                return Err(self.malformed(start, MalformedKind::End));
            }
            arguments.push(self.parse_argument(start, REST)?);
        }
        self.close(start)?;
        Ok(Function::Substring)
    }

    fn parse_default(
        &mut self,
        start: usize,
        arguments: &mut Vec<Part>,
    ) -> Result<Function, ExpandError> {
        while self.peek() != Some('}') {
            arguments.push(self.parse_argument(start, REST)?);
        }
        self.close(start)?;
        Ok(Function::Default)
    }

    fn parse_casing(&mut self, start: usize) -> Result<Function, ExpandError> {
        let from = self.at;
        self.take(&[',', '^'], 2);
        let function = match &self.text[from..self.at] {
            "," => Function::LowerFirst,
            ",," => Function::Lower,
            "^" => Function::UpperFirst,
            "^^" => Function::Upper,
            // Flux takes a mixture of both, and does nothing.
            _ => Function::Value,
        };
        self.close(start)?;
        Ok(function)
    }

    fn parse_removal(
        &mut self,
        start: usize,
        sign: char,
        arguments: &mut Vec<Part>,
    ) -> Result<Function, ExpandError> {
        let longest = self.take(&[sign], 2) == 2;
        arguments.push(self.parse_argument(start, REST)?);
        self.close(start)?;
        Ok(match sign {
            '#' => Function::RemovePrefix { longest },
            _ => Function::RemoveSuffix { longest },
        })
    }

    fn parse_replacement(
        &mut self,
        start: usize,
        arguments: &mut Vec<Part>,
    ) -> Result<Function, ExpandError> {
        self.at += 1;
        let function = match self.peek() {
            Some('/') => Function::ReplaceAll,
            Some('#') => Function::ReplacePrefix,
            Some('%') => Function::ReplaceSuffix,
            _ => Function::ReplaceFirst,
        };
        if function != Function::ReplaceFirst {
            self.at += 1;
        }
        arguments.push(self.parse_argument(start, OLD_TEXT)?);
        if self.take(&['/'], usize::MAX) == 0 {
            return Err(self.malformed(start, MalformedKind::End));
        }
        if self.peek() != Some('}') {
            arguments.push(self.parse_argument(start, NEW_TEXT)?);
        }
        self.close(start)?;
        Ok(function)
    }

    /// Parses an expression, or the text up to one or to the end of the argument; there has to be something.
    fn parse_argument(&mut self, start: usize, rule: ArgumentRule) -> Result<Part, ExpandError> {
        if self.at_expression() {
            return self.parse_expression().map(Part::Expression);
        }
        let from = self.at;
        let mut text = String::new();
        while let Some(character) = self.peek()
            && !self.at_expression()
        {
            if rule.escapes
                && ["$$", r"\/", r"\\"]
                    .iter()
                    .any(|escape| self.rest().starts_with(escape))
            {
                text.push_str(&self.text[self.at + 1..self.at + 2]);
                self.at += 2;
            } else if rule.ends.contains(&character) {
                break;
            } else {
                text.push(character);
                self.at += character.len_utf8();
            }
        }
        if self.at == from {
            return Err(self.malformed(start, MalformedKind::Argument));
        }
        Ok(Part::Text(text))
    }

    fn take_name(&mut self) -> Option<String> {
        let rest = self.rest();
        let length = rest
            .find(|character| !is_name_character(character))
            .unwrap_or(rest.len());
        let name = rest[..length].to_owned();
        self.at += length;
        (length > 0).then_some(name)
    }

    /// Takes ASCII characters of a set, `most` at most, and returns how many there were.
    fn take(&mut self, set: &[char], most: usize) -> usize {
        let length = self
            .rest()
            .chars()
            .take(most)
            .take_while(|character| set.contains(character))
            .count();
        self.at += length;
        length
    }

    fn close(&mut self, start: usize) -> Result<(), ExpandError> {
        if self.take(&['}'], 1) == 1 {
            return Ok(());
        }
        Err(self.malformed(start, MalformedKind::End))
    }

    fn malformed(&self, start: usize, kind: MalformedKind) -> ExpandError {
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |length| start + length);
        let end = self.at.max(start + 2).min(line_end);
        ExpandError::Malformed {
            span: start..end,
            kind,
        }
    }
}
