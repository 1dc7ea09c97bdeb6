//! What files say, in every form that Kiln prints: none of it is Markdown, HTML, a workflow command or an order
//! to a terminal.

mod commands;
mod log;
mod markdown;
mod messages;
mod names;
mod page;
mod poison;
