//! What the project wants of hardening.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::pod_security::{Level, Version};
use crate::rules::codes;
use crate::source::Place;
use crate::workload::quantity::milli;

/// The project's settings for hardening.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether to harden at all.
    pub enabled: bool,
    /// The version of the Pod Security Standards: that of the cluster.
    pub kubernetes: Version,
    /// The level wished for a namespace, with the place of the wish.
    pub pod_security: BTreeMap<String, (Level, Option<Place>)>,
    /// The requests and limits of containers that nobody knows; none unless the project sets some.
    pub resources: Option<DefaultResources>,
    /// The tier of what belongs to no app, by chart or namespace: `critical`, `high`, `standard` or `low`.
    pub tiers: BTreeMap<String, String>,
    /// The namespaces that network policies close.
    pub network_policies: ClosedNamespaces,
    /// Objects that are there though nothing here applies them: `KIND/NAMESPACE/NAME`, or `KIND/NAME`.
    pub external: BTreeSet<String>,
}

/// Requests and limits for containers of which no profile knows what they need.
#[derive(Clone, Debug, Default)]
pub struct DefaultResources {
    /// The CPU request.
    pub cpu_request: Option<String>,
    /// The memory request.
    pub memory_request: Option<String>,
    /// The memory limit.
    pub memory_limit: Option<String>,
    /// Where the project says so.
    pub place: Option<Place>,
}

/// Which namespaces network policies close.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClosedNamespaces {
    /// None.
    #[default]
    Nothing,
    /// All of the tree, but for those of the cluster itself.
    All,
    /// These, each with the place where it is named.
    Named(Vec<(String, Option<Place>)>),
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            kubernetes: Version(36),
            pod_security: BTreeMap::new(),
            resources: None,
            tiers: BTreeMap::new(),
            network_policies: ClosedNamespaces::Nothing,
            external: BTreeSet::new(),
        }
    }
}

impl DefaultResources {
    /// Returns them as the field of a container.
    pub(super) fn to_value(&self) -> Value {
        json!({
            "requests": {"cpu": self.cpu_request, "memory": self.memory_request},
            "limits": {"memory": self.memory_limit},
        })
    }

    /// Says which of them are no quantities, or contradict each other.
    fn problems(&self) -> Vec<Diagnostic> {
        let all = [&self.cpu_request, &self.memory_request, &self.memory_limit];
        let mut messages: Vec<String> = all
            .into_iter()
            .flatten()
            .filter(|written| quantity(written).is_none_or(|amount| amount <= 0))
            .map(|written| format!("`{written}` is not an amount of CPU or memory"))
            .collect();
        let amount = |written: &Option<String>| written.as_deref().and_then(quantity);
        if let (Some(request), Some(limit)) =
            (amount(&self.memory_request), amount(&self.memory_limit))
            && request > limit
        {
            messages.push("the default memory request is above the default limit".to_owned());
        }
        let problem = |message: String| {
            Diagnostic::error(&codes::RESOURCES_INVALID, message)
                .with_hint("write amounts such as `10m` of CPU and `64Mi` of memory")
                .at_place_if(self.place.as_ref())
        };
        messages.into_iter().map(problem).collect()
    }
}

fn quantity(written: &str) -> Option<i128> {
    milli(&Value::from(written))
}

impl Policy {
    /// Lists what makes no sense by itself.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let resources = self.resources.iter();
        resources.flat_map(DefaultResources::problems).collect()
    }
}
