//! What of a name comes from the release and from which value: told by rendering with marks in their places.

mod learn;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::helm::Helm;
use super::rendering::{ChartRendering, RenderedPodOwner};
use super::trial::{RELEASE, ValueChange, changed};
use crate::charts::naming::{LONGEST, ReleaseNaming, UNCUT};
use crate::charts::profile::DefaultName;

pub(super) use learn::learn;

/// By how much the longer name of a release is longer: as much as still fits before names are cut in ways of
/// their own.
const LONGER: usize = 20;

/// How a chart names things.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    chart: String,
    /// The values that name things, each with a mark that no other text has.
    marks: BTreeMap<Vec<String>, String>,
    /// What `{fullname}` stands for by default.
    fullname: DefaultName,
    /// Whether `fullnameOverride` is among the values that name things.
    overridable: bool,
    /// What holds by default where the others are not set, by dotted path.
    overrides: BTreeMap<String, DefaultName>,
}

/// One state of a chart, rendered as several releases.
#[derive(Debug)]
pub(super) struct Twins {
    /// With every name marked, if the chart takes that.
    marked: Option<ChartRendering>,
    /// All releases.
    pub(super) all: Vec<Twin>,
}

/// A state of a chart as one release.
#[derive(Clone, Debug)]
pub(super) struct Twin {
    /// What is special about it.
    pub(super) about: String,
    pub(super) release: String,
    pub(super) values: Value,
    pub(super) rendering: ChartRendering,
}

impl Names {
    /// Renders a state as the releases that tell of its names: the few that tell most, or `all` of them.
    pub(super) fn twins(
        &self,
        helm: &Helm<'_>,
        values: &Value,
        own: &ChartRendering,
        all: bool,
    ) -> Twins {
        let mut wanted: Vec<(String, String, Vec<ValueChange>)> = vec![
            (
                "a release with the chart's name in its own".to_owned(),
                containing(&self.chart),
                Vec::new(),
            ),
            (
                "every name set".to_owned(),
                RELEASE.to_owned(),
                self.changes(|_| true),
            ),
        ];
        if all {
            wanted.extend(self.more());
        }
        let rendered = super::trial::in_parallel(&wanted, &|(_, release, changes)| {
            let values = changed(values, changes);
            let text = helm.template(release, &values).ok()?;
            Some((values, ChartRendering::read(text)))
        });
        let mut twins = vec![Twin {
            about: "the chart's defaults".to_owned(),
            release: RELEASE.to_owned(),
            values: values.clone(),
            rendering: own.clone(),
        }];
        let mut marked = None;
        for (number, ((about, release, _), rendered)) in
            wanted.into_iter().zip(rendered).enumerate()
        {
            let Some((values, rendering)) = rendered else {
                continue;
            };
            if number == 1 {
                marked = Some(rendering.clone());
            }
            twins.push(Twin {
                about,
                release,
                values,
                rendering,
            });
        }
        Twins { marked, all: twins }
    }

    /// Lists the releases that tell of the rarer cases.
    fn more(&self) -> Vec<(String, String, Vec<ValueChange>)> {
        let release = RELEASE.to_owned();
        let mut wanted = vec![
            (
                "a release named like the chart".to_owned(),
                short(&self.chart),
                Vec::new(),
            ),
            (
                "a longer name of the release".to_owned(),
                format!("{RELEASE}{}", "x".repeat(LONGER)),
                Vec::new(),
            ),
        ];
        for (path, mark) in &self.marks {
            let dotted = path.join(".");
            let change = (path.clone(), Value::from(mark.as_str()));
            wanted.push((format!("`{dotted}` set"), release.clone(), vec![change]));
            // The release's name contains what is in place of the chart's.
            if dotted == "nameOverride" {
                let inner = (path.clone(), Value::from(&RELEASE[1..]));
                let about = "`nameOverride` set to a part of the release's name".to_owned();
                wanted.push((about, release.clone(), vec![inner]));
            }
        }
        let of = self.overrides.values().map(|default| default.of.as_str());
        let subcharts: std::collections::BTreeSet<String> = of
            .filter(|of| *of != "{name}")
            .map(|of| self.filled(of, RELEASE, &Map::new()))
            .collect();
        for name in subcharts {
            let about = format!("a release with `{name}` in its name");
            wanted.push((about, containing(&name), Vec::new()));
        }
        wanted
    }

