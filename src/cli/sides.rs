//! The sides of a comparison: where they come from, and how they get into memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::CommandError;
use super::makejinja_process::start_for_revision;
use super::session::{PROJECT_FILE, ProjectSession, has_project};
use super::settings::Settings;
use crate::diff::{GuardExemption, GuardPublic, Guards, OutputRecord, Side, SideText};
use crate::flux::{FollowedTree, TreeFiles, find_output_base};
use crate::fs::{self, Disk, GitError, Repository, Revision};
use crate::pipeline::{
    self, Draft, DraftPolicies, Exemption, KeyHandling, Opened, PluginRequest, PublicReference,
    World,
};
use crate::secret::KEY_FILES;
use crate::source::{Files, OverlaidFiles, Source};
use crate::tree::{binary_description, is_secret_path};
use crate::write::{self, Digest, KILN, LOCK_FILE, Target};

/// Where a side comes from.
#[derive(Clone, Debug)]
pub enum SideOrigin {
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

/// Both sides of a comparison.
pub struct Sides {
    /// The old side.
    pub before: Side,
    /// The new side.
    pub after: Side,
    /// What is to be told of how they were read, a sentence each.
    pub told: Vec<String>,
}

/// Loads both sides at once.
///
/// With [`KeyHandling::MadeUp`], no key and no variable of the environment is read: a stand-in is as good, since both sides get
/// the same, and neither side may be trusted.
///
/// # Errors
/// Also when the old side could only be compared with itself.
pub fn load(
    session: &ProjectSession,
    settings: &Settings,
    given: Given,
    before: &SideOrigin,
    after: &SideOrigin,
) -> Result<Sides, CommandError> {
    let Given { keys, plugins } = given;
    let loader = Loader {
        session,
        settings,
        keys,
        plugins,
        told: Mutex::default(),
    };
    let commits = [before, after].map(|side| matches!(side, SideOrigin::Commit { .. }));
    if let ([true, false], SideOrigin::Project) = (commits, after) {
        loader.missing_submodule()?;
    }
    let (old, new) = rayon::join(
        || match before {
            SideOrigin::Commit { commit, .. } => loader.base(before, commit, after),
            _ => loader.side(before),
        },
        || loader.side(after),
    );
    let (before, after) = (old?, new?);
    let told = loader
        .told
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Ok(Sides {
        before,
        after,
        told,
    })
}

/// What sides are compiled with.
#[derive(Clone, Copy)]
pub struct Given {
    /// What is done about keys.
    pub keys: KeyHandling,
    /// Whether the Python of plugins runs.
    pub plugins: bool,
}

impl SideOrigin {
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
    session: &'l ProjectSession,
    settings: &'l Settings,
    keys: KeyHandling,
    plugins: bool,
    told: Mutex<Vec<String>>,
}

impl Loader<'_> {
    fn tell(&self, sentence: String) {
        let told = self.told.lock();
        told.unwrap_or_else(PoisonError::into_inner).push(sentence);
    }

    /// Compiles a commit as the old side: one from before the project is compared as it is.
    fn base(
        &self,
        origin: &SideOrigin,
        commit: &str,
        after: &SideOrigin,
    ) -> Result<Side, CommandError> {
        let label = origin.label();
        let revision = self.revision(commit)?;
        if !has_project(&revision)? {
            if self.session.is_project {
                self.tell(format!(
                    "{label} has no `{PROJECT_FILE}` in this folder: it is compared as it is"
                ));
            }
            return match self.around(commit)? {
                Some(around) => self.plain(&around, label),
                None => self.plain(&revision, label),
            };
        }
        if !self.session.is_project {
            return self.plain(&revision, label);
        }
        let side = self.compiled_commit(&revision, commit, &label)?;
        if after.is_compiled() {
            let config_differs = matches!(after, SideOrigin::Config(_));
            self.tell_ignored(&revision, &label, config_differs)?;
        }
        Ok(side)
    }

