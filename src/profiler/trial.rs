//! Rendering a chart with many changes at once, and with fewer where it does not take them.

use rayon::prelude::*;
use serde_json::Value;

use super::chart::{merge, set};
use super::helm::Helm;
use super::rendering::ChartRendering;

/// The release's name in all renderings but those that find out about names.
pub(super) const RELEASE: &str = "klnr";

/// A change of values: what stands at a path.
pub(super) type ValueChange = (Vec<String>, Value);

/// Renders with values.
pub(super) fn render(helm: &Helm<'_>, values: &Value) -> Option<ChartRendering> {
    helm.template(RELEASE, values)
        .ok()
        .map(ChartRendering::read)
}

/// Puts changes over values, in their order.
pub(super) fn changed<'c>(
    base: &Value,
    changes: impl IntoIterator<Item = &'c ValueChange>,
) -> Value {
    let mut values = base.clone();
    for (path, value) in changes {
        let mut one = Value::Null;
        set(&mut one, path, value.clone());
        merge_keeping_null(&mut values, &one);
    }
    values
}

/// Merges, but keeps `null`, which tells Helm to remove a default.
fn merge_keeping_null(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(key) {
                    Some(old) => merge_keeping_null(old, value),
                    None => {
                        below.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// What came of rendering with many changes.
pub(super) struct TrialOutcome<C> {
    /// Each rendering with the changes in it.
    pub(super) rendered: Vec<(Vec<C>, ChartRendering)>,
    /// The changes that the chart does not take even alone.
    pub(super) refused: Vec<C>,
}

/// Renders with all changes at once; where that fails, with halves of them, down to single ones.
pub(super) fn together<C: Send + Sync + Clone>(
    helm: &Helm<'_>,
    base: &Value,
    items: &[C],
    change: &(dyn Fn(&C) -> ValueChange + Sync),
) -> TrialOutcome<C> {
    let mut outcome = TrialOutcome {
        rendered: Vec::new(),
        refused: Vec::new(),
    };
    if items.is_empty() {
        return outcome;
    }
    let changes: Vec<ValueChange> = items.iter().map(change).collect();
    if let Some(rendering) = render(helm, &changed(base, &changes)) {
        outcome.rendered.push((items.to_vec(), rendering));
        return outcome;
    }
    if items.len() == 1 {
        outcome.refused.extend_from_slice(items);
        return outcome;
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (mut outcome, right) = rayon::join(
        || together(helm, base, left, change),
        || together(helm, base, right, change),
    );
    outcome.rendered.extend(right.rendered);
    outcome.refused.extend(right.refused);
    outcome
}

/// Does something with each of some items, side by side.
pub(super) fn in_parallel<C: Sync, R: Send>(
    items: &[C],
    work: &(dyn Fn(&C) -> R + Sync),
) -> Vec<R> {
    items.par_iter().map(work).collect()
}

/// Renders with each change alone.
pub(super) fn each<C: Sync>(
    helm: &Helm<'_>,
    base: &Value,
    items: &[C],
    change: &(dyn Fn(&C) -> ValueChange + Sync),
) -> Vec<Option<ChartRendering>> {
    items
        .par_iter()
        .map(|item| render(helm, &changed(base, [&change(item)])))
        .collect()
}

/// Returns the values that hold when `above` is put over `defaults`.
pub(super) fn effective(defaults: &Value, above: &Value) -> Value {
    let mut values = defaults.clone();
    merge(&mut values, above);
    values
}
