//! What the recipes of a rendered project write: nothing with credentials in it that git would take.
//!
//! Every recipe of every rendered justfile runs for real, in bash, with stand-ins for the tools that make the files
//! that the real ones make.

mod images;
mod justfile;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use kiln::yaml::{self, Resolver};

use crate::examples::example;
use crate::support::{Sandbox, oracle};
use justfile::{Justfile, Recipe};

/// The tools that recipes and the restore runbook call.
const TOOLS: [&str; 16] = [
    "age",
    "aws",
    "cargo",
    "flux",
    "helm",
    "helmfile",
    "kubeconform",
    "kubectl",
    "mise",
    "sops",
    "talosctl",
    "tofu",
    "topf",
    "velero",
    "yq",
    "zstd",
];

/// What recipes make that belongs in git, by its name: the versions and digests of OpenTofu's providers.
const COMMITTED: [&str; 1] = [".terraform.lock.hcl"];

#[test]
fn recipes_write_no_credentials_that_git_takes() {
    for output in [".", "deploy"] {
        let project = Project::rendered(output);
        project.run_recipes();
        project.run_runbook();
        project.judge();
    }
}

/// The rotation of the age key, as the restore runbook tells it, command by command.
#[test]
fn recipes_and_runbook_rotate_the_age_key() {
    let project = Project::rendered(".");
    let sandbox = &project.sandbox;
    let sealed = "kubernetes/components/sops/cluster-secrets.sops.yaml";
    // Made by a recipe, and by nobody known to Kiln.
    for path in ["talos/secrets.sops.yaml", "kubernetes/own.sops.yaml"] {
        sandbox.write(path, sandbox.read(sealed));
    }
    let old = sandbox.read("age.key");
    let recipient = |key: &str| {
        let mut lines = key.lines();
        let line = lines.find_map(|line| line.strip_prefix("# public key: "));
        line.unwrap().to_owned()
    };
    let text = sandbox.read("docs/restore.md");
    let (_, section) = text.split_once("## Somebody has the age key").unwrap();
    let commands: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
    let runs = |command: &&&str| {
        let elsewhere = ["git push", "talosctl", "kiln secrets set"];
        command.contains(' ') && !elsewhere.iter().any(|start| command.starts_with(start))
    };
    let commands: Vec<&&str> = commands.iter().filter(runs).collect();
    assert_eq!(commands.len(), 9, "{commands:?}");
    for command in commands {
        let mut bash = project.command("bash");
        bash.args(["-euo", "pipefail", "-c", command])
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com");
        let run = sandbox.finish(&bash.output().unwrap());
        assert_eq!(run.code, Some(0), "{command}: {run}");
    }
    let both = sandbox.read("age.key");
    let new = both.strip_suffix(&old).unwrap();
    sandbox.write("age.key", new);
    let (old, new) = (recipient(&old), recipient(new));
    for path in sandbox.files() {
        let bytes = fs::read(sandbox.path(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&old), "{path}");
        assert!(
            !path.contains(".sops.") || path.ends_with(".tera") || text.contains(&new),
            "{path}"
        );
    }
    sandbox.kiln(&["render", "--check"]).success();
}

/// topf of a Talos that lacks the documents of the patches: recipes that hand them over say so, an upgrade needs none.
#[test]
fn recipes_want_a_topf_that_knows_the_documents() {
    let project = Project::rendered(".");
    let topf = project.sandbox.read("talos/topf.yaml");
    let just = |recipe: &str| {
        let mut just = project.command(project.beside("bin/just").to_str().unwrap());
        just.args(["talos", recipe]);
        project.sandbox.finish(&just.output().unwrap())
    };
    let set = |version: &str| {
        let (before, _) = topf.split_once("talosVersion: ").unwrap();
        let (_, after) = topf.split_once("kubernetesVersion: ").unwrap();
        let text = format!("{before}talosVersion: {version}\nkubernetesVersion: {after}");
        project.sandbox.write("talos/topf.yaml", text);
    };
    for version in ["v1.13.0", "v1.13.99"] {
        set(version);
        assert_eq!(just("render").code, Some(0), "{version}");
    }
    set("v1.14.2");
    for recipe in ["render", "diff", "apply"] {
        let run = just(recipe);
        assert_eq!(run.code, Some(1), "{recipe}: {run}");
        let told = "the patches are for Talos 1.14, and this topf is built with Talos 1.13: take a newer topf";
        assert_eq!(run.stderr.trim(), told, "{recipe}");
    }
    let run = just("plan");
    assert_eq!(run.code, Some(0), "{run}");
}

