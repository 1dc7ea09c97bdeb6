//! Findings as SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::report::sarif::{SarifRegion, location, log, message};
use crate::cli::report::shown::{Shown, json as shown_json};
use crate::diagnostic::{Diagnostic, Label, Severity};

/// Renders findings.
pub fn render(findings: &[Diagnostic]) -> Shown {
    let mut indices: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rules: Vec<Value> = Vec::new();
    let mut results = Vec::new();
    for finding in findings {
        let index = *indices.entry(finding.code()).or_insert_with(|| {
            rules.push(json!({
                "id": finding.meaning.code,
                "shortDescription": {"text": finding.meaning.summary},
                "fullDescription": {"text": finding.meaning.text},
            }));
            rules.len() - 1
        });
        results.push(result(finding, index));
    }
    shown_json::page(&log(&rules, &results))
}

fn result(finding: &Diagnostic, index: usize) -> Value {
    let mut lines = vec![finding.message.clone()];
    lines.extend(finding.list_lines());
    lines.extend(finding.hints.iter().map(|hint| format!("help: {hint}")));
    let mut result = json!({
        "ruleId": finding.code(),
        "ruleIndex": index,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": {"text": message(&lines.join("\n"))},
    });
    let in_checkout = |label: &&Label| !label.place.source.path.starts_with("catalogue:");
    if let Some(primary) = finding.primary.as_ref().filter(in_checkout) {
        result["locations"] = json!([labelled(primary)]);
    }
    let related: Vec<Value> = finding
        .related
        .iter()
        .filter(in_checkout)
        .map(labelled)
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    result
}

fn labelled(label: &Label) -> Value {
    let (source, span) = (&label.place.source, label.place.span);
    let mut location = location(&source.path, SarifRegion::of(source, span));
    if !label.text.is_empty() {
        location["message"] = json!({"text": message(&label.text)});
    }
    location
}
