//! Splits a template into tokens by Jinja2's rules of delimiters and white space.

use std::ops::Range;

use num_bigint::BigInt;
use num_traits::Num as _;

use crate::error::{Failure, Outcome};
use crate::source::Source;
use crate::syntax::Syntax;
use crate::text::{is_space, is_word};
use crate::token::{Token, TokenKind};

/// What a delimiter in text starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Begin {
    // In the order in which Jinja2 tries delimiters of one length, last one first.
    Block,
    Comment,
    LineComment,
    LineStatement,
    Variable,
    Raw,
}

/// How a delimiter in text was found.
struct Opening {
    begin: Begin,
    at: usize,
    end: usize,
    sign: Option<u8>,
}

pub(crate) fn tokenize(source: &Source, syntax: &Syntax) -> Outcome<Vec<Token>> {
    let mut lexer = Lexer::new(source, syntax);
    lexer.run()?;
    let end = source.text.len();
    lexer.tokens.push(Token {
        kind: TokenKind::End,
        span: end..end,
    });
    Ok(lexer.tokens)
}

struct Lexer<'source> {
    source: &'source Source,
    text: &'source str,
    syntax: &'source Syntax,
    /// What may start in text, in the order in which it is tried.
    begins: Vec<(Begin, &'source str)>,
    at: usize,
    /// Whether what was read last ends with a line break.
    line_starting: bool,
    tokens: Vec<Token>,
}

const OPERATORS: [&str; 25] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",",
];

impl<'source> Lexer<'source> {
    fn new(source: &'source Source, syntax: &'source Syntax) -> Self {
        let mut begins = vec![
            (Begin::Comment, syntax.comment.0.as_str()),
            (Begin::Block, syntax.block.0.as_str()),
            (Begin::Variable, syntax.variable.0.as_str()),
        ];
        begins.extend(
            syntax
                .line_statement
                .as_deref()
                .map(|prefix| (Begin::LineStatement, prefix)),
        );
        begins.extend(
            syntax
                .line_comment
                .as_deref()
                .map(|prefix| (Begin::LineComment, prefix)),
        );
        begins.retain(|(_, prefix)| !prefix.is_empty());
        begins.sort_by_key(|(begin, prefix)| std::cmp::Reverse((prefix.chars().count(), *begin)));
        Self {
            source,
            text: &source.text,
            syntax,
            begins,
            at: 0,
            line_starting: true,
            tokens: Vec::new(),
        }
    }

    fn failure(&self, message: impl Into<String>, span: Range<usize>) -> Box<Failure> {
        Failure::syntax(message).at(&self.source.name, &span)
    }

