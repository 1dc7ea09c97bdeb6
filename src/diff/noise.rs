//! Differences that say nothing: labels and annotations that move with every release.

use std::collections::BTreeMap;

use serde_json::Value;

/// Labels and annotations that a chart or a controller writes anew with each version.
pub const NOISE: [&str; 4] = [
    "helm.sh/chart",
    "chart",
    "app.kubernetes.io/version",
    "checksum/*",
];

/// The keys below which labels and annotations stand, in objects and in the values of charts.
const HOLDERS: [&str; 8] = [
    "labels",
    "annotations",
    "matchLabels",
    "commonLabels",
    "commonAnnotations",
    "podLabels",
    "podAnnotations",
    "extraLabels",
];

/// What is left out of a comparison.
///
/// A pattern is the name of a label or annotation, or with a leading `/` the way to a value from the
/// root of its object (`/spec/interval`); `*` stands for any text, in a way for any text of one step.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    names: Vec<String>,
    ways: Vec<Vec<String>>,
}

impl Noise {
    pub(super) fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        let (ways, names) = patterns
            .into_iter()
            .partition::<Vec<String>, _>(|pattern| pattern.starts_with('/'));
        let split = |way: &String| {
            let steps = way.split('/').skip(1);
            steps
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect()
        };
        Self {
            names,
            ways: ways.iter().map(split).collect(),
        }
    }

    /// Takes the noise out of a value and returns it by JSON pointer.
    pub(super) fn strip(&self, value: &mut Value) -> BTreeMap<String, Value> {
        let mut taken = BTreeMap::new();
        self.walk(value, &mut Vec::new(), &mut taken);
        taken
    }

    fn walk(&self, value: &mut Value, way: &mut Vec<String>, taken: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(entries) => {
                let keys: Vec<String> = entries.keys().cloned().collect();
                let holder = way
                    .last()
                    .is_some_and(|key| HOLDERS.contains(&key.as_str()));
                for key in keys {
                    way.push(key.clone());
                    if (holder && self.is_noisy_name(&key)) || self.is_noisy_way(way) {
                        let gone = entries.shift_remove(&key).unwrap_or_default();
                        taken.insert(format!("/{}", way.join("/")), gone);
                    } else if let Some(inner) = entries.get_mut(&key) {
                        self.walk(inner, way, taken);
                        // A holder of noise alone must not count as one that came or went.
                        let empty = inner.as_object().is_some_and(serde_json::Map::is_empty);
                        let below = format!("/{}/", way.join("/"));
                        if empty && taken.keys().any(|pointer| pointer.starts_with(&below)) {
                            entries.shift_remove(&key);
                        }
                    }
                    way.pop();
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    way.push(index.to_string());
                    self.walk(item, way, taken);
                    way.pop();
                }
            }
            _ => {}
        }
    }

    fn is_noisy_name(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| fits(pattern, name))
    }

    fn is_noisy_way(&self, way: &[String]) -> bool {
        let fits_all = |pattern: &Vec<String>| {
            pattern.len() == way.len()
                && pattern
                    .iter()
                    .zip(way)
                    .all(|(pattern, step)| fits(pattern, step))
        };
        self.ways.iter().any(fits_all)
    }
}

/// Returns whether a text is of a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            rest.is_empty()
                || (0..=tail.len())
                    .filter(|at| tail.is_char_boundary(*at))
                    .any(|at| fits(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn takes_out_labels_by_name_and_values_by_way() {
        let patterns = NOISE.into_iter().chain(["/spec/*/seed"]);
        let noise = Noise::new(patterns.map(str::to_owned));
        let mut value = json!({
            "metadata": {"labels": {"helm.sh/chart": "x-1", "app": "x"}, "annotations": {"checksum/config": "1"}},
            "chart": "stays",
            "spec": {"a": {"seed": 1, "b": 2}},
        });
        let taken = noise.strip(&mut value);
        let left = json!({"metadata": {"labels": {"app": "x"}}, "chart": "stays", "spec": {"a": {"b": 2}}});
        assert_eq!(value, left);
        assert_eq!(taken.len(), 3, "{taken:?}");
    }

    #[test]
    fn stars_stand_for_any_text() {
        assert!(fits("checksum/*", "checksum/secret-x"));
        assert!(fits("*/hash*", "a/hash"));
        assert!(!fits("checksum/*", "other/checksum/x"));
        assert!(!fits("chart", "charts"));
    }
}
