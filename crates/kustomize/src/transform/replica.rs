//! `replicas`.

use super::FieldChange;
use crate::config::TransformerConfig;
use crate::field::{Field, FieldValue, ScalarKind};
use crate::field_spec::{CreatedField, CreatedKind, FieldMismatch, FieldSpec};
use crate::place::{Origin, Place};
use crate::problem::{Findings, Problem, ProblemKind};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::setting::{SettingMap, SettingMode, items_of};

const REPLICA_KEYS: &[&str] = &["name", "count"];

/// How many replicas an object of a name gets.
pub(super) struct ReplicaCount<'f> {
    name: String,
    count: i64,
    /// Where the item of the list is.
    place: &'f Place,
    /// Where the number is; the item where it is left out, and is zero.
    count_place: &'f Place,
}

/// Sets `replicas` in the objects of a name, current or former; a name that no object has is a problem.
pub(crate) fn set_replicas(
    resources: &mut Resources,
    replicas: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    for item in items_of(replicas, "`replicas`", findings) {
        if let Some(replica) = read_replica(item, mode, findings) {
            set_replica_count(resources, &replica, &config.replicas, findings);
        }
    }
}

/// Reads an item of `replicas`.
pub(super) fn read_replica<'f>(
    item: &'f Field,
    mode: SettingMode,
    findings: &mut Findings,
) -> Option<ReplicaCount<'f>> {
    let name = "the item of `replicas`";
    let map = SettingMap::read(item, name, REPLICA_KEYS, mode, findings)?;
    let count = match map.get("count") {
        Some(_) => map.integer("count", findings)?,
        None => (0, item.place()),
    };
    Some(ReplicaCount {
        name: map
            .text("name", findings)
            .map(|name| name.text)
            .unwrap_or_default(),
        count: count.0,
        place: item.place(),
        count_place: count.1,
    })
}

/// Sets the count in the fields of the field specs.
pub(super) fn set_replica_count(
    resources: &mut Resources,
    replica: &ReplicaCount<'_>,
    specs: &[FieldSpec],
    findings: &mut Findings,
) {
    let origin = Origin::new(replica.count_place.clone());
    let change = FieldChange {
        created: CreatedField {
            kind: CreatedKind::Text,
            origin: &origin,
        },
        cause: replica.place,
    };
    let mut found = false;
    for resource in &mut resources.list {
        for spec in specs {
            if super::is_empty(resource) || !has_name(resource, &replica.name, spec) {
                continue;
            }
            found = true;
            change.apply(spec, resource, findings, &mut |field| {
                set_count(field, replica.count, &origin)
            });
        }
    }
    if !found {
        refuse_unknown(replica, specs, findings);
    }
}

/// Returns whether an object has or had a name, together with a kind of the field spec.
fn has_name(resource: &Resource, name: &str, spec: &FieldSpec) -> bool {
    let selects = |kind: &str| {
        let (group, version) = (resource.group(), resource.version());
        spec.selector.selects(group, version, kind)
    };
    let mut former = resource.former.iter();
    (resource.name() == name && selects(resource.kind()))
        || former.any(|id| id.name == name && selects(&id.kind))
}

fn set_count(field: &mut Field, count: i64, origin: &Origin) -> Result<(), FieldMismatch> {
    if !matches!(field.value, FieldValue::Scalar(_)) {
        let why = "there is a mapping or list where a number is expected";
        return Err(FieldMismatch::at(field, why));
    }
    *field = Field::scalar(count.to_string(), ScalarKind::Integer, origin.clone());
    Ok(())
}

fn refuse_unknown(replica: &ReplicaCount<'_>, specs: &[FieldSpec], findings: &mut Findings) {
    let mut kinds: Vec<&str> = specs
        .iter()
        .map(|spec| spec.selector.kind.as_str())
        .collect();
    kinds.dedup();
    let message = format!("no object with replicas is called `{}`", replica.name);
    let help = format!("the kinds with replicas are {}", kinds.join(", "));
    findings.refuse(Problem::new(ProblemKind::NoTarget, message, replica.place).with_help(help));
}

#[cfg(test)]
mod tests {
    use super::set_replicas;
    use crate::transform::add_prefix;
    use crate::transform::sample::SampleBuild;

    const DEPLOYMENT: &str =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1}\n";

    #[test]
    fn replicas_are_set_by_current_and_former_names() {
        for name in ["a", "p-a"] {
            let setting = format!("- name: {name}\n  count: 0\n");
            let build = SampleBuild::of(DEPLOYMENT)
                .run(add_prefix, "p-")
                .run(set_replicas, &setting);
            assert_eq!(build.messages(), [""; 0]);
            assert_eq!(build.json()[0]["spec"]["replicas"], 0);
            assert_eq!(build.places(0, "spec/replicas"), ["kustomization.yaml:2"]);
        }
    }

    #[test]
    fn a_name_without_object_and_a_text_as_count_are_problems() {
        let setting = "- {name: b, count: 1}\n- {name: a, count: \"1\"}\n";
        let build = SampleBuild::of(DEPLOYMENT).run(set_replicas, setting);
        assert_eq!(
            build.messages(),
            [
                "no object with replicas is called `b`",
                "`count` is no whole number"
            ]
        );
    }
}