    fn rest(&self, at: usize) -> &'source str {
        self.text.get(at..).unwrap_or_default()
    }

    fn push(&mut self, kind: TokenKind, span: Range<usize>) {
        self.tokens.push(Token { kind, span });
    }

    fn push_data(&mut self, span: Range<usize>) {
        if !span.is_empty() {
            self.push(TokenKind::Data, span);
        }
    }

    fn moved_to(&mut self, end: usize) {
        self.line_starting = end > self.at && self.text.as_bytes().get(end - 1) == Some(&b'\n');
        self.at = end;
    }

    fn run(&mut self) -> Outcome<()> {
        while let Some(opening) = self.next_opening() {
            let data_end = self.data_end(&opening);
            self.push_data(self.at..data_end);
            let span = opening.at..opening.end;
            self.moved_to(opening.end);
            match opening.begin {
                Begin::Raw => self.read_raw(&span)?,
                Begin::Comment => self.read_comment(&span)?,
                Begin::LineComment => {
                    let end = self
                        .rest(self.at)
                        .find('\n')
                        .map_or(self.text.len(), |width| self.at + width);
                    self.moved_to(end);
                }
                Begin::Variable => {
                    self.push(TokenKind::VariableBegin, span);
                    self.read_expression(Begin::Variable)?;
                }
                Begin::Block | Begin::LineStatement => {
                    self.push(TokenKind::BlockBegin, span);
                    self.read_expression(opening.begin)?;
                }
            }
        }
        self.push_data(self.at..self.text.len());
        Ok(())
    }

    /// The first delimiter from here on.
    fn next_opening(&self) -> Option<Opening> {
        let firsts: Vec<u8> = self
            .begins
            .iter()
            .filter_map(|(_, prefix)| prefix.bytes().next())
            .collect();
        let has_line_rule = self
            .begins
            .iter()
            .any(|(begin, _)| matches!(begin, Begin::LineStatement | Begin::LineComment));
        let bytes = self.text.as_bytes();
        for (offset, _) in self.rest(self.at).char_indices() {
            let at = self.at + offset;
            if !has_line_rule && !bytes.get(at).is_some_and(|byte| firsts.contains(byte)) {
                continue;
            }
            if let Some(opening) = self.opening_at(at) {
                return Some(opening);
            }
        }
        has_line_rule
            .then(|| self.opening_at(self.text.len()))
            .flatten()
    }

    fn opening_at(&self, at: usize) -> Option<Opening> {
        if let Some((end, sign)) = self.raw_begin(at) {
            return Some(Opening {
                begin: Begin::Raw,
                at,
                end,
                sign,
            });
        }
        for (begin, prefix) in &self.begins {
            let start = match begin {
                Begin::LineStatement => self.line_statement_start(at),
                Begin::LineComment => self.line_comment_start(at),
                _ => Some(at),
            };
            let Some(start) = start else { continue };
            if let Some(rest) = self.rest(start).strip_prefix(prefix) {
                let sign = sign_at_start(rest);
                let end = start + prefix.len() + usize::from(sign.is_some());
                return Some(Opening {
                    begin: *begin,
                    at,
                    end,
                    sign,
                });
            }
        }
        None
    }

    fn is_line_start(&self, at: usize) -> bool {
        at == 0 || self.text.as_bytes().get(at - 1) == Some(&b'\n')
    }

    /// A statement of a line may be indented.
    fn line_statement_start(&self, at: usize) -> Option<usize> {
        let blanks = self
            .rest(at)
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | 0x0b))
            .count();
        self.is_line_start(at).then_some(at + blanks)
    }

    /// A comment of a line starts it or follows something else than white space; blanks before it belong to it.
    fn line_comment_start(&self, at: usize) -> Option<usize> {
        let before = self
            .text
            .get(..at)
            .and_then(|before| before.chars().next_back());
        if !self.is_line_start(at) && before.is_none_or(is_space) {
            return None;
        }
        let blanks: usize = self
            .rest(at)
            .chars()
            .take_while(|character| is_space(*character) && *character != '\n')
            .map(char::len_utf8)
            .sum();
        Some(at + blanks)
    }

    /// The end of `{% raw %}` if it stands here, and its sign.
    fn raw_begin(&self, at: usize) -> Option<(usize, Option<u8>)> {
        let (start, end) = (&self.syntax.block.0, &self.syntax.block.1);
        let rest = self.rest(at).strip_prefix(start.as_str())?;
        let sign = sign_at_start(rest);
        let rest = rest.get(usize::from(sign.is_some())..)?;
        let rest = rest
            .trim_start_matches(is_space)
            .strip_prefix("raw")?
            .trim_start_matches(is_space);
        let rest = match rest
            .strip_prefix('-')
            .and_then(|rest| rest.strip_prefix(end.as_str()))
        {
            Some(rest) => rest.trim_start_matches(is_space),
            None => rest.strip_prefix(end.as_str())?,
        };
        Some((self.text.len() - rest.len(), sign))
    }

    /// Where the text before a delimiter ends when white space is dropped as the delimiter and the options say.
    fn data_end(&self, opening: &Opening) -> usize {
        let strips = self.syntax.lstrip_blocks && opening.begin != Begin::Variable;
        self.stripped_end(opening.at, opening.sign, strips)
    }

    fn stripped_end(&self, end: usize, sign: Option<u8>, strips: bool) -> usize {
        let data = self.text.get(self.at..end).unwrap_or_default();
        if sign == Some(b'-') {
            return self.at + data.trim_end_matches(is_space).len();
        }
        if sign.is_none() && strips {
            let line = data.rfind('\n').map_or(0, |at| at + 1);
            let blanks = data.get(line..).unwrap_or_default();
            if (line > 0 || self.line_starting)
                && !blanks.is_empty()
                && blanks.chars().all(is_space)
            {
                return self.at + line;
            }
        }
        end
    }

    fn read_raw(&mut self, begin: &Range<usize>) -> Outcome<()> {
        let start = &self.syntax.block.0;
        for (offset, _) in self.rest(self.at).match_indices(start.as_str()) {
            let at = self.at + offset;
            let rest = self.rest(at + start.len());
            let sign = sign_at_start(rest);
            let rest = rest.get(usize::from(sign.is_some())..).unwrap_or_default();
            let Some(rest) = rest.trim_start_matches(is_space).strip_prefix("endraw") else {
                continue;
            };
            let rest = rest.trim_start_matches(is_space);
            if let Some(width) = self.block_end_width(rest) {
                let data_end = self.stripped_end(at, sign, self.syntax.lstrip_blocks);
                self.push_data(self.at..data_end);
                self.moved_to(self.text.len() - rest.len() + width);
                return Ok(());
            }
        }
        self.at_end_or("a raw block is never closed", begin)
    }

    /// The width of the end of a statement at the start of a text, with the white space that it drops.
    fn block_end_width(&self, rest: &str) -> Option<usize> {
        self.closing_width(rest, &self.syntax.block.1)
    }

    fn closing_width(&self, rest: &str, end: &str) -> Option<usize> {
        if let Some(after) = rest
            .strip_prefix('+')
            .and_then(|rest| rest.strip_prefix(end))
        {
            return Some(rest.len() - after.len());
        }
        if let Some(after) = rest
            .strip_prefix('-')
            .and_then(|rest| rest.strip_prefix(end))
        {
            return Some(rest.len() - after.trim_start_matches(is_space).len());
        }
        let after = rest.strip_prefix(end)?;
        let after = if self.syntax.trim_blocks {
            after.strip_prefix('\n').unwrap_or(after)
        } else {
            after
        };
        Some(rest.len() - after.len())
    }

    fn read_comment(&mut self, begin: &Range<usize>) -> Outcome<()> {
        let end = &self.syntax.comment.1;
        // A sign before the end belongs to it.
        for (offset, _) in self.rest(self.at).char_indices() {
            let rest = self.rest(self.at + offset);
            if let Some(width) = self.closing_width(rest, end) {
                self.moved_to(self.at + offset + width);
                return Ok(());
            }
        }
        self.at_end_or("a comment is never closed", begin)
    }

    /// Jinja2 takes what is opened at the very end of a template for closed.
    fn at_end_or(&self, message: &str, begin: &Range<usize>) -> Outcome<()> {
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(self.failure(message, begin.clone()))
    }

    /// The width of what ends a tag here.
    fn tag_end(&self, begin: Begin) -> Option<usize> {
        let rest = self.rest(self.at);
        match begin {
            Begin::Variable => {
                let end = &self.syntax.variable.1;
                if let Some(after) = rest
                    .strip_prefix('-')
                    .and_then(|rest| rest.strip_prefix(end.as_str()))
                {
                    return Some(rest.len() - after.trim_start_matches(is_space).len());
                }
                rest.starts_with(end.as_str()).then_some(end.len())
            }
            Begin::LineStatement => {
                let blank = rest.len() - rest.trim_start_matches(is_space).len();
                if blank == rest.len() {
                    return Some(blank);
                }
                rest.get(..blank)?.rfind('\n').map(|at| at + 1)
            }
            _ => self.block_end_width(rest),
        }
    }

    fn read_expression(&mut self, begin: Begin) -> Outcome<()> {
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            if open.is_empty()
                && let Some(width) = self.tag_end(begin)
            {
                let kind = if begin == Begin::Variable {
                    TokenKind::VariableEnd
                } else {
                    TokenKind::BlockEnd
                };
                self.push(kind, self.at..self.at + width);
                self.moved_to(self.at + width);
                return Ok(());
            }
            let rest = self.rest(self.at);
            let Some(first) = rest.chars().next() else {
                // The parser says what is missing.
                return Ok(());
            };
            if is_space(first) {
                let width = rest.len() - rest.trim_start_matches(is_space).len();
                self.moved_to(self.at + width);
            } else if first.is_ascii_digit() {
                self.read_number(rest)?;
            } else if is_word(first) {
                let width = rest
                    .find(|character| !is_word(character))
                    .unwrap_or(rest.len());
                let name = rest.get(..width).unwrap_or_default().to_owned();
                let span = self.at..self.at + width;
                if !first.is_alphabetic() && first != '_' {
                    return Err(self.failure(format!("`{name}` is no name"), span));
                }
                self.push(TokenKind::Name(name), span.clone());
                self.moved_to(span.end);
            } else if first == '\'' || first == '"' {
                self.read_text(first)?;
            } else {
                self.read_operator(&mut open)?;
            }
        }
    }

    fn read_operator(&mut self, open: &mut Vec<&'static str>) -> Outcome<()> {
        let rest = self.rest(self.at);
        let Some(operator) = OPERATORS
            .iter()
            .copied()
            .find(|operator| rest.starts_with(operator))
        else {
            let width = rest.chars().next().map_or(0, char::len_utf8);
            let message = format!(
                "`{}` has no meaning here",
                rest.get(..width).unwrap_or_default()
            );
            return Err(self.failure(message, self.at..self.at + width));
        };
        let span = self.at..self.at + operator.len();
        match operator {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" => match open.pop() {
                Some(expected) if expected == operator => {}
                Some(expected) => {
                    return Err(
                        self.failure(format!("`{operator}` where `{expected}` is expected"), span)
                    );
                }
                None => return Err(self.failure(format!("`{operator}` closes nothing"), span)),
            },
            _ => {}
        }
        self.push(TokenKind::Operator(operator), span.clone());
        self.moved_to(span.end);
        Ok(())
    }

    fn read_number(&mut self, rest: &str) -> Outcome<()> {
        let follows_dot = self
            .text
            .get(..self.at)
            .is_some_and(|before| before.ends_with('.'));
        let float = if follows_dot { 0 } else { float_width(rest) };
        if float > 0 {
            let digits = rest.get(..float).unwrap_or_default().replace('_', "");
            let span = self.at..self.at + float;
            let number = digits
                .parse()
                .map_err(|_| self.failure("this is no number", span.clone()))?;
            self.push(TokenKind::Float(number), span.clone());
            self.moved_to(span.end);
            return Ok(());
        }
        let (width, base) = integer_width(rest);
        let span = self.at..self.at + width;
        let digits = rest
            .get(if base == 10 { 0 } else { 2 }..width)
            .unwrap_or_default()
            .replace('_', "");
        let number = BigInt::from_str_radix(&digits, base)
            .map_err(|_| self.failure("this is no number", span.clone()))?;
        self.push(TokenKind::Integer(number), span.clone());
        self.moved_to(span.end);
        Ok(())
    }

    fn read_text(&mut self, quote: char) -> Outcome<()> {
        let rest = self.rest(self.at);
        let mut escaped = false;
        for (offset, character) in rest.char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == quote {
                let span = self.at..self.at + offset + 1;
                let content = rest
                    .get(1..offset)
                    .unwrap_or_default()
                    .replace('\n', &self.syntax.newline);
                let content =
                    unescape(&content).map_err(|message| self.failure(message, span.clone()))?;
                self.push(TokenKind::Text(content), span.clone());
                self.moved_to(span.end);
                return Ok(());
            }
        }
        Err(self.failure("a text in quotes is never closed", self.at..self.at + 1))
    }
}

