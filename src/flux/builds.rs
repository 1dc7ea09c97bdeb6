//! What Flux builds of a tree, as the stages that judge files see it: which written object is applied in which build,
//! under which name and in which namespace.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kustomize::Field;
use serde_json::Value;

use super::applied_object::{AppliedObject, BuildStart, ObjectKey, group_of, is_of};
use super::applied_objects::AppliedObjects;
use super::build_memory::BuildMemory;
use super::finding::place_in;
use super::follow::{FollowOptions, follow, follow_again};
use super::kustomization_file::Kustomization;
use super::open_objects::without_replaced;
use super::tree_files::TreeFiles;
use crate::source::{Place, Source, Span};
use crate::tree::File;
use crate::tree::object::{Object, is_namespaced};
use crate::yaml::{Node, Route, Step};

/// Where the namespace of an object comes from.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// The field that says so: of the object, of a kustomization, or `targetNamespace`.
    pub place: Place,
}

/// Takes what replacements copied from Secrets out of all objects but Secrets: a rule quotes what it judges.
fn hide_replaced_secrets(applied: &mut AppliedObjects) {
    for object in &mut applied.objects {
        if is_of(&object.field, "", "Secret") {
            continue;
        }
        if let Cow::Owned(open) = without_replaced(&object.field) {
            object.field = Arc::new(open);
        }
    }
}

/// One of the objects that come of one written manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestUser {
    root: Option<usize>,
    /// Whether it goes to another cluster than the root's.
    elsewhere: bool,
    namespace: String,
    name: String,
}

/// One time that an object of a written manifest is applied.
pub struct ManifestUse<'b> {
    /// What tells the object from the others that come of the manifest.
    pub user: ManifestUser,
    /// The object as it is applied.
    pub object: &'b AppliedObject,
}

/// The uses of all written manifests, each by its file in the tree and its first byte.
pub type ManifestUses<'b> = BTreeMap<(&'b str, usize), Vec<ManifestUse<'b>>>;

