use super::{CANARY, Pair, Project, messages, run_sops, sops, sops_encrypts, succeeded, words};
use kiln::seal::{self, Keyring};
use kiln::secret::Secret;
use kiln::source::Source;

const CONFIG: &str = r#"# head
network:
  node_cidr: 10.0.0.0/24 # inline
dns:
  # about the token
  token: "canary-7f3a-tweet"
  ttl: 300
  ratio: 0.5
  mode: 0644
  since: 2001-01-01
  on: true
  nothing: null
  empty: ""
key: |
  -----BEGIN-----

  body
  -----END-----
list:
  # about one
  - one
  - "2"
  - {a: b}
"#;

#[test]
fn opens_what_sops_sealed() {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    for more in [
        &[][..],
        &["encrypted_regex: ^(dns|list)$"],
        &["encrypted_regex: ^(dns|list)$", "mac_only_encrypted: true"],
        &["unencrypted_suffix: list"],
        &["encrypted_suffix: s"],
        &["unencrypted_regex: ^key$"],
        &["encrypted_comment_regex: about"],
        &["unencrypted_comment_regex: about"],
    ] {
        let project = Project::new(&pair, more);
        let theirs = sops_encrypts(&sops, &pair, &project, CONFIG);
        assert!(seal::is_sealed(&theirs));
        let ours = project
            .decrypt(&theirs)
            .unwrap_or_else(|problem| panic!("{}\n{theirs}", messages(&[problem])));
        let reference = succeeded(&run_sops(
            &sops,
            &pair,
            "",
            &["decrypt"],
            "a.sops.yaml",
            &theirs,
        ));
        assert_eq!(words(&ours), words(&reference), "{theirs}");
    }
}

#[test]
fn opens_documents_and_json_from_sops() {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    let project = Project::new(&pair, &["encrypted_regex: ^a$"]);
    let theirs = sops_encrypts(&sops, &pair, &project, "a: 1\nc: x\n---\na:\n    b: 2\n");
    assert_eq!(
        project.decrypt(&theirs).unwrap(),
        "a: 1\nc: x\n---\na:\n    b: 2\n"
    );
    let json = run_sops(
        &sops,
        &pair,
        &project.rules,
        &["encrypt"],
        "a.json",
        r#"{"a": {"b": "x", "n": [1, true]}, "c": 2}"#,
    );
    let plain = project.decrypt(&succeeded(&json)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&plain.replace("0x", "")).unwrap();
    assert_eq!(
        value,
        serde_json::json!({"a": {"b": "x", "n": [1, true]}, "c": 2})
    );
}

#[test]
fn opens_its_own_files_to_readable_yaml() {
    let pair = Pair::new();
    let project = Project::new(&pair, &["unencrypted_regex: ^network$"]);
    let plain = project.decrypt(&project.sealed(CONFIG)).unwrap();
    let expected = CONFIG
        .replace("\"canary-7f3a-tweet\"", "canary-7f3a-tweet")
        .replace("0644", "420")
        .replace("2001-01-01", "2001-01-01T00:00:00Z")
        .replace("{a: b}", "{a: \"b\"}");
    assert_eq!(plain, expected);
}

#[test]
fn tells_sealed_from_plain() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    assert!(seal::is_sealed(&project.sealed("a: 1\n")));
    assert!(seal::is_sealed(&project.sealed("{\"a\": 1}\n")));
    assert!(!seal::is_sealed("sops: {mac: x}\n"));
    assert!(!seal::is_sealed("a: 'sops: ENC['\n"));
}

#[test]
fn detects_tampering() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    let sealed = project.sealed("a_unencrypted: 1\nb: two\nc: two\nd: [x, y]\n");
    let line = |key: &str| {
        sealed
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned()
    };
    let value = |key: &str| line(key)[3..].to_owned();
    let cut = line("b").replace("data:", "data:=");
    for changed in [
        // A value that is not encrypted.
        sealed.replace("a_unencrypted: 1", "a_unencrypted: 2"),
        // A value moved to another key.
        sealed.replace(&value("c"), &value("b")),
        // A value left out.
        sealed.replace(&format!("{}\n", line("c")), ""),
        // Values of one list swapped: they share their context, only the MAC knows the order.
        sealed.replace(&line("d"), &swap(&line("d"))),
        // A plain text in the place of a ciphertext.
        sealed.replace(&value("b"), CANARY),
        // No ciphertext any more.
        sealed.replace(&line("b"), &cut),
        // Another time.
        sealed.replace("2026-03-04T05", "2026-03-04T06"),
    ] {
        assert_ne!(changed, sealed);
        let problem = project.decrypt(&changed).unwrap_err();
        assert!(
            ["mac-mismatch", "malformed-ciphertext"].contains(&problem.code()),
            "{}",
            problem.code()
        );
        assert!(!messages(&[problem]).contains(CANARY));
    }
    assert!(project.decrypt(&sealed).is_ok());
}

fn swap(line: &str) -> String {
    let inner = line
        .strip_prefix("d: [")
        .unwrap()
        .strip_suffix(']')
        .unwrap();
    let (one, two) = inner.split_once(", ").unwrap();
    format!("d: [{two}, {one}]")
}

