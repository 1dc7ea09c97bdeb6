//! The crate against CPython's Jinja2.

mod case;
mod engine;
mod hostile;
mod lines;
mod oracle;
mod random;
mod vectors;
