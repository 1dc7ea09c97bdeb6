//! A scorecard in the form that the reader wants.

pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;

use crate::pipeline::Audited;
use crate::rules::{Judgement, RuleOutcome};
use crate::source::Place;

/// What a report shows.
pub struct AuditReport<'r> {
    /// The audit.
    pub audited: &'r Audited,
    /// What stands before the paths of outputs: the output folder with its slash, or nothing.
    pub prefix: String,
    /// Whether to list everything, passes included.
    pub verbose: bool,
    /// Whether to use colour.
    pub color: bool,
}

impl AuditReport<'_> {
    /// Returns path and line of what is judged; the first of the tree where it is about no line.
    fn spot(&self, judgement: &Judgement) -> (String, usize) {
        let Some(Place { source, span }) = &judgement.place else {
            return (self.prefix.clone(), 1);
        };
        let (line, _) = source.line_column(span.start);
        (format!("{}{}", self.prefix, source.path), line)
    }

    /// Lists the rules with gaps after hardening, the worst first: by weight times gaps.
    fn worst(&self) -> Vec<&RuleOutcome> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        let mut open: Vec<&RuleOutcome> = outcomes
            .filter(|outcome| outcome.rule.weight > 0 && outcome.count().failed > 0)
            .collect();
        open.sort_by_key(|outcome| std::cmp::Reverse(outcome.rule.weight * outcome.count().failed));
        open
    }

    /// Lists the rules of which something is not seen, unknown charts aside.
    fn unseen(&self) -> Vec<(&RuleOutcome, Vec<&Judgement>)> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        let own = |outcome| {
            let unknown = RuleOutcome::unknown(outcome).filter(|one| !one.unknown_chart);
            (outcome, unknown.collect::<Vec<_>>())
        };
        outcomes
            .map(own)
            .filter(|(_, unknown)| !unknown.is_empty())
            .collect()
    }

    /// Lists the releases whose charts are not known, each once.
    fn unknown_charts(&self) -> Vec<&Judgement> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        let mut found: Vec<&Judgement> = Vec::new();
        for item in outcomes.flat_map(RuleOutcome::unknown) {
            if item.unknown_chart && found.iter().all(|known| known.subject != item.subject) {
                found.push(item);
            }
        }
        found
    }

    /// Lists what is exempt after hardening.
    fn exempt(&self) -> impl Iterator<Item = (&RuleOutcome, &Judgement)> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        outcomes.flat_map(|outcome| {
            let exempt = outcome
                .judgements
                .iter()
                .filter(|item| item.verdict.code() == "exempt");
            exempt.map(move |item| (outcome, item))
        })
    }
}

/// Writes a score in whole per cent, rounded down.
pub fn percent(score: Option<u64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| format!("{} %", score / 100))
}

/// Returns path and line of the template behind an item.
fn template(item: &Judgement) -> Option<(&str, usize)> {
    let place = item.template.as_ref()?;
    let (line, _) = place.source.line_column(place.span.start);
    Some((place.source.path.as_str(), line))
}
