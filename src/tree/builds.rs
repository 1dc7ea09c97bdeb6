//! How kustomize and Flux put a tree together: which object ends up in which build and namespace.
//!
//! Flux starts at the path that its `FluxInstance` syncs, and builds what the Flux Kustomizations it
//! finds there point at, and so on. A folder without a `kustomization.yaml` is taken whole, as the
//! kustomize-controller does. What nothing reaches is built where it stands, so that a tree without
//! Flux, or with a hole, can still be looked at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::Place;
use crate::yaml::Node;

use super::File;
use super::kustomization::{Kustomization, Use, join, split};
use super::object::Object;

const FLUX_KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";

/// Where the namespace of an object comes from.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// The field that says so: of the object, of a kustomization, or `targetNamespace`.
    pub place: Place,
}

/// An object in a build.
#[derive(Clone, Debug)]
pub struct Member<'t> {
    /// The object.
    pub object: Object<'t>,
    /// The name it gets; differs from the one written only for a Namespace.
    pub name: String,
    /// The namespace it gets; `None` for a kind without one, or where nothing says which.
    pub namespace: Option<Namespace>,
    /// The index of its build.
    pub build: usize,
}

impl Member<'_> {
    /// Returns the name of the namespace, empty when there is none.
    pub fn namespace_name(&self) -> &str {
        self.namespace
            .as_ref()
            .map_or("", |namespace| &namespace.name)
    }

    /// Names it as messages do: `HelmRelease/network/echo`.
    pub fn label(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}/{}/{}", self.object.kind(), namespace.name, self.name),
            None => format!("{}/{}", self.object.kind(), self.name),
        }
    }
}

/// What started a build.
#[derive(Clone, Debug)]
pub enum Start<'t> {
    /// The path that a `FluxInstance` syncs, or a folder that nothing points at.
    Folder,
    /// A Flux Kustomization.
    Flux(Object<'t>),
    /// Files that no kustomization lists.
    Loose,
}

/// One run of kustomize over a folder.
#[derive(Clone, Debug)]
pub struct Build<'t> {
    /// What started it.
    pub start: Start<'t>,
    /// The folder; empty for the tree's root.
    pub folder: String,
    /// Whether Flux gets here from where it starts.
    pub reached: bool,
}

/// All builds of a tree.
#[derive(Clone, Debug)]
pub struct Builds<'t> {
    /// The builds, in the order found.
    pub builds: Vec<Build<'t>>,
    /// The members of all builds, in the order found; an object is here once for every build.
    pub members: Vec<Member<'t>>,
    /// The kustomizations, by folder.
    pub kustomizations: BTreeMap<&'t str, Kustomization<'t>>,
    /// The folders that Flux starts from.
    pub roots: BTreeSet<String>,
    /// The paths of the files that some build takes in.
    pub used: BTreeSet<&'t str>,
}

impl<'t> Builds<'t> {
    /// Follows the builds of a tree's files.
    pub fn of(files: impl Iterator<Item = &'t File>) -> Self {
        let files: BTreeMap<&str, &File> = files.map(|file| (file.path.as_str(), file)).collect();
        let mut finder = Finder {
            builds: Self {
                builds: Vec::new(),
                members: Vec::new(),
                kustomizations: Kustomization::all(files.values().copied()),
                roots: BTreeSet::new(),
                used: BTreeSet::new(),
            },
            files,
            queue: VecDeque::new(),
            started: BTreeSet::new(),
        };
        finder.run();
        finder.builds
    }

    /// Returns whether a kustomization takes a member in, so that something deploys it.
    pub fn takes_in(&self, member: &Member<'_>) -> bool {
        !matches!(self.builds[member.build].start, Start::Loose)
    }

    /// Lists the members of a group and kind.
    pub fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &Member<'t>> {
        self.members
            .iter()
            .filter(move |member| member.object.is(group, kind))
    }
}

/// Returns the folder that a Flux Kustomization builds, if it lies in this tree.
///
/// Only the repository's own source counts: the one that the `FluxInstance` makes, by the name
/// `flux-system`. Any other source holds other files.
pub fn own_path(object: Object<'_>) -> Option<String> {
    let own = object
        .text("spec.sourceRef.name")
        .is_none_or(|name| name == "flux-system");
    own.then(|| {
        join(
            "",
            object
                .text("spec.path")
                .unwrap_or(".")
                .trim_start_matches('/'),
        )
    })
    .flatten()
}

