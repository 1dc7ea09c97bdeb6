//! Sandboxes for the real binary, and the real tools that decide what is correct.

mod browser;
mod oracle;
mod sandbox;

pub(crate) use browser::{browser, looking};
pub(crate) use oracle::oracle;
pub(crate) use sandbox::{Run, Sandbox};
