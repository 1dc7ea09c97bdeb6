//! Gives pods the priority class of their app's tier.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::charts::Release;
use crate::diagnostic::{Diagnostic, Meaning};
use crate::rules::codes;
use crate::rules::listing::{ListingSpot, NewContent};
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::workload::{PodField, Reach, Workload};
use crate::yaml::emit;

const KEY: &str = "priorityClassName";

/// Where Flux starts in a tree that does not say so itself.
const ROOT: &str = "kubernetes/flux/cluster";

/// A priority class that Kiln defines.
struct Class {
    name: &'static str,
    value: i32,
    global_default: bool,
    preempts: bool,
    description: &'static str,
}

/// From high to low. User classes end at 1,000,000,000; the system's own lie above.
const CLASSES: &[Class] = &[
    Class {
        name: "platform-critical",
        value: 900_000_000,
        global_default: false,
        preempts: true,
        description: "What the rest of the cluster cannot do without",
    },
    Class {
        name: "platform-high",
        value: 500_000_000,
        global_default: false,
        preempts: true,
        description: "What many apps rely on",
    },
    Class {
        name: "platform-standard",
        value: 100_000_000,
        global_default: true,
        preempts: true,
        description: "Apps, and all pods that name no class",
    },
    Class {
        name: "platform-low",
        value: 1_000,
        global_default: false,
        preempts: false,
        description: "What can wait until there is room",
    },
];

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "priority-class",
        summary: "Gives each workload the priority class of its app's tier",
        text: "\
When a node is full, the scheduler evicts pods of a lower priority for those of a higher one, and the
kubelet does likewise under pressure. Without classes, a demo app and the certificate manager are equals.

The tier in an app's `app.toml` decides: `critical`, `high`, `standard` or `low` gives
`platform-critical` (900000000), `platform-high` (500000000), `platform-standard` (100000000, the default of
pods that name none) or `platform-low` (1000, which never evicts others). What belongs to no app has the tier that
`kiln.toml` gives its chart or its namespace, and without one no class: nothing tells then who is to give way to whom.

    [harden.tiers]
    cert-manager = \"critical\"
    media = \"low\"

A chart's profile may name another class for a workload that differs from the rest of
its chart, such as a web page beside a network plugin, or cluster DNS, which is
`system-cluster-critical`.

In a manifest the class goes into the pod's spec, in a HelmRelease to the values path that the profile
proved. A class that the author or the chart sets stays. The classes in use are defined in
`priorityclasses.yaml` beside the first Flux Kustomization, as pods of an unknown class are rejected.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut pass = PriorityPlanner {
        context,
        plan: Plan::default(),
        used: BTreeSet::new(),
    };
    for workload in context.open_workloads() {
        pass.give(workload);
    }
    pass.define_classes();
    pass.plan
}

/// The rule at work.
struct PriorityPlanner<'c, 't> {
    context: &'c RemedyScope<'c, 't>,
    plan: Plan,
    used: BTreeSet<String>,
}

impl PriorityPlanner<'_, '_> {
    fn give(&mut self, workload: &Workload<'_>) {
        let field = PodField::Pod(KEY);
        match workload.value(&field) {
            Value::String(class) if !class.is_empty() => {
                self.used.insert(class.clone());
                return;
            }
            Value::Null | Value::String(_) => {}
            _ => return,
        }
        // Without a tier nothing tells who is to give way to whom.
        let Some((class, reason)) = self.class(workload) else {
            return;
        };
        if !matches!(workload.reach(&field), Reach::Nowhere(_)) {
            self.used.insert(class.clone());
        }
        let value = Value::from(class);
        self.plan
            .add(self.context.rule, workload, &field, &value, &reason);
    }

    /// Returns the class that fits a workload, and why.
    fn class(&self, workload: &Workload<'_>) -> Option<(String, String)> {
        let Some(class) = workload.known().and_then(|known| known.class.as_ref()) else {
            return self.tier(workload);
        };
        let reason = format!(
            "`{class}` fits {}/{} whatever the tier of the app",
            workload.kind, workload.name
        );
        Some((class.clone(), reason))
    }

