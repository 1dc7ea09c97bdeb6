//! `[flux]` of `kiln.toml`: every command follows Flux by it, whether a project renders the tree or nobody does.

use super::cluster::cluster;
use super::run;
use crate::diff::project::{commit, git};
use crate::support::{FLUX_INSTANCE, Sandbox};

const SETTINGS: &str = "catalogue = false\n[harden]\nenabled = false\n";

const OUTSIDE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside, namespace: flux-system}\n\
                       data: {DOMAIN: example.org}\n";

/// A Kustomization of a folder, with a variable that only a ConfigMap outside of git gives.
fn apps(source: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: flux-system}}\n\
         spec:\n  interval: 1h\n  path: ./apps\n  prune: true\n  targetNamespace: default\n  \
         sourceRef: {{kind: GitRepository, name: {source}}}\n  \
         postBuild: {{substituteFrom: [{{kind: ConfigMap, name: outside}}]}}\n"
    )
}

fn config(variable: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{host: 'web.${{{variable}}}'}}\n"
    )
}

fn project(settings: &str, source: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init", "."]).success();
    sandbox.write("kiln.toml", format!("{SETTINGS}{settings}"));
    sandbox.write("templates/cluster/instance.yaml", FLUX_INSTANCE);
    sandbox.write("templates/cluster/apps.yaml", apps(source));
    sandbox.write("templates/apps/config.yaml", config("DOMAIN"));
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    sandbox
}

#[test]
fn a_project_takes_values_from_outside_of_git() {
    let sandbox = project("", "flux-system");
    let told = run(&sandbox, &["check"], 0);
    insta::assert_snapshot!(told, @"
    exit code 0
    --- stderr
    warning[substitute-from-missing]: `Kustomization/flux-system/apps` takes variables from `ConfigMap/flux-system/outside`, which nothing in the tree makes
      --> cluster/apps.yaml:10:56
       |
    10 |   postBuild: {substituteFrom: [{kind: ConfigMap, name: outside}]}
       |                                                        ^^^^^^^
       |
      ::: templates/cluster/apps.yaml:10:1
       |
    10 |   postBuild: {substituteFrom: [{kind: ConfigMap, name: outside}]}
       | ----------------------------------------------------------------- rendered from here
       |
       = help: if it is made by hand, name it in `[flux] external` of kiln.toml

    not seen: 1 part (`kiln check -v` names it)
    not judged, since something is not seen: 1 (substitute-from-missing 1); -v lists them
    checked 3 files from 3 templates: no errors, 1 warning
    ");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}[flux]\nvalues = [\"outside.yaml\"]\n"),
    );
    // Whoever checks a clone need not have it; whoever renders does.
    assert_eq!(run(&sandbox, &["check"], 0).stderr, told.stderr);
    let told = run(&sandbox, &["render"], 1);
    insta::assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[kiln-toml]: there is no file `outside.yaml` with values
     --> kiln.toml:5:12
      |
    5 | values = ["outside.yaml"]
      |            ^^^^^^^^^^^^

    1 error, nothing written
    "#);
    sandbox.write("outside.yaml", OUTSIDE);
    let told = run(&sandbox, &["check"], 0);
    assert!(!told.stderr.contains("substitute-from-missing"), "{told}");
    // With all values known, a variable that nothing gives is one.
    sandbox.write("templates/apps/config.yaml", config("NOBODY"));
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @"
    exit code 1
    --- stderr
    error[variable-undefined]: nothing gives the variable `NOBODY` a value, and Flux refuses the whole build
     --> apps/config.yaml:4:19
      |
    4 | data: {host: 'web.${NOBODY}'}
      |                   ^^^^^^^^^
      |
     ::: templates/apps/config.yaml:4:1
      |
    4 | data: {host: 'web.${NOBODY}'}
      | ----------------------------- rendered from here
      |
      = help: set it in `postBuild`, give it a default (`${NOBODY:=value}`), or write `$${NOBODY}` where the shell is meant
      = help: Flux builds it for `flux-system/apps`

    1 error, nothing written
    ");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}[flux]\nvalues = [\"outside.yaml\"]\nstrict = false\n"),
    );
    drop(run(&sandbox, &["check"], 0));
    sandbox.kiln(&["render"]).success();
    sandbox.write("outside.yaml", "kind: Pod\ntoken: swordfish\n");
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[kiln-toml]: `outside.yaml` holds something else than a ConfigMap or Secret, in line 1
     --> kiln.toml:5:12
      |
    5 | values = ["outside.yaml"]
      |            ^^^^^^^^^^^^
      |
      = help: write the values as `kubectl get configmap NAME -o yaml` prints them

    1 error, nothing written
    "#);
}

