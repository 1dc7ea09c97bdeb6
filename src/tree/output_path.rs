//! Where outputs may go: what a path may be made of, and which paths belong to others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

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

/// Folders that belong to git and to Kiln itself.
const BOOKKEEPING: [&str; 2] = [".git", ".kiln"];

/// What Windows takes for a device in every folder, whatever follows after a dot.
///
/// From "Naming Files, Paths, and Namespaces" by Microsoft, as are all facts on Windows here.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The devices of which Windows has several, each with a digit behind it.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// The most bytes that a name has on Linux and on macOS; Windows takes as many letters.
const LONGEST_NAME: usize = 255;

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
        let above = || place.match_indices('/').map(|(at, _)| &place[..at]);
        if above().any(|at| at == LOCK_FILE || self.files.contains(at)) {
            return Some("it needs a folder where Kiln has a file".to_owned());
        }
        let folder = [""]
            .into_iter()
            .chain(above())
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
    path.split('/').find_map(flaw_of_name)
}

/// Returns what is wrong with one part of a path.
fn flaw_of_name(name: &str) -> Option<&'static str> {
    // Nearly every name is of these, and there are thousands.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !name.bytes().all(plain)
        && let Some(flaw) = name.chars().find_map(flaw_of_letter)
    {
        return Some(flaw);
    }
    match name {
        "" => Some("a part of it is empty"),
        "." | ".." => Some("it leaves its folder"),
        _ if is_bookkeeping(name) => {
            Some("`.git` and `.kiln`, and what some system takes for them, are not for outputs")
        }
        _ if name.ends_with(['.', ' ']) => {
            Some("a part of it ends in a dot or a blank, which Windows leaves out")
        }
        _ if is_device(name) => Some("a part of it is the name of a device on Windows"),
        _ if is_short_name(name) => Some(
            "a part of it is like the short names that Windows gives to files with longer ones",
        ),
        _ if name.len() > LONGEST_NAME => Some("a part of it has more than 255 bytes"),
        _ => None,
    }
}

fn flaw_of_letter(letter: char) -> Option<&'static str> {
    match letter {
        '\\' => Some("it has a backslash"),
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => {
            Some("it has one of `<>:\"|?*`, which no name has on Windows")
        }
        _ if letter.is_control() => Some("it has a control character"),
        _ if is_ignorable(letter) || is_private(letter) => {
            Some("it has a character that some system takes for nothing, or for another one")
        }
        _ => None,
    }
}

/// Returns a path as a disk knows it that tells neither capitals nor normal forms apart, as those of macOS and Windows.
///
/// Letters are one where any of these systems has them as one: `ß` is `ss`, as on APFS.
pub fn folded(path: &str) -> Cow<'_, str> {
    if path.is_ascii() {
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(path.to_ascii_lowercase());
        }
        return Cow::Borrowed(path);
    }
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(path);
    // Some letters meet in their capitals only, and some capitals in their small letters.
    let one = apart.to_lowercase().to_uppercase().to_lowercase();
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&one);
    Cow::Owned(composed.into_owned())
}

/// Returns whether some system opens `.git` or `.kiln` by this name, the rules for all names aside.
fn is_bookkeeping(name: &str) -> bool {
    if name.is_ascii() && !name.starts_with('.') {
        return false;
    }
    let name = folded(name);
    // To say what it is, and not what is wrong with its end.
    let name = name.trim_end_matches(['.', ' ']);
    BOOKKEEPING.contains(&name)
}

/// Returns whether Windows opens a device by this name, whatever its ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ');
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
    let (devices, stem): (&[&str], &str) = match stem.strip_suffix(is_number) {
        Some(start) => (&NUMBERED_DEVICES, start),
        None => (&DEVICES, stem),
    };
    devices
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
}

/// Returns whether Windows may have given this name to a file that has a longer one: `KUBERN~1.YAM`.
fn is_short_name(name: &str) -> bool {
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let number = stem.rsplit_once('~').map(|(_, number)| number);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    number.is_some_and(is_number)
        && stem.chars().count() <= 8
        && ending.chars().count() <= 3
        && !ending.contains('.')
}

/// Returns whether HFS+ takes a character for nothing; the list is git's.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Returns whether a character means what a system makes of it, such as a colon in Cygwin and on network drives, or is
/// none, so that APFS refuses it.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
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
            "console.yaml",
            "com10/a.con",
            "nulls",
            "a~1~.yaml",
            "kubernetes~1",
            "~",
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
            ".\u{212a}iln",
            "\u{212a}iln~1",
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
            ("Stra\u{1e9e}e", "strasse"),
            ("o\u{fb03}ce", "OFFICE"),
            ("\u{212a}iln", "kiln"),
            ("\u{3c3}", "\u{3c2}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("a"), folded("b"));
    }

    #[test]
    fn every_letter_folds_as_its_capital_its_small_letter_and_its_parts() {
        let apart = DecomposingNormalizerBorrowed::new_nfd();
        // Above these no letter has another form.
        for letter in '\u{80}'..='\u{2ffff}' {
            let text = letter.to_string();
            let place = folded(&text);
            assert_eq!(folded(&place), place, "{text:?}");
            for other in [
                text.to_lowercase(),
                text.to_uppercase(),
                apart.normalize(&text).into_owned(),
            ] {
                assert_eq!(folded(&other), place, "{text:?} {other:?}");
            }
        }
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
            "Kiln.lock/a",
            "kiln.toml/a",
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
