use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::set::assert_nowhere;
use super::{CANARY, sealed};
use crate::support::{Run, Sandbox};

/// A project with a sealed file that no template makes, and a folder in memory.
struct Desk {
    sandbox: Sandbox,
    memory: TempDir,
}

const FILE: &str = "own/secret.sops.yaml";

impl Desk {
    fn new() -> Self {
        let (sandbox, _) = sealed();
        fs::remove_dir_all(sandbox.path("templates")).unwrap();
        sandbox.write(FILE, format!("# Ours.\nword: {CANARY}\nother: one\n"));
        sandbox.kiln(&["secrets", "encrypt", FILE]).success();
        fs::create_dir(sandbox.path("../tmp")).unwrap();
        Self {
            sandbox,
            memory: TempDir::new_in("/dev/shm").unwrap(),
        }
    }

    /// Makes an editor of a script, which gets the file as `$1`.
    fn editor(&self, script: &str) -> String {
        let path = self.sandbox.path("../home/editor");
        // A file that is open for writing cannot be run, and another thread's child may hold it.
        fs::write(&path, format!("{script}\n")).unwrap();
        format!("sh {}", path.display())
    }

    fn command(&self, script: &str, file: &str) -> Command {
        let mut command = self.sandbox.command();
        command
            .args(["secrets", "edit", file])
            .env("XDG_RUNTIME_DIR", self.memory.path())
            .env("TMPDIR", self.sandbox.path("../tmp"))
            .env("EDITOR", "/no/such/editor")
            .env("SOPS_EDITOR", self.editor(script));
        command
    }

    fn edit(&self, script: &str, file: &str) -> Run {
        let run = self
            .sandbox
            .finish(&self.command(script, file).output().unwrap());
        assert!(self.in_memory().is_empty(), "{run}");
        assert_nowhere(&self.sandbox);
        assert!(!run.to_string().contains(CANARY), "{run}");
        run
    }

