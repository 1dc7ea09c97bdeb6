//! Text for people at a terminal, or in the log of a job.
//!
//! A line of a job's log can be a command to what runs the job, and no text of a file makes one: in GitHub's
//! a line that begins with `::`, and whatever holds `##[`.

use std::borrow::Cow;
use std::fmt::Display;

use unicode_width::UnicodeWidthStr as _;

use super::Shown;
use super::marks::{HASH, is_unseen, marked, marked_line, without_orders};

/// The start of the sequences that colour a text.
const COLOUR: &str = "\u{1b}[";

/// A text that is written line by line.
#[derive(Clone, Debug, Default)]
pub struct TerminalPage {
    text: String,
    color: bool,
}

impl TerminalPage {
    /// Starts a page, with or without colours.
    pub fn new(color: bool) -> Self {
        Self {
            text: String::new(),
            color,
        }
    }

    /// Adds a blank line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Adds a line.
    pub fn line(&mut self, text: impl Display) {
        self.styled("", text);
    }

    /// Adds a line in a style: the sequence that starts it, or nothing.
    pub fn styled(&mut self, style: &'static str, text: impl Display) {
        self.spans(&[(style, &text)]);
    }

    /// Adds a line of parts, each in a style of its own.
    pub fn spans(&mut self, spans: &[(&'static str, &dyn Display)]) {
        let mut line = String::new();
        for (style, text) in spans {
            self.span(style, &marked(&text.to_string()), &mut line);
        }
        self.end(&line);
    }

    /// Adds a line of a file, its tabs as they are, in a style and behind a sign.
    pub fn file_line(&mut self, style: &'static str, sign: impl Display, text: &str) {
        let mut line = String::new();
        let text = format!("{}{}", marked(&sign.to_string()), marked_line(text));
        self.span(style, &text, &mut line);
        self.end(&line);
    }

    /// Returns the page.
    pub fn finish(self) -> Shown {
        Shown(self.text)
    }

    fn span(&self, style: &str, text: &str, line: &mut String) {
        if self.color && !style.is_empty() {
            line.extend([style, text, "\u{1b}[0m"]);
        } else {
            line.push_str(text);
        }
    }

    fn end(&mut self, line: &str) {
        self.text.push_str(&no_command(line));
        self.text.push('\n');
    }
}

/// Writes one line.
pub fn line(text: impl Display) -> Shown {
    let mut page = TerminalPage::default();
    page.line(text);
    page.finish()
}

/// Takes what a library has laid out in lines, in its own colours.
pub fn drawn(text: &str) -> Shown {
    let lines: Vec<String> = text.split('\n').map(drawn_line).collect();
    Shown(lines.join("\n"))
}

fn drawn_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(COLOUR) {
        let end = at + colour(&rest[at..]).unwrap_or(0);
        shown.push_str(&marked_line(&rest[..at]));
        shown.push_str(&rest[at..end]);
        let skipped = if end == at { at + 1 } else { end };
        shown.push_str(&marked_line(&rest[end..skipped]));
        rest = &rest[skipped..];
    }
    shown.push_str(&marked_line(rest));
    no_command(&shown)
}

/// Returns the length of the sequence that a text begins with, if it only colours.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix(COLOUR)?;
    let end = numbers.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    numbers[end..]
        .starts_with('m')
        .then_some(COLOUR.len() + end + 1)
}

/// Writes a line so that it is no command to what runs a job.
pub(super) fn no_command(line: &str) -> String {
    let mut start = line.trim_start();
    while let Some(length) = colour(start) {
        start = start[length..].trim_start();
    }
    // `::: ` is no command, and stands before the second file of a message.
    if start.starts_with("::") && !start.starts_with("::: ") {
        let at = line.len() - start.len();
        let line = format!("{}\\u{{3a}}{}", &line[..at], &line[at + 1..]);
        return without_orders(&line, HASH).into_owned();
    }
    // Between two parts of a line there may be one as well.
    without_orders(line, HASH).into_owned()
}

/// The text of a file with marks in it, and where the places of the file went.
#[derive(Clone, Debug)]
pub struct MarkedSource<'t> {
    /// The text, with the line breaks of the file.
    pub text: Cow<'t, str>,
    /// Where a mark ends in the file, and how much longer the text is from there on.
    growth: Vec<(usize, usize)>,
}