    /// Names the files that both sides read from the disk, as git ignores them; keys aside, which are expected to be.
    ///
    /// # Errors
    /// When the whole config is among them, so that a change of it would be no difference.
    fn tell_ignored(
        &self,
        revision: &Revision,
        label: &str,
        config_differs: bool,
    ) -> Result<(), CommandError> {
        let mut ignored = revision.ignored();
        if ignored.is_empty() {
            return Ok(());
        }
        let world = self.session.world_of(revision);
        let layout = pipeline::layout(&world)?;
        let is_key =
            |path: &String| KEY_FILES.contains(&path.as_str()) || layout.identities.contains(path);
        ignored.retain(|path| !is_key(path));
        let (config, others): (Vec<&String>, Vec<&String>) =
            ignored.iter().partition(|path| layout.data.contains(path));
        let quoted = |paths: &[&String]| {
            let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            names.join(", ")
        };
        let own = layout.data.iter().any(|path| revision.holds(path));
        if !config.is_empty() && !own && !config_differs {
            let message = format!(
                "{label} has no config of its own: git ignores {}, so that both sides would read the file that is on disk",
                quoted(&config)
            );
            return Err(CommandError::failed(message)
                .hint("let git keep the config, with what is secret in `{ fromFile: … }`, `{ fromEnv: … }` or `cluster.sops.yaml`")
                .hint("or compare with what is rendered (`--disk`), or with another config (`--config FILE`)"));
        }
        let named: Vec<&String> = config.into_iter().chain(others).collect();
        if !named.is_empty() {
            self.tell(format!(
                "git ignores {}: both sides read what is on disk, so that a change there is no difference",
                quoted(&named)
            ));
        }
        Ok(())
    }

    /// Refuses a work tree in which a submodule among the inputs is not there.
    fn missing_submodule(&self) -> Result<(), CommandError> {
        let layout = self.session.layout().map_err(CommandError::unanswered)?;
        let modules = Repository::of(&self.session.root).and_then(|found| found.submodules());
        for module in modules.map_err(|error| git_error(&error))? {
            let folders = layout.input_folders();
            let is_input = folders
                .map(|folder| folder.trim_start_matches("./").trim_matches('/'))
                .any(|folder| {
                    folder == module || path_is_in(folder, &module) || path_is_in(&module, folder)
                });
            let is_missing = || {
                self.session
                    .disk
                    .list(&module)
                    .is_ok_and(|files| files.is_empty())
            };
            if is_input && is_missing() {
                let message =
                    format!("the submodule `{module}` is not there, which the project reads");
                return Err(CommandError::failed(message)
                    .hint("fetch it with `git submodule update --init`"));
            }
        }
        Ok(())
    }

    fn revision(&self, commit: &str) -> Result<Revision, CommandError> {
        let open = || Repository::of(&self.session.root)?.revision(commit);
        open().map_err(|error| git_error(&error))
    }

    /// Opens a commit of the repository that the project is a folder of.
    fn around(&self, commit: &str) -> Result<Option<Revision>, CommandError> {
        let Some((root, _)) = self.session.repository() else {
            return Ok(None);
        };
        let open = || Repository::of(root)?.revision(commit);
        open().map(Some).map_err(|error| git_error(&error))
    }

    fn compiled_commit(
        &self,
        revision: &Revision,
        commit: &str,
        label: &str,
    ) -> Result<Side, CommandError> {
        let around = self.around(commit)?;
        let root = &self.session.root;
        let starter = |request: &PluginRequest<'_>| start_for_revision(request, revision, root);
        let mut world = self.session.world_of(revision);
        if self.plugins {
            world = world.around_makejinja(self.session.makejinja().started_by(&starter));
        }
        if let (Some(around), Some((_, folder))) = (&around, self.session.repository()) {
            world = world.in_repository(folder, Some(around));
        }
        compiled(&world.with_keys(self.keys), None, label)
    }

