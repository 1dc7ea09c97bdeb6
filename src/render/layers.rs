//! Folders of templates laid over one another, file by file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::tera::sealed_text;
use crate::diagnostic::{self, Diagnostic};
use crate::render::codes;
use crate::source::{Files, Source};
use crate::tree::output_path::ReservedPaths;
use crate::tree::{binary_description, is_secret_path};

/// The suffix of files that are rendered; all others are copied.
pub(super) const SUFFIX: &str = ".tera";

/// One folder of templates.
#[derive(Clone)]
pub struct Layer<'a> {
    /// How messages name the folder: `templates`, `catalogue:templates`.
    pub label: String,
    /// Where its files are.
    pub files: &'a dyn Files,
    /// The folder in `files`.
    pub folder: String,
}

/// Folders of templates, the first one on top.
///
/// A file hides the files of the same output in the layers below, whether they are rendered or copied.
#[derive(Clone, Default)]
pub struct Layers<'a> {
    /// The folders, the one that wins first.
    pub layers: Vec<Layer<'a>>,
    /// What Kiln reads, so that no output may go there.
    pub reserved: ReservedPaths,
}

/// A file that is on top.
#[derive(Clone, Debug)]
pub(super) struct LayerEntry {
    /// Its path below the layer's folder.
    pub(super) path: String,
    /// The text, named as the user finds it; of a file that is no text a description.
    pub(super) source: Arc<Source>,
    /// Whether it may be run as a program, and what it becomes with it.
    pub(super) executable: bool,
    /// The bytes of a file that is no text, which is copied as it is.
    pub(super) binary: Option<Arc<[u8]>>,
}

impl LayerEntry {
    /// Returns whether the file only exists to be included.
    pub(super) fn is_partial(&self) -> bool {
        self.path.split('/').any(|part| part.starts_with('_'))
    }

    /// Returns whether the file is rendered.
    pub(super) fn is_template(&self) -> bool {
        self.path.ends_with(SUFFIX)
    }

    /// Returns the path of the output.
    pub(super) fn output(&self) -> &str {
        self.path.strip_suffix(SUFFIX).unwrap_or(&self.path)
    }
}

impl Layers<'_> {
    /// Lists the files on top, sorted by path; unreadable ones and clashes within a layer go to `problems`.
    pub(super) fn entries(&self, problems: &mut Vec<Diagnostic>) -> Vec<LayerEntry> {
        let mut on_top: BTreeMap<String, (usize, LayerEntry)> = BTreeMap::new();
        for (number, layer) in self.layers.iter().enumerate() {
            for path in layer.paths(problems) {
                let output = path.strip_suffix(SUFFIX).unwrap_or(&path).to_owned();
                let hidden = on_top
                    .get(&output)
                    .is_some_and(|(owner, _)| *owner < number);
                if hidden {
                    continue;
                }
                let Some(entry) = layer.entry(path, problems) else {
                    continue;
                };
                if let Some((_, first)) = on_top.get(&output) {
                    problems.push(clash(&output, first, &entry));
                } else {
                    on_top.insert(output, (number, entry));
                }
            }
        }
        let mut entries: Vec<LayerEntry> = on_top.into_values().map(|(_, entry)| entry).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries
    }
}

fn clash(output: &str, first: &LayerEntry, second: &LayerEntry) -> Diagnostic {
    let message = format!(
        "`{}` and `{}` both give `{output}`",
        first.source.path, second.source.path
    );
    Diagnostic::error(&codes::OUTPUT_TWICE, message).with_hint("remove one of them")
}

/// Returns whether a file has to be a text by its name: what is rendered or read, here or by the cluster's tools.
fn is_text_path(path: &str) -> bool {
    let texts = [SUFFIX, ".yaml", ".yml", ".json", ".toml"];
    texts.iter().any(|suffix| path.ends_with(suffix))
}

impl Layer<'_> {
    fn prefix(&self) -> String {
        match self.folder.trim_end_matches('/') {
            "" | "." => String::new(),
            folder => format!("{folder}/"),
        }
    }

    fn paths(&self, problems: &mut Vec<Diagnostic>) -> Vec<String> {
        let prefix = self.prefix();
        match self.files.list(&self.folder) {
            Ok(paths) => paths
                .into_iter()
                .filter_map(|path| path.strip_prefix(&prefix).map(str::to_owned))
                .collect(),
            Err(error) => {
                problems.push(Diagnostic::error(
                    &codes::UNREADABLE_FILE,
                    error.to_string(),
                ));
                Vec::new()
            }
        }
    }

    fn entry(&self, path: String, problems: &mut Vec<Diagnostic>) -> Option<LayerEntry> {
        let shown = format!("{}/{path}", self.label);
        let full = format!("{}{path}", self.prefix());
        if let Some(text) = self.files.embedded(&full) {
            let source = Source::of(shown, Cow::Borrowed(text), false);
            return Some(LayerEntry {
                path,
                source,
                executable: false,
                binary: None,
            });
        }
        let bytes = match self.files.read(&full) {
            Ok(bytes) => bytes?,
            Err(error) => {
                problems.push(Diagnostic::error(
                    &codes::UNREADABLE_FILE,
                    error.to_string(),
                ));
                return None;
            }
        };
        let executable = self.files.is_executable(&full);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) if is_text_path(&path) => {
                let message = format!("`{shown}` is not a UTF-8 text");
                problems.push(
                    Diagnostic::error(&diagnostic::codes::NOT_UTF8, message)
                        .with_hint("save it as UTF-8: templates, YAML, JSON and TOML are texts; any other file is copied as it is"),
                );
                return None;
            }
            Err(error) => {
                let bytes = error.into_bytes();
                return Some(LayerEntry {
                    path,
                    source: Source::new(shown, binary_description(&bytes)),
                    executable,
                    binary: Some(bytes.into()),
                });
            }
        };
        let is_template = path.ends_with(SUFFIX);
        let is_sealed = is_secret_path(path.strip_suffix(SUFFIX).unwrap_or(&path));
        let source = match (is_sealed, is_template) {
            (false, _) => Source::new(shown, text),
            (true, true) => sealed_text::veiled(&Source::new(shown, text)),
            (true, false) => Source::sensitive(shown, text),
        };
        Some(LayerEntry {
            path,
            source,
            executable,
            binary: None,
        })
    }
}
