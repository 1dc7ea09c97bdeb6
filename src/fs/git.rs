//! Revisions of a git repository, through the `git` command and without a checkout.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::revision::Revision;

/// Why git did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` to run.
    #[error("cannot run `git`: {cause}")]
    Missing {
        /// What the system said.
        cause: io::Error,
    },
    /// The folder is in no repository.
    #[error("`{folder}` is in no git repository")]
    NoRepository {
        /// The folder.
        folder: String,
        /// What git said.
        said: String,
    },
    /// There is no such revision here.
    #[error("there is no revision `{revision}` in this repository")]
    Unknown {
        /// The revision as it was named.
        revision: String,
        /// Whether the clone is shallow, so that it may exist elsewhere.
        shallow: bool,
    },
    /// Two revisions have no common ancestor here.
    #[error("`HEAD` and `{revision}` have no common commit in this clone")]
    NoMergeBase {
        /// The other revision.
        revision: String,
        /// Whether the clone is shallow, so that there may be one elsewhere.
        shallow: bool,
    },
    /// Nothing tells which branch this one goes to.
    #[error("nothing tells which branch to compare with: there is no `{}`", tried.join("`, no `"))]
    NoDefault {
        /// What was looked for.
        tried: Vec<String>,
    },
    /// Something else went wrong.
    #[error("`git {command}` failed: {said}")]
    Failed {
        /// The command.
        command: String,
        /// What git said.
        said: String,
    },
}

/// The repository that a folder is in.
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
    prefix: String,
}

