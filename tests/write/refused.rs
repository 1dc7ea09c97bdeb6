use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use kiln::fs::Disk;
use kiln::tree::{Sealed, Tree};
use kiln::write::{self, PlanOptions, Target, WriteError, WriteStep};

use super::sandbox::{Sandbox, picture, tree};

/// Tells the child tests which folder to write to; without it they do nothing.
const FOLDER: &str = "KILN_TEST_FOLDER";
/// A user that owns nothing.
const NOBODY: u32 = 65534;

fn small() -> Tree<Sealed> {
    tree([("a/one", "old"), ("b/two", "old"), ("c", "old")])
}

fn large() -> Tree<Sealed> {
    let text = "x".repeat(1 << 20);
    tree([("a/one", "new"), ("b/two", text.as_str()), ("d", "new")])
}

fn other() -> Tree<Sealed> {
    tree([("a/one", "new"), ("b/two", "new"), ("d", "new")])
}

fn try_write(outputs: &Tree<Sealed>) -> Option<Result<write::WriteReport, WriteError>> {
    let folder = std::env::var(FOLDER).ok()?;
    let disk = Disk::open(folder.as_ref()).unwrap();
    Some(
        match write::plan(outputs, &Target::new(&disk, "."), PlanOptions::default()) {
            Ok(plan) => plan.unwrap().value.apply(),
            Err(error) => Err(error),
        },
    )
}

/// This test binary, set to run one hidden test; after `wrapper`, which ends in `"$0" "$@"`.
fn child(wrapper: Option<&str>, name: &str, sandbox: &Sandbox) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut command = match wrapper {
        None => Command::new(this),
        Some(script) => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(script).arg(this);
            shell
        }
    };
    command.args([
        "--exact",
        &format!("write::refused::{name}"),
        "--ignored",
        "--nocapture",
    ]);
    command.env(FOLDER, sandbox.path());
    command
}

fn assert_ran(output: &Output) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{text}");
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split("; ").next())
        .collect();
    assert!(told.contains(&"test result: ok. 1 passed"), "{text}");
}

#[test]
#[ignore = "run by its neighbour with a limit on the size of files"]
fn child_on_a_full_disk() {
    if let Some(result) = try_write(&large()) {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, WriteError::Stage { path, .. } if path == "b/two"),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .starts_with("cannot stage `b/two`, so nothing was changed: cannot write"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_does_not_fit_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(&small());
    let before = sandbox.picture();
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    assert_ran(
        &child(Some(limited), "child_on_a_full_disk", &sandbox)
            .output()
            .unwrap(),
    );
    assert_eq!(sandbox.picture(), before);
}

#[test]
#[ignore = "run by its neighbour in a small file system of its own"]
fn child_on_a_small_disk() {
    let Some(first) = try_write(&small()) else {
        return;
    };
    first.unwrap();
    let folder = std::env::var(FOLDER).unwrap();
    let before = picture(folder.as_ref());
    let error = try_write(&large()).unwrap().unwrap_err();
    assert!(
        error.to_string().contains("No space left on device"),
        "{error}"
    );
    assert_eq!(picture(folder.as_ref()), before);
    try_write(&other()).unwrap().unwrap();
}

#[test]
fn a_full_file_system_changes_nothing() {
    let sandbox = Sandbox::new();
    let script = format!(
        "mount -t tmpfs -o size=256k none '{}' && exec \"$0\" \"$@\"",
        sandbox.path().display()
    );
    let probe = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!("SKIPPED: this user may not mount a small file system");
        return;
    }
    let run = child(Some(&script), "child_on_a_small_disk", &sandbox);
    let mut mounted = Command::new("unshare");
    mounted
        .arg("-m")
        .arg(run.get_program())
        .args(run.get_args())
        .env(FOLDER, sandbox.path());
    assert_ran(&mounted.output().unwrap());
}

#[test]
#[ignore = "run by its neighbour as a user without permission"]
fn child_without_permission() {
    if let Some(result) = try_write(&other()) {
        eprintln!("message: {}", result.unwrap_err());
    }
}

/// Runs the child as a user who may write only where everyone may; `None` where that is impossible.
fn run_without_permission(sandbox: &Sandbox) -> Option<String> {
    let mut command = child(None, "child_without_permission", sandbox);
    if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
        command.uid(NOBODY).gid(NOBODY);
    }
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: another user may not run this test binary");
        return None;
    };
    assert_ran(&output);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, message) = text.split_once("message: ").unwrap();
    Some(message.lines().next().unwrap().to_owned())
}

