//! The filter `wordwrap`.

use std::collections::VecDeque;

use crate::arguments::{CallArguments, flag, given, index_or, text_argument};
use crate::error::{Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::text::{is_space, is_word, split_lines};
use crate::value::{Value, text, text_of, type_name, undefined_of};

pub(super) fn wordwrap(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let names = [
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
    let [width, breaks_words, separator, breaks_hyphens] = arguments.bind("wordwrap", names)?;
    let separator = given(separator)
        .unwrap_or_else(|| Value::from(interpreter.environment.syntax.newline.as_str()));
    let separator = text_argument(&separator, "what wraps")?;
    let width = index_or(width, 79, "a width")?;
    let Some(content) = text_of(value) else {
        if let Some(undefined) = undefined_of(value) {
            return Err(undefined.failure());
        }
        let message = format!("`wordwrap` takes a text, not `{}`", type_name(value));
        return Err(Failure::raised("AttributeError", message));
    };
    let lines = split_lines(content, false);
    if width <= 0 && !lines.is_empty() {
        return Err(Failure::of_value("the width of a line is not positive"));
    }
    let wrapping = Wrapping {
        width: usize::try_from(width).unwrap_or_default(),
        breaks_words: flag(breaks_words, true)?,
        breaks_hyphens: flag(breaks_hyphens, true)?,
    };
    interpreter
        .budget
        .reserve(content.len().saturating_mul(separator.len().max(1)))?;
    let wrapped: Vec<String> = lines
        .into_iter()
        .map(|line| wrapping.wrap(line).join(separator))
        .collect();
    Ok(text(wrapped.join(separator)))
}

/// How lines are wrapped, as Python's `textwrap` does it.
struct Wrapping {
    width: usize,
    breaks_words: bool,
    breaks_hyphens: bool,
}

type Chunk = Vec<char>;

fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ')
}

fn is_all_blank(chunk: &[char]) -> bool {
    chunk.iter().all(|character| is_space(*character))
}

fn is_letter(character: char) -> bool {
    is_word(character) && !character.is_numeric()
}

/// Places of a line at which a chunk may end.
struct Line<'line>(&'line [char]);

impl Line<'_> {
    fn has(&self, at: Option<usize>, accepts: impl Fn(char) -> bool) -> bool {
        at.and_then(|at| self.0.get(at))
            .is_some_and(|character| accepts(*character))
    }

    fn is_hyphen(&self, at: usize) -> bool {
        self.has(Some(at), |character| character == '-')
    }

    fn is_letter(&self, at: Option<usize>) -> bool {
        self.has(at, is_letter)
    }

    /// Where two or more hyphens end that stand here between words.
    fn dash_end(&self, at: usize) -> Option<usize> {
        let follows_word = self.has(at.checked_sub(1), |before| {
            is_word(before) || "!\"'&.,?".contains(before)
        });
        let hyphens = self
            .0
            .iter()
            .skip(at)
            .take_while(|character| **character == '-')
            .count();
        let end = at + hyphens;
        (follows_word && hyphens >= 2 && self.has(Some(end), is_word)).then_some(end)
    }

    /// Whether a hyphen here divides a word.
    fn divides(&self, at: usize) -> bool {
        let back = |count: usize| at.checked_sub(count);
        let follows = self.is_letter(back(1))
            && (self.is_letter(back(2))
                || (self.has(back(2), |before| before == '-') && self.is_letter(back(3))));
        let precedes = self.is_letter(Some(at + 1))
            && (self.is_letter(Some(at + 2))
                || (self.is_hyphen(at + 2) && self.is_letter(Some(at + 3))));
        self.is_hyphen(at) && follows && precedes
    }

    /// Where the chunk that starts here ends.
    fn chunk_end(&self, start: usize, breaks_hyphens: bool) -> usize {
        let starts_blank = self.has(Some(start), is_blank);
        if starts_blank || !breaks_hyphens {
            let same = self
                .0
                .iter()
                .skip(start)
                .take_while(|character| is_blank(**character) == starts_blank);
            return start + same.count();
        }
        if let Some(end) = self.dash_end(start) {
            return end;
        }
        let mut at = start + 1;
        loop {
            if self.divides(at) {
                return at + 1;
            }
            if at >= self.0.len() || self.has(Some(at), is_blank) || self.dash_end(at).is_some() {
                return at;
            }
            at += 1;
        }
    }
}

impl Wrapping {
    fn chunks(&self, line: &str) -> VecDeque<Chunk> {
        let characters: Vec<char> = line.chars().collect();
        let line = Line(&characters);
        let mut chunks = VecDeque::new();
        let mut start = 0;
        while start < characters.len() {
            let end = line
                .chunk_end(start, self.breaks_hyphens)
                .clamp(start + 1, characters.len());
            chunks.push_back(characters.get(start..end).unwrap_or_default().to_vec());
            start = end;
        }
        chunks
    }

    fn wrap(&self, line: &str) -> Vec<String> {
        let mut chunks = self.chunks(line);
        let mut lines: Vec<String> = Vec::new();
        while !chunks.is_empty() {
            let mut current: Vec<Chunk> = Vec::new();
            let mut length = 0;
            if !lines.is_empty() && chunks.front().is_some_and(|chunk| is_all_blank(chunk)) {
                chunks.pop_front();
            }
            while let Some(chunk) = chunks.pop_front_if(|chunk| length + chunk.len() <= self.width)
            {
                length += chunk.len();
                current.push(chunk);
            }
            if chunks.front().is_some_and(|chunk| chunk.len() > self.width) {
                self.take_long_word(&mut chunks, &mut current, length);
            }
            if current.last().is_some_and(|chunk| is_all_blank(chunk)) {
                current.pop();
            }
            if !current.is_empty() {
                lines.push(current.into_iter().flatten().collect());
            }
        }
        lines
    }

    /// Puts as much of a word that fits no line as fits this one.
    fn take_long_word(
        &self,
        chunks: &mut VecDeque<Chunk>,
        current: &mut Vec<Chunk>,
        length: usize,
    ) {
        if !self.breaks_words {
            if current.is_empty() {
                current.extend(chunks.pop_front());
            }
            return;
        }
        let space = self.width - length;
        let Some(chunk) = chunks.front_mut() else {
            return;
        };
        let mut end = space;
        if self.breaks_hyphens && chunk.len() > space {
            let hyphen = chunk
                .iter()
                .take(space)
                .rposition(|character| *character == '-');
            if let Some(hyphen) = hyphen.filter(|hyphen| *hyphen > 0)
                && chunk.iter().take(hyphen).any(|character| *character != '-')
            {
                end = hyphen + 1;
            }
        }
        let rest = chunk.split_off(end.min(chunk.len()));
        current.push(std::mem::replace(chunk, rest));
    }
}
