//! What Flux applies of the examples, by Flux' own packages.
//!
//! `tests/laboratory/flux/<example>/<nodes>.txt` holds every object by the Kustomization that owns it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use kiln::yaml;
use serde::Deserialize;
use serde_json::Value;

use super::nodes::example_with_nodes;
use crate::harden::trees;
use crate::support::{ExpectedFiles, Sandbox, oracle};

/// The answer of `fluxbuild`.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FluxBuild {
    /// What is applied, in the order in which Kustomizations come out.
    pub(crate) objects: Vec<OwnedObject>,
    /// Kustomizations of which the tree does not tell, or that another cluster gets.
    pub(crate) not_seen: Vec<Withheld>,
    /// Kustomizations that Flux refuses.
    pub(crate) refused: Vec<Withheld>,
}

/// An object, and the Kustomization that applies it.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct OwnedObject {
    /// `NAMESPACE/NAME` of the Kustomization.
    pub(crate) owner: String,
    /// As it reaches the API server, decrypted.
    pub(crate) object: Value,
}

/// A Kustomization of which nothing is applied, and why.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Withheld {
    /// `NAMESPACE/NAME` of the Kustomization.
    pub(crate) owner: String,
    /// One sentence.
    pub(crate) reason: String,
}

/// Asks what Flux applies of a rendered example, from the sync that its `FluxInstance` has; `None` where
/// an oracle is missing.
pub(crate) fn build_example(sandbox: &Sandbox) -> Option<FluxBuild> {
    let (fluxbuild, sops) = (oracle("fluxbuild")?, oracle("sops")?);
    let release = sandbox.read("kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml");
    let release = yaml::load(&release).unwrap().remove(0).root;
    let path = release.find_text("spec.values.instance.sync.path").unwrap();
    sandbox.write("../sync.yaml", kustomization("flux-system", path, ""));
    let mut command = Command::new(fluxbuild);
    command.arg("--sops").arg(sops);
    command.env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"));
    Some(build(sandbox, command, "../sync.yaml"))
}

/// Writes a Kustomization of the namespace `flux-system`; `more` are lines of its spec.
pub(super) fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  \
         name: {name}\n  namespace: flux-system\nspec:\n  path: {path}\n  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )
}

/// Runs `fluxbuild` over the tree in a sandbox, from the objects in a file.
pub(super) fn build(sandbox: &Sandbox, mut command: Command, sync: &str) -> FluxBuild {
    let temporary = sandbox.path("../temporary");
    fs::create_dir_all(&temporary).unwrap();
    let output = command
        .env("TMPDIR", &temporary)
        .arg(sandbox.path(""))
        .arg(sandbox.path(sync))
        .output()
        .unwrap();
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().collect();
    assert!(left.is_empty(), "fluxbuild leaves {left:?}");
    let answer = serde_json::from_slice(&output.stdout);
    let answer: FluxBuild =
        answer.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let code = i32::from(!answer.refused.is_empty());
    assert_eq!(output.status.code(), Some(code));
    answer
}

/// Lists what is applied: owner, kind, namespace and name.
fn list(built: &FluxBuild) -> String {
    let mut lines = Vec::new();
    for OwnedObject { owner, object } in &built.objects {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
        let (kind, name) = (text("/kind").unwrap(), text("/metadata/name").unwrap());
        let namespace = text("/metadata/namespace").unwrap_or("-");
        assert!(
            object.get("sops").is_none(),
            "{owner}: {kind} {namespace}/{name} stays encrypted"
        );
        lines.push(format!("{owner} {kind} {namespace}/{name}\n"));
    }
    lines.sort();
    let mut text = lines.concat();
    for Withheld { owner, reason } in &built.not_seen {
        writeln!(text, "not seen: {owner} {reason}").unwrap();
    }
    text
}

/// Holds what Flux applies of an example against its committed lists.
fn judge_example(name: &str) {
    let mut lists = BTreeMap::new();
    for count in [1, 3] {
        let sandbox = example_with_nodes(name, count);
        sandbox.kiln(&["render", "--keygen"]).success();
        let before = contents(&sandbox);
        let Some(built) = build_example(&sandbox) else {
            return;
        };
        assert!(built.refused.is_empty(), "{name}: {:?}", built.refused);
        assert!(
            contents(&sandbox) == before,
            "fluxbuild writes into the tree"
        );
        lists.insert(format!("{count}.txt"), list(&built));
    }
    let mut expected = ExpectedFiles::new();
    expected.compare_tree(&trees::fixtures("laboratory/flux").join(name), &lists);
    expected.assert();
}

fn contents(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let files = sandbox.files().into_iter();
    files
        .map(|file| (file.clone(), fs::read(sandbox.path(&file)).unwrap()))
        .collect()
}

#[test]
fn flux_applies_the_full_example() {
    judge_example("full");
}

#[test]
fn flux_applies_the_homelab_example() {
    judge_example("homelab");
}

#[test]
fn flux_applies_the_production_example() {
    judge_example("production");
}

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: default}\n";

