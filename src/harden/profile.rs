//! Chart profiles: what is known of a Helm chart, each fact proved by rendering it.
//!
//! A profile is `schemas/charts/<chart>.yaml`, or a file of the project's `charts/`; its format is
//! `schemas/chart-profile.schema.json`. A release uses it when its chart comes from one of the
//! profile's sources in a version that the profile covers. Nothing is ever guessed from a name alone,
//! unless the profile says that its chart's name is unmistakable.

mod read;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use version::Versions;

use super::pod_security::Level;
use super::workload;
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// The profiles of a run, by chart name; those of a project come before the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    profiles: Vec<Profile>,
}

/// What is known of one chart.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The file it was read from.
    pub source: Arc<Source>,
    /// The chart's own name.
    pub chart: String,
    /// Where the chart is published: `oci://…/<chart>`, or the URL of a Helm repository with the
    /// chart's name behind it.
    pub sources: Vec<String>,
    /// Whether a chart of this name is this chart whoever publishes it.
    pub any_publisher: bool,
    /// The versions that the facts hold for.
    pub versions: Versions,
    /// What `{fullname}` stands for, where the chart does not do as Helm's usual helper does.
    pub fullname: Option<String>,
    /// How the chart's workloads come about.
    pub workloads: Workloads,
    /// The pods that the chart's operator makes from custom resources.
    pub operands: Vec<Operand>,
    /// Values that lower the level of every workload.
    pub lowered_by: Vec<Lowering>,
}

/// How a chart's workloads come about.
#[derive(Clone, Debug)]
pub enum Workloads {
    /// The chart has these.
    Listed(Vec<Workload>),
    /// The values spell them out in the manner of bjw-s' app-template: `controllers.<name>`.
    AppTemplate,
}

/// A workload of a chart.
///
/// `{release}` stands for the release's name and `{fullname}` for what Helm's usual helper makes of it.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob` or `Pod`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The condition under which the chart makes it; none for always.
    pub when: Option<Condition>,
    /// Whether it is a Helm hook: it comes and goes.
    pub hook: bool,
    /// The labels that select its pods.
    pub selector: BTreeMap<String, String>,
    /// How many replicas it has.
    pub replicas: Knob<u64>,
    /// The priority class of its pods.
    pub priority: Priority,
    /// How it stands to the Pod Security Standards.
    pub security: Security,
    /// The path of its topology spread constraints.
    pub topology_spread: Option<String>,
    /// The chart's own PodDisruptionBudget.
    pub disruption_budget: Option<DisruptionBudget>,
    /// Its containers, init containers included.
    pub containers: Vec<Container>,
}

/// A default and the values path that changes it.
#[derive(Clone, Debug, Default)]
pub struct Knob<T> {
    /// What the chart does by default.
    pub default: Option<T>,
    /// The values path.
    pub path: Option<String>,
}

/// The priority class of a chart's workload.
#[derive(Clone, Debug, Default)]
pub struct Priority {
    /// What the chart sets by default.
    pub default: Option<String>,
    /// The values path.
    pub path: Option<String>,
    /// The class that fits this workload whatever the app's tier, such as that of a mere web page.
    pub class: Option<String>,
}

/// How a chart's workload stands to the Pod Security Standards.
#[derive(Clone, Debug)]
pub struct Security {
    /// The level as the chart renders it by default.
    pub as_rendered: Level,
    /// The level that values can reach.
    pub with_values: Level,
    /// The level that values and post-renderers can reach.
    pub with_post_renderers: Level,
    /// What keeps it from `baseline`, for the message.
    pub forbidden: Vec<String>,
    /// What it lacks for `restricted`, and values may add.
    pub missing: Vec<Missing>,
    /// The values path of the pod's security context.
    pub path: Option<String>,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            as_rendered: Level::Privileged,
            with_values: Level::Privileged,
            with_post_renderers: Level::Privileged,
            forbidden: Vec::new(),
            missing: Vec::new(),
            path: None,
        }
    }
}

