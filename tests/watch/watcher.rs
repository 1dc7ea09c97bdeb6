use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use kiln::seal::{self, Keyring};
use kiln::secret::Secret;
use kiln::source::Source;
use serde_json::Value;

use crate::support::Sandbox;

/// How long a test waits for what must come: far more than it takes.
const GENEROUS: Duration = Duration::from_mins(2);

const RULES: &str = "\
creation_rules:
  - path_regex: \\.sops\\.yaml$
    age: #{ age_recipient() }#
";

/// Makes a small project with plain and sealed outputs.
pub(super) fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    sandbox.write("kiln.toml", "catalogue = false\noutput = \"out\"\n");
    sandbox.write("templates/.sops.yaml.tera", RULES);
    sandbox.write("templates/cluster.txt.tera", "#{ domain.name }#\n");
    sandbox.write("templates/deep/down/notes.txt", "notes\n");
    sandbox.write(
        "templates/token.sops.yaml.tera",
        "token: #{ secret(path=\"token.key\") | quote }#\n",
    );
    sandbox.write("token.key", "first token\n");
    sandbox
}

/// A `kiln watch` that runs until dropped.
pub(super) struct Watcher {
    child: Child,
    events: Receiver<Value>,
    /// How often a tree was written, or failed to be.
    pub(super) rebuilds: usize,
    /// Every event so far.
    pub(super) log: Vec<Value>,
}

impl Watcher {
    /// Starts, and waits until the tree is up to date and the next change will be noticed.
    pub(super) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut watcher = Self::spawn(sandbox, arguments);
        watcher.ready();
        watcher
    }

    /// Starts, and does not wait.
    pub(super) fn spawn(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        Self::spawn_command(sandbox.command(), arguments)
    }

    /// Starts with the machine's Python at hand, and waits as [`Self::start`] does.
    pub(super) fn start_with_python(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let mut watcher = Self::spawn_command(command, &[]);
        watcher.ready();
        watcher
    }

    fn spawn_command(mut command: Command, arguments: &[&str]) -> Self {
        command
            .args(["watch", "--message-format", "json"])
            .args(arguments)
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let event = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            events,
            rebuilds: 0,
            log: Vec::new(),
        }
    }

    /// Returns the next event of a watch, diagnostics left out; `None` at the end of the program.
    #[track_caller]
    pub(super) fn next(&mut self) -> Option<Value> {
        loop {
            let event = match self.events.recv_timeout(GENEROUS) {
                Ok(event) => event,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("nothing happens any more after {:#?}", self.tail())
                }
            };
            self.log.push(event.clone());
            if matches!(event["event"].as_str(), Some("written" | "failed")) {
                self.rebuilds += 1;
            }
            if event["type"] == "watch" {
                return Some(event);
            }
        }
    }

    /// Waits for an event of this name.
    #[track_caller]
    pub(super) fn wait_for(&mut self, name: &str) -> Value {
        loop {
            let event = self.next();
            let event = event.unwrap_or_else(|| panic!("it ended before `{name}`"));
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Waits until all is in place to notice the next change.
    #[track_caller]
    pub(super) fn ready(&mut self) {
        self.wait_for("ready");
    }

    /// Waits until the tree is what a fresh render of the same input makes.
    #[track_caller]
    pub(super) fn catches_up(&mut self, sandbox: &Sandbox) {
        let expected = fresh(sandbox);
        loop {
            self.ready();
            if tree(&sandbox.path("out"), sandbox) == expected {
                return;
            }
        }
    }

    /// Returns the last events, for a message.
    fn tail(&self) -> &[Value] {
        &self.log[self.log.len().saturating_sub(8)..]
    }

    /// Sends a signal by its name.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end and returns the exit code.
    pub(super) fn end(mut self) -> Option<i32> {
        while self.next().is_some() {}
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Renders the same input into another folder.
#[track_caller]
fn fresh(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let other = Sandbox::new();
    copy(&sandbox.path(""), &other.path(""));
    other.kiln(&["render"]).success();
    tree(&other.path("out"), &other)
}

/// Copies a project without its output.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if name == "out" || name == ".git" {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else if kind.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Reads an output folder: sealed files as their plain text, `kiln.lock` as the paths that it lists.
fn tree(folder: &Path, sandbox: &Sandbox) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    if found.len() == 1 {
        // A list of nothing, where a fresh render makes none.
        found.remove("kiln.lock");
    }
    let key = sandbox.read("age.key");
    let (keyring, _) = Keyring::parse(&[("age.key".to_owned(), Secret::new(key))]);
    for (path, text) in &mut found {
        if path == "kiln.lock" {
            let paths = text.lines().map(|line| line.split('=').next().unwrap());
            *text = paths.collect::<Vec<_>>().join("\n");
        } else if path.ends_with(".sops.yaml") && seal::is_sealed(text) {
            let source: Arc<Source> = Source::new(path.clone(), text.clone());
            *text = format!("sealed {}", seal::decrypt(&source, &keyring).unwrap());
        }
    }
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            found.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}
