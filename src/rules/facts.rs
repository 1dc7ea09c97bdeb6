//! What rules judge by.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use kustomize::{Field, PathRole};

use super::exemptions::Exemptions;
use super::judgement::Verdict;
use super::leak::Leak;
use super::node_defaults::NodeDefaults;
use super::objects::ObjectIndex;
use super::policy::Policy;
use crate::charts::{Profiles, Release};
use crate::diagnostic::Diagnostic;
use crate::flux::builds::{Builds, ManifestUses, Member};
use crate::flux::{
    AppliedObject, BuildMemory, FollowOptions, HiddenPart, ObjectKey, TreeFiles, UnseenPart,
};
use crate::source::{Place, Source};
use crate::tree::secret_manifest::SecretManifest;
use crate::tree::{App, File, Gap};
use crate::workload::budget::DisruptionBudget;
use crate::workload::standing::{self, PodSecurityStanding};
use crate::workload::{self, Workload};
use crate::yaml;

/// What rules measure against, besides the files.
#[derive(Clone, Copy)]
pub struct Measures<'m> {
    /// The files that are kept beside the rendered ones.
    pub kept: &'m TreeFiles<'m>,
    /// How Flux is followed.
    pub follow: &'m FollowOptions<'m>,
    /// What was built before.
    pub memory: &'m BuildMemory,
    /// What is known of charts.
    pub profiles: &'m Profiles,
    /// What the project wants.
    pub policy: &'m Policy,
    /// What the project exempts.
    pub exemptions: &'m Exemptions,
    /// Whether what is named as a secret will be sealed; else it has to be sealed already.
    pub seals: bool,
    /// The apps of the project.
    pub apps: &'m [App],
    /// What depends on a secret and is open.
    pub leaks: &'m [Leak],
    /// What fails with other secrets.
    pub failures: &'m [Diagnostic],
    /// What hardening would have added and could not.
    pub gaps: &'m [Gap],
}

/// Everything that a rule may look at.
pub struct Facts<'t> {
    /// The files of the tree by path, those aside that are kept beside it.
    pub(super) files: BTreeMap<&'t str, &'t File>,
    pub(super) builds: &'t Builds<'t>,
    pub(super) releases: &'t [Release<'t>],
    pub(super) workloads: &'t [Workload<'t>],
    /// The budgets that somebody wrote.
    pub(super) budgets: Vec<DisruptionBudget>,
    pub(super) measures: Measures<'t>,
    standings: OnceLock<BTreeMap<String, Vec<PodSecurityStanding>>>,
    pub(super) index: OnceLock<ObjectIndex>,
    hidden: OnceLock<Vec<HiddenPart>>,
    uses: OnceLock<ManifestUses<'t>>,
    node_defaults: OnceLock<NodeDefaults>,
}

impl<'t> Facts<'t> {
    /// Follows Flux through files, and hands what comes of it to `look`.
    pub fn gather<R>(
        files: impl Iterator<Item = &'t File>,
        measures: Measures<'t>,
        look: impl FnOnce(&Facts<'_>) -> R,
    ) -> R {
        let files: Vec<&File> = files.collect();
        let tree = TreeFiles::over(measures.kept, files.iter().copied());
        let builds = Builds::following(&tree, measures.follow, measures.memory);
        let releases = Release::all(&builds, measures.profiles);
        let workloads = workload::all(&builds, &releases);
        look(&Facts {
            files: files.iter().map(|file| (&*file.path, *file)).collect(),
            budgets: DisruptionBudget::all(&builds, &releases),
            builds: &builds,
            releases: &releases,
            workloads: &workloads,
            measures,
            standings: OnceLock::new(),
            index: OnceLock::new(),
            hidden: OnceLock::new(),
            uses: OnceLock::new(),
            node_defaults: OnceLock::new(),
        })
    }

    /// Returns the policy of the project.
    pub(super) fn policy(&self) -> &'t Policy {
        self.measures.policy
    }

    /// Counts the workloads that Flux deploys and that stay, and their containers, init containers aside.
    pub fn count_workloads(&self) -> (usize, usize) {
        let containers = self
            .lasting()
            .map(|workload| workload.containers().filter(|one| !one.init).count());
        (self.lasting().count(), containers.sum())
    }

    /// Counts the releases of which the chart is not known.
    pub fn count_unknown_charts(&self) -> usize {
        self.unknown_releases().count()
    }

    /// Lists the workloads that Flux deploys.
    pub(super) fn deployed(&self) -> impl Iterator<Item = &'t Workload<'t>> {
        let workloads = self.workloads.iter();
        workloads.filter(|workload| workload.is_deployed(self.builds))
    }