    fn in_memory(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.memory.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Starts an editor that does not end, and waits until it has the plain text.
    fn start(&self) -> Child {
        let mut command = self.command("touch \"$TMPDIR/ready\"; exec sleep 60", FILE);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..1000 {
            if self
                .in_memory()
                .iter()
                .any(|folder| folder.join("ready").exists())
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let folders = self.in_memory();
        let text = fs::read_to_string(folders[0].join("secret.sops.yaml")).unwrap();
        assert!(
            text.lines().any(|line| line == format!("word: {CANARY}")),
            "{text}"
        );
        assert_nowhere(&self.sandbox);
        child
    }
}

fn signal(name: &str, process: u32) {
    let kill = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

#[test]
fn the_plain_text_is_in_memory_and_what_has_not_changed_keeps_its_bytes() {
    let desk = Desk::new();
    let before = desk.sandbox.read(FILE);
    // Whatever the editor sees of the disk while it runs, the secret is not there.
    let script = format!(
        "stat -c %a \"$1\" \"$(dirname \"$1\")\" > ../home/modes\n\
         grep -rl {} .. > ../home/found\n\
         case $TMPDIR in /dev/shm/*) ;; *) exit 3;; esac\n\
         sed -i 's/^other: one$/other: two/' \"$1\"",
        // Not as a whole: the script is a file, too.
        CANARY.replacen('-', "[-]", 1)
    );
    let run = desk.edit(&script, FILE);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    sealed own/secret.sops.yaml
    ");
    assert_eq!(desk.sandbox.read("../home/modes"), "600\n700\n");
    assert_eq!(desk.sandbox.read("../home/found"), "");
    let after = desk.sandbox.read(FILE);
    let moved = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new);
    let moved: Vec<&str> = moved
        .filter_map(|(old, _)| old.trim().split(':').next())
        .collect();
    assert!(
        moved.starts_with(&["other"]) && moved.ends_with(&["mac"]),
        "{moved:?}"
    );
    assert!(moved.len() <= 3, "{moved:?}");
    let value = desk
        .sandbox
        .kiln(&["secrets", "get", FILE, "other"])
        .success();
    assert_eq!(value, "two\n");
}

#[test]
fn nothing_is_written_where_nothing_was_changed_or_the_editor_fails() {
    let desk = Desk::new();
    let before = desk.sandbox.read(FILE);
    assert_snapshot!(desk.edit("true", FILE), @r"
    exit code 0
    --- stderr
    nothing was changed
    ");
    // Only the layout of the plain text.
    assert_eq!(
        desk.edit("sed -i 's/^word: /word:  /' \"$1\"", FILE).code,
        Some(0)
    );
    let failed = desk.edit("echo 'other: 2' >> \"$1\"; exit 4", FILE);
    insta::assert_snapshot!(failed, @"
    exit code 2
    --- stderr
    error: the editor `sh` failed (exit status: 4), and nothing was changed
    ");
    let killed = desk.edit("echo 'more: 2' >> \"$1\"; kill -KILL $$", FILE);
    insta::assert_snapshot!(killed, @"
    exit code 2
    --- stderr
    error: the editor `sh` failed (signal: 9 (SIGKILL)), and nothing was changed
    ");
    assert_eq!([failed.code, killed.code], [Some(2); 2]);
    assert_eq!(desk.sandbox.read(FILE), before);
}

#[test]
fn a_broken_text_is_refused_and_kept_nowhere() {
    let desk = Desk::new();
    let before = desk.sandbox.read(FILE);
    let run = desk.edit("echo 'more: [' >> \"$1\"", FILE);
    assert_snapshot!(run, @r"
    exit code 1
    --- stderr
    error[yaml-syntax]: unclosed bracket '['
    --> own/secret.sops.yaml:4:7

    1 error, nothing written
    ");
    let run = desk.edit("echo 'sops: 1' >> \"$1\"", FILE);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[unsealable-yaml]: `own/secret.sops.yaml` has a top-level key `sops`, which SOPS keeps for itself
    --> own/secret.sops.yaml:4:1
     = help: rename the key; a file that is sealed already is carried as it is where its name does not end in `.tera`

    1 error, nothing written
    ");
    assert_eq!(desk.sandbox.read(FILE), before);
}

#[test]
fn makes_a_file_that_a_rule_names() {
    let desk = Desk::new();
    let script = "test ! -s \"$1\" || exit 5; echo 'new: word' > \"$1\"";
    assert_eq!(desk.edit(script, "new/one.sops.yaml").code, Some(0));
    let told = desk
        .sandbox
        .kiln(&["secrets", "decrypt", "new/one.sops.yaml"])
        .success();
    assert_eq!(told, "new: word\n");
    assert_snapshot!(desk.edit("true", "new/two.sops.yaml"), @r"
    exit code 0
    --- stderr
    nothing was changed
    ");
    assert_snapshot!(desk.edit(script, "new/three.yaml"), @r"
    exit code 2
    --- stderr
    error: there is no file `new/three.yaml`, and no creation rule for it
    help: check the name, or add a rule with a `path_regex` for it to `.sops.yaml`
    ");
    assert!(!desk.sandbox.path("new/two.sops.yaml").exists());
}

#[test]
fn a_signal_ends_the_editor_and_wipes_the_text() {
    for name in ["-TERM", "-HUP"] {
        let desk = Desk::new();
        let mut child = desk.start();
        signal(name, child.id());
        assert_eq!(child.wait().unwrap().code(), Some(2), "{name}");
        assert!(desk.in_memory().is_empty(), "{name}");
    }
}

#[test]
fn ctrl_c_is_the_editors() {
    let desk = Desk::new();
    let mut child = desk.start();
    signal("-INT", child.id());
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    signal("-TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(desk.in_memory().is_empty());
}

#[test]
fn somebody_elses_change_is_not_overwritten() {
    let desk = Desk::new();
    let path = desk.sandbox.path(FILE);
    let script = format!(
        "echo 'more: 1' >> \"$1\"; echo '# changed' >> {}",
        path.display()
    );
    insta::assert_snapshot!(desk.edit(&script, FILE), @"
    exit code 2
    --- stderr
    error: `own/secret.sops.yaml` was changed by somebody else in the meantime, and nothing was written
    help: edit it again
    ");
    assert!(desk.sandbox.read(FILE).ends_with("# changed\n"));
}
