//! The answers to all questions, and what they are worth.

use super::{Category, Check};
use crate::source::Place;

/// The answer for one workload, container or object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Pass,
    /// It is not, and what is wrong.
    Fail(String),
    /// Nobody knows, and why.
    Unknown(String),
    /// It need not be, and why.
    Exempt(String),
}

impl Verdict {
    /// Passes if a condition holds, and fails with a reason if not.
    pub(super) fn when(holds: bool, reason: impl Into<String>) -> Self {
        if holds {
            Self::Pass
        } else {
            Self::Fail(reason.into())
        }
    }

    /// Returns the stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Unknown(_) => "unknown",
            Self::Exempt(_) => "exempt",
        }
    }

    /// Returns the reason; empty where it passes.
    pub fn reason(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Fail(reason) | Self::Unknown(reason) | Self::Exempt(reason) => reason,
        }
    }

    /// Returns whether it counts against the score.
    pub const fn is_gap(&self) -> bool {
        matches!(self, Self::Fail(_) | Self::Unknown(_))
    }
}

/// One thing that a check looked at.
#[derive(Clone, Debug)]
pub struct Item {
    /// What: ``Deployment/network/echo, container `echo` ``.
    pub subject: String,
    /// The answer.
    pub verdict: Verdict,
    /// The output line that it is about.
    pub place: Place,
    /// The template line behind it.
    pub template: Option<Place>,
    /// Whether it stands for all that a chart runs of which nobody knows.
    pub unknown_chart: bool,
}

/// How many of each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that pass.
    pub passed: u32,
    /// Those that fail.
    pub failed: u32,
    /// Those of which nobody knows.
    pub unknown: u32,
    /// Those that are exempt.
    pub exempt: u32,
}

impl Count {
    /// Returns how many count for the score.
    pub const fn counted(self) -> u32 {
        self.passed + self.failed + self.unknown
    }

    /// Returns how many are missing.
    pub const fn gaps(self) -> u32 {
        self.failed + self.unknown
    }
}

/// What a check found.
#[derive(Clone)]
pub struct Outcome {
    /// The check.
    pub check: &'static Check,
    /// What it looked at, in the order of the tree.
    pub items: Vec<Item>,
}

impl Outcome {
    /// Counts the answers.
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for item in &self.items {
            match item.verdict {
                Verdict::Pass => count.passed += 1,
                Verdict::Fail(_) => count.failed += 1,
                Verdict::Unknown(_) => count.unknown += 1,
                Verdict::Exempt(_) => count.exempt += 1,
            }
        }
        count
    }

    /// Lists what counts against the score.
    pub fn gaps(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.verdict.is_gap())
    }
}

/// The answers of one tree.
#[derive(Clone)]
pub struct Sheet {
    /// What each check found, in the order of the checks.
    pub outcomes: Vec<Outcome>,
    /// How many workloads Flux deploys, as far as known.
    pub workloads: usize,
    /// How many containers they have, init containers aside.
    pub containers: usize,
    /// How many releases install a chart that nobody knows.
    pub unknown_charts: usize,
}

/// One hundred per cent, in the unit of scores.
const WHOLE: u64 = 10_000;

impl Sheet {
    /// Returns the score of a category in hundredths of a per cent, rounded down; `None` if nothing in
    /// the tree is of its concern.
    ///
    /// It is the mean of the shares of what passes, each weighed by its check's weight. Exempt is what
    /// is left out; what nobody knows does not pass.
    pub fn category(&self, category: Category) -> Option<u64> {
        let (mut sum, mut weights) = (0, 0);
        for outcome in &self.outcomes {
            let count = outcome.count();
            let weight = u64::from(outcome.check.weight);
            if outcome.check.category != category || count.counted() == 0 || weight == 0 {
                continue;
            }
            sum += weight * WHOLE * u64::from(count.passed) / u64::from(count.counted());
            weights += weight;
        }
        (weights > 0).then(|| sum / weights)
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
    /// Lists each check with what it found before and after.
    pub fn pairs(&self) -> impl Iterator<Item = (&Outcome, &Outcome)> {
        self.before.outcomes.iter().zip(&self.after.outcomes)
    }

    /// Leaves one category only.
    pub fn only(&mut self, category: Category) {
        for sheet in [&mut self.before, &mut self.after] {
            sheet
                .outcomes
                .retain(|outcome| outcome.check.category == category);
        }
    }
}
