//! All that must hold for the parts that a chart lacks by default.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;

use super::super::chart::at;
use super::super::helm::Helm;
use super::super::reads::Reads;
use super::super::rendering::ChartRendering;
use super::super::trial::{ValueChange, changed, render};
use super::{ChartPart, Need, SwitchState, parts, stays};
use crate::charts::profile::ConditionValue;

/// What the search for conditions may use.
pub(super) struct ConditionSearch<'s> {
    pub(super) helm: &'s Helm<'s>,
    pub(super) base: &'s Value,
    pub(super) effective: &'s Value,
    pub(super) reads: &'s Reads,
    /// All changes that were tried.
    pub(super) flips: &'s [ValueChange],
    /// Those of them that move a part of the default state.
    pub(super) movers: &'s [ValueChange],
}

impl ConditionSearch<'_> {
    /// Returns for each part of a state what must stand where: those of the state's changes that it
    /// needs, and what must stay as it is.
    pub(super) fn needs_of(&self, state: &SwitchState) -> BTreeMap<ChartPart, Vec<Need>> {
        let mut needs = self.needed_changes(state);
        let tried: Vec<&ValueChange> = self
            .flips
            .iter()
            .filter(|flip| self.may_matter(flip, state))
            .collect();
        // All at once first: mostly nothing else must hold.
        let all = render(self.helm, &changed(&state.values, tried.iter().copied()));
        if all.is_some_and(|rendering| parts(&rendering).is_superset(&state.parts)) {
            return needs;
        }
        let renderings: Vec<Option<ChartRendering>> = tried
            .par_iter()
            .map(|flip| render(self.helm, &changed(&state.values, [*flip])))
            .collect();
        for ((path, value), rendering) in tried.into_iter().zip(renderings) {
            let Some(rendering) = rendering else { continue };
            let now = parts(&rendering);
            for (part, needs) in &mut needs {
                if !now.contains(part) && stays(part, &now) {
                    let standing = at(self.effective, path).cloned();
                    let wanted = match standing {
                        None | Some(Value::Null) => ConditionValue::IsNot(value.clone()),
                        Some(standing) => ConditionValue::Is(standing),
                    };
                    let path = path.clone();
                    needs.push(Need { path, wanted });
                }
            }
        }
        needs
    }

    /// Returns for each part the changes without which it is not there.
    fn needed_changes(&self, state: &SwitchState) -> BTreeMap<ChartPart, Vec<Need>> {
        let all: Vec<Need> = state.changes.iter().map(need).collect();
        let whole = |part: &ChartPart| (part.clone(), all.clone());
        let mut needs: BTreeMap<ChartPart, Vec<Need>> = state.parts.iter().map(whole).collect();
        if state.changes.len() < 2 {
            return needs;
        }
        for left_out in &state.changes {
            let others = state.changes.iter().filter(|change| *change != left_out);
            let Some(rendering) = render(self.helm, &changed(self.base, others)) else {
                continue;
            };
            let now = parts(&rendering);
            for (part, needs) in &mut needs {
                if now.contains(part) {
                    needs.retain(|known| *known != need(left_out));
                }
            }
        }
        needs
    }

    /// Whether a change may take a part of the state away: what stands beside its switches or above
    /// them and is on or a choice, and of what moves parts, that which one template reads with them or
    /// which switches a subchart.
    fn may_matter(&self, flip: &ValueChange, state: &SwitchState) -> bool {
        let (path, value) = flip;
        if state.changes.iter().any(|(changed, _)| changed == path) {
            return false;
        }
        let beside = state.changes.iter().any(|(changed, _)| {
            path.split_last()
                .is_some_and(|(_, folder)| !folder.is_empty() && changed.starts_with(folder))
        });
        let read_together = || {
            self.reads.conditions.contains(path)
                || self.reads.files.iter().any(|file| {
                    file.covers(path) && state.changes.iter().any(|(other, _)| file.covers(other))
                })
        };
        beside && *value != Value::Bool(true) || self.movers.contains(flip) && read_together()
    }
}

/// Returns what a change gives as something that is needed.
fn need((path, value): &ValueChange) -> Need {
    Need {
        path: path.clone(),
        wanted: ConditionValue::Is(value.clone()),
    }
}
