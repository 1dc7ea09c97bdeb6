//! A clone without keys, as CI has one: what is committed is enough to check, audit and compare.

use std::path::Path;
use std::process::Command;

use kiln::yaml;

use crate::examples::example;
use crate::support::{Run, Sandbox};

/// What CI and colleagues run in a clone.
const COMMANDS: [&[&str]; 7] = [
    &["check"],
    &["audit"],
    &["diff"],
    &["diff", "--base", "HEAD"],
    &["diff", "--disk"],
    &["diff", "--disk", "--with-keys"],
    &["render", "--check"],
];

fn git(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(sandbox.path(""))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Renders a project, commits what `git add -A` takes, and clones that.
fn cloned(origin: &Sandbox) -> Sandbox {
    origin.kiln(&["render", "--keygen"]).success();
    git(origin, &["init", "--quiet", "--initial-branch", "main"]);
    git(origin, &["add", "--all"]);
    git(origin, &["commit", "--quiet", "--message", "All"]);
    let clone = Sandbox::new();
    let from = origin.path("").display().to_string();
    git(&clone, &["clone", "--quiet", &from, "."]);
    git(&clone, &["checkout", "--quiet", "-b", "feature"]);
    clone
}

fn started() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    sandbox
}

/// An example in which no key is tracked, as a user keeps it.
fn kept(name: &str) -> Sandbox {
    let sandbox = example(name);
    sandbox.write(".gitignore", "/cloudflare-tunnel.json\n");
    sandbox
}

fn copy_keys(from: &Sandbox, to: &Sandbox) {
    for key in kiln::secret::KEY_FILES {
        if from.path(key).exists() {
            std::fs::copy(from.path(key), to.path(key)).unwrap();
        }
    }
}

fn identity(origin: &Sandbox) -> String {
    let text = origin.read("age.key");
    text.lines().last().unwrap().to_owned()
}

fn is_clean(clone: &Sandbox) {
    assert_eq!(git(clone, &["status", "--porcelain"]), "");
}

#[test]
fn every_command_that_reads_works_without_keys_with_one_and_with_all() {
    for origin in [started(), kept("full"), kept("production")] {
        let clone = cloned(&origin);
        for key in kiln::secret::KEY_FILES {
            assert!(!clone.path(key).exists(), "{key} is committed");
        }
        let identity = identity(&origin);
        for mode in ["none", "the age key", "all"] {
            if mode == "all" {
                copy_keys(&origin, &clone);
            }
            for arguments in COMMANDS {
                let run = match mode {
                    "the age key" => clone.kiln_with(&[("SOPS_AGE_KEY", &identity)], arguments),
                    _ => clone.kiln(arguments),
                };
                assert_eq!(run.code, Some(0), "{mode}: {arguments:?}: {run}");
                assert!(!run.to_string().contains(&identity), "{arguments:?}");
            }
            is_clean(&clone);
        }
    }
}

#[test]
fn a_clone_without_keys_still_sees_what_is_stale() {
    let origin = started();
    let clone = cloned(&origin);
    let differs = |clone: &Sandbox, arguments: &[&str]| {
        let run = clone.kiln(arguments);
        assert_eq!(run.code, Some(1), "{arguments:?}: {run}");
    };
    let path = "kubernetes/flux/cluster/ks.yaml";
    let text = clone.read(path);
    clone.write(path, format!("{text}# by hand\n"));
    differs(&clone, &["render", "--check"]);
    clone.write(path, text);
    let config = clone.read("cluster.yaml");
    clone.write("cluster.yaml", config.replace("example.com", "example.org"));
    for arguments in [
        &["render", "--check"][..],
        &["diff", "--base", "HEAD"],
        &["diff", "--disk"],
    ] {
        differs(&clone, arguments);
    }
    clone.write("cluster.yaml", &config);
    // A key of a sealed file that comes or goes is seen, its value is not.
    let sealed = "templates/extra.sops.yaml";
    clone.write(sealed, "token: one\n");
    differs(&clone, &["render", "--check"]);
}

#[test]
fn what_depends_on_a_key_that_is_missing_is_kept_and_said() {
    let clone = cloned(&kept("production"));
    let run = clone.kiln(&["render", "--check"]);
    assert_eq!(run.code, Some(0), "{run}");
    for name in ["age.key", "cloudflare-tunnel.json"] {
        assert!(run.stderr.contains(name), "{run}");
    }
    assert!(run.stderr.contains("not compared"), "{run}");
    // To write, Kiln needs the real ones.
    let run = clone.kiln(&["render"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("missing-secret"), "{run}");
    is_clean(&clone);
}

/// Runs a script in a clone, with `kiln` on its path and for each other program the stand-in that recipes have, which refuses
/// what the program does not know.
fn script(clone: &Sandbox, text: &str, variables: &[(String, String)], stubs: &[&str]) -> Run {
    let bin = clone.path("../bin");
    std::fs::create_dir_all(&bin).unwrap();
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes/stubs/stub");
    for stub in stubs.iter().map(|stub| bin.join(stub)) {
        if !stub.exists() {
            std::os::unix::fs::symlink(&stand_in, stub).unwrap();
        }
    }
    let runner_temp = clone.path("../temporary");
    std::fs::create_dir_all(&runner_temp).unwrap();
    let kiln = Path::new(env!("CARGO_BIN_EXE_kiln")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), kiln.display());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", text])
        .current_dir(clone.path(""))
        .env_clear()
        .env("PATH", path)
        .env("HOME", clone.path("../home"))
        .env("CALLS", clone.path("../calls"))
        .env("RUNNER_TEMP", runner_temp)
        .envs(variables.iter().cloned())
        .output()
        .unwrap();
    clone.finish(&output)
}

