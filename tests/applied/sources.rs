//! Where the files of a Kustomization come from.

use std::collections::BTreeMap;

use kiln::flux::{FollowOptions, SourceReference, TreeFiles};

use super::{
    FLUX_INSTANCE, applied, applied_with, config_map, kustomization, listed, memory, problems,
    unseen,
};

fn from(kind: &str, name: &str) -> String {
    kustomization("web", "./web", "").replace(
        "kind: GitRepository, name: flux-system",
        &format!("kind: {kind}, name: {name}"),
    )
}

const OTHER: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: other, namespace: flux-system}\n\
                     spec: {url: URL}\n";

#[test]
fn another_source_is_not_seen_and_its_folder_makes_it_seen() {
    let web = from("GitRepository", "other");
    let source = OTHER.replace("URL", "https://example.com/apps");
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", source.as_str()),
        ("cluster/web.yaml", &web),
        ("web/mine.yaml", &config_map("mine", "1")),
    ];
    let found = applied(&files);
    assert_eq!(
        unseen(&found),
        [
            "Kustomization/flux-system/web: its files come from `GitRepository/flux-system/other`, which is not this repository"
        ]
    );
    let text = config_map("theirs", "1");
    let theirs = memory(&[("web/theirs.yaml", &text)]);
    let reference = SourceReference::parse("GitRepository/flux-system/other").unwrap();
    let tree = TreeFiles::of_repository(&theirs, "../apps/").unwrap();
    let options = FollowOptions {
        sources: BTreeMap::from([(reference, tree)]),
        ..FollowOptions::default()
    };
    let found = applied_with(&files, &options);
    assert_eq!(unseen(&found), [""; 0]);
    assert!(listed(&found).contains(&"web ConfigMap theirs".to_owned()));
    let object = found.of_kind("", "ConfigMap").next().unwrap();
    assert_eq!(object.place().file.path, "../apps/web/theirs.yaml");
}

#[test]
fn a_source_of_the_same_url_is_this_tree() {
    let web = from("GitRepository", "other");
    let source = OTHER.replace("URL", "https://example.com/home");
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", source.as_str()),
        ("cluster/web.yaml", &web),
        ("web/mine.yaml", &config_map("mine", "1")),
    ];
    assert!(listed(&applied(&files)).contains(&"web ConfigMap mine".to_owned()));
}

#[test]
fn a_source_that_nothing_defines_is_this_tree_where_the_path_is_here() {
    let web = from("GitRepository", "home-kubernetes");
    let mine = config_map("mine", "1");
    let files = [("cluster/web.yaml", web.as_str()), ("web/mine.yaml", &mine)];
    assert!(listed(&applied(&files)).contains(&"web ConfigMap mine".to_owned()));
}

#[test]
fn an_artifact_is_put_together_from_the_tree() {
    let generator = "\
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: g, namespace: flux-system}
spec:
  sources: [{alias: repo, kind: GitRepository, name: flux-system}]
  artifacts:
    - name: web
      copy:
        - {from: '@repo/base/**', to: '@artifact/base/', exclude: ['**/skip.yaml']}
        - {from: '@repo/prod/**', to: '@artifact/web/'}
";
    let web = from("ExternalArtifact", "web");
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", web.as_str()),
        ("cluster/z.yaml", generator),
        ("prod/kustomization.yaml", "resources: [../base]\n"),
        ("base/kustomization.yaml", "resources: [c.yaml]\n"),
        ("base/c.yaml", &config_map("c", "1")),
        ("base/skip.yaml", "x: ["),
    ];
    let found = applied(&files);
    assert_eq!(problems(&found), [""; 0]);
    assert!(
        listed(&found).contains(&"web ConfigMap c".to_owned()),
        "{:?}",
        unseen(&found)
    );
}
