use std::fmt::Write as _;

use insta::assert_snapshot;

use super::small;
use crate::support::Sandbox;

const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: one\nstringData:\n  token: swordfish\n";
/// An age recipient whose identity nobody has.
const STRANGER: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// The public key of the project's identity.
fn recipient(sandbox: &Sandbox) -> String {
    let text = sandbox.read("age.key");
    let at = text.find("age1").unwrap();
    text[at..].split_whitespace().next().unwrap().to_owned()
}

/// A project with these templates and its rules, each of a pattern and further lines.
fn project(output: &str, rules: &[(&str, &str)], templates: &[(&str, &str)]) -> Sandbox {
    let sandbox = small();
    sandbox.write(
        "kiln.toml",
        format!("catalogue = false\noutput = \"{output}\"\n"),
    );
    sandbox.write(".sops.yaml", rule_file(&sandbox, rules));
    for (path, text) in templates {
        sandbox.write(&format!("templates/{path}"), text);
    }
    sandbox
}

fn rule_file(sandbox: &Sandbox, rules: &[(&str, &str)]) -> String {
    let mut text = "creation_rules:\n".to_owned();
    for (pattern, more) in rules {
        writeln!(text, "  - path_regex: '{pattern}'\n    {more}").unwrap();
        if !more.contains("age:") {
            writeln!(text, "    age: {}", recipient(sandbox)).unwrap();
        }
    }
    text
}

const VALUES: &str = "encrypted_regex: ^(data|stringData)$";

#[test]
fn seals_by_the_rule_for_the_path_in_the_project() {
    let stranger = format!("age: {STRANGER}");
    for output in ["kubernetes", "./kubernetes/", "kubernetes/."] {
        let sandbox = project(
            output,
            &[(r"^kubernetes/.*\.sops\.yaml$", VALUES), (".", &stranger)],
            &[("apps/x.sops.yaml", SECRET)],
        );
        sandbox.kiln(&["render"]).success();
        let sealed = sandbox.read("kubernetes/apps/x.sops.yaml");
        assert!(sealed.contains(&recipient(&sandbox)), "{output}: {sealed}");
        assert!(!sealed.contains(STRANGER), "{output}: {sealed}");
        sandbox.kiln(&["render"]).success();
        assert_eq!(sandbox.read("kubernetes/apps/x.sops.yaml"), sealed);
    }
}

