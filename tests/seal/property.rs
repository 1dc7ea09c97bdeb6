use std::sync::LazyLock;

use super::{CANARY, NOW, Pair, Project, Stream, messages, run_sops, sops, succeeded};
use kiln::diagnostic::Diagnostic;
use kiln::seal::{Keyring, Renewal};
use kiln::secret::Secret;
use kiln::source::Source;
use kiln::yaml;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// One key pair for all cases: making one costs more than a case.
static PAIR: LazyLock<Pair> = LazyLock::new(Pair::new);

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z]{1,6}".prop_map(Value::from),
        "[ -~\n]{0,40}".prop_map(Value::from),
        "[a-z0-9:. #-]{0,12}(\n[a-z #:-]{0,8}){0,3}\n{0,2}".prop_map(Value::from),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}",
        "[a-z.:# -]{1,6}",
        "[0-9]{1,3}",
        "(data|x_unencrypted)"
    ]
    .prop_filter("`sops` is kept for the metadata, and `<<` merges", |key| {
        key != "sops" && key != "<<"
    })
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            mapping(inner).prop_map(Value::Object),
        ]
    })
}

fn mapping(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(key(), inner, 0..4)
        .prop_map(|entries| entries.into_iter().collect())
}

fn root() -> impl Strategy<Value = Value> {
    mapping(value())
        .prop_filter("an empty document holds nothing to seal", |map| {
            !map.is_empty()
        })
        .prop_map(Value::Object)
}

fn selector() -> impl Strategy<Value = &'static [&'static str]> {
    prop_oneof![
        Just(&[][..]),
        Just(&["encrypted_regex: a"][..]),
        Just(&["unencrypted_regex: a", "mac_only_encrypted: true"][..]),
        Just(&["encrypted_suffix: a"][..]),
        Just(&["encrypted_comment_regex: a"][..]),
        Just(&["unencrypted_comment_regex: ' a'"][..]),
    ]
}

/// Puts a comment behind or before some lines.
fn commented(text: &str, marks: &[u8]) -> String {
    let mut lines = Vec::new();
    let mut in_block = false;
    for (line, mark) in text.lines().zip(marks.iter().cycle()) {
        let margin = &line[..line.len() - line.trim_start().len()];
        // SOPS loses an empty list or mapping that has a comment behind it.
        let behind = line.contains(':') && !line.contains(['[', '{']);
        // Inside a block or a quoted text, a `#` is no comment.
        in_block = in_block || line.contains(['|', '>', '"', '\'']);
        match mark % 5 {
            0 if !in_block => lines.extend([format!("{margin}# note {mark}"), line.to_owned()]),
            1 if !in_block => lines.extend([format!("# a {mark}"), line.to_owned()]),
            4 if !in_block => lines.extend([format!("{margin}# a {mark}"), line.to_owned()]),
            2 if !in_block && behind => lines.push(format!("{line} # a {mark}")),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Writes a mapping with the dashes of lists right below their key, as many people and `kubectl` do.
fn low_dashes(map: &Map<String, Value>, margin: usize, lines: &mut Vec<String>) {
    let blanks = " ".repeat(margin);
    for (key, value) in map {
        let key = Value::from(key.as_str());
        match value {
            Value::Object(map) if !map.is_empty() => {
                lines.push(format!("{blanks}{key}:"));
                low_dashes(map, margin + 2, lines);
            }
            Value::Array(items) if !items.is_empty() => {
                lines.push(format!("{blanks}{key}:"));
                for item in items {
                    let at = lines.len();
                    match item {
                        Value::Object(map) if !map.is_empty() => {
                            low_dashes(map, margin + 2, lines);
                            lines[at].replace_range(margin..=margin, "-");
                        }
                        Value::String(text)
                            if !text.is_empty()
                                && text.chars().all(|char| char.is_ascii_lowercase()) =>
                        {
                            lines.push(format!("{blanks}- | # head\n{blanks}  {text}"));
                        }
                        item => lines.push(format!("{blanks}- {item}")),
                    }
                }
            }
            value => lines.push(format!("{blanks}{key}: {value}")),
        }
    }
}

fn read(text: &str) -> Value {
    yaml::load(text).unwrap()[0]
        .root
        .to_value(yaml::Resolver::Core)
}

/// Seals a text; rejects what is refused for a reason that is no defect.
fn sealed(project: &Project, text: &str) -> Result<String, TestCaseError> {
    match project.seal(&[("a.sops.yaml", text)]) {
        Ok(tree) => {
            let bytes = tree.value.outputs().next().unwrap().1.bytes.clone();
            Ok(String::from_utf8(bytes).unwrap())
        }
        Err(problems) if is_no_defect(&problems[0]) => Err(TestCaseError::reject("refused")),
        Err(problems) => Err(TestCaseError::fail(messages(&problems) + "\n" + text)),
    }
}

proptest! {
    // Each case starts the real tool, so there are few of them in a run.
    #![proptest_config(ProptestConfig { cases: cases("KILN_SOPS_CASES", 12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_sops_in_both_directions(value in root(), more in selector(), marks in prop::collection::vec(any::<u8>(), 1..8)) {
        let Some(sops) = sops() else { return Ok(()) };
        let text = commented(&yaml::emit(&value), &marks);
        let project = Project::new(&PAIR, more);
        // As JSON: go-yaml writes some blocks in lists such that no reader, sops neither, takes them back.
        let json = ["decrypt", "--output-type", "json"];
        let refused = |problems: Vec<Diagnostic>| problems.iter().all(is_no_defect);
        prop_assume!(!project.seal(&[("a.sops.yaml", &text)]).is_err_and(refused));
        let theirs = succeeded(&run_sops(&sops, &PAIR, "", &json, "a.sops.yaml", &project.sealed(&text)));
        prop_assert_eq!(whole(serde_json::from_str(&theirs).unwrap()), read(&text), "{}", text);
        let output = run_sops(&sops, &PAIR, &project.rules, &["encrypt"], "a.sops.yaml", &text);
        prop_assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), text);
        let from_sops = String::from_utf8(output.stdout).unwrap();
        prop_assume!(run_sops(&sops, &PAIR, "", &["decrypt"], "a.sops.yaml", &from_sops).status.success());
        let ours = project.decrypt(&from_sops);
        let ours = ours.map_err(|problem| TestCaseError::fail(messages(&[problem]) + &from_sops))?;
        prop_assert_eq!(read(&ours), read(&text), "{}", ours);
    }
}

