//! From where Flux starts to the objects that it applies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kustomize::{Field, Files, Place, SourceFile, TargetNote, join};
use rayon::prelude::*;

use super::applied_object::{
    AppliedObject, BuildStart, KustomizationBuild, ObjectKey, is_of, key_of,
};
use super::applied_objects::{AppliedObjects, AppliedTarget};
use super::artifact::{ArtifactFiles, ArtifactPlan, ArtifactView};
use super::build_memory::{BuildMemory, BuiltObject, FolderBuild, ObjectFinish};
use super::finding::{FluxProblem, UnseenPart};
use super::generated::{find_file, generate};
use super::recorded_files::RecordedFiles;
use super::resource_set;
use super::roots::{KUSTOMIZE_GROUP, find_roots};
use super::source_reference::SourceReference;
use super::substitution::SubstitutionProblem;
use super::tree_files::TreeFiles;
use super::variables::{ValueSource, VariableProblem, Variables, substitute_from};
use crate::flux::codes;
use crate::source::Span;

/// How to follow Flux.
#[derive(Default)]
pub struct FollowOptions<'o> {
    /// The folders to start from; empty for those that the tree tells of itself.
    pub roots: Vec<String>,
    /// Whether a variable that nothing gives is passed over as empty, as before Flux 2.9.
    pub lenient: bool,
    /// Other sources at hand.
    pub sources: BTreeMap<SourceReference, TreeFiles<'o>>,
    /// ConfigMaps and Secrets that lie outside of git, with their values.
    pub outside: Vec<Field>,
    /// Whether values of Secrets among them are filled in, and so stand in objects; else only their names are known.
    pub fills_in_secrets: bool,
}

impl FollowOptions<'_> {
    /// Flux as it is by default, with nothing but the tree.
    pub const STRICT: Self = Self {
        roots: Vec::new(),
        lenient: false,
        sources: BTreeMap::new(),
        outside: Vec::new(),
        fills_in_secrets: false,
    };
}

/// Follows Flux through a tree.
pub fn follow(files: &TreeFiles<'_>, options: &FollowOptions<'_>) -> AppliedObjects {
    follow_again(files, options, &BuildMemory::default())
}

/// Follows Flux through a tree, and builds only what is not in memory.
pub fn follow_again(
    files: &TreeFiles<'_>,
    options: &FollowOptions<'_>,
    memory: &BuildMemory,
) -> AppliedObjects {
    let mut applied = AppliedObjects {
        roots: find_roots(files, &options.roots),
        ..AppliedObjects::default()
    };
    for root in 0..applied.roots.len() {
        Follower::new(files, options, memory, &mut applied, root).run();
    }
    build_unreached(files, memory, &mut applied);
    applied
}

/// A build whose objects are not known yet.
struct PendingBuild {
    start: BuildStart,
    owner: ObjectKey,
    parent: Option<usize>,
    suspended: bool,
    elsewhere: bool,
    place: Place,
    built: Option<BuiltFolder>,
}

/// A folder after kustomize, before the variables.
struct BuiltFolder {
    folder: String,
    build: Arc<FolderBuild>,
    problems: Vec<FluxProblem>,
    /// What Flux passes over where kustomize would refuse it.
    passed_over: Vec<FluxProblem>,
    /// What Flux takes and nobody means.
    remark: Option<FluxProblem>,
    unseen: Vec<(String, String, Place)>,
    /// The files that `flux bootstrap` will write.
    awaited: Vec<(String, Place)>,
    files: BTreeSet<String>,
    /// The targets of patches and replacements.
    targets: Vec<TargetNote>,
}

impl BuiltFolder {
    fn nothing(folder: String) -> Self {
        Self {
            folder,
            build: Arc::default(),
            problems: Vec::new(),
            passed_over: Vec::new(),
            remark: None,
            unseen: Vec::new(),
            awaited: Vec::new(),
            files: BTreeSet::new(),
            targets: Vec::new(),
        }
    }
}

