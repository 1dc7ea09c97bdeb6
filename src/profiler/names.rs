//! What of a name comes from the release: told by rendering under other names.

use serde_json::{Map, Value};

use super::chart::Chart;
use super::helm::Helm;
use super::known::Known;
use super::rendering::{Rendering, Workload};
use super::trial::{RELEASE, changed};

/// What `fullnameOverride` is set to.
const FULLNAME: &str = "klnf";

/// The same state of a chart, rendered under other names.
#[derive(Debug)]
pub(super) struct Names {
    chart: String,
    /// With a release whose name has that of the chart in it.
    other: Option<Rendering>,
    /// With `fullnameOverride`.
    overridden: Option<Rendering>,
}

impl Names {
    /// Renders a state under other names.
    pub(super) fn learn(helm: &Helm<'_>, chart: &Chart, known: &Known, values: &Value) -> Self {
        let read = |release: &str, values: &Value| {
            let text = helm.template(release, values).ok();
            text.map(Rendering::read)
        };
        let path = vec!["fullnameOverride".to_owned()];
        let named = changed(values, [&(path.clone(), Value::from(FULLNAME))]);
        let (other, overridden) = rayon::join(
            || read(&other_release(&chart.name), values),
            || known.covers(&path).then(|| read(RELEASE, &named)).flatten(),
        );
        Self {
            chart: chart.name.clone(),
            other,
            overridden,
        }
    }

    /// Returns a workload with `{release}` and `{fullname}` in all its texts.
    pub(super) fn generalize(&self, workload: &Workload) -> Value {
        let twin = |rendering: &Option<Rendering>| {
            let all = rendering
                .as_ref()
                .map(|rendering| rendering.workloads.as_slice());
            let same = |other: &&Workload| other.origin == workload.origin;
            all.unwrap_or_default()
                .iter()
                .find(same)
                .map(|found| found.object.clone())
        };
        let other = twin(&self.other);
        let overridden = twin(&self.overridden);
        self.value(&workload.object, other.as_ref(), overridden.as_ref())
    }

    fn value(&self, here: &Value, other: Option<&Value>, overridden: Option<&Value>) -> Value {
        match here {
            Value::String(text) => {
                let other = other.and_then(Value::as_str);
                Value::String(self.text(text, other, overridden.and_then(Value::as_str)))
            }
            Value::Array(items) => {
                let nth =
                    |list: Option<&Value>, at: usize| list.and_then(|list| list.get(at)).cloned();
                let items = items.iter().enumerate().map(|(at, item)| {
                    self.value(item, nth(other, at).as_ref(), nth(overridden, at).as_ref())
                });
                Value::Array(items.collect())
            }
            Value::Object(map) => {
                let mut made = Map::new();
                for (key, value) in map {
                    let of = |map: Option<&Value>| map.and_then(|map| map.get(key)).cloned();
                    let value = self.value(value, of(other).as_ref(), of(overridden).as_ref());
                    made.insert(self.text(key, None, None), value);
                }
                Value::Object(made)
            }
            other => other.clone(),
        }
    }

    /// Returns a text with `{release}` and `{fullname}` in it, given the text that stands at its
    /// place under the other names.
    fn text(&self, here: &str, other: Option<&str>, overridden: Option<&str>) -> String {
        if let Some(overridden) = overridden.filter(|text| text.contains(FULLNAME)) {
            return overridden
                .replace(FULLNAME, "{fullname}")
                .replace(RELEASE, "{release}");
        }
        if !here.contains(RELEASE) {
            return here.to_owned();
        }
        let usual = fullname(RELEASE, &self.chart);
        let release = here.replace(RELEASE, "{release}");
        let full = here
            .replace(&usual, "{fullname}")
            .replace(RELEASE, "{release}");
        let fits = |pattern: &str| {
            other.is_none_or(|other| {
                expand(pattern, &other_release(&self.chart), &self.chart) == other
            })
        };
        if full != release && fits(&full) {
            full
        } else {
            release
        }
    }

    /// Returns what `{fullname}` stands for where that is not what Helm's usual helper makes of it.
    ///
    /// `None` also where nothing is named after it.
    pub(super) fn unusual(&self, rendering: &Rendering) -> Option<String> {
        let overridden = self.overridden.as_ref()?;
        let pairs = rendering.workloads.iter().filter_map(|here| {
            let there = overridden
                .workloads
                .iter()
                .find(|one| one.origin == here.origin)?;
            let (before, after) = there.id.name.split_once(FULLNAME)?;
            let real = here.id.name.strip_prefix(before)?.strip_suffix(after)?;
            let other = self.other.as_ref()?;
            let other = other
                .workloads
                .iter()
                .find(|one| one.origin == here.origin)?;
            let other = other.id.name.strip_prefix(before)?.strip_suffix(after)?;
            Some((real.to_owned(), other.to_owned()))
        });
        let (real, other) = pairs.min_by_key(|(real, _)| real.len())?;
        let release = other_release(&self.chart);
        let is_usual =
            real == fullname(RELEASE, &self.chart) && other == fullname(&release, &self.chart);
        // A helper that cuts the name short is still the usual one for names that are short enough.
        let is_cut = fullname(RELEASE, &self.chart).starts_with(&real)
            && real.len() > RELEASE.len() + 1
            && fullname(&release, &self.chart).starts_with(&other);
        (!is_usual && !is_cut).then(|| real.replace(RELEASE, "{release}"))
    }
}

/// A release whose name has that of the chart in it: the usual helper takes it as it is.
fn other_release(chart: &str) -> String {
    let short: String = chart.chars().take(40).collect();
    format!("{}-{RELEASE}", short.to_lowercase().replace('_', "-"))
}

/// Returns what Helm's usual helper makes of a release's name.
fn fullname(release: &str, chart: &str) -> String {
    if release.contains(chart) {
        return release.to_owned();
    }
    format!("{release}-{chart}")
}

fn expand(pattern: &str, release: &str, chart: &str) -> String {
    pattern
        .replace("{fullname}", &fullname(release, chart))
        .replace("{release}", release)
}
