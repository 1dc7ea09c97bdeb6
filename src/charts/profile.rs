//! Chart profiles: what is known of a Helm chart, each fact proved by rendering it.
//!
//! A profile is `schemas/charts/<chart>.yaml`, or a file of the project's `charts/`; its format is
//! `schemas/chart-profile.schema.json`. A release uses it when its chart comes from one of the
//! profile's sources in a version that the profile covers. Nothing is ever guessed from a name alone,
//! unless the profile says that its chart's name is unmistakable.

mod custom_resource;
mod operator_objects;
mod known;
mod read;
mod version;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use kustomize::Field;
use semver::Version;
use serde_json::{Map, Value};

use custom_resource::CustomResourceTable;
pub use custom_resource::{CustomResourceKind, FieldCondition, OperandPlace, OperandPods};
pub use known::ChartKnownValues;
pub use operator_objects::{MadeObject, OperatorObjects, READ_KINDS, ReadObject};
pub use version::VersionRange;

use super::naming::LONGEST;
use super::values;
use crate::diagnostic::Diagnostic;
use crate::pod_security::Level;
use crate::source::Source;
use crate::yaml::Node;

/// The fields of a container that hold a probe.
pub const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// The keys of a profile, in the order in which they are written.
pub const KEYS: [&str; 13] = [
    "chart",
    "sources",
    "anyPublisher",
    "versions",
    "verified",
    "notes",
    "fullname",
    "overrides",
    "generic",
    "workloads",
    "operands",
    "loweredBy",
    "values",
];

/// The keys of a workload in a profile, in the order in which they are written.
pub const WORKLOAD_KEYS: [&str; 14] = [
    "kind",
    "name",
    "doubt",
    "when",
    "hook",
    "byOperator",
    "class",
    "api",
    "selector",
    "replicas",
    "pod",
    "paths",
    "containers",
    "podDisruptionBudget",
];

/// The keys of a container in a profile, in the order in which they are written.
pub const CONTAINER_KEYS: [&str; 8] = [
    "when",
    "paths",
    "nonRoot",
    "user",
    "readOnlyRootFilesystem",
    "health",
    "noProbes",
    "resources",
];

/// The profiles of a run; those of a project come before the built-in ones.
///
/// A built-in profile is read when a chart asks for it: there are many, and a tree needs few.
#[derive(Debug, Default)]
pub struct Profiles {
    own: Vec<Profile>,
    built_in: BTreeMap<String, BuiltInProfile>,
    /// What the project says of custom resources.
    custom_resources: CustomResourceTable,
}

/// A profile of the catalogue, by the name of its file, which is the chart's.
#[derive(Debug)]
struct BuiltInProfile {
    source: Arc<Source>,
    packed: Option<&'static [u8]>,
    profile: OnceLock<Profile>,
}

impl BuiltInProfile {
    fn profile(&self) -> &Profile {
        self.profile.get_or_init(|| {
            let read = match self.packed {
                Some(packed) => read::packed(&self.source, packed),
                None => read::profile(&self.source),
            };
            read.expect("a test reads every profile of the catalogue")
        })
    }
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
    pub versions: VersionRange,
    /// The version that the values are listed of; `None` where nobody says one.
    pub verified: Option<Version>,
    /// What `{fullname}` stands for without `fullnameOverride`.
    pub fullname: DefaultName,
    /// The values that name things, and what holds without them.
    pub overrides: BTreeMap<String, DefaultName>,
    /// How the chart's workloads come about.
    pub workloads: Workloads,
    /// The pods that the chart's operator makes from custom resources.
    pub operands: Vec<OperatorResource>,
    /// Values that lower the level of every workload.
    pub lowered_by: Vec<Lowering>,
    /// The values that the chart knows; none where nobody has looked.
    pub values: Option<ChartKnownValues>,
}

/// What a name is where no value gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultName {
    /// The text.
    pub otherwise: String,
    /// The text where the release's name contains `of`; `None` where it does not matter.
    pub contained: Option<String>,
    /// What the release's name may contain.
    pub of: String,
    /// How many characters it has at most, those of a value too.
    pub cut: usize,
}