/// Whether Kiln rightly refuses a random document: a comment that decides nothing clearly, or a rule that covers
/// nothing of it.
fn is_no_defect(problem: &Diagnostic) -> bool {
    ["sops-comment-astray", "seal-covers-nothing"].contains(&problem.code())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases("KILN_SOPS_CASES", 12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn renews_what_sops_encrypted(value in root(), more in selector(), json in any::<bool>()) {
        let Some(sops) = sops() else { return Ok(()) };
        let project = Project::new(&PAIR, more);
        let (name, text) = if json { ("a.sops.json", value.to_string()) } else { ("a.sops.yaml", yaml::emit(&value)) };
        let output = run_sops(&sops, &PAIR, &project.rules, &["encrypt"], name, &text);
        prop_assume!(output.status.success());
        let sealed = String::from_utf8(output.stdout).unwrap();
        let before = run_sops(&sops, &PAIR, "", &["decrypt"], name, &sealed);
        prop_assume!(before.status.success() && project.decrypt(&sealed).is_ok());
        let renewed = renewed(&sealed, more).map_err(TestCaseError::fail)?;
        let after = succeeded(&run_sops(&sops, &NEW_PAIR, "", &["decrypt"], name, &renewed));
        // go-yaml indents some blocks that start with a blank in a way that no reader takes, itself included.
        prop_assume!(yaml::load(&after).is_ok());
        let (before, after): (Value, Value) = (read(&succeeded(&before)), read(&after));
        prop_assert_eq!(before, after, "{}", renewed);
    }
}

/// The key pair that takes the place of the first.
static NEW_PAIR: LazyLock<Pair> = LazyLock::new(Pair::new);

/// Seals a file for the new key pair, by rules that name it.
fn renewed(sealed: &str, more: &[&str]) -> Result<String, String> {
    let texts = [("age.key", &NEW_PAIR), ("old.key", &PAIR)];
    let texts = texts.map(|(name, pair)| (name.to_owned(), Secret::new(pair.identity.clone())));
    let (keyring, _) = Keyring::parse(&texts);
    let rules = Project::new(&NEW_PAIR, more).rules();
    let renewal = Renewal::prepare(&rules, &keyring, "age.key", &["old.key".to_owned()]);
    let renewal = renewal.map_err(|problem| messages(&[problem]))?;
    let source = Source::new("a.sops.yaml", sealed);
    let renewed = renewal.seal(&source, NOW, &mut Stream(3));
    let renewed = renewed.map_err(|problem| messages(&[problem]) + sealed)?;
    renewed.ok_or_else(|| format!("not renewed: {sealed}"))
}

/// Turns whole floats into integers, as JSON knows no difference.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) => yaml::load(&number.to_string()).unwrap()[0]
            .root
            .to_value(yaml::Resolver::Core),
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, whole(value)))
            .collect(),
        other => other,
    }
}

