use std::fs;
use std::os::unix::fs::MetadataExt as _;

use kiln::diagnostic::Severity;
use kiln::tree::output_path::ReservedPaths;
use kiln::write::{LOCK_FILE, PlanOptions, Recovery, TakeOver, Target, WriteReport};

use super::sandbox::{DRY, FORCE, Sandbox, codes, tree, with_program};

#[test]
fn creates_changes_keeps_and_removes() {
    let sandbox = Sandbox::new();
    let report = sandbox.write(&tree([("a", "1"), ("b/c", "2"), ("d/e/f", "3")]));
    assert_eq!(report.created, ["a", "b/c", "d/e/f"]);
    assert!(report.lock_changed);

    let report = sandbox.write(&tree([("a", "1"), ("b/c", "changed"), ("g", "4")]));
    let expected = WriteReport {
        created: vec!["g".to_owned()],
        changed: vec!["b/c".to_owned()],
        unchanged: vec!["a".to_owned()],
        removed: vec!["d/e/f".to_owned()],
        edited: Vec::new(),
        lock_changed: true,
        recovery: Recovery::Nothing,
        ..WriteReport::default()
    };
    assert_eq!(report, expected);
    let picture = sandbox.picture();
    assert_eq!(
        picture.keys().collect::<Vec<_>>(),
        ["a", "b/c", "g", "kiln.lock"]
    );
    assert_eq!(picture["b/c"], "changed");
}

#[test]
fn touches_nothing_when_nothing_changed() {
    let sandbox = Sandbox::new();
    let outputs = tree([("a", "1"), ("b.sops.yaml", "ENC")]);
    sandbox.write(&outputs);
    let stamp = |path: &str| {
        let found = fs::metadata(sandbox.path().join(path)).unwrap();
        (found.ino(), found.mtime(), found.mtime_nsec())
    };
    let paths = ["a", "b.sops.yaml", "kiln.lock"];
    let before = paths.map(stamp);
    let report = sandbox.write(&outputs);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.unchanged, ["a", "b.sops.yaml"]);
    assert_eq!(paths.map(stamp), before);
    assert_eq!(sandbox.picture().len(), 3);
}

#[test]
fn leaves_the_untouched_files_alone_when_others_change() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1"), ("b", "2")]));
    let inode = |path: &str| fs::metadata(sandbox.path().join(path)).unwrap().ino();
    let (a, b) = (inode("a"), inode("b"));
    sandbox.write(&tree([("a", "1"), ("b", "3")]));
    assert_eq!(inode("a"), a);
    assert_ne!(inode("b"), b);
}

#[test]
fn makes_nothing_where_there_is_nothing_to_do() {
    let sandbox = Sandbox::new();
    let outputs = tree([("a", "1"), ("sub/b", "2")]);
    sandbox.write(&outputs);
    // Whatever is made or removed in a folder, even for a moment, changes its time.
    let changed = |path: &str| {
        fs::metadata(sandbox.path().join(path))
            .unwrap()
            .mtime_nsec()
    };
    let before = [changed("."), changed("sub"), changed("kiln.lock")];
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(sandbox.write(&outputs).is_clean());
    assert_eq!([changed("."), changed("sub"), changed("kiln.lock")], before);
}

#[test]
fn never_overwrites_a_foreign_file_and_then_writes_nothing_at_all() {
    let sandbox = Sandbox::new();
    sandbox.put("mine", "by hand");
    sandbox.put("sub/mine", "by hand");
    let before = sandbox.picture();
    let outputs = tree([("a", "1"), ("mine", "by Kiln"), ("sub/mine", "by Kiln")]);
    for options in [PlanOptions::default(), FORCE, DRY] {
        let problems = sandbox.refuse(&outputs, options);
        assert_eq!(codes(&problems), ["foreign-output"]);
        assert_eq!(
            problems[0].message,
            "2 files are not Kiln's, so they are not overwritten, and nothing is written"
        );
        let listed: Vec<&str> = problems[0].list.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(listed, ["mine", "sub/mine"]);
        assert_eq!(problems[0].severity, Severity::Error);
        assert!(!problems[0].hints.is_empty());
        assert_eq!(sandbox.picture(), before);
    }
}

