//! The Helm releases of what Flux applies.

use kustomize::Field;
use serde_json::json;

use super::sources::SourceCatalogue;
use super::{Inventory, reached};
use crate::flux::{AppliedObjects, SourceReference};

/// The API group of releases.
pub(super) const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";

/// A release, and the chart that it installs.
struct ListedRelease {
    key: String,
    chart: String,
    version: String,
    source: String,
    url: String,
    owner: String,
    suspended: bool,
}

pub(super) fn list(applied: &AppliedObjects) -> Inventory {
    let sources = SourceCatalogue::of(applied);
    let mut found = Vec::new();
    for object in reached(applied).filter(|object| object.is(HELM_GROUP, "HelmRelease")) {
        let build = applied.build_of(object);
        let (chart, version, source) = chart_of(&object.field, &sources);
        found.push(ListedRelease {
            key: object.key().to_string(),
            chart,
            version,
            url: source
                .as_ref()
                .map_or_else(String::new, |source| sources.url(source)),
            source: source.map_or_else(String::new, |source| source.to_string()),
            owner: build.owner.to_string(),
            suspended: build.suspended
                || object.field.find_text(&["spec", "suspend"]) == Some("true"),
        });
    }
    found.sort_by(|one, other| one.key.cmp(&other.key));
    Inventory {
        subject: "releases",
        head: &["RELEASE", "CHART", "VERSION", "SOURCE", "OWNER"],
        rows: found
            .iter()
            .map(|release| {
                vec![
                    release.key.clone(),
                    release.chart.clone(),
                    release.version.clone(),
                    if release.url.is_empty() {
                        release.source.clone()
                    } else {
                        release.url.clone()
                    },
                    release.owner.clone(),
                ]
            })
            .collect(),
        names: found.iter().map(|release| release.key.clone()).collect(),
        items: found
            .iter()
            .map(|release| {
                json!({
                    "release": release.key,
                    "chart": release.chart,
                    "version": release.version,
                    "source": release.source,
                    "url": release.url,
                    "owner": release.owner,
                    "suspended": release.suspended,
                })
            })
            .collect(),
    }
}

/// Returns chart, version and source of a release; empty what the tree does not tell.
fn chart_of(
    release: &Field,
    sources: &SourceCatalogue<'_>,
) -> (String, String, Option<SourceReference>) {
    let namespace = release
        .find_text(&["metadata", "namespace"])
        .unwrap_or_default();
    if let Some(reference) = release.find(&["spec", "chartRef"]) {
        let reference = SourceReference::read(reference, namespace);
        let object = reference
            .as_ref()
            .and_then(|reference| sources.object(reference));
        return match (reference, object) {
            (Some(reference), Some(chart)) if reference.kind == "HelmChart" => {
                let own = reference.key.namespace.clone();
                let spec = chart.get("spec");
                spec.map_or_else(Default::default, |spec| named_chart(spec, &own))
            }
            (reference, Some(source)) => {
                let url = source.find_text(&["spec", "url"]).unwrap_or_default();
                let chart = url
                    .trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .unwrap_or_default();
                (
                    chart.to_owned(),
                    super::sources::reference_of(source),
                    reference,
                )
            }
            (reference, None) => (String::new(), String::new(), reference),
        };
    }
    let spec = release.find(&["spec", "chart", "spec"]);
    spec.map_or_else(Default::default, |spec| named_chart(spec, namespace))
}

fn named_chart(spec: &Field, namespace: &str) -> (String, String, Option<SourceReference>) {
    let text = |key: &str| spec.find_text(&[key]).unwrap_or_default().to_owned();
    let source = spec.get("sourceRef");
    let source = source.and_then(|source| SourceReference::read(source, namespace));
    (text("chart"), text("version"), source)
}
