//! Additions to one of the objects that come of a manifest: patches in the kustomization through which it alone comes.
//!
//! What all rules add to an object in one kustomization is one entry of its `patches`: a strategic merge, or operations
//! of JSON 6902 where a list stands in the way of that. Whether kustomize takes it as it is meant is for the
//! [`AppliedState`] to prove.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::applied_state::AppliedState;
use super::object_addition::{ObjectAddition, merge};
use crate::flux::{AppliedObject, ObjectKey};
use crate::tree::Gap;
use crate::yaml::edit::Insertion;
use crate::yaml::{Route, emit};

/// One object of one build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AppliedName {
    pub(super) build: usize,
    group: String,
    kind: String,
    key: ObjectKey,
}

/// The kustomization that one of the objects of a manifest has to itself.
#[derive(Clone, Debug)]
pub(super) struct PatchHome {
    /// The file.
    pub(super) path: String,
    /// Its folder, in the tree.
    pub(super) folder: String,
    /// The manifest: its file in the tree, and the first byte.
    pub(super) spot: (String, usize),
    pub(super) api_version: String,
    pub(super) kind: String,
    /// How the object may be named when it is patched, the plainest first.
    pub(super) targets: Vec<PatchTarget>,
    /// The object, once for every build that has it.
    pub(super) objects: BTreeSet<AppliedName>,
}

/// By what a patch finds an object of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatchTarget {
    pub(super) name: String,
    /// Empty where the name is enough.
    pub(super) namespace: String,
}

/// Something that a patch adds, for the record.
#[derive(Clone, Debug)]
pub struct HeldAddition {
    /// The remedy that asks for it.
    pub rule: &'static str,
    /// The file of the manifest.
    pub source: String,
    /// The object, as messages name it.
    pub object: String,
    /// The field.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// What an object is to gain in its own kustomization.
#[derive(Clone, Debug)]
pub struct WishedPatch {
    pub(super) home: PatchHome,
    pub(super) gains: Vec<ObjectAddition>,
    pub(super) held: Vec<HeldAddition>,
}

/// An entry for the `patches` of a kustomization.
#[derive(Clone, Debug)]
pub struct KustomizationPatch {
    home: PatchHome,
    /// What each object gains.
    pub(super) gains: BTreeMap<AppliedName, Vec<ObjectAddition>>,
    held: Vec<HeldAddition>,
    /// How many ways to write it were tried in vain.
    tried: usize,
}

impl AppliedName {
    pub(super) fn of(object: &AppliedObject) -> Self {
        Self {
            build: object.build,
            group: object.group().to_owned(),
            kind: object.kind().to_owned(),
            key: object.key(),
        }
    }
}

impl KustomizationPatch {
    /// Puts together what is to be added to the same objects in the same kustomization.
    pub fn gather(wishes: Vec<WishedPatch>) -> Vec<Self> {
        let mut patches: BTreeMap<(String, (String, usize)), Self> = BTreeMap::new();
        for WishedPatch { home, gains, held } in wishes {
            let key = (home.path.clone(), home.spot.clone());
            let patch = patches.entry(key).or_insert_with(|| Self {
                home: home.clone(),
                gains: BTreeMap::new(),
                held: Vec::new(),
                tried: 0,
            });
            let targets = &mut patch.home.targets;
            targets.retain(|target| home.targets.contains(target));
            for object in home.objects {
                let known = patch.gains.entry(object).or_default();
                known.extend(gains.iter().cloned());
            }
            patch.held.extend(held);
        }
        patches.into_values().collect()
    }

    /// Returns the path of the kustomization.
    pub fn path(&self) -> &str {
        &self.home.path
    }

    pub(super) fn folder(&self) -> &str {
        &self.home.folder
    }

    /// Lists what it adds.
    pub fn held(&self) -> &[HeldAddition] {
        &self.held
    }

    /// Returns the item for the list of patches, in the first form that was not tried yet; `None` where that form does
    /// not say what is meant.
    pub fn insertion(&self, before: &AppliedState) -> Option<Insertion> {
        let targets = &self.home.targets;
        let PatchTarget { name, namespace } = targets.get(self.tried % targets.len())?;
        let patch = if self.tried < targets.len() {
            self.strategic_merge(name, before)?
        } else {
            self.operations(before)?
        };
        // A target is a regular expression, and a name may hold dots.
        let mut target = json!({"kind": self.home.kind, "name": name.replace('.', "\\.")});
        if !namespace.is_empty() {
            target["namespace"] = json!(namespace);
        }
        let item = json!({"target": target, "patch": emit(&patch)});
        Some(Insertion::item(0, Route::parse("patches"), item))
    }

    /// Gives up the form that was tried last; returns whether there is another.
    pub fn try_next(&mut self) -> bool {
        self.tried += 1;
        self.tried < 2 * self.home.targets.len()
    }

    /// Says that nothing of it can be added.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.held.iter().map(|held| Gap {
            rule: held.rule,
            path: held.source.clone(),
            object: held.object.clone(),
            route: held.field.clone(),
            reason: format!(
                "its manifest makes others too, and no patch in `{}` adds it to this one alone",
                self.home.path
            ),
        })
    }

    fn strategic_merge(&self, name: &str, before: &AppliedState) -> Option<Value> {
        let mut patch = json!({
            "apiVersion": self.home.api_version,
            "kind": self.home.kind,
            "metadata": {"name": name},
        });
        for (object, gains) in &self.gains {
            let object = before.object(object)?;
            for gain in gains {
                merge(&mut patch, gain.merge_patch(&object)?);
            }
        }
        Some(patch)
    }

    /// Lists the operations, which have to be the same for all objects.
    fn operations(&self, before: &AppliedState) -> Option<Value> {
        let mut all = self.gains.iter().map(|(object, gains)| {
            let mut object = before.object(object)?;
            let operations = gains.iter().map(|gain| gain.apply(&mut object));
            Some(operations.collect::<Option<Vec<_>>>()?.concat())
        });
        let first = all.next()??;
        let is_same = all.all(|other| other.as_ref() == Some(&first));
        is_same.then_some(Value::Array(first))
    }
}
