//! Objects that a `ResourceSet` makes.

use super::{FLUX_INSTANCE, applied, config_map, kustomization, listed, unseen};

const SET: &str = "\
apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {name: tenants, namespace: flux-system}
spec:
  inputs: [{tenant: a, port: \"80\"}, {tenant: b, port: \"81\"}]
  resources:
    - apiVersion: v1
      kind: ConfigMap
      metadata: {name: \"tenant-<< inputs.tenant >>\", namespace: web}
      data: {port: << inputs.port | quote >>}
";

#[test]
fn static_inputs_are_put_in() {
    let files = [("instance.yaml", FLUX_INSTANCE), ("cluster/set.yaml", SET)];
    let applied = applied(&files);
    let found = listed(&applied);
    assert!(
        found.contains(&"flux-system ConfigMap web/tenant-a".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"flux-system ConfigMap web/tenant-b".to_owned()),
        "{found:?}"
    );
    assert_eq!(unseen(&applied), [""; 0]);
}

#[test]
fn a_kustomization_that_it_makes_is_followed() {
    let child = kustomization(
        "tenant-<< inputs.tenant >>",
        "./tenants/<< inputs.tenant >>",
        "",
    );
    let child: String = child
        .lines()
        .flat_map(|line| {
            [
                "      ", line, "
",
            ]
        })
        .collect();
    let set = SET.split("    - apiVersion").next().unwrap().to_owned() + "    -\n" + &child;
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/set.yaml", set.as_str()),
        ("tenants/a/c.yaml", &config_map("c", "1")),
        ("tenants/b/d.yaml", &config_map("d", "1")),
    ];
    let found = listed(&applied(&files));
    assert!(
        found.contains(&"tenant-a ConfigMap c".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"tenant-b ConfigMap d".to_owned()),
        "{found:?}"
    );
}

#[test]
fn what_only_the_cluster_knows_is_not_seen() {
    let set = SET.replace(
        "  inputs: [{tenant: a, port: \"80\"}, {tenant: b, port: \"81\"}]\n",
        "  inputsFrom: [{kind: ResourceSetInputProvider, name: pulls}]\n",
    );
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/set.yaml", set.as_str()),
    ];
    let applied = applied(&files);
    assert_eq!(
        unseen(&applied),
        ["ResourceSet/flux-system/tenants: its inputs come from providers in the cluster"]
    );
}
