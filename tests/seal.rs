//! SOPS files, against the real `sops`.

/// Which rule applies, and what a rule file may say.
mod rules;
/// What `sops` makes of our files.
mod write;
/// What `sops` makes of files that are laid out in rarer ways.
mod layout;
/// What we make of files from `sops`.
mod read;
/// When the bytes on disk stay.
mod keep;
/// What moves in the production example when one thing changes.
mod production;
/// Random documents, mutated files.
mod property;
/// Fixed randomness.
mod stream;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use age::secrecy::ExposeSecret as _;
use kiln::diagnostic::{Diagnostic, StageResult};
use kiln::seal::{self, DataKeys, Earlier, Inputs, Keyring, Rules};
use kiln::secret::Secret;
use kiln::source::Source;
use kiln::tree::{Checked, File, Rendered, Sealed, Tree};

use stream::Stream;

/// A word that stands in secrets only.
const CANARY: &str = "canary-7f3a-tweet";

const NOW: &str = "2026-03-04T05:06:07Z";

fn sops() -> Option<PathBuf> {
    crate::support::oracle("sops")
}

/// A key pair, made for one test.
struct Pair {
    identity: String,
    recipient: String,
}

impl Pair {
    fn new() -> Self {
        let identity = age::x25519::Identity::generate();
        Self {
            identity: identity.to_string().expose_secret().to_owned(),
            recipient: identity.to_public().to_string(),
        }
    }

    fn keyring(&self) -> Keyring {
        let text = format!("# created: today\n{}\n", self.identity);
        let (keyring, problems) = Keyring::parse(&[("age.key".to_owned(), Secret::new(text))]);
        assert!(problems.is_empty());
        keyring
    }
}

fn tree(files: &[(&str, &str)]) -> Tree<Checked> {
    rendered(files)
        .hardened([], Vec::new(), Vec::new())
        .checked()
}

/// A tree in which rules name all files.
fn named_tree(files: &[(&str, &str)]) -> Tree<Checked> {
    let all = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    rendered(files)
        .with_secrets(&all)
        .hardened([], Vec::new(), Vec::new())
        .checked()
}

fn rendered(files: &[(&str, &str)]) -> Tree<Rendered> {
    let files = files.iter().map(|(path, text)| File {
        path: (*path).to_owned(),
        source: Source::new(*path, *text),
        documents: Arc::default(),
        origins: Vec::new(),
        executable: false,
        binary: None,
    });
    Tree::rendered(files, Vec::new())
}

/// A project in memory: what is sealed by which rules, and what is there already.
struct Project {
    rules: String,
    keyring: Keyring,
    disk: BTreeMap<String, Vec<u8>>,
    now: &'static str,
    seed: u64,
}

impl Project {
    /// A project with one rule that matches everything; `more` are further lines of it.
    fn new(pair: &Pair, more: &[&str]) -> Self {
        let mut rules = vec![format!("creation_rules:\n  - age: {}", pair.recipient)];
        rules.extend(more.iter().map(|line| format!("    {line}")));
        rules.push(String::new());
        Self {
            rules: rules.join("\n"),
            keyring: pair.keyring(),
            disk: BTreeMap::new(),
            now: NOW,
            seed: 1,
        }
    }

    fn rules(&self) -> Rules {
        Rules::parse(&Source::new(".sops.yaml", self.rules.as_str()))
            .unwrap()
            .value
    }

    fn seal(&self, files: &[(&str, &str)]) -> StageResult<Tree<Sealed>> {
        let existing = |path: &str| self.disk.get(path).cloned();
        let paths = self.disk.keys().map(String::as_str);
        let inputs = Inputs {
            rules: &self.rules(),
            keyring: &self.keyring,
            knows_recipients: true,
            earlier: &Earlier::open(paths, &existing, &self.keyring),
            unseen: None,
            data_keys: DataKeys::Kept,
            now: self.now,
        };
        seal::seal(tree(files), &inputs, &mut Stream(self.seed))
    }

    /// Seals one file and returns its text; fails on any warning.
    fn sealed(&self, text: &str) -> String {
        let result = self.seal(&[("a.sops.yaml", text)]).unwrap();
        assert!(
            result.warnings.is_empty(),
            "{:?}",
            messages(&result.warnings)
        );
        let (_, file) = result.value.outputs().next().unwrap();
        assert!(file.sealed);
        String::from_utf8(file.bytes.clone()).unwrap()
    }

    fn problems(&self, files: &[(&str, &str)]) -> Vec<Diagnostic> {
        self.seal(files).unwrap_err()
    }

    fn decrypt(&self, sealed: &str) -> Result<String, Diagnostic> {
        seal::decrypt(&Source::new("a.sops.yaml", sealed), &self.keyring)
    }
}

/// Shows diagnostics with the text they point at, one a line, hints below.
fn messages(problems: &[Diagnostic]) -> String {
    let mut lines = Vec::new();
    for problem in problems {
        let shown = problem.primary.as_ref().map_or_else(String::new, |label| {
            let span = label.place.span;
            format!(" [{}]", &label.place.source.text[span.start..span.end])
        });
        lines.push(format!("{}: {}{shown}", problem.code(), problem.message));
        lines.extend(problem.hints.iter().map(|hint| format!("  {hint}")));
    }
    lines.join("\n")
}

/// Runs the real `sops` on a text, in a folder of its own and with nothing in its environment but
/// the identity.
fn run_sops(
    sops: &Path,
    pair: &Pair,
    rules: &str,
    arguments: &[&str],
    name: &str,
    text: &str,
) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("age.key"), &pair.identity).unwrap();
    std::fs::write(folder.path().join(".sops.yaml"), rules).unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    Command::new(sops)
        .env_clear()
        .env("HOME", folder.path())
        .env("SOPS_AGE_KEY_FILE", folder.path().join("age.key"))
        .current_dir(folder.path())
        .args(arguments)
        .arg(name)
        .output()
        .unwrap()
}

fn succeeded(output: &Output) -> String {
    assert!(
        output.status.success(),
        "sops: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Decrypts a text with the real `sops`.
fn sops_decrypts(sops: &Path, pair: &Pair, sealed: &str) -> String {
    succeeded(&run_sops(
        sops,
        pair,
        "",
        &["decrypt"],
        "a.sops.yaml",
        sealed,
    ))
}

/// Encrypts a text with the real `sops` by the rules of a project.
fn sops_encrypts(sops: &Path, pair: &Pair, project: &Project, text: &str) -> String {
    succeeded(&run_sops(
        sops,
        pair,
        &project.rules,
        &["encrypt"],
        "a.sops.yaml",
        text,
    ))
}

/// Removes what differs between two layouts of the same content: blanks at the start and end of
/// lines, quotes, and document marks.
fn words(text: &str) -> Vec<String> {
    let line = |line: &str| line.trim().replace(['"', '\''], "");
    // An encrypted comment at the end of a line comes back above it from sops 3.13.
    let parts = |line: String| match line.split_once(" # ") {
        Some((value, comment)) => vec![format!("# {comment}"), value.to_owned()],
        None => vec![line],
    };
    text.lines()
        .map(line)
        .flat_map(parts)
        .filter(|line| !line.is_empty() && line != "---")
        .collect()
}
