//! How a chart names things, learnt from a few of its states.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::chart::{LoadedChart, at};
use super::super::field::{is_plain, visit};
use super::super::helm::Helm;
use super::super::reads::Reads;
use super::super::rendering::{ChartRendering, RenderedPodOwner};
use super::super::trial::{RELEASE, ValueChange, changed, effective, together};
use super::{Names, containing};
use crate::charts::naming::UNCUT;
use crate::charts::profile::DefaultName;

/// What names a chart's things in Helm's usual helpers.
const USUAL: [&str; 2] = ["nameOverride", "fullnameOverride"];
/// Words in the last key of a path that never names a workload, so that it needs no trial.
const OTHERS: [&str; 24] = [
    "image",
    "tag",
    "registry",
    "repository",
    "digest",
    "policy",
    "cpu",
    "memory",
    "schedule",
    "port",
    "path",
    "url",
    "host",
    "size",
    "type",
    "version",
    "timeout",
    "interval",
    "period",
    "secret",
    "password",
    "token",
    "class",
    "annotation",
];
/// How many values may name things.
const MARKS: usize = 60;

/// Where a name stands.
type Slot = ((String, usize), String);

/// A text around a name: what stands before and behind it at a place of a state.
struct SurroundingText {
    state: usize,
    slot: Slot,
    before: String,
    behind: String,
}

/// Learns how a chart names things from states in which its workloads are.
pub(in super::super) fn learn(
    helm: &Helm<'_>,
    chart: &LoadedChart,
    reads: &Reads,
    defaults: &Value,
    states: &[(Value, ChartRendering)],
) -> Names {
    let mut names = Names {
        chart: chart.name.clone(),
        ..Names::default()
    };
    let mut paths = usual(chart, reads);
    let mut telling = BTreeSet::new();
    for (values, rendering) in states {
        let now = effective(defaults, values);
        let leaves = leaves(&now, reads, &paths);
        telling.extend(naming(helm, values, rendering, leaves));
    }
    paths.extend(telling);
    for path in paths.into_iter().take(MARKS) {
        let mark = format!("klnv{:02}x", names.marks.len());
        names.marks.insert(path, mark);
    }
    // What the chart does not take with all others names nothing that anyone would set.
    if let Some((values, _)) = states.first() {
        let all: Vec<ValueChange> = names.changes(|_| true);
        let refused = together(helm, values, &all, &Clone::clone).refused;
        names
            .marks
            .retain(|path, _| refused.iter().all(|(other, _)| other != path));
    }
    let mut learner = Learner {
        helm,
        chart,
        states,
        names,
    };
    learner.defaults();
    learner.cuts();
    learner.names
}

/// Lists the overrides of Helm's usual helpers in a chart and those inside of it.
fn usual(chart: &LoadedChart, reads: &Reads) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for chart in chart.all() {
        for key in USUAL {
            let path: Vec<String> = chart
                .prefix
                .iter()
                .cloned()
                .chain([key.to_owned()])
                .collect();
            if reads.known.covers(&path) && !chart.library {
                found.push(path);
            }
        }
    }
    found
}

/// Lists the other texts that may name something.
fn leaves(effective: &Value, reads: &Reads, known: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut add = |path: &[String]| {
        let last = path.last().map_or(String::new(), |key| key.to_lowercase());
        let fits = path.iter().all(|key| is_plain(key))
            && reads.shaping.covers(path)
            && !reads.compared.contains_key(path)
            && !OTHERS.iter().any(|word| last.contains(word))
            && !known.contains(&path.to_vec());
        if fits {
            found.insert(path.to_vec());
        }
    };
    visit(effective, &mut Vec::new(), &mut |path, value| {
        if value.is_string() || value.is_null() {
            add(path);
        }
    });
    reads.known.visit(&mut |path, node| {
        let last = path.last().map_or(String::new(), |key| key.to_lowercase());
        let like = ["name", "label", "override", "prefix", "suffix"];
        if node.keys.is_empty()
            && at(effective, path).is_none()
            && like.iter().any(|word| last.contains(word))
        {
            add(path);
        }
    });
    found.into_iter().collect()
}