/// The sign after the start of a tag, which says what becomes of the white space before it.
fn sign_at_start(text: &str) -> Option<u8> {
    text.bytes()
        .next()
        .filter(|byte| matches!(byte, b'-' | b'+'))
}

/// The width of digits with single underscores between them.
fn digits_width(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut width = 0;
    while let Some(byte) = bytes.get(width) {
        let joins =
            *byte == b'_' && width > 0 && bytes.get(width + 1).is_some_and(u8::is_ascii_digit);
        if !byte.is_ascii_digit() && !joins {
            break;
        }
        width += 1;
    }
    width
}

/// The width of a float at the start of a text, 0 if there is none.
fn float_width(text: &str) -> usize {
    let after = |at: usize| text.get(at..).unwrap_or_default();
    let mut width = digits_width(text);
    let mut is_float = false;
    if after(width).starts_with('.') {
        let fraction = digits_width(after(width + 1));
        if fraction > 0 {
            width += 1 + fraction;
            is_float = true;
        }
    }
    if after(width).starts_with(['e', 'E']) {
        let sign = usize::from(after(width + 1).starts_with(['+', '-']));
        let exponent = digits_width(after(width + 1 + sign));
        if exponent > 0 {
            return width + 1 + sign + exponent;
        }
    }
    if is_float { width } else { 0 }
}

