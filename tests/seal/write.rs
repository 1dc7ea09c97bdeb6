use super::{CANARY, Pair, Project, messages, sops, sops_decrypts, sops_encrypts, words};

/// Everything that a Kubernetes Secret and a config may hold.
const KITCHEN_SINK: &str = r#"---
# before all
kind: Example # inline
name: plain
stringData:
  # a comment in a secret
  token: canary-7f3a-tweet # behind a value
  quoted: 'it''s'
  double: "tab\t\u00e9 ☃ \U0001F600"
  key.with.dots: x
  "key: odd": y
  empty: ""
  nothing:
  tilde: ~
  int: 42
  octal: 0644
  hex: 0x1F
  underscores: 1_000
  float: 1.50
  small: 1e-7
  whole: 2.0
  yes: yes
  bool: True
  date: 2001-01-01
  time: 2001-12-14t21:59:43.10-05:00
  literal: |
    line one

      line two
  kept: |+
    text

  stripped: >- # on a header
    folded
    text
  indented: |2
      two more
  long: plain
    over lines
  double_long: "over
    lines"
  list:
    - one
    # between items
    - - nested
    - {a: 1, b: [x, "y", null]}
    - key: |
        block in a list
      other: z
    - |
      block item
  empty_list: []
  empty_map: {}
  flow: {a: b, c: "d, e"}
# after all
"#;

pub(super) fn both_ways(more: &[&str], text: &str) {
    let Some(sops) = sops() else { return };
    let pair = Pair::new();
    let project = Project::new(&pair, more);
    let sealed = project.sealed(text);
    let theirs = sops_decrypts(&sops, &pair, &sealed);
    // What sops makes of its own encryption of the same text is what it must make of ours.
    let reference = sops_decrypts(&sops, &pair, &sops_encrypts(&sops, &pair, &project, text));
    assert_eq!(words(&theirs), words(&reference), "{sealed}");
}

#[test]
fn is_opened_by_sops_when_everything_is_encrypted() {
    both_ways(&[], KITCHEN_SINK);
}

#[test]
fn is_opened_by_sops_with_each_selector() {
    for more in [
        &["encrypted_regex: ^(data|stringData)$"][..],
        &[
            "encrypted_regex: ^(data|stringData)$",
            "mac_only_encrypted: true",
        ],
        &["unencrypted_regex: ^(kind|list|time)$"],
        &[
            "unencrypted_regex: ^(kind|list)$",
            "mac_only_encrypted: true",
        ],
        &["encrypted_suffix: Data"],
        &["unencrypted_suffix: ist"],
        &["encrypted_comment_regex: before all"],
        &["unencrypted_comment_regex: behind"],
        &["encrypted_comment_regex: between"],
    ] {
        both_ways(more, KITCHEN_SINK);
    }
}

#[test]
fn is_opened_by_sops_with_several_documents() {
    both_ways(
        &["encrypted_regex: ^b$"],
        "a: 1\nb: 2\n---\n# note\nb:\n  c: |\n    x\n---\nd: 4\n",
    );
    both_ways(&[], "---\na: 1\n...\n---\nb: 2\n");
}

#[test]
fn is_opened_by_sops_when_the_root_is_in_braces() {
    both_ways(&[], "{\"a\": 1, \"b\": [\"c\", {\"d\": null}]}");
    both_ways(&["mac_only_encrypted: true"], "{\n  \"a\": \"x\"\n}\n");
}

#[test]
fn is_opened_by_sops_with_an_indented_root_and_no_final_newline() {
    both_ways(&[], "  a: 1\n  b:\n    c: x");
    both_ways(&["encrypted_regex: ^a$"], "a: 1\nb: |+\n  x\n\n");
}

