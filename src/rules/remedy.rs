//! What would make rules pass.

use std::ops::Deref;

use super::plan::Plan;
use super::{Facts, remedies};
use crate::diagnostic::Meaning;
use crate::flux::builds::Member;
use crate::workload::Workload;

/// A way to add what is missing.
pub struct Remedy {
    /// What it does and why; its code stands in exemptions and in records.
    pub meaning: Meaning,
    /// When it looks at the tree.
    pub pass: Pass,
    pub(super) plan: fn(&RemedyScope<'_, '_>) -> Plan,
}

/// When a remedy looks at the tree: those of one pass see the same tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// As it was rendered.
    Workloads,
    /// When workloads have what they lacked, and can be judged.
    Judgement,
}

/// The remedies, in the order in which they are applied.
pub static REMEDIES: [&Remedy; 9] = [
    &remedies::pod_security::REMEDY,
    &remedies::priority_class::REMEDY,
    &remedies::probes::REMEDY,
    &remedies::security_context::REMEDY,
    &remedies::service_account_token::REMEDY,
    &remedies::resources::REMEDY,
    &remedies::topology_spread::REMEDY,
    &remedies::pod_disruption_budget::REMEDY,
    &remedies::network_policy::REMEDY,
];

impl Remedy {
    /// Plans what to add.
    pub fn plan(&self, facts: &Facts<'_>) -> Plan {
        let mut plan = (self.plan)(&RemedyScope {
            facts,
            rule: self.meaning.code,
        });
        plan.settle_shared(facts, self.meaning.code);
        plan
    }
}

/// What a remedy looks at.
pub(super) struct RemedyScope<'f, 't> {
    facts: &'f Facts<'t>,
    /// The code of the remedy.
    pub(super) rule: &'static str,
}

impl<'t> Deref for RemedyScope<'_, 't> {
    type Target = Facts<'t>;

    fn deref(&self) -> &Self::Target {
        self.facts
    }
}

impl<'t> RemedyScope<'_, 't> {
    /// Returns whether the project exempts an object, and notes that it did.
    pub(super) fn is_exempt(&self, namespace: &str, name: &str, path: &str) -> bool {
        let names = [(namespace.to_owned(), name.to_owned())];
        let exemptions = self.measures.exemptions;
        exemptions.covering([self.rule], &names, path).is_some()
    }

    /// Returns whether additions can be made to an object: it is a file of the tree in YAML or JSON, and no secret.
    pub(super) fn may_edit(&self, member: &Member<'_>) -> bool {
        let written = member.written.map(|written| written.file);
        let is_deployed = self.builds.deploys(member);
        written.filter(|_| is_deployed).is_some_and(|file| {
            self.files.contains_key(file.path.as_str())
                && (file.is_json() || !file.documents.is_empty())
                && !file.is_secret()
        })
    }

    /// Lists the workloads that may gain something: Flux deploys them, and nobody exempts them, by
    /// their own name or that of their release.
    pub(super) fn open_workloads(&self) -> impl Iterator<Item = &'t Workload<'t>> {
        self.lasting().filter(|workload| {
            let maker = workload.member;
            let path = maker.path();
            self.may_edit(maker)
                && !self.is_exempt(&workload.namespace, &workload.name, &path)
                && !self.is_exempt(maker.namespace_name(), &maker.name, &path)
        })
    }
}