/// Replaces the expressions of a workflow: variables of the repository have a value, secrets have none.
fn evaluated(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        result.push_str(before);
        if expression.trim().starts_with("vars.") {
            result.push_str("something");
        }
        rest = after;
    }
    result + rest
}

#[test]
fn the_rendered_workflow_passes_step_by_step() {
    for (origin, steps_that_run) in [(started(), 5), (kept("production"), 5), (kept("full"), 6)] {
        let clone = cloned(&origin);
        let workflow = clone.read(".github/workflows/kiln.yaml");
        let documents = yaml::load(&workflow).unwrap();
        let value = documents[0].root.to_value(yaml::Resolver::Core);
        let jobs = value["jobs"].as_object().unwrap();
        let steps = jobs
            .values()
            .flat_map(|job| job["steps"].as_array().unwrap());
        let mut ran = 0;
        for step in steps {
            let Some(run) = step["run"].as_str() else {
                continue;
            };
            let variables = step["env"].as_object().into_iter().flatten();
            let variables =
                variables.map(|(name, value)| (name.clone(), evaluated(value.as_str().unwrap())));
            let variables: Vec<_> = variables.collect();
            let secret = |(name, _): &(String, String)| name.contains("AGE");
            assert!(!variables.iter().any(secret), "a pull request gets no key");
            let stubs = ["cargo", "topf", "talosctl", "tofu"];
            let run = script(&clone, &evaluated(run), &variables, &stubs);
            assert_eq!(run.code, Some(0), "{}: {run}", step["name"]);
            ran += 1;
        }
        assert_eq!(ran, steps_that_run, "{workflow}");
        // Providers' versions, which whoever runs OpenTofu commits.
        std::fs::remove_file(clone.path("tofu/.terraform.lock.hcl")).ok();
        is_clean(&clone);
        let calls = clone.read("../calls");
        for call in [
            "topf render --confirm=false",
            "talosctl validate --mode metal",
        ] {
            assert!(calls.contains(call), "{calls}");
        }
        let on_proxmox = calls.contains("tofu -chdir=tofu validate");
        assert_eq!(on_proxmox, steps_that_run == 6, "{calls}");
    }
}

#[test]
fn the_rendered_recipes_of_kiln_work_in_a_clone() {
    let origin = started();
    let clone = cloned(&origin);
    let recipes = clone.read("justfile");
    let commands = |word: &str| {
        let lines = recipes.lines().map(str::trim);
        let found: Vec<String> = lines
            .filter(|line| line.starts_with(word))
            .map(str::to_owned)
            .collect();
        assert!(!found.is_empty(), "{word}");
        found
    };
    for command in commands("kiln render --check") {
        let run = script(&clone, &command, &[], &[]);
        assert_eq!(run.code, Some(0), "{command}: {run}");
    }
    is_clean(&clone);
    copy_keys(&origin, &clone);
    for command in commands("kiln render {{") {
        let command = command.replace("{{ flags }}", "");
        let run = script(&clone, &command, &[], &[]);
        assert_eq!(run.code, Some(0), "{command}: {run}");
    }
    is_clean(&clone);
}

#[test]
fn the_hooks_work_in_a_clone() {
    let hooks = include_str!("../.pre-commit-hooks.yaml");
    let documents = yaml::load(hooks).unwrap();
    let origin = started();
    let clone = cloned(&origin);
    let entry = |hook: &yaml::Node| hook.find_text("entry").unwrap().to_owned();
    let entries: Vec<String> = documents[0]
        .root
        .items()
        .unwrap()
        .iter()
        .map(entry)
        .collect();
    assert_eq!(entries, ["kiln render --check", "kiln render"]);
    // The first needs no key, the second writes and needs all.
    assert_eq!(script(&clone, &entries[0], &[], &[]).code, Some(0));
    assert_eq!(script(&clone, &entries[1], &[], &[]).code, Some(1));
    is_clean(&clone);
    copy_keys(&origin, &clone);
    for entry in &entries {
        let run = script(&clone, entry, &[], &[]);
        assert_eq!(run.code, Some(0), "{entry}: {run}");
    }
    is_clean(&clone);
}
