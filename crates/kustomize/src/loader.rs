//! Reading the files that a kustomization names.

use std::sync::Arc;

use super::field::{Field, ScalarKind};
use super::files::{Files, PathEntry, join};
use super::place::{Place, SourceFile};
use super::problem::{Findings, Problem, ProblemKind};

/// Reads for one kustomization: paths are relative to its folder.
#[derive(Clone)]
pub(crate) struct Loader<'f> {
    pub(crate) files: &'f dyn Files,
    /// The folder of the kustomization; empty for the root of the tree.
    pub(crate) folder: String,
    /// Whether files (not folders) must lie in the folder or below, as `kustomize build` wants it and Flux does not.
    pub(crate) restricted: bool,
}

impl<'f> Loader<'f> {
    /// Returns the loader of a folder that this kustomization names.
    pub(crate) fn at(&self, folder: String) -> Self {
        Self {
            folder,
            ..self.clone()
        }
    }

    /// Returns the path in the tree that a field names; a path that leaves the tree is a problem.
    pub(crate) fn resolve(&self, written: &Field, findings: &mut Findings) -> Option<String> {
        let text = written.as_text().unwrap_or_default();
        let path = if text.starts_with('/') {
            None
        } else {
            join(&self.folder, text)
        };
        if path.is_none() {
            let message = format!("`{text}` leads out of the tree");
            findings.refuse(Problem::new(ProblemKind::Outside, message, written.place()));
        }
        path
    }

    /// Reads the file that a field names.
    pub(crate) fn read(&self, written: &Field, findings: &mut Findings) -> Option<Arc<SourceFile>> {
        let path = self.resolve(written, findings)?;
        let text = written.as_text().unwrap_or_default();
        let (kind, message) = match self.files.entry(&path) {
            PathEntry::File(file) => {
                if !self.restricted || is_below(&self.folder, &path) {
                    return Some(file);
                }
                let message = format!("`{text}` lies outside of the folder of the kustomization");
                (ProblemKind::Outside, message)
            }
            PathEntry::Folder => (
                ProblemKind::Malformed,
                format!("`{text}` is a folder, not a file"),
            ),
            PathEntry::Missing => (ProblemKind::Missing, format!("there is no file `{text}`")),
            PathEntry::Unreadable(why) => (
                ProblemKind::Missing,
                format!("`{text}` cannot be read: {why}"),
            ),
        };
        findings.refuse(Problem::new(kind, message, written.place()));
        None
    }

    /// Reads the YAML documents of the file that a field names, as fields; empty documents are left out.
    pub(crate) fn read_documents(
        &self,
        written: &Field,
        findings: &mut Findings,
    ) -> Option<Vec<Field>> {
        let file = self.read(written, findings)?;
        documents_of(&file, findings)
    }
}

/// Reads the YAML documents of a file as fields; empty documents are left out.
pub(crate) fn documents_of(file: &Arc<SourceFile>, findings: &mut Findings) -> Option<Vec<Field>> {
    match file.documents() {
        Ok(documents) => Some(
            documents
                .iter()
                .enumerate()
                .map(|(index, document)| Field::of_node(&document.root, file, index))
                .filter(|field| !field.is_null())
                .collect(),
        ),
        Err(error) => {
            findings.refuse(error.problem(file));
            None
        }
    }
}

/// Reads the first YAML document of a kustomization file; an empty file is null.
pub(crate) fn kustomization_of(file: &Arc<SourceFile>, findings: &mut Findings) -> Option<Field> {
    match file.documents() {
        Ok(documents) => Some(documents.first().map_or_else(
            || {
                let place = Place::new(file, 0, spanned_yaml::Span::new(0, 0));
                Field::scalar("", ScalarKind::Null, place)
            },
            |document| Field::of_kustomization(&document.root, file, 0),
        )),
        Err(error) => {
            findings.refuse(error.problem(file));
            None
        }
    }
}

/// Returns whether a path lies below a folder; the root is above everything.
pub(crate) fn is_below(folder: &str, path: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}
