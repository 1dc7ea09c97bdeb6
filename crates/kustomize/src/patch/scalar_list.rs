//! Lists of scalars that are merged by value, such as `finalizers`.

use std::collections::BTreeSet;

use super::super::field::Field;
use super::super::problem::{Problem, ProblemKind};
use super::strategic_merge::shape_name;

/// Merges two lists of scalars: those of the patch first, no value twice, no nulls.
///
/// Without a patch the list is merged with itself.
///
/// # Errors
/// An item is a mapping or a list.
pub(super) fn merge_scalar_list(
    target: Vec<Field>,
    patch: Option<Vec<Field>>,
) -> Result<Vec<Field>, Problem> {
    let patch = patch.unwrap_or_default();
    for item in patch.iter().chain(&target) {
        if item.as_scalar().is_none() {
            let message = format!("{} stands in a list of scalars", shape_name(item));
            return Err(Problem::new(ProblemKind::Refused, message, item.place()));
        }
    }
    let mut seen = BTreeSet::new();
    let mut merged: Vec<Field> = Vec::with_capacity(patch.len() + target.len());
    for item in patch.into_iter().chain(target) {
        let text = item.as_text().map(str::to_owned);
        if let Some(text) = text
            && seen.insert(text)
        {
            merged.push(item);
        }
    }
    Ok(merged)
}
