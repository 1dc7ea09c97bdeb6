use super::{Pair, Project, messages, run_sops, sops, sops_encrypts};
use kiln::diagnostic::StageResult;
use kiln::seal::Rules;
use kiln::source::Source;

fn parse(text: &str) -> StageResult<Rules> {
    Rules::parse(&Source::new(".sops.yaml", text))
}

/// Which of two rules `sops` and we take for a path, told by what is encrypted.
#[test]
fn takes_the_rule_that_sops_takes() {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    for (regex, name) in [
        ("a", "xay.sops.yaml"),
        ("^a", "xay.sops.yaml"),
        ("b$", "a.sops.yaml"),
        (r"(^|/)[^/]+\.sops\.ya?ml$", "b.sops.yml"),
        (r"^\.sops", "a.sops.yaml"),
        ("A", "a.sops.yaml"),
        ("(?i)A", "b.sops.yaml"),
    ] {
        let rules = format!(
            "creation_rules:\n  - path_regex: '{regex}'\n    encrypted_regex: ^one$\n    age: {0}\n  - encrypted_regex: ^two$\n    age: {0}\n",
            pair.recipient
        );
        let text = "one: 1\ntwo: 2\n";
        let theirs = run_sops(&sops, &pair, &rules, &["encrypt"], name, text);
        let mut project = Project::new(&pair, &[]);
        project.rules = rules;
        let ours = project.seal(&[(name, text)]).unwrap().value;
        let (_, ours) = ours.outputs().next().unwrap();
        let first = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("one: ENC[");
        assert_eq!(
            first(&ours.bytes),
            first(&theirs.stdout),
            "{regex} on {name}"
        );
    }
}

#[test]
fn sees_paths_from_the_folder_of_the_rule_file() {
    let pair = Pair::new();
    let text = format!(
        "creation_rules:\n  - path_regex: ^secret\n    age: {}\n",
        pair.recipient
    );
    let rules = Rules::parse(&Source::new("cluster/.sops.yaml", text))
        .unwrap()
        .value;
    assert!(rules.covers("cluster/secret.sops.yaml"));
    assert!(!rules.covers("secret.sops.yaml"));
    assert!(!rules.covers("cluster/app/secret.sops.yaml"));
    assert!(!Rules::none().covers("secret.sops.yaml"));
}

#[test]
fn reads_recipients_in_every_form() {
    let (one, two) = (Pair::new(), Pair::new());
    for age in [
        format!("    age: {},  {},\n", one.recipient, two.recipient),
        format!(
            "    age: >-\n      {},\n      {}\n",
            one.recipient, two.recipient
        ),
        format!(
            "    age:\n      - {}\n      - {}\n",
            one.recipient, two.recipient
        ),
        format!(
            "    key_groups:\n      - age:\n          - {}\n          - {}\n",
            one.recipient, two.recipient
        ),
        format!(
            "    age: {0}\n    key_groups:\n      - merge:\n          - age: [{1}]\n          - age: ['{0}']\n        age: ['{1}']\n",
            one.recipient, two.recipient
        ),
    ] {
        let mut project = Project::new(&one, &[]);
        project.rules = format!("creation_rules:\n  - path_regex: .\n{age}");
        let sealed = project.sealed("a: 1\n");
        for pair in [&one, &two] {
            assert_eq!(sealed.matches(&pair.recipient).count(), 1, "{age}");
        }
    }
}

/// Where Go and the `regex` crate differ, one of them would leave a secret in plain text.
#[test]
fn reads_regular_expressions_as_sops_does() {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    for (rule, text) in [
        (r"unencrypted_regex: ^\w+$", "é: 1\nb: 2\n"),
        (r"encrypted_regex: ^\d+$", "'٣': 1\n'3': 2\n"),
        (r"encrypted_regex: \bdata\b", "édata: 1\nxdata: 2\n"),
        (r"encrypted_regex: ^\S+$", "'a\u{a0}b': 1\n'a b': 2\n"),
        (r"encrypted_regex: ^\Qa.b\E$", "a.b: 1\naxb: 2\n"),
        (r"encrypted_regex: ^[a[]$", "a: 1\nb: 2\n"),
        (r"encrypted_regex: ^[a-z&&b]$", "a: 1\n'1': 2\n"),
        (r"encrypted_regex: ^a{,2}$", "aa: 1\n'a{,2}': 2\n"),
        (r"encrypted_regex: ^\<a$", "a: 1\n<a: 2\n"),
    ] {
        let project = Project::new(&pair, &[rule]);
        let encrypted = |sealed: &str| -> Vec<bool> {
            let values = sealed.lines().take_while(|line| *line != "sops:");
            values.map(|line| line.contains("ENC[")).collect()
        };
        let theirs = encrypted(&sops_encrypts(&sops, &pair, &project, text));
        assert_ne!(theirs[0], theirs[1], "{rule}");
        assert_eq!(encrypted(&project.sealed(text)), theirs, "{rule}");
    }
}

