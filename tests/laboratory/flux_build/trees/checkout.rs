//! A repository of other people, as its commit has it, in a sandbox.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::Sandbox;

/// The files of `HEAD`, in the folder `tree` of a sandbox.
pub(super) struct Checkout {
    pub(super) sandbox: Sandbox,
    /// `OWNER/NAME`.
    pub(super) name: String,
    pub(super) commit: String,
    /// The day of the commit.
    pub(super) date: String,
}

/// A repository on this machine, with a work tree or without.
pub(super) struct Repository {
    folder: PathBuf,
}

impl Repository {
    pub(super) fn open(folder: &str) -> Self {
        let folder = Path::new(folder).canonicalize();
        let folder = folder.unwrap_or_else(|error| panic!("{error}: no such repository"));
        Self { folder }
    }

    /// Tells whether its last commit has a file or folder.
    pub(super) fn has(&self, path: &str) -> bool {
        let mut command = self.git(&["cat-file", "-e", &format!("HEAD:{path}")]);
        command.stderr(Stdio::null()).status().unwrap().success()
    }

    /// Takes out a folder, `.` for all; what is not committed stays behind.
    ///
    /// Pictures and the like may be missing in a partial clone.
    pub(super) fn take_out(&self, folder: &str) -> Checkout {
        let checkout = self.checkout();
        let mut command = self.git(&["archive", "HEAD", folder]);
        for path in self.missing_files() {
            let is_read = [".yaml", ".yml", ".json"]
                .iter()
                .any(|end| path.ends_with(end));
            assert!(!is_read, "{}: there is no {path}", checkout.name);
            command.arg(format!(":(exclude){path}"));
        }
        let output = command.output().unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {problem}", checkout.name);
        let tree = checkout.sandbox.path("tree");
        tar::Archive::new(&output.stdout[..]).unpack(&tree).unwrap();
        let mut command = Command::new("git");
        command.args(["init", "--quiet"]).current_dir(tree);
        assert!(command.status().unwrap().success());
        checkout
    }

    fn missing_files(&self) -> Vec<String> {
        let objects = self.ask(&["rev-list", "--objects", "--missing=print", "-1", "HEAD"]);
        let missing: BTreeSet<&str> = objects
            .lines()
            .filter_map(|line| line.strip_prefix('?'))
            .collect();
        let files = self.ask(&["ls-tree", "-r", "HEAD"]);
        let paths = files.lines().filter_map(|line| {
            let (object, path) = line.split_once('\t')?;
            let object = object.rsplit(' ').next()?;
            missing.contains(object).then(|| path.to_owned())
        });
        paths.collect()
    }

    fn checkout(&self) -> Checkout {
        Checkout {
            sandbox: Sandbox::new(),
            name: self.name(),
            commit: self.ask(&["rev-parse", "--short=12", "HEAD"]),
            date: self.ask(&["log", "-1", "--format=%cs"]),
        }
    }

    /// `OWNER/NAME` of where it is from, or of a folder `OWNER+NAME`.
    fn name(&self) -> String {
        let path = self.folder.to_str().unwrap();
        if let Some(folder) = path.rsplit('/').find(|part| part.contains('+')) {
            return folder.replacen('+', "/", 1);
        }
        let url = self.ask(&["config", "remote.origin.url"]);
        let mut parts = url.trim_end_matches(".git").rsplit(['/', ':']);
        let name = parts.next().unwrap().to_owned();
        match parts.next() {
            Some(owner) => format!("{owner}/{name}"),
            None => name,
        }
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.folder).args(arguments);
        command
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.git(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