/// A control of the standard that a container does not meet by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The control, under the name of [`super::pod_security::Violation::control`].
    pub control: String,
    /// The container.
    pub container: String,
}

/// A PodDisruptionBudget that the chart can make.
#[derive(Clone, Debug)]
pub struct DisruptionBudget {
    /// The values path.
    pub path: String,
    /// What to set there for a sound budget.
    pub set: Value,
    /// Whether it can say `unhealthyPodEvictionPolicy`.
    pub eviction_policy: bool,
}

/// A container of a chart's workload.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// The name.
    pub name: String,
    /// Whether it is an init container.
    pub init: bool,
    /// The condition under which the workload has it; none for always.
    pub when: Option<Condition>,
    /// The probes it has by default: `liveness`, `readiness`, `startup`.
    pub probes: Vec<String>,
    /// The resources it requests by default.
    pub requests: Vec<String>,
    /// The resources it limits by default.
    pub limits: Vec<String>,
    /// The values paths: `resources`, `securityContext`, `livenessProbe`, `readinessProbe`,
    /// `startupProbe`.
    pub paths: BTreeMap<String, String>,
}

/// A condition on the values of a release.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The values path.
    pub value: String,
    /// What must stand there.
    pub is: Value,
    /// What the chart has there by default.
    pub default: Value,
}

impl Condition {
    /// Returns whether the condition holds for values.
    pub fn holds(&self, values: &Map<String, Value>) -> bool {
        *workload::at(values, &self.value).unwrap_or(&self.default) == self.is
    }
}

/// A custom resource from which the chart's operator makes pods.
#[derive(Clone, Debug)]
pub struct Operand {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The level that its pods satisfy by default.
    pub level: Level,
    /// Whether the pods run beside the operator instead of beside the custom resource.
    pub beside_operator: bool,
}

/// A value that lowers the level of a chart's pods.
#[derive(Clone, Debug)]
pub struct Lowering {
    /// When it does.
    pub when: Condition,
    /// The level then.
    pub to: Level,
}

/// What the profiles know of a chart in some version.
#[derive(Clone, Copy, Debug)]
pub enum Known<'p> {
    /// This profile holds.
    Profile(&'p Profile),
    /// There is a profile of the chart, but for other versions.
    OtherVersion(&'p Profile),
    /// There is a profile of a chart of this name, but from other publishers.
    OtherPublisher(&'p Profile),
    /// Nothing is known.
    Unknown,
}

impl Profiles {
    /// Reads profiles from `(path, text)`, the ones that win first.
    ///
    /// All problems of all profiles are reported at once.
    pub fn load(texts: &[(String, String)]) -> Result<Self, Vec<Diagnostic>> {
        let mut profiles = Vec::new();
        let mut problems = Vec::new();
        for (path, text) in texts {
            let source = Source::new(path.as_str(), text.as_str());
            match read::profile(&source) {
                Ok(profile) => profiles.push(profile),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(Self { profiles })
        } else {
            Err(problems)
        }
    }

    /// Lists the profiles.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }

    /// Finds what is known of a chart by its URL (see [`Profile::sources`]) and version.
    ///
    /// A version that is not pinned (a range, a digest) is taken to be covered.
    pub fn find(&self, url: &str, version: Option<&str>) -> Known<'_> {
        let url = url.trim_end_matches('/');
        let name = url.rsplit('/').next().unwrap_or(url);
        let mut best = Known::Unknown;
        for profile in &self.profiles {
            let named = profile.chart == name;
            let published = profile
                .sources
                .iter()
                .any(|source| source.trim_end_matches('/') == url);
            if published || (named && profile.any_publisher) {
                if version.is_none_or(|version| profile.versions.cover(version)) {
                    return Known::Profile(profile);
                }
                best = Known::OtherVersion(profile);
            } else if named && matches!(best, Known::Unknown) {
                best = Known::OtherPublisher(profile);
            }
        }
        best
    }
}
