//! From where the paths of Flux count, seen from a tree that is rendered into a folder of a repository.

use std::collections::BTreeSet;

use kustomize::join;

use super::roots::KUSTOMIZE_GROUP;
use crate::tree::File;
use crate::tree::object::Object;

/// Returns which of some folders holds a rendered tree as its Flux objects see it: the one under which most of the
/// paths are that they name, the first of several; empty where the tree names none.
///
/// A tree in the folder `clusters/home` of a repository names `./clusters/home/kubernetes`.
pub fn find_output_base<'b, 'f>(
    files: impl Iterator<Item = &'f File> + Clone,
    candidates: &[&'b str],
) -> &'b str {
    let folders: BTreeSet<&str> = files
        .clone()
        .flat_map(|file| {
            let path = file.path.as_str();
            path.match_indices('/').map(|(at, _)| &path[..at])
        })
        .collect();
    let named: Vec<String> = files
        .flat_map(Object::of)
        .filter_map(named_path)
        .filter_map(|path| join("", path.trim_start_matches('/')))
        .collect();
    let hits = |base: &str| {
        let below = named.iter().filter_map(|path| match base {
            "" => Some(path.as_str()),
            base => path.strip_prefix(base)?.strip_prefix('/'),
        });
        below.filter(|path| folders.contains(path)).count()
    };
    let mut best = ("", 0);
    for base in candidates {
        let count = hits(base);
        if count > best.1 {
            best = (base, count);
        }
    }
    best.0
}

fn named_path(object: Object<'_>) -> Option<&str> {
    match object.kind() {
        "Kustomization" if object.group() == KUSTOMIZE_GROUP => object.text("spec.path"),
        "FluxInstance" => object.text("spec.sync.path"),
        "HelmRelease" => object.text("spec.values.instance.sync.path"),
        _ => None,
    }
}
