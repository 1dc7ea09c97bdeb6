//! OCI sources that say no version.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::facts::object_label;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "oci-without-ref",
        summary: "Every OCIRepository says which version it is",
        text: "\
An OCIRepository without `spec.ref` takes the tag `latest`. Registries of charts have none as a rule, so that the source
never becomes ready; where there is one, the cluster changes whenever somebody moves it. `chart-pinned` asks whether a
version that is given is exact.

    spec:
      url: oci://ghcr.io/example/charts/whoami
      ref:
        tag: 1.4.2",
    },
    category: Category::Flux,
    severity: Some(Severity::Warning),
    weight: 2,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for object in facts.unique_objects("source.toolkit.fluxcd.io", "OCIRepository") {
        let reference = object.field.find(&["spec", "ref"]);
        let said = ["tag", "semver", "digest"].iter().any(|key| {
            let text = reference.and_then(|reference| reference.find_text(&[key]));
            text.is_some_and(|text| !text.is_empty())
        });
        let shown = ["spec", "metadata"].iter().find_map(|part| {
            let key = if *part == "spec" { "url" } else { "name" };
            object.field.find(&[part, key])
        });
        let place = shown.and_then(|field| facts.builds.place(field.place()));
        let mut findings = Vec::new();
        if !said {
            let message = format!(
                "`{}` says no version, so that Flux takes the tag `latest`",
                object_label(object)
            );
            let warning = judge.warning(message).with_hint("set `spec.ref.tag`");
            findings.push(match shown {
                Some(field) => facts.at_field(warning, field),
                None => warning,
            });
        }
        judge.found(JudgedSubject::applied(object, place), findings);
    }
}
