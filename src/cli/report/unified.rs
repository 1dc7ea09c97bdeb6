//! Changes of files as a unified diff, which `git apply` takes.

use std::collections::BTreeMap;

use similar::{ChangeTag, TextDiff};

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
        let diff = TextDiff::from_lines(*before, *after);
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            page.styled(CYAN, hunk.header());
            for change in hunk.iter_changes() {
                let text = change.value();
                let line = text.strip_suffix('\n').unwrap_or(text);
                let (style, sign) = match change.tag() {
                    ChangeTag::Delete => (RED, '-'),
                    ChangeTag::Insert => (GREEN, '+'),
                    ChangeTag::Equal => ("", ' '),
                };
                page.file_line(style, sign, line);
                if change.missing_newline() {
                    page.line("\\ No newline at end of file");
                }
            }
        }
    }
    page.finish()
}
