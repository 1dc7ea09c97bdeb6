//! Field specs.

use super::field::Field;
use super::place::Place;
use super::problem::Findings;

#[derive(Clone, Debug, Default)]
pub(crate) struct TransformerConfig {}

impl TransformerConfig {
    pub(crate) fn empty() -> Self {
        Self {}
    }

    pub(crate) fn read(_: &Field, _: &mut Findings) -> Self {
        Self {}
    }

    pub(crate) fn read_definitions(_: &Field, _: &mut Findings) -> Self {
        Self {}
    }

    pub(crate) fn merge(&mut self, _: &Self, _: &Place, _: &mut Findings) {}
}
