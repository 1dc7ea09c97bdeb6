//! Where Flux starts in a tree.

use std::collections::BTreeSet;

use kustomize::{Field, join, named_paths};
use rayon::prelude::*;

use super::applied_object::{ObjectKey, group_of, is_of, key_of};
use super::generated::find_file;
use super::source_reference::SourceReference;
use super::tree_files::TreeFiles;

/// The API group of Flux Kustomizations.
pub(super) const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// The API group of sources.
const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// The name that a sync has where nobody chooses one.
const DEFAULT_NAME: &str = "flux-system";

/// What says that Flux starts from a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootEvidence {
    /// The sync of a `FluxInstance`, or of its values in a chart.
    Instance,
    /// A Kustomization that builds the folder which holds it, as `flux bootstrap` writes it.
    Bootstrap,
    /// Nothing: the user names it, or it is the uppermost folder with Flux Kustomizations.
    Nothing,
}

/// A folder that Flux starts from: a cluster has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRoot {
    /// The folder; empty for the root of the tree.
    pub folder: String,
    /// The Kustomization that the sync makes.
    pub key: ObjectKey,
    /// The source that holds this tree; `None` where nothing says its name.
    pub source: Option<SourceReference>,
    /// The URL of that source, where the sync says it.
    pub url: Option<String>,
    /// What says so.
    pub evidence: RootEvidence,
}

/// Finds the roots of a tree: the ones named, else those that the tree tells of itself.
///
/// A `FluxInstance` names its folder, also as values of the chart `flux-instance`. `flux bootstrap` makes a
/// Kustomization whose path holds the file that it stands in. Without either, Flux starts from each folder with Flux
/// Kustomizations that no other Kustomization gets to.
pub fn find_roots(files: &TreeFiles<'_>, named: &[String]) -> Vec<SyncRoot> {
    if !named.is_empty() {
        return named
            .iter()
            .filter_map(|path| named_root(files, path))
            .collect();
    }
    let found = FluxObjects::read(files);
    let mut roots = found.instances;
    roots.extend(found.bootstrapped);
    if roots.is_empty() {
        roots = uppermost(files, &found.kustomizations);
    }
    roots.sort_by(|one, other| one.folder.cmp(&other.folder));
    roots.dedup_by(|one, other| one.folder == other.folder);
    roots
}

fn named_root(files: &TreeFiles<'_>, path: &str) -> Option<SyncRoot> {
    let folder = join("", path)?;
    let known = FluxObjects::read(files);
    let said = known.instances.into_iter().chain(known.bootstrapped);
    Some(
        said.into_iter()
            .find(|root| root.folder == folder)
            .unwrap_or(SyncRoot {
                folder,
                key: ObjectKey::new(DEFAULT_NAME, DEFAULT_NAME),
                source: None,
                url: None,
                evidence: RootEvidence::Nothing,
            }),
    )
}

/// Objects of Flux', found in files: they say where to start, and nothing else.
#[derive(Default)]
struct FluxObjects {
    instances: Vec<SyncRoot>,
    bootstrapped: Vec<SyncRoot>,
    /// The folder that each Kustomization stands in, and the one that it builds.
    kustomizations: Vec<(String, String)>,
}

impl FluxObjects {
    fn read(files: &TreeFiles<'_>) -> Self {
        let mut found = Self::default();
        let words = [KUSTOMIZE_GROUP, "FluxInstance", "instance:"];
        let may_have = |text: &str| words.iter().any(|word| text.contains(word));
        for (path, objects) in objects_of(files, &may_have) {
            for object in &objects {
                found.take(files, path, object, &objects);
            }
        }
        found
    }

    fn take(&mut self, files: &TreeFiles<'_>, path: &str, object: &Field, beside: &[Field]) {
        let sync = match object.find_text(&["kind"]) {
            Some("FluxInstance") => object.find(&["spec", "sync"]),
            Some("HelmRelease") => object.find(&["spec", "values", "instance", "sync"]),
            _ => None,
        };
        if let Some(root) = sync.and_then(|sync| synced(sync, object))
            && files.has_folder(&root.folder)
            && files.below(&root.folder).next().is_some()
        {
            self.instances.push(root);
        }
        if !is_of(object, KUSTOMIZE_GROUP, "Kustomization") {
            return;
        }
        let written = object.find_text(&["spec", "path"]).unwrap_or_default();
        let Some(folder) = join("", written.trim_start_matches('/')) else {
            return;
        };
        let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let source = SourceReference::of(object);
        // The root of a source holds every file: there it tells nothing, unless the source stands beside it, as
        // `flux bootstrap` writes them. An `OCIRepository` beside it is rather somebody's artifact, such as Flux' own
        // manifests.
        let is_sync = || {
            let mut beside = beside
                .iter()
                .filter(|other| group_of(other) == SOURCE_GROUP);
            let mut source = source
                .iter()
                .filter(|source| source.kind == "GitRepository");
            source.any(|source| beside.any(|other| key_of(other).name == source.key.name))
        };
        if holds(&folder, own) && (!folder.is_empty() || is_sync()) {
            self.bootstrapped.push(SyncRoot {
                folder: folder.clone(),
                key: key_of(object),
                source,
                url: None,
                evidence: RootEvidence::Bootstrap,
            });
        }
        self.kustomizations.push((own.to_owned(), folder));
    }
}

