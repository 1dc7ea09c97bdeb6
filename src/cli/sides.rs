//! The sides of a comparison: where they come from, and how they get into memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::CommandError;
use super::session::Session;
use super::settings::Settings;
use crate::diff::{Side, Text, Written};
use crate::fs::{self, Disk, GitError, Repository, Revision};
use crate::pipeline::{self, Keys, Opened, World};
use crate::source::{Files, ReadError, Source};
use crate::tree::is_secret_path;
use crate::write::{self, Digest, KILN, LOCK_FILE};

/// Where a side comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The project as it is on disk, compiled.
    Project,
    /// The project with these data files instead of its own, compiled.
    Config(Vec<PathBuf>),
    /// A commit, compiled.
    Commit {
        /// The commit's full name.
        commit: String,
        /// What it is, for people.
        label: String,
    },
    /// The output folder as it is on disk.
    Output,
    /// Another folder with rendered files.
    Folder(PathBuf),
}

/// Loads both sides at once.
///
/// With [`Keys::MadeUp`], no key and no variable of the environment is read: a stand-in is as good, since both sides get
/// the same, and neither side may be trusted.
pub fn load(
    session: &Session,
    settings: &Settings,
    keys: Keys,
    before: &Origin,
    after: &Origin,
) -> Result<(Side, Side), CommandError> {
    let loader = Loader {
        session,
        settings,
        keys,
    };
    let (before, after) = rayon::join(|| loader.side(before), || loader.side(after));
    Ok((before?, after?))
}

impl Origin {
    /// Returns whether the side is compiled.
    pub fn is_compiled(&self) -> bool {
        matches!(self, Self::Project | Self::Config(_) | Self::Commit { .. })
    }

    /// Names the side for people.
    pub fn label(&self) -> String {
        let list = |paths: &[PathBuf]| {
            let names: Vec<String> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            names.join(", ")
        };
        match self {
            Self::Project => "the working tree".to_owned(),
            Self::Config(paths) => format!("the working tree with {}", list(paths)),
            Self::Commit { label, .. } => label.clone(),
            Self::Output => "the rendered files on disk".to_owned(),
            Self::Folder(path) => path.display().to_string(),
        }
    }
}

struct Loader<'l> {
    session: &'l Session,
    settings: &'l Settings,
    keys: Keys,
}

impl Loader<'_> {
    fn side(&self, origin: &Origin) -> Result<Side, CommandError> {
        let session = self.session;
        let label = origin.label();
        match origin {
            Origin::Project => self.compiled(&session.disk, None, label),
            Origin::Config(paths) => {
                let (files, data) = with_config(&session.disk, self.settings, paths)?;
                self.compiled(&files, Some(&data), label)
            }
            Origin::Commit { commit, .. } => {
                let open = || Repository::of(&session.root)?.revision(commit);
                let revision = open().map_err(|error| git_error(&error))?;
                has_project(&revision, &label)?;
                self.compiled(&revision, None, label)
            }
            Origin::Output => {
                let output = session.layout()?.output;
                let (side, remade) = rayon::join(
                    || folder(session, self.keys, &session.disk, &output, label),
                    || self.remade(&output),
                );
                let (side, written) = side?;
                Ok(side.with_written(Written {
                    remade: remade.map(Box::new),
                    ..written
                }))
            }
            Origin::Folder(path) => {
                let disk = Disk::open(&self.settings.directory.join(path))?;
                let (side, written) = folder(session, self.keys, &disk, ".", label)?;
                Ok(side.with_written(written))
            }
        }
    }

    fn compiled(
        &self,
        files: &dyn Files,
        data: Option<&[String]>,
        label: String,
    ) -> Result<Side, CommandError> {
        let world = self.session.world_of(files).with_keys(self.keys);
        compiled(&world, data, label)
    }

    /// Compiles the inputs from which the files of the output folder were made, if these are known: those
    /// of the commit that brought `kiln.lock` as it is, as far as nothing else was read that may have
    /// changed since.
    fn remade(&self, output: &str) -> Option<Side> {
        let session = self.session;
        let lock = format!("{output}/{LOCK_FILE}");
        let repository = Repository::of(&session.root).ok()?;
        let (commit, committed) = repository.last_change(&lock).ok()??;
        let revision = repository.revision(&commit).ok()?;
        if revision.read(&lock).ok()? != session.disk.peek(&lock).ok()? {
            return None;
        }
        let asked = AtomicBool::new(false);
        let env = |name: &str| {
            asked.store(true, Ordering::Relaxed);
            session.variable(name)
        };
        let world = session.world_in(&revision, &env).with_keys(self.keys);
        let side = compiled(&world, None, commit).ok()?;
        let time = session.disk.modified(&lock)?.min(committed);
        let known = !asked.load(Ordering::Relaxed) && revision.is_as_of(time);
        known.then_some(side)
    }
}

