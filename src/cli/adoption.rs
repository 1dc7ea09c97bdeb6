//! A repository as Kiln would have it: compiled in memory, and compared with what is on disk.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::OsRng;
use serde_json::Value;

use super::commands::diff::prefix;
use super::error::CommandError;
use super::session::ProjectSession;
use super::sides;
use crate::adopt::{
    self, AddressLoss, KeptLists, LostObjects, Proposal, RepositoryKind, TalosFiles,
};
use crate::diagnostic::Diagnostic;
use crate::diff::{self, DiffOptions, DiffReport, Side};
use crate::flux::FollowedTree;
use crate::fs::{Disk, Folder, GitError, Repository, Revision};
use crate::pipeline::{self, Compiled, ConfigChange, Draft, KeyHandling, Layout, World};
use crate::source::{Files as _, OverlaidFiles};
use crate::tree::File;
use crate::write::{self, LOCK_FILE, TakeOver};

/// What the old side of the comparison is called.
const BEFORE: &str = "the repository as it is";
/// What the new side of the comparison is called.
const AFTER: &str = "the repository as Kiln renders it";
/// The folder of templates in the catalogue.
const CATALOGUE: &str = "templates";
/// The option of the catalogue that names the addresses of load balancers.
const ADDRESSES: &str = "/apps/cilium/load_balancer_ranges";

/// The field of the config that denies what no policy allows.
const NETWORK_POLICIES: &str = "/security/network_policies";

/// A repository as Kiln would have it.
pub struct Adoption {
    /// The inputs that are written, and the files that get another name.
    pub proposal: Proposal,
    /// Where templates and outputs are.
    pub layout: Layout,
    /// What is written.
    pub compiled: Compiled,
    /// What that does to the cluster.
    pub report: DiffReport,
    /// What Flux would no longer apply.
    pub lost: LostObjects,
    /// What of the user's is kept in what is rendered.
    pub kept: Kept,
    /// What is left of an older configuration of the machines.
    pub talos: TalosFiles,
    /// The files that become Kiln's.
    pub take_over: TakeOver,
}

/// What of the user's is kept in what is rendered.
pub struct Kept {
    /// What lists have.
    pub lists: KeptLists,
    /// The apps of the template that were removed, and that stay off.
    pub switched_off: Vec<String>,
    /// The addresses of load balancers that would be lost, had the config not been told of them.
    pub addresses: AddressLoss,
    /// Whether traffic that nothing denies today would be denied, had the config not been told otherwise.
    pub traffic: bool,
}

/// A repository while it is looked at.
struct Adopter<'s> {
    session: &'s ProjectSession,
    kind: RepositoryKind,
    keys: KeyHandling,
    proposal: Proposal,
    layout: Layout,
    /// The folder of outputs.
    folder: Folder,
    /// The outputs that are Kiln's already.
    owned: BTreeSet<String>,
    /// The files in the folder of outputs that will not be there any more.
    superseded: BTreeSet<String>,
}

impl Adoption {
    /// Compiles a repository as Kiln would have it, and compares that with what is on disk; writes nothing.
    ///
    /// # Errors
    /// The config is wrong, or what is rendered is; and lists of which nobody can tell what they have.
    pub fn prepare(
        session: &ProjectSession,
        kind: RepositoryKind,
        keys: KeyHandling,
    ) -> Result<Self, CommandError> {
        let mut adopter = Adopter::open(session, kind, keys)?;
        let mut draft = adopter.draft()?;
        let before = adopter.on_disk(&draft)?;
        let today = adopter.follow(before.own_files())?;
        if let Some(problem) = adopt::refused_builds(&today.applied) {
            return Err(CommandError::Problems(vec![problem]));
        }
        let before = before.in_tree(today.clone());
        let rendered = adopter.proposal.clone();
        let kept = Kept {
            lists: adopter.keep_lists(&draft)?,
            switched_off: adopter.switch_off(&draft)?,
            addresses: adopter.keep_addresses(&draft, &today)?,
            traffic: adopter.keep_traffic(&draft, &today)?,
        };
        if adopter.proposal != rendered {
            draft = adopter.draft()?;
        }
        adopter.refuse_lost_entries(&draft)?;
        let talos = adopter.find_superseded(&draft, &today)?;
        if !adopter.superseded.is_empty() {
            draft = adopter.draft()?;
        }
        adopter.finish(draft, &before, &today, kept, talos)
    }

