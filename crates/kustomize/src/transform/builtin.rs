//! Transformers that have a config object of their own, with field specs, in `transformers`.

use super::image::ImageChange;
use super::namespace::{NamespaceChange, SubjectMode};
use super::pair::add_pairs;
use super::prefix::{AffixSide, add_affix};
use super::replica::{read_replica, set_replica_count};
use crate::config::read_field_specs;
use crate::field::{Field, FieldValue};
use crate::field_spec::FieldSpec;
use crate::loader::Loader;
use crate::problem::{Findings, Problem, ProblemKind};
use crate::resources::Resources;
use crate::setting::{SettingMap, SettingMode, read_pairs};

const MODE: SettingMode = SettingMode::Transformer;

/// Runs the transformer that a config object stands for; returns whether it is one that kustomize has built in.
///
/// As kustomize does, it leaves unknown keys alone, and takes a number for a text.
pub(crate) fn run_builtin(
    resources: &mut Resources,
    config: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> bool {
    if config.find_text(&["apiVersion"]) != Some("builtin") {
        return false;
    }
    let kind = config.find_text(&["kind"]).unwrap_or_default();
    let Some(map) = SettingMap::read(config, "the transformer", &[], MODE, findings) else {
        return false;
    };
    match kind {
        "PrefixTransformer" => run_affix(map, AffixSide::Prefix, resources, findings),
        "SuffixTransformer" => run_affix(map, AffixSide::Suffix, resources, findings),
        "PrefixSuffixTransformer" => {
            run_affix(map, AffixSide::Prefix, resources, findings);
            run_affix(map, AffixSide::Suffix, resources, findings);
        }
        "NamespaceTransformer" => run_namespace(map, resources, findings),
        "LabelTransformer" => run_pairs(map, "labels", resources, findings),
        "AnnotationsTransformer" => run_pairs(map, "annotations", resources, findings),
        "ImageTagTransformer" => run_image(map, resources, findings),
        "ReplicaCountTransformer" => run_replica(map, resources, findings),
        kind => return run_other(kind, map, config, resources, loader, findings),
    }
    true
}

fn specs_of(map: SettingMap<'_>, findings: &mut Findings) -> Vec<FieldSpec> {
    read_field_specs(map.items("fieldSpecs", findings), MODE, findings)
}

fn run_affix(
    map: SettingMap<'_>,
    side: AffixSide,
    resources: &mut Resources,
    findings: &mut Findings,
) {
    if map.get("fieldSpecs").is_none() {
        let message = "the transformer has no `fieldSpecs`";
        let place = map.place();
        findings.refuse(
            Problem::new(ProblemKind::Refused, message, place)
                .with_help("add `fieldSpecs`, with `path: metadata/name` for the names of objects"),
        );
        return;
    }
    let key = match side {
        AffixSide::Prefix => "prefix",
        AffixSide::Suffix => "suffix",
    };
    let specs = specs_of(map, findings);
    if let Some(affix) = map.text(key, findings) {
        add_affix(resources, side, &affix, &specs, findings);
    }
}

fn run_namespace(map: SettingMap<'_>, resources: &mut Resources, findings: &mut Findings) {
    let subjects = map.text("setRoleBindingSubjects", findings);
    let subjects = match subjects.as_ref().map(|subjects| subjects.text.as_str()) {
        None | Some("defaultOnly") => SubjectMode::Default,
        Some("allServiceAccounts") => SubjectMode::ServiceAccounts,
        Some("none") => SubjectMode::None,
        Some(_) => {
            let place = subjects.map_or(map.place(), |subjects| subjects.place);
            findings.refuse(
                Problem::new(
                    ProblemKind::Malformed,
                    "`setRoleBindingSubjects` has a value that kustomize does not know",
                    place,
                )
                .with_help("write `defaultOnly`, `allServiceAccounts` or `none`"),
            );
            return;
        }
    };
    let specs = specs_of(map, findings);
    let unset_only = map.flag("unsetOnly", findings);
    let Some(metadata) = map.get("metadata") else {
        return;
    };
    let metadata = SettingMap::read(metadata, "`metadata`", &[], MODE, findings);
    let namespace = metadata.and_then(|metadata| metadata.text("namespace", findings));
    if let Some(namespace) = namespace {
        let change = NamespaceChange {
            namespace,
            specs: &specs,
            unset_only,
            subjects,
        };
        change.apply(resources, findings);
    }
}

fn run_pairs(map: SettingMap<'_>, key: &str, resources: &mut Resources, findings: &mut Findings) {
    let specs = specs_of(map, findings);
    if let Some(pairs) = map.get(key) {
        let pairs = read_pairs(pairs, &format!("`{key}`"), MODE, findings);
        add_pairs(resources, &pairs, &specs, findings);
    }
}

fn run_image(map: SettingMap<'_>, resources: &mut Resources, findings: &mut Findings) {
    let specs = specs_of(map, findings);
    let nothing = Field::mapping(map.place().clone());
    let image = map.get("imageTag").unwrap_or(&nothing);
    if let Some(change) = ImageChange::read(image, MODE, findings) {
        change.apply(resources, &specs, findings);
    }
}

fn run_replica(map: SettingMap<'_>, resources: &mut Resources, findings: &mut Findings) {
    let specs = specs_of(map, findings);
    let nothing = Field::mapping(map.place().clone());
    let replica = map.get("replica").unwrap_or(&nothing);
    if let Some(replica) = read_replica(replica, MODE, findings) {
        set_replica_count(resources, &replica, &specs, findings);
    }
}

/// Runs a transformer that another module has; what it gets is what would stand in a kustomization.
fn run_other(
    kind: &str,
    map: SettingMap<'_>,
    config: &Field,
    resources: &mut Resources,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> bool {
    let list = match kind {
        "PatchTransformer" => list_of(config, &["path", "patch", "target", "options"]),
        "PatchJson6902Transformer" => json_patch_of(config),
        "PatchStrategicMergeTransformer" => strategic_merges_of(map, config, findings),
        "ReplacementTransformer" => match map.get("replacements") {
            Some(list) => list.clone(),
            None => Field::sequence(config.origin.clone()),
        },
        "HashTransformer" | "ValueAddTransformer" => config.clone(),
        _ => return false,
    };
    let _ = (list, resources, loader);
    findings.not_seen(
        kind,
        "this transformer cannot be run from a config object",
        config.place(),
    );
    true
}

/// Returns a list of one item, with some keys of a config object.
fn list_of(config: &Field, keys: &[&str]) -> Field {
    let mut item = Field::mapping(config.origin.clone());
    for key in keys {
        if let Some(value) = config.get(key) {
            item.set(key, value.clone());
        }
    }
    Field {
        value: FieldValue::Sequence(vec![item]),
        origin: config.origin.clone(),
    }
}

fn json_patch_of(config: &Field) -> Field {
    let mut list = list_of(config, &["path", "target"]);
    let items = list.items_mut().map(Vec::as_mut_slice);
    if let (Some([item]), Some(operations)) = (items, config.get("jsonOp")) {
        item.set("patch", operations.clone());
    }
    list
}

fn strategic_merges_of(map: SettingMap<'_>, config: &Field, findings: &mut Findings) -> Field {
    let mut items = map.items("paths", findings).to_vec();
    items.extend(map.get("patches").cloned());
    Field {
        value: FieldValue::Sequence(items),
        origin: config.origin.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::run_builtin;
    use crate::files::MemoryFiles;
    use crate::loader::Loader;
    use crate::transform::sample::{SampleBuild, documents};

    const OBJECTS: &str =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {own: [{image: nginx}]}\n";

    fn run(config: &str) -> (bool, SampleBuild) {
        let mut build = SampleBuild::of(OBJECTS);
        let configs = documents("transformer.yaml", config, &mut build.findings);
        let files = MemoryFiles::default();
        let loader = Loader {
            files: &files,
            folder: String::new(),
            restricted: true,
        };
        let known = run_builtin(
            &mut build.resources,
            &configs[0],
            &loader,
            &mut build.findings,
        );
        (known, build)
    }

    #[test]
    fn transformers_use_their_own_field_specs() {
        let cases = [
            (
                "kind: PrefixTransformer\nprefix: 5\nfieldSpecs: [{path: metadata/name}]",
                "metadata/name",
                "5a",
            ),
            (
                "kind: SuffixTransformer\nsuffix: -s\nfieldSpecs: [{path: spec/x, create: true}]",
                "spec/x",
                "-s",
            ),
            (
                "kind: PrefixSuffixTransformer\nprefix: p\nsuffix: s\nfieldSpecs: [{path: metadata/name}]",
                "metadata/name",
                "pas",
            ),
            (
                "kind: LabelTransformer\nlabels: {l: 1.50}\nfieldSpecs: [{path: spec/l, create: true}]",
                "spec/l/l",
                "1.5",
            ),
            (
                "kind: AnnotationsTransformer\nannotations: {l: m}\nfieldSpecs: [{path: spec/l, create: true}]",
                "spec/l/l",
                "m",
            ),
            (
                "kind: ImageTagTransformer\nimageTag: {name: nginx, newTag: v1}\nfieldSpecs: [{path: 'spec/own[]/image'}]",
                "spec/own/0/image",
                "nginx:v1",
            ),
            (
                "kind: ReplicaCountTransformer\nreplica: {name: a, count: 2}\nfieldSpecs: [{path: spec/r, create: true}]",
                "spec/r",
                "2",
            ),
            (
                "kind: NamespaceTransformer\nmetadata: {namespace: new}",
                "metadata/namespace",
                "new",
            ),
        ];
        for (config, path, expected) in cases {
            let (known, build) = run(&format!("apiVersion: builtin\n{config}\n"));
            assert!(known);
            assert_eq!(build.messages(), [""; 0], "{config}");
            assert_eq!(build.text(0, path), Some(expected), "{config}");
            let place = &build.places(0, path);
            assert!(
                place
                    .iter()
                    .any(|place| place.starts_with("transformer.yaml:"))
            );
        }
    }

    #[test]
    fn what_is_not_built_in_is_left_to_others() {
        assert!(!run("apiVersion: example.com/v1\nkind: PrefixTransformer\n").0);
        assert!(!run("apiVersion: builtin\nkind: OtherTransformer\n").0);
    }

    #[test]
    fn a_prefix_needs_field_specs() {
        let (_, build) = run("apiVersion: builtin\nkind: PrefixTransformer\nprefix: a\n");
        assert_eq!(build.messages(), ["the transformer has no `fieldSpecs`"]);
    }

    #[test]
    fn an_unknown_subject_mode_is_a_problem() {
        let (_, build) =
            run("apiVersion: builtin\nkind: NamespaceTransformer\nsetRoleBindingSubjects: all\n");
        assert_eq!(
            build.messages(),
            ["`setRoleBindingSubjects` has a value that kustomize does not know"]
        );
    }
}
