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
    insta::assert_snapshot!(told, @"");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}[flux]\nvalues = [\"outside.yaml\"]\n"),
    );
    // Whoever checks a clone need not have it; whoever renders does.
    let told = run(&sandbox, &["check"], 0);
    insta::assert_snapshot!(told, @"");
    let told = run(&sandbox, &["render"], 1);
    insta::assert_snapshot!(told, @"");
    sandbox.write("outside.yaml", OUTSIDE);
    let told = run(&sandbox, &["check"], 0);
    assert!(!told.stderr.contains("substitute-from-missing"), "{told}");
    // With all values known, a variable that nothing gives is one.
    sandbox.write("templates/apps/config.yaml", config("NOBODY"));
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @"");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}[flux]\nvalues = [\"outside.yaml\"]\nstrict = false\n"),
    );
    drop(run(&sandbox, &["check"], 0));
    sandbox.kiln(&["render"]).success();
    sandbox.write("outside.yaml", "kind: Pod\ntoken: swordfish\n");
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @"");
}

#[test]
fn a_project_starts_where_it_is_told() {
    let sandbox = project("[flux]\nroots = [\"elsewhere\"]\n", "flux-system");
    let named = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: default}\n";
    sandbox.write("templates/elsewhere/config.yaml", named);
    sandbox.kiln(&["render"]).success();
    // What the cluster's own folder asks for is nobody's now.
    let run_of = sandbox.kiln(&["diff", "--base", "HEAD"]);
    insta::assert_snapshot!(run_of, @"");
    let told = run(&sandbox, &["check", "-v"], 0);
    assert!(!told.stderr.contains("substitute-from-missing"), "{told}");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}[flux]\nroots = [\"../elsewhere\"]\n"),
    );
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @"");
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
    insta::assert_snapshot!(told, @"");
    sandbox.write(
        "kiln.toml",
        format!("{SETTINGS}{}", settings.replace(&folder, "nowhere")),
    );
    let told = run(&sandbox, &["render"], 1);
    insta::assert_snapshot!(told, @"");
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
    insta::assert_snapshot!(told, @"");
    sandbox.write("kiln.toml", "[flux]\nroots = [\"nowhere\"]\nrots = []\n");
    // Whether the input is right is what `check` is asked, and nobody else.
    let told = sandbox.transcript(&["diff --base HEAD", "audit", "build", "list images", "check"]);
    insta::assert_snapshot!(told, @"");
}
