//! Which values switch workloads and containers on and off.

mod needs;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;

use super::chart::{LoadedChart, at};
use super::field::{is_plain, visit};
use super::helm::Helm;
use super::reads::Reads;
use super::rendering::{ChartRendering, Id};
use super::trial::{RELEASE, ValueChange, changed, render};
use crate::charts::profile::ConditionValue;
use needs::ConditionSearch;

/// The last keys of paths that are tried with `true` where the chart has no default.
const SWITCHES: [&str; 5] = ["enabled", "create", "enable", "install", "deploy"];
/// How many texts a value may be compared with to be tried with each.
const CHOICES: usize = 16;

/// How many switches are tried together with one that the chart refuses alone.
const COMPANIONS: usize = 12;

/// How many changes are tried at once.
const BATCH: usize = 8;

/// A workload, or one of its containers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChartPart {
    pub(super) workload: Id,
    pub(super) container: Option<String>,
}

/// What is known of the switches of a chart.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// What must stand where for a part to be there; all of it.
    pub(super) needs: BTreeMap<ChartPart, Vec<Need>>,
    /// The states in which the chart has parts that it lacks by default.
    pub(super) states: Vec<SwitchState>,
    /// The changes after which the parts are others, and what comes out then.
    pub(super) moving: Vec<(Vec<ValueChange>, ChartRendering)>,
}

/// What must stand at a path, or must not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Need {
    pub(super) path: Vec<String>,
    pub(super) wanted: ConditionValue,
}

/// Values under which a chart has parts that it lacks by default.
#[derive(Clone, Debug)]
pub(super) struct SwitchState {
    pub(super) changes: Vec<ValueChange>,
    pub(super) values: Value,
    pub(super) rendering: ChartRendering,
    /// The parts that it brings.
    pub(super) parts: BTreeSet<ChartPart>,
}

/// Lists what a rendering has.
pub(super) fn parts(rendering: &ChartRendering) -> BTreeSet<ChartPart> {
    let mut found = BTreeSet::new();
    for workload in &rendering.workloads {
        let id = workload.id.clone();
        for (name, _) in workload.containers() {
            found.insert(ChartPart {
                workload: id.clone(),
                container: Some(name.to_owned()),
            });
        }
        found.insert(ChartPart {
            workload: id,
            container: None,
        });
    }
    found
}

/// Flips one value after the other and looks at what appears and what goes.
pub(super) fn switches(
    helm: &Helm<'_>,
    base: &Value,
    effective: &Value,
    reads: &Reads,
    baseline: &ChartRendering,
    chart: &LoadedChart,
) -> Switches {
    let all = flips(effective, reads);
    let flips: Vec<ValueChange> = all
        .iter()
        .filter(|(path, _)| reads.shaping.covers(path))
        .cloned()
        .collect();
    let by_default = parts(baseline);
    let mut trials: Vec<Vec<ValueChange>> = flips.iter().map(|flip| vec![flip.clone()]).collect();
    trials.extend(flips.iter().filter_map(|flip| with_ancestors(flip, &all)));
    let trial = Trial {
        helm,
        base,
        by_default: &by_default,
    };
    let (moving, refused) = trial.moving(&trials, reads);
    let mut found = Switches::default();
    let mut movers = Vec::new();
    for (changes, rendering) in &moving {
        let now = parts(rendering);
        if let [change] = changes.as_slice() {
            let gone = by_default.difference(&now);
            for part in gone.filter(|part| stays(part, &now)) {
                let needs = found.needs.entry(part.clone()).or_default();
                needs.push(needed(change, effective, &flips, &moving, part));
            }
            movers.push(change.clone());
        }
        let known: BTreeSet<&ChartPart> =
            found.states.iter().flat_map(|state| &state.parts).collect();
        let new: BTreeSet<ChartPart> = now
            .difference(&by_default)
            .filter(|part| !known.contains(part))
            .cloned()
            .collect();
        if !new.is_empty() {
            found.states.push(SwitchState {
                values: changed(base, changes),
                changes: changes.clone(),
                rendering: rendering.clone(),
                parts: new,
            });
        }
    }
    for (change, companion) in trial.with_companions(&refused, &flips, chart) {
        let before = render(helm, &changed(base, [&companion]));
        let after = render(helm, &changed(base, [&companion, &change]));
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        let now = parts(&after);
        let gone: Vec<ChartPart> = parts(&before).difference(&now).cloned().collect();
        for part in gone.into_iter().filter(|part| stays(part, &now)) {
            let need = needed(&change, effective, &flips, &moving, &part);
            found.needs.entry(part).or_default().push(need);
        }
        if now != parts(&before) {
            found.moving.push((vec![companion, change], after));
        }
    }
    for state in &found.states {
        let search = ConditionSearch {
            helm,
            base,
            effective,
            reads,
            flips: &flips,
            movers: &movers,
        };
        for (part, needs) in search.needs_of(state) {
            found.needs.entry(part).or_default().extend(needs);
        }
    }
    found.moving.splice(0..0, moving);
    found
}

