//! What the project wants of hardening.

use std::collections::{BTreeMap, BTreeSet};

use super::RULES;
use crate::diagnostic::Diagnostic;
use crate::source::Place;
use crate::workload::pod_security::{Level, Version};

/// The project's settings for hardening.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether to harden at all.
    pub enabled: bool,
    /// What is left as it is.
    pub exempt: Vec<Exemption>,
    /// The version of the Pod Security Standards: that of the cluster.
    pub kubernetes: Version,
    /// The level wished for a namespace, with the place of the wish.
    pub pod_security: BTreeMap<String, (Level, Option<Place>)>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            exempt: Vec::new(),
            kubernetes: Version(36),
            pod_security: BTreeMap::new(),
        }
    }
}

/// An object that a rule leaves alone.
#[derive(Clone, Debug, Default)]
pub struct Exemption {
    /// The rule's code.
    pub rule: String,
    /// The object's namespace; `*` for every one.
    pub namespace: String,
    /// The object's name; `*` for every one.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Where the project says so.
    pub place: Option<Place>,
}

impl Policy {
    /// Returns the index of the exemption that covers an object.
    pub(super) fn exemption(&self, rule: &str, namespace: &str, name: &str) -> Option<usize> {
        let matches = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        self.exempt.iter().position(|exemption| {
            exemption.rule == rule
                && matches(&exemption.namespace, namespace)
                && matches(&exemption.name, name)
        })
    }

    /// Lists the exemptions that make no sense by themselves.
    pub(super) fn problems(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for exemption in &self.exempt {
            if !RULES.iter().any(|rule| rule.code == exemption.rule) {
                let problem = Diagnostic::error(
                    "exemption-unknown-rule",
                    format!("there is no rule `{}`", exemption.rule),
                )
                .with_suggestion(&exemption.rule, RULES.iter().map(|rule| rule.code));
                problems.push(exemption.placed(problem));
            }
            if exemption.reason.trim().is_empty() {
                let message = format!("the exemption of {} does not say why", exemption.label());
                let problem = Diagnostic::error("exemption-without-reason", message)
                    .with_hint("add a `reason` that whoever reads it next year understands");
                problems.push(exemption.placed(problem));
            }
        }
        problems
    }

    /// Lists the exemptions that covered nothing.
    pub(super) fn unused(&self, used: &BTreeSet<usize>) -> Vec<Diagnostic> {
        let unused = self.exempt.iter().enumerate().filter(|(index, exemption)| {
            !used.contains(index) && RULES.iter().any(|rule| rule.code == exemption.rule)
        });
        unused
            .map(|(_, exemption)| {
                let message = format!("the exemption of {} exempts nothing", exemption.label());
                let problem = Diagnostic::warning("exemption-unused", message)
                    .with_hint("remove it, or check the names");
                exemption.placed(problem)
            })
            .collect()
    }
}

impl Exemption {
    fn label(&self) -> String {
        format!("`{}/{}` from `{}`", self.namespace, self.name, self.rule)
    }

    fn placed(&self, problem: Diagnostic) -> Diagnostic {
        match &self.place {
            Some(place) => problem.at_place(place.clone(), ""),
            None => problem,
        }
    }
}
