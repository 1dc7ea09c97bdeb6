//! Helm releases: which chart one installs, where, with which values, and what is known of it.

use std::collections::BTreeMap;

use kustomize::Field;
use serde_json::{Map, Value};

use super::naming::{Filled, ReleaseNaming};
use super::post_renderer::Patches;
use super::profile::{Match, Profile, Profiles};
use super::values;
use rayon::prelude::*;

use crate::flux::builds::{Builds, Member};
use crate::source::Place;

const HELM: &str = "helm.toolkit.fluxcd.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";

/// A HelmRelease and its chart.
#[derive(Clone, Debug)]
pub struct Release<'t> {
    /// The HelmRelease in its build.
    pub member: &'t Member<'t>,
    /// Where its objects go.
    pub namespace: String,
    /// Whether they go to another cluster (`spec.kubeConfig`).
    pub elsewhere: bool,
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
    /// Whether `helm test` runs after installing and upgrading, so that its pods come up.
    pub tests: bool,
    /// The patches of its post-renderers.
    pub patches: Patches,
}

/// What is said of a chart's source.
struct ChartReference {
    url: String,
    version: Option<String>,
}

impl<'t> Release<'t> {
    /// Lists the releases of a tree, each once.
    pub fn all(builds: &'t Builds<'t>, profiles: &'t Profiles) -> Vec<Self> {
        let sources = ChartSources::of(builds);
        let mut seen = std::collections::BTreeSet::new();
        let members: Vec<&Member<'t>> = builds
            .of_kind(HELM, "HelmRelease")
            .filter(|member| seen.insert((member.spot(), member.user())))
            .collect();
        members
            .into_par_iter()
            .map(|member| Self::read(member, &sources, profiles))
            .collect()
    }

    fn read(member: &'t Member<'t>, sources: &ChartSources<'t>, profiles: &'t Profiles) -> Self {
        let object = member;
        let chart = chart(member, sources);
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
        let values = match object.value("spec.values") {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Self {
            member,
            namespace: target.unwrap_or_else(|| member.namespace_name()).to_owned(),
            elsewhere: object
                .find("spec.kubeConfig")
                .is_some_and(|field| !field.is_null()),
            name,
            known: chart.as_ref().map_or(Match::Unknown, |chart| {
                profiles.find(&chart.url, chart.version.as_deref())
            }),
            version: chart.as_ref().and_then(|chart| chart.version.clone()),
            chart: chart.map(|chart| chart.url),
            values,
            values_from: object
                .find("spec.valuesFrom")
                .and_then(Field::items)
                .is_some_and(|list| !list.is_empty()),
            tests: object.text("spec.test.enable") == Some("true"),
            patches: Patches::of(member),
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
        self.member.place(&values::route(dotted))
    }

    /// Fills in the placeholders of a text; where values do not show what stands there, as by default.
    pub fn fill(&self, pattern: &str) -> String {
        self.filled(pattern).text
    }

    /// Fills in the placeholders of a text; `None` where values, or those from elsewhere, hide what
    /// stands there.
    pub fn fill_seen(&self, pattern: &str) -> Option<String> {
        let filled = self.filled(pattern);
        let hidden = self.values_from && pattern.replace("{release}", "").contains('{');
        (filled.seen && !hidden).then_some(filled.text)
    }

    fn filled(&self, pattern: &str) -> Filled {
        match self.profile() {
            Some(profile) => ReleaseNaming::of(profile, &self.name, &self.values).fill(pattern),
            None => Filled {
                text: pattern.to_owned(),
                seen: false,
            },
        }
    }
}

/// The sources of charts in a tree, by kind, namespace and name; the first of several counts.
struct ChartSources<'t>(BTreeMap<(&'t str, &'t str, &'t str), &'t Member<'t>>);

impl<'t> ChartSources<'t> {
    fn of(builds: &'t Builds<'t>) -> Self {
        let mut found = BTreeMap::new();
        for member in &builds.members {
            if member.group() == SOURCE {
                let key = (member.kind(), member.namespace_name(), member.name.as_str());
                found.entry(key).or_insert(member);
            }
        }
        Self(found)
    }

    /// Finds the source that a reference of a member's object names.
    fn find(&self, kind: &str, member: &Member<'_>, reference: &str) -> Option<&'t Member<'t>> {
        let text = |key: &str| member.text(&format!("{reference}.{key}"));
        let namespace = text("namespace").unwrap_or_else(|| member.namespace_name());
        self.0.get(&(kind, namespace, text("name")?)).copied()
    }
}

/// Resolves the chart of a release through its source in the tree.
fn chart(member: &Member<'_>, sources: &ChartSources<'_>) -> Option<ChartReference> {
    let object = member;
    if object.find("spec.chartRef").is_none() {
        return template_chart("spec.chart.spec", member, sources);
    }
    let kind = object.text("spec.chartRef.kind").unwrap_or_default();
    let source = sources.find(kind, member, "spec.chartRef")?;
    if kind == "HelmChart" {
        return template_chart("spec", source, sources);
    }
    Some(ChartReference {
        url: source.text("spec.url")?.to_owned(),
        version: source.text("spec.ref.tag").map(str::to_owned),
    })
}

/// Reads a chart that is named together with its repository.
fn template_chart(
    at: &str,
    member: &Member<'_>,
    sources: &ChartSources<'_>,
) -> Option<ChartReference> {
    let object = member;
    let name = object.text(&format!("{at}.chart"))?;
    let reference = format!("{at}.sourceRef");
    let kind = object
        .text(&format!("{reference}.kind"))
        .unwrap_or_default();
    let source = sources.find(kind, member, &reference)?;
    let url = source.text("spec.url")?.trim_end_matches('/');
    Some(ChartReference {
        url: format!("{url}/{name}"),
        version: object.text(&format!("{at}.version")).map(str::to_owned),
    })
}
