//! What the real binary prints of a Flux tree that knows nothing of Kiln, and whose Secrets stand in the open.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CANARY, NUMBER, assert_no_secret};
use crate::diff::project::{commit, git};
use crate::secrets::project::IDENTITY;
use crate::support::{Run, Sandbox};

const FLUX: &str = "\
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: https://example.com/home.git, path: cluster}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  prune: true
  targetNamespace: default
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild:
    substituteFrom: [{kind: Secret, name: vars}, {kind: ConfigMap, name: copied}, {kind: Secret, name: outside}]
";

/// The kustomization of the app; a Secret is made, patched and copied from in every way.
const APP: &str = "\
resources: [secret.yaml, objects.json, forgotten.sops.yaml, config.yaml, release.yaml]
secretGenerator:
  - name: made
    literals: ['a=CANARY', 'b=NUMBER']
    envs: [secret.env]
    files: [whole.txt]
configMapGenerator:
  - name: settings
    literals: [open=yes]
patches:
  - patch: |
      apiVersion: v1
      kind: Secret
      metadata: {name: web}
      stringData: {patched: 'CANARY'}
  - target: {kind: Secret, name: web}
    patch: |
      - {op: add, path: /stringData/added, value: 'CANARY'}
  - path: patch.yaml
replacements:
  - source: {kind: Secret, name: web, fieldPath: stringData.token}
    targets:
      - select: {kind: ConfigMap, name: web}
        fieldPaths: [data.copy]
        options: {create: true}
      - select: {kind: ConfigMap, name: web}
        fieldPaths: [data.part]
        options: {delimiter: '-', index: 1}
      - select: {kind: Deployment}
        fieldPaths: [spec.template.spec.containers.0.image]
        options: {delimiter: ':', index: 1}
      - select: {kind: HelmRelease}
        fieldPaths: [spec.values.password, spec.chart.spec.version]
        options: {create: true}
      - select: {kind: HelmRepository}
        fieldPaths: [spec.url]
        options: {delimiter: '/', index: 3}
  - source: {kind: Secret, name: web, fieldPath: data.encoded}
    targets:
      - select: {kind: ConfigMap, name: web}
        fieldPaths: [data.encoded]
        options: {create: true}
";

/// A tree with a canary in each place of a Secret, committed.
fn tree() -> Sandbox {
    let sandbox = Sandbox::new();
    let encoded = STANDARD.encode(CANARY);
    let secret = |name: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n{more}\
             data:\n  encoded: {encoded}\nstringData:\n  token: {CANARY}\n  pin: {NUMBER}\n  default: ${{NOPE:={CANARY}}}\n  lines: |\n    {CANARY}\n    {CANARY}\n"
        )
    };
    let annotated = format!(
        "  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {{\"stringData\":{{\"token\":\"{CANARY}\"}}}}\n"
    );
    let listed = format!(
        r#"{{"apiVersion": "v1", "kind": "List", "items": [{{"apiVersion": "v1", "kind": "Secret", "metadata": {{"name": "json"}}, "stringData": {{"token": "{CANARY}"}}}}]}}"#
    );
    for (path, text) in [
        ("cluster/flux.yaml", FLUX.to_owned()),
        (
            "cluster/vars.yaml",
            secret("vars", "  namespace: flux-system\n")
                + &format!("  TOKEN: {CANARY}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: copied, namespace: flux-system}}\ndata: {{COPIED: none}}\n"),
        ),
        (
            "cluster/kustomization.yaml",
            "resources: [flux.yaml, vars.yaml]\nreplacements:\n  - source: {kind: Secret, name: vars, fieldPath: stringData.token}\n    \
             targets: [{select: {kind: ConfigMap}, fieldPaths: [data.COPIED]}]\n".to_owned(),
        ),
        ("apps/kustomization.yaml", planted(APP)),
        ("apps/secret.yaml", secret("web", &annotated)),
        ("apps/objects.json", listed),
        ("apps/forgotten.sops.yaml", secret("forgotten", "")),
        ("apps/secret.env", format!("c={CANARY}\n")),
        ("apps/whole.txt", format!("{CANARY}\n{NUMBER}\n")),
        (
            "apps/patch.yaml",
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: web}}\nstringData: {{filed: '{CANARY}'}}\n"),
        ),
        (
            "apps/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {part: a-b-c, variable: '${TOKEN}', copied: '${COPIED}', outer: '${OUTER}'}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: 'ghcr.io/web:1'}]}}}\n".to_owned(),
        ),
        (
            "apps/release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\nspec:\n  chart: {spec: {chart: web, version: '1', sourceRef: {kind: HelmRepository, name: web}}}\n  \
             valuesFrom: [{kind: Secret, name: web, valuesKey: token}, {kind: ConfigMap, name: web, valuesKey: copy, targetPath: copied}]\n  values: {a: b}\n---\n\
             apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: web}\nspec: {url: https://example.com/charts}\n".to_owned(),
        ),
        (
            "outside.yaml",
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: outside, namespace: flux-system}}\nstringData: {{OUTER: '{CANARY}'}}\n"),
        ),
        ("age.key", format!("{IDENTITY}\n")),
        (".gitignore", "age.key\noutside.yaml\n".to_owned()),
    ] {
        sandbox.write(path, text);
    }
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    sandbox
}

