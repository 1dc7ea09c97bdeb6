//! Ports that are none.

use std::collections::BTreeMap;

use kustomize::Field;
use serde_json::Value;

use crate::charts::profile::PROBES;
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::rules::app_template_values::{AppTemplateValues, switched_on};
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::{ManifestPod, items, seen_text};
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

/// How long the name of a container's port may be.
const LONGEST_NAME: usize = 15;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "port-invalid",
        summary: "Every port is a number from 1 to 65535 with a name that is valid and its own",
        text: "\
The API server refuses a port below 1 or above 65535, in containers, probes and Services. The name of a container's port
has up to 15 characters: lower-case letters, digits and `-`, and at least one letter. Two ports of a container, or of a
Service, cannot have the same name, and a Service with more than one port needs a name for each. Asked of manifests, and
the numbers of app-template as well.",
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
        let ports = PortReport {
            facts,
            member: pod.workload.member,
        };
        let mut findings = Vec::new();
        for container in pod.containers() {
            let whose = format!("container `{}` of `{}`", container.name, pod.label());
            let listed = items(container.field, "ports");
            for port in listed {
                for key in ["containerPort", "hostPort"] {
                    findings.extend(
                        port.get(key)
                            .and_then(|field| ports.number(field, key, &whose)),
                    );
                }
                let name = port.get("name");
                findings.extend(name.and_then(|name| ports.name(name, &whose)));
            }
            findings.extend(ports.same_names(listed, &whose));
            for field in probe_ports(container.field) {
                findings.extend(ports.number(field, "port", &whose));
            }
        }
        judge.found(pod.subject(), findings);
    }
    for app in AppTemplateValues::all(facts) {
        let findings = of_app_template(facts, app);
        judge.found(JudgedSubject::release(app.release), findings);
    }
    for service in facts.objects("", "Service") {
        let ports = PortReport {
            facts,
            member: service,
        };
        let findings = ports.of_service();
        judge.found(JudgedSubject::member(service), findings);
    }
}

/// Says which ports of a release of app-template are none.
fn of_app_template(facts: &Facts<'_>, app: AppTemplateValues<'_>) -> Vec<Diagnostic> {
    let whose = app.release.label();
    let mut findings = Vec::new();
    let mut look = |value: &Value, keys: &[&str]| {
        let number = value.as_i64();
        if let Some(number) = number.filter(|number| !(0..=65_535).contains(number)) {
            let message = format!("the port `{number}` in the values of `{whose}` is no port");
            let error = Diagnostic::error(&RULE.meaning, message);
            let error = facts.at(error, &app.place(keys), "");
            findings.push(error.with_hint("the API server takes numbers from 1 to 65535"));
        }
    };
    for (service, values) in app.entries("service") {
        for (name, port) in switched_on(values["ports"].as_object()) {
            for key in ["port", "targetPort", "nodePort"] {
                look(&port[key], &["service", service, "ports", name, key]);
            }
        }
    }
    for (controller, values) in app.entries("controllers") {
        for list in ["initContainers", "containers"] {
            for (name, container) in switched_on(values[list].as_object()) {
                let ports = container["ports"].as_array();
                for port in ports.into_iter().flatten() {
                    let keys = ["controllers", controller, list, name, "ports"];
                    look(&port["containerPort"], &keys);
                }
            }
        }
    }
    findings
}

/// Lists the ports that probes and lifecycle hooks of a container ask.
pub(super) fn probe_ports(container: &Field) -> Vec<&Field> {
    let probes = PROBES.iter().filter_map(|probe| container.get(probe));
    let hooks = ["postStart", "preStop"];
    let hooks = hooks
        .iter()
        .filter_map(|hook| container.find(&["lifecycle", hook]));
    let handlers = probes.chain(hooks).flat_map(|probe| {
        let kinds = ["httpGet", "tcpSocket", "grpc"];
        kinds
            .into_iter()
            .filter_map(|kind| probe.find(&[kind, "port"]))
    });
    handlers.collect()
}

/// Says what is wrong with the ports of an object.
struct PortReport<'f, 't> {
    facts: &'f Facts<'t>,
    member: &'f Member<'t>,
}

impl PortReport<'_, '_> {
    fn error(&self, message: String, field: &Field) -> Diagnostic {
        let place = self.member.field_place(field);
        self.facts
            .at(Diagnostic::error(&RULE.meaning, message), &place, "")
    }

    fn number(&self, field: &Field, key: &str, whose: &str) -> Option<Diagnostic> {
        let number: i128 = field.as_text()?.parse().ok()?;
        let may_be_zero = key == "hostPort" || key == "nodePort";
        if (1..=65_535).contains(&number) || (number == 0 && may_be_zero) {
            return None;
        }
        let message = format!("`{key}: {number}` of {whose} is no port");
        Some(
            self.error(message, field)
                .with_hint("the API server takes numbers from 1 to 65535"),
        )
    }

    fn name(&self, field: &Field, whose: &str) -> Option<Diagnostic> {
        let name = seen_text(field).filter(|name| !name.is_empty())?;
        let is_sign =
            |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
        let is_valid = name.len() <= LONGEST_NAME
            && name.chars().all(is_sign)
            && name.contains(|sign: char| sign.is_ascii_lowercase())
            && !name.starts_with('-')
            && !name.ends_with('-')
            && !name.contains("--");
        if is_valid {
            return None;
        }
        let message = format!("`{name}` is no name for a port, in {whose}");
        Some(
            self.error(message, field).with_hint(
                "take up to 15 lower-case letters, digits and `-`, and at least one letter",
            ),
        )
    }

    fn same_names(&self, ports: &[Field], whose: &str) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<&str, &Field> = BTreeMap::new();
        let names = ports.iter().filter_map(|port| port.get("name"));
        let mut findings = Vec::new();
        for field in names {
            let Some(name) = seen_text(field).filter(|name| !name.is_empty()) else {
                continue;
            };
            if let Some(first) = seen.insert(name, field) {
                let message = format!("two ports of {whose} have the name `{name}`");
                let first = self.member.field_place(first);
                findings.push(
                    self.error(message, field)
                        .with_related(first, "the other one is here")
                        .with_hint("the API server refuses it: rename one of them"),
                );
            }
        }
        findings
    }

    fn of_service(&self) -> Vec<Diagnostic> {
        let whose = format!("`{}`", self.member.label());
        let ports = self.member.find("spec").map(|spec| items(spec, "ports"));
        let ports = ports.unwrap_or_default();
        let mut findings = self.same_names(ports, &whose);
        for port in ports {
            for key in ["port", "targetPort", "nodePort"] {
                findings.extend(
                    port.get(key)
                        .and_then(|field| self.number(field, key, &whose)),
                );
            }
            if ports.len() > 1 && port.get("name").is_none_or(|name| name.as_text().is_none()) {
                let shown = port.get("port").unwrap_or(port);
                let message = format!("a port of {whose} has no name beside others");
                findings.push(
                    self.error(message, shown)
                        .with_hint("a Service with more than one port needs a name for each"),
                );
            }
        }
        findings
    }
}
