//! What a side consists of: objects as Flux deploys them, and files that hold none.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::{Spot, Subject};
use super::side::{Held, Side, Sight};
use crate::tree::builds::{Builds, Member, Start};
use crate::tree::object::Object;
use crate::yaml::Node;

/// What makes an item the same one on both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) subject: Subject,
    /// The path and the position in it of what has no name of its own.
    place: Option<(String, usize)>,
}

/// Whether anything brings an object to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// No kustomization takes it in.
    Loose,
    /// A kustomization takes it in that Flux does not get to.
    Built,
    /// Flux deploys it.
    Reached,
}

/// Who applies an object, and thus removes it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'s> {
    /// A Flux Kustomization.
    Flux(Object<'s>),
    /// The sync of a `FluxInstance`.
    Sync,
    /// Nobody in this tree.
    Nobody,
}

/// An object, or a document or file that is none.
#[derive(Clone, Debug)]
pub(super) struct Item<'s> {
    pub(super) identity: Identity,
    pub(super) held: &'s Held,
    /// The document; `None` for a text file.
    pub(super) root: Option<&'s Node>,
    pub(super) document: usize,
    pub(super) standing: Standing,
    pub(super) owner: Owner<'s>,
}

impl<'s> Item<'s> {
    /// Lists the items of a side, each once a namespace.
    pub(super) fn all(side: &'s Side) -> BTreeMap<Identity, Vec<Self>> {
        let builds = Builds::of(side.files.values().map(|held| &held.file));
        let mut items: BTreeMap<Identity, Vec<Self>> = BTreeMap::new();
        let mut met: BTreeMap<(&str, usize), (Standing, bool)> = BTreeMap::new();
        let members = builds.members.iter();
        let members: Vec<Self> = members
            .map(|member| Self::of_member(side, &builds, member))
            .collect();
        for item in &members {
            let best = met.entry(item.place()).or_insert_with(|| item.rank());
            *best = (*best).max(item.rank());
        }
        for item in members {
            // A folder that Flux builds is not also built on its own.
            if met
                .get(&item.place())
                .is_some_and(|best| *best > item.rank())
            {
                continue;
            }
            let equals = items.entry(item.identity.clone()).or_default();
            let known = equals.iter().find(|known| known.place() == item.place());
            match known {
                Some(_) => {}
                None => equals.push(item),
            }
        }
        for held in side.files.values() {
            for item in Self::of_file(held) {
                if !met.contains_key(&item.place()) {
                    items.entry(item.identity.clone()).or_default().push(item);
                }
            }
        }
        items
    }

    fn of_member(side: &'s Side, builds: &Builds<'s>, member: &Member<'s>) -> Self {
        let object = member.object;
        let build = &builds.builds[member.build];
        let standing = match (builds.takes_in(member), build.reached) {
            (false, _) => Standing::Loose,
            (true, false) => Standing::Built,
            (true, true) => Standing::Reached,
        };
        let owner = match &build.start {
            Start::Flux(owner) => Owner::Flux(*owner),
            Start::Folder if build.reached => Owner::Sync,
            Start::Folder | Start::Loose => Owner::Nobody,
        };
        let path = &object.file.path;
        let name = if member.name.is_empty() {
            path
        } else {
            &member.name
        };
        let subject = Subject {
            namespace: member.namespace_name().to_owned(),
            kind: object.kind().to_owned(),
            name: name.clone(),
            group: object.group().to_owned(),
        };
        let nameless = member.name.is_empty();
        Self {
            identity: Identity {
                subject,
                place: nameless.then(|| (path.clone(), ordinal(object))),
            },
            held: side
                .get(path)
                .expect("builds are made of the side's own files"),
            root: Some(object.root),
            document: object.document,
            standing,
            owner,
        }
    }

