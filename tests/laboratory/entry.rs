//! The one entry to the oracles where something is missing: one line, and never a pass.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, Sandbox};

const INSTALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/install");

/// What every machine has, and the entry may use.
const BASIC: [&str; 27] = [
    "bash",
    "sh",
    "awk",
    "cat",
    "cp",
    "cut",
    "dirname",
    "env",
    "find",
    "flock",
    "grep",
    "head",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "shasum",
    "sort",
    "tail",
    "tr",
    "uname",
    "chmod",
    "perl",
];

/// A machine with these programs alone, and an empty cache in `cache/`.
struct Machine {
    sandbox: Sandbox,
}

impl Machine {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir_all(sandbox.path("bin")).unwrap();
        let machine = Self { sandbox };
        for name in BASIC {
            machine.has(name);
        }
        machine
    }

    /// Links a program of the real machine, if it is there.
    fn has(&self, name: &str) -> bool {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|program| program.is_file());
        let Some(found) = found else { return false };
        symlink(found, self.sandbox.path("bin").join(name)).unwrap();
        true
    }

    /// Writes a program that is a shell script.
    fn script(&self, path: &str, body: &str) {
        self.sandbox.write(path, format!("#!/bin/sh\n{body}\n"));
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.sandbox.path(path), mode).unwrap();
    }

    fn run(&self, script: &Path, variables: &[(&str, &str)], names: &[&str]) -> Run {
        let output = Command::new(self.sandbox.path("bin/bash"))
            .arg(script)
            .args(names)
            .env_clear()
            .env("PATH", self.sandbox.path("bin"))
            .env("HOME", self.sandbox.path("home"))
            .env("KILN_ORACLE_CACHE", self.sandbox.path("cache"))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        self.sandbox.finish(&output)
    }

    fn install(&self, variables: &[(&str, &str)], names: &[&str]) -> Run {
        self.run(Path::new(INSTALL), variables, names)
    }

    /// Copies the entry and the given files of its folder, so that a test can change what it builds.
    fn copy_entry(&self, table: &str) -> PathBuf {
        let entry = self.sandbox.path("oracles/install");
        self.sandbox.write("oracles/table", table);
        self.sandbox.write("oracles/go/toolchain", "go1.27.3\n");
        fs::copy(INSTALL, &entry).unwrap();
        entry
    }
}

/// Expects a run to say exactly this, and that it failed.
#[track_caller]
fn skipped(run: &Run, line: &str) {
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.stdout, "", "{run}");
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    assert!(run.stderr.starts_with(line), "no {line:?} in {run}");
    assert!(run.stderr.contains("; not checked: "), "{run}");
}

#[test]
fn says_what_the_machine_lacks() {
    let machine = Machine::new();
    let install = |name: &str| machine.install(&[], &[name]);
    skipped(
        &install("age"),
        "SKIPPED age: no `go` in $PATH (1.21 or newer); not checked: that age itself takes",
    );
    skipped(&install("apiserver"), "SKIPPED apiserver: no `go` in");
    skipped(&install("kubectl"), "SKIPPED kubectl: no `go` in");
    skipped(&install("browser"), "SKIPPED browser: no `node` in");
    skipped(
        &install("makejinja"),
        "SKIPPED makejinja: no `python3` that",
    );
    skipped(&install("promtool"), "SKIPPED promtool: no `promtool` in");
    skipped(&install("jq"), "SKIPPED jq: no `jq` in $PATH");
    skipped(&install("sups"), "SKIPPED sups: no such oracle");
    let nowhere = [("KILN_ORACLE_CACHE", ""), ("HOME", "")];
    skipped(
        &machine.install(&nowhere, &["age"]),
        "SKIPPED age: no folder to build in",
    );
    machine.script("bin/node", "exit 0");
    skipped(
        &install("yaml-language-server"),
        "SKIPPED yaml-language-server: no `npm` in",
    );
    assert!(!machine.sandbox.path("cache/age").join("lock").exists());
}

