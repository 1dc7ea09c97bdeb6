//! `kiln diff` where there is no Kiln project.

use super::cluster::{cluster, commit_all, fill};
use crate::diff::project::{commit, git};
use crate::support::{Run, Sandbox};

/// What a comparison says, below the line that names both sides.
#[track_caller]
fn differences(run: &Run) -> &str {
    assert_eq!(run.code, Some(1), "{run}");
    run.stdout.split_once('\n').unwrap().1
}

#[test]
fn revisions_of_a_plain_tree_are_compared_as_flux_applies_them() {
    let sandbox = cluster();
    let same = sandbox.kiln(&["diff", "--base", "HEAD"]);
    assert_eq!(same.code, Some(0), "{same}");
    // A variable that one file sets changes an object of another.
    sandbox.write(
        "cluster/settings.yaml",
        sandbox
            .read("cluster/settings.yaml")
            .replace("example.com", "example.org"),
    );
    let run = sandbox.kiln(&["diff", "--base", "HEAD"]);
    insta::assert_snapshot!(run.steady(), @"
    exit code 1
    --- stdout
    HEAD ([COMMIT]) → the working tree

    ~ ConfigMap/default/web
      apps/config.yaml:1
      from cluster/settings.yaml:6
      data.host: web.example.com → web.example.org

    ~ ConfigMap/flux-system/settings
      cluster/settings.yaml:1
      data.DOMAIN: example.com → example.org

    2 changed
    ");
    // From a folder below, and by a path from elsewhere.
    let below = sandbox.kiln(&["-C", "apps", "diff", "--base", "HEAD"]);
    assert_eq!(below.stdout, run.stdout);
    commit(&sandbox, "second");
    git(&sandbox, &["tag", "second"]);
    let revisions = sandbox.kiln(&["diff", "--base", "HEAD~1", "--head", "second"]);
    assert_eq!(differences(&revisions), differences(&run));
    // What says nothing to Flux is none of its objects.
    sandbox.write("README.md", "# Another\n");
    let run = sandbox.kiln(&["diff", "--base", "HEAD"]);
    assert!(!run.stdout.contains("ConfigMap"), "{run}");
}

#[test]
fn a_folder_is_compared_with_the_tree_that_the_user_is_in() {
    let sandbox = cluster();
    let other = Sandbox::new();
    fill(&other, "");
    let text = other.read("apps/deployment.yaml");
    other.write(
        "apps/deployment.yaml",
        text.replace("web:1.2.3", "web:2.0.0"),
    );
    commit_all(&other);
    let folder = other.path("").display().to_string();
    let run = sandbox.kiln(&["diff", "--tree", &folder]);
    insta::assert_snapshot!(run.to_string().replace(&folder, "[OTHER]"), @"
    exit code 1
    --- stdout
    [OTHER] → the working tree

    1 danger
      ! the image `ghcr.io/web` goes back from 2.0.0 to 1.2.3 [downgrade]
        data that the newer version wrote may not be readable to the older one
        apps/deployment.yaml:11

    ~ Deployment/default/web
      apps/deployment.yaml:1
      spec.template.spec.containers[web].image: ghcr.io/web:2.0.0 → ghcr.io/web:1.2.3

    Images
      ghcr.io/web  2.0.0 → 1.2.3  down

    1 changed
    ");
}

#[test]
fn what_needs_a_project_says_so() {
    let sandbox = cluster();
    let told = sandbox.transcript(&["diff --disk", "diff --base HEAD --config x.yaml"]);
    insta::assert_snapshot!(told, @"
    $ kiln diff --disk
    exit code 2
    --- stderr
    error: `[WORK]` is no project: there is no `kiln.toml`, so nothing is rendered
    help: compare revisions (`--base REV`), or folders (`--tree DIR`)
    $ kiln diff --base HEAD --config x.yaml
    exit code 2
    --- stderr
    error: `[WORK]` is no project: there is no `kiln.toml`, so nothing is rendered
    help: compare revisions (`--base REV`), or folders (`--tree DIR`)
    ");
}

#[test]
fn a_side_that_does_not_build_is_said_and_nothing_of_it_is_removed() {
    let sandbox = cluster();
    sandbox.write("apps/kustomization.yaml", "resources: [gone.yaml]\n");
    let run = sandbox.kiln(&["diff", "--base", "HEAD"]);
    insta::assert_snapshot!(run.steady(), @"
    exit code 2
    --- stdout
    HEAD ([COMMIT]) → the working tree

    Not compared
      Kustomization/flux-system/apps of the working tree: Flux refuses it, because there is no file or folder `gone.yaml`; 3 objects of the other side are left out
        apps/kustomization.yaml:1

    no difference in what is compared
    ");
}

#[test]
fn a_removal_names_who_syncs() {
    let volume = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: default}\nspec: {accessModes: [ReadWriteOnce]}\n";
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {url: https://example.com/home.git}\n---\n";
    let sync = |prune: &str| {
        format!(
            "{source}apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: flux-system, namespace: flux-system}}\n\
             spec: {{path: ./cluster, prune: {prune}, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n"
        )
    };
    let instance = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
                    spec: {sync: {kind: GitRepository, url: https://example.com/home.git, path: cluster}}\n";
    let child = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n\
                 spec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    for (path, text, expected) in [
        (
            "cluster/flux-system/gotk-sync.yaml",
            sync("true"),
            "removed and pruned. The Flux Kustomization `flux-system` has `prune: true`",
        ),
        (
            "cluster/flux-system/gotk-sync.yaml",
            sync("false"),
            "removed and orphaned. The Flux Kustomization `flux-system` has `prune: false`",
        ),
        (
            "cluster/flux-system/instance.yaml",
            instance.to_owned(),
            "removed and pruned. The sync of the `FluxInstance` prunes",
        ),
        (
            "cluster/apps.yaml",
            child.to_owned(),
            "removed and may be pruned. What syncs the tree is not in it, and may prune",
        ),
    ] {
        let sandbox = Sandbox::with(&[
            (path, &text),
            ("cluster/volume.yaml", volume),
            ("apps/a.yaml", &volume.replace("name: data", "name: other")),
        ]);
        commit_all(&sandbox);
        std::fs::remove_file(sandbox.path("cluster/volume.yaml")).unwrap();
        let run = sandbox.kiln(&["diff", "--base", "HEAD", "--format", "markdown"]);
        assert_eq!(run.code, Some(1), "{run}");
        let told = run.stdout.replace(['`', '\n'], "");
        let expected = expected.replace('`', "");
        assert!(told.contains(&expected), "{expected}: {run}");
        let speaks = told.contains("FluxInstance");
        assert_eq!(speaks, text == instance, "{run}");
    }
}
