//! A scorecard for programs; `schemas/audit.schema.json` describes it.

use serde_json::{Value, json};

use super::{AuditReport, template};
use crate::audit::UNDECIDABLE;
use crate::rules::{Category, Judgement, JudgementCount, RuleOutcome};

/// The version of the format; raised when a field goes or changes its meaning.
pub const VERSION: u32 = 2;

/// Renders a scorecard.
pub fn render(report: &AuditReport<'_>) -> Value {
    let card = &report.audited.scorecard;
    let categories: Vec<Value> = Category::ALL
        .into_iter()
        .map(|category| {
            json!({
                "category": category.code(),
                "title": category.title(),
                "before": score(card.before.category(category)),
                "after": score(card.after.category(category)),
                "seen": score(card.after.seen(category)),
            })
        })
        .collect();
    let rules: Vec<Value> = card
        .pairs()
        .map(|(before, after)| of_rule(report, before, after))
        .collect();
    let undecidable: Vec<Value> = UNDECIDABLE
        .iter()
        .map(|check| {
            json!({
                "code": check.meaning.code,
                "category": check.category.code(),
                "line": check.meaning.summary,
                "why": check.meaning.text,
            })
        })
        .collect();
    json!({
        "version": VERSION,
        "kubernetes": report.audited.kubernetes,
        "workloads": card.after.workloads,
        "containers": card.after.containers,
        "unknownCharts": card.after.unknown_charts,
        "injections": report.audited.injections,
        "score": {
            "before": score(Some(card.before.total())),
            "after": score(Some(card.after.total())),
            "seen": score(Some(card.after.total_seen())),
        },
        "categories": categories,
        "rules": rules,
        "notDecidable": undecidable,
    })
}

/// Writes a score in per cent.
fn score(score: Option<u64>) -> Value {
    let whole = |score: u64| u32::try_from(score).unwrap_or(u32::MAX);
    score.map_or(Value::Null, |score| {
        (f64::from(whole(score)) / 100.0).into()
    })
}

fn of_rule(report: &AuditReport<'_>, before: &RuleOutcome, after: &RuleOutcome) -> Value {
    let listed = |wanted: fn(&Judgement) -> bool| -> Vec<Value> {
        let items = after.judgements.iter().filter(|item| wanted(item));
        items.map(|item| one(report, item)).collect()
    };
    json!({
        "code": after.rule.meaning.code,
        "category": after.rule.category.code(),
        "line": after.rule.meaning.summary,
        "weight": after.rule.weight,
        "remedy": after.rule.remedy.map(|remedy| remedy.meaning.code),
        "before": counts(before.count()),
        "after": counts(after.count()),
        "gaps": listed(|item| item.verdict.is_gap()),
        "notSeen": listed(|item| item.verdict.is_unknown()),
        "exemptions": listed(|item| item.verdict.code() == "exempt"),
    })
}

fn counts(count: JudgementCount) -> Value {
    json!({
        "passed": count.passed,
        "failed": count.failed,
        "unknown": count.unknown,
        "exempt": count.exempt,
    })
}

fn one(report: &AuditReport<'_>, item: &Judgement) -> Value {
    let (path, line) = report.spot(item);
    let template = template(item).map(|(path, line)| json!({"path": path, "line": line}));
    json!({
        "subject": item.subject,
        "verdict": item.verdict.code(),
        "reason": item.verdict.reason(),
        "path": path,
        "line": line,
        "template": template,
    })
}