/// What is run by hand a second time, before Cilium made the nodes ready, or after a part of it failed.
#[test]
fn recipes_of_the_bootstrap_run_again() {
    let project = Project::rendered(".");
    for _ in 0..2 {
        let mut just = project.command(project.beside("bin/just").to_str().unwrap());
        let run = just.args(["bootstrap", "cluster"]).output().unwrap();
        let run = project.sandbox.finish(&run);
        assert_eq!(run.code, Some(0), "{run}");
    }
    let calls = fs::read_to_string(project.beside("calls")).unwrap();
    let applies = calls.lines().filter(|call| call.starts_with("topf apply"));
    let applies: Vec<&str> = applies.collect();
    assert_eq!(applies.len(), 2, "{calls}");
    let allows = |call: &&str| call.contains("--allow-not-ready");
    assert!(applies.iter().all(allows), "{calls}");
    let bundle = project.sandbox.read("talos/secrets.sops.yaml");
    assert!(bundle.contains("\nsops:\n"), "{bundle}");
}

/// The stand-ins refuse what the tools refuse.
#[test]
fn stand_ins_refuse_flags_and_commands_that_the_tools_lack() {
    let project = Project::rendered(".");
    for (call, told) in [
        (
            "topf reset --fully=false",
            "topf reset knows no flag --fully",
        ),
        ("topf rest", "topf has no command rest"),
        ("topf apply --mode", "topf apply --mode lacks its value"),
        (
            "talosctl cluster create docker --controlplanes 3",
            "talosctl cluster create docker knows no flag --controlplanes",
        ),
        (
            "helmfile --file apps.yaml sync --hide-note",
            "helmfile sync knows no flag --hide-note",
        ),
        (
            "kubectl apply --serverside",
            "kubectl apply knows no flag --serverside",
        ),
    ] {
        let run = project.command("bash").args(["-c", call]).output().unwrap();
        let run = project.sandbox.finish(&run);
        assert_eq!(run.code, Some(96), "{call}: {run}");
        assert_eq!(run.stderr.trim(), told);
    }
}

/// The tools that are at hand know every flag that the stand-ins take for theirs.
#[test]
fn tools_know_the_flags_of_their_stand_ins() {
    let table = include_str!("recipes/stubs/flags");
    for tool in ["age", "kubeconform", "kubectl", "sops"] {
        let Some(program) = oracle(tool) else {
            continue;
        };
        let rows = table.lines().filter_map(|line| line.split_once(" |"));
        let rows = rows.filter(|(command, _)| command.split(' ').next() == Some(tool));
        let mut asked = 0;
        for (command, flags) in rows {
            let (_, command_words) = command.split_once(' ').unwrap();
            // kubectl tells the flags of all its commands by a command.
            let words = match (tool, command_words) {
                ("kubectl", "*") => "options".to_owned(),
                ("kubeconform", "*") => "-h".to_owned(),
                (_, "*") => "--help".to_owned(),
                (_, words) => format!("{words} --help"),
            };
            let output = Command::new(&program)
                .args(words.split(' '))
                .output()
                .unwrap();
            let help = [output.stdout, output.stderr].concat();
            let help = String::from_utf8(help).unwrap();
            for flag in flags.split_whitespace() {
                let flag = flag.trim_end_matches('=');
                assert!(help.contains(flag), "{command} has no {flag}: {help}");
                asked += 1;
            }
        }
        assert!(asked >= 5, "{tool}: {asked} flags");
    }
}

