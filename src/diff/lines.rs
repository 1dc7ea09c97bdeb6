//! Texts of several lines, compared line by line.

use std::collections::BTreeMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

/// How many unchanged lines stand around a change.
const CONTEXT: usize = 3;

/// How many pairs of lines are searched for the shortest difference. Texts of which nothing is alike cost
/// about that much; beyond it, lines that both have once are taken as fixed points first.
const PAIRS: usize = 1 << 22;

/// How often fixed points are looked for between fixed points.
const DEPTH: usize = 8;

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
    let mut script = Script {
        old: &old,
        new: &new,
        ops: Vec::new(),
    };
    script.compare(0..old.len(), 0..new.len(), DEPTH);
    let hunk = |ops: &Vec<DiffOp>| Hunk {
        before: ops.first().map_or(0, |op| op.old_range().start) + 1,
        after: ops.first().map_or(0, |op| op.new_range().start) + 1,
        lines: ops.iter().flat_map(|op| shown(op, &old, &new)).collect(),
    };
    let groups = group_diff_ops(script.ops, CONTEXT);
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

/// What makes one list of lines of another.
struct Script<'t> {
    old: &'t [&'t str],
    new: &'t [&'t str],
    ops: Vec<DiffOp>,
}

impl Script<'_> {
    /// Adds what differs in two ranges, in time that their product does not bound.
    fn compare(&mut self, old: Range<usize>, new: Range<usize>, depth: usize) {
        let alike = |pair: &(&&str, &&str)| pair.0 == pair.1;
        let (left, right) = (&self.old[old.clone()], &self.new[new.clone()]);
        let head = left.iter().zip(right).take_while(alike).count();
        let (left, right) = (&left[head..], &right[head..]);
        let ends = left.iter().rev().zip(right.iter().rev());
        let tail = ends.take_while(alike).count();
        self.equal(old.start, new.start, head);
        let (old, new) = (
            old.start + head..old.end - tail,
            new.start + head..new.end - tail,
        );
        if old.len().saturating_mul(new.len()) <= PAIRS {
            let (left, right) = (&self.old[old.clone()], &self.new[new.clone()]);
            for op in capture_diff_slices(Algorithm::Myers, left, right) {
                self.push(moved(op, old.start, new.start));
            }
        } else {
            let mut at = (old.start, new.start);
            let points = match depth {
                0 => Vec::new(),
                _ => self.fixed_points(old.clone(), new.clone()),
            };
            let left = depth.saturating_sub(usize::from(!points.is_empty()));
            for &(here, there) in &points {
                self.compare(at.0..here, at.1..there, left);
                self.equal(here, there, 1);
                at = (here + 1, there + 1);
            }
            if points.is_empty() {
                self.push(DiffOp::Replace {
                    old_index: old.start,
                    old_len: old.len(),
                    new_index: new.start,
                    new_len: new.len(),
                });
            } else {
                self.compare(at.0..old.end, at.1..new.end, left);
            }
        }
        self.equal(old.end, new.end, tail);
    }

    /// Lists the most lines that both ranges have once, in the order of both.
    fn fixed_points(&self, old: Range<usize>, new: Range<usize>) -> Vec<(usize, usize)> {
        let once = |lines: &[&str], range: Range<usize>| {
            let mut found: BTreeMap<String, Option<usize>> = BTreeMap::new();
            for at in range {
                let seen = found.entry(lines[at].to_owned());
                seen.and_modify(|at| *at = None).or_insert(Some(at));
            }
            found
        };
        let there = once(self.new, new);
        let mut pairs: Vec<(usize, usize)> = once(self.old, old)
            .into_iter()
            .filter_map(|(line, at)| Some((at?, (*there.get(&line)?)?)))
            .collect();
        pairs.sort_unstable();
        longest_rise(&pairs)
    }

    fn equal(&mut self, old_index: usize, new_index: usize, len: usize) {
        self.push(DiffOp::Equal {
            old_index,
            new_index,
            len,
        });
    }

    /// Adds a step, joined with the one before where both leave lines as they are.
    fn push(&mut self, op: DiffOp) {
        if op.old_range().is_empty() && op.new_range().is_empty() {
            return;
        }
        if let (Some(DiffOp::Equal { len, .. }), DiffOp::Equal { len: more, .. }) =
            (self.ops.last_mut(), op)
        {
            *len += more;
        } else {
            self.ops.push(op);
        }
    }
}

/// Finds the longest list of pairs that rises in both numbers; the pairs come sorted by the first.
fn longest_rise(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair that ends a rise of it lowest, and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < pair.1);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut found = Vec::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        found.push(pairs[at]);
        next = before[at];
    }
    found.reverse();
    found
}

/// Moves a step to where its ranges start.
fn moved(op: DiffOp, old: usize, new: usize) -> DiffOp {
    match op {
        DiffOp::Equal {
            old_index,
            new_index,
            len,
        } => DiffOp::Equal {
            old_index: old_index + old,
            new_index: new_index + new,
            len,
        },
        DiffOp::Delete {
            old_index,
            old_len,
            new_index,
        } => DiffOp::Delete {
            old_index: old_index + old,
            old_len,
            new_index: new_index + new,
        },
        DiffOp::Insert {
            old_index,
            new_index,
            new_len,
        } => DiffOp::Insert {
            old_index: old_index + old,
            new_index: new_index + new,
            new_len,
        },
        DiffOp::Replace {
            old_index,
            old_len,
            new_index,
            new_len,
        } => DiffOp::Replace {
            old_index: old_index + old,
            old_len,
            new_index: new_index + new,
            new_len,
        },
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
