//! The controls, one by one, and the pod that they look at.

mod baseline;
mod restricted;

use serde_json::Value;

use super::{Level, Version, Violation};
use crate::yaml::{Route, Step};

/// A pod under review.
pub(super) struct Review<'p> {
    pod: &'p Value,
    spec: &'p Value,
    version: Version,
    containers: Vec<ReviewedContainer<'p>>,
    pub(super) violations: Vec<Violation>,
}

#[derive(Clone)]
struct ReviewedContainer<'p> {
    name: String,
    route: Route,
    value: &'p Value,
}

impl ReviewedContainer<'_> {
    fn context(&self) -> &Value {
        &self.value["securityContext"]
    }
}

impl<'p> Review<'p> {
    pub(super) fn new(pod: &'p Value, version: Version) -> Self {
        let spec = &pod["spec"];
        let mut containers = Vec::new();
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, value) in array(&spec[list]).iter().enumerate() {
                containers.push(ReviewedContainer {
                    name: value["name"].as_str().unwrap_or_default().to_owned(),
                    route: Route::parse("spec").then(list).then(index),
                    value,
                });
            }
        }
        Self {
            pod,
            spec,
            version,
            containers,
            violations: Vec::new(),
        }
    }

    fn is_windows(&self) -> bool {
        self.spec["os"]["name"] == "windows"
    }

    /// Pods with a user namespace may be root in it, by the standard of 1.35.
    fn user_namespace(&self) -> bool {
        self.version >= Version(35) && self.spec["hostUsers"] == false
    }

    fn forbid(&mut self, container: &ReviewedContainer<'_>, control: &'static str, field: &str) {
        let mut route = container.route.clone();
        route.0.extend(steps(field));
        self.add(Level::Baseline, control, Some(&container.name), route, true);
    }

    fn restrict(
        &mut self,
        container: &ReviewedContainer<'_>,
        control: &'static str,
        field: &str,
        explicit: bool,
    ) {
        let mut route = container.route.then("securityContext");
        route.0.extend(steps(field));
        self.add(
            Level::Restricted,
            control,
            Some(&container.name),
            route,
            explicit,
        );
    }

    fn pod(&mut self, control: &'static str, field: &str) {
        let mut route = Route::parse("spec");
        route.0.extend(steps(field));
        self.add(Level::Restricted, control, None, route, true);
    }

    fn add(
        &mut self,
        keeps_from: Level,
        control: &'static str,
        container: Option<&str>,
        route: Route,
        explicit: bool,
    ) {
        self.violations.push(Violation {
            control,
            keeps_from,
            container: container.map(str::to_owned),
            route,
            explicit,
        });
    }
}

fn steps(field: &str) -> impl Iterator<Item = Step> {
    field
        .split('.')
        .map(|step| step.parse().map_or_else(|_| Step::from(step), Step::Index))
}

/// Returns whether a profile of this type, for seccomp or `AppArmor`, confines anything.
fn is_confined(profile: &Value) -> bool {
    profile == "RuntimeDefault" || profile == "Localhost"
}

fn is_unmasked(context: &Value) -> bool {
    context["procMount"]
        .as_str()
        .is_some_and(|mount| mount != "Default")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
