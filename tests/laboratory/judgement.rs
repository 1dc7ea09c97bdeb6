//! What the API server and the scheduler would make of the objects of a cluster.
//!
//! Written from the semantics of the Kubernetes API, of Helm and of kustomize; of Kiln it uses only the evaluator of the Pod
//! Security Standards, which another test holds against upstream's.

mod selector;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kiln::pod_security::{Level, Version, evaluate, level};
use kiln::profiler::record::RecordedRender;
use regex::Regex;
use serde_json::Value;

use super::examples::ExampleTree;
use super::releases::{AppliedRelease, items, namespace_of, text};
use workload::RunningPod;

pub(crate) use workload::pod_template;

/// An object of the cluster, and who brings it: `the tree`, or `HelmRelease/monitoring/alloy`.
#[derive(Clone, Debug)]
pub(crate) struct OwnedObject {
    pub(crate) owner: String,
    pub(crate) namespace: String,
    pub(crate) object: Value,
}

/// All that Flux and Helm bring into a cluster.
#[derive(Clone, Debug)]
pub(crate) struct JudgedCluster {
    pub(crate) kubernetes: Version,
    pub(crate) objects: Vec<OwnedObject>,
    pub(crate) releases: Vec<AppliedRelease>,
    /// The workloads that the audit names, by release.
    pub(crate) audited: BTreeMap<String, BTreeSet<String>>,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) kind: &'static str,
    /// Whose it is.
    pub(crate) owner: String,
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}: {}", self.kind, self.owner, self.what)
    }
}

pub(crate) const TREE: &str = "the tree";

impl JudgedCluster {
    /// Puts the tree and the renders of its releases together.
    pub(crate) fn new(tree: &ExampleTree, renders: &[(&AppliedRelease, &RecordedRender)]) -> Self {
        let own = tree.objects.iter().map(|applied| OwnedObject {
            owner: TREE.to_owned(),
            namespace: applied.namespace.clone(),
            object: applied.object.clone(),
        });
        let rendered = renders.iter().flat_map(|(release, render)| {
            render.objects.iter().map(|object| OwnedObject {
                owner: release.label.clone(),
                namespace: namespace_of(object, &release.namespace),
                object: object.clone(),
            })
        });
        Self {
            kubernetes: Version::parse(&tree.kubernetes).unwrap(),
            objects: own.chain(rendered).collect(),
            releases: renders
                .iter()
                .map(|(release, _)| (*release).clone())
                .collect(),
            audited: tree.audited.clone(),
        }
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &OwnedObject> {
        self.objects
            .iter()
            .filter(move |owned| owned.object["kind"] == kind)
    }

    /// Finds all that does not hold.
    pub(crate) fn findings(&self) -> BTreeSet<Finding> {
        let mut review = Review {
            cluster: self,
            pods: workload::pods(self),
            found: BTreeSet::new(),
        };
        review.budgets();
        review.names();
        review.patch_targets();
        review.audit();
        for pod in review.pods.clone() {
            review.own_selectors(&pod);
            review.keys(&pod);
            review.probe_ports(&pod);
            review.priority(&pod);
            review.level(&pod);
        }
        for service in self.of_kind("Service") {
            let ports = |key: &dyn Fn(&Value) -> String| {
                duplicates(items(&service.object, "/spec/ports").map(key))
            };
            for twice in ports(&|port| {
                format!(
                    "{}/{}",
                    port["port"],
                    text(port, "/protocol").replace("TCP", "")
                )
            }) {
                let name = text(&service.object, "/metadata/name");
                review.report(
                    "key-twice",
                    &service.owner,
                    format!("port {twice} of Service/{name}"),
                );
            }
        }
        review.found
    }
}

struct Review<'c> {
    cluster: &'c JudgedCluster,
    pods: Vec<RunningPod<'c>>,
    found: BTreeSet<Finding>,
}

