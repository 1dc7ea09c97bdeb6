use std::collections::BTreeMap;

use kiln::tree::output_path::ReservedPaths;
use kiln::tree::{Sealed, Tree};
use kiln::write::{self, Interruption, PlanOptions, Recovery, Target, WriteError, WriteStep};

use super::sandbox::{CANARY, DRY, Sandbox, codes, tree};

/// The steps before the journal is in force: six outputs and the list are staged, then synced.
const COMMITTED: usize = 8;

type Picture = BTreeMap<String, String>;

fn old_tree() -> Tree<Sealed> {
    tree([
        ("app/changed", "old"),
        ("app/kept", "same"),
        ("app/secret.sops.yaml", "old ciphertext"),
        ("gone/deep/removed", "old"),
        ("room", "a file that makes room"),
        ("space/x", "a folder that makes room"),
    ])
}

fn new_tree() -> Tree<Sealed> {
    tree([
        ("app/changed", "new"),
        ("app/kept", "same"),
        ("app/secret.sops.yaml", "new ciphertext"),
        ("created/deep/one", "new"),
        ("created/other.sops.yaml", "ciphertext"),
        ("room/y", "new"),
        ("space", "new"),
    ])
}

/// The old tree on disk next to foreign files, and the pictures of both trees.
fn scene() -> (Sandbox, Picture, Picture) {
    let start = || {
        let sandbox = Sandbox::new();
        sandbox.put("app/foreign", "by hand");
        sandbox.put("gone/foreign", "by hand");
        sandbox.write(&old_tree());
        sandbox
    };
    let finished = start();
    finished.write(&new_tree());
    let sandbox = start();
    let old = sandbox.picture();
    (sandbox, old, finished.picture())
}

/// Applies the new tree and is interrupted at the n-th step; `None` when there are fewer.
fn interrupt(sandbox: &Sandbox, at: usize, how: Interruption) -> Option<WriteError> {
    let outputs = new_tree();
    let plan = sandbox.plan(&outputs, PlanOptions::default()).value;
    plan.apply_with(&mut stop_at(at, how, sandbox)).err()
}

/// Interrupts the n-th step (a kill also all later ones), and looks for plain secrets in all files after each step.
fn stop_at(
    at: usize,
    how: Interruption,
    sandbox: &Sandbox,
) -> impl FnMut(WriteStep<'_>) -> Result<(), Interruption> {
    let mut count = 0;
    move |_| {
        assert_no_secret(&sandbox.picture());
        count += 1;
        let now = count == at + 1 || (count > at && how == Interruption::Kill);
        if now { Err(how) } else { Ok(()) }
    }
}

fn assert_no_secret(picture: &Picture) {
    for (path, text) in picture {
        assert!(
            !text.contains(CANARY),
            "{path} holds a secret in plain text"
        );
    }
}

/// Even before recovery, every file is the whole old or the whole new one.
fn assert_whole(picture: &Picture, old: &Picture, new: &Picture) {
    for (path, text) in picture
        .iter()
        .filter(|(path, _)| !path.starts_with(".kiln/") && !path.ends_with('/'))
    {
        assert!(
            old.get(path) == Some(text) || new.get(path) == Some(text),
            "{path}: {text}"
        );
    }
}

#[test]
fn a_kill_after_any_step_leaves_the_old_tree_or_one_that_recovery_completes() {
    let mut recoveries = Vec::new();
    for at in 0.. {
        let (sandbox, old, new) = scene();
        let Some(error) = interrupt(&sandbox, at, Interruption::Kill) else {
            assert_eq!(sandbox.picture(), new);
            break;
        };
        assert!(matches!(error, WriteError::Killed), "{error}");
        assert_whole(&sandbox.picture(), &old, &new);
        let recovery = write::recover(&Target::new(&sandbox.disk(), ".")).unwrap();
        let expected = if at < COMMITTED { &old } else { &new };
        assert_eq!(
            &sandbox.picture(),
            expected,
            "after step {at}: {recovery:?}"
        );
        recoveries.push(recovery);
        assert!(sandbox.write(&new_tree()).recovery == Recovery::Nothing);
        assert_eq!(sandbox.picture(), new);
    }
    let count = |wanted| {
        recoveries
            .iter()
            .filter(|recovery| **recovery == wanted)
            .count()
    };
    // Committed, 9 changes and the list, settled; the rest is before that, or the closing after it.
    assert_eq!(
        (count(Recovery::Discarded), count(Recovery::Completed)),
        (COMMITTED + 1, 12),
        "{recoveries:?}"
    );
}