#[test]
fn never_removes_a_foreign_file() {
    let sandbox = Sandbox::new();
    sandbox.put("a/mine", "by hand");
    sandbox.write(&tree([("a/b", "1")]));
    sandbox.write(&tree([("c", "1")]));
    let picture = sandbox.picture();
    assert_eq!(
        picture.keys().collect::<Vec<_>>(),
        ["a/mine", "c", "kiln.lock"]
    );
    assert_eq!(picture["a/mine"], "by hand");
}

/// Kiln has no part in a file that the user wrote, whatever it holds.
#[test]
fn leaves_a_foreign_file_that_is_just_as_it_should_be() {
    for options in [PlanOptions::default(), FORCE] {
        let sandbox = Sandbox::new();
        sandbox.write(&tree([("other", "1")]));
        sandbox.put("a", "same");
        let both = tree([("a", "same"), ("other", "1")]);
        let (report, warnings) = sandbox.write_with(&both, options);
        assert_eq!(report.unchanged, ["a", "other"]);
        assert!(report.is_clean() && warnings.is_empty());
        // Neither changed nor removed when its template says something else, or goes.
        let problems = sandbox.refuse(&tree([("a", "new"), ("other", "1")]), options);
        assert_eq!(codes(&problems), ["foreign-output"]);
        let (report, _) = sandbox.write_with(&tree([("other", "1")]), options);
        assert!(report.is_clean());
        assert_eq!(sandbox.text("a"), "same");
    }
}

#[test]
fn takes_over_what_is_just_as_it_should_be_where_the_list_is_lost_and_on_request() {
    let sandbox = Sandbox::new();
    let outputs = tree([("a", "1"), ("b", "2")]);
    sandbox.write(&outputs);
    let list = sandbox.text(LOCK_FILE);
    fs::remove_file(sandbox.path().join(LOCK_FILE)).unwrap();
    let (report, _) = sandbox.write_with(&outputs, PlanOptions::default());
    assert!(report.is_clean(), "{report:?}");
    assert!(!sandbox.path().join(LOCK_FILE).exists());
    let (report, _) = sandbox.write_with(&outputs, FORCE);
    assert!(report.lock_changed);
    assert_eq!(sandbox.text(LOCK_FILE), list);
}

#[test]
fn many_foreign_files_are_one_problem_that_names_the_way_in() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..88)
        .map(|number| format!("apps/f{number:02}.yaml"))
        .collect();
    for name in &names {
        sandbox.put(name, "mine");
    }
    let outputs = tree(names.iter().map(|name| (name, "x")));
    let problems = sandbox.refuse(&outputs, PlanOptions::default());
    assert_eq!(codes(&problems), ["foreign-output"]);
    let [problem] = problems.as_slice() else {
        unreachable!("there is one")
    };
    assert_eq!(problem.list.len(), 88);
    let lines = problem.list_lines();
    assert_eq!(lines.len(), 11);
    assert_eq!(
        lines[10],
        "and 78 more, which `--message-format json` names"
    );
    insta::assert_snapshot!(problem.hints[0], @"`kiln adopt` shows what it does to the cluster that Kiln takes them over, keeps what is yours, and does it with `--write`");
    assert!(problem.hints.iter().all(|hint| !hint.contains("delete")));
}

/// What the user named becomes Kiln's in one go with the rest, and nothing else does.
#[test]
fn takes_over_what_it_may_and_removes_what_that_supersedes() {
    let sandbox = Sandbox::new();
    for path in ["app/list", "app/same", "app/old", "app/mine", "kept"] {
        sandbox.put(path, path);
    }
    let outputs = tree([
        ("app/list", "by Kiln"),
        ("app/same", "app/same"),
        ("new", "1"),
    ]);
    let paths = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect();
    let mut take_over = TakeOver {
        outputs: paths(&["app/same"]),
        superseded: paths(&["app/old", "gone", "new"]),
    };
    let before = sandbox.picture();
    let disk = sandbox.disk();
    let target = Target::new(&disk, ".");
    let plan = |take_over: &TakeOver| {
        let target = target.clone().taking_over(take_over);
        kiln::write::plan(&outputs, &target, PlanOptions::default()).unwrap()
    };
    // One of them was not named.
    assert_eq!(codes(&plan(&take_over).unwrap_err()), ["foreign-output"]);
    assert_eq!(sandbox.picture(), before);
    take_over.outputs.insert("app/list".to_owned());
    let report = plan(&take_over).unwrap().value.apply().unwrap();
    assert_eq!(report.created, ["new"]);
    assert_eq!(report.changed, ["app/list"]);
    assert_eq!(report.unchanged, ["app/same"]);
    assert_eq!(report.removed, ["app/old"]);
    assert_eq!(sandbox.text("app/mine"), "app/mine");
    let list = sandbox.text(LOCK_FILE);
    for (path, owned) in [("app/list", true), ("app/same", true), ("app/mine", false)] {
        assert_eq!(list.contains(&format!("{path:?}")), owned, "{list}");
    }
    // Now they are like any other.
    assert!(sandbox.write(&outputs).is_clean());
    assert_eq!(
        sandbox.write(&tree([("new", "1")])).removed,
        ["app/list", "app/same"]
    );
}

