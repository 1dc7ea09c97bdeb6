//! `commonAnnotations`.

use super::pair::add_pairs;
use crate::config::TransformerConfig;
use crate::field::Field;
use crate::problem::Findings;
use crate::resources::Resources;
use crate::setting::{SettingMode, read_pairs};

/// Adds `commonAnnotations` to all objects, and to the pods that they make.
pub(crate) fn add_annotations(
    resources: &mut Resources,
    annotations: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    let pairs = read_pairs(annotations, "`commonAnnotations`", mode, findings);
    add_pairs(resources, &pairs, &config.common_annotations, findings);
}

#[cfg(test)]
mod tests {
    use super::add_annotations;
    use crate::transform::sample::SampleBuild;

    #[test]
    fn annotations_go_to_the_object_and_to_its_pods() {
        let objects = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  annotations:\n    one: old\n";
        let build = SampleBuild::of(objects).run(add_annotations, "two: b\none: \"5\"\n");
        assert_eq!(build.messages(), [""; 0]);
        assert_eq!(build.text(0, "metadata/annotations/one"), Some("5"));
        let places = |path| build.places(0, path);
        assert_eq!(places("metadata/annotations"), ["objects.yaml:6"]);
        assert_eq!(places("metadata/annotations/one"), ["kustomization.yaml:2"]);
        let template = "spec/template/metadata/annotations";
        assert_eq!(places(template), ["kustomization.yaml:2"]);
        assert_eq!(
            places("spec/template/metadata/annotations/two"),
            ["kustomization.yaml:1"]
        );
    }

    #[test]
    fn a_number_is_no_annotation() {
        let build =
            SampleBuild::of("kind: A\nmetadata: {name: a}\n").run(add_annotations, "a: 5\n");
        assert_eq!(
            build.messages(),
            ["the value of `a` in `commonAnnotations` is no text"]
        );
    }
}
