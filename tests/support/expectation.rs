//! What tests expect, as committed files: compared with what came out, or written anew.
//!
//! `KILN_BLESS=1` writes what came out and removes what nothing gives any more; read the diff before you commit it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::tree::is_secret_path;
use sha2::{Digest as _, Sha256};
use similar::TextDiff;

use super::file_list::files_below;

/// How many lines of one difference are shown.
const SHOWN_LINES: usize = 60;
/// How many differences are shown; the others are counted.
const SHOWN_FILES: usize = 20;

/// The expected files of one test, and in what the files that came out differ from them.
///
/// All are compared before [`ExpectedFiles::assert`] fails with all differences. Text of a file whose name says that it
/// is sealed is never shown.
#[must_use = "`assert` fails where something differs"]
pub(crate) struct ExpectedFiles {
    is_blessed: bool,
    differences: Vec<String>,
}

impl ExpectedFiles {
    /// Expects nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            is_blessed: std::env::var_os("KILN_BLESS").is_some(),
            differences: Vec::new(),
        }
    }

    /// Compares a file; without text there must be none.
    pub(crate) fn compare(&mut self, path: &Path, found: &str) {
        if self.is_blessed {
            write(path, found);
            return;
        }
        let expected = fs::read_to_string(path).unwrap_or_default();
        if expected != found {
            let shown = difference(path, &expected, found);
            self.differences.push(format!("{}:\n{shown}", named(path)));
        }
    }

    /// Compares a folder, which must hold these files and no others; a file without text is none.
    pub(crate) fn compare_tree(&mut self, folder: &Path, found: &BTreeMap<String, String>) {
        for (path, text) in found {
            self.compare(&folder.join(path), text);
        }
        for path in files(folder) {
            if !found.contains_key(&path) {
                self.compare(&folder.join(path), "");
            }
        }
    }

    /// Compares files with a list of digests, one line a file, as `sha256sum` writes it.
    ///
    /// A list has no text to show: what changed is shown beside the file of the same path in `beside`.
    pub(crate) fn compare_digests(
        &mut self,
        list: &Path,
        found: &BTreeMap<String, String>,
        beside: &Path,
    ) {
        let digests = found
            .iter()
            .map(|(path, text)| format!("{}  {path}\n", digest(text)));
        let digests: Vec<String> = digests.collect();
        if self.is_blessed {
            write(list, &digests.concat());
            return;
        }
        let expected = fs::read_to_string(list).unwrap_or_default();
        let expected: BTreeSet<&str> = expected.split_inclusive('\n').collect();
        let paths: BTreeSet<&str> = expected.iter().map(|line| listed_path(line)).collect();
        let list = named(list);
        for (line, (path, text)) in digests.iter().zip(found) {
            if expected.contains(line.as_str()) {
                continue;
            }
            let known = beside.join(path);
            let other = fs::read_to_string(&known).unwrap_or_default();
            let state = if paths.contains(path.as_str()) {
                "is not what it was"
            } else {
                "is new"
            };
            let shown = if other == *text {
                "  it is the same there\n".to_owned()
            } else {
                difference(Path::new(path), &other, text)
            };
            let beside = named(&known);
            self.differences
                .push(format!("{list}: {path} {state}; beside {beside}:\n{shown}"));
        }
        for path in paths.iter().filter(|path| !found.contains_key(**path)) {
            self.differences
                .push(format!("{list}: {path} does not come out any more\n"));
        }
    }

    /// Fails with everything that differs, and the command that takes it over.
    #[track_caller]
    pub(crate) fn assert(self) {
        let count = self.differences.len();
        if count == 0 {
            return;
        }
        let mut told = self.differences[..count.min(SHOWN_FILES)].join("\n");
        if count > SHOWN_FILES {
            writeln!(told, "… and {} others", count - SHOWN_FILES).unwrap();
        }
        // The harness names a thread by its test, unless all run on the first one.
        let thread = std::thread::current();
        let test = thread.name().filter(|name| *name != "main");
        panic!(
            "{count} expected files differ (-) from what came out (+):\n\n{told}\n\
             `KILN_BLESS=1 cargo test --test main -- {}` takes it over",
            test.unwrap_or_default()
        );
    }
}

/// Compares one file, and fails where it differs.
#[track_caller]
pub(crate) fn expect_file(path: &Path, found: &str) {
    let mut expected = ExpectedFiles::new();
    expected.compare(path, found);
    expected.assert();
}