/// Where the files of a source are.
enum SourceFiles<'s> {
    Tree,
    Given(&'s TreeFiles<'s>),
    Artifact(&'s ArtifactFiles),
    /// They are not known yet, or nobody has them.
    Unknown,
}

struct Follower<'a, 'f> {
    files: &'a TreeFiles<'f>,
    options: &'a FollowOptions<'a>,
    memory: &'a BuildMemory,
    applied: &'a mut AppliedObjects,
    root: usize,
    pending: Vec<PendingBuild>,
    started: BTreeSet<ObjectKey>,
    /// What is applied so far, and gives variables.
    values: BTreeMap<(String, ObjectKey), ValueSource>,
    /// What something in the cluster makes: Secrets of an `ExternalSecret`.
    produced: BTreeSet<(String, ObjectKey)>,
    plans: Vec<ArtifactPlan>,
    artifacts: BTreeMap<ObjectKey, ArtifactFiles>,
    /// The sources that are defined in the tree, with their URLs.
    sources: BTreeMap<SourceReference, Option<String>>,
}

impl<'a, 'f> Follower<'a, 'f> {
    fn new(
        files: &'a TreeFiles<'f>,
        options: &'a FollowOptions<'a>,
        memory: &'a BuildMemory,
        applied: &'a mut AppliedObjects,
        root: usize,
    ) -> Self {
        let outside = options
            .outside
            .iter()
            .filter_map(|object| ValueSource::given(object, options.fills_in_secrets));
        Self {
            files,
            options,
            memory,
            root,
            pending: Vec::new(),
            started: BTreeSet::new(),
            values: outside
                .map(|(kind, key, source)| ((kind, key), source))
                .collect(),
            produced: BTreeSet::new(),
            plans: Vec::new(),
            artifacts: BTreeMap::new(),
            sources: BTreeMap::new(),
            applied,
        }
    }

    fn run(mut self) {
        let root = self.applied.roots[self.root].clone();
        let nowhere = Place::new(
            &SourceFile::new(root.folder.clone(), Vec::new()),
            0,
            Span::default(),
        );
        self.started.insert(root.key.clone());
        self.pending.push(PendingBuild {
            start: BuildStart::Sync,
            owner: root.key.clone(),
            parent: None,
            suspended: false,
            elsewhere: false,
            place: nowhere,
            built: None,
        });
        loop {
            self.build_pending();
            if self.finish_ready(false) {
                continue;
            }
            // A ConfigMap that the waiting builds make themselves is as good as one that is there.
            if self.take_own_values() && self.finish_ready(false) {
                continue;
            }
            if !self.finish_ready(true) {
                break;
            }
        }
        self.give_up();
    }

    /// Builds all folders whose source is at hand, side by side.
    fn build_pending(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        let this = &*self;
        pending
            .par_iter_mut()
            .filter(|build| build.built.is_none())
            .for_each(|build| build.built = this.build(build));
        self.pending = pending;
    }

    fn build(&self, pending: &PendingBuild) -> Option<BuiltFolder> {
        let flux = match &pending.start {
            BuildStart::Kustomization(object) => Some(object.as_ref()),
            BuildStart::Sync | BuildStart::Unreached => None,
        };
        let Some(flux) = flux else {
            let folder = self.applied.roots[self.root].folder.clone();
            return Some(build_folder(
                self.memory,
                self.files,
                Some(self.files),
                folder,
                None,
                &pending.place,
            ));
        };
        let written = flux.find_text(&["spec", "path"]).unwrap_or_default();
        let folder = join("", written.trim_start_matches('/'));
        match self.source_files(flux) {
            SourceFiles::Tree => {
                Some(self.build_at(self.files, Some(self.files), folder, flux, pending))
            }
            SourceFiles::Given(files) => {
                Some(self.build_at(files, Some(files), folder, flux, pending))
            }
            SourceFiles::Artifact(artifact) => {
                let view = ArtifactView {
                    tree: self.files,
                    artifact,
                };
                Some(self.build_at(&view, None, folder, flux, pending))
            }
            SourceFiles::Unknown => None,
        }
    }

