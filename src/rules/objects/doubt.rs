//! Whether something may make an object that nothing in the tree spells out.

use kustomize::Field;
use serde_json::Value;

use super::{ObjectId, is_app_template};
use crate::charts::profile::{OperandPlace, OperandPods};
use crate::charts::{Profiles, Release};
use crate::flux::AppliedObject;
use crate::rules::Facts;
use crate::rules::facts::object_label;

/// What may make an object.
pub(in crate::rules) enum ObjectDoubt {
    /// This one, which names the object.
    Maker(String),
    /// This one, whose own name is in that of the object.
    Namesake(String),
    /// A chart that puts objects into the namespace, of which no name is known.
    Chart(String),
    /// Nobody that is seen.
    Nobody,
}

/// Annotations by which a controller copies an object into other namespaces.
const COPIED: [&str; 3] = [
    "reflector.v1.k8s.emberstack.com",
    "replicator.v1.mittwald.de",
    "kubed.appscode.com",
];

/// What the cluster has by itself, in each namespace or in one.
const GIVEN: [(&str, &str, &str); 5] = [
    ("ServiceAccount", "", "default"),
    ("ConfigMap", "", "kube-root-ca.crt"),
    ("ConfigMap", "", "istio-ca-root-cert"),
    ("Service", "default", "kubernetes"),
    ("Service", "kube-system", "kube-dns"),
];

/// Returns who may make an object that no build applies; `of` is the release that refers to it.
pub(in crate::rules) fn doubt(
    facts: &Facts<'_>,
    root: Option<usize>,
    wanted: &ObjectId,
    of: Option<&Release<'_>>,
) -> ObjectDoubt {
    let namespace = wanted.key.namespace.as_str();
    if wanted.group.is_empty() && is_given(wanted) {
        return ObjectDoubt::Maker("the cluster itself".to_owned());
    }
    let mut namesake = None;
    for object in facts.builds.objects() {
        if !wanted.group.is_empty() || facts.root_of(object) != root {
            continue;
        }
        match makes(facts.measures.profiles, object, wanted) {
            Relation::Names => return ObjectDoubt::Maker(format!("`{}`", object_label(object))),
            Relation::Namesake => {
                namesake = namesake.or_else(|| Some(format!("`{}`", object_label(object))));
            }
            Relation::None => {}
        }
    }
    let mut chart = None;
    for release in facts.releases {
        match may_render(release, wanted, of) {
            Relation::Names => return ObjectDoubt::Maker(quoted(release)),
            Relation::Namesake => namesake = namesake.or_else(|| Some(quoted(release))),
            Relation::None => {}
        }
        let is_here = release.namespace == namespace && is_common(wanted);
        let may_have_others = is_here || wanted.kind == "IngressClass";
        if may_have_others && !names_all_alike(release) {
            chart.get_or_insert_with(|| format!("the chart of {}", quoted(release)));
        }
    }
    match (namesake, chart) {
        (Some(who), _) => ObjectDoubt::Namesake(who),
        (None, Some(who)) => ObjectDoubt::Chart(who),
        (None, None) => ObjectDoubt::Nobody,
    }
}

/// How what may make an object is related to it.
enum Relation {
    /// It names it.
    Names,
    /// Its own name is in the name of the object.
    Namesake,
    /// Not at all.
    None,
}

impl Relation {
    fn when(names: bool, is_namesake: bool) -> Self {
        match (names, is_namesake) {
            (true, _) => Self::Names,
            (false, true) => Self::Namesake,
            (false, false) => Self::None,
        }
    }
}

fn quoted(release: &Release<'_>) -> String {
    format!("`{}`", release.label())
}

/// Returns whether a name is one part or more of another one.
fn is_part(part: &str, name: &str) -> bool {
    !part.is_empty() && format!("-{name}-").contains(&format!("-{part}-"))
}

fn is_given(wanted: &ObjectId) -> bool {
    let (kind, key) = (wanted.kind.as_str(), &wanted.key);
    let named = GIVEN.iter().any(|(of, namespace, name)| {
        *of == kind && *name == key.name && (namespace.is_empty() || *namespace == key.namespace)
    });
    // What the nodes bring along is not in the tree, and Flux itself need not be.
    named
        || key.namespace == "kube-system"
        || (key.namespace == "flux-system" && ["Service", "ServiceAccount"].contains(&kind))
}

/// Returns whether charts have objects of such a kind.
fn is_common(wanted: &ObjectId) -> bool {
    wanted.group.is_empty()
}

