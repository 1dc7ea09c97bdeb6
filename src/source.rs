//! Texts that people wrote, places in them, and the window through which stages read files.

mod veil;

pub use spanned_yaml::{Span, is_plain_key, shown_key};

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// A named text: a file that the user wrote, a template, or a rendered output.
///
/// `Debug` shows the name and the length only, as the text may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The path to show to the user, relative to the project.
    pub path: String,
    /// The whole text; one that is part of the binary is not copied.
    pub text: Cow<'static, str>,
    /// Whether no part of the text may be shown (a decrypted file, a sealed output).
    pub sensitive: bool,
    /// What of the text may be shown, as long as the text itself; the whole text where there is none.
    veil: Option<String>,
}

impl Source {
    /// Wraps a text whose lines may be shown in messages.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Self::of(path, Cow::Owned(text.into()), false)
    }

    /// Wraps a text of which no part may be shown in a message.
    pub fn sensitive(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Self::of(path, Cow::Owned(text.into()), true)
    }

    /// Wraps a text that may be part of the binary.
    pub fn of(path: impl Into<String>, text: Cow<'static, str>, sensitive: bool) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text,
            sensitive,
            veil: None,
        })
    }

    /// Returns the same text, of which messages show all but some spans.
    #[must_use]
    pub fn veiled(self: &Arc<Self>, hidden: impl IntoIterator<Item = Span>) -> Arc<Self> {
        let mut source = Self::clone(self);
        source.veil = Some(veil::without(&self.text, hidden));
        Arc::new(source)
    }

    /// Returns the source of a data file, sound or not, with nothing in it but the first key of each line; all spans
    /// still fit.
    ///
    /// That is what may be shown of a file of which nobody knows what it is.
    #[must_use]
    pub fn keys_only(self: &Arc<Self>) -> Arc<Self> {
        let is_toml = self.path.ends_with(".toml") && !self.path.ends_with(".sops.toml");
        let text = veil::keys_only(&self.text, if is_toml { '=' } else { ':' });
        Self::of(self.path.clone(), Cow::Owned(text), self.sensitive)
    }

    /// Returns the source of a sound data file with spans shown (`true`) and blotted out (`false`), each over the ones
    /// before, and only the punctuation elsewhere; all spans still fit.
    #[must_use]
    pub fn layered(self: &Arc<Self>, layers: impl IntoIterator<Item = (Span, bool)>) -> Arc<Self> {
        let text = veil::layered(&self.text, layers);
        Self::of(self.path.clone(), Cow::Owned(text), self.sensitive)
    }

    /// Returns the text that messages may show, as long as the whole one; `None` if they show nothing of it.
    pub fn visible(&self) -> Option<&str> {
        let text = self.veil.as_deref().unwrap_or(&self.text);
        (!self.sensitive).then_some(text)
    }

    /// Returns line and column of a byte offset, both counted from 1, the column in characters.
    ///
    /// An offset past the end gives the end; one inside a character gives that character.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// Returns the bytes of a line counted from 1, without its line break.
    ///
    /// A line past the end gives the empty span at the end.
    pub fn line_span(&self, line: usize) -> Span {
        let mut start = 0;
        for (index, text) in self.text.split_inclusive('\n').enumerate() {
            if index + 1 == line {
                return Span::new(start, start + text.trim_end_matches(['\n', '\r']).len());
            }
            start += text.len();
        }
        Span::new(self.text.len(), self.text.len())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Source({}, {} bytes)",
            self.path,
            self.text.len()
        )
    }
}

/// A span in a source: a place that a message can point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// The bytes in it.
    pub span: Span,
}

impl Place {
    /// Returns the place of `span` in `source`.
    pub fn new(source: &Arc<Source>, span: Span) -> Self {
        Self {
            source: Arc::clone(source),
            span,
        }
    }
}

/// Why a file could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot read `{path}`: {reason}")]
pub struct ReadError {
    /// The path as the project names it.
    pub path: String,
    /// What the system said.
    pub reason: String,
}

