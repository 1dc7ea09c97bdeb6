//! Ports that nothing has.

use kustomize::Field;
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::rules::app_template_values::{AppTemplateValues, switched_on};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::{ManifestPod, items, seen_text};
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::budget::{Selects, select};
use crate::workload::{Home, Workload};

use super::port_invalid::probe_ports;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "port-unknown",
        summary: "Every port that something asks for is one that the other side has",
        text: "\
A probe may name a port of its own container, and a Service one of the pods that it selects. A name that is not there is
accepted, and never works: the pod never becomes ready, or the Service has no address for it. What routes and Ingresses
ask of a Service is judged by `route-backend-missing`.

A number that a Service sends to and that none of its pods lists is a warning, as a container may listen on more ports
than it lists. Asked of manifests, and of releases of app-template.",
    },
    category: Category::Network,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for pod in ManifestPod::all(facts) {
        let findings = of_probes(facts, pod);
        judge.found(pod.subject(), findings);
    }
    for app in AppTemplateValues::all(facts) {
        let findings = of_app_template(facts, app);
        judge.found(JudgedSubject::release(app.release), findings);
    }
    for service in facts.objects("", "Service") {
        let (findings, unseen) = of_service(facts, service);
        let subject = JudgedSubject::member(service);
        match unseen {
            None => judge.found(subject, findings),
            Some(why) => {
                let warning = findings.into_iter().next().map(|finding| Diagnostic {
                    severity: Severity::Warning,
                    ..finding
                });
                judge.unseen(subject, why, warning);
            }
        }
    }
}

fn of_probes(facts: &Facts<'_>, pod: ManifestPod<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for container in pod.containers() {
        let names = port_names(container.field);
        for field in probe_ports(container.field) {
            let Some(name) = seen_text(field).filter(|name| name.parse::<u32>().is_err()) else {
                continue;
            };
            if names.contains(&name) || names.iter().any(|name| name.contains("${")) {
                continue;
            }
            let message = format!(
                "container `{}` of `{}` has no port `{name}`, which its probe asks",
                container.name,
                pod.label()
            );
            let error = Diagnostic::error(&RULE.meaning, message);
            let error = facts.at(error, &pod.place(field), "");
            findings.push(with_names(error, name, &names));
        }
    }
    findings
}

fn port_names(container: &Field) -> Vec<&str> {
    let ports = items(container, "ports").iter();
    ports.filter_map(|port| port.find_text(&["name"])).collect()
}

fn with_names(error: Diagnostic, given: &str, names: &[&str]) -> Diagnostic {
    let told = error.hints.len();
    let error = error.with_suggestion(given, names.iter().copied());
    if error.hints.len() > told {
        return error;
    }
    match names {
        [] => error.with_hint("it names no ports: say the number, or name the port"),
        names => error.with_hint(format!("there is `{}`", names.join("`, `"))),
    }
}

/// Says which named ports of a release of app-template none of its containers has.
fn of_app_template(facts: &Facts<'_>, app: AppTemplateValues<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let controllers: Vec<(&String, &Value)> = app.entries("controllers").collect();
    let mut miss = |wanted: &str, names: &[&str], what: &str, keys: &[&str]| {
        let is_open = wanted.contains("{{") || is_substituted(wanted) || wanted.is_empty();
        if is_open || wanted.parse::<u32>().is_ok() || names.contains(&wanted) {
            return;
        }
        let label = app.release.label();
        let message = format!(
            "{what} in the values of `{label}` asks the port `{wanted}`, which is not listed there"
        );
        let error = Diagnostic::error(&RULE.meaning, message);
        let error = facts.at(error, &app.place(keys), "");
        findings.push(with_names(error, wanted, names));
    };
    for (name, controller) in &controllers {
        for (container, values) in switched_on(controller["containers"].as_object()) {
            let names = listed_names(values);
            for (probe, written) in switched_on(values["probes"].as_object()) {
                for kind in ["httpGet", "tcpSocket"] {
                    let spec = ["probes", probe, "spec", kind, "port"];
                    let keys = [&["controllers", name, "containers", container], &spec[..]];
                    let wanted = written["spec"][kind]["port"].as_str().unwrap_or_default();
                    let what = format!("the probe `{probe}` of container `{container}`");
                    miss(wanted, &names, &what, &keys.concat());
                }
            }
        }
    }
    for (service, values) in app.entries("service") {
        let wanted_controller = values["controller"].as_str();
        let controller = match (wanted_controller, controllers.as_slice()) {
            (None, [(_, only)]) => Some(*only),
            (None, _) => None,
            (Some(wanted), all) => all
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, one)| *one),
        };
        let Some(controller) = controller else {
            continue;
        };
        let containers = ["containers", "initContainers"].into_iter();
        let containers = containers.flat_map(|list| switched_on(controller[list].as_object()));
        let names: Vec<&str> = containers.flat_map(|(_, one)| listed_names(one)).collect();
        for (port, values) in switched_on(values["ports"].as_object()) {
            let keys = ["service", service, "ports", port, "targetPort"];
            let wanted = values["targetPort"].as_str().unwrap_or_default();
            miss(wanted, &names, &format!("the service `{service}`"), &keys);
        }
    }
    findings
}

