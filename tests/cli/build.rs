use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::Value;

use super::cluster::{self, cluster, commit_all};
use crate::support::Sandbox;

#[test]
fn prints_what_flux_applies_with_its_owners() {
    let sandbox = cluster();
    let run = sandbox.kiln(&["build", "--owner", "flux-system/apps"]);
    let expected = "\
# Kustomization/flux-system/apps, from apps/config.yaml:1
apiVersion: v1
data:
  host: web.example.com
kind: ConfigMap
metadata:
  name: web
  namespace: default
---
# Kustomization/flux-system/apps, from apps/secret.yaml:1
apiVersion: v1
kind: Secret
metadata:
  name: web
  namespace: default
stringData:
  password: …
  sealed: ENC[AES256_GCM,data:x]
  token: …
---
# Kustomization/flux-system/apps, from apps/deployment.yaml:1
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
spec:
  replicas: 2
  template:
    spec:
      containers:
      - image: ghcr.io/web:1.2.3
        name: web
";
    assert_eq!(run.stdout, expected, "{run}");
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.stderr, "3 objects of 1 Kustomization\n");
    let all = sandbox.kiln(&["build", "-o", "name", "-q"]);
    let expected = "ConfigMap/flux-system/settings\nFluxInstance/flux-system/flux\nKustomization/flux-system/apps\nConfigMap/default/web\nSecret/default/web\nDeployment/default/web\n";
    assert_eq!(all.success(), expected);
}

