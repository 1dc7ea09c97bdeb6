//! The PodDisruptionBudgets that a chart makes by itself, and what switches them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::chart::at;
use super::field::{is_plain, visit};
use super::helm::Helm;
use super::known::LearnedValue;
use super::rendering::{ChartRendering, Id, RenderedPodOwner};
use super::trial::{ValueChange, changed, each, render, together};

/// What may stand in the spec of a sound budget.
const SPEC: [&str; 4] = [
    "selector",
    "maxUnavailable",
    "minAvailable",
    "unhealthyPodEvictionPolicy",
];
/// Where the numbers start that tell one candidate's budget from that of others.
const FIRST: usize = 41;

/// What is known of the budget of one workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BudgetStanding {
    /// Its name, from the first rendering that has it.
    pub(super) name: Option<String>,
    /// Its spec by default, without the selector.
    pub(super) default: Option<Map<String, Value>>,
    /// Whether it comes with a second replica.
    pub(super) when_replicated: bool,
    /// What switches on a sound one.
    pub(super) on: Option<ValueChange>,
    /// What switches it off.
    pub(super) off: Option<ValueChange>,
}

/// A chart in one state, as far as budgets are concerned.
pub(super) struct Bench<'b> {
    pub(super) helm: &'b Helm<'b>,
    pub(super) base: &'b Value,
    /// The values that hold with `base`.
    pub(super) effective: &'b Value,
    pub(super) known: &'b LearnedValue,
    pub(super) rendering: &'b ChartRendering,
    /// The paths of replicas.
    pub(super) replicas: &'b BTreeSet<Vec<String>>,
}

impl Bench<'_> {
    /// Finds out about the budgets of those of some workloads that can have two replicas.
    pub(super) fn standings(&self, of: &BTreeSet<Id>) -> BTreeMap<Id, BudgetStanding> {
        let mut found = BTreeMap::new();
        let workloads = self.rendering.workloads.iter();
        for workload in workloads.filter(|workload| {
            let kind = workload.id.kind.as_str();
            !workload.hook
                && ["Deployment", "StatefulSet"].contains(&kind)
                && of.contains(&workload.id)
        }) {
            let default = budget(self.rendering, workload);
            let (name, default) = default.unzip();
            found.insert(
                workload.id.clone(),
                BudgetStanding {
                    name,
                    default,
                    ..BudgetStanding::default()
                },
            );
        }
        if found.is_empty() {
            return found;
        }
        let paths: Vec<Vec<String>> = self.replicas.iter().cloned().collect();
        let two = |path: &Vec<String>| -> ValueChange { (path.clone(), json!(2)) };
        let pieces = together(self.helm, self.base, &paths, &two).rendered;
        let mut replicated = self.base.clone();
        for (paths, rendering) in &pieces {
            let more = changed(&replicated, &paths.iter().map(two).collect::<Vec<_>>());
            if pieces.len() == 1 || render(self.helm, &more).is_some() {
                replicated = more;
            }
            for (id, standing) in &mut found {
                let one = rendering.workload(id);
                let has = one.and_then(|one| budget(rendering, one));
                standing.when_replicated |= standing.default.is_none() && has.is_some();
                standing.name = standing.name.take().or(has.map(|(name, _)| name));
            }
        }
        let candidates = self.candidates();
        // What comes with a second replica by itself is switched on best where it is off.
        let (mut alone, mut rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            found.into_iter().partition(|(_, one)| one.when_replicated);
        if !alone.is_empty() {
            self.switch_on(self.base, &candidates, &mut alone);
        }
        rest.extend(alone);
        let mut found = rest;
        self.switch_on(&replicated, &candidates, &mut found);
        self.switch_off(&replicated, &candidates, &mut found);
        found
    }

    /// Lists the paths that are named like budgets, the outermost ones of each.
    fn candidates(&self) -> Vec<Vec<String>> {
        let mut paths = BTreeSet::new();
        let is_one = |path: &[String]| {
            let key = path
                .last()
                .map(|key| key.to_lowercase().replace(['-', '_'], ""));
            let named =
                key.is_some_and(|key| key.contains("disruptionbudget") || key.ends_with("pdb"));
            named && path.iter().all(|key| is_plain(key))
        };
        visit(self.effective, &mut Vec::new(), &mut |path, _| {
            if is_one(path) {
                paths.insert(path.to_vec());
            }
        });
        self.known.visit(&mut |path, _| {
            if is_one(path) {
                paths.insert(path.to_vec());
            }
        });
        let all: Vec<Vec<String>> = paths.iter().cloned().collect();
        paths.retain(|path| {
            !all.iter()
                .any(|other| other != path && path.starts_with(other))
        });
        paths.into_iter().collect()
    }

    /// Tries one spelling after the other, on all candidates at once.
    fn switch_on(
        &self,
        base: &Value,
        candidates: &[Vec<String>],
        found: &mut BTreeMap<Id, BudgetStanding>,
    ) {
        let numbered: Vec<(usize, &Vec<String>)> = candidates.iter().enumerate().collect();
        for spelling in spellings() {
            let open = found.values().any(|standing| standing.on.is_none());
            if !open {
                return;
            }
            let change = |(number, path): &(usize, &Vec<String>)| -> ValueChange {
                ((*path).clone(), with_number(&spelling, FIRST + number))
            };
            for (set, rendering) in together(self.helm, base, &numbered, &change).rendered {
                for (id, standing) in found.iter_mut().filter(|(_, one)| one.on.is_none()) {
                    let Some((name, spec)) = rendering
                        .workload(id)
                        .and_then(|one| budget(&rendering, one))
                    else {
                        continue;
                    };
                    let by = set
                        .iter()
                        .find(|(number, _)| is_sound(&spec, &spelling, FIRST + number));
                    standing.on = by.map(|(_, path)| ((*path).clone(), with_number(&spelling, 1)));
                    standing.name.get_or_insert(name);
                }
            }
        }
    }

    /// Tries what may make a budget go, one change at a time.
    fn switch_off(
        &self,
        base: &Value,
        candidates: &[Vec<String>],
        found: &mut BTreeMap<Id, BudgetStanding>,
    ) {
        let wanted =
            |standing: &BudgetStanding| standing.default.is_some() || standing.when_replicated;
        if !found.values().any(wanted) {
            return;
        }
        let mut trials: Vec<ValueChange> = Vec::new();
        for path in candidates {
            let below = |key: &str| {
                path.iter()
                    .cloned()
                    .chain([key.to_owned()])
                    .collect::<Vec<_>>()
            };
            for key in ["enabled", "create"] {
                if self.known.covers(&below(key)) {
                    trials.push((below(key), json!(false)));
                }
            }
            match at(self.effective, path) {
                Some(Value::Bool(_)) => trials.push((path.clone(), json!(false))),
                _ => trials.push((path.clone(), Value::Null)),
            }
            for key in ["minAvailable", "maxUnavailable"] {
                if at(self.effective, &below(key)).is_some() {
                    trials.push((below(key), Value::Null));
                }
            }
        }
        let renderings = each(self.helm, base, &trials, &Clone::clone);
        for (change, rendering) in trials.iter().zip(&renderings) {
            let Some(rendering) = rendering else { continue };
            for (id, standing) in found.iter_mut().filter(|(_, one)| wanted(one)) {
                let gone = rendering
                    .workload(id)
                    .is_some_and(|one| budget(rendering, one).is_none());
                if gone && standing.off.is_none() {
                    standing.off = Some(change.clone());
                }
            }
        }
    }
}