fn compiled(
    world: &World<'_>,
    data: Option<&[String]>,
    label: String,
) -> Result<Side, CommandError> {
    let draft = pipeline::draft(world, data)
        .map_err(|failure| CommandError::from(failure).in_side(&label))?;
    let side = Side::of_tree(label, &draft.tree, &draft.unseen).with_written(Written {
        kiln: Some(KILN.to_owned()),
        ..Written::default()
    });
    let side = side.with_config(draft.values).with_secrets(draft.secrets);
    Ok(side.with_stand_ins(draft.stand_ins))
}

/// A revision from before the project has nothing to compile, which is another thing than a mistake.
fn has_project(revision: &Revision, label: &str) -> Result<(), CommandError> {
    if revision.read(super::session::PROJECT_FILE)?.is_some() {
        return Ok(());
    }
    Err(
        CommandError::failed(format!("{label} has no `kiln.toml` in this folder")).hint(
            "compare with a later revision (`--base REV`), or with what is on disk (`--disk`)",
        ),
    )
}

/// Reads the files of an output folder: those that its `kiln.lock` lists, or else all that are there; and
/// what the list says of them.
fn folder(
    session: &Session,
    keys: Keys,
    disk: &Disk,
    path: &str,
    label: String,
) -> Result<(Side, Written), CommandError> {
    let folder = disk.folder(path)?;
    if !folder.exists() {
        let message = format!("there is no folder `{}`", folder.shown(""));
        return Err(CommandError::failed(message).hint("`kiln render` makes it"));
    }
    let list = write::list(&folder).map_err(CommandError::Unanswered)?;
    let paths = match &list {
        Some(list) => list.outputs.keys().cloned().collect(),
        None if same_place(session, disk, path) => {
            return Err(CommandError::failed(
                "nothing was rendered here yet: there is no `kiln.lock`",
            )
            .hint("run `kiln render`, or name another side with `--base REV`"));
        }
        None => listed(disk, path)?,
    };
    let list = list.unwrap_or_default();
    let mut written = Written::default();
    let mut sources = Vec::new();
    for name in paths {
        // What is listed and gone counts as removed.
        let Some(bytes) = disk.peek(&format!("{path}/{name}"))? else {
            written.edited.insert(name);
            continue;
        };
        let listed = list.outputs.get(&name);
        if listed.is_some_and(|digest| *digest != Digest::of(&bytes)) {
            written.edited.insert(name.clone());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let is_secret = is_secret_path(&name);
        sources.push(Source::of(name, text.into(), is_secret));
    }
    let opened = pipeline::opened(&session.world().with_keys(keys), &sources);
    let opened = opened.map_err(|failure| CommandError::from(failure).unanswered())?;
    let text = |source: &Arc<Source>, opened| match opened {
        Opened::Plain => Text::Open(source.text.to_string()),
        Opened::Secret(text) => Text::Opened(text),
        Opened::Sealed => Text::Sealed(source.text.to_string()),
    };
    let texts: BTreeMap<String, Text> = sources
        .iter()
        .zip(opened)
        .map(|(source, opened)| (source.path.clone(), text(source, opened)))
        .collect();
    let label = match &list.kiln {
        Some(kiln) if kiln != KILN => format!("{label} (by Kiln {kiln})"),
        _ => label,
    };
    written.kiln = list.kiln;
    let side = Side::of_texts(label, texts).map_err(CommandError::Unanswered)?;
    Ok((side, written))
}

fn same_place(session: &Session, disk: &Disk, path: &str) -> bool {
    disk.root() == session.disk.root()
        && path
            == session
                .layout()
                .map_or_else(|_| String::new(), |layout| layout.output)
}

fn listed(disk: &Disk, path: &str) -> Result<Vec<String>, CommandError> {
    let files = disk.list(path)?;
    let own = |name: &String| name != LOCK_FILE;
    Ok(files.into_iter().filter(own).collect())
}

/// The project's files, with a few more from elsewhere.
struct Overlay<'f> {
    files: &'f dyn Files,
    more: BTreeMap<String, Vec<u8>>,
}

