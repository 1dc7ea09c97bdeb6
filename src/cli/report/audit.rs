//! A scorecard in the form that the reader wants.

pub mod human;
pub mod json;
pub mod markdown;
pub mod sarif;

use crate::audit::{Item, Outcome};
use crate::pipeline::Audited;
use crate::source::Place;

/// What a report shows.
pub struct Report<'r> {
    /// The audit.
    pub audited: &'r Audited,
    /// What stands before the paths of outputs: the output folder with its slash, or nothing.
    pub prefix: String,
    /// Whether to list everything, passes included.
    pub verbose: bool,
    /// Whether to use colour.
    pub color: bool,
}

impl Report<'_> {
    /// Returns path and line of a place in an output.
    fn spot(&self, place: &Place) -> (String, usize) {
        let (line, _) = place.source.line_column(place.span.start);
        (format!("{}{}", self.prefix, place.source.path), line)
    }

    /// Lists the checks with gaps after hardening, the worst first: by weight times gaps.
    fn worst(&self) -> Vec<&Outcome> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        let mut open: Vec<&Outcome> = outcomes
            .filter(|outcome| outcome.check.weight > 0 && outcome.count().gaps() > 0)
            .collect();
        open.sort_by_key(|outcome| {
            std::cmp::Reverse(outcome.check.weight * outcome.count().gaps())
        });
        open
    }

    /// Lists the releases whose charts nobody knows, each once.
    fn unknown_charts(&self) -> Vec<&Item> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        let mut found: Vec<&Item> = Vec::new();
        for item in outcomes.flat_map(Outcome::gaps) {
            if item.unknown_chart && found.iter().all(|known| known.subject != item.subject) {
                found.push(item);
            }
        }
        found
    }

    /// Lists what is exempt after hardening.
    fn exempt(&self) -> impl Iterator<Item = (&Outcome, &Item)> {
        let outcomes = self.audited.scorecard.after.outcomes.iter();
        outcomes.flat_map(|outcome| {
            let exempt = outcome
                .items
                .iter()
                .filter(|item| item.verdict.code() == "exempt");
            exempt.map(move |item| (outcome, item))
        })
    }
}

/// Lists the gaps of a check, those of charts that nobody knows aside: they are the same everywhere.
fn known(outcome: &Outcome) -> Vec<&Item> {
    outcome.gaps().filter(|item| !item.unknown_chart).collect()
}

/// Writes a score in whole per cent, rounded down.
pub fn percent(score: Option<u64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| format!("{} %", score / 100))
}

/// Returns path and line of the template behind an item.
fn template(item: &Item) -> Option<(&str, usize)> {
    let place = item.template.as_ref()?;
    let (line, _) = place.source.line_column(place.span.start);
    Some((place.source.path.as_str(), line))
}

/// Counts a noun.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