/// A step of the rehearsal of an upgrade: what it says of versions, and what it refuses.
#[test]
fn recipes_plan_upgrades_one_minor_version_at_a_time() {
    let project = Project::rendered(".");
    project.commit();
    let topf = project.sandbox.read("talos/topf.yaml");
    let planned = |talos: &str| {
        let (before, rest) = topf.split_once("talosVersion: ").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        let text = format!("{before}talosVersion: {talos}\n{after}");
        project.sandbox.write("talos/topf.yaml", text);
        let mut bash = project.command("bash");
        let run = bash
            .args([".github/upgrade-plan.sh", "HEAD"])
            .output()
            .unwrap();
        project.sandbox.finish(&run)
    };
    let (_, from) = topf.split_once("talosVersion: ").unwrap();
    let from = from.lines().next().unwrap();
    let run = planned(from);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stdout
            .contains(&format!("| Talos | {from} | | stays |")),
        "{run}"
    );
    for (to, code, told) in [
        ("v1.13.99", 0, "nodes reboot, one at a time"),
        ("v1.14.2", 0, "nodes reboot, one at a time"),
        ("v1.15.0", 1, "**skips a minor version**"),
        ("v2.0.0", 1, "**skips a minor version**"),
        ("v1.12.9", 1, "**goes back**"),
        ("v1.13.0", 1, "**goes back**"),
    ] {
        let run = planned(to);
        assert_eq!(run.code, Some(code), "{to}: {run}");
        assert!(run.stdout.contains(told), "{to}: {run}");
        assert_eq!(
            run.stderr.contains("::error file=talos/topf.yaml::"),
            code == 1,
            "{run}"
        );
    }
}

/// The steps of the rehearsals, in their order, with stand-ins for what is not here.
#[test]
fn workflows_that_rehearse_run_with_stand_ins() {
    let project = Project::rendered(".");
    project.commit();
    for (name, steps, calls) in [
        (
            "bootstrap",
            6,
            [
                "talosctl cluster create docker --name rehearsal --workers 1 --subnet 10.30.0.0/24",
                "--config-patch @talos/all/20-kubelet.yaml",
                "helmfile --file bootstrap/helmfile/apps.yaml --selector name!=cilium,name!=proxmox-ccm sync",
            ],
        ),
        (
            "upgrade",
            4,
            [
                "cargo install --locked --git something --rev something kiln",
                "helm show crds oci://ghcr.io/home-operations/charts/tuppr --version",
                "kubectl apply --server-side --dry-run=server --namespace system-upgrade",
            ],
        ),
    ] {
        assert_eq!(project.run_workflow(name), steps, "{name}");
        let told = fs::read_to_string(project.beside("calls")).unwrap();
        for call in calls {
            assert!(told.contains(call), "{name}: no {call} in {told}");
        }
    }
    let summary = fs::read_to_string(project.beside("summary.md")).unwrap();
    assert!(summary.contains("| Talos | "), "{summary}");
    let created = fs::read_to_string(project.beside("calls")).unwrap();
    assert!(!created.contains("20-api-address"), "{created}");
}

/// Every workflow that a cluster's repository gets is one that GitHub takes.
#[test]
fn workflows_are_right() {
    let Some(actionlint) = oracle("actionlint") else {
        return;
    };
    let lint = |sandbox: &Sandbox| {
        let output = Command::new(&actionlint)
            .arg("-no-color")
            .current_dir(sandbox.path(""))
            .output()
            .unwrap();
        sandbox.finish(&output)
    };
    for (name, count) in [("homelab", 5), ("full", 5)] {
        let sandbox = example(name);
        sandbox.kiln(&["render", "--keygen"]).success();
        let git = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(sandbox.path(""))
            .status();
        assert!(git.unwrap().success());
        let files = sandbox.files();
        let workflows = files
            .iter()
            .filter(|path| path.starts_with(".github/workflows/"));
        assert_eq!(workflows.count(), count);
        let run = lint(&sandbox);
        assert_eq!(run.code, Some(0), "{name}: {run}");
        let path = ".github/workflows/bootstrap.yaml";
        let wrong = sandbox.read(path).replace("if: failure()", "if: failed()");
        sandbox.write(path, wrong);
        let run = lint(&sandbox);
        assert_eq!(run.code, Some(1), "{name}: {run}");
        assert!(
            run.stdout.contains("undefined function \"failed\""),
            "{run}"
        );
    }
}

