//! `labels` and `commonLabels`.

use super::pair::add_pairs;
use crate::config::{TransformerConfig, read_field_specs};
use crate::field::Field;
use crate::field_spec::{FieldSpec, KindSelector};
use crate::problem::Findings;
use crate::resources::Resources;
use crate::setting::{SettingMap, SettingMode, items_of, read_pairs};

const LABEL_KEYS: &[&str] = &[
    "pairs",
    "includeSelectors",
    "includeTemplates",
    "includeVolumeClaimTemplates",
    "fields",
];

/// Adds `commonLabels` to all objects, to the pods that they make, and to the selectors of both.
pub(crate) fn add_common_labels(
    resources: &mut Resources,
    labels: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    let pairs = read_pairs(labels, "`commonLabels`", mode, findings);
    add_pairs(resources, &pairs, &config.common_labels, findings);
}

/// Adds `labels`: each item has its pairs, and says whether they go to pods and selectors as well.
pub(crate) fn add_labels(
    resources: &mut Resources,
    labels: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    for item in items_of(labels, "`labels`", findings) {
        add_label_item(resources, item, findings, config);
    }
}

fn add_label_item(
    resources: &mut Resources,
    item: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    let name = "the item of `labels`";
    let Some(map) = SettingMap::read(item, name, LABEL_KEYS, mode, findings) else {
        return;
    };
    let selectors = map.flag("includeSelectors", findings);
    let templates = map.flag("includeTemplates", findings);
    let claims = map.flag("includeVolumeClaimTemplates", findings);
    let mut specs = read_field_specs(map.items("fields", findings), mode, findings);
    let metadata = [FieldSpec::built_in(
        KindSelector::default(),
        "metadata/labels",
        true,
    )];
    let nothing: &[FieldSpec] = &[];
    let chosen = |chosen: bool, specs| if chosen { specs } else { nothing };
    let added = [
        config.labels.as_slice(),
        chosen(selectors, &config.common_labels),
        chosen(!selectors && templates, &config.template_labels),
        chosen(!selectors && claims, &config.volume_claim_template_labels),
        chosen(!selectors, &metadata),
    ];
    for added in added {
        FieldSpec::merge(&mut specs, added, item.place(), findings);
    }
    let Some(pairs) = map.get("pairs") else {
        return;
    };
    let pairs = read_pairs(pairs, "`pairs`", mode, findings);
    add_pairs(resources, &pairs, &specs, findings);
}

#[cfg(test)]
mod tests {
    use super::{add_common_labels, add_labels};
    use crate::transform::sample::SampleBuild;

    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      topologySpreadConstraints:\n      - labelSelector:\n          matchLabels: {app: old}\n      - {}\n";

    const SELECTOR: &str = "spec/selector/matchLabels/app";
    const TEMPLATE: &str = "spec/template/metadata/labels/app";

    #[test]
    fn common_labels_go_to_selectors() {
        let build = SampleBuild::of(DEPLOYMENT).run(add_common_labels, "app: new\n");
        assert_eq!(build.messages(), [""; 0]);
        let spread = "spec/template/spec/topologySpreadConstraints/0/labelSelector/matchLabels/app";
        for path in ["metadata/labels/app", SELECTOR, TEMPLATE, spread] {
            assert_eq!(build.text(0, path), Some("new"), "{path}");
            assert_eq!(build.places(0, path), ["kustomization.yaml:1"], "{path}");
        }
        let empty = "spec/template/spec/topologySpreadConstraints/1/labelSelector";
        assert_eq!(build.field(0, empty), None);
    }

    #[test]
    fn labels_go_where_they_are_asked_to() {
        let with = |options: &str| {
            let setting = format!("- pairs: {{app: new}}\n{options}");
            SampleBuild::of(DEPLOYMENT).run(add_labels, &setting)
        };
        let has = |build: &SampleBuild, path| build.text(0, path) == Some("new");
        let plain = with("");
        assert!(has(&plain, "metadata/labels/app"));
        assert!(!has(&plain, TEMPLATE) && !has(&plain, SELECTOR));
        let templates = with("  includeTemplates: true\n");
        assert!(has(&templates, TEMPLATE) && !has(&templates, SELECTOR));
        let selectors = with("  includeSelectors: true\n");
        assert!(has(&selectors, TEMPLATE) && has(&selectors, SELECTOR));
        let fields = with("  fields: [{path: spec/own, create: true, kind: Deployment}]\n");
        assert!(has(&fields, "spec/own/app") && !has(&fields, TEMPLATE));
    }

    #[test]
    fn a_field_spec_must_agree_with_the_built_in_one() {
        let setting = "- pairs: {app: new}\n  fields: [{path: metadata/labels}]\n";
        let build = SampleBuild::of(DEPLOYMENT).run(add_labels, setting);
        assert_eq!(
            build.messages(),
            ["two field specs for `metadata/labels` do not agree whether the field is created"]
        );
    }

    #[test]
    fn labels_that_are_no_mapping_are_a_problem_at_their_place() {
        let objects =
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  selector: [a]\n";
        let build = SampleBuild::of(objects).run(add_common_labels, "app: new\n");
        assert_eq!(
            build.messages(),
            [
                "the field path `spec/selector` does not fit Service `a`: there is a scalar or list where a mapping is expected"
            ]
        );
        let problem = &build.findings.problems[0];
        let line = problem.place.as_ref().map(|place| place.line_column().0);
        assert_eq!(line, Some(5));
    }
}
