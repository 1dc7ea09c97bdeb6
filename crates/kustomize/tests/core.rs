//! Kustomizations built from files in memory: what is gathered, generated and refused, and where it comes from.

use kustomize::{
    Build, BuildOptions, Field, MemoryFiles, ProblemKind, SourceFile, build, build_kustomization,
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
    let place = field.expect("the field is there").place();
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
fn keeps_the_place_of_what_an_alias_stands_for() {
    let object = "kind: X\nmetadata: {name: a}\none: &a text\ntwo: *a\nmap: &b {c: d}\nother: *b\n";
    let built = built(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        ("a.yaml", object),
    ]);
    let root = &built.resources[0].root;
    let spans = |path: &[&str]| {
        let origin = &root.find(path).expect("the field is there").origin;
        let all = std::iter::once(&origin.place).chain(origin.shaped_by());
        let texts = all.map(|place| &object[place.span.start..place.span.end]);
        texts.collect::<Vec<&str>>()
    };
    assert_eq!(spans(&["one"]), ["text"]);
    assert_eq!(spans(&["two"]), ["*a", "text"]);
    assert_eq!(spans(&["other", "c"]), ["d"]);
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

/// As go-yaml v2 reads it: kustomize says nothing about the first.
/// Each result was printed by kustomize 5.8.
#[test]
fn a_patch_that_replaces_the_annotations_takes_kustomizes_notes_with_them() {
    let pod = "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec: {volumes: [{configMap: {name: g}}]}\n";
    let with_patch = |patch: &str| {
        let kustomization = format!(
            "resources: [pod.yaml]\nconfigMapGenerator: [{{name: g, literals: [a=b]}}]\n\
             buildMetadata: [originAnnotations]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: |-\n    {patch}\n"
        );
        let built = built(&[("kustomization.yaml", &kustomization), ("pod.yaml", pod)]);
        let text = |index: usize, path: &[&str]| {
            let field = built.resources[index]
                .root
                .find(path)
                .and_then(Field::as_text);
            field.unwrap_or_default().to_owned()
        };
        let volumes = built.resources[1].root.find(&["spec", "volumes"]);
        let volume = volumes.and_then(Field::items).and_then(<[_]>::first);
        assert_eq!(
            volume.and_then(|volume| volume.find_text(&["configMap", "name"])),
            Some(text(0, &["metadata", "name"]).as_str())
        );
        (
            text(0, &["metadata", "name"]),
            text(
                0,
                &["metadata", "annotations", "config.kubernetes.io/origin"],
            ),
        )
    };
    let by = |kind: &str| {
        format!(
            "configuredIn: kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n"
        )
    };
    let merge = |metadata: &str| {
        with_patch(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: g, {metadata}}}}}"
        ))
    };
    let hashed = "g-4h2mbtbbt6".to_owned();
    assert_eq!(
        merge("annotations: {a: b}"),
        (hashed.clone(), by("ConfigMapGenerator"))
    );
    for metadata in ["annotations: {$patch: delete}", "$patch: replace"] {
        assert_eq!(merge(metadata), ("g".to_owned(), by("PatchTransformer")));
    }
    let json = with_patch("- {op: add, path: /metadata/annotations, value: {a: b}}");
    assert_eq!(json, (hashed, by("PatchTransformer")));
}

#[test]
fn takes_the_last_of_equal_keys_in_a_kustomization() {
    let built = built(&[
        (
            "kustomization.yaml",
            "resources: [missing.yaml]\nnameSuffix: -x\nresources: [a.yaml]\n",
        ),
        ("a.yaml", CONFIG_MAP),
    ]);
    assert_eq!(names(&built), ["ConfigMap/a-x"]);
}

