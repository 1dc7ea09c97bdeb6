//! Sandboxes for the real binary, and the real tools that decide what is correct.

mod browser;
mod oracle;
mod report;
mod sandbox;

pub(crate) use browser::{browser, looking};
pub(crate) use oracle::oracle;
pub(crate) use report::{REPORTS, judge_report, write_report};
pub(crate) use sandbox::{Run, Sandbox};