    /// Returns the class by the tier of the app that a workload belongs to, or by what the project says of its
    /// namespace or chart, and why.
    fn tier(&self, workload: &Workload<'_>) -> Option<(String, String)> {
        let member = workload.member;
        let path = format!("/{}", member.path());
        let apps = || self.context.measures.apps.iter();
        let app = apps()
            .find(|app| path.contains(&format!("/{}/{}/", app.namespace, app.name)))
            .or_else(|| {
                apps()
                    .find(|app| app.name == member.name && app.namespace == member.namespace_name())
            });
        if let Some(app) = app {
            let reason = format!("app `{}` is of tier `{}`", app.name, app.tier);
            return Some((class_of(&app.tier).to_owned(), reason));
        }
        let tiers = &self.context.policy().tiers;
        let chart = workload
            .release()
            .and_then(Release::profile)
            .map(|profile| profile.chart.as_str());
        let (name, tier) = [chart, Some(workload.namespace.as_str())]
            .into_iter()
            .flatten()
            .find_map(|name| Some((name, tiers.get(name)?)))?;
        let reason = format!("`[harden.tiers]` says that `{name}` is of tier `{tier}`");
        Some((class_of(tier).to_owned(), reason))
    }

    /// Defines the classes in use that the tree does not define, beside Flux' first Kustomization.
    fn define_classes(&mut self) {
        let builds = self.context.builds;
        let defined: BTreeSet<&str> = builds
            .of_kind("scheduling.k8s.io", "PriorityClass")
            .map(|member| member.name.as_str())
            .collect();
        let missing: Vec<&Class> = CLASSES
            .iter()
            .filter(|class| self.used.contains(class.name) && !defined.contains(class.name))
            .collect();
        if missing.is_empty() {
            return;
        }
        let Some(root) = self.root() else {
            self.no_home(&missing);
            return;
        };
        let has_default = builds
            .of_kind("scheduling.k8s.io", "PriorityClass")
            .any(|member| member.text("globalDefault") == Some("true"));
        let content = NewContent {
            stem: "priorityclasses",
            text: missing
                .iter()
                .map(|class| class.manifest(!has_default))
                .collect(),
            objects: missing
                .iter()
                .map(|class| {
                    (
                        format!("PriorityClass/{}", class.name),
                        "workloads of the tree use it".to_owned(),
                    )
                })
                .collect(),
            reason: "it lists the priority classes in use".to_owned(),
        };
        ListingSpot::inside(builds, &root).add(self.context, content, &mut self.plan);
    }

    /// Returns the folder that Flux starts from.
    fn root(&self) -> Option<String> {
        let builds = self.context.builds;
        let files = builds.files;
        let is_there = |root: &str| {
            let below = format!("{root}/");
            builds.used.iter().any(|path| path.starts_with(&below))
        };
        let own = |root: &&String| !files.seen_from_output(root).starts_with("..");
        builds.roots.iter().find(own).cloned().or_else(|| {
            let usual = files.path_of_output(ROOT);
            is_there(&usual).then_some(usual)
        })
    }

    /// Takes everything back: a pod of a class that is not defined is rejected.
    fn no_home(&mut self, missing: &[&Class]) {
        let names: Vec<String> = missing
            .iter()
            .map(|class| format!("`{}`", class.name))
            .collect();
        let message = format!(
            "no workload gets a priority class, since nothing in the tree says where Flux starts and {} would be undefined",
            names.join(", ")
        );
        self.plan.edits.clear();
        self.plan.patches.clear();
        self.plan.problems.retain(Diagnostic::is_error);
        let warning = Diagnostic::warning(&codes::PRIORITY_CLASS_NO_HOME, message).with_hint(
            format!("define the classes in a manifest, or put a Flux Kustomization into `{ROOT}`"),
        );
        self.plan.problems.push(warning);
    }
}

/// Returns the class of a tier.
fn class_of(tier: &str) -> &'static str {
    match tier {
        "critical" => "platform-critical",
        "high" => "platform-high",
        "low" => "platform-low",
        _ => "platform-standard",
    }
}

impl Class {
    fn manifest(&self, may_be_default: bool) -> String {
        let mut object = Map::new();
        object.insert("apiVersion".to_owned(), Value::from("scheduling.k8s.io/v1"));
        object.insert("kind".to_owned(), Value::from("PriorityClass"));
        object.insert(
            "metadata".to_owned(),
            serde_json::json!({"name": self.name}),
        );
        object.insert("value".to_owned(), Value::from(self.value));
        if self.global_default && may_be_default {
            object.insert("globalDefault".to_owned(), Value::from(true));
        }
        if !self.preempts {
            object.insert("preemptionPolicy".to_owned(), Value::from("Never"));
        }
        object.insert("description".to_owned(), Value::from(self.description));
        format!("---\n{}", emit(&Value::Object(object)))
    }
}
