//! The examples as a user runs them, judged by the field's own tools.
//!
//! `tests/golden/full` holds the whole tree that the largest example renders to, secrets decrypted and
//! keys replaced by stand-ins, `tests/golden/<example>.sha256` the digests of what each other does; `just golden`
//! writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln::yaml;
use serde_json::json;

use crate::support::{ExpectedFiles, Sandbox, oracle};

const EXAMPLES: [&str; 3] = ["full", "homelab", "production"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Copies an example's own files, and nothing that a render left beside them, into a sandbox.
pub(crate) fn example(name: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let folder = root().join("examples").join(name);
    let own = |file: &str| {
        let kept = [
            "cluster.",
            "nodes.",
            "kiln.toml",
            "README.md",
            "cloudflare-tunnel.json",
        ];
        kept.iter().any(|start| file.starts_with(start)) && file != "cluster.schema.json"
    };
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        if own(&file) {
            sandbox.write(&file, fs::read(entry.path()).unwrap());
        }
    }
    sandbox
}

fn rendered(name: &str) -> Sandbox {
    let sandbox = example(name);
    sandbox.kiln(&["render", "--keygen"]).success();
    sandbox
}

fn is_sealed(path: &str) -> bool {
    path.contains(".sops.") && !path.ends_with("/.sops.yaml") && path != ".sops.yaml"
}

/// The files that Kiln wrote, from its lock file.
fn outputs(sandbox: &Sandbox) -> Vec<String> {
    let lock = sandbox.read("kiln.lock");
    let outputs: Vec<String> = lock
        .lines()
        .filter_map(|line| Some(line.strip_prefix('"')?.split('"').next()?.to_owned()))
        .collect();
    assert!(outputs.len() >= 100, "{}", outputs.len());
    outputs
}

fn bytes(sandbox: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let paths = outputs(sandbox);
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(sandbox.path(&path)).unwrap()))
        .collect()
}