/// A copy of the full example, rendered and committed.
struct Project {
    sandbox: Sandbox,
    output: &'static str,
    before: BTreeSet<String>,
}

impl Project {
    fn rendered(output: &'static str) -> Self {
        let sandbox = example("full");
        let toml = sandbox.read("kiln.toml");
        sandbox.write("kiln.toml", format!("output = \"{output}\"\n{toml}"));
        sandbox.kiln(&["render", "--keygen"]).success();
        let project = Self {
            before: sandbox.files().into_iter().collect(),
            sandbox,
            output,
        };
        project.git(&["init", "--quiet"]);
        project.install();
        project
    }

    /// Puts the stand-ins, the recipes and the real `kiln` beside the project.
    fn install(&self) {
        let stubs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes/stubs");
        let bin = self.beside("bin");
        fs::create_dir_all(&bin).unwrap();
        let link =
            |from: &Path, name: &str| std::os::unix::fs::symlink(from, bin.join(name)).unwrap();
        // What is asked of YAML files, the real yq answers.
        let yq = oracle("yq");
        for tool in TOOLS {
            let real = yq.as_deref().filter(|_| tool == "yq");
            link(real.unwrap_or(&stubs.join("stub")), tool);
        }
        link(&stubs.join("just"), "just");
        link(Path::new(env!("CARGO_BIN_EXE_kiln")), "kiln");
        for recipe in self.justfiles().iter().flat_map(|file| &file.recipes) {
            recipe.install(&self.beside("recipes"));
        }
    }

    fn justfiles(&self) -> Vec<Justfile> {
        let root = self.sandbox.path(self.output).canonicalize().unwrap();
        let is_justfile = |path: &&String| path.ends_with(".just") || path.ends_with("justfile");
        let paths = self.before.iter().filter(is_justfile);
        let files: Vec<Justfile> = paths
            .map(|path| Justfile::read(&self.sandbox.path(path).canonicalize().unwrap(), &root))
            .collect();
        let modules: Vec<&str> = files.iter().map(|file| file.module.as_str()).collect();
        assert_eq!(
            modules,
            ["bootstrap", "root", "kubernetes", "talos", "tofu"]
        );
        files
    }

