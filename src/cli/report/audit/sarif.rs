//! A scorecard as SARIF 2.1.0, for code scanning.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Report, template};
use crate::cli::report::shown::marks::marked;
use crate::rules::{Judgement, Rule, Verdict};

/// Renders the gaps, and the exemptions as results that are suppressed.
pub fn render(report: &Report<'_>) -> Value {
    let outcomes = &report.audited.scorecard.after.outcomes;
    let rules: Vec<Value> = outcomes.iter().map(|outcome| rule(outcome.rule)).collect();
    let mut results = Vec::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        let listed = outcome.judgements.iter();
        for item in listed.filter(|item| item.verdict != Verdict::Pass) {
            results.push(result(report, index, outcome.rule, item));
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "kiln",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(check: &Rule) -> Value {
    json!({
        "id": check.code,
        "shortDescription": {"text": check.summary},
        "fullDescription": {"text": check.explanation},
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

fn result(report: &Report<'_>, index: usize, check: &Rule, item: &Judgement) -> Value {
    let level = match item.verdict {
        Verdict::Fail(_) => level(check),
        _ => "note",
    };
    let (path, line) = report.spot(item);
    let mut result = json!({
        "ruleId": check.code,
        "ruleIndex": index,
        "level": level,
        "message": {"text": message(&format!("{}: {}", item.subject, item.verdict.reason()))},
        "locations": [location(&path, line)],
    });
    // The built-in catalogue is no part of the repository.
    let own = template(item).filter(|(path, _)| !path.starts_with("catalogue:"));
    if let Some((path, line)) = own {
        let mut related = location(path, line);
        related["id"] = 1.into();
        related["message"] = json!({"text": "rendered from here"});
        result["relatedLocations"] = json!([related]);
    }
    if let Verdict::Exempt(reason) = &item.verdict {
        result["suppressions"] = json!([{"kind": "external", "justification": reason}]);
    }
    result
}

fn location(path: &str, line: usize) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(path)},
            "region": {"startLine": line},
        },
    })
}

/// Writes a text as a message, in which brackets would make a link (SARIF 2.1.0, 3.11.6).
fn message(text: &str) -> String {
    let text = marked(text).replace('\\', "\\\\");
    text.replace('[', "\\[").replace(']', "\\]")
}

/// Escapes what a relative URI may not hold (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@!$&'()*+,;=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    uri
}
