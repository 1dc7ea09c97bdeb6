//! The Pod Security Standards: which level a pod satisfies, and what keeps it from a stricter one.
//!
//! The controls are those of `k8s.io/pod-security-admission` as of Kubernetes 1.37, each under the
//! name of the field that it looks at. Where a control came or changed after 1.25, the version decides.

mod controls;

use std::fmt;

use serde_json::Value;

use crate::yaml::Route;

/// A level of the Pod Security Standards, from lax to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything is allowed.
    Privileged,
    /// Known ways to gain privileges are not.
    Baseline,
    /// Pods follow the current practice of hardening.
    Restricted,
}

impl Level {
    /// All levels, from lax to strict.
    pub const ALL: [Self; 3] = [Self::Privileged, Self::Baseline, Self::Restricted];

    /// Returns the level as the label spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }

    /// Reads the level of a label.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One thing about a pod that a level does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The control of the standard: `seccompProfile`, `hostPath`.
    pub control: &'static str,
    /// The laxest level that does not allow it.
    pub keeps_from: Level,
    /// The container that it is about.
    pub container: Option<String>,
    /// The field below the pod: `spec.containers[0].securityContext.privileged`.
    pub route: Route,
    /// Whether a value is there that is not allowed, as opposed to one that is missing.
    pub explicit: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lacks = if self.explicit {
            "sets"
        } else {
            "does not set"
        };
        match &self.container {
            Some(container) => write!(
                formatter,
                "container `{container}` {lacks} `{}`",
                self.control
            ),
            None => write!(formatter, "the pod {lacks} `{}`", self.control),
        }
    }
}

/// The minor version of Kubernetes whose standard counts: 36 for 1.36.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32);

impl Version {
    /// Reads `1.36`, `v1.36` or `1.36.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let (major, minor) = (parts.next()?, parts.next()?);
        if major != "1" {
            return None;
        }
        minor.parse().ok().map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v1.{}", self.0)
    }
}

/// Lists what keeps a pod (`metadata` and `spec`) from `restricted`, in the order of the standard.
pub fn evaluate(pod: &Value, version: Version) -> Vec<Violation> {
    let mut review = controls::Review::new(pod, version);
    review.baseline();
    review.restricted();
    review.violations
}

/// Returns the strictest level that allows all of the violations.
pub fn level<'v>(violations: impl IntoIterator<Item = &'v Violation>) -> Level {
    let strictest = violations
        .into_iter()
        .map(|violation| violation.keeps_from)
        .min();
    match strictest {
        None => Level::Restricted,
        Some(Level::Restricted) => Level::Baseline,
        Some(_) => Level::Privileged,
    }
}
