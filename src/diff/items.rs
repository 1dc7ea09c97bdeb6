//! What a side consists of: objects as Flux applies them, manifests that no build reads, and files that hold none.

use std::collections::BTreeMap;
use std::sync::Arc;

use kustomize::{Field, Place};

use super::places;
use super::report::{OutputLine, Subject};
use super::side::{Side, SideFile, Sight};
use crate::flux::{
    AppliedObject, AppliedObjects, BuildStart, KustomizationBuild, ObjectKey, RootEvidence,
    SyncRoot, ValueMaps,
};
use crate::tree::object::{is_namespaced, is_object};
use crate::yaml::Node;

/// What makes an item the same one on both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ItemIdentity {
    pub(super) subject: Subject,
    /// The path and the position in it of what has no name of its own.
    place: Option<(String, usize)>,
}

/// Whether anything brings an object to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ItemStanding {
    /// No build has it.
    Loose,
    /// A kustomization has it that Flux does not get to.
    Built,
    /// Flux deploys it.
    Reached,
}

/// Who applies an object, and thus removes it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'s> {
    /// A Flux Kustomization.
    Flux {
        /// Its name.
        key: &'s ObjectKey,
        /// It itself, as it is applied.
        object: &'s Field,
    },
    /// The sync of a tree that does not hold it as a Flux Kustomization.
    Sync(RootEvidence),
    /// Nobody in this tree.
    Nobody,
}

/// Where the content of an item is.
#[derive(Clone, Debug)]
pub(super) enum ItemContent<'s> {
    /// An object as Flux applies it.
    Applied(&'s Field),
    /// A Helm release with the values that Helm gets.
    Release(Arc<Field>),
    /// A document as it is written.
    Document(&'s Node),
    /// A text.
    Text(&'s str),
}

/// An object, or a document or file that is none.
#[derive(Clone, Debug)]
pub(super) struct Item<'s> {
    pub(super) identity: ItemIdentity,
    pub(super) side: &'s Side,
    pub(super) content: ItemContent<'s>,
    pub(super) document: usize,
    pub(super) standing: ItemStanding,
    pub(super) owner: Owner<'s>,
    /// The build that has it, as an index.
    pub(super) build: Option<usize>,
    /// The name without the hash of a generator.
    pub(super) base_name: Option<&'s str>,
    pub(super) sight: Sight,
    /// Whether something in it is made up.
    pub(super) made_up: bool,
    path: &'s str,
}

/// How items are named, the same way on both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemNaming {
    /// Whether one of the sides has several clusters, so that each object tells its own.
    clusters: bool,
}

impl ItemNaming {
    pub(super) fn of(before: &Side, after: &Side) -> Self {
        let several = |side: &Side| side.applied().roots.len() > 1;
        Self {
            clusters: several(before) || several(after),
        }
    }

    /// Names the cluster of a build.
    pub(super) fn cluster(self, side: &Side, build: &KustomizationBuild) -> String {
        let applied = side.applied();
        let root = build.root.and_then(|root| applied.roots.get(root));
        let folder = match root.filter(|_| self.clusters) {
            Some(root) if root.folder.is_empty() => ".",
            Some(root) => &root.folder,
            None => "",
        };
        if !build.elsewhere {
            return folder.to_owned();
        }
        let mut first = build;
        while let Some(parent) = first.parent.map(|parent| &applied.builds[parent])
            && parent.elsewhere
        {
            first = parent;
        }
        let remote = format!("the cluster of {}", first.owner);
        match folder {
            "" => remote,
            folder => format!("{folder}, {remote}"),
        }
    }
}

impl<'s> Item<'s> {
    /// Lists the items of a side; of files that nothing builds those that the other side does not have as well.
    pub(super) fn all(
        side: &'s Side,
        other: &Side,
        naming: ItemNaming,
    ) -> BTreeMap<ItemIdentity, Vec<Self>> {
        let mut items: BTreeMap<ItemIdentity, Vec<Self>> = BTreeMap::new();
        let applied = side.applied();
        let maps = ValueMaps::of(applied);
        let syncs = syncs(applied);
        let clusters: Vec<String> = applied
            .builds
            .iter()
            .map(|build| naming.cluster(side, build))
            .collect();
        let mut nameless: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for object in &applied.objects {
            let mut item = Self::of_object(side, object, &maps, &syncs);
            item.identity
                .subject
                .cluster
                .clone_from(&clusters[object.build]);
            if object.key().name.is_empty() {
                let count = nameless.entry((item.path, object.kind())).or_default();
                item.be_nameless(*count);
                *count += 1;
            }
            items.entry(item.identity.clone()).or_default().push(item);
        }
        for file in side.all_files() {
            if side.is_read(file.path) || side.shares(&file, other) {
                continue;
            }
            for item in Self::of_file(side, file) {
                items.entry(item.identity.clone()).or_default().push(item);
            }
        }
        items
    }

