//! Transformers and name references, over objects and kustomizations that are made up.

use kustomize::{Build, BuildOptions, MemoryFiles, build};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value, json};

/// Builds the folder `top` of a tree.
fn build_tree(files: &[(&str, &str)]) -> Build {
    let pairs = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let tree: MemoryFiles = pairs.collect();
    build(&tree, "top", BuildOptions::default())
}

fn objects_of(build: &Build) -> Vec<Value> {
    let list = build.resources.iter();
    list.map(|resource| resource.root.to_json()).collect()
}

#[test]
fn an_object_knows_the_kustomizations_that_brought_it() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n";
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
    let component = format!("{component}resources: [plain.yaml]\n");
    let build = build_tree(&[
        ("top/kustomization.yaml", "resources: [one, two]\n"),
        (
            "top/one/kustomization.yaml",
            "namespace: one\ncomponents: [../../part]\n",
        ),
        (
            "top/two/kustomization.yaml",
            "namespace: two\ncomponents: [../../part]\nconfigMapGenerator: [{name: made}]\n",
        ),
        ("part/kustomization.yaml", &component),
        ("part/plain.yaml", object),
    ]);
    let ways = build.resources.iter().map(|resource| {
        let id = resource.id();
        let told = resource.way.join(" > ");
        format!(
            "{}/{}: {told}",
            id.namespace,
            id.name.split('-').next().unwrap_or_default()
        )
    });
    let mut ways: Vec<String> = ways.collect();
    ways.sort();
    assert_eq!(
        ways,
        [
            "one/plain: top > top/one > part",
            "two/made: top > top/two",
            "two/plain: top > top/two > part",
        ]
    );
}

/// Any small value, with the keys that transformers look for.
fn value() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        Just("name"),
        Just("namespace"),
        Just("containers"),
        Just("image"),
        Just("metadata"),
        Just("labels"),
        Just("spec"),
        Just("template"),
        Just("selector"),
        Just("matchLabels"),
        Just("volumes"),
        Just("replicas"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        "[a-z:/@1~]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..4).prop_map(|map| {
                let entries = map.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(entries.collect())
            }),
        ]
    })
}

fn kind() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        Just(("v1", "Pod")),
        Just(("v1", "Service")),
        Just(("v1", "Namespace")),
        Just(("apps/v1", "Deployment")),
        Just(("apps/v1", "StatefulSet")),
        Just(("batch/v1", "CronJob")),
        Just(("rbac.authorization.k8s.io/v1", "RoleBinding")),
        Just(("rbac.authorization.k8s.io/v1", "Role")),
        Just(("networking.k8s.io/v1", "Ingress")),
        Just(("example.com/v1", "Foo")),
    ]
}

const ALL: &str = "\
resources: [objects.yaml]
namespace: ns
namePrefix: p-
nameSuffix: -s
commonLabels: {app: one}
labels:
- pairs: {part: two}
  includeTemplates: true
  includeVolumeClaimTemplates: true
commonAnnotations: {note: three}
images: [{name: '[a-z]*', newTag: v1}]
replicas: [{name: a, count: 2}]
";

