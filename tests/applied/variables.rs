//! Variables: where they come from, and what they make of an object.

use serde_json::json;

use super::{
    FLUX_INSTANCE, applied, applied_with, config_map, kustomization, object, problems, unseen,
};
use kiln::flux::{AppliedObjects, FollowOptions};

/// Follows a tree in which one Kustomization substitutes in `apps/a.yaml`.
fn substituted(text: &str, post_build: &str, more: &[(&str, &str)]) -> AppliedObjects {
    let child = kustomization("apps", "./apps", post_build);
    let mut files = vec![
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/apps.yaml", child.as_str()),
        ("apps/a.yaml", text),
    ];
    files.extend(more);
    applied(&files)
}

const A: &str = "  postBuild: {substitute: {A: web, PORT: \"8080\", YES: \"yes\", TWO: \"1.0\"}}\n";

#[test]
fn a_value_takes_the_type_that_its_text_has_then() {
    let text = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: \"${A}\"}
data:
  plain: ${PORT}
  quoted: \"${PORT}\"
  part: p${PORT}
  number: \"1${PORT}\"
  yes: ${YES}
  float: ${TWO}
  escaped: $${A}
  default: ${B:=fall back}
";
    let applied = substituted(text, A, &[]);
    let data = object(&applied, "ConfigMap", "web")["data"].clone();
    // What kustomize writes without quotes is read anew: so do Flux' own objects turn out.
    assert_eq!(data["plain"], json!(8080));
    assert_eq!(data["quoted"], json!(8080));
    assert_eq!(data["part"], json!("p8080"));
    assert_eq!(data["number"], json!(18080));
    assert_eq!(data["true"], serde_json::Value::Null);
    assert_eq!(data["yes"], json!(true));
    assert_eq!(data["escaped"], json!("${A}"));
    assert_eq!(data["default"], json!("fall back"));
}

#[test]
fn an_undefined_variable_is_an_error_at_its_place() {
    let text = config_map("a", "before ${MISSING} ${MORE}") + "  script: |\n    echo ${HOME}\n";
    let applied = substituted(&text, A, &[]);
    assert_eq!(
        problems(&applied),
        [
            "variable-undefined apps/a.yaml:7:10 nothing gives the variable `HOME` a value, and Flux refuses the whole build",
            "variable-undefined apps/a.yaml:5:13 nothing gives the variable `MISSING` a value, and Flux refuses the whole build",
            "variable-undefined apps/a.yaml:5:24 nothing gives the variable `MORE` a value, and Flux refuses the whole build",
        ]
    );
    assert!(applied.builds[1].refused);
}

#[test]
fn before_flux_2_9_it_is_nothing() {
    let child = kustomization("apps", "./apps", A);
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/apps.yaml", child.as_str()),
        ("apps/a.yaml", &config_map("a", "x${MISSING}")),
    ];
    let options = FollowOptions {
        lenient: true,
        ..FollowOptions::default()
    };
    let applied = applied_with(&files, &options);
    assert_eq!(object(&applied, "ConfigMap", "a")["data"]["x"], "x");
}

#[test]
fn an_object_can_keep_its_dollars() {
    for part in ["labels", "annotations"] {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  {part}:\n    \
             kustomize.toolkit.fluxcd.io/substitute: disabled\ndata: {{x: '${{HOME}} $$'}}\n"
        );
        let applied = substituted(&text, A, &[]);
        assert_eq!(
            object(&applied, "ConfigMap", "a")["data"]["x"],
            "${HOME} $$"
        );
    }
}

#[test]
fn without_variables_nothing_is_touched() {
    let text = config_map("a", "'${HOME} $$'");
    let applied = substituted(&text, "", &[]);
    assert_eq!(
        object(&applied, "ConfigMap", "a")["data"]["x"],
        "${HOME} $$"
    );
    let applied = substituted(&text, "  postBuild: {substitute: {}}\n", &[]);
    assert_eq!(
        object(&applied, "ConfigMap", "a")["data"]["x"],
        "${HOME} $$"
    );
    let always = "  postBuild: {substituteStrategy: Always}\n";
    let applied = substituted(&config_map("a", "'${B:=b} $$'"), always, &[]);
    assert_eq!(object(&applied, "ConfigMap", "a")["data"]["x"], "b $");
}

