//! Kustomizations built from files in memory: what is gathered, generated and refused, and where it comes from.

use kustomize::{
    Build, BuildOptions, Field, MemoryFiles, Place, ProblemKind, SourceFile, build,
    build_kustomization,
};

fn files_of(files: &[(&str, &str)]) -> MemoryFiles {
    let pairs = files.iter();
    pairs
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn build_all(files: &[(&str, &str)]) -> Build {
    build(&files_of(files), "", BuildOptions::default())
}

fn built(files: &[(&str, &str)]) -> Build {
    let built = build_all(files);
    assert_eq!(built.findings.problems, [], "the build holds");
    built
}

fn kinds(built: &Build) -> Vec<ProblemKind> {
    let problems = built.findings.problems.iter();
    problems.map(|problem| problem.kind).collect()
}

/// Returns what the one problem of a build says: its kind, its message, and its place as `path:line:column`.
fn only_problem(files: &[(&str, &str)]) -> (ProblemKind, String, String) {
    let built = build_all(files);
    assert!(built.resources.is_empty());
    let [problem] = built.findings.problems.as_slice() else {
        panic!("{:?}", built.findings.problems);
    };
    let place = problem.place.as_ref().map(|place| format!("{place:?}"));
    let message = problem.message.clone();
    (problem.kind, message, place.unwrap_or_default())
}

fn names(built: &Build) -> Vec<String> {
    let resources = built.resources.iter();
    resources
        .map(|resource| format!("{}/{}", resource.kind(), resource.name()))
        .collect()
}

/// Returns file and text of the place that a field of an object comes from.
fn origin_of(built: &Build, index: usize, path: &[&str]) -> (String, String) {
    let field = built.resources[index].root.find(path);
    let place: &Place = field.expect("the field is there").place();
    let bytes = &place.file.bytes()[place.span.start..place.span.end];
    let text = String::from_utf8_lossy(bytes).into_owned();
    (place.file.path.clone(), text)
}

fn pair(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: y\n";

const COMPONENT: &str = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";

#[test]
fn gathers_files_folders_and_components_in_kustomizes_order() {
    let component = format!("{COMPONENT}resources: [c.json]\n");
    let built = built(&[
        (
            "kustomization.yaml",
            "sortOptions: {order: fifo}\ncomponents: [c]\nresources: [z.yaml, b]\n\
             configMapGenerator:\n- name: g\n  options: {disableNameSuffixHash: true}\n",
        ),
        (
            "z.yaml",
            "kind: X\nmetadata: {name: z}\n---\nkind: List\nitems:\n- kind: X\n  metadata: {name: l}\n\
             ---\nkind: X\nmetadata: {name: y}\n",
        ),
        ("b/kustomization.yml", "resources: [b.yaml]\n"),
        ("b/b.yaml", "kind: X\nmetadata: {name: b}\n"),
        ("c/Kustomization", &component),
        (
            "c/c.json",
            "{\"kind\": \"X\", \"metadata\": {\"name\": \"c\"}}",
        ),
    ]);
    assert_eq!(
        names(&built),
        ["X/z", "X/y", "X/l", "X/b", "ConfigMap/g", "X/c"]
    );
}

#[test]
fn opens_lists_and_drops_local_objects() {
    let built = built(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "a.yaml",
            "kind: XList\nitems:\n- kind: X\n  metadata: {name: kept}\n- kind: X\n  metadata:\n    name: local\n\
             \x20   annotations: {config.kubernetes.io/local-config: 'true'}\n- null\n",
        ),
    ]);
    assert_eq!(names(&built), ["X/kept"]);
}

#[test]
fn keeps_the_place_of_each_generated_value() {
    let built = built(&[
        (
            "kustomization.yaml",
            "generatorOptions:\n  labels: {all: shared}\nsecretGenerator:\n- name: s\n  literals:\n  - user=admin\n\
             \x20 files: [key=some/file.pem]\n  envs: [some.env]\n  options:\n    annotations: {own: yes-it-is}\n",
        ),
        ("some/file.pem", "PEM"),
        ("some.env", "# comment\n  TOKEN=abc\n"),
    ]);
    let here = "kustomization.yaml";
    for (path, expected) in [
        (["data", "user"].as_slice(), pair(here, "user=admin")),
        (&["data", "key"], pair("some/file.pem", "PEM")),
        (&["data", "TOKEN"], pair("some.env", "TOKEN=abc")),
        (&["metadata", "labels", "all"], pair(here, "shared")),
        (&["metadata", "annotations", "own"], pair(here, "yes-it-is")),
        (&["metadata", "name"], pair(here, "s")),
    ] {
        assert_eq!(origin_of(&built, 0, path), expected, "{path:?}");
    }
    let name = built.resources[0].root.find(&["metadata", "name"]);
    let shaped_by = name.expect("it has a name").origin.shaped_by();
    assert_eq!(shaped_by, [built.resources[0].place().clone()]);
}

