//! What patches do to objects, and where the fields of the result come from.

use proptest::prelude::*;

use super::super::files::MemoryFiles;
use super::super::loader::documents_of;
use super::super::place::SourceFile;
use super::*;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: app
          image: app:1
          env:
            - name: LEVEL
              value: \"1\"
        - name: sidecar
          image: sidecar:1
";

type Apply = fn(&mut Resources, &Field, &Loader<'_>, &mut Findings);

/// Applies the field of a kustomization to objects; `files` are those that the kustomization may name.
fn apply(
    function: Apply,
    objects: &str,
    field: &str,
    files: &[(&str, &str)],
) -> (Resources, Findings) {
    let mut findings = Findings::default();
    let read = |path: &str, text: &str, findings: &mut Findings| {
        let file = SourceFile::new(path, text.as_bytes());
        documents_of(&file, findings).expect("the text is YAML")
    };
    let list = read("objects.yaml", objects, &mut findings);
    let mut resources = Resources {
        list: list.into_iter().map(Resource::new).collect(),
    };
    let kustomization = read("kustomization.yaml", field, &mut findings);
    let value = &kustomization[0].entries().expect("a mapping")[0].value;
    let files: MemoryFiles = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let loader = Loader {
        files: &files,
        folder: String::new(),
        restricted: true,
    };
    function(&mut resources, value, &loader, &mut findings);
    (resources, findings)
}

fn patched(objects: &str, patches: &str) -> (Resources, Findings) {
    apply(apply_patches, objects, patches, &[])
}

/// Returns the text at a place, with its file and line.
fn written(field: &Field) -> String {
    let place = field.place();
    let text = place.file.text().expect("the file is text");
    let (line, _) = place.line_column();
    let span = place.span;
    format!(
        "{}:{line}: {}",
        place.file.path,
        &text[span.start..span.end]
    )
}

fn container<'r>(resources: &'r Resources, name: &str) -> &'r Field {
    let path = ["spec", "template", "spec", "containers"];
    let containers = resources.list[0].root.find(&path).and_then(Field::items);
    let mut containers = containers.into_iter().flatten();
    containers
        .find(|container| container.find_text(&["name"]) == Some(name))
        .expect("the container is there")
}

fn messages(findings: &Findings) -> Vec<&str> {
    findings
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect()
}

#[test]
fn a_merged_field_comes_from_the_patch_and_its_neighbours_from_the_object() {
    let (resources, findings) = patched(
        DEPLOYMENT,
        "\
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        template:
          spec:
            containers:
              - name: app
                image: app:2
",
    );
    assert_eq!(messages(&findings), [""; 0]);
    let app = container(&resources, "app");
    let image = app.get("image").expect("there is an image");
    assert_eq!(written(image), "kustomization.yaml:12: app:2");
    let level = &app.get("env").and_then(Field::items).expect("a list")[0];
    assert_eq!(
        written(level.get("value").expect("a value")),
        "objects.yaml:14: \"1\""
    );
    assert_eq!(
        written(app.get("name").expect("a name")),
        "kustomization.yaml:11: app"
    );
    let sidecar = container(&resources, "sidecar");
    assert_eq!(
        written(sidecar.get("image").expect("an image")),
        "objects.yaml:16: sidecar:1"
    );
}

#[test]
fn a_patch_of_a_file_has_its_places_there() {
    let patch = "kind: Deployment\nmetadata: {name: any}\nspec: {replicas: 7, paused: true}\n";
    let (resources, findings) = apply(
        apply_patches,
        DEPLOYMENT,
        "patches: [{path: patch.yaml, target: {kind: Deploy.*}}]\n",
        &[("patch.yaml", patch)],
    );
    assert_eq!(messages(&findings), [""; 0]);
    let root = &resources.list[0].root;
    let field = |path: &[&str]| written(root.find(path).expect("the field is there"));
    assert_eq!(field(&["spec", "replicas"]), "patch.yaml:3: 7");
    assert_eq!(field(&["spec", "paused"]), "patch.yaml:3: true");
    assert_eq!(field(&["metadata", "name"]), "objects.yaml:4: web");
    assert_eq!(field(&["apiVersion"]), "objects.yaml:1: apps/v1");
}

#[test]
fn what_an_operation_carries_keeps_its_place_and_notes_the_operation() {
    let (resources, findings) = patched(
        DEPLOYMENT,
        "\
patches:
  - target: {name: web}
    patch: |-
      - op: copy
        from: /spec/replicas
        path: /spec/copied
      - {op: add, path: /metadata/annotations/new, value: text}
",
    );
    assert_eq!(messages(&findings), [""; 0]);
    let root = &resources.list[0].root;
    let copied = root.find(&["spec", "copied"]).expect("it is copied");
    assert_eq!(written(copied), "objects.yaml:6: 2");
    let shaped_by = copied.origin.shaped_by();
    assert_eq!(shaped_by.len(), 1);
    assert_eq!(shaped_by[0].line_column(), (4, 9));
    let new = root
        .find(&["metadata", "annotations", "new"])
        .expect("it is added");
    assert_eq!(written(new), "kustomization.yaml:7: text");
}

