//! The crate against Jinja2.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reads files and its environment"
)]

mod case;
mod engine;
mod foreign;
mod hostile;
mod lines;
mod oracle;
mod random;
mod vectors;
