//! Additions to charts that have no value for them: patches of the release's post-renderer.
//!
//! The patches of all rules for one workload become one strategic merge patch, whose target names the
//! workload's kind and name exactly; containers are named as the chart names them. Helm's hooks and
//! other workloads are never touched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::kustomization_patch::{AppliedName, HeldAddition, PatchHome, WishedPatch};
use super::object_addition::ObjectAddition;
use super::shared_manifest::{SharedAddition, Wisher};
use crate::yaml::edit::Insertion;
use crate::yaml::{Route, emit};

/// The route of the post-renderers in a release.
pub(super) const RENDERERS: &str = "spec.postRenderers";

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
    /// The release that it is right for, of those that come of the manifest; `None` where that was looked at.
    pub(super) wisher: Option<Wisher>,
    /// The kustomization that the release has to itself, where it is not right for all that come of the manifest.
    pub(super) home: Option<PatchHome>,
}

impl SharedAddition for ReleasePatch {
    fn wisher(&self) -> Option<&Wisher> {
        self.wisher.as_ref()
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn says_same(&self, other: &Self) -> bool {
        (&self.path, self.document, &self.route) == (&other.path, other.document, &other.route)
            && (&self.kind, &self.name, &self.spec) == (&other.kind, &other.name, &other.spec)
    }

    fn settle(&mut self, others: Vec<Self>) {
        self.wisher = None;
        if !others.is_empty() {
            self.release = format!("{} and {} more", self.release, others.len());
        }
    }
}

/// An item for the end of a list, with what all rules have to say in it.
pub struct GatheredPatch {
    /// The file.
    pub path: String,
    /// The item: a post-renderer of a release, or a patch of a kustomization.
    pub insertion: Insertion,
    /// What it holds.
    pub held: Vec<HeldAddition>,
}

/// Where a post-renderer goes: the file, document and route of the release, and the kustomization and objects of a
/// release that has one to itself.
type RendererPlace = (
    String,
    usize,
    Route,
    Option<(String, BTreeSet<AppliedName>)>,
);

/// Gathers the patches of all rules, release by release: those that go to where the release is written, and those for
/// its own kustomization.
pub fn gather(
    patches: Vec<(&'static str, ReleasePatch)>,
) -> (Vec<GatheredPatch>, Vec<WishedPatch>) {
    let mut releases: BTreeMap<RendererPlace, Vec<(&'static str, ReleasePatch)>> = BTreeMap::new();
    for (rule, patch) in patches {
        let home = patch.home.as_ref();
        let home = home.map(|home| (home.path.clone(), home.objects.clone()));
        let place = (
            patch.path.clone(),
            patch.document,
            patch.route.clone(),
            home,
        );
        releases.entry(place).or_default().push((rule, patch));
    }
    let (mut gathered, mut wished) = (Vec::new(), Vec::new());
    for ((path, document, route, _), patches) in releases {
        let home = patches.first().and_then(|(_, patch)| patch.home.clone());
        let (mut item, held) = post_renderer(patches);
        match home {
            None => gathered.push(GatheredPatch {
                path,
                insertion: Insertion::item(document, route, item),
                held,
            }),
            Some(home) => {
                end_without_break(&mut item);
                let renderers = Route::parse(RENDERERS);
                wished.push(WishedPatch {
                    home,
                    gains: vec![ObjectAddition::Append(renderers, item)],
                    held,
                });
            }
        }
    }
    (gathered, wished)
}

/// Takes the line break off the end of patches: kustomize takes it off a patch that holds them.
fn end_without_break(post_renderer: &mut Value) {
    let patches = post_renderer["kustomize"]["patches"].as_array_mut();
    for patch in patches.into_iter().flatten() {
        if let Some(text) = patch["patch"].as_str() {
            patch["patch"] = Value::from(text.trim_end());
        }
    }
}

/// Makes one post-renderer of the patches of a release.
fn post_renderer(patches: Vec<(&'static str, ReleasePatch)>) -> (Value, Vec<HeldAddition>) {
    let mut bodies: BTreeMap<(String, String), Map<String, Value>> = BTreeMap::new();
    let mut held = Vec::new();
    for (rule, patch) in patches {
        held.push(HeldAddition {
            rule,
            source: patch.path,
            object: format!("{}/{} of {}", patch.kind, patch.name, patch.release),
            field: patch.field,
            reason: patch.reason,
        });
        let spec = bodies.entry((patch.kind, patch.name)).or_default();
        merge(spec, patch.spec);
    }
    let bodies = bodies.into_iter();
    let patches: Vec<Value> = bodies
        .map(|((kind, name), spec)| patch(&kind, &name, &Value::Object(spec)))
        .collect();
    (json!({"kustomize": {"patches": patches}}), held)
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
