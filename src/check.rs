//! Proves that the tree hangs together and that no secret is in the open.
//!
//! It asks every rule of the rulebook that has a severity, and stops the run where one of severity error fails. What
//! kustomize or Flux refuses stops it as well. The [gate](Gate) decides what of it counts.

pub mod codes;
mod gate;

use std::collections::BTreeSet;

use rayon::prelude::*;

pub use gate::{Baseline, FailOn, Gate};

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::flux::{ObjectKey, UnseenPart};
use crate::rules::{self, Facts, Judgement, Measures, PLAIN_TEXT, Rule, RuleOutcome};
use crate::tree::{Checked, File, Hardened, Tree};

/// What the rules found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is wrong, and what is probably wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What could not be judged since something is not seen, with the code of its rule.
    pub unseen: Vec<(&'static str, Judgement)>,
    /// What of what Flux applies is not seen, with the Kustomization that it is missing from.
    pub parts: Vec<(ObjectKey, UnseenPart)>,
    /// How many objects Flux applies.
    pub objects: usize,
    /// How many Kustomizations do so.
    pub builds: usize,
    /// How many findings the baseline knows already.
    pub known: usize,
    /// How many findings stand in paths that are left out.
    pub ignored: usize,
    /// How many findings of the baseline are gone.
    pub gone: usize,
}

/// Checks a tree.
///
/// A finding about an object that is exempt from its rule is left out; an exemption of which no rule is known is an
/// error, and one that leaves nothing out a warning.
pub fn check(
    tree: Tree<Hardened>,
    measures: Measures<'_>,
    gate: &Gate,
) -> StageResult<(Tree<Checked>, Findings)> {
    let mut findings = judge(tree.files(), measures, gate);
    let diagnostics = std::mem::take(&mut findings.diagnostics);
    let warned = Warned::unless_errors((), diagnostics)?;
    Ok(Warned {
        value: (tree.checked(), findings),
        warnings: warned.warnings,
    })
}

/// Finds the secrets that a tree would have in plain text, and asks for nothing else.
pub fn find_plain_text<'f>(
    files: impl Iterator<Item = &'f File>,
    measures: Measures<'f>,
) -> Vec<Diagnostic> {
    Facts::gather(files, measures, |facts| {
        let asked = rules::all().filter(|rule| PLAIN_TEXT.contains(&rule.meaning.code));
        let found = asked.flat_map(|rule| rule.judge(facts).diagnostics());
        found.filter(gate::must_be_told).collect()
    })
}

/// Returns what a finding says, and where: what several clusters get from one place is told once.
fn told_by(finding: &Diagnostic) -> (&'static str, String, Option<(String, usize)>) {
    let place = finding.primary.as_ref().map(|label| &label.place);
    let place = place.map(|place| (place.source.path.clone(), place.span.start));
    (finding.code(), finding.message.clone(), place)
}

/// Asks the rules that have a severity, and lets through the gate what counts.
pub fn judge<'f>(
    files: impl Iterator<Item = &'f File>,
    measures: Measures<'f>,
    gate: &Gate,
) -> Findings {
    let mut found = measures.exemptions.problems();
    let mut unseen = Vec::new();
    let mut seen = Findings::default();
    Facts::gather(files, measures, |facts| {
        let asked: Vec<&'static Rule> = rules::all().filter(|rule| rule.is_checked()).collect();
        let outcomes: Vec<RuleOutcome> = asked.par_iter().map(|rule| rule.judge(facts)).collect();
        found.extend(facts.refusals());
        seen.parts = facts.unseen_parts();
        (seen.objects, seen.builds) = facts.count_applied();
        for outcome in outcomes {
            found.extend(outcome.diagnostics());
            let code = outcome.rule.meaning.code;
            let judgements = outcome.judgements.into_iter();
            let unknown = judgements.filter(|one| one.verdict.is_unknown());
            unseen.extend(unknown.map(|one| (code, one)));
        }
    });
    let is_asked = |code: &str| {
        let rule = rules::find(code);
        // The score alone asks the others.
        rule.is_none_or(|rule| rule.is_checked() || rule.remedy.is_some())
    };
    found.extend(measures.exemptions.unused(&is_asked));
    let mut told = BTreeSet::new();
    found.retain(|finding| told.insert(told_by(finding)));
    Findings {
        parts: seen.parts,
        objects: seen.objects,
        builds: seen.builds,
        ..gate.pass(found, unseen)
    }
}
