//! The values that a chart knows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::yaml;

type KnownKeys = BTreeMap<String, ChartKnownValues>;

/// The values that a chart knows at one place.
#[derive(Clone, Debug)]
pub struct ChartKnownValues(KnownState);

#[derive(Clone, Debug)]
enum KnownState {
    Any,
    Keys(KnownKeys),
    /// As they were packed, and the keys once somebody asks: a chart has thousands, of which a release sets few.
    Packed(&'static [u8], OnceLock<Option<KnownKeys>>),
}

impl ChartKnownValues {
    /// Whatever stands here is used: a scalar, a list, or a mapping that the chart takes whole.
    pub fn any() -> Self {
        Self(KnownState::Any)
    }

    /// Only these keys are.
    pub fn only(keys: BTreeMap<String, Self>) -> Self {
        Self(KnownState::Keys(keys))
    }

    /// The keys of a mapping that was packed, or any where it was none.
    pub(super) fn packed(bytes: &'static [u8]) -> Self {
        Self(KnownState::Packed(bytes, OnceLock::new()))
    }

    /// Returns the keys that are used, with what is known below; `None` when any is.
    pub fn keys(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.0 {
            KnownState::Any => None,
            KnownState::Keys(keys) => Some(keys),
            KnownState::Packed(bytes, keys) => keys
                .get_or_init(|| {
                    let entries = yaml::unpack_entries(bytes)?.into_iter();
                    Some(
                        entries
                            .map(|(key, value)| (key.to_owned(), Self::packed(value)))
                            .collect(),
                    )
                })
                .as_ref(),
        }
    }
}
