//! Reading of tokens one after the other, and of literals among them.

use crate::python_line::PythonToken;
use crate::value::PluginValue;

/// How deep literals may be nested.
const DEEPEST: usize = 60;

/// The tokens that are left of a line.
#[derive(Clone, Copy)]
pub(crate) struct TokenCursor<'a> {
    tokens: &'a [PythonToken],
}

impl<'a> TokenCursor<'a> {
    pub(crate) fn new(tokens: &'a [PythonToken]) -> Self {
        Self { tokens }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Takes a word if it stands next.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        self.take_if(|token| token.is_word(word))
    }

    /// Takes a sign if it stands next.
    pub(crate) fn sign(&mut self, sign: char) -> bool {
        self.take_if(|token| token.is_sign(sign))
    }

    /// Takes all these signs and words, one character for each sign, if they stand next; words are told by letters.
    pub(crate) fn sequence(&mut self, parts: &[&str]) -> Option<()> {
        let mut rest = *self;
        for part in parts {
            let sign = part
                .chars()
                .next()
                .filter(|first| !first.is_alphabetic() && *first != '_');
            let found = match sign {
                Some(sign) => rest.sign(sign),
                None => rest.word(part),
            };
            if !found {
                return None;
            }
        }
        *self = rest;
        Some(())
    }

    fn take_if(&mut self, holds: impl Fn(&PythonToken) -> bool) -> bool {
        let found = self.tokens.first().is_some_and(holds);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// Takes a name.
    pub(crate) fn name(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        let starts = |word: &&str| word.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let name = first.word().filter(starts)?;
        self.tokens = rest;
        Some(name)
    }

    /// Takes a text without escapes.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let (PythonToken::Text { prefix, content }, rest) = self.tokens.split_first()? else {
            return None;
        };
        // Two texts side by side are one.
        let ends = !matches!(rest.first(), Some(PythonToken::Text { .. }));
        let text = (prefix.is_empty() && !content.contains('\\') && ends).then_some(content)?;
        self.tokens = rest;
        Some(text)
    }

    /// Takes a literal: a text, a whole number, `True`, `False`, `None`, an empty mapping, or a list of literals.
    pub(crate) fn literal(&mut self) -> Option<PluginValue> {
        self.literal_at(0)
    }

    fn literal_at(&mut self, depth: usize) -> Option<PluginValue> {
        if depth > DEEPEST {
            return None;
        }
        if self.sign('{') {
            return self.sign('}').then(|| PluginValue::Map(Vec::new()));
        }
        if self.sign('[') {
            let mut items = Vec::new();
            while !self.sign(']') {
                if !items.is_empty() && !self.sign(',') {
                    return None;
                }
                items.push(self.literal_at(depth + 1)?);
            }
            return Some(PluginValue::List(items));
        }
        if let Some(text) = self.text() {
            return Some(PluginValue::from(text));
        }
        let (first, rest) = self.tokens.split_first()?;
        let value = match first.word()? {
            "True" => PluginValue::Bool(true),
            "False" => PluginValue::Bool(false),
            "None" => PluginValue::Null,
            "0" => PluginValue::from(0),
            digits
                if digits.bytes().all(|digit| digit.is_ascii_digit())
                    && !digits.starts_with('0') =>
            {
                PluginValue::Integer(digits.to_owned())
            }
            _ => return None,
        };
        self.tokens = rest;
        Some(value)
    }
}