    fn changes(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<ValueChange> {
        let marks = self.marks.iter().filter(|(path, _)| wanted(path));
        marks
            .map(|(path, mark)| (path.clone(), Value::from(mark.as_str())))
            .collect()
    }

    /// Fills in a text for a release.
    pub(super) fn filled(
        &self,
        pattern: &str,
        release: &str,
        values: &Map<String, Value>,
    ) -> String {
        let naming = ReleaseNaming {
            chart: &self.chart,
            fullname: &self.fullname,
            overridable: self.overridable,
            overrides: &self.overrides,
            release,
            values,
        };
        naming.fill(pattern).text
    }

    /// Returns a text of a rendering with a placeholder in the place of each mark.
    fn symbolic(&self, text: &str, release: &str) -> String {
        let mut symbolic = text.replace(release, "{release}");
        for (path, mark) in &self.marks {
            let dotted = path.join(".");
            let key = match dotted.as_str() {
                "nameOverride" => "name",
                "fullnameOverride" => "fullname",
                path => path,
            };
            symbolic = symbolic.replace(mark.as_str(), &format!("{{{key}}}"));
        }
        symbolic
    }

    /// Returns a workload with placeholders in all its texts.
    pub(super) fn generalize(&self, workload: &RenderedPodOwner, twins: &Twins) -> Value {
        let twin = |rendering: &ChartRendering| {
            let all = rendering.workloads.iter();
            let mut same = all.filter(|other| other.origin == workload.origin);
            same.next().map(|found| found.object.clone())
        };
        let marked = twins.marked.as_ref().and_then(twin);
        let others: Vec<(&Twin, Value)> = twins
            .all
            .iter()
            .filter_map(|other| Some((other, twin(&other.rendering)?)))
            .collect();
        let others: Vec<(&Twin, &Value)> = others
            .iter()
            .map(|(twin, object)| (*twin, object))
            .collect();
        self.value(&workload.object, marked.as_ref(), &others)
    }

    fn value(&self, here: &Value, marked: Option<&Value>, others: &[(&Twin, &Value)]) -> Value {
        match here {
            Value::String(text) => {
                let others: Vec<(&Twin, &str)> = others
                    .iter()
                    .filter_map(|(twin, other)| Some((*twin, other.as_str()?)))
                    .collect();
                Value::String(self.text(text, marked.and_then(Value::as_str), &others))
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(at, item)| {
                    let others = below(others, |other| other.get(at));
                    self.value(item, marked.and_then(|marked| marked.get(at)), &others)
                });
                Value::Array(items.collect())
            }
            Value::Object(map) => {
                let mut made = Map::new();
                for (key, value) in map {
                    let others = below(others, |other| other.get(key));
                    let marked = marked.and_then(|marked| marked.get(key));
                    let key = key.replace(RELEASE, "{release}");
                    made.insert(key, self.value(value, marked, &others));
                }
                Value::Object(made)
            }
            other => other.clone(),
        }
    }

    /// Returns whether a pattern gives what stands at some place of a workload in all its twins.
    pub(super) fn holds(
        &self,
        pattern: &str,
        workload: &RenderedPodOwner,
        twins: &Twins,
        place: &[&str],
    ) -> bool {
        twins.all.iter().all(|twin| {
            let mut all = twin.rendering.workloads.iter();
            let Some(other) = all.find(|other| other.origin == workload.origin) else {
                return true;
            };
            let at = |object: &Value| {
                place
                    .iter()
                    .try_fold(object.clone(), |at, key| at.get(*key).cloned())
            };
            let text = at(&other.object).and_then(|text| text.as_str().map(str::to_owned));
            let empty = Map::new();
            let values = twin.values.as_object().unwrap_or(&empty);
            text == Some(self.filled(pattern, &twin.release, values))
        })
    }