/// What Kiln reads is not removed, whoever asks for it.
#[test]
fn supersedes_nothing_that_is_an_input() {
    let sandbox = Sandbox::new();
    sandbox.put("cluster.yaml", "x");
    let reserved = ReservedPaths::new(".", ["cluster.yaml"], []);
    let take_over = TakeOver {
        superseded: ["cluster.yaml".to_owned()].into(),
        ..TakeOver::default()
    };
    let disk = sandbox.disk();
    let target = Target::new(&disk, ".")
        .reserving(&reserved)
        .taking_over(&take_over);
    let outputs = tree([("a", "1")]);
    let plan = kiln::write::plan(&outputs, &target, PlanOptions::default()).unwrap();
    assert!(plan.unwrap().value.apply().unwrap().removed.is_empty());
    assert_eq!(sandbox.text("cluster.yaml"), "x");
}

#[test]
fn keeps_an_edited_output_until_forced() {
    for path in ["a.yaml", "a.sops.yaml"] {
        let sandbox = Sandbox::new();
        sandbox.write(&tree([(path, "1"), ("b", "1")]));
        sandbox.put(path, "edited");
        let outputs = tree([(path, "2"), ("b", "2")]);
        for _ in 0..2 {
            let (report, warnings) = sandbox.write_with(&outputs, PlanOptions::default());
            assert_eq!(report.edited, [path]);
            assert!(!report.is_clean());
            assert_eq!(codes(&warnings), ["edited-output"]);
            assert_eq!(warnings[0].severity, Severity::Warning);
            assert_eq!(
                (sandbox.text(path).as_str(), sandbox.text("b").as_str()),
                ("edited", "2")
            );
        }
        let (report, warnings) = sandbox.write_with(&outputs, FORCE);
        assert_eq!(
            (report.changed.as_slice(), warnings.len()),
            (&[path.to_owned()][..], 0)
        );
        assert_eq!(sandbox.text(path), "2");
        assert!(sandbox.write(&outputs).is_clean());
    }
}

#[test]
fn is_content_with_an_edit_that_the_templates_agree_with() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1")]));
    sandbox.put("a", "2");
    let (report, warnings) = sandbox.write_with(&tree([("a", "2")]), PlanOptions::default());
    assert_eq!((report.unchanged.len(), warnings.len()), (1, 0));
    assert_eq!(sandbox.write(&tree([("a", "3")])).changed, ["a"]);
}

#[test]
fn keeps_a_stale_output_that_was_edited_until_forced() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("old/a", "1"), ("b", "1")]));
    sandbox.put("old/a", "edited");
    let outputs = tree([("b", "1")]);
    for _ in 0..2 {
        let (report, warnings) = sandbox.write_with(&outputs, PlanOptions::default());
        assert_eq!(
            (report.edited.as_slice(), codes(&warnings)),
            (&["old/a".to_owned()][..], vec!["edited-output"])
        );
        assert_eq!(sandbox.text("old/a"), "edited");
    }
    let (report, _) = sandbox.write_with(&outputs, FORCE);
    assert_eq!(report.removed, ["old/a"]);
    assert_eq!(
        sandbox.picture().keys().collect::<Vec<_>>(),
        ["b", "kiln.lock"]
    );
}

#[test]
fn makes_a_missing_output_again() {
    let sandbox = Sandbox::new();
    let outputs = tree([("a/b", "1"), ("c", "1")]);
    sandbox.write(&outputs);
    let before = sandbox.picture();
    fs::remove_dir_all(sandbox.path().join("a")).unwrap();
    assert_eq!(sandbox.write(&outputs).created, ["a/b"]);
    assert_eq!(sandbox.picture(), before);
}

