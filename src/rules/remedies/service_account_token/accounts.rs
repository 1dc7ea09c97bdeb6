//! What the tree says of service accounts: who is granted something, and whose tokens are settled.

use kustomize::Field;

use crate::flux::HiddenPart;
use crate::flux::builds::{Builds, Member};
use crate::workload::Workload;

const RBAC: &str = "rbac.authorization.k8s.io";

/// The service accounts and bindings of a tree.
pub(in crate::rules) struct Accounts<'t> {
    /// The accounts that say themselves whether pods get their token.
    settled: Vec<&'t Member<'t>>,
    subjects: Vec<BindingSubject>,
    builds: &'t Builds<'t>,
    /// The parts that may hold more of them.
    hidden: Vec<HiddenPart>,
}

/// Who a binding is for.
struct BindingSubject {
    kind: String,
    name: String,
    /// The namespaces that it may be in: that of the subject and that of the binding.
    namespaces: Vec<String>,
}

impl<'t> Accounts<'t> {
    pub(in crate::rules) fn of(builds: &'t Builds<'t>) -> Self {
        let settled = builds.of_kind("", "ServiceAccount").filter(|account| {
            let field = account.find("automountServiceAccountToken");
            field.is_some_and(|node| !node.to_json().is_null())
        });
        let bindings = builds
            .of_kind(RBAC, "RoleBinding")
            .chain(builds.of_kind(RBAC, "ClusterRoleBinding"));
        Self {
            settled: settled.collect(),
            subjects: bindings.flat_map(subjects).collect(),
            builds,
            hidden: builds.hidden_parts(),
        }
    }

    /// Returns a part that is not seen and may bind the accounts that a workload runs as.
    pub(super) fn hidden_from(&self, workload: &Workload<'_>) -> Option<&HiddenPart> {
        let mut parts = self.hidden.iter();
        parts.find(|part| {
            let roots = self.builds.roots_of(workload.member);
            let mut roots = roots.into_iter();
            roots.any(|root| part.may_hold(root, &workload.namespace))
        })
    }

    /// Returns whether the `ServiceAccount` itself says whether pods get its token.
    pub(super) fn is_settled(&self, namespace: &str, name: &str) -> bool {
        let mut all = self.settled.iter();
        all.any(|account| account.name == name && account.namespace_name() == namespace)
    }

    /// Returns whether a binding names an account, or a group that it is in.
    ///
    /// What may be it counts: a subject without a namespace, one that kustomize may move to the
    /// namespace of its binding, a name that Flux substitutes.
    pub(super) fn is_bound(&self, namespace: &str, name: &str) -> bool {
        let user = format!("system:serviceaccount:{namespace}:{name}");
        let groups = [
            "system:authenticated".to_owned(),
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
        ];
        self.subjects
            .iter()
            .any(|subject| match subject.kind.as_str() {
                "User" => may_be(&subject.name, &user),
                "Group" => groups.iter().any(|group| may_be(&subject.name, group)),
                _ => {
                    let here = |own: &String| own.is_empty() || may_be(own, namespace);
                    may_be(&subject.name, name) && subject.namespaces.iter().any(here)
                }
            })
    }
}

fn subjects(binding: &Member<'_>) -> Vec<BindingSubject> {
    let items = binding.find("subjects").and_then(Field::items);
    let text = |field: &Field, key: &str| field.find_text(&[key]).unwrap_or_default().to_owned();
    let read = |node: &Field| BindingSubject {
        kind: text(node, "kind"),
        name: text(node, "name"),
        namespaces: match binding.namespace_name() {
            "" => vec![text(node, "namespace")],
            own => vec![text(node, "namespace"), own.to_owned()],
        },
    };
    items.into_iter().flatten().map(read).collect()
}

/// Returns whether a name is another, or may become it when Flux substitutes variables.
fn may_be(written: &str, name: &str) -> bool {
    written == name || written.contains("${")
}
