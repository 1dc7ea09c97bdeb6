//! Patches that are bound to a namespace.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "patch-namespace",
        summary: "No patch of a release asks for a namespace",
        text: "\
kustomize compares `target.namespace` with what the chart wrote into the object. Many charts leave
`metadata.namespace` out, as Helm fills it in later; kustomize then takes the object to be in `default`, and the
patch is ignored without a word. Whether a chart writes the namespace changes from one version to the next.

A release has few objects outside its own namespace, so that kind and name say enough: leave the namespace out.",
    },
    category: Category::Flux,
    severity: Some(Severity::Warning),
    weight: 1,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for release in facts.releases {
        for patch in &release.patches.0 {
            let namespace = patch.target.get("namespace").and_then(|name| name.as_str());
            let bound = namespace.filter(|_| patch.targeted).map(|namespace| {
                let message = format!(
                    "a patch of `{}` asks for objects with namespace `{namespace}`, which charts often leave out",
                    release.label()
                );
                facts
                    .at(judge.warning(message), &patch.place, "")
                    .with_hint("remove `namespace` from the target")
            });
            let subject = JudgedSubject::release(release).at(patch.place.clone());
            judge.found(subject, bound.into_iter().collect());
        }
    }
}
