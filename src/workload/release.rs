//! Helm releases: which chart one installs, where, with which values, and what is known of it.

use serde_json::{Map, Value};

use super::post_renderer::Patches;
use super::profile::{Match, Profile, Profiles};
use super::values;
use crate::source::Place;
use crate::tree::builds::{Builds, Member};
use crate::tree::object::Object;

const HELM: &str = "helm.toolkit.fluxcd.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";

/// A HelmRelease and its chart.
#[derive(Clone, Debug)]
pub struct Release<'t> {
    /// The HelmRelease in its build.
    pub member: &'t Member<'t>,
    /// Where its objects go.
    pub namespace: String,
    /// The name that Helm gives to the release.
    pub name: String,
    /// Where the chart comes from, in the form of [`Profile::sources`]; `None` if the tree does not say.
    pub chart: Option<String>,
    /// The version of the chart, or what is written instead of one: a range, `latest`.
    pub version: Option<String>,
    /// What is known of the chart.
    pub known: Match<'t>,
    /// The values in the HelmRelease.
    pub values: Map<String, Value>,
    /// Whether more values come from elsewhere (`valuesFrom`).
    pub values_from: bool,
    /// The patches of its post-renderers.
    pub patches: Patches,
}

/// What is said of a chart's source.
struct Chart {
    url: String,
    version: Option<String>,
}

impl<'t> Release<'t> {
    /// Lists the releases of a tree, each once.
    pub fn all(builds: &'t Builds<'t>, profiles: &'t Profiles) -> Vec<Self> {
        let mut seen = std::collections::BTreeSet::new();
        builds
            .of_kind(HELM, "HelmRelease")
            .filter(|member| seen.insert((&member.object.file.path, member.object.document)))
            .map(|member| Self::read(member, builds, profiles))
            .collect()
    }

    fn read(member: &'t Member<'t>, builds: &'t Builds<'t>, profiles: &'t Profiles) -> Self {
        let object = member.object;
        let chart = chart(member, builds);
        let target = object
            .text("spec.targetNamespace")
            .filter(|name| !name.is_empty());
        let name = object.text("spec.releaseName").map_or_else(
            || {
                target.map_or_else(
                    || member.name.clone(),
                    |target| format!("{target}-{}", member.name),
                )
            },
            str::to_owned,
        );
        let values = object
            .find("spec.values")
            .map(crate::yaml::Node::to_kubernetes);
        Self {
            member,
            namespace: target.unwrap_or_else(|| member.namespace_name()).to_owned(),
            name,
            known: chart.as_ref().map_or(Match::Unknown, |chart| {
                profiles.find(&chart.url, chart.version.as_deref())
            }),
            version: chart.as_ref().and_then(|chart| chart.version.clone()),
            chart: chart.map(|chart| chart.url),
            values: values
                .and_then(|values| values.as_object().cloned())
                .unwrap_or_default(),
            values_from: object
                .find("spec.valuesFrom")
                .and_then(crate::yaml::Node::items)
                .is_some_and(|list| !list.is_empty()),
            patches: Patches::of(object),
        }
    }

    /// Returns the profile of its chart, if one covers it.
    pub fn profile(&self) -> Option<&'t Profile> {
        match self.known {
            Match::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    /// Names it as messages do.
    pub fn label(&self) -> String {
        self.member.label()
    }

    /// Returns the place of a values path, or of its deepest part that is set.
    pub fn values_place(&self, dotted: &str) -> Place {
        self.member.object.place(&values::route(dotted))
    }

    /// Fills in `{release}` and `{fullname}`.
    pub fn fill(&self, pattern: &str) -> String {
        pattern
            .replace("{fullname}", &self.fullname())
            .replace("{release}", &self.name)
    }

    /// Returns what Helm's usual helper makes of release and chart, by the values that override it.
    fn fullname(&self) -> String {
        let text = |key: &str| {
            self.values
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        if let Some(name) = text("fullnameOverride") {
            return name.to_owned();
        }
        let profile = self.profile();
        if let Some(pattern) = profile.and_then(|profile| profile.fullname.as_deref()) {
            return pattern.replace("{release}", &self.name);
        }
        let chart = text("nameOverride")
            .or(profile.map(|profile| profile.chart.as_str()))
            .unwrap_or_default();
        if self.name.contains(chart) {
            self.name.clone()
        } else {
            format!("{}-{chart}", self.name)
        }
    }
}

/// Resolves the chart of a release through its source in the tree.
fn chart(member: &Member<'_>, builds: &Builds<'_>) -> Option<Chart> {
    let object = member.object;
    if object.find("spec.chartRef").is_none() {
        return template_chart(object, "spec.chart.spec", member, builds);
    }
    let kind = object.text("spec.chartRef.kind").unwrap_or_default();
    let source = find(builds, kind, member, object, "spec.chartRef")?;
    if kind == "HelmChart" {
        return template_chart(source.object, "spec", source, builds);
    }
    Some(Chart {
        url: source.object.text("spec.url")?.to_owned(),
        version: source.object.text("spec.ref.tag").map(str::to_owned),
    })
}

/// Reads a chart that is named together with its repository.
fn template_chart(
    object: Object<'_>,
    at: &str,
    member: &Member<'_>,
    builds: &Builds<'_>,
) -> Option<Chart> {
    let name = object.text(&format!("{at}.chart"))?;
    let reference = format!("{at}.sourceRef");
    let kind = object
        .text(&format!("{reference}.kind"))
        .unwrap_or_default();
    let source = find(builds, kind, member, object, &reference)?;
    let url = source.object.text("spec.url")?.trim_end_matches('/');
    Some(Chart {
        url: format!("{url}/{name}"),
        version: object.text(&format!("{at}.version")).map(str::to_owned),
    })
}

fn find<'b, 't>(
    builds: &'b Builds<'t>,
    kind: &str,
    member: &Member<'_>,
    object: Object<'_>,
    reference: &str,
) -> Option<&'b Member<'t>> {
    let name = object.text(&format!("{reference}.name"))?;
    let namespace = object
        .text(&format!("{reference}.namespace"))
        .unwrap_or_else(|| member.namespace_name());
    builds
        .of_kind(SOURCE, kind)
        .find(|source| source.name == name && source.namespace_name() == namespace)
}