impl<'t> MarkedSource<'t> {
    /// Marks what is not seen, line by line.
    pub fn of(text: &'t str) -> Self {
        let is_hidden = |letter: char| letter != '\n' && letter != '\t' && is_unseen(letter);
        let mut source = Self {
            text: Cow::Borrowed(text),
            growth: Vec::new(),
        };
        if !text.contains(is_hidden) && !text.contains("##") {
            return source;
        }
        let mut shown = String::with_capacity(text.len());
        let mut end = 0;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches('\n');
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            for piece in pieces(bare) {
                end += piece.len();
                let before = shown.len();
                shown.push_str(&marked_line(piece));
                if shown.len() - before != piece.len() {
                    source.growth.push((end, shown.len() - end));
                }
            }
            shown.push_str(&line[bare.len()..]);
            end += line.len() - bare.len();
        }
        source.text = Cow::Owned(shown);
        source
    }

    /// Returns where a place of the file is in the text.
    pub fn place_of(&self, offset: usize) -> usize {
        let before = self.growth.partition_point(|(end, _)| *end <= offset);
        let growth = before.checked_sub(1).map_or(0, |at| self.growth[at].1);
        offset + growth
    }
}

/// Splits a line so that what gets a mark is a piece of its own.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let length = if let Some(word) = rest.strip_prefix("##") {
            let word = word.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
            rest.len() - word.strip_prefix('[').unwrap_or(word).len()
        } else if is_unseen(first) {
            first.len_utf8()
        } else {
            let tail = &rest[first.len_utf8()..];
            first.len_utf8()
                + tail
                    .find(|c| c == '#' || is_unseen(c))
                    .unwrap_or(tail.len())
        };
        let (piece, tail) = rest.split_at(length);
        rest = tail;
        Some(piece)
    })
}

/// Returns how many columns a text takes on a line.
pub fn columns(text: &str) -> usize {
    marked(text).width()
}

/// Writes a text as a cell of a table that is so many columns wide.
pub fn cell(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(columns(text));
    format!("{}{}", marked(text), " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        for (text, shown) in [
            ("::error::x", "\\u{3a}:error::x\n"),
            (" \u{a0} ::x", " \u{a0} \\u{3a}:x\n"),
            ("a ##[error]x", "a #\\u{23}[error]x\n"),
            ("####[x] ##vso[x", "###\\u{23}[x] #\\u{23}vso[x\n"),
            ("::##[x]", "\\u{3a}:#\\u{23}[x]\n"),
            ("a::b ## c", "a::b ## c\n"),
        ] {
            assert_eq!(line(text).as_str(), shown);
        }
        let mut page = TerminalPage::new(true);
        page.spans(&[("\u{1b}[31m", &":"), ("\u{1b}[32m", &":error::x")]);
        page.styled("\u{1b}[31m", "::error::x");
        page.file_line("", "  ", "\t::error::x");
        assert_eq!(
            page.finish().as_str(),
            "\u{1b}[31m:\u{1b}[0m\u{1b}[32m:error::x\u{1b}[0m\n\u{1b}[31m\\u{3a}:error::x\u{1b}[0m\n  \t\\u{3a}:error::x\n"
        );
    }

    #[test]
    fn a_library_may_colour_and_nothing_else() {
        let text = "\u{1b}[1m\u{1b}[91merror\u{1b}[0m\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}\n\u{1b}[1m ::x";
        let expected = "\u{1b}[1m\u{1b}[91merror\u{1b}[0m\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{1b}\n\u{1b}[1m \\u{3a}:x";
        assert_eq!(drawn(text).as_str(), expected);
    }

    #[test]
    fn a_place_of_a_file_is_found_among_the_marks() {
        let text = "a\u{202e}b\tc\r\n####[x]\u{9b}d\re\n";
        let source = MarkedSource::of(text);
        assert_eq!(source.text, "a\\u{202e}b\tc\r\n###\\u{23}[x]\\u{9b}d\\re\n");
        for letter in ["a", "b", "c", "x", "d", "e"] {
            let at = source.place_of(text.find(letter).unwrap());
            assert!(source.text[at..].starts_with(letter), "{letter}");
        }
        assert_eq!(source.place_of(text.len()), source.text.len());
        assert_eq!(source.place_of(1), 1);
    }

    #[test]
    fn a_cell_is_as_wide_as_what_is_shown() {
        assert_eq!(cell("日本", 6), "日本  ");
        assert_eq!(cell("\u{202e}", 10), "\\u{202e}  ");
    }
}
