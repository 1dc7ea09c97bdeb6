//! A reference to a source that is not there.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::{AppliedObject, SourceReference, made_artifacts};
use crate::rules::absence::AbsentObject;
use crate::rules::facts::{is_substituted, object_label};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

const SOURCE: &str = "source.toolkit.fluxcd.io";

/// The name of the source that Flux is bootstrapped from, where nobody chooses another.
const OWN: &str = "flux-system";

/// Kinds that refer to a source, and where.
const REFERENCES: [(&str, &str, &[&str]); 4] = [
    (
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        &["spec", "sourceRef"],
    ),
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        &["spec", "chartRef"],
    ),
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        &["spec", "chart", "spec", "sourceRef"],
    ),
    (SOURCE, "HelmChart", &["spec", "sourceRef"]),
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "flux-source",
        summary: "Every `sourceRef` and `chartRef` names a source that is in the tree",
        text: "\
A Kustomization takes its files, and a HelmRelease its chart, from a source object: a GitRepository, an
OCIRepository, a HelmRepository and so on. If there is no source of that kind and name in the namespace
that is named, or in the object's own, nothing happens, and Flux reports it only in the cluster.

The source that Flux is bootstrapped from is known, by the name that the FluxInstance gives it, and so are the
`ExternalArtifact`s of an `ArtifactGenerator`. Where a part of the cluster is not seen that may have the source, it is
a warning.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

/// The sources of a cluster.
type ClusterSources = BTreeSet<SourceReference>;

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let clusters = sources_of_clusters(facts);
    for (group, kind, route) in REFERENCES {
        for object in facts.unique_objects(group, kind) {
            let sources = clusters.get(&facts.root_of(object));
            let reference = object.field.find(route);
            if let (Some(reference), Some(sources)) = (reference, sources) {
                refer(judge, object, reference, sources);
            }
        }
    }
}

fn sources_of_clusters(facts: &Facts<'_>) -> BTreeMap<Option<usize>, ClusterSources> {
    let mut clusters: BTreeMap<Option<usize>, ClusterSources> = BTreeMap::new();
    for object in facts.builds.objects() {
        let all = clusters.entry(facts.root_of(object)).or_default();
        if object.group() == SOURCE {
            all.insert(SourceReference {
                kind: object.kind().to_owned(),
                key: object.key(),
            });
        }
        all.extend(made_artifacts(&object.field));
    }
    for (index, root) in facts.builds.applied.roots.iter().enumerate() {
        let all = clusters.entry(Some(index)).or_default();
        all.extend(root.source.clone());
    }
    clusters
}

fn refer(
    judge: &mut Judge<'_, '_>,
    object: &AppliedObject,
    reference: &Field,
    sources: &ClusterSources,
) {
    let facts = judge.facts;
    let Some(wanted) = SourceReference::read(reference, &object.key().namespace) else {
        return;
    };
    let SourceReference { kind, key: named } = &wanted;
    let name = reference.get("name").unwrap_or(reference);
    let place = facts.builds.place(name.place());
    let subject = JudgedSubject::applied(object, place);
    // Where nothing says what the source of the sync is called, it may have any name in Flux' namespace.
    let roots = &facts.builds.applied.roots;
    let root = facts.root_of(object).and_then(|root| roots.get(root));
    let may_be_own = named.namespace == OWN
        && ["GitRepository", "OCIRepository", "Bucket"].contains(&kind.as_str())
        && root.is_none_or(|root| root.source.is_none());
    if may_be_own
        || is_substituted(&named.name)
        || is_substituted(&named.namespace)
        || sources.contains(&wanted)
    {
        judge.found(subject, Vec::new());
        return;
    }
    let message = format!(
        "`{}` takes its source from `{wanted}`, which is not in the tree",
        object_label(object)
    );
    let absent = AbsentObject {
        kind,
        key: named.clone(),
        root: facts.root_of(object),
    };
    absent
        .judge(facts)
        .hand_in(judge, subject, &message, |finding| {
            let problem = facts.at_field(finding, name);
            match renamed(object, &wanted, sources) {
                Some(renamed) => problem.with_hint(format!(
                    "kustomize renames the source to `{renamed}` and not what refers to it: say `name: {renamed}` in a patch, or leave `namePrefix` and `nameSuffix` out"
                )),
                None => with_advice(problem, &wanted, reference, sources),
            }
        });
}

/// Returns the name of a source that `namePrefix` and `nameSuffix` have renamed together with the object that needs it.
fn renamed<'s>(
    object: &AppliedObject,
    wanted: &SourceReference,
    sources: &'s ClusterSources,
) -> Option<&'s str> {
    let SourceReference { kind, key: named } = wanted;
    let own = object.key();
    let mut near = sources
        .iter()
        .filter(|source| source.kind == *kind && source.key.namespace == named.namespace);
    let source = near.find(|source| {
        let added = source.key.name.split_once(named.name.as_str());
        added.is_some_and(|(prefix, suffix)| {
            let same = own.name.starts_with(prefix) && own.name.ends_with(suffix);
            let is_longer = own.name.len() > prefix.len() + suffix.len();
            same && is_longer && !(prefix.is_empty() && suffix.is_empty())
        })
    })?;
    Some(&source.key.name)
}

/// Says what was meant, if something near is there.
fn with_advice(
    problem: Diagnostic,
    wanted: &SourceReference,
    reference: &Field,
    sources: &ClusterSources,
) -> Diagnostic {
    let SourceReference { kind, key: named } = wanted;
    if named.name == OWN && reference.find_text(&["namespace"]).is_none() {
        return problem.with_hint(format!("add `namespace: {OWN}`"));
    }
    let other_kind = sources.iter().find(|source| source.key == *named);
    let other_place = sources
        .iter()
        .find(|source| source.kind == *kind && source.key.name == named.name);
    match (other_kind, other_place) {
        (Some(SourceReference { kind, .. }), _) => problem.with_hint(format!(
            "there is a {kind} of that name: say `kind: {kind}`"
        )),
        (_, Some(SourceReference { key, .. })) => {
            let found = &key.namespace;
            problem.with_hint(format!(
                "there is one in `{found}`: say `namespace: {found}`"
            ))
        }
        _ => problem.with_suggestion(
            &named.name,
            sources
                .iter()
                .filter(|source| source.kind == *kind && source.key.namespace == named.namespace)
                .map(|source| source.key.name.as_str()),
        ),
    }
}
