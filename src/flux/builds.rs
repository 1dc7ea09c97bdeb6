//! What Flux builds of a tree, as the stages that judge files see it: which written object is applied in which build,
//! under which name and in which namespace.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;

use super::applied_object::{AppliedObject, BuildStart};
use super::applied_objects::AppliedObjects;
use super::finding::place_in;
use super::follow::{FollowOptions, follow};
use super::kustomization_file::Kustomization;
use super::tree_files::TreeFiles;
use crate::source::{Place, Span};
use crate::tree::object::Object;
use crate::yaml::Node;

/// Where the namespace of an object comes from.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// The field that says so: of the object, of a kustomization, or `targetNamespace`.
    pub place: Place,
}

/// An object that is written in a file, as a build applies it.
#[derive(Clone, Debug)]
pub struct Member<'t> {
    /// The object as it is written.
    pub object: Object<'t>,
    /// The name it gets.
    pub name: String,
    /// The namespace it gets; `None` for a kind without one, or where nothing says which.
    pub namespace: Option<Namespace>,
    /// The index of its build.
    pub build: usize,
    /// Its index in [`AppliedObjects::objects`]; `None` for one that no build has.
    pub applied: Option<usize>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The path of a sync.
    Sync,
    /// A Flux Kustomization.
    Kustomization,
    /// Nothing: a kustomization that no root reaches.
    Unreached,
    /// Files that no kustomization lists.
    Loose,
}

/// One run of kustomize over a folder.
#[derive(Clone, Debug)]
pub struct Build {
    /// What started it.
    pub start: Start,
    /// The folder, in the tree; empty for its root.
    pub folder: String,
    /// Whether Flux gets here from where it starts.
    pub reached: bool,
    /// Whether kustomize or Flux refuses it or passes over a part of it, so that members are missing.
    pub refused: bool,
}

/// All builds of a tree, and what is written in it.
pub struct Builds<'t> {
    /// The files.
    pub files: &'t TreeFiles<'t>,
    /// What Flux applies.
    pub applied: AppliedObjects,
    /// The builds: those of [`AppliedObjects::builds`], then the one of loose files.
    pub builds: Vec<Build>,
    /// The members of all builds of this cluster, in their order; an object is here once for every time it is applied.
    pub members: Vec<Member<'t>>,
    /// The kustomizations, by folder.
    pub kustomizations: BTreeMap<&'t str, Kustomization<'t>>,
    /// The folders that something says Flux starts from.
    pub roots: BTreeSet<String>,
    /// The paths of the files that some build takes in.
    pub used: BTreeSet<String>,
}

impl<'t> Builds<'t> {
    /// Follows Flux through a tree, as it is by default.
    pub fn of(files: &'t TreeFiles<'t>) -> Self {
        Self::following(files, &FollowOptions::default())
    }

    /// Follows Flux through a tree.
    pub fn following(files: &'t TreeFiles<'t>, options: &FollowOptions<'_>) -> Self {
        let applied = follow(files, options);
        let told = applied.roots.iter().filter(|root| root.source.is_some());
        let mut builds = Self {
            files,
            builds: Vec::new(),
            members: Vec::new(),
            kustomizations: Kustomization::all(files),
            roots: told.map(|root| root.folder.clone()).collect(),
            used: BTreeSet::new(),
            applied,
        };
        builds.take_builds();
        builds.take_members();
        builds.take_loose();
        builds
    }

    /// Returns whether a kustomization takes a member in, so that something deploys it.
    pub fn takes_in(&self, member: &Member<'_>) -> bool {
        self.builds[member.build].start != Start::Loose
    }

