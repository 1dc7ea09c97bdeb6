//! A scorecard as SARIF 2.1.0, for code scanning.

use serde_json::{Value, json};

use super::{AuditReport, template};
use crate::cli::report::sarif::{SarifRegion, location, log, message};
use crate::rules::{Judgement, Rule, Verdict};

/// Renders the gaps, and the exemptions as results that are suppressed.
pub fn render(report: &AuditReport<'_>) -> Value {
    let outcomes = &report.audited.scorecard.after.outcomes;
    let rules: Vec<Value> = outcomes.iter().map(|outcome| rule(outcome.rule)).collect();
    let mut results = Vec::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        let listed = outcome.judgements.iter();
        for item in listed.filter(|item| item.verdict != Verdict::Pass) {
            results.push(result(report, index, outcome.rule, item));
        }
    }
    log(&rules, &results)
}

fn rule(check: &Rule) -> Value {
    json!({
        "id": check.meaning.code,
        "shortDescription": {"text": check.meaning.summary},
        "fullDescription": {"text": check.meaning.text},
        "defaultConfiguration": {"level": level(check)},
        "properties": {"category": check.category.code(), "weight": check.weight},
    })
}

fn level(check: &Rule) -> &'static str {
    match check.weight {
        3 => "error",
        1 | 2 => "warning",
        _ => "note",
    }
}

fn result(report: &AuditReport<'_>, index: usize, check: &Rule, item: &Judgement) -> Value {
    let level = match item.verdict {
        Verdict::Fail(_) => level(check),
        _ => "note",
    };
    let (path, line) = report.spot(item);
    let mut result = json!({
        "ruleId": check.meaning.code,
        "ruleIndex": index,
        "level": level,
        "message": {"text": message(&format!("{}: {}", item.subject, item.verdict.reason()))},
        "locations": [location(&path, SarifRegion::line(line))],
    });
    // The built-in catalogue is no part of the repository.
    let own = template(item).filter(|(path, _)| !path.starts_with("catalogue:"));
    if let Some((path, line)) = own {
        let mut related = location(path, SarifRegion::line(line));
        related["id"] = 1.into();
        related["message"] = json!({"text": "rendered from here"});
        result["relatedLocations"] = json!([related]);
    }
    if let Verdict::Exempt(reason) = &item.verdict {
        result["suppressions"] = json!([{"kind": "external", "justification": reason}]);
    }
    result
}
