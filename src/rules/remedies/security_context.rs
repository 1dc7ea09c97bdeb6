//! Gives pods and containers the security contexts that are known to be safe.

mod gaps;
mod places;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;

use crate::diagnostic::Meaning;
use crate::pod_security::{Version, evaluate};
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::tree::Gap;
use crate::workload::{PodField, Reach, Workload, WorkloadContainer};
use places::WrittenContexts;
use wishes::{INHERITED, Leaf, Leaves, SECCOMP, User, Wishes, leaf, nested};

/// The field that all of this is about, of the pod as of its containers.
const FIELD: &str = "securityContext";

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "security-context",
        summary: "Gives pods and containers the security contexts that are known to be safe",
        text: "\
A process that runs as root with all the capabilities that container runtimes hand out is one mistake away
from the node. The `restricted` level of the Pod Security Standards asks for little: another user than root,
no way to gain privileges, no capabilities, and the runtime's seccomp profile.

What is safe depends on what is known of a container:

- That it runs as another user than root, because its context sets `runAsNonRoot: true` or a numeric `runAsUser`,
  or because the chart's profile says so of its image. The kernel gives such a process no capabilities
  anyway, so it gets `runAsNonRoot: true`, `allowPrivilegeEscalation: false` and `capabilities.drop: [ALL]`. One that
  listens on a port below 1024 keeps `NET_BIND_SERVICE`, which `restricted` allows. One that adds other
  capabilities keeps those, and the way to gain them. The kubelet takes no name for an answer, so one whose image only
  names its user gets the number that the profile knows, as `runAsUser`.
- That it writes nothing to its root file system, because the chart's profile says so: it gets
  `readOnlyRootFilesystem: true`.
- That it is not privileged: it gets `seccompProfile: RuntimeDefault`. Where the tree shows that its nodes run Talos, which
  gives every container that profile by default, only a pod that satisfies `restricted` with it gets it: that level asks
  for the field, and it changes nothing else there.

Nothing is guessed: an image of which nobody knows its user may be one that starts as root, takes a low port and
then changes its user, and would stop to start. Such a container is a gap that `kiln audit` lists; set
`runAsNonRoot` or `runAsUser` where you know it, or write `nonRoot` or `user` into a profile below `charts/`.

What holds for every container of a pod is set for the pod, where the chart has a value for that, and for each
container otherwise. A value that reaches several containers gets only what is right for all of them. A pod that
needs the node, as one that is privileged, has the node's network or mounts its files, is left as it is,
and so is everything that the author or the chart sets.

A Job or Pod in a manifest that Flux applies cannot be changed once it is there, and the attempt would stop its whole
Kustomization. No rule adds to it unless Flux makes it anew (the annotation `kustomize.toolkit.fluxcd.io/force: enabled`,
or `force: true` in its Kustomization) or leaves it alone once it is there (`kustomize.toolkit.fluxcd.io/ssa:
IfNotPresent`); what it lacks is a gap.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    // This takes longer than all other rules, and is done for each workload by itself.
    let wish = |workload| Wishes::of(workload, context.policy().kubernetes);
    let wishes: Vec<Wishes> = context.workloads.par_iter().map(wish).collect();
    let open: BTreeSet<_> = context.open_workloads().map(std::ptr::from_ref).collect();
    let places = WrittenContexts::of(context.workloads, &wishes, &open);
    let all = context.workloads.iter().zip(&wishes);
    let targets: Vec<(&Workload<'_>, &Wishes)> = all
        .filter(|(workload, _)| open.contains(&std::ptr::from_ref(*workload)))
        .collect();
    let plans: Vec<(SecurityContextPlan, Vec<Gap>)> = targets
        .par_iter()
        .map(|(workload, wishes)| {
            let mut plan = SecurityContextPlan::of(workload, wishes, &places);
            if context.node_defaults().gives_seccomp {
                plan.leave_to_nodes(workload, context.policy().kubernetes);
            }
            let gaps = gaps::of(context, workload, &plan);
            (plan, gaps)
        })
        .collect();
    let mut plan = Plan::default();
    for ((workload, _), (contexts, gaps)) in targets.into_iter().zip(plans) {
        contexts.add(context.rule, workload, &mut plan);
        plan.gaps.extend(gaps);
    }
    plan
}

/// What a workload is to gain.
#[derive(Default)]
struct SecurityContextPlan {
    pod: Leaves,
    containers: BTreeMap<String, Leaves>,
    /// The containers that go without something since a value of theirs reaches others, and which.
    shared: BTreeMap<String, String>,
}

impl SecurityContextPlan {
    fn of(workload: &Workload<'_>, wishes: &Wishes, places: &WrittenContexts<'_>) -> Self {
        let mut plan = Self::default();
        let mut allowed: BTreeMap<&str, Leaves> = BTreeMap::new();
        for container in workload.containers() {
            let field = PodField::of(container.name, FIELD);
            let wish = wishes.containers.get(container.name);
            let granted = wish.map(|wish| {
                let (granted, others) = places.grant(workload, &field, wish);
                if let Some(other) = others {
                    plan.shared.insert(container.name.to_owned(), other);
                }
                granted
            });
            allowed.insert(container.name, granted.unwrap_or_default());
        }
        for (name, leaves) in &allowed {
            let own = leaves.iter().filter(|(leaf, _)| !INHERITED.contains(leaf));
            let own = own.map(|(leaf, value)| (*leaf, value.clone())).collect();
            plan.containers.insert((*name).to_owned(), own);
        }
        let (mut pod, _) = places.grant(workload, &PodField::Pod(FIELD), &wishes.pod);
        // Together in one edit, or neither: without its number, the kubelet would not start it.
        let mut wanted = wishes.containers.values();
        if wanted.any(|wish| wish.contains_key("runAsUser")) {
            pod.remove("runAsNonRoot");
        }
        for leaf in INHERITED {
            plan.inherit(workload, leaf, &pod, &allowed);
        }
        plan
    }

