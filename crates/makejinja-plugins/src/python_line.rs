//! Python source as logical lines of tokens, without comments, blank lines and differences of quoting.

/// A token, as far as it matters when two functions are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PythonToken {
    /// A name, a keyword or a number.
    Word(String),
    /// A string: its prefix in lower case, and what stands between the quotes.
    Text { prefix: String, content: String },
    /// One character of an operator or a bracket.
    Sign(char),
}

impl PythonToken {
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(crate) fn is_sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    /// Tells whether it is a string that has no effect where it stands alone.
    pub(crate) fn is_plain_text(&self) -> bool {
        matches!(self, Self::Text { prefix, .. } if !prefix.contains('f'))
    }
}

/// A logical line: brackets and `\` continue it on the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonLine {
    /// The number of its first line, from 1.
    pub(crate) number: usize,
    /// How many blocks it stands in.
    pub(crate) depth: usize,
    pub(crate) tokens: Vec<PythonToken>,
}

/// Splits a source; none if it is not Python as far as this tells.
pub(crate) fn split_lines(source: &str) -> Option<Vec<PythonLine>> {
    let mut lexer = Lexer {
        rest: source.strip_prefix('\u{feff}').unwrap_or(source),
        number: 1,
        ..Lexer::default()
    };
    lexer.run()?;
    (lexer.brackets.is_empty()).then_some(lexer.lines)
}

/// Words after which `(` begins no call.
const KEYWORDS: [&str; 21] = [
    "and", "as", "assert", "await", "del", "elif", "else", "except", "for", "from", "if", "in",
    "is", "lambda", "not", "or", "raise", "return", "while", "with", "yield",
];

#[derive(Default)]
struct Lexer<'a> {
    rest: &'a str,
    number: usize,
    indents: Vec<usize>,
    brackets: Vec<Bracket>,
    lines: Vec<PythonLine>,
    line: Option<PythonLine>,
}

struct Bracket {
    closes: char,
    /// Whether a comma before its end says nothing.
    comma_is_free: bool,
}

