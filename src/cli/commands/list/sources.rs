//! The sources of what Flux applies.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;
use serde_json::json;

use super::releases::HELM_GROUP;
use super::{Inventory, named, reached};
use crate::flux::{AppliedObjects, SourceReference};

/// The API groups of sources.
const SOURCE_GROUPS: [&str; 2] = ["source.toolkit.fluxcd.io", "source.extensions.fluxcd.io"];

/// The sources that are defined in a tree.
pub(super) struct SourceCatalogue<'a> {
    objects: BTreeMap<SourceReference, &'a Field>,
    /// The URLs of the syncs, which a `FluxInstance` makes sources of.
    synced: BTreeMap<SourceReference, String>,
}

impl<'a> SourceCatalogue<'a> {
    pub(super) fn of(applied: &'a AppliedObjects) -> Self {
        let objects = reached(applied)
            .filter(|object| SOURCE_GROUPS.contains(&object.group()))
            .filter(|object| object.kind() != "ArtifactGenerator")
            .map(|object| {
                let reference = SourceReference {
                    kind: object.kind().to_owned(),
                    key: object.key(),
                };
                (reference, &*object.field)
            });
        let synced = applied
            .roots
            .iter()
            .filter_map(|root| Some((root.source.clone()?, root.url.clone().unwrap_or_default())));
        Self {
            objects: objects.collect(),
            synced: synced.collect(),
        }
    }

    pub(super) fn object(&self, reference: &SourceReference) -> Option<&'a Field> {
        self.objects.get(reference).copied()
    }

    pub(super) fn url(&self, reference: &SourceReference) -> String {
        let object = self.object(reference);
        let url = object.and_then(|object| {
            let endpoint = object.find_text(&["spec", "endpoint"]);
            object.find_text(&["spec", "url"]).or(endpoint)
        });
        let synced = || self.synced.get(reference).map(String::as_str);
        url.or_else(synced).unwrap_or_default().to_owned()
    }
}

/// Returns what of a source is taken: a tag, a version, a branch, a commit.
pub(super) fn reference_of(source: &Field) -> String {
    let keys = ["digest", "commit", "name", "semver", "tag", "branch"];
    let said = |key: &&str| source.find_text(&["spec", "ref", key]);
    let found = keys.iter().find_map(said);
    found
        .or_else(|| source.find_text(&["spec", "version"]))
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn list(applied: &AppliedObjects, verbose: bool) -> Inventory {
    let catalogue = SourceCatalogue::of(applied);
    let users = users(applied);
    let known = catalogue
        .objects
        .keys()
        .chain(catalogue.synced.keys())
        .chain(users.keys());
    let all: BTreeSet<&SourceReference> = known.collect();
    let mut inventory = Inventory {
        subject: "sources",
        head: &["SOURCE", "REF", "URL", "USED BY"],
        rows: Vec::new(),
        names: Vec::new(),
        items: Vec::new(),
    };
    for source in all {
        let url = catalogue.url(source);
        let object = catalogue.object(source);
        let reference = object.map_or_else(String::new, reference_of);
        let users: Vec<String> = users.get(source).into_iter().flatten().cloned().collect();
        inventory.rows.push(vec![
            source.to_string(),
            reference.clone(),
            url.clone(),
            named(&users, verbose),
        ]);
        inventory.names.push(source.to_string());
        inventory.items.push(json!({
            "kind": source.kind,
            "key": source.key.to_string(),
            "url": url,
            "ref": reference,
            "defined": object.is_some(),
            "users": users,
        }));
    }
    inventory
}

/// Returns who reads from each source: Kustomizations, releases and charts.
fn users(applied: &AppliedObjects) -> BTreeMap<SourceReference, BTreeSet<String>> {
    let mut users: BTreeMap<SourceReference, BTreeSet<String>> = BTreeMap::new();
    for build in applied.builds.iter().filter(|build| build.is_reached()) {
        let source = match build.kustomization() {
            Some(object) => SourceReference::of(object),
            None => build
                .root
                .and_then(|root| applied.roots.get(root)?.source.clone()),
        };
        if let Some(source) = source {
            let name = format!("Kustomization/{}", build.owner);
            users.entry(source).or_default().insert(name);
        }
    }
    for object in reached(applied) {
        let key = object.key();
        let references: &[&[&str]] = if object.is(HELM_GROUP, "HelmRelease") {
            &[
                &["spec", "chartRef"],
                &["spec", "chart", "spec", "sourceRef"],
            ]
        } else if object.is(SOURCE_GROUPS[0], "HelmChart") {
            &[&["spec", "sourceRef"]]
        } else {
            &[]
        };
        for path in references {
            let reference = object.field.find(path);
            if let Some(source) =
                reference.and_then(|found| SourceReference::read(found, &key.namespace))
            {
                let name = format!("{}/{key}", object.kind());
                users.entry(source).or_default().insert(name);
            }
        }
    }
    users
}
