//! Gives replicated workloads a budget, so that a drain takes their pods one at a time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::diagnostic::Meaning;
use crate::rules::listing::{ListingSpot, Listings, NewContent};
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::tree::object::Object;
use crate::workload::budget::{self, DisruptionBudget, Own, Selects};
use crate::workload::{Home, PodField, Workload};
use crate::yaml::emit;

/// What gaps name; a budget is no field of a pod, but stands for one workload all the same.
const FIELD: PodField = PodField::Pod("podDisruptionBudget");

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "pod-disruption-budget",
        summary: "Gives each workload of two or more replicas a budget that lets a drain take one pod at a time",
        text: "\
When a node is drained, all its pods are evicted at once. If all replicas of a workload happen to be on it, or on
two nodes that are drained together, the workload is down, for no reason. A PodDisruptionBudget makes the drain wait.

Each Deployment and StatefulSet that is known to have two or more replicas gets one with `maxUnavailable: 1`, which is
right for every number of replicas, and `unhealthyPodEvictionPolicy: AlwaysAllow`, so that pods that do not work
anyway never hold up a drain. Where an autoscaler of the tree decides, its minimum counts. Over a single replica a
budget protects nothing and only stands in the way; drains skip DaemonSets.

The budget is a manifest, `poddisruptionbudget.yaml` beside the workload's manifest or HelmRelease and listed where
that is listed, with the selector of the manifest or the chart's profile.

Two budgets over one pod make every eviction fail. So nothing is added where a budget in the tree or among the values
of a release selects the pods already, where a part of the namespace is not seen that may hold one, or where the chart
makes a sound one by itself, as many do from two replicas on. A chart's own budget that never lets a pod go is switched
off where its profile knows how, and ours takes its place; what the author says of a chart's budget stays, and is a gap
if it never lets a pod go. For pods that an operator makes, a budget is added only where the profile says that the
operator makes none.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut budgets: BTreeMap<String, Vec<DisruptionBudget>> = BTreeMap::new();
    for budget in DisruptionBudget::all(context.builds, context.releases) {
        let inside = budgets.entry(budget.namespace.clone()).or_default();
        inside.push(budget);
    }
    let mut workloads: Vec<&Workload<'_>> = context
        .open_workloads()
        .filter(|workload| workload.is_scalable())
        .collect();
    // The widest selectors come first: a budget by one of them covers those within.
    workloads.sort_by_key(|workload| workload.selector.len());
    let mut giving = BudgetPlanner {
        context,
        listings: Listings::of(context.builds),
        budgets,
        seen: BTreeSet::new(),
        manifests: BTreeMap::new(),
        plan: Plan::default(),
    };
    for workload in workloads {
        giving.consider(workload);
    }
    giving.write()
}