    /// Lists what a file holds by its path: documents, or the text.
    fn of_file(held: &'s Held) -> impl Iterator<Item = Self> {
        let path = &held.file.path;
        let item = move |document: usize, root: Option<&'s Node>| Self {
            identity: Identity {
                subject: Subject {
                    name: path.clone(),
                    ..Subject::default()
                },
                place: Some((path.clone(), document)),
            },
            held,
            root,
            document,
            standing: Standing::Loose,
            owner: Owner::Nobody,
        };
        let documents = held.file.documents.iter().enumerate();
        let filled = documents
            .filter(|(_, document)| !document.root.is_null() && !only_lists(&document.root));
        let text = held.file.documents.is_empty() && !held.file.is_yaml();
        let documents = filled.map(move |(index, document)| item(index, Some(&document.root)));
        text.then(|| item(0, None)).into_iter().chain(documents)
    }

    /// Returns the path of the file that holds it.
    pub(super) fn path(&self) -> &'s str {
        &self.held.file.path
    }

    fn place(&self) -> (&'s str, usize) {
        (self.held.file.path.as_str(), self.document)
    }

    /// Orders builds by how sure it is that they deploy the item.
    fn rank(&self) -> (Standing, bool) {
        (self.standing, !matches!(self.owner, Owner::Nobody))
    }

    /// Returns whether the item's text is letter by letter that of another.
    pub(super) fn is_verbatim(&self, other: &Item<'_>) -> bool {
        self.document == other.document
            && self.held.sight == other.held.sight
            && self.held.file.source.text == other.held.file.source.text
    }

    /// Returns the content, without SOPS' metadata and without what a kustomization only lists.
    pub(super) fn value(&self) -> Value {
        let Some(root) = self.root else {
            return Value::from(self.held.file.source.text.as_ref());
        };
        let mut value = root.to_kubernetes();
        if let Some(entries) = value.as_object_mut() {
            if self.held.sight != Sight::Open {
                entries.shift_remove("sops");
            }
            if is_kustomization(root) {
                entries.retain(|key, _| !LISTS.contains(&key.as_str()));
            }
        }
        value
    }

    /// Returns where the item starts.
    pub(super) fn spot(&self) -> Spot {
        let start = self.root.map_or(0, |root| root.first_line_span().start);
        let (line, _) = self.held.file.source.line_column(start);
        Spot {
            path: self.held.file.path.clone(),
            line,
        }
    }

    /// Returns the line of a dotted way, or of its deepest part that is there.
    ///
    /// Items of lists are found by their position or their `name`; by nothing else.
    pub(super) fn line_of(&self, dotted: &str) -> Option<usize> {
        let mut node = self.root?;
        let mut found = None;
        for step in steps(dotted) {
            let (next, at) = match node.items() {
                Some(items) => {
                    let named = |item: &&Node| item.find_text("name") == Some(&*step);
                    let by_name = items.iter().find(named);
                    let item = by_name.or_else(|| items.get(step.parse::<usize>().ok()?));
                    match item {
                        Some(item) => (item, item.first_line_span()),
                        None => break,
                    }
                }
                None => match node.entry(&step) {
                    Some(entry) => (&entry.value, entry.key_span),
                    None => break,
                },
            };
            node = next;
            found = Some(at.start);
        }
        found.map(|at| self.held.file.source.line_column(at).0)
    }

    /// Returns whether the whole of the item is a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.held.sight != Sight::Open
    }

    /// Returns whether it is a Secret in a file that is not sealed, of which `data` is told by key.
    pub(super) fn is_open_secret(&self) -> bool {
        !self.is_secret() && self.identity.subject.is("", "Secret")
    }
}

/// What a kustomization says of objects that are compared by themselves, with their namespaces.
const LISTS: [&str; 4] = ["resources", "bases", "components", "namespace"];

/// Returns whether a document is a kustomization that does nothing but list and place objects.
fn only_lists(root: &Node) -> bool {
    let told = |key: &str| ["apiVersion", "kind"].contains(&key) || LISTS.contains(&key);
    is_kustomization(root)
        && root
            .entries()
            .is_some_and(|entries| entries.iter().all(|entry| told(&entry.key)))
}

/// Returns whether a document is a `kustomization.yaml` of kustomize.
fn is_kustomization(root: &Node) -> bool {
    let version = root.find_text("apiVersion");
    let by_version = version.is_some_and(|version| version.starts_with("kustomize.config.k8s.io/"));
    by_version
        || (version.is_none() && root.get("kind").is_none() && root.get("resources").is_some())
}

/// Splits a dotted way with items of lists in brackets, and keys with dots in brackets and quotes.
fn steps(dotted: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = dotted;
    while !rest.is_empty() {
        rest = rest.trim_start_matches('.');
        let (step, left) = if let Some(quoted) = rest.strip_prefix("[\"") {
            quoted.split_once("\"]").unwrap_or((quoted, ""))
        } else if let Some(item) = rest.strip_prefix('[') {
            item.split_once(']').unwrap_or((item, ""))
        } else {
            rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()))
        };
        found.push(step.to_owned());
        rest = left;
    }
    found
}

/// Counts the objects of the same kind before one in its file.
fn ordinal(object: Object<'_>) -> usize {
    Object::of(object.file)
        .take_while(|other| other.document < object.document)
        .filter(|other| other.kind() == object.kind())
        .count()
}