impl Lexer<'_> {
    fn run(&mut self) -> Option<()> {
        while !self.rest.is_empty() {
            if self.line.is_none() && !self.begin_line()? {
                continue;
            }
            self.step()?;
        }
        self.end_line();
        Some(())
    }

    fn take(&mut self, bytes: usize) -> &str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.number += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Begins a logical line, unless this one is blank or a comment.
    fn begin_line(&mut self) -> Option<bool> {
        let blank = |c: char| matches!(c, ' ' | '\t' | '\u{c}');
        let indent = self.rest.len() - self.rest.trim_start_matches(blank).len();
        let width = self.rest[..indent].chars().fold(0, |width, c| match c {
            '\t' => (width / 8 + 1) * 8,
            '\u{c}' => 0,
            _ => width + 1,
        });
        self.take(indent);
        if self.rest.starts_with(['#', '\n', '\r']) || self.rest.is_empty() {
            let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
            self.take(end);
            return Some(false);
        }
        let mut is_dedent = false;
        while self.indents.last().is_some_and(|last| width < *last) {
            self.indents.pop();
            is_dedent = true;
        }
        if width > self.indents.last().copied().unwrap_or(0) {
            if is_dedent {
                return None;
            }
            self.indents.push(width);
        }
        self.line = Some(PythonLine {
            number: self.number,
            depth: self.indents.len(),
            tokens: Vec::new(),
        });
        Some(true)
    }

    fn end_line(&mut self) {
        self.lines.extend(self.line.take());
    }

    fn push(&mut self, token: PythonToken) {
        if let Some(line) = &mut self.line {
            line.tokens.push(token);
        }
    }

    fn last(&self) -> Option<&PythonToken> {
        self.line.as_ref().and_then(|line| line.tokens.last())
    }

    fn step(&mut self) -> Option<()> {
        let first = self.rest.chars().next()?;
        match first {
            '\n' => {
                self.take(1);
                if self.brackets.is_empty() {
                    self.end_line();
                }
            }
            ' ' | '\t' | '\r' | '\u{c}' => {
                self.take(1);
            }
            '#' => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
            }
            '\\' => {
                let length = if self.rest.starts_with("\\\r\n") {
                    3
                } else {
                    2
                };
                if !self.rest.get(..length)?.ends_with('\n') {
                    return None;
                }
                self.take(length);
            }
            '"' | '\'' => self.text("")?,
            _ if first.is_alphanumeric() || first == '_' => self.word()?,
            _ => self.sign(first)?,
        }
        Some(())
    }

    fn word(&mut self) -> Option<()> {
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !in_word(c)).unwrap_or(self.rest.len());
        let number = self.rest.starts_with(|c: char| c.is_ascii_digit());
        let word = self.take(end).to_owned();
        let prefix = word.to_ascii_lowercase();
        let is_prefix = prefix.len() <= 2 && prefix.bytes().all(|b| b"rbfu".contains(&b));
        if !number && is_prefix && self.rest.starts_with(['"', '\'']) {
            return self.text(&prefix);
        }
        self.push(PythonToken::Word(word));
        Some(())
    }

    fn text(&mut self, prefix: &str) -> Option<()> {
        let quote = self.rest.chars().next()?;
        let triple = String::from(quote).repeat(3);
        let quotes = if self.rest.starts_with(&triple) {
            triple
        } else {
            String::from(quote)
        };
        let body = &self.rest[quotes.len()..];
        let mut end = 0;
        loop {
            let at = body.get(end..)?;
            if at.starts_with(&quotes) {
                break;
            }
            let c = at.chars().next()?;
            if c == '\n' && quotes.len() == 1 {
                return None;
            }
            end += c.len_utf8();
            if c == '\\' {
                end += body.get(end..)?.chars().next()?.len_utf8();
            }
        }
        let mut content = body[..end].to_owned();
        if !prefix.contains('r') {
            content = content.replace("\\'", "'").replace("\\\"", "\"");
        }
        self.take(quotes.len() * 2 + end);
        let prefix = prefix.to_owned();
        self.push(PythonToken::Text { prefix, content });
        Some(())
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        self.take(sign.len_utf8());
        match sign {
            '(' | '[' | '{' => {
                let after_value = match self.last() {
                    Some(PythonToken::Word(word)) => !KEYWORDS.contains(&word.as_str()),
                    Some(PythonToken::Sign(sign)) => matches!(sign, ')' | ']' | '}'),
                    Some(PythonToken::Text { .. }) | None => false,
                };
                let closes = match sign {
                    '(' => ')',
                    '[' => ']',
                    _ => '}',
                };
                // `(a,)` and `a[b,]` are tuples; a call, a list and a mapping are the same without.
                let comma_is_free = sign == '{' || (sign == '(') == after_value;
                self.brackets.push(Bracket {
                    closes,
                    comma_is_free,
                });
            }
            ')' | ']' | '}' => {
                let bracket = self
                    .brackets
                    .pop()
                    .filter(|bracket| bracket.closes == sign)?;
                let is_comma = self.last().is_some_and(|last| last.is_sign(','));
                if let Some(line) = &mut self.line
                    && bracket.comma_is_free
                    && is_comma
                {
                    line.tokens.pop();
                }
            }
            _ => {}
        }
        self.push(PythonToken::Sign(sign));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_joined_and_numbered() {
        let source = "\u{feff}# first\n\ndef f(\n    a,  # an argument\n):\n\treturn 'x' \\\n        \"y\"\n\n  # deep\nx = 1\r\n";
        let lines = split_lines(source).unwrap();
        let shown: Vec<(usize, usize, usize)> = lines
            .iter()
            .map(|line| (line.number, line.depth, line.tokens.len()))
            .collect();
        assert_eq!(shown, [(3, 0, 6), (6, 1, 3), (10, 0, 3)]);
    }

    #[test]
    fn quotes_and_commas_that_say_nothing_are_left_out() {
        let same = |left: &str, right: &str| {
            split_lines(left).unwrap()[0].tokens == split_lines(right).unwrap()[0].tokens
        };
        assert!(same(
            "f('a', [1, 2])",
            "f(\n  \"\"\"a\"\"\",\n  [1, 2,],\n)"
        ));
        assert!(same("x = 'it\\'s'", "x = \"it's\""));
        assert!(!same("x = (1,)", "x = (1)"));
        assert!(!same("x[1,]", "x[1]"));
        assert!(!same("return (1,)", "return (1)"));
        assert!(!same("r'\\w'", "'\\w'"));
        assert!(!same("f'{a}'", "'{a}'"));
    }

    #[test]
    fn what_is_not_python_is_refused() {
        for source in ["f(", "f)", "(]", "'open", "'''open", "x = \\y", "  a\n b\n"] {
            assert_eq!(split_lines(source), None, "{source}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            text in any::<String>(),
            python in "[a-f'\"\\\\()\\[\\]{}:,=#@ \t\n\r]{0,80}",
        ) {
            drop(split_lines(&text));
            drop(crate::known_plugin(&python));
        }
    }
}