    /// Returns where templates and outputs will be.
    pub fn layout(session: &ProjectSession, kind: RepositoryKind) -> Result<Layout, CommandError> {
        let (_, layout) = propose(session, kind)?;
        Ok(layout)
    }

    /// Says what stands against it: what would be lost, and what cannot be told.
    pub fn problems(&self, dropped: &[String]) -> Vec<Diagnostic> {
        let mut problems = self.lost.problems(dropped);
        let refused = self.report.gaps.iter().filter(|gap| gap.refused);
        problems.extend(refused.map(|gap| {
            let message = format!(
                "{} cannot be compared in {}: {}",
                gap.what, gap.side, gap.why
            );
            Diagnostic::error(&adopt::codes::NOT_COMPARED, message)
                .with_hint("mend that first; `kiln check` says where it stands")
        }));
        problems
    }

    /// Says what is to be known of addresses and machines before anything is applied.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let addresses = self.kept.addresses.warning();
        addresses.into_iter().chain(self.talos.warnings()).collect()
    }

    /// Lists the files that would be replaced or removed, and that the last commit has not as they are; none where there is
    /// no repository.
    pub fn uncommitted(&self, session: &ProjectSession) -> Result<Vec<String>, CommandError> {
        let commit = LastCommit::find(session).map_err(|error| sides::git_error(&error))?;
        let folder = session.disk.folder(&self.layout.output)?;
        let mut found = Vec::new();
        let outputs: BTreeMap<&str, &[u8]> = self
            .compiled
            .tree
            .outputs()
            .map(|(path, file)| (path, file.bytes.as_slice()))
            .collect();
        let TakeOver {
            outputs: taken,
            superseded,
        } = &self.take_over;
        for path in taken.iter().chain(superseded) {
            let shown = folder.shown(path);
            let Some(bytes) = session.disk.peek(&shown)? else {
                continue;
            };
            let stays = outputs.get(path.as_str()) == Some(&bytes.as_slice());
            if !stays && !commit.holds(&shown, &bytes) {
                found.push(shown);
            }
        }
        Ok(found)
    }
}

/// What git has of a repository.
enum LastCommit {
    NoRepository,
    Nothing,
    Commit(Box<Revision>),
}

impl LastCommit {
    fn find(session: &ProjectSession) -> Result<Self, GitError> {
        let repository = match Repository::of(&session.root) {
            Err(GitError::NoRepository { .. } | GitError::Missing { .. }) => {
                return Ok(Self::NoRepository);
            }
            found => found?,
        };
        match repository.commit("HEAD") {
            Err(GitError::Unknown { .. }) => Ok(Self::Nothing),
            commit => {
                let revision = repository.revision(&commit?)?;
                Ok(Self::Commit(Box::new(revision)))
            }
        }
    }

    /// Returns whether it has a file just so.
    fn holds(&self, path: &str, bytes: &[u8]) -> bool {
        match self {
            Self::NoRepository => true,
            Self::Nothing => false,
            Self::Commit(revision) => {
                let committed = revision.read_output(path);
                committed.is_ok_and(|committed| committed.as_deref() == Some(bytes))
            }
        }
    }
}

/// Proposes what is to be written, and says where templates and outputs will be then.
fn propose(
    session: &ProjectSession,
    kind: RepositoryKind,
) -> Result<(Proposal, Layout), CommandError> {
    let proposal = adopt::propose(&session.disk, kind);
    let proposal = proposal.map_err(|problem| CommandError::Problems(vec![problem]))?;
    let files = as_proposed(&session.disk, &proposal);
    let layout = pipeline::layout(&session.world_around(&files))?;
    Ok((proposal, layout))
}

fn as_proposed<'d>(disk: &'d Disk, proposal: &Proposal) -> OverlaidFiles<'d> {
    let inputs = proposal.inputs.iter();
    let inputs = inputs.map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    let renamed = proposal.key_files.iter();
    let renamed = renamed.map(|moved| (moved.to.clone(), moved.from.clone()));
    OverlaidFiles::new(disk, inputs).renaming(renamed)
}

/// Lists the files that the builds of Flux read, as outputs are named.
fn read_outputs(tree: &FollowedTree) -> BTreeSet<String> {
    let reached = tree.applied.builds.iter().filter(|it| it.is_reached());
    let read = reached.flat_map(|build| &build.files);
    let inside = |path: &String| match tree.output.as_str() {
        "" => Some(path.clone()),
        folder => Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
    };
    read.filter_map(inside).collect()
}

