//! Releases with two charts, or none.

use kustomize::Field;

use crate::diagnostic::{Meaning, Severity};
use crate::flux::AppliedObject;
use crate::rules::facts::object_label;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "chart-and-chart-ref",
        summary: "Every HelmRelease has either `chart` or `chartRef`",
        text: "\
A HelmRelease takes its chart from a template of a HelmChart (`spec.chart`) or from a source that is there
(`spec.chartRef`). The API server refuses one with both, and one with neither, so that the release stays as it was.

It happens when a release moves from a HelmRepository to an OCIRepository, or when a patch adds the one where the other
is written.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for object in facts.unique_objects("helm.toolkit.fluxcd.io", "HelmRelease") {
        let given = |key| {
            let field = object.field.find(&["spec", key]);
            field.filter(|field| !field.is_null())
        };
        let name = object.field.find(&["metadata", "name"]);
        let name = name.unwrap_or(&object.field);
        let findings = match (given("chart"), given("chartRef")) {
            (Some(_), None) | (None, Some(_)) => Vec::new(),
            (Some(chart), Some(reference)) => {
                let message = format!(
                    "`{}` has both `chart` and `chartRef`, and the API server refuses it",
                    object_label(object)
                );
                let error = facts.at_field(judge.error(message), first_text(reference));
                let error = match facts.builds.place(first_text(chart).place()) {
                    Some(place) => error.with_related(place, "its `chart` is here"),
                    None => error,
                };
                vec![error.with_hint("remove one of them")]
            }
            (None, None) => vec![without_chart(judge, object, name)],
        };
        let place = facts.builds.place(name.place());
        judge.found(JudgedSubject::applied(object, place), findings);
    }
}

fn without_chart(
    judge: &Judge<'_, '_>,
    object: &AppliedObject,
    name: &Field,
) -> crate::diagnostic::Diagnostic {
    let message = format!(
        "`{}` has neither `chart` nor `chartRef`, and the API server refuses it",
        object_label(object)
    );
    let error = judge.facts.at_field(judge.error(message), name);
    error.with_hint("name the source of its chart: `chartRef: {kind: OCIRepository, name: …}`")
}

/// Returns the first scalar of a field, which has one line.
fn first_text(field: &Field) -> &Field {
    let inner = match (field.entries(), field.items()) {
        (Some([first, ..]), _) => Some(&first.value),
        (_, Some([first, ..])) => Some(first),
        _ => None,
    };
    inner.map_or(field, first_text)
}