fn set_mode(sandbox: &Sandbox, path: &str, mode: u32) {
    fs::set_permissions(sandbox.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_project_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(&small());
    let before = sandbox.picture();
    set_mode(&sandbox, ".", 0o555);
    let message = run_without_permission(&sandbox);
    set_mode(&sandbox, ".", 0o755);
    assert_eq!(sandbox.picture(), before);
    assert!(message.is_none_or(|message| message == "no permission to write `.kiln`"));
}

#[test]
fn a_read_only_folder_among_the_outputs_undoes_the_others() {
    let sandbox = Sandbox::new();
    sandbox.write(&small());
    let before = sandbox.picture();
    for path in [".", "a"] {
        set_mode(&sandbox, path, 0o777);
    }
    for path in ["a/one", "c", "kiln.lock", "b/two"] {
        set_mode(&sandbox, path, 0o666);
    }
    set_mode(&sandbox, "b", 0o555);
    let message = run_without_permission(&sandbox);
    set_mode(&sandbox, "b", 0o755);
    assert_eq!(sandbox.picture(), before);
    let expected = "cannot update `b/two`, so all files were put back as they were: no permission to write `b/two`";
    assert!(
        message.as_ref().is_none_or(|message| message == expected),
        "{message:?}"
    );
    sandbox.write(&other());
    assert_eq!(sandbox.text("b/two"), "new");
}

#[test]
fn a_file_in_place_of_the_staging_folder_is_named() {
    let sandbox = Sandbox::new();
    sandbox.put(".kiln", "a file");
    let error = write::plan(
        &small(),
        &Target::new(&sandbox.disk(), "."),
        PlanOptions::default(),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "`.kiln` is not a folder");
    assert_eq!(sandbox.picture().len(), 1);
}

#[test]
fn a_symlink_that_came_after_the_plan_is_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("sub/a", "1")]));
    let elsewhere = Sandbox::new();
    elsewhere.put("a", "1");
    let outputs = tree([("sub/a", "2")]);
    let planned = sandbox.plan(&outputs, PlanOptions::default());
    let sub = sandbox.path().join("sub");
    fs::rename(&sub, sandbox.path().join("was")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &sub).unwrap();
    drop(planned.value.apply());
    assert_eq!(elsewhere.text("a"), "1");
    assert_eq!(elsewhere.picture().len(), 1);
}

#[test]
fn a_symlink_that_comes_where_a_folder_was_removed_is_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("sub/a", "1")]));
    let elsewhere = Sandbox::new();
    // A folder where a file was: the file goes first, and its own folder with it.
    let outputs = tree([("sub/a/b", "2"), ("sub/c", "3")]);
    let sub = sandbox.path().join("sub");
    let planned = sandbox.plan(&outputs, PlanOptions::default());
    let mut came = false;
    let result = planned.value.apply_with(&mut |step| {
        if step == WriteStep::Changed("sub/a") {
            assert!(!sub.exists());
            std::os::unix::fs::symlink(elsewhere.path(), &sub).unwrap();
            came = true;
        }
        Ok(())
    });
    drop(result);
    assert!(came);
    assert!(elsewhere.picture().is_empty());
}

#[test]
fn two_runs_at_once_do_not_mix() {
    let sandbox = Sandbox::new();
    let outputs = small();
    let first = sandbox.plan(&outputs, PlanOptions::default());
    let second = write::plan(
        &outputs,
        &Target::new(&sandbox.disk(), "."),
        PlanOptions::default(),
    )
    .unwrap_err();
    assert!(second.is_busy());
    let expected = format!(
        "another kiln is writing here (process {}): `.kiln/lock` is locked",
        std::process::id()
    );
    assert_eq!(second.to_string(), expected);
    assert!(
        write::recover(&Target::new(&sandbox.disk(), "."))
            .unwrap_err()
            .is_busy()
    );
    first.value.apply().unwrap();
    assert!(sandbox.write(&outputs).is_clean());
}

#[test]
fn many_runs_at_once_take_turns() {
    let sandbox = Sandbox::new();
    let trees = [small(), other()];
    let wrote = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for outputs in trees.iter().cycle().take(6) {
            scope.spawn(|| {
                for _ in 0..20 {
                    match write::plan(
                        outputs,
                        &Target::new(&sandbox.disk(), "."),
                        PlanOptions::default(),
                    ) {
                        Ok(plan) => {
                            plan.unwrap().value.apply().unwrap();
                            wrote.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => assert!(error.is_busy(), "{error}"),
                    }
                }
            });
        }
    });
    assert!(wrote.into_inner() > 0);
    sandbox.write(&trees[0]);
    assert!(sandbox.write(&trees[0]).is_clean());
    assert_eq!(
        sandbox.picture().keys().collect::<Vec<_>>(),
        ["a/one", "b/two", "c", "kiln.lock"]
    );
}

#[test]
fn a_claim_is_held_by_one_at_a_time_however_often_its_file_comes_and_goes() {
    let sandbox = Sandbox::new();
    let folder = sandbox.disk().folder(".").unwrap();
    let inside = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..500 {
                    match folder.claim(".kiln", &kiln::fs::Holder::default()) {
                        Ok(claim) => {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(claim);
                        }
                        Err(error) => {
                            assert!(matches!(error, kiln::fs::DiskError::Busy { .. }), "{error}");
                        }
                    }
                }
            });
        }
    });
    assert!(sandbox.picture().is_empty());
}
