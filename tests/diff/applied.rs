//! Objects are compared as Flux applies them.

use kiln::diff::DiffReport;

use super::dangers::told;
use super::{diff, expect};

/// A tree with two apps that use one component.
struct Tree(Vec<(String, String)>);

impl Tree {
    fn new() -> Self {
        let mut tree = Self(Vec::new());
        tree.put("flux/kustomization.yaml", "resources: [a.yaml, b.yaml]\n");
        for app in ["a", "b"] {
            tree.put(&format!("flux/{app}.yaml"), &kustomization(app, ""));
            tree.put(
                &format!("apps/{app}/kustomization.yaml"),
                &format!("namespace: {app}\nresources: [m.yaml]\ncomponents: [../../shared]\n"),
            );
            tree.put(&format!("apps/{app}/m.yaml"), &config_map("own"));
        }
        tree.put(
            "shared/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [pvc.yaml]\n",
        );
        tree.put(
            "shared/pvc.yaml",
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: '${APP}'}\nspec: {accessModes: [ReadWriteOnce]}\n",
        );
        tree
    }

    fn put(&mut self, path: &str, text: &str) {
        self.0.retain(|(known, _)| known != path);
        self.0.push((path.to_owned(), text.to_owned()));
    }

    fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = self.0.iter().find(|(known, _)| known == path);
        let text = &text.unwrap().1;
        assert!(text.contains(from), "{path} has no {from}");
        let edited = text.replace(from, to);
        self.put(path, &edited);
    }

    fn files(&self) -> Vec<(&str, &str)> {
        let files = self.0.iter();
        files.map(|(path, text)| (&**path, &**text)).collect()
    }
}

fn kustomization(name: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  path: ./apps/{name}\n  prune: true\n  postBuild: {{substitute: {{APP: {name}}}}}\n{more}"
    )
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{x: '1'}}\n")
}

/// Compares the tree with an edited one.
fn edited(edit: fn(&mut Tree)) -> DiffReport {
    let before = Tree::new();
    let mut after = Tree::new();
    edit(&mut after);
    diff(&before.files(), &after.files())
}

fn codes(report: &DiffReport) -> Vec<&str> {
    let dangers = report.dangers.iter();
    dangers.map(kiln::diff::Danger::code).collect()
}

#[test]
fn a_component_that_goes_takes_its_volume() {
    let report = edited(|tree| {
        tree.edit(
            "apps/a/kustomization.yaml",
            "components: [../../shared]\n",
            "",
        );
    });
    assert_eq!(codes(&report), ["volume-removed"], "{}", told(&report));
    insta::assert_snapshot!(told(&report), @"volume-removed: `PersistentVolumeClaim/a/a` is removed and pruned; the Flux Kustomization `a` has `prune: true`: its data goes with it unless the reclaim policy of the volume is `Retain`");
}

#[test]
fn a_variable_renames_the_volume() {
    let report = edited(|tree| tree.edit("flux/a.yaml", "APP: a", "APP: web"));
    assert!(
        codes(&report).contains(&"volume-removed"),
        "{}",
        told(&report)
    );
    insta::assert_snapshot!(told(&report), @"volume-removed: `PersistentVolumeClaim/a/a` becomes `PersistentVolumeClaim/a/web`, and the old one is pruned; the Flux Kustomization `a` has `prune: true`: its data goes with it unless the reclaim policy of the volume is `Retain`");
}

#[test]
fn a_shared_change_is_told_once() {
    let report = edited(|tree| tree.edit("shared/pvc.yaml", "ReadWriteOnce", "ReadWriteMany"));
    assert_eq!(codes(&report), ["immutable-field"], "{}", told(&report));
    assert_eq!(report.dangers[0].also.len(), 1);
    assert_eq!(report.changes.len(), 1);
    assert_eq!(report.changes[0].also.len(), 1);
}