    fn side(&self, origin: &SideOrigin) -> Result<Side, CommandError> {
        let session = self.session;
        let label = origin.label();
        match origin {
            SideOrigin::Project if !session.is_project => self.plain(&session.disk, label),
            SideOrigin::Folder(path) if !session.is_project => {
                self.plain(&Disk::open(&self.settings.directory.join(path))?, label)
            }
            SideOrigin::Config(_) | SideOrigin::Output if !session.is_project => {
                Err(no_project(session))
            }
            SideOrigin::Project => self.compiled(&session.disk, None, &label),
            SideOrigin::Config(paths) => {
                let (files, data) = with_config(&session.disk, self.settings, paths)?;
                self.compiled(&files, Some(&data), &label)
            }
            SideOrigin::Commit { commit, .. } => {
                let revision = self.revision(commit)?;
                if !session.is_project {
                    return self.plain(&revision, label);
                }
                require_project(&revision, &label)?;
                self.compiled_commit(&revision, commit, &label)
            }
            SideOrigin::Output => {
                let output = session.layout()?.output;
                let (side, remade) = rayon::join(
                    || folder(session, self.keys, &session.disk, &output, label),
                    || self.remade(&output),
                );
                let (side, written) = side?;
                let side = side.with_written(OutputRecord {
                    remade: remade.map(Box::new),
                    ..written
                });
                let tree = pipeline::follow_outputs(&session.world(), side.own_files())?;
                Ok(side.in_tree(tree))
            }
            SideOrigin::Folder(path) => {
                let disk = Disk::open(&self.settings.directory.join(path))?;
                let (side, written) = folder(session, self.keys, &disk, ".", label)?;
                let side = side.with_written(written);
                let tree = self.follow_folder(&disk, &side)?;
                Ok(side.in_tree(tree))
            }
        }
    }

    /// Follows Flux through the files of another folder, with what is kept beside them there.
    fn follow_folder(&self, disk: &Disk, side: &Side) -> Result<FollowedTree, CommandError> {
        let place = self.session.repository().map_or("", |(_, folder)| folder);
        let output = find_output_base(side.own_files(), &["", place]);
        let mut kept = Vec::new();
        if output.is_empty() {
            let own: BTreeSet<&str> = side.own_files().map(|file| file.path.as_str()).collect();
            let listed = |path: &String| own.contains(path.as_str());
            kept = listed_kept(disk)?;
            kept.retain(|path| !listed(path));
        }
        let kept = TreeFiles::kept(disk, kept, output);
        let files = TreeFiles::over(&kept, side.own_files());
        let world = self.session.world().with_keys(self.keys);
        let surroundings = pipeline::surroundings(&world)?;
        Ok(FollowedTree::of(&files, &surroundings.options()?))
    }

    /// Takes a tree as it is, of which nothing is rendered: all files that git does not ignore, and that hold no keys.
    fn plain(&self, files: &dyn Files, label: String) -> Result<Side, CommandError> {
        let is_key = |path: &str| KEY_FILES.contains(&path.rsplit('/').next().unwrap_or(path));
        let world = self.session.world_of(files).with_keys(self.keys);
        let told = |failure| CommandError::from(failure).in_side(&label);
        let policies = pipeline::tree_policies(&world).map_err(told)?;
        let surroundings = pipeline::surroundings(&world).map_err(told)?;
        let mut tree = TreeFiles::of_repository(files, "")?;
        tree.forget(&is_key);
        let followed = FollowedTree::of(&tree, &surroundings.options()?);
        let sealed = followed.sealed.iter();
        let sources: Vec<Arc<Source>> = sealed
            .filter_map(|path| Some(Arc::clone(tree.source(path)?)))
            .collect();
        let side = Side::empty(label).with_sealed(pipeline::sealed_terms(&sources));
        Ok(side.with_guards(guards_of(policies)).in_tree(followed))
    }

