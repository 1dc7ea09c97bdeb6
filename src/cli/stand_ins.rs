//! Stand-ins for keys that are not at hand, for comparisons where no real key is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::commands::init::key_files;
use super::error::CommandError;
use super::session::{AGE_KEY, Session};
use crate::source::{Files, ReadError};

/// The key files of a project, made up and the same for both sides, so that they make no difference.
///
/// An age identity that the environment hands over stands in for `age.key`.
pub struct StandIns {
    texts: BTreeMap<String, Vec<u8>>,
    used: Mutex<BTreeSet<String>>,
}

impl StandIns {
    /// Makes stand-ins for whatever may be missing.
    pub fn of(session: &Session) -> Result<Self, CommandError> {
        let files = key_files()?.into_iter();
        let mut texts: BTreeMap<String, Vec<u8>> = files
            .map(|(name, text)| (name.to_owned(), text.expose().as_bytes().to_vec()))
            .collect();
        if let Some(identity) = session.identity() {
            texts.insert(AGE_KEY.to_owned(), identity.expose().as_bytes().to_vec());
        }
        Ok(Self {
            texts,
            used: Mutex::default(),
        })
    }

    /// Lays the stand-ins below a project's own files.
    pub fn below<'f>(&'f self, files: &'f dyn Files) -> impl Files + 'f {
        Below {
            files,
            stand_ins: self,
        }
    }

    /// Names the files that were asked for and missing, as a sentence.
    pub fn told(&self) -> Option<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<&str> = used.iter().map(String::as_str).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!(
                "{one} is missing: a stand-in takes its place on both sides"
            )),
            all => Some(format!(
                "{} are missing: stand-ins take their places on both sides",
                all.join(", ")
            )),
        }
    }
}

struct Below<'f> {
    files: &'f dyn Files,
    stand_ins: &'f StandIns,
}

impl Files for Below<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(bytes) = self.files.read(path)? {
            return Ok(Some(bytes));
        }
        let Some(bytes) = self.stand_ins.texts.get(path) else {
            return Ok(None);
        };
        let used = self.stand_ins.used.lock();
        used.unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned());
        Ok(Some(bytes.clone()))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        self.files.list(folder)
    }
}
