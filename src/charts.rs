//! What is known of Helm charts, and of the releases that install them.
//!
//! A [`profile`] says what a chart renders and which value reaches what; a [`Release`] lays its values and
//! the patches of its post-renderers over that. The [`workload`](crate::workload) room makes pods of both.

pub mod codes;
pub mod dead_value;
pub mod naming;
pub mod post_renderer;
pub mod profile;
pub mod release;
pub mod values;

pub use profile::Profiles;
pub use release::Release;