impl Files for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        match self.more.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.files.read(path),
        }
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        if self.more.contains_key(path) {
            return Ok(path.to_owned());
        }
        self.files.real_path(path)
    }

    fn read_secret(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.files.read_secret(path)
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.files.is_ignored(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        self.files.list(folder)
    }
}

fn with_config<'f>(
    disk: &'f Disk,
    settings: &Settings,
    paths: &[PathBuf],
) -> Result<(Overlay<'f>, Vec<String>), CommandError> {
    let mut more = BTreeMap::new();
    let mut names = Vec::new();
    for path in paths {
        let full = settings.directory.join(path);
        let shown = path.display().to_string();
        let Some(bytes) = fs::read_anywhere(&full)? else {
            return Err(CommandError::failed(format!("there is no file `{shown}`")));
        };
        more.insert(shown.clone(), bytes);
        names.push(shown);
    }
    Ok((Overlay { files: disk, more }, names))
}

/// Finds the commit of a revision that the user named.
pub fn revision(root: &Path, name: &str) -> Result<Origin, CommandError> {
    let find = || -> Result<Origin, GitError> {
        let repository = Repository::of(root)?;
        let commit = repository.commit(name)?;
        let label = named(name, &repository.short(&commit));
        Ok(Origin::Commit { commit, label })
    };
    find().map_err(|error| git_error(&error))
}

fn named(name: &str, short: &str) -> String {
    if name.starts_with(short) {
        short.to_owned()
    } else {
        format!("{name} ({short})")
    }
}

/// Finds where this branch left the one that it goes to: named by the environment of a merge request, or
/// the default branch.
pub fn merge_base(root: &Path, settings: &Settings) -> Result<Origin, CommandError> {
    let variable = |name: &str| settings.environment.filled(name);
    let find = || -> Result<Origin, GitError> {
        let repository = Repository::of(root)?;
        if let Some(base) = variable("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
            let commit = repository.commit(base)?;
            let label = repository.short(&commit);
            return Ok(Origin::Commit { commit, label });
        }
        let branch = match variable("GITHUB_BASE_REF") {
            Some(branch) => format!("origin/{branch}"),
            None => repository.default_branch()?,
        };
        let commit = repository.merge_base(&branch)?;
        let label = named(&branch, &repository.short(&commit));
        Ok(Origin::Commit { commit, label })
    };
    find().map_err(|error| git_error(&error))
}

/// Returns the name by which another repository knows a revision: none for `HEAD~1` and its like.
fn plain_name(revision: &str) -> Option<&str> {
    let name = revision.trim_start_matches("origin/");
    let plain = !name.starts_with("HEAD") && !name.contains(['~', '^', '@', ':', '{']);
    plain.then_some(name)
}

/// Says what git could not do, and what helps.
pub fn git_error(error: &GitError) -> CommandError {
    let failed = CommandError::of(error);
    match error {
        GitError::Missing { .. } => failed
            .hint("install git, or compare without it: `--disk`, `--tree DIR`, `--config FILE`"),
        GitError::NoRepository { .. } => failed
            .hint("compare with what is on disk (`--disk`), another folder (`--tree DIR`) or another config (`--config FILE`)"),
        GitError::Unknown { shallow: true, revision } => failed
            .hint("this clone is shallow, so that the revision may exist elsewhere")
            .hint(match plain_name(revision) {
                Some(name) => format!("fetch it with `git fetch --deepen=100`, `git fetch origin {name}`, or in a workflow by `fetch-depth: 0` of `actions/checkout`"),
                None => "fetch it with `git fetch --deepen=100`, or in a workflow by `fetch-depth: 0` of `actions/checkout`".to_owned(),
            }),
        GitError::Unknown { revision, .. } => match revision.strip_prefix("origin/") {
            Some(branch) => failed.hint(format!("fetch it with `git fetch origin {branch}`")),
            None => failed.hint("`git branch --all` and `git tag` list what there is"),
        },
        GitError::NoMergeBase { shallow: true, .. } => failed.hint(
            "this clone is shallow: fetch more with `git fetch --deepen=100`, or in a workflow by `fetch-depth: 0` of `actions/checkout`",
        ),
        GitError::NoMergeBase { .. } => failed.hint("name the revision to compare with by `--base REV`"),
        GitError::NoDefault { .. } => failed
            .hint("name the revision to compare with by `--base REV`; in a shallow clone fetch it first"),
        GitError::Failed { said, .. } if said.contains("dubious ownership") => failed
            .hint("git does not trust the folder: `git config --global --add safe.directory DIR` tells it to"),
        GitError::Failed { .. } => failed,
    }
}
