use insta::assert_snapshot;

use crate::support::Sandbox;

const TEMPLATE: &str = "kubernetes/apps/default/echo/ks.yaml.tera";

#[test]
fn lists_templates_below_a_folder() {
    let sandbox = Sandbox::new();
    let all = sandbox.kiln(&["catalogue", "list"]).success();
    assert!(all.lines().any(|line| line == TEMPLATE), "{all}");
    let some = sandbox
        .kiln(&["catalogue", "list", "kubernetes/apps/default/"])
        .success();
    assert!(
        some.lines()
            .all(|line| line.starts_with("kubernetes/apps/default/")),
        "{some}"
    );
    assert!(some.lines().any(|line| line == TEMPLATE), "{some}");
}

#[test]
fn copies_a_template_once() {
    let sandbox = Sandbox::with(&[("kiln.toml", "")]);
    assert_snapshot!(sandbox.kiln(&["catalogue", "eject", TEMPLATE]), @r#"
    exit code 0
    --- stderr
    created templates/kubernetes/apps/default/echo/ks.yaml.tera; it replaces the embedded file from now on
    "#);
    assert!(!sandbox.read(&format!("templates/{TEMPLATE}")).is_empty());
    assert_snapshot!(sandbox.kiln(&["catalogue", "eject", &format!("templates/{TEMPLATE}")]), @r#"
    exit code 2
    --- stderr
    error: `templates/kubernetes/apps/default/echo/ks.yaml.tera` is there already
    help: remove it first to start from the embedded file again
    "#);
}

#[test]
fn knows_what_a_wrong_path_means() {
    let sandbox = Sandbox::with(&[("kiln.toml", "")]);
    assert_snapshot!(sandbox.kiln(&["catalogue", "eject", "kubernetes/apps/default/echo/ks.yaml"]), @r#"
    exit code 2
    --- stderr
    error: the catalogue has no template `kubernetes/apps/default/echo/ks.yaml`
    help: did you mean `kubernetes/apps/default/echo/ks.yaml.tera`?
    "#);
    assert_snapshot!(sandbox.kiln(&["catalogue", "eject", "../../etc/passwd"]), @r#"
    exit code 2
    --- stderr
    error: the catalogue has no template `../../etc/passwd`
    help: list the templates with `kiln catalogue list`
    "#);
    assert_eq!(sandbox.files(), ["kiln.toml"]);
}