#[test]
fn keeps_every_line_that_is_not_secret() {
    let pair = Pair::new();
    let project = Project::new(
        &pair,
        &["encrypted_regex: ^stringData$", "mac_only_encrypted: true"],
    );
    let text = "---\n# why\nkind:   Secret  # odd\n\nmetadata: {name: x}\nstringData:\n  a: 1\n  b: |\n    k\nlast: 'y'\n";
    let sealed = project.sealed(text);
    let metadata = sealed.find("sops:\n").unwrap();
    let hide = |line: &str| line.split("ENC[").next().unwrap().to_owned();
    let shown: Vec<String> = sealed[..metadata].lines().map(hide).collect();
    let expected = "---\n# why\nkind:   Secret  # odd\n\nmetadata: {name: x}\nstringData:\n  a: \n  b: \nlast: 'y'";
    assert_eq!(shown.join("\n"), expected);
}

#[test]
fn writes_metadata_as_sops_does() {
    let pair = Pair::new();
    let mut project = Project::new(&pair, &["encrypted_regex: ^a$", "mac_only_encrypted: true"]);
    project.rules += "stores: {yaml: {indent: 2}}\n";
    let sealed = project.sealed("a: 1\n");
    let shown: Vec<&str> = sealed
        .lines()
        .skip(1)
        .map(|line| line.split("ENC[").next().unwrap())
        .collect();
    let recipient = format!("    - recipient: {}", pair.recipient);
    assert_eq!(
        shown[..5],
        [
            "sops:",
            "  age:",
            recipient.as_str(),
            "      enc: |",
            "        -----BEGIN AGE ENCRYPTED FILE-----"
        ]
    );
    let end = shown
        .iter()
        .position(|line| line.ends_with("-----END AGE ENCRYPTED FILE-----"))
        .unwrap();
    assert_eq!(
        shown[end + 1..],
        [
            "  lastmodified: \"2026-03-04T05:06:07Z\"",
            "  mac: ",
            "  encrypted_regex: ^a$",
            "  mac_only_encrypted: true",
            "  version: 3.11.0"
        ]
    );
}

#[test]
fn shows_no_secret_in_any_output() {
    let pair = Pair::new();
    for more in [&[][..], &["encrypted_regex: ^stringData$"]] {
        let project = Project::new(&pair, more);
        let text = KITCHEN_SINK
            .replace(": x\n", ": canary-7f3a-tweet\n")
            .replace("[x, ", "[canary-7f3a-tweet, ")
            .replace("a comment", CANARY)
            .replace("on a header", CANARY)
            .replace("over lines", CANARY)
            .replace("block item", CANARY);
        assert_eq!(text.matches(CANARY).count(), 7);
        assert!(
            !project
                .sealed(&text)
                .split("stringData")
                .nth(1)
                .unwrap()
                .contains(CANARY)
        );
    }
}

#[test]
fn encrypts_a_comment_between_a_key_and_its_first_entry() {
    let pair = Pair::new();
    let project = Project::new(&pair, &["encrypted_regex: ^stringData$"]);
    for text in [
        "stringData:\n# canary-7f3a-tweet\n  a: b\n",
        "stringData:\n  a:\n  - # canary-7f3a-tweet\n    b: c\n",
        "stringData:\n  a: {b: c, # canary-7f3a-tweet\n   d: e}\n",
        "stringData:\n  a: b\n  # canary-7f3a-tweet\nkind: x\n",
        "stringData:\n  - a\n# canary-7f3a-tweet\n  - b\n",
        "stringData:\n  a: |\n    b\n  # canary-7f3a-tweet",
        "stringData:\n  a: | # canary-7f3a-tweet\n    b\n",
    ] {
        let sealed = project.sealed(text);
        assert!(!sealed.contains(CANARY), "{sealed}");
        assert!(
            project.decrypt(&sealed).unwrap().contains(CANARY),
            "{sealed}"
        );
    }
}

