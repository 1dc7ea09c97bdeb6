use super::{Pair, Project, messages, sops, sops_encrypts};
use kiln::diagnostic::Diagnostic;
use kiln::seal::{self, Keyring};
use kiln::source::Source;

const PATH: &str = "a.sops.yaml";
const TEXT: &str = "kind: Secret\nstringData:\n  # note\n  a: one\n  b: 2\n";
const RULE: &[&str] = &["encrypted_regex: ^stringData$", "mac_only_encrypted: true"];

/// Seals once, lets `change` alter the project, and seals a second text at another time.
fn again(text: &str, change: impl FnOnce(&mut Project)) -> (bool, Vec<&'static str>) {
    let pair = Pair::new();
    let mut project = Project::new(&pair, RULE);
    let first = project.sealed(TEXT).into_bytes();
    project.disk.insert(PATH.to_owned(), first.clone());
    project.now = "2027-01-01T00:00:00Z";
    project.seed = 2;
    change(&mut project);
    let result = project.seal(&[(PATH, text)]).unwrap();
    let (_, file) = result.value.outputs().next().unwrap();
    let there = project.disk.get(PATH) == Some(&file.bytes);
    assert_eq!(file.kept, there);
    (
        file.kept,
        result.warnings.iter().map(Diagnostic::code).collect(),
    )
}

fn nothing(_: &mut Project) {}

fn lose_identity(project: &mut Project) {
    project.keyring = Keyring::default();
}

#[test]
fn keeps_the_bytes_of_what_has_not_changed() {
    assert_eq!(again(TEXT, nothing), (true, vec![]));
    // Another way to write the same.
    let other = TEXT
        .replace("a: one", "a:   'one'")
        .replace("b: 2", "b: 0b10");
    assert_eq!(again(&other, nothing), (true, vec![]));
}

#[test]
fn seals_anew_what_has_changed() {
    for (from, to) in [
        ("a: one", "a: two"),
        ("# note", "# nota"),
        ("b: 2", "b: '2'"),
        ("b: 2", "c: 2"),
        ("b: 2", "b: [2]"),
        ("  b: 2\n", ""),
        ("b: 2\n", "b: 2\n  c: {}\n"),
        ("kind: Secret", "kind: Other"),
        ("kind: Secret\nstringData:", "stringData:"),
        ("b: 2\n", "b: 2\n---\nc: 1\n"),
    ] {
        assert_eq!(
            again(&TEXT.replace(from, to), nothing),
            (false, vec![]),
            "{from} -> {to}"
        );
    }
}

#[test]
fn seals_anew_when_rule_or_recipients_change() {
    let rules = |from: &'static str, to: String| {
        move |project: &mut Project| project.rules = project.rules.replace(from, &to)
    };
    assert!(!again(TEXT, rules("^stringData$", "^(stringData)$".to_owned())).0);
    assert!(
        !again(
            TEXT,
            rules(
                "mac_only_encrypted: true",
                "mac_only_encrypted: false".to_owned()
            )
        )
        .0
    );
    assert!(
        !again(
            TEXT,
            rules("age: ", format!("age: {},", Pair::new().recipient))
        )
        .0
    );
    // The same set in another order is the same.
    let more = Pair::new();
    let twice = |project: &mut Project| {
        let both = format!("age: {}, ", more.recipient);
        project.rules = project.rules.replace("age: ", &both);
        project.disk.clear();
        let sealed = project.sealed(TEXT);
        project.disk.insert(PATH.to_owned(), sealed.into_bytes());
        let (one, two) = project.rules.split_once(", ").unwrap();
        let (two, rest) = two.split_once('\n').unwrap();
        project.rules = format!(
            "{}{two},{}\n{rest}",
            &one[..one.len() - more.recipient.len()],
            more.recipient
        );
    };
    assert!(again(TEXT, twice).0);
}

/// The ciphertexts of values and comments, and the rest of the lines before the metadata.
fn values(sealed: &str) -> Vec<&str> {
    let end = sealed.find("sops:").unwrap();
    sealed[..end].lines().collect()
}

/// Seals again what was sealed, after a change of the project, and returns both texts and what was warned of.
fn renewed(text: &str, change: impl FnOnce(&mut Project)) -> (String, String, Vec<Diagnostic>) {
    let pair = Pair::new();
    let mut project = Project::new(&pair, RULE);
    let first = project.sealed(TEXT);
    project
        .disk
        .insert(PATH.to_owned(), first.clone().into_bytes());
    project.now = "2027-01-01T00:00:00Z";
    project.seed = 2;
    change(&mut project);
    let result = project.seal(&[(PATH, text)]).unwrap();
    let (_, file) = result.value.outputs().next().unwrap();
    let second = String::from_utf8(file.bytes.clone()).unwrap();
    (first, second, result.warnings)
}

#[test]
fn moves_the_line_that_changed() {
    for (from, to, start) in [
        ("a: one", "a: two", "  a:"),
        ("# note", "# nota", "  #ENC"),
        ("kind: Secret", "kind: Other", "kind:"),
    ] {
        let (before, after, warnings) = renewed(&TEXT.replace(from, to), nothing);
        assert!(warnings.is_empty());
        let pairs = before.lines().zip(after.lines());
        let moved: Vec<&str> = pairs
            .filter(|(before, after)| before != after)
            .map(|(_, after)| after)
            .collect();
        let starts = [start, "    lastmodified:", "    mac:"];
        assert_eq!(moved.len(), 3, "{before}\n{after}");
        let each = moved.iter().zip(starts);
        assert!(
            each.clone().all(|(line, start)| line.starts_with(start)),
            "{moved:?}"
        );
    }
    // The order of keys.
    let other = "kind: Secret\nstringData:\n  # note\n  b: 2\n  a: one\n";
    let (before, after, _) = renewed(other, nothing);
    let (mut before, mut after) = (values(&before), values(&after));
    assert_ne!(before, after);
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after);
}