    fn build_at(
        &self,
        files: &dyn Files,
        tree: Option<&TreeFiles<'_>>,
        folder: Option<String>,
        flux: &Field,
        pending: &PendingBuild,
    ) -> BuiltFolder {
        let place = flux
            .find(&["spec", "path"])
            .map_or(&pending.place, Field::place);
        let written = flux.find_text(&["spec", "path"]).unwrap_or(".");
        let is_there = folder.as_ref().is_some_and(|folder| {
            folder.is_empty() || matches!(files.entry(folder), kustomize::PathEntry::Folder)
        });
        match folder {
            Some(folder) if is_there => {
                build_folder(self.memory, files, tree, folder, Some(flux), place)
            }
            Some(folder) if written.contains("${") => {
                let what = format!("Kustomization/{}", pending.owner);
                let why = format!("its path `{written}` holds a variable that is not seen");
                BuiltFolder {
                    unseen: vec![(what, why, place.clone())],
                    ..BuiltFolder::nothing(folder)
                }
            }
            folder => {
                let why = folder.as_deref().zip(tree);
                let why = why.and_then(|(folder, tree)| tree.left_out(folder));
                let why = why.map_or_else(
                    || "is not in the tree".to_owned(),
                    |why| format!("Flux does not get: {why}"),
                );
                let message = format!(
                    "`Kustomization/{}` points at `{written}`, which {why}",
                    pending.owner
                );
                let problem = FluxProblem::error(&codes::FLUX_PATH, message, place);
                BuiltFolder {
                    problems: vec![match self.near(folder.as_deref().unwrap_or_default()) {
                        Some(near) => problem.with_help(format!("did you mean `./{near}`?")),
                        None => problem,
                    }],
                    ..BuiltFolder::nothing(folder.unwrap_or_default())
                }
            }
        }
    }

    fn near(&self, folder: &str) -> Option<String> {
        let near = crate::diagnostic::closest(folder, self.files.folders())?;
        (near != folder).then(|| near.to_owned())
    }