fn listed_names(container: &Value) -> Vec<&str> {
    let ports = container["ports"].as_array().into_iter().flatten();
    ports.filter_map(|port| port["name"].as_str()).collect()
}

/// The ports that a pod lists.
struct ListedPorts {
    names: Vec<String>,
    numbers: Vec<u64>,
}

impl ListedPorts {
    /// Reads the ports of a pod of which it is known.
    fn of(workload: &Workload<'_>) -> Option<Self> {
        let is_known = match workload.home {
            Home::Manifest(_) => true,
            Home::AppTemplate(..) => workload.certain,
            Home::Chart(..) | Home::Operand(_) => false,
        };
        let containers = workload.containers();
        let ports: Vec<&Value> = containers
            .filter_map(|container| container.value["ports"].as_array())
            .flatten()
            .collect();
        let names = ports.iter().filter_map(|port| port["name"].as_str());
        let numbers = ports
            .iter()
            .filter_map(|port| port["containerPort"].as_u64());
        is_known.then(|| Self {
            names: names.map(str::to_owned).collect(),
            numbers: numbers.collect(),
        })
    }
}

/// The pods that a Service selects, as far as they are seen.
struct SelectedPods<'t> {
    pods: Vec<(&'t Workload<'t>, ListedPorts)>,
    unseen: Option<&'static str>,
}

impl<'t> SelectedPods<'t> {
    fn of(facts: &Facts<'t>, service: &Member<'_>, labels: &Map<String, Value>) -> Self {
        let mut found = Self {
            pods: Vec::new(),
            unseen: None,
        };
        for workload in facts.deployed() {
            let is_near = workload.namespace == service.namespace_name()
                && workload.member.root == service.root;
            match is_near.then(|| select(labels, workload)) {
                Some(Selects::Yes) => match ListedPorts::of(workload) {
                    Some(ports) => found.pods.push((workload, ports)),
                    None => found.unseen = Some("a chart makes pods that it selects"),
                },
                Some(Selects::Maybe) => {
                    found.unseen = Some("a chart may make pods that it selects");
                }
                Some(Selects::No) | None => {}
            }
        }
        found
    }

    fn told(&self) -> String {
        match self.pods.as_slice() {
            [(only, _)] => format!("`{}`", only.label()),
            many => format!("any of the {} workloads that it selects", many.len()),
        }
    }

    /// Returns whether all of them are manifests with ports, so that a number is expected among these.
    fn list_all(&self) -> bool {
        let mut pods = self.pods.iter();
        pods.all(|(workload, ports)| {
            matches!(workload.home, Home::Manifest(_)) && !ports.numbers.is_empty()
        })
    }
}

/// Judges what a Service sends to, and says what of its pods is not seen.
fn of_service(facts: &Facts<'_>, service: &Member<'_>) -> (Vec<Diagnostic>, Option<&'static str>) {
    let selector = service.find("spec.selector").map(Field::to_json);
    let selector = selector.filter(|selector| {
        let entries = selector.as_object();
        entries.is_some_and(|entries| !entries.is_empty())
    });
    let Some(selector) = selector else {
        return (Vec::new(), None);
    };
    let labels = Map::from_iter([("matchLabels".to_owned(), selector)]);
    let selected = SelectedPods::of(facts, service, &labels);
    let SelectedPods { pods, unseen } = &selected;
    if pods.is_empty() {
        return (Vec::new(), *unseen);
    }
    let whose = selected.told();
    let lists_all = selected.list_all();
    let ports = service.find("spec").map(|spec| items(spec, "ports"));
    let mut findings = Vec::new();
    for port in ports.unwrap_or_default() {
        let Some(field) = port.get("targetPort").or_else(|| port.get("port")) else {
            continue;
        };
        let Some(wanted) = seen_text(field) else {
            continue;
        };
        let number = wanted.parse::<u64>().ok();
        let has = |(_, ports): &(_, ListedPorts)| match number {
            Some(number) => ports.numbers.contains(&number),
            None => ports
                .names
                .iter()
                .any(|name| name == wanted || name.contains("${")),
        };
        if pods.iter().any(has) || (number.is_some() && !lists_all) {
            continue;
        }
        let message = format!(
            "`{}` sends to the port `{wanted}`, which is none of {whose}",
            service.label()
        );
        let place = service.field_place(field);
        let names: Vec<String> = pods
            .iter()
            .flat_map(|(_, ports)| match number {
                Some(_) => ports
                    .numbers
                    .iter()
                    .map(u64::to_string)
                    .collect::<Vec<String>>(),
                None => ports.names.clone(),
            })
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let problem = match number {
            Some(_) => Diagnostic::warning(&RULE.meaning, message),
            None => Diagnostic::error(&RULE.meaning, message),
        };
        findings.push(with_names(facts.at(problem, &place, ""), wanted, &names));
    }
    (findings, *unseen)
}