/// The rule at work.
struct BudgetPlanner<'c, 't> {
    context: &'c RemedyScope<'c, 't>,
    listings: Listings<'t>,
    /// Those of the tree and those that are to come, by namespace.
    budgets: BTreeMap<String, Vec<DisruptionBudget>>,
    seen: BTreeSet<((&'c str, usize), &'c str, &'c str)>,
    manifests: BTreeMap<ListingSpot<'t>, Vec<BudgetManifest>>,
    plan: Plan,
}

/// A budget to be written.
struct BudgetManifest {
    name: String,
    object: Value,
    label: String,
    reason: String,
}

impl<'c> BudgetPlanner<'c, '_> {
    fn consider(&mut self, workload: &'c Workload<'_>) {
        let (kind, name) = (workload.kind.as_str(), workload.name.as_str());
        if !self.seen.insert((workload.member.spot(), kind, name)) {
            return;
        }
        let own = budget::own(workload);
        let blocks = own.as_ref().is_some_and(|own| {
            let replicas = workload.replicas;
            replicas.is_some_and(|replicas| !budget::allows_eviction(&own.spec, replicas))
        });
        if own.is_some() && !blocks {
            return;
        }
        if !workload.is_replicated() && !blocks {
            return;
        }
        let obstacle = obstacle(workload, own.as_ref());
        if let Some(reason) = obstacle.or_else(|| self.unfit_twin(workload)) {
            self.gap(workload, reason);
            return;
        }
        match namespace(workload) {
            Err(obstacle) if workload.is_replicated() => self.enable(workload, obstacle),
            namespace => {
                if own.is_some() {
                    self.switch_off(workload);
                }
                if workload.is_replicated() {
                    self.give(workload, namespace.unwrap_or_default());
                }
            }
        }
    }

    /// Names another workload that comes of the same manifest and cannot have a budget, as the file would reach it too.
    fn unfit_twin(&self, workload: &Workload<'_>) -> Option<String> {
        let is_twin = |other: &&Workload<'_>| {
            let (own, its) = (workload.member, other.member);
            let is_same = other.kind == workload.kind
                && (other.name == workload.name || matches!(other.home, Home::Manifest(_)));
            is_same && its.spot() == own.spot() && its.user() != own.user()
        };
        let is_fit = |twin: &Workload<'_>| {
            let inside = self.budgets.get(&twin.namespace);
            let covered = inside.is_some_and(|budgets| {
                let mut budgets = budgets.iter();
                budgets.any(|budget| budget.selects(twin) != Selects::No)
            });
            twin.is_replicated() && !covered && budget::own(twin).is_none()
        };
        let mut twins = self.context.workloads.iter().filter(is_twin);
        let unfit = twins.find(|twin| !is_fit(twin))?;
        Some(format!(
            "its manifest makes `{}` too, for which a budget is not right",
            unfit.label()
        ))
    }

    fn gap(&mut self, workload: &Workload<'_>, reason: String) {
        let rule = self.context.rule;
        self.plan.gap(rule, workload, &FIELD, reason);
    }

    fn switch_off(&mut self, workload: &Workload<'_>) {
        let budget = workload.known().and_then(|known| known.budget.as_ref());
        if let Some(disable) = budget.and_then(|budget| budget.disable.as_ref()) {
            let reason = format!(
                "the chart's own PodDisruptionBudget of {}/{} lets no pod go",
                workload.kind, workload.name
            );
            let rule = self.context.rule;
            self.plan.set(rule, workload, &FIELD, disable, &reason);
        }
    }

    /// Adds a budget unless there is one.
    fn give(&mut self, workload: &Workload<'_>, namespace: Option<&str>) {
        let mut doubtful = None;
        let inside = self.budgets.get(&workload.namespace);
        for budget in inside.into_iter().flatten() {
            match budget.selects(workload) {
                Selects::Yes => return,
                Selects::Maybe if !self.is_of_another(budget) => doubtful = Some(budget),
                Selects::Maybe | Selects::No => {}
            }
        }
        if let Some(budget) = doubtful {
            let which = if budget.name.is_empty() {
                "one among the values of a release".to_owned()
            } else {
                format!("PodDisruptionBudget `{}`", budget.name)
            };
            return self.gap(
                workload,
                format!("{which} may select its pods, by labels that nobody knows of"),
            );
        }
        if let Some(reason) = self.hidden(workload) {
            return self.gap(workload, reason);
        }
        let Some(selector) = workload.label_selector() else {
            let reason = workload.why_no_selector();
            return self.gap(workload, reason.to_owned());
        };
        self.plan(workload, namespace, &selector);
    }

    /// Says where a budget over the pods of a workload may be that is not seen.
    fn hidden(&self, workload: &Workload<'_>) -> Option<String> {
        let facts = self.context;
        let part = facts.hidden_part(workload.member, &workload.namespace)?;
        Some(format!(
            "a budget over its pods may be in {}, which is not seen: {}",
            part.what, part.why
        ))
    }

    /// Returns whether a budget selects the pods of some workload for certain, and so is about that.
    fn is_of_another(&self, budget: &DisruptionBudget) -> bool {
        let mut all = self.context.workloads.iter();
        all.any(|other| budget.selects(other) == Selects::Yes)
    }

    /// Lets the chart make the budget where a manifest would end up elsewhere.
    fn enable(&mut self, workload: &Workload<'_>, obstacle: &str) {
        if let Some(reason) = self.hidden(workload) {
            return self.gap(workload, reason);
        }
        let budget = workload.known().and_then(|known| known.budget.as_ref());
        match budget.and_then(|budget| budget.enable.as_ref()) {
            Some(enable) => {
                let reason = reason(workload);
                let rule = self.context.rule;
                self.plan.set(rule, workload, &FIELD, enable, &reason);
            }
            None => self.gap(workload, obstacle.to_owned()),
        }
    }

    fn plan(&mut self, workload: &Workload<'_>, namespace: Option<&str>, selector: &Value) {
        let name = self.free_name(workload);
        let mut metadata = Map::from_iter([("name".to_owned(), Value::from(name.as_str()))]);
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), Value::from(namespace));
        }
        let spec = json!({
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": selector,
        });
        let inside = self.budgets.entry(workload.namespace.clone()).or_default();
        inside.push(DisruptionBudget {
            name: name.clone(),
            namespace: workload.namespace.clone(),
            spec: spec.clone(),
            place: workload.member.name_place(),
        });
        let spot = self.listings.beside(&workload.member.path());
        let label = if workload.namespace.is_empty() {
            format!("PodDisruptionBudget/{name}")
        } else {
            format!("PodDisruptionBudget/{}/{name}", workload.namespace)
        };
        self.manifests
            .entry(spot)
            .or_default()
            .push(BudgetManifest {
                name,
                object: json!({
                    "apiVersion": "policy/v1",
                    "kind": "PodDisruptionBudget",
                    "metadata": metadata,
                    "spec": spec,
                }),
                label,
                reason: reason(workload),
            });
    }

    /// Names a budget like its workload, or like its workload and kind where that is taken: by a budget
    /// of the tree, or by one that a chart makes for another workload.
    fn free_name(&self, workload: &Workload<'_>) -> String {
        let inside = self.budgets.get(&workload.namespace);
        let mut charts: BTreeSet<String> = BTreeSet::new();
        for other in self.context.workloads {
            let same = other.kind == workload.kind && other.name == workload.name;
            if other.namespace == workload.namespace && !same {
                charts.extend(budget::own_name(other));
            }
        }
        let taken = |name: &str| {
            let mut all = inside.into_iter().flatten();
            all.any(|budget| budget.name == name) || charts.contains(name)
        };
        let mut name = workload.name.clone();
        while taken(&name) {
            name = format!("{name}-{}", workload.kind.to_lowercase());
        }
        name
    }

    /// Writes the budgets, those of one place into one file.
    fn write(mut self) -> Plan {
        for (spot, mut manifests) in self.manifests {
            manifests.sort_by(|a, b| a.name.cmp(&b.name));
            let text = manifests
                .iter()
                .map(|manifest| format!("---\n{}", emit(&manifest.object)));
            let content = NewContent {
                stem: "poddisruptionbudget",
                text: text.collect(),
                objects: manifests
                    .into_iter()
                    .map(|manifest| (manifest.label, manifest.reason))
                    .collect(),
                reason: "it lists the budgets of the workloads beside them".to_owned(),
            };
            spot.add(self.context, content, &mut self.plan);
        }
        self.plan
    }
}