    fn beside(&self, name: &str) -> std::path::PathBuf {
        self.sandbox.path("").parent().unwrap().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let path = format!("{}:/usr/bin:/bin", self.beside("bin").display());
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.beside("home"))
            .env("RECIPES", self.beside("recipes"))
            .env("CALLS", self.beside("calls"))
            // How fast the machine is, is not asked here.
            .env("KILN_TIME_LIMIT", "600")
            .current_dir(self.sandbox.path(""));
        command
    }

    fn run_recipes(&self) {
        let mut count = 0;
        for recipe in self.justfiles().iter().flat_map(|file| &file.recipes) {
            let output = self
                .command(self.beside("bin/just").to_str().unwrap())
                .args([&recipe.module, &recipe.name])
                .args(recipe.examples())
                .output()
                .unwrap();
            let name = format!("{} {}", recipe.module, recipe.name);
            let run = self.sandbox.finish(&output);
            assert_eq!(run.code, Some(0), "{name}: {run}");
            count += 1;
        }
        assert!(count > 35, "only {count} recipes");
        let calls = fs::read_to_string(self.beside("calls")).unwrap();
        for call in [
            "topf render",
            "topf kubeconfig",
            "topf apply --auto-bootstrap --allow-not-ready --confirm=false",
            "topf reset --nodes-filter ^name$ --full=false --graceful=true --wait-for-maintenance",
            "topf reset --full=false --wait-for-maintenance",
            "topf upgrade --topfconfig without-patches.yaml --nodes-filter .* --dry-run",
            "tofu -chdir=",
            "sops encrypt --in-place",
        ] {
            assert!(calls.contains(call), "no recipe calls {call}: {calls}");
        }
    }

    /// Runs the commands that the restore runbook gives as blocks, from the project's folder.
    fn run_runbook(&self) {
        let runbook = Path::new(self.output).join("docs/restore.md");
        let text = self.sandbox.read(runbook.to_str().unwrap());
        let blocks: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("       "))
            .collect();
        assert!(blocks.iter().any(|line| line.starts_with("aws ")), "{text}");
        let script = blocks.join("\n");
        let output = self
            .command("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .output()
            .unwrap();
        let run = self.sandbox.finish(&output);
        assert_eq!(run.code, Some(0), "{script}\n{run}");
    }

    /// Runs the steps of a workflow that run a script, and returns how many they are.
    fn run_workflow(&self, name: &str) -> usize {
        let text = self.sandbox.read(&format!(".github/workflows/{name}.yaml"));
        let workflow = yaml::load(&text).unwrap()[0].root.to_value(Resolver::Core);
        let jobs = workflow["jobs"].as_object().unwrap().values();
        let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
        let mut ran = 0;
        for step in steps {
            let Some(script) = step["run"].as_str() else {
                continue;
            };
            let mut bash = self.command("bash");
            bash.args(["-euo", "pipefail", "-c", script])
                .env("RUNNER_TEMP", self.beside("temporary"))
                .env("GITHUB_STEP_SUMMARY", self.beside("summary.md"));
            for (variable, value) in step["env"].as_object().into_iter().flatten() {
                let value = value.as_str().unwrap();
                let of_base = value.contains("base.sha");
                let value = if of_base { "HEAD" } else { "something" };
                bash.env(variable, value);
            }
            fs::create_dir_all(self.beside("temporary")).unwrap();
            let run = self.sandbox.finish(&bash.output().unwrap());
            assert_eq!(run.code, Some(0), "{name}: {}: {run}", step["name"]);
            ran += 1;
        }
        ran
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        let author = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
        let commit = ["commit", "--quiet", "--message", "All"];
        self.git(&[author, commit].concat());
    }

    /// Expects every new file to be out of git's reach, or sealed.
    fn judge(&self) {
        let after: BTreeSet<String> = self.sandbox.files().into_iter().collect();
        let new: Vec<&String> = after.difference(&self.before).collect();
        assert!(new.len() > 8, "{new:?}");
        self.git(&["add", "--all"]);
        let staged = self.git(&["ls-files"]);
        let staged: BTreeSet<&str> = staged.lines().collect();
        for path in new {
            let text = self.sandbox.read(path);
            let sealed = text.starts_with("age-encryption.org/") || text.contains("\nsops:\n");
            let name = path.rsplit('/').next().unwrap();
            let ignored = !staged.contains(path.as_str());
            assert!(
                ignored || sealed || COMMITTED.contains(&name),
                "git takes {path}"
            );
            let probe = self
                .command("git")
                .args(["check-ignore", "--quiet", path])
                .status()
                .unwrap();
            assert_eq!(probe.success(), ignored, "{path}");
        }
        for key in [
            "age.key",
            "deploy.key",
            "flux-webhook-token.txt",
            "cloudflare-tunnel.json",
        ] {
            assert!(
                after.contains(key) && !staged.contains(key),
                "git takes {key}"
            );
        }
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.command("git").args(arguments).output().unwrap();
        self.sandbox.finish(&output).success()
    }
}

impl Recipe {
    /// Gives a value for each parameter that needs one.
    fn examples(&self) -> Vec<String> {
        let value = |name: &str| match name {
            "arguments" => "plan -out=machines.tfplan".to_owned(),
            "namespace" => "default".to_owned(),
            name => name.to_owned(),
        };
        let needed = self.parameters.iter().filter(|parameter| parameter.needed);
        needed.map(|parameter| value(&parameter.name)).collect()
    }
}
