//! Which values paths reach which fields of workloads and containers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::chart::at;
use super::field::{Candidate, CandidateShape};
use super::helm::Helm;
use super::known::LearnedValue;
use super::rendering::{ChartRendering, RenderedPodOwner};
use super::switches::ChartPart;
use super::trial::{ValueChange, changed, each, render, together};

/// How many rounds of renderings are made at most: each takes out the paths that won.
const ROUNDS: usize = 5;

/// A field of a part.
pub(super) type PartField = (ChartPart, &'static str);

/// Which paths reach a field, and how many fields each of them reaches.
pub(super) type Hits = BTreeMap<PartField, BTreeSet<Vec<String>>>;

/// Sets all candidates at once, sees which arrive, takes these out and sets the rest again, until no
/// more arrive: of two paths for one field, the one that gives way shows in a later round.
///
/// Candidates that the chart refuses are taken out of the list for good.
pub(super) fn find(helm: &Helm<'_>, base: &Value, candidates: &mut Vec<Candidate>) -> Hits {
    let mut hits = Hits::new();
    let mut left: Vec<Candidate> = candidates.clone();
    for _ in 0..ROUNDS {
        let batches = batches(&left);
        let mut arrived = BTreeSet::new();
        for batch in batches {
            let change =
                |one: &Candidate| -> ValueChange { (one.path.clone(), one.sentinel.clone()) };
            let outcome = together(helm, base, &batch, &change);
            left.retain(|candidate| !outcome.refused.contains(candidate));
            candidates.retain(|candidate| !outcome.refused.contains(candidate));
            for (set, rendering) in outcome.rendered {
                for candidate in set {
                    let fields = reached(&rendering, &candidate);
                    if !fields.is_empty() {
                        arrived.insert(candidate.path.clone());
                    }
                    for field in fields {
                        hits.entry(field)
                            .or_default()
                            .insert(candidate.path.clone());
                    }
                }
            }
        }
        left.retain(|candidate| !arrived.contains(&candidate.path));
        if arrived.is_empty() {
            break;
        }
    }
    hits
}

/// Splits candidates so that none lies below another of the same rendering.
fn batches(candidates: &[Candidate]) -> Vec<Vec<Candidate>> {
    let mut batches: Vec<Vec<Candidate>> = Vec::new();
    for candidate in candidates {
        let free = batches.iter().position(|batch| {
            !batch.iter().any(|other| {
                candidate.path.starts_with(&other.path) || other.path.starts_with(&candidate.path)
            })
        });
        match free {
            Some(batch) => batches[batch].push(candidate.clone()),
            None => batches.push(vec![candidate.clone()]),
        }
    }
    batches
}

/// Lists the fields that a candidate's sentinel arrives in as it was set.
fn reached(rendering: &ChartRendering, candidate: &Candidate) -> Vec<PartField> {
    let mut found = Vec::new();
    let fits = |field: Option<&Value>| field.is_some_and(|field| holds(field, &candidate.sentinel));
    for workload in &rendering.workloads {
        for name in candidate.shape.pod_fields() {
            let value = match candidate.shape {
                CandidateShape::Replicas => workload.object.pointer("/spec/replicas"),
                _ => workload.pod().get(*name),
            };
            if fits(value) {
                found.push((
                    ChartPart {
                        workload: workload.id.clone(),
                        container: None,
                    },
                    *name,
                ));
            }
        }
        for (container, spec) in workload.containers() {
            for name in candidate.shape.container_fields() {
                if fits(spec.get(*name)) {
                    let part = ChartPart {
                        workload: workload.id.clone(),
                        container: Some(container.to_owned()),
                    };
                    found.push((part, *name));
                }
            }
        }
    }
    found
}

/// Returns whether a field has all that was set; defaults may stand beside it.
fn holds(field: &Value, set: &Value) -> bool {
    match (field, set) {
        (Value::Object(field), Value::Object(set)) => set
            .iter()
            .all(|(key, value)| field.get(key).is_some_and(|field| holds(field, value))),
        (Value::Array(field), Value::Array(set)) => set
            .iter()
            .all(|item| field.iter().any(|field| holds(field, item))),
        (field, set) => field == set,
    }
}

/// Finds the paths of `automountServiceAccountToken`: a boolean, so both are tried with each alone.
pub(super) fn automount(
    helm: &Helm<'_>,
    base: &Value,
    defaults: &Value,
    known: &LearnedValue,
) -> Hits {
    let mut paths = BTreeSet::new();
    let is_one = |path: &[String]| {
        path.last()
            .is_some_and(|key| key.to_lowercase().contains("automount"))
            && path.iter().all(|key| super::field::is_plain(key))
    };
    super::field::visit(defaults, &mut Vec::new(), &mut |path, value| {
        if is_one(path) && !value.is_object() {
            paths.insert(path.to_vec());
        }
    });
    known.visit(&mut |path, node| {
        if is_one(path) && node.keys.is_empty() && !at(defaults, path).is_some_and(Value::is_object)
        {
            paths.insert(path.to_vec());
        }
    });
    let mut hits = Hits::new();
    let tokens = |rendering: &Option<ChartRendering>, wanted: bool| -> BTreeSet<ChartPart> {
        let workloads = rendering.iter().flat_map(|rendering| &rendering.workloads);
        let has = |workload: &&RenderedPodOwner| {
            workload.pod().get("automountServiceAccountToken") == Some(&Value::Bool(wanted))
        };
        workloads
            .filter(has)
            .map(|workload| ChartPart {
                workload: workload.id.clone(),
                container: None,
            })
            .collect()
    };
    // All at once first: mostly there is nothing to find.
    let all = |value: bool| {
        let changes: Vec<ValueChange> = paths
            .iter()
            .map(|path| (path.clone(), json!(value)))
            .collect();
        render(helm, &changed(base, &changes))
    };
    let (on, off) = (all(true), all(false));
    let rendered = on.is_some() && off.is_some();
    if paths.is_empty() || rendered && tokens(&on, true).is_disjoint(&tokens(&off, false)) {
        return hits;
    }
    let trials: Vec<ValueChange> = paths
        .iter()
        .flat_map(|path| [(path.clone(), json!(true)), (path.clone(), json!(false))])
        .collect();
    let renderings = each(helm, base, &trials, &Clone::clone);
    for (path, pair) in paths.iter().zip(renderings.chunks(2)) {
        for part in tokens(&pair[0], true).intersection(&tokens(&pair[1], false)) {
            let field = (part.clone(), "automountServiceAccountToken");
            hits.entry(field).or_default().insert(path.clone());
        }
    }
    hits
}

/// Chooses for each field the path that reaches the fewest others: of equals one that `values.yaml`
/// has, then the longest, then the first by name.
pub(super) fn choose(hits: &Hits, defaults: &Value) -> BTreeMap<PartField, Vec<String>> {
    let mut reach = BTreeMap::<(&Vec<String>, &str), usize>::new();
    for ((_, name), paths) in hits {
        for path in paths {
            *reach.entry((path, name)).or_default() += 1;
        }
    }
    let best = |name: &'static str, paths: &BTreeSet<Vec<String>>| {
        let cost = |path: &&Vec<String>| {
            let reach = reach.get(&(*path, name)).copied().unwrap_or_default();
            (
                reach,
                at(defaults, path).is_none(),
                usize::MAX - path.len(),
                (*path).clone(),
            )
        };
        paths.iter().min_by_key(cost).cloned()
    };
    hits.iter()
        .filter_map(|((part, name), paths)| Some(((part.clone(), *name), best(name, paths)?)))
        .collect()
}