    /// Returns a text with placeholders: of those that may be meant the one that fits most of the releases.
    fn text(&self, here: &str, marked: Option<&str>, others: &[(&Twin, &str)]) -> String {
        let moves = others.iter().any(|(_, other)| *other != here);
        if !moves && !here.contains(RELEASE) {
            return here.to_owned();
        }
        let usual = format!("{RELEASE}-{}", self.chart);
        let mut candidates: Vec<String> = Vec::new();
        candidates.extend(marked.map(|marked| self.symbolic(marked, RELEASE)));
        candidates.push(
            here.replace(&usual, "{fullname}")
                .replace(RELEASE, "{release}"),
        );
        candidates.push(here.replace(RELEASE, "{release}"));
        let misses = |pattern: &String| {
            let missed = others.iter().filter(|(twin, other)| {
                let empty = Map::new();
                let values = twin.values.as_object().unwrap_or(&empty);
                self.filled(pattern, &twin.release, values) != **other
            });
            missed.count()
        };
        candidates
            .into_iter()
            .min_by_key(misses)
            .unwrap_or_default()
    }

    /// Returns what `{fullname}` stands for where that is not what Helm's usual helper makes of it, and
    /// what the values that name things stand for, as far as some text of the profile has them.
    pub(super) fn facts(&self, texts: &str) -> (Option<Value>, Option<Value>) {
        let usual = DefaultName::default();
        let fullname = (self.fullname != usual).then(|| written(&self.fullname, LONGEST));
        let mut used: std::collections::BTreeSet<&String> = std::collections::BTreeSet::new();
        let full = &self.fullname;
        let mut text = format!("{texts}{}{}", full.otherwise, full.of);
        text.extend(full.contained.as_deref());
        loop {
            let new: Vec<_> = self
                .overrides
                .iter()
                .filter(|(path, _)| {
                    let key = if *path == "nameOverride" {
                        "name"
                    } else {
                        path.as_str()
                    };
                    !used.contains(path) && text.contains(&format!("{{{key}}}"))
                })
                .collect();
            if new.is_empty() {
                break;
            }
            for (path, default) in new {
                used.insert(path);
                text.push_str(&default.otherwise);
                text.push_str(&default.of);
                text.extend(default.contained.as_deref());
            }
        }
        let overrides: Map<String, Value> = used
            .into_iter()
            .map(|path| (path.clone(), written(&self.overrides[path], UNCUT)))
            .collect();
        let uses_fullname = text.contains("{fullname}");
        (
            fullname.filter(|_| uses_fullname),
            (!overrides.is_empty()).then_some(Value::Object(overrides)),
        )
    }
}

fn below<'v>(
    others: &[(&'v Twin, &'v Value)],
    step: impl Fn(&'v Value) -> Option<&'v Value>,
) -> Vec<(&'v Twin, &'v Value)> {
    others
        .iter()
        .filter_map(|(twin, other)| Some((*twin, step(other)?)))
        .collect()
}

/// Writes a name down; `cut` is where it is cut if nothing is said.
fn written(name: &DefaultName, cut: usize) -> Value {
    let usual = DefaultName::default();
    if name.contained.is_none() && name.cut == cut {
        return Value::from(name.otherwise.as_str());
    }
    let mut made = Map::new();
    if name.of != usual.of && name.contained.is_some() {
        made.insert("of".to_owned(), Value::from(name.of.as_str()));
    }
    if let Some(contained) = &name.contained {
        made.insert("contained".to_owned(), Value::from(contained.as_str()));
    }
    made.insert("otherwise".to_owned(), Value::from(name.otherwise.as_str()));
    if name.cut != cut {
        made.insert("cut".to_owned(), Value::from(name.cut));
    }
    Value::Object(made)
}

/// Returns a release's name that has a text in it.
fn containing(name: &str) -> String {
    format!("{}-{RELEASE}", short(name))
}

/// Returns a text as the name of a release.
pub(super) fn short(name: &str) -> String {
    let short: String = name.chars().take(40).collect();
    short.to_lowercase().replace('_', "-")
}
