//! Sandboxes for the real binary, and the real tools that decide what is correct.

mod oracle;
mod sandbox;

pub use oracle::oracle;
pub use sandbox::Sandbox;
