//! Findings of `kiln check` in the forms of other programs, and what could not be judged.

pub mod junit;
pub mod sarif;
pub mod unjudged;
