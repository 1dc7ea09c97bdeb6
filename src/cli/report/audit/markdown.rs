//! A scorecard as a comment on a pull request.

use super::{AuditReport, percent};
use crate::cli::report::counted::counted;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::markdown::MarkdownText;
use crate::rules::{Category, Judgement};

/// How many gaps of a check are listed.
const LISTED: usize = 10;

/// Renders a scorecard.
pub fn render(report: &AuditReport<'_>) -> Shown {
    let mut text = MarkdownText::new();
    table(report, &mut text);
    gaps(report, &mut text);
    exempt(report, &mut text);
    text.finish()
}

fn table(report: &AuditReport<'_>, text: &mut MarkdownText) {
    let card = &report.audited.scorecard;
    let [before, after] =
        [card.before.total(), card.after.total()].map(|total| percent(Some(total)));
    text.ours("### Audit: ").prose(&after);
    text.ours(" (as rendered: ").prose(&before).ours(")\n\n");
    let sentence = format!(
        "{} with {}, by Kubernetes {}. Seen: {}. Charts that are not known: {}.",
        counted(card.after.workloads, "workload"),
        counted(card.after.containers, "container"),
        report.audited.kubernetes,
        percent(Some(card.after.total_seen())),
        card.after.unknown_charts,
    );
    text.prose(&sentence).ours("\n\n");
    text.ours("| Category | As rendered | After hardening |\n| --- | ---: | ---: |\n");
    for category in Category::ALL {
        let scores = [
            card.before.category(category),
            card.after.category(category),
        ];
        if scores.iter().any(Option::is_some) {
            let [before, after] = scores.map(percent);
            text.ours("| ").ours(category.title());
            text.ours(" | ").prose(&before).ours(" | ").prose(&after);
            text.ours(" |\n");
        }
    }
    text.ours("| **Total** | **").prose(&before);
    text.ours("** | **").prose(&after).ours("** |\n");
}

fn gaps(report: &AuditReport<'_>, text: &mut MarkdownText) {
    for outcome in report.worst() {
        let counted = outcome.count();
        let gaps: Vec<_> = outcome.gaps().collect();
        if gaps.is_empty() {
            continue;
        }
        text.ours("\n<details><summary><code>")
            .ours(outcome.rule.meaning.code);
        text.ours("</code>: ");
        for part in outcome.rule.meaning.summary.split('`') {
            text.ours(part);
        }
        text.ours(" (").number(counted.failed as usize);
        text.ours(" of ").number(counted.counted() as usize);
        text.ours(" missing)</summary>\n\n");
        for item in gaps.iter().take(LISTED) {
            let (path, line) = report.spot(item);
            of_item(item, text);
            text.ours(" (").code(&format!("{path}:{line}")).ours(")\n");
        }
        let more = gaps.len().saturating_sub(LISTED);
        if more > 0 {
            text.ours("- … and ").number(more).ours(" more\n");
        }
        text.ours("\n</details>\n");
    }
    let unknown = report.unknown_charts();
    if !unknown.is_empty() {
        text.ours("\nCharts that are not known, so that what they run is not judged:\n\n");
    }
    for item in unknown {
        of_item(item, text);
        text.ours("\n");
    }
}

fn of_item(item: &Judgement, text: &mut MarkdownText) {
    text.ours("- ").prose(&item.subject);
    text.ours(": ").prose(item.verdict.reason());
}

fn exempt(report: &AuditReport<'_>, text: &mut MarkdownText) {
    let exempt: Vec<_> = report.exempt().collect();
    if !exempt.is_empty() {
        text.ours("\n<details><summary>").number(exempt.len());
        text.ours(if exempt.len() == 1 {
            " exemption"
        } else {
            " exemptions"
        });
        text.ours("</summary>\n\n");
        for (outcome, item) in exempt {
            text.ours("- `").ours(outcome.rule.meaning.code).ours("` ");
            text.prose(&item.subject)
                .ours(": ")
                .prose(item.verdict.reason());
            text.ours("\n");
        }
        text.ours("\n</details>\n");
    }
}