#[test]
fn a_project_starts_where_it_is_told() {
    let sandbox = project("[flux]\nroots = [\"elsewhere\"]\n", "flux-system");
    let named = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: default}\n";
    sandbox.write("templates/elsewhere/config.yaml", named);
    sandbox.kiln(&["render"]).success();
    // What the cluster's own folder asks for is nobody's now.
    let run_of = sandbox.kiln(&["diff", "--base", "HEAD"]);
    insta::assert_snapshot!(run_of.steady(), @"
    exit code 1
    --- stdout
    HEAD ([COMMIT]) → the working tree

    + ConfigMap/default/web
      elsewhere/config.yaml:1
        + apiVersion: v1
        + kind: ConfigMap
        + metadata:
        +   name: web
        +   namespace: default
      by template `templates/elsewhere/config.yaml`

    1 added
    ");
    let told = run(&sandbox, &["check", "-v"], 0);
    assert!(!told.stderr.contains("substitute-from-missing"), "{told}");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}[flux]\nroots = [\"../elsewhere\"]\n"),
    );
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[kiln-toml]: the root `../elsewhere` is outside of the repository
     --> kiln.toml:5:11
      |
    5 | roots = ["../elsewhere"]
      |           ^^^^^^^^^^^^

    1 error, nothing written
    "#);
}

#[test]
fn a_project_has_other_sources_at_hand() {
    let other = Sandbox::new();
    other.write("apps/config.yaml", config("DOMAIN"));
    let folder = other.path("").display().to_string();
    let settings =
        format!("[flux]\nsources = {{ \"GitRepository/flux-system/other\" = \"{folder}\" }}\n");
    let sandbox = project(&settings, "other");
    sandbox.write(
        "templates/cluster/other.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: other, namespace: flux-system}\n\
         spec: {interval: 1h, url: https://example.com/other.git}\n",
    );
    commit(&sandbox, "other");
    // A change that nobody has read yet may not say what is read around it.
    other.write("apps/config.yaml", "kind: [\n");
    let unread = sandbox.kiln(&["diff", "--base", "HEAD"]);
    assert_eq!(unread.code, Some(0), "{unread}");
    let told = run(&sandbox, &["check"], 1);
    assert!(told.stderr.contains("apps/config.yaml:1"), "{told}");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}{}", settings.replace(&folder, "nowhere")),
    );
    let told = run(&sandbox, &["render"], 1);
    insta::assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[kiln-toml]: there is no folder `nowhere` with the files of `GitRepository/flux-system/other`
     --> kiln.toml:5:14
      |
    5 | sources = { "GitRepository/flux-system/other" = "nowhere" }
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error, nothing written
    "#);
}

#[test]
fn a_tree_with_settings_is_compared_as_it_is() {
    let sandbox = cluster();
    sandbox.write("kiln.toml", "[diff]\nignore = [\"/data/host\"]\n");
    commit(&sandbox, "settings");
    sandbox.write(
        "apps/config.yaml",
        sandbox.read("apps/config.yaml").replace("web.$", "www.$"),
    );
    let same = sandbox.kiln(&["diff", "--base", "HEAD"]);
    assert_eq!(same.code, Some(0), "{same}");
    // What is compared must not say what is left out.
    sandbox.write("kiln.toml", "[diff]\nignore = [\"/spec/replicas\"]\n");
    let told = sandbox.kiln(&["diff", "--base", "HEAD"]);
    insta::assert_snapshot!(told.steady(), @"
    exit code 1
    --- stdout
    HEAD ([COMMIT]) → the working tree

    1 danger
      ! `[diff] ignore` gains `/spec/replicas` [exemption-added]
        differences of that kind are not shown in any later change
        kiln.toml:1

    Settings
      - kiln.toml diff.ignore: /data/host
      + kiln.toml diff.ignore: /spec/replicas

    2 settings changed; 1 difference left out as noise
    ");
    sandbox.write("kiln.toml", "[flux]\nroots = [\"nowhere\"]\nrots = []\n");
    // Whether the input is right is what `check` is asked, and nobody else.
    for (arguments, code) in [
        (&["diff", "--base", "HEAD"][..], 2),
        (&["audit"], 2),
        (&["build"], 2),
        (&["list", "images"], 2),
        (&["check"], 1),
    ] {
        let told = run(&sandbox, arguments, code);
        assert_eq!(
            told.headlines(),
            ["error[unknown-key]: `kiln.toml` has no key `rots`"]
        );
    }
}
