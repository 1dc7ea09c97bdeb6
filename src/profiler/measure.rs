//! From a chart to the facts of its profile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::budgets::{Bench, Standing};
use super::chart::{Chart, at};
use super::field::{Candidate, candidates};
use super::helm::Helm;
use super::names::Names;
use super::paths::{self, Field, Hits};
use super::pod;
use super::reads::Reads;
use super::rendering::{Id, Rendering, Workload};
use super::switches::{Part, State, Switches, parts, switches};
use super::trial::{Change, changed, effective, render};

/// How many states are looked at whose switches do not go together with others.
const STATES: usize = 16;

/// All that was measured of a chart's workloads.
pub(super) struct Measured {
    /// The workloads as a profile has them.
    pub(super) workloads: Vec<Value>,
    /// What `{fullname}` stands for where that is unusual.
    pub(super) fullname: Option<String>,
}

/// A chart under measurement.
pub(super) struct Measure<'m> {
    pub(super) helm: &'m Helm<'m>,
    pub(super) chart: &'m Chart,
    /// What the chart has by default.
    pub(super) defaults: &'m Value,
    /// What is set besides in every rendering.
    pub(super) base: &'m Value,
    pub(super) reads: &'m Reads,
    pub(super) baseline: &'m Rendering,
}

impl Measure<'_> {
    /// Measures switches, paths, budgets and names.
    pub(super) fn run(&self) -> Measured {
        let now = effective(self.defaults, self.base);
        let switches = switches(self.helm, self.base, &now, self.reads, self.baseline);
        let states = self.rich(&switches.states);
        let mut candidates = candidates(&now, &self.reads.known);
        let mut hits = Hits::new();
        let mut budgets = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (values, rendering) in &states {
            let new: BTreeSet<Id> = rendering
                .workloads
                .iter()
                .map(|workload| workload.id.clone())
                .filter(|id| !seen.contains(id))
                .collect();
            for (field, paths) in self.hits(values, &mut candidates, &new) {
                hits.entry(field).or_default().extend(paths);
            }
            let bench = Bench {
                helm: self.helm,
                base: values,
                effective: &effective(self.defaults, values),
                known: &self.reads.known,
                rendering,
                replicas: &self.replica_paths(&hits),
            };
            budgets.extend(bench.standings(&new));
            seen.extend(new);
        }
        let chosen = paths::choose(&hits, self.defaults);
        let names = Names::learn(self.helm, self.chart, &self.reads.known, self.base);
        let mut writer = Writer {
            measure: self,
            switches: &switches,
            chosen: &chosen,
            budgets: &budgets,
            made: Vec::new(),
        };
        for workload in &self.baseline.workloads {
            writer.add(workload, &names);
        }
        for state in &switches.states {
            let names = Names::learn(self.helm, self.chart, &self.reads.known, &state.values);
            writer.add_state(state, &names);
        }
        let fullname = names.unusual(self.baseline);
        Measured {
            workloads: writer
                .made
                .into_iter()
                .map(|(_, workload)| Value::Object(workload))
                .collect(),
            fullname,
        }
    }

    /// Finds the paths in one state, those of tokens for its new workloads only.
    fn hits(&self, values: &Value, candidates: &mut Vec<Candidate>, new: &BTreeSet<Id>) -> Hits {
        let mut hits = paths::find(self.helm, values, candidates);
        if !new.is_empty() {
            let now = effective(self.defaults, values);
            hits.extend(paths::automount(self.helm, values, &now, &self.reads.known));
        }
        hits
    }

    fn replica_paths(&self, hits: &Hits) -> BTreeSet<Vec<String>> {
        let chosen = paths::choose(hits, self.defaults);
        let replicas = chosen
            .into_iter()
            .filter(|((_, name), _)| *name == "replicas");
        replicas.map(|(_, path)| path).collect()
    }

    /// Returns the fewest states in which every part is there: the default one first, with all
    /// switches set that go together.
    fn rich(&self, states: &[State]) -> Vec<(Value, Rendering)> {
        let mut all: Vec<(Value, Rendering)> = vec![(self.base.clone(), self.baseline.clone())];
        let mut rich: Option<(Value, Rendering)> = None;
        for state in states {
            let (values, rendering) = rich.as_ref().unwrap_or(&all[0]);
            let mut wanted = parts(rendering);
            wanted.extend(state.parts.iter().cloned());
            let more = changed(values, &state.changes);
            match render(self.helm, &more) {
                Some(rendering) if parts(&rendering).is_superset(&wanted) => {
                    rich = Some((more, rendering));
                }
                _ if all.len() < STATES => {
                    all.push((state.values.clone(), state.rendering.clone()));
                }
                _ => {}
            }
        }
        all.splice(1..1, rich);
        all
    }
}