    /// Lists the workloads that Flux deploys and that stay: no hooks.
    pub(super) fn lasting(&self) -> impl Iterator<Item = &'t Workload<'t>> {
        self.deployed().filter(|workload| !workload.hook)
    }

    /// Lists the releases of which the chart is not known.
    pub(super) fn unknown_releases(&self) -> impl Iterator<Item = &'t Release<'t>> {
        let releases = self.releases.iter();
        releases.filter(|release| release.profile().is_none())
    }

    /// Lists the objects of a group and kind, each once even if several builds take it in.
    pub(super) fn objects(&self, group: &str, kind: &str) -> Vec<&'t Member<'t>> {
        let mut seen = BTreeSet::new();
        self.all()
            .filter(|member| member.is(group, kind))
            .filter(|member| seen.insert((member.spot(), member.user())))
            .collect()
    }

    /// Lists all objects that Flux deploys.
    pub(super) fn all(&self) -> impl Iterator<Item = &'t Member<'t>> {
        let members = self.builds.members.iter();
        members.filter(|member| self.builds.deploys(member))
    }

    /// Returns whether some chart in a namespace may make objects that are not known.
    pub(super) fn has_release(&self, namespace: &str) -> bool {
        self.releases
            .iter()
            .any(|release| release.namespace == namespace)
    }

    /// Lists what of what Flux applies is not seen, with the Kustomization that it is missing from.
    pub fn unseen_parts(&self) -> Vec<(ObjectKey, UnseenPart)> {
        self.builds.applied.unseen_by_owner()
    }

    /// Counts the objects that Flux applies, and the Kustomizations that do so.
    pub fn count_applied(&self) -> (usize, usize) {
        let applied = &self.builds.applied;
        let builds = applied.builds.iter().filter(|build| build.is_reached());
        let objects = applied.objects.iter();
        let reached = objects.filter(|object| applied.build_of(object).is_reached());
        (reached.count(), builds.count())
    }

    /// Lists what kustomize and Flux refuse, but for what is exempt.
    pub fn refusals(&self) -> Vec<Diagnostic> {
        super::refusals::refusals(self)
    }

    /// Returns how the workloads of each namespace stand to the Pod Security Standards.
    pub(super) fn standings(&self) -> &BTreeMap<String, Vec<PodSecurityStanding>> {
        self.standings.get_or_init(|| {
            let (profiles, version) = (self.measures.profiles, self.policy().kubernetes);
            standing::judge(
                self.workloads,
                self.releases,
                self.builds,
                profiles,
                version,
            )
        })
    }

    /// Lists how the workloads of a namespace stand to the Pod Security Standards, and who else makes pods in it.
    pub(super) fn standings_in(&self, namespace: &Member<'_>) -> Vec<&PodSecurityStanding> {
        let root = namespace.root;
        let inside = self.standings().get(&namespace.name).into_iter().flatten();
        inside.filter(|standing| standing.is_of(root)).collect()
    }

    /// Says who makes pods of which no list is known in a namespace, or anywhere where that is empty; `None` where there
    /// is nobody.
    pub(super) fn unseen_pods(&self, namespace: &str) -> Option<&str> {
        let all = self.standings().iter();
        let inside = all.filter(|(name, _)| namespace.is_empty() || *name == namespace);
        let mut inside = inside.flat_map(|(_, standings)| standings);
        let unseen = inside.find_map(|standing| standing.unseen.as_ref());
        unseen.map(|pods| pods.what.as_str())
    }

    /// Finds a part that may hold objects of a namespace wherever a member goes, and is not seen.
    pub(super) fn hidden_part(&self, member: &Member<'_>, namespace: &str) -> Option<&HiddenPart> {
        let parts = self.hidden.get_or_init(|| self.builds.hidden_parts());
        if parts.is_empty() {
            return None;
        }
        let roots = self.builds.roots_of(member);
        parts.iter().find(|part| {
            let mut roots = roots.iter();
            roots.any(|root| part.may_hold(*root, namespace))
        })
    }

    /// Takes back a failure that something is not there, where it may be in a part that is not seen.
    pub(super) fn unless_hidden(
        &self,
        member: &Member<'_>,
        namespace: &str,
        verdict: Verdict,
    ) -> Verdict {
        let Verdict::Fail(reason) = &verdict else {
            return verdict;
        };
        match self.hidden_part(member, namespace) {
            Some(part) => Verdict::Unknown(format!("{reason}, but {} is not seen", part.what)),
            None => verdict,
        }
    }

    /// Returns what the nodes give to pods that say nothing.
    pub(super) fn node_defaults(&self) -> &NodeDefaults {
        let files = self.builds.files;
        self.node_defaults.get_or_init(|| NodeDefaults::of(files))
    }