/// Puts the canaries into a text.
fn planted(text: &str) -> String {
    text.replace("CANARY", CANARY).replace("NUMBER", NUMBER)
}

/// What reads the tree; with each in all forms of messages.
const READING: &[&[&str]] = &[
    &["check"],
    &["check", "--verbose"],
    &["check", "--message-format", "json"],
    &["check", "--message-format", "github"],
    &["check", "--format", "sarif"],
    &["check", "--format", "junit"],
    &["check", "--values", "outside.yaml"],
    &["audit", "--verbose"],
    &["audit", "--format", "json"],
    &["audit", "--format", "sarif"],
    &["audit", "--format", "junit"],
    &["audit", "--format", "github"],
    &["audit", "--format", "markdown"],
    &["harden", "--verbose"],
    &["harden", "--diff"],
    &["harden", "--message-format", "json"],
    &["build"],
    &["build", "--verbose"],
    &["build", "--origin"],
    &["build", "--output", "json"],
    &["build", "--output", "json", "--origin"],
    &["build", "--output", "name"],
    &["build", "--values", "outside.yaml"],
    &["build", "--owner", "flux-system/apps", "--origin"],
    &["build", "--kind", "Secret", "--namespace", "default"],
    &["build", "apps"],
    &["build", "apps", "--output", "json", "--origin"],
    &["list", "images"],
    &["list", "images", "--output", "json"],
    &["list", "images", "--output", "name", "--verbose"],
    &["list", "releases"],
    &["list", "releases", "--output", "json"],
    &["list", "releases", "--output", "name"],
    &["list", "sources"],
    &["list", "sources", "--output", "json"],
    &["list", "sources", "--output", "name"],
    &["list", "kustomizations"],
    &["list", "kustomizations", "--output", "json"],
    &["list", "kustomizations", "--output", "name"],
    &["list", "kustomizations", "--output", "mermaid"],
];

const COMPARING: &[&[&str]] = &[
    &["diff", "--base", "HEAD", "--verbose"],
    &["diff", "--base", "HEAD", "--format", "json"],
    &["diff", "--base", "HEAD", "--format", "markdown"],
    &["diff", "--base", "HEAD", "--format", "github"],
    &["diff", "--base", "HEAD", "--format", "html"],
];

fn run(sandbox: &Sandbox, arguments: &[&str], what: &str) -> Run {
    let mut all = sandbox.kiln(arguments);
    assert_no_secret(&all.to_string(), &format!("{what}: {arguments:?}"));
    for format in ["json", "github"] {
        let told = sandbox.kiln(&[arguments, &["--message-format", format]].concat());
        assert_no_secret(
            &told.to_string(),
            &format!("{what}: {arguments:?} {format}"),
        );
        all.stdout.push_str(&told.stdout);
    }
    all
}

#[test]
fn what_flux_applies_shows_no_secret() {
    let sandbox = tree();
    for arguments in READING {
        let run = run(&sandbox, arguments, "as it is");
        // A number in `stringData` is a finding, and `harden` has something to add.
        let code = i32::from(["check", "harden"].contains(&arguments[0]));
        assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
    }
    // What is no secret of the same objects is there.
    let built = sandbox.kiln(&["build"]).success();
    for shown in [
        "copy: …",
        "encoded: …",
        "part: …",
        "variable: ${TOKEN}",
        "copied: ${COPIED}",
        "outer: ${OUTER}",
        "image: …",
        "password: …",
        "url: …",
        "open: \"yes\"",
        "chart: web",
    ] {
        assert!(built.contains(shown), "{shown}: {built}");
    }
    let shown = sandbox.kiln(&["build", "--show-secrets"]).success();
    assert!(shown.contains(&format!("copy: {CANARY}")), "{shown}");
}

