//! The answers to all questions, and what they are worth.

use crate::rules::{Category, RuleOutcome};

/// The answers of one tree.
#[derive(Clone)]
pub struct Sheet {
    /// What each rule found, in the order of the rulebook.
    pub outcomes: Vec<RuleOutcome>,
    /// How many workloads Flux deploys, as far as known.
    pub workloads: usize,
    /// How many containers they have, init containers aside.
    pub containers: usize,
    /// How many releases install a chart that is not known.
    pub unknown_charts: usize,
}

/// One hundred per cent, in the unit of scores.
const WHOLE: u64 = 10_000;

impl Sheet {
    /// Returns the score of a category in hundredths of a per cent, rounded down; `None` if nothing that is seen in
    /// the tree is of its concern.
    ///
    /// It is the mean of the shares of what passes, each weighed by its rule's weight. Exempt is what is left out, and
    /// so is what is not seen: see [`Sheet::seen`].
    pub fn category(&self, category: Category) -> Option<u64> {
        let (mut sum, mut weights) = (0, 0);
        for outcome in self.of(category) {
            let count = outcome.count();
            let weight = u64::from(outcome.rule.weight);
            if count.counted() > 0 && weight > 0 {
                sum += weight * WHOLE * u64::from(count.passed) / u64::from(count.counted());
                weights += weight;
            }
        }
        (weights > 0).then(|| sum / weights)
    }

    /// Returns the share of a category that was seen, in hundredths of a per cent, rounded down; `None` if nothing in
    /// the tree is of its concern.
    pub fn seen(&self, category: Category) -> Option<u64> {
        share_seen(self.of(category))
    }

    /// Returns the share of all that was seen, in hundredths of a per cent, rounded down.
    pub fn total_seen(&self) -> u64 {
        share_seen(self.outcomes.iter()).unwrap_or(WHOLE)
    }

    /// Returns the total in hundredths of a per cent: the mean of the categories that have a score.
    pub fn total(&self) -> u64 {
        let scores: Vec<u64> = Category::ALL
            .into_iter()
            .filter_map(|category| self.category(category))
            .collect();
        match scores.len() {
            0 => WHOLE,
            count => scores.iter().sum::<u64>() / count as u64,
        }
    }

    fn of(&self, category: Category) -> impl Iterator<Item = &RuleOutcome> {
        let outcomes = self.outcomes.iter();
        outcomes.filter(move |outcome| outcome.rule.category == category)
    }
}

fn share_seen<'o>(outcomes: impl Iterator<Item = &'o RuleOutcome>) -> Option<u64> {
    let (mut seen, mut asked) = (0, 0);
    for outcome in outcomes.filter(|outcome| outcome.rule.weight > 0) {
        let count = outcome.count();
        seen += u64::from(count.counted());
        asked += u64::from(count.asked());
    }
    (asked > 0).then(|| seen * WHOLE / asked)
}

/// A tree before and after hardening.
#[derive(Clone)]
pub struct Scorecard {
    /// As the templates made it.
    pub before: Sheet,
    /// With the defaults added.
    pub after: Sheet,
}

impl Scorecard {
    /// Lists each rule with what it found before and after.
    pub fn pairs(&self) -> impl Iterator<Item = (&RuleOutcome, &RuleOutcome)> {
        self.before.outcomes.iter().zip(&self.after.outcomes)
    }

    /// Leaves one category only.
    pub fn only(&mut self, category: Category) {
        for sheet in [&mut self.before, &mut self.after] {
            sheet
                .outcomes
                .retain(|outcome| outcome.rule.category == category);
        }
    }
}
