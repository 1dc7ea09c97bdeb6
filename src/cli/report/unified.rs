//! Changes of files as a unified diff, which `git apply` takes.

use std::collections::BTreeMap;
use std::ops::Range;

use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};

use super::shown::Shown;
use super::shown::terminal::TerminalPage;

/// How many lines around a change are shown.
const CONTEXT: usize = 3;

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const BOLD: &str = "\u{1b}[1m";
const CYAN: &str = "\u{1b}[36m";

/// Renders changes by path: the text before, empty for a new file, and after.
pub fn render(changes: &BTreeMap<&str, (&str, &str)>, color: bool) -> Shown {
    let mut page = TerminalPage::new(color);
    for (path, (before, after)) in changes {
        let old = match *before {
            "" => "/dev/null".to_owned(),
            _ => format!("a/{path}"),
        };
        page.styled(BOLD, format_args!("diff --git a/{path} b/{path}"));
        if before.is_empty() {
            page.styled(BOLD, "new file mode 100644");
        }
        page.styled(BOLD, format_args!("--- {old}"));
        page.styled(BOLD, format_args!("+++ b/{path}"));
        let [old, new] = [before, after].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
        let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
        for hunk in group_diff_ops(ops, CONTEXT) {
            page.styled(CYAN, header(&hunk));
            for change in hunk.iter().flat_map(|op| op.iter_changes(&old, &new)) {
                let (style, sign) = match change.tag() {
                    ChangeTag::Delete => (RED, '-'),
                    ChangeTag::Insert => (GREEN, '+'),
                    ChangeTag::Equal => ("", ' '),
                };
                let text = change.value();
                let line = text.strip_suffix('\n');
                page.file_line(style, sign, line.unwrap_or(text));
                if line.is_none() {
                    page.line("\\ No newline at end of file");
                }
            }
        }
    }
    page.finish()
}

/// Names the lines of a hunk as POSIX writes them: `@@ -1,7 +1,8 @@`, and `0,0` for none at the start.
fn header(hunk: &[DiffOp]) -> String {
    let range = |side: fn(&DiffOp) -> Range<usize>| {
        let start = hunk.first().map_or(0, |op| side(op).start);
        let end = hunk.last().map_or(0, |op| side(op).end);
        match end - start {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            count => format!("{},{count}", start + 1),
        }
    };
    let (old, new) = (range(DiffOp::old_range), range(DiffOp::new_range));
    format!("@@ -{old} +{new} @@")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use similar::TextDiff;

    use super::*;

    proptest! {
        #[test]
        fn is_what_a_library_writes(before in "([ab]\n){1,12}[ab]?", after in "([ab]\n){0,12}[ab]?") {
            let shown = render(&BTreeMap::from([("x", (&*before, &*after))]), false);
            let diff = TextDiff::from_lines(&before, &after);
            let theirs = diff.unified_diff().context_radius(CONTEXT).header("a/x", "b/x").to_string();
            let head = "diff --git a/x b/x\n";
            let ours = shown.as_str().strip_prefix(head).unwrap();
            if before == after {
                prop_assert_eq!(ours, "--- a/x\n+++ b/x\n");
            } else {
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
