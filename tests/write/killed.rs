use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use kiln::fs::Disk;
use kiln::tree::{Sealed, Tree};
use kiln::write::{self, PlanOptions, Recovery, Target};

use super::sandbox::{CANARY, Sandbox, picture, tree};

/// Tells the child test which folder to write to; without it the child does nothing.
const FOLDER: &str = "KILN_TEST_FOLDER";
const KILLS: u32 = 50;

/// Two trees that differ in every way.
fn generation(odd: bool) -> Tree<Sealed> {
    let mut files = BTreeMap::from([("same".to_owned(), "same".to_owned())]);
    for number in 0..30 {
        let text = format!("{odd} {number}\n").repeat(200);
        files.insert(format!("changed/{number}.yaml"), text.clone());
        files.insert(format!("changed/{number}.sops.yaml"), format!("ENC {text}"));
        files.insert(format!("only-{odd}/{number}/file"), text);
    }
    files.insert(
        if odd {
            "swap".to_owned()
        } else {
            "swap/inside".to_owned()
        },
        "swapped".to_owned(),
    );
    tree(files)
}

fn write_all(disk: &Disk, outputs: &Tree<Sealed>) {
    let plan = write::plan(outputs, &Target::new(disk, "."), PlanOptions::default())
        .unwrap()
        .unwrap();
    plan.value.apply().unwrap();
}

#[test]
#[ignore = "run by its neighbour as a process to be killed"]
fn child_writes_for_ever() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let disk = Disk::open(folder.as_ref()).unwrap();
    let trees = [generation(true), generation(false)];
    eprintln!("ready");
    loop {
        for outputs in &trees {
            write_all(&disk, outputs);
        }
    }
}

/// Waits until the child is among its changes, which is a short part of its time.
fn wait_for_changes(sandbox: &Sandbox) {
    let journal = sandbox.path().join(".kiln/journal.json");
    for _ in 0..100_000 {
        if journal.exists() {
            return;
        }
        std::thread::sleep(Duration::from_micros(50));
    }
    panic!("the child writes nothing");
}

#[test]
fn a_run_killed_at_any_moment_leaves_the_old_or_the_new_tree() {
    let expected = [true, false].map(|odd| {
        let sandbox = Sandbox::new();
        sandbox.put("changed/foreign", "by hand");
        write_all(&sandbox.disk(), &generation(odd));
        sandbox.picture()
    });
    let sandbox = Sandbox::new();
    sandbox.put("changed/foreign", "by hand");
    write_all(&sandbox.disk(), &generation(false));
    let mut recoveries = Vec::new();
    let mut state = std::process::id();
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "write::killed::child_writes_for_ever",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, sandbox.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut delay = u64::from(state >> 8) % 200_000;
        if round % 2 == 1 {
            wait_for_changes(&sandbox);
            delay %= 8_000;
        }
        std::thread::sleep(Duration::from_micros(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = picture(sandbox.path());
        assert!(
            !left.values().any(|text| text.contains(CANARY)),
            "a secret in plain text"
        );
        recoveries.push(write::recover(&Target::new(&sandbox.disk(), ".")).unwrap());
        let found = sandbox.picture();
        assert!(
            expected.contains(&found),
            "neither tree: {:?}",
            found.keys()
        );
    }
    let count = |wanted| {
        recoveries
            .iter()
            .filter(|recovery| **recovery == wanted)
            .count()
    };
    let (discarded, completed) = (count(Recovery::Discarded), count(Recovery::Completed));
    assert!(
        discarded > 0 && completed > 0,
        "{discarded} discarded and {completed} completed of {KILLS}"
    );
}