    /// Returns where the files of a Kustomization's source are.
    fn source_files(&self, flux: &Field) -> SourceFiles<'_> {
        let Some(reference) = SourceReference::of(flux) else {
            // The API server takes none without a source; what names a path means this tree.
            let path = flux.find_text(&["spec", "path"]);
            return path.map_or(SourceFiles::Unknown, |_| SourceFiles::Tree);
        };
        if let Some(files) = self.options.sources.get(&reference) {
            return SourceFiles::Given(files);
        }
        if reference.kind == "ExternalArtifact" {
            return match self.artifacts.get(&reference.key) {
                Some(artifact) => SourceFiles::Artifact(artifact),
                None => SourceFiles::Unknown,
            };
        }
        if self.is_own(&reference, flux) {
            SourceFiles::Tree
        } else {
            SourceFiles::Unknown
        }
    }

    /// Returns whether a source holds this tree.
    ///
    /// It does where it is the one of the sync, or has the same URL; where nothing says what the sync is, a source does
    /// that is defined nowhere in the tree, if the path is there.
    fn is_own(&self, reference: &SourceReference, flux: &Field) -> bool {
        let root = &self.applied.roots[self.root];
        if root.source.as_ref() == Some(reference) {
            return true;
        }
        if let Some(url) = self.sources.get(reference) {
            let same = |url: &str| Some(plain_url(url)) == root.url.as_deref().map(plain_url);
            return url.as_deref().is_some_and(same);
        }
        let written = flux.find_text(&["spec", "path"]).unwrap_or_default();
        let folder = join("", written.trim_start_matches('/'));
        folder.is_some_and(|folder| self.files.has_folder(&folder))
    }

    /// Puts the variables into the builds that have all of theirs, and starts what comes out of them.
    ///
    /// With `regardless`, the first that waits for a source is taken without it. Returns whether anything came out.
    fn finish_ready(&mut self, regardless: bool) -> bool {
        let mut came_out = false;
        let mut waiting = Vec::new();
        let mut new = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            let ready =
                pending.built.is_some() && (self.has_values(&pending) || (regardless && !came_out));
            if ready {
                came_out = true;
                new.extend(self.finish(pending));
            } else {
                waiting.push(pending);
            }
        }
        waiting.extend(new);
        self.pending = waiting;
        came_out
    }

    fn has_values(&self, pending: &PendingBuild) -> bool {
        let BuildStart::Kustomization(flux) = &pending.start else {
            return true;
        };
        substitute_from(flux).into_iter().all(|from| {
            let key = (from.kind, from.key);
            self.values.contains_key(&key) || self.produced.contains(&key)
        })
    }

    /// Takes the ConfigMaps and Secrets of builds that wait, as they are before the variables.
    fn take_own_values(&mut self) -> bool {
        let mut taken = false;
        for pending in &self.pending {
            let objects = pending
                .built
                .iter()
                .flat_map(|built| built.build.objects.iter());
            for object in objects {
                if let Some((kind, key, source)) = ValueSource::of(&object.field) {
                    let slot = self.values.entry((kind, key));
                    if let std::collections::btree_map::Entry::Vacant(slot) = slot {
                        slot.insert(source);
                        taken = true;
                    }
                }
            }
        }
        taken
    }

    fn finish(&mut self, pending: PendingBuild) -> Vec<PendingBuild> {
        let Some(built) = pending.built else {
            return Vec::new();
        };
        let index = self.applied.builds.len();
        let flux = match &pending.start {
            BuildStart::Kustomization(object) => Some(Arc::clone(object)),
            BuildStart::Sync | BuildStart::Unreached => None,
        };
        self.applied.builds.push(KustomizationBuild {
            start: pending.start,
            owner: pending.owner,
            folder: built.folder,
            root: Some(self.root),
            parent: pending.parent,
            suspended: pending.suspended,
            elsewhere: pending.elsewhere,
            files: built.files,
            refused: false,
            is_partial: !built.passed_over.is_empty(),
        });
        for (what, why, place) in built.unseen {
            self.unseen(index, what, why, String::new(), Some(place));
        }
        let targets = built.targets.into_iter();
        self.applied
            .targets
            .extend(targets.map(|note| AppliedTarget { note, build: index }));
        for (what, place) in built.awaited {
            let why = "`flux bootstrap` writes it".to_owned();
            self.unseen_values(index, what, why, String::new(), Some(place));
        }
        let mut problems = built.problems;
        let objects = match &flux {
            Some(flux) => self.finish_objects(&built.build, flux, index, &mut problems),
            None => built.build.objects.clone(),
        };
        let refused = problems
            .iter()
            .any(|problem| problem.severity == crate::diagnostic::Severity::Error);
        for problem in problems
            .into_iter()
            .chain(built.passed_over)
            .chain(built.remark)
        {
            self.applied.refuse(problem, index);
        }
        self.applied.builds[index].refused = refused;
        if refused {
            return Vec::new();
        }
        let mut new = Vec::new();
        for BuiltObject { field, way } in objects {
            new.extend(self.apply(field, way, index));
        }
        new
    }

    /// Puts the variables of a Kustomization into objects, and its common metadata onto them.
    fn finish_objects(
        &mut self,
        build: &FolderBuild,
        flux: &Field,
        index: usize,
        problems: &mut Vec<FluxProblem>,
    ) -> Vec<BuiltObject> {
        let variables = self.variables(flux, index, problems);
        let set = |key: &str| flux.find(&["spec", key]).filter(|field| !field.is_null());
        let is_substituted = set("postBuild").is_some();
        let metadata = set("commonMetadata");
        let finished = build.finished(ObjectFinish {
            variables: is_substituted.then_some(variables),
            strict: !self.options.lenient,
            metadata: metadata.cloned(),
        });
        let mut objects = Vec::new();
        for result in finished {
            match result {
                Ok(object) => objects.push(object),
                Err(found) => problems.extend(found.into_iter().map(substitution_problem)),
            }
        }
        objects
    }

    fn variables(
        &mut self,
        flux: &Field,
        index: usize,
        problems: &mut Vec<FluxProblem>,
    ) -> Variables {
        let mut variables = Variables::default();
        for from in substitute_from(flux) {
            let name = format!("{}/{}", from.kind, from.key);
            let key = (from.kind, from.key);
            if let Some(source) = self.values.get(&key) {
                variables.add_source(&name, source, &from.place);
            } else if self.produced.contains(&key) {
                variables.unseen.push((name, from.place));
            } else if !from.optional {
                variables.unseen.push((name.clone(), from.place.clone()));
                self.unseen_values(
                    index,
                    name,
                    "no build of the tree makes it, so its variables are not known".to_owned(),
                    "give its values by name: `[flux] values` in kiln.toml".to_owned(),
                    Some(from.place),
                );
            }
        }
        let own = variables.add_own(flux);
        problems.extend(own.into_iter().map(variable_problem));
        variables
    }

    fn unseen(
        &mut self,
        build: usize,
        what: String,
        why: String,
        remedy: String,
        place: Option<Place>,
    ) {
        let namespace = self.applied.builds[build]
            .kustomization()
            .and_then(|flux| flux.find_text(&["spec", "targetNamespace"]))
            .map(str::to_owned);
        self.applied.unseen.push(UnseenPart {
            what,
            why,
            remedy,
            hides_objects: true,
            namespace,
            build,
            place,
        });
    }

    /// Notes what is not seen and holds no objects.
    fn unseen_values(
        &mut self,
        build: usize,
        what: String,
        why: String,
        remedy: String,
        place: Option<Place>,
    ) {
        self.unseen(build, what, why, remedy, place);
        if let Some(part) = self.applied.unseen.last_mut() {
            part.hides_objects = false;
        }
    }

    /// Takes an object over, and returns the builds that it starts.
    fn apply(&mut self, object: Arc<Field>, way: Arc<[String]>, build: usize) -> Vec<PendingBuild> {
        let owner = &self.applied.builds[build];
        let (suspended, elsewhere) = (owner.suspended, owner.elsewhere);
        let mut new = Vec::new();
        if !elsewhere {
            self.note(&object);
            for made in resource_set::expand(&object) {
                match made {
                    Ok(made) => new.extend(self.apply(Arc::new(made), Arc::default(), build)),
                    Err(reason) => {
                        let what = format!("ResourceSet/{}", key_of(&object));
                        let place = object.place().clone();
                        self.unseen(build, what, reason, String::new(), Some(place));
                        // Its objects name their namespaces themselves.
                        if let Some(part) = self.applied.unseen.last_mut() {
                            part.namespace = None;
                        }
                    }
                }
            }
            if is_of(&object, KUSTOMIZE_GROUP, "Kustomization") {
                new.extend(self.start(&object, build, suspended));
            }
        }
        self.applied.objects.push(AppliedObject {
            field: object,
            way,
            build,
        });
        new
    }

    /// Keeps what an object gives to others.
    fn note(&mut self, object: &Field) {
        if let Some((kind, key, source)) = ValueSource::of(object) {
            self.values.insert((kind, key), source);
            return;
        }
        for plan in ArtifactPlan::read(object) {
            self.plans.push(plan);
        }
        let key = key_of(object);
        let kind = object.find_text(&["kind"]).unwrap_or_default();
        match kind {
            "ExternalSecret" => {
                let target = object.find_text(&["spec", "target", "name"]);
                let name = target.unwrap_or(&key.name).to_owned();
                let made = ("Secret".to_owned(), ObjectKey::new(key.namespace, name));
                self.produced.insert(made);
            }
            "SealedSecret" | "VaultStaticSecret" => {
                self.produced.insert(("Secret".to_owned(), key));
            }
            "GitRepository" | "OCIRepository" | "Bucket" => {
                let url = object.find_text(&["spec", "url"]).map(str::to_owned);
                let reference = SourceReference {
                    kind: kind.to_owned(),
                    key,
                };
                self.sources.insert(reference, url);
            }
            _ => {}
        }
        self.gather_artifacts();
    }

    /// Puts the artifacts together whose sources are all this tree.
    fn gather_artifacts(&mut self) {
        for plan in std::mem::take(&mut self.plans) {
            let root = self.applied.roots[self.root].source.clone();
            let own = plan.sources().all(|source| {
                root.as_ref() == Some(source)
                    || (root.is_none() && !self.sources.contains_key(source))
                    || self.sources.get(source).is_some_and(|url| {
                        let same = self.applied.roots[self.root].url.as_deref().map(plain_url);
                        url.as_deref().map(plain_url) == same
                    })
            });
            if own {
                let paths: Vec<&str> = self.files.paths().collect();
                let files = plan.gather(&paths);
                self.artifacts.insert(plan.key.clone(), files);
            } else {
                self.plans.push(plan);
            }
        }
    }

    fn start(
        &mut self,
        object: &Arc<Field>,
        parent: usize,
        suspended: bool,
    ) -> Option<PendingBuild> {
        let owner = key_of(object);
        if !self.started.insert(owner.clone()) {
            return None;
        }
        let spec = |key: &str| object.find(&["spec", key]);
        let is_true = |key: &str| spec(key).and_then(Field::as_text) == Some("true");
        Some(PendingBuild {
            owner,
            parent: Some(parent),
            suspended: suspended || is_true("suspend"),
            elsewhere: spec("kubeConfig").is_some_and(|field| !field.is_null()),
            place: object.place().clone(),
            start: BuildStart::Kustomization(Arc::clone(object)),
            built: None,
        })
    }

    /// Names the builds whose source nobody has.
    fn give_up(mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let BuildStart::Kustomization(flux) = &pending.start else {
                continue;
            };
            let reference = SourceReference::of(flux);
            let place = flux.find(&["spec", "sourceRef"]).map(Field::place).cloned();
            let index = self.applied.builds.len();
            let what = format!("Kustomization/{}", pending.owner);
            let (why, remedy) = match &reference {
                Some(reference) => (
                    format!("its files come from `{reference}`, which is not this repository"),
                    format!("give a folder that holds them: `--source {reference}=DIR`"),
                ),
                None => ("it names no source".to_owned(), String::new()),
            };
            self.applied.builds.push(KustomizationBuild {
                start: pending.start.clone(),
                owner: pending.owner,
                folder: String::new(),
                root: Some(self.root),
                parent: pending.parent,
                suspended: pending.suspended,
                elsewhere: pending.elsewhere,
                files: BTreeSet::new(),
                refused: false,
                is_partial: false,
            });
            self.unseen(index, what, why, remedy, place);
            let known = |reference: &SourceReference| {
                self.sources.contains_key(reference) || reference.kind == "ExternalArtifact"
            };
            // What comes from a source that is nowhere is nowhere either.
            if let Some(part) = self.applied.unseen.last_mut() {
                part.hides_objects = reference.as_ref().is_some_and(known);
            }
        }
    }
}