/// An object as a build applies it.
#[derive(Clone)]
pub struct Member<'t> {
    /// The object; each field knows where it is written.
    pub field: Arc<Field>,
    /// The object as it is written; `None` for one that a generator makes.
    pub written: Option<Object<'t>>,
    files: &'t TreeFiles<'t>,
    /// The name it gets.
    pub name: String,
    /// The namespace it gets; `None` for a kind without one, or where nothing says which.
    pub namespace: Option<Namespace>,
    /// The index of its build.
    pub build: usize,
    /// The cluster that it goes to, as an index of the roots; `None` where no root reaches it.
    pub root: Option<usize>,
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
            Some(namespace) => format!("{}/{}/{}", self.kind(), namespace.name, self.name),
            None => format!("{}/{}", self.kind(), self.name),
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> &str {
        self.field.find_text(&["kind"]).unwrap_or_default()
    }

    /// Returns the API group; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.field)
    }

    /// Returns whether this is of a group and kind, in any version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        is_of(&self.field, group, kind)
    }

    /// Returns whether objects of its kind live in a namespace.
    pub fn is_namespaced(&self) -> bool {
        is_namespaced(self.kind())
    }

    /// Returns the value at a dotted route.
    pub fn find(&self, dotted: &str) -> Option<&Field> {
        self.field.find_dotted(dotted)
    }

    /// Returns the value at a route.
    pub fn at(&self, route: &Route) -> Option<&Field> {
        field_at(&self.field, route)
    }

    /// Returns the text of the scalar at a dotted route.
    pub fn text(&self, dotted: &str) -> Option<&str> {
        self.find(dotted)?.as_text()
    }

    /// Returns the value at a dotted route as JSON; null where there is none.
    pub fn value(&self, dotted: &str) -> Value {
        self.find(dotted).map_or(Value::Null, Field::to_json)
    }

    /// Returns the place of the key that a route ends in, or of its deepest ancestor that exists.
    pub fn place(&self, route: &Route) -> Place {
        self.deepest_place(route, true)
    }

    /// Returns the place of the value at a dotted route, or of its deepest ancestor that exists.
    pub fn value_place(&self, dotted: &str) -> Place {
        let route = Route::parse(dotted);
        let is_there = self.at(&route).is_some();
        self.deepest_place(&route, !is_there)
    }

    /// Returns the place of the name as it is written, or of the object where it has none.
    pub fn name_place(&self) -> Place {
        match self.written {
            Some(written) => written.name_place(),
            None => self.value_place("metadata.name"),
        }
    }

    /// Returns the place that decides a field, of the first line of it.
    pub fn field_place(&self, field: &Field) -> Place {
        self.shown(field.place(), false)
    }

    /// Returns what tells it from the other objects that come of the place where it is written: cluster, namespace, name.
    pub fn user(&self) -> ManifestUser {
        ManifestUser {
            root: self.root,
            elsewhere: false,
            namespace: self.namespace_name().to_owned(),
            name: self.name.clone(),
        }
    }

    /// Returns what tells where it is written from where all others are: the file, in the tree, and the first byte.
    pub fn spot(&self) -> (&str, usize) {
        let place = self.field.place();
        (&place.file.path, place.span.start)
    }

    /// Returns the path of the file in which it, or its generator, is written, as messages name it.
    pub fn path(&self) -> String {
        self.written.map_or_else(
            || self.files.seen_from_output(&self.field.place().file.path),
            |written| written.file.path.clone(),
        )
    }

    /// Returns whether its file is to be sealed, or is.
    pub fn is_secret(&self) -> bool {
        let path = &self.field.place().file.path;
        let file = self.written.map(|written| written.file);
        file.or_else(|| self.files.output(path))
            .is_some_and(File::is_secret)
    }

    fn deepest_place(&self, route: &Route, key: bool) -> Place {
        let mut deepest: &Field = &self.field;
        for step in &route.0 {
            match step_of(deepest, step) {
                Some(inner) => deepest = inner,
                None => break,
            }
        }
        self.shown(deepest.place(), key)
    }

    fn shown(&self, place: &kustomize::Place, key: bool) -> Place {
        let shown = match place_in(&[self.files], place) {
            Some(found) => found,
            // The place is in another source, of which no text is at hand.
            None => match self.written {
                Some(written) => return written.name_place(),
                None => Place::new(&Source::new(place.file.path.as_str(), ""), Span::new(0, 0)),
            },
        };
        let documents = place.file.documents().ok();
        let root = documents.and_then(|all| Some(&all.get(place.document)?.root));
        let span = root.map(|root| {
            let route = place.route();
            let node = root.at(&route).filter(|node| node.span == place.span);
            let is_object = node.is_some_and(|node| node.get("apiVersion").is_some());
            match node {
                Some(_) if key && !is_object => root.span_of(&route),
                Some(node) if !node.first_line_span().is_empty() => node.first_line_span(),
                _ => root.span_of(&route),
            }
        });
        Place::new(&shown.source, span.unwrap_or(shown.span))
    }
}

impl std::fmt::Debug for Member<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Member({})", self.label())
    }
}

/// Returns the value at a route of an object.
pub fn field_at<'f>(field: &'f Field, route: &Route) -> Option<&'f Field> {
    route.0.iter().try_fold(field, step_of)
}

