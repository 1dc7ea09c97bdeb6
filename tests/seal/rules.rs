use std::fmt::Write as _;

use super::{NOW, Pair, Project, Stream, messages, run_sops, sops, sops_encrypts};
use kiln::diagnostic::StageResult;
use kiln::seal::{Earlier, Inputs, Keyring, Rules};
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

/// A project on disk in which `sops` and we look for the rule of a file: rule files by their paths, whether Kiln
/// renders them or not, and the folder of the outputs.
struct RuleSearch<'p> {
    pair: &'p Pair,
    output: &'static str,
    /// Each with the patterns of its rules, in order; an empty one stands for a rule without `path_regex`.
    rule_files: &'static [(&'static str, &'static [&'static str])],
}

impl RuleSearch<'_> {
    const FILES: [&'static str; 6] = [
        "x.sops.yaml",
        "apps/x.sops.yaml",
        "apps/a/b/x.sops.yaml",
        "secrets/x.yaml",
        "talos/x.enc.yaml",
        "kubernetes/x.sops.yml",
    ];

    fn text(&self, folder: &str, patterns: &[&str]) -> String {
        let mut text = "creation_rules:\n".to_owned();
        for (index, pattern) in patterns.iter().enumerate() {
            // The selector tells which rule was taken.
            writeln!(text, "  - age: {}", self.pair.recipient).unwrap();
            writeln!(text, "    encrypted_regex: ^(all|{folder}_{index})$").unwrap();
            if !pattern.is_empty() {
                writeln!(text, "    path_regex: '{pattern}'").unwrap();
            }
        }
        text
    }

    fn sources(&self) -> Vec<(String, String)> {
        let sources = self.rule_files.iter().map(|(folder, patterns)| {
            let word = folder.replace('/', "-");
            ((*folder).to_owned(), self.text(&word, patterns))
        });
        sources.collect()
    }

    fn full(&self, path: &str) -> String {
        format!("{}/{path}", self.output)
            .trim_start_matches('/')
            .to_owned()
    }

    /// Runs `sops` in the folder of a file, and returns the selector that it took, if it found a rule.
    fn theirs(&self, sops: &std::path::Path, path: &str) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for (folder, text) in self.sources() {
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(".sops.yaml"), text).unwrap();
        }
        let file = root.path().join(self.full(path));
        let folder = file.parent().unwrap();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&file, "all: 1\n").unwrap();
        let output = std::process::Command::new(sops)
            .env_clear()
            .env("HOME", root.path())
            .current_dir(folder)
            .arg("encrypt")
            .arg(file.file_name().unwrap())
            .output()
            .unwrap();
        if output.status.success() {
            return selector(&String::from_utf8(output.stdout).unwrap());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let none = ["no matching creation rules found", "config file not found"];
        assert!(none.iter().any(|none| said.contains(none)), "{said}");
        None
    }

    fn ours(&self, path: &str) -> Option<String> {
        let sources = self.sources().into_iter().map(|(folder, text)| {
            let source = Source::new(format!("{folder}/.sops.yaml"), text);
            (folder, source)
        });
        let rules = Rules::read(sources, self.output).unwrap().value;
        let inputs = Inputs {
            rules: &rules,
            keyring: &Keyring::default(),
            knows_recipients: true,
            earlier: &Earlier::default(),
            unseen: None,
            data_keys: kiln::seal::DataKeys::Kept,
            now: NOW,
        };
        let tree = super::named_tree(&[(path, "all: 1\n")]);
        match kiln::seal::seal(tree, &inputs, &mut Stream(1)) {
            Ok(sealed) => {
                let (_, file) = sealed.value.outputs().next().unwrap();
                selector(std::str::from_utf8(&file.bytes).unwrap())
            }
            Err(problems) => {
                assert_eq!(problems[0].code(), "no-creation-rule");
                None
            }
        }
    }
}

fn selector(sealed: &str) -> Option<String> {
    let mut lines = sealed.lines().map(str::trim);
    lines
        .find_map(|line| line.strip_prefix("encrypted_regex: "))
        .map(str::to_owned)
}

/// Patterns whose anchors tell one folder from another.
const ANCHORS: &[&str] = &[
    r"^kubernetes/.*\.sops\.ya?ml$",
    "^secrets/",
    "^apps/x",
    r"^a/b/",
    r"(^|/)talos/[^/]+$",
    r"^x\.sops",
];