    /// Leaves the seccomp profile to nodes that give every container one, unless it is what `restricted` still asks for.
    fn leave_to_nodes(&mut self, workload: &Workload<'_>, version: Version) {
        if !evaluate(&self.applied(workload), version).is_empty() {
            for leaves in std::iter::once(&mut self.pod).chain(self.containers.values_mut()) {
                leaves.remove(SECCOMP);
            }
        }
    }

    /// Sets for the pod what its containers may inherit, or for each of them where that is not right
    /// or would need a patch that the containers do not need.
    fn inherit(
        &mut self,
        workload: &Workload<'_>,
        wanted: Leaf,
        pod: &Leaves,
        containers: &BTreeMap<&str, Leaves>,
    ) {
        if !leaf(&workload.pod["spec"][FIELD], wanted).is_null() {
            return;
        }
        let without: Vec<&str> = workload
            .containers()
            .filter(|container| leaf(&container.value[FIELD], wanted).is_null())
            .map(|container| container.name)
            .collect();
        if without.is_empty() {
            return;
        }
        let granted = |name: &str| containers.get(name)?.get(wanted);
        let by_value = without.iter().all(|name| {
            let reach = workload.reach(&PodField::of(name, FIELD));
            granted(name).is_some() && matches!(reach, Reach::Object(_))
        });
        let for_pod = match workload.reach(&PodField::Pod(FIELD)) {
            Reach::Object(_) => true,
            Reach::Patch => !by_value,
            Reach::Nowhere(_) => false,
        };
        if let Some(value) = pod.get(wanted).filter(|_| for_pod) {
            self.pod.insert(wanted, value.clone());
            return;
        }
        for name in without {
            if let Some(value) = granted(name) {
                let leaves = self.containers.entry(name.to_owned()).or_default();
                leaves.insert(wanted, value.clone());
            }
        }
    }

    fn add(&self, rule: &'static str, workload: &Workload<'_>, plan: &mut Plan) {
        let pod = &workload.pod["spec"][FIELD];
        let lacking = |leaves: &Leaves, context: &Value| -> BTreeSet<Leaf> {
            let all = leaves.keys().copied();
            all.filter(|key| leaf(context, key).is_null()).collect()
        };
        if !self.pod.is_empty() {
            let reason = reason_for_pod(&lacking(&self.pod, pod));
            let field = PodField::Pod(FIELD);
            plan.add(rule, workload, &field, &nested(&self.pod), &reason);
        }
        for container in workload.containers() {
            let leaves = self.containers.get(container.name);
            let Some(leaves) = leaves.filter(|leaves| !leaves.is_empty()) else {
                continue;
            };
            let lacking = lacking(leaves, &container.value[FIELD]);
            let reason = reason_for(workload, container, &lacking);
            let field = PodField::of(container.name, FIELD);
            plan.add(rule, workload, &field, &nested(leaves), &reason);
        }
    }

    /// Returns the pod as it is with what it gains.
    fn applied(&self, workload: &Workload<'_>) -> Value {
        let mut pod = workload.pod.clone();
        if !self.pod.is_empty() {
            complete(&mut pod["spec"][FIELD], nested(&self.pod));
        }
        for list in ["initContainers", "containers"] {
            let items = pod["spec"].get_mut(list).and_then(Value::as_array_mut);
            for container in items.into_iter().flatten() {
                let name = container["name"].as_str().unwrap_or_default();
                let leaves = self.containers.get(name);
                if let Some(leaves) = leaves.filter(|leaves| !leaves.is_empty()) {
                    complete(&mut container[FIELD], nested(leaves));
                }
            }
        }
        pod
    }
}

/// Fills in what is not there.
fn complete(present: &mut Value, more: Value) {
    match (present, more) {
        (Value::Object(present), Value::Object(more)) => {
            for (key, value) in more {
                complete(present.entry(key).or_insert(Value::Null), value);
            }
        }
        (present @ Value::Null, more) => *present = more,
        _ => {}
    }
}

fn reason_for_pod(gained: &BTreeSet<Leaf>) -> String {
    let mut reasons = Vec::new();
    if gained.contains("runAsNonRoot") {
        reasons.push("all its containers run as other users than root");
    }
    if gained.contains(SECCOMP) {
        reasons.push("none of its containers is privileged");
    }
    reasons.join(", and ")
}

fn reason_for(
    workload: &Workload<'_>,
    container: WorkloadContainer<'_>,
    gained: &BTreeSet<Leaf>,
) -> String {
    let mut facts = Vec::new();
    let by_user = |leaf: &Leaf| !matches!(*leaf, "readOnlyRootFilesystem" | SECCOMP);
    if let User::Other(source) = User::of(workload, container)
        && gained.iter().any(by_user)
    {
        facts.push(format!("runs as another user than root, by {source}"));
    }
    if gained.contains("readOnlyRootFilesystem") {
        facts.push("writes nothing to its root file system".to_owned());
    }
    if gained.contains(SECCOMP) {
        facts.push("is not privileged".to_owned());
    }
    format!("`{}` {}", container.name, facts.join(", and "))
}
