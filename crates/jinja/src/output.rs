//! What is printed, with the line of a template that each of its lines comes from.

use std::sync::Arc;

use crate::error::Outcome;
use crate::limits::Budget;

/// What a template renders to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The text, byte for byte as Jinja2 prints it.
    pub text: String,
    /// For each line of [`text`](Self::text), as [`str::lines`] counts them, what printed its first character.
    ///
    /// Lines of a macro, an include or a block are its own. Lines that went through a filter are their own as long as
    /// the filter keeps their number (`indent`, `upper`, `replace`), else the line on which the filter stands.
    pub lines: Vec<LineOrigin>,
}

/// A line of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOrigin {
    /// The name of the template.
    pub template: Arc<str>,
    /// The line in it, from 1.
    pub line: usize,
}

/// Text that is being printed.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) lines: Vec<LineOrigin>,
}

impl Output {
    fn is_at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    /// Prints a text whose lines come from lines in a row of a template.
    pub(crate) fn push_text(
        &mut self,
        text: &str,
        origin: &LineOrigin,
        budget: &mut Budget,
    ) -> Outcome<()> {
        self.push(text, budget, |index| LineOrigin {
            template: Arc::clone(&origin.template),
            line: origin.line + index,
        })
    }

    /// Prints a value, whose lines come from these if they are known, else from one line of a template.
    pub(crate) fn push_value(
        &mut self,
        text: &str,
        lines: &[LineOrigin],
        origin: &LineOrigin,
        budget: &mut Budget,
    ) -> Outcome<()> {
        self.push(text, budget, |index| {
            lines.get(index).or(lines.last()).unwrap_or(origin).clone()
        })
    }

    fn push(
        &mut self,
        text: &str,
        budget: &mut Budget,
        origin: impl Fn(usize) -> LineOrigin,
    ) -> Outcome<()> {
        budget.check_size(self.text.len() + text.len())?;
        budget.reserve(text.len())?;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if self.is_at_line_start() {
                self.lines.push(origin(index));
            }
            self.text.push_str(line);
        }
        Ok(())
    }
}
