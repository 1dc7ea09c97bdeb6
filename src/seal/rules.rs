//! Creation rules: which file is sealed for whom, and how far.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sops_age::keys::PluginAccess;
use sops_age::{CreationRule, Layouts, RULE_FILE};

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::seal::codes;
use crate::secret::SealTerms;
use crate::source::{Place, Source};
use crate::tree::File;
use crate::tree::output_path::split;

/// A file that every tree could have, and that cannot be sealed: what matches it matches everything.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// The creation rules of a project: those of each `.sops.yaml` in it, by the folder where they hold.
///
/// A file is sealed by the rule file that `sops` finds when it is run in the file's folder: the nearest
/// one upwards. Patterns are matched against the path from there, as `sops` does.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By folder, relative to the project; empty for the project itself.
    files: BTreeMap<String, RuleFile>,
    /// The folder of the outputs, relative to the project; empty for the project itself.
    output: String,
}

/// The rules of one `.sops.yaml`.
#[derive(Clone, Debug)]
pub(super) struct RuleFile {
    /// The name of the rule file, as shown to the user.
    name: String,
    /// The `creation_rules` key.
    place: Option<Place>,
    list: Vec<SealingRule>,
}

/// One creation rule.
#[derive(Clone, Debug)]
pub(super) struct SealingRule {
    /// What it says.
    pub(super) creation: CreationRule,
    /// Where it says which files it is for.
    pub(super) place: Place,
    /// Where it says how far it goes.
    pub(super) scope_place: Place,
    /// Where the rule says for whom it seals.
    pub(super) recipients_place: Option<Place>,
    /// What stops Kiln from sealing by this rule; reported only when a file needs it, as a rule for
    /// other files and other tools may stand beside ours.
    pub(super) unfit: Vec<Diagnostic>,
    /// What the rule says, for whoever compares it with another.
    pub(super) terms: SealTerms,
}

impl SealingRule {
    /// Returns the rule if Kiln can seal by it.
    ///
    /// # Errors
    /// What stops it, for whoever wants the file of that path sealed.
    pub(super) fn fit(&self, path: &str) -> Result<&Self, Vec<Diagnostic>> {
        if self.unfit.is_empty() {
            return Ok(self);
        }
        let needed = |problem: &Diagnostic| {
            let problem = problem.clone();
            problem.with_hint(format!("the rule applies to `{path}`"))
        };
        Err(self.unfit.iter().map(needed).collect())
    }
}

/// Returns how metadata is laid out: as a rule sets it, or as usual.
pub(super) fn layouts(rule: Option<&SealingRule>) -> Layouts {
    rule.map_or_else(Layouts::default, |rule| rule.creation.layouts.clone())
}

impl Rules {
    /// Reads the `.sops.yaml` of a project, or of one of its folders.
    ///
    /// # Errors
    /// As of [`Rules::read`].
    pub fn parse(source: &Arc<Source>) -> StageResult<Self> {
        let (folder, _) = split(&source.path);
        Self::read([(folder.to_owned(), Arc::clone(source))], "")
    }

    /// Reads rule files, each with its folder; `output` is that of the outputs. Both are relative to the
    /// project, without `.` and without slashes at their ends.
    ///
    /// # Errors
    /// Everything that no version of SOPS would take; unknown keys, which SOPS passes over in silence, are
    /// warnings. What SOPS takes and Kiln cannot do (other keys than age X25519, Shamir sharing) is an
    /// error only once a file is sealed by that rule.
    pub fn read(
        sources: impl IntoIterator<Item = (String, Arc<Source>)>,
        output: &str,
    ) -> StageResult<Self> {
        let mut rules = Self {
            files: BTreeMap::new(),
            output: output.to_owned(),
        };
        let mut problems = Vec::new();
        for (folder, source) in sources {
            match report::rules(&source) {
                Ok(read) => {
                    problems.extend(read.warnings);
                    rules.files.insert(folder, read.value);
                }
                Err(found) => problems.extend(found),
            }
        }
        Warned::unless_errors(rules, problems)
    }

    /// Returns the rules of a project that has no `.sops.yaml`: none.
    pub fn none() -> Self {
        Self::default()
    }

    /// Says whether the programs of age plugins may run to seal for their keys; they may not by default.
    #[must_use]
    pub fn with_plugins(mut self, access: &PluginAccess) -> Self {
        for rule in self.files.values_mut().flat_map(|file| &mut file.list) {
            let recipients = std::mem::take(&mut rule.creation.recipients).into_iter();
            let allowed = recipients.map(|recipient| recipient.with_plugins(access));
            rule.creation.recipients = allowed.collect();
        }
        self
    }

    /// Lists for whom each rule seals.
    pub fn recipients(&self) -> impl Iterator<Item = Vec<String>> {
        let rules = self.files.values().flat_map(|file| &file.list);
        let each = rules.map(|rule| rule.creation.recipients.iter());
        each.map(|recipients| recipients.map(ToString::to_string).collect())
    }

