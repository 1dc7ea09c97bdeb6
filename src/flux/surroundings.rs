//! What lies around a tree and has to be told, so that Flux can be followed through it.

use std::collections::BTreeMap;
use std::fmt;

use kustomize::{Field, SourceFile};

use super::follow::FollowOptions;
use super::source_reference::SourceReference;
use super::tree_files::TreeFiles;
use crate::source::{Files, ReadError};

/// What is told of the surroundings of a tree, and at hand.
#[derive(Default)]
pub struct FluxSurroundings {
    /// The folders that Flux starts from; empty for those that the tree tells of itself.
    pub roots: Vec<String>,
    /// Whether a variable that nothing gives is passed over as empty, as before Flux 2.9.
    pub lenient: bool,
    /// Whether values of Secrets outside of git are filled in, and so stand in objects; else only their names are known.
    pub fills_in_secrets: bool,
    outside: Vec<Field>,
    sources: BTreeMap<SourceReference, SourceFolder>,
}

/// A folder with the files of another source.
struct SourceFolder {
    files: Box<dyn Files>,
    /// What stands before a path in messages.
    prefix: String,
}

/// Why a file does not hold values that Flux could take.
#[derive(Debug)]
pub struct UnusableValues {
    path: String,
    line: usize,
    is_yaml: bool,
}

impl UnusableValues {
    /// Says what would be of use.
    pub fn hint(&self) -> Option<&'static str> {
        self.is_yaml
            .then_some("write the values as `kubectl get configmap NAME -o yaml` prints them")
    }
}

impl fmt::Display for UnusableValues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, .. } = self;
        // Not what stands there: the file may hold secrets.
        if self.is_yaml {
            write!(
                formatter,
                "`{path}` holds something else than a ConfigMap or Secret, in line {line}"
            )
        } else {
            write!(
                formatter,
                "`{path}` is no YAML that Flux reads: see line {line}"
            )
        }
    }
}

impl FluxSurroundings {
    /// Adds the files of another source, which messages name below `folder`; they take the place of those that were
    /// given before.
    pub fn add_source(&mut self, reference: SourceReference, files: Box<dyn Files>, folder: &str) {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        self.sources
            .insert(reference, SourceFolder { files, prefix });
    }

    /// Adds the ConfigMaps and Secrets of a file that lies outside of git.
    pub fn add_values(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), UnusableValues> {
        let unusable = |line, is_yaml| UnusableValues {
            path: path.to_owned(),
            line,
            is_yaml,
        };
        let file = SourceFile::new(path.to_owned(), bytes);
        let documents = file.documents().map_err(|error| {
            let place = error.problem(&file).place;
            unusable(place.map_or(1, |place| place.line_column().0), false)
        })?;
        for (index, document) in documents.iter().enumerate() {
            let object = Field::of_node(&document.root, &file, index);
            match object.find_text(&["kind"]) {
                _ if object.is_null() => {}
                Some("ConfigMap" | "Secret") => self.outside.push(object),
                _ => return Err(unusable(object.place().line_column().0, true)),
            }
        }
        Ok(())
    }

    /// Returns how to follow Flux through the tree.
    ///
    /// # Errors
    /// The files of another source cannot be listed.
    pub fn options(&self) -> Result<FollowOptions<'_>, ReadError> {
        let mut sources = BTreeMap::new();
        for (reference, SourceFolder { files, prefix }) in &self.sources {
            let files = TreeFiles::of_repository(files.as_ref(), prefix)?;
            sources.insert(reference.clone(), files);
        }
        Ok(FollowOptions {
            roots: self.roots.clone(),
            lenient: self.lenient,
            sources,
            outside: self.outside.clone(),
            fills_in_secrets: self.fills_in_secrets,
        })
    }
}