fn moved() -> DiffReport {
    edited(|tree| {
        tree.edit("apps/a/kustomization.yaml", "[m.yaml]", "[]");
        tree.edit(
            "apps/b/kustomization.yaml",
            "[m.yaml]",
            "[m.yaml, moved.yaml]",
        );
        tree.edit("apps/b/kustomization.yaml", "namespace: b\n", "");
        tree.put(
            "apps/b/moved.yaml",
            &config_map("own").replace("name: own", "name: own, namespace: a"),
        );
        tree.edit("apps/b/m.yaml", "name: own", "name: own, namespace: b");
    })
}

#[test]
fn an_object_goes_to_another_owner() {
    let report = moved();
    assert!(codes(&report).contains(&"owner-moved"), "{}", told(&report));
}

fn suspended() -> [DiffReport; 2] {
    let suspend = "  suspend: true\n";
    let mut before = Tree::new();
    before.put("flux/a.yaml", &kustomization("a", suspend));
    let mut after = Tree::new();
    after.put("flux/a.yaml", &kustomization("a", suspend));
    after.edit("apps/a/m.yaml", "'1'", "'2'");
    let mut resumed = Tree::new();
    resumed.put("flux/a.yaml", &kustomization("a", ""));
    [after, resumed].map(|after| diff(&before.files(), &after.files()))
}

#[test]
fn what_lies_below_something_suspended_does_not_roll_out() {
    let [below, resumed] = suspended();
    assert_eq!(codes(&below), ["suspended-parent"], "{}", told(&below));
    assert_eq!(codes(&resumed), ["resumed"], "{}", told(&resumed));
}

fn remote() -> DiffReport {
    const REMOTE: &str = "https://example.com/x.yaml?ref=v1";
    let mut before = Tree::new();
    let list = format!("[m.yaml, '{REMOTE}']");
    before.edit("apps/a/kustomization.yaml", "[m.yaml]", &list);
    let mut after = Tree::new();
    let list = list.replace("v1", "v2");
    after.edit("apps/a/kustomization.yaml", "[m.yaml]", &list);
    assert!(diff(&before.files(), &before.files()).dangers.is_empty());
    diff(&before.files(), &after.files())
}

#[test]
fn a_remote_resource_that_moves_is_a_difference() {
    let report = remote();
    assert_eq!(codes(&report), ["remote-moved"], "{}", told(&report));
}

fn large() -> DiffReport {
    edited(|tree| {
        let many: Vec<String> = (0..60).map(|at| config_map(&format!("m{at}"))).collect();
        tree.put("apps/a/m.yaml", &many.join("---\n"));
    })
}

#[test]
fn many_objects_at_once_are_a_large_change() {
    let report = large();
    assert_eq!(codes(&report), ["large-change"], "{}", told(&report));
}

#[test]
fn the_words_of_these_dangers() {
    let [below, resumed] = suspended();
    let reports = [moved(), below, resumed, remote(), large()];
    expect("applied.txt", &reports.iter().map(told).collect::<String>());
}

#[test]
fn a_build_that_is_refused_is_not_a_removal() {
    let report = edited(|tree| tree.edit("apps/a/kustomization.yaml", "m.yaml", "gone.yaml"));
    assert_eq!(codes(&report), [""; 0], "{}", told(&report));
    assert!(
        format!("{:?}", report.gaps).contains("gone.yaml"),
        "{:?}",
        report.gaps
    );
}

/// A tree with two clusters that apply one app, each with values of its own.
fn two_clusters() -> Tree {
    let mut tree = Tree(Vec::new());
    for cluster in ["home", "lab"] {
        tree.put(
            &format!("bootstrap/{cluster}.yaml"),
            &format!("apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {{name: flux, namespace: flux-system}}\nspec: {{sync: {{path: clusters/{cluster}}}}}\n"),
        );
        tree.put(
            &format!("clusters/{cluster}/web.yaml"),
            &kustomization("web", "").replace("APP: web", &format!("APP: {cluster}")),
        );
    }
    tree.put(
        "apps/web/m.yaml",
        &config_map("own").replace("'1'", "'${APP} 1'"),
    );
    tree
}