/// Why something that is there is no file of the repository, as Flux gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// git is told not to look at it.
    ByGit,
    /// Flux' source-controller leaves it out of what it hands on.
    ByFlux,
    /// A symlink, of which Flux' source-controller hands on none.
    Symlink,
    /// A submodule, or another clone inside of this one.
    OtherRepository,
    /// The system does not hand it out, and says why.
    Unreadable(String),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ByGit => "git ignores it",
            Self::ByFlux => "the source-controller leaves it out of the source",
            Self::Symlink => {
                "it is a symlink, which the source-controller leaves out of the source"
            }
            Self::OtherRepository => "it belongs to another repository",
            Self::Unreadable(reason) => reason,
        })
    }
}

/// What a repository holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileListing {
    /// Its files, sorted.
    pub files: Vec<String>,
    /// What is there besides, and why it is no file of the repository; a folder ends in a slash, and nothing below it
    /// is named.
    pub left_out: BTreeMap<String, LeftOut>,
}

/// The files of a project as stages see them: on disk, in a git revision, or in memory.
///
/// Paths are relative to the project and use `/`. Listings are sorted and recursive, so that the
/// order of a folder on disk never shows.
pub trait Files: Sync {
    /// Reads a file; `None` when there is none of that name.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError>;

    /// Reads a file whose content is a secret: a key, or what `secret()` and `fromFile` name.
    ///
    fn read_secret(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(path)
    }

    /// Returns where a path leads when symlinks are followed, relative to the project as well; the path itself where
    /// there are none.
    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        Ok(path.to_owned())
    }

    /// Lists where symlinks below a folder lead in the project, a folder with a slash at its end; only those that
    /// [`list`](Self::list) goes through or names, and what cannot be read is passed over.
    fn linked(&self, _folder: &str) -> Vec<String> {
        Vec::new()
    }

    /// Returns whether a file may be run as a program; where nobody keeps that, none may.
    fn is_executable(&self, _path: &str) -> bool {
        false
    }

    /// Returns whether git is told not to look at a file.
    fn is_ignored(&self, _path: &str) -> bool {
        false
    }

    /// Lists the files that are there and that git is told not to look at, a folder of such files once, with a slash at
    /// its end; `None` where git cannot tell.
    fn ignored_files(&self) -> Option<BTreeSet<String>> {
        Some(BTreeSet::new())
    }

    /// Reads a file that is no input: an output, of which a stage keeps what it can.
    fn read_output(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(path)
    }

    /// Lists the files below a folder, sorted; empty when there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError>;

    /// Lists the files below a folder, sorted, as [`read_output`](Self::read_output) reads them: nobody waits for them
    /// to change.
    fn list_outputs(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        self.list(folder)
    }

    /// Lists what git keeps of the folder, symlinks not followed; what cannot be read is said, and stops nothing.
    fn listing(&self) -> Result<FileListing, ReadError> {
        Ok(FileListing {
            files: self.list("")?,
            left_out: BTreeMap::new(),
        })
    }

    /// Returns the text of a file that is part of the binary.
    fn embedded(&self, _path: &str) -> Option<&'static str> {
        None
    }

    /// Returns what a YAML or JSON file was packed to when Kiln was built, for [`crate::yaml::unpack`] and
    /// [`crate::yaml::unpack_json`].
    fn packed(&self, _path: &str) -> Option<&'static [u8]> {
        None
    }
}

/// Files with some of them replaced by others, added, or found under another name, in memory.
pub struct OverlaidFiles<'f> {
    /// The files below.
    files: &'f dyn Files,
    /// What lies above them, by path.
    replaced: BTreeMap<String, Vec<u8>>,
    /// The names below of files that go by another one here.
    renamed: BTreeMap<String, String>,
    /// What is below and not here.
    hidden: BTreeSet<String>,
}

