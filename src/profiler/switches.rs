//! Which values switch workloads and containers on and off.

mod needs;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;

use super::chart::at;
use super::field::{is_plain, visit};
use super::helm::Helm;
use super::reads::Reads;
use super::rendering::{Id, Rendering};
use super::trial::{Change, changed, render};
use needs::Search;

/// The last keys of paths that are tried with `true` where the chart has no default.
const SWITCHES: [&str; 5] = ["enabled", "create", "enable", "install", "deploy"];
/// How many texts a value may be compared with to be tried with each.
const CHOICES: usize = 16;

/// How many changes are tried at once.
const BATCH: usize = 8;

/// A workload, or one of its containers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) workload: Id,
    pub(super) container: Option<String>,
}

/// What is known of the switches of a chart.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// What must stand where for a part to be there; all of it.
    pub(super) needs: BTreeMap<Part, Vec<Change>>,
    /// The states in which the chart has parts that it lacks by default.
    pub(super) states: Vec<State>,
}

/// Values under which a chart has parts that it lacks by default.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) changes: Vec<Change>,
    pub(super) values: Value,
    pub(super) rendering: Rendering,
    /// The parts that it brings.
    pub(super) parts: BTreeSet<Part>,
}

/// Lists what a rendering has.
pub(super) fn parts(rendering: &Rendering) -> BTreeSet<Part> {
    let mut found = BTreeSet::new();
    for workload in &rendering.workloads {
        let id = workload.id.clone();
        for (name, _) in workload.containers() {
            found.insert(Part {
                workload: id.clone(),
                container: Some(name.to_owned()),
            });
        }
        found.insert(Part {
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
    baseline: &Rendering,
) -> Switches {
    let all = flips(effective, reads);
    let flips: Vec<Change> = all
        .iter()
        .filter(|(path, _)| reads.shaping.covers(path))
        .cloned()
        .collect();
    let by_default = parts(baseline);
    let mut trials: Vec<Vec<Change>> = flips.iter().map(|flip| vec![flip.clone()]).collect();
    trials.extend(flips.iter().filter_map(|flip| with_ancestors(flip, &all)));
    let moving = moving(helm, base, &by_default, &trials, reads);
    let mut found = Switches::default();
    let mut movers = Vec::new();
    for (changes, rendering) in moving {
        let now = parts(&rendering);
        let gone: Vec<&Part> = by_default
            .difference(&now)
            .filter(|part| stays(part, &now))
            .collect();
        if let [(path, _)] = changes.as_slice() {
            for part in &gone {
                let needs = found.needs.entry((*part).clone()).or_default();
                needs.push((
                    path.clone(),
                    at(effective, path).cloned().unwrap_or(Value::Null),
                ));
            }
            movers.push(changes[0].clone());
        }
        let known: BTreeSet<&Part> = found.states.iter().flat_map(|state| &state.parts).collect();
        let new: BTreeSet<Part> = now
            .difference(&by_default)
            .filter(|part| !known.contains(part))
            .cloned()
            .collect();
        if !new.is_empty() {
            found.states.push(State {
                values: changed(base, &changes),
                changes: changes.clone(),
                rendering,
                parts: new,
            });
        }
    }
    for state in &found.states {
        let search = Search {
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
    found
}

/// Finds the trials after which the parts are others, in their order.
///
/// Most change nothing, so some are made at once, and alone only where something moved. No two of those
/// go together that one template reads, lest one hides what the other does.
fn moving(
    helm: &Helm<'_>,
    base: &Value,
    by_default: &BTreeSet<Part>,
    trials: &[Vec<Change>],
    reads: &Reads,
) -> Vec<(Vec<Change>, Rendering)> {
    let mut batches: Vec<(BTreeSet<usize>, Vec<&Vec<Change>>)> = Vec::new();
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
            None => batches.push((if alone { BTreeSet::new() } else { readers }, vec![changes])),
        }
    }
    let mut found: Vec<(Vec<Change>, Rendering)> = batches
        .par_iter()
        .flat_map_iter(|(_, batch)| moving_of(helm, base, by_default, batch))
        .collect();
    let place = |changes: &Vec<Change>| trials.iter().position(|trial| trial == changes);
    found.sort_by_key(|(changes, _)| place(changes));
    found
}

fn moving_of(
    helm: &Helm<'_>,
    base: &Value,
    by_default: &BTreeSet<Part>,
    batch: &[&Vec<Change>],
) -> Vec<(Vec<Change>, Rendering)> {
    let rendering = render(helm, &changed(base, batch.iter().copied().flatten()));
    match (rendering, batch) {
        (Some(rendering), _) if parts(&rendering) == *by_default => Vec::new(),
        (Some(rendering), [changes]) => vec![((*changes).clone(), rendering)],
        (None, [_]) => Vec::new(),
        _ => {
            let (one, other) = batch.split_at(batch.len() / 2);
            let mut found = moving_of(helm, base, by_default, one);
            found.extend(moving_of(helm, base, by_default, other));
            found
        }
    }
}

/// Whether a part's own workload is still there, so that its going says something of itself.
fn stays(part: &Part, now: &BTreeSet<Part>) -> bool {
    let workload = Part {
        workload: part.workload.clone(),
        container: None,
    };
    part.container.is_none() || now.contains(&workload)
}

/// Lists the changes worth a trial: booleans turned, switches without a default set, and texts that
/// the templates compare a value with.
fn flips(effective: &Value, reads: &Reads) -> Vec<Change> {
    let mut found = BTreeMap::<Vec<String>, Vec<Value>>::new();
    visit(effective, &mut Vec::new(), &mut |path, value| {
        if let Value::Bool(on) = value {
            found.insert(path.to_vec(), vec![Value::Bool(!on)]);
        }
    });
    reads.known.visit(&mut |path, node| {
        let last = path.last().map_or("", String::as_str);
        if SWITCHES.contains(&last) && node.keys.is_empty() && at(effective, path).is_none() {
            found.insert(path.to_vec(), vec![Value::Bool(true)]);
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
fn with_ancestors(flip: &Change, flips: &[Change]) -> Option<Vec<Change>> {
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
    let mut changes: Vec<Change> = above.cloned().collect();
    if changes.is_empty() {
        return None;
    }
    changes.push(flip.clone());
    Some(changes)
}
