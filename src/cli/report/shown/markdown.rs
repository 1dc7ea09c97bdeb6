//! Markdown, as GitHub and GitLab read it in a comment.
//!
//! Text of files is code, or words that are nothing but letters: neither can be a heading, a link, an image, a
//! mention, a list, a table or HTML.

use std::fmt::Write as _;

use super::marks::{marked, marked_line};
use super::terminal::no_command;
use super::{Shown, html};

/// A text of which the Markdown is ours and nobody else's.
#[derive(Clone, Debug, Default)]
pub struct MarkdownText {
    text: String,
}

impl MarkdownText {
    /// Starts a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds Markdown that stands in the program.
    pub fn ours(&mut self, markdown: &'static str) -> &mut Self {
        self.text.push_str(markdown);
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: usize) -> &mut Self {
        write!(self.text, "{number}").expect("writing to a String cannot fail");
        self
    }

    /// Adds a text as code.
    pub fn code(&mut self, text: &str) -> &mut Self {
        let text = marked(text);
        let is_simple = !text.is_empty() && text.trim() == text && !text.contains(['`', '|']);
        if is_simple && !self.text.ends_with('`') {
            self.text.extend(["`", &text, "`"]);
            return self;
        }
        self.text.extend(["<code>", &entities(&text), "</code>"]);
        self
    }

    /// Adds a text as code in a place where only HTML is read, such as a summary.
    pub fn html_code(&mut self, text: &str) -> &mut Self {
        self.text
            .extend(["<code>", &html::escaped(text), "</code>"]);
        self
    }

    /// Adds a sentence: names in backticks, and all words that are more than letters or a number, as code.
    pub fn prose(&mut self, sentence: &str) -> &mut Self {
        let ends = sentence.matches('`').count() / 2 * 2;
        for (at, part) in sentence.splitn(ends + 1, '`').enumerate() {
            if at % 2 == 1 {
                self.code(part);
            } else {
                self.words(part, at == 0);
            }
        }
        self
    }

    /// Adds lines of files as a block that none of them ends.
    pub fn fenced(&mut self, language: &'static str, lines: impl IntoIterator<Item = String>) {
        let lines = lines
            .into_iter()
            .map(|line| no_command(&marked_line(&line)));
        let lines: Vec<String> = lines.collect();
        let lines = lines.join("\n");
        let longest = lines.split(|letter| letter != '`').map(str::len).max();
        let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
        self.text
            .extend([&fence, language, "\n", &lines, "\n", &fence, "\n"]);
    }

    /// Adds another text.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.text.push_str(&other.text);
        self
    }

    /// Returns the size in bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the whole.
    pub fn finish(self) -> Shown {
        Shown(self.text)
    }

    fn words(&mut self, text: &str, mut first: bool) {
        for word in text.split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            if !bare.is_empty() {
                self.word(bare, first);
                first = false;
            }
            // A line break is a space as well: nothing starts a line but what is ours.
            if bare.len() < word.len() && !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }

    fn word(&mut self, word: &str, first: bool) {
        let start = word.len() - word.trim_start_matches('(').len();
        let end = word
            .trim_end_matches([')', '.', ',', ':', ';', '?', '!'])
            .len();
        let start = start.min(end);
        let bare = &word[start..end];
        // A number at the start of a line with a period behind it starts a list.
        let may_be_list = first && end < word.len() && is_number(bare);
        // Signs alone are no end of a sentence, and two colons may be the name of a picture.
        let is_signs = bare.is_empty() && word.chars().nth(1).is_some();
        let has_colons = word[end..].matches(':').nth(1).is_some();
        if may_be_list || is_signs || has_colons {
            self.code(word);
        } else if bare.is_empty() || is_plain(bare) {
            self.text.push_str(word);
        } else {
            self.text.push_str(&word[..start]);
            self.code(bare);
            self.text.push_str(&word[end..]);
        }
    }
}

/// Returns whether no Markdown, and nothing that a forge makes a link of, is in a word.
fn is_plain(word: &str) -> bool {
    let is_commit = word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_letter = |letter: char| letter.is_alphabetic() || matches!(letter, '-' | '\'' | '’');
    let is_word = word.starts_with(char::is_alphabetic)
        && word.chars().all(is_letter)
        && !word.to_lowercase().ends_with("www");
    (is_word && !is_commit) || is_number(word) || matches!(word, "→" | "–" | "…" | "%")
}

/// Returns whether a word is a number or a version, and too short for the name of a commit.
fn is_number(word: &str) -> bool {
    let is_short = |part: &str| (1..7).contains(&part.len());
    let is_part = |part: &str| is_short(part) && part.bytes().all(|byte| byte.is_ascii_digit());
    word.split('.').all(is_part)
}

/// Writes all but letters, digits and spaces between them as entities: the same text in Markdown and in HTML.
pub(super) fn entities(text: &str) -> String {
    let text = marked(text);
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_plain = letter.is_alphanumeric() || letter == ' ' || !letter.is_ascii();
        if is_plain {
            shown.push(letter);
        } else {
            write!(shown, "&#{};", u32::from(letter)).expect("writing to a String cannot fail");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(sentence: &str) -> String {
        let mut text = MarkdownText::new();
        text.prose(sentence);
        text.text
    }

    #[test]
    fn a_sentence_of_letters_stays() {
        for sentence in [
            "2 replicas become `0`: nothing runs (any more), that's all.",
            "87 % → 100 %; größe – 日本, 1.4.0.",
        ] {
            assert_eq!(prose(sentence), sentence);
        }
    }

    #[test]
    fn every_other_word_is_code() {
        for (sentence, expected) in [
            ("ask @admin, or see #1", "ask `@admin`, or see `#1`"),
            ("a\n\n# b", "a `#` b"),
            ("at www.example.com", "at `www.example.com`"),
            ("1. one", "`1.` one"),
            ("a ::. b", "a `::.` b"),
            ("a::.: b", "`a::.:` b"),
            ("- one", "`-` one"),
            ("`a`@b", "`a`<code>&#64;b</code>"),
            ("`a` ` @b", "`a` <code>&#96;</code> `@b`"),
            ("see 0123456789", "see `0123456789`"),
            ("![x](y)", "`![x](y`)"),
        ] {
            assert_eq!(prose(sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn code_stays_one_piece_of_code() {
        for (text, expected) in [
            ("a*b*", "`a*b*`"),
            ("a\nb", r"`a\nb`"),
            ("a`b", "<code>a&#96;b</code>"),
            ("a|b", "<code>a&#124;b</code>"),
            ("", "<code></code>"),
            (" ", "<code> </code>"),
        ] {
            let mut code = MarkdownText::new();
            code.code(text);
            assert_eq!(code.text, expected);
        }
    }

    #[test]
    fn a_block_ends_where_we_end_it() {
        let mut block = MarkdownText::new();
        block.fenced("diff", ["+ ```\n````".to_owned(), "\t- x".to_owned()]);
        assert_eq!(block.text, "`````diff\n+ ```\\n````\n\t- x\n`````\n");
    }
}
