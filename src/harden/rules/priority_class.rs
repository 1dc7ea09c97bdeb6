//! Gives pods the priority class of their app's tier.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::diagnostic::Diagnostic;
use crate::harden::app_template;
use crate::harden::bench::{Edit, NewFile};
use crate::harden::profile::{Workload, Workloads};
use crate::harden::release::Release;
use crate::harden::workload;
use crate::harden::{Context, Finding, Outcome, Rule};
use crate::tree::builds::{Member, Start};
use crate::yaml::edit::Insertion;
use crate::yaml::{Route, Step, emit};

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

pub(in crate::harden) const RULE: Rule = Rule {
    code: "priority-class",
    summary: "Gives each workload the priority class of its app's tier",
    explanation: "\
When a node is full, the scheduler evicts pods of a lower priority for those of a higher one, and the
kubelet does likewise under pressure. Without classes, a demo app and the certificate manager are equals.

The tier in an app's `app.toml` decides: `critical`, `high`, `standard` or `low` gives
`platform-critical` (900000000), `platform-high` (500000000), `platform-standard` (100000000, the default of
pods that name none) or `platform-low` (1000, which never evicts others). What belongs to no app is
`standard`. A chart's profile may name another class for a workload that differs from the rest of
its chart, such as a web page beside a network plugin, or cluster DNS, which is
`system-cluster-critical`.

In a manifest the class goes into the pod's spec, in a HelmRelease to the values path that the profile
proved. A class that the author or the chart sets stays. The classes in use are defined in
`priorityclasses.yaml` beside the first Flux Kustomization, as pods of an unknown class are rejected.",
    findings: &[
        Finding {
            code: "priority-class-no-path",
            summary: "A chart has no value for the priority class of one of its workloads",
        },
        Finding {
            code: "priority-class-values-elsewhere",
            summary: "A release gets values from elsewhere, where a class may be set already",
        },
        Finding {
            code: "priority-class-no-home",
            summary: "Nothing says where Flux starts, so the classes cannot be defined",
        },
    ],
    apply,
};

fn apply(context: &Context<'_>) -> Outcome {
    let mut rule = Pass {
        context,
        outcome: Outcome::default(),
        used: BTreeSet::new(),
    };
    for release in context.releases {
        let member = release.member;
        if rule.concerns(member) && !context.is_exempt(member.namespace_name(), &member.name) {
            rule.release(release);
        }
    }
    let mut seen = BTreeSet::new();
    for member in &context.builds.members {
        let object = member.object;
        let Some(route) = workload::pod_route(object) else {
            continue;
        };
        if rule.concerns(member)
            && seen.insert((&object.file.path, object.document))
            && !context.is_exempt(member.namespace_name(), &member.name)
        {
            rule.manifest(member, &route);
        }
    }
    rule.define_classes();
    rule.outcome
}

struct Pass<'c, 't> {
    context: &'c Context<'t>,
    outcome: Outcome,
    used: BTreeSet<String>,
}

impl Pass<'_, '_> {
    /// Files that no build takes in are not Flux's to deploy, and secret files are not ours to edit.
    fn concerns(&self, member: &Member<'_>) -> bool {
        !matches!(self.context.builds.builds[member.build].start, Start::Loose)
            && !member.object.file.is_secret()
    }

    /// Returns the class by the tier of the app that an object belongs to, and why.
    fn class(&self, member: &Member<'_>) -> (&'static str, String) {
        let path = format!("/{}", member.object.file.path);
        let app = self
            .context
            .apps
            .iter()
            .find(|app| path.contains(&format!("/{}/{}/", app.namespace, app.name)))
            .or_else(|| {
                let named = |app: &&crate::tree::App| {
                    app.name == member.name && app.namespace == member.namespace_name()
                };
                self.context.apps.iter().find(named)
            });
        let Some(app) = app else {
            return (
                "platform-standard",
                "it belongs to no app with a tier".to_owned(),
            );
        };
        let class = match app.tier.as_str() {
            "critical" => "platform-critical",
            "high" => "platform-high",
            "low" => "platform-low",
            _ => "platform-standard",
        };
        (
            class,
            format!("app `{}` is of tier `{}`", app.name, app.tier),
        )
    }

    fn manifest(&mut self, member: &Member<'_>, route: &Route) {
        let spec = route.then("spec");
        let Some(node) = member.object.root.at(&spec) else {
            return;
        };
        if let Some(set) = node.get(KEY) {
            self.used.extend(set.text().map(str::to_owned));
            return;
        }
        let (class, reason) = self.class(member);
        let insertion = Insertion::entry(member.object.document, spec, KEY, Value::from(class))
            .above("containers");
        self.add(member, insertion, class, reason);
    }

    fn release(&mut self, release: &Release<'_>) {
        let Some(profile) = release.profile() else {
            return;
        };
        let member = release.member;
        let (class, reason) = self.class(member);
        match &profile.workloads {
            Workloads::AppTemplate => self.app_template(release, class, reason),
            Workloads::Listed(workloads) => {
                let mut wanted: BTreeMap<&str, (String, String)> = BTreeMap::new();
                for workload in workloads {
                    if workload
                        .when
                        .as_ref()
                        .is_some_and(|when| !when.holds(&release.values))
                    {
                        continue;
                    }
                    match &workload.priority.path {
                        Some(path) if needs_class(workload) => {
                            let entry = workload.priority.class.as_ref().map_or_else(
                                || (class.to_owned(), reason.clone()),
                                |class| {
                                    let what = format!(
                                        "{}/{}",
                                        workload.kind,
                                        release.fill(&workload.name)
                                    );
                                    (
                                        class.clone(),
                                        format!(
                                            "`{class}` fits {what} whatever the tier of the app"
                                        ),
                                    )
                                },
                            );
                            wanted.entry(path).or_insert(entry);
                        }
                        None if needs_class(workload) && !workload.hook => {
                            self.no_path(release, workload);
                        }
                        _ => {}
                    }
                }
                for (path, (class, reason)) in wanted {
                    self.value(release, path, &class, reason);
                }
            }
        }
    }

