//! From a chart to the facts of its profile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::budgets::{Bench, BudgetStanding};
use super::chart::{LoadedChart, at};
use super::evidence::{Evidence, Variant, slim};
use super::field::{Candidate, candidates};
use super::helm::Helm;
use super::names::{self, Names, Twins};
use super::paths::{self, Hits, PartField};
use super::pod;
use super::reads::Reads;
use super::record::manifests;
use super::rendering::{ChartRendering, Id, PASSING, RenderedPodOwner};
use super::switches::{ChartPart, Need, SwitchState, Switches, parts, switches};
use super::trial::{RELEASE, ValueChange, changed, effective, render};
use crate::charts::profile::ConditionValue;

/// What a profile says of a name that it cannot tell from the release and its values.
const DOUBT: &str = "the chart names it in a way that no placeholder says";
/// How many states are looked at whose switches do not go together with others.
const STATES: usize = 16;

/// All that was measured of a chart's workloads.
pub(super) struct Measured {
    /// The workloads as a profile has them.
    pub(super) workloads: Vec<Value>,
    /// What `{fullname}` stands for where that is unusual.
    pub(super) fullname: Option<Value>,
    /// The values that name things.
    pub(super) overrides: Option<Value>,
    /// How the chart names things.
    pub(super) names: Names,
    /// What it was measured from.
    pub(super) evidence: Evidence,
}

/// A chart under measurement.
pub(super) struct Measure<'m> {
    pub(super) helm: &'m Helm<'m>,
    /// The chart with all of its templates.
    pub(super) whole: &'m Helm<'m>,
    pub(super) chart: &'m LoadedChart,
    /// What the chart has by default.
    pub(super) defaults: &'m Value,
    /// What is set besides in every rendering.
    pub(super) base: &'m Value,
    pub(super) reads: &'m Reads,
    pub(super) baseline: &'m ChartRendering,
}

