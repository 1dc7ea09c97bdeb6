//! What functions know about the project: its files and its apps.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::callable::Failure;
use super::{session, sourcemap};
use crate::secret::Secrets;
use crate::source::{Files, ReadError};
use crate::tree::App;

/// The project as seen by the functions of templates.
///
/// Files are loaded on demand: a function that wants one that is not here yet says so and stops, the
/// engine loads it and renders the template again. So functions stay free of borrows and of the disk.
#[derive(Default)]
pub(super) struct Environment {
    apps: Vec<App>,
    files: Mutex<BTreeMap<String, Option<Arc<Vec<u8>>>>>,
    secrets: Mutex<Secrets>,
    exact: Mutex<Vec<String>>,
    /// Whether a value or a file holds what could be taken for a marker of the map of lines.
    marker_like: AtomicBool,
}

impl Environment {
    pub(super) fn new(apps: Vec<App>, values: &Value) -> Self {
        Self {
            apps,
            marker_like: AtomicBool::new(holds_marker(values)),
            ..Self::default()
        }
    }

    /// Returns whether what templates print may hold what could be taken for a marker.
    pub(super) fn may_hold_markers(&self) -> bool {
        self.marker_like.load(Ordering::Relaxed)
    }

    /// Lists all apps, on or off.
    pub(super) fn apps(&self) -> &[App] {
        &self.apps
    }

    /// Reads a file that was loaded; asks for it otherwise.
    pub(super) fn file(&self, path: &str) -> Result<Option<Arc<Vec<u8>>>, Failure> {
        if let Some(content) = lock(&self.files).get(path) {
            return Ok(content.clone());
        }
        session::want(path);
        Err(Failure::new(
            "unreadable-file",
            format!("`{path}` is not loaded"),
        ))
    }

    /// Loads a file that a function asked for.
    pub(super) fn load(&self, path: &str, files: &dyn Files) -> Result<(), ReadError> {
        let content = files.read(path)?.map(Arc::new);
        let text = content
            .as_ref()
            .map(|content| String::from_utf8_lossy(content));
        if text.is_some_and(|text| sourcemap::is_marker_like(&text)) {
            self.marker_like.store(true, Ordering::Relaxed);
        }
        lock(&self.files).insert(path.to_owned(), content);
        Ok(())
    }

    /// Notes a secret that a function hands to a template.
    pub(super) fn note_secret(&self, value: &str, origin: &str) {
        lock(&self.secrets).insert(value, origin);
        let mut exact = lock(&self.exact);
        if !exact.iter().any(|known| known == value) {
            exact.push(value.to_owned());
        }
    }

    /// Returns the secrets that templates were handed.
    pub(super) fn secrets(&self) -> Secrets {
        lock(&self.secrets).clone()
    }

    /// Returns whether a message quotes a secret, whole or one of its lines, however short.
    pub(super) fn quotes_secret(&self, message: &str) -> bool {
        let exact = lock(&self.exact);
        let mut lines = exact
            .iter()
            .flat_map(|secret| secret.lines())
            .filter(|line| !line.is_empty());
        lines.any(|line| message.contains(line))
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