struct Finder<'t> {
    builds: Builds<'t>,
    files: BTreeMap<&'t str, &'t File>,
    queue: VecDeque<Build<'t>>,
    started: BTreeSet<(&'t str, usize)>,
}

impl<'t> Finder<'t> {
    fn run(&mut self) {
        for folder in self.synced() {
            self.builds.roots.insert(folder.clone());
            self.enqueue(Start::Folder, folder, true);
        }
        self.drain();
        self.start_unreached_kustomizations();
        self.collect_loose();
        self.drain();
    }

    /// Lists the folders that a `FluxInstance` syncs, as objects or as values of their chart.
    fn synced(&self) -> BTreeSet<String> {
        let path = |object: Object<'t>| match object.kind() {
            "FluxInstance" => object.text("spec.sync.path"),
            "HelmRelease" => object.text("spec.values.instance.sync.path"),
            _ => None,
        };
        self.files
            .values()
            .flat_map(|file| Object::of(file))
            .filter_map(|object| join("", path(object)?.trim_start_matches('/')))
            .filter(|folder| self.has_files(folder))
            .collect()
    }

    fn has_files(&self, folder: &str) -> bool {
        !self.below(folder).is_empty()
    }

    fn below(&self, folder: &str) -> Vec<&'t File> {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        self.files
            .range(prefix.as_str()..)
            .take_while(|(path, _)| path.starts_with(&prefix))
            .map(|(_, file)| *file)
            .collect()
    }

    fn enqueue(&mut self, start: Start<'t>, folder: String, reached: bool) {
        self.queue.push_back(Build {
            start,
            folder,
            reached,
        });
    }

    fn drain(&mut self) {
        while let Some(build) = self.queue.pop_front() {
            let mut members = self.build(&build.folder);
            if let Start::Flux(owner) = build.start {
                members.extend(self.components(owner, &build.folder));
            }
            self.finish(build, members);
        }
    }

    /// Takes in a build and queues the builds that its Flux Kustomizations start.
    fn finish(&mut self, build: Build<'t>, mut members: Vec<Member<'t>>) {
        if let Start::Flux(owner) = &build.start
            && let Some(node) = owner.find("spec.targetNamespace")
        {
            let place = Place::new(&owner.file.source, node.span);
            transform(&mut members, node.text().unwrap_or_default(), &place);
        }
        let index = self.builds.builds.len();
        let reached = build.reached;
        self.builds.builds.push(build);
        for mut member in members {
            member.build = index;
            let object = member.object;
            self.builds.used.insert(object.file.path.as_str());
            self.builds.members.push(member);
            let is_new = object.is(FLUX_KUSTOMIZE, "Kustomization")
                && self
                    .started
                    .insert((object.file.path.as_str(), object.document));
            if let Some(folder) = is_new.then(|| own_path(object)).flatten() {
                self.enqueue(Start::Flux(object), folder, reached);
            }
        }
    }

    /// Starts at kustomizations that no build came by and no other kustomization lists.
    fn start_unreached_kustomizations(&mut self) {
        let listed: BTreeSet<String> = self
            .builds
            .kustomizations
            .values()
            .flat_map(|found| &found.references)
            .filter_map(|reference| reference.path.clone())
            .collect();
        let folders: Vec<String> = self
            .builds
            .kustomizations
            .values()
            .filter(|found| !found.component && !listed.contains(found.folder))
            .map(|found| found.folder.to_owned())
            .collect();
        // Those that hold Flux Kustomizations first, since they start the builds of others.
        for flux_first in [true, false] {
            for folder in &folders {
                if self.builds.used.contains(
                    self.builds.kustomizations[folder.as_str()]
                        .file
                        .path
                        .as_str(),
                ) {
                    continue;
                }
                let before = self.builds.used.clone();
                let members = self.build(folder);
                let has_flux = members
                    .iter()
                    .any(|member| member.object.is(FLUX_KUSTOMIZE, "Kustomization"));
                if has_flux || !flux_first {
                    let build = Build {
                        start: Start::Folder,
                        folder: folder.clone(),
                        reached: false,
                    };
                    self.finish(build, members);
                    self.drain();
                } else {
                    self.builds.used = before;
                }
            }
        }
    }

    /// Puts the objects that no build has into one of their own.
    fn collect_loose(&mut self) {
        let members: Vec<Member<'t>> = self
            .files
            .values()
            .filter(|file| !self.builds.used.contains(file.path.as_str()))
            .flat_map(|file| members_of(file))
            .collect();
        if !members.is_empty() {
            let build = Build {
                start: Start::Loose,
                folder: String::new(),
                reached: false,
            };
            self.finish(build, members);
        }
    }

    /// Builds the components that a Flux Kustomization adds to the folder that it builds.
    ///
    /// The namespace of the folder's own kustomization holds for them too: Flux writes them into that.
    fn components(&mut self, owner: Object<'t>, folder: &str) -> Vec<Member<'t>> {
        let listed = owner.find("spec.components").and_then(Node::items);
        let paths = listed.unwrap_or_default().iter().filter_map(Node::text);
        let folders = paths.filter_map(|path| join(folder, path));
        let folders: Vec<String> = folders.collect();
        let mut members = Vec::new();
        for component in folders {
            members.extend(self.kustomize(&component, &mut Vec::new()));
        }
        let own = self.builds.kustomizations.get(folder);
        if let Some((name, place)) = own.and_then(|found| found.namespace.clone()) {
            transform(&mut members, name, &place);
        }
        members
    }

    /// Builds a folder: its kustomization, or everything below it.
    fn build(&mut self, folder: &str) -> Vec<Member<'t>> {
        if self.builds.kustomizations.contains_key(folder) {
            return self.kustomize(folder, &mut Vec::new());
        }
        let mut members = Vec::new();
        let mut entered = BTreeSet::new();
        for file in self.below(folder) {
            match self.nested_kustomization(folder, &file.path) {
                Some(inner) => {
                    if entered.insert(inner.clone()) {
                        members.extend(self.kustomize(&inner, &mut Vec::new()));
                    }
                }
                None => members.extend(members_of(file)),
            }
        }
        members
    }

    /// Returns the outermost folder with a kustomization between a folder and a file below it.
    fn nested_kustomization(&self, folder: &str, path: &str) -> Option<String> {
        let (own, _) = split(path);
        let rest = own.strip_prefix(folder)?.trim_start_matches('/');
        let mut inner = folder.to_owned();
        for part in rest.split('/').filter(|part| !part.is_empty()) {
            if !inner.is_empty() {
                inner.push('/');
            }
            inner.push_str(part);
            if self.builds.kustomizations.contains_key(inner.as_str()) {
                return Some(inner);
            }
        }
        None
    }

    fn kustomize(&mut self, folder: &str, stack: &mut Vec<String>) -> Vec<Member<'t>> {
        let Some(kustomization) = self.builds.kustomizations.get(folder).cloned() else {
            return Vec::new();
        };
        if stack.iter().any(|outer| outer == folder) {
            return Vec::new();
        }
        stack.push(folder.to_owned());
        self.builds.used.insert(&kustomization.file.path);
        let mut members = Vec::new();
        for reference in &kustomization.references {
            let Some(path) = &reference.path else {
                continue;
            };
            match (self.files.get(path.as_str()).copied(), reference.used_as) {
                (Some(file), Use::Resource) => {
                    self.builds.used.insert(file.path.as_str());
                    members.extend(members_of(file));
                }
                (Some(file), _) => {
                    self.builds.used.insert(file.path.as_str());
                }
                (None, Use::Input) => {}
                (None, _) => members.extend(self.kustomize(path, stack)),
            }
        }
        if let Some((name, place)) = &kustomization.namespace {
            transform(&mut members, name, place);
        }
        stack.pop();
        members
    }
}

fn members_of(file: &File) -> impl Iterator<Item = Member<'_>> {
    Object::of(file).map(|object| Member {
        object,
        name: object.name().to_owned(),
        namespace: object
            .declared_namespace()
            .filter(|_| object.is_namespaced())
            .map(|name| Namespace {
                name: name.to_owned(),
                place: Place::new(
                    &file.source,
                    object
                        .find("metadata.namespace")
                        .map_or_else(Default::default, |node: &Node| node.span),
                ),
            }),
        build: 0,
    })
}

/// Gives a namespace to members as kustomize does: it also renames Namespaces.
fn transform(members: &mut [Member<'_>], name: &str, place: &Place) {
    for member in members {
        if member.object.is("", "Namespace") {
            name.clone_into(&mut member.name);
        } else if member.object.is_namespaced() {
            member.namespace = Some(Namespace {
                name: name.to_owned(),
                place: place.clone(),
            });
        }
    }
}
