use serde_json::Value;

use super::cluster::{cluster, commit_all};
use crate::support::{Run, Sandbox};

/// A cluster with releases of all kinds.
fn releases() -> Sandbox {
    let sandbox = cluster();
    sandbox.write(
        "apps/config.yaml",
        "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: app-template}
spec: {url: oci://ghcr.io/bjw-s/app-template, ref: {tag: 5.1.0}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: jetstack}
spec: {url: https://charts.jetstack.io}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: echo}
spec:
  chartRef: {kind: OCIRepository, name: app-template}
  values: {controllers: {echo: {containers: {app: {image: {repository: ghcr.io/echo, tag: '35'}}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: cert-manager}
spec:
  chart: {spec: {chart: cert-manager, version: v1.20.0, sourceRef: {kind: HelmRepository, name: jetstack}}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: db}
spec: {imageName: ghcr.io/cloudnative-pg/postgresql:17}
",
    );
    sandbox
}

fn list(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.kiln(&[&["list"], arguments].concat())
}

#[test]
fn lists_images_with_their_users() {
    let sandbox = releases();
    let expected = "\
IMAGE                                USED BY
ghcr.io/cloudnative-pg/postgresql:17  Cluster/default/db
ghcr.io/echo:35                       HelmRelease/default/echo
ghcr.io/web:1.2.3                     Deployment/default/web
"
    .replacen("IMAGE      ", "IMAGE       ", 1);
    assert_eq!(list(&sandbox, &["images"]).success(), expected);
    let names = list(&sandbox, &["images", "-o", "name"]).success();
    assert_eq!(
        names,
        "ghcr.io/cloudnative-pg/postgresql:17\nghcr.io/echo:35\nghcr.io/web:1.2.3\n"
    );
}

#[test]
fn lists_releases_with_their_charts() {
    let text = list(&releases(), &["releases"]).success();
    let words: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        words,
        [
            vec!["RELEASE", "CHART", "VERSION", "SOURCE", "OWNER"],
            vec![
                "default/cert-manager",
                "cert-manager",
                "v1.20.0",
                "https://charts.jetstack.io",
                "flux-system/apps"
            ],
            vec![
                "default/echo",
                "app-template",
                "5.1.0",
                "oci://ghcr.io/bjw-s/app-template",
                "flux-system/apps"
            ],
        ]
    );
}

#[test]
fn lists_sources_with_their_users() {
    let names = list(&releases(), &["sources", "-o", "json"]).success();
    let value: Value = serde_json::from_str(&names).unwrap();
    let told: Vec<String> = value["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| {
            format!(
                "{} {} {} {}",
                source["kind"], source["key"], source["url"], source["users"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""GitRepository" "flux-system/flux-system" "https://example.com/home.git" ["Kustomization/flux-system/apps","Kustomization/flux-system/flux-system"]"#,
            r#""HelmRepository" "default/jetstack" "https://charts.jetstack.io" ["HelmRelease/default/cert-manager"]"#,
            r#""OCIRepository" "default/app-template" "oci://ghcr.io/bjw-s/app-template" ["HelmRelease/default/echo"]"#,
        ]
    );
}

#[test]
fn lists_kustomizations_and_draws_them() {
    let sandbox = cluster();
    let apps = sandbox.read("cluster/apps.yaml");
    sandbox.write(
        "cluster/more.yaml",
        apps.replace("name: apps", "name: \"more\\\"]\"").replace(
            "  prune: true\n",
            "  dependsOn: [{name: apps}, {name: gone}]\n  suspend: true\n",
        ),
    );
    let run = list(&sandbox, &["kustomizations"]);
    let text = run.success();
    assert!(text.starts_with("KUSTOMIZATION"), "{text}");
    assert!(
        text.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words
                == [
                    "flux-system/apps",
                    "./apps",
                    "3",
                    "-",
                    "-",
                    "flux-system/flux-system",
                ]
        }),
        "{text}"
    );
    let graph = list(&sandbox, &["kustomizations", "-o", "mermaid"]).success();
    insta::assert_snapshot!(graph, @r#"
    graph LR
      n0["flux-system/flux-system"]
      n1["flux-system/apps"]
      n2["flux-system/more#34;#93; (suspended)"]
      n0 -.-> n1
      n2 --> n1
      n3["flux-system/gone (not there)"]
      n2 --> n3
      n0 -.-> n2
    "#);
}

#[test]
fn json_follows_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/list.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let sandbox = releases();
    for subject in ["images", "releases", "kustomizations", "sources"] {
        let text = list(&sandbox, &[subject, "-o", "json"]).success();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{subject}: {errors:#?}");
        assert!(!value[subject].as_array().unwrap().is_empty());
        value[subject][0]["odd"] = Value::Null;
        assert!(!validator.is_valid(&value), "{subject}");
    }
}

#[test]
fn what_is_refused_is_named_and_fails() {
    let sandbox = cluster();
    sandbox.write("apps/kustomization.yaml", "resources: [nowhere.yaml]\n");
    let run = list(&sandbox, &["images"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    not in the list, since Flux refuses the build: Kustomization/flux-system/apps; `kiln build` says why
    ");
}

#[test]
fn a_repository_without_such_a_thing_lists_nothing() {
    let sandbox = Sandbox::with(&[(
        "a/ks.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {path: ./a, sourceRef: {kind: GitRepository, name: flux-system}}\n",
    )]);
    commit_all(&sandbox);
    assert_eq!(list(&sandbox, &["images"]).success(), "");
}
