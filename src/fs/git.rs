//! Revisions of a git repository, through the `git` command and without a checkout.

mod command;

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
    /// The one branch that is here is the one to be compared.
    #[error(
        "nothing tells which branch to compare with: of `origin`, this clone has only `{branch}` itself"
    )]
    OwnBranch {
        /// The branch, as it is called at its origin.
        branch: String,
        /// Whether only a part of its history is here.
        shallow: bool,
    },
    /// The folder looks like a bare repository that nobody named.
    #[error(
        "`{folder}` is in a folder that looks like a bare git repository, which Kiln does not use"
    )]
    Bare {
        /// The folder.
        folder: String,
        /// What git said.
        said: String,
    },
    /// A program of the repository's settings would have a say in what is staged.
    #[error(
        "`{path}` is not staged: git would run the filter `{filter}` on it, and Kiln runs no program that a repository names"
    )]
    Filtered {
        /// The file, as the project names it.
        path: String,
        /// The filter, as attributes name it.
        filter: String,
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
        let mut repository = Self::around(folder);
        let output = repository.must(&["rev-parse", "--show-prefix"])?;
        repository.prefix = text(&output);
        Ok(repository)
    }

    /// Takes the repository that a folder is in, if it is in one, without asking how deep.
    ///
    /// A command that asks for no more says by itself where there is none, and a process less is started.
    fn around(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            prefix: String::new(),
        }
    }

    /// Returns the root of the repository's files, absolute and without symlinks.
    ///
    /// # Errors
    /// The folder is gone.
    pub fn root(&self) -> io::Result<PathBuf> {
        let mut root = std::fs::canonicalize(&self.folder)?;
        for _ in self.prefix.split('/').filter(|step| !step.is_empty()) {
            root.pop();
        }
        Ok(root)
    }

    /// Returns whether git is told not to look at the folder.
    pub fn ignores_folder(&self) -> bool {
        !self.prefix.is_empty() && self.ignores(".") == Some(true)
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
        let wanted = [
            "rev-list",
            "--max-count=1",
            "--timestamp",
            "HEAD",
            "--",
            path,
        ];
        let text = text(&self.must(&wanted)?);
        Ok(text
            .split_once(' ')
            .and_then(|(time, commit)| Some((commit.to_owned(), time.parse().ok()?))))
    }

    /// Finds the branch that others start from: the one that `origin` calls its default, then the usual
    /// names there and here, then the branch that this one follows.
    ///
    /// That is never the branch at hand under its name at the origin, which would be compared with itself; unless it
    /// has one of the usual names and nothing is missing in this clone, as then it is known to be the default.
    ///
    /// # Errors
    /// When nothing tells, or when nothing but the branch itself is here.
    pub fn default_branch(&self) -> Result<String, GitError> {
        const USUAL: [&str; 4] = ["origin/main", "origin/master", "main", "master"];
        const HEAD: &str = "origin/HEAD";
        const UPSTREAM: &str = "@{upstream}";
        let partial = self.is_shallow() || self.is_of_one_branch();
        let mut own = None;
        for name in [HEAD].into_iter().chain(USUAL).chain([UPSTREAM]) {
            if self.commit(name).is_err() {
                continue;
            }
            let spelled_out = self.spelled_out(name);
            if !self.is_own(&spelled_out, partial) || (!partial && USUAL.contains(&name)) {
                return Ok(spelled_out);
            }
            own.get_or_insert(spelled_out);
        }
        Err(match own {
            Some(branch) => GitError::OwnBranch {
                branch,
                shallow: self.is_shallow(),
            },
            None => GitError::NoDefault {
                tried: [HEAD]
                    .into_iter()
                    .chain(USUAL)
                    .chain([UPSTREAM])
                    .map(str::to_owned)
                    .collect(),
            },
        })
    }

    /// Returns whether a branch is the one at hand, here or at its origin; where no branch is at hand, in a clone
    /// that has but a part, whether it is the commit at hand.
    fn is_own(&self, branch: &str, partial: bool) -> bool {
        let output = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
        match output.ok().filter(|output| output.status.success()) {
            Some(output) => {
                let own = text(&output);
                let upstream = self.spelled_out("@{upstream}");
                branch == own || branch.strip_prefix("origin/") == Some(&own) || branch == upstream
            }
            None => partial && self.commit(branch).ok() == self.commit("HEAD").ok(),
        }
    }

    /// Returns whether `origin` is asked for single branches and not for all.
    fn is_of_one_branch(&self) -> bool {
        let output = self.run(&["config", "--get-all", "remote.origin.fetch"]);
        let wanted = output.map(|output| text(&output)).unwrap_or_default();
        !wanted.is_empty() && !wanted.lines().any(|line| line.contains("refs/heads/*"))
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
        let mut command = self.command(&["cat-file", "blob", &format!(":./{path}")]);
        self.with_index(&mut command, index)?;
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|cause| GitError::Missing { cause })?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// Stages files of the folder as they are on disk, those that are gone as removed; all but what git
    /// is told not to look at.
    ///
    /// Line ends are converted as the repository's attributes and settings say, which runs no program. `index` is
    /// the index of the commit that a hook runs for, as git names it in `GIT_INDEX_FILE`.
    ///
    /// # Errors
    /// Also when git would run a filter on one of them: without the filter, what the user wants encrypted or
    /// kept elsewhere would be committed as it is.
    pub fn stage(&self, paths: &BTreeSet<String>, index: Option<&str>) -> Result<(), GitError> {
        let ignored = self.command(&["check-ignore", "-z", "--stdin"]);
        let ignored = feed(ignored, paths.iter())?;
        let ignored = String::from_utf8_lossy(&ignored.stdout).into_owned();
        let ignored: BTreeSet<&str> = ignored.split('\0').collect();
        let kept = || paths.iter().filter(|path| !ignored.contains(path.as_str()));
        self.refuse_filters(kept())?;
        let arguments = ["update-index", "-z", "--add", "--remove", "--stdin"];
        let mut command = self.command(&arguments);
        self.with_index(&mut command, index)?;
        let output = feed(command, kept())?;
        if output.status.success() {
            return Ok(());
        }
        Err(GitError::Failed {
            command: arguments.join(" "),
            said: said(&output),
        })
    }

    /// Refuses files for which attributes name a filter that is set up.
    fn refuse_filters<'p>(&self, paths: impl Iterator<Item = &'p String>) -> Result<(), GitError> {
        let asked = ["config", "-z", "--name-only", "--get-regexp", "^filter[.]"];
        let output = self.run(&asked)?;
        let known = String::from_utf8_lossy(&output.stdout).into_owned();
        let known: BTreeSet<&str> = known.split('\0').collect();
        if known.iter().all(|name| name.is_empty()) {
            return Ok(());
        }
        let output = feed(
            self.command(&["check-attr", "-z", "--stdin", "filter"]),
            paths,
        )?;
        if !output.status.success() {
            return Err(GitError::Failed {
                command: "check-attr filter".to_owned(),
                said: said(&output),
            });
        }
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let told: Vec<&str> = told.split('\0').collect();
        let runs = |filter: &str| {
            let keys = ["clean", "process"].map(|key| format!("filter.{filter}.{key}"));
            keys.iter().any(|key| known.contains(key.as_str()))
        };
        let mut filtered = told.chunks_exact(3).filter(|entry| runs(entry[2]));
        match filtered.next() {
            None => Ok(()),
            Some(entry) => Err(GitError::Filtered {
                path: entry[0].to_owned(),
                filter: entry[2].to_owned(),
            }),
        }
    }

    /// Lets a command use an index that is named relative to the root of the worktree.
    fn with_index(&self, command: &mut Command, index: Option<&str>) -> Result<(), GitError> {
        if let Some(index) = index {
            let root = self.must(&["rev-parse", "--show-toplevel"])?;
            command.env("GIT_INDEX_FILE", Path::new(&text(&root)).join(index));
        }
        Ok(())
    }

    /// Lists the submodules in the folder, as they are staged.
    pub fn submodules(&self) -> Result<Vec<String>, GitError> {
        let output = self.must(&["ls-files", "--stage", "-z"])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let modules = text.split('\0').filter(|line| line.starts_with("160000 "));
        let paths = modules.filter_map(|line| Some(line.split_once('\t')?.1.to_owned()));
        Ok(paths.collect())
    }

    /// Finds files of a folder that git has, or would take with the next `git add`, by pathspecs from the folder. Each
    /// comes with whether git tracks it; what git ignores is not among them.
    ///
    /// # Errors
    /// As those of [`Repository::of`].
    pub fn committable(
        folder: &Path,
        pathspecs: &[String],
    ) -> Result<Vec<(bool, String)>, GitError> {
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
        let output = Self::around(folder).must(&arguments)?;
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

    /// Lists the files of a folder that git is told not to look at, a folder of such files once, with a slash at its
    /// end.
    ///
    /// # Errors
    /// As those of [`Repository::of`].
    pub(super) fn ignored_files(folder: &Path) -> Result<BTreeSet<String>, GitError> {
        let output = Self::around(folder).must(&[
            "ls-files",
            "-z",
            "--others",
            "--ignored",
            "--exclude-standard",
            "--directory",
        ])?;
        let found = String::from_utf8_lossy(&output.stdout);
        let paths = found.split('\0').filter(|path| !path.is_empty());
        Ok(paths.map(str::to_owned).collect())
    }

    /// Returns whether git is told not to look at a file of the folder; `None` where git cannot tell.
    pub(super) fn ignores(&self, path: &str) -> Option<bool> {
        let output = self.run(&["check-ignore", "--quiet", "--", path]);
        match output.ok()?.status.code()? {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        }
    }

    /// Returns the folder, and what it is called from the root of the repository, with a slash at the
    /// end unless it is the root.
    pub(super) fn place(&self) -> (&Path, &str) {
        (&self.folder, &self.prefix)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        command::git(&self.folder, arguments)
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
        let said = said(&output);
        let folder = self.folder.display().to_string();
        Err(if said.contains("safe.bareRepository") {
            GitError::Bare { folder, said }
        } else if said.contains("not a git repository") {
            GitError::NoRepository { folder, said }
        } else {
            let words = arguments.iter().take_while(|word| **word != "--");
            GitError::Failed {
                command: words.copied().collect::<Vec<&str>>().join(" "),
                said,
            }
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
