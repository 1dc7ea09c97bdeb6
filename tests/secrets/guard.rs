//! What no template, schema or data file may be.

use super::project::{IDENTITY, Project, told};
use crate::diff::project::project;

#[test]
fn file_reads_no_key_and_nothing_of_git_and_kiln() {
    for path in [
        "age.key",
        "deploy.key",
        "flux-webhook-token.txt",
        "cloudflare-tunnel.json",
        ".git/config",
        ".GIT/config",
        "sub/.git/config",
        ".kiln/undo.json",
    ] {
        let mut project = Project::with("");
        project.put(path, IDENTITY);
        project.put(
            "templates/x.txt.tera",
            &format!("#{{ file(path=\"{path}\") | upper }}#"),
        );
        let problems = project
            .compile()
            .map_or_else(|problems| problems, |_| Vec::new());
        let all: String = problems.iter().map(told).collect();
        assert!(
            all.contains("unreadable-file") && all.contains(path),
            "{path}: {all}"
        );
        assert!(!all.contains(IDENTITY), "{path}: {all}");
    }
}

#[test]
fn a_key_is_no_data_file_no_template_and_no_rule_file() {
    let settings = [
        "data = [\"age.key\"]\n",
        "data = [\".git/config\"]\n",
        "templates = [\".git\"]\n",
        "templates = [\".\"]\n",
        "[seal]\nidentities = [\"other.key\"]\n",
    ];
    for text in settings {
        let mut project = Project::with("");
        project.put("kiln.toml", &format!("catalogue = false\n{text}"));
        project.put(
            ".git/config",
            "extraheader = AUTHORIZATION: basic c2VjcmV0\n",
        );
        project.put("other.key", IDENTITY);
        project.put("templates/x.txt.tera", "#{ file(path=\"other.key\") }#");
        let problems = project
            .compile()
            .map_or_else(|problems| problems, |_| Vec::new());
        let all: String = problems.iter().map(told).collect();
        assert!(
            all.contains("is a key") || all.contains("is an input"),
            "{text}: {all}"
        );
        assert!(
            !all.contains(IDENTITY) && !all.contains("c2VjcmV0"),
            "{text}: {all}"
        );
    }
}

#[test]
fn file_reads_what_git_ignores_only_where_it_is_listed() {
    let sandbox = project();
    let ignored = sandbox.read(".gitignore");
    sandbox.write(".gitignore", format!("{ignored}local.txt\n"));
    sandbox.write("local.txt", "a word of the day\n");
    sandbox.write("templates/x.txt.tera", "#{ file(path=\"local.txt\") }#\n");
    let run = sandbox.kiln_with(&path(), &["check"]);
    insta::assert_snapshot!(run, @r#"
    exit code 1
    --- stderr
    error[unreadable-file]: cannot read `local.txt`: git ignores it; `files` in `kiln.toml` can list it
     --> templates/x.txt.tera:1:4
      |
    1 | #{ file(path="local.txt") }#
      |    ^^^^^^^^^^^^^^^^^^^^^^

    1 error, nothing written
    "#);
    assert!(!run.stderr.contains("a word of the day"), "{run}");
    let settings = sandbox.read("kiln.toml");
    sandbox.write("kiln.toml", format!("files = [\"local.txt\"]\n{settings}"));
    sandbox.kiln_with(&path(), &["render"]).success();
    assert_eq!(sandbox.read("out/x.txt").trim(), "a word of the day");
    // A key is none, listed or not.
    sandbox.write("kiln.toml", format!("files = [\"age.key\"]\n{settings}"));
    sandbox.write("templates/x.txt.tera", "#{ file(path=\"age.key\") }#\n");
    let run = sandbox.kiln_with(&path(), &["check"]);
    insta::assert_snapshot!(run, @r#"
    exit code 1
    --- stderr
    error[unreadable-file]: cannot read `age.key`: it is a key, which only `secret()` and `fromFile` read
     --> templates/x.txt.tera:1:4
      |
    1 | #{ file(path="age.key") }#
      |    ^^^^^^^^^^^^^^^^^^^^

    1 error, nothing written
    "#);
}

fn path() -> [(&'static str, &'static str); 1] {
    [("PATH", "/usr/local/bin:/usr/bin:/bin")]
}
