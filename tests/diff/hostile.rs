//! A repository that would have its own programs run, by every setting that can name one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::project::{change, commit, git, git_in, project};
use crate::support::{Run, Sandbox};

/// Settings that name a program, and those that make git ask for it.
const PROGRAMS: &[&str] = &[
    "core.alternateRefsCommand",
    "core.askPass",
    "core.editor",
    "core.fsmonitor",
    "core.gitProxy",
    "core.pager",
    "core.sshCommand",
    "credential.helper",
    "diff.evil.command",
    "diff.evil.textconv",
    "diff.external",
    "difftool.evil.cmd",
    "filter.evil.clean",
    "filter.evil.process",
    "filter.evil.smudge",
    "gpg.openpgp.program",
    "gpg.program",
    "gpg.ssh.defaultKeyCommand",
    "gpg.ssh.program",
    "gpg.x509.program",
    "interactive.diffFilter",
    "man.evil.cmd",
    "merge.evil.driver",
    "mergetool.evil.cmd",
    "pager.cat-file",
    "pager.log",
    "pager.rev-parse",
    "remote.origin.receivepack",
    "remote.origin.uploadpack",
    "sendemail.smtpServer",
    "sequence.editor",
    "trailer.evil.cmd",
    "trailer.evil.command",
    "uploadpack.packObjectsHook",
    "web.browser",
];
const ALIASES: &[&str] = &[
    "cat-file",
    "check-attr",
    "check-ignore",
    "config",
    "ls-tree",
    "merge-base",
    "rev-list",
    "rev-parse",
    "update-index",
];
const SWITCHES: &[(&str, &str)] = &[
    ("core.repositoryFormatVersion", "1"),
    ("extensions.partialClone", "origin"),
    ("log.showSignature", "true"),
    ("protocol.allow", "always"),
    ("protocol.ext.allow", "always"),
    ("remote.origin.promisor", "true"),
    ("submodule.recurse", "true"),
];
const HOOKS: &[&str] = &[
    "fsmonitor-watchman",
    "post-checkout",
    "post-index-change",
    "pre-auto-gc",
    "pre-commit",
    "reference-transaction",
];
/// Variables of the environment that name a program.
const VARIABLES: &[&str] = &[
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "PAGER",
    "SSH_ASKPASS",
];
/// Every command that starts git, with what it compares.
const COMMANDS: &[&[&str]] = &[
    &["diff"],
    &["diff", "--base", "HEAD"],
    &["diff", "--base", "origin/main"],
    &["diff", "--base", "first", "--head", "HEAD"],
    &["render"],
    &["diff", "--disk"],
    &["render", "--check"],
    &["render", "--stage"],
];

/// A folder of programs, each of which leaves a file when it is run.
struct Traps {
    folder: PathBuf,
}

impl Traps {
    fn new(sandbox: &Sandbox) -> Self {
        let folder = sandbox.path("../traps");
        fs::create_dir_all(folder.join("hooks")).unwrap();
        fs::create_dir_all(folder.join("sprung")).unwrap();
        let folder = folder.canonicalize().unwrap();
        let traps = Self { folder };
        for hook in HOOKS {
            let program = traps.program(&format!("hook-{hook}"));
            fs::rename(program, traps.folder.join("hooks").join(hook)).unwrap();
        }
        traps
    }

    fn program(&self, name: &str) -> String {
        let path = self.folder.join(name);
        let text = format!(
            "#!/bin/sh\ntouch '{}/sprung/{name}'\n",
            self.folder.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Sets every trap in a file of settings.
    fn set(&self, config: &Path) {
        let set = |key: &str, value: &str| {
            let file = config.to_str().unwrap();
            git_in(&self.folder, &["config", "--file", file, key, value]);
        };
        for key in PROGRAMS {
            set(key, &self.program(key));
        }
        for name in ALIASES {
            let program = self.program(&format!("alias-{name}"));
            set(&format!("alias.{name}"), &format!("!{program}"));
        }
        set(
            "core.hooksPath",
            self.folder.join("hooks").to_str().unwrap(),
        );
        let url = format!("ext::{}", self.program("remote-ext"));
        set("remote.origin.url", &url);
        for (key, value) in SWITCHES {
            set(key, value);
        }
    }

    /// Returns the programs that were run since the last time.
    #[must_use]
    fn sprung(&self) -> Vec<String> {
        let folder = self.folder.join("sprung");
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.file_name().to_string_lossy().into_owned());
            fs::remove_file(entry.path()).unwrap();
        }
        names.sort();
        names
    }

