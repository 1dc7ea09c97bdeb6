//! From one Kustomization to the next.

use serde_json::json;

use super::{FLUX_INSTANCE, applied, config_map, kustomization, listed, object, problems};

#[test]
fn a_kustomization_adds_to_what_its_folder_says() {
    let spec = "\
\x20 targetNamespace: web
  namePrefix: my-
  components: [../component]
  images: [{name: nginx, newTag: \"2\"}]
  commonMetadata: {labels: {team: home}, annotations: {note: x}}
  patches:
    - target: {kind: ConfigMap}
      patch: |
        - {op: add, path: /data/y, value: patched}
";
    let deployment = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: web, image: 'nginx:1'}]
";
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/web.yaml",
            &*kustomization("web", "./apps/web", spec),
        ),
        (
            "apps/web/kustomization.yaml",
            "namespace: other\nresources: [d.yaml]\nimages: [{name: nginx, newName: mirror/nginx, newTag: \"1\"}]\n",
        ),
        ("apps/web/d.yaml", deployment),
        (
            "apps/component/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [c.yaml]\n",
        ),
        ("apps/component/c.yaml", &config_map("c", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(problems(&applied), [""; 0]);
    let deployment = object(&applied, "Deployment", "my-web");
    assert_eq!(
        deployment["metadata"],
        json!({
            "name": "my-web", "namespace": "web",
            "labels": {"team": "home"}, "annotations": {"note": "x"},
        })
    );
    let image = deployment.pointer("/spec/template/spec/containers/0/image");
    assert_eq!(image, Some(&json!("mirror/nginx:2")));
    let map = object(&applied, "ConfigMap", "my-c");
    assert_eq!(map["data"], json!({"x": 1, "y": "patched"}));
    assert_eq!(map["metadata"]["namespace"], "web");
}

#[test]
fn patches_reach_the_kustomizations_below_and_what_they_build() {
    let patches = "\
\x20 patches:
    - target: {group: kustomize.toolkit.fluxcd.io, kind: Kustomization}
      patch: |
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: _}
        spec:
          targetNamespace: patched
          patches:
            - target: {kind: ConfigMap}
              patch: |
                - {op: add, path: /data/deep, value: \"1\"}
";
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/apps.yaml",
            &*kustomization("apps", "./apps", patches),
        ),
        ("apps/kustomization.yaml", "resources: [web/ks.yaml]\n"),
        (
            "apps/web/ks.yaml",
            &kustomization("web", "./apps/web/app", ""),
        ),
        ("apps/web/app/c.yaml", &config_map("c", "a")),
    ];
    let applied = applied(&files);
    assert_eq!(problems(&applied), [""; 0]);
    let map = object(&applied, "ConfigMap", "c");
    assert_eq!(map["data"]["deep"], "1");
    assert_eq!(map["metadata"]["namespace"], "patched");
}

#[test]
fn a_folder_without_a_kustomization_is_taken_whole() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", &*config_map("a", "1")),
        ("cluster/deep/b.yml", &config_map("b", "1")),
        ("cluster/notes.txt", "no manifest"),
        ("cluster/own/kustomization.yaml", "resources: [c.yaml]\n"),
        ("cluster/own/c.yaml", &config_map("c", "1")),
        ("cluster/own/d.yaml", &config_map("d", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(
        listed(&applied),
        [
            "flux-system ConfigMap a",
            "flux-system ConfigMap b",
            "flux-system ConfigMap c",
        ]
    );
}

#[test]
fn a_key_that_flux_passes_over_is_an_error_that_says_so() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/kustomization.yaml", "resource:\n  - a.yaml\n"),
        ("cluster/a.yaml", &config_map("a", "1")),
    ];
    assert_eq!(
        problems(&applied(&files)),
        [
            "kustomization-unknown-key cluster/kustomization.yaml:2:3 kustomize knows no key `resource`, and Flux passes over it without a word"
        ]
    );
    // A nested one is read strictly, by kustomize itself.
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/kustomization.yaml", "resources: [in]\n"),
        ("cluster/in/kustomization.yaml", "resource: [a.yaml]\n"),
        ("cluster/in/a.yaml", &config_map("a", "1")),
    ];
    let found = problems(&applied(&files));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("kustomization-unknown-key cluster/in/kustomization.yaml:1:"),
        "{found:?}"
    );
}

#[test]
fn what_is_left_of_a_build_with_such_a_key_is_applied() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/apps.yaml", &*kustomization("apps", "./apps", "")),
        (
            "apps/kustomization.yaml",
            "resources: [a.yaml]\nresource: [b.yaml]\n",
        ),
        ("apps/a.yaml", &config_map("a", "1")),
        ("apps/b.yaml", &config_map("b", "1")),
    ];
    let found = applied(&files);
    assert_eq!(
        listed(&found),
        [
            "flux-system Kustomization flux-system/apps",
            "apps ConfigMap a"
        ]
    );
    let marks: Vec<_> = found
        .builds
        .iter()
        .map(|build| (build.owner.name.as_str(), build.refused, build.is_partial))
        .collect();
    assert_eq!(
        marks,
        [("flux-system", false, false), ("apps", false, true)]
    );
    assert_eq!(problems(&found).len(), 1, "{:?}", problems(&found));
    // Where nobody knows who builds a folder, kustomize's own word holds.
    let lost = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", &config_map("a", "1")),
        (
            "old/kustomization.yaml",
            "resources: [b.yaml]\nresource: []\n",
        ),
        ("old/b.yaml", &config_map("b", "1")),
    ];
    let found = applied(&lost);
    assert_eq!(listed(&found), ["flux-system ConfigMap a"]);
    assert!(found.builds[1].refused && !found.builds[1].is_partial);
}