#[test]
fn says_which_identity_is_missing() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    let source = Source::new(
        "cluster.sops.yaml",
        project.sealed("a: canary-7f3a-tweet\n"),
    );
    let other = Pair::new();
    let texts = [("$SOPS_AGE_KEY".to_owned(), Secret::new(other.identity))];
    let (wrong, _) = Keyring::parse(&texts);
    let none = Keyring::default().looked_in([
        "age.key".to_owned(),
        "~/.config/sops/age/keys.txt".to_owned(),
    ]);
    let problems = [
        seal::decrypt(&source, &none).unwrap_err(),
        seal::decrypt(&source, &wrong).unwrap_err(),
    ];
    let shown = messages(&problems)
        .replace(&pair.recipient, "age1(pair)")
        .replace(&other.recipient, "age1(other)");
    insta::assert_snapshot!(shown, @r"
    missing-identity: there is no age identity to open `cluster.sops.yaml` with
      the file is sealed for `age1(pair)`
      Kiln looked for identities in `age.key`, `~/.config/sops/age/keys.txt`
    wrong-identity: the age identity at hand does not open `cluster.sops.yaml`
      the file is sealed for `age1(pair)`
      the identity at hand is for `age1(other)`
      Kiln looked for identities in `$SOPS_AGE_KEY`
    ");
}

#[test]
fn tries_every_identity_and_every_recipient() {
    let (one, two) = (Pair::new(), Pair::new());
    let project = Project::new(&one, &[]);
    let both = Project {
        rules: project.rules.replace(
            &one.recipient,
            &format!("'{}, {}'", one.recipient, two.recipient),
        ),
        ..project
    };
    let sealed = both.sealed("a: x\n");
    let text = format!("{}\n\n{}\n", Pair::new().identity, two.identity);
    let (keyring, problems) = Keyring::parse(&[("keys".to_owned(), Secret::new(text))]);
    assert!(problems.is_empty());
    // The name of a recipient is not authenticated and must not decide.
    let renamed = sealed.replace(&two.recipient, &Pair::new().recipient);
    assert_eq!(
        seal::decrypt(&Source::new("a", renamed), &keyring).unwrap(),
        "a: x\n"
    );
}

#[test]
fn warns_of_lines_that_are_no_identity_and_never_shows_them() {
    let texts = [(
        "age.key".to_owned(),
        Secret::new(
            "AGE-SECRET-KEY-PQ-1CANARY-7F3A-TWEET\nAGE-PLUGIN-YUBIKEY-1CANARY-7F3A-TWEET\n\
             -----BEGIN RSA PRIVATE KEY-----\ncanary-7f3a-tweet\n-----END RSA PRIVATE KEY-----\ncanary-7f3a-tweet\n",
        ),
    )];
    let (keyring, problems) = seal::read_identities(&texts);
    assert!(keyring.is_empty());
    insta::assert_snapshot!(messages(&problems), @r"
    bad-identity: line 1 of `age.key` is a broken age identity: a character that no key has
      copy the whole file again: `AGE-SECRET-KEY-1…` has 74 characters, `AGE-SECRET-KEY-PQ-1…` 77
    unsupported-identity: line 2 of `age.key` is a damaged key of an age plugin, which is not supported
    unsupported-identity: line 3 of `age.key` is a key in several lines beside others, which is not supported
    bad-identity: line 6 of `age.key` is not an age identity
      an identity is a line that starts with `AGE-SECRET-KEY-`
    ");
}

#[test]
fn says_what_is_wrong_with_a_file_that_does_not_open() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    let sealed = project.sealed("a: x\n");
    let pgp = sealed.replace("    age:\n", "    pgp:\n");
    let mac = sealed.replace("lastmodified", "last");
    let groups = sealed.replace(
        "    age:\n",
        "    key_groups: [{age: []}, {age: []}]\n    age:\n",
    );
    let problems: Vec<_> = ["a: 1\n", &pgp, &mac, &groups]
        .iter()
        .map(|text| project.decrypt(text).unwrap_err())
        .collect();
    insta::assert_snapshot!(messages(&problems), @r"
    not-sealed: `a.sops.yaml` is not a file that SOPS sealed
      it has no top-level key `sops`
    unsupported-key-type: `a.sops.yaml` is sealed for pgp and not for any age key
      Kiln opens files with age identities only: add an age recipient with `sops updatekeys`
    malformed-sops-metadata: `a.sops.yaml` cannot be opened: the SOPS metadata has no `lastmodified` [sops]
    malformed-sops-metadata: `a.sops.yaml` cannot be opened: the data key is split over several key groups, which cannot be joined here [sops]
    ");
}

/// The type beside a ciphertext is not authenticated: a string that claims another type must not
/// come out as bare YAML.
#[test]
fn takes_no_text_for_a_type_it_is_not() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    for (value, from, to, opens) in [
        (r#""x\nadmin: true""#, "str", "int", false),
        (r#""x\nadmin: true""#, "str", "float", false),
        (r#""x\nadmin: true""#, "str", "bool", false),
        (r#""x\nadmin: true""#, "str", "time", false),
        ("1.5", "float", "int", false),
        ("5", "int", "time", false),
        // Not as SOPS spells the number, so that its MAC is another.
        ("'1e5'", "str", "float", false),
        ("'t'", "str", "bool", false),
        // Nothing tells these from what SOPS would have written.
        ("'5'", "str", "int", true),
        ("5", "int", "str", true),
        (".inf", "float", "str", true),
        ("true", "bool", "str", true),
        ("2001-01-01", "time", "str", true),
    ] {
        let sealed = project.sealed(&format!("a: {value}\n"));
        let (values, metadata) = sealed.split_once("sops:").unwrap();
        let values = values.replace(&format!("type:{from}]"), &format!("type:{to}]"));
        let forged = format!("{values}sops:{metadata}");
        assert_ne!(forged, sealed);
        let ours = project.decrypt(&forged);
        assert_eq!(ours.is_ok(), opens, "{value} as {to}");
        let Some(sops) = sops() else { continue };
        let theirs = run_sops(&sops, &pair, "", &["decrypt"], "a.sops.yaml", &forged);
        assert_eq!(theirs.status.success(), opens, "{value} as {to}");
    }
}