    fn compiled(
        &self,
        files: &dyn Files,
        data: Option<&[String]>,
        label: &str,
    ) -> Result<Side, CommandError> {
        let mut world = self.session.world_around(files).with_keys(self.keys);
        if self.plugins {
            world = world.around_makejinja(self.session.makejinja().with_plugins());
        }
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
        let side = compiled(&world, None, &commit).ok()?;
        let time = session.disk.modified(&lock)?.min(committed);
        let known = !asked.load(Ordering::Relaxed) && revision.is_as_of(time);
        known.then_some(side)
    }
}

fn compiled(world: &World<'_>, data: Option<&[String]>, label: &str) -> Result<Side, CommandError> {
    let draft = pipeline::draft(world, data)
        .map_err(|failure| CommandError::from(failure).in_side(label))?;
    side_of_draft(world, draft, label)
}

/// Makes a side of what a project renders, with what Flux applies of it.
pub fn side_of_draft(world: &World<'_>, draft: Draft, label: &str) -> Result<Side, CommandError> {
    let side = Side::of_tree(label, &draft.tree, &draft.unseen).with_written(OutputRecord {
        kiln: Some(KILN.to_owned()),
        ..OutputRecord::default()
    });
    let sealed = draft.policies.sealed.clone();
    let side = side
        .with_guards(guards_of(draft.policies))
        .with_sealed(sealed);
    let side = side.with_config(draft.values).with_secrets(draft.secrets);
    let tree = pipeline::follow_outputs(world, draft.tree.files())
        .map_err(|failure| CommandError::from(failure).in_side(label))?;
    Ok(side.with_stand_ins(draft.stand_ins).in_tree(tree))
}

/// Says that what was asked for needs a project.
fn no_project(session: &ProjectSession) -> CommandError {
    CommandError::failed(format!(
        "`{}` is no project: there is no `{PROJECT_FILE}`, so nothing is rendered",
        session.root.display()
    ))
    .hint("compare revisions (`--base REV`), or folders (`--tree DIR`)")
}

/// Lists the files of a folder that are neither outputs of Kiln, old or new, nor ignored.
fn listed_kept(disk: &Disk) -> Result<Vec<String>, CommandError> {
    let list = write::list(&Target::new(disk, ".")).map_err(CommandError::Unanswered)?;
    let outputs = list.unwrap_or_default().outputs;
    let ignored = disk.ignored_files().unwrap_or_default();
    let mut paths = disk.list("")?;
    paths.retain(|path| {
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
        path != LOCK_FILE
            && !outputs.contains_key(path)
            && !ignored.contains(path)
            && !folders.any(|folder| ignored.contains(folder))
    });
    Ok(paths)
}

fn guards_of(policies: DraftPolicies) -> Guards {
    Guards {
        ignore: policies.ignore,
        noise: policies.noise,
        exemptions: policies
            .exemptions
            .into_iter()
            .map(guard_exemption)
            .collect(),
        public: policies.public.into_iter().map(guard_public).collect(),
        rules_rendered: policies.rules_rendered,
        rules: policies.rules,
    }
}

fn guard_public(public: PublicReference) -> GuardPublic {
    GuardPublic {
        key: public.key,
        origin: public.origin,
        file: public.file,
        line: public.line,
    }
}

fn guard_exemption(exemption: Exemption) -> GuardExemption {
    GuardExemption {
        rule: exemption.code,
        namespace: exemption.namespace,
        name: exemption.name,
        path: exemption.path,
        reason: exemption.reason,
        line: exemption
            .place
            .map_or(1, |place| place.source.line_column(place.span.start).0),
    }
}