    /// Runs git as somebody would who trusts the repository, whatever comes of it.
    fn trusting(folder: &Path, arguments: &[&str]) {
        let command = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(folder)
            .args(arguments)
            .output();
        command.unwrap();
    }

    /// Runs every command that starts git, and expects no program of the repository to be run.
    #[track_caller]
    fn walk(&self, sandbox: &Sandbox, folder: &str, variables: &[(&str, &str)]) -> Vec<Run> {
        let runs = COMMANDS.iter().map(|arguments| {
            let mut command = sandbox.command();
            let command = command.arg("-C").arg(sandbox.path(folder)).args(*arguments);
            let run = sandbox.finish(&command.envs(variables.iter().copied()).output().unwrap());
            assert_eq!(self.sprung(), [""; 0], "kiln {arguments:?}\n{run}");
            run
        });
        runs.collect()
    }
}

fn codes(runs: &[Run]) -> Vec<i32> {
    runs.iter().map(|run| run.code.unwrap()).collect()
}

#[test]
fn no_setting_of_the_repository_runs_a_program() {
    let sandbox = project();
    change(&sandbox);
    let traps = Traps::new(&sandbox);
    traps.set(&sandbox.path(".git/config"));
    // A base of which the object is not here has git look for it at the origin.
    sandbox.write(
        ".git/refs/remotes/origin/main",
        format!("{}\n", "5".repeat(40)),
    );
    let runs = traps.walk(&sandbox, "", &[]);
    assert_eq!(codes(&runs), [1, 1, 2, 0, 0, 0, 0, 0], "{runs:#?}");
    // The traps are traps: those who trust the repository spring them.
    let root = sandbox.path("");
    Traps::trusting(
        &root,
        &["update-index", "--add", "kiln.toml", "cluster.yaml"],
    );
    sandbox.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    sandbox.write("new.txt", "new\n");
    for arguments in [
        &["status"][..],
        &["add", "--all"],
        &["diff", "--cached", "--no-ext-diff"],
        &["diff", "--cached"],
        &["cat-file", "-p", "origin/main"],
        &["commit", "--message", "x"],
    ] {
        Traps::trusting(&root, arguments);
    }
    let sprung = traps.sprung();
    for name in [
        "core.fsmonitor",
        "filter.evil.process",
        "remote-ext",
        "hook-post-index-change",
    ] {
        assert!(
            sprung.iter().any(|sprung| sprung == name),
            "{name}: {sprung:?}"
        );
    }
}