#[test]
fn keeps_the_place_of_each_merged_value() {
    let built = built(&[
        (
            "kustomization.yaml",
            "resources: [base]\nconfigMapGenerator:\n- name: m\n  behavior: merge\n  literals: [a=new]\n",
        ),
        (
            "base/kustomization.yaml",
            "configMapGenerator:\n- name: m\n  literals: [a=old, b=kept]\n",
        ),
    ]);
    assert_eq!(
        origin_of(&built, 0, &["data", "a"]),
        pair("kustomization.yaml", "a=new")
    );
    assert_eq!(
        origin_of(&built, 0, &["data", "b"]),
        pair("base/kustomization.yaml", "b=kept")
    );
}

/// Expected values: kustomize 5.8.
#[test]
fn hashes_names_as_kustomize_does() {
    for (generator, expected) in [
        (
            "configMapGenerator:\n- name: x\n  literals: [a=b]\n",
            "x-4h2mbtbbt6",
        ),
        ("configMapGenerator:\n- name: x\n", "x-6ct58987ht"),
        ("secretGenerator:\n- name: x\n", "x-46f8b28mk5"),
        (
            "configMapGenerator:\n- name: x\n  literals: ['a=<é>&\"\\\\']\n",
            "x-24dff8m9bk",
        ),
    ] {
        let built = built(&[("kustomization.yaml", generator)]);
        assert_eq!(built.resources[0].name(), expected, "{generator}");
    }
}

#[test]
fn refuses_what_kustomize_refuses_at_its_place() {
    for (kustomization, kind, message, place) in [
        (
            "resource: [a.yaml]\n",
            ProblemKind::UnknownField,
            "`resource` is no field of a kustomization",
            "1:1",
        ),
        (
            "resources: [a.yaml]\nconfigMapGenerator:\n- name: x\n  literal: [a=b]\n",
            ProblemKind::UnknownField,
            "`literal` is no field of `configMapGenerator[0]`",
            "4:3",
        ),
        (
            "namePrefix: yes\nresources: [a.yaml]\n",
            ProblemKind::Malformed,
            "`namePrefix` is a boolean, not text",
            "1:13",
        ),
        (
            "resources: [a.yaml, missing.yaml]\n",
            ProblemKind::Missing,
            "there is no file or folder `missing.yaml`",
            "1:21",
        ),
        (
            "resources: [a.yaml, a.yaml]\n",
            ProblemKind::Duplicate,
            "`ConfigMap/a` comes in a second time",
            "1:21",
        ),
        (
            "resources: [.]\n",
            ProblemKind::Circle,
            "`.` leads back to a kustomization that names this one",
            "1:13",
        ),
        (
            "kind: Kustomization\n",
            ProblemKind::Refused,
            "the kustomization is empty",
            "1:1",
        ),
        (
            "configMapGenerator:\n- name: x\n  behavior: merge\n",
            ProblemKind::NoTarget,
            "there is no `ConfigMap/x` that the generator can change",
            "2:9",
        ),
        (
            "resources: [a.yaml]\nconfigMapGenerator:\n- name: a\n",
            ProblemKind::Duplicate,
            "`ConfigMap/a` is there already",
            "3:9",
        ),
        (
            "components: [base]\n",
            ProblemKind::Refused,
            "`base` is no Component",
            "1:14",
        ),
    ] {
        let files = [
            ("kustomization.yaml", kustomization),
            ("a.yaml", CONFIG_MAP),
            ("base/kustomization.yaml", "resources: []\n"),
        ];
        let place = format!("kustomization.yaml:{place}");
        let expected = (kind, message.to_owned(), place);
        assert_eq!(only_problem(&files), expected, "{kustomization}");
    }
}