impl Repository {
    /// Finds the repository that a folder is in: also in a worktree of it, or in a bare one's.
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let mut repository = Self {
            folder: folder.to_owned(),
            prefix: String::new(),
        };
        let output = repository.run(&["rev-parse", "--show-prefix"])?;
        if !output.status.success() {
            let said = said(&output);
            return Err(if said.contains("not a git repository") {
                GitError::NoRepository {
                    folder: folder.display().to_string(),
                    said,
                }
            } else {
                GitError::Failed {
                    command: "rev-parse --show-prefix".to_owned(),
                    said,
                }
            });
        }
        repository.prefix = text(&output);
        Ok(repository)
    }

    /// Returns the commit that a revision names.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        let unknown = || GitError::Unknown {
            revision: revision.to_owned(),
            shallow: self.is_shallow(),
        };
        if revision.is_empty() || revision.starts_with('-') {
            return Err(unknown());
        }
        let wanted = format!("{revision}^{{commit}}");
        let output = self.run(&["rev-parse", "--verify", "--quiet", &wanted])?;
        // A commit that lies beyond the edge of a shallow clone has a name and no object.
        if output.status.success()
            && self
                .run(&["cat-file", "-e", &text(&output)])?
                .status
                .success()
        {
            Ok(text(&output))
        } else {
            Err(unknown())
        }
    }

    /// Returns the last commit that `HEAD` and a revision have in common.
    pub fn merge_base(&self, revision: &str) -> Result<String, GitError> {
        let commit = self.commit(revision)?;
        let output = self.run(&["merge-base", "HEAD", &commit])?;
        if output.status.success() {
            return Ok(text(&output));
        }
        Err(GitError::NoMergeBase {
            revision: revision.to_owned(),
            shallow: self.is_shallow(),
        })
    }

    /// Returns the last commit that changed a file of the folder, and when that was made, in seconds since
    /// 1970; `None` where history has no such file.
    pub fn last_change(&self, path: &str) -> Result<Option<(String, u64)>, GitError> {
        let output = self.must(&["log", "-1", "--format=%H %ct", "HEAD", "--", path])?;
        let text = text(&output);
        Ok(text
            .split_once(' ')
            .and_then(|(commit, time)| Some((commit.to_owned(), time.parse().ok()?))))
    }

    /// Finds the branch that others start from: the one that `origin` calls its default, then the usual
    /// names there and here, then the branch that this one follows.
    pub fn default_branch(&self) -> Result<String, GitError> {
        const USUAL: [&str; 6] = [
            "origin/HEAD",
            "origin/main",
            "origin/master",
            "main",
            "master",
            "@{upstream}",
        ];
        for name in USUAL {
            if self.commit(name).is_ok() {
                return Ok(self.spelled_out(name));
            }
        }
        Err(GitError::NoDefault {
            tried: USUAL.map(str::to_owned).to_vec(),
        })
    }

    /// Names the branch behind a symbolic name: `origin/main` for `origin/HEAD`.
    fn spelled_out(&self, name: &str) -> String {
        let output = self.run(&["rev-parse", "--abbrev-ref", name]);
        let named = output.ok().filter(|output| output.status.success());
        let named = named.map(|output| text(&output));
        named
            .filter(|named| !named.is_empty())
            .unwrap_or_else(|| name.to_owned())
    }

    /// Returns the first letters of a commit's name, as many as make it unique.
    pub fn short(&self, commit: &str) -> String {
        let output = self.run(&["rev-parse", "--short", commit]);
        let short = output.ok().filter(|output| output.status.success());
        short.map_or_else(|| commit.to_owned(), |output| text(&output))
    }

    /// Returns whether only a part of the history is here.
    pub fn is_shallow(&self) -> bool {
        let output = self.run(&["rev-parse", "--is-shallow-repository"]);
        output.is_ok_and(|output| text(&output) == "true")
    }

    /// Returns a file of the folder as it is staged, if it is.
    pub fn staged(&self, path: &str, index: Option<&str>) -> Result<Option<Vec<u8>>, GitError> {
        let mut command = self.command(&["show", &format!(":./{path}")]);
        self.with_index(&mut command, index)?;
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|cause| GitError::Missing { cause })?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// Stages files of the folder as they are on disk, those that are gone as removed; all but what git
    /// is told not to look at.
    ///
    /// `index` is the index of the commit that a hook runs for, as git names it in `GIT_INDEX_FILE`.
    pub fn stage(&self, paths: &BTreeSet<String>, index: Option<&str>) -> Result<(), GitError> {
        let ignored = self.command(&["check-ignore", "-z", "--stdin"]);
        let ignored = feed(ignored, paths.iter())?;
        let ignored = String::from_utf8_lossy(&ignored.stdout).into_owned();
        let ignored: BTreeSet<&str> = ignored.split('\0').collect();
        let arguments = ["update-index", "-z", "--add", "--remove", "--stdin"];
        let mut command = self.command(&arguments);
        self.with_index(&mut command, index)?;
        let kept = paths.iter().filter(|path| !ignored.contains(path.as_str()));
        let output = feed(command, kept)?;
        if output.status.success() {
            return Ok(());
        }
        Err(GitError::Failed {
            command: arguments.join(" "),
            said: said(&output),
        })
    }

    /// Lets a command use an index that is named relative to the root of the worktree.
    fn with_index(&self, command: &mut Command, index: Option<&str>) -> Result<(), GitError> {
        if let Some(index) = index {
            let root = self.must(&["rev-parse", "--show-toplevel"])?;
            command.env("GIT_INDEX_FILE", Path::new(&text(&root)).join(index));
        }
        Ok(())
    }

    /// Finds files that git has, or would take with the next `git add`, by pathspecs from the folder. Each comes
    /// with whether git tracks it; what git ignores is not among them.
    pub fn committable(&self, pathspecs: &[String]) -> Result<Vec<(bool, String)>, GitError> {
        let fixed = [
            "ls-files",
            "-z",
            "-t",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
        ];
        let all = fixed
            .into_iter()
            .chain(pathspecs.iter().map(String::as_str));
        let arguments: Vec<&str> = all.collect();
        let output = self.must(&arguments)?;
        let found = String::from_utf8_lossy(&output.stdout);
        let entry = |entry: &str| {
            let (tag, path) = entry.split_once(' ')?;
            Some((tag != "?", path.to_owned()))
        };
        Ok(found.split('\0').filter_map(entry).collect())
    }

    /// Opens the folder as it is in a commit.
    pub fn revision(&self, commit: &str) -> Result<Revision, GitError> {
        Revision::open(self, commit)
    }

    /// Returns whether git is told not to look at a file of the folder.
    pub(super) fn ignores(&self, path: &str) -> bool {
        let output = self.run(&["check-ignore", "--quiet", "--", path]);
        output.is_ok_and(|output| output.status.success())
    }

    /// Returns the folder, and what it is called from the root of the repository, with a slash at the
    /// end unless it is the root.
    pub(super) fn place(&self) -> (&Path, &str) {
        (&self.folder, &self.prefix)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // What git says is read here: it must be said in the words that are known.
        command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        // Hooks get these, relative to the root of the worktree; the folder finds its repository itself.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        command.arg("-C").arg(&self.folder).args(arguments);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Result<Output, GitError> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        command
            .output()
            .map_err(|cause| GitError::Missing { cause })
    }

    /// Runs a command that has to succeed.
    pub(super) fn must(&self, arguments: &[&str]) -> Result<Output, GitError> {
        let output = self.run(arguments)?;
        if output.status.success() {
            return Ok(output);
        }
        Err(GitError::Failed {
            command: arguments.join(" "),
            said: said(&output),
        })
    }
}

/// Runs a command with paths on its standard input, each ended by a zero byte.
fn feed<'p>(
    mut command: Command,
    paths: impl Iterator<Item = &'p String>,
) -> Result<Output, GitError> {
    let text: String = paths.flat_map(|path| [path.as_str(), "\0"]).collect();
    let missing = |cause| GitError::Missing { cause };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    let input = child.stdin.take();
    std::thread::scope(|scope| {
        // Git answers while it reads. One that stops reading says why by itself.
        scope.spawn(move || input.map(|mut input| drop(input.write_all(text.as_bytes()))));
        child.wait_with_output().map_err(missing)
    })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
