use std::fs;
use std::os::unix::fs::symlink;

use kiln::source::Source;
use kiln::tree::{File, Origin, Tree};
use kiln::write::{self, PlanOptions, Target, WriteError};

use super::sandbox::{FORCE, Sandbox, codes, tree};

#[test]
fn refuses_paths_that_leave_the_output_folder_or_are_not_plain() {
    let sandbox = Sandbox::new();
    let paths = [
        "../a",
        "a/../../b",
        "/tmp/a",
        "",
        ".",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "a\nb",
        ".git/hooks/pre-commit",
        "sub/.git/x",
        ".kiln/journal.json",
        "kiln.lock",
    ];
    for path in paths {
        for options in [PlanOptions::default(), FORCE] {
            let problems = sandbox.refuse(&tree([(path, "x"), ("fine", "x")]), options);
            assert_eq!(codes(&problems), ["bad-output-path"], "{path:?}");
        }
    }
    assert!(sandbox.picture().is_empty());
}

#[test]
fn reports_all_problems_at_once_with_the_templates_behind_them() {
    let sandbox = Sandbox::new();
    sandbox.put("mine", "x");
    fs::create_dir(sandbox.path().join("folder")).unwrap();
    let template = Source::new("templates/mine.tera", "by Kiln");
    let file = |path: &str| File {
        path: path.to_owned(),
        source: Source::new(path, "by Kiln"),
        documents: std::sync::Arc::default(),
        origins: vec![Origin::Template {
            template: template.clone(),
            line: 1,
        }],
        executable: false,
        binary: None,
    };
    let outputs = Tree::rendered([file("mine"), file("folder"), file("../out")], Vec::new())
        .hardened(Vec::new(), Vec::new(), Vec::new())
        .checked()
        .sealed(std::collections::BTreeMap::new());
    let problems = sandbox.refuse(&outputs, PlanOptions::default());
    assert_eq!(
        codes(&problems),
        ["bad-output-path", "blocked-output", "foreign-output"]
    );
    for problem in problems {
        assert_eq!(problem.primary.unwrap().place.source, template);
    }
}

#[test]
fn refuses_to_write_over_or_through_a_symlink() {
    let outside = Sandbox::new();
    outside.put("target", "x");
    let sandbox = Sandbox::new();
    sandbox.put("real/a", "x");
    symlink(outside.path().join("target"), sandbox.path().join("file")).unwrap();
    symlink(outside.path(), sandbox.path().join("folder")).unwrap();
    symlink("real", sandbox.path().join("inside")).unwrap();
    symlink("nowhere", sandbox.path().join("dangling")).unwrap();
    let before = (sandbox.picture(), outside.picture());
    for path in [
        "file",
        "folder/target",
        "folder/new",
        "inside/a",
        "inside/deep/er",
        "dangling",
    ] {
        for options in [PlanOptions::default(), FORCE] {
            let problems = sandbox.refuse(&tree([(path, "x")]), options);
            assert_eq!(codes(&problems), ["blocked-output"], "{path}");
            assert!(
                problems[0].message.contains("symlink"),
                "{}",
                problems[0].message
            );
        }
    }
    assert_eq!((sandbox.picture(), outside.picture()), before);
}

#[test]
fn refuses_an_owned_output_that_became_a_symlink() {
    let sandbox = Sandbox::new();
    sandbox.put("elsewhere", "x");
    sandbox.write(&tree([("a", "1")]));
    fs::remove_file(sandbox.path().join("a")).unwrap();
    symlink("elsewhere", sandbox.path().join("a")).unwrap();
    assert_eq!(
        codes(&sandbox.refuse(&tree([("a", "2")]), FORCE)),
        ["blocked-output"]
    );
    assert_eq!(sandbox.text("elsewhere"), "x");
}

#[test]
fn refuses_a_symlink_that_appears_between_plan_and_apply() {
    let outside = Sandbox::new();
    let sandbox = Sandbox::new();
    let outputs = tree([("a/b", "1"), ("c", "1")]);
    let plan = sandbox.plan(&outputs, PlanOptions::default()).value;
    symlink(outside.path(), sandbox.path().join("a")).unwrap();
    let report = plan.apply().unwrap();
    assert_eq!(
        (report.created.as_slice(), report.edited.as_slice()),
        (&["c".to_owned()][..], &["a/b".to_owned()][..])
    );
    assert!(outside.picture().is_empty());
}

#[test]
fn refuses_a_folder_or_a_foreign_file_in_the_way() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path().join("folder/empty")).unwrap();
    sandbox.put("file", "x");
    let before = sandbox.picture();
    for path in ["folder", "folder/empty", "file/below", "file/deep/below"] {
        assert_eq!(
            codes(&sandbox.refuse(&tree([(path, "x")]), FORCE)),
            ["blocked-output"],
            "{path}"
        );
    }
    assert_eq!(sandbox.picture(), before);
}

#[test]
fn refuses_an_output_that_is_a_file_and_a_folder() {
    let sandbox = Sandbox::new();
    let problems = sandbox.refuse(
        &tree([("a", "x"), ("a/b/c", "x"), ("a.b", "x")]),
        PlanOptions::default(),
    );
    assert_eq!(codes(&problems), ["bad-output-path"]);
    insta::assert_snapshot!(problems[0].message, @"the outputs `a` and `a/b/c` exclude each other, as one is a file and the other needs a folder of that name");
    assert!(sandbox.picture().is_empty());
}

#[test]
fn refuses_an_output_folder_outside_the_project() {
    let outside = Sandbox::new();
    let sandbox = Sandbox::new();
    symlink(outside.path(), sandbox.path().join("link")).unwrap();
    sandbox.put("file", "x");
    let outputs = tree([("a", "1")]);
    for output in ["..", "/tmp", "link", "link/sub", "a/../../b", "file"] {
        let refused = write::plan(
            &outputs,
            &Target::new(&sandbox.disk(), output),
            PlanOptions::default(),
        );
        assert!(matches!(refused, Err(WriteError::Disk(_))), "{output}");
        assert!(
            write::recover(&Target::new(&sandbox.disk(), output)).is_err(),
            "{output}"
        );
    }
    assert!(outside.picture().is_empty());
}

#[test]
fn refuses_a_symlink_in_place_of_its_own_files() {
    let outside = Sandbox::new();
    outside.put("new/0", "x");
    let outputs = tree([("a", "1")]);
    for name in [".kiln", "kiln.lock"] {
        let sandbox = Sandbox::new();
        symlink(outside.path(), sandbox.path().join(name)).unwrap();
        let refused = write::plan(
            &outputs,
            &Target::new(&sandbox.disk(), "."),
            PlanOptions::default(),
        );
        let message = refused.unwrap_err().to_string();
        assert!(
            message.contains(&format!("`{name}`")) && message.contains("symlink"),
            "{message}"
        );
    }
    assert_eq!(outside.picture().len(), 1);
}