/// The width and the base of an integer at the start of a text that starts with a digit.
fn integer_width(text: &str) -> (usize, u32) {
    for (prefix, base) in [("0b", 2), ("0o", 8), ("0x", 16)] {
        if !text
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        {
            continue;
        }
        let bytes = text.as_bytes();
        let is_digit = |at: usize| {
            bytes
                .get(at)
                .is_some_and(|byte| char::from(*byte).is_digit(base))
        };
        let mut width = 2;
        while is_digit(width) || (bytes.get(width) == Some(&b'_') && is_digit(width + 1)) {
            width += 1;
        }
        if width > 2 {
            return (width, base);
        }
    }
    let width = digits_width(text);
    if !text.starts_with('0') {
        return (width, 10);
    }
    let zeros = text
        .get(..width)
        .unwrap_or_default()
        .find(|digit| digit != '0' && digit != '_')
        .unwrap_or(width);
    let zeros = text
        .get(..zeros)
        .unwrap_or_default()
        .trim_end_matches('_')
        .len();
    (zeros, 10)
}

/// Resolves the escapes of Python's texts.
fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 1..).unwrap_or_default();
        let Some(escape) = tail.chars().next() else {
            return Err("`\\` at the end of a text".to_owned());
        };
        let after = tail.get(escape.len_utf8()..).unwrap_or_default();
        let simple = match escape {
            '\n' => Some(""),
            '\\' => Some("\\"),
            '\'' => Some("'"),
            '"' => Some("\""),
            'a' => Some("\x07"),
            'b' => Some("\x08"),
            'f' => Some("\x0c"),
            'n' => Some("\n"),
            'r' => Some("\r"),
            't' => Some("\t"),
            'v' => Some("\x0b"),
            _ => None,
        };
        rest = after;
        if let Some(simple) = simple {
            plain.push_str(simple);
            continue;
        }
        let (digits, base) = match escape {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (
                tail.chars()
                    .take(3)
                    .take_while(|digit| digit.is_digit(8))
                    .count(),
                8,
            ),
            'N' => return Err("names of characters (`\\N{…}`) are not supported".to_owned()),
            other => {
                plain.push('\\');
                plain.push(other);
                continue;
            }
        };
        let from = if base == 8 { tail } else { after };
        let code = from
            .get(..digits)
            .and_then(|digits| u32::from_str_radix(digits, base).ok());
        let character = code.and_then(char::from_u32);
        plain.push(
            character.ok_or_else(|| {
                format!("`\\{escape}` is not followed by the code of a character")
            })?,
        );
        rest = from.get(digits..).unwrap_or_default();
    }
    plain.push_str(rest);
    Ok(plain)
}