/// Returns those of some texts whose change shows in the name or selector of something.
fn naming(
    helm: &Helm<'_>,
    base: &Value,
    rendering: &ChartRendering,
    leaves: Vec<Vec<String>>,
) -> Vec<Vec<String>> {
    let marked: Vec<(Vec<String>, String)> = leaves
        .into_iter()
        .enumerate()
        .map(|(number, path)| (path, format!("klnt{number:03}x")))
        .collect();
    let change = |(path, mark): &(Vec<String>, String)| -> ValueChange {
        (path.clone(), Value::from(mark.as_str()))
    };
    let mut found = BTreeSet::new();
    for (set, now) in together(helm, base, &marked, &change).rendered {
        let known: BTreeSet<&(String, usize)> =
            rendering.workloads.iter().map(|one| &one.origin).collect();
        let workloads = now.workloads.iter();
        let texts: Vec<String> = workloads
            .filter(|one| known.contains(&one.origin))
            .flat_map(|one| slots(one).into_values())
            .collect();
        for (path, mark) in set {
            if texts.iter().any(|text| text.contains(&mark)) {
                found.insert(path);
            }
        }
    }
    found.into_iter().collect()
}

/// Returns the texts of a workload that name it, its containers and its account, or select its pods.
fn slots(workload: &RenderedPodOwner) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |place: String, value: Option<&Value>| {
        if let Some(text) = value.and_then(Value::as_str) {
            found.insert(place, text.to_owned());
        }
    };
    add("name".to_owned(), workload.object.pointer("/metadata/name"));
    let labels = workload.object.pointer("/spec/selector/matchLabels");
    let labels = labels.and_then(Value::as_object).cloned();
    for (key, value) in labels.unwrap_or_else(|| workload.labels()) {
        add(format!("label {key}"), Some(&value));
    }
    for (number, (name, _)) in workload.containers().iter().enumerate() {
        add(format!("container {number}"), Some(&Value::from(*name)));
    }
    add(
        "account".to_owned(),
        workload.pod().get("serviceAccountName"),
    );
    found
}

/// A value whose default is to be told, what is left out for that, and where it shows then.
type OpenDefault = (Vec<String>, BTreeSet<Vec<String>>, Vec<SurroundingText>);

struct Learner<'l> {
    helm: &'l Helm<'l>,
    chart: &'l LoadedChart,
    states: &'l [(Value, ChartRendering)],
    names: Names,
}