/// Returns whether the controller of an applied object may make another one of it.
fn makes(profiles: &Profiles, of: &AppliedObject, wanted: &ObjectId) -> Relation {
    let (group, kind, object) = (of.group(), of.kind(), &of.field);
    let text = |key: &str| object.find_text(&["metadata", key]).unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    let key = &wanted.key;
    let is_here = namespace == key.namespace;
    if kind == "StatefulSet" && wanted.kind == "PersistentVolumeClaim" {
        return Relation::when(is_here && is_claim_of(&key.name, name), false);
    }
    let copies = kind == wanted.kind || ["ExternalSecret", "Certificate"].contains(&kind);
    let is_copied = copies && !is_here && is_copied(object, &key.name);
    if is_copied || (is_here && scripts(group, kind) && runs_kubectl(object, &key.name)) {
        return Relation::Names;
    }
    if is_plain(group) {
        return Relation::None;
    }
    let known = profiles.made_of(group, kind, object);
    let mut open = known.into_iter().flatten();
    let open = open.find(|made| made.is_open() && made.kind == wanted.kind);
    if known.is_some() && open.is_none() {
        return Relation::None;
    }
    let names = |name: &str| names_to_make(profiles, of, name);
    if is_here {
        let is_namesake = known.is_none() && is_part(name, &key.name);
        return Relation::when(names(&key.name), is_namesake);
    }
    let is_anywhere = open.is_some_and(|made| made.is_anywhere);
    let is_wide = namespace.is_empty() || is_anywhere || names(&key.namespace);
    Relation::when(is_wide && (key.name == name || names(&key.name)), false)
}

/// Returns whether a group is one of Kubernetes, Flux or the Gateway API, none of which makes what is asked for.
fn is_plain(group: &str) -> bool {
    let plain = [
        "toolkit.fluxcd.io",
        "networking.k8s.io",
        "authorization.k8s.io",
    ];
    !group.contains('.') || plain.iter().any(|end| group.ends_with(end))
}

/// Returns whether a controller may make pods of a custom resource in a namespace.
pub(in crate::rules) fn makes_pods_in(
    facts: &Facts<'_>,
    object: &AppliedObject,
    namespace: &str,
) -> bool {
    let is_beside = object.key().namespace == namespace;
    let profiles = facts.measures.profiles;
    let mut known = profiles.custom_resources(object.group(), object.kind());
    let Some(entry) = known.find(|entry| entry.holds_for(&object.field)) else {
        return is_beside;
    };
    if matches!(entry.pods, OperandPods::Nothing) {
        // What a class is called does not tell whether its controller starts a proxy, and where.
        let is_gateway = object.is("gateway.networking.k8s.io", "Gateway");
        let runs_proxies = || {
            let charts = ["gateway-helm".to_owned()];
            releases_of(facts, &charts).any(|release| release.namespace == namespace)
        };
        return is_gateway && (is_beside || runs_proxies());
    }
    match &entry.place {
        OperandPlace::Beside => is_beside,
        OperandPlace::BesideOperator(charts) => {
            let mut operators = releases_of(facts, charts).peekable();
            match operators.peek() {
                Some(_) => operators.any(|release| release.namespace == namespace),
                None => is_beside,
            }
        }
        OperandPlace::In(namespaces) => namespaces.iter().any(|one| one == namespace),
        OperandPlace::Anywhere => true,
    }
}

/// Lists the releases of some charts.
pub(in crate::rules) fn releases_of<'f>(
    facts: &'f Facts<'_>,
    charts: &'f [String],
) -> impl Iterator<Item = &'f Release<'f>> {
    facts.releases.iter().filter(move |release| {
        let chart = release.chart.as_deref().unwrap_or_default();
        let name = chart.rsplit('/').next().unwrap_or_default();
        charts.iter().any(|known| known == name)
    })
}

/// Returns whether a name is among the values of a selector, or a part of one.
pub(in crate::rules) fn names_value(labels: &Value, name: &str) -> bool {
    let labels = labels.as_object().into_iter().flatten();
    let mut values = labels.filter_map(|(_, value)| value.as_str());
    values.any(|value| value.contains(name))
}

fn names(object: &Field, name: &str) -> bool {
    let mut found = false;
    object.each_scalar(&mut |_, field| found |= field.as_text() == Some(name));
    found
}