#[test]
fn says_which_of_several_are_missing() {
    let machine = Machine::new();
    machine.script("bin/jq", "echo jq-1.7");
    let run = machine.install(&[], &["jq", "curl"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.stdout, "[WORK]/bin/jq\n");
    assert!(run.stderr.starts_with("SKIPPED curl: no `curl`"), "{run}");
    let all = machine.install(&[], &["--all"]);
    assert_eq!(all.code, Some(1), "{all}");
    assert_eq!(all.stdout.matches("SKIPPED: ").count(), 26, "{all}");
    assert!(all.stdout.contains(" jq-1.7 "), "{all}");
}

#[test]
fn says_that_go_is_too_old() {
    let machine = Machine::new();
    machine.script("bin/go", "echo go version go1.20.14 linux/amd64");
    skipped(
        &machine.install(&[], &["sops"]),
        "SKIPPED sops: go1.20.14 cannot fetch go1.27.3: Go 1.21 or newer does; not checked",
    );
}

#[test]
fn says_that_there_is_no_network() {
    let machine = Machine::new();
    let old = "echo 'go: download go1.27.3: dial tcp: lookup proxy.golang.org: no such host' >&2";
    machine.script("bin/go", &format!("{old}; exit 1"));
    skipped(
        &machine.install(&[], &["age"]),
        "SKIPPED age: no network: go1.27.3 cannot be fetched (go: download go1.27.3: dial",
    );
    // The toolchain is at hand, the modules are not.
    let fails = "case $1 in version) echo go version go1.27.3 linux/amd64;; *) echo 'go: \
                 filippo.io/age@v1.3.2: module lookup disabled by GOPROXY=off' >&2; exit 1;; esac";
    machine.script("bin/go", fails);
    skipped(
        &machine.install(&[], &["age"]),
        "SKIPPED age: no network: go: filippo.io/age@v1.3.2: module lookup disabled",
    );
    machine.script("bin/node", "exit 0");
    machine.script("bin/npm", "echo npm error code ENOTFOUND >&2; exit 1");
    skipped(
        &machine.install(&[], &["browser"]),
        "SKIPPED browser: no network: npm error code ENOTFOUND;",
    );
    machine.script("bin/npm", "echo first; echo out of memory >&2; exit 1");
    skipped(
        &machine.install(&[], &["browser"]),
        "SKIPPED browser: the build failed: out of memory (see [WORK]/cache/browser/",
    );
    assert!(
        machine
            .sandbox
            .files()
            .iter()
            .all(|file| !file.contains(".new."))
    );
}

/// The real `go` without a proxy and without what it has fetched before.
#[test]
fn the_real_go_without_network_is_no_pass() {
    let machine = Machine::new();
    if !machine.has("go") {
        eprintln!("SKIPPED: no go; not checked: how it fails without network");
        return;
    }
    let empty = machine.sandbox.path("modules");
    let variables = [("GOPROXY", "off"), ("GOMODCACHE", empty.to_str().unwrap())];
    skipped(
        &machine.install(&variables, &["age"]),
        "SKIPPED age: no network: ",
    );
}

/// A tool of a script of its own, which counts its builds.
const TABLE: &str = "toy | script | toy | toy | --version | - | toys\n";
const BUILD: &str = "echo built >> \"$COUNT\"\nprintf '#!/bin/sh\\necho toy 1\\n' > \"$1/toy\"\n\
                     chmod +x \"$1/toy\"";

#[test]
fn builds_once_and_again_where_the_cache_is_broken() {
    let machine = Machine::new();
    let entry = machine.copy_entry(TABLE);
    machine.script("oracles/toy/build.sh", BUILD);
    machine.script("bin/go", "echo go version go1.27.3 linux/amd64");
    let count = machine.sandbox.path("count");
    let variables = [("COUNT", count.to_str().unwrap())];
    let run = || machine.run(&entry, &variables, &["toy"]);
    let builds = || machine.sandbox.read("count").lines().count();

    let path = run().success();
    assert_eq!(run().success(), path);
    assert_eq!(builds(), 1);
    let file = path.trim().strip_prefix("[WORK]/").unwrap();

    // Cut off, without its mode, or gone: built again.
    machine.sandbox.write(file, "\0");
    assert_eq!(run().success(), path);
    assert_eq!(builds(), 2);
    fs::remove_file(machine.sandbox.path(file)).unwrap();
    assert_eq!(run().success(), path);
    assert_eq!(builds(), 3);

    // Other sources, another folder.
    machine.script("oracles/toy/build.sh", &format!("{BUILD}\n# more"));
    assert_ne!(run().success(), path);
    assert_eq!(builds(), 4);

    // What is built does not run, or cannot be built again: said, and not kept as a success.
    machine.script(
        "oracles/toy/build.sh",
        &BUILD.replace("echo toy 1", "exit 3"),
    );
    skipped(&run(), "SKIPPED toy: it was built and does not run");
    fs::remove_file(machine.sandbox.path("bin/go")).unwrap();
    skipped(
        &run(),
        "SKIPPED toy: no `go` in $PATH (1.21 or newer); what was in [WORK]/cache/toy/",
    );
}

#[test]
fn several_processes_build_once() {
    let machine = Machine::new();
    let entry = machine.copy_entry(TABLE);
    machine.script("oracles/toy/build.sh", &format!("sleep 0.3\n{BUILD}"));
    machine.script("bin/go", "echo go version go1.27.3 linux/amd64");
    machine.has("sleep");
    let count = machine.sandbox.path("count");
    let variables = [("COUNT", count.to_str().unwrap())];
    let paths: Vec<String> = std::thread::scope(|scope| {
        let run = || machine.run(&entry, &variables, &["toy"]).success();
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0]), "{paths:?}");
    if machine.sandbox.path("bin/flock").exists() {
        assert_eq!(machine.sandbox.read("count"), "built\n");
    }
}

