//! What rules say of a namespace of which something is not seen: nobody can tell, instead of a pass or a gap.

use std::collections::BTreeMap;

use kiln::audit::score;

use super::{profiles, trees};
use crate::support::Yardstick;

const NAMESPACE: &str = "\
---
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    pod-security.kubernetes.io/enforce: restricted
";

const WEB: &str = "\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: main
          image: registry.example/web:1.0.0
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
";

const OTHERS: &str = "\
---
apiVersion: v1
kind: Service
metadata:
  name: others
spec:
  selector:
    app: others
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: others
spec:
  podSelector:
    matchLabels:
      app: others
";

const BUDGET: &str = "\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app: web
";

fn listed(verdicts: &BTreeMap<&str, String>) -> String {
    let lines = verdicts
        .iter()
        .map(|(code, verdict)| format!("{code}: {verdict}\n"));
    lines.collect()
}

/// Returns the verdicts of some rules over a namespace with these files, and with resources besides.
fn verdicts(
    codes: &[&'static str],
    files: &[(&str, &str)],
    more: &[&str],
) -> BTreeMap<&'static str, String> {
    let mut texts = BTreeMap::new();
    let mut resources = String::new();
    for (name, text) in files {
        resources.extend(["  - ./", name, "\n"]);
        texts.insert(format!("kubernetes/apps/{name}"), (*text).to_owned());
    }
    for resource in more {
        resources.extend(["  - ", resource, "\n"]);
    }
    texts.insert(
        "kubernetes/apps/kustomization.yaml".to_owned(),
        format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: shop\nresources:\n{resources}"
        ),
    );
    let profiles = profiles();
    let yardstick = Yardstick::new(&profiles);
    let tree = trees::tree(&texts, Vec::new());
    let sheet = score(tree.files(), yardstick.measures());
    let outcomes = sheet.outcomes.iter();
    let asked = outcomes.filter(|outcome| codes.contains(&outcome.rule.meaning.code));
    asked
        .map(|outcome| {
            let all = outcome.judgements.iter();
            let told: Vec<String> = all
                .map(|one| format!("{}: {}", one.verdict.code(), one.verdict.reason()))
                .collect();
            (outcome.rule.meaning.code, told.join("; "))
        })
        .collect()
}

const REMOTE: &str = "https://raw.githubusercontent.com/example/more/main/more.yml";

#[test]
fn what_a_remote_base_may_hold_is_not_missing() {
    let codes = [
        "network-policy",
        "netpol-dangling",
        "pod-disruption-budget",
        "psa-loose",
        "service-account-token",
        "service-selects-nothing",
    ];
    let files = [
        ("namespace.yaml", NAMESPACE),
        ("web.yaml", WEB),
        ("others.yaml", OTHERS),
    ];
    let seen = verdicts(&codes, &files, &[]);
    assert!(seen["psa-loose"].starts_with("pass"), "{seen:#?}");
    for code in codes.into_iter().filter(|code| *code != "psa-loose") {
        assert!(seen[code].starts_with("fail"), "{code}: {seen:#?}");
    }
    let unseen = verdicts(&codes, &files, &[REMOTE]);
    for code in codes {
        assert!(unseen[code].starts_with("unknown"), "{code}: {unseen:#?}");
    }
    insta::assert_snapshot!(listed(&unseen), @"
    netpol-dangling: unknown: only the resource `https://raw.githubusercontent.com/example/more/main/more.yml` may make the pods that it selects
    network-policy: unknown: no policy selects its pods, but the resource `https://raw.githubusercontent.com/example/more/main/more.yml` is not seen
    pod-disruption-budget: unknown: it has none, but the resource `https://raw.githubusercontent.com/example/more/main/more.yml` is not seen
    psa-loose: unknown: what the pods of the resource `https://raw.githubusercontent.com/example/more/main/more.yml` need is not known
    service-account-token: unknown: the resource `https://raw.githubusercontent.com/example/more/main/more.yml` may grant its account `default` something, and is not seen: it lies on another machine
    service-selects-nothing: unknown: they may be in `the resource `https://raw.githubusercontent.com/example/more/main/more.yml``, which is not seen: it lies on another machine
    ");
}

#[test]
fn a_second_budget_may_be_in_a_remote_base() {
    let files = [("web.yaml", WEB), ("budget.yaml", BUDGET)];
    let seen = verdicts(&["pdb-overlap"], &files, &[]);
    assert!(seen["pdb-overlap"].starts_with("pass"), "{seen:#?}");
    let unseen = verdicts(&["pdb-overlap"], &files, &[REMOTE]);
    assert!(unseen["pdb-overlap"].starts_with("unknown"), "{unseen:#?}");
}

#[test]
fn a_custom_resource_may_make_what_is_selected() {
    let thing = |api: &str, kind: &str| {
        format!("---\napiVersion: {api}\nkind: {kind}\nmetadata:\n  name: others\n")
    };
    let codes = ["netpol-dangling", "psa-loose", "service-selects-nothing"];
    let judged = |text: &str| {
        let files = [
            ("namespace.yaml", NAMESPACE),
            ("others.yaml", OTHERS),
            ("thing.yaml", text),
        ];
        verdicts(&codes, &files, &[])
    };
    let unknown = judged(&thing("example.com/v1", "Thing"));
    insta::assert_snapshot!(listed(&unknown), @"
    netpol-dangling: unknown: only `Thing/shop/others` may make the pods that it selects
    psa-loose: unknown: what the pods of `Thing/shop/others` need is not known
    service-selects-nothing: unknown: `Thing/shop/others` may make them
    ");
    // It is known what becomes of this one, and which level that has, but not by which labels.
    let known = judged(&thing("ceph.rook.io/v1", "CephCluster"));
    assert!(
        known["service-selects-nothing"].starts_with("unknown"),
        "{known:#?}"
    );
    assert!(known["psa-loose"].starts_with("pass"), "{known:#?}");
    let none = judged(&thing("external-secrets.io/v1", "ExternalSecret"));
    assert!(
        none["service-selects-nothing"].starts_with("fail"),
        "{none:#?}"
    );
    assert!(none["netpol-dangling"].starts_with("fail"), "{none:#?}");
}
