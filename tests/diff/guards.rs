//! A change that would blind whoever judges it, or let a stranger read: the old side's word counts, and it is a danger.

use serde_json::Value;

use super::expect;
use super::project::{RULES, commit, diff, git, project};
use crate::support::Sandbox;

/// A recipient that nobody here knows.
const STRANGER: &str = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z";
const FORMATS: [&str; 5] = ["terminal", "markdown", "github", "json", "html"];

/// Returns the codes of the dangers between `first` and the working tree, and expects every format to name each.
#[track_caller]
fn dangers(sandbox: &Sandbox) -> Vec<String> {
    let run = diff(sandbox, &["--base", "first", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let found = report["dangers"].as_array().unwrap().iter();
    let codes: Vec<String> = found
        .map(|it| it["code"].as_str().unwrap().to_owned())
        .collect();
    let settings = report["settings"].as_array().unwrap();
    let differs = settings.len() + codes.len() + report["changes"].as_array().unwrap().len();
    assert_eq!(run.code, Some(i32::from(differs > 0)), "{run}");
    for format in FORMATS {
        let run = diff(sandbox, &["--base", "first", "--format", format]);
        for code in &codes {
            assert!(run.stdout.contains(code), "{format}: {code}\n{run}");
        }
        for setting in settings {
            let name = setting["setting"]
                .as_str()
                .unwrap()
                .split('[')
                .next()
                .unwrap();
            assert!(run.stdout.contains(name), "{format}: {name}\n{run}");
        }
        assert!(
            !run.stdout.contains("no difference") || differs == 0,
            "{run}"
        );
    }
    codes
}

fn edit(sandbox: &Sandbox, path: &str, from: &str, to: &str) {
    let text = sandbox.read(path);
    assert!(text.contains(from), "{path} has no {from}");
    sandbox.write(path, text.replace(from, to));
}

/// Makes the project with creation rules of its own, or with rendered ones, and returns where these are.
fn with_rules(rendered: bool) -> (Sandbox, &'static str) {
    let sandbox = project();
    if rendered {
        return (sandbox, "templates/.sops.yaml.tera");
    }
    let key = sandbox.read("age.key");
    let start = key.find("age1").unwrap();
    let own: String = key[start..]
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    std::fs::remove_file(sandbox.path("templates/.sops.yaml.tera")).unwrap();
    sandbox.write(".sops.yaml", RULES.replace("#{ age_recipient() }#", &own));
    commit(&sandbox, "rules");
    git(&sandbox, &["tag", "--force", "first"]);
    (sandbox, ".sops.yaml")
}

#[test]
fn patterns_of_the_change_itself_hide_nothing() {
    let sandbox = project();
    let web = "templates/apps/shop/web.yaml.tera";
    edit(&sandbox, web, "replicas: 2", "replicas: 0");
    let privileged = "          securityContext:\n            privileged: true\n          ports:";
    edit(&sandbox, web, "          ports:", privileged);
    let settings = sandbox.read("kiln.toml");
    sandbox.write(
        "kiln.toml",
        format!("{settings}[diff]\nignore = [\"/spec\", \"/*\", \"/spec/*\"]\n"),
    );
    let expected = [
        "exemption-added",
        "exemption-added",
        "exemption-added",
        "privileged",
        "replicas-zero",
    ];
    assert_eq!(dangers(&sandbox), expected);
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    first ([COMMIT 0]) → the working tree

    5 dangers
      ! `[diff] ignore` gains `/*` [exemption-added]
        differences of that kind are not shown in any later change
        kiln.toml:1
      ! `[diff] ignore` gains `/spec/*` [exemption-added]
        differences of that kind are not shown in any later change
        kiln.toml:1
      ! `[diff] ignore` gains `/spec` [exemption-added]
        differences of that kind are not shown in any later change
        kiln.toml:1
      ! `spec.template.spec.containers[web].securityContext.privileged` of `Deployment/shop/web` is new [privileged]
        a privileged container can do all that root on the node can
        out/apps/shop/web.yaml:24
      ! `spec.replicas` of `Deployment/shop/web` becomes 0 [replicas-zero]
        nothing runs any more
        out/apps/shop/web.yaml:8

    Settings
      + kiln.toml diff.ignore: /spec
      + kiln.toml diff.ignore: /*
      + kiln.toml diff.ignore: /spec/*

    ~ Deployment/shop/web
      out/apps/shop/web.yaml:1
      spec.replicas: 2 → 0
      spec.template.spec.containers[web].securityContext
        + privileged: true
      by template `templates/apps/shop/web.yaml.tera`

    1 changed, 3 settings changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
    // The same patterns on the old side hide what they are for, and no danger.
    git(&sandbox, &["stash", "--quiet", "--", web]);
    commit(&sandbox, "patterns");
    git(&sandbox, &["tag", "--force", "first"]);
    git(&sandbox, &["stash", "pop", "--quiet"]);
    assert_eq!(dangers(&sandbox), ["privileged", "replicas-zero"]);
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    first ([COMMIT 1]) → the working tree

    2 dangers
      ! `spec.template.spec.containers[web].securityContext.privileged` of `Deployment/shop/web` is new [privileged]
        a privileged container can do all that root on the node can
        out/apps/shop/web.yaml:24
      ! `spec.replicas` of `Deployment/shop/web` becomes 0 [replicas-zero]
        nothing runs any more
        out/apps/shop/web.yaml:8

    ~ Deployment/shop/web
      out/apps/shop/web.yaml:1
      spec.replicas: 2 → 0
      spec.template.spec.containers[web].securityContext
        + privileged: true
      by template `templates/apps/shop/web.yaml.tera`

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
    git(&sandbox, &["checkout", "--quiet", "--", web]);
    edit(&sandbox, web, "replicas: 2", "replicas: 3");
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stdout
    first ([COMMIT 1]) → the working tree

    no difference; 1 difference left out as noise
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
}

#[test]
fn a_new_recipient_is_a_danger_wherever_the_rules_stand() {
    for rendered in [false, true] {
        for by in ["list", "second rule", "another kind of key"] {
            let (sandbox, rules) = with_rules(rendered);
            match by {
                "list" => edit(
                    &sandbox,
                    rules,
                    "    age: \"",
                    &format!("    age: \"{STRANGER},"),
                ),
                "second rule" => {
                    let rule = format!("  - path_regex: ^talos/\n    age: {STRANGER}\n");
                    sandbox.write(rules, sandbox.read(rules) + &rule);
                }
                _ => edit(
                    &sandbox,
                    rules,
                    "    age: \"",
                    "    pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21\n    age: \"",
                ),
            }
            assert_eq!(dangers(&sandbox), ["recipient-added"], "{rendered} {by}");
        }
    }
}

#[test]
fn another_selector_is_a_danger_wherever_the_rules_stand() {
    for rendered in [false, true] {
        for (from, to) in [
            (
                "encrypted_regex: ^(data|stringData)$",
                "encrypted_regex: ^stringData$",
            ),
            (
                "encrypted_regex: ^(data|stringData)$",
                "unencrypted_regex: ^(apiVersion|kind|metadata)$",
            ),
        ] {
            let (sandbox, rules) = with_rules(rendered);
            edit(&sandbox, rules, from, to);
            assert_eq!(dangers(&sandbox), ["seal-narrowed"], "{rendered} {to}");
        }
    }
}

/// What is opened at once is no danger but an error: the change does not compile.
#[test]
fn a_selector_that_opens_a_secret_does_not_compile() {
    for rendered in [false, true] {
        let (sandbox, rules) = with_rules(rendered);
        edit(&sandbox, rules, "^(data|stringData)$", "^nothing$");
        let run = diff(&sandbox, &["--base", "first"]);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains("error[secret-leak]"), "{run}");
    }
}

/// The first rule that matches is taken: another one put before it has the last word on old files.
#[test]
fn a_rule_put_before_the_others_is_judged_by_the_files_that_it_takes() {
    let (sandbox, rules) = with_rules(false);
    let own = sandbox.read(rules);
    let other = own
        .replace("    encrypted_regex: ^(data|stringData)$\n", "")
        .replace("\\.sops\\.yaml$", "shop");
    let rule = other.strip_prefix("creation_rules:\n").unwrap();
    sandbox.write(
        rules,
        own.replace("creation_rules:\n", &format!("creation_rules:\n{rule}")),
    );
    assert_eq!(dangers(&sandbox), ["seal-narrowed"]);
    let run = diff(&sandbox, &["--base", "first"]);
    assert!(run.stdout.contains("`apps/shop/secret.sops.yaml`"), "{run}");
    assert!(run.stdout.contains(".sops.yaml:2"), "{run}");
}

#[test]
fn a_secret_that_is_no_longer_sealed_is_a_danger() {
    let sandbox = project();
    sandbox.write("templates/talos/machine.sops.yaml", "token: abc\n");
    commit(&sandbox, "sealed");
    git(&sandbox, &["tag", "--force", "first"]);
    git(
        &sandbox,
        &[
            "mv",
            "templates/talos/machine.sops.yaml",
            "templates/talos/machine.yaml",
        ],
    );
    assert_eq!(dangers(&sandbox), ["seal-removed"]);
    // Another content, too: nothing but the name ties the two.
    sandbox.write("templates/talos/machine.yaml", "token: xyz\nmore: 1\n");
    assert_eq!(dangers(&sandbox), ["seal-removed"]);
    // A sealed file that goes is none.
    std::fs::remove_file(sandbox.path("templates/talos/machine.yaml")).unwrap();
    assert_eq!(dangers(&sandbox), [""; 0]);
}

#[test]
fn exemptions_are_listed_and_new_ones_are_dangers() {
    let sandbox = project();
    let settings = sandbox.read("kiln.toml");
    let exempt = |table: &str, word: &str, rest: &str| {
        let code = if table == "exempt" {
            "sealed-empty"
        } else {
            "probes"
        };
        format!("[[{table}]]\n{word} = \"{code}\"\n{rest}")
    };
    let (table, word) = ("exempt", "rule");
    let narrow = exempt(
        table,
        word,
        "namespace = \"shop\"\nname = \"web\"\nreason = \"known\"\n",
    );
    sandbox.write("kiln.toml", format!("{settings}{narrow}"));
    assert_eq!(dangers(&sandbox), ["exemption-added"], "{table}");
    commit(&sandbox, "exempt");
    git(&sandbox, &["tag", "--force", "first"]);
    // Another reason is said and is no danger, and so is one that goes.
    sandbox.write(
        "kiln.toml",
        format!("{settings}{}", narrow.replace("known", "other")),
    );
    assert_eq!(dangers(&sandbox), [""; 0], "{table}");
    let wide = exempt(table, word, "reason = \"known\"\n");
    sandbox.write("kiln.toml", format!("{settings}{wide}"));
    assert_eq!(dangers(&sandbox), ["exemption-added"], "{table}");
    sandbox.write("kiln.toml", &settings);
    assert_eq!(dangers(&sandbox), [""; 0], "{table}");
    let run = diff(&sandbox, &["--base", "first"]);
    assert!(
        run.stdout.contains(&format!("- kiln.toml {table}")),
        "{run}"
    );
    commit(&sandbox, "none");
    git(&sandbox, &["tag", "--force", "first"]);
}

#[test]
fn a_value_that_is_called_public_is_a_danger() {
    let sandbox = project();
    let schema = r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Own", "type": "object",
        "properties": {"place": {"type": ["string", "object"], "description": "Where it is."}}}"#;
    sandbox.write("schemas/apps/own.schema.json", schema);
    let config = sandbox.read("cluster.yaml");
    let with =
        |value: &str| sandbox.write("own.yaml", format!("apps:\n  own:\n    place: {value}\n"));
    let settings = sandbox.read("kiln.toml");
    let files = if sandbox.path("nodes.yaml").is_file() {
        "\"cluster.yaml\", \"nodes.yaml\""
    } else {
        "\"cluster.yaml\""
    };
    sandbox.write(
        "kiln.toml",
        format!("data = [{files}, \"own.yaml\"]\n{settings}"),
    );
    assert!(!config.contains("\napps:"), "{config}");
    with("here");
    commit(&sandbox, "own");
    git(&sandbox, &["tag", "--force", "first"]);
    with("{ fromEnv: HOME, public: true }");
    assert_eq!(dangers(&sandbox), ["secret-made-public"]);
    let run = diff(&sandbox, &["--base", "first"]);
    expect("public.terminal", &run.stdout);
    commit(&sandbox, "public");
    git(&sandbox, &["tag", "--force", "first"]);
    assert_eq!(dangers(&sandbox), [""; 0]);
    with("{ fromEnv: PATH, public: true }");
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    first ([COMMIT 2]) → the working tree

    1 danger
      ! `apps.own.place` takes `fromEnv: PATH` and calls it public [secret-made-public]
        what that is where Kiln runs may then be written, and shown, in the open
        own.yaml:3

    Settings
      - own.yaml apps.own.place: fromEnv: HOME, public: true
      + own.yaml apps.own.place: fromEnv: PATH, public: true

    2 settings changed
    --- stderr
    stand-ins take the places of HOME, PATH, age.key on both sides; `--with-keys` uses what is at hand
    ");
}

#[test]
fn a_folder_tells_for_whom_its_files_are_sealed() {
    let (sandbox, rules) = with_rules(false);
    sandbox.kiln(&["render"]).success();
    edit(
        &sandbox,
        rules,
        "    age: \"",
        &format!("    age: \"{STRANGER},"),
    );
    let disk = diff(&sandbox, &["--disk"]);
    assert_eq!(disk.code, Some(1), "{disk}");
    assert!(disk.stdout.contains("recipient-added"), "{disk}");
    std::fs::rename(sandbox.path("out"), sandbox.path("../old")).unwrap();
    sandbox.kiln(&["render"]).success();
    let folders = diff(&sandbox, &["--tree", "../old", "--output-dir", "out"]);
    assert_eq!(folders.code, Some(1), "{folders}");
    assert!(folders.stdout.contains("recipient-added"), "{folders}");
    assert_eq!(diff(&sandbox, &["--disk"]).code, Some(0));
}

/// Whatever a setting says, it ends no line, no cell and no code.
#[test]
fn what_settings_say_is_shown_as_text() {
    let sandbox = project();
    let settings = sandbox.read("kiln.toml");
    let pattern = "x`|\\n\\n# Approved <img src=x> ::error::no";
    sandbox.write(
        "kiln.toml",
        format!("{settings}[diff]\nignore = [\"{pattern}\"]\n"),
    );
    for format in ["terminal", "markdown", "github"] {
        let run = diff(&sandbox, &["--base", "first", "--format", format]);
        let bad =
            |line: &str| line.starts_with("# Approved") || line.trim_start().starts_with("::error");
        assert!(!run.stdout.lines().any(bad), "{format} {run}");
    }
    let page = diff(&sandbox, &["--base", "first", "--format", "html"]).stdout;
    assert!(!page.contains("<img"), "{page}");
}

#[test]
fn every_format_of_what_guards_a_project_is_as_recorded() {
    let (sandbox, rules) = with_rules(false);
    sandbox.write(
        "templates/talos/machine.sops.yaml",
        "token: canary-of-a-machine\n",
    );
    commit(&sandbox, "sealed");
    git(&sandbox, &["tag", "--force", "first"]);
    let text = sandbox.read(rules);
    let start = text.find("age: \"").unwrap() + "age: \"".len();
    let own = text[start..].split('"').next().unwrap().to_owned();
    edit(
        &sandbox,
        rules,
        "    age: \"",
        &format!("    age: \"{STRANGER},"),
    );
    edit(
        &sandbox,
        rules,
        "encrypted_regex: ^(data|stringData)$",
        "encrypted_regex: ^stringData$",
    );
    git(
        &sandbox,
        &[
            "mv",
            "templates/talos/machine.sops.yaml",
            "templates/talos/machine.yaml",
        ],
    );
    let settings = sandbox.read("kiln.toml");
    sandbox.write(
        "kiln.toml",
        format!("{settings}[[exempt]]\nrule = \"probes\"\nnamespace = \"shop\"\nreason = \"slow\"\n[diff]\nignore = [\"/spec/*\"]\n"),
    );
    for format in FORMATS {
        let run = diff(&sandbox, &["--base", "first", "--format", format]);
        assert!(!run.stdout.contains("canary-of-a-machine"), "{format}");
        // Recipients are sorted, and the own one is new in every run.
        let text = run.stdout.replace(&own, "[OWN RECIPIENT]");
        let [one, other] = [
            format!("{STRANGER}, [OWN RECIPIENT]"),
            format!("[OWN RECIPIENT], {STRANGER}"),
        ];
        expect(&format!("guards.{format}"), &text.replace(&one, &other));
    }
}
