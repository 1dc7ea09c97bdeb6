use sops_age::{OutlineError, PlainError, PlainFile, RuleFile, SealError, Store};
use spanned_yaml::Resolver;

use super::cases::{Case, Content, content};
use super::setting::{Pair, open, plain, renew, seal};
use super::sops::Sops;

fn read(text: &str) -> Vec<serde_json::Value> {
    let documents = spanned_yaml::load(text).unwrap();
    let values = documents
        .iter()
        .map(|one| one.root.to_value(Resolver::Core));
    values.collect()
}

fn yaml(text: &str) -> Case {
    Case {
        number: 0,
        store: Store::Yaml,
        name: "a.sops.yaml",
        bytes: text.as_bytes().to_vec(),
        more: &[],
    }
}

/// Seals a text, and has `sops` open it as what it is to YAML 1.2.
fn is_opened_as_written(text: &str) {
    let pair = Pair::new();
    let rules = RuleFile::read(&pair.rules(&[])).unwrap();
    let plain = plain(text.as_bytes(), Store::Yaml, &rules);
    let plain = plain.unwrap_or_else(|| panic!("refused: {text}"));
    let sealed = seal(&plain, &rules, 1);
    let opened = open(&sealed, Store::Yaml, &pair).unwrap();
    assert!(opened.holds(&plain), "{sealed}");
    assert_eq!(renew(&opened, &plain, &rules, 2), sealed);
    let back = String::from_utf8(opened.to_plain().to_vec()).unwrap();
    assert_eq!(read(&back), read(text), "{back}");
    let Some(sops) = Sops::find("sops", &pair) else {
        return;
    };
    // As JSON: go-yaml does not read again all that it writes.
    let theirs = sops.decrypt_to_json("a.sops.yaml", &sealed);
    let theirs = theirs.unwrap_or_else(|told| panic!("{told}: {text}\n{sealed}"));
    let theirs: serde_json::Value = serde_json::from_str(&theirs).unwrap();
    assert_eq!(vec![theirs], read(text), "{text}\n{sealed}");
}

/// U+0085, U+2028 and U+2029 end lines for go-yaml.
#[test]
fn breaks_of_yaml_1_1_are_breaks() {
    for text in [
        "x_unencrypted: \"a\u{2028}  b\"\ny: \"c \u{2029} d\"\n",
        "x_unencrypted: 'a\u{2028}b'\ny: 'c\u{2029}d'\n",
        "x_unencrypted: {k: \"a\u{2028}b\"}\ny: [\"c\u{2029}d\"]\n",
        "x_unencrypted: \"a\\L\\nb\\P\\N\"\ny: \"\\L\\nb\"\n",
        "\"a\\Lb_unencrypted\": c\ny: d\n",
        "x_unencrypted: a\u{85}y: b\n",
        "x_unencrypted: |\u{85}  a\u{85}  b\u{85}y: |\u{85}  c\n",
    ] {
        is_opened_as_written(text);
        sops_is_understood(text);
    }
    let key = "\"a\u{2028}b\": c\n".as_bytes();
    let problem = PlainFile::read(key, Store::Yaml).err();
    let is_key = |problem: &OutlineError| matches!(problem, OutlineError::KeyOverLines(_));
    assert!(matches!(problem, Some(PlainError::Outline(found)) if found.iter().any(is_key)));
}

/// Has `sops` seal a text, which then is what it was.
fn sops_is_understood(text: &str) {
    let pair = Pair::new();
    let Some(sops) = Sops::find("sops", &pair) else {
        return;
    };
    let rules = pair.rules(&[]);
    let theirs = sops
        .encrypt(&rules, "a.sops.yaml", text.as_bytes())
        .unwrap();
    if let Content::Refused(_) = content(&sops, &yaml(text), &theirs) {
        return;
    }
    let rules = RuleFile::read(&rules).unwrap();
    let plain = plain(text.as_bytes(), Store::Yaml, &rules).unwrap();
    let opened = open(&theirs, Store::Yaml, &pair);
    let opened = opened.unwrap_or_else(|told| panic!("{told}: {text}\n{theirs}"));
    assert!(opened.holds(&plain), "{text}\n{theirs}");
}

#[test]
fn anchors_may_stand_in_what_stays_open() {
    for text in [
        "a_unencrypted: &x 1.50\nb_unencrypted: *x\nc: secret\n",
        "a_unencrypted: &x {a: 1, b: [2, ~, {}]}\nb_unencrypted:\n  - *x\n  - d: *x\nc: secret\n",
        "a_unencrypted:\n  k: &x\n    # note\n    l: m # tail\n  n: *x\nc: secret # behind\n",
    ] {
        is_opened_as_written(text);
    }
    let rules = RuleFile::read(&Pair::new().rules(&[])).unwrap();
    let scope = &rules.rules[0].scope;
    let problems = |text: &str| {
        let plain = PlainFile::read(text.as_bytes(), Store::Yaml).unwrap();
        plain.unsealable(scope)
    };
    let found = problems("a: &x 1\nb_unencrypted: *x\n");
    assert!(matches!(found[..], [SealError::Anchor(_)]), "{found:?}");
    let found = problems("a_unencrypted: &x {k: 1}\nb: *x\n");
    assert!(matches!(found[..], [SealError::Alias(_)]), "{found:?}");
}

#[test]
fn documents_may_hold_nothing_but_comments() {
    for text in [
        "a: b\n---\n# the end\n",
        "# start\n---\na: b\n---\n# a\n---\nc: d\n",
    ] {
        let pair = Pair::new();
        let rules = RuleFile::read(&pair.rules(&[])).unwrap();
        let plain = plain(text.as_bytes(), Store::Yaml, &rules).unwrap();
        let sealed = seal(&plain, &rules, 1);
        assert!(
            open(&sealed, Store::Yaml, &pair).unwrap().holds(&plain),
            "{sealed}"
        );
        if let Some(sops) = Sops::find("sops", &pair) {
            let theirs = content(&sops, &yaml(text), &sealed);
            assert!(matches!(theirs, Content::Tree(_)), "{theirs:?}\n{sealed}");
        }
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    for (store, name) in [(Store::Dotenv, "dotenv"), (Store::Ini, "INI")] {
        let problem = PlainFile::read(b"A=1\n", store).err().unwrap();
        assert_eq!(
            problem.to_string(),
            format!("{name} files are not supported")
        );
    }
    let problem = PlainFile::read(b"a: 1\nsops: 2\n", Store::Yaml)
        .err()
        .unwrap();
    let PlainError::Outline(problems) = problem else {
        panic!("{problem}");
    };
    assert!(matches!(problems[..], [OutlineError::ReservedKey(_)]));
}
