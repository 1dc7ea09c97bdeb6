//! A tree that nothing renders: what the rules say of it, and what remedies would add to it.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::failure::{CompileFailure, Warnings};
use super::{Audited, World, inputs};
use crate::audit::{self, Scorecard};
use crate::charts::Profiles;
use crate::check::{self, Baseline, Findings, Gate};
use crate::config;
use crate::config::project::{Project, ProjectKind};
use crate::diagnostic::{Diagnostic, Warned};
use crate::flux::{BuildMemory, FollowOptions, TreeFiles};
use crate::harden;
use crate::rules::{Exemptions, Measures, Policy, REMEDIES, Remedy};
use crate::tree::{File, Hardened, Rendered, Tree};

/// A tree that is kept by hand, or rendered by something else.
pub struct PlainTree<'w> {
    files: &'w TreeFiles<'w>,
    follow: &'w FollowOptions<'w>,
    memory: BuildMemory,
    profiles: Profiles,
    policy: Policy,
    exemptions: Exemptions,
    gate: Gate,
    manifests: Tree<Rendered>,
}

/// What remedies would add to a plain tree.
pub struct HardenedTree {
    /// The tree with it.
    pub tree: Tree<Hardened>,
    /// The files that change, as they are before.
    pub before: Vec<File>,
    /// The paths of the new files.
    pub created: Vec<String>,
    /// What the remedies say.
    pub warnings: Vec<Diagnostic>,
}

impl<'w> PlainTree<'w> {
    /// Takes the files of a tree, with what the project of `world` says of it, if it has one.
    ///
    /// # Errors
    /// `kiln.toml`, the baseline or a chart profile is broken.
    pub fn open(
        world: &World<'_>,
        files: &'w TreeFiles<'w>,
        follow: &'w FollowOptions<'w>,
    ) -> Result<Self, CompileFailure> {
        let mut warnings = Warnings::default();
        let project = warnings.keep(config::project::load(&world.files))?;
        Ok(Self {
            files,
            follow,
            memory: BuildMemory::default(),
            profiles: inputs::profiles(world)?,
            policy: inputs::policy_of(&project),
            exemptions: inputs::exemptions(&project),
            gate: warnings.keep(inputs::gate(world, &project))?,
            manifests: Tree::rendered(manifests(files), Vec::new()),
        })
    }

    fn measures(&self) -> Measures<'_> {
        Measures {
            kept: self.files,
            follow: self.follow,
            memory: &self.memory,
            profiles: &self.profiles,
            policy: &self.policy,
            exemptions: &self.exemptions,
            seals: false,
            apps: &[],
            leaks: &[],
            failures: &[],
            gaps: &[],
        }
    }

    /// Asks the rules that have a severity; with `anew`, whatever the baseline knows.
    pub fn check(&self, anew: bool) -> Findings {
        let mut gate = self.gate.clone();
        if anew {
            gate.baseline = Baseline::default();
        }
        check::judge(self.manifests.files(), self.measures(), &gate)
    }

    /// Scores the tree as it is, and as remedies would leave it.
    pub fn audit(&self) -> Result<Audited, CompileFailure> {
        let before = audit::score(self.manifests.files(), self.measures());
        let mut warnings = Warnings::default();
        let hardened = harden::harden(self.manifests.clone(), self.measures());
        let hardened = warnings.keep(hardened)?;
        let gaps = hardened.gaps();
        let after = audit::score(
            hardened.files(),
            Measures {
                gaps,
                ..self.measures()
            },
        );
        Ok(Audited {
            scorecard: Scorecard { before, after },
            kubernetes: self.policy.kubernetes.to_string(),
            injections: hardened.injections().len(),
            warnings: warnings.list,
            stand_ins: BTreeSet::new(),
        })
    }

    /// Adds what remedies ask for: those of some codes, or all.
    ///
    /// # Errors
    /// A wish of the project cannot be met.
    pub fn harden(&self, codes: &[String]) -> Result<HardenedTree, CompileFailure> {
        let is_wanted = |remedy: &Remedy| {
            let mut codes = codes.iter();
            codes.len() == 0 || codes.any(|code| code == remedy.meaning.code)
        };
        let done = harden::harden_by(self.manifests.clone(), self.measures(), &is_wanted);
        let Warned { value, warnings } = done.map_err(CompileFailure::Problems)?;
        let changed = |file: &&File| {
            let now = value.get(&file.path);
            now.is_some_and(|now| now.source.text != file.source.text)
        };
        let paths = value.files().map(|file| file.path.clone());
        let created = paths.filter(|path| self.manifests.get(path).is_none());
        Ok(HardenedTree {
            created: created.collect(),
            before: self.manifests.files().filter(changed).cloned().collect(),
            tree: value,
            warnings,
        })
    }
}

/// Returns the file of the findings that a project knows already, if it names one.
pub fn baseline_file(world: &World<'_>) -> Result<Option<String>, CompileFailure> {
    let project = Warnings::default().keep(config::project::load(&world.files))?;
    Ok(project.check.baseline)
}

/// Lists the codes of the remedies.
pub fn remedy_codes() -> impl Iterator<Item = &'static str> {
    REMEDIES.iter().map(|remedy| remedy.meaning.code)
}

/// Returns whether a project renders anything: it has templates, or a config that the catalogue is for.
///
/// A makejinja project renders where all that its settings name is there: after the templates are tidied away, or in a
/// clone without the data, what is left is a tree as any other.
pub fn renders(world: &World<'_>) -> Result<bool, CompileFailure> {
    let project = Warnings::default().keep(inputs::project(world))?;
    Ok(renders_by(world, &project))
}

fn renders_by(world: &World<'_>, project: &Project) -> bool {
    use crate::source::Files as _;
    let has = |path: &str| matches!(world.files.read(path), Ok(Some(_)));
    let lists = |folder: &String| {
        let listed = world.files.list(folder);
        listed.is_ok_and(|paths| !paths.is_empty())
    };
    if project.kind == ProjectKind::Makejinja {
        let data = config::data_files(project);
        let mut named = project.templates.iter().chain(&data);
        return named.all(|path| has(path) || lists(path));
    }
    project.data.is_some()
        || config::data_files(project).iter().any(|path| has(path))
        || project.templates.iter().any(lists)
}

/// Lists the manifests of a tree; a file that is no YAML stays among those that builds read by themselves and refuse.
fn manifests(files: &TreeFiles<'_>) -> Vec<File> {
    let is_manifest = |path: &&str| {
        crate::tree::is_yaml_path(path)
            || path.ends_with(".json")
            || path.ends_with("/Kustomization")
            || *path == "Kustomization"
    };
    let is_read = |path: &&str| {
        files
            .file(path)
            .is_some_and(|file| file.documents().is_ok())
    };
    let paths: Vec<&str> = files.paths().filter(is_manifest).collect();
    paths
        .into_par_iter()
        .filter(is_read)
        .filter_map(|path| files.output(path))
        .cloned()
        .collect()
}