    fn app_template(&mut self, release: &Release<'_>, class: &'static str, reason: String) {
        let controllers = app_template::controllers(&release.values);
        let own = |name: &str| format!("controllers.{name}.pod.{KEY}");
        let set: Vec<&Value> = controllers
            .iter()
            .filter_map(|controller| workload::at(&release.values, &own(&controller.name)))
            .collect();
        self.used.extend(
            set.iter()
                .filter_map(|class| class.as_str())
                .map(str::to_owned),
        );
        if set.len() < controllers.len() {
            self.value(release, &format!("defaultPodOptions.{KEY}"), class, reason);
        }
    }

    /// Sets a value unless it is set.
    fn value(&mut self, release: &Release<'_>, path: &str, class: &str, reason: String) {
        let member = release.member;
        if let Some(set) = workload::at(&release.values, path) {
            self.used.extend(set.as_str().map(str::to_owned));
            return;
        }
        if release.values_from {
            let message = format!(
                "`{}` gets no priority class, since more of its values come from elsewhere",
                release.label()
            );
            let warning = Diagnostic::warning("priority-class-values-elsewhere", message)
                .at_place(member.object.place(&Route::parse("spec.valuesFrom")), "")
                .with_hint(format!("set `{path}` in one of the two places"));
            self.outcome.problems.push(warning);
            return;
        }
        let mut route = Route::parse("spec.values");
        route.0.extend(Route::parse(path).0);
        let Some(Step::Key(key)) = route.0.pop() else {
            return;
        };
        let insertion = Insertion::entry(member.object.document, route, &key, Value::from(class));
        self.add(member, insertion, class, reason);
    }

    fn add(&mut self, member: &Member<'_>, insertion: Insertion, class: &str, reason: String) {
        self.used.insert(class.to_owned());
        self.outcome.edits.push(Edit {
            path: member.object.file.path.clone(),
            insertion,
            object: member.label(),
            reason,
        });
    }

    fn no_path(&mut self, release: &Release<'_>, workload: &Workload) {
        let what = format!("{}/{}", workload.kind, release.fill(&workload.name));
        let message = format!(
            "chart `{}` has no value for the priority class of `{what}`",
            release.chart.as_deref().unwrap_or_default()
        );
        let warning = Diagnostic::warning("priority-class-no-path", message)
            .at_place(release.member.object.name_place(), "");
        self.outcome.problems.push(warning);
    }

    /// Defines the classes in use that the tree does not define, beside Flux' first Kustomization.
    fn define_classes(&mut self) {
        let builds = self.context.builds;
        let defined: BTreeSet<&str> = builds
            .of_kind("scheduling.k8s.io", "PriorityClass")
            .map(|member| member.object.name())
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
        let name = self.free_name(&root);
        let has_default = builds
            .of_kind("scheduling.k8s.io", "PriorityClass")
            .any(|member| member.object.text("globalDefault") == Some("true"));
        self.outcome.files.push(NewFile {
            path: format!("{root}/{name}"),
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
        });
        self.list(&root, &name);
    }

    /// Returns a name for the classes that no file of the author has.
    fn free_name(&self, root: &str) -> String {
        let mut name = "priorityclasses.yaml".to_owned();
        let mut count = 1;
        let members = &self.context.builds.members;
        while members
            .iter()
            .any(|member| member.object.file.path == format!("{root}/{name}"))
        {
            count += 1;
            name = format!("priorityclasses-{count}.yaml");
        }
        name
    }

    /// Returns the folder that Flux starts from.
    fn root(&self) -> Option<String> {
        let builds = self.context.builds;
        let is_there = |root: &str| {
            let below = format!("{root}/");
            builds.used.iter().any(|path| path.starts_with(&below))
        };
        builds
            .roots
            .first()
            .cloned()
            .or_else(|| is_there(ROOT).then(|| ROOT.to_owned()))
    }

    fn list(&mut self, root: &str, name: &str) {
        let Some(kustomization) = self.context.builds.kustomizations.get(root) else {
            // Flux takes every manifest of a folder without one.
            return;
        };
        let file = kustomization.file;
        let prefix = kustomization
            .references
            .iter()
            .any(|reference| reference.written.starts_with("./"));
        let item = if prefix {
            format!("./{name}")
        } else {
            name.to_owned()
        };
        self.outcome.edits.push(Edit {
            path: file.path.clone(),
            insertion: Insertion::item(0, Route::parse("resources"), Value::from(item)),
            object: format!("Kustomization {}", file.path),
            reason: "it lists the priority classes in use".to_owned(),
        });
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
        self.outcome.edits.clear();
        self.outcome.problems.retain(Diagnostic::is_error);
        let warning = Diagnostic::warning("priority-class-no-home", message).with_hint(format!(
            "define the classes in a manifest, or put a Flux Kustomization into `{ROOT}`"
        ));
        self.outcome.problems.push(warning);
    }
}

/// A workload needs a class unless the chart gives it one.
fn needs_class(workload: &Workload) -> bool {
    workload.priority.default.is_none()
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