    /// Lists the members of a group and kind.
    pub fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &Member<'t>> {
        self.members
            .iter()
            .filter(move |member| member.object.is(group, kind))
    }

    /// Returns the object of a member as Flux applies it; `None` for one that no build has.
    pub fn applied(&self, member: &Member<'_>) -> Option<&AppliedObject> {
        self.applied.objects.get(member.applied?)
    }

    /// Returns the Flux Kustomization that starts the build of a member, as it is applied.
    pub fn owner(&self, member: &Member<'_>) -> Option<&Field> {
        self.applied.builds.get(member.build)?.kustomization()
    }

    /// Lists the objects that Flux applies to the clusters that it starts in; where nothing says that it starts
    /// anywhere, those of all kustomizations.
    pub fn objects(&self) -> impl Iterator<Item = &AppliedObject> {
        let applied = &self.applied;
        let here = |object: &&AppliedObject| {
            let build = applied.build_of(object);
            !build.elsewhere && (build.is_reached() || applied.roots.is_empty())
        };
        applied.objects.iter().filter(here)
    }

    fn take_builds(&mut self) {
        for build in &self.applied.builds {
            let refused = build.refused || build.is_partial;
            self.builds.push(Build {
                start: match &build.start {
                    BuildStart::Sync => Start::Sync,
                    BuildStart::Kustomization(_) => Start::Kustomization,
                    BuildStart::Unreached => Start::Unreached,
                },
                folder: build.folder.clone(),
                reached: build.is_reached(),
                refused,
            });
            self.used.extend(build.files.iter().cloned());
            if refused {
                // Nobody can tell what of the folder it would have taken in.
                let below = self.files.below(&build.folder);
                self.used.extend(below.map(str::to_owned));
            }
        }
    }

    fn take_members(&mut self) {
        for (index, applied) in self.applied.objects.iter().enumerate() {
            let build = self.applied.build_of(applied);
            if build.elsewhere {
                continue;
            }
            let Some(object) = self.written(&applied.field) else {
                continue;
            };
            // What lies about in the repository and reaches no cluster is nobody's here.
            let is_own = || self.files.is_rendered(&applied.place().file.path);
            if !build.is_reached() && !is_own() {
                continue;
            }
            let key = applied.key();
            let namespace = applied
                .field
                .find(&["metadata", "namespace"])
                .filter(|_| !key.namespace.is_empty() && object.is_namespaced());
            let namespace = namespace.map(|field| Namespace {
                name: key.namespace.clone(),
                place: place_in(&[self.files], field.place())
                    .unwrap_or_else(|| object.name_place()),
            });
            self.members.push(Member {
                object,
                name: key.name,
                namespace,
                build: applied.build,
                applied: Some(index),
            });
        }
    }

    /// Finds the object in a file from which a build took an applied one.
    fn written(&self, applied: &Field) -> Option<Object<'t>> {
        let place = applied.place();
        let file = self.files.file(&place.file.path)?;
        let document = &file.documents().ok()?.get(place.document)?.root;
        let root = find_object(document, place.span)?;
        Some(Object {
            file: self.files.output(&place.file.path)?,
            document: place.document,
            root,
        })
    }

    /// Puts the rendered objects that no build has into a build of their own.
    fn take_loose(&mut self) {
        let build = self.builds.len();
        let loose = self.files.rendered();
        let loose = loose.filter(|(path, _)| !self.used.contains(*path));
        let members: Vec<Member<'t>> = loose
            .flat_map(|(_, file)| Object::of(file))
            .map(|object| loose_member(object, build))
            .collect();
        if !members.is_empty() {
            self.builds.push(Build {
                start: Start::Loose,
                folder: String::new(),
                reached: false,
                refused: false,
            });
            self.members.extend(members);
        }
    }
}

fn loose_member(object: Object<'_>, build: usize) -> Member<'_> {
    let declared = object.declared_namespace();
    Member {
        object,
        name: object.name().to_owned(),
        namespace: declared
            .filter(|_| object.is_namespaced())
            .map(|name| Namespace {
                name: name.to_owned(),
                place: object.value_place("metadata.namespace"),
            }),
        build,
        applied: None,
    }
}

/// Finds the object of exactly these bytes: a document, or an item of a list.
fn find_object(document: &Node, span: Span) -> Option<&Node> {
    let mut lists = vec![document];
    while let Some(node) = lists.pop() {
        if node.span == span {
            return Some(node);
        }
        let holds = |item: &&Node| item.span.start <= span.start && span.end <= item.span.end;
        let items = node.get("items").and_then(Node::items).unwrap_or_default();
        lists.extend(items.iter().filter(holds));
    }
    None
}
