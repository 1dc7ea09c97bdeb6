//! Files that Kiln did not write, where outputs go.

use std::collections::BTreeSet;

use kustomize::{KUSTOMIZATION_FILES, join};

use crate::diagnostic::{Diagnostic, Listed};
use crate::tree::output_path::split;
use crate::tree::{Sealed, Tree};
use crate::yaml::{self, Node};

use super::problem::pointed;

/// The fields of a kustomization whose entries are what gets to the cluster.
const LISTS: [&str; 3] = ["resources", "bases", "components"];

/// A file that Kiln did not write, in the place of an output.
pub(super) struct ForeignFile<'t> {
    /// The path of the output.
    pub(super) path: &'t str,
    /// The same as the project names it.
    pub(super) shown: String,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
}

/// Names them all, those first that list what Kiln's version does not.
pub(super) fn problem(tree: &Tree<Sealed>, files: &[ForeignFile<'_>]) -> Option<Diagnostic> {
    let first = files.first()?;
    let message = match files {
        [one] => format!("`{}` is not Kiln's, so it is not overwritten", one.shown),
        all => format!(
            "{} files are not Kiln's, so they are not overwritten, and nothing is written",
            all.len()
        ),
    };
    let mut problem = Diagnostic::error("foreign-output", message);
    if files.len() == 1 {
        problem = pointed(problem, tree, first.path);
    }
    let (mut lists, mut others) = (Vec::new(), Vec::new());
    for file in files {
        let lost = file.lost_entries(tree);
        let listed = Listed {
            path: file.shown.clone(),
            text: file.said(&lost),
        };
        if lost.is_empty() {
            others.push(listed);
        } else {
            lists.push(listed);
        }
    }
    if !lists.is_empty() {
        problem = problem
            .with_hint("first keep the entries that Kiln's version lacks, or Flux removes from the cluster what they stand for: put these apps into `templates/` at the same paths, and a `kustomization.yaml` with all entries beside them, which replaces the built-in one")
            .with_hint("`kiln catalogue eject PATH` copies the built-in one to start from");
    }
    let (it, them) = match files {
        [one] => (format!("`{}`", one.shown), "it"),
        _ => ("them".to_owned(), "them"),
    };
    problem = problem.with_hint(format!(
        "move {it} away and render again for the templates to make {them}; what that changes in the cluster is shown by `kiln diff --tree COPY`, with a copy of the folder as it is now"
    ));
    problem = problem.with_hint(format!(
        "to keep {it}, remove the template or switch its app off: Kiln takes over no file by itself"
    ));
    lists.extend(others);
    if files.len() > 1 || lists.iter().any(|listed| !listed.text.is_empty()) {
        problem.list = lists;
    }
    Some(problem)
}

impl ForeignFile<'_> {
    /// Says what is lost with the file, if anything is.
    fn said(&self, lost: &[String]) -> String {
        if !lost.is_empty() {
            let lost: Vec<String> = lost.iter().map(|entry| format!("`{entry}`")).collect();
            return format!("lists {}, which Kiln's version does not", lost.join(", "));
        }
        if self.is_list() && self.root().is_none() {
            return "cannot be read as YAML, so nobody knows what it lists".to_owned();
        }
        String::new()
    }

    fn is_list(&self) -> bool {
        KUSTOMIZATION_FILES.contains(&split(self.path).1)
    }

    fn root(&self) -> Option<Node> {
        let text = str::from_utf8(&self.bytes).ok()?;
        let document = yaml::load(text).ok()?.into_iter().next()?;
        Some(document.root)
    }

    /// Lists the entries of a kustomization that Kiln's version does not have, as they are written.
    fn lost_entries(&self, tree: &Tree<Sealed>) -> Vec<String> {
        if !self.is_list() {
            return Vec::new();
        }
        let Some(root) = self.root() else {
            return Vec::new();
        };
        let kept: BTreeSet<String> = tree
            .get(self.path)
            .and_then(|file| file.documents.first())
            .map(|document| {
                self.entries(&document.root)
                    .map(|(place, _)| place)
                    .collect()
            })
            .unwrap_or_default();
        let lost = self
            .entries(&root)
            .filter(|(place, _)| !kept.contains(place));
        lost.map(|(_, written)| written.to_owned()).collect()
    }

    /// Lists the entries with where they lead, so that `./a` and `a` are one.
    fn entries<'n>(&self, root: &'n Node) -> impl Iterator<Item = (String, &'n str)> {
        let folder = split(self.path).0.to_owned();
        let items = LISTS.iter().flat_map(|field| {
            let items = root.get(field).and_then(Node::items);
            items.unwrap_or_default()
        });
        items.filter_map(Node::text).map(move |written| {
            let place = join(&folder, written).unwrap_or_else(|| written.to_owned());
            (place, written)
        })
    }
}
