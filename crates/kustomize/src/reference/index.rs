//! Objects by the names that they had.

use std::collections::{BTreeMap, BTreeSet};

use super::Referrer;
use crate::field::Field;
use crate::field_spec::KindSelector;
use crate::resource::{Resource, ResourceId};
use crate::resources::Resources;

/// An object that others may name.
#[derive(Debug)]
pub(super) struct Referral {
    /// Its id, as it is now.
    pub(super) id: ResourceId,
    /// Its name, as it is now.
    pub(super) name: Field,
    /// Its namespace as it is written now; `None` where none is.
    pub(super) namespace: Option<Field>,
    /// The namespace by which it is compared, now and as it was written; empty outside of namespaces.
    effective_namespace: String,
    original_namespace: String,
    former_kinds: BTreeSet<String>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
}

impl Referral {
    fn of(resource: &Resource, name: &Field) -> Self {
        let namespace = resource.root.find(&["metadata", "namespace"]);
        let kinds = resource.former.iter().map(|id| id.kind.clone());
        Self {
            id: resource.id(),
            name: name.clone(),
            namespace: namespace
                .filter(|namespace| namespace.as_text().is_some_and(|text| !text.is_empty()))
                .cloned(),
            effective_namespace: resource.id().effective().namespace,
            original_namespace: resource.original_id().effective().namespace,
            former_kinds: kinds.collect(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }

    /// Returns whether it once was of a chosen kind.
    pub(super) fn was_of(&self, selector: &KindSelector) -> bool {
        let (group, version) = (&self.id.group, &self.id.version);
        let mut kinds = self.former_kinds.iter();
        kinds.any(|kind| selector.selects(group, version, kind))
    }

    /// Returns the name.
    pub(super) fn name_text(&self) -> &str {
        self.name.as_text().unwrap_or_default()
    }

    /// Returns the namespace as it is written; empty where none is.
    pub(super) fn namespace_text(&self) -> &str {
        &self.id.namespace
    }
}

/// Objects by the names that they had.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    /// The objects that had another id, in their order.
    referrals: Vec<Referral>,
    by_name: BTreeMap<String, NamedReferrals>,
    /// The original namespace of each object with the current one by which it is compared.
    namespaces: BTreeSet<(String, String)>,
    /// The same, with the current one as it is written.
    written_namespaces: BTreeSet<(String, String)>,
}

/// The objects that had a name, by namespaces.
#[derive(Debug, Default)]
struct NamedReferrals {
    all: Vec<usize>,
    by_current: BTreeMap<String, Vec<usize>>,
    by_original: BTreeMap<String, Vec<usize>>,
}

impl NameIndex {
    /// Indexes the objects that had another id.
    pub(super) fn of(resources: &Resources) -> Self {
        let mut index = Self::default();
        for resource in &resources.list {
            let original = resource.original_id().effective().namespace;
            let current = resource.id().effective().namespace;
            let written = resource.namespace().to_owned();
            index.namespaces.insert((original.clone(), current));
            index.written_namespaces.insert((original, written));
            index.add(resource);
        }
        index
    }

    fn add(&mut self, resource: &Resource) {
        let Some(name) = resource.root.find(&["metadata", "name"]) else {
            return;
        };
        if resource.former.is_empty() {
            return;
        }
        let at = self.referrals.len();
        let referral = Referral::of(resource, name);
        let former: BTreeSet<&str> = resource.former.iter().map(|id| id.name.as_str()).collect();
        for former_name in former {
            let bucket = self.by_name.entry(former_name.to_owned()).or_default();
            let current = referral.effective_namespace.clone();
            let original = referral.original_namespace.clone();
            bucket.all.push(at);
            bucket.by_current.entry(current).or_default().push(at);
            bucket.by_original.entry(original).or_default().push(at);
        }
        self.referrals.push(referral);
    }

    /// Lists the objects that had a name and that an object can refer to, in order; only those of a namespace, by its
    /// original or current name, where the reference says one.
    pub(super) fn candidates(
        &self,
        name: &str,
        namespace: Option<&str>,
        referrer: &Referrer,
    ) -> Vec<&Referral> {
        let Some(named) = self.by_name.get(name) else {
            return Vec::new();
        };
        let mut found: Vec<usize> = match namespace {
            // What lies outside of namespaces has none that a reference could say.
            Some("") => Vec::new(),
            Some(namespace) if self.has_original(namespace, referrer) => {
                in_namespace(&named.by_original, namespace).collect()
            }
            Some(namespace) => in_namespace(&named.by_current, namespace).collect(),
            None => match referrer.namespace() {
                None => named.all.clone(),
                Some(own) => in_namespace(&named.by_current, own)
                    .chain(in_namespace(&named.by_current, ""))
                    .chain(
                        referrer
                            .account_namespaces
                            .iter()
                            .flat_map(|other| in_namespace(&named.by_current, other)),
                    )
                    .collect(),
            },
        };
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter_map(|at| self.referrals.get(at))
            .filter(|referral| can_refer(referrer, referral))
            .collect()
    }

    /// Returns whether an object that the referrer can see was written with a namespace.
    fn has_original(&self, namespace: &str, referrer: &Referrer) -> bool {
        let has = |pairs: &BTreeSet<(String, String)>, current: &str| {
            pairs.contains(&(namespace.to_owned(), current.to_owned()))
        };
        if let Some(own) = referrer.namespace() {
            let mut others = referrer.account_namespaces.iter();
            return has(&self.namespaces, own)
                || has(&self.namespaces, "")
                || others.any(|other| has(&self.written_namespaces, other));
        }
        let from = (namespace.to_owned(), String::new());
        let first = self.namespaces.range(from..).next();
        first.is_some_and(|(original, _)| original == namespace)
    }
}

fn in_namespace<'i>(
    map: &'i BTreeMap<String, Vec<usize>>,
    namespace: &str,
) -> impl Iterator<Item = usize> + use<'i> {
    map.get(namespace).into_iter().flatten().copied()
}

/// Returns whether kustomize lets an object refer to another: one in its own namespace or outside of namespaces, and a
/// service account in a namespace that it names.
fn can_refer(referrer: &Referrer, referral: &Referral) -> bool {
    let Some(own) = referrer.namespace() else {
        return true;
    };
    let current = referral.effective_namespace.as_str();
    let is_named_account = referral.id.kind == "ServiceAccount"
        && referrer
            .account_namespaces
            .contains(referral.namespace_text());
    current.is_empty() || current == own || is_named_account
}
