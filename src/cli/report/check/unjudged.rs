//! What rules could not judge, in few lines.

use std::collections::BTreeMap;

use crate::check::Findings;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::terminal::TerminalPage;
use crate::rules::Judgement;

/// Counts what could not be judged by rule; names each with `verbose`.
pub fn list(findings: &Findings, verbose: bool) -> Shown {
    let mut rules: BTreeMap<&str, Vec<&Judgement>> = BTreeMap::new();
    for (code, judgement) in &findings.unseen {
        rules.entry(code).or_default().push(judgement);
    }
    let mut page = TerminalPage::default();
    if rules.is_empty() {
        return page.finish();
    }
    let total = findings.unseen.len();
    if !verbose {
        let counts = rules
            .iter()
            .map(|(code, all)| format!("{code} {}", all.len()));
        let counts: Vec<String> = counts.collect();
        page.line(format_args!(
            "not judged, since something is not seen: {total} ({}); -v lists them",
            counts.join(", ")
        ));
        return page.finish();
    }
    for (code, judgements) in rules {
        for judgement in judgements {
            let reason = judgement.verdict.reason();
            page.line(format_args!(
                "not judged: {code}: {}: {reason}",
                judgement.subject
            ));
        }
    }
    page.finish()
}