#[test]
fn a_kustomization_that_lists_nothing_is_a_warning_at_its_place() {
    let tree = |text: &'static str| {
        let files = [
            ("instance.yaml", FLUX_INSTANCE),
            ("cluster/apps.yaml", &*kustomization("apps", "./apps", "")),
            ("apps/kustomization.yaml", text),
            ("shared/kustomization.yaml", "resources: []\n"),
        ];
        problems(&applied(&files))
    };
    let told = "the kustomization lists nothing, so Flux applies nothing of the folder";
    for text in [
        "resources:\n",
        "kind: Kustomization\nresources: []\n",
        "namespace: web\n",
    ] {
        assert_eq!(
            tree(text),
            [format!(
                "kustomization-empty apps/kustomization.yaml:1:1 {told}"
            )],
            "{text}"
        );
    }
    assert_eq!(
        tree("configMapGenerator: [{name: a, literals: [a=b]}]\n"),
        [""; 0]
    );
    let components = "  components: [../shared]\n";
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/apps.yaml",
            &*kustomization("apps", "./apps", components),
        ),
        ("apps/kustomization.yaml", "resources: []\n"),
        (
            "shared/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [a.yaml]\n",
        ),
        ("shared/a.yaml", &config_map("a", "1")),
    ];
    assert_eq!(problems(&applied(&files)), [""; 0]);
}

#[test]
fn a_missing_folder_has_a_suggestion() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/web.yaml", &*kustomization("web", "./apps/wbe", "")),
        ("apps/web/a.yaml", &config_map("a", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(
        problems(&applied),
        [
            "flux-path cluster/web.yaml:5:9 `Kustomization/flux-system/web` points at `./apps/wbe`, which is not in the tree"
        ]
    );
    assert_eq!(applied.problems[0].help, "did you mean `./apps/web`?");
}

#[test]
fn what_is_suspended_or_goes_elsewhere_is_marked() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/one.yaml",
            &*kustomization("one", "./one", "  suspend: true\n"),
        ),
        ("one/ks.yaml", &kustomization("inner", "./inner", "")),
        ("inner/a.yaml", &config_map("a", "1")),
        (
            "cluster/two.yaml",
            &kustomization("two", "./two", "  kubeConfig: {secretRef: {name: far}}\n"),
        ),
        ("two/ks.yaml", &kustomization("far", "./inner", "")),
    ];
    let applied = applied(&files);
    let marks: Vec<_> = applied
        .builds
        .iter()
        .map(|build| (build.owner.name.as_str(), build.suspended, build.elsewhere))
        .collect();
    // What lies below a suspended one is not applied anew; of another cluster nothing more is followed.
    assert_eq!(
        marks,
        [
            ("flux-system", false, false),
            ("one", true, false),
            ("two", false, true),
            ("inner", true, false),
        ]
    );
}

#[test]
fn a_kustomization_that_builds_itself_is_built_once() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/self.yaml",
            &*kustomization("self", "./cluster", ""),
        ),
    ];
    let applied = applied(&files);
    assert_eq!(applied.builds.len(), 2);
    assert_eq!(listed(&applied).len(), 2);
}

#[test]
fn a_problem_of_a_shared_file_is_said_once() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/one.yaml",
            &*kustomization("one", "./one", "  components: [../shared]\n"),
        ),
        (
            "cluster/two.yaml",
            &kustomization("two", "./two", "  components: [../shared]\n"),
        ),
        ("one/a.yaml", &config_map("a", "1")),
        ("two/b.yaml", &config_map("b", "1")),
        (
            "shared/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [gone.yaml]\n",
        ),
    ];
    let applied = applied(&files);
    assert_eq!(applied.problems.len(), 1, "{:?}", problems(&applied));
    assert_eq!(applied.problems[0].builds.len(), 2);
}

#[test]
fn a_folder_that_nothing_reaches_is_built_where_it_stands() {
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", &*config_map("a", "1")),
        ("old/kustomization.yaml", "resources: [in]\n"),
        ("old/in/kustomization.yaml", "resources: [b.yaml]\n"),
        ("old/in/b.yaml", &config_map("b", "1")),
    ];
    let applied = applied(&files);
    assert_eq!(
        listed(&applied),
        ["flux-system ConfigMap a", " ConfigMap b"]
    );
    assert!(!applied.builds[1].is_reached());
    assert_eq!(applied.builds[1].folder, "old");
}
