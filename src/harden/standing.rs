//! How the workloads of a tree stand to the Pod Security Standards, namespace by namespace.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::app_template;
use super::pod_security::{Level, Version, Violation, evaluate, level};
use super::profile::{Profile, Security, Workload, Workloads};
use super::release::Release;
use super::workload;
use crate::source::Place;
use crate::tree::builds::Builds;

/// One workload, or a release of which nothing is known.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What it is: `Deployment/network/echo`, or `Deployment/echo of HelmRelease/network/echo`.
    pub label: String,
    /// The level it satisfies; `None` when nobody knows.
    pub level: Option<Level>,
    /// What keeps it from the level above, each with its place.
    pub obstacles: Vec<(String, Place)>,
    /// Whether the level is certain: false where post-renderers or values from elsewhere may change it.
    pub certain: bool,
    /// Where it stands in the tree.
    pub place: Place,
}

/// Judges every workload of a tree, by namespace.
pub fn judge(
    builds: &Builds<'_>,
    releases: &[Release<'_>],
    version: Version,
) -> BTreeMap<String, Vec<Standing>> {
    let mut found: BTreeMap<String, Vec<Standing>> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for member in &builds.members {
        let object = member.object;
        let Some((route, pod)) = workload::pod(object) else {
            continue;
        };
        if !seen.insert((&object.file.path, object.document, member.namespace_name())) {
            continue;
        }
        let violations = evaluate(&pod, version);
        let place = |violation: &Violation| {
            let mut full = route.clone();
            full.0.extend(violation.route.0.iter().cloned());
            object.place(&full)
        };
        let standing = Standing {
            label: member.label(),
            level: Some(level(&violations)),
            obstacles: obstacles(&violations, place),
            certain: true,
            place: object.name_place(),
        };
        found
            .entry(member.namespace_name().to_owned())
            .or_default()
            .push(standing);
    }
    for release in releases {
        let standings = Judge { release, version }.standings();
        found
            .entry(release.namespace.clone())
            .or_default()
            .extend(standings);
        for (namespace, standing) in operands(release, builds) {
            found.entry(namespace).or_default().push(standing);
        }
    }
    found
}

/// Lists what keeps a pod from the level above the one it has.
fn obstacles(
    violations: &[Violation],
    place: impl Fn(&Violation) -> Place,
) -> Vec<(String, Place)> {
    let worst = violations
        .iter()
        .map(|violation| violation.keeps_from)
        .min();
    violations
        .iter()
        .filter(|violation| Some(violation.keeps_from) == worst)
        .map(|violation| (violation.to_string(), place(violation)))
        .collect()
}

/// The pods that operators make where the custom resource, or the operator itself, is.
fn operands(release: &Release<'_>, builds: &Builds<'_>) -> Vec<(String, Standing)> {
    let mut found = Vec::new();
    for operand in release
        .profile()
        .into_iter()
        .flat_map(|profile| &profile.operands)
    {
        let what = format!("pods of {} by {}", operand.kind, release.label());
        let mut push = |namespace: &str, place: Place| {
            let standing = Standing {
                label: what.clone(),
                level: Some(operand.level),
                obstacles: vec![(format!("its pods are `{}`", operand.level), place.clone())],
                certain: false,
                place,
            };
            found.push((namespace.to_owned(), standing));
        };
        if operand.beside_operator {
            push(&release.namespace, release.member.object.name_place());
        } else {
            for member in builds.of_kind(&operand.group, &operand.kind) {
                push(member.namespace_name(), member.object.name_place());
            }
        }
    }
    found
}

struct Judge<'r, 't> {
    release: &'r Release<'t>,
    version: Version,
}

impl Judge<'_, '_> {
    fn standings(&self) -> Vec<Standing> {
        let Some(profile) = self.release.profile() else {
            return vec![self.unknown()];
        };
        let mut standings = match &profile.workloads {
            Workloads::AppTemplate => self.app_template(),
            Workloads::Listed(workloads) => workloads
                .iter()
                .filter(|workload| self.may_exist(workload))
                .map(|workload| self.listed(workload))
                .collect(),
        };
        standings.extend(self.lowered(profile));
        standings
    }

    fn unknown(&self) -> Standing {
        Standing {
            label: self.release.label(),
            level: None,
            obstacles: Vec::new(),
            certain: false,
            place: self.release.member.object.name_place(),
        }
    }

    /// Values from elsewhere may switch on what the values here leave off.
    fn may_exist(&self, workload: &Workload) -> bool {
        let holds = workload
            .when
            .as_ref()
            .is_none_or(|when| when.holds(&self.release.values));
        holds || self.release.values_from
    }

    fn certain(&self) -> bool {
        !self.release.values_from
            && self
                .release
                .member
                .object
                .find("spec.postRenderers")
                .is_none()
    }

    fn standing(&self, what: &str, level: Level, obstacles: Vec<(String, Place)>) -> Standing {
        Standing {
            label: format!("{what} of {}", self.release.label()),
            level: Some(level),
            obstacles,
            certain: self.certain(),
            place: self.release.member.object.name_place(),
        }
    }

    fn app_template(&self) -> Vec<Standing> {
        app_template::controllers(&self.release.values)
            .into_iter()
            .map(|controller| {
                let violations = evaluate(&controller.pod, self.version);
                let place = |violation: &Violation| {
                    let container = violation.container.as_deref();
                    let route = container.map_or_else(
                        || "defaultPodOptions".to_owned(),
                        |container| {
                            format!(
                                "controllers.{}.containers.{container}.securityContext",
                                controller.name
                            )
                        },
                    );
                    self.release.values_place(&route)
                };
                let what = format!("{}/{}", controller.kind, controller.name);
                self.standing(&what, level(&violations), obstacles(&violations, place))
            })
            .collect()
    }

    /// Judges a workload by its profile: what it lacks by default, less what the values add, plus what
    /// the values break.
    fn listed(&self, workload: &Workload) -> Standing {
        let what = format!("{}/{}", workload.kind, self.release.fill(&workload.name));
        let security = &workload.security;
        let violations = evaluate(&self.written(workload), self.version);
        let context = |container: &str| {
            let own = workload
                .containers
                .iter()
                .find(|known| known.name == container);
            own.and_then(|known| known.paths.get("securityContext"))
                .or(security.path.as_ref())
        };
        let place = |container: Option<&str>| {
            let path = container.and_then(context).or(security.path.as_ref());
            path.map_or_else(
                || self.release.member.object.name_place(),
                |path| self.release.values_place(path),
            )
        };
        if !security.forbidden.is_empty() {
            let reasons = security
                .forbidden
                .iter()
                .map(|reason| (format!("it needs `{reason}`"), place(None)));
            return self.standing(&what, Level::Privileged, reasons.collect());
        }
        let broken: Vec<&Violation> = violations
            .iter()
            .filter(|violation| violation.explicit)
            .collect();
        let broken_level = level(broken.iter().copied());
        let lacking = self.lacking(workload, security, &violations);
        let unset = self.unset(workload);
        let lacking_level = if lacking.is_empty() && unset.is_empty() {
            Level::Restricted
        } else {
            Level::Baseline
        };
        let reached = broken_level.min(lacking_level);
        let mut reasons = Vec::new();
        if broken_level == reached {
            reasons.extend(
                broken.iter().map(|violation| {
                    (violation.to_string(), place(violation.container.as_deref()))
                }),
            );
        }
        if lacking_level == reached {
            reasons.extend(lacking.into_iter().map(|(control, container)| {
                let filled = self.release.fill(container);
                (
                    format!("container `{filled}` does not set `{control}`"),
                    place(Some(container)),
                )
            }));
            reasons.extend(unset.into_iter().map(|path| {
                (
                    format!("the value `{path}` unsets a default"),
                    self.release.values_place(path),
                )
            }));
        }
        self.standing(&what, reached, reasons)
    }

    /// Lists the security contexts in which the values unset (`null`) what the chart has.
    fn unset<'w>(&self, workload: &'w Workload) -> Vec<&'w str> {
        let containers = workload
            .containers
            .iter()
            .filter_map(|known| known.paths.get("securityContext"));
        containers
            .chain(&workload.security.path)
            .filter(|path| workload::at(&self.release.values, path).is_some_and(has_null))
            .map(String::as_str)
            .collect()
    }

    /// Lists what the workload lacks by default and the values do not add.
    fn lacking<'w>(
        &self,
        workload: &Workload,
        security: &'w Security,
        violations: &[Violation],
    ) -> Vec<(&'w str, &'w str)> {
        let missing = security.missing.iter().filter(|missing| {
            let container = workload
                .containers
                .iter()
                .find(|known| known.name == missing.container);
            let present = container.is_none_or(|container| {
                self.release.values_from
                    || container
                        .when
                        .as_ref()
                        .is_none_or(|when| when.holds(&self.release.values))
            });
            let still = violations.iter().any(|violation| {
                violation.control == missing.control
                    && violation.container.as_deref() == Some(missing.container.as_str())
            });
            present && (still || container.is_none())
        });
        missing
            .map(|missing| (missing.control.as_str(), missing.container.as_str()))
            .collect()
    }

    /// Builds the pod that the values alone describe: the security contexts at the paths that reach it.
    fn written(&self, workload: &Workload) -> Value {
        let at = |path: Option<&String>| {
            path.and_then(|path| workload::at(&self.release.values, path))
                .cloned()
                .unwrap_or(Value::Null)
        };
        let containers: Vec<Value> = workload
            .containers
            .iter()
            .map(|container| {
                json!({
                    "name": container.name,
                    "securityContext": at(container.paths.get("securityContext")),
                })
            })
            .collect();
        json!({"spec": {"securityContext": at(workload.security.path.as_ref()), "containers": containers}})
    }

    /// What the values do that no workload's profile has an eye on.
    fn lowered(&self, profile: &Profile) -> Vec<Standing> {
        let mut found = Vec::new();
        for lowering in &profile.lowered_by {
            if lowering.when.holds(&self.release.values) {
                let reason = format!("the value `{}` lowers it", lowering.when.value);
                let place = self.release.values_place(&lowering.when.value);
                found.push(self.standing("the chart", lowering.to, vec![(reason, place)]));
            }
        }
        if matches!(profile.workloads, Workloads::Listed(_)) {
            let mut extras = Extras {
                version: self.version,
                found: Vec::new(),
            };
            extras.visit(&self.release.values, "");
            for (path, level, reason) in extras.found {
                let place = self.release.values_place(&path);
                found.push(self.standing("the chart", level, vec![(reason, place)]));
            }
        }
        found
    }
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

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(has_null),
        _ => false,
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
