//! Reading the files that a kustomization names.

mod separator;

use std::sync::Arc;

use super::field::{Field, ScalarKind};
use super::files::{Files, PathEntry, join};
use super::place::{Place, SourceError, SourceFile};
use super::problem::{Findings, Problem, ProblemKind};
use separator::{is_read, refused_separator};

/// Reads for one kustomization: paths are relative to its folder.
#[derive(Clone)]
pub(crate) struct Loader<'f> {
    pub(crate) files: &'f dyn Files,
    /// The folder of the kustomization; empty for the root of the tree.
    pub(crate) folder: String,
    /// Whether files (not folders) must lie in the folder or below, as `kustomize build` wants it and Flux does not.
    pub(crate) restricted: bool,
}

impl Loader<'_> {
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
}

/// Reads the YAML documents of a file as fields; empty documents are left out, and those that kustomize does not read.
pub(crate) fn documents_of(file: &Arc<SourceFile>, findings: &mut Findings) -> Option<Vec<Field>> {
    let text = file.text().unwrap_or_default();
    if let Some(refused) = refused_separator(text) {
        let place = Place::new(file, 0, refused.span);
        let problem = Problem::new(ProblemKind::Malformed, refused.message, &place);
        findings.refuse(problem.with_help(refused.help));
        return None;
    }
    match file.documents() {
        Ok(documents) => Some(
            documents
                .iter()
                .enumerate()
                .filter(|(index, document)| is_read(text, *index, document))
                .map(|(index, document)| Field::of_written(&document.root, file, index))
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
///
/// Of equal keys in one mapping the last one counts: kustomize says nothing about them.
pub(crate) fn kustomization_of(file: &Arc<SourceFile>, findings: &mut Findings) -> Option<Field> {
    if let Err(SourceError::NotYaml(error)) = file.documents()
        && error.first.is_some()
        && let Ok(text) = file.text()
        && let Ok(documents) = spanned_yaml::load_last_of_equal_keys(text)
    {
        return Some(first_of(&documents, file));
    }
    settings_of(file, findings)
}

/// Reads the first YAML document of a file that go-yaml v2 reads; an empty file is null.
pub(crate) fn settings_of(file: &Arc<SourceFile>, findings: &mut Findings) -> Option<Field> {
    match file.documents() {
        Ok(documents) => Some(first_of(documents, file)),
        Err(error) => {
            findings.refuse(error.problem(file));
            None
        }
    }
}

fn first_of(documents: &[spanned_yaml::Document], file: &Arc<SourceFile>) -> Field {
    if let Some(document) = documents.first() {
        return Field::of_kustomization(&document.root, file, 0);
    }
    let place = Place::new(file, 0, spanned_yaml::Span::new(0, 0));
    Field::scalar("", ScalarKind::Null, place)
}

/// Returns whether a path lies below a folder; the root is above everything.
pub(crate) fn is_below(folder: &str, path: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}
