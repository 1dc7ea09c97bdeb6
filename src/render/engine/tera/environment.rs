//! What functions know about the project: its files and its apps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::callable::{Flow, FunctionFailure};
use super::{session, sourcemap};
use crate::render::apps::is_on;
use crate::render::codes;
use crate::secret::{Secrets, stand_in};
use crate::source::{Files, ReadError};
use crate::tree::App;

/// What a rendering has that is other than in the one that counts.
pub(in crate::render) struct Other {
    /// The apps, which may be on or off for another reason.
    pub(in crate::render) apps: Vec<App>,
    /// The files whose content is replaced by another of the same shape.
    pub(in crate::render) replaced: BTreeSet<String>,
    /// Whether what may be seen of a replaced file is replaced as well.
    pub(in crate::render) declassified: bool,
}

/// What a file holds; `None` when there is none.
type LoadedContent = Option<Arc<Vec<u8>>>;

/// The project as seen by the functions of templates.
///
/// Files are loaded on demand: a function that wants one that is not here yet says so and stops, the
/// engine loads it and renders the template again. So functions stay free of borrows and of the disk.
#[derive(Default)]
pub(in crate::render) struct TemplateEnvironment {
    apps: Vec<App>,
    /// The outputs of all templates, whether they are rendered or not, sorted.
    outputs: Vec<String>,
    /// By path, as a secret or not.
    files: Mutex<BTreeMap<(String, bool), LoadedContent>>,
    secrets: Mutex<Secrets>,
    /// Whether a value or a file holds what could be taken for a marker of the map of lines.
    marker_like: AtomicBool,
}

impl TemplateEnvironment {
    pub(in crate::render) fn new(apps: Vec<App>, outputs: Vec<String>, values: &Value) -> Self {
        Self {
            apps,
            outputs,
            marker_like: AtomicBool::new(holds_marker(values)),
            ..Self::default()
        }
    }

    /// Returns whether what templates print may hold what could be taken for a marker.
    pub(super) fn may_hold_markers(&self) -> bool {
        self.marker_like.load(Ordering::Relaxed)
    }

    /// Calls a function with all apps, on or off.
    pub(super) fn with_apps<R>(&self, call: impl FnOnce(&[App]) -> R) -> R {
        match session::other() {
            Some(other) => call(&other.apps),
            None => call(&self.apps),
        }
    }

    /// Lists the outputs of the templates of which something is rendered, also those that turn out empty.
    pub(super) fn outputs<'e>(&'e self, apps: &[App]) -> impl Iterator<Item = &'e str> {
        let outputs = self.outputs.iter().map(String::as_str);
        outputs.filter(move |path| is_on(path, apps))
    }

    /// Reads a file that was loaded, as this rendering has it; asks for it otherwise.
    pub(super) fn file(
        &self,
        path: &str,
        flow: Flow,
    ) -> Result<Option<Arc<Vec<u8>>>, FunctionFailure> {
        let secret = flow != Flow::Open;
        let loaded = lock(&self.files).get(&(path.to_owned(), secret)).cloned();
        let Some(content) = loaded else {
            session::want(path, secret);
            let message = format!("`{path}` is not loaded");
            return Err(FunctionFailure::new(&codes::UNREADABLE_FILE, message));
        };
        let replaced = session::other().is_some_and(|other| {
            let seen = flow == Flow::Declassified && !other.declassified;
            other.replaced.contains(path) && !seen
        });
        Ok(content.map(|content| if replaced { another(&content) } else { content }))
    }

    /// Loads a file that a function asked for.
    pub(super) fn load(
        &self,
        path: &str,
        secret: bool,
        files: &dyn Files,
    ) -> Result<(), ReadError> {
        let content = if secret {
            files.read_secret(path)?
        } else {
            files.read(path)?
        };
        if content.is_some() && !secret && files.is_ignored(path) {
            return Err(ReadError {
                path: path.to_owned(),
                reason: "git ignores it; `files` in `kiln.toml` can list it".to_owned(),
            });
        }
        let content = content.map(Arc::new);
        let text = content
            .as_ref()
            .map(|content| String::from_utf8_lossy(content));
        if text.is_some_and(|text| sourcemap::is_marker_like(&text)) {
            self.marker_like.store(true, Ordering::Relaxed);
        }
        lock(&self.files).insert((path.to_owned(), secret), content);
        Ok(())
    }

    /// Lists the files that functions have read as secrets.
    pub(in crate::render) fn secret_files(&self) -> Vec<String> {
        let files = lock(&self.files);
        let secret = files.keys().filter(|(_, secret)| *secret);
        secret.map(|(path, _)| path.clone()).collect()
    }

    /// Notes a secret that a function hands to a template.
    pub(super) fn note_secret(&self, value: &str, origin: &str) {
        lock(&self.secrets).insert(value, origin);
    }

    /// Returns the secrets that templates were handed.
    pub(in crate::render) fn secrets(&self) -> Secrets {
        lock(&self.secrets).clone()
    }
}

/// Makes another content of the same shape.
fn another(content: &[u8]) -> Arc<Vec<u8>> {
    match std::str::from_utf8(content) {
        Ok(text) => Arc::new(stand_in(text).into_bytes()),
        Err(_) => Arc::new(content.iter().map(|byte| byte ^ 1).collect()),
    }
}

fn holds_marker(value: &Value) -> bool {
    match value {
        Value::String(text) => sourcemap::is_marker_like(text),
        Value::Array(items) => items.iter().any(holds_marker),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| sourcemap::is_marker_like(key) || holds_marker(value)),
        _ => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
