//! Hardening generated trees: only insertions, and none the second time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kiln::charts::Profiles;
use kiln::harden::harden;
use kiln::source::Span;
use kiln::yaml::emit;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::edits::values;
use super::{outputs, profiles, trees};
use crate::support::Yardstick;

const CHARTS: [(&str, &str); 5] = [
    ("oci://ghcr.io/stakater/charts/reloader", "2.2.7"),
    ("oci://ghcr.io/coredns/charts/coredns", "1.45.0"),
    ("oci://quay.io/jetstack/charts/cert-manager", "v1.19.2"),
    ("oci://ghcr.io/bjw-s-labs/helm/app-template", "4.6.0"),
    ("oci://ghcr.io/example/unknown", "1.0.0"),
];

static PROFILES: LazyLock<Profiles> = LazyLock::new(profiles);

/// Keys that the profiles' paths go through, so that generated values stand in their way.
fn chart_values() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("reloader".to_owned()),
        Just("deployment".to_owned()),
        Just("global".to_owned()),
        Just("defaultPodOptions".to_owned()),
        Just("podSecurityContext".to_owned()),
        "[a-z]{1,6}",
    ];
    let inner = prop::collection::btree_map(key.clone(), values(), 0..3)
        .prop_map(|map| Value::Object(map.into_iter().collect()));
    prop::collection::btree_map(key, prop_oneof![values(), inner], 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn written(value: &Value, braces: bool) -> String {
    if braces {
        format!("{value}\n")
    } else {
        emit(value)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn hardening_only_inserts_and_only_once(
        release_values in chart_values(),
        labels in prop::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3),
        chart in prop::sample::select(&CHARTS[..]),
        braces in any::<bool>(),
        crlf in any::<bool>(),
        newline in any::<bool>(),
    ) {
        let release = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": "x", "namespace": "x"},
            "spec": {"chartRef": {"kind": "OCIRepository", "name": "x"}, "values": release_values},
        });
        let source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "OCIRepository",
            "metadata": {"name": "x", "namespace": "x"},
            "spec": {"url": chart.0, "ref": {"tag": chart.1}},
        });
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels, "name": "x"}});
        let list = json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": ["all.yaml"]});
        let mut all = format!("---\n{}---\n{}---\n{}", written(&release, braces), emit(&source), written(&namespace, braces));
        if crlf {
            all = all.replace('\n', "\r\n");
        }
        if !newline {
            all.truncate(all.trim_end().len());
        }
        let given = BTreeMap::from([
            ("kubernetes/flux/cluster/all.yaml".to_owned(), all),
            ("kubernetes/flux/cluster/kustomization.yaml".to_owned(), emit(&list)),
        ]);
        let run = |texts: &BTreeMap<String, String>| {
            harden(trees::tree(texts, Vec::new()), Yardstick::new(&PROFILES).measures()).unwrap().value
        };
        let once = run(&given);
        for (path, before) in &given {
            let mut text = once.get(path).unwrap().source.text.to_string();
            let mut spans: Vec<Span> =
                once.injections().iter().filter(|added| added.path == *path).map(|added| added.span).collect();
            spans.sort();
            // Inside braces, one rule may add to what another has added.
            spans.dedup_by(|next, last| {
                let inside = next.start < last.end;
                last.end = if inside { last.end.max(next.end) } else { last.end };
                inside
            });
            for span in spans.iter().rev() {
                text.replace_range(span.start..span.end, "");
            }
            // A line added behind one without a line break brings that break along.
            prop_assert_eq!(text.trim_end(), before.trim_end());
        }
        let twice = run(&outputs(&once));
        prop_assert_eq!(outputs(&twice), outputs(&once));
        prop_assert!(twice.injections().is_empty());
    }
}
