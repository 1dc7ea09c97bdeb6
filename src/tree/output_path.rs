//! Where outputs may go: what a path may be made of, and which paths belong to others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use icu_normalizer::ComposingNormalizerBorrowed;

/// The name of the list of outputs, in the output folder.
pub const LOCK_FILE: &str = "kiln.lock";

/// Returns folder and name of a path.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Lists the outputs that the list in a text names, as far as its lines are as Kiln writes them.
pub fn listed_outputs(list: &str) -> impl Iterator<Item = &str> {
    let entries = list.lines().filter_map(|line| line.strip_prefix('"'));
    entries.filter_map(|line| Some(line.split_once("\" = \"")?.0))
}

/// Folders that belong to git and to Kiln itself, with the short names that Windows gives them.
const BOOKKEEPING: [&str; 4] = [".git", "git~1", ".kiln", "kiln~1"];

/// What may be no output although its path is sound: what Kiln reads.
///
/// Names are compared as a disk compares them that knows no capitals and no normal forms of Unicode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReservedPaths {
    /// Files below the output folder, by their folded paths.
    files: BTreeSet<String>,
    /// Folders below the output folder, by their folded paths, each with its name; the folder itself as `""`.
    folders: BTreeMap<String, String>,
}

impl ReservedPaths {
    /// Makes the set for an output folder, of files and folders as the project names them; those that are elsewhere are
    /// in nobody's way.
    pub fn new<'p>(
        output: &str,
        files: impl IntoIterator<Item = &'p str>,
        folders: impl IntoIterator<Item = &'p str>,
    ) -> Self {
        let output = tidy(output);
        let below = |path: &str| {
            let rest = path.strip_prefix(&*output)?;
            if output.is_empty() {
                Some(rest.to_owned())
            } else {
                rest.strip_prefix('/').map(str::to_owned)
            }
        };
        let files = files.into_iter().map(tidy);
        let mut reserved = Self {
            files: files.filter_map(|path| below(&path)).collect(),
            folders: BTreeMap::new(),
        };
        for name in folders {
            let folder = tidy(name);
            let all = folder.is_empty()
                || output == folder
                || output
                    .strip_prefix(&*folder)
                    .is_some_and(|rest| rest.starts_with('/'));
            let inside = if all {
                Some(String::new())
            } else {
                below(&folder)
            };
            if let Some(inside) = inside {
                reserved.folders.insert(inside, name.to_owned());
            }
        }
        reserved
    }

    /// Returns why a path cannot be that of an output, if so.
    pub fn refuse(&self, path: &str) -> Option<String> {
        if let Some(flaw) = flaw(path) {
            return Some(flaw.to_owned());
        }
        let place = folded(path);
        if place == LOCK_FILE {
            return Some(format!("`{LOCK_FILE}` is Kiln's own list of outputs"));
        }
        if self.files.contains(&*place) {
            return Some("Kiln reads this file: it is an input, or a key".to_owned());
        }
        let above = place.match_indices('/').map(|(at, _)| &place[..at]);
        let folder = [""]
            .into_iter()
            .chain(above)
            .find_map(|at| self.folders.get(at));
        folder.map(|folder| {
            format!(
                "Kiln reads what is in `{folder}`, so that it would be an input of the next run"
            )
        })
    }
}

/// Returns a path as the project names it, without `.` and final slashes, and folded.
fn tidy(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    folded(&parts.collect::<Vec<_>>().join("/")).into_owned()
}

/// Returns what is wrong with a path wherever it is: it has to mean the same file on every system, below the output folder,
/// and none of git's or Kiln's own.
pub fn flaw(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.ends_with('/') {
        return Some("it has no name");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("a part of it is empty"),
        "." | ".." => Some("it leaves its folder"),
        part if is_bookkeeping(part) => {
            Some("`.git` and `.kiln`, and what some system takes for them, are not for outputs")
        }
        _ => None,
    })
}

/// Returns a path as a disk knows it that tells neither capitals nor normal forms apart, as those of macOS and Windows.
pub fn folded(path: &str) -> Cow<'_, str> {
    if path.is_ascii() {
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(path.to_ascii_lowercase());
        }
        return Cow::Borrowed(path);
    }
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(path);
    let lower = composed.to_lowercase();
    // A capital may compose where its small letter does not, and the other way round.
    Cow::Owned(
        ComposingNormalizerBorrowed::new_nfc()
            .normalize(&lower)
            .into_owned(),
    )
}

/// Returns whether some system opens `.git` or `.kiln` by this name.
///
/// macOS passes over characters of no width; Windows over dots and blanks at the end, and over what follows a colon.
fn is_bookkeeping(part: &str) -> bool {
    // Nearly every name is none, and there are thousands.
    let may_be = |first: u8| matches!(first, b'.' | b'g' | b'G' | b'k' | b'K') || !first.is_ascii();
    if !part.bytes().next().is_some_and(may_be) {
        return false;
    }
    let seen: String = part.chars().filter(|c| !is_ignorable(*c)).collect();
    let seen = seen.split(':').next().unwrap_or_default();
    let seen = seen.trim_end_matches(['.', ' ']);
    BOOKKEEPING
        .iter()
        .any(|name| seen.eq_ignore_ascii_case(name))
}

/// Returns whether HFS+ takes a character for nothing; the list is git's.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_plain_names() {
        for path in [
            "a/b.yaml",
            "a b/ü",
            ".github/x",
            ".gitignore",
            "git",
            "a.git/b",
            ".kilner",
            "...",
        ] {
            assert_eq!(flaw(path), None, "{path:?}");
        }
        for path in [
            "", ".", "./a", "a//b", "a/", "../a", "/a", "a\\b", "a\nb", "a\0b", "a/../b",
        ] {
            assert!(flaw(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn takes_nothing_for_which_some_system_opens_git() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git . .",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".kiln",
            ".KILN",
            "Kiln~1",
            ".kiln.",
        ] {
            for path in [
                name.to_owned(),
                format!("{name}/config"),
                format!("a/{name}/hooks/x"),
            ] {
                assert!(flaw(&path).is_some(), "{path:?}");
            }
        }
    }

    #[test]
    fn folds_capitals_and_normal_forms() {
        for (one, other) in [
            ("Case.yaml", "case.yaml"),
            ("\u{e9}", "e\u{301}"),
            ("\u{c9}", "e\u{301}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("a"), folded("b"));
    }

    #[test]
    fn refuses_inputs_as_seen_from_the_output_folder() {
        let refused = |output: &str, path: &str| {
            let files = ["kiln.toml", "./age.key", "sub/cluster.yaml"];
            let reserved = ReservedPaths::new(output, files, ["templates", "sub/more/"]);
            reserved.refuse(path).is_some()
        };
        for path in [
            "kiln.toml",
            "Kiln.TOML",
            "age.key",
            "sub/cluster.yaml",
            "templates/a",
            "Templates/b/c",
            "sub/more/x",
            "kiln.lock",
            "KILN.lock",
        ] {
            assert!(refused(".", path), "{path}");
        }
        for path in [
            "templates",
            "templates.yaml",
            "a/age.key",
            "sub/kiln.lock",
            "sub/x",
        ] {
            assert!(!refused(".", path), "{path}");
        }
        assert!(refused("sub", "cluster.yaml") && refused("./sub/", "more/x"));
        assert!(!refused("sub", "age.key") && !refused("out", "templates/a"));
        // The output folder is in a folder of inputs.
        assert!(refused("templates/out", "a") && refused("templates", "a"));
    }
}