#[test]
fn rejects_what_no_sops_would_take() {
    let pair = Pair::new();
    let broken = format!(
        "creation_rules:
  - path_regex: '(unclosed'
    age: age1abc
  - encrypted_regex: ^a$
    encrypted_suffix: b
    age: {}
  - age: {}
  - unencrypted_regex: (?=x)
    mac_only_encrypted: perhaps
    age: {{}}
  - nonsense
",
        pair.recipient, pair.identity
    );
    insta::assert_snapshot!(messages(&parse(&broken).unwrap_err()), @r"
    sops-rules-regex: `path_regex` is not a regular expression: unclosed group [***********]
      SOPS uses the syntax of Go (RE2), which has no look-around and no back references
    bad-recipient: `age1abc` is not an age recipient [*******]
      a recipient is the line `age1…` that `age-keygen -y` prints for an identity
    sops-rules-selectors: a rule has both `encrypted_suffix` and `encrypted_regex`, and SOPS takes only one [encrypted_regex]
      keep one of them, or write two rules with different `path_regex`
    bad-recipient: `.sops.yaml` holds a private age key
      put the public key (`age1…`) there, and make a new key: this one may be known to others
    sops-rules-regex: `unencrypted_regex` is not a regular expression: look-around is not supported [*****]
      SOPS uses the syntax of Go (RE2), which has no look-around and no back references
    sops-rules-shape: `mac_only_encrypted` is true or false [*******]
    sops-rules-shape: `age` is a list of recipients, or a string with commas [**]
    sops-rules-shape: a creation rule is a mapping [********]
    ");
    insta::assert_snapshot!(messages(&parse("creation_rules: {}\nstores: {yaml: {indent: x}}").unwrap_err()), @r"
    sops-rules-shape: `creation_rules` is a list of rules [creation_rules]
    sops-rules-shape: `stores.yaml.indent` is a number of blanks [x]
    ");
    insta::assert_snapshot!(messages(&parse("creation_rules: [").unwrap_err()), @r"
    sops-rules-syntax: unclosed bracket '[' [*]
    ");
}

#[test]
fn warns_of_keys_that_sops_passes_over() {
    let rules = "creation_rules:\n  - encrypted_regexp: ^a$\n    age: ''\ncreation_rule: []\n";
    insta::assert_snapshot!(messages(&parse(rules).unwrap().warnings), @r"
    sops-rules-unknown-key: SOPS knows no key `creation_rule` and passes over it [creation_rule]
      did you mean `creation_rules`?
    sops-rules-unknown-key: SOPS knows no key `encrypted_regexp` and passes over it [encrypted_regexp]
      did you mean `encrypted_regex`?
    ");
}

#[test]
fn says_what_stops_a_rule_only_when_a_file_needs_it() {
    let recipient = Pair::new().recipient;
    let rules = format!(
        "creation_rules:
  - path_regex: pgp
    pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21
    age: {recipient}
  - path_regex: quantum
    age: age1pq1qqqq
  - path_regex: nobody
    encrypted_regex: ^a$
  - path_regex: shamir
    shamir_threshold: 2
    age: {recipient}
  - path_regex: groups
    shamir_threshold: 2
    key_groups: [{{age: [{recipient}]}}, {{age: [{recipient}]}}]
"
    );
    assert!(parse(&rules).unwrap().warnings.is_empty());
    let mut project = Project::new(&Pair::new(), &[]);
    project.rules = rules;
    let problems = project.problems(&[
        ("pgp.sops.yaml", "a: 1\n"),
        ("quantum.sops.yaml", "a: 1\n"),
        ("nobody.sops.yaml", "a: 1\n"),
        ("shamir.sops.yaml", "a: 1\n"),
        ("groups.sops.yaml", "a: 1\n"),
        ("other.sops.yaml", "a: 1\n"),
    ]);
    insta::assert_snapshot!(messages(&problems), @r"
    unsupported-key-groups: a rule has several key groups, and Kiln cannot split a data key over them [key_groups]
      put all recipients into one group, any of which then opens the file
      the rule applies to `groups.sops.yaml`
    no-recipient: a rule names no one to seal for [path_regex]
      add `age: age1…` with the public key of each identity that may open the file
      the rule applies to `nobody.sops.yaml`
    no-creation-rule: no rule of `.sops.yaml` matches `other.sops.yaml` [creation_rules]
      add a rule to `creation_rules` whose `path_regex` matches it, or rename the file
    unsupported-key-type: a rule seals for a key of `pgp`, and Kiln seals for age keys only [pgp]
      use age recipients, or give such files a name without `.sops.` and seal them with `sops`
      the rule applies to `pgp.sops.yaml`
    unsupported-recipient: post-quantum age keys (`age1pq1…`) are not supported yet as recipients [age1pq1qqqq]
      use a key that `age-keygen` makes without options (`age1…`, 62 letters)
      the rule applies to `quantum.sops.yaml`
    shamir-threshold: a threshold of 2 key groups cannot be honoured: the rule has one group [2]
      SOPS would pass over the threshold and let each single key open the file; remove it
      the rule applies to `shamir.sops.yaml`
    ");
}

#[test]
fn says_that_there_are_no_rules() {
    let mut project = Project::new(&Pair::new(), &[]);
    project.rules = "# none yet\n".to_owned();
    insta::assert_snapshot!(messages(&project.problems(&[("a.sops.yaml", "a: 1\n")])), @r"
    no-creation-rule: no rule of `.sops.yaml` matches `a.sops.yaml`
      add a rule to `creation_rules` whose `path_regex` matches it, or rename the file
    ");
}