#[test]
fn a_change_of_a_secret_shows_none() {
    let sandbox = tree();
    for path in [
        "apps/secret.yaml",
        "apps/kustomization.yaml",
        "apps/secret.env",
        "apps/forgotten.sops.yaml",
        "cluster/vars.yaml",
        "apps/objects.json",
    ] {
        let text = sandbox.read(path);
        let changed = text.replace(CANARY, &format!("{CANARY}-and-more"));
        let changed = changed.replace(
            &STANDARD.encode(CANARY),
            &STANDARD.encode(format!("{CANARY}+")),
        );
        assert_ne!(text, changed, "{path}");
        sandbox.write(path, changed);
    }
    for arguments in COMPARING {
        let run = run(&sandbox, arguments, "changed");
        assert_eq!(run.code, Some(1), "{arguments:?}: {run}");
        assert!(run.stdout.contains("changed"), "{arguments:?}: {run}");
    }
    // New, and gone.
    for path in ["apps/more.yaml", "apps/kustomization.yaml"] {
        sandbox.write(
            path,
            planted(
                "apiVersion: v1\nkind: Secret\nmetadata: {name: more}\nstringData: {a: 'CANARY'}\n",
            ),
        );
    }
    sandbox.write("apps/kustomization.yaml", "resources: [more.yaml]\n");
    for arguments in COMPARING {
        assert_eq!(run(&sandbox, arguments, "new").code, Some(1));
    }
}

/// What is put into a file, so that a build is refused.
const REFUSED: &[(&str, &str)] = &[
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData:\n  a: CANARY\n b: [CANARY\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData:\n  CANARY\n  a: CANARY\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData:\n  a: CANARY\n  a: CANARY\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {token: a, x: 'CANARY${NOPE}'}\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {token: a, x: 'CANARY${NO'}\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: CANARY\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nstringData: {token: 'CANARY'}\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringDta: {token: 'CANARY'}\n",
    ),
    (
        "apps/objects.json",
        "{\"kind\": \"Secret\", \"stringData\": {\"a\": \"CANARY\" \"b\": 1}}",
    ),
    (
        "apps/forgotten.sops.yaml",
        "kind: Secret\nstringData: {a: 'CANARY'\n",
    ),
    ("apps/whole.txt", ""),
    (
        "apps/patch.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: nope}\nstringData: {a: 'CANARY'}\n",
    ),
    (
        "apps/patch.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {a: 'CANARY', a: 'CANARY'}\n",
    ),
    (
        "apps/patch.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: [CANARY, {a: [CANARY]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\nsecretGenerator: [{name: a, literals: [CANARY]}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\nsecretGenerator: [{name: a, literals: {a: CANARY}}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\nsecretGenerator:\n  - name: a\n    literals: [a=CANARY\nnamespace: x\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\nsecretGeneratr: [{name: a, literals: [a=CANARY]}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\nsecretGenerator: [{name: web, behavior: merge, literls: [a=CANARY]}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: |\n      - {op: test, path: /stringData/token, value: 'CANARY-x'}\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: |\n      - {op: add, path: /nope/a/b, value: 'CANARY'}\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: '[{op: ad, path: /stringData/a, value: \"CANARY\"}]'\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: |\n      kind: Secret\n      stringData: {a: CANARY\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml, config.yaml]\nreplacements:\n  - source: {kind: Secret, fieldPath: stringData.token}\n    targets: [{select: {kind: ConfigMap}, fieldPaths: [data.gone]}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml, config.yaml]\nreplacements:\n  - source: {kind: Secret, fieldPath: stringData.token, options: {delimiter: '/', index: 9}}\n    targets: [{select: {kind: ConfigMap}, fieldPaths: [data.part]}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml, config.yaml]\nreplacements:\n  - source: {kind: Secret, fieldPath: stringData.token}\n    targets: [{select: {kind: Deployment}, fieldPaths: [spec.replicas.x]}]\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources: [secret.yaml, config.yaml]\nreplacements:\n  - source: {kind: Secret, fieldPath: stringData.token}\n    targets: [{select: {kind: ConfigMap}, fieldPaths: [data.gone.deep]}]\n",
    ),
    (
        "cluster/vars.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: flux-system}\nstringData: {'a-b': 'CANARY', token: 'CANARY'}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: copied, namespace: flux-system}\ndata: {COPIED: x}\n",
    ),
];

#[test]
fn what_is_refused_shows_no_secret() {
    let sandbox = tree();
    let mut silent = String::new();
    for (path, text) in REFUSED {
        let text = planted(text);
        let before = sandbox.read(path);
        sandbox.write(path, &text);
        if text.is_empty() {
            std::fs::remove_file(sandbox.path(path)).unwrap();
        }
        let mut codes = vec![run(&sandbox, &["build"], &text).code];
        for arguments in [
            &["build", "apps"][..],
            &["build", "--output", "json", "--origin"],
            &["list", "images", "--output", "json"],
            &["list", "kustomizations"],
            &["diff", "--base", "HEAD"],
            &["diff", "--base", "HEAD", "--format", "json"],
            &["diff", "--base", "HEAD", "--format", "markdown"],
        ] {
            let run = sandbox.kiln(arguments);
            assert_no_secret(&run.to_string(), &format!("{text}: {arguments:?}"));
            codes.push(run.code);
        }
        if codes[0] != Some(1) {
            writeln!(silent, "{codes:?}: {path}: {text}").unwrap();
        }
        sandbox.write(path, before);
    }
    assert!(silent.is_empty(), "not refused:\n{silent}");
}