impl Default for DefaultName {
    /// What Helm's usual `fullname` helper gives.
    fn default() -> Self {
        Self {
            otherwise: "{release}-{name}".to_owned(),
            contained: Some("{release}".to_owned()),
            of: "{name}".to_owned(),
            cut: LONGEST,
        }
    }
}

/// How a chart's workloads come about.
#[derive(Clone, Debug)]
pub enum Workloads {
    /// The chart has these.
    Listed(Vec<ProfileWorkload>),
    /// The values spell them out in the manner of bjw-s' app-template: `controllers.<name>`.
    AppTemplate,
}

/// A workload of a chart, or one that an operator makes.
///
/// Wherever text is, [`ReleaseNaming`](super::naming::ReleaseNaming) says what its placeholders stand for.
#[derive(Clone, Debug, Default)]
pub struct ProfileWorkload {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob` or `Pod`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Why its name is not certain but for the releases that were measured; then nothing may rest on it.
    pub doubt: Option<String>,
    /// The conditions under which the chart makes it; all must hold.
    pub when: Vec<Condition>,
    /// Whether it is a Helm hook: it comes and goes.
    pub hook: bool,
    /// Whether only `helm test` runs it.
    pub test: bool,
    /// Whether an operator makes it, so that a post-renderer never sees it.
    pub by_operator: bool,
    /// The priority class that fits it whatever the app's tier, such as that of a mere web page.
    pub class: Option<String>,
    /// Whether it talks to the Kubernetes API; `None` when nobody has looked.
    pub api: Option<bool>,
    /// The labels that select its pods.
    pub selector: BTreeMap<String, String>,
    /// How many replicas it has by default.
    pub replicas: Option<u64>,
    /// Its pod's spec as the chart renders it by default, as far as rules and checks ask.
    pub pod: Value,
    /// The values paths of its fields: `replicas`, and those of the pod's spec.
    pub paths: BTreeMap<String, String>,
    /// What is known of its containers besides, by name, init containers included.
    pub containers: BTreeMap<String, ProfileContainer>,
    /// The chart's own PodDisruptionBudget.
    pub budget: Option<ChartBudget>,
}

/// What is known of a container besides what the chart renders.
#[derive(Clone, Debug, Default)]
pub struct ProfileContainer {
    /// The conditions under which the pod has it; all must hold.
    pub when: Vec<Condition>,
    /// The values paths of its fields: `resources`, `securityContext`, `livenessProbe`, ….
    pub paths: BTreeMap<String, String>,
    /// Whether it is known to run as a user other than root.
    pub non_root: bool,
    /// The number of its user, where its image has only a name for it.
    pub user: Option<u64>,
    /// Whether it is known to run with a read-only root file system.
    pub read_only: bool,
    /// Its endpoints, by field: `livenessProbe`, `readinessProbe`, `startupProbe`.
    pub health: BTreeMap<String, Health>,
    /// Why it needs no probes.
    pub no_probes: Option<String>,
    /// The resources that its project recommends for a small installation.
    pub resources: Option<Value>,
}

/// A probe that is known to work.
#[derive(Clone, Debug)]
pub struct Health {
    /// The probe, as the API spells it.
    pub probe: Value,
    /// What to set in the values instead of the probe at its own path: the chart has a switch.
    pub set: Option<Setting>,
    /// Where that is known from.
    pub source: String,
}

/// A values path and what to set there.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The values path.
    pub path: String,
    /// The value.
    pub value: Value,
}

/// The PodDisruptionBudget of a chart.
#[derive(Clone, Debug, Default)]
pub struct ChartBudget {
    /// Its name; none where nobody has looked.
    pub name: Option<String>,
    /// The spec that it has by default; none when the chart makes none by default.
    pub default: Option<Value>,
    /// Whether the chart makes it by itself as soon as there are two replicas.
    pub when_replicated: bool,
    /// What switches it on, with a sound spec.
    pub enable: Option<Setting>,
    /// What switches it off.
    pub disable: Option<Setting>,
}

/// A condition on the values of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The values path.
    pub value: String,
    /// What must stand there, or must not.
    pub wanted: ConditionValue,
    /// What the chart has there by default.
    pub default: Value,
}

/// What a condition asks of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum ConditionValue {
    /// It is this.
    Is(Value),
    /// It is anything but this.
    IsNot(Value),
}

impl Condition {
    /// Returns whether the condition holds for values.
    pub fn holds(&self, values: &Map<String, Value>) -> bool {
        let found = values::at(values, &self.value).unwrap_or(&self.default);
        match &self.wanted {
            ConditionValue::Is(wanted) => found == wanted,
            ConditionValue::IsNot(unwanted) => found != unwanted,
        }
    }
}

/// A custom resource from which the chart's operator makes pods.
#[derive(Clone, Debug)]
pub struct OperatorResource {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The route of a field with which alone a resource has these; none where each resource has.
    pub field: Option<String>,
    /// What the operator gives the pods besides where their namespace asks for it.
    pub elevation: Option<Elevation>,
    /// Whether the pods run beside the operator instead of beside the custom resource.
    pub beside_operator: bool,
    /// The workloads that it makes of each; `{name}` is the resource's, paths are routes in it.
    pub workloads: Vec<ProfileWorkload>,
}

/// What an operator gives its pods besides in a namespace with an annotation.
#[derive(Clone, Debug)]
pub struct Elevation {
    /// The annotation; it counts where it is `true`.
    pub annotation: String,
    /// What each container's security context has besides.
    pub security_context: Value,
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
pub enum Match<'p> {
    /// This profile holds.
    Profile(&'p Profile),
    /// There is a profile of the chart, but for other versions.
    OtherVersion(&'p Profile),
    /// There is a profile of a chart of this name, but from other publishers.
    OtherPublisher(&'p Profile),
    /// Nothing is known.
    Unknown,
}

impl Profile {
    /// Returns the values that the chart knows in a version, where they were listed of a release that differs by bug
    /// fixes alone.
    ///
    /// A later release may know more of them, and an earlier one others. Of a version that is not pinned nothing is known.
    pub fn values_in(&self, version: Option<&str>) -> Option<&ChartKnownValues> {
        let values = self.values.as_ref()?;
        let Some(verified) = &self.verified else {
            return Some(values);
        };
        let used = version::parse(version?)?;
        let series = |version: &Version| match (version.major, version.minor) {
            (0, 0) => (0, 0, version.patch),
            (major, minor) => (major, minor, 0),
        };
        (series(&used) == series(verified)).then_some(values)
    }
}

impl Profiles {
    /// Takes the built-in profiles and reads a project's own, both as `(path, text)`.
    ///
    /// All problems of all of the project's profiles are reported at once.
    pub fn load(
        built_in: Vec<(String, Cow<'static, str>)>,
        own: &[(String, String)],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut profiles = Self::default();
        let mut problems = Vec::new();
        for (path, text) in own {
            if custom_resource::is_table(path) {
                match custom_resource::table(&Source::new(path.as_str(), text.as_str())) {
                    Ok(table) => {
                        profiles.custom_resources.kinds.extend(table.kinds);
                        profiles.custom_resources.objects.extend(table.objects);
                    }
                    Err(found) => problems.extend(found),
                }
                continue;
            }
            match read::profile(&Source::new(path.as_str(), text.as_str())) {
                Ok(profile) => profiles.own.push(profile),
                Err(found) => problems.extend(found),
            }
        }
        for (path, text) in built_in {
            let name = path.rsplit('/').next().unwrap_or(&path);
            let name = name.split_once('.').map_or(name, |(stem, _)| stem);
            let profile = BuiltInProfile {
                source: Source::of(path.as_str(), text, false),
                packed: None,
                profile: OnceLock::new(),
            };
            profiles.built_in.insert(name.to_owned(), profile);
        }
        if problems.is_empty() {
            Ok(profiles)
        } else {
            Err(problems)
        }
    }

    /// Takes over what an app says of a custom resource, behind the project's own words; returns what is wrong with it.
    pub fn add_operator_pods(&mut self, source: &Arc<Source>, entry: &Node) -> Vec<Diagnostic> {
        match custom_resource::of_app(source, entry) {
            Ok(kind) => {
                self.custom_resources.kinds.push(kind);
                Vec::new()
            }
            Err(problems) => problems,
        }
    }

    /// Takes the built-in profiles packed, by their paths, where they are: that is quicker to read.
    #[must_use]
    pub fn packed(mut self, packed: impl Fn(&str) -> Option<&'static [u8]>) -> Self {
        for profile in self.built_in.values_mut() {
            profile.packed = packed(&profile.source.path);
        }
        self
    }

    /// Lists the profiles.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.own
            .iter()
            .chain(self.built_in.values().map(BuiltInProfile::profile))
    }

    /// Lists what is known of custom resources, the project's words first.
    pub fn custom_resource_kinds(&self) -> impl Iterator<Item = &CustomResourceKind> {
        let own = self.custom_resources.kinds.iter();
        own.chain(&custom_resource::built_in().kinds)
    }

    /// Lists what is known of custom resources of a group and kind, the project's words first; the first entry
    /// whose condition a resource meets counts.
    pub fn custom_resources<'p>(
        &'p self,
        group: &'p str,
        kind: &'p str,
    ) -> impl Iterator<Item = &'p CustomResourceKind> {
        let all = self.custom_resource_kinds();
        all.filter(move |known| known.covers(group, kind))
    }

    /// Lists what is known of what operators make of custom resources and read for them, the project's words first.
    pub fn operator_objects(&self) -> impl Iterator<Item = &OperatorObjects> {
        let own = self.custom_resources.objects.iter();
        own.chain(&custom_resource::built_in().objects)
    }

    /// Returns all that pods and routes can refer to of what an operator makes of a resource; `None` where it is not
    /// known. The first entry that says it counts.
    pub fn made_of(&self, group: &str, kind: &str, resource: &Field) -> Option<&[MadeObject]> {
        let mut known = self.operator_objects();
        known.find_map(|entry| {
            let makes = entry.makes.as_deref()?;
            entry.is_about(group, kind, resource).then_some(makes)
        })
    }

    /// Lists what of the table tells what an operator reads for a resource: every entry counts.
    pub fn read_for<'p>(
        &'p self,
        group: &'p str,
        kind: &'p str,
        resource: &'p Field,
    ) -> impl Iterator<Item = &'p OperatorObjects> {
        let all = self.operator_objects();
        let reads = all.filter(|entry| !(entry.reads.is_empty() && entry.specs.is_empty()));
        reads.filter(move |entry| entry.is_about(group, kind, resource))
    }

    /// Finds what is known of a chart by its URL (see [`Profile::sources`]) and version.
    ///
    /// A version that is not pinned (a range, a digest) is taken to be covered.
    pub fn find(&self, url: &str, version: Option<&str>) -> Match<'_> {
        let url = url.trim_end_matches('/');
        let name = url.rsplit('/').next().unwrap_or(url);
        let mut best = Match::Unknown;
        for profile in self.own.iter().chain(self.built_in(name, url)) {
            let named = profile.chart == name;
            let published = profile
                .sources
                .iter()
                .any(|source| source.trim_end_matches('/') == url);
            if published || (named && profile.any_publisher) {
                if version.is_none_or(|version| profile.versions.cover(version)) {
                    return Match::Profile(profile);
                }
                best = Match::OtherVersion(profile);
            } else if named && matches!(best, Match::Unknown) {
                best = Match::OtherPublisher(profile);
            }
        }
        best
    }

    /// Returns the built-in profile of a name, or the one that a URL with another ending stands in.
    fn built_in(&self, name: &str, url: &str) -> Option<&Profile> {
        let found = self.built_in.get(name).or_else(|| {
            let mut all = self.built_in.values();
            all.find(|candidate| candidate.source.text.contains(url))
        });
        found.map(BuiltInProfile::profile)
    }
}
