//! How the workloads of a tree stand to the Pod Security Standards, namespace by namespace.

mod unseen;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{Home, PodField, Workload, operand};
use crate::charts::profile::Workloads;
use crate::charts::{Profiles, Release};
use crate::flux::builds::Builds;
use crate::pod_security::{Level, Version, Violation, evaluate, level};
use crate::source::Place;
use unseen::UnseenMakers;

/// One workload, or something that makes pods of which no list is known: a release, a custom resource, a part of the
/// cluster that is not seen.
#[derive(Clone, Debug)]
pub struct PodSecurityStanding {
    /// What it is: `Deployment/network/echo`, or `Deployment/echo of HelmRelease/network/echo`.
    pub label: String,
    /// The level it satisfies; `None` when nobody knows.
    pub level: Option<Level>,
    /// What keeps it from the level above, each with its place.
    pub obstacles: Vec<(String, Place)>,
    /// Whether the level is certain: false where patches or values from elsewhere may change it.
    pub certain: bool,
    /// Where it stands in the tree.
    pub place: Place,
    /// Who makes its pods, where it is no workload, so that nobody knows which and how many they are.
    pub unseen: Option<UnseenPods>,
}

/// Who makes pods of which no list is known.
#[derive(Clone, Debug)]
pub struct UnseenPods {
    /// What it is, as messages name it: `` `HelmRelease/network/echo` ``, ``9 resources of kind `Restore` ``.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// The cluster, as an index of the roots; `None` for any.
    pub root: Option<usize>,
    /// Whether its pods may be in any namespace of the cluster.
    pub is_anywhere: bool,
}

impl PodSecurityStanding {
    /// Returns whether its pods may be in a cluster.
    pub fn is_of(&self, root: Option<usize>) -> bool {
        let own = self.unseen.as_ref().and_then(|pods| pods.root);
        own.is_none() || root.is_none() || own == root
    }

    /// Names it as messages do, in backticks.
    pub fn told(&self) -> String {
        match &self.unseen {
            Some(pods) => pods.what.clone(),
            None => format!("`{}`", self.label),
        }
    }
}

