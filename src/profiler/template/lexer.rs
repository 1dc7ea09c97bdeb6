//! From text to the words of each action.

use super::SyntaxError;

/// One `{{ … }}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateAction {
    /// Its line, from 1.
    pub(super) line: usize,
    /// Its words; none for a comment.
    pub(super) words: Vec<Word>,
}

/// A word of an action, and whether it touches the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: TemplateTokenKind,
    pub(super) glued: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateTokenKind {
    Dot,
    Field(String),
    Variable(String),
    Name(String),
    Text(String),
    Number(String),
    Open,
    Close,
    Pipe,
    Comma,
    Declare,
    Assign,
}

/// Cuts a text into its actions.
pub(super) fn actions(text: &str) -> Result<Vec<TemplateAction>, SyntaxError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|offset| at + offset) {
        let line = text[..start].matches('\n').count() + 1;
        let mut lexer = Lexer {
            text,
            at: start + 2,
            line,
            words: Vec::new(),
        };
        lexer.action()?;
        at = lexer.at;
        found.push(TemplateAction {
            line,
            words: lexer.words,
        });
    }
    Ok(found)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    words: Vec<Word>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn error(&self, reason: &str) -> SyntaxError {
        SyntaxError {
            line: self.line,
            reason: reason.to_owned(),
        }
    }

    /// Reads up to and with `}}`.
    fn action(&mut self) -> Result<(), SyntaxError> {
        if self.rest().starts_with("- ")
            || self.rest().starts_with("-\t")
            || self.rest().starts_with("-\n")
        {
            self.at += 1;
        }
        if self.rest().trim_start().starts_with("/*") {
            return self.comment();
        }
        loop {
            let before = self.at;
            self.at += self.rest().len() - self.rest().trim_start().len();
            let glued = self.at == before;
            let rest = self.rest();
            if rest.starts_with("}}") {
                self.at += 2;
                return Ok(());
            }
            if !glued && rest.starts_with("-}}") {
                self.at += 3;
                return Ok(());
            }
            let kind = self.word()?;
            self.words.push(Word { kind, glued });
        }
    }

    fn comment(&mut self) -> Result<(), SyntaxError> {
        let end = self
            .rest()
            .find("*/")
            .ok_or_else(|| self.error("a comment without end"))?;
        self.at += end + 2;
        let close = self
            .rest()
            .find("}}")
            .ok_or_else(|| self.error("an action without end"))?;
        self.at += close + 2;
        Ok(())
    }

    fn word(&mut self) -> Result<TemplateTokenKind, SyntaxError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err(self.error("an action without end"));
        };
        let simple = [
            ("(", TemplateTokenKind::Open),
            (")", TemplateTokenKind::Close),
            ("|", TemplateTokenKind::Pipe),
            (",", TemplateTokenKind::Comma),
            (":=", TemplateTokenKind::Declare),
            ("=", TemplateTokenKind::Assign),
        ];
        for (sign, kind) in simple {
            if rest.starts_with(sign) {
                self.at += sign.len();
                return Ok(kind);
            }
        }
        match first {
            '"' => self.quoted(),
            '`' => {
                let end = rest[1..]
                    .find('`')
                    .ok_or_else(|| self.error("a string without end"))?;
                self.at += end + 2;
                Ok(TemplateTokenKind::Text(rest[1..=end].to_owned()))
            }
            '\'' => {
                let end = rest[1..]
                    .find('\'')
                    .ok_or_else(|| self.error("a character without end"))?;
                self.at += end + 2;
                Ok(TemplateTokenKind::Number(rest[1..=end].to_owned()))
            }
            '.' => {
                let name = identifier(&rest[1..]);
                self.at += 1 + name.len();
                if name.is_empty() {
                    return Ok(TemplateTokenKind::Dot);
                }
                Ok(TemplateTokenKind::Field(name.to_owned()))
            }
            '$' => {
                let name = identifier(&rest[1..]);
                self.at += 1 + name.len();
                Ok(TemplateTokenKind::Variable(format!("${name}")))
            }
            '0'..='9' | '-' | '+' => {
                let end = rest[1..]
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
                    .map_or(rest.len(), |end| end + 1);
                self.at += end;
                Ok(TemplateTokenKind::Number(rest[..end].to_owned()))
            }
            _ => {
                let name = identifier(rest);
                if name.is_empty() {
                    return Err(self.error(&format!("an odd character `{first}`")));
                }
                self.at += name.len();
                Ok(TemplateTokenKind::Name(name.to_owned()))
            }
        }
    }

    fn quoted(&mut self) -> Result<TemplateTokenKind, SyntaxError> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += index + 1;
                    return Ok(TemplateTokenKind::Text(text));
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(self.error("a string without end"))
    }
}

/// Returns the name at the start of a text.
fn identifier(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}