#[test]
fn attributes_run_no_filter_and_nothing_is_staged_without_it() {
    let sandbox = project();
    let ignored = sandbox.read(".gitignore").replace("out/\n", "");
    sandbox.write(".gitignore", ignored);
    commit(&sandbox, "outputs are kept");
    let traps = Traps::new(&sandbox);
    traps.set(&sandbox.path(".git/config"));
    sandbox.write(
        ".gitattributes",
        "out/** filter=evil diff=evil merge=evil\n",
    );
    let runs = traps.walk(&sandbox, "", &[]);
    let staged = &runs[7];
    insta::assert_snapshot!(staged, @"
    exit code 2
    --- stderr
    error: `out/.sops.yaml` is not staged: git would run the filter `evil` on it, and Kiln runs no program that a repository names
    help: what is rendered was written: stage it with `git add`, which runs `filter.evil` of the settings of git
    ");
    let index = ["-c", "core.fsmonitor=false", "ls-files", "--cached", "out"];
    assert_eq!(git(&sandbox, &index), "");
    // A filter that is named and not set up is none to git, and line ends are git's own work.
    sandbox.write(".gitattributes", "out/** filter=nowhere text eol=crlf\n");
    let staged = sandbox.kiln(&["render", "--stage"]);
    assert_eq!(staged.code, Some(0), "{staged}");
    assert_eq!(traps.sprung(), [""; 0]);
    assert!(git(&sandbox, &index).contains("out/notes.txt"));
}

#[test]
fn a_repository_buried_in_the_project_is_none() {
    for (buried, folder) in [("deep/cluster", "deep/cluster"), ("deep", "deep/cluster")] {
        let inner = project();
        fs::remove_dir_all(inner.path(".git")).unwrap();
        let sandbox = Sandbox::new();
        for path in inner.files() {
            let text = fs::read(inner.path(&path)).unwrap();
            sandbox.write(&format!("deep/cluster/{path}"), text);
        }
        let traps = Traps::new(&sandbox);
        let file = |path: &str| format!("{buried}/{path}");
        sandbox.write(&file("HEAD"), "ref: refs/heads/main\n");
        sandbox.write(&file("objects/.keep"), "");
        sandbox.write(&file("refs/heads/.keep"), "");
        let missing = format!("{}\n", "5".repeat(40));
        sandbox.write(&file("refs/remotes/origin/main"), missing);
        traps.set(&sandbox.path(&file("config")));
        let set = |key, value| {
            let config = sandbox.path(&file("config"));
            git_in(
                &sandbox.path(""),
                &["config", "--file", config.to_str().unwrap(), key, value],
            );
        };
        set("core.bare", "false");
        set("core.worktree", ".");
        git_in(
            &sandbox.path(""),
            &["init", "--quiet", "--initial-branch=main"],
        );
        git_in(&sandbox.path(""), &["add", "--all", "--force"]);
        let runs = traps.walk(&sandbox, folder, &[]);
        for (run, arguments) in runs.iter().zip(COMMANDS) {
            if arguments.contains(&"--stage")
                || (arguments[0] == "diff" && !arguments.contains(&"--disk"))
            {
                assert_eq!(run.code, Some(2), "{arguments:?} {run}");
                assert!(
                    run.stderr.contains("looks like a bare git repository"),
                    "{run}"
                );
            }
        }
        Traps::trusting(&sandbox.path(folder), &["status"]);
        Traps::trusting(&sandbox.path(folder), &["cat-file", "-e", "origin/main"]);
        let sprung = traps.sprung();
        for name in ["core.fsmonitor", "remote-ext"] {
            assert!(
                sprung.iter().any(|sprung| sprung == name),
                "{buried} {name}: {sprung:?}"
            );
        }
    }
}

#[test]
fn the_environment_redirects_nothing() {
    let sandbox = project();
    change(&sandbox);
    let traps = Traps::new(&sandbox);
    let other = Sandbox::with(&[("x", "")]);
    git_in(&other.path(""), &["init", "--quiet"]);
    let elsewhere = other.path(".git").to_str().unwrap().to_owned();
    let programs: Vec<String> = VARIABLES.iter().map(|name| traps.program(name)).collect();
    let mut variables: Vec<(&str, &str)> = VARIABLES
        .iter()
        .zip(&programs)
        .map(|(name, program)| (*name, program.as_str()))
        .collect();
    let trace = traps.folder.join("sprung/trace");
    let trace = trace.to_str().unwrap();
    let fsmonitor = traps.program("core.fsmonitor");
    let parameters = format!("'core.fsmonitor={fsmonitor}'");
    variables.extend([
        ("GIT_DIR", elsewhere.as_str()),
        ("GIT_WORK_TREE", "/"),
        ("GIT_COMMON_DIR", &elsewhere),
        ("GIT_OBJECT_DIRECTORY", &elsewhere),
        ("GIT_NAMESPACE", "x"),
        ("GIT_TRACE", trace),
        ("GIT_TRACE2", trace),
        ("GIT_TRACE2_EVENT", trace),
        ("GIT_TRACE_SETUP", trace),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", &fsmonitor),
        ("GIT_CONFIG_PARAMETERS", &parameters),
        ("GIT_EXEC_PATH", &elsewhere),
        ("GIT_LITERAL_PATHSPECS", "1"),
    ]);
    let runs = traps.walk(&sandbox, "", &variables);
    let plain = traps.walk(&sandbox, "", &[]);
    assert_eq!(codes(&runs)[..4], codes(&plain)[..4], "{runs:#?}");
    assert_eq!(runs[1].stdout, plain[1].stdout);
}

#[test]
fn a_bare_repository_is_used_where_a_worktree_names_it() {
    let sandbox = project();
    change(&sandbox);
    commit(&sandbox, "second");
    git(
        &sandbox,
        &["clone", "--quiet", "--bare", ".", "../bare.git"],
    );
    git_in(
        &sandbox.path("../bare.git"),
        &["worktree", "add", "--quiet", "--detach", "../tree", "main"],
    );
    let run = |folder: &str| {
        let mut command = sandbox.command();
        command
            .arg("-C")
            .arg(sandbox.path(folder))
            .args(["diff", "--base", "first"]);
        sandbox.finish(&command.output().unwrap())
    };
    let found = run("../tree");
    assert_eq!(found.code, Some(1), "{found}");
    assert!(
        found.stdout.contains("- PersistentVolumeClaim/shop/backup"),
        "{found}"
    );
}
