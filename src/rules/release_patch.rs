//! Additions to charts that have no value for them: patches of the release's post-renderer.
//!
//! The patches of all rules for one workload become one strategic merge patch, whose target names the
//! workload's kind and name exactly; containers are named as the chart names them. Helm's hooks and
//! other workloads are never touched.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::plan::EditUsers;
use crate::yaml::edit::Insertion;
use crate::yaml::{Route, emit};

/// An addition by patch.
pub struct ReleasePatch {
    /// The file of the HelmRelease.
    pub path: String,
    /// The document in it.
    pub document: usize,
    /// The route of its post-renderers in the document.
    pub route: Route,
    /// The HelmRelease, as messages name it.
    pub release: String,
    /// The kind of the workload.
    pub kind: String,
    /// The name of the workload.
    pub name: String,
    /// What its pod's spec gains.
    pub spec: Map<String, Value>,
    /// The field, for the record.
    pub field: String,
    /// Why, for the record.
    pub reason: String,
    /// For which objects it is right, of those that come of the manifest.
    pub(super) users: EditUsers,
}

impl ReleasePatch {
    /// Returns whether another adds the same to the same manifest.
    pub(super) fn says_same(&self, other: &Self) -> bool {
        (&self.path, self.document, &self.route) == (&other.path, other.document, &other.route)
            && (&self.kind, &self.name, &self.spec) == (&other.kind, &other.name, &other.spec)
    }
}

/// The patch of one release.
pub struct GatheredPatch {
    /// The file of the HelmRelease.
    pub path: String,
    /// The item for its list of post-renderers.
    pub insertion: Insertion,
    /// What it holds: rule, object, field and reason of each addition.
    pub held: Vec<(&'static str, String, String, String)>,
}

/// Where a release is written: file, document, and the route in it.
type ReleasePlace = (String, usize, Route);

/// Gathers the patches of all rules, release by release.
pub fn gather(patches: Vec<(&'static str, ReleasePatch)>) -> Vec<GatheredPatch> {
    let mut releases: BTreeMap<ReleasePlace, Vec<(&'static str, ReleasePatch)>> = BTreeMap::new();
    for (rule, patch) in patches {
        let key = (patch.path.clone(), patch.document, patch.route.clone());
        releases.entry(key).or_default().push((rule, patch));
    }
    releases
        .into_iter()
        .map(|((path, document, route), patches)| {
            let mut bodies: BTreeMap<(String, String), Map<String, Value>> = BTreeMap::new();
            let mut held = Vec::new();
            for (rule, patch) in patches {
                let workload = format!("{}/{} of {}", patch.kind, patch.name, patch.release);
                held.push((rule, workload, patch.field, patch.reason));
                let spec = bodies.entry((patch.kind, patch.name)).or_default();
                merge(spec, patch.spec);
            }
            let patches: Vec<Value> = bodies
                .into_iter()
                .map(|((kind, name), spec)| patch(&kind, &name, &Value::Object(spec)))
                .collect();
            let item = json!({"kustomize": {"patches": patches}});
            GatheredPatch {
                path,
                insertion: Insertion::item(document, route, item),
                held,
            }
        })
        .collect()
}

fn patch(kind: &str, name: &str, spec: &Value) -> Value {
    let template = json!({"spec": {"template": {"spec": spec}}});
    let (version, spec) = if kind == "CronJob" {
        ("batch/v1", json!({"jobTemplate": template}))
    } else {
        ("apps/v1", template["spec"].clone())
    };
    let body = json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    });
    // A target is a regular expression, and a name may hold dots.
    json!({
        "target": {"kind": kind, "name": name.replace('.', "\\.")},
        "patch": emit(&body),
    })
}

/// Puts one addition beside another: containers by name, everything else by key.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(more)) => merge(own, more),
            (Some(Value::Array(own)), Value::Array(more)) if key.ends_with("ontainers") => {
                for item in more {
                    let found = own.iter_mut().find(|known| known["name"] == item["name"]);
                    match (found, item) {
                        (Some(Value::Object(known)), Value::Object(item)) => merge(known, item),
                        (_, item) => own.push(item),
                    }
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_matches_the_name_and_nothing_like_it() {
        let patch = patch("Deployment", "web.v2", &json!({}));
        let name = patch["target"]["name"].as_str().unwrap();
        let target = regex::Regex::new(&format!("^(?:{name})$")).unwrap();
        assert!(target.is_match("web.v2"));
        assert!(!target.is_match("web-v2"));
    }
}
