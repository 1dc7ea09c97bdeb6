use std::io::Write as _;
use std::process::{Command, Stdio};

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use kiln::tree::output_path::{ReservedPaths, folded};
use kiln::write::{self, PlanOptions, Target};
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use super::sandbox::{Sandbox, codes, tree};

/// What hostile names are made of.
const PIECES: &[&str] = &[
    "a",
    "Ab",
    "x.yaml",
    ".yaml",
    "kiln.lock",
    ".git",
    ".GIT",
    "git",
    ".kiln",
    "\u{212a}iln",
    "~1",
    "~",
    "con",
    "NUL",
    "aux",
    "Prn",
    "com1",
    "LPT\u{b9}",
    "conin$",
    ".",
    "..",
    " ",
    "\\",
    ":",
    "::$DATA",
    "*",
    "\"",
    "\n",
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{200c}",
    "\u{202e}",
    "\u{f03a}",
    "\u{ffff}",
    "\u{e9}",
    "e\u{301}",
    "\u{df}",
    "\u{1e9e}",
    "SS",
    "\u{fb01}",
    "\u{3c2}",
    "\u{130}",
];

/// The devices of Windows, as its documentation lists them.
const DEVICES: &[&str] = &[
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    "COM0",
    "COM1",
    "COM2",
    "COM3",
    "COM4",
    "COM5",
    "COM6",
    "COM7",
    "COM8",
    "COM9",
    "COM\u{b9}",
    "COM\u{b2}",
    "COM\u{b3}",
    "LPT0",
    "LPT1",
    "LPT2",
    "LPT3",
    "LPT4",
    "LPT5",
    "LPT6",
    "LPT7",
    "LPT8",
    "LPT9",
    "LPT\u{b9}",
    "LPT\u{b2}",
    "LPT\u{b3}",
];

fn names() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,3}",
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => Just("long".repeat(64)),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn paths() -> impl Strategy<Value = String> {
    proptest::collection::vec(names(), 1..4).prop_map(|names| names.join("/"))
}

fn is_accepted(path: &str) -> bool {
    ReservedPaths::default().refuse(path).is_none()
}

fn apart(text: &str) -> String {
    let normalizer = DecomposingNormalizerBorrowed::new_nfd();
    normalizer.normalize(text).into_owned()
}

fn composed(text: &str) -> String {
    let normalizer = ComposingNormalizerBorrowed::new_nfc();
    normalizer.normalize(text).into_owned()
}

/// What Windows makes of a name; `None` where it makes no file of it.
fn on_windows(name: &str) -> Option<&str> {
    // A name with `"` or `?` is no file there at all: a checkout says so, and nothing else is written in its place.
    let forbidden = |letter: char| letter < ' ' || "/\\".contains(letter);
    let name = name.split(':').next()?.trim_end_matches([' ', '.']);
    let stem = name.split('.').next()?.trim_end();
    let is_device = DEVICES.iter().any(|it| it.eq_ignore_ascii_case(stem));
    (!name.is_empty() && !name.contains(forbidden) && !is_device).then_some(name)
}

/// What HFS+ makes of a name, capitals aside.
fn on_macos(name: &str) -> String {
    let ignored = [
        '\u{200c}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{206a}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
    ];
    let heard = |letter: &char| !ignored.iter().any(|range| range.contains(letter));
    apart(name).to_lowercase().chars().filter(heard).collect()
}

/// Other names of what a disk that tells neither capitals nor normal forms apart keeps by this name.
fn aliases(path: &str) -> [String; 6] {
    [
        path.to_uppercase(),
        path.to_lowercase(),
        apart(path),
        composed(path),
        apart(&path.to_uppercase()),
        path.replace('\u{df}', "ss"),
    ]
}

/// Many paths, the same on each run.
fn many_paths() -> impl Iterator<Item = String> {
    let mut runner = TestRunner::deterministic();
    let paths = paths();
    (0..20_000).map(move |_| paths.new_tree(&mut runner).unwrap().current())
}

