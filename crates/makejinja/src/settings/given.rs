//! What the sources give, before it is of the kind that an option takes.

use std::collections::BTreeMap;

use crate::data::Data;
use crate::problem::{Origin, Problem};

/// The value of the last source that gives each option, and what is wrong with the sources.
#[derive(Default)]
pub(super) struct GivenOptions {
    pub(super) values: BTreeMap<&'static str, GivenValue>,
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<Problem>,
}

/// A value with its place.
#[derive(Clone)]
pub(super) struct GivenValue {
    pub(super) content: GivenContent,
    pub(super) origin: Origin,
    /// The folder that relative paths count from.
    pub(super) folder: String,
}

#[derive(Clone)]
pub(super) enum GivenContent {
    Scalar(Data),
    List(Vec<GivenValue>),
    Table(Vec<(String, GivenValue)>),
}

impl GivenValue {
    /// Makes a text given outside of a settings file.
    pub(super) fn text(text: &str, origin: Origin) -> Self {
        Self {
            content: GivenContent::Scalar(Data::Text(text.to_owned())),
            origin,
            folder: String::new(),
        }
    }
}
