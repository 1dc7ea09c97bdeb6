//! Amounts that are no quantities.

use kustomize::Field;
use serde_json::Value;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::{ManifestPod, items};
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::source::Place;
use crate::workload::quantity::{is_quantity, milli};
use crate::workload::{PodField, Reach, Workload, WorkloadContainer};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "quantity-invalid",
        summary: "Every amount is a quantity, and no request is above its limit",
        text: "\
Amounts of CPU, memory and storage are a number with one of the suffixes `m`, `k`, `M`, `G`, `T`, `P`, `E`, or `Ki`, `Mi`,
`Gi`, `Ti`, `Pi`, `Ei`. The API server refuses others, such as `512MB`, `1K` or `100mi`, and a request above the limit
of the same resource. Less than one byte of memory, as in `512m`, is taken, and is hardly what is meant: a warning.

Asked of containers, wherever their resources are written, of claims and of the sizes of `emptyDir` volumes.",
    },
    category: Category::Resources,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

/// An amount, and where it is written.
struct WrittenAmount<'a> {
    /// What it is of: `limits.memory`.
    label: String,
    resource: &'a str,
    value: &'a Value,
}

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for workload in facts.deployed() {
        let mut findings = Vec::new();
        for container in workload.containers() {
            findings.extend(of_container(facts, workload, container));
        }
        if let Some(pod) = ManifestPod::of(workload) {
            findings.extend(of_volumes(facts, pod));
        }
        let subject = JudgedSubject::workload(workload);
        if workload.release().is_some() && !workload.certain {
            let why = "more of the release's values come from elsewhere";
            judge.unseen(subject, why, None);
        } else {
            judge.found(subject, findings);
        }
    }
    for claim in facts.objects("", "PersistentVolumeClaim") {
        let findings = of_claim(facts, claim, &claim.field).into_iter().collect();
        judge.found(JudgedSubject::member(claim), findings);
    }
}

fn of_container(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    container: WorkloadContainer<'_>,
) -> Vec<Diagnostic> {
    let resources = &container.value["resources"];
    let whose = format!("container `{}` of `{}`", container.name, workload.label());
    let mut findings = Vec::new();
    for list in ["requests", "limits"] {
        for (resource, value) in resources[list].as_object().into_iter().flatten() {
            let amount = WrittenAmount {
                label: format!("{list}.{resource}"),
                resource,
                value,
            };
            let problem = amount.problem(&whose);
            let problem = problem.or_else(|| {
                let limit = &resources["limits"][resource];
                amount.above(limit, &whose).filter(|_| list == "requests")
            });
            let place = || place(workload, container, list, resource);
            findings.extend(problem.map(|problem| facts.at(problem, &place(), "")));
        }
    }
    findings
}

/// Returns the place of an amount of a container, or of what comes closest to it in the tree.
fn place(
    workload: &Workload<'_>,
    container: WorkloadContainer<'_>,
    list: &str,
    resource: &str,
) -> Place {
    let written = ManifestPod::of(workload).and_then(|pod| {
        let mut all = pod.containers();
        let container = all.find(|one| one.name == container.name)?;
        let field = container.field.find(&["resources", list, resource])?;
        Some(pod.place(field))
    });
    let field = PodField::of(container.name, "resources");
    written.unwrap_or_else(|| match workload.reach(&field) {
        Reach::Object(route) => workload.member.place(&route.then(list).then(resource)),
        Reach::Patch | Reach::Nowhere(_) => workload.place(&field),
    })
}

fn of_volumes(facts: &Facts<'_>, pod: ManifestPod<'_>) -> Vec<Diagnostic> {
    let member = pod.workload.member;
    let mut findings = Vec::new();
    for volume in items(pod.spec, "volumes") {
        if let Some(size) = volume.find(&["emptyDir", "sizeLimit"]) {
            let whose = format!("a volume of `{}`", pod.label());
            findings.extend(of_field(facts, member, size, "sizeLimit", &whose));
        }
    }
    let spec = member.find("spec").into_iter();
    for claim in spec.flat_map(|spec| items(spec, "volumeClaimTemplates")) {
        findings.extend(of_claim(facts, member, claim));
    }
    findings
}

fn of_claim(facts: &Facts<'_>, member: &Member<'_>, claim: &Field) -> Option<Diagnostic> {
    let size = claim.find(&["spec", "resources", "requests", "storage"])?;
    let whose = format!("a claim of `{}`", member.label());
    of_field(facts, member, size, "requests.storage", &whose)
}

fn of_field(
    facts: &Facts<'_>,
    member: &Member<'_>,
    field: &Field,
    label: &str,
    whose: &str,
) -> Option<Diagnostic> {
    let amount = WrittenAmount {
        label: label.to_owned(),
        resource: "storage",
        value: &field.to_json(),
    };
    let problem = amount.problem(whose)?;
    Some(facts.at(problem, &member.field_place(field), ""))
}

impl WrittenAmount<'_> {
    fn text(&self) -> Option<String> {
        let text = match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let is_open = is_substituted(&text) || text.contains("{{");
        (!is_open).then_some(text)
    }

    fn problem(&self, whose: &str) -> Option<Diagnostic> {
        let text = self.text()?;
        let label = &self.label;
        if !is_quantity(&text) {
            let message = format!("`{label}: {text}` of {whose} is no quantity");
            let error = Diagnostic::error(&RULE.meaning, message);
            return Some(match meant(&text) {
                Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
                None => error.with_hint(
                    "write a number with `m`, `k`, `M`, `G`, `T`, or `Ki`, `Mi`, `Gi`, `Ti`, as in `100m` and `64Mi`",
                ),
            });
        }
        let is_bytes = ["memory", "storage", "ephemeral-storage"].contains(&self.resource);
        let number = text.strip_suffix('m').filter(|_| is_bytes)?;
        let message = format!("`{label}: {text}` of {whose} is less than a byte for each `1`");
        let warning = Diagnostic::warning(&RULE.meaning, message);
        Some(warning.with_hint(format!("did you mean `{number}Mi`?")))
    }

    /// Compares a request to its limit.
    fn above(&self, limit: &Value, whose: &str) -> Option<Diagnostic> {
        if milli(self.value)? <= milli(limit)? {
            return None;
        }
        let message = format!(
            "{whose} requests more {} than its limit allows: `{}` and `{}`",
            self.resource,
            plain(self.value),
            plain(limit)
        );
        let error = Diagnostic::error(&RULE.meaning, message);
        Some(error.with_hint("the API server refuses it: raise the limit, or request less"))
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the quantity that somebody meant who wrote another suffix.
fn meant(text: &str) -> Option<String> {
    let packed: String = text.split_whitespace().collect();
    let at = packed.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
    let (number, suffix) = packed.split_at(at);
    let suffix = match suffix.to_ascii_lowercase().as_str() {
        "k" | "kb" => "k",
        "kib" | "ki" => "Ki",
        "mb" => "M",
        "mi" | "mib" => "Mi",
        "g" | "gb" => "G",
        "gi" | "gib" => "Gi",
        "t" | "tb" => "T",
        "ti" | "tib" => "Ti",
        _ => return None,
    };
    let meant = format!("{number}{suffix}");
    is_quantity(&meant).then_some(meant)
}
