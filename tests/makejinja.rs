//! Projects of makejinja, held against makejinja itself.

mod both;
mod corpus;
mod generated;
mod grammar;
mod process;
mod projects;