impl Learner<'_> {
    /// Finds out what holds where a value that names something is not set: it leaves one mark out after the
    /// other, from those that show.
    fn defaults(&mut self) {
        let mut waiting: Vec<OpenDefault> = Vec::new();
        let mut seen = BTreeSet::new();
        for (state, _) in self.states.iter().enumerate() {
            let Some(rendering) = self.rendered(state, RELEASE, &BTreeSet::new()) else {
                continue;
            };
            let texts = self.texts(state, &rendering, RELEASE);
            let found = self.found(state, &texts);
            for (path, around) in found {
                if seen.insert(path.clone()) {
                    waiting.push((path, BTreeSet::new(), around));
                }
            }
        }
        while let Some((path, mut without, around)) = waiting.pop() {
            without.insert(path.clone());
            for (inner, around) in self.default_of(&path, &without, &around) {
                if seen.insert(inner.clone()) {
                    waiting.push((inner, without.clone(), around));
                }
            }
        }
        self.names.marks.retain(|path, _| seen.contains(path));
    }

    /// Finds out what holds where one value is not set, from places where it shows alone.
    ///
    /// Returns the values that show there then.
    fn default_of(
        &mut self,
        path: &[String],
        without: &BTreeSet<Vec<String>>,
        around: &[SurroundingText],
    ) -> Vec<(Vec<String>, Vec<SurroundingText>)> {
        let Some(state) = around.first().map(|one| one.state) else {
            return Vec::new();
        };
        let of = self.asked(path);
        let inner = of.trim_start_matches('{').trim_end_matches('}');
        let inner = if inner == "name" {
            "nameOverride"
        } else {
            inner
        };
        let mut marks = self.names.marks.iter();
        let of_mark = marks.find(|(path, _)| path.join(".") == inner);
        let of_mark = of_mark.map(|(_, mark)| mark.clone());
        let of_mark = of_mark.filter(|_| !without.contains(&self.sibling(path)));
        let containing = containing(&of_mark.unwrap_or_else(|| self.chart_of(path)));
        let plain = self.rendered(state, RELEASE, without);
        let inside = self.rendered(state, &containing, without);
        let read = |rendering: Option<ChartRendering>, release: &str| {
            let texts = self.texts(state, &rendering?, release);
            around.iter().find_map(|one| {
                let text = texts.get(&one.slot)?;
                let inner = text.strip_prefix(&one.before)?.strip_suffix(&one.behind)?;
                (!inner.is_empty()).then(|| (one, inner.to_owned()))
            })
        };
        let Some((one, otherwise)) = read(plain, RELEASE) else {
            return Vec::new();
        };
        let contained = read(inside, &containing).map(|(_, text)| text);
        let before = one.before.clone();
        let behind = one.behind.clone();
        let slot = one.slot.clone();
        let default = DefaultName {
            contained: contained.filter(|contained| *contained != otherwise),
            otherwise: otherwise.clone(),
            of,
            ..DefaultName::default()
        };
        self.put(path, default);
        let mut inner = Vec::new();
        for (path, start, end) in self.placeholders(&otherwise) {
            let around = SurroundingText {
                state,
                slot: slot.clone(),
                before: format!("{before}{}", &otherwise[..start]),
                behind: format!("{}{behind}", &otherwise[end..]),
            };
            inner.push((path, vec![around]));
        }
        inner
    }

    fn put(&mut self, path: &[String], default: DefaultName) {
        match path.join(".").as_str() {
            "fullnameOverride" => {
                self.names.overridable = true;
                self.names.fullname = default;
            }
            // The chart's name, unless the chart has another there.
            "nameOverride" if default.otherwise == self.chart.name => {}
            dotted => {
                let default = DefaultName {
                    cut: UNCUT,
                    ..default
                };
                self.names.overrides.insert(dotted.to_owned(), default);
            }
        }
    }

    /// Returns the path of `nameOverride` beside a path, in the same chart.
    fn sibling(&self, path: &[String]) -> Vec<String> {
        let mut prefix = self.chart_at(path).prefix.clone();
        prefix.push("nameOverride".to_owned());
        prefix
    }

    /// Returns the innermost chart to which a path belongs.
    fn chart_at(&self, path: &[String]) -> &LoadedChart {
        let charts = self.chart.all().into_iter();
        let inside = charts.filter(|chart| path.starts_with(&chart.prefix));
        inside
            .max_by_key(|chart| chart.prefix.len())
            .unwrap_or(self.chart)
    }

    fn chart_of(&self, path: &[String]) -> String {
        self.chart_at(path).name.clone()
    }

    /// Returns what a release's name may contain, for a name of the chart to which a path belongs.
    fn asked(&self, path: &[String]) -> String {
        let chart = self.chart_at(path);
        let sibling = self.sibling(path);
        match (
            chart.prefix.is_empty(),
            self.names.marks.contains_key(&sibling),
        ) {
            (true, _) => "{name}".to_owned(),
            (false, true) if sibling != path => format!("{{{}}}", sibling.join(".")),
            (false, _) => chart.name.clone(),
        }
    }

    fn rendered(
        &self,
        state: usize,
        release: &str,
        without: &BTreeSet<Vec<String>>,
    ) -> Option<ChartRendering> {
        let changes = self.names.changes(|path| !without.contains(path));
        let values = changed(&self.states[state].0, &changes);
        self.helm
            .template(release, &values)
            .ok()
            .map(ChartRendering::read)
    }

    /// Returns the texts of a rendering that name things, with placeholders.
    fn texts(
        &self,
        state: usize,
        rendering: &ChartRendering,
        release: &str,
    ) -> BTreeMap<Slot, String> {
        let known: BTreeSet<&(String, usize)> = self.states[state]
            .1
            .workloads
            .iter()
            .map(|one| &one.origin)
            .collect();
        let mut found = BTreeMap::new();
        for workload in &rendering.workloads {
            if known.contains(&workload.origin) {
                for (place, text) in slots(workload) {
                    let text = self.names.symbolic(&text, release);
                    found.insert((workload.origin.clone(), place), text);
                }
            }
        }
        found
    }

    /// Returns where each value shows.
    fn found(
        &self,
        state: usize,
        texts: &BTreeMap<Slot, String>,
    ) -> BTreeMap<Vec<String>, Vec<SurroundingText>> {
        let mut found: BTreeMap<Vec<String>, Vec<SurroundingText>> = BTreeMap::new();
        for (slot, text) in texts {
            for (path, start, end) in self.placeholders(text) {
                found.entry(path).or_default().push(SurroundingText {
                    state,
                    slot: slot.clone(),
                    before: text[..start].to_owned(),
                    behind: text[end..].to_owned(),
                });
            }
        }
        // Where the text is nothing but the value, its default is plainest.
        for places in found.values_mut() {
            places.sort_by_key(|one| one.before.len() + one.behind.len());
        }
        found
    }

    /// Lists the values that stand in a text with placeholders, and from where to where.
    fn placeholders(&self, text: &str) -> Vec<(Vec<String>, usize, usize)> {
        let mut found = Vec::new();
        for path in self.names.marks.keys() {
            let dotted = path.join(".");
            let key = match dotted.as_str() {
                "nameOverride" => "{name}".to_owned(),
                "fullnameOverride" => "{fullname}".to_owned(),
                path => format!("{{{path}}}"),
            };
            if let Some(start) = text.find(&key) {
                found.push((path.clone(), start, start + key.len()));
            }
        }
        found
    }

    /// Finds out where names are cut: by a long name of the release, which has no hyphen in it.
    fn cuts(&mut self) {
        let long = format!("{RELEASE}{}", "x".repeat(45));
        let nothing: BTreeSet<Vec<String>> = self.names.marks.keys().cloned().collect();
        // Some uses cut a name shorter than its helper does, so that the longest counts.
        let mut longest: BTreeMap<String, usize> = BTreeMap::new();
        for state in 0..self.states.len() {
            let all = self.rendered(state, RELEASE, &BTreeSet::new());
            let short = self.rendered(state, &long, &nothing);
            let (Some(all), Some(short)) = (all, short) else {
                continue;
            };
            let patterns = self.texts(state, &all, RELEASE);
            for workload in &short.workloads {
                for (place, text) in slots(workload) {
                    if let Some(pattern) = patterns.get(&(workload.origin.clone(), place)) {
                        for (path, length) in self.lengths(pattern, &text, &long) {
                            let known = longest.entry(path).or_default();
                            *known = length.max(*known);
                        }
                    }
                }
            }
        }
        for (path, length) in longest {
            let whole = |pattern: &str| {
                let values = serde_json::Map::new();
                self.names.filled(pattern, &long, &values).len()
            };
            if path == "fullnameOverride" {
                if length < whole("{fullname}") {
                    self.names.fullname.cut = length;
                }
            } else if length < whole(&format!("{{{path}}}"))
                && let Some(default) = self.names.overrides.get_mut(&path)
            {
                default.cut = length;
            }
        }
    }

    /// Returns how long the names in a pattern came out, as far as they are what they should be.
    fn lengths(&self, pattern: &str, text: &str, release: &str) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        let values = serde_json::Map::new();
        for (path, start, end) in self.placeholders(pattern) {
            let fill = |pattern: &str| self.names.filled(pattern, release, &values);
            let inner = text.strip_prefix(&fill(&pattern[..start]));
            let inner = inner.and_then(|inner| inner.strip_suffix(&fill(&pattern[end..])));
            let (Some(inner), whole) = (inner, fill(&pattern[start..end])) else {
                continue;
            };
            if whole.starts_with(inner) && inner.len() > RELEASE.len() {
                found.push((path.join("."), inner.len()));
            }
        }
        found
    }
}
