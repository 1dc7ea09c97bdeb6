//! The order of the objects in a result.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use super::field::Field;
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::{Resource, ResourceId};
use super::resources::Resources;

/// The kinds that come first, where the kustomization does not say it.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// The kinds that come last, where the kustomization does not say it.
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Where each kind that has a place of its own stands: before 0 or behind it.
type KindRanks = BTreeMap<String, i64>;

/// Sorts the objects as `sortOptions` asks for; without them in the order that kustomize has always had.
pub(crate) fn sort_resources(
    resources: &mut Resources,
    options: Option<&Field>,
    findings: &mut Findings,
) {
    let Some(options) = options else {
        sort_by_kind(resources, &ranks_of(&FIRST, &LAST));
        return;
    };
    let order = options.find_text(&["order"]).unwrap_or_default();
    let legacy = options.get("legacySortOptions");
    match (order, legacy) {
        ("legacy", None) => sort_by_kind(resources, &ranks_of(&FIRST, &LAST)),
        ("legacy", Some(kinds)) => {
            let list = |name: &str| -> Vec<&str> {
                let items = kinds.get(name).and_then(Field::items).unwrap_or_default();
                items.iter().filter_map(Field::as_text).collect()
            };
            sort_by_kind(
                resources,
                &ranks_of(&list("orderFirst"), &list("orderLast")),
            );
        }
        ("fifo", None) => {}
        ("fifo", Some(kinds)) => {
            let message = "`sortOptions.legacySortOptions` stands beside the order `fifo`";
            findings.refuse(
                Problem::new(ProblemKind::Refused, message, kinds.place())
                    .with_help("Take it out, or set `order: legacy`"),
            );
        }
        _ => {
            let place = options.get("order").unwrap_or(options).place();
            let message = "`sortOptions.order` is neither `legacy` nor `fifo`";
            findings.refuse(Problem::new(ProblemKind::Refused, message, place));
        }
    }
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "no list in a file has that many items"
)]
fn ranks_of(first: &[&str], last: &[&str]) -> KindRanks {
    let mut ranks = KindRanks::new();
    for (index, kind) in first.iter().enumerate() {
        ranks.insert((*kind).to_owned(), index as i64 - first.len() as i64);
    }
    for (index, kind) in last.iter().enumerate() {
        ranks.insert((*kind).to_owned(), index as i64 + 1);
    }
    ranks
}

fn sort_by_kind(resources: &mut Resources, ranks: &KindRanks) {
    let list = std::mem::take(&mut resources.list);
    let mut keyed: Vec<(ResourceId, Resource)> = list
        .into_iter()
        .map(|resource| (resource.id(), resource))
        .collect();
    keyed.sort_by(|(one, _), (other, _)| compare(one, other, ranks));
    resources.list = keyed.into_iter().map(|(_, resource)| resource).collect();
}

fn compare(one: &ResourceId, other: &ResourceId, ranks: &KindRanks) -> Ordering {
    let rank = |id: &ResourceId| ranks.get(&id.kind).copied().unwrap_or_default();
    let by_rank = rank(one).cmp(&rank(other));
    if by_rank != Ordering::Equal {
        return by_rank;
    }
    let types = (type_key(one), type_key(other));
    let namespaces = one.kind == "Namespace"
        && other.kind == "Namespace"
        && (one.group.is_empty() || other.group.is_empty());
    // The core group sorts behind all others, but its Namespace has to come first.
    let by_type = if namespaces {
        Reverse(types.0).cmp(&Reverse(types.1))
    } else {
        types.0.cmp(&types.1)
    };
    by_type.then_with(|| name_key(one).cmp(&name_key(other)))
}

/// Returns the text by which kustomize sorts types.
fn type_key(id: &ResourceId) -> String {
    let or = |text: &str, nothing: &str| -> String {
        if text.is_empty() { nothing } else { text }.to_owned()
    };
    [
        or(&id.group, "~G"),
        or(&id.version, "~V"),
        or(&id.kind, "~K"),
    ]
    .join("_")
}

/// Returns the text by which kustomize sorts objects of one type.
fn name_key(id: &ResourceId) -> String {
    let or = |text: &str, nothing: &str| -> String {
        if text.is_empty() { nothing } else { text }.to_owned()
    };
    [or(&id.namespace, "~X"), or(&id.name, "~N")].join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(group: &str, kind: &str, name: &str) -> ResourceId {
        ResourceId {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: String::new(),
        }
    }

    /// The order that kustomize 5.8 gives these.
    #[test]
    fn sorts_by_kind_then_type_then_name() {
        let expected = [
            id("", "Namespace", "z"),
            id("example.org", "Namespace", "a"),
            id("", "ServiceAccount", "a"),
            id("", "ConfigMap", "a"),
            id("", "ConfigMap", "b"),
            id("apps", "Deployment", "a"),
            id("example.org", "Thing", "a"),
            id("", "Pod", "a"),
            id(
                "admissionregistration.k8s.io",
                "ValidatingWebhookConfiguration",
                "a",
            ),
        ];
        let mut sorted = expected.to_vec();
        sorted.reverse();
        let ranks = ranks_of(&FIRST, &LAST);
        sorted.sort_by(|one, other| compare(one, other, &ranks));
        assert_eq!(sorted, expected);
    }
}
