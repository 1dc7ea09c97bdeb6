//! Projects of makejinja, held against makejinja itself.

mod both;
mod corpus;
mod generated;
mod grammar;
pub(crate) mod process;
mod projects;
