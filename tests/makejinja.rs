//! Projects of makejinja, held against makejinja itself.

mod both;
mod generated;
mod grammar;