#[test]
fn a_config_map_of_another_build_gives_its_values_after_its_patches() {
    let settings = "  patches:\n    - patch: |\n        apiVersion: v1\n        kind: ConfigMap\n        \
                    metadata: {name: settings, namespace: flux-system}\n        data: {B: patched}\n";
    let settings = kustomization("settings", "./settings", settings);
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\n\
               data: {B: written, C: 'two\n\n    lines'}\n";
    let from = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}\n";
    let applied = substituted(
        &config_map("a", "${B} ${C}"),
        from,
        &[("cluster/z.yaml", &settings), ("settings/s.yaml", map)],
    );
    assert_eq!(problems(&applied), [""; 0]);
    assert_eq!(
        object(&applied, "ConfigMap", "a")["data"]["x"],
        "patched twolines"
    );
}

#[test]
fn a_build_may_make_the_config_map_that_it_reads() {
    let text = config_map("a", "${B}")
        + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: own, namespace: flux-system}\ndata: {B: own}\n";
    let from = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: own}]}\n";
    let applied = substituted(&text, from, &[]);
    assert_eq!(object(&applied, "ConfigMap", "a")["data"]["x"], "own");
}

#[test]
fn what_a_secret_holds_stays_a_variable() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: flux-system}\n\
                  stringData: {TOKEN: canary-of-a-secret}\n";
    let from = "  postBuild: {substituteFrom: [{kind: Secret, name: s}]}\n";
    let text = config_map("a", "${TOKEN} ${TOKEN:=none}");
    let applied = substituted(&text, from, &[("cluster/s.yaml", secret)]);
    assert_eq!(problems(&applied), [""; 0]);
    let value = object(&applied, "ConfigMap", "a")["data"]["x"].clone();
    assert_eq!(value, "${TOKEN} ${TOKEN:=none}");
    // Another name is none of the Secret's, so it is an error as ever.
    let applied = substituted(
        &config_map("a", "${OTHER}"),
        from,
        &[("cluster/s.yaml", secret)],
    );
    assert_eq!(problems(&applied).len(), 1);
}

#[test]
fn a_source_outside_of_git_is_not_seen() {
    let from = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: terraform}]}\n";
    let text = config_map("a", "${ZONE} ${SIZE:=small}");
    let applied = substituted(&text, from, &[]);
    assert_eq!(problems(&applied), [""; 0]);
    assert_eq!(
        unseen(&applied),
        [
            "ConfigMap/flux-system/terraform: no build of the tree makes it, so its variables are not known"
        ]
    );
    let value = object(&applied, "ConfigMap", "a")["data"]["x"].clone();
    assert_eq!(value, "${ZONE} small");
    // An optional one need not be there.
    let from = from.replace("terraform", "terraform, optional: true");
    let from = from.replace("substituteFrom", "substitute: {A: a}, substituteFrom");
    let applied = substituted(&text, &from, &[]);
    assert_eq!(problems(&applied).len(), 1, "{:?}", problems(&applied));
}

#[test]
fn values_and_names_have_to_be_what_flux_takes() {
    let post_build = "  postBuild: {substitute: {PORT: 8080, a-b: c}}\n";
    let applied = substituted(&config_map("a", "${PORT}"), post_build, &[]);
    assert_eq!(
        problems(&applied),
        [
            "variable-malformed cluster/apps.yaml:8:34 the variable `PORT` has a value that is no text, and the API server takes only texts",
            "variable-malformed cluster/apps.yaml:8:45 `a-b` is no name of a variable",
        ]
    );
}

#[test]
fn each_field_knows_its_place_and_that_of_the_variable() {
    let applied = substituted(&config_map("a", "${A}"), A, &[]);
    let object = applied.of_kind("", "ConfigMap").next().unwrap();
    let field = object.field.find(&["data", "x"]).unwrap();
    assert_eq!(format!("{:?}", field.origin.place), "apps/a.yaml:5:6");
    assert_eq!(
        format!("{:?}", field.origin.shaped_by()),
        "[cluster/apps.yaml:8:31]"
    );
}