impl Review<'_> {
    fn report(&mut self, kind: &'static str, owner: &str, what: String) {
        self.found.insert(Finding {
            kind,
            owner: owner.to_owned(),
            what,
        });
    }

    /// Every budget is over the pods of one controller, and no pod is under two: the eviction API refuses those.
    fn budgets(&mut self) {
        let mut over: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let budgets: Vec<&OwnedObject> = self.cluster.of_kind("PodDisruptionBudget").collect();
        for budget in budgets {
            let name = text(&budget.object, "/metadata/name");
            let selector = &budget.object["spec"]["selector"];
            let selected: BTreeSet<String> = self
                .pods
                .iter()
                .filter(|pod| pod.namespace == budget.namespace && !pod.is_test())
                .filter(|pod| selector::matches(selector, &pod.labels))
                .map(RunningPod::label)
                .collect();
            match selected.len() {
                0 => self.report(
                    "budget-over-nothing",
                    &budget.owner,
                    format!("`{name}` in {}", budget.namespace),
                ),
                1 => {}
                _ => self.report(
                    "budget-over-several",
                    &budget.owner,
                    format!("`{name}` over {selected:?}"),
                ),
            }
            for pod in selected {
                over.entry(pod)
                    .or_default()
                    .push(format!("`{name}` of {}", budget.owner));
            }
        }
        for (pod, budgets) in over {
            if budgets.len() > 1 {
                self.report(
                    "two-budgets",
                    TREE,
                    format!("{pod} is under {}", budgets.join(" and ")),
                );
            }
        }
    }

    /// No object has two owners: each would overwrite the other's. Two releases of one chart bring the same definitions.
    fn names(&mut self) {
        let mut owners: BTreeMap<[&str; 4], BTreeSet<&str>> = BTreeMap::new();
        for owned in &self.cluster.objects {
            let group = text(&owned.object, "/apiVersion")
                .rsplit_once('/')
                .map_or("", |(group, _)| group);
            let kind = text(&owned.object, "/kind");
            let name = text(&owned.object, "/metadata/name");
            let key = [group, kind, owned.namespace.as_str(), name];
            owners.entry(key).or_default().insert(&owned.owner);
        }
        for ([_, kind, namespace, name], owners) in owners {
            let chart = |owner: &&str| {
                let release = self
                    .cluster
                    .releases
                    .iter()
                    .find(|release| release.label == *owner);
                release.map(|release| (&release.chart, &release.version))
            };
            let charts: BTreeSet<_> = owners.iter().map(chart).collect();
            let definition = kind == "CustomResourceDefinition" && charts.len() == 1;
            if owners.len() > 1 && !definition {
                let owners: Vec<&str> = owners.into_iter().collect();
                let (last, first) = owners.split_last().unwrap();
                let also = first.join(" and ");
                let what = format!("{kind}/{name} in {namespace} is also of {also}");
                self.report("name-taken", last, what);
            }
        }
    }

    /// Every patch of a post-renderer has a target in the render: kustomize passes over one that has none.
    fn patch_targets(&mut self) {
        for release in &self.cluster.releases {
            let rendered: Vec<&Value> = self
                .cluster
                .objects
                .iter()
                .filter(|owned| owned.owner == release.label)
                .map(|owned| &owned.object)
                .collect();
            for renderer in release.post_renderers.as_array().into_iter().flatten() {
                for patch in items(renderer, "/kustomize/patches") {
                    let target = match patch.get("target") {
                        Some(target) => target.clone(),
                        None => own_target(text(patch, "/patch")),
                    };
                    if !rendered.iter().any(|object| is_target(&target, object)) {
                        self.report("patch-without-target", &release.label, target.to_string());
                    }
                }
            }
        }
    }

    /// The audit names the workloads that a release renders, and no other.
    fn audit(&mut self) {
        let empty = BTreeSet::new();
        for release in &self.cluster.releases {
            let own = self.pods.iter().filter(|pod| pod.owner == release.label);
            let rendered: BTreeSet<String> = own.clone().map(RunningPod::label).collect();
            // Hooks come and go: a rule about what a pod refers to asks them, no other does.
            let stay = own.filter(|pod| pod.hook.is_empty());
            let stays: BTreeSet<String> = stay.map(RunningPod::label).collect();
            let named = self.cluster.audited.get(&release.label).unwrap_or(&empty);
            for phantom in named.difference(&rendered) {
                self.report("phantom-workload", &release.label, phantom.clone());
            }
            for unknown in stays.difference(named) {
                self.report("unnamed-workload", &release.label, unknown.clone());
            }
        }
    }

    /// A constraint or anti-affinity that is to keep pods apart counts these pods.
    fn own_selectors(&mut self, pod: &RunningPod<'_>) {
        for constraint in items(pod.spec, "/topologySpreadConstraints") {
            if !selector::matches(&constraint["labelSelector"], &pod.labels) {
                self.report(
                    "spread-over-others",
                    &pod.owner,
                    format!("{}: {}", pod.label(), constraint["labelSelector"]),
                );
            }
        }
        let required = items(
            pod.spec,
            "/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution",
        );
        let preferred = items(
            pod.spec,
            "/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution",
        );
        for term in required.chain(preferred.map(|weighted| &weighted["podAffinityTerm"])) {
            if !selector::matches(&term["labelSelector"], &pod.labels) {
                self.report(
                    "apart-from-others",
                    &pod.owner,
                    format!("{}: {}", pod.label(), term["labelSelector"]),
                );
            }
        }
    }

    /// No list that the API server keeps by key has a key twice: server-side apply refuses it.
    fn keys(&mut self, pod: &RunningPod<'_>) {
        let mut twice: Vec<String> = Vec::new();
        let mut look = |what: &str, found: Vec<String>| {
            twice.extend(found.into_iter().map(|key| format!("{what} `{key}`")));
        };
        let name = |item: &Value| text(item, "/name").to_owned();
        look("volume", duplicates(items(pod.spec, "/volumes").map(name)));
        look(
            "image pull secret",
            duplicates(items(pod.spec, "/imagePullSecrets").map(name)),
        );
        let spread = |item: &Value| {
            format!(
                "{} {}",
                text(item, "/topologyKey"),
                text(item, "/whenUnsatisfiable")
            )
        };
        look(
            "constraint",
            duplicates(items(pod.spec, "/topologySpreadConstraints").map(spread)),
        );
        look("container", duplicates(pod.containers().map(name)));
        for container in pod.containers() {
            let of = format!("of container {}", name(container));
            let port = |port: &Value| {
                format!(
                    "{}/{}",
                    port["containerPort"],
                    text(port, "/protocol").replace("TCP", "")
                )
            };
            look(
                &format!("port {of}"),
                duplicates(items(container, "/ports").map(port)),
            );
            let named = items(container, "/ports")
                .map(name)
                .filter(|name| !name.is_empty());
            look(&format!("port name {of}"), duplicates(named));
            look(
                &format!("env {of}"),
                duplicates(items(container, "/env").map(name)),
            );
            let path = |mount: &Value| text(mount, "/mountPath").to_owned();
            look(
                &format!("mount path {of}"),
                duplicates(items(container, "/volumeMounts").map(path)),
            );
        }
        for what in twice {
            self.report(
                "key-twice",
                &pod.owner,
                format!("{what}, in {}", pod.label()),
            );
        }
    }

    /// Every port that a probe names is a port of its container. A number is one of them, where the container says any.
    fn probe_ports(&mut self, pod: &RunningPod<'_>) {
        for container in pod.containers() {
            let names: BTreeSet<&str> = items(container, "/ports")
                .map(|port| text(port, "/name"))
                .collect();
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                for way in ["httpGet", "tcpSocket", "grpc"] {
                    let Some(port) = container.pointer(&format!("/{probe}/{way}/port")) else {
                        continue;
                    };
                    let known = match port {
                        Value::String(name) => {
                            names.contains(name.as_str()) || name.parse::<u16>().is_ok()
                        }
                        number => number
                            .as_u64()
                            .is_some_and(|number| (1..65536).contains(&number)),
                    };
                    if !known {
                        let what = format!(
                            "{probe} of {} in {}: port {port}",
                            container["name"],
                            pod.label()
                        );
                        self.report("probe-port", &pod.owner, what);
                    }
                }
            }
        }
    }

    /// Every priority class exists: admission refuses the pod otherwise.
    fn priority(&mut self, pod: &RunningPod<'_>) {
        let class = text(pod.spec, "/priorityClassName");
        let exists = |class: &str| {
            let mut classes = self.cluster.of_kind("PriorityClass");
            matches!(
                class,
                "" | "system-cluster-critical" | "system-node-critical"
            ) || classes.any(|known| known.object["metadata"]["name"] == class)
        };
        if !exists(class) {
            self.report(
                "priority-class",
                &pod.owner,
                format!("{}: `{class}`", pod.label()),
            );
        }
    }

    /// The level that the namespace enforces allows the pod.
    fn level(&mut self, pod: &RunningPod<'_>) {
        if pod.made || (pod.is_test() && !self.runs_tests(&pod.owner)) {
            return;
        }
        let mut namespaces = self.cluster.of_kind("Namespace");
        let namespace =
            namespaces.find(|owned| owned.object["metadata"]["name"] == pod.namespace.as_str());
        let label = |key: &str| {
            let labels = namespace.and_then(|owned| owned.object.pointer("/metadata/labels"));
            labels.and_then(|labels| labels[format!("pod-security.kubernetes.io/{key}")].as_str())
        };
        let Some(enforced) = label("enforce").and_then(Level::parse) else {
            return;
        };
        let version = label("enforce-version").and_then(Version::parse);
        let violations = evaluate(&pod.template(), version.unwrap_or(self.cluster.kubernetes));
        if level(&violations) < enforced {
            let why: Vec<String> = violations
                .iter()
                .filter(|violation| violation.keeps_from <= enforced)
                .map(ToString::to_string)
                .collect();
            let what = format!(
                "{} in {} ({enforced}): {}",
                pod.label(),
                pod.namespace,
                why.join("; ")
            );
            self.report("pod-refused", &pod.owner, what);
        }
    }

    fn runs_tests(&self, owner: &str) -> bool {
        self.cluster
            .releases
            .iter()
            .any(|release| release.label == owner && release.tests)
    }
}

