use std::fs;

use kiln::write::{PlanOptions, WriteStep};

use super::sandbox::{Sandbox, codes, tree};

#[test]
fn a_file_becomes_a_folder_and_back() {
    let sandbox = Sandbox::new();
    let file = tree([("a", "file"), ("z", "1")]);
    let folder = tree([("a/b/c", "deep"), ("a/d", "flat"), ("z", "1")]);
    sandbox.write(&file);
    let first = sandbox.picture();
    let report = sandbox.write(&folder);
    assert_eq!((report.created.len(), report.removed.len()), (2, 1));
    assert_eq!(sandbox.text("a/b/c"), "deep");
    let report = sandbox.write(&file);
    assert_eq!((report.created.len(), report.removed.len()), (1, 2));
    assert_eq!(sandbox.picture(), first);
}

#[test]
fn a_folder_with_anything_else_in_it_does_not_become_a_file() {
    for foreign in ["a/mine", "a/b/mine", "a/empty/"] {
        let sandbox = Sandbox::new();
        sandbox.write(&tree([("a/b/c", "1")]));
        match foreign.strip_suffix('/') {
            Some(folder) => fs::create_dir_all(sandbox.path().join(folder)).unwrap(),
            None => sandbox.put(foreign, "x"),
        }
        let before = sandbox.picture();
        let problems = sandbox.refuse(&tree([("a", "file")]), PlanOptions::default());
        assert_eq!(codes(&problems), ["blocked-output"], "{foreign}");
        assert_eq!(sandbox.picture(), before);
    }
}

#[test]
fn an_edited_file_does_not_become_a_folder() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1")]));
    sandbox.put("a", "edited");
    let problems = sandbox.refuse(&tree([("a/b", "1")]), PlanOptions::default());
    assert_eq!(codes(&problems), ["edited-output", "blocked-output"]);
    assert_eq!(sandbox.text("a"), "edited");
}

#[test]
fn removes_the_folders_that_it_emptied_and_no_others() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path().join("other/empty")).unwrap();
    sandbox.put("kept/mine", "x");
    sandbox.write(&tree([("gone/a/b", "1"), ("kept/c/d", "1")]));
    sandbox.write(&tree([("x", "1")]));
    let picture = sandbox.picture();
    assert_eq!(
        picture.keys().collect::<Vec<_>>(),
        ["kept/mine", "kiln.lock", "other/empty/", "x"]
    );
}

#[test]
fn everything_goes_when_the_tree_is_empty() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a/b", "1"), ("c", "1")]));
    assert_eq!(sandbox.write(&tree::<&str, &str>([])).removed, ["a/b", "c"]);
    assert_eq!(sandbox.picture().keys().collect::<Vec<_>>(), ["kiln.lock"]);
}

#[test]
fn what_replaces_a_file_comes_before_it_goes_and_the_list_comes_last() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([
        ("moved/from", "1"),
        ("room", "1"),
        ("space/x", "1"),
    ]));
    let outputs = tree([("moved/to", "1"), ("room/y", "1"), ("space", "1")]);
    let mut order = Vec::new();
    let plan = sandbox.plan(&outputs, PlanOptions::default()).value;
    let watched = plan.apply_with(&mut |step| {
        if let WriteStep::Changed(path) = step {
            order.push(path.to_owned());
        }
        Ok(())
    });
    watched.unwrap();
    assert_eq!(
        order,
        [
            "room",
            "space/x",
            "moved/to",
            "room/y",
            "space",
            "moved/from",
            "kiln.lock"
        ]
    );
}
