//! `namePrefix` and `nameSuffix`.

use super::FieldChange;
use crate::config::TransformerConfig;
use crate::field::{Field, FieldValue};
use crate::field_spec::{
    CreatedField, CreatedKind, FieldMismatch, FieldSpec, original_kind, rewrite_scalar,
};
use crate::place::{Origin, Place};
use crate::problem::Findings;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::setting::{SettingMode, SettingText, read_text};

/// The field spec at which kustomize knows that the name of the object is changed.
const NAME_PATH: &str = "metadata/name";

/// On which side a text is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AffixSide {
    /// Before what is there.
    Prefix,
    /// After what is there.
    Suffix,
}

/// Puts `namePrefix` before the names of all objects but those of the kinds `CustomResourceDefinition`, `APIService` and `Namespace`.
pub(crate) fn add_prefix(
    resources: &mut Resources,
    prefix: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    if let Some(prefix) = read_text(prefix, "`namePrefix`", mode, findings) {
        let specs = &config.name_prefix;
        add_affix(resources, AffixSide::Prefix, &prefix, specs, findings);
    }
}

/// Puts `nameSuffix` after the names of all objects but those of the kinds `CustomResourceDefinition`, `APIService` and `Namespace`.
pub(crate) fn add_suffix(
    resources: &mut Resources,
    suffix: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    if let Some(suffix) = read_text(suffix, "`nameSuffix`", mode, findings) {
        let specs = &config.name_suffix;
        add_affix(resources, AffixSide::Suffix, &suffix, specs, findings);
    }
}

/// Adds a prefix or suffix to the fields of the field specs; the former id is kept where that is the name.
pub(super) fn add_affix(
    resources: &mut Resources,
    side: AffixSide,
    affix: &SettingText<'_>,
    specs: &[FieldSpec],
    findings: &mut Findings,
) {
    if affix.text.is_empty() {
        return;
    }
    let origin = Origin::new(affix.place.clone());
    let change = FieldChange {
        created: CreatedField {
            kind: CreatedKind::Text,
            origin: &origin,
        },
        cause: affix.place,
    };
    for resource in &mut resources.list {
        if keeps_name(resource) {
            continue;
        }
        for spec in specs {
            if !spec.selector.selects_original(resource) {
                continue;
            }
            if spec.path == NAME_PATH {
                remember_affix(resource, side, &affix.text);
            }
            change.apply(spec, resource, findings, &mut |field, _| {
                extend_text(field, side, &affix.text, affix.place)
            });
        }
    }
}

/// Returns whether the name of an object follows from its content, or names a namespace.
fn keeps_name(resource: &Resource) -> bool {
    match original_kind(resource) {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => resource.group() == "apiregistration.k8s.io",
        _ => false,
    }
}

fn remember_affix(resource: &mut Resource, side: AffixSide, text: &str) {
    match side {
        AffixSide::Prefix => resource.prefixes.push(text.to_owned()),
        AffixSide::Suffix => resource.suffixes.push(text.to_owned()),
    }
    resource.remember_id();
}

fn extend_text(
    field: &mut Field,
    side: AffixSide,
    affix: &str,
    place: &Place,
) -> Result<(), FieldMismatch> {
    let FieldValue::Scalar(scalar) = &field.value else {
        let why = "there is a mapping or list where a text is expected";
        return Err(FieldMismatch::at(field, why));
    };
    let text = match side {
        AffixSide::Prefix => format!("{affix}{}", scalar.text),
        AffixSide::Suffix => format!("{}{affix}", scalar.text),
    };
    rewrite_scalar(field, text);
    field.origin = field.origin.clone().and(place);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{add_prefix, add_suffix};
    use crate::transform::sample::SampleBuild;

    #[test]
    fn a_prefix_has_a_part_in_a_name_and_the_former_id_is_kept() {
        let objects = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
        let build = SampleBuild::of(objects)
            .run(add_prefix, "p-")
            .run(add_suffix, "-s");
        assert_eq!(build.text(0, "metadata/name"), Some("p-a-s"));
        assert_eq!(
            build.places(0, "metadata/name"),
            [
                "objects.yaml:4",
                "kustomization.yaml:1",
                "kustomization.yaml:1"
            ][..2]
        );
        let former: Vec<&str> = build.resources.list[0]
            .former
            .iter()
            .map(|id| id.name.as_str())
            .collect();
        assert_eq!(former, ["a", "p-a"]);
        assert_eq!(build.resources.list[0].prefixes, ["p-"]);
        assert_eq!(build.resources.list[0].suffixes, ["-s"]);
    }

    #[test]
    fn names_that_follow_from_content_stay() {
        let kinds = [
            ("v1", "Namespace", "a"),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "a"),
            ("apiregistration.k8s.io/v1", "APIService", "a"),
            ("example.com/v1", "APIService", "p-a"),
        ];
        for (version, kind, expected) in kinds {
            let object = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n");
            let build = SampleBuild::of(&object).run(add_prefix, "p-");
            assert_eq!(build.text(0, "metadata/name"), Some(expected), "{version}");
        }
    }

    #[test]
    fn a_plain_name_takes_the_type_of_its_new_text() {
        let kind_of = |name: &str| {
            let object = format!("apiVersion: v1\nkind: A\nmetadata:\n  name: {name}\n");
            let build = SampleBuild::of(&object).run(add_prefix, "\"1\"");
            build.json()[0]["metadata"]["name"].clone()
        };
        assert_eq!(kind_of("2"), 12);
        assert_eq!(kind_of("\"2\""), "12");
        assert_eq!(kind_of("a"), "1a");
    }
}
