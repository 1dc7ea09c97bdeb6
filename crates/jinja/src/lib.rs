//! Renders templates byte for byte as Python's Jinja2 3.1.6 does.
//!
//! Templates are read by Jinja2's own grammar and run by its rules of scopes, inheritance and undefined values;
//! numbers, texts, lists and dicts behave and print as Python's. Each line of the output knows the line of the template
//! that it comes from ([`Printed::lines`]), and errors point into what the user wrote. Values are MiniJinja's
//! [`Value`], with objects of this crate for what MiniJinja does not have.
//!
//! ```
//! use std::sync::Arc;
//!
//! use jinja::{Engine, Loader, Syntax, UndefinedMode, Value, value};
//!
//! let loader: Loader = Arc::new(|name| (name == "greeting").then(|| Arc::from("Hello {{ '%s!' % name|title }}")));
//! let engine = Engine::new(Syntax::default(), UndefinedMode::Strict, loader);
//! let context = value::dict(vec![(Value::from("name"), Value::from("ada lovelace"))]);
//! let printed = engine.render("greeting", &context)?;
//! assert_eq!(printed.text, "Hello Ada Lovelace!");
//! assert_eq!(printed.lines[0].line, 1);
//! # Ok::<(), jinja::TemplateError>(())
//! ```
//!
//! The statements `do`, `break` and `continue` are always there. What cannot be had is
//! [`ErrorKind::Unsupported`], at [`Engine::load`] where it can be seen there: the statements of the extensions `i18n`
//! and `debug`, attributes such as `__class__`, `lipsum` and `random`, which print something else each time, complex
//! numbers. Two things differ that no ordinary template shows: filters that give generators (`map`, `select` and their
//! like) do their work at once, and a loop goes through its items as they are when it starts.

#![expect(
    clippy::unnecessary_box_returns,
    reason = "errors travel boxed, so that results stay small"
)]

mod arguments;
mod brace_format;
mod callable;
mod engine;
mod error;
mod filter;
pub mod foreign;
mod function;
mod interpreter;
mod lexer;
mod limits;
mod method;
mod number_format;
mod operator;
mod output;
mod parser;
mod percent_format;
mod predicate;
mod scope_analysis;
mod sequence;
mod source;
mod syntax;
mod syntax_tree;
mod text;
mod token;
pub mod value;

pub use callable::{CallError, Callable};
pub use engine::{Engine, Loader};
pub use error::{ErrorKind, ExceededLimit, TemplateError};
pub use limits::Limits;
pub use output::{LineOrigin, Printed};
pub use syntax::{Syntax, UndefinedMode};
pub use value::Value;
