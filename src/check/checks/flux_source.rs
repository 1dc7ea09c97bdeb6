//! A reference to a source that is not there.

use std::collections::BTreeSet;

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::flux::builds::Member;

const SOURCE: &str = "source.toolkit.fluxcd.io";

/// The source that Flux is bootstrapped from: the `FluxInstance` makes it, so no manifest does.
const OWN: &str = "flux-system";

/// Kinds that refer to a source, and where.
const REFERENCES: [(&str, &str, &str); 4] = [
    (
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        "spec.sourceRef",
    ),
    ("helm.toolkit.fluxcd.io", "HelmRelease", "spec.chartRef"),
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        "spec.chart.spec.sourceRef",
    ),
    (SOURCE, "HelmChart", "spec.sourceRef"),
];

pub(in crate::check) const CHECK: Check = Check {
    code: "flux-source",
    summary: "A `sourceRef` or `chartRef` names a source that is not in the tree",
    explanation: "\
A Kustomization takes its files, and a HelmRelease its chart, from a source object: a GitRepository, an
OCIRepository, a HelmRepository and so on. If there is no source of that kind and name in the namespace
that is named, or in the object's own, nothing happens, and Flux reports it only in the cluster.

The GitRepository (or OCIRepository) `flux-system/flux-system` is known: the FluxInstance makes it.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut sources = BTreeSet::new();
    for member in context
        .builds
        .members
        .iter()
        .filter(|member| member.object.group() == SOURCE)
    {
        sources.insert((
            member.object.kind(),
            member.namespace_name(),
            member.name.as_str(),
        ));
    }
    let mut problems = Vec::new();
    for (group, kind, route) in REFERENCES {
        for member in context.unique(group, kind) {
            problems.extend(reference(context, member, route, &sources));
        }
    }
    problems
}

fn reference(
    context: &Context<'_>,
    member: &Member<'_>,
    route: &str,
    sources: &BTreeSet<(&str, &str, &str)>,
) -> Option<Diagnostic> {
    let object = member.object;
    let name = object.text(&format!("{route}.name"))?;
    let kind = object.text(&format!("{route}.kind")).unwrap_or_default();
    let written = object.text(&format!("{route}.namespace"));
    let namespace = written.unwrap_or_else(|| member.namespace_name());
    let is_own = (namespace, name) == (OWN, OWN)
        && matches!(kind, "GitRepository" | "OCIRepository" | "Bucket");
    if is_own
        || is_substituted(name)
        || is_substituted(namespace)
        || sources.contains(&(kind, namespace, name))
    {
        return None;
    }
    let message = format!(
        "`{}` takes its source from `{kind}/{namespace}/{name}`, which is not in the tree",
        member.label()
    );
    let place = object.value_place(&format!("{route}.name"));
    let problem = context.at(Diagnostic::error(CHECK.code, message), &place, "");
    if name == OWN && written.is_none() {
        return Some(problem.with_hint(format!("add `namespace: {OWN}`")));
    }
    let other_kind = sources
        .iter()
        .find(|source| (source.1, source.2) == (namespace, name));
    let other_place = sources
        .iter()
        .find(|source| (source.0, source.2) == (kind, name));
    Some(match (other_kind, other_place) {
        (Some((found, ..)), _) => problem.with_hint(format!(
            "there is a {found} of that name: say `kind: {found}`"
        )),
        (_, Some((_, found, _))) => problem.with_hint(format!(
            "there is one in `{found}`: say `namespace: {found}`"
        )),
        _ => problem.with_suggestion(
            name,
            sources
                .iter()
                .filter(|source| (source.0, source.1) == (kind, namespace))
                .map(|source| source.2),
        ),
    })
}
