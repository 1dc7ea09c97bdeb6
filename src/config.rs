//! Loads what the user wrote: `kiln.toml` and the cluster's data files, merged, with their places.
//!
//! Knows file formats and nothing of what the fields mean; `schema` does.

mod asked;
pub mod codes;
pub mod edit;
mod merge;
pub mod cluster;
mod parse;
pub mod places;
pub mod project;
mod readings;
mod references;
mod sealed;
pub mod versions;

pub use asked::AskedValue;
pub use references::PublicReference;

use std::sync::Arc;

use crate::diagnostic::{self, Diagnostic, StageResult, Warned};
use crate::source::{Files, Place, Source, Span};
use cluster::Merged;
use project::Project;

/// How an encrypted data file becomes plain text, in memory; `None` when its values have to be made up.
pub type Decrypt<'d> = dyn Fn(&Arc<Source>) -> Result<Option<String>, Diagnostic> + 'd;

/// What the config may refer to besides the files of the project.
pub struct Outside<'o> {
    /// The environment.
    pub env: &'o (dyn Fn(&str) -> Option<String> + Sync),
    /// How encrypted data files are opened.
    pub decrypt: &'o Decrypt<'o>,
    /// Whether a value that is missing is made up; otherwise it is an error.
    pub make_up: bool,
}

const NAMES: [&str; 2] = ["cluster", "nodes"];
const ENDINGS: [&str; 8] = [
    "yaml",
    "yml",
    "toml",
    "json",
    "sops.yaml",
    "sops.yml",
    "sops.toml",
    "sops.json",
];

/// Loads and merges the data files: those that the project names, or `cluster.*` and `nodes.*`.
///
/// Files merge by key; the same key in two files is an error that shows both.
pub fn load(files: &dyn Files, project: &Project, outside: &Outside<'_>) -> StageResult<Merged> {
    let mut problems = Vec::new();
    let mut parts = Vec::new();
    let mut sealed = Vec::new();
    let mut readings = Vec::new();
    for (path, text) in read_all(files, project, &mut problems) {
        match parse::parse(&path, &text, outside.decrypt) {
            Ok(parsed) => {
                readings.extend(parsed.readings);
                sealed.extend(parsed.sealed.map(|sealed| (path, sealed)));
                parts.push((parsed.source, parsed.roots));
            }
            Err(found) => problems.extend(found),
        }
    }
    let mut merged = merge::merge(&parts, &mut problems);
    merged.readings = readings;
    for (path, sealed) in sealed {
        sealed.note(&path, &mut merged);
    }
    let merged = references::resolve(merged, files, outside, &mut problems);
    Warned::unless_errors(merged, problems)
}

/// Lists where the config of a project may be: the files that it names, or else all of the usual names.
pub fn data_files(project: &Project) -> Vec<String> {
    match &project.data {
        Some(data) => data.iter().map(|(path, _)| path.clone()).collect(),
        None => NAMES
            .iter()
            .flat_map(|name| ENDINGS.map(|ending| format!("{name}.{ending}")))
            .collect(),
    }
}

/// Returns whether a file has one of the usual names of the config.
pub fn is_usual_name(path: &str) -> bool {
    let (name, ending) = path.split_once('.').unwrap_or((path, ""));
    NAMES.contains(&name) && ENDINGS.contains(&ending)
}

/// Names the data files that may be sealed: those that the project names, or the usual ones.
pub fn sealed_names(project: &Project) -> Vec<String> {
    let names = data_files(project).into_iter();
    names.filter(|name| name.contains(".sops.")).collect()
}

fn read_all(
    files: &dyn Files,
    project: &Project,
    problems: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(data) = &project.data {
        for (path, place) in data {
            match files.read(path) {
                Ok(Some(bytes)) => found.extend(utf8(path, bytes, problems)),
                Ok(None) => problems.push(
                    Diagnostic::error(
                        &codes::MISSING_CONFIG,
                        format!("there is no data file `{path}`"),
                    )
                    .at_place(place.clone(), "named here"),
                ),
                Err(error) => {
                    problems.push(Diagnostic::error(
                        &diagnostic::codes::UNREADABLE_CONFIG,
                        error.to_string(),
                    ));
                }
            }
        }
        return found;
    }
    for path in data_files(project) {
        match files.read(&path) {
            Ok(Some(bytes)) => found.extend(utf8(&path, bytes, problems)),
            Ok(None) => {}
            Err(error) => {
                problems.push(Diagnostic::error(
                    &diagnostic::codes::UNREADABLE_CONFIG,
                    error.to_string(),
                ));
            }
        }
    }
    if found.is_empty() && problems.is_empty() {
        problems.push(
            Diagnostic::error(&codes::MISSING_CONFIG, "this project has no cluster config")
                .with_hint("looked for `cluster.yaml`, `.yml`, `.toml`, `.json` and `cluster.sops.*` beside `kiln.toml`")
                .with_hint("`kiln init` in a new folder writes one to start from"),
        );
    }
    found
}

fn utf8(path: &str, bytes: Vec<u8>, problems: &mut Vec<Diagnostic>) -> Option<(String, String)> {
    match String::from_utf8(bytes) {
        Ok(text) => Some((path.to_owned(), text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let sound = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
            let source = Source::sensitive(path, sound);
            problems.push(
                Diagnostic::error(
                    &diagnostic::codes::NOT_UTF8,
                    format!("`{path}` is not UTF-8 text: byte {at} fits no character"),
                )
                .at_place(Place::new(&source, Span::new(at, at)), "")
                .with_hint("save the file as UTF-8"),
            );
            None
        }
    }
}