/// Returns what a part needs that goes with a change: what stands there by default, or, where that is
/// nothing or some other choice leaves the part there, that it is not this.
fn needed(
    (path, value): &ValueChange,
    effective: &Value,
    flips: &[ValueChange],
    moving: &[(Vec<ValueChange>, ChartRendering)],
    part: &ChartPart,
) -> Need {
    let standing = at(effective, path).cloned().unwrap_or(Value::Null);
    let mut choices = flips.iter().filter(|(other, _)| other == path);
    let keeps = |flip: &ValueChange| {
        let mut alone = moving
            .iter()
            .filter(|(changes, _)| changes.as_slice() == [flip.clone()]);
        alone.all(|(_, rendering)| parts(rendering).contains(part))
    };
    let wanted = if standing.is_null() || choices.any(keeps) {
        ConditionValue::IsNot(value.clone())
    } else {
        ConditionValue::Is(standing)
    };
    Need {
        path: path.clone(),
        wanted,
    }
}

/// What trials start from.
struct Trial<'t> {
    helm: &'t Helm<'t>,
    base: &'t Value,
    by_default: &'t BTreeSet<ChartPart>,
}

/// What came of trials: those that moved something, and those that the chart refuses, with its words.
type Moved = (
    Vec<(Vec<ValueChange>, ChartRendering)>,
    Vec<(ValueChange, String)>,
);

impl Trial<'_> {
    /// Finds the trials after which the parts are others, in their order.
    ///
    /// Most change nothing, so some are made at once, and alone only where something moved. No two of those
    /// go together that one template reads, lest one hides what the other does.
    fn moving(&self, trials: &[Vec<ValueChange>], reads: &Reads) -> Moved {
        let mut batches: Vec<(BTreeSet<usize>, Vec<&Vec<ValueChange>>)> = Vec::new();
        for changes in trials {
            let readers: BTreeSet<usize> = (0..reads.files.len())
                .filter(|at| {
                    changes
                        .iter()
                        .any(|(path, _)| reads.files[*at].covers(path))
                })
                .collect();
            let alone = changes.iter().any(|(path, _)| {
                path.first().is_some_and(|key| key == "tags") || reads.conditions.contains(path)
            });
            let free = batches.iter_mut().find(|(taken, batch)| {
                !alone && !taken.is_empty() && batch.len() < BATCH && taken.is_disjoint(&readers)
            });
            match free {
                Some((taken, batch)) => {
                    taken.extend(readers);
                    batch.push(changes);
                }
                None => {
                    batches.push((if alone { BTreeSet::new() } else { readers }, vec![changes]));
                }
            }
        }
        let pieces: Vec<Moved> = batches
            .par_iter()
            .map(|(_, batch)| self.moving_of(batch))
            .collect();
        let mut found: Moved = (Vec::new(), Vec::new());
        for (moved, refused) in pieces {
            found.0.extend(moved);
            found.1.extend(refused);
        }
        let place = |changes: &Vec<ValueChange>| trials.iter().position(|trial| trial == changes);
        found.0.sort_by_key(|(changes, _)| place(changes));
        found
            .1
            .sort_by_key(|(change, _)| place(&vec![change.clone()]));
        found
    }

    fn moving_of(&self, batch: &[&Vec<ValueChange>]) -> Moved {
        let values = changed(self.base, batch.iter().copied().flatten());
        let rendering = self
            .helm
            .template(RELEASE, &values)
            .map(ChartRendering::read);
        match (rendering, batch) {
            (Ok(rendering), _) if parts(&rendering) == *self.by_default => Moved::default(),
            (Ok(rendering), [changes]) => (vec![((*changes).clone(), rendering)], Vec::new()),
            (Err(error), [changes]) => match changes.as_slice() {
                [change] => (Vec::new(), vec![(change.clone(), error.to_string())]),
                _ => Moved::default(),
            },
            _ => {
                let (one, other) = batch.split_at(batch.len() / 2);
                let mut found = self.moving_of(one);
                let (moved, refused) = self.moving_of(other);
                found.0.extend(moved);
                found.1.extend(refused);
                found
            }
        }
    }

    /// Finds for what a chart refuses alone another switch with which it does not: one that the template
    /// asks which refuses.
    fn with_companions(
        &self,
        refused: &[(ValueChange, String)],
        flips: &[ValueChange],
        chart: &LoadedChart,
    ) -> Vec<(ValueChange, ValueChange)> {
        let off = |(change, said): &(ValueChange, String)| {
            if change.1 != Value::Bool(false) {
                return None;
            }
            let charts = chart.all();
            let mut templates = charts.iter().flat_map(|chart| {
                let prefix = &chart.prefix;
                chart
                    .templates
                    .iter()
                    .map(move |template| (prefix, template))
            });
            // Helm names the template by the path below the folder of the outermost chart.
            let (prefix, (_, text)) =
                templates.find(|(_, (path, _))| said.contains(&format!("/{path}:")))?;
            let asked = flips.iter().filter(|(path, value)| {
                let inner = path.strip_prefix(prefix.as_slice()).unwrap_or_default();
                *value == Value::Bool(false)
                    && *path != change.0
                    && !inner.is_empty()
                    && text.contains(&format!(".Values.{}", inner.join(".")))
            });
            let mut asked = asked.take(COMPANIONS);
            let found = asked.find(|companion| {
                render(self.helm, &changed(self.base, [*companion, change])).is_some()
            })?;
            Some((change.clone(), found.clone()))
        };
        refused.par_iter().filter_map(off).collect()
    }
}