/// Builds a tree that `sync.yaml` starts.
fn build_tree(fluxbuild: &Path, flags: &[&str], files: &[(&str, String)]) -> FluxBuild {
    let sandbox = Sandbox::new();
    for (path, text) in files {
        sandbox.write(path, text);
    }
    let before = contents(&sandbox);
    let run = || {
        let mut command = Command::new(fluxbuild);
        command.args(flags);
        build(&sandbox, command, "sync.yaml")
    };
    let built = run();
    assert!(run() == built, "a second run answers otherwise");
    assert!(contents(&sandbox) == before);
    built
}

fn refused(built: &FluxBuild, owner: &str) -> String {
    let [only] = &built.refused[..] else {
        panic!("{:?}", built.refused);
    };
    assert_eq!(only.owner, owner);
    only.reason.clone()
}

#[test]
fn fluxbuild_refuses_a_variable_that_nothing_gives() {
    let Some(fluxbuild) = oracle("fluxbuild") else {
        return;
    };
    let files = |set: &str| {
        let more = format!("  postBuild: {{substitute: {{{set}}}}}\n");
        let apps = kustomization("app", "./app", &more);
        [
            ("sync.yaml", kustomization("sync", "./sync", "")),
            ("sync/app.yaml", apps),
            (
                "app/config.yaml",
                format!("{CONFIG}data: {{key: \"${{VAR}}\"}}\n"),
            ),
        ]
    };
    let strict = build_tree(&fluxbuild, &[], &files("OTHER: set"));
    let reason = refused(&strict, "flux-system/app");
    assert!(reason.contains("ConfigMap config"), "{reason}");
    assert!(reason.contains("variable not set"), "{reason}");
    assert_eq!(
        list(&strict),
        "flux-system/sync Kustomization flux-system/app\n"
    );

    let set = build_tree(&fluxbuild, &[], &files("VAR: given"));
    assert_eq!(set.objects[1].object["data"]["key"], "given");
    let lenient = build_tree(&fluxbuild, &["--strict=false"], &files("OTHER: set"));
    assert_eq!(lenient.objects[1].object["data"]["key"], Value::Null);
}

#[test]
fn fluxbuild_refuses_what_is_missing_or_sealed() {
    let Some(fluxbuild) = oracle("fluxbuild") else {
        return;
    };
    let refuse = |path: &str, text: &str, why: &str| {
        let files = [
            ("sync.yaml", kustomization("sync", "./sync", "")),
            (path, text.to_owned()),
        ];
        let reason = refused(&build_tree(&fluxbuild, &[], &files), "flux-system/sync");
        assert!(reason.contains(why), "{reason}");
    };
    refuse(
        "sync/kustomization.yaml",
        "resources: [./gone.yaml]\n",
        "gone.yaml",
    );
    refuse("other/config.yaml", CONFIG, "there is no ./sync");
    refuse("sync/config.yaml", "kind: ConfigMap\n", "config.yaml");
    let sealed = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 'ENC[]'}\n\
                  sops: {mac: 'ENC[]'}\n";
    refuse("sync/secret.yaml", sealed, "has no spec.decryption");
    let inner = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n\
                 data: {a: RU5DW0FFUzI1Nl9HQ00sZGF0YQ==}\n";
    refuse("sync/secret.yaml", inner, "by a generator");
    refuse("sync/secret.yaml", &inner.replace("==", ""), "base64");
}

#[test]
fn fluxbuild_takes_variables_of_what_comes_later_and_names_what_it_does_not_see() {
    let Some(fluxbuild) = oracle("fluxbuild") else {
        return;
    };
    let from = "  postBuild: {substituteFrom: [{kind: Secret, name: given}]}\n  \
                commonMetadata: {labels: {of: app}}\n";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: given, namespace: flux-system}\n\
                  data: {VAR: aGVsbG8=}\n";
    let apps = [
        kustomization("app", "./app", from),
        kustomization("base", "./base", ""),
        kustomization("far", "./far", "  kubeConfig: {secretRef: {name: far}}\n"),
        kustomization("idle", "./idle", "  suspend: true\n"),
        kustomization("other", "./app", "").replace("name: flux-system}", "name: other}"),
    ];
    let files = [
        ("sync.yaml", kustomization("sync", "./sync", "")),
        ("sync/apps.yaml", apps.concat()),
        (
            "app/config.yaml",
            format!("{CONFIG}data: {{key: \"${{VAR}}\"}}\n"),
        ),
        ("app/picture.png", "left out of the source".to_owned()),
        ("base/secret.yaml", secret.to_owned()),
    ];
    let built = build_tree(&fluxbuild, &[], &files);
    assert!(built.refused.is_empty(), "{:?}", built.refused);
    let config = built.objects.last().unwrap();
    assert_eq!(config.owner, "flux-system/app");
    assert_eq!(config.object["data"]["key"], "hello");
    assert_eq!(config.object["metadata"]["labels"]["of"], "app");
    let unseen: Vec<_> = list(&built).lines().skip(7).map(str::to_owned).collect();
    assert_eq!(
        unseen,
        [
            "not seen: flux-system/far is applied to another cluster (spec.kubeConfig)",
            "not seen: flux-system/idle is suspended",
            "not seen: flux-system/other comes from GitRepository flux-system/other",
        ]
    );
}
