//! Sandboxes for the real binary, and the real tools that decide what is correct.

mod oracle;
mod sandbox;

pub(crate) use oracle::oracle;
pub(crate) use sandbox::{Run, Sandbox};
