//! What replacements put where, and where the fields of the result come from.

use proptest::prelude::*;

use super::super::files::MemoryFiles;
use super::super::place::SourceFile;
use super::*;

const OBJECTS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: source, namespace: apps}
data:
  host: db.example.org:5432
  port: \"5432\"
  config.json: '{\"b\": 1, \"a\": {\"host\": \"old\"}}'
  config.yaml: |
    # kept
    host: old
    port: 1
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  image: app:1
  containers: [{name: app, env: [{name: HOST, value: none}]}, {name: other}]
";

fn replaced(replacements: &str, files: &[(&str, &str)]) -> (Resources, Findings) {
    replaced_in(OBJECTS, replacements, files)
}

fn replaced_in(objects: &str, replacements: &str, files: &[(&str, &str)]) -> (Resources, Findings) {
    let mut findings = Findings::default();
    let read = |path: &str, text: &str, findings: &mut Findings| {
        let file = SourceFile::new(path, text.as_bytes());
        documents_of(&file, findings).expect("the text is YAML")
    };
    let list = read("objects.yaml", objects, &mut findings);
    let mut resources = Resources {
        list: list.into_iter().map(Resource::new).collect(),
    };
    let kustomization = read("kustomization.yaml", replacements, &mut findings);
    let value = kustomization[0].get("replacements").expect("replacements");
    let files: MemoryFiles = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let loader = Loader {
        files: &files,
        folder: String::new(),
        restricted: true,
    };
    apply_replacements(&mut resources, value, &loader, &mut findings);
    (resources, findings)
}

fn one(source: &str, path: &str, options: &str) -> (Resources, Findings) {
    replaced(
        &format!(
            "replacements:\n- source: {{kind: ConfigMap, fieldPath: '{source}'}}\n  targets:\n  - select: {{kind: \
             Deployment}}\n    fieldPaths: ['{path}']\n    options: {options}\n"
        ),
        &[],
    )
}

fn messages(findings: &Findings) -> Vec<&str> {
    findings
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect()
}

fn spec(resources: &Resources) -> serde_json::Value {
    let spec = resources.list[1].root.get("spec").expect("there is a spec");
    spec.to_json()
}

#[test]
fn a_copied_field_comes_from_its_source_and_notes_the_replacement() {
    let (resources, findings) = one("data.host", "spec.containers.[name=app].env.0.value", "{}");
    assert_eq!(messages(&findings), [""; 0]);
    let containers = resources.list[1].root.find(&["spec", "containers"]);
    let app = &containers.and_then(Field::items).expect("a list")[0];
    let value = app.get("env").and_then(Field::items).expect("a list")[0].get("value");
    let value = value.expect("a value");
    assert_eq!(value.as_text(), Some("db.example.org:5432"));
    assert_eq!(value.place().file.path, "objects.yaml");
    assert_eq!(value.place().line_column(), (5, 9));
    let shaped_by = value.origin.shaped_by();
    assert_eq!(shaped_by.len(), 1);
    assert_eq!(shaped_by[0].file.path, "kustomization.yaml");
    assert_eq!(shaped_by[0].line_column().0, 5);
}

#[test]
fn what_comes_from_a_secret_is_marked_wherever_it_goes() {
    let rule = |source: &str, path: &str, options: &str| {
        format!(
            "- source: {source}\n  targets:\n  - select: {{kind: Deployment}}\n    fieldPaths: ['{path}']\n    options: {options}\n"
        )
    };
    let secret = "{kind: Secret, fieldPath: stringData.token}";
    for (source, path, options, marked) in [
        (secret, "spec.image", "{}", true),
        (secret, "spec.image", "{delimiter: ':', index: 1}", true),
        (secret, "spec.new", "{create: true}", true),
        (secret, "spec.text.host", "{}", true),
        (
            "{kind: Secret, fieldPath: stringData}",
            "spec.new",
            "{create: true}",
            true,
        ),
        ("{kind: Secret}", "spec.image", "{}", false),
        (
            "{kind: ConfigMap, fieldPath: data.x}",
            "spec.image",
            "{}",
            false,
        ),
    ] {
        let objects = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: hunter2}\n---\n\
                       apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: y}\n---\n\
                       apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {image: 'a:1', text: '{\"host\": \"old\"}'}\n";
        let text = format!("replacements:\n{}", rule(source, path, options));
        let (resources, findings) = replaced_in(objects, &text, &[]);
        assert_eq!(messages(&findings), [""; 0], "{path}");
        let web = &resources.list[2].root;
        assert_eq!(web.holds_secret(), marked, "{source} {path} {options}");
        // What it is copied on to holds it as well.
        let on = rule(
            "{kind: Deployment, fieldPath: spec.image}",
            "spec.copy",
            "{create: true}",
        );
        let (resources, _) = replaced_in(objects, &(text + &on), &[]);
        let copy = resources.list[2]
            .root
            .find(&["spec", "copy"])
            .expect("a copy");
        assert_eq!(
            copy.holds_secret(),
            marked && path == "spec.image",
            "{source} {path}"
        );
    }
}

