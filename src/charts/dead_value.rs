//! Values of a release that its chart does not know, and what their author most likely meant.

use std::collections::BTreeMap;

use kustomize::Field;

use super::Release;
use super::profile::ChartKnownValues;
use super::values;
use crate::diagnostic::closest;
use crate::source::Place;
use crate::yaml::Step;

/// Stands for every name that values may give to what they list by name.
const ANY: &str = "*";

/// More places of the same name than this are no hint.
const FEW: usize = 5;

/// A value on a path that the chart does not know.
#[derive(Clone, Debug)]
pub struct DeadValue {
    /// The path: dotted, the shortest part that is unknown.
    pub path: String,
    /// The place of its last key.
    pub place: Place,
    /// Whether some part of it spells limits of resources.
    pub holds_limits: bool,
    /// The path that was meant, if one is close.
    pub meant: Option<String>,
}

/// Lists the values of a release that its chart does not know, in the order of their paths.
///
/// Nothing is said of a chart whose profile lists no values of the version. Helm hands `global` to all charts below,
/// so that nothing is said of that either.
pub fn all(release: &Release<'_>) -> Vec<DeadValue> {
    let Some(profile) = release.profile() else {
        return Vec::new();
    };
    let root = release.member.find("spec.values");
    let known = profile.values_in(release.version.as_deref());
    let (Some(known), Some(root)) = (known, root) else {
        return Vec::new();
    };
    let mut search = DeadValueSearch {
        release,
        chart: &profile.chart,
        known,
        found: Vec::new(),
    };
    search.visit(root, known, &mut Vec::new());
    search.found
}

struct DeadValueSearch<'s> {
    release: &'s Release<'s>,
    chart: &'s str,
    known: &'s ChartKnownValues,
    found: Vec<DeadValue>,
}

impl DeadValueSearch<'_> {
    fn visit(&mut self, node: &Field, known: &ChartKnownValues, path: &mut Vec<String>) {
        let (Some(keys), Some(_)) = (known.keys(), node.entries()) else {
            return;
        };
        for key in written(node) {
            let Some(value) = node.get(key) else {
                continue;
            };
            path.push(key.to_owned());
            match keys.get(key).or_else(|| keys.get(ANY)) {
                Some(inner) => self.visit(value, inner, path),
                None if key == "global" || key.contains("${") => {}
                None => self.report(value, keys, path),
            }
            path.pop();
        }
    }

    fn report(
        &mut self,
        value: &Field,
        keys: &BTreeMap<String, ChartKnownValues>,
        path: &[String],
    ) {
        let mut route = values::route("");
        route
            .0
            .extend(path.iter().map(|key| Step::from(key.as_str())));
        self.found.push(DeadValue {
            path: path.join("."),
            place: self.release.member.place(&route),
            holds_limits: holds_limits(path, value),
            meant: self.meant(value, keys, path),
        });
    }

    /// Looks for what was meant: a key that is spelt alike, one that holds the same keys, or the same
    /// key elsewhere, the one below the chart's own name first.
    fn meant(
        &self,
        value: &Field,
        keys: &BTreeMap<String, ChartKnownValues>,
        path: &[String],
    ) -> Option<String> {
        let (key, above) = path.split_last()?;
        let beside = |name: &str| {
            let steps = above.iter().map(String::as_str).chain([name]);
            steps.collect::<Vec<_>>().join(".")
        };
        let names = keys.keys().map(String::as_str).filter(|name| *name != ANY);
        if let Some(name) = closest(key, names) {
            return Some(beside(name));
        }
        let alike = |name: &str| name.contains(key.as_str()) || key.contains(name);
        let twin = keys
            .iter()
            .find(|(name, known)| alike(name) && knows_all(known, value));
        if let Some((name, _)) = twin {
            return Some(beside(name));
        }
        let mut elsewhere = Vec::new();
        gather(self.known, key, &mut Vec::new(), &mut elsewhere);
        let is_main = |steps: &Vec<&str>| steps.contains(&self.chart);
        if elsewhere.len() > FEW && !elsewhere.iter().any(is_main) {
            return None;
        }
        elsewhere.sort_by_key(|steps| (!is_main(steps), steps.len(), steps.clone()));
        elsewhere.first().map(|steps| steps.join("."))
    }
}

/// Lists the keys of a mapping, in order.
fn written(field: &Field) -> Vec<&str> {
    let entries = field.entries().into_iter().flatten();
    entries.map(|entry| entry.key.as_str()).collect()
}

fn knows_all(known: &ChartKnownValues, value: &Field) -> bool {
    let Some(keys) = known.keys() else {
        return false;
    };
    let written = written(value);
    !written.is_empty() && written.iter().all(|key| keys.contains_key(*key))
}

fn holds_limits(path: &[String], value: &Field) -> bool {
    let here = path.iter().any(|key| key == "limits");
    let mut inside = value.entries().into_iter().flatten();
    here || inside.any(|entry| entry.key == "limits" || holds_limits(&[], &entry.value))
}

fn gather<'k>(
    known: &'k ChartKnownValues,
    key: &str,
    path: &mut Vec<&'k str>,
    found: &mut Vec<Vec<&'k str>>,
) {
    let Some(keys) = known.keys() else {
        return;
    };
    for (name, inner) in keys {
        path.push(name);
        if name == key {
            found.push(path.clone());
        }
        gather(inner, key, path, found);
        path.pop();
    }
}