#[test]
fn the_next_plan_recovers_by_itself() {
    for at in 0..18 {
        let (sandbox, _, new) = scene();
        interrupt(&sandbox, at, Interruption::Kill).unwrap();
        let report = sandbox.write(&new_tree());
        assert_ne!(report.recovery, Recovery::Nothing);
        assert_eq!(sandbox.picture(), new, "after step {at}");
    }
}

#[test]
fn a_kill_during_recovery_is_recovered_from_too() {
    for first in [COMMITTED, 11, 15, 19] {
        for second in 0.. {
            let (sandbox, _, new) = scene();
            interrupt(&sandbox, first, Interruption::Kill).unwrap();
            let mut observer = stop_at(second, Interruption::Kill, &sandbox);
            let recovered = write::recover_with(&Target::new(&sandbox.disk(), "."), &mut observer);
            drop(observer);
            write::recover(&Target::new(&sandbox.disk(), ".")).unwrap();
            assert_eq!(sandbox.picture(), new, "after steps {first} and {second}");
            if recovered.is_ok() {
                break;
            }
        }
    }
}

#[test]
fn a_failure_at_any_step_leaves_the_old_tree_at_once() {
    let mut applied = 0;
    for at in 0.. {
        let (sandbox, old, new) = scene();
        let Some(error) = interrupt(&sandbox, at, Interruption::Fail) else {
            assert_eq!(sandbox.picture(), new);
            break;
        };
        match error {
            WriteError::Stage { .. } | WriteError::Apply { .. } => {
                assert_eq!(sandbox.picture(), old, "step {at}: {error}");
            }
            // Once the journal is gone the new tree stands, whatever goes wrong with tidying up.
            _ => {
                write::recover(&Target::new(&sandbox.disk(), ".")).unwrap();
                assert_eq!(sandbox.picture(), new, "step {at}: {error}");
            }
        }
        applied += usize::from(matches!(error, WriteError::Apply { .. }));
    }
    assert_eq!(applied, 11);
}

#[test]
fn a_kill_while_a_failure_is_undone_ends_with_the_old_tree() {
    for fail_at in [10, 14, 18] {
        for kill_after in 1.. {
            let (sandbox, old, new) = scene();
            let mut count = 0;
            let mut observer = |step: WriteStep<'_>| {
                count += 1;
                assert_no_secret(&sandbox.picture());
                if count == fail_at {
                    return Err(Interruption::Fail);
                }
                if count == fail_at + kill_after
                    && matches!(step, WriteStep::Undone(_) | WriteStep::Closed)
                {
                    return Err(Interruption::Kill);
                }
                Ok(())
            };
            let outputs = new_tree();
            let plan = sandbox.plan(&outputs, PlanOptions::default()).value;
            let error = plan.apply_with(&mut observer).unwrap_err();
            assert_whole(&sandbox.picture(), &old, &new);
            let recovery = write::recover(&Target::new(&sandbox.disk(), ".")).unwrap();
            assert_eq!(
                sandbox.picture(),
                old,
                "{fail_at} and {kill_after}: {recovery:?}"
            );
            if !matches!(error, WriteError::Killed) {
                break;
            }
        }
    }
}

#[test]
fn recovery_keeps_what_someone_changed_after_the_kill() {
    let (sandbox, ..) = scene();
    interrupt(&sandbox, COMMITTED, Interruption::Kill).unwrap();
    for path in ["app/changed", "created/deep/one", "gone/deep/removed"] {
        sandbox.put(path, "edited after the kill");
    }
    assert_eq!(
        write::recover(&Target::new(&sandbox.disk(), ".")).unwrap(),
        Recovery::Completed
    );
    for path in ["app/changed", "created/deep/one", "gone/deep/removed"] {
        assert_eq!(sandbox.text(path), "edited after the kill");
    }
    assert_eq!(sandbox.text("app/secret.sops.yaml"), "new ciphertext");
    let (report, warnings) = sandbox.write_with(&new_tree(), PlanOptions::default());
    assert_eq!(report.edited, ["app/changed", "created/deep/one"]);
    assert_eq!(codes(&warnings), ["edited-output", "edited-output"]);
}