#[test]
fn accepted_names_are_names_on_every_system_and_nobodys_bookkeeping() {
    let mut accepted = 0;
    for path in many_paths().filter(|path| is_accepted(path)) {
        accepted += 1;
        for name in path.split('/') {
            assert_eq!(on_windows(name), Some(name), "{path:?}");
            assert!(!name.contains(char::is_control), "{path:?}");
            assert!(name.len() <= 255, "{path:?}");
            let heard = on_macos(name);
            assert_eq!(heard, apart(name).to_lowercase(), "{path:?}");
            for other in [".git", ".kiln", "git~1", "kiln~1"] {
                assert_ne!(heard, other, "{path:?}");
            }
        }
    }
    // Else this test would hold nothing.
    assert!(accepted > 2_000, "{accepted}");
}

/// Has git, set as on macOS and on Windows, put paths into an index, and returns those that it refuses.
fn refused_by_git(sandbox: &Sandbox, paths: &[String]) -> String {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.protectNTFS=true", "-c", "core.protectHFS=true"])
        .args(["update-index", "-z", "--index-info"])
        .current_dir(sandbox.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for path in paths {
        let digest = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        write!(stdin, "100644 {digest}\t{path}\0").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn git_takes_every_accepted_name_on_every_system() {
    let sandbox = Sandbox::new();
    let init = Command::new("git")
        .args(["init", "--quiet"])
        .current_dir(sandbox.path())
        .status();
    assert!(init.unwrap().success());
    for path in [".g\u{200c}it/x", "a/git~1/x", ".git /x", "../x"] {
        let refused = refused_by_git(&sandbox, &[path.to_owned()]);
        assert!(refused.contains("Ignoring path"), "{path:?} {refused}");
    }
    let accepted: Vec<String> = many_paths().filter(|path| is_accepted(path)).collect();
    assert_eq!(refused_by_git(&sandbox, &accepted), "");
}

#[test]
fn device_names_of_windows_are_refused_with_any_ending_and_in_any_folder() {
    for device in DEVICES {
        for path in [
            (*device).to_owned(),
            device.to_lowercase(),
            format!("a/{device}.yaml"),
            format!("{device}/b"),
            format!("{device} .tar.gz"),
        ] {
            let sandbox = Sandbox::new();
            let problems = sandbox.refuse(&tree([(path.as_str(), "x")]), PlanOptions::default());
            assert_eq!(codes(&problems), ["bad-output-path"], "{path:?}");
            assert!(
                problems[0].message.contains("device"),
                "{}",
                problems[0].message
            );
        }
    }
}

proptest::proptest! {
    #![proptest_config(Config { cases: 256, failure_persistence: None, ..Config::default() })]

    /// Whatever a path is made of, it leads to one file below the output folder, or is refused.
    #[test]
    fn what_is_accepted_stays_below_the_output_folder(path in paths()) {
        let sandbox = Sandbox::new();
        let disk = sandbox.disk();
        let outputs = tree([(path.as_str(), "x")]);
        let planned = write::plan(&outputs, &Target::new(&disk, "out"), PlanOptions::default());
        let planned = planned.unwrap();
        prop_assert_eq!(planned.is_ok(), is_accepted(&path));
        let mut expected = Vec::new();
        if let Ok(planned) = planned {
            planned.value.apply().unwrap();
            expected.extend([format!("out/{path}"), "out/kiln.lock".to_owned()]);
            expected.sort();
        }
        prop_assert_eq!(sandbox.picture().into_keys().collect::<Vec<_>>(), expected);
    }

    /// No tree has two names of one file, nor a file where a folder is needed by another name.
    #[test]
    fn no_tree_has_two_names_of_one_file(path in paths(), below in any::<bool>()) {
        for alias in aliases(&path).into_iter().filter(|alias| *alias != path) {
            prop_assert_eq!(folded(&alias), folded(&path));
            let other = if below { format!("{alias}/b") } else { alias };
            let sandbox = Sandbox::new();
            let outputs = tree([(path.as_str(), "x"), (other.as_str(), "x")]);
            let problems = sandbox.refuse(&outputs, PlanOptions::default());
            proptest::prop_assert!(
                problems.iter().all(|problem| problem.code() == "bad-output-path"),
                "{problems:?}"
            );
        }
    }
}