#[test]
fn gives_equal_bytes_for_equal_entropy_on_any_number_of_threads() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    let texts: Vec<(String, String)> = (0..20)
        .map(|n| {
            (
                format!("{n:02}.sops.yaml"),
                format!("a: secret {n}\nb: [1, 2]\n"),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let tree = pool.install(|| project.seal(&files)).unwrap().value;
        // All but the stanzas of age, whose randomness is age's own.
        let own = |bytes: &[u8]| -> Vec<String> {
            let text = std::str::from_utf8(bytes).unwrap();
            text.lines()
                .filter(|line| line.contains("ENC["))
                .map(str::to_owned)
                .collect()
        };
        tree.outputs()
            .map(|(_, file)| own(&file.bytes))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(4));
    assert_eq!(run(1).concat().len(), 20 * 3);
}

#[test]
fn refuses_what_sops_cannot_encrypt() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    let files = [
        ("alias.sops.yaml", "a: &x 1\nb: *x\n"),
        (
            "version.sops.yaml",
            "%YAML 1.2\n---\na: canary-7f3a-tweet\n",
        ),
        ("big.sops.yaml", "a: 18446744073709551615\n"),
        ("empty.sops.yaml", "# nothing\n"),
        ("key.sops.yaml", "1: a\n'2': b\n"),
        ("list.sops.yaml", "- a\n"),
        ("sops.sops.yaml", "a: 1\nsops: 2\n"),
        ("syntax.sops.yaml", "a: [canary-7f3a-tweet\n"),
        ("tag.sops.yaml", "a: !custom b\nc: !!str d\n"),
        ("twice.sops.yaml", "a: 1\na: 2\n"),
        ("env.sops.env", "A=1\n"),
        ("json.sops.json", "{\"a\": 1}\n["),
        ("list.sops.json", "[1]\n"),
        ("ini.sops.ini", "a=canary-7f3a-tweet\n"),
    ];
    insta::assert_snapshot!(messages(&project.problems(&files)), @r"
    unsealable-yaml: there is an anchor in what is encrypted of `alias.sops.yaml`, which SOPS could not open [1]
      write the value out where it is used
    unsealable-yaml: there is an alias in what is encrypted of `alias.sops.yaml`, which SOPS could not open [*x]
      write the value out where it is used
    unsealable-yaml: there is a number beyond 64 bits in `big.sops.yaml`, which cannot be sealed [18446744073709551615]
      put the number in quotes
    unsealable-yaml: `empty.sops.yaml` holds nothing that could be sealed
    unsupported-secret-format: `env.sops.env` is of the format dotenv, and Kiln seals YAML, JSON and binary files []
      put the content into a `*.sops.yaml` file; if it is no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it
    unsupported-secret-format: `ini.sops.ini` is of the format INI, and Kiln seals YAML, JSON and binary files []
      put the content into a `*.sops.yaml` file; if it is no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it
    unsealable-json: `json.sops.json` is no JSON object that SOPS reads: something follows the end of the object [[]
    unsealable-yaml: the key `1` is not a string in `key.sops.yaml`, which cannot be sealed [1]
      put the key in quotes
    unsealable-json: `list.sops.json` is no JSON object that SOPS reads: it does not start with `{` [[]
    unsealable-yaml: a document of `list.sops.yaml` is not a mapping, which SOPS cannot encrypt [a]
      put the value below a key
    unsealable-yaml: `sops.sops.yaml` has a top-level key `sops`, which SOPS keeps for itself [sops]
      rename the key; a file that is sealed already is carried as it is where its name does not end in `.tera`
    yaml-syntax: unclosed bracket '[' [[]
    unsealable-yaml: there is a tag in `tag.sops.yaml`, which cannot be sealed [!custom]
      leave the tag out, or quote a value that is to be a string
    yaml-syntax: the key `a` is set twice [a]
    unsealable-yaml: `version.sops.yaml` asks for a version of YAML other than 1.1, and SOPS reads no other [%YAML 1.2]
      remove the `%YAML` line
    ");
}

#[test]
fn refuses_comments_that_decide_but_do_not_say_about_what() {
    let pair = Pair::new();
    let file = [("a.sops.yaml", "a:\n  - b\n# secret\n  - c\n")];
    let by_comment = Project::new(&pair, &["encrypted_comment_regex: secret"]);
    insta::assert_snapshot!(messages(&by_comment.problems(&file)), @r"
    sops-comment-astray: a comment that `encrypted_comment_regex` matches is not aligned with what follows in `a.sops.yaml` [# secret]
      indent it like the entry it is about, as it decides what is encrypted
    ");
    let other = [("a.sops.yaml", "a:\n  - b\n# secret\n  - c\n# else\nd: e\n")];
    let by_another = Project::new(&pair, &["encrypted_comment_regex: else"]);
    assert!(by_another.seal(&other).is_ok());
    let all = Project::new(&pair, &["unencrypted_comment_regex: ENC"]);
    insta::assert_snapshot!(messages(&all.problems(&file)), @r"
    sops-rules-comment-regex: `unencrypted_comment_regex` also matches an encrypted comment of `a.sops.yaml` [# secret]
      make it match only what the ciphertext cannot hold, such as `^ plain$` with its blank
    ");
}

#[test]
fn refuses_a_file_in_which_nothing_is_encrypted() {
    let project = Project::new(&Pair::new(), &["encrypted_regex: ^(data|stringData)$"]);
    let files = [
        ("a.sops.yaml", "kind: Secret\nstringdata:\n  a: b\n"),
        ("b.sops.yaml", "data: {a: b}\n"),
        ("c.sops.yaml", "# a note\nmachine:\n  token: swordfish\n"),
        // Nothing that could be hidden is there, but the rule would.
        ("d.sops.yaml", "data: {a: ''}\n"),
        ("e.sops.yaml", "data:\n"),
    ];
    insta::assert_snapshot!(messages(&project.problems(&files)), @r"
    seal-covers-nothing: no value of `a.sops.yaml` is encrypted: `encrypted_regex` of its rule leaves all in plain text [kind]
      change `encrypted_regex`; if the file holds no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it
    seal-covers-nothing: no value of `c.sops.yaml` is encrypted: `encrypted_regex` of its rule leaves all in plain text [machine]
      change `encrypted_regex`; if the file holds no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it
    ");
}

#[test]
fn refuses_to_leave_a_value_of_a_secret_in_plain_text() {
    let pair = Pair::new();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: one\n";
    let values = "stringData:\n  token: swordfish\n  user: admin\n  empty: ''\n  later: ${TOKEN}\n";
    let text = format!("{secret}{values}");
    for (more, open) in [
        ("encrypted_regex: ^(data|stringData)$", ""),
        ("unencrypted_suffix: _plain", ""),
        ("encrypted_regex: ^token$", "`stringData.user`"),
        ("unencrypted_regex: ^user$", "`stringData.user`"),
        (
            "encrypted_suffix: name",
            "`stringData.token`, `stringData.user`",
        ),
    ] {
        let project = Project::new(&pair, &[more]);
        let Err(problems) = project.seal(&[("a.sops.yaml", &text)]) else {
            assert_eq!(open, "", "{more}");
            continue;
        };
        let told = messages(&problems);
        let key = more.split(':').next().unwrap();
        let expected = format!(
            "seal-leaves-plain: `{key}` of its rule leaves {open} of Secret `one` in `a.sops.yaml` in plain text"
        );
        assert!(told.starts_with(&expected), "{more}: {told}");
        assert!(!told.contains("swordfish"), "{told}");
    }
    // In a list, in a second document, and one problem for each Secret.
    let item = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}, data: {{a: eA==, b: eA==}}}}"
        )
    };
    let listed = format!(
        "a: 1\n---\nkind: List\nitems: [{}, {}]\n",
        item("x"),
        item("y")
    );
    let project = Project::new(&pair, &["encrypted_regex: ^a$"]);
    insta::assert_snapshot!(messages(&project.problems(&[("a.sops.yaml", &listed)])), @r"
    seal-leaves-plain: `encrypted_regex` of its rule leaves `data.b` of Secret `x` in `a.sops.yaml` in plain text [b]
      `encrypted_regex: ^(data|stringData)$` covers all values of a Secret, and no selector at all covers the whole file
    seal-leaves-plain: `encrypted_regex` of its rule leaves `data.b` of Secret `y` in `a.sops.yaml` in plain text [b]
      `encrypted_regex: ^(data|stringData)$` covers all values of a Secret, and no selector at all covers the whole file
    ");
}

#[test]
fn leaves_other_files_alone() {
    let pair = Pair::new();
    let project = Project::new(&pair, &[]);
    let tree = project
        .seal(&[("a.yaml", "a: 1\n"), (".sops.yaml", "x\n")])
        .unwrap()
        .value;
    assert!(tree.outputs().all(|(_, file)| !file.sealed));
}