/// Returns whether a custom resource names something where it does not only read it.
fn names_to_make(profiles: &Profiles, of: &AppliedObject, name: &str) -> bool {
    let object = &of.field;
    if !names(object, name) {
        return false;
    }
    let mut read = Vec::new();
    for entry in profiles.read_for(of.group(), of.kind(), object) {
        let fields = entry.reads.iter().flat_map(|reads| reads.named_in(object));
        for field in fields {
            field.each_scalar(&mut |_, scalar| read.push(std::ptr::from_ref(scalar)));
        }
    }
    let mut found = false;
    object.each_scalar(&mut |_, field| {
        found |= field.as_text() == Some(name) && !read.contains(&std::ptr::from_ref(field));
    });
    found
}

/// Returns whether a claim is one of those that a StatefulSet has for its pods: `TEMPLATE-NAME-NUMBER`.
fn is_claim_of(claim: &str, name: &str) -> bool {
    let number = claim.rsplit_once('-');
    number.is_some_and(|(rest, number)| {
        number.parse::<u32>().is_ok() && rest.ends_with(&format!("-{name}"))
    })
}

fn is_copied(object: &Field, name: &str) -> bool {
    let mut copied = false;
    object.each_scalar(&mut |pointer, _| {
        copied |= COPIED.iter().any(|word| pointer.contains(word));
    });
    copied && names(object, name)
}

fn scripts(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("batch" | "apps", _) | ("", "ConfigMap" | "Pod") | (_, "HelmRelease")
    )
}

/// Returns whether a script in an object may make another one by its name.
fn runs_kubectl(object: &Field, name: &str) -> bool {
    let (mut runs, mut named) = (false, false);
    object.each_scalar(&mut |_, field| {
        let text = field.as_text().unwrap_or_default();
        runs |= text.contains("kubectl");
        named |= text != name && text.contains(name);
    });
    runs && named
}

/// Returns whether what a release renders may have an object, by the names that charts give.
fn may_render(release: &Release<'_>, wanted: &ObjectId, of: Option<&Release<'_>>) -> Relation {
    let key = &wanted.key;
    let is_template = is_app_template(release);
    let is_here = release.namespace == key.namespace;
    let is_other = of.is_none_or(|of| !std::ptr::eq(of.member, release.member));
    let mut mentions = false;
    each_text(&release.values, &mut |text| {
        let is_manifest = text.contains("kind:") && text.contains(&key.name);
        mentions |= is_manifest || (is_other && !is_template && text == key.name);
    });
    if mentions || !is_here || !is_common(wanted) {
        let has_gateway = is_here && brings_gateways(release, wanted);
        return Relation::when(mentions, has_gateway);
    }
    if is_template {
        let raw = release.values.contains_key("rawResources");
        return Relation::when(false, raw && is_part(&release.name, &key.name));
    }
    let chart = release.chart.as_deref().unwrap_or_default();
    let chart = chart.rsplit('/').next().unwrap_or_default();
    let overrides = ["fullnameOverride", "nameOverride"];
    let given = overrides
        .iter()
        .filter_map(|key| release.values.get(*key).and_then(Value::as_str));
    let names = [release.name.as_str(), release.member.name.as_str(), chart];
    let mut names = names.into_iter().chain(given);
    Relation::when(
        false,
        names.any(|name| !name.is_empty() && key.name.contains(name)),
    )
}

/// Returns whether a chart may have a Gateway of its own: those of proxies do, where it is asked for.
fn brings_gateways(release: &Release<'_>, wanted: &ObjectId) -> bool {
    wanted.kind == "Gateway" && !is_app_template(release) && {
        let chart = release.chart.as_deref().unwrap_or_default();
        chart.contains("traefik") || release.values.keys().any(|key| key.starts_with("gateway"))
    }
}

/// Returns whether all that a chart makes has the name of the release in it.
fn names_all_alike(release: &Release<'_>) -> bool {
    const ALIKE: [&str; 2] = ["flux-operator", "flux-instance"];
    let chart = release.chart.as_deref().unwrap_or_default();
    let chart = chart.rsplit('/').next().unwrap_or_default();
    is_app_template(release) || ALIKE.contains(&chart)
}

fn each_text(values: &serde_json::Map<String, Value>, visit: &mut impl FnMut(&str)) {
    let mut pending: Vec<&Value> = values.values().collect();
    while let Some(value) = pending.pop() {
        match value {
            Value::String(text) => visit(text),
            Value::Array(items) => pending.extend(items),
            Value::Object(map) => pending.extend(map.values()),
            _ => {}
        }
    }
}
