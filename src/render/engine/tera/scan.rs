//! Finds the tags of a template without understanding them.
//!
//! Mirrors Tera's lexer for what decides where a tag ends: strings hide delimiters, a comment ends at
//! the first `|#`, a raw block at the first `endraw`. On a tag that never ends the scan stops, and
//! Tera says what is wrong.

use std::ops::Range;

use crate::source::Span;

/// Starts and ends a printed expression.
pub(super) const VARIABLE: (&str, &str) = ("#{", "}#");
/// Starts and ends a statement.
pub(super) const BLOCK: (&str, &str) = ("#%", "%#");
/// Starts and ends a comment.
pub(super) const COMMENT: (&str, &str) = ("#|", "|#");

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagKind {
    /// `#{ … }#`
    Variable,
    /// `#% … %#`
    Block,
    /// `#| … |#`
    Comment,
}

impl TagKind {
    /// Returns what starts and what ends it.
    pub(super) const fn delimiters(self) -> (&'static str, &'static str) {
        match self {
            Self::Variable => VARIABLE,
            Self::Block => BLOCK,
            Self::Comment => COMMENT,
        }
    }
}

/// One tag of a template, by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// What it does.
    pub(super) kind: TagKind,
    /// The whole tag with delimiters.
    pub(super) outer: Range<usize>,
    /// What stands between the delimiters and their dashes.
    pub(super) inner: Range<usize>,
    /// Whether it starts with a dash: white space before it goes.
    pub(super) dash_start: bool,
    /// Whether it ends with a dash: white space after it goes.
    pub(super) dash_end: bool,
}

impl Tag {
    /// Returns the bytes of the whole tag.
    pub(super) fn span(&self) -> Span {
        Span::new(self.outer.start, self.outer.end)
    }

    /// Returns whether the statement goes on up to an `end…`.
    pub(super) fn opens_block(&self, text: &str) -> bool {
        match self.keyword(text) {
            "if" | "for" | "block" | "filter" | "component" => true,
            _ => self.sets_a_block(text),
        }
    }

    /// Returns whether the statement sets a variable to the block behind it.
    pub(super) fn sets_a_block(&self, text: &str) -> bool {
        matches!(self.keyword(text), "set" | "set_global") && !self.assigns(text)
    }

    /// Tells `set x = 1` from the `set x` that takes the block behind it.
    fn assigns(&self, text: &str) -> bool {
        let mut words = text[self.inner.clone()]
            .trim_start()
            .splitn(2, char::is_whitespace);
        let behind = words.nth(1).unwrap_or_default().trim_start();
        behind
            .trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
            .trim_start()
            .starts_with('=')
    }

    /// Returns the first word of a statement (`for`, `endif`), empty for other tags.
    pub(super) fn keyword<'t>(&self, text: &'t str) -> &'t str {
        if self.kind != TagKind::Block {
            return "";
        }
        let inner = text[self.inner.clone()].trim_start();
        let end = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inner.len());
        &inner[..end]
    }

    /// Returns the string literal after the keyword, with its bytes: what is included or extended.
    pub(super) fn target<'t>(&self, text: &'t str) -> Option<(&'t str, Range<usize>)> {
        let inner = &text[self.inner.clone()];
        let open = inner.find(['"', '\'', '`'])?;
        let length = string_length(&inner.as_bytes()[open..])?;
        let start = self.inner.start + open + 1;
        let end = self.inner.start + open + length - 1;
        Some((&text[start..end], start..end))
    }
}

/// Lists the tags of a text in order.
pub(super) fn scan(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some((start, kind)) = next_start(text, at) {
        let dash_start = text.as_bytes().get(start + 2) == Some(&b'-');
        let body = start + 2 + usize::from(dash_start);
        if kind == TagKind::Block && skip_word(text, body, "raw").is_some() {
            let Some((open, close)) = raw_block(text, start, body, dash_start) else {
                return tags;
            };
            at = close.outer.end;
            tags.extend([open, close]);
            continue;
        }
        let end = match kind {
            TagKind::Comment => comment_end(text, body),
            TagKind::Block | TagKind::Variable => expression_end(text, body, kind.delimiters().1),
        };
        let Some((inner_end, dash_end)) = end else {
            return tags;
        };
        at = inner_end + usize::from(dash_end) + 2;
        tags.push(Tag {
            kind,
            outer: start..at,
            inner: body..inner_end,
            dash_start,
            dash_end,
        });
    }
    tags
}

/// Returns where the tag starts at which the scan stopped, if it did.
pub(super) fn unclosed(text: &str, tags: &[Tag]) -> Option<(usize, TagKind)> {
    next_start(text, tags.last().map_or(0, |tag| tag.outer.end))
}