/// Returns what is there more than once.
fn duplicates(keys: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut twice: Vec<String> = keys.filter(|key| !seen.insert(key.clone())).collect();
    twice.dedup();
    twice
}

/// The target of a patch that names none: the object that it is itself.
fn own_target(patch: &str) -> Value {
    let body = super::releases::documents("a patch", patch).remove(0);
    let (kind, name) = (&body["kind"], &body["metadata"]["name"]);
    let exactly = |text: &Value| regex::escape(text.as_str().unwrap_or_default());
    serde_json::json!({"kind": exactly(kind), "name": exactly(name)})
}

/// Whether kustomize takes an object for the target: patterns match the whole of a name.
fn is_target(target: &Value, object: &Value) -> bool {
    let (group, version) = text(object, "/apiVersion")
        .rsplit_once('/')
        .unwrap_or(("", text(object, "/apiVersion")));
    let fields = target.as_object().into_iter().flatten();
    fields.fold(true, |so_far, (key, wanted)| {
        let wanted = wanted.as_str().unwrap_or_default();
        let is = |found: &str| {
            Regex::new(&format!("^(?:{wanted})$"))
                .unwrap()
                .is_match(found)
        };
        so_far
            && match key.as_str() {
                "group" => is(group),
                "version" => is(version),
                "kind" => is(text(object, "/kind")),
                "name" => is(text(object, "/metadata/name")),
                "labelSelector" => wanted.split(',').all(|pair| {
                    let (label, value) = pair.split_once('=').unwrap();
                    object["metadata"]["labels"][label.trim()]
                        == value.trim_start_matches('=').trim()
                }),
                other => panic!("a target by `{other}`"),
            }
    })
}
