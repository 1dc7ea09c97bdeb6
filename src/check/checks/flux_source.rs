//! A reference to a source that is not there.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;

use crate::check::Check;
use crate::check::absence::AbsentObject;
use crate::check::context::{Context, is_substituted, object_label};
use crate::diagnostic::{Diagnostic, Severity};
use crate::flux::{AppliedObject, SourceReference, made_artifacts};

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

pub(in crate::check) const CHECK: Check = Check {
    code: "flux-source",
    summary: "A `sourceRef` or `chartRef` names a source that is not in the tree",
    explanation: "\
A Kustomization takes its files, and a HelmRelease its chart, from a source object: a GitRepository, an
OCIRepository, a HelmRepository and so on. If there is no source of that kind and name in the namespace
that is named, or in the object's own, nothing happens, and Flux reports it only in the cluster.

The source that Flux is bootstrapped from is known, by the name that the FluxInstance gives it, and so are the
`ExternalArtifact`s of an `ArtifactGenerator`. Where a part of the cluster is not seen that may have the source, it is
a warning.",
    severity: Severity::Error,
    run,
};

/// The sources of a cluster.
type Sources = BTreeSet<SourceReference>;

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut sources: BTreeMap<Option<usize>, Sources> = BTreeMap::new();
    for object in context.builds.objects() {
        let all = sources.entry(context.root_of(object)).or_default();
        if object.group() == SOURCE {
            all.insert(SourceReference {
                kind: object.kind().to_owned(),
                key: object.key(),
            });
        }
        all.extend(made_artifacts(&object.field));
    }
    for (index, root) in context.builds.applied.roots.iter().enumerate() {
        let all = sources.entry(Some(index)).or_default();
        all.extend(root.source.clone());
    }
    let mut problems = Vec::new();
    for (group, kind, route) in REFERENCES {
        for object in context.unique_objects(group, kind) {
            let known = sources.get(&context.root_of(object));
            let reference = object.field.find(route);
            problems.extend(
                reference.zip(known).and_then(|(reference, known)| {
                    absent_source(context, object, reference, known)
                }),
            );
        }
    }
    problems
}

fn absent_source(
    context: &Context<'_>,
    object: &AppliedObject,
    reference: &Field,
    sources: &Sources,
) -> Option<Diagnostic> {
    let key = object.key();
    let wanted = SourceReference::read(reference, &key.namespace)?;
    let SourceReference { kind, key: named } = &wanted;
    // Where nothing says what the source of the sync is called, it may have any name in Flux' namespace.
    let roots = &context.builds.applied.roots;
    let root = context.root_of(object).and_then(|root| roots.get(root));
    let may_be_own = named.namespace == OWN
        && ["GitRepository", "OCIRepository", "Bucket"].contains(&kind.as_str())
        && root.is_none_or(|root| root.source.is_none());
    if may_be_own
        || is_substituted(&named.name)
        || is_substituted(&named.namespace)
        || sources.contains(&wanted)
    {
        return None;
    }
    let message = format!(
        "`{}` takes its source from `{wanted}`, which is not in the tree",
        object_label(object)
    );
    let absent = AbsentObject {
        kind,
        key: named.clone(),
        root: context.root_of(object),
    };
    let finding = absent
        .judge(context)
        .finding(context, CHECK.code, message)?;
    let name = reference.get("name").unwrap_or(reference);
    let problem = context.at_field(finding, name);
    let written = reference.find_text(&["namespace"]);
    if named.name == OWN && written.is_none() {
        return Some(problem.with_hint(format!("add `namespace: {OWN}`")));
    }
    let other_kind = sources.iter().find(|source| source.key == *named);
    let other_place = sources
        .iter()
        .find(|source| source.kind == *kind && source.key.name == named.name);
    Some(match (other_kind, other_place) {
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
    })
}
