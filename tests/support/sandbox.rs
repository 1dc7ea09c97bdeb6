//! A folder of its own for a test, in which nothing of the machine is seen.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use regex::Regex;
use tempfile::TempDir;

/// A temporary folder in which the real binary runs with an empty environment.
///
/// `home` is `$HOME`; tests work in `work`. Output shows the folder as `[WORK]`.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// What a run printed and how it ended.
#[must_use = "snapshot the output or assert the exit code"]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// The data.
    pub(crate) stdout: String,
    /// The talk.
    pub(crate) stderr: String,
}

impl Sandbox {
    /// Makes an empty sandbox.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    /// Makes a sandbox with these files in it.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    /// Returns the full path of a file in the work folder; `""` is the folder itself.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("work").join(path)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a text file.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Lists all files below the work folder, sorted, `.git` left out.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let root = self.path("");
        collect(&root, &root, &mut found);
        found.sort();
        found
    }

    /// Returns the command of the real binary, in the work folder, with an empty environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        command
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .current_dir(self.path(""))
            .stdin(Stdio::null());
        command
    }

    /// Runs the real binary.
    pub(crate) fn kiln(&self, arguments: &[&str]) -> Run {
        self.finish(&self.command().args(arguments).output().unwrap())
    }

    /// Runs the real binary with a few variables set.
    pub(crate) fn kiln_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
        let mut command = self.command();
        command.envs(variables.iter().copied()).args(arguments);
        self.finish(&command.output().unwrap())
    }

    /// Runs the real binary for each line of arguments, and writes down each command with what it printed.
    pub(crate) fn transcript(&self, commands: &[&str]) -> String {
        let told = commands.iter().map(|command| {
            let arguments: Vec<&str> = command.split(' ').collect();
            format!("$ kiln {command}\n{}", self.kiln(&arguments))
        });
        told.collect()
    }

    /// Reads what a command printed, with the sandbox's path taken out.
    pub(crate) fn finish(&self, output: &Output) -> Run {
        let root = self.folder.path().canonicalize().unwrap().join("work");
        let work = self.path("");
        let scrub = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let text = text.replace(work.to_str().unwrap().trim_end_matches('/'), "[WORK]");
            text.replace(root.to_str().unwrap(), "[WORK]")
        };
        Run {
            code: output.status.code(),
            stdout: scrub(&output.stdout),
            stderr: scrub(&output.stderr),
        }
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_type().unwrap().is_dir() {
            let path = entry.path();
            found.push(
                path.strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        } else if entry.file_name() != ".git" {
            collect(root, &entry.path(), found);
        }
    }
}

impl Run {
    /// Expects exit code 0 and returns what went to stdout.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.stdout
    }

    /// The form for snapshots, with times and the names of commits taken out.
    pub(crate) fn steady(&self) -> String {
        let time = Regex::new(r" in \d+ ms").unwrap();
        let commit = Regex::new(r"\([0-9a-f]{7}\)").unwrap();
        let text = self.to_string();
        let text = time.replace_all(&text, " in [N] ms");
        commit.replace_all(&text, "([COMMIT])").into_owned()
    }

    /// The first line of each error and warning, in order.
    pub(crate) fn headlines(&self) -> Vec<&str> {
        self.lines_that_start(&["error", "warning"])
    }

    /// The lines of stderr that start with one of some texts, in order: `  = help` for the hints, ` --> ` for the places.
    pub(crate) fn lines_that_start(&self, starts: &[&str]) -> Vec<&str> {
        let lines = self.stderr.lines();
        lines
            .filter(|line| starts.iter().any(|start| line.starts_with(start)))
            .collect()
    }

    /// The severity and code of each error and warning, in order: `error[key-tracked]`.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let lines = self.headlines().into_iter();
        lines
            .map(|line| line.split_inclusive(']').next().unwrap_or(line))
            .collect()
    }
}

/// The form for snapshots: exit code, then each stream that is not empty.
impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(formatter, "exit code {code}")?,
            None => writeln!(formatter, "killed")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(formatter, "--- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}
