//! The age identities that a compile is handed.

use sops_age::keys::{KeySourceProblem, PluginAccess};

use crate::diagnostic::Diagnostic;
use crate::seal;
use crate::secret::Secret;

/// The age identities at hand, what is wrong with the places of others, and what may be done with them.
#[derive(Clone, Default)]
pub struct FoundIdentities {
    /// What stands in each place, by its name; the project's own come first.
    pub texts: Vec<(String, Secret)>,
    /// The places where nothing is, to be named when an identity is missing.
    pub empty: Vec<String>,
    /// Whether the programs of age plugins may run.
    pub plugins: PluginAccess,
    /// What is wrong with a place.
    problems: Vec<Diagnostic>,
    /// What is wrong only where all keys have to be there.
    missing: Vec<Diagnostic>,
}

impl FoundIdentities {
    /// Notes what is wrong with places; that others can read a key is for somebody else to tell.
    pub fn note(&mut self, problems: &[KeySourceProblem]) {
        for problem in problems {
            let told = match problem {
                KeySourceProblem::OpenToOthers { .. } => continue,
                KeySourceProblem::NoFile { .. } => &mut self.missing,
                _ => &mut self.problems,
            };
            told.push(seal::key_source_problem(problem));
        }
    }

    /// Lists what is wrong, for a run that needs all keys or only uses those at hand.
    pub(super) fn problems(&self, are_needed: bool) -> impl Iterator<Item = &Diagnostic> {
        let missing = self.missing.iter().filter(move |_| are_needed);
        missing.chain(&self.problems)
    }
}

impl From<Vec<(String, Secret)>> for FoundIdentities {
    fn from(texts: Vec<(String, Secret)>) -> Self {
        Self {
            texts,
            ..Self::default()
        }
    }
}