/// Puts measured facts into the form of a profile.
struct Writer<'w> {
    measure: &'w Measure<'w>,
    switches: &'w Switches,
    chosen: &'w BTreeMap<Field, Vec<String>>,
    budgets: &'w BTreeMap<Id, Standing>,
    made: Vec<(Id, Map<String, Value>)>,
}

impl Writer<'_> {
    /// Adds the workloads and containers that a state brings.
    fn add_state(&mut self, state: &State, names: &Names) {
        let ids: BTreeSet<&Id> = state.parts.iter().map(|part| &part.workload).collect();
        for id in ids {
            let Some(workload) = state.rendering.workload(id) else {
                continue;
            };
            match self.made.iter().position(|(known, _)| known == id) {
                Some(at) => {
                    let whole = self.workload(workload, names);
                    add_containers(&mut self.made[at].1, &whole);
                }
                None => self.add(workload, names),
            }
        }
    }

    fn add(&mut self, workload: &Workload, names: &Names) {
        let made = self.workload(workload, names);
        self.made.push((workload.id.clone(), made));
    }

    fn workload(&self, workload: &Workload, names: &Names) -> Map<String, Value> {
        let general = Workload {
            object: names.generalize(workload),
            ..workload.clone()
        };
        let name = general
            .object
            .pointer("/metadata/name")
            .cloned()
            .unwrap_or_default();
        let whole = Part {
            workload: workload.id.clone(),
            container: None,
        };
        let mut made = Map::new();
        made.insert("kind".to_owned(), json!(workload.id.kind));
        made.insert("name".to_owned(), name);
        if let Some(when) = self.when(&whole, &[]) {
            made.insert("when".to_owned(), when);
        }
        if workload.hook {
            made.insert("hook".to_owned(), json!(true));
        }
        made.insert("selector".to_owned(), Value::Object(selector(&general)));
        if let Some(replicas) = self.replicas(workload) {
            made.insert("replicas".to_owned(), replicas);
        }
        made.insert(
            "pod".to_owned(),
            Value::Object(pod::abridged(general.pod())),
        );
        let paths = self.paths(&whole);
        if !paths.is_empty() {
            made.insert("paths".to_owned(), Value::Object(paths));
        }
        let containers = self.containers(workload, &general);
        if !containers.is_empty() {
            made.insert("containers".to_owned(), Value::Object(containers));
        }
        if let Some(budget) = self.budgets.get(&workload.id).and_then(budget) {
            made.insert("podDisruptionBudget".to_owned(), budget);
        }
        made
    }

    fn containers(&self, workload: &Workload, general: &Workload) -> Map<String, Value> {
        let mut containers = Map::new();
        let outer = Part {
            workload: workload.id.clone(),
            container: None,
        };
        let outer = self
            .switches
            .needs
            .get(&outer)
            .map_or(&[][..], Vec::as_slice);
        for ((name, _), (shown, _)) in workload.containers().iter().zip(general.containers()) {
            let part = Part {
                workload: workload.id.clone(),
                container: Some((*name).to_owned()),
            };
            let mut facts = Map::new();
            if let Some(when) = self.when(&part, outer) {
                facts.insert("when".to_owned(), when);
            }
            let paths = self.paths(&part);
            if !paths.is_empty() {
                facts.insert("paths".to_owned(), Value::Object(paths));
            }
            if !facts.is_empty() {
                containers.insert(shown.to_owned(), Value::Object(facts));
            }
        }
        containers
    }

    /// Returns the conditions of a part, without those that its workload has already.
    fn when(&self, part: &Part, outer: &[Change]) -> Option<Value> {
        let mut seen = BTreeSet::new();
        let mut conditions = Vec::new();
        for (path, is) in self.switches.needs.get(part)? {
            if outer.iter().any(|(known, _)| known == path) || !seen.insert(path) {
                continue;
            }
            let mut condition = Map::new();
            condition.insert("value".to_owned(), json!(path.join(".")));
            condition.insert("is".to_owned(), is.clone());
            if let Some(default) = at(self.measure.defaults, path) {
                condition.insert("default".to_owned(), default.clone());
            }
            conditions.push(Value::Object(condition));
        }
        match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(Value::Array(conditions)),
        }
    }

    fn paths(&self, part: &Part) -> Map<String, Value> {
        let order = [
            "replicas",
            "priorityClassName",
            "resources",
            "securityContext",
            "topologySpreadConstraints",
            "affinity",
            "automountServiceAccountToken",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ];
        let found = order.iter().filter_map(|name| {
            let path = self.chosen.get(&(part.clone(), *name))?;
            Some(((*name).to_owned(), json!(path.join("."))))
        });
        found.collect()
    }

    /// Returns how many replicas there are by default; nothing where something else decides.
    fn replicas(&self, workload: &Workload) -> Option<Value> {
        if !["Deployment", "StatefulSet"].contains(&workload.id.kind.as_str()) {
            return None;
        }
        let said = workload.object.pointer("/spec/replicas");
        if let Some(replicas) = said.and_then(Value::as_u64) {
            Some(json!(replicas))
        } else {
            let scaled = self.measure.baseline.scaled.contains(&workload.id.name);
            (!scaled).then(|| json!(1))
        }
    }
}