#[test]
fn a_dry_run_does_not_recover() {
    let (sandbox, ..) = scene();
    interrupt(&sandbox, 12, Interruption::Kill).unwrap();
    let before = sandbox.picture();
    assert_eq!(
        codes(&sandbox.refuse(&new_tree(), DRY)),
        ["interrupted-write"]
    );
    assert_eq!(sandbox.picture(), before);
}

#[test]
fn a_broken_or_hostile_journal_is_refused() {
    let digest = write::Digest::of(b"x");
    let change = |path: &str, digest: &str| {
        format!("{{\"path\":\"{path}\",\"before\":null,\"after\":\"{digest}\"}}")
    };
    let digest = digest.to_string();
    let journal = |version: u32, home: &str, change: &str| {
        format!("{{\"version\":{version},\"home\":\"{home}\",\"changes\":[{change}]}}")
    };
    let journals = |home: &str| {
        let here = |path: &str| journal(2, home, &change(path, &digest));
        vec![
            String::new(),
            journal(1, home, ""),
            "{\"version\":2,\"changes\":[]}".to_owned(),
            here("../out"),
            here(".git/config"),
            here(".GIT/config"),
            here("age.key"),
            here("templates/a"),
            here("Cluster.yaml"),
            journal(2, home, &change("a", "12")),
            // As from a checkout: sound, and written elsewhere.
            journal(2, "", &change("a", &digest)),
            journal(2, "1:1", &change("a", &digest)),
        ]
    };
    for number in 0..journals("").len() {
        for name in ["journal.json", "undo.json"] {
            let sandbox = Sandbox::new();
            sandbox.put(".kiln/new/0", "x");
            let folder = sandbox.disk().folder(".").unwrap();
            let home = folder.fingerprint(".kiln").unwrap();
            sandbox.put(&format!(".kiln/{name}"), &journals(&home)[number]);
            let disk = sandbox.disk();
            let reserved = ReservedPaths::new(".", ["age.key", "cluster.yaml"], ["templates"]);
            let target = Target::new(&disk, ".").reserving(&reserved);
            let error = write::recover(&target).unwrap_err();
            assert!(
                matches!(&error, WriteError::Journal { path, .. } if path.ends_with(name)),
                "{error}"
            );
            assert!(
                !sandbox
                    .picture()
                    .keys()
                    .any(|path| !path.starts_with(".kiln/"))
            );
        }
    }
}

/// A project that is copied with what a killed run left is not the one that was written to.
#[test]
fn a_journal_that_was_copied_is_refused() {
    let (sandbox, ..) = scene();
    interrupt(&sandbox, COMMITTED, Interruption::Kill).unwrap();
    let elsewhere = Sandbox::new();
    let copied = std::process::Command::new("cp")
        .args(["-r", "."])
        .arg(elsewhere.path())
        .current_dir(sandbox.path())
        .status();
    assert!(copied.unwrap().success());
    let error = write::recover(&Target::new(&elsewhere.disk(), ".")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"cannot complete the run that was killed, as its journal `.kiln/journal.json` is broken (it was not written in this folder, and came with a copy or a checkout); remove the folder `.kiln` to give it up");
    let recovered = write::recover(&Target::new(&sandbox.disk(), "."));
    assert_eq!(recovered.unwrap(), Recovery::Completed);
}

#[test]
fn staged_files_are_hidden_from_git() {
    let (sandbox, ..) = scene();
    interrupt(&sandbox, 3, Interruption::Kill).unwrap();
    assert_eq!(sandbox.text(".kiln/.gitignore"), "*\n");
}

#[test]
fn recovery_makes_nothing_when_there_is_nothing_to_do() {
    let sandbox = Sandbox::new();
    assert_eq!(
        write::recover(&Target::new(&sandbox.disk(), "out")).unwrap(),
        Recovery::Nothing
    );
    assert!(sandbox.picture().is_empty());
}