#[test]
fn a_patch_deletes_an_object_and_items() {
    let delete = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\n$patch: delete\n";
    let (resources, _) = apply(
        apply_patches,
        DEPLOYMENT,
        "patches: [{path: patch.yaml}]\n",
        &[("patch.yaml", delete)],
    );
    assert!(resources.list.is_empty());
    let item = "kind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {containers: \
                [{name: app, $patch: delete}]}}}\n";
    let (resources, _) = apply(
        apply_patches,
        DEPLOYMENT,
        "patches: [{path: patch.yaml, target: {}}]\n",
        &[("patch.yaml", item)],
    );
    let path = ["spec", "template", "spec", "containers"];
    let containers = resources.list[0].root.find(&path).and_then(Field::items);
    assert_eq!(containers.map(<[Field]>::len), Some(1));
}

#[test]
fn lists_of_unknown_kinds_are_replaced_and_those_of_known_ones_merged() {
    let object = "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: t}\nlist: [{name: a}, {name: b}]\n";
    let patch = "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: t}\nlist: [{name: b}]\n";
    let (resources, _) = apply(
        apply_strategic_merges,
        object,
        "patchesStrategicMerge: [patch.yaml]\n",
        &[("patch.yaml", patch)],
    );
    let list = resources.list[0].root.get("list").map(Field::to_json);
    assert_eq!(list, Some(serde_json::json!([{"name": "b"}])));
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                 spec: {template: {spec: {containers: [{name: new}]}}}\n";
    let (resources, _) = apply(
        apply_strategic_merges,
        DEPLOYMENT,
        "patchesStrategicMerge: [patch.yaml]\n",
        &[("patch.yaml", patch)],
    );
    let keys = ["spec", "template", "spec", "containers"];
    let containers = resources.list[0].root.find(&keys).and_then(Field::items);
    let names: Vec<_> = containers
        .expect("a list")
        .iter()
        .filter_map(|item| item.find_text(&["name"]))
        .collect();
    assert_eq!(names, ["new", "app", "sidecar"]);
}

#[test]
fn quotes_of_the_object_make_a_text_of_a_number() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                 spec: {template: {spec: {containers: [{name: app, env: [{name: LEVEL, value: 5}]}]}}}\n";
    let (resources, _) = apply(
        apply_patches,
        DEPLOYMENT,
        "patches: [{path: patch.yaml}]\n",
        &[("patch.yaml", patch)],
    );
    let env = container(&resources, "app").get("env").map(Field::to_json);
    assert_eq!(
        env,
        Some(serde_json::json!([{"name": "LEVEL", "value": "5"}]))
    );
}

#[test]
fn a_renamed_object_is_found_by_both_names() {
    let (resources, findings) = patched(
        DEPLOYMENT,
        "\
patches:
  - target: {kind: Deployment}
    options: {allowNameChange: true}
    patch: '{kind: Deployment, metadata: {name: new}}'
  - patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, a: 1}'
  - patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: new}, b: 2}'
",
    );
    assert_eq!(messages(&findings), [""; 0]);
    let object = &resources.list[0];
    assert_eq!(object.name(), "new");
    assert_eq!(object.former.len(), 1);
    assert!(object.root.get("a").is_some() && object.root.get("b").is_some());
}

#[test]
fn a_target_without_object_is_noted_and_no_problem() {
    let (_, findings) = patched(
        DEPLOYMENT,
        "patches:\n  - {patch: '[{\"op\": \"remove\", \"path\": \"/a\"}]', target: {kind: Deploy}}\n",
    );
    assert_eq!(messages(&findings), [""; 0]);
    assert_eq!(findings.unmatched().count(), 1);
    assert_eq!(
        findings
            .unmatched()
            .next()
            .map(|place| place.line_column().0),
        Some(2)
    );
}