/// Adds the containers of the same workload in another state.
fn add_containers(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for list in ["initContainers", "containers"] {
        let theirs = from
            .get("pod")
            .and_then(|pod| pod.get(list))
            .and_then(Value::as_array);
        for container in theirs.into_iter().flatten() {
            let Some(Value::Object(pod)) = into.get_mut("pod") else {
                return;
            };
            let ours = pod.entry(list).or_insert_with(|| json!([]));
            let Some(ours) = ours.as_array_mut() else {
                return;
            };
            if ours
                .iter()
                .all(|one| one.get("name") != container.get("name"))
            {
                ours.push(container.clone());
            }
        }
    }
    let facts = from.get("containers").and_then(Value::as_object);
    for (name, facts) in facts.into_iter().flatten() {
        let ours = into.entry("containers").or_insert_with(|| json!({}));
        if let Some(ours) = ours.as_object_mut() {
            ours.entry(name.clone()).or_insert_with(|| facts.clone());
        }
    }
}

/// Returns the labels that select a workload's pods.
fn selector(workload: &Workload) -> Map<String, Value> {
    let labels = workload
        .object
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let mut labels = labels.cloned().unwrap_or_else(|| workload.labels());
    let passing = [
        "helm.sh/chart",
        "chart",
        "app.kubernetes.io/version",
        "version",
        "app.kubernetes.io/managed-by",
        "heritage",
    ];
    labels.retain(|key, value| !passing.contains(&key.as_str()) && value.is_string());
    labels
}

fn budget(standing: &Standing) -> Option<Value> {
    let setting = |(path, value): &Change| json!({"path": path.join("."), "value": value});
    let mut made = Map::new();
    if let Some(default) = &standing.default {
        made.insert("default".to_owned(), Value::Object(default.clone()));
    }
    if standing.when_replicated {
        made.insert("whenReplicated".to_owned(), json!(true));
    }
    if let Some(on) = &standing.on {
        made.insert("enable".to_owned(), setting(on));
    }
    if let Some(off) = &standing.off {
        made.insert("disable".to_owned(), setting(off));
    }
    (!made.is_empty()).then_some(Value::Object(made))
}