/// Builds a folder as Flux does; without a Flux Kustomization, as the sync does.
fn build_folder(
    memory: &BuildMemory,
    files: &dyn Files,
    tree: Option<&TreeFiles<'_>>,
    folder: String,
    flux: Option<&Field>,
    cause: &Place,
) -> BuiltFolder {
    let recorded = RecordedFiles::new(files);
    let generated = generate(&recorded, &folder, flux, cause);
    let of_build = |problem| FluxProblem::of_build(problem, &folder, tree);
    let mut problems: Vec<FluxProblem> = generated.problems.into_iter().map(of_build).collect();
    let passed_over = generated.ignored.iter().map(|(key, place)| {
        let message =
            format!("kustomize knows no key `{key}`, and Flux passes over it without a word");
        FluxProblem::error(&codes::KUSTOMIZATION_UNKNOWN_KEY, message, place)
            .with_help("nothing that is listed below it is deployed: mend the key, or remove it")
    });
    let passed_over = passed_over.collect();
    let is_empty = generated.is_empty && generated.ignored.is_empty();
    let remark = is_empty.then(|| {
        let message = "the kustomization lists nothing, so Flux applies nothing of the folder";
        FluxProblem::warning(
            &codes::KUSTOMIZATION_EMPTY,
            message,
            generated.field.place(),
        )
        .with_help("list what is to be applied, or remove the Kustomization with the folder")
    });
    let build = if problems.is_empty() {
        memory.build(files, &folder, &generated.field)
    } else {
        Arc::default()
    };
    let of_generated = recorded.into_answers();
    let asked = [&of_generated, &build.answers];
    let read: BTreeSet<String> = asked
        .iter()
        .flat_map(|answers| answers.read().map(str::to_owned))
        .collect();
    let awaited: BTreeSet<&str> = asked.iter().flat_map(|answers| answers.awaited()).collect();
    problems.extend(build.findings.problems.iter().cloned().map(of_build));
    let not_seen = build.findings.not_seen.iter().cloned();
    let unseen = not_seen.map(|unseen| (unseen.what, unseen.why, unseen.place));
    // What `flux bootstrap` writes may hold the objects of all others.
    let is_complete = awaited.is_empty() && !read.iter().any(|path| is_placeholder(tree, path));
    let targets = build.findings.targets.iter();
    let targets = targets.filter(|target| target.matched || is_complete);
    let place = generated.field.place();
    let awaited = awaited.into_iter();
    BuiltFolder {
        problems,
        passed_over,
        remark,
        unseen: unseen.collect(),
        awaited: awaited
            .map(|path| (path.to_owned(), place.clone()))
            .collect(),
        targets: targets.cloned().collect(),
        files: read,
        folder,
        build,
    }
}