#[test]
fn all_problems_of_patches_are_found_at_once_with_their_places() {
    let (_, findings) = patched(
        DEPLOYMENT,
        "\
patches:
  - {patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: nope}}'}
  - {path: missing.yaml}
  - {patch: 'x: [', target: {}}
  - {patch: '- {op: remove, path: /nope}', target: {name: web}}
  - {patch: '- {op: add, path: /a, value: 1}'}
  - {patch: a, patched: b}
  - {}
  - {patch: 'kind: A', target: {name: '('}}
  - {patch: '{kind: D, metadata: {name: d}, spec: []}', target: {}}
",
    );
    assert_eq!(
        messages(&findings),
        [
            "no object matches the patch for `Deployment` `nope`",
            "there is no file `missing.yaml`",
            "unclosed bracket '['",
            "the path `/nope` leads to nothing in an object that the patch is for",
            "a patch that is a list of operations has no `target`",
            "`patches` has no field `patched`",
            "an entry of `patches` has neither `patch` nor `path`",
            "`(` is no regular expression that kustomize reads",
            "the patch has no `metadata.name`",
            "the patch has a list where the object has a mapping",
        ]
    );
    let lines = findings
        .problems
        .iter()
        .map(|problem| problem.place.as_ref().expect("a place").line_column().0);
    assert_eq!(lines.collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9, 9, 10]);
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        (0..3_i64).prop_map(serde_json::Value::from),
        "[a-c]{0,2}".prop_map(serde_json::Value::from),
        Just(serde_json::Value::from("delete")),
        Just(serde_json::Value::from("replace")),
    ];
    let key = prop_oneof![
        Just("name".to_owned()),
        Just("ports".to_owned()),
        Just("env".to_owned()),
        Just("containerPort".to_owned()),
        Just("protocol".to_owned()),
        Just("$patch".to_owned()),
        "[a-c]",
    ];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|all| serde_json::Value::Object(all.into_iter().collect())),
        ]
    })
}

fn pod(containers: &serde_json::Value) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": containers, "other": containers},
    })
    .to_string()
}

fn merge_pods(object: &str, patch: &str) -> (Resources, Findings) {
    apply(
        apply_patches,
        object,
        "patches: [{path: patch.yaml}]\n",
        &[("patch.yaml", patch)],
    )
}

proptest! {
    #[test]
    fn no_patch_of_any_shape_makes_it_panic(object in any_value(), patch in any_value()) {
        merge_pods(&pod(&object), &pod(&patch));
    }

    #[test]
    fn no_operations_make_it_panic(
        object in any_value(),
        value in any_value(),
        kinds in prop::collection::vec("add|remove|replace|move|copy|test", 1..4),
        path in "(/(spec|containers|other|-|-1|0|1|~0|~1|a)){0,4}",
        from in "(/(spec|containers|other|-|0|name)){0,3}",
    ) {
        let operations: Vec<_> = kinds
            .iter()
            .map(|kind| serde_json::json!({"op": kind, "path": path, "from": from, "value": value}))
            .collect();
        let patch = serde_json::Value::from(operations).to_string();
        apply(
            apply_patches,
            &pod(&object),
            "patches: [{path: patch.json, target: {}}]\n",
            &[("patch.json", &patch)],
        );
    }

    #[test]
    fn an_objects_own_copy_changes_nothing(
        names in prop::collection::btree_set("[a-e]", 1..5),
        ports in prop::collection::btree_set(1..5_u16, 0..4),
    ) {
        let ports: Vec<_> = ports
            .iter()
            .map(|port| serde_json::json!({"containerPort": port, "protocol": "TCP"}))
            .collect();
        let containers: Vec<_> = names
            .iter()
            .map(|name| serde_json::json!({"name": name, "ports": ports, "args": ["x", "x"]}))
            .collect();
        let object = pod(&containers.into());
        let (resources, findings) = merge_pods(&object, &object);
        prop_assert_eq!(messages(&findings), [""; 0]);
        let merged = resources.list[0].root.to_json();
        prop_assert_eq!(merged, serde_json::from_str::<serde_json::Value>(&object).expect("JSON"));
    }

    #[test]
    fn all_scalars_of_a_patch_are_in_the_result(
        old in prop::collection::btree_map("[a-e]", "[f-j]{1,3}", 0..5),
        new in prop::collection::btree_map("[a-e]", "[k-o]{1,3}", 0..5),
    ) {
        let containers = |map: &BTreeMap<String, String>| {
            map.iter()
                .map(|(name, image)| serde_json::json!({"name": name, "image": image}))
                .collect::<serde_json::Value>()
        };
        let (resources, findings) = merge_pods(&pod(&containers(&old)), &pod(&containers(&new)));
        prop_assert_eq!(messages(&findings), [""; 0]);
        let list = resources.list[0].root.find(&["spec", "containers"]).and_then(Field::items);
        let mut expected = old;
        expected.extend(new);
        let found = list.expect("a list").iter().map(|item| {
            let text = |key: &str| item.find_text(&[key]).unwrap_or_default().to_owned();
            (text("name"), text("image"))
        });
        prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
    }
}