impl<'s> Adopter<'s> {
    fn open(
        session: &'s ProjectSession,
        kind: RepositoryKind,
        keys: KeyHandling,
    ) -> Result<Self, CommandError> {
        let (proposal, layout) = propose(session, kind)?;
        let list = write::list(&session.target(&layout, "kiln adopt"));
        let list = list.map_err(CommandError::Problems)?;
        Ok(Self {
            session,
            kind,
            keys,
            proposal,
            folder: session.disk.folder(&layout.output)?,
            layout,
            owned: list.unwrap_or_default().outputs.into_keys().collect(),
            superseded: BTreeSet::new(),
        })
    }

    /// Does something with the world in which the repository is as proposed.
    fn in_world<T>(&self, act: impl FnOnce(&World<'_>) -> T) -> T {
        let superseded = self.superseded.iter();
        let files = as_proposed(&self.session.disk, &self.proposal)
            .without(superseded.map(|path| self.folder.shown(path)));
        act(&self.session.world_around(&files).with_keys(self.keys))
    }

    fn draft(&self) -> Result<Draft, CommandError> {
        Ok(self.in_world(|world| pipeline::draft(world, None))?)
    }

    /// Follows Flux through files in the places of outputs, and what is kept beside them.
    fn follow<'t>(
        &self,
        files: impl Iterator<Item = &'t File> + Clone,
    ) -> Result<FollowedTree, CommandError> {
        Ok(self.in_world(|world| pipeline::follow_outputs(world, files))?)
    }

    /// Takes what is on disk at the paths of outputs, those of the last run included.
    fn on_disk(&self, draft: &Draft) -> Result<Side, CommandError> {
        let rendered = draft.tree.files().map(|file| file.path.clone());
        let names: BTreeSet<String> = rendered.chain(self.owned.iter().cloned()).collect();
        let (disk, output) = (&self.session.disk, &self.layout.output);
        self.in_world(|world| sides::outputs_on_disk(world, disk, output, names, BEFORE))
    }

    /// Reads what is on disk at the path of an output, whoever wrote it.
    fn existing(&self, path: &str) -> Option<Vec<u8>> {
        let bytes = self.session.disk.peek(&self.folder.shown(path));
        bytes.ok().flatten()
    }

    fn lists(&self, draft: &Draft) -> KeptLists {
        adopt::kept_lists(&draft.tree, &|path| {
            let is_foreign = !self.owned.contains(path);
            is_foreign.then(|| self.existing(path)).flatten()
        })
    }

    /// Puts templates of lists into the proposal that have what the user's lists have.
    fn keep_lists(&mut self, draft: &Draft) -> Result<KeptLists, CommandError> {
        let lists = self.lists(draft);
        if let Some(problem) = lists.problem() {
            return Err(CommandError::Problems(vec![problem]));
        }
        let own = self.layout.templates.first();
        let own = own.map_or(CATALOGUE, String::as_str);
        for addition in &lists.additions {
            let (name, text) = self.template(own, &addition.path)?;
            let text = addition.added_to(&text, name.ends_with(".tera"));
            self.proposal.inputs.insert(format!("{own}/{name}"), text);
        }
        Ok(lists)
    }

