//! The text of a template, and where its bytes and lines are in what the user wrote.

use std::ops::Range;
use std::sync::Arc;

/// The text of a template with its line breaks made one byte each.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: String,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Where a line break had one byte more.
    shortened: Vec<usize>,
}

impl Source {
    pub(crate) fn new(name: Arc<str>, original: &str, keep_trailing_newline: bool) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut shortened = Vec::new();
        let mut rest = original;
        while let Some(at) = rest.find('\r') {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            if after.starts_with("\r\n") {
                shortened.push(text.len());
                rest = after.get(2..).unwrap_or_default();
            } else {
                rest = after.get(1..).unwrap_or_default();
            }
            text.push('\n');
        }
        text.push_str(rest);
        if !keep_trailing_newline && text.ends_with('\n') {
            text.pop();
        }
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            name,
            text,
            lines,
            shortened,
        }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// The same bytes in what the user wrote.
    pub(crate) fn original(&self, span: &Range<usize>) -> Range<usize> {
        let shift = |at: usize| at + self.shortened.partition_point(|place| *place < at);
        shift(span.start)..shift(span.end)
    }
}
