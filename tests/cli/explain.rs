use insta::assert_snapshot;

use super::small;
use crate::support::Sandbox;

#[test]
fn names_the_template_of_a_line() {
    let sandbox = small();
    assert_snapshot!(sandbox.kiln(&["explain", "out/cluster.txt:1"]), @r#"
    exit code 0
    --- stdout
    cluster.txt:1
      home.example.com
    from template templates/cluster.txt.tera:1
      #{ domain.name }#
    "#);
    assert_snapshot!(sandbox.kiln(&["explain", "cluster.txt"]), @r#"
    exit code 0
    --- stdout
    cluster.txt
      1 line from template templates/cluster.txt.tera
    "#);
}

#[test]
fn takes_paths_from_where_the_user_stands() {
    let sandbox = small();
    let here = sandbox.kiln(&["explain", "out/cluster.txt:1"]);
    sandbox.write("out/deep/.keep", "");
    let mut command = sandbox.command();
    command
        .current_dir(sandbox.path("out/deep"))
        .args(["explain", "../cluster.txt:1"]);
    assert_eq!(sandbox.finish(&command.output().unwrap()), here);
}

#[test]
fn says_that_a_file_or_line_is_not_rendered() {
    let sandbox = small();
    assert_snapshot!(sandbox.kiln(&["explain", "out/clutser.txt"]), @r#"
    exit code 2
    --- stderr
    error: `out/clutser.txt` is not a file that this project renders
    help: did you mean `cluster.txt`?
    "#);
    assert_snapshot!(sandbox.kiln(&["explain", "out/cluster.txt:7"]), @r#"
    exit code 2
    --- stderr
    error: `cluster.txt` has no line 7: its last line is 1
    "#);
}

#[test]
fn says_that_a_code_is_unknown() {
    assert_snapshot!(Sandbox::new().kiln(&["explain", "no-such-code-at-all"]), @r#"
    exit code 2
    --- stderr
    error: there is no rule or check `no-such-code-at-all`
    help: the codes stand in brackets in Kiln's messages
    "#);
}

#[test]
fn shows_no_secret() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let identity = sandbox.read("age.key");
    let key = identity.lines().last().unwrap();
    let path = "bootstrap/sops-age.sops.yaml";
    for line in 7..=9 {
        let run = sandbox.kiln(&["explain", &format!("{path}:{line}")]);
        assert!(!run.to_string().contains(key), "{run}");
    }
    assert_snapshot!(sandbox.kiln(&["explain", path]), @r#"
    exit code 0
    --- stdout
    bootstrap/sops-age.sops.yaml
      9 lines from template catalogue:templates/bootstrap/sops-age.sops.yaml.tera
    "#);
}