/// Whether a part's own workload is still there, so that its going says something of itself.
fn stays(part: &ChartPart, now: &BTreeSet<ChartPart>) -> bool {
    let workload = ChartPart {
        workload: part.workload.clone(),
        container: None,
    };
    part.container.is_none() || now.contains(&workload)
}

/// Lists the changes worth a trial: booleans turned, switches without a default set, and texts that
/// the templates compare a value with.
fn flips(effective: &Value, reads: &Reads) -> Vec<ValueChange> {
    let mut found = BTreeMap::<Vec<String>, Vec<Value>>::new();
    visit(effective, &mut Vec::new(), &mut |path, value| {
        if let Value::Bool(on) = value {
            found.insert(path.to_vec(), vec![Value::Bool(!on)]);
        }
    });
    reads.known.visit(&mut |path, node| {
        let last = path.last().map_or("", String::as_str);
        let standing = at(effective, path);
        if SWITCHES.contains(&last) && node.keys.is_empty() && standing.is_none_or(Value::is_null) {
            let both = vec![Value::Bool(true), Value::Bool(false)];
            found.insert(path.to_vec(), both);
        }
    });
    for (path, texts) in &reads.compared {
        let now = at(effective, path).and_then(Value::as_str);
        if texts.len() <= CHOICES
            && let Some(now) = now
        {
            let others = texts.iter().filter(|text| *text != now);
            found.insert(
                path.clone(),
                others.map(|text| Value::from(text.as_str())).collect(),
            );
        }
    }
    found
        .into_iter()
        .filter(|(path, _)| reads.known.covers(path) && path.iter().all(|key| is_plain(key)))
        .flat_map(|(path, values)| values.into_iter().map(move |value| (path.clone(), value)))
        .collect()
}

/// Returns a flip with those of the switches beside and above it that are off as well.
fn with_ancestors(flip: &ValueChange, flips: &[ValueChange]) -> Option<Vec<ValueChange>> {
    let (path, value) = flip;
    if *value == Value::Bool(false) {
        return None;
    }
    let above = flips.iter().filter(|(other, value)| {
        let Some((last, folder)) = other.split_last() else {
            return false;
        };
        *value == Value::Bool(true)
            && SWITCHES.contains(&last.as_str())
            && other != path
            && !folder.is_empty()
            && path.starts_with(folder)
    });
    let mut changes: Vec<ValueChange> = above.cloned().collect();
    if changes.is_empty() {
        return None;
    }
    changes.push(flip.clone());
    Some(changes)
}