#[test]
fn a_part_of_a_text_leaves_the_rest_where_it_was() {
    let (resources, findings) = one("data.port", "spec.image", "{delimiter: ':', index: 1}");
    assert_eq!(messages(&findings), [""; 0]);
    let image = resources.list[1]
        .root
        .find(&["spec", "image"])
        .expect("an image");
    assert_eq!(image.as_text(), Some("app:5432"));
    assert_eq!(image.place().line_column(), (18, 10));
    assert_eq!(image.origin.shaped_by()[0].line_column(), (6, 9));
}

#[test]
fn a_part_that_is_the_whole_text_comes_from_its_source() {
    for (path, options) in [
        ("spec.containers.0.name", "{delimiter: '-', index: 0}"),
        ("spec.made", "{create: true, delimiter: '-', index: 1}"),
    ] {
        let (resources, findings) = one("data.port", path, options);
        assert_eq!(messages(&findings), [""; 0]);
        let path = FieldPath::new(path, resources.list[0].place());
        let field = path.lookup(&resources.list[1].root);
        let field = field.expect("a path").expect("a field");
        assert!(field.as_text().is_some_and(|text| text.ends_with("5432")));
        let source = resources.list[0].root.find(&["data", "port"]);
        assert_eq!(field.place(), source.expect("a source").place());
        assert_eq!(field.origin.shaped_by().len(), 1);
    }
}

#[test]
fn a_field_keeps_its_type_and_a_new_one_has_that_of_the_text() {
    let (resources, findings) = one("data.port", "spec.replicas", "{}");
    assert_eq!(messages(&findings), [""; 0]);
    assert_eq!(spec(&resources)["replicas"], 5432);
    let (resources, _) = one("data.port", "spec.image", "{}");
    assert_eq!(spec(&resources)["image"], "5432");
    let (resources, _) = one("data.port", "spec.new.deep", "{create: true}");
    assert_eq!(spec(&resources)["new"], serde_json::json!({"deep": 5432}));
    let (_, findings) = one("data.host", "spec.replicas", "{}");
    assert_eq!(
        messages(&findings),
        [
            "no field `spec.replicas` is in `Deployment` `web`: the field holds a whole number, and the value is of another type"
        ]
    );
}

#[test]
fn an_empty_text_over_null_is_a_text() {
    let (resources, findings) = replaced(
        "replacements:\n- sourceValue: ''\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.new], options: {create: true}}]\n",
        &[],
    );
    assert_eq!(messages(&findings), [""; 0]);
    assert_eq!(spec(&resources)["new"], "");
}

#[test]
fn paths_reach_items_by_expression_star_and_index() {
    for (path, expected) in [
        ("spec.containers.*.name", ["5432", "5432"]),
        ("spec.containers.[name=o].name", ["app", "5432"]),
        ("spec.containers.0.name", ["5432", "other"]),
    ] {
        let (resources, findings) = one("data.port", path, "{}");
        assert_eq!(messages(&findings), [""; 0], "{path}");
        let containers = &spec(&resources)["containers"];
        assert_eq!(containers[0]["name"], expected[0], "{path}");
        assert_eq!(containers[1]["name"], expected[1], "{path}");
    }
}

