//! Where Flux starts.

use super::{FLUX_INSTANCE, applied, applied_with, config_map, kustomization, listed};
use kiln::flux::{AppliedObjects, FollowOptions};

fn folders(applied: &AppliedObjects) -> Vec<&str> {
    let roots = applied.roots.iter();
    roots.map(|root| root.folder.as_str()).collect()
}

#[test]
fn a_flux_instance_names_its_folder() {
    let files = [
        ("apps/flux/instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", &config_map("a", "1")),
        ("other/b.yaml", &config_map("b", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(folders(&applied), ["cluster"]);
    assert_eq!(applied.roots[0].key.to_string(), "flux-system/flux-system");
    assert_eq!(listed(&applied), ["flux-system ConfigMap a"]);
}

#[test]
fn the_values_of_its_chart_name_it_too() {
    let release = "\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: flux-instance, namespace: flux-system}
spec:
  values:
    instance:
      sync: {path: ./clusters/home, name: home}
";
    let files = [
        ("r.yaml", release),
        ("clusters/home/a.yaml", &config_map("a", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(folders(&applied), ["clusters/home"]);
    assert_eq!(applied.roots[0].key.to_string(), "flux-system/home");
}

#[test]
fn a_bootstrapped_kustomization_holds_its_own_file() {
    let sync = kustomization("flux-system", "./clusters/prod", "");
    let child = kustomization("apps", "./apps", "");
    let files = [
        ("clusters/prod/flux-system/gotk-sync.yaml", sync.as_str()),
        (
            "clusters/prod/flux-system/kustomization.yaml",
            "resources: [gotk-components.yaml, gotk-sync.yaml]\n",
        ),
        ("clusters/prod/apps.yaml", &child),
        ("apps/a.yaml", &config_map("a", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(folders(&applied), ["clusters/prod"]);
    assert!(listed(&applied).contains(&"apps ConfigMap a".to_owned()));
    // The components are written by the bootstrap, so they are not an error.
    assert_eq!(super::problems(&applied), [""; 0]);
    assert_eq!(
        super::unseen(&applied),
        ["clusters/prod/flux-system/gotk-components.yaml: `flux bootstrap` writes it"]
    );
}

#[test]
fn what_takes_all_of_an_artifact_is_no_root() {
    let sync = kustomization("cluster", "./flux", "");
    let manifests = kustomization("flux", "./", "")
        .replace("kind: GitRepository", "kind: OCIRepository")
        .replace("name: flux-system}", "name: flux-manifests}");
    let artifact = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\n\
                    metadata: {name: flux-manifests, namespace: flux-system}\n";
    let files = |kind: &str| {
        let manifests = format!("{artifact}---\n{manifests}").replace("OCIRepository", kind);
        applied(&[
            ("flux/cluster.yaml", &*sync),
            ("flux/flux.yaml", &manifests),
        ])
    };
    let of_artifact = files("OCIRepository");
    assert_eq!(folders(&of_artifact), ["flux"]);
    assert_eq!(super::unseen(&of_artifact).len(), 1);
    // As `flux bootstrap --path=.` writes it.
    assert_eq!(folders(&files("GitRepository")), ["", "flux"]);
}

#[test]
fn every_cluster_is_a_root_with_names_of_its_own() {
    let apps = |cluster: &str| kustomization("apps", &format!("./apps/{cluster}"), "");
    let instance = |path: &str| FLUX_INSTANCE.replace("path: cluster", &format!("path: {path}"));
    let files = [
        ("one.yaml", &*instance("clusters/one")),
        ("two.yaml", &*instance("clusters/two")),
        ("clusters/one/apps.yaml", &apps("one")),
        ("clusters/two/apps.yaml", &apps("two")),
        ("apps/one/a.yaml", &config_map("a", "1")),
        ("apps/two/b.yaml", &config_map("b", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(folders(&applied), ["clusters/one", "clusters/two"]);
    assert_eq!(
        listed(&applied),
        [
            "flux-system Kustomization flux-system/apps",
            "apps ConfigMap a",
            "flux-system Kustomization flux-system/apps",
            "apps ConfigMap b",
        ]
    );
}

#[test]
fn without_a_sync_the_uppermost_kustomizations_start() {
    let files = [
        (
            "flux/cluster/ks.yaml",
            &*kustomization("apps", "./apps", ""),
        ),
        (
            "apps/ns/web/ks.yaml",
            &kustomization("web", "./apps/ns/web/app", ""),
        ),
        ("apps/ns/web/app/a.yaml", &config_map("a", "1")),
    ];
    // `apps` has no kustomization, so Flux takes all of it.
    let applied = applied(&files);
    assert_eq!(folders(&applied), ["flux/cluster"]);
    assert!(listed(&applied).contains(&"web ConfigMap a".to_owned()));
}

#[test]
fn named_roots_win() {
    let files = [
        ("apps/flux/instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", &config_map("a", "1")),
        ("other/b.yaml", &config_map("b", "1")),
    ];
    let options = FollowOptions {
        roots: vec!["./other".to_owned()],
        ..FollowOptions::default()
    };
    let applied = applied_with(&files, &options);
    assert_eq!(folders(&applied), ["other"]);
    assert_eq!(listed(&applied), ["flux-system ConfigMap b"]);
}
