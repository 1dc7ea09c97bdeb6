//! Texts of several lines, compared line by line.

use similar::{ChangeTag, TextDiff};

/// How many unchanged lines stand around a change.
const CONTEXT: usize = 3;

/// Lines that differ, with a few around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The first line on the old side, counted from 1.
    pub before: usize,
    /// The first line on the new side, counted from 1.
    pub after: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a hunk, without its line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub mark: Mark,
    /// Its text.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It stands on both sides.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl Mark {
    /// Returns the sign in front of the line.
    pub fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

/// Compares two texts.
pub(super) fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(before, after);
    let groups = diff.grouped_ops(CONTEXT);
    let hunk = |ops: &Vec<similar::DiffOp>| {
        let changes = ops.iter().flat_map(|op| diff.iter_changes(op));
        let lines = changes.map(|change| Line {
            mark: match change.tag() {
                ChangeTag::Equal => Mark::Same,
                ChangeTag::Insert => Mark::Added,
                ChangeTag::Delete => Mark::Removed,
            },
            text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
        });
        Hunk {
            before: ops.first().map_or(0, |op| op.old_range().start) + 1,
            after: ops.first().map_or(0, |op| op.new_range().start) + 1,
            lines: lines.collect(),
        }
    };
    groups.iter().map(hunk).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_three_lines_around_a_change() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let found = hunks(before, &before.replace("e\n", "E\n"));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].before, found[0].after), (2, 2));
        let shown: Vec<String> = found[0]
            .lines
            .iter()
            .map(|line| format!("{}{}", line.mark.sign(), line.text))
            .collect();
        assert_eq!(shown, [" b", " c", " d", "-e", "+E", " f", " g", " h"]);
    }

    #[test]
    fn equal_texts_have_no_hunk() {
        assert!(hunks("a\n", "a\n").is_empty());
    }
}