    fn of_object(
        side: &'s Side,
        object: &'s AppliedObject,
        maps: &ValueMaps<'s>,
        syncs: &[Owner<'s>],
    ) -> Self {
        let applied = side.applied();
        let build = applied.build_of(object);
        let owner = match &build.start {
            BuildStart::Kustomization(kustomization) => Owner::Flux {
                key: &build.owner,
                object: kustomization,
            },
            BuildStart::Sync => build.root.map_or(Owner::Nobody, |root| syncs[root]),
            BuildStart::Unreached => Owner::Nobody,
        };
        let release = object
            .is("helm.toolkit.fluxcd.io", "HelmRelease")
            .then(|| maps.merged(applied, object))
            .flatten();
        let content = match release {
            Some(merged) => {
                let mut field = Field::clone(&object.field);
                let origin = field.origin.clone();
                field
                    .mapping_at("spec", &origin)
                    .set("values", merged.values);
                ItemContent::Release(Arc::new(field))
            }
            None => ItemContent::Applied(&object.field),
        };
        let key = object.key();
        let namespace = if is_namespaced(object.kind()) {
            key.namespace
        } else {
            String::new()
        };
        let place = object.place();
        Self {
            identity: ItemIdentity {
                subject: Subject {
                    namespace,
                    kind: object.kind().to_owned(),
                    name: key.name,
                    group: object.group().to_owned(),
                    cluster: String::new(),
                },
                place: None,
            },
            side,
            document: place.document,
            standing: match build.root {
                Some(_) => ItemStanding::Reached,
                None => ItemStanding::Built,
            },
            owner,
            build: Some(object.build),
            base_name: object.name_without_hash(),
            sight: side.sight(place),
            made_up: is_made_up(side, &object.field),
            path: &place.file.path,
            content,
        }
    }

    fn be_nameless(&mut self, count: usize) {
        self.identity.subject.name = self.path.to_owned();
        self.identity.place = Some((self.path.to_owned(), count));
    }

    /// Lists what a file holds that no build reads: manifests, other documents, or the text.
    fn of_file(side: &'s Side, file: SideFile<'s>) -> Vec<Self> {
        let is_yaml = crate::tree::is_yaml_path(file.path);
        if file.documents.is_empty() && !is_yaml {
            return vec![Self::of_part(side, file, 0, ItemContent::Text(file.text))];
        }
        let mut found = Vec::new();
        let mut nameless: BTreeMap<String, usize> = BTreeMap::new();
        for (index, document) in file.documents.iter().enumerate() {
            let root = &document.root;
            if root.is_null() || only_lists(root) {
                continue;
            }
            let mut item = Self::of_part(side, file, index, ItemContent::Document(root));
            if is_object(root) {
                item.identity = ItemIdentity {
                    subject: written_subject(root),
                    place: None,
                };
                if item.identity.subject.name.is_empty() {
                    let kind = item.identity.subject.kind.clone();
                    let count = nameless.entry(kind).or_default();
                    item.be_nameless(*count);
                    *count += 1;
                }
            }
            found.push(item);
        }
        found
    }

    fn of_part(
        side: &'s Side,
        file: SideFile<'s>,
        document: usize,
        content: ItemContent<'s>,
    ) -> Self {
        Self {
            identity: ItemIdentity {
                subject: Subject {
                    name: file.path.to_owned(),
                    ..Subject::default()
                },
                place: Some((file.path.to_owned(), document)),
            },
            side,
            content,
            document,
            standing: ItemStanding::Loose,
            owner: Owner::Nobody,
            build: None,
            base_name: None,
            sight: file.sight,
            made_up: file.made_up,
            path: file.path,
        }
    }

    /// Returns the path of the file that holds it.
    pub(super) fn path(&self) -> &'s str {
        self.path
    }

    /// Names who applies it, in words.
    pub(super) fn owner_name(&self) -> Option<String> {
        match self.owner {
            Owner::Flux { key, .. } => Some(format!("`Kustomization/{key}`")),
            Owner::Sync(_) => Some("the sync".to_owned()),
            Owner::Nobody => None,
        }
    }

    /// Returns the file and document in which it is written.
    pub(super) fn written_at(&self) -> (&'s str, usize) {
        (self.path, self.document)
    }