#[test]
fn forgets_a_stale_output_that_is_gone() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1"), ("b", "1")]));
    fs::remove_file(sandbox.path().join("a")).unwrap();
    let report = sandbox.write(&tree([("b", "1")]));
    assert!(report.removed.is_empty() && report.lock_changed);
    sandbox.put("a", "by hand now");
    let problems = sandbox.refuse(&tree([("a", "2"), ("b", "1")]), PlanOptions::default());
    assert_eq!(codes(&problems), ["foreign-output"]);
}

#[test]
fn keeps_who_may_read_a_changed_output() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("notes", "1")]));
    sandbox.set_mode("notes", 0o640);
    sandbox.write(&tree([("notes", "2")]));
    assert_eq!(sandbox.mode("notes"), 0o640);
}

/// Whether it is a program is the template's to say, and a change like any other.
#[test]
fn a_program_is_one_without_a_change_of_content_too() {
    let sandbox = Sandbox::new();
    let plain = tree([("run.sh", "1"), ("other", "1")]);
    let program = with_program(&plain, "run.sh");
    sandbox.write(&plain);
    assert_eq!(sandbox.mode("run.sh") & 0o111, 0);
    let (would, _) = sandbox.write_with(&program, DRY);
    assert_eq!(
        (would.changed.as_slice(), would.is_clean()),
        (&["run.sh".to_owned()][..], false)
    );
    let report = sandbox.write(&program);
    assert_eq!(
        (report.changed, report.lock_changed),
        (vec!["run.sh".to_owned()], false)
    );
    assert_eq!(sandbox.mode("run.sh"), 0o755);
    assert!(sandbox.write(&program).is_clean());
    // Not for those who may not read it.
    sandbox.set_mode("run.sh", 0o640);
    assert_eq!(sandbox.write(&program).changed, ["run.sh"]);
    assert_eq!(sandbox.mode("run.sh"), 0o750);
    assert_eq!(sandbox.write(&plain).changed, ["run.sh"]);
    assert_eq!(sandbox.mode("run.sh"), 0o640);
    assert!(sandbox.write(&plain).is_clean());
}

/// On a disk that takes every file for a program, or none, modes say nothing.
#[test]
fn a_disk_that_keeps_no_modes_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.put("kiln.toml", "");
    sandbox.set_mode("kiln.toml", 0o777);
    let plain = tree([("run.sh", "1")]);
    sandbox.write(&plain);
    sandbox.set_mode("run.sh", 0o777);
    assert!(sandbox.write(&plain).is_clean());
    assert!(sandbox.write(&with_program(&plain, "run.sh")).is_clean());
}

#[test]
fn keeps_an_output_that_was_edited_between_plan_and_apply() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1"), ("b", "1"), ("c", "1")]));
    let outputs = tree([("a", "2"), ("b", "2"), ("d", "2")]);
    let plan = sandbox.plan(&outputs, PlanOptions::default()).value;
    for path in ["a", "c", "d"] {
        sandbox.put(path, "just now");
    }
    let report = plan.apply().unwrap();
    assert_eq!(report.edited, ["a", "c", "d"]);
    assert_eq!(report.changed, ["b"]);
    assert!(report.created.is_empty() && report.removed.is_empty());
    for path in ["a", "c", "d"] {
        assert_eq!(sandbox.text(path), "just now");
    }
}

#[test]
fn a_dry_run_says_the_same_and_does_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1"), ("b", "1")]));
    let outputs = tree([("a", "2"), ("c/d", "1")]);
    let before = sandbox.picture();
    let (would, _) = sandbox.write_with(&outputs, DRY);
    assert_eq!(sandbox.picture(), before);
    assert_eq!(sandbox.write(&outputs), would);
}

#[test]
fn writes_to_an_output_folder_of_its_own() {
    let sandbox = Sandbox::new();
    let outputs = tree([("a/b", "1")]);
    let write = || {
        let plan = kiln::write::plan(
            &outputs,
            &Target::new(&sandbox.disk(), "./out/put"),
            PlanOptions::default(),
        );
        plan.unwrap().unwrap().value.apply().unwrap()
    };
    assert_eq!(write().created, ["out/put/a/b"]);
    assert!(write().is_clean());
    assert_eq!(
        sandbox.picture().keys().collect::<Vec<_>>(),
        ["out/put/a/b", "out/put/kiln.lock"]
    );
}
