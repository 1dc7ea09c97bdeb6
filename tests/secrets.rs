//! Secrets by where they come from and where they flow.

mod flows;
mod guard;
mod messages;
pub(crate) mod project;
mod pull_request;

pub(crate) use project::IDENTITY;