#[test]
fn takes_what_the_arguments_ask_for() {
    let sandbox = cluster();
    for (arguments, expected) in [
        (&["--kind", "Deployment"][..], "Deployment/default/web\n"),
        (
            &["--kind", "Deployment", "--kind", "Secret", "-n", "default"],
            "Secret/default/web\nDeployment/default/web\n",
        ),
        (&["-n", "none"], ""),
    ] {
        let run = sandbox.kiln(&[&["build", "-o", "name"], arguments].concat());
        assert_eq!(run.success(), expected);
    }
    let run = sandbox.kiln(&["build", "--owner", "flux-system/aps"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: Flux applies no Kustomization `flux-system/aps` here
    help: did you mean `flux-system/apps`?
    ");
    for arguments in [
        &["--owner", "x"][..],
        &["--source", "x=y"],
        &["--source", "GitRepository/a/b"],
        &["--root", "nowhere"],
        &["--values", "none.yaml"],
        &["nowhere"],
        &["apps", "--lenient"],
    ] {
        let run = sandbox.kiln(&[&["build"], arguments].concat());
        assert_eq!(run.code, Some(2), "{arguments:?} {run}");
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
}

#[test]
fn tells_where_each_value_comes_from() {
    let sandbox = cluster();
    let arguments = ["build", "--origin", "--kind", "ConfigMap", "-n", "default"];
    let text = sandbox.kiln(&arguments).success();
    insta::assert_snapshot!(text, @"
    # Kustomization/flux-system/apps, from apps/config.yaml:1
    apiVersion: v1 # apps/config.yaml:1
    data:
      host: web.example.com # apps/config.yaml:6
    kind: ConfigMap # apps/config.yaml:2
    metadata:
      name: web # apps/config.yaml:4
      namespace: default # cluster/apps.yaml:7
    ");
    let json = sandbox.kiln(&[&arguments[..], &["-o", "json"]].concat());
    let json: Value = serde_json::from_str(&json.success()).unwrap();
    let object = &json["objects"][0];
    assert_eq!(object["owner"], "Kustomization/flux-system/apps");
    let host = &object["origins"]["/data/host"];
    assert_eq!(host["file"], "apps/config.yaml");
    assert_eq!(host["line"], 6);
    assert_eq!(host["column"], 9);
    assert_eq!(host["route"], "data.host");
    assert!(
        host["shapedBy"]
            .as_array()
            .unwrap()
            .iter()
            .any(|place| place == "cluster/settings.yaml:6"),
        "{host}"
    );
}

#[test]
fn json_follows_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/build.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let sandbox = cluster();
    sandbox.write(
        "apps/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: '${NOPE}'}\n",
    );
    for arguments in [
        &["build", "-o", "json", "--origin"][..],
        &["build", "apps", "-o", "json"],
    ] {
        let run = sandbox.kiln(arguments);
        let mut value: Value = serde_json::from_str(&run.stdout).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
        value["objects"] = Value::Null;
        assert!(!validator.is_valid(&value));
    }
    let run = sandbox.kiln(&["build", "-o", "json"]);
    assert_eq!(run.code, Some(1), "{run}");
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        value["refused"][0]["owner"],
        "Kustomization/flux-system/apps"
    );
}

#[test]
fn values_of_secrets_show_only_when_asked_for() {
    let sandbox = cluster();
    let arguments = ["build", "--kind", "Secret"];
    assert!(!sandbox.kiln(&arguments).success().contains("hunter2"));
    let shown = sandbox
        .kiln(&["build", "--kind", "Secret", "--show-secrets"])
        .success();
    insta::assert_snapshot!(shown, @"
    # Kustomization/flux-system/apps, from apps/secret.yaml:1
    apiVersion: v1
    kind: Secret
    metadata:
      name: web
      namespace: default
    stringData:
      password: hunter2
      sealed: ENC[AES256_GCM,data:x]
      token: null
    ");
    sandbox.write(
        "outside.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: outside, namespace: flux-system}\nstringData: {TOKEN: swordfish}\n",
    );
    sandbox.write(
        "cluster/apps.yaml",
        sandbox.read("cluster/apps.yaml") + "      - {kind: Secret, name: outside}\n",
    );
    sandbox.write(
        "apps/secret.yaml",
        sandbox.read("apps/secret.yaml").replace(":=}", "}"),
    );
    let run = sandbox.kiln(&["build", "--values", "outside.yaml"]);
    assert!(
        run.stdout.contains("token: ${TOKEN}\n") && !run.to_string().contains("swordfish"),
        "{run}"
    );
    let run = sandbox.kiln(&["build", "--values", "outside.yaml", "--show-secrets"]);
    assert!(run.stdout.contains("token: swordfish\n"), "{run}");
}

#[test]
fn a_project_names_what_lies_outside() {
    let sandbox = cluster();
    sandbox.write(
        "cluster/apps.yaml",
        sandbox
            .read("cluster/apps.yaml")
            .replace("name: settings", "name: outside"),
    );
    let run = sandbox.kiln(&["build", "-o", "name"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stdout
    ConfigMap/flux-system/settings
    FluxInstance/flux-system/flux
    Kustomization/flux-system/apps
    ConfigMap/default/web
    Secret/default/web
    Deployment/default/web
    --- stderr
    not seen: ConfigMap/flux-system/outside: no build of the tree makes it, so its variables are not known
      give its values by name: `[flux] values` in kiln.toml
    6 objects of 2 Kustomizations, 1 part not seen
    ");
    sandbox.write(
        "kiln/values.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside, namespace: flux-system}\ndata: {DOMAIN: example.org}\n",
    );
    sandbox.write(
        "kiln/kiln.toml",
        "[flux]\nroots = [\"cluster\"]\nvalues = [\"values.yaml\"]\n",
    );
    let run = sandbox.kiln(&["-C", "kiln", "build"]);
    assert!(run.stdout.contains("host: web.example.org\n"), "{run}");
    for (settings, message) in [
        ("[flux]\nrots = []\n", "no key `rots`"),
        ("[flux]\nsources = { x = \"y\" }\n", "`x` names no source"),
        ("[flux]\nstrict = 1\n", "`strict` must be true or false"),
    ] {
        sandbox.write("kiln/kiln.toml", settings);
        let run = sandbox.kiln(&["-C", "kiln", "build"]);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains(message), "{run}");
    }
}

#[test]
fn a_variable_that_nothing_gives_is_an_error_since_flux_2_9() {
    let sandbox = cluster();
    sandbox.write(
        "apps/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: 'x${NOPE}'}\n",
    );
    // What can be built is printed all the same.
    let run = sandbox.kiln(&["build", "-o", "name"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    ConfigMap/flux-system/settings
    FluxInstance/flux-system/flux
    Kustomization/flux-system/apps
    --- stderr
    error[variable-undefined]: nothing gives the variable `NOPE` a value, and Flux refuses the whole build
     --> apps/config.yaml:4:13
      |
    4 | data: {a: 'x${NOPE}'}
      |             ^^^^^^^
      |
      = help: set it in `postBuild`, give it a default (`${NOPE:=value}`), or write `$${NOPE}` where the shell is meant
      = help: Flux builds it for `flux-system/apps`

    3 objects of 2 Kustomizations, 1 refused
    ");
    sandbox.kiln(&["build", "--lenient"]).success();
    sandbox.write("kiln.toml", "[flux]\nstrict = false\n");
    sandbox.kiln(&["build"]).success();
}

#[test]
fn what_is_applied_in_part_is_printed_and_fails() {
    let sandbox = cluster();
    sandbox.write(
        "apps/kustomization.yaml",
        "resources: [config.yaml]\nresource: [deployment.yaml]\n",
    );
    let run = sandbox.kiln(&["build", "-o", "name", "--owner", "flux-system/apps"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    ConfigMap/default/web
    --- stderr
    error[kustomization-unknown-key]: kustomize knows no key `resource`, and Flux passes over it without a word
     --> apps/kustomization.yaml:2:11
      |
    2 | resource: [deployment.yaml]
      |           ^^^^^^^^^^^^^^^^^
      |
      = help: nothing that is listed below it is deployed: mend the key, or remove it
      = help: Flux builds it for `flux-system/apps`

    1 object of 1 Kustomization
    ");
    let run = sandbox.kiln(&["list", "images"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    only a part is in the list, since Flux passes over keys that kustomize does not know: Kustomization/flux-system/apps; `kiln build` says why
    ");
}

#[test]
fn finds_the_tree_from_below_and_from_outside() {
    let sandbox = cluster();
    let all = sandbox.kiln(&["build"]).success();
    for arguments in [
        &["-C", "apps", "build"][..],
        &["build", "cluster"],
        &["-C", "apps", "build", "../cluster"],
    ] {
        let run = sandbox.kiln(arguments);
        if arguments.contains(&"cluster") || arguments.contains(&"../cluster") {
            assert_eq!(run.success(), all, "{arguments:?}");
            continue;
        }
        assert_eq!(run.success(), all, "{arguments:?}");
    }
}

#[test]
fn a_repository_without_git_is_where_the_user_stands() {
    let sandbox = Sandbox::new();
    cluster::fill(&sandbox, "");
    let names = sandbox.kiln(&["build", "-o", "name"]).success();
    insta::assert_snapshot!(names, @"
    ConfigMap/flux-system/settings
    FluxInstance/flux-system/flux
    Kustomization/flux-system/apps
    ConfigMap/default/web
    Secret/default/web
    Deployment/default/web
    ");
    let all = sandbox.kiln(&["build"]).success();
    let run = sandbox.kiln(&["-C", "apps", "build", "-q"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: nothing in `[WORK]/apps` tells where Flux starts: there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization
    help: name the folder that Flux is to apply with `--root FOLDER`, or `[flux] roots` in `kiln.toml`
    help: for a single folder with a `kustomization.yaml`, name it: `kiln build DIR`
    ");
    sandbox.write("kiln.toml", "");
    assert_eq!(sandbox.kiln(&["-C", "apps", "build"]).success(), all);
}

#[test]
fn a_folder_that_git_ignores_is_a_tree_of_its_own() {
    let sandbox = Sandbox::with(&[(".gitignore", "/lab/\n")]);
    cluster::fill(&sandbox, "lab/");
    commit_all(&sandbox);
    let text = sandbox.kiln(&["-C", "lab", "build"]).success();
    assert!(text.contains("from apps/deployment.yaml:1"), "{text}");
}

#[test]
fn several_clusters_are_named_and_one_can_be_chosen() {
    let sandbox = Sandbox::new();
    for name in ["one", "two"] {
        sandbox.write(
            &format!("clusters/{name}/flux-system/gotk-sync.yaml"),
            format!("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: flux-system, namespace: flux-system}}\nspec:\n  path: ./clusters/{name}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n"),
        );
        sandbox.write(
            &format!("clusters/{name}/config.yaml"),
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: x}}\n"),
        );
    }
    commit_all(&sandbox);
    let text = sandbox.kiln(&["build", "--kind", "ConfigMap"]).success();
    insta::assert_snapshot!(text, @"
    # Flux starts from `clusters/one`
    # Kustomization/flux-system/flux-system, from clusters/one/config.yaml:1
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: one
      namespace: x
    ---
    # Flux starts from `clusters/two`
    # Kustomization/flux-system/flux-system, from clusters/two/config.yaml:1
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: two
      namespace: x
    ");
    for root in ["clusters/two", "./clusters/two/"] {
        let text = sandbox.kiln(&["build", "-o", "name", "--kind", "ConfigMap", "--root", root]);
        assert_eq!(text.success(), "ConfigMap/x/two\n");
    }
    let run = sandbox.kiln(&["build", "--root", "clusters/tow"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: there is no folder `clusters/tow` in the tree
    help: did you mean `clusters/two`?
    ");
}

#[test]
fn a_file_that_flux_does_not_get_is_told_from_a_missing_one() {
    let sandbox = cluster();
    let list = sandbox.read("apps/kustomization.yaml");
    let cases: [(&str, &dyn Fn()); 4] = [
        ("ignored.yaml", &|| {
            sandbox.write(".gitignore", "ignored.yaml\n");
        }),
        ("left-out.yaml", &|| {
            sandbox.write(".sourceignore", "left-out.*\n");
        }),
        ("link.yaml", &|| {
            std::fs::remove_file(sandbox.path("apps/link.yaml")).unwrap();
            symlink("config.yaml", sandbox.path("apps/link.yaml")).unwrap();
        }),
        ("other", &|| sandbox.write("apps/other/.git", "gitdir: x\n")),
    ];
    let mut told = String::new();
    for (name, spoil) in cases {
        let path = format!("apps/{name}");
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";
        if name.contains('.') {
            sandbox.write(&path, text);
        } else {
            sandbox.write(&format!("{path}/kustomization.yaml"), "resources: []\n");
        }
        sandbox.write("apps/kustomization.yaml", format!("{list}  - {name}\n"));
        spoil();
        let run = sandbox.kiln(&["build", "-o", "name"]);
        assert_eq!(run.code, Some(1), "{run}");
        let lines = run.lines_that_start(&["error", "warning", " --> "]);
        writeln!(told, "{name}: {}", lines.join("\n")).unwrap();
    }
    insta::assert_snapshot!(told, @"
    ignored.yaml: error[resource-ignored]: `ignored.yaml` is there, and Flux does not get it: git ignores it
     --> apps/kustomization.yaml:5:5
    left-out.yaml: error[resource-ignored]: `left-out.yaml` is there, and Flux does not get it: the source-controller leaves it out of the source
     --> apps/kustomization.yaml:5:5
    link.yaml: error[resource-ignored]: `link.yaml` is there, and Flux does not get it: it is a symlink, which the source-controller leaves out of the source
     --> apps/kustomization.yaml:5:5
    other: error[resource-ignored]: `other` is there, and Flux does not get it: it belongs to another repository
     --> apps/kustomization.yaml:5:5
    ");
    sandbox.write(
        "apps/kustomization.yaml",
        format!("{list}  - nowhere.yaml\n"),
    );
    let run = sandbox.kiln(&["build"]);
    assert!(run.stderr.contains("error[resource-missing]"), "{run}");
}

#[test]
fn what_cannot_be_read_stops_nothing_else() {
    let sandbox = cluster();
    sandbox.write("private/a.yaml", "a: b\n");
    std::fs::set_permissions(
        sandbox.path("private"),
        std::fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    sandbox.write("docs/broken.yaml", "a: [\n\tx");
    sandbox.write("docs/binary.yaml", [0xff, 0xfe, 0x00]);
    let run = sandbox.kiln(&["build", "-o", "name"]);
    std::fs::set_permissions(
        sandbox.path("private"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stdout
    ConfigMap/flux-system/settings
    FluxInstance/flux-system/flux
    Kustomization/flux-system/apps
    ConfigMap/default/web
    Secret/default/web
    Deployment/default/web
    --- stderr
    6 objects of 2 Kustomizations
    ");
    sandbox.write("apps/config.yaml", "kind: ConfigMap\n  a: [\n");
    let run = sandbox.kiln(&["build", "-o", "name"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    ConfigMap/flux-system/settings
    FluxInstance/flux-system/flux
    Kustomization/flux-system/apps
    --- stderr
    error[kustomize-refused]: mapping values are not allowed in this context
     --> apps/config.yaml:2:4
      |
    2 |   a: [
      |    ^
      |
      = help: Flux builds it for `flux-system/apps`

    3 objects of 2 Kustomizations, 1 refused
    ");
}

#[test]
fn an_empty_repository_says_what_was_looked_for() {
    let sandbox = Sandbox::with(&[("README.md", "hello\n")]);
    commit_all(&sandbox);
    insta::assert_snapshot!(sandbox.transcript(&["build", "list images"]), @"
    $ kiln build
    exit code 2
    --- stderr
    error: nothing in `[WORK]` tells where Flux starts: there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization
    help: name the folder that Flux is to apply with `--root FOLDER`, or `[flux] roots` in `kiln.toml`
    help: for a single folder with a `kustomization.yaml`, name it: `kiln build DIR`
    $ kiln list images
    exit code 2
    --- stderr
    error: nothing in `[WORK]` tells where Flux starts: there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization
    help: name the folder that Flux is to apply with `--root FOLDER`, or `[flux] roots` in `kiln.toml`
    help: for a single folder with a `kustomization.yaml`, name it: `kiln build DIR`
    ");
}

#[test]
fn a_folder_builds_as_kustomize_builds_it() {
    let sandbox = Sandbox::with(&[
        (
            "base/kustomization.yaml",
            "resources: [config.yaml]\nnamePrefix: my-\n",
        ),
        (
            "base/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  b: |\n    c\n",
        ),
        (
            "over/kustomization.yaml",
            "resources: [../base]\nnamespace: x\nsecretGenerator:\n- name: s\n  literals: [p=hunter2]\n",
        ),
        (
            "up/kustomization.yaml",
            "resources: [../base/config.yaml]\n",
        ),
    ]);
    let text = sandbox.kiln(&["build", "over"]).success();
    let config = "apiVersion: v1\ndata:\n  b: |\n    c\nkind: ConfigMap\nmetadata:\n  name: my-a\n  namespace: x\n---\n";
    assert!(text.starts_with(config), "{text}");
    insta::assert_snapshot!(text, @"
    apiVersion: v1
    data:
      b: |
        c
    kind: ConfigMap
    metadata:
      name: my-a
      namespace: x
    ---
    apiVersion: v1
    data:
      p: …
    kind: Secret
    metadata:
      name: s-9k2gdm59fk
      namespace: x
    type: Opaque
    ");
    let shown = sandbox.kiln(&["build", "over", "--show-secrets"]).success();
    insta::assert_snapshot!(shown, @"
    apiVersion: v1
    data:
      b: |
        c
    kind: ConfigMap
    metadata:
      name: my-a
      namespace: x
    ---
    apiVersion: v1
    data:
      p: aHVudGVyMg==
    kind: Secret
    metadata:
      name: s-9k2gdm59fk
      namespace: x
    type: Opaque
    ");
    let run = sandbox.kiln(&["build", "up"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[kustomize-refused]: `../base/config.yaml` lies outside of the folder of the kustomization
     --> up/kustomization.yaml:1:13
      |
    1 | resources: [../base/config.yaml]
      |             ^^^^^^^^^^^^^^^^^^^
    ");
    sandbox
        .kiln(&["build", "up", "--load-restrictor", "none"])
        .success();
    let run = sandbox.kiln(&["-C", "over", "build", "."]);
    assert_eq!(run.success(), text);
}

#[test]
fn nothing_outside_of_a_repository_is_read() {
    let sandbox = Sandbox::with(&[
        ("base/kustomization.yaml", "resources: [config.yaml]\n"),
        (
            "base/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        ),
        ("repo/over/kustomization.yaml", "resources: [../../base]\n"),
    ]);
    sandbox.kiln(&["build", "repo/over"]).success();
    crate::diff::project::git_in(&sandbox.path("repo"), &["init", "--quiet"]);
    let run = sandbox.kiln(&["build", "repo/over"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.stdout, "");
}

#[test]
fn what_a_name_orders_nobody_does() {
    let sandbox = cluster();
    sandbox.write(
        "apps/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: \"a\\n::error::b\"\n  annotations: {\"##[error]c\": \"\\u202e\"}\ndata:\n  d: |\n    x\n    ::warning::y\n    ::1 localhost\n",
    );
    for format in ["yaml", "json", "name"] {
        let run = sandbox.kiln(&["build", "-o", format, "--origin"]);
        let orders = run.stdout.lines().any(|line| {
            let start = line.trim_start();
            start.starts_with("::error") || start.starts_with("::warning")
        });
        assert!(
            !orders && !run.stdout.contains("##[") && !run.stdout.contains('\u{202e}'),
            "{run}"
        );
    }
    let text = sandbox
        .kiln(&["build", "--kind", "ConfigMap", "-n", "default"])
        .success();
    let documents = kiln::yaml::load(&text).unwrap();
    let data = documents[0].root.find("data").unwrap();
    assert_eq!(
        data.find_text("d"),
        Some("x\n::warning::y\n::1 localhost\n")
    );
}