#[test]
fn wraps_the_key_anew_for_other_recipients() {
    let more = Pair::new();
    let add = |project: &mut Project| {
        let both = format!("age: {},", more.recipient);
        project.rules = project.rules.replace("age: ", &both);
    };
    let (before, after, warnings) = renewed(TEXT, add);
    assert!(warnings.is_empty());
    let own = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| line.contains("ENC[") || line.contains("lastmodified"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(own(&before), own(&after));
    assert_eq!(after.matches("recipient:").count(), 2);
    let source = Source::new(PATH, after.as_str());
    assert!(seal::decrypt(&source, &more.keyring()).is_ok());
    // The only one is another.
    let replace = |project: &mut Project| {
        let at = project.rules.find("age1").unwrap();
        let end = at + project.rules[at..].find('\n').unwrap();
        project.rules.replace_range(at..end, &more.recipient);
    };
    let (before, after, warnings) = renewed(TEXT, replace);
    assert_eq!(own(&before), own(&after));
    let gone = before
        .lines()
        .find_map(|line| line.split_once("recipient: "));
    let (_, gone) = gone.unwrap();
    assert!(!after.contains(gone));
    insta::assert_snapshot!(messages(&warnings).replace(gone, "age1(gone)"), @r"
    seal-recipient-removed: `a.sops.yaml` is no longer sealed for `age1(gone)`, who knows the data key
      whoever kept the old file can read what is sealed with that key: change the secrets themselves
      `kiln secrets rotate FILE` gives a file a new data key
    ");
}

#[test]
fn another_rule_gives_another_data_key() {
    let other = |project: &mut Project| {
        project.rules = project.rules.replace("^stringData$", "^(stringData)$");
    };
    let (before, after, _) = renewed(TEXT, other);
    let before = values(&before);
    let same = values(&after);
    let same = same.iter().filter(|line| before.contains(*line));
    assert!(same.clone().all(|line| !line.contains("ENC[")));
}

#[test]
fn keeps_and_says_so_when_nobody_can_tell() {
    assert_eq!(again(TEXT, lose_identity), (true, vec!["seal-unverified"]));
    // A secret of the same length may be another one, and nobody can know.
    assert_eq!(
        again(&TEXT.replace("one", "two"), lose_identity),
        (true, vec!["seal-unverified"])
    );
    let other = |project: &mut Project| project.keyring = Pair::new().keyring();
    assert_eq!(again(TEXT, other), (true, vec!["seal-unverified"]));
}

#[test]
fn seals_anew_without_identity_what_certainly_changed() {
    for (from, to) in [
        ("one", "three"),
        ("b: 2", "b: x"),
        ("b: 2", "c: 2"),
        ("Secret", "Other"),
        ("# note", "# a note"),
    ] {
        assert_eq!(
            again(&TEXT.replace(from, to), lose_identity),
            (false, vec![]),
            "{from} -> {to}"
        );
    }
}

#[test]
fn warns_once_about_all_files_that_nobody_could_open() {
    let pair = Pair::new();
    let mut project = Project::new(&pair, RULE);
    let files = [("x/1.sops.yaml", TEXT), ("x/2.sops.yaml", TEXT)];
    for (path, text) in files {
        project
            .disk
            .insert(path.to_owned(), project.sealed(text).into_bytes());
    }
    lose_identity(&mut project);
    insta::assert_snapshot!(messages(&project.seal(&files).unwrap().warnings), @r"
    seal-unverified: 2 sealed files were kept as they are, the first being `x/1.sops.yaml`, since no identity at hand can tell whether their secrets changed
      render where an age identity is at hand after a secret was changed
    ");
}

#[test]
fn seals_a_plain_file_that_is_there() {
    let plain = |project: &mut Project| drop(project.disk.insert(PATH.to_owned(), TEXT.into()));
    assert_eq!(again(TEXT, plain), (false, vec![]));
    let noise =
        |project: &mut Project| drop(project.disk.insert(PATH.to_owned(), vec![0xff, 0xfe]));
    assert_eq!(again(TEXT, noise), (false, vec![]));
}

#[test]
fn seals_anew_and_warns_when_the_file_was_tampered_with() {
    let tamper = |project: &mut Project| {
        let text = String::from_utf8(project.disk[PATH].clone()).unwrap();
        let line = text.lines().find(|line| line.starts_with("  b:")).unwrap();
        project.disk.insert(
            PATH.to_owned(),
            text.replace(&format!("{line}\n"), "").into_bytes(),
        );
    };
    assert_eq!(again(TEXT, tamper), (false, vec!["seal-damaged"]));
}

#[test]
fn keeps_what_sops_wrote() {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    let mut project = Project::new(&pair, RULE);
    let text =
        "kind: Secret\nstringData:\n  # note\n  a: one\n  b: 2\n  c: [x, 1.5]\n  d: |\n    e\n";
    let theirs = sops_encrypts(&sops, &pair, &project, text);
    project.disk.insert(PATH.to_owned(), theirs.into_bytes());
    let result = project.seal(&[(PATH, text)]).unwrap();
    assert!(result.value.outputs().all(|(_, file)| file.kept));
}