/// Returns whether a file is there for `flux bootstrap` to fill, with nothing but a comment in it.
fn is_placeholder(tree: Option<&TreeFiles<'_>>, path: &str) -> bool {
    if !path.ends_with("gotk-components.yaml") {
        return false;
    }
    let file = tree.and_then(|tree| tree.file(path));
    let documents = file.and_then(|file| file.documents().ok());
    documents.is_some_and(|documents| {
        let mut documents = documents.iter();
        documents.all(|document| document.root.entries().is_none())
    })
}

/// Builds the folders with a kustomization that no root reaches, so that they can be looked at.
fn build_unreached(files: &TreeFiles<'_>, memory: &BuildMemory, applied: &mut AppliedObjects) {
    let read: BTreeSet<&String> = applied
        .builds
        .iter()
        .flat_map(|build| &build.files)
        .collect();
    let mut lost = Vec::new();
    for folder in files.folders().chain([""]) {
        let Some(file) = find_file(files, folder) else {
            continue;
        };
        let root = file
            .documents()
            .ok()
            .and_then(|documents| documents.first());
        let is_component =
            root.is_some_and(|document| document.root.find_text("kind") == Some("Component"));
        if !is_component && !read.contains(&file.path) {
            lost.push((folder.to_owned(), Place::new(&file, 0, Span::default())));
        }
    }
    let mut built: Vec<BuiltFolder> = lost
        .into_par_iter()
        .map(|(folder, place)| build_folder(memory, files, Some(files), folder, None, &place))
        .collect();
    // A folder that another lost one lists is part of that one.
    let within: BTreeSet<String> = built
        .iter()
        .flat_map(|outer| {
            let own = find_file(files, &outer.folder).map(|file| file.path.clone());
            outer
                .files
                .iter()
                .filter(move |path| Some(*path) != own.as_ref())
        })
        .cloned()
        .collect();
    built.retain(|inner| {
        find_file(files, &inner.folder).is_some_and(|file| !within.contains(&file.path))
    });
    for folder in built {
        let index = applied.builds.len();
        // Nobody knows whether Flux or kustomize is to build it, and kustomize takes no key that it does not know.
        let refused = !(folder.problems.is_empty() && folder.passed_over.is_empty());
        applied.builds.push(KustomizationBuild {
            start: BuildStart::Unreached,
            owner: ObjectKey::default(),
            folder: folder.folder,
            root: None,
            parent: None,
            suspended: false,
            elsewhere: false,
            files: folder.files,
            refused,
            is_partial: false,
        });
        let targets = folder.targets.into_iter();
        applied
            .targets
            .extend(targets.map(|note| AppliedTarget { note, build: index }));
        if !refused {
            let objects = folder.build.objects.iter().cloned();
            let objects = objects.map(|BuiltObject { field, way }| AppliedObject {
                field,
                way,
                build: index,
            });
            applied.objects.extend(objects);
        }
        for problem in folder.problems.into_iter().chain(folder.passed_over) {
            applied.refuse(problem, index);
        }
        // Where nothing says that Flux starts anywhere, every folder may be a part of the cluster.
        if applied.roots.is_empty() {
            let unseen = folder.unseen.into_iter();
            applied
                .unseen
                .extend(unseen.map(|part| unreached_part(part, index)));
        }
    }
}

