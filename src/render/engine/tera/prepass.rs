//! Lets a tag or comment that stands alone on its line take the whole line with it.
//!
//! Tera has no such option, so the white space around the tag moves inside it, where Tera skips it:
//! `␣␣#% if a %#⏎` becomes `#%␣␣ if a ⏎%#`. Byte length and line numbers stay, so that a span in the
//! prepared text is one in the text that the user wrote.

use super::scan::{Tag, TagKind};
use super::sourcemap::IncludeIndents;

/// Prepares a template whose tags are `tags`.
///
/// The result has the same length and the same line breaks in the same order. Tags that share a line
/// with text or with an expression are left alone; several tags on one line count as one.
pub(super) fn prepare(text: &str, tags: &[Tag]) -> String {
    let mut prepared = String::with_capacity(text.len());
    let mut copied = 0;
    let mut first = 0;
    while first < tags.len() {
        let Some(run) = run_at(text, tags, first) else {
            first += 1;
            continue;
        };
        prepared.push_str(&text[copied..run.start]);
        copied = run.end;
        let mut before = &text[run.start..tags[first].outer.start];
        for index in first..run.next {
            let tag = &tags[index];
            let until = if index + 1 < run.next {
                tags[index + 1].outer.start
            } else {
                run.end
            };
            push_tag(
                &mut prepared,
                text,
                tag,
                before,
                &text[tag.outer.end..until],
            );
            before = "";
        }
        first = run.next;
    }
    prepared.push_str(&text[copied..]);
    prepared
}

/// Finds the includes that stand alone on an indented line.
///
/// One with a dash before it goes on where the text before it ended, and is left out.
pub(super) fn include_indents(text: &str, tags: &[Tag]) -> IncludeIndents {
    let mut indents = IncludeIndents::new();
    for first in 0..tags.len() {
        let Some(run) = run_at(text, tags, first) else {
            continue;
        };
        let by = &text[run.start..tags[first].outer.start];
        let included = (first..run.next).filter(|index| tags[*index].keyword(text) == "include");
        let dashed = tags[first..run.next].iter().any(|tag| tag.dash_start);
        if !by.is_empty() && !dashed {
            indents.extend(included.map(|index| (index, by.to_owned())));
        }
    }
    indents
}

/// Tags that have their line, or lines, for themselves.
struct LoneTags {
    /// The start of the line.
    start: usize,
    /// Behind the line break, or the end of the text.
    end: usize,
    /// The index of the first tag behind.
    next: usize,
}

fn run_at(text: &str, tags: &[Tag], first: usize) -> Option<LoneTags> {
    let tag = &tags[first];
    let before = &text[..tag.outer.start];
    let start = before.trim_end_matches([' ', '\t']).len();
    let at_line_start = start == 0 || before.as_bytes()[start - 1] == b'\n';
    let behind_last = first == 0 || tags[first - 1].outer.end <= start;
    if !at_line_start || !behind_last {
        return None;
    }
    let mut next = first;
    loop {
        let tag = tags.get(next).filter(|tag| tag.kind != TagKind::Variable)?;
        next += 1;
        let rest = &text[tag.outer.end..];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let end = text.len() - trimmed.len();
        if tags.get(next).is_some_and(|tag| tag.outer.start == end) {
            continue;
        }
        let line_break = match trimmed {
            "" => 0,
            line if line.starts_with('\n') => 1,
            line if line.starts_with("\r\n") => 2,
            _ => return None,
        };
        return Some(LoneTags {
            start,
            end: end + line_break,
            next,
        });
    }
}

fn push_tag(prepared: &mut String, text: &str, tag: &Tag, before: &str, after: &str) {
    prepared.push_str(&text[tag.outer.start..tag.inner.start]);
    prepared.push_str(before);
    prepared.push_str(&text[tag.inner.clone()]);
    prepared.push_str(after);
    prepared.push_str(&text[tag.inner.end..tag.outer.end]);
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::prepare;
    use proptest::prelude::*;

    fn prepared(text: &str) -> String {
        prepare(text, &scan(text))
    }

    #[test]
    fn moves_the_white_space_of_a_lone_tag_inside() {
        assert_eq!(prepared("a\n  #% if x %#\nb\n"), "a\n#%   if x \n%#b\n");
        assert_eq!(prepared("\t#|- x -|# \r\nb"), "#|-\t x  \r\n-|#b");
    }

    #[test]
    fn takes_the_last_line_without_a_line_break() {
        assert_eq!(prepared("a\n  #% endif %#"), "a\n#%   endif %#");
    }

    #[test]
    fn leaves_tags_beside_text_alone() {
        for text in [
            "a #% if x %#\n",
            "#% if x %# b\n",
            "  #{ x }#\n",
            "#| a |##{ x }#\n",
            "x #% if\n y %#\n",
        ] {
            assert_eq!(prepared(text), text);
        }
    }

    #[test]
    fn counts_several_tags_on_a_line_as_one() {
        assert_eq!(
            prepared("  #% else %# #| n |#\nb"),
            "#%   else  %##| n \n|#b"
        );
    }

    #[test]
    fn a_tag_over_several_lines_takes_them_all() {
        assert_eq!(
            prepared(" #% set x = [\n  1\n ] %#\nb"),
            "#%  set x = [\n  1\n ] \n%#b"
        );
    }

    proptest! {
        #[test]
        fn keeps_length_and_line_breaks(
            pieces in proptest::collection::vec(
                prop::sample::select(vec![
                    " ", "\t", "\n", "\r\n", "a", "ü", "#%", "%#", "#{", "}#", "#|", "|#", "-", "\"", "'", " if x ",
                    " raw ", " endraw ", "#% raw %#", "#% endraw %#", "\\", "#% endif %#", "#| c |#", "#{ v }#",
                ]),
                0..40,
            )
        ) {
            let text: String = pieces.concat();
            let result = prepared(&text);
            prop_assert_eq!(result.len(), text.len());
            prop_assert_eq!(
                result.bytes().filter(|b| *b == b'\n').count(),
                text.bytes().filter(|b| *b == b'\n').count()
            );
            prop_assert_eq!(scan(&result).len(), scan(&text).len());
            let mut letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
            let mut kept: Vec<char> = result.chars().filter(|c| !c.is_whitespace()).collect();
            letters.sort_unstable();
            kept.sort_unstable();
            prop_assert_eq!(letters, kept);
        }
    }
}
