//! What a pull request tries, and what `kiln diff` shows of it.

use crate::diff::project::{commit, diff, git, project};
use crate::support::{Run, Sandbox};

const FORMATS: [&str; 5] = ["terminal", "markdown", "github", "json", "html"];

/// What must show up nowhere: the key in the environment, a variable, CI's token, and a file that the job left.
const CANARIES: [&str; 4] = [
    "AGE-SECRET-KEY-1PVC9275L",
    "canary-of-the-environment",
    "canary-of-git",
    "canary-of-the-job",
];

/// A key that CI has.
const CI_KEY: &str = "AGE-SECRET-KEY-1PVC9275LCN5SUV6C0K3V0MQ3XEDCPFW2AU2RJH5R4RXLY9EUVXRQ98K663";

/// A checkout as CI has it: a token in git's config, credentials in a file that git ignores.
fn checkout() -> Sandbox {
    let sandbox = project();
    let ignored = sandbox.read(".gitignore");
    sandbox.write(".gitignore", format!("{ignored}.env\n/left/\n"));
    commit(&sandbox, "ignore what the job leaves");
    git(&sandbox, &["tag", "--force", "first"]);
    let header = "AUTHORIZATION: basic canary-of-git";
    git(
        &sandbox,
        &["config", "http.https://github.com/.extraheader", header],
    );
    sandbox.write(".env", "TOKEN=canary-of-the-job\n");
    sandbox.write("left/x.txt.tera", "canary-of-the-job\n");
    sandbox.write("age.key", format!("{CI_KEY}\n"));
    sandbox.write("deploy.key", "canary-of-the-job\n");
    sandbox
}

fn shown(run: &Run) -> bool {
    let text = format!("{}{}", run.stdout, run.stderr).to_lowercase();
    let spelled = text.replace(['_', '-', ' ', '\n'], "");
    CANARIES.iter().any(|canary| {
        let canary = canary.to_lowercase();
        text.contains(&canary) || spelled.contains(&canary.replace('-', ""))
    })
}

fn assert_nothing_shown(sandbox: &Sandbox, what: &str) {
    for format in FORMATS {
        let mut command = sandbox.command();
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("SOPS_AGE_KEY", CI_KEY)
            .env("TOKEN", "canary-of-the-environment")
            .args(["diff", "--base", "first", "--format", format]);
        let run = sandbox.finish(&command.output().unwrap());
        assert_ne!(run.code, Some(0), "{what}: it changes nothing: {run}");
        assert!(!shown(&run), "{what}, {format}: {run}");
    }
}

/// What a template does to get something out, with `X` for the expression.
const DISGUISES: [&str; 4] = [
    "#{ X }#\n",
    "#{ X | lower }#\n",
    "#{ X | replace(from=\"a\", to=\"a_\") }#\n",
    "#% for letter in X | split(pat=\"\") %##{ letter }# #% endfor %#\n",
];

#[test]
fn templates_get_no_key_no_token_and_no_file_of_the_job() {
    let expressions = [
        "file(path=\"age.key\")",
        "file(path=\".git/config\")",
        "file(path=\".env\")",
        "file(path=\"left/x.txt.tera\")",
        "file(path=\"deploy.key\")",
        "secret(path=\"age.key\")",
        "secret(path=\"deploy.key\")",
        "secret(path=\".env\")",
        "secret(path=\".git/config\")",
        "age_identity()",
    ];
    for expression in expressions {
        for disguise in DISGUISES {
            let sandbox = checkout();
            sandbox.write("templates/out.txt.tera", disguise.replace('X', expression));
            assert_nothing_shown(&sandbox, &format!("{expression} in {disguise}"));
        }
    }
}

#[test]
fn settings_and_symlinks_lead_to_none_either() {
    let settings = [
        "templates = [\".git\"]",
        "templates = [\"left\"]",
        "templates = [\".\"]",
        "data = [\"cluster.yaml\", \".env\"]",
        "data = [\".git/config\"]",
        "data = [\"age.key\"]",
        "files = [\".env\"]",
    ];
    for setting in settings {
        let sandbox = checkout();
        let text = sandbox.read("kiln.toml");
        sandbox.write("kiln.toml", format!("{setting}\n{text}"));
        sandbox.write("templates/out.txt.tera", "#{ file(path=\".env\") }#\n");
        assert_nothing_shown(&sandbox, setting);
    }
    let links = [
        ("templates/x.txt", "../.env"),
        ("templates/x.txt", "../.git/config"),
        ("templates/x.txt", "../age.key"),
        ("templates/left", "../left"),
        ("schemas/apps/x.schema.json", "../../.env"),
        ("charts/x.yaml", "../age.key"),
        (".sops.yaml", "age.key"),
    ];
    for (link, target) in links {
        let sandbox = checkout();
        let path = sandbox.path(link);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, &path).unwrap();
        sandbox.write("templates/new.txt", "new\n");
        assert_nothing_shown(&sandbox, &format!("{link} -> {target}"));
        commit(&sandbox, "link");
        let run = diff(&sandbox, &["--base", "first", "--head", "HEAD"]);
        assert!(!shown(&run), "{link} -> {target} in a commit: {run}");
    }
}

#[test]
fn variables_of_the_job_are_not_read_public_or_not() {
    for public in ["", ", public: true"] {
        for disguise in DISGUISES {
            let sandbox = checkout();
            sandbox.write(
                "schemas/apps/zz.schema.json",
                "{\"type\": \"object\", \"properties\": {\"s\": {\"type\": \"string\"}}}",
            );
            let config = sandbox.read("cluster.yaml");
            let app = format!("apps: {{zz: {{s: {{fromEnv: TOKEN{public}}}}}}}\n");
            sandbox.write("cluster.yaml", format!("{config}\n{app}"));
            sandbox.write("templates/out.txt.tera", disguise.replace('X', "apps.zz.s"));
            assert_nothing_shown(&sandbox, &format!("{public}: {disguise}"));
        }
    }
}

#[test]
fn asked_for_the_keys_it_uses_them_and_shows_no_secret() {
    let sandbox = checkout();
    sandbox.write(
        "templates/more.txt",
        "more
",
    );
    sandbox.write(
        "templates/extra.sops.yaml.tera",
        "stringData:\n  k: \"#{ age_identity() }#\"\n",
    );
    let run = diff(&sandbox, &["--base", "first", "--with-keys"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!shown(&run), "{run}");
    // A file that git ignores and that `kiln.toml` lists is read then, and only then.
    let text = sandbox.read("kiln.toml");
    sandbox.write("kiln.toml", format!("files = [\".env\"]\n{text}"));
    sandbox.write("templates/out.txt.tera", "#{ file(path=\".env\") }#\n");
    let run = diff(&sandbox, &["--base", "first", "--with-keys"]);
    assert!(shown(&run), "{run}");
    assert!(!shown(&diff(&sandbox, &["--base", "first"])));
}
