//! Texts of several lines, compared line by line.

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

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
    pub lines: Vec<HunkLine>,
}

/// A line of a hunk, without its line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HunkLine {
    /// What became of it.
    pub mark: LineMark,
    /// Its text.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineMark {
    /// It stands on both sides.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl LineMark {
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
    let (old, new) = (lines(before), lines(after));
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let hunk = |ops: &Vec<DiffOp>| Hunk {
        before: ops.first().map_or(0, |op| op.old_range().start) + 1,
        after: ops.first().map_or(0, |op| op.new_range().start) + 1,
        lines: ops.iter().flat_map(|op| shown(op, &old, &new)).collect(),
    };
    let groups = group_diff_ops(ops, CONTEXT);
    groups.iter().map(hunk).collect()
}

/// Splits a text into lines with their breaks: the break itself is a difference.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn shown(op: &DiffOp, old: &[&str], new: &[&str]) -> Vec<HunkLine> {
    let marked = |mark: LineMark, lines: &[&str]| -> Vec<HunkLine> {
        let text = |line: &&str| line.trim_end_matches(['\n', '\r']).to_owned();
        let lines = lines.iter().map(text);
        lines.map(|text| HunkLine { mark, text }).collect()
    };
    let (gone, come) = (&old[op.old_range()], &new[op.new_range()]);
    match op.tag() {
        DiffTag::Equal => marked(LineMark::Same, gone),
        _ => [
            marked(LineMark::Removed, gone),
            marked(LineMark::Added, come),
        ]
        .concat(),
    }
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

    /// Applies hunks to a text, so that they prove themselves.
    fn applied(before: &str, found: &[Hunk]) -> String {
        let old: Vec<&str> = before.lines().collect();
        let mut text = String::new();
        let mut at = 0;
        let mut put = |line: &str| text.extend([line, "\n"]);
        for hunk in found {
            old[at..hunk.before - 1].iter().for_each(|line| put(line));
            at = hunk.before - 1;
            for line in &hunk.lines {
                if line.mark != LineMark::Added {
                    assert_eq!(old[at], line.text);
                    at += 1;
                }
                if line.mark != LineMark::Removed {
                    put(&line.text);
                }
            }
        }
        old[at..].iter().for_each(|line| put(line));
        text
    }

    #[test]
    fn long_texts_are_compared_in_time_however_they_differ() {
        let before: Vec<String> = (0..20_000).map(|n| format!("line {n}\n")).collect();
        let one = |n: usize| {
            if n == 9_000 {
                "other\n".to_owned()
            } else {
                before[n].clone()
            }
        };
        let cases: [(&str, String, usize); 5] = [
            ("one line", (0..20_000).map(one).collect(), 8),
            ("nothing alike", format!("x{}", before.join("x")), 40_000),
            // 7919 is prime: all lines are there, each somewhere else.
            (
                "shuffled",
                (0..20_000)
                    .map(|n| before[n * 7919 % 20_000].clone())
                    .collect(),
                40_000,
            ),
            ("one of all lines", "same\n".repeat(20_000), 40_000),
            ("nothing", String::new(), 20_000),
        ];
        let before = before.concat();
        for (case, after, most) in cases {
            let found = hunks(&before, &after);
            assert!(applied(&before, &found) == after, "{case}");
            let lines: usize = found.iter().map(|hunk| hunk.lines.len()).sum();
            assert!(lines <= most, "{case}: {lines}");
        }
        let (many, more) = ("a\nb\n".repeat(5_000), "b\na\na\n".repeat(4_000));
        assert!(applied(&many, &hunks(&many, &more)) == more);
    }

    #[test]
    fn equal_texts_have_no_hunk() {
        assert!(hunks("a\n", "a\n").is_empty());
    }
}