fn next_start(text: &str, from: usize) -> Option<(usize, TagKind)> {
    let hashes = text.get(from..)?.match_indices('#');
    let mut starts = hashes.map(|(at, _)| from + at);
    starts.find_map(|at| match text.as_bytes().get(at + 1)? {
        b'{' => Some((at, TagKind::Variable)),
        b'%' => Some((at, TagKind::Block)),
        b'|' => Some((at, TagKind::Comment)),
        _ => None,
    })
}

/// Returns where the inside of a comment ends, and whether a dash follows.
fn comment_end(text: &str, body: usize) -> Option<(usize, bool)> {
    let close = body + text[body..].find(COMMENT.1)?;
    let dash = close > body && text.as_bytes()[close - 1] == b'-';
    Some((close - usize::from(dash), dash))
}

/// Returns where the inside of a tag ends, and whether a dash follows; strings hide delimiters.
fn expression_end(text: &str, body: usize, close: &str) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let close = close.as_bytes();
    let mut at = body;
    while at < bytes.len() {
        if bytes[at] == b'-' && bytes[at + 1..].starts_with(close) {
            return Some((at, true));
        }
        if bytes[at..].starts_with(close) {
            return Some((at, false));
        }
        at += match bytes[at] {
            b'"' | b'\'' | b'`' => string_length(&bytes[at..])?,
            _ => 1,
        };
    }
    None
}

/// Returns the length of the string literal at the start, with its quotes.
pub(super) fn string_length(bytes: &[u8]) -> Option<usize> {
    let quote = *bytes.first()?;
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Reads `-? word -? %#` and returns where the inside ends, whether a dash follows, and the end.
fn skip_word(text: &str, from: usize, word: &str) -> Option<(usize, bool, usize)> {
    let rest = &text[from..];
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let space = |c: char| c.is_ascii_whitespace();
    let rest = rest
        .trim_start_matches(space)
        .strip_prefix(word)?
        .trim_start_matches(space);
    let inner_end = text.len() - rest.len();
    let dash = rest.starts_with('-');
    let rest = rest
        .strip_prefix('-')
        .unwrap_or(rest)
        .strip_prefix(BLOCK.1)?;
    Some((inner_end, dash, text.len() - rest.len()))
}

fn raw_block(text: &str, start: usize, body: usize, dash_start: bool) -> Option<(Tag, Tag)> {
    let (inner_end, dash_end, end) = skip_word(text, body, "raw")?;
    let open = Tag {
        kind: TagKind::Block,
        outer: start..end,
        inner: body..inner_end,
        dash_start,
        dash_end,
    };
    let mut at = end;
    loop {
        let found = at + text[at..].find(BLOCK.0)?;
        at = found + 2;
        if let Some((inner_end, dash_end, end)) = skip_word(text, at, "endraw") {
            let dash_start = text.as_bytes().get(at) == Some(&b'-');
            let close = Tag {
                kind: TagKind::Block,
                outer: found..end,
                inner: at + usize::from(dash_start)..inner_end,
                dash_start,
                dash_end,
            };
            return Some((open, close));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outers(text: &str) -> Vec<&str> {
        scan(text).into_iter().map(|tag| &text[tag.outer]).collect()
    }

    #[test]
    fn strings_hide_delimiters() {
        let text = r#"a #{ "}#" }# b #% set x = '%#\'' %# c"#;
        assert_eq!(outers(text), [r#"#{ "}#" }#"#, r"#% set x = '%#\'' %#"]);
    }

    #[test]
    fn a_map_literal_may_touch_the_end() {
        assert_eq!(
            outers(r#"#{ {"a":{"b":1}}}# }#"#),
            [r#"#{ {"a":{"b":1}}}#"#]
        );
    }

    #[test]
    fn nothing_inside_a_raw_block_is_a_tag() {
        let text = "#%- raw -%# #{ x }# #% if %# #%- endraw %##{ y }#";
        assert_eq!(outers(text), ["#%- raw -%#", "#%- endraw %#", "#{ y }#"]);
    }

    #[test]
    fn a_comment_ends_at_the_first_end() {
        assert_eq!(outers("#| a \" |# b |#"), ["#| a \" |#"]);
    }

    #[test]
    fn stops_at_a_tag_that_never_ends() {
        assert_eq!(outers("#{ a }# #% if x"), ["#{ a }#"]);
        assert_eq!(outers("#{ \"a }#"), Vec::<&str>::new());
        assert_eq!(outers("#% raw %# x"), Vec::<&str>::new());
    }

    #[test]
    fn reads_the_target_of_an_include() {
        let text = "#% include \"_a/b.tera\" %#";
        let tag = &scan(text)[0];
        assert_eq!(tag.keyword(text), "include");
        assert_eq!(tag.target(text).unwrap().0, "_a/b.tera");
    }
}