/// A revision from before the project has nothing to compile, which is another thing than a mistake.
fn require_project(revision: &Revision, label: &str) -> Result<(), CommandError> {
    if has_project(revision)? {
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
    session: &ProjectSession,
    keys: KeyHandling,
    disk: &Disk,
    path: &str,
    label: String,
) -> Result<(Side, OutputRecord), CommandError> {
    let folder = disk.folder(path)?;
    if !folder.exists() {
        let message = format!("there is no folder `{}`", folder.shown(""));
        return Err(CommandError::failed(message).hint("`kiln render` makes it"));
    }
    let target = Target::new(disk, path).reserving(&session.layout()?.reserved);
    let list = write::list(&target).map_err(CommandError::Unanswered)?;
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
    let OutputFiles {
        sources,
        executables,
        digests,
        missing,
    } = OutputFiles::read(disk, path, paths)?;
    let mut written = OutputRecord::default();
    // What is listed and gone counts as removed.
    written.edited.extend(missing);
    let differs = digests.into_iter().filter(|(name, digest)| {
        let listed = list.outputs.get(name);
        listed.is_some_and(|listed| listed != digest)
    });
    written.edited.extend(differs.map(|(name, _)| name));
    let label = match &list.kiln {
        Some(kiln) if kiln != KILN => format!("{label} (by Kiln {kiln})"),
        _ => label,
    };
    written.kiln = list.kiln;
    let side = side_of_outputs(&session.world().with_keys(keys), &sources, label)?;
    Ok((side.with_executables(&executables), written))
}

/// Files of an output folder, as they are on disk.
struct OutputFiles {
    sources: Vec<Arc<Source>>,
    executables: BTreeSet<String>,
    digests: BTreeMap<String, Digest>,
    /// Those that are not there.
    missing: Vec<String>,
}

impl OutputFiles {
    fn read(
        disk: &Disk,
        folder: &str,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Self, CommandError> {
        let mut files = Self {
            sources: Vec::new(),
            executables: BTreeSet::new(),
            digests: BTreeMap::new(),
            missing: Vec::new(),
        };
        for name in names {
            let path = format!("{folder}/{name}");
            let Some(bytes) = disk.peek(&path)? else {
                files.missing.push(name);
                continue;
            };
            files.digests.insert(name.clone(), Digest::of(&bytes));
            if disk.is_executable(&path) {
                files.executables.insert(name.clone());
            }
            let text = String::from_utf8(bytes);
            let text = text.unwrap_or_else(|error| binary_description(error.as_bytes()));
            let is_secret = is_secret_path(&name);
            files.sources.push(Source::of(name, text.into(), is_secret));
        }
        Ok(files)
    }
}

/// Makes a side of files of an output folder, those that are sealed opened with the keys of the world.
fn side_of_outputs(
    world: &World<'_>,
    sources: &[Arc<Source>],
    label: String,
) -> Result<Side, CommandError> {
    let opened = pipeline::opened(world, sources);
    let opened = opened.map_err(|failure| CommandError::from(failure).unanswered())?;
    let text = |source: &Arc<Source>, opened| match opened {
        Opened::Plain => SideText::Open(source.text.to_string()),
        Opened::Secret(text) => SideText::Opened(text),
        Opened::Sealed => SideText::Sealed(source.text.to_string()),
    };
    let texts: BTreeMap<String, SideText> = sources
        .iter()
        .zip(opened)
        .map(|(source, opened)| (source.path.clone(), text(source, opened)))
        .collect();
    let side = Side::of_texts(label, texts).map_err(CommandError::Unanswered)?;
    Ok(side.with_sealed(pipeline::sealed_terms(sources)))
}

/// Takes files of an output folder as they are on disk, whoever wrote them; those that are not there are left out.
pub fn outputs_on_disk(
    world: &World<'_>,
    disk: &Disk,
    folder: &str,
    names: impl IntoIterator<Item = String>,
    label: &str,
) -> Result<Side, CommandError> {
    let files = OutputFiles::read(disk, folder, names)?;
    let side = side_of_outputs(world, &files.sources, label.to_owned())?;
    Ok(side.with_executables(&files.executables))
}

/// Returns whether a path is somewhere below a folder.
fn path_is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn same_place(session: &ProjectSession, disk: &Disk, path: &str) -> bool {
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

fn with_config<'f>(
    disk: &'f Disk,
    settings: &Settings,
    paths: &[PathBuf],
) -> Result<(OverlaidFiles<'f>, Vec<String>), CommandError> {
    let mut replaced = Vec::new();
    let mut names = Vec::new();
    for path in paths {
        let full = settings.directory.join(path);
        let shown = path.display().to_string();
        let Some(bytes) = fs::read_anywhere(&full)? else {
            return Err(CommandError::failed(format!("there is no file `{shown}`")));
        };
        replaced.push((shown.clone(), bytes));
        names.push(shown);
    }
    Ok((OverlaidFiles::new(disk, replaced), names))
}

/// Finds the commit of a revision that the user named.
pub fn revision(root: &Path, name: &str) -> Result<SideOrigin, CommandError> {
    let find = || -> Result<SideOrigin, GitError> {
        let repository = Repository::of(root)?;
        let commit = repository.commit(name)?;
        let label = named(name, &repository.short(&commit));
        Ok(SideOrigin::Commit { commit, label })
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
pub fn merge_base(root: &Path, settings: &Settings) -> Result<SideOrigin, CommandError> {
    let variable = |name: &str| settings.environment.filled(name);
    let find = || -> Result<SideOrigin, GitError> {
        let repository = Repository::of(root)?;
        if let Some(base) = variable("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
            let commit = repository.commit(base)?;
            let label = repository.short(&commit);
            return Ok(SideOrigin::Commit { commit, label });
        }
        let branch = match variable("GITHUB_BASE_REF") {
            Some(branch) => format!("origin/{branch}"),
            None => repository.default_branch()?,
        };
        let commit = repository.merge_base(&branch)?;
        let label = named(&branch, &repository.short(&commit));
        Ok(SideOrigin::Commit { commit, label })
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
                Some(name) => format!("fetch it with `git fetch --deepen=100`, `git fetch origin {name}:refs/remotes/origin/{name}`, or in a workflow by `fetch-depth: 0` of `actions/checkout`"),
                None => "fetch it with `git fetch --deepen=100`, or in a workflow by `fetch-depth: 0` of `actions/checkout`".to_owned(),
            }),
        GitError::Unknown { revision, .. } => match revision.strip_prefix("origin/") {
            Some(branch) => failed.hint(format!(
                "fetch it with `git fetch origin {branch}:refs/remotes/origin/{branch}`"
            )),
            None => failed.hint("`git branch --all` and `git tag` list what there is"),
        },
        GitError::NoMergeBase { shallow: true, .. } => failed.hint(
            "this clone is shallow: fetch more with `git fetch --deepen=100`, or in a workflow by `fetch-depth: 0` of `actions/checkout`",
        ),
        GitError::NoMergeBase { .. } => failed.hint("name the revision to compare with by `--base REV`"),
        GitError::NoDefault { .. } => failed
            .hint("name what to compare with: `--base REV`; `--base HEAD` is the last commit")
            .hint("in a clone of one branch, fetch the one that it goes to: `git fetch origin main:refs/remotes/origin/main`"),
        GitError::OwnBranch { shallow, .. } => failed
            .hint(if *shallow {
                "fetch the branch that it goes to, and where they parted: `git fetch --unshallow origin main:refs/remotes/origin/main`, or in a workflow `fetch-depth: 0` of `actions/checkout`"
            } else {
                "fetch the branch that it goes to: `git fetch origin main:refs/remotes/origin/main`"
            })
            .hint("or name what to compare with: `--base HEAD` is the last commit, and `--disk` what is rendered"),
        GitError::Bare { said, .. } => failed
            .hint(format!("git said: {said}"))
            .hint("someone put the files of a repository (`HEAD`, `objects`, `refs`, `config`) into a folder, where git would obey that `config`: remove them"),
        GitError::Filtered { filter, .. } => failed.hint(format!(
            "what is rendered was written: stage it with `git add`, which runs `filter.{filter}` of the settings of git"
        )),
        GitError::Failed { said, .. } if said.contains("dubious ownership") => failed
            .hint("git does not trust the folder: `git config --global --add safe.directory DIR` tells it to"),
        GitError::Failed { .. } => failed,
    }
}
