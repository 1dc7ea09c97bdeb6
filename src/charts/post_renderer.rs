//! Patches of a release's post-renderers, as far as they touch what rules and checks look at.

use kustomize::Field;
use regex::Regex;
use serde_json::{Map, Value};

use crate::flux::builds::Member;
use crate::source::Place;
use crate::yaml::{Route, load};

/// One patch.
#[derive(Clone, Debug)]
pub struct Patch {
    /// What it is for, by the fields of `target`; its own kind and name where there is no target.
    pub target: Map<String, Value>,
    /// Whether `target` was written.
    pub targeted: bool,
    /// Its body: a mapping that is merged, or a list of JSON 6902 operations; null if unreadable.
    pub body: Value,
    /// The place of the patch.
    pub place: Place,
}

/// The patches of a release, in the order in which they are applied.
#[derive(Clone, Debug, Default)]
pub struct Patches(pub Vec<Patch>);

impl Patches {
    /// Reads the patches of a HelmRelease.
    pub fn of(release: &Member<'_>) -> Self {
        let mut found = Vec::new();
        let renderers = release.find("spec.postRenderers").and_then(Field::items);
        for (index, renderer) in renderers.into_iter().flatten().enumerate() {
            let patches = renderer
                .find_dotted("kustomize.patches")
                .and_then(Field::items);
            for (number, patch) in patches.into_iter().flatten().enumerate() {
                let route = Route::parse("spec.postRenderers")
                    .then(index)
                    .then("kustomize")
                    .then("patches")
                    .then(number);
                found.push(read(patch, release.place(&route)));
            }
        }
        Self(found)
    }

    /// Merges the patches for a workload into its pod's spec; says `false` where one of them is of
    /// a form that is not followed.
    pub(crate) fn apply(&self, kind: &str, name: &str, spec: Value) -> (Value, bool) {
        let mut exact = true;
        let mut patched = spec;
        for patch in self.0.iter().filter(|patch| patch.concerns(kind, name)) {
            match patch.pod_spec(kind) {
                Some(above) => patched = merge(&patched, above),
                None if patch.body.is_object() => {}
                None => exact = false,
            }
        }
        (patched, exact)
    }
}

impl Patch {
    /// Returns what it merges into the pod's spec of a workload of a kind.
    pub fn pod_spec(&self, kind: &str) -> Option<&Value> {
        self.body.pointer(match kind {
            "CronJob" => "/spec/jobTemplate/spec/template/spec",
            "Pod" => "/spec",
            _ => "/spec/template/spec",
        })
    }

    /// Returns whether the patch is for a workload of a kind and name.
    ///
    /// Targets are regular expressions that match the whole, as in kustomize; a selector by label or
    /// annotation is taken to match.
    pub fn concerns(&self, kind: &str, name: &str) -> bool {
        let matches = |key: &str, text: &str| {
            let Some(pattern) = self.target.get(key).and_then(Value::as_str) else {
                return true;
            };
            if !self.targeted {
                return pattern == text;
            }
            // Most patterns are a name as it is.
            if pattern
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
            {
                return pattern == text;
            }
            Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text))
        };
        matches("kind", kind) && matches("name", name)
    }
}

fn read(patch: &Field, place: Place) -> Patch {
    let body = patch
        .find_text(&["patch"])
        .and_then(|text| load(text).ok())
        .and_then(|documents| Some(documents.first()?.root.to_kubernetes()))
        .unwrap_or_default();
    let written = patch
        .get("target")
        .and_then(|target| target.to_json().as_object().cloned());
    let targeted = written.is_some();
    let target = written.unwrap_or_else(|| {
        let mut own = Map::new();
        own.insert("kind".to_owned(), body["kind"].clone());
        own.insert("name".to_owned(), body["metadata"]["name"].clone());
        own
    });
    Patch {
        target,
        targeted,
        body,
        place,
    }
}

/// Merges strategically as far as pods need it: containers by name, other lists as a whole.
fn merge(below: &Value, above: &Value) -> Value {
    let (Value::Object(below), Value::Object(above)) = (below, above) else {
        return above.clone();
    };
    let mut merged = below.clone();
    for (key, value) in above {
        match (merged.get(key), value) {
            (_, Value::Null) => {
                merged.remove(key);
            }
            (Some(Value::Array(own)), Value::Array(items)) if key.ends_with("ontainers") => {
                let items = by_name(own, items);
                merged.insert(key.clone(), items);
            }
            (Some(own), value) => {
                let inner = merge(own, value);
                merged.insert(key.clone(), inner);
            }
            (None, value) => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(merged)
}

fn by_name(below: &[Value], above: &[Value]) -> Value {
    let mut merged = below.to_vec();
    for item in above {
        if item["$patch"] == "delete" {
            merged.retain(|own| own["name"] != item["name"]);
            continue;
        }
        match merged.iter_mut().find(|own| own["name"] == item["name"]) {
            Some(own) => *own = merge(own, item),
            None => merged.push(item.clone()),
        }
    }
    Value::Array(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn containers_are_merged_and_deleted_by_name() {
        let below =
            json!({"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]});
        let above =
            json!({"containers": [{"name": "a", "$patch": "delete"}, {"name": "b", "tty": true}]});
        let merged = json!({"containers": [{"name": "b", "image": "b:1", "tty": true}]});
        assert_eq!(merge(&below, &above), merged);
    }
}