/// Judges every workload of a tree, by namespace.
pub fn judge<'t>(
    workloads: &[Workload<'_>],
    releases: &[Release<'t>],
    builds: &Builds<'t>,
    profiles: &Profiles,
    version: Version,
) -> BTreeMap<String, Vec<PodSecurityStanding>> {
    let judged = workloads.par_iter();
    let judged: Vec<PodSecurityStanding> = judged.map(|one| standing(one, version)).collect();
    let mut found: BTreeMap<String, Vec<PodSecurityStanding>> = BTreeMap::new();
    for (workload, standing) in workloads.iter().zip(judged) {
        let standings = found.entry(workload.namespace.clone()).or_default();
        standings.push(standing);
    }
    for release in releases.iter().filter(|release| !release.elsewhere) {
        let standings = found.entry(release.namespace.clone()).or_default();
        if release.profile().is_none() {
            standings.push(unseen::of_release(release));
        }
        standings.extend(lowered(release, version));
        for member in release
            .profile()
            .into_iter()
            .flat_map(|known| operand::unknown(known, builds))
        {
            let standings = found.entry(member.namespace_name().to_owned()).or_default();
            standings.push(unseen::of_operand(member));
        }
    }
    let mut makers = UnseenMakers {
        builds,
        releases,
        profiles,
        version,
        found: &mut found,
    };
    makers.add_custom_resources();
    makers.add_hidden_parts();
    found
}

/// Judges one workload.
pub fn standing(workload: &Workload<'_>, version: Version) -> PodSecurityStanding {
    let violations = evaluate(&workload.pod, version);
    PodSecurityStanding {
        label: workload.label(),
        level: Some(level(&violations)),
        obstacles: obstacles(workload, &violations),
        certain: workload.certain,
        place: workload.member.name_place(),
        unseen: None,
    }
}

/// Lists what keeps a workload from the level above the one it has.
fn obstacles(workload: &Workload<'_>, violations: &[Violation]) -> Vec<(String, Place)> {
    let worst = violations
        .iter()
        .map(|violation| violation.keeps_from)
        .min();
    violations
        .iter()
        .filter(|violation| Some(violation.keeps_from) == worst)
        .map(|violation| (told(workload, violation), place(workload, violation)))
        .collect()
}

/// Says what a violation is, with the path where the host's files are mounted.
pub fn told(workload: &Workload<'_>, violation: &Violation) -> String {
    let pointer = violation.route.to_pointer();
    let path = workload.pod.pointer(&pointer).and_then(|volume| {
        volume["hostPath"]["path"]
            .as_str()
            .or(volume["path"].as_str())
    });
    match path {
        Some(path) if violation.control == "hostPath" => {
            format!("the pod mounts `{path}` of the host")
        }
        _ => violation.to_string(),
    }
}

fn place(workload: &Workload<'_>, violation: &Violation) -> Place {
    if let Home::Manifest(route) = &workload.home {
        let mut full = route.clone();
        full.0.extend(violation.route.0.iter().cloned());
        return workload.member.place(&full);
    }
    workload.place(&match &violation.container {
        Some(container) => PodField::of(container, "securityContext"),
        None => PodField::Pod("securityContext"),
    })
}

/// Lists what the values of a release do that no workload of its profile has an eye on.
fn lowered(release: &Release<'_>, version: Version) -> Vec<PodSecurityStanding> {
    let Some(profile) = release.profile() else {
        return Vec::new();
    };
    let standing = |level: Level, path: &str, reason: String| PodSecurityStanding {
        label: format!("the chart of {}", release.label()),
        level: Some(level),
        obstacles: vec![(reason, release.values_place(path))],
        certain: !release.values_from,
        place: release.member.name_place(),
        unseen: None,
    };
    let mut found = Vec::new();
    for lowering in &profile.lowered_by {
        let path = &lowering.when.value;
        if lowering.when.holds(&release.values) {
            found.push(standing(
                lowering.to,
                path,
                format!("the value `{path}` lowers it"),
            ));
        }
    }
    if matches!(profile.workloads, Workloads::Listed(_)) {
        let mut extras = Extras {
            version,
            found: Vec::new(),
        };
        extras.visit(&release.values, "");
        found.extend(
            extras
                .found
                .into_iter()
                .map(|(path, level, reason)| standing(level, &path, reason)),
        );
    }
    found
}

/// Looks through values for what loosens pods in any chart: host access and additional containers.
struct Extras {
    version: Version,
    found: Vec<(String, Level, String)>,
}

impl Extras {
    fn visit(&mut self, values: &Map<String, Value>, prefix: &str) {
        for (key, value) in values {
            let path = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            if opens_host(key, value) {
                let reason = format!("the value `{path}` opens the host");
                self.found.push((path, Level::Privileged, reason));
                continue;
            }
            match value {
                Value::Object(map) => self.visit(map, &path),
                Value::Array(items) if key.ends_with("ontainers") || key == "sidecars" => {
                    let pod = json!({"spec": {"containers": items}});
                    let reached = level(&evaluate(&pod, self.version));
                    if !items.is_empty() && reached < Level::Restricted {
                        let reason = format!("the containers in `{path}` are `{reached}`");
                        self.found.push((path, reached, reason));
                    }
                }
                Value::Array(items) => {
                    for item in items.iter().filter_map(Value::as_object) {
                        self.visit(item, &path);
                    }
                }
                _ => {}
            }
        }
    }
}

fn opens_host(key: &str, value: &Value) -> bool {
    match key {
        "hostNetwork" | "hostPID" | "hostIPC" | "privileged" => {
            *value == true || value["enabled"] == true
        }
        "hostPort" => value.as_i64().is_some_and(|port| port != 0) || value["enabled"] == true,
        "hostPath" => value["path"].is_string(),
        _ => false,
    }
}
