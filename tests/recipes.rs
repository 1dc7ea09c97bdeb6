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

use crate::examples::example;
use crate::support::Sandbox;
use justfile::{Justfile, Recipe};

/// The tools that recipes and the restore runbook call.
const TOOLS: [&str; 14] = [
    "age",
    "aws",
    "flux",
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
        for tool in TOOLS {
            link(&stubs.join("stub"), tool);
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
