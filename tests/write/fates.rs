use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use kiln::diagnostic::Severity;
use kiln::write::{Options, Recovery, Report};

use super::sandbox::{DRY, FORCE, Sandbox, codes, tree};

#[test]
fn creates_changes_keeps_and_removes() {
    let sandbox = Sandbox::new();
    let report = sandbox.write(&tree([("a", "1"), ("b/c", "2"), ("d/e/f", "3")]));
    assert_eq!(report.created, ["a", "b/c", "d/e/f"]);
    assert!(report.lock_changed);

    let report = sandbox.write(&tree([("a", "1"), ("b/c", "changed"), ("g", "4")]));
    let expected = Report {
        created: vec!["g".to_owned()],
        changed: vec!["b/c".to_owned()],
        unchanged: vec!["a".to_owned()],
        removed: vec!["d/e/f".to_owned()],
        edited: Vec::new(),
        lock_changed: true,
        recovery: Recovery::Nothing,
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
    for options in [Options::default(), FORCE, DRY] {
        let problems = sandbox.refuse(&outputs, options);
        assert_eq!(codes(&problems), ["foreign-output", "foreign-output"]);
        assert_eq!(
            problems[0].message,
            "`mine` is not Kiln's, so it is not overwritten"
        );
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

#[test]
fn adopts_a_file_that_is_just_as_it_should_be() {
    let sandbox = Sandbox::new();
    sandbox.put("a", "same");
    let outputs = tree([("a", "same")]);
    let (report, warnings) = sandbox.write_with(&outputs, Options::default());
    assert_eq!(report.unchanged, ["a"]);
    assert!(report.lock_changed && warnings.is_empty());
    let report = sandbox.write(&tree([("a", "new")]));
    assert_eq!(report.changed, ["a"]);
}

#[test]
fn keeps_an_edited_output_until_forced() {
    for path in ["a.yaml", "a.sops.yaml"] {
        let sandbox = Sandbox::new();
        sandbox.write(&tree([(path, "1"), ("b", "1")]));
        sandbox.put(path, "edited");
        let outputs = tree([(path, "2"), ("b", "2")]);
        for _ in 0..2 {
            let (report, warnings) = sandbox.write_with(&outputs, Options::default());
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
    let (report, warnings) = sandbox.write_with(&tree([("a", "2")]), Options::default());
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
        let (report, warnings) = sandbox.write_with(&outputs, Options::default());
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
    let problems = sandbox.refuse(&tree([("a", "2"), ("b", "1")]), Options::default());
    assert_eq!(codes(&problems), ["foreign-output"]);
}

#[test]
fn keeps_the_permissions_of_a_changed_output() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("run.sh", "1")]));
    let full = sandbox.path().join("run.sh");
    fs::set_permissions(&full, fs::Permissions::from_mode(0o750)).unwrap();
    sandbox.write(&tree([("run.sh", "2")]));
    assert_eq!(
        fs::metadata(&full).unwrap().permissions().mode() & 0o777,
        0o750
    );
}

#[test]
fn keeps_an_output_that_was_edited_between_plan_and_apply() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1"), ("b", "1"), ("c", "1")]));
    let outputs = tree([("a", "2"), ("b", "2"), ("d", "2")]);
    let plan = sandbox.plan(&outputs, Options::default()).value;
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
        let plan = kiln::write::plan(&outputs, &sandbox.disk(), "./out/put", Options::default());
        plan.unwrap().unwrap().value.apply().unwrap()
    };
    assert_eq!(write().created, ["out/put/a/b"]);
    assert!(write().is_clean());
    assert_eq!(
        sandbox.picture().keys().collect::<Vec<_>>(),
        ["out/put/a/b", "out/put/kiln.lock"]
    );
}