#[test]
fn says_all_problems_at_once_and_none_that_follows_from_another() {
    let built = build_all(&[
        (
            "kustomization.yaml",
            "unknown: 1\nresources: [missing.yaml, bad.yaml, base]\nconfigMapGenerator:\n\
             - name: in-missing\n  behavior: merge\n",
        ),
        ("bad.yaml", "a: b\n"),
        (
            "base/kustomization.yaml",
            "bases: 5\nresources: [../x.yaml]\n",
        ),
        ("x.yaml", CONFIG_MAP),
    ]);
    assert_eq!(
        kinds(&built),
        [
            ProblemKind::UnknownField,
            ProblemKind::Missing,
            ProblemKind::Malformed,
            ProblemKind::Malformed,
            ProblemKind::Outside,
        ]
    );
}

#[test]
fn finds_circles_over_several_folders() {
    let (kind, _, place) = only_problem(&[
        ("kustomization.yaml", "resources: [b]\n"),
        ("b/kustomization.yaml", "resources: [../c]\n"),
        ("c/kustomization.yaml", "resources: [../b]\n"),
    ]);
    assert_eq!(kind, ProblemKind::Circle);
    assert_eq!(place, "c/kustomization.yaml:1:13");
}

#[test]
fn stops_where_kustomizations_multiply() {
    let mut files = MemoryFiles::default();
    for level in 0..40 {
        let next = level + 1;
        let text = format!("{COMPONENT}components: [../c{next}, ../c{next}]\n");
        let path = format!("c{level}/kustomization.yaml");
        files.add(SourceFile::new(path, text.into_bytes()));
    }
    let last = format!("{COMPONENT}resources: []\n");
    files.add(SourceFile::new("c40/kustomization.yaml", last.into_bytes()));
    let built = build(&files, "c0", BuildOptions::default());
    assert_eq!(kinds(&built), [ProblemKind::Refused]);
}

#[test]
fn reads_files_from_anywhere_only_where_it_may() {
    let files = files_of(&[
        ("app/kustomization.yaml", "resources: [../a.yaml]\n"),
        ("a.yaml", CONFIG_MAP),
    ]);
    let restricted = build(&files, "app", BuildOptions::default());
    assert_eq!(kinds(&restricted), [ProblemKind::Outside]);
    let anywhere = BuildOptions {
        files_from_anywhere: true,
    };
    assert_eq!(names(&build(&files, "app", anywhere)), ["ConfigMap/a"]);
}

#[test]
fn notes_what_it_cannot_see_and_builds_the_rest() {
    let built = built(&[
        (
            "kustomization.yaml",
            "resources:\n- https://user:pass@example.org/a.yaml\n- github.com/a/b//deploy?ref=v1\n- a.yaml\n\
             helmCharts: [{name: web}]\nconfigMapGenerator:\n- name: from-there\n  behavior: merge\n",
        ),
        ("a.yaml", CONFIG_MAP),
    ]);
    assert_eq!(names(&built), ["ConfigMap/a"]);
    let unseen = built.findings.not_seen.iter();
    let unseen: Vec<&str> = unseen.map(|unseen| unseen.what.as_str()).collect();
    assert_eq!(
        unseen,
        [
            "the resource `https://example.org/a.yaml`",
            "the resource `github.com/a/b//deploy`",
            "the chart `web`",
            "the object that this is for",
        ]
    );
}

#[test]
fn takes_a_kustomization_that_stands_in_no_file() {
    let source = SourceFile::new("flux.yaml", b"resources: [a.yaml]\n".to_vec());
    let documents = source.documents().expect("it is YAML");
    let kustomization = Field::of_kustomization(&documents[0].root, &source, 0);
    let files = files_of(&[("app/a.yaml", CONFIG_MAP)]);
    let built = build_kustomization(&files, "app", &kustomization, BuildOptions::default());
    assert_eq!(names(&built), ["ConfigMap/a"]);
}

#[test]
fn writes_annotations_as_kustomize_does() {
    let built = built(&[
        (
            "kustomization.yaml",
            "buildMetadata: [originAnnotations]\nresources: [b]\n",
        ),
        ("b/kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "b/a.yaml",
            "kind: X\nmetadata:\n  name: a\n  annotations: {n: 1, t: true, config.kubernetes.io/index: '0'}\n",
        ),
    ]);
    let annotations = built.resources[0].root.find(&["metadata", "annotations"]);
    assert_eq!(
        annotations.expect("there are some").to_json(),
        serde_json::json!({"config.kubernetes.io/origin": "path: b/a.yaml\n", "n": "1", "t": "true"})
    );
}
