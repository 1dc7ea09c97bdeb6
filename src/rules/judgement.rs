//! The answers of rules.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Place;

/// The answer for one workload, container or object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Pass,
    /// It is not, and what is wrong.
    Fail(String),
    /// Something is not seen, and what.
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

    /// Returns whether it counts against the score: what is not seen does not.
    pub const fn is_gap(&self) -> bool {
        matches!(self, Self::Fail(_))
    }

    /// Returns whether something is not seen.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// The answer of a rule for one thing that it looked at.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What: ``Deployment/network/echo, container `echo` ``.
    pub subject: String,
    /// The answer.
    pub verdict: Verdict,
    /// The line that decides it; `None` where it is about no line.
    pub place: Option<Place>,
    /// The template line behind it.
    pub template: Option<Place>,
    /// Whether it stands for all that a chart runs which is not known.
    pub unknown_chart: bool,
    /// What `check` says of it; empty where subject and reason say it all.
    pub(super) findings: Vec<Diagnostic>,
}

impl Judgement {
    /// Returns what `check` reports of it.
    pub fn diagnostics(&self, rule: &'static Rule) -> Vec<Diagnostic> {
        let Some(severity) = rule.severity else {
            return Vec::new();
        };
        match &self.verdict {
            Verdict::Fail(_) | Verdict::Unknown(_) if !self.findings.is_empty() => {
                self.findings.clone()
            }
            Verdict::Pass | Verdict::Exempt(_) | Verdict::Unknown(_) => Vec::new(),
            Verdict::Fail(reason) => {
                let message = format!("`{}`: {reason}", self.subject);
                let diagnostic = match severity {
                    Severity::Error => Diagnostic::error(&rule.meaning, message),
                    Severity::Warning => Diagnostic::warning(&rule.meaning, message),
                };
                let diagnostic = diagnostic.at_place_if(self.place.as_ref());
                vec![match &self.template {
                    Some(template) => {
                        diagnostic.with_related(template.clone(), "rendered from here")
                    }
                    None => diagnostic,
                }]
            }
        }
    }
}

/// How many of each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JudgementCount {
    /// Those that pass.
    pub passed: u32,
    /// Those that fail.
    pub failed: u32,
    /// Those of which something is not seen.
    pub unknown: u32,
    /// Those that are exempt.
    pub exempt: u32,
}

impl JudgementCount {
    /// Returns how many count for the score: what was seen, and is not exempt.
    pub const fn counted(self) -> u32 {
        self.passed + self.failed
    }

    /// Returns how many there are, seen or not, that are not exempt.
    pub const fn asked(self) -> u32 {
        self.counted() + self.unknown
    }
}

/// All answers of a rule.
#[derive(Clone)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: &'static Rule,
    /// The answers, in the order of the tree.
    pub judgements: Vec<Judgement>,
}

impl RuleOutcome {
    /// Counts the answers.
    pub fn count(&self) -> JudgementCount {
        let mut count = JudgementCount::default();
        for judgement in &self.judgements {
            match judgement.verdict {
                Verdict::Pass => count.passed += 1,
                Verdict::Fail(_) => count.failed += 1,
                Verdict::Unknown(_) => count.unknown += 1,
                Verdict::Exempt(_) => count.exempt += 1,
            }
        }
        count
    }

    /// Lists what counts against the score.
    pub fn gaps(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements.iter().filter(|one| one.verdict.is_gap())
    }

    /// Lists what is not seen.
    pub fn unknown(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements
            .iter()
            .filter(|one| one.verdict.is_unknown())
    }

    /// Returns what `check` reports.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let all = self.judgements.iter();
        all.flat_map(|one| one.diagnostics(self.rule)).collect()
    }
}
