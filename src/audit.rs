//! How well a tree follows the field's advice, before and after hardening.
//!
//! A consumer of the compiled tree beside the stages: it changes nothing and stops nothing. It asks every rule of the
//! rulebook. The score is over what was seen; the share that was seen stands beside it.

mod sheet;
mod undecidable;

use rayon::prelude::*;

pub use sheet::{Scorecard, Sheet};
pub use undecidable::{UNDECIDABLE, Undecidable};

use crate::rules::{self, Facts, Measures, Rule};
use crate::tree::File;

/// Asks all rules.
pub fn score<'f>(files: impl Iterator<Item = &'f File>, measures: Measures<'f>) -> Sheet {
    Facts::gather(files, measures, |facts| {
        let asked: Vec<&'static Rule> = rules::all().collect();
        let outcomes = asked.par_iter().map(|rule| rule.judge(facts)).collect();
        let (workloads, containers) = facts.count_workloads();
        Sheet {
            outcomes,
            workloads,
            containers,
            unknown_charts: facts.count_unknown_charts(),
        }
    })
}