#[test]
fn objects_of_two_clusters_are_told_apart() {
    let before = two_clusters();
    let subjects = |report: &DiffReport| -> Vec<String> {
        let changes = report.changes.iter();
        changes
            .map(|change| format!("{}|{}", change.subject.cluster, change.subject.name))
            .collect()
    };
    assert_eq!(diff(&before.files(), &before.files()).changes.len(), 0);
    // A change of one cluster is none of the other.
    let mut after = two_clusters();
    after.edit("clusters/lab/web.yaml", "APP: lab", "APP: attic");
    let report = diff(&before.files(), &after.files());
    assert_eq!(report.changes.len(), 2, "{report:?}");
    let clusters = subjects(&report);
    assert!(
        clusters.iter().all(|subject| subject.contains("lab")),
        "{clusters:?}"
    );
    // What is shared changes in both.
    let mut after = two_clusters();
    after.edit("apps/web/m.yaml", "} 1", "} 2");
    let report = diff(&before.files(), &after.files());
    let count: usize = report
        .changes
        .iter()
        .map(|change| 1 + change.also.len())
        .sum();
    assert_eq!(count, 2, "{:?}", subjects(&report));
    // An app that one cluster leaves out goes there alone.
    let mut after = two_clusters();
    after.put("clusters/lab/web.yaml", &config_map("left"));
    let report = diff(&before.files(), &after.files());
    let told = subjects(&report);
    assert!(
        !told.is_empty() && told.iter().all(|subject| subject.contains("lab")),
        "{told:?}"
    );
}

#[test]
fn a_variable_of_a_sealed_secret_that_stays_is_no_difference() {
    let sealed = "apiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: flux-system}\n\
                  stringData:\n  TOKEN: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops: {version: 3.9.0}\n";
    let tree = |value: &str, token: &str| {
        let mut tree = Tree::new();
        tree.put(
            "flux/kustomization.yaml",
            "resources: [a.yaml, b.yaml, vars.yaml]\n",
        );
        tree.put("flux/vars.yaml", &sealed.replace("data:x", token));
        tree.put(
            "flux/a.yaml",
            &kustomization("a", "").replace(
                "{substitute: {APP: a}}",
                "{substitute: {APP: a}, substituteFrom: [{kind: Secret, name: vars}]}",
            ),
        );
        tree.put(
            "apps/a/m.yaml",
            &config_map("own").replace(
                "{x: '1'}",
                &format!("{{x: '{value}', token: 'Bearer ${{TOKEN}}'}}"),
            ),
        );
        tree
    };
    let changed = |after: &Tree| {
        let before = tree("1", "data:x");
        let report = diff(&before.files(), &after.files());
        let fields = report.changes.iter().flat_map(|change| {
            let name = &change.subject.name;
            let fields = change.fields.iter();
            fields.map(move |field| format!("{name} {}", field.route))
        });
        fields.collect::<Vec<_>>()
    };
    assert_eq!(changed(&tree("1", "data:x")), [""; 0]);
    // Beside another change it is not told either, nor where it is sealed anew.
    assert_eq!(changed(&tree("2", "data:x")), ["own data.x"]);
    let anew = changed(&tree("1", "data:y"));
    assert!(
        anew.iter().all(|field| !field.starts_with("own")),
        "{anew:?}"
    );
}

#[test]
fn values_of_a_release_are_compared_after_their_sources() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\n\
                   spec: {valuesFrom: [{kind: ConfigMap, name: v}], values: {a: 1}}\n---\n\
                   apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v}\ndata: {values.yaml: 'b: 1'}\n";
    let mut before = Tree::new();
    before.put("apps/a/m.yaml", release);
    let mut after = Tree::new();
    after.put("apps/a/m.yaml", &release.replace("b: 1", "b: 2"));
    let report = diff(&before.files(), &after.files());
    let routes: Vec<String> = report
        .changes
        .iter()
        .flat_map(|change| change.fields.iter().map(|field| field.route.to_string()))
        .collect();
    assert!(
        routes.iter().any(|route| route == "spec.values.b"),
        "{routes:?}"
    );
}