fn write(path: &Path, text: &str) {
    if text.is_empty() {
        drop(fs::remove_file(path));
    } else {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// The files below a folder, by their path in it.
fn files(folder: &Path) -> Vec<String> {
    let path_in_it = |path: PathBuf| {
        let path = path.strip_prefix(folder).unwrap();
        path.to_str().unwrap().to_owned()
    };
    files_below(folder).into_iter().map(path_in_it).collect()
}

/// The path from the repository's root.
fn named(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn listed_path(line: &str) -> &str {
    line.split_once("  ")
        .map_or(line, |(_, path)| path)
        .trim_end()
}

fn difference(path: &Path, expected: &str, found: &str) -> String {
    if is_secret_path(path.to_str().unwrap()) {
        return "  what is sealed is not shown\n".to_owned();
    }
    let diff = TextDiff::from_lines(expected, found);
    let shown = diff.unified_diff().context_radius(3).to_string();
    let count = shown.lines().count();
    let lines: Vec<&str> = shown.lines().take(SHOWN_LINES).collect();
    let more = if count > SHOWN_LINES {
        format!("… and {} lines more\n", count - SHOWN_LINES)
    } else {
        String::new()
    };
    format!("{}\n{more}", lines.join("\n"))
}

#[test]
fn shows_what_differs_and_hides_what_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, text) in [
        ("tree/changed.yaml", "a: 1\nb: 2\n"),
        ("tree/deep/gone.yaml", "a: 1\n"),
        ("tree/kept.yaml", "a: 1\n"),
        ("tree/secret.sops.yaml", "token: old\n"),
    ] {
        write(&path(name), text);
    }
    let found = BTreeMap::from(
        [
            ("changed.yaml", "a: 1\nb: 3\n"),
            ("kept.yaml", "a: 1\n"),
            ("new.yaml", "a: 1\n"),
            ("secret.sops.yaml", "token: new\n"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned())),
    );
    let mut expected = ExpectedFiles {
        is_blessed: false,
        differences: Vec::new(),
    };
    expected.compare_tree(&path("tree"), &found);
    let told = |expected: &ExpectedFiles| {
        let told = expected.differences.join("\n");
        told.replace(folder.path().to_str().unwrap(), "[FOLDER]")
    };
    insta::assert_snapshot!(told(&expected), @"
    [FOLDER]/tree/changed.yaml:
    @@ -1,2 +1,2 @@
     a: 1
    -b: 2
    +b: 3

    [FOLDER]/tree/new.yaml:
    @@ -0,0 +1 @@
    +a: 1

    [FOLDER]/tree/secret.sops.yaml:
      what is sealed is not shown

    [FOLDER]/tree/deep/gone.yaml:
    @@ -1 +0,0 @@
    -a: 1
    ");
    write(
        &path("list.sha256"),
        &format!(
            "{}  gone.yaml\n{}  kept.yaml\n{}  new.yaml\n",
            digest(""),
            digest("a: 1\n"),
            digest("")
        ),
    );
    expected.differences.clear();
    expected.compare_digests(&path("list.sha256"), &found, &path("tree"));
    insta::assert_snapshot!(told(&expected), @"
    [FOLDER]/list.sha256: changed.yaml is new; beside [FOLDER]/tree/changed.yaml:
    @@ -1,2 +1,2 @@
     a: 1
    -b: 2
    +b: 3

    [FOLDER]/list.sha256: new.yaml is not what it was; beside [FOLDER]/tree/new.yaml:
    @@ -0,0 +1 @@
    +a: 1

    [FOLDER]/list.sha256: secret.sops.yaml is new; beside [FOLDER]/tree/secret.sops.yaml:
      what is sealed is not shown

    [FOLDER]/list.sha256: gone.yaml does not come out any more
    ");
}

#[test]
fn blessing_writes_what_came_out_and_removes_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("tree/gone.yaml"), "a: 1\n");
    let found = BTreeMap::from([("deep/new.yaml".to_owned(), "a: 2\n".to_owned())]);
    let mut expected = ExpectedFiles {
        is_blessed: true,
        differences: Vec::new(),
    };
    expected.compare_tree(&path("tree"), &found);
    expected.compare_digests(&path("list.sha256"), &found, &path("tree"));
    assert_eq!(files(&path("tree")), ["deep/new.yaml"]);
    expected.is_blessed = false;
    expected.compare_tree(&path("tree"), &found);
    expected.compare_digests(&path("list.sha256"), &found, &path("tree"));
    expected.assert();
}