    /// Returns whether some rule matches an output.
    pub fn covers(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Lists what each rule says, file by file.
    pub fn all_terms(&self) -> Vec<SealTerms> {
        let rules = self.files.values().flat_map(|file| &file.list);
        rules.map(|rule| rule.terms.clone()).collect()
    }

    /// Returns what the first rule that matches an output says.
    pub fn terms(&self, path: &str) -> Option<&SealTerms> {
        self.find(path).map(|rule| &rule.terms)
    }

    /// Lists the outputs that a rule names: those that are to be sealed whatever they are called.
    ///
    /// A rule without `path_regex`, or one that also matches a file that has to stay as it is
    /// ([`File::plain_reader`]) or a `kustomization.yaml` beside the rule file, whether there is one or not,
    /// names none. It is a default, and says how files with `.sops.` in their name are sealed. That a pattern
    /// matches the rule file itself, as `\.sops\.yaml$` does, says nothing.
    pub fn named<'f>(&self, files: impl Iterator<Item = &'f File> + Clone) -> BTreeSet<String> {
        let is_rule_file = |file: &File| split(&file.path).1 == RULE_FILE;
        let plain: Vec<String> = files
            .clone()
            .filter(|file| file.plain_reader().is_some())
            .map(|file| self.full(&file.path))
            .collect();
        let defaults: BTreeSet<*const SealingRule> = self
            .files
            .iter()
            .flat_map(|(folder, file)| file.list.iter().map(move |rule| (folder, file, rule)))
            .filter(|(folder, file, rule)| {
                let here = |path: &&String| {
                    self.nearest(path)
                        .is_some_and(|(_, nearest)| std::ptr::eq(nearest, *file))
                };
                let mut plain = plain.iter().filter(here);
                rule.creation.matches(KUSTOMIZATION)
                    || plain.any(|path| rule.creation.matches(below(path, folder)))
            })
            .map(|(_, _, rule)| std::ptr::from_ref(rule))
            .collect();
        let is_named = |file: &&File| {
            let rule = self.find(&file.path).filter(|_| !is_rule_file(file));
            rule.is_some_and(|rule| !defaults.contains(&std::ptr::from_ref(rule)))
        };
        files
            .filter(is_named)
            .map(|file| file.path.clone())
            .collect()
    }

    /// Returns the first rule that matches an output.
    pub(super) fn find(&self, path: &str) -> Option<&SealingRule> {
        self.find_in_project(&self.full(path))
    }

    /// Returns the first rule that matches a file, given by its path in the project.
    pub(super) fn find_in_project(&self, path: &str) -> Option<&SealingRule> {
        let (folder, file) = self.nearest(path)?;
        let path = below(path, folder);
        file.list.iter().find(|rule| rule.creation.matches(path))
    }

    /// Says that no rule matches an output.
    pub(super) fn no_rule(&self, path: &str) -> Diagnostic {
        let code = &codes::NO_CREATION_RULE;
        let full = self.full(path);
        let Some((folder, file)) = self.nearest(&full) else {
            return Diagnostic::error(
                code,
                format!("`{path}` is to be sealed, but there is no `.sops.yaml`"),
            )
            .with_hint("write a `.sops.yaml` with a rule in `creation_rules` that says for whom");
        };
        let seen = below(&full, folder);
        let shown = if seen == path {
            format!("`{path}`")
        } else {
            format!("`{path}`, which is `{seen}` to SOPS")
        };
        let diagnostic = Diagnostic::error(
            code,
            format!("no rule of `{}` matches {shown}", file.name),
        )
        .with_hint(
            "add a rule to `creation_rules` whose `path_regex` matches it, or rename the file",
        );
        diagnostic.at_place_if(file.place.as_ref())
    }

    /// Returns the path of an output as seen from the project.
    fn full(&self, path: &str) -> String {
        if self.output.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.output)
        }
    }

    /// Returns the rule file that holds for a path, and its folder.
    fn nearest(&self, path: &str) -> Option<(&str, &RuleFile)> {
        let mut folder = path;
        while !folder.is_empty() {
            (folder, _) = split(folder);
            if let Some((folder, file)) = self.files.get_key_value(folder) {
                return Some((folder, file));
            }
        }
        None
    }
}

/// Returns a path as seen from a folder above it.
fn below<'p>(path: &'p str, folder: &str) -> &'p str {
    path.strip_prefix(folder)
        .map_or(path, |rest| rest.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_nearest_rule_file_upwards() {
        let rules = |name: &str| Source::new(format!("{name}/.sops.yaml"), "creation_rules: []\n");
        let sources = ["", "out/a", "out/a/b"].map(|folder| (folder.to_owned(), rules(folder)));
        let rules = Rules::read(sources, "out").unwrap().value;
        for (path, folder, seen) in [
            ("x.yaml", "", "out/x.yaml"),
            ("ab/x.yaml", "", "out/ab/x.yaml"),
            ("a/x.yaml", "out/a", "x.yaml"),
            ("a/c/x.yaml", "out/a", "c/x.yaml"),
            ("a/b/c/x.yaml", "out/a/b", "c/x.yaml"),
        ] {
            let full = rules.full(path);
            let (found, _) = rules.nearest(&full).unwrap();
            assert_eq!((found, below(&full, found)), (folder, seen), "{path}");
        }
        assert!(Rules::none().nearest("a/x.yaml").is_none());
    }
}
