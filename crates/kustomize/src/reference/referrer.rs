//! An object that names others.

use std::collections::BTreeSet;

use super::Referral;
use crate::field::{Field, FieldValue, ScalarKind};
use crate::field_spec::KindSelector;
use crate::problem::{Findings, Problem, ProblemKind};
use crate::resource::Resource;

/// What decides which objects an object can name.
#[derive(Debug)]
pub(super) struct Referrer {
    /// The namespace by which it is compared; empty outside of namespaces.
    effective_namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    /// The namespaces of the service accounts that a role binding names.
    pub(super) account_namespaces: BTreeSet<String>,
    /// The kind of role that a role binding names.
    role: Option<KindSelector>,
}

impl Referrer {
    /// Looks at an object; a namespace of a service account that is no text is a problem.
    pub(super) fn of(resource: &Resource, findings: &mut Findings) -> Option<Self> {
        let effective_namespace = resource.id().effective().namespace;
        let is_binding = resource.kind() == "RoleBinding" && !effective_namespace.is_empty();
        let account_namespaces = if is_binding {
            account_namespaces_of(resource, findings)?
        } else {
            BTreeSet::new()
        };
        Some(Self {
            effective_namespace,
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            account_namespaces,
            role: role_of(&resource.root),
        })
    }

    /// Returns its namespace; `None` outside of namespaces.
    pub(super) fn namespace(&self) -> Option<&str> {
        let namespace = self.effective_namespace.as_str();
        (!namespace.is_empty()).then_some(namespace)
    }

    /// Returns the kind of role that a path asks for, if it is the one to the name of a role.
    pub(super) fn role_for(&self, path: &str) -> Option<&KindSelector> {
        self.role
            .as_ref()
            .filter(|_| path.ends_with("roleRef/name"))
    }

    /// Returns whether the last prefixes and suffixes of both are the same; with `lenient`, none is the same as any.
    pub(super) fn shares_affixes(&self, referral: &Referral, lenient: bool) -> bool {
        let shares = |own: &[String], other: &[String]| {
            let shorter = own.len().min(other.len());
            if shorter == 0 {
                return lenient || own.len() == other.len();
            }
            own[own.len() - shorter..] == other[other.len() - shorter..]
        };
        shares(&self.prefixes, &referral.prefixes) && shares(&self.suffixes, &referral.suffixes)
    }
}

fn account_namespaces_of(resource: &Resource, findings: &mut Findings) -> Option<BTreeSet<String>> {
    let subjects = resource.root.get("subjects").and_then(Field::items);
    let mut namespaces = BTreeSet::new();
    for subject in subjects.unwrap_or_default() {
        let Some(namespace) = subject.get("namespace") else {
            continue;
        };
        if subject.find_text(&["kind"]) != Some("ServiceAccount") {
            continue;
        }
        match &namespace.value {
            FieldValue::Scalar(scalar)
                if matches!(scalar.kind, ScalarKind::Text | ScalarKind::Timestamp) =>
            {
                namespaces.insert(scalar.text.clone());
            }
            _ => {
                let message = format!(
                    "the namespace of a service account in {} is no text",
                    resource.id().shown()
                );
                findings.refuse(
                    Problem::new(ProblemKind::Malformed, message, namespace.place())
                        .with_help("write the namespace, or take the field out"),
                );
                return None;
            }
        }
    }
    Some(namespaces)
}

fn role_of(root: &Field) -> Option<KindSelector> {
    let role = root.get("roleRef")?;
    let text = |key: &str| Some(role.get(key)?.as_scalar()?.text.clone());
    Some(KindSelector {
        group: text("apiGroup")?,
        version: String::new(),
        kind: text("kind")?,
    })
}
