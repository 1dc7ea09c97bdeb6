//! The fields of a workload that rules add to, and where they are written.

use std::fmt;

use crate::yaml::Route;

/// A field of a workload's pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodField {
    /// A field of the pod's spec: `priorityClassName`.
    Pod(&'static str),
    /// A field of a container: `readinessProbe`.
    Container {
        /// The container's name.
        name: String,
        /// The field.
        key: &'static str,
    },
}

impl PodField {
    /// Names a field of a container.
    pub fn of(container: &str, key: &'static str) -> Self {
        Self::Container {
            name: container.to_owned(),
            key,
        }
    }

    /// Returns the last part of its route.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Pod(key) | Self::Container { key, .. } => key,
        }
    }
}

impl fmt::Display for PodField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(key) => formatter.write_str(key),
            Self::Container { name, key } => write!(formatter, "containers[{name}].{key}"),
        }
    }
}

/// Where an addition to a field goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To this route of the object that makes the workload.
    Object(Route),
    /// Into a patch of the release's post-renderer: the chart has no value for it.
    Patch,
    /// Nowhere, and why.
    Nowhere(&'static str),
}
