//! Secrets by where they come from and where they flow.

mod flows;
mod guard;
mod project;
mod pull_request;