fn step_of<'f>(field: &'f Field, step: &Step) -> Option<&'f Field> {
    match step {
        Step::Key(key) => field.get(key),
        Step::Index(index) => field.items()?.get(*index),
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
    /// The same and those of other sources at hand: whatever a place may be in.
    pub trees: Vec<&'t TreeFiles<'t>>,
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
        Self::put_together(files, [], follow(files, &FollowOptions::default()))
    }

    /// Follows Flux through a tree, and builds only what is not in memory.
    pub fn following(
        files: &'t TreeFiles<'t>,
        options: &'t FollowOptions<'t>,
        memory: &BuildMemory,
    ) -> Self {
        let sources = options.sources.values();
        Self::put_together(files, sources, follow_again(files, options, memory))
    }

    fn put_together(
        files: &'t TreeFiles<'t>,
        sources: impl IntoIterator<Item = &'t TreeFiles<'t>>,
        mut applied: AppliedObjects,
    ) -> Self {
        hide_replaced_secrets(&mut applied);
        let told = applied.roots.iter().filter(|root| root.source.is_some());
        let mut builds = Self {
            files,
            trees: [files].into_iter().chain(sources).collect(),
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

    /// Returns a place of a build as one in a message; `None` for a file of a source that is not at hand.
    pub fn place(&self, place: &kustomize::Place) -> Option<Place> {
        place_in(&self.trees, place)
    }

    /// Returns whether a kustomization takes a member in.
    pub fn takes_in(&self, member: &Member<'_>) -> bool {
        self.builds[member.build].start != Start::Loose
    }

    /// Returns whether Flux deploys a member; where nothing says that it starts anywhere, whether some kustomization
    /// takes it in.
    pub fn deploys(&self, member: &Member<'_>) -> bool {
        self.takes_in(member) && (member.root.is_some() || self.applied.roots.is_empty())
    }

    /// Lists the members of a group and kind.
    pub fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &Member<'t>> {
        self.members
            .iter()
            .filter(move |member| member.is(group, kind))
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

    /// Lists who applies what of each written manifest, wherever it goes; what no root reaches only where nothing says
    /// that Flux starts anywhere.
    pub fn manifest_uses(&self) -> ManifestUses<'_> {
        let mut manifests = ManifestUses::new();
        for object in &self.applied.objects {
            let build = self.applied.build_of(object);
            if !build.is_reached() && !self.applied.roots.is_empty() {
                continue;
            }
            let ObjectKey { namespace, name } = object.key();
            let is_inside = is_namespaced(object.kind());
            let user = ManifestUser {
                root: build.root,
                elsewhere: build.elsewhere,
                namespace: if is_inside { namespace } else { String::new() },
                name,
            };
            let place = object.place();
            let of_manifest = manifests.entry((&*place.file.path, place.span.start));
            of_manifest.or_default().push(ManifestUse { user, object });
        }
        manifests
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
            // What lies about in the repository and reaches no cluster is nobody's here.
            let is_own = || self.files.is_rendered(&applied.place().file.path);
            if !build.is_reached() && !is_own() {
                continue;
            }
            let member = self.member(&applied.field, self.written(&applied.field), applied.build);
            self.members.push(Member {
                applied: Some(index),
                ..member
            });
        }
    }

    fn member(&self, field: &Arc<Field>, written: Option<Object<'t>>, build: usize) -> Member<'t> {
        let mut member = Member {
            field: Arc::clone(field),
            written,
            files: self.files,
            name: field
                .find_text(&["metadata", "name"])
                .unwrap_or_default()
                .to_owned(),
            namespace: None,
            build,
            root: self.applied.builds.get(build).and_then(|build| build.root),
            applied: None,
        };
        let namespace = member.find("metadata.namespace");
        let named = namespace.filter(|_| member.is_namespaced());
        member.namespace = named.and_then(|field| {
            Some(Namespace {
                name: field.as_text().filter(|name| !name.is_empty())?.to_owned(),
                place: member.shown(field.place(), false),
            })
        });
        member
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
            document_root: document,
        })
    }

    /// Puts the rendered objects that no build has into a build of their own.
    fn take_loose(&mut self) {
        let build = self.builds.len();
        let loose = self.files.rendered();
        let loose = loose.filter(|(path, _)| !self.used.contains(*path));
        let members: Vec<Member<'t>> = loose
            .flat_map(|(path, file)| Object::of(file).map(move |object| (path, object)))
            .filter_map(|(path, object)| {
                let source = self.files.file(path)?;
                let field = Field::of_node(object.root, source, object.document);
                Some(self.member(&Arc::new(field), Some(object), build))
            })
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