#[test]
fn json_and_yaml_in_texts_are_changed_in_place() {
    let (resources, findings) = replaced(
        r"
replacements:
- sourceValue: new
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: ['data.config\.json.a.host', 'data.config\.yaml.host']
",
        &[],
    );
    assert_eq!(messages(&findings), [""; 0]);
    let data = resources.list[0].root.get("data").expect("data");
    assert_eq!(
        data.find_text(&["config.json"]),
        Some(r#"{"a":{"host":"new"},"b":1}"#)
    );
    assert_eq!(
        data.find_text(&["config.yaml"]),
        Some("# kept\nhost: new\nport: 1")
    );
    let json = data.get("config.json").expect("a text");
    assert_eq!(json.place().line_column(), (7, 16));
    assert_eq!(json.origin.shaped_by()[0].line_column(), (3, 16));
}

#[test]
fn a_file_holds_one_replacement_or_a_list() {
    let single = "sourceValue: a\ntargets: [{select: {kind: Deployment}, fieldPaths: [spec.image]}]\nextra: x\n";
    let list =
        "- sourceValue: b\n  targets: [{select: {name: web}, fieldPaths: [metadata.labels.app]}]\n";
    let (resources, findings) = replaced(
        "replacements: [{path: single.yaml}, {path: list.yaml}]\n",
        &[("single.yaml", single), ("list.yaml", list)],
    );
    assert_eq!(messages(&findings), [""; 0]);
    assert_eq!(spec(&resources)["image"], "a");
    let label = resources.list[1].root.find(&["metadata", "labels", "app"]);
    let label = label.expect("a label");
    assert_eq!(label.as_text(), Some("b"));
    assert_eq!(label.place().file.path, "list.yaml");
}

#[test]
fn rejected_objects_are_left_alone_and_targets_without_object_noted() {
    let (resources, findings) = replaced(
        "\
replacements:
- sourceValue: x
  targets:
  - select: {name: '.*'}
    reject: [{kind: ConfigMap}]
    fieldPaths: [metadata.labels.app]
  - select: {kind: Service}
",
        &[],
    );
    assert_eq!(messages(&findings), [""; 0]);
    assert!(
        resources.list[0]
            .root
            .find(&["metadata", "labels"])
            .is_none()
    );
    assert_eq!(findings.unmatched().count(), 1);
    assert_eq!(
        findings
            .unmatched()
            .next()
            .map(|place| place.line_column().0),
        Some(7)
    );
}

#[test]
fn all_problems_of_replacements_are_found_at_once_with_their_places() {
    let (_, findings) = replaced(
        "\
replacements:
- {source: {kind: Nope}, targets: [{select: {kind: Deployment}}]}
- {source: {version: v1}, targets: [{select: {kind: Deployment}}]}
- {source: {kind: ConfigMap, fieldPath: data.nope}, targets: [{select: {kind: Deployment}}]}
- {sourceValue: x, targets: [{select: {kind: Deployment}, fieldPaths: [spec.nope, spec.image.x]}]}
- {sourceValue: x}
- {sourceValue: x, targets: [{}]}
- {sourceValue: x, source: {kind: ConfigMap}, targets: [{select: {kind: Deployment}}]}
- {path: missing.yaml}
- {unknown: field}
",
        &[],
    );
    let place = |problem: &Problem| problem.place.as_ref().expect("a place").line_column().0;
    let found: Vec<(usize, ProblemKind)> = findings
        .problems
        .iter()
        .map(|problem| (place(problem), problem.kind))
        .collect();
    assert_eq!(
        found,
        [
            (6, ProblemKind::Malformed),
            (7, ProblemKind::Malformed),
            (8, ProblemKind::Malformed),
            (9, ProblemKind::Missing),
            (10, ProblemKind::UnknownField),
            (2, ProblemKind::NoTarget),
            (3, ProblemKind::Ambiguous),
            (4, ProblemKind::Refused),
            (5, ProblemKind::Refused),
            (5, ProblemKind::Refused),
        ]
    );
}

proptest! {
    #[test]
    fn no_path_makes_it_panic(
        source in r"(data|\.|\[|\]|=|host|port|config\\\.json|\*|-|0|-1){0,6}",
        target in r"(spec|containers|\.|\[|name=|\]|image|new|\*|-|0|3|\(){0,8}",
        index in -2..3_i64,
        create in any::<bool>(),
    ) {
        one(&source, &target, &format!("{{create: {create}, delimiter: ':', index: {index}}}"));
    }
}