proptest! {
    #[test]
    fn objects_of_any_shape_are_built_or_refused(
        (version, kind) in kind(),
        labels in value(),
        spec in value(),
        subjects in value(),
    ) {
        let object = json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": "a", "labels": labels},
            "spec": spec,
            "subjects": subjects,
            "rules": subjects,
        });
        let files = [
            ("top/kustomization.yaml", ALL),
            ("top/objects.yaml", &object.to_string()),
        ];
        let built = build_tree(&files);
        let refused = !built.findings.problems.is_empty();
        prop_assert_eq!(refused, built.resources.is_empty());
        for problem in &built.findings.problems {
            prop_assert!(problem.place.is_some(), "{}", problem.message);
        }
    }

    #[test]
    fn labels_and_namespaces_change_nothing_the_second_time(
        (version, kind) in kind(),
        spec in value(),
    ) {
        let object = json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": "a"},
            "spec": spec,
        });
        let settings = "namespace: ns\ncommonLabels: {app: one}\nlabels: [{pairs: {part: two}}]\ncommonAnnotations: {note: three}\n";
        let object = object.to_string();
        let once = format!("resources: [objects.yaml]\n{settings}");
        let twice = format!("resources: [../base]\n{settings}");
        let one = build_tree(&[
            ("top/kustomization.yaml", &once),
            ("top/objects.yaml", &object),
        ]);
        let two = build_tree(&[
            ("base/kustomization.yaml", &once),
            ("base/objects.yaml", &object),
            ("top/kustomization.yaml", &twice),
        ]);
        prop_assert_eq!(objects_of(&one), objects_of(&two));
    }

    #[test]
    fn no_reference_is_left_behind(
        prefixes in prop::collection::vec("[a-z]{0,3}", 3),
        suffixes in prop::collection::vec("[a-z]{0,3}", 3),
        namespace in prop::option::of("[m-x]{2,4}"),
    ) {
        let level = |at: usize, resources: &str| {
            let (prefix, suffix) = (&prefixes[at], &suffixes[at]);
            format!("resources: [{resources}]\nnamePrefix: \"{prefix}\"\nnameSuffix: \"{suffix}\"\n")
        };
        let generated = "configMapGenerator: [{name: made, literals: [a=b]}]\n";
        let namespace = namespace.map_or(String::new(), |name| format!("namespace: \"{name}\"\n"));
        let built = build_tree(&[
            ("one/kustomization.yaml", &(level(0, "objects.yaml") + generated)),
            ("one/objects.yaml", REFERENCES),
            ("two/kustomization.yaml", &level(1, "objects.yaml, ../one")),
            ("two/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"),
            ("top/kustomization.yaml", &(level(2, "../two") + &namespace)),
        ]);
        prop_assert!(built.findings.problems.is_empty(), "{:?}", built.findings.problems);
        let objects = objects_of(&built);
        let names = |kind: &str| -> Vec<Value> {
            let of_kind = objects.iter().filter(|object| object["kind"] == kind);
            of_kind.map(|object| object["metadata"]["name"].clone()).collect()
        };
        let maps = names("ConfigMap");
        let accounts = names("ServiceAccount");
        let pod = objects.iter().find(|object| object["kind"] == "Pod");
        let pod = pod.map(|pod| &pod["spec"]);
        let volume = |at: usize| pod.map(|pod| &pod["volumes"][at]["configMap"]["name"]);
        prop_assert!(volume(0).is_some_and(|name| maps.contains(name)));
        prop_assert!(volume(1).is_some_and(|name| maps.contains(name)));
        prop_assert!(pod.is_some_and(|pod| accounts.contains(&pod["serviceAccountName"])));
        let binding = objects.iter().find(|object| object["kind"] == "ClusterRoleBinding");
        prop_assert!(binding.is_some_and(|binding| accounts.contains(&binding["subjects"][0]["name"])));
    }
}

const REFERENCES: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: written}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: account}
---
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  serviceAccountName: account
  volumes:
  - configMap: {name: written}
  - configMap: {name: made}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: account}]
";

const BASE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec: {template: {spec: {containers: [{name: c, image: i}]}}}
";

/// Builds a Deployment whose labels a base makes, under a setting of an overlay.
fn label_and_selector(overlay: &str) -> [Value; 2] {
    let top = format!("resources: [../base]\n{overlay}");
    let built = build_tree(&[
        (
            "base/kustomization.yaml",
            "resources: [a.yaml]\ncommonLabels: {app: base}\n",
        ),
        ("base/a.yaml", BASE),
        ("top/kustomization.yaml", &top),
    ]);
    assert!(
        built.findings.problems.is_empty(),
        "{:?}",
        built.findings.problems
    );
    let object = &objects_of(&built)[0];
    let selector = &object["spec"]["selector"]["matchLabels"]["app"];
    [
        object["metadata"]["labels"]["app"].clone(),
        selector.clone(),
    ]
}

#[test]
fn a_strategic_merge_of_a_label_reaches_the_selector_and_operations_do_not() {
    let merge = "patches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: a, labels: {app: new}}\n";
    assert_eq!(label_and_selector(merge), ["new", "new"]);
    let operations = "patches:\n- target: {kind: Deployment}\n  patch: |\n    - {op: replace, path: /metadata/labels/app, value: new}\n";
    assert_eq!(label_and_selector(operations), ["new", "base"]);
}

#[test]
fn a_replacement_of_a_label_reaches_the_selector() {
    let replacement = "replacements:\n- source: {kind: Deployment, fieldPath: metadata.name}\n  targets: [{select: {kind: Deployment}, fieldPaths: [metadata.labels.app]}]\n";
    assert_eq!(label_and_selector(replacement), ["a", "a"]);
}

#[test]
fn a_value_is_added_where_a_transformer_says() {
    let config = "apiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: t}\nvalue: v\ntargets:\n- {selector: {kind: Deployment}, fieldPath: spec/where}\n- {fieldPath: 'spec/template/spec/containers/[name=c]/image', filePathPosition: 1}\n- {fieldPath: metadata/namespace}\n";
    let built = build_tree(&[
        (
            "top/kustomization.yaml",
            "resources: [a.yaml]\ntransformers: [t.yaml]\n",
        ),
        ("top/t.yaml", config),
        ("top/a.yaml", BASE),
    ]);
    assert!(
        built.findings.problems.is_empty(),
        "{:?}",
        built.findings.problems
    );
    let object = &objects_of(&built)[0];
    assert_eq!(object["spec"]["where"], "v");
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"][0]["image"],
        "v/i"
    );
    assert_eq!(object["metadata"]["namespace"], "v");
}