/// How many cases to run, for a longer hunt now and then.
fn cases(name: &str, usual: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decrypts_to_what_it_encrypted(value in root(), more in selector(), marks in prop::collection::vec(any::<u8>(), 1..8)) {
        let text = commented(&yaml::emit(&value), &marks);
        let project = Project::new(&PAIR, more);
        let sealed = sealed(&project, &text)?;
        let plain = project.decrypt(&sealed).unwrap();
        prop_assert_eq!(read(&plain), read(&text), "{}", plain);
        // What was kept once is kept always: the opened file seals to what is there.
        let mut again = project;
        again.disk.insert("a.sops.yaml".to_owned(), sealed.clone().into_bytes());
        again.seed = 9;
        let tree = again.seal(&[("a.sops.yaml", &text)]).unwrap().value;
        prop_assert!(tree.outputs().next().unwrap().1.kept);
    }

    #[test]
    fn renews_what_it_encrypted(value in root(), more in selector(), marks in prop::collection::vec(any::<u8>(), 1..8)) {
        let text = commented(&yaml::emit(&value), &marks);
        let project = Project::new(&PAIR, more);
        let sealed = sealed(&project, &text)?;
        let renewed = renewed(&sealed, more).map_err(TestCaseError::fail)?;
        prop_assert!(project.decrypt(&renewed).is_err());
        let theirs = Project::new(&NEW_PAIR, more).decrypt(&renewed).unwrap();
        prop_assert_eq!(theirs, project.decrypt(&sealed).unwrap());
    }

    #[test]
    fn decrypts_lists_below_their_key(value in root(), more in selector(), marks in prop::collection::vec(any::<u8>(), 1..8)) {
        let mut lines = Vec::new();
        low_dashes(value.as_object().unwrap(), 0, &mut lines);
        // Some lines have a comment before them, at their own column.
        let mut commented = Vec::new();
        for (line, mark) in lines.iter().zip(marks.iter().cycle()) {
            let margin = &line[..line.len() - line.trim_start().len()];
            if mark % 3 == 0 {
                commented.push(format!("{margin}# note {mark}"));
            }
            commented.push(line.clone());
        }
        commented.push(String::new());
        let mut text = commented.join("\n");
        if marks[0] % 2 == 0 {
            text += "# last";
        }
        let project = Project::new(&PAIR, more);
        let sealed = sealed(&project, &text)?;
        let plain = project.decrypt(&sealed).unwrap();
        prop_assert_eq!(read(&plain), read(&text), "{}", plain);
    }

    #[test]
    fn reads_json_as_it_reads_yaml(value in root()) {
        let project = Project::new(&PAIR, &[]);
        let text = value.to_string();
        prop_assume!(!project.seal(&[("a.sops.yaml", &text)]).is_err_and(|problems| is_no_defect(&problems[0])));
        let plain = project.decrypt(&project.sealed(&text)).unwrap();
        prop_assert_eq!(read(&plain), read(&text), "{}", plain);
    }

    #[test]
    fn never_panics_on_a_damaged_file(at in any::<prop::sample::Index>(), length in 0usize..40, noise in "[ -~\n]{0,12}") {
        static SEALED: LazyLock<String> = LazyLock::new(|| {
            Project::new(&PAIR, &[]).sealed(&format!("a: {CANARY}\n# c\nb:\n  - |\n    x\n  - {{c: d}}\ne: 1\n---\nf: 2\n"))
        });
        let mut bytes = SEALED.clone().into_bytes();
        let start = at.index(bytes.len());
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, noise.bytes());
        let text = String::from_utf8(bytes).unwrap();
        let project = Project::new(&PAIR, &[]);
        if let Err(problem) = project.decrypt(&text) {
            prop_assert!(!messages(&[problem]).contains(CANARY));
        }
    }
}