/// For each place of rule files and outputs, the rule that we take is the one that `sops` takes in the file's folder.
#[test]
fn takes_the_rule_that_sops_takes_wherever_rules_and_outputs_are() {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    let mut found = std::collections::BTreeSet::new();
    for output in ["", "kubernetes", "a/b"] {
        for rule_files in [
            &[("", ANCHORS)][..],
            &[("", &["^kubernetes/", ""])],
            &[("", ANCHORS), ("kubernetes", ANCHORS), ("a", ANCHORS)],
            &[("", &[""]), ("a/b", ANCHORS), ("kubernetes/apps", &["^x"])],
            &[
                ("", ANCHORS),
                ("apps/a", &["^b/", ""]),
                ("kubernetes/apps/a/b", &["^x", ""]),
            ],
            &[("a/b/apps", &["b/x"]), ("secrets", &["^x"])],
        ] {
            let search = RuleSearch {
                pair: &pair,
                output,
                rule_files,
            };
            for path in RuleSearch::FILES {
                let theirs = search.theirs(&sops, path);
                assert_eq!(search.ours(path), theirs, "{output} {path} {rule_files:?}");
                found.insert(theirs);
            }
        }
    }
    assert!(found.len() > 12, "{found:?}");
}

/// Which files a rule names, and which rules are defaults.
#[test]
fn seals_what_a_rule_names_whatever_it_is_called() {
    let recipient = Pair::new().recipient;
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n";
    let files = [
        ("apps/kustomization.yaml", "resources: [x.yaml]\n"),
        ("apps/ks.yaml", flux),
        ("apps/namespace.yaml", "apiVersion: v1\nkind: Namespace\n"),
        ("apps/x.yaml", "a: b\n"),
        ("apps/x.enc.yaml", "a: b\n"),
        ("apps/x.sops.yaml", "a: b\n"),
        ("apps/ks.sops.yaml", flux),
        ("secrets/x.yaml", "a: b\n"),
        ("secrets/key.pem", "a\n"),
        ("talos/talconfig.yaml", "a: b\n"),
        ("talos/patch.yaml", "a: b\n"),
        (".sops.yaml", "creation_rules: []\n"),
    ];
    let files = files.map(|(path, text)| crate::harden::trees::file(path, text));
    for (patterns, named) in [
        (&[""][..], &[][..]),
        (&[".*.yaml"], &[]),
        (&["^apps/"], &[]),
        (&["^k"], &[]),
        (&["^[k-z]"], &[]),
        (&["^apps/k"], &[]),
        (&["^apps/n"], &[]),
        (&["^talos/"], &[]),
        (&["sops"], &["apps/x.sops.yaml", "apps/ks.sops.yaml"]),
        (
            &[r"\.sops\.yaml$"],
            &["apps/x.sops.yaml", "apps/ks.sops.yaml"],
        ),
        (
            &["^apps/x"],
            &["apps/x.yaml", "apps/x.enc.yaml", "apps/x.sops.yaml"],
        ),
        (&["/secrets/"], &[]),
        (&["^secrets/"], &["secrets/x.yaml", "secrets/key.pem"]),
        (&["^talos/patch"], &["talos/patch.yaml"]),
        // The first rule that matches decides, and a default one takes what it matches.
        (&[".*.yaml", "^secrets/"], &["secrets/key.pem"]),
        (&[r"enc\.yaml$", ".*.yaml"], &["apps/x.enc.yaml"]),
        (
            &[r".*\.(enc|sops)\.yaml$"],
            &["apps/x.enc.yaml", "apps/x.sops.yaml", "apps/ks.sops.yaml"],
        ),
    ] {
        let mut text = "creation_rules:\n".to_owned();
        for pattern in patterns {
            writeln!(text, "  - age: {recipient}\n    path_regex: '{pattern}'").unwrap();
        }
        let rules = parse(&text).unwrap().value;
        let expected = named.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(rules.named(files.iter()), expected, "{patterns:?}");
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
    bad-recipient: `age1abc` is a broken age recipient: a character that no key has [*******]
      copy the whole public key again
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
  - path_regex: rsa
    age: ssh-rsa AAAAB3
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
        ("rsa.sops.yaml", "a: 1\n"),
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
      use age recipients, or keep such files out of the templates and seal them with `sops`
      the rule applies to `pgp.sops.yaml`
    unsupported-recipient: SSH keys of the kind `ssh-rsa` are not supported as recipients [ssh-rsa AAAAB3]
      private keys of RSA can be learned by timing (RUSTSEC-2023-0071): make a key with `ssh-keygen -t ed25519`
      the rule applies to `rsa.sops.yaml`
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