impl<'f> OverlaidFiles<'f> {
    /// Lays files over others.
    pub fn new(
        files: &'f dyn Files,
        replaced: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Self {
        Self {
            files,
            replaced: replaced.into_iter().collect(),
            renamed: BTreeMap::new(),
            hidden: BTreeSet::new(),
        }
    }

    /// Gives files below another name: each comes with the new name first. The old one stays.
    #[must_use]
    pub fn renaming(mut self, renamed: impl IntoIterator<Item = (String, String)>) -> Self {
        self.renamed.extend(renamed);
        self
    }

    /// Takes outputs out, as if they were not there.
    #[must_use]
    pub fn without(mut self, hidden: impl IntoIterator<Item = String>) -> Self {
        self.hidden.extend(hidden);
        self
    }

    /// Returns what a file is called below.
    fn below<'p>(&'p self, path: &'p str) -> &'p str {
        self.renamed.get(path).map_or(path, String::as_str)
    }

    fn or_below(
        &self,
        path: &str,
        below: impl FnOnce(&str) -> Result<Option<Vec<u8>>, ReadError>,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        match self.replaced.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => below(self.below(path)),
        }
    }
}

/// Inputs are listed with what lies above; outputs are those below.
impl Files for OverlaidFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.or_below(path, |path| self.files.read(path))
    }

    fn read_secret(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.or_below(path, |path| self.files.read_secret(path))
    }

    fn read_output(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        if self.hidden.contains(path) {
            return Ok(None);
        }
        self.files.read_output(path)
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        if self.replaced.contains_key(path) {
            return Ok(path.to_owned());
        }
        self.files.real_path(self.below(path))
    }

    fn linked(&self, folder: &str) -> Vec<String> {
        self.files.linked(folder)
    }

    fn is_executable(&self, path: &str) -> bool {
        !self.replaced.contains_key(path) && self.files.is_executable(self.below(path))
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.files.is_ignored(self.below(path))
    }

    fn ignored_files(&self) -> Option<BTreeSet<String>> {
        self.files.ignored_files()
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let mut found = self.files.list(folder)?;
        let above = self.replaced.keys();
        let more: Vec<&String> = above
            .filter(|path| is_below(path, folder) && found.binary_search(path).is_err())
            .collect();
        if !more.is_empty() {
            found.extend(more.into_iter().cloned());
            found.sort_unstable();
        }
        Ok(found)
    }

    fn list_outputs(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let mut found = self.files.list_outputs(folder)?;
        found.retain(|path| !self.hidden.contains(path));
        Ok(found)
    }
}

/// Returns whether a file is somewhere below a folder, which is all of them where it is the root.
fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let inside = || path.strip_prefix(folder)?.strip_prefix('/');
    matches!(folder, "" | ".") || inside().is_some()
}

/// Files held in memory, as tests and the embedded catalogue have them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.0.get(path).cloned())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let paths = self.0.keys().filter(|path| is_below(path, folder));
        Ok(paths.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_laid_over_others_are_listed_and_read() {
        let file = |path: &str| (path.to_owned(), path.as_bytes().to_vec());
        let below = MemoryFiles(["a/1", "a/3", "old.key", "z"].map(file).into());
        let files = OverlaidFiles::new(&below, [file("a/2"), ("a/3".to_owned(), b"new".to_vec())])
            .renaming([("new.key".to_owned(), "old.key".to_owned())])
            .without(["z".to_owned()]);
        for folder in ["a", "./a/", "a/"] {
            assert_eq!(
                files.list(folder).unwrap(),
                ["a/1", "a/2", "a/3"],
                "{folder}"
            );
        }
        assert_eq!(
            files.list("").unwrap(),
            ["a/1", "a/2", "a/3", "old.key", "z"]
        );
        assert_eq!(files.list("b").unwrap(), [""; 0]);
        assert_eq!(files.read("a/3").unwrap().unwrap(), b"new");
        assert_eq!(files.read_secret("new.key").unwrap().unwrap(), b"old.key");
        assert_eq!(files.real_path("new.key").unwrap(), "old.key");
        // Outputs are those below, but for what is taken out.
        assert_eq!(files.list_outputs("").unwrap(), ["a/1", "a/3", "old.key"]);
        assert_eq!(files.read_output("a/3").unwrap().unwrap(), b"a/3");
        assert_eq!(files.read_output("z").unwrap(), None);
    }
}