/// Takes what is not seen of a folder that no root reaches.
fn unreached_part((what, why, place): (String, String, Place), build: usize) -> UnseenPart {
    UnseenPart {
        what,
        why,
        remedy: String::new(),
        hides_objects: true,
        namespace: None,
        build,
        place: Some(place),
    }
}

/// Returns a URL without what makes no difference.
fn plain_url(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url)
}

fn variable_problem(problem: VariableProblem) -> FluxProblem {
    match problem {
        VariableProblem::Name(name, place) => FluxProblem::error(
            &codes::VARIABLE_MALFORMED,
            format!("`{name}` is no name of a variable"),
            &place,
        )
        .with_help("take letters, digits and `_`, and no digit first"),
        VariableProblem::NotText(name, place) => FluxProblem::error(
            &codes::VARIABLE_MALFORMED,
            format!("the variable `{name}` has a value that is no text, and the API server takes only texts"),
            &place,
        )
        .with_help("put the value into quotes"),
    }
}

fn substitution_problem(problem: SubstitutionProblem) -> FluxProblem {
    match problem {
        SubstitutionProblem::Undefined(name, place) => FluxProblem::error(
            &codes::VARIABLE_UNDEFINED,
            format!("nothing gives the variable `{name}` a value, and Flux refuses the whole build"),
            &place,
        )
        .with_help(format!(
            "set it in `postBuild`, give it a default (`${{{name}:=value}}`), or write `$${{{name}}}` where the shell is meant"
        )),
        SubstitutionProblem::Malformed(message, place) => {
            FluxProblem::error(&codes::VARIABLE_MALFORMED, message, &place)
                .with_help("write `$${…}` where no variable of Flux' is meant")
        }
        SubstitutionProblem::NotYaml(message, place) => FluxProblem::error(
            &codes::VARIABLE_MALFORMED,
            format!("with its variables filled in, the object is no YAML: {message}"),
            &place,
        )
        .with_help("put the value that holds the variable into quotes"),
    }
}
