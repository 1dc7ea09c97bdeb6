use std::fs;

use super::live::{LiveRepository, remove};
use crate::support::Sandbox;

const SYNC: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
";

#[test]
fn a_tree_that_nothing_renders_is_left_as_it_is() {
    let sandbox = Sandbox::with(&[
        ("flux/apps.yaml", SYNC),
        ("apps/kustomization.yaml", "resources: []\n"),
    ]);
    let files = sandbox.files();
    for arguments in [&["adopt"][..], &["adopt", "--write"]] {
        let run = sandbox.kiln(arguments);
        assert!(run.stderr.contains("a tree of Flux'"), "{run}");
        assert!(run.stderr.contains("`kiln check`"), "{run}");
        run.success();
    }
    // Settings alone make no difference to that.
    sandbox.write("kiln.toml", "[check]\nignore = [\"archive\"]\n");
    let run = sandbox.kiln(&["adopt"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stderr
    this is a tree of Flux', which nothing renders
    nothing to adopt: what nothing renders stays as it is; `kiln check`, `kiln diff`, `kiln audit` and `kiln harden` work on it at once
    ");
    run.success();
    remove(&sandbox, &["kiln.toml"]);
    assert_eq!(sandbox.files(), files);
}

#[test]
fn a_makejinja_project_of_its_own_is_left_as_it_is() {
    let sandbox = Sandbox::with(&[
        (
            "makejinja.toml",
            "[makejinja]\ninputs = [\"./t\"]\noutput = \".\"\n",
        ),
        ("flux/apps.yaml", SYNC),
    ]);
    let run = sandbox.kiln(&["adopt", "--write"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stderr
    this is a makejinja project with templates of its own
    nothing to adopt: its own templates render it; `kiln check`, `kiln diff` and `kiln audit` work on what they render
    ");
    run.success();
    assert_eq!(sandbox.files().len(), 2);
}

#[test]
fn a_folder_with_nothing_for_flux_is_none() {
    let sandbox = Sandbox::with(&[("notes.md", "x"), ("a.yaml", "a: 1\n")]);
    for (arguments, said) in [
        (["adopt", "."], "nothing in"),
        (["adopt", "nowhere"], "there is no folder"),
    ] {
        let run = sandbox.kiln(&arguments);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains(said), "{run}");
    }
}

#[test]
fn a_rendered_project_has_nothing_to_adopt() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    sandbox.kiln(&["render"]).success();
    let files = sandbox.files();
    let run = sandbox.kiln(&["adopt", "--write"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stderr
    this is a project of Kiln's
    nothing to adopt: all of it is Kiln's
    ");
    run.success();
    assert_eq!(sandbox.files(), files);
    // What a list of Kiln's own lacks is none of the user's.
    sandbox.kiln(&["apps", "disable", "reloader"]).success();
    let run = sandbox.kiln(&["adopt"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("error[object-lost]"), "{run}");
    assert!(!run.stderr.contains("kept in"), "{run}");
}

/// After `just template tidy`, which moves the config away.
#[test]
fn a_config_that_was_put_away_is_asked_for() {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    sandbox.write(
        ".private/1767225600/cluster.toml",
        sandbox.read("cluster.toml"),
    );
    remove(sandbox, &["cluster.toml"]);
    let run = live.adopt(&["--write"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    this is a cluster of cluster-template's, without its templates, without its config, machines by topf
    error[config-not-here]: the config of this cluster is not here: there is neither `cluster.toml` nor `cluster.yaml`
     |
     = note: `.private/1767225600/cluster.toml`
     = help: `just template tidy` has put it away: copy `.private/1767225600/cluster.toml` back

    1 error, nothing written
    ");
    fs::copy(
        sandbox.path(".private/1767225600/cluster.toml"),
        sandbox.path("cluster.toml"),
    )
    .unwrap();
    let run = live.adopt(&["--drop", super::switch::LOST]);
    assert_eq!(run.code, Some(0), "{run}");
}