/// Returns the name of the budget that a rendering has for a workload, and its spec without the selector.
fn budget(
    rendering: &ChartRendering,
    workload: &RenderedPodOwner,
) -> Option<(String, Map<String, Value>)> {
    let labels = workload.labels();
    let budget = rendering
        .budgets
        .iter()
        .find(|budget| budget.selects(&labels))?;
    let mut spec = budget.spec.clone();
    spec.shift_remove("selector");
    Some((budget.name.clone(), spec))
}

/// Lists the spellings of a budget, those first that say more with less.
fn spellings() -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    for policy in [true, false] {
        for switch in [None, Some("enabled"), Some("create")] {
            for no_minimum in [false, true] {
                let mut value = Map::new();
                if let Some(switch) = switch {
                    value.insert(switch.to_owned(), json!(true));
                }
                value.insert("maxUnavailable".to_owned(), json!(1));
                if no_minimum {
                    value.insert("minAvailable".to_owned(), Value::Null);
                }
                if policy {
                    let always = json!("AlwaysAllow");
                    value.insert("unhealthyPodEvictionPolicy".to_owned(), always);
                }
                found.push(value);
            }
        }
    }
    found
}

fn with_number(spelling: &Map<String, Value>, number: usize) -> Value {
    let mut value = spelling.clone();
    value.insert("maxUnavailable".to_owned(), json!(number));
    Value::Object(value)
}

/// Returns whether a spec is what a spelling asks for, and nothing else.
fn is_sound(spec: &Map<String, Value>, spelling: &Map<String, Value>, number: usize) -> bool {
    let policy = "unhealthyPodEvictionPolicy";
    spec.keys().all(|key| SPEC.contains(&key.as_str()))
        && spec.get("maxUnavailable") == Some(&json!(number))
        && spec.get("minAvailable").is_none_or(Value::is_null)
        && spelling
            .get(policy)
            .is_none_or(|wanted| spec.get(policy) == Some(wanted))
}