/// Reads the objects of the manifests whose text passes a test, side by side and in the order of their paths.
///
/// Most files of a tree pass none: they need not be parsed for that.
fn objects_of<'p>(
    files: &'p TreeFiles<'_>,
    may_have: &(dyn Fn(&str) -> bool + Sync),
) -> Vec<(&'p str, Vec<Field>)> {
    let paths: Vec<&str> = files
        .paths()
        .filter(|path| crate::tree::is_yaml_path(path))
        .collect();
    let read = |path: &'p str| {
        let file = files.file(path)?;
        if !file.text().is_ok_and(may_have) {
            return None;
        }
        let documents = file.documents().into_iter().flat_map(|all| all.iter());
        let objects = documents
            .enumerate()
            .map(|(index, document)| Field::of_node(&document.root, file, index));
        Some((path, objects.collect()))
    };
    paths.into_par_iter().filter_map(read).collect()
}

/// The sources of a tree that say what is left out of them.
pub(super) struct GitSources(Vec<(SourceReference, String)>);

impl GitSources {
    pub(super) fn read(files: &TreeFiles<'_>) -> Self {
        let mut found = Vec::new();
        let may_have = |text: &str| text.contains("ignore:") && text.contains(SOURCE_GROUP);
        for (_, objects) in objects_of(files, &may_have) {
            for object in objects {
                let kind = object.find_text(&["kind"]).unwrap_or_default();
                let Some(ignored) = object.find_text(&["spec", "ignore"]) else {
                    continue;
                };
                if is_of(&object, SOURCE_GROUP, kind) {
                    let reference = SourceReference {
                        kind: kind.to_owned(),
                        key: key_of(&object),
                    };
                    found.push((reference, ignored.to_owned()));
                }
            }
        }
        Self(found)
    }

    pub(super) fn ignored_by(&self, source: &SourceReference) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == source);
        found.map(|(_, ignored)| ignored.as_str())
    }
}

/// Reads the sync of a `FluxInstance`, or of its values in a chart.
fn synced(sync: &Field, object: &Field) -> Option<SyncRoot> {
    let path = sync.find_text(&["path"])?;
    let namespace = match key_of(object).namespace.as_str() {
        "" => DEFAULT_NAME.to_owned(),
        namespace => namespace.to_owned(),
    };
    let name = sync.find_text(&["name"]).unwrap_or(DEFAULT_NAME);
    Some(SyncRoot {
        folder: join("", path.trim_start_matches('/'))?,
        key: ObjectKey::new(namespace.clone(), name),
        source: Some(SourceReference {
            kind: sync
                .find_text(&["kind"])
                .unwrap_or("GitRepository")
                .to_owned(),
            key: ObjectKey::new(namespace, name),
        }),
        url: sync.find_text(&["url"]).map(str::to_owned),
        evidence: RootEvidence::Instance,
    })
}

/// Returns whether a folder is another one or holds it.
fn holds(folder: &str, inner: &str) -> bool {
    folder.is_empty()
        || inner == folder
        || inner
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the folder whose kustomization takes in what stands in a folder: the next above that names it, or else the
/// folder itself.
fn listing_folder<'p>(files: &TreeFiles<'_>, own: &'p str) -> &'p str {
    if find_file(files, own).is_some() {
        return own;
    }
    let names_own = |folder: &&str| {
        let file = find_file(files, folder);
        let documents = file.as_ref().and_then(|file| file.documents().ok());
        let first = file.as_ref().zip(documents.and_then(|all| all.first()));
        first.is_some_and(|(file, document)| {
            let field = Field::of_node(&document.root, file, 0);
            let named = named_paths(&field).into_iter();
            let mut paths = named.filter_map(|named| join(folder, &named.path));
            paths.any(|path| {
                path == own || path.rsplit_once('/').is_some_and(|(above, _)| above == own)
            })
        })
    };
    let above = own.match_indices('/').map(|(at, _)| &own[..at]).rev();
    above.chain([""]).find(names_own).unwrap_or(own)
}

/// Lists the folders with Kustomizations that no Kustomization builds.
fn uppermost(files: &TreeFiles<'_>, kustomizations: &[(String, String)]) -> Vec<SyncRoot> {
    let built: BTreeSet<&str> = kustomizations
        .iter()
        .map(|(_, folder)| folder.as_str())
        .filter(|folder| files.has_folder(folder))
        .collect();
    let is_built = |folder: &str| {
        let above = folder.match_indices('/').map(|(at, _)| &folder[..at]);
        above.chain([folder, ""]).any(|above| built.contains(above))
    };
    let standing: BTreeSet<&str> = kustomizations
        .iter()
        .map(|(own, _)| listing_folder(files, own))
        .filter(|own| !is_built(own))
        .collect();
    let mut found: Vec<SyncRoot> = Vec::new();
    for folder in standing {
        // The uppermost folder takes in what lies below, as Flux does.
        if found.iter().all(|root| !holds(&root.folder, folder)) {
            found.push(SyncRoot {
                folder: folder.to_owned(),
                key: ObjectKey::new(DEFAULT_NAME, DEFAULT_NAME),
                source: None,
                url: None,
                evidence: RootEvidence::Nothing,
            });
        }
    }
    found
}
