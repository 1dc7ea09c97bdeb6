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
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr.contains("did you mean `flux-system/apps`?"),
        "{run}"
    );
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
    assert!(
        text.contains("  host: web.example.com # apps/config.yaml:6\n"),
        "{text}"
    );
    assert!(
        text.contains("kind: ConfigMap # apps/config.yaml:2\n"),
        "{text}"
    );
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
    assert!(shown.contains("password: hunter2\n"), "{shown}");
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
    assert!(
        run.stderr
            .contains("not seen: ConfigMap/flux-system/outside: no build of the tree makes it"),
        "{run}"
    );
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
        ("[flux]\nstrict = 1\n", "`true` or `false` was expected"),
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
    let run = sandbox.kiln(&["build", "-o", "name"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("error[variable-undefined]"), "{run}");
    assert!(run.stderr.contains("apps/config.yaml:4:"), "{run}");
    // What can be built is printed all the same.
    assert!(
        run.stdout.contains("Kustomization/flux-system/apps"),
        "{run}"
    );
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
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.stdout, "ConfigMap/default/web\n");
    assert!(
        run.stderr.contains("error[kustomization-unknown-key]"),
        "{run}"
    );
    assert!(run.stderr.contains("apps/kustomization.yaml:2:"), "{run}");
    let run = sandbox.kiln(&["list", "images"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr.contains("only a part is in the list")
            && run.stderr.contains("Kustomization/flux-system/apps"),
        "{run}"
    );
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
    let all = sandbox.kiln(&["build"]).success();
    assert!(all.contains("Deployment"), "{all}");
    let run = sandbox.kiln(&["-C", "apps", "build", "-q"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr
            .contains("tells where Flux starts: there is no `FluxInstance`"),
        "{run}"
    );
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
    let one = "# Flux starts from `clusters/one`\n# Kustomization/flux-system/flux-system, from clusters/one/config.yaml:1\n";
    let two = "# Flux starts from `clusters/two`\n";
    assert!(text.starts_with(one) && text.contains(two), "{text}");
    for root in ["clusters/two", "./clusters/two/"] {
        let text = sandbox.kiln(&["build", "-o", "name", "--kind", "ConfigMap", "--root", root]);
        assert_eq!(text.success(), "ConfigMap/x/two\n");
    }
    let run = sandbox.kiln(&["build", "--root", "clusters/tow"]);
    assert!(run.stderr.contains("did you mean `clusters/two`?"), "{run}");
}

#[test]
fn a_file_that_flux_does_not_get_is_told_from_a_missing_one() {
    let sandbox = cluster();
    let list = sandbox.read("apps/kustomization.yaml");
    let cases: [(&str, &dyn Fn(), &str); 4] = [
        (
            "ignored.yaml",
            &|| sandbox.write(".gitignore", "ignored.yaml\n"),
            "git ignores it",
        ),
        (
            "left-out.yaml",
            &|| sandbox.write(".sourceignore", "left-out.*\n"),
            "the source-controller leaves it out",
        ),
        (
            "link.yaml",
            &|| {
                std::fs::remove_file(sandbox.path("apps/link.yaml")).unwrap();
                symlink("config.yaml", sandbox.path("apps/link.yaml")).unwrap();
            },
            "it is a symlink",
        ),
        (
            "other",
            &|| sandbox.write("apps/other/.git", "gitdir: x\n"),
            "another repository",
        ),
    ];
    for (name, spoil, why) in cases {
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
        assert!(
            run.stderr.contains("error[resource-ignored]") && run.stderr.contains(why),
            "{run}"
        );
        assert!(run.stderr.contains(&format!("`{name}`")), "{run}");
        assert!(run.stderr.contains("apps/kustomization.yaml:"), "{run}");
    }
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
    assert!(run.success().contains("Deployment/default/web"));
    sandbox.write("apps/config.yaml", "kind: ConfigMap\n  a: [\n");
    let run = sandbox.kiln(&["build", "-o", "name"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("apps/config.yaml:"), "{run}");
}

#[test]
fn an_empty_repository_says_what_was_looked_for() {
    let sandbox = Sandbox::with(&[("README.md", "hello\n")]);
    commit_all(&sandbox);
    for arguments in [&["build"][..], &["list", "images"]] {
        let run = sandbox.kiln(arguments);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(
            run.stderr.contains("there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization"),
            "{run}"
        );
    }
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
    assert!(text.contains("  p: …\n"), "{text}");
    let shown = sandbox.kiln(&["build", "over", "--show-secrets"]).success();
    assert!(shown.contains("  p: aHVudGVyMg==\n"), "{shown}");
    let run = sandbox.kiln(&["build", "up"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("up/kustomization.yaml:1:"), "{run}");
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