    /// Returns who applies what of each written manifest.
    pub(super) fn manifest_uses(&self) -> &ManifestUses<'t> {
        self.uses.get_or_init(|| self.builds.manifest_uses())
    }

    /// Returns the path of the kustomization of a folder of the tree, if it is a file that can be added to.
    pub(super) fn kustomization_to_edit(&self, folder: &str) -> Option<&'t str> {
        let path = &self.builds.kustomizations.get(folder)?.file.path;
        let file = self.files.get(path.as_str())?;
        (!file.documents.is_empty() && !file.is_secret()).then_some(path)
    }

    /// Puts a problem at a place of the tree, with the template line behind it.
    pub(super) fn at(&self, problem: Diagnostic, place: &Place, text: &str) -> Diagnostic {
        let problem = problem.at_place(self.veiled(place), text);
        match self.template(place) {
            Some(template) => problem.with_related(template, "rendered from here"),
            None => problem,
        }
    }

    /// Puts a problem at the place that decides a field, with the template line behind it.
    pub(super) fn at_field(&self, problem: Diagnostic, field: &Field) -> Diagnostic {
        match self.builds.place(field.place()) {
            Some(place) => self.at(problem, &place, ""),
            None => problem,
        }
    }

    /// Returns a place without its text where that may hold a secret in the open.
    fn veiled(&self, place: &Place) -> Place {
        let source = &place.source;
        let file = self.files.get(source.path.as_str());
        let has_secret = source.text.contains("kind: Secret")
            && file.is_none_or(|file| {
                let mut documents = file.documents.iter();
                documents.any(|one| !SecretManifest::all(&one.root).is_empty())
            });
        if source.sensitive || !has_secret {
            return place.clone();
        }
        let hidden = Source::sensitive(source.path.as_str(), source.text.as_ref());
        Place::new(&hidden, place.span)
    }

    /// Returns the template place behind a place of an output.
    pub(super) fn template(&self, place: &Place) -> Option<Place> {
        let file = self.files.get(place.source.path.as_str())?;
        Arc::ptr_eq(&file.source, &place.source)
            .then(|| file.template_place(place.span.start))
            .flatten()
    }

    /// Returns the documents of a manifest, in YAML or in JSON; a file is one by its name, or because a
    /// kustomization lists it.
    pub(super) fn documents<'f>(&self, file: &'f File) -> Cow<'f, [yaml::Document]> {
        let is_parsed = file.is_yaml() || !file.documents.is_empty();
        if is_parsed || !(file.path.ends_with(".json") || self.is_listed(&file.path)) {
            return Cow::Borrowed(file.documents.as_slice());
        }
        Cow::Owned(yaml::load(&file.source.text).unwrap_or_default())
    }

    fn is_listed(&self, path: &str) -> bool {
        let path = self.builds.files.path_of_output(path);
        let kustomizations = self.builds.kustomizations.values();
        kustomizations
            .flat_map(|found| &found.references)
            .any(|found| found.role == PathRole::Resource && found.path.as_deref() == Some(&*path))
    }

    /// Returns the cluster that an object goes to, as an index of the roots; `None` where no root reaches it.
    pub(super) fn root_of(&self, object: &AppliedObject) -> Option<usize> {
        self.builds.applied.build_of(object).root
    }

    /// Lists the objects of a group and kind, each once for a cluster even if several builds take it in.
    pub(super) fn unique_objects(&self, group: &str, kind: &str) -> Vec<&AppliedObject> {
        let mut seen = BTreeSet::new();
        let objects = self.builds.objects();
        objects
            .filter(|object| object.is(group, kind))
            .filter(|object| seen.insert((self.root_of(object), object.key())))
            .collect()
    }

    /// Returns whether the kustomization of a folder of the tree is rendered.
    pub(super) fn is_rendered_folder(&self, folder: &str) -> bool {
        let kustomization = self.builds.kustomizations.get(folder);
        kustomization.is_some_and(|found| self.files.contains_key(found.file.path.as_str()))
    }
}

/// Returns whether a text holds a variable that is not seen, so that it cannot be judged here.
pub(super) fn is_substituted(text: &str) -> bool {
    text.contains("${")
}

/// Returns whether a file's objects reach the cluster as plain text of the repository.
pub(super) fn is_open(file: &File) -> bool {
    !file.is_secret()
}

/// Names an object as messages do: `HelmRelease/network/echo`.
pub(super) fn object_label(object: &AppliedObject) -> String {
    label_of(object.kind(), &object.key())
}

/// Names what may be an object, as messages do.
pub(super) fn label_of(kind: &str, key: &ObjectKey) -> String {
    if key.namespace.is_empty() {
        format!("{kind}/{}", key.name)
    } else {
        format!("{kind}/{key}")
    }
}