impl Measure<'_> {
    /// Measures switches, paths, budgets and names.
    pub(super) fn run(&self) -> Measured {
        let now = effective(self.defaults, self.base);
        let switches = switches(
            self.helm,
            self.base,
            &now,
            self.reads,
            self.baseline,
            self.chart,
        );
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
        let names = names::learn(self.helm, self.chart, self.reads, self.defaults, &states);
        let baseline = names.twins(self.whole, self.base, self.baseline, true);
        let mut writer = Writer {
            measure: self,
            switches: &switches,
            chosen: &chosen,
            budgets: &budgets,
            names: &names,
            made: Vec::new(),
        };
        for workload in &self.baseline.workloads {
            writer.add(workload, &baseline);
        }
        for state in &switches.states {
            let twins = names.twins(self.helm, &state.values, &state.rendering, false);
            writer.add_state(state, &twins);
        }
        let workloads: Vec<Value> = writer
            .made
            .into_iter()
            .map(|(_, workload)| Value::Object(workload))
            .collect();
        let (fullname, overrides) = names.facts(&Value::from(workloads.clone()).to_string());
        let replicas = self.replica_paths(&hits);
        Measured {
            workloads,
            fullname,
            overrides,
            evidence: self.evidence(&names, &baseline, &states, &switches, &replicas),
            names,
        }
    }

    /// Gathers what the profile is held against: the releases that tell of names, of replicas and of
    /// switches.
    fn evidence(
        &self,
        names: &Names,
        baseline: &Twins,
        states: &[(Value, ChartRendering)],
        switches: &Switches,
        replicas: &BTreeSet<Vec<String>>,
    ) -> Evidence {
        let mut variants = Vec::new();
        let mut add = |about: String, release: &str, values: &Value, rendering: &ChartRendering| {
            variants.push(Variant {
                about,
                release: release.to_owned(),
                values: values.as_object().cloned().unwrap_or_default(),
                objects: slim(manifests(&rendering.text)),
            });
        };
        let three: Vec<ValueChange> = replicas
            .iter()
            .map(|path| (path.clone(), json!(3)))
            .collect();
        for (number, (values, rendering)) in states.iter().take(2).enumerate() {
            let state = if number == 0 {
                ""
            } else {
                ", with all switched on"
            };
            let mut own = None;
            let twins = if number == 0 {
                baseline
            } else {
                own.insert(names.twins(self.whole, values, rendering, true))
            };
            for twin in &twins.all {
                let about = format!("{}{state}", twin.about);
                add(about, &twin.release, &twin.values, &twin.rendering);
            }
            let values = changed(values, &three);
            if let (false, Ok(text)) = (three.is_empty(), self.whole.template(RELEASE, &values)) {
                let about = format!("three replicas{state}");
                add(about, RELEASE, &values, &ChartRendering::read(text));
            }
        }
        for (changes, rendering) in &switches.moving {
            let said: Vec<String> = changes
                .iter()
                .map(|(path, value)| format!("`{}: {value}`", path.join(".")))
                .collect();
            let values = changed(self.base, changes);
            add(said.join(" and "), RELEASE, &values, rendering);
        }
        Evidence {
            chart: self.chart.name.clone(),
            version: self.chart.version.clone(),
            variants,
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
    fn rich(&self, states: &[SwitchState]) -> Vec<(Value, ChartRendering)> {
        let mut all: Vec<(Value, ChartRendering)> =
            vec![(self.base.clone(), self.baseline.clone())];
        let mut rich: Option<(Value, ChartRendering)> = None;
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
    chosen: &'w BTreeMap<PartField, Vec<String>>,
    budgets: &'w BTreeMap<Id, BudgetStanding>,
    names: &'w Names,
    made: Vec<(Id, Map<String, Value>)>,
}

impl Writer<'_> {
    /// Adds the workloads and containers that a state brings.
    fn add_state(&mut self, state: &SwitchState, twins: &Twins) {
        let ids: BTreeSet<&Id> = state.parts.iter().map(|part| &part.workload).collect();
        for id in ids {
            let Some(workload) = state.rendering.workload(id) else {
                continue;
            };
            match self.made.iter().position(|(known, _)| known == id) {
                Some(at) => {
                    let whole = self.workload(workload, twins);
                    add_containers(&mut self.made[at].1, &whole);
                }
                None => self.add(workload, twins),
            }
        }
    }

    fn add(&mut self, workload: &RenderedPodOwner, twins: &Twins) {
        let made = self.workload(workload, twins);
        self.made.push((workload.id.clone(), made));
    }

    fn workload(&self, workload: &RenderedPodOwner, twins: &Twins) -> Map<String, Value> {
        let general = RenderedPodOwner {
            object: self.names.generalize(workload, twins),
            ..workload.clone()
        };
        let name = general
            .object
            .pointer("/metadata/name")
            .cloned()
            .unwrap_or_default();
        let whole = ChartPart {
            workload: workload.id.clone(),
            container: None,
        };
        let mut made = Map::new();
        made.insert("kind".to_owned(), json!(workload.id.kind));
        let pattern = name.as_str().unwrap_or_default();
        let named = self
            .names
            .holds(pattern, workload, twins, &["metadata", "name"]);
        made.insert("name".to_owned(), name.clone());
        if !named {
            made.insert("doubt".to_owned(), json!(DOUBT));
        }
        if let Some(when) = self.when(&whole, &[]) {
            made.insert("when".to_owned(), when);
        }
        if workload.test {
            made.insert("hook".to_owned(), json!("test"));
        } else if workload.hook {
            made.insert("hook".to_owned(), json!(true));
        }
        if let Some(selector) = self.selector(workload, &general, twins) {
            made.insert("selector".to_owned(), Value::Object(selector));
        }
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
        if let Some(budget) = self.budgets.get(&workload.id) {
            let named = budget
                .name
                .as_ref()
                .map(|name| self.budget_name(name, workload, twins));
            if let Some(budget) = written(budget, named.flatten()) {
                made.insert("podDisruptionBudget".to_owned(), budget);
            }
        }
        made
    }

    /// Returns the labels that select a workload's pods; nothing where they are others than placeholders
    /// can say.
    fn selector(
        &self,
        workload: &RenderedPodOwner,
        general: &RenderedPodOwner,
        twins: &Twins,
    ) -> Option<Map<String, Value>> {
        let said = workload
            .object
            .pointer("/spec/selector/matchLabels")
            .is_some();
        let place: &[&str] = match workload.id.kind.as_str() {
            _ if said => &["spec", "selector", "matchLabels"],
            "CronJob" => &[
                "spec",
                "jobTemplate",
                "spec",
                "template",
                "metadata",
                "labels",
            ],
            "Pod" => &["metadata", "labels"],
            _ => &["spec", "template", "metadata", "labels"],
        };
        let selector = selector(general);
        let holds = selector.iter().all(|(key, value)| {
            let place: Vec<&str> = place.iter().copied().chain([key.as_str()]).collect();
            let pattern = value.as_str().unwrap_or_default();
            self.names.holds(pattern, workload, twins, &place)
        });
        (holds && !selector.is_empty()).then_some(selector)
    }

    /// Returns the name of the chart's budget for a workload with placeholders, as that of the workload
    /// with something before and behind it.
    fn budget_name(
        &self,
        name: &str,
        workload: &RenderedPodOwner,
        twins: &Twins,
    ) -> Option<String> {
        let general = self.names.generalize(workload, twins);
        let pattern = general.pointer("/metadata/name")?.as_str()?;
        match name.split_once(workload.id.name.as_str()) {
            Some((before, behind)) => Some(format!("{before}{pattern}{behind}")),
            None => (!name.contains(RELEASE)).then(|| name.to_owned()),
        }
    }

    fn containers(
        &self,
        workload: &RenderedPodOwner,
        general: &RenderedPodOwner,
    ) -> Map<String, Value> {
        let mut containers = Map::new();
        let outer = ChartPart {
            workload: workload.id.clone(),
            container: None,
        };
        let outer = self
            .switches
            .needs
            .get(&outer)
            .map_or(&[][..], Vec::as_slice);
        for ((name, _), (shown, _)) in workload.containers().iter().zip(general.containers()) {
            let part = ChartPart {
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
    fn when(&self, part: &ChartPart, outer: &[Need]) -> Option<Value> {
        let mut seen: Vec<&Need> = Vec::new();
        let mut conditions = Vec::new();
        for need in self.switches.needs.get(part)? {
            let Need { path, wanted } = need;
            // Of several things that it must be the first one counts, and all that it must not be.
            let known = seen.iter().any(|known| {
                *known == need
                    || known.path == *path && matches!(known.wanted, ConditionValue::Is(_))
            });
            if known || outer.contains(need) {
                continue;
            }
            seen.push(need);
            let mut condition = Map::new();
            condition.insert("value".to_owned(), json!(path.join(".")));
            match wanted {
                ConditionValue::Is(is) => condition.insert("is".to_owned(), is.clone()),
                ConditionValue::IsNot(not) => condition.insert("isNot".to_owned(), not.clone()),
            };
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

    fn paths(&self, part: &ChartPart) -> Map<String, Value> {
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
    fn replicas(&self, workload: &RenderedPodOwner) -> Option<Value> {
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
fn selector(workload: &RenderedPodOwner) -> Map<String, Value> {
    let labels = workload
        .object
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let mut labels = labels.cloned().unwrap_or_else(|| workload.labels());
    labels.retain(|key, value| !PASSING.contains(&key.as_str()) && value.is_string());
    labels
}

/// Writes down what is known of a budget of that name.
fn written(standing: &BudgetStanding, name: Option<String>) -> Option<Value> {
    let setting = |(path, value): &ValueChange| json!({"path": path.join("."), "value": value});
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
    if let (false, Some(name)) = (made.is_empty(), name) {
        made.shift_insert(0, "name".to_owned(), json!(name));
    }
    (!made.is_empty()).then_some(Value::Object(made))
}