#[test]
fn takes_fields_in_any_case() {
    let built = built(&[
        (
            "kustomization.yaml",
            "RESOURCES: [a.yaml]\nnamesuffix: -x\n",
        ),
        ("a.yaml", CONFIG_MAP),
    ]);
    assert_eq!(names(&built), ["ConfigMap/a-x"]);
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: i\n\
                   \x20   args: [$(NAME), '$(X)', 'x-$(COUNT)']\n";

#[test]
fn puts_in_variables_with_their_places() {
    let built = built(&[
        (
            "kustomization.yaml",
            "namePrefix: over-\nresources: [base]\nvars:\n- name: COUNT\n  objref: {apiVersion: v1, kind: ConfigMap, name: m}\n\
             \x20 fieldref: {fieldPath: data.count}\n",
        ),
        (
            "base/kustomization.yaml",
            "resources: [pod.yaml, m.yaml]\nvars:\n- name: NAME\n  objref: {apiVersion: v1, kind: ConfigMap, name: m}\n",
        ),
        ("base/pod.yaml", POD),
        (
            "base/m.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {count: '3'}\n",
        ),
    ]);
    let pod = built
        .resources
        .iter()
        .find(|resource| resource.kind() == "Pod")
        .expect("the pod is there");
    let args = &pod
        .root
        .find(&["spec", "containers"])
        .and_then(Field::items);
    let args = args.expect("there are containers")[0]
        .get("args")
        .expect("it has arguments");
    assert_eq!(args.to_json(), serde_json::json!(["over-m", "$(X)", "x-3"]));
    let shaped: Vec<String> = args.items().expect("they are a list")[2]
        .origin
        .shaped_by()
        .iter()
        .map(|place| place.file.path.clone())
        .collect();
    assert_eq!(shaped, ["base/m.yaml", "kustomization.yaml"]);
}

#[test]
fn refuses_variables_without_one_meaning() {
    for (vars, kind, message) in [
        (
            "- {name: V, objref: {apiVersion: v1, kind: ConfigMap, name: none}}\n",
            ProblemKind::NoTarget,
            "no object is what the variable `V` is about",
        ),
        (
            "- {name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}, fieldref: {fieldPath: data.none}}\n",
            ProblemKind::Malformed,
            "`ConfigMap/a` has no field `data.none` for the variable `V`",
        ),
        (
            "- {name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}}\n\
             - {name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}}\n",
            ProblemKind::Duplicate,
            "the variable `V` is there already",
        ),
    ] {
        let kustomization = format!("resources: [a.yaml]\nvars:\n{vars}");
        let (found, said, _) = only_problem(&[
            ("kustomization.yaml", &kustomization),
            ("a.yaml", CONFIG_MAP),
        ]);
        assert_eq!((found, said.as_str()), (kind, message));
    }
}

/// A spec for one kind takes the place of the built-in one for all, as kustomize has it.
#[test]
fn a_configuration_comes_before_what_is_built_in() {
    let built = built(&[
        (
            "kustomization.yaml",
            "namePrefix: p-\nresources: [a.yaml]\nconfigurations: [c.yaml]\n",
        ),
        (
            "a.yaml",
            "kind: Host\nmetadata: {name: h}\n---\nkind: Other\nmetadata: {name: o}\n",
        ),
        (
            "c.yaml",
            "namePrefix:\n- path: metadata/name\n  kind: Host\n",
        ),
    ]);
    assert_eq!(names(&built), ["Host/p-h", "Other/o"]);
}

#[test]
fn runs_generators_and_transformers_of_their_own() {
    let built = built(&[
        (
            "kustomization.yaml",
            "resources: [a.yaml]\ngenerators:\n- |-\n  apiVersion: builtin\n  kind: IAMPolicyGenerator\n  metadata: {name: g}\n\
             \x20 cloud: gke\n  kubernetesService: {name: k, namespace: n}\n  serviceAccount: {name: s, projectId: p}\n\
             transformers: [t.yaml]\nvalidators: [t.yaml]\n",
        ),
        ("a.yaml", CONFIG_MAP),
        (
            "t.yaml",
            "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\ntarget: {kind: ConfigMap}\n\
             patch: '[{\"op\": \"replace\", \"path\": \"/data/x\", \"value\": \"z\"}]'\n",
        ),
    ]);
    assert_eq!(names(&built), ["ServiceAccount/k", "ConfigMap/a"]);
    assert_eq!(built.resources[1].root.find_text(&["data", "x"]), Some("z"));
    assert_eq!(
        built.resources[0].root.find_text(&[
            "metadata",
            "annotations",
            "iam.gke.io/gcp-service-account"
        ]),
        Some("s@p.iam.gserviceaccount.com")
    );
}

#[test]
fn refuses_a_validator_that_changes_something() {
    let (kind, message, place) = only_problem(&[
        (
            "kustomization.yaml",
            "resources: [a.yaml]\nvalidators: [t.yaml]\n",
        ),
        ("a.yaml", CONFIG_MAP),
        (
            "t.yaml",
            "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: p-\nfieldSpecs: [{path: metadata/name}]\n",
        ),
    ]);
    assert_eq!(kind, ProblemKind::Refused);
    assert_eq!(
        message,
        "the validator `PrefixTransformer/t` changes objects"
    );
    assert_eq!(place, "t.yaml:3:18");
}

/// Returns the one object that a file and the rest of a kustomization build to.
fn only_object(more: &str, object: &str) -> String {
    let kustomization = format!("resources: [a.yaml]\n{more}");
    let built = built(&[("kustomization.yaml", &kustomization), ("a.yaml", object)]);
    let [resource] = built.resources.as_slice() else {
        panic!("{:?}", names(&built));
    };
    kustomize::to_yaml(&resource.root)
}

#[test]
fn writes_dates_as_times_and_refuses_what_json_has_not() {
    let object = "kind: X\nmetadata: {name: a}\nspec: {plain: 2001-01-01, quoted: '2001-01-01'}\n";
    assert_eq!(
        only_object("", object),
        "kind: X\nmetadata:\n  name: a\nspec:\n  plain: \"2001-01-01T00:00:00Z\"\n  quoted: \"2001-01-01\"\n"
    );
    let quoted = "kind: X\nmetadata: {name: a}\nspec: {x: '.inf'}\n";
    assert!(only_object("", quoted).ends_with("x: \".inf\"\n"));
    for number in [".inf", "-.Inf", ".nan"] {
        let object = format!("kind: X\nmetadata: {{name: a}}\nspec:\n  x: {number}\n");
        let files = [
            ("kustomization.yaml", "resources: [a.yaml]\n"),
            ("a.yaml", object.as_str()),
        ];
        let (kind, _, place) = only_problem(&files);
        assert_eq!((kind, place.as_str()), (ProblemKind::Refused, "a.yaml:4:6"));
    }
}

/// Each result was printed by kustomize 5.8.
#[test]
fn a_date_is_as_it_is_written_until_the_end() {
    let object = "kind: X\nmetadata: {name: 2001-01-01, annotations: {a: 2001-01-02}}\nspec: {a: x, b: 2001-01-03}\n";
    let prefixed = only_object("namePrefix: p-\n", object);
    assert!(prefixed.contains("    a: \"2001-01-02\"\n  name: p-2001-01-01\n"));
    assert!(prefixed.ends_with("  b: \"2001-01-03T00:00:00Z\"\n"));
    let replacement = |source: &str, target: &str| {
        format!(
            "replacements:\n- source: {{kind: X, fieldPath: {source}}}\n  targets:\n  - select: {{kind: X}}\n    \
             fieldPaths: [{target}]\n    options: {{create: true}}\n"
        )
    };
    let into_text = only_object(&replacement("spec.b", "spec.a"), object);
    assert!(into_text.contains("  a: \"2001-01-03\"\n"), "{into_text}");
    let into_new = only_object(&replacement("spec.b", "spec.c"), object);
    assert!(
        into_new.ends_with("  c: \"2001-01-03T00:00:00Z\"\n"),
        "{into_new}"
    );
    let patch =
        "patches:\n- patch: '- {op: add, path: /spec/c, value: 2001-01-01}'\n  target: {kind: X}\n";
    let after_json = only_object(
        &format!("{patch}{}", replacement("spec.a", "spec.b")),
        object,
    );
    assert!(
        after_json.ends_with("  b: x\n  c: \"2001-01-01\"\n"),
        "{after_json}"
    );
}

#[test]
fn a_replacement_puts_no_text_or_number_over_a_date() {
    let object = "kind: X\nmetadata: {name: a}\nspec: {number: 5, text: x, date: 2001-01-01, time: 2001-01-01T10:00:00Z}\n";
    for source in ["number", "text"] {
        for target in ["date", "time"] {
            let kustomization = format!(
                "resources: [a.yaml]\nreplacements:\n- source: {{kind: X, fieldPath: spec.{source}}}\n  targets:\n  \
                 - select: {{kind: X}}\n    fieldPaths: [spec.{target}]\n"
            );
            let files = [
                ("kustomization.yaml", kustomization.as_str()),
                ("a.yaml", object),
            ];
            let (kind, message, place) = only_problem(&files);
            assert_eq!(kind, ProblemKind::Refused);
            assert_eq!(
                message,
                format!(
                    "no field `spec.{target}` is in `X` `a`: the field holds a date, and the value is of another type"
                )
            );
            assert_eq!(place, "kustomization.yaml:6:18");
        }
    }
}

#[test]
fn reads_keys_that_are_no_text_as_kustomize_does() {
    let plain = "kind: X\nmetadata: {name: a}\ndata: {0x1F: x, '0x2F': y, yes: z}\n";
    assert_eq!(
        only_object("", plain),
        "data:\n  \"0x2F\": \"y\"\n  \"31\": x\n  \"yes\": z\nkind: X\nmetadata:\n  name: a\n"
    );
    let bare = "kind: X\nmetadata: {name: a}\n";
    for key in ["0x1F", "\"0x1F\"", "31"] {
        let built = only_object(&format!("commonAnnotations: {{{key}: x}}\n"), bare);
        assert!(built.contains("    \"31\": x\n"), "{built}");
    }
    let patch = "patches:\n- target: {kind: X}\n  patch: |-\n    - {op: add, path: /spec, value: {y: 1, 'n': 2, no: [n]}}\n";
    let built = only_object(patch, bare);
    assert!(
        built.contains("  \"false\":\n  - false\n  \"n\": 2\n  \"true\": 1\n"),
        "{built}"
    );
}

#[test]
fn refuses_keys_that_json_does_not_have() {
    let bare = "kind: X\nmetadata: {name: a}\n";
    for key in ["true", "False", "1.5", "1e3", "null", "~", ".inf", "-.5"] {
        let object = format!("{bare}spec:\n- a: {{{key}: x}}\n");
        let files = [
            ("kustomization.yaml", "resources: [a.yaml]\n"),
            ("a.yaml", object.as_str()),
        ];
        let (kind, message, place) = only_problem(&files);
        assert_eq!(
            (kind, place.as_str()),
            (ProblemKind::Malformed, "a.yaml:4:7")
        );
        assert!(message.starts_with("the key is "), "{message}");
        let patch = format!(
            "resources: [a.yaml]\npatches:\n- patch: |-\n    kind: X\n    metadata: {{name: a}}\n    spec: {{{key}: x}}\n"
        );
        let (_, message, place) = only_problem(&[("kustomization.yaml", &patch), ("a.yaml", bare)]);
        assert_eq!(place, "kustomization.yaml:6:12");
        assert!(message.starts_with("the key is "), "{message}");
    }
    let fine = format!(
        "{bare}spec: {{'true': a, \"1.5\": b, !!str false: c, on: d, nothing: e, -x: f}}\n"
    );
    assert_eq!(only_object("", &fine).matches(": ").count(), 8);
}

#[test]
fn of_two_spellings_of_a_number_as_a_key_the_last_counts() {
    let object = "kind: X\nmetadata: {name: a}\ndata: {0x1F: x, b: y, \"31\": z, 7: v, 0x7: w}\n";
    assert_eq!(
        only_object("", object),
        "data:\n  \"7\": w\n  \"31\": z\n  b: \"y\"\nkind: X\nmetadata:\n  name: a\n"
    );
}

#[test]
fn of_equal_keys_in_an_operation_the_last_counts() {
    let object = "kind: X\nmetadata: {name: a}\n";
    let patch = "- {op: add, path: /one, path: /two, value: {x: 1, x: 2}}";
    let built = only_object(
        &format!("patches:\n- target: {{kind: X}}\n  patch: |-\n    {patch}\n"),
        object,
    );
    assert!(built.ends_with("two:\n  x: 2\n"), "{built}");
}

#[test]
fn rounds_great_numbers_where_a_json_patch_goes() {
    let object = "kind: X\nmetadata: {name: a}\nspec: {a: 1234567890123456789, b: [-9007199254740993], c: 9007199254740992}\n";
    let kept = only_object("", object);
    assert!(kept.contains("a: 1234567890123456789\n"), "{kept}");
    let patch = "patches:\n- {target: {kind: X}, patch: '[{\"op\": \"test\", \"path\": \"/kind\", \"value\": \"X\"}]'}\n";
    let rounded = only_object(patch, object);
    assert!(
        rounded.ends_with(
            "  a: 1234567890123456800\n  b:\n  - -9007199254740992\n  c: 9007199254740992\n"
        ),
        "{rounded}"
    );
}
