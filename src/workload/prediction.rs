//! What Kiln takes a release of a chart to make, asked without a tree.
//!
//! It is asked the way hardening asks: of the workloads of a tree, with nothing but that release in it. So a
//! profile can be held against what the chart renders.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::budget;
use crate::charts::profile::Profile;
use crate::charts::{Profiles, Release};
use crate::flux::TreeFiles;
use crate::flux::builds::Builds;
use crate::source::Source;
use crate::tree::File;
use crate::yaml::{emit, load};

/// The release that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    /// Its name.
    pub release: &'s str,
    /// Where it goes.
    pub namespace: &'s str,
    /// Its values.
    pub values: &'s Map<String, Value>,
}

/// A workload as it is predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Whether the name is certain.
    pub named: bool,
    /// Whether the chart itself makes it, rather than its operator.
    pub own: bool,
    /// Whether it is a Helm hook.
    pub hook: bool,
    /// How many replicas it has, where that is known.
    pub replicas: Option<u64>,
    /// The labels that select its pods; empty where they are not known.
    pub selector: BTreeMap<String, String>,
    /// The names of its containers, init containers first.
    pub containers: Vec<String>,
    /// The name of its service account, where it is not the default one.
    pub account: Option<String>,
    /// Whether the chart makes a budget for it.
    pub budgeted: bool,
    /// The name of that budget, where it is known.
    pub budget: Option<String>,
}

/// Writes the manifests of a sample: the HelmRelease and the source of its chart; tests that `helm test` runs are on.
///
/// `version` is one that the profile covers.
pub fn manifests(profile: &Profile, version: &str, sample: &Sample<'_>) -> String {
    let metadata = json!({"name": sample.release, "namespace": sample.namespace});
    let url = profile.sources.first().map_or("", String::as_str);
    let oci = url.starts_with("oci://");
    let (repository, name) = url.rsplit_once('/').unwrap_or(("", url));
    let (kind, source, reference) = if oci {
        let spec = json!({"interval": "1h", "url": url, "ref": {"tag": version}});
        let reference = json!({"chartRef": {"kind": "OCIRepository", "name": sample.release}});
        ("OCIRepository", spec, reference)
    } else {
        let spec = json!({"interval": "1h", "url": repository});
        let source = json!({"kind": "HelmRepository", "name": sample.release});
        let chart = json!({"chart": name, "version": version, "sourceRef": source});
        ("HelmRepository", spec, json!({"chart": {"spec": chart}}))
    };
    let mut spec = json!({
        "interval": "1h",
        "releaseName": sample.release,
        "test": {"enable": true},
        "values": sample.values,
    });
    if let (Value::Object(spec), Value::Object(reference)) = (&mut spec, reference) {
        spec.extend(reference);
    }
    let manifests = [
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": kind,
            "metadata": metadata,
            "spec": source,
        }),
        json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": metadata,
            "spec": spec,
        }),
    ];
    let texts = manifests
        .iter()
        .map(|object| format!("---\n{}", emit(object)));
    texts.collect()
}

/// Lists the workloads that a profile predicts for a sample; `None` where none of the profiles covers it.
pub fn predict(
    profiles: &Profiles,
    profile: &Profile,
    sample: &Sample<'_>,
) -> Option<Vec<Prediction>> {
    let version = profile.versions.from.as_ref()?.to_string();
    let text = manifests(profile, &version, sample);
    let documents = load(&text).ok()?;
    let file = File {
        path: "release.yaml".to_owned(),
        source: Source::new("release.yaml", text),
        documents: documents.into(),
        origins: Vec::new(),
        executable: false,
        binary: None,
    };
    let files = TreeFiles::of_tree(std::iter::once(&file));
    let builds = Builds::of(&files);
    let releases = Release::all(&builds, profiles);
    releases.first()?.profile()?;
    let workloads = super::all(&builds, &releases);
    Some(workloads.iter().map(predicted).collect())
}

fn predicted(workload: &super::Workload<'_>) -> Prediction {
    let account = workload.pod["spec"]["serviceAccountName"].as_str();
    let names = workload
        .containers()
        .map(|container| container.name.to_owned());
    Prediction {
        kind: workload.kind.clone(),
        name: workload.name.clone(),
        named: workload.is_named(),
        own: workload.known().is_some_and(|known| !known.by_operator),
        hook: workload.hook,
        replicas: workload.replicas,
        selector: workload.selector.clone(),
        containers: names.collect(),
        account: account.filter(|name| *name != "default").map(str::to_owned),
        budgeted: budget::own(workload).is_some(),
        budget: workload
            .known()
            .and_then(|known| known.budget.as_ref()?.name.as_ref())
            .and_then(|_| budget::own_name(workload)),
    }
}