    /// Finds the template of an output, the project's own before the built-in one.
    fn template(&self, own: &str, path: &str) -> Result<(String, String), CommandError> {
        for name in [format!("{path}.tera"), path.to_owned()] {
            let found = self.session.disk.peek(&format!("{own}/{name}"))?;
            let built_in = || {
                self.session
                    .catalogue()
                    .read(&format!("{CATALOGUE}/{name}"))
            };
            let found = match found {
                Some(found) => Some(found),
                None => built_in()?,
            };
            if let Some(bytes) = found {
                return Ok((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Err(CommandError::failed(format!(
            "no template makes `{path}`, to which entries of yours have to be added"
        )))
    }

    /// Refuses lists whose entries did not get into what is rendered, as by a template that lists otherwise.
    fn refuse_lost_entries(&self, draft: &Draft) -> Result<(), CommandError> {
        let lost = self.lists(draft).after_additions();
        match lost.problem() {
            Some(problem) => Err(CommandError::Problems(vec![problem])),
            None => Ok(()),
        }
    }

    /// Switches apps off that the template brings and that the user has removed.
    fn switch_off(&mut self, draft: &Draft) -> Result<Vec<String>, CommandError> {
        if !matches!(self.kind, RepositoryKind::ClusterTemplate { .. }) {
            return Ok(Vec::new());
        }
        let mut off = Vec::new();
        for app in draft.tree.apps() {
            let folder = format!("kubernetes/apps/{}/{}", app.namespace, app.name);
            let found = self.session.disk.list_outputs(&self.folder.shown(&folder));
            let is_there = !found?.is_empty();
            if !app.enabled || is_there || !adopt::is_optional_app(&app.name) {
                continue;
            }
            let change = ConfigChange {
                names: vec![app.name.clone()],
                on: false,
                options: Vec::new(),
            };
            let switched = self.in_world(|world| pipeline::switch(world, &change, &mut OsRng))?;
            self.proposal.inputs.extend(switched.files);
            off.push(app.name.clone());
        }
        Ok(off)
    }

    /// Names the addresses of today's load balancers in the config, if some of their addresses would be in no pool.
    fn keep_addresses(
        &mut self,
        draft: &Draft,
        today: &FollowedTree,
    ) -> Result<AddressLoss, CommandError> {
        let after = self.follow(draft.tree.files())?;
        let loss = AddressLoss::of(&today.applied, &after.applied, &draft.values);
        if let AddressLoss::Ranges(ranges) = &loss {
            let value = Value::from(ranges.clone());
            let set = self.in_world(|world| pipeline::set_value(world, ADDRESSES, &value))?;
            self.proposal.inputs.extend(set);
        }
        Ok(loss)
    }

    /// Leaves network policies off where there are none today: the namespaces have apps of the user's, which have none either.
    fn keep_traffic(&mut self, draft: &Draft, today: &FollowedTree) -> Result<bool, CommandError> {
        let would_deny = draft.values.pointer(NETWORK_POLICIES) == Some(&Value::Bool(true));
        let mut policies = today.applied.of_kind("cilium.io", "CiliumNetworkPolicy");
        let is_template = matches!(self.kind, RepositoryKind::ClusterTemplate { .. });
        if !would_deny || !is_template || policies.next().is_some() {
            return Ok(false);
        }
        let off = Value::Bool(false);
        let set = self.in_world(|world| pipeline::set_value(world, NETWORK_POLICIES, &off))?;
        self.proposal.inputs.extend(set);
        Ok(true)
    }

    /// Finds the files that what is rendered replaces under other names: those that a build reads today and none will, and
    /// patches of the machines.
    fn find_superseded(
        &mut self,
        draft: &Draft,
        today: &FollowedTree,
    ) -> Result<TalosFiles, CommandError> {
        let after = read_outputs(&self.follow(draft.tree.files())?);
        let mut superseded = read_outputs(today);
        superseded.retain(|path| !after.contains(path) && draft.tree.get(path).is_none());
        let talos = if prefix(&self.layout).is_empty() {
            TalosFiles::find(&self.session.disk, &draft.tree)?
        } else {
            TalosFiles::default()
        };
        superseded.extend(talos.superseded.iter().cloned());
        superseded.retain(|path| self.existing(path).is_some() && path != LOCK_FILE);
        self.superseded = superseded;
        Ok(talos)
    }

    /// Compiles for the last time, and compares.
    fn finish(
        self,
        draft: Draft,
        before: &Side,
        today: &FollowedTree,
        kept: Kept,
        talos: TalosFiles,
    ) -> Result<Adoption, CommandError> {
        let after = self.in_world(|world| sides::side_of_draft(world, draft, AFTER))?;
        let compiled = self.in_world(|world| pipeline::compile(world, &mut OsRng))?;
        let mut report = diff::compare(before, &after, &DiffOptions::default());
        let lost = LostObjects::of(&report, &today.applied);
        report.put_below(&prefix(&self.layout));
        let outputs = compiled.tree.outputs().map(|(path, _)| path);
        let existing = outputs.filter(|path| self.existing(path).is_some());
        let take_over = TakeOver {
            outputs: existing.map(str::to_owned).collect(),
            superseded: self.superseded,
        };
        Ok(Adoption {
            proposal: self.proposal,
            layout: self.layout,
            compiled,
            report,
            lost,
            kept,
            talos,
            take_over,
        })
    }
}
