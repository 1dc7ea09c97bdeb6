use std::collections::{BTreeMap, BTreeSet};

use kiln::write::{self, Interruption, PlanOptions, Target, WriteError, WriteStep};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::sandbox::{CANARY, Sandbox, tree};

type Files = BTreeMap<String, String>;

/// Paths that often meet: files in place of folders, folders in place of files.
fn paths() -> impl Strategy<Value = String> {
    let part = || prop_oneof![Just("a"), Just("b"), Just("c.sops.yaml")];
    proptest::collection::vec(part(), 1..4).prop_map(|parts| parts.join("/"))
}

/// Files of which none is a folder to another, some of them next to foreign ones.
fn trees() -> impl Strategy<Value = Files> {
    let text = prop_oneof![Just("1"), Just("2"), Just("")];
    let free = paths().prop_map(|path| {
        if path.len() > 3 {
            format!("shared/{path}")
        } else {
            path
        }
    });
    proptest::collection::btree_map(free, text.prop_map(str::to_owned), 0..8).prop_map(
        |mut files| {
            let all: BTreeSet<String> = files.keys().cloned().collect();
            files.retain(|path, _| {
                !path
                    .match_indices('/')
                    .any(|(at, _)| all.contains(&path[..at]))
            });
            files
        },
    )
}

fn interruptions() -> impl Strategy<Value = Option<(usize, bool)>> {
    proptest::option::of((0..30_usize, any::<bool>()))
}

fn stop(at: Option<(usize, bool)>) -> impl FnMut(WriteStep<'_>) -> Result<(), Interruption> {
    let mut count = 0;
    move |_| {
        count += 1;
        match at {
            Some((step, true)) if count > step => Err(Interruption::Kill),
            Some((step, false)) if count == step + 1 => Err(Interruption::Fail),
            _ => Ok(()),
        }
    }
}

/// What is on disk, the list of outputs left out; a file in `.kiln` fails the test.
fn outputs(sandbox: &Sandbox) -> Files {
    let mut found = sandbox.picture();
    found.remove("kiln.lock");
    assert!(
        !found.keys().any(|path| path.starts_with(".kiln")),
        "{found:?}"
    );
    assert!(!found.values().any(|text| text.contains(CANARY)));
    found
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn ends_with_the_last_tree_and_the_foreign_files(
        steps in proptest::collection::vec((trees(), interruptions(), interruptions()), 1..6),
    ) {
        let sandbox = Sandbox::new();
        let foreign = Files::from([("shared/mine".to_owned(), "by hand".to_owned()), ("z/z".to_owned(), String::new())]);
        for (path, text) in &foreign {
            sandbox.put(path, text);
        }
        let with_foreign = |files: &Files| files.clone().into_iter().chain(foreign.clone()).collect::<Files>();
        let mut old = foreign.clone();
        let last = steps.last().unwrap().0.clone();
        for (files, interruption, second) in steps {
            let new = with_foreign(&files);
            let sealed = tree(&files);
            let result = sandbox.plan(&sealed, PlanOptions::default()).value.apply_with(&mut stop(interruption));
            let again = write::recover_with(&Target::new(&sandbox.disk(), "."), &mut stop(second));
            assert!(!matches!(result, Err(WriteError::Undo { .. })));
            drop(again);
            write::recover(&Target::new(&sandbox.disk(), ".")).unwrap();
            let found = outputs(&sandbox);
            match result {
                Ok(_) => assert_eq!(&found, &new),
                Err(WriteError::Stage { .. } | WriteError::Apply { .. }) => assert_eq!(&found, &old),
                Err(_) => assert!(found == old || found == new, "{found:?} is neither {old:?} nor {new:?}"),
            }
            old = found;
        }
        let sealed = tree(&last);
        sandbox.write(&sealed);
        assert_eq!(outputs(&sandbox), with_foreign(&last));
        assert!(sandbox.write(&sealed).is_clean());
    }
}
