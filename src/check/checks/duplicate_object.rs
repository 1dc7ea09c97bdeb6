//! The same object twice in one build.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::builds::Member;

pub(in crate::check) const CHECK: Check = Check {
    code: "duplicate-object",
    summary: "Two manifests of one build define the same object",
    explanation: "\
kustomize refuses a build in which two manifests have the same group, kind, namespace and name, and the
whole Flux Kustomization fails. Namespaces count as they are after the kustomizations' `namespace` and the
Flux Kustomization's `targetNamespace`, so that two manifests can collide that do not look alike.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut first: BTreeMap<_, &Member<'_>> = BTreeMap::new();
    let mut problems = Vec::new();
    for member in &context.builds.members {
        let object = member.object;
        let is_loose = !context.builds.takes_in(member);
        if is_loose || member.name.is_empty() || is_substituted(&member.name) {
            continue;
        }
        let key = (
            member.build,
            object.group(),
            object.kind(),
            member.namespace_name(),
            member.name.as_str(),
        );
        let Some(earlier) = first.get(&key) else {
            first.insert(key, member);
            continue;
        };
        let message = format!("`{}` is defined twice in one build", member.label());
        let same = earlier.object.file.path == object.file.path
            && earlier.object.document == object.document;
        let text = if same {
            "this file is listed twice"
        } else {
            ""
        };
        let problem = context
            .at(
                Diagnostic::error(CHECK.code, message),
                &object.name_place(),
                text,
            )
            .with_hint("remove one of them, or rename it");
        problems.push(if same {
            problem
        } else {
            problem.with_related(earlier.object.name_place(), "first defined here")
        });
    }
    problems
}