fn decrypt(sops: &Path, sandbox: &Sandbox, path: &str) -> String {
    let output = Command::new(sops)
        .env_clear()
        .env("HOME", sandbox.path("../home"))
        .env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"))
        .current_dir(sandbox.path(""))
        .args(["decrypt", path])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{path}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_second_render_changes_no_byte_and_writes_no_file() {
    for name in EXAMPLES {
        let sandbox = rendered(name);
        let before = bytes(&sandbox);
        let times = |sandbox: &Sandbox| -> Vec<std::time::SystemTime> {
            let paths = outputs(sandbox);
            paths
                .iter()
                .map(|path| {
                    fs::metadata(sandbox.path(path))
                        .unwrap()
                        .modified()
                        .unwrap()
                })
                .collect()
        };
        let written = times(&sandbox);
        sandbox.kiln(&["render"]).success();
        assert_eq!(bytes(&sandbox), before, "{name}");
        assert_eq!(times(&sandbox), written, "{name}");
        assert_eq!(sandbox.kiln(&["render", "--check"]).code, Some(0), "{name}");
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    for name in EXAMPLES {
        let sandbox = rendered(name);
        let before = bytes(&sandbox);
        for threads in ["1", "2", "7"] {
            for path in before.keys().filter(|path| !is_sealed(path)) {
                fs::remove_file(sandbox.path(path)).unwrap();
            }
            sandbox.kiln(&["render", "--threads", threads]).success();
            assert_eq!(bytes(&sandbox), before, "{name} with {threads} threads");
        }
    }
}

/// The size that the catalogue is to have: 44 releases that run pods, and two that only bring objects.
#[test]
fn the_full_example_is_the_whole_catalogue() {
    let sandbox = rendered("full");
    let outputs = outputs(&sandbox);
    let told = sandbox
        .kiln(&["check", "--message-format", "json"])
        .success();
    let summary: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let templates = summary
        .pointer("/summary/templates")
        .or(summary.get("templates"));
    assert!(templates.unwrap().as_u64().unwrap() >= 170, "{summary}");
    let mut releases = Vec::new();
    let mut namespaces = Vec::new();
    for path in &outputs {
        let parts: Vec<&str> = path.split('/').collect();
        if let ["kubernetes", "apps", namespace, "namespace.yaml"] = parts[..] {
            namespaces.push(namespace);
        }
        if let ["kubernetes", "apps", _, app, .., "helmrelease.yaml"] = parts[..] {
            releases.push(app);
        }
    }
    assert_eq!(namespaces.len(), 17, "{namespaces:?}");
    // Custom resources alone: no pod, so no limits to speak of.
    releases.retain(|app| !["flux-instance", "kyverno-policies"].contains(app));
    assert_eq!(releases.len(), 44, "{releases:?}");
}

#[test]
fn kustomize_builds_every_kustomization() {
    let Some(kubectl) = oracle("kubectl") else {
        return;
    };
    for name in EXAMPLES {
        let sandbox = rendered(name);
        let folders: Vec<String> = outputs(&sandbox)
            .iter()
            .filter_map(|path| path.strip_suffix("/kustomization.yaml").map(str::to_owned))
            .collect();
        assert!(folders.len() >= 15, "{name} has {}", folders.len());
        for folder in folders {
            let output = Command::new(&kubectl)
                .arg("kustomize")
                .arg(sandbox.path(&folder))
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{folder}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(!output.stdout.is_empty(), "{folder} builds nothing");
        }
    }
}

#[test]
fn real_sops_decrypts_every_sealed_file() {
    let Some(sops) = oracle("sops") else { return };
    let sandbox = rendered("production");
    let key = sandbox.read("age.key");
    let identity = key
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .unwrap();
    let sealed: Vec<String> = outputs(&sandbox)
        .into_iter()
        .filter(|path| is_sealed(path))
        .collect();
    assert!(sealed.len() >= 7, "{sealed:?}");
    let plain = sealed.iter().map(|path| decrypt(&sops, &sandbox, path));
    let plain: String = plain.collect();
    for secret in [
        "example-token-that-opens-nothing",
        identity,
        sandbox.read("flux-webhook-token.txt").trim(),
    ] {
        assert_ne!(
            plain.matches(secret).count(),
            0,
            "a secret is in no sealed file"
        );
        for (path, bytes) in bytes(&sandbox) {
            let text = String::from_utf8(bytes).unwrap();
            assert!(
                !text.contains(secret),
                "{path} holds a secret in plain text"
            );
        }
    }
}

/// Keys are new in every sandbox: each stands under its name in the golden tree.
fn stand_ins(sandbox: &Sandbox) -> Vec<(String, &'static str)> {
    let key = sandbox.read("age.key");
    let field = |start: &str| {
        let line = key
            .lines()
            .find_map(|line| line.find(start).map(|at| line[at..].to_owned()));
        line.unwrap()
    };
    let deploy = sandbox
        .read("deploy.key")
        .trim()
        .lines()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let mut found = vec![
        (field("AGE-SECRET-KEY-"), "AGE-IDENTITY"),
        (field("age1"), "age1recipient"),
        (
            sandbox.read("flux-webhook-token.txt").trim().to_owned(),
            "WEBHOOK-TOKEN",
        ),
    ];
    found.extend(deploy.into_iter().map(|line| (line, "DEPLOY-KEY")));
    found
}

/// What an example renders to: sealed files opened, keys under their names.
fn steady_texts(sops: &Path, sandbox: &Sandbox) -> BTreeMap<String, String> {
    let stand_ins = stand_ins(sandbox);
    let texts = outputs(sandbox).into_iter().map(|path| {
        let text = if is_sealed(&path) {
            decrypt(sops, sandbox, &path)
        } else {
            sandbox.read(&path)
        };
        let text = stand_ins
            .iter()
            .fold(text, |text, (key, name)| text.replace(key, name));
        (path, text)
    });
    texts.collect()
}

#[test]
fn golden_trees_are_what_the_examples_render_to() {
    let Some(sops) = oracle("sops") else { return };
    let golden = root().join("tests/golden");
    let full = golden.join("full");
    let mut expected = ExpectedFiles::new();
    for name in EXAMPLES {
        let texts = steady_texts(&sops, &rendered(name));
        if name == "full" {
            expected.compare_tree(&full, &texts);
        } else {
            expected.compare_digests(&golden.join(format!("{name}.sha256")), &texts, &full);
        }
    }
    expected.assert();
}

/// Walks the recipe "Add an app" of CONTRIBUTING as it stands there.
#[test]
fn the_recipe_for_a_new_app_works() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let recipe = text
        .split("## Add an app")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let sandbox = example("homelab");
    let mut path = None;
    let mut lines = recipe
        .lines()
        .map(|line| line.strip_prefix("   ").unwrap_or(line));
    let mut written = 0;
    while let Some(line) = lines.next() {
        if let Some(name) = line
            .strip_prefix('`')
            .and_then(|line| line.strip_suffix('`'))
        {
            path = Some(name.to_owned());
        } else if line.starts_with("```") {
            let body: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .collect();
            let path = path
                .take()
                .expect("each block of the recipe has a path above it");
            sandbox.write(&path, body.join("\n") + "\n");
            written += 1;
        }
    }
    assert_eq!(written, 5);
    sandbox.kiln(&["render", "--keygen"]).success();
    let read = |path: &str| {
        let documents = yaml::load(&sandbox.read(path)).unwrap();
        documents[0].root.to_kubernetes()
    };
    let namespace = read("kubernetes/apps/default/kustomization.yaml");
    let resources = namespace["resources"].as_array().unwrap();
    assert!(
        resources.contains(&json!("./whoami/ks.yaml")),
        "{namespace}"
    );
    let deployment = read("kubernetes/apps/default/whoami/app/deployment.yaml");
    assert_eq!(deployment["spec"]["replicas"], 2);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["priorityClassName"], "platform-low");
    let apps = sandbox.kiln(&["apps"]).success();
    let is_listed = |line: &str| line.split_whitespace().any(|word| word == "whoami");
    assert!(apps.lines().any(is_listed), "{apps}");
}