/// Says why nothing can be done for a workload that needs something.
fn obstacle(workload: &Workload<'_>, own: Option<&Own>) -> Option<String> {
    let budget = workload.known().and_then(|known| known.budget.as_ref());
    let operand = matches!(workload.home, Home::Operand(_));
    let by_operator = operand || workload.known().is_some_and(|known| known.by_operator);
    let reason = match own {
        _ if !workload.certain && !operand => {
            "patches or values from elsewhere may change what is known of it"
        }
        None if by_operator && budget.is_none() => "its operator may make one by itself",
        Some(own) if own.by_author => "the one that the values ask for lets no pod go",
        Some(_) if operand => "the one that its operator makes lets no pod go",
        Some(_) if budget.is_none_or(|budget| budget.disable.is_none()) => {
            "the one of its chart lets no pod go, and nobody knows how to switch it off"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}

/// Returns the namespace to write into a budget: none where the workload's own manifest says none.
fn namespace<'w>(workload: &'w Workload<'_>) -> Result<Option<&'w str>, &'static str> {
    let member = workload.member;
    if workload.namespace == member.namespace_name() {
        return Ok(member.written.and_then(Object::declared_namespace));
    }
    let given = member.namespace.as_ref();
    if given.is_some_and(|given| given.place.source.path != member.path()) {
        return Err("its kustomization puts every manifest into another namespace than its pods");
    }
    Ok(Some(&workload.namespace))
}

fn reason(workload: &Workload<'_>) -> String {
    let replicas = workload.replicas.unwrap_or_default();
    format!(
        "{}/{} has {replicas} replicas, of which a drain may take one at a time",
        workload.kind, workload.name
    )
}
