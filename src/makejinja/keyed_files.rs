//! The files of a project, and which of them were read as keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use makejinja::Settings;
use zeroize::Zeroizing;

use crate::secret::{KEY_FILES, Secrets, stand_in};
use crate::source::{Files, ReadError};

/// The key files of the family around cluster-template, besides those that Kiln has as well.
const FAMILY_KEYS: [&str; 3] = [
    "github-deploy.key",
    "github-push-token.txt",
    "talos/secrets.yaml",
];

/// Returns whether a file is a key by its name.
fn is_key_name(path: &str) -> bool {
    KEY_FILES.contains(&path) || FAMILY_KEYS.contains(&path)
}

/// Reads the key files that are there, as they are or as they are made up: what Python may read.
pub(super) fn keys_at_hand(files: &dyn Files) -> BTreeMap<String, Vec<u8>> {
    let names = KEY_FILES.into_iter().chain(FAMILY_KEYS);
    // Asked for otherwise, what is not there would be made up.
    let there = names.filter(|path| matches!(files.read_output(path), Ok(Some(_))));
    // What cannot be read is told by whoever needs it.
    let read = |path: &str| Some((path.to_owned(), files.read_secret(path).ok()??));
    there.filter_map(read).collect()
}

/// Returns the secrets in key files.
pub(super) fn secrets_in<'k>(keys: impl Iterator<Item = (&'k String, &'k [u8])>) -> Secrets {
    let mut secrets = Secrets::default();
    for (path, bytes) in keys {
        secrets.insert(&String::from_utf8_lossy(bytes), path.as_str());
    }
    secrets
}

/// The files of a project; some may have another content.
pub(super) struct KeyedFiles<'f> {
    files: &'f dyn Files,
    replaced: BTreeMap<String, Vec<u8>>,
    keys: Mutex<BTreeMap<String, Zeroizing<Vec<u8>>>>,
    /// What folders were found to hold, and where paths lead: asked again and again in a run.
    lists: Mutex<BTreeMap<String, Vec<String>>>,
    places: Mutex<BTreeMap<String, String>>,
}

impl<'f> KeyedFiles<'f> {
    pub(super) fn new(files: &'f dyn Files, replaced: BTreeMap<String, Vec<u8>>) -> Self {
        Self {
            files,
            replaced,
            keys: Mutex::default(),
            lists: Mutex::default(),
            places: Mutex::default(),
        }
    }

    /// Returns the files that have another content here.
    pub(super) fn replaced(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.replaced
    }

    /// Notes what Python has read: as keys, files that are some by their names or that git ignores, but for the data, of
    /// which only some values are secret.
    pub(super) fn note_reads(&self, read: &BTreeSet<String>, settings: &Settings) {
        let is_key = |path: &&String| {
            is_key_name(path) || (self.files.is_ignored(path) && !settings.data.contains(path))
        };
        let (keys, others): (Vec<&String>, Vec<&String>) = read.iter().partition(is_key);
        for path in keys {
            // What is not there holds no secret.
            self.read_secret(path).ok();
        }
        for path in others {
            // What Python has read is an input as well, whose changes are waited for.
            self.read(path).ok();
        }
    }

    /// Returns the files that were read as keys, with what they hold.
    fn keys(&self) -> MutexGuard<'_, BTreeMap<String, Zeroizing<Vec<u8>>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the files that were read as keys.
    pub(super) fn secret_files(&self) -> Vec<String> {
        self.keys().keys().cloned().collect()
    }

    /// Returns the secrets in the files that were read as keys.
    pub(super) fn secrets(&self) -> Secrets {
        secrets_in(
            self.keys()
                .iter()
                .map(|(path, bytes)| (path, bytes.as_slice())),
        )
    }

    /// Returns other contents of the same shape for the files that were read as keys.
    pub(super) fn stand_ins(&self) -> BTreeMap<String, Vec<u8>> {
        let keys = self.keys();
        let texts = keys.iter().filter_map(|(path, bytes)| {
            let text = std::str::from_utf8(bytes).ok()?;
            Some((path.clone(), key_stand_in(text).into_bytes()))
        });
        texts.collect()
    }
}

/// What of a key file everybody may know: the name of a tunnel, by which DNS finds it.
const PUBLIC_KEYS: [&str; 1] = ["TunnelID"];

/// Makes another text of the same shape, in which what is public stays.
fn key_stand_in(text: &str) -> String {
    let other = stand_in(text);
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let (Some(real), Some(mut made)) = (parsed(text), parsed(&other)) else {
        return other;
    };
    for key in PUBLIC_KEYS {
        if let (Some(real), Some(made)) = (real.get(key), made.get_mut(key)) {
            made.clone_from(real);
        }
    }
    made.to_string()
}

impl Files for KeyedFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        match self.replaced.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.files.read(path),
        }
    }

    fn read_secret(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let found = match self.replaced.get(path) {
            Some(bytes) => Some(bytes.clone()),
            None => self.files.read_secret(path)?,
        };
        if let Some(bytes) = &found {
            let bytes = Zeroizing::new(bytes.clone());
            self.keys().insert(path.to_owned(), bytes);
        }
        Ok(found)
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        remembered(&self.places, path, || self.files.real_path(path))
    }

    fn is_executable(&self, path: &str) -> bool {
        self.files.is_executable(path)
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.files.is_ignored(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        remembered(&self.lists, folder, || self.files.list(folder))
    }
}

/// Returns an answer that was given before, or asks for it.
fn remembered<T: Clone>(
    known: &Mutex<BTreeMap<String, T>>,
    path: &str,
    ask: impl FnOnce() -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = lock().get(path) {
        return Ok(answer.clone());
    }
    let answer = ask()?;
    lock().insert(path.to_owned(), answer.clone());
    Ok(answer)
}