#[test]
fn ready_tools_come_first_and_have_to_run() {
    let machine = Machine::new();
    machine.script("ready/sops", "echo sops 3.13.3");
    let folder = machine.sandbox.path("ready");
    let variables = [("KILN_ORACLES", folder.to_str().unwrap())];
    let run = machine.install(&variables, &["sops"]);
    assert_eq!(run.success(), "[WORK]/ready/sops\n");
    machine.script("ready/sops", "exit 1");
    skipped(
        &machine.install(&variables, &["sops"]),
        "SKIPPED sops: [WORK]/ready/sops of $KILN_ORACLES does not run; not checked",
    );
    skipped(
        &machine.install(&variables, &["age"]),
        "SKIPPED age: no `go`",
    );
}

/// A pin stands in one place: rows of the table have what they are built from.
#[test]
fn every_row_of_the_table_can_be_built() {
    let folder = Path::new(INSTALL).parent().unwrap();
    let table = fs::read_to_string(folder.join("table")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [name, kind, unit, _, probe, from, unchecked] = cells[..] else {
            panic!("{row}");
        };
        assert!(!probe.is_empty() && !unchecked.is_empty(), "{row}");
        assert!(
            readme.contains(&format!("| {name} ")),
            "README has no {name}"
        );
        let sources = match kind {
            "go" => format!("go/{unit}/go.sum"),
            "npm" => format!("npm/{unit}/package-lock.json"),
            "python" => "pypi/python-3.13.txt".to_owned(),
            "script" => format!("{unit}/build.sh"),
            _ => "install".to_owned(),
        };
        assert!(folder.join(&sources).is_file(), "{name}: no {sources}");
        if kind == "go" {
            let module = fs::read_to_string(folder.join(format!("go/{unit}/go.mod"))).unwrap();
            let pinned = module
                .split_whitespace()
                .any(|word| from.starts_with(word) && word.contains('.'));
            assert!(pinned, "{name}: go.mod does not name {from}");
        }
        count += 1;
    }
    assert!(count >= 18, "{count}");
}