#[test]
fn seals_by_the_nearest_rules_that_are_kept_by_hand() {
    let sandbox = project("out", &[(".", VALUES)], &[("apps/x.sops.yaml", SECRET)]);
    sandbox.write(
        "out/apps/.sops.yaml",
        rule_file(&sandbox, &[("^x", "encrypted_regex: ^token$")]),
    );
    sandbox.kiln(&["render"]).success();
    let sealed = sandbox.read("out/apps/x.sops.yaml");
    let mut lines = sealed.lines().map(str::trim_start);
    assert!(
        lines.any(|line| line == "encrypted_regex: ^token$"),
        "{sealed}"
    );
    sandbox.write(
        "out/apps/.sops.yaml",
        rule_file(&sandbox, &[("^apps/", VALUES)]),
    );
    assert_snapshot!(sandbox.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[no-creation-rule]: no rule of `out/apps/.sops.yaml` matches `apps/x.sops.yaml`, which is `x.sops.yaml` to SOPS
     --> out/apps/.sops.yaml:1:1
      |
    1 | creation_rules:
      | ^^^^^^^^^^^^^^
      |
      = help: add a rule to `creation_rules` whose `path_regex` matches it, or rename the file

    1 error, nothing written
    ");
}

#[test]
fn seals_what_a_rule_names_and_keeps_it() {
    let sandbox = project(
        "out",
        &[("^out/secrets/", VALUES), (r"\.enc\.yaml$", VALUES)],
        &[
            ("secrets/x.yaml", SECRET),
            ("apps/y.enc.yaml", SECRET),
            ("apps/z.yaml", "a: b\n"),
        ],
    );
    sandbox.kiln(&["check"]).success();
    sandbox.kiln(&["render"]).success();
    let read = || ["out/secrets/x.yaml", "out/apps/y.enc.yaml"].map(|path| sandbox.read(path));
    let sealed = read();
    for text in &sealed {
        let mut values = text.lines().map(str::trim_start);
        assert!(values.any(|line| line.starts_with("token: ENC[")), "{text}");
        assert!(!text.contains("swordfish"), "{text}");
    }
    assert_eq!(sandbox.read("out/apps/z.yaml"), "a: b\n");
    // What is there is opened, too: it stays, and a comparison sees no difference.
    let again = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(again.steady(), @"
    exit code 0
    --- stderr
    rendered 5 templates: 0 created, 0 changed, 5 unchanged, 0 removed; 2 sealed (2 kept); 0 injections in [N] ms
    ");
    assert_eq!(read(), sealed);
    sandbox.kiln(&["render", "--check"]).success();
    sandbox.kiln(&["diff", "--disk"]).success();
    // A change is told by key.
    sandbox.write(
        "templates/secrets/x.yaml",
        SECRET.replace("swordfish", "marlin"),
    );
    let changed = sandbox.kiln(&["diff", "--disk", "--with-keys"]);
    insta::assert_snapshot!(changed, @"
    exit code 1
    --- stdout
    the rendered files on disk → the working tree

    ~ Secret/one
      out/secrets/x.yaml:1
      stringData.token: secret changed

    1 changed
    ");
}

#[test]
fn takes_a_rule_that_matches_everything_for_a_default() {
    let templates = [
        (
            "apps/kustomization.yaml",
            "resources: [x.yaml, y.sops.yaml]\n",
        ),
        ("apps/y.sops.yaml", SECRET),
        (
            "apps/x.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n",
        ),
    ];
    let sandbox = project("out", &[(".*.yaml", VALUES)], &templates);
    sandbox.kiln(&["render"]).success();
    let open = sandbox.read("out/apps/x.yaml");
    assert!(open.lines().any(|line| line == "data: {a: b}"), "{open}");
    assert!(!sandbox.read("out/apps/y.sops.yaml").contains("swordfish"));
    sandbox.write("templates/apps/x.yaml", SECRET.replace("one", "two"));
    assert_snapshot!(sandbox.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[secret-unsealed]: Secret `two` has values, but `apps/x.yaml` will not be sealed
    --> apps/x.yaml:5:1
    ::: templates/apps/x.yaml:5:1
     = note: rendered from here
     = help: name the file `x.sops.yaml`
     = help: or have a rule of `.sops.yaml` name it: by a `path_regex` that matches it, and no file that Kustomize, Flux or Talos reads in plain text

    1 error, nothing written
    ");
    assert!(!sandbox.read("out/apps/x.yaml").contains("swordfish"));
}

#[test]
fn writes_nothing_where_a_rule_covers_too_little() {
    let sandbox = project(
        "out",
        &[(".", VALUES)],
        &[("talos/x.sops.yaml", "machine:\n  token: swordfish\n")],
    );
    assert_snapshot!(sandbox.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[seal-covers-nothing]: no value of `talos/x.sops.yaml` is encrypted: `encrypted_regex` of its rule leaves all in plain text
     --> talos/x.sops.yaml:1:1
      |
     ::: .sops.yaml:3:5
      |
    3 |     encrypted_regex: ^(data|stringData)$
      |     --------------- by this rule
      |
      = help: change `encrypted_regex`; if the file holds no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it

    1 error, nothing written
    ");
    let token = project(
        "out",
        &[(".", "encrypted_regex: ^user$")],
        &[("x.sops.yaml", &format!("{SECRET}  user: a\n"))],
    );
    assert_snapshot!(token.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[seal-leaves-plain]: `encrypted_regex` of its rule leaves `stringData.token` of Secret `one` in `x.sops.yaml` in plain text
     --> x.sops.yaml:6:3
      |
     ::: .sops.yaml:3:5
      |
    3 |     encrypted_regex: ^user$
      |     --------------- by this rule
      |
      = help: `encrypted_regex: ^(data|stringData)$` covers all values of a Secret, and no selector at all covers the whole file

    1 error, nothing written
    ");
    for sandbox in [sandbox, token] {
        assert!(!sandbox.files().iter().any(|path| path.starts_with("out/")));
    }
}

#[test]
fn refuses_a_named_file_of_another_format() {
    let sandbox = project(
        "out",
        &[("^out/secrets/", VALUES)],
        &[("secrets/key.env", "KEY=swordfish\n")],
    );
    assert_snapshot!(sandbox.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[unsupported-secret-format]: `secrets/key.env` is of the format dotenv, and Kiln seals YAML, JSON and binary files
     --> secrets/key.env:1:1
      |
     ::: .sops.yaml:2:5
      |
    2 |   - path_regex: '^out/secrets/'
      |     ---------- named by this rule
      |
      = help: put the content into a `*.sops.yaml` file; if it is no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it

    1 error, nothing written
    ");
}

/// A list of what is ignored or known hides no secret that would be written in plain text.
#[test]
fn no_list_lets_a_secret_be_written_in_plain_text() {
    let open = "apiVersion: v1\nkind: Secret\nmetadata: {name: one}\nstringData: {a: b}\n";
    let leak = "a: #{ secret(path=\"token.txt\") }#\n";
    for (path, template, code) in [
        ("open.yaml", open, "secret-unsealed"),
        ("leak.yaml", leak, "secret-leak"),
    ] {
        let sandbox = small();
        sandbox.write("token.txt", "canary-of-the-token\n");
        sandbox.write(
            ".gitignore",
            format!("{}token.txt\n", sandbox.read(".gitignore")),
        );
        sandbox.write(&format!("templates/{path}.tera"), template);
        let toml = "catalogue = false\noutput = \"out\"\n\n[check]\n";
        let lists = [
            format!("ignore = [\"{path}\", \"out\"]\n"),
            "baseline = \"known.yaml\"\n".to_owned(),
        ];
        for list in lists {
            sandbox.write("kiln.toml", format!("{toml}{list}"));
            if list.starts_with("baseline") {
                sandbox.kiln(&["check", "--write-baseline"]).success();
                assert!(!sandbox.read("known.yaml").contains(code), "{list}");
            }
            let run = sandbox.kiln(&["render"]);
            let expected = format!("error[{code}]");
            assert_eq!(
                (run.code, run.codes()),
                (Some(1), vec![expected.as_str()]),
                "{list}: {run}"
            );
            assert!(!sandbox.path(&format!("out/{path}")).exists(), "{list}");
        }
        // Nor does one that somebody wrote by hand.
        let run = sandbox.kiln(&["check", "--message-format", "json"]);
        let told: serde_json::Value =
            serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
        let known = serde_json::json!([{"code": code, "path": told["primary"]["path"], "message": told["message"]}]);
        sandbox.write("known.yaml", known.to_string());
        assert_eq!(sandbox.kiln(&["render"]).code, Some(1));
        assert!(!sandbox.path(&format!("out/{path}")).exists());
    }
}

#[test]
fn exempts_with_a_reason_and_only_what_can_be() {
    let empty = SECRET.replace("swordfish", "\"\"");
    let sandbox = project(
        "out",
        &[(".", VALUES)],
        &[("x.sops.yaml", &empty), ("open.yaml", SECRET)],
    );
    let toml = sandbox.read("kiln.toml");
    let run = sandbox.kiln(&["render"]);
    assert_eq!(
        run.codes(),
        ["error[secret-unsealed]", "error[sealed-empty]"],
        "{run}"
    );
    let exempt = "\n[[exempt]]\nrule = \"sealed-empty\"\nname = \"one\"\npath = \"x.sops.yaml\"\nreason = \"No password\"\n";
    let open = "\n[[exempt]]\nrule = \"secret-unsealed\"\npath = \"open.yaml\"\nreason = \"It is public\"\n";
    sandbox.write("kiln.toml", format!("{toml}{exempt}{open}"));
    let rendered = sandbox.kiln(&["render", "-v"]);
    insta::assert_snapshot!(rendered.steady(), @"
    exit code 0
    --- stderr
    created out/cluster.txt
    created out/notes.txt
    created out/open.yaml
    created out/x.sops.yaml
    exempt */one from sealed-empty: No password
    exempt */* from secret-unsealed: It is public
    rendered 4 templates: 4 created, 0 changed, 0 unchanged, 0 removed; 1 sealed (0 kept); 0 injections in [N] ms
    ");
    sandbox.kiln(&["check"]).success();
    sandbox.write("kiln.toml", format!("{toml}\n[[exempt]]\nrule = \"secret-leak\"\nreason = \"x\"\n\n[[exempt]]\nrule = \"sealed-emty\"\nreason = \"x\"\n"));
    assert_snapshot!(sandbox.kiln(&["check"]), @r#"
    exit code 1
    --- stderr
    error[exemption-unknown-rule]: nothing can be exempt from `secret-leak`: it would write a secret in plain text
     --> kiln.toml:5:1
      |
    5 | rule = "secret-leak"
      | ^^^^
      |
      = help: move the value into a file that is sealed

    error[exemption-unknown-rule]: there is no rule `sealed-emty`
     --> kiln.toml:9:1
      |
    9 | rule = "sealed-emty"
      | ^^^^
      |
      = help: did you mean `sealed-empty`?

    error[secret-unsealed]: Secret `one` has values, but `open.yaml` will not be sealed
    --> open.yaml:5:1
    ::: templates/open.yaml:5:1
     = note: rendered from here
     = help: name the file `open.sops.yaml`
     = help: or have a rule of `.sops.yaml` name it: by a `path_regex` that matches it, and no file that Kustomize, Flux or Talos reads in plain text

    error[sealed-empty]: `stringData.token` in `x.sops.yaml` is empty
    --> x.sops.yaml:6:3
    ::: templates/x.sops.yaml:6:1
     = note: rendered from here
     = help: set the value that it comes from, leave the key out, or exempt it in `[[exempt]]` of `kiln.toml`

    4 errors, nothing written
    "#);
    sandbox.write("kiln.toml", format!("{toml}\n[[exempt]]\nrule = \"sealed-empty\"\n\n[[exempt]]\nrule = \"probes\"\npth = \"x\"\nreason = \"x\"\n"));
    assert_snapshot!(sandbox.kiln(&["check"]), @r###"
    exit code 1
    --- stderr
    error[kiln-toml]: an exemption needs a `reason`
     --> kiln.toml:5:1
      |
    5 | rule = **************
      | ^^^^

    error[unknown-key]: `kiln.toml` has no key `pth`
     --> kiln.toml:9:1
      |
    9 | pth = ***
      | ^^^
      |
      = help: did you mean `path`?
      = help: the keys are `name`, `namespace`, `path`, `reason`, `rule`

    2 errors, nothing written
    "###);
}

#[test]
fn the_docs_list_every_form_of_reference() {
    let docs = include_str!("../../docs/sealing.md");
    let rows: Vec<&str> = docs
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let known = kiln::tree::reference::SECRET_REFERENCES.iter();
    let known: Vec<String> = known
        .map(|known| {
            format!(
                "| `{}` | {} | <{}> |",
                known.form, known.program, known.source
            )
        })
        .collect();
    assert_eq!(rows, known);
}

#[test]
fn what_is_no_text_is_sealed_as_a_whole() {
    let sandbox = project("out", &[(".", VALUES)], &[]);
    sandbox.write("templates/key.sops.bin", b"\x89PNG\r\n\x1a\n\0\xff\xfe\x80");
    sandbox.kiln(&["render"]).success();
    let sealed = sandbox.read("out/key.sops.bin");
    assert!(
        sealed.starts_with("{\n\t\"data\": \"ENC[AES256_GCM,data:"),
        "{sealed}"
    );
    // Nothing changed, and then a byte: the data key stays.
    sandbox.kiln(&["render", "--check"]).success();
    let other = b"\x89PNG\r\n\x1a\n\0\xff\xfe\x81";
    sandbox.write("templates/key.sops.bin", other);
    sandbox.kiln(&["render"]).success();
    let renewed = sandbox.read("out/key.sops.bin");
    let moved = sealed.lines().zip(renewed.lines());
    let moved: Vec<&str> = moved
        .filter(|(before, after)| before != after)
        .map(|(before, _)| before.split(':').next().unwrap().trim())
        // It counts seconds, and two runs may fall into one.
        .filter(|key| *key != "\"lastmodified\"")
        .collect();
    assert_eq!(moved, ["\"data\"", "\"mac\""]);
    let Some(sops) = crate::support::oracle("sops") else {
        return;
    };
    let opened = std::process::Command::new(sops)
        .env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"))
        .arg("decrypt")
        .arg(sandbox.path("out/key.sops.bin"))
        .output()
        .unwrap();
    assert_eq!(
        opened.stdout,
        other,
        "{}",
        String::from_utf8_lossy(&opened.stderr)
    );
}