    /// Returns the file in which it is written, if it is one that is compared.
    pub(super) fn file(&self) -> Option<SideFile<'s>> {
        self.side.file(self.path)
    }

    /// Returns the object as it is applied; `None` for what no build has.
    pub(super) fn field(&self) -> Option<&Field> {
        match &self.content {
            ItemContent::Applied(field) => Some(field),
            ItemContent::Release(field) => Some(field),
            ItemContent::Document(_) | ItemContent::Text(_) => None,
        }
    }

    /// Returns whether it has a structure, and is no plain text.
    pub(super) fn is_structured(&self) -> bool {
        !matches!(self.content, ItemContent::Text(_))
    }

    /// Returns whether an item is the same as another, to the letter.
    pub(super) fn is_verbatim(&self, other: &Item<'_>) -> bool {
        if self.sight != other.sight || self.document != other.document {
            return false;
        }
        match (self.field(), other.field()) {
            (Some(own), Some(other)) => own == other,
            (None, None) => {
                let text = |item: &Item<'_>| item.file().map(|file| file.text.to_owned());
                self.path == other.path && text(self) == text(other)
            }
            _ => false,
        }
    }

    /// Returns where the item starts.
    pub(super) fn spot(&self) -> OutputLine {
        let line = match &self.content {
            ItemContent::Text(_) => 1,
            ItemContent::Document(root) => self.line_at(root.first_line_span().start),
            ItemContent::Applied(_) | ItemContent::Release(_) => self
                .field()
                .map_or(1, |field| field.place().line_column().0),
        };
        OutputLine {
            path: self.path.to_owned(),
            line,
        }
    }

    fn line_at(&self, offset: usize) -> usize {
        let text = self.file().map_or("", |file| file.text);
        let before = &text.as_bytes()[..offset.min(text.len())];
        before.split(|byte| *byte == b'\n').count()
    }

    /// Returns the place of a dotted way, or of its deepest part that is there.
    ///
    /// Items of lists are found by their position or their `name`; by nothing else.
    pub(super) fn spot_of(&self, dotted: &str) -> Option<OutputLine> {
        match &self.content {
            ItemContent::Text(_) => None,
            ItemContent::Document(root) => Some(OutputLine {
                path: self.path.to_owned(),
                line: self.line_at(places::offset_in(root, dotted)?),
            }),
            ItemContent::Applied(_) | ItemContent::Release(_) => Some(places::spot_of(
                places::deepest(self.field()?, dotted)?.place(),
            )),
        }
    }

    /// Returns whether the whole of the item is a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.sight != Sight::Open
    }

    /// Returns whether it is a Secret in a file that is not sealed, of which `data` is told by key.
    pub(super) fn is_open_secret(&self) -> bool {
        !self.is_secret() && self.identity.subject.is("", "Secret")
    }
}

/// Lists who applies what Flux starts from, by root: the Flux Kustomization that `flux bootstrap` wrote, or the sync.
fn syncs(applied: &AppliedObjects) -> Vec<Owner<'_>> {
    let owner = |(index, root)| {
        let SyncRoot { key, evidence, .. }: &SyncRoot = root;
        let mut own = applied.of_kind("kustomize.toolkit.fluxcd.io", "Kustomization");
        let own =
            own.find(|object| applied.build_of(object).root == Some(index) && object.key() == *key);
        match own {
            Some(own) if *evidence == RootEvidence::Bootstrap => Owner::Flux {
                key,
                object: &own.field,
            },
            _ => Owner::Sync(*evidence),
        }
    };
    applied.roots.iter().enumerate().map(owner).collect()
}

/// Returns whether something is made up in one of the files that an object comes from.
fn is_made_up(side: &Side, object: &Field) -> bool {
    let mut found = side.is_made_up(object.place());
    if !side.has_made_up() {
        return false;
    }
    object.each_scalar(&mut |_, scalar| {
        let mut places = std::iter::once(scalar.place()).chain(scalar.origin.shaped_by());
        found |= places.any(|place: &Place| side.is_made_up(place));
    });
    found
}

fn written_subject(root: &Node) -> Subject {
    let text = |dotted: &str| root.find_text(dotted).unwrap_or_default().to_owned();
    let kind = text("kind");
    let namespace = if is_namespaced(&kind) {
        text("metadata.namespace")
    } else {
        String::new()
    };
    let version = text("apiVersion");
    Subject {
        namespace,
        kind,
        name: text("metadata.name"),
        group: version
            .split_once('/')
            .map_or_else(String::new, |(group, _)| group.to_owned()),
        cluster: String::new(),
    }
}

/// What a kustomization says of objects that are compared by themselves, with their namespaces.
pub(super) const LISTS: [&str; 4] = ["resources", "bases", "components", "namespace"];

/// Returns whether a document is a kustomization that does nothing but list and place objects.
fn only_lists(root: &Node) -> bool {
    let told = |key: &str| ["apiVersion", "kind"].contains(&key) || LISTS.contains(&key);
    is_kustomization(root)
        && root
            .entries()
            .is_some_and(|entries| entries.iter().all(|entry| told(&entry.key)))
}

/// Returns whether a document is a `kustomization.yaml` of kustomize.
pub(super) fn is_kustomization(root: &Node) -> bool {
    let version = root.find_text("apiVersion");
    let by_version = version.is_some_and(|version| version.starts_with("kustomize.config.k8s.io/"));
    by_version
        || (version.is_none() && root.get("kind").is_none() && root.get("resources").is_some())
}
