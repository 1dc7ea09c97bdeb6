//! What a run did, or would do, for the summary.

use crate::write::journal::Recovery;

/// What a run does to the outputs; every list is sorted and as the project names the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteReport {
    /// Outputs that were not there.
    pub created: Vec<String>,
    /// Outputs with new content.
    pub changed: Vec<String>,
    /// Those of `changed` that were not Kiln's.
    pub taken_over: Vec<String>,
    /// Outputs that are left out, as a file of somebody else is in their place.
    pub left_out: Vec<String>,
    /// Outputs that are as they should be and are not touched.
    pub unchanged: Vec<String>,
    /// Outputs of earlier runs that no template makes any more.
    pub removed: Vec<String>,
    /// Outputs that were edited by hand and are kept so.
    pub edited: Vec<String>,
    /// Whether `kiln.lock` gets new content.
    pub lock_changed: bool,
    /// What became of an earlier run that was killed.
    pub recovery: Recovery,
}

impl WriteReport {
    /// Returns whether the disk holds just what the templates make.
    pub fn is_clean(&self) -> bool {
        let Self {
            created,
            changed,
            removed,
            edited,
            lock_changed,
            ..
        } = self;
        !lock_changed
            && [created, changed, removed, edited]
                .iter()
                .all(|list| list.is_empty())
    }
}
