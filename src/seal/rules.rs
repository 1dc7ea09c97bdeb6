//! Creation rules: which file is sealed for whom, and how far.

mod read;

use std::sync::Arc;

use regex::Regex;

use super::recipient::Recipient;
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, StageResult};
use crate::source::{Place, Source};

/// The indentation that SOPS gives to YAML when nothing else is set.
const INDENT: usize = 4;

/// The rules of a `.sops.yaml`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The name of the rule file, as shown to the user; `None` when there is none.
    file: Option<String>,
    /// The folder of the rule file; empty for the project itself.
    folder: String,
    /// The `creation_rules` key.
    place: Option<Place>,
    list: Vec<Rule>,
    indent: usize,
}

/// One creation rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// `path_regex`; a rule without it matches every file.
    pub(super) path: Option<Regex>,
    pub(super) scope: Scope,
    pub(super) mac_only_encrypted: bool,
    pub(super) recipients: Vec<Recipient>,
    /// Where the rule says for whom it seals.
    pub(super) place: Option<Place>,
    /// What stops Kiln from sealing by this rule; reported only when a file needs it, as a rule for
    /// other files and other tools may stand beside ours.
    pub(super) unfit: Vec<Diagnostic>,
}

impl Rules {
    /// Reads a `.sops.yaml`.
    ///
    /// Reports everything that no version of SOPS would take as errors, and unknown keys, which SOPS
    /// passes over in silence, as warnings. What SOPS takes and Kiln cannot do (other keys than age
    /// X25519, Shamir sharing) is an error only once a file is sealed by that rule.
    pub fn parse(source: &Arc<Source>) -> StageResult<Self> {
        read::rules(source)
    }

    /// Returns the rules of a project that has no `.sops.yaml`: none.
    pub fn none() -> Self {
        Self {
            file: None,
            folder: String::new(),
            place: None,
            list: Vec::new(),
            indent: INDENT,
        }
    }

    /// Returns whether some rule matches a file, given by its path in the project.
    pub fn covers(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Returns the first rule that matches a file.
    pub(super) fn find(&self, path: &str) -> Option<&Rule> {
        let path = relative(path, &self.folder);
        self.list
            .iter()
            .find(|rule| rule.path.as_ref().is_none_or(|regex| regex.is_match(&path)))
    }

    /// Says that no rule matches a file.
    pub(super) fn no_rule(&self, path: &str) -> Diagnostic {
        let code = "no-creation-rule";
        let Some(file) = &self.file else {
            return Diagnostic::error(
                code,
                format!("`{path}` is to be sealed, but there is no `.sops.yaml`"),
            )
            .with_hint("write a `.sops.yaml` with a rule in `creation_rules` that says for whom");
        };
        let diagnostic = Diagnostic::error(code, format!("no rule of `{file}` matches `{path}`"))
            .with_hint(
                "add a rule to `creation_rules` whose `path_regex` matches it, or rename the file",
            );
        diagnostic.at_place_if(self.place.as_ref())
    }

    pub(super) fn indent(&self) -> usize {
        self.indent
    }
}

/// Returns a path as seen from a folder, both being relative to the project.
fn relative(path: &str, folder: &str) -> String {
    let mut path: Vec<&str> = path.split('/').collect();
    let mut folder: Vec<&str> = folder
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    while let (Some(left), Some(right)) = (path.first(), folder.first())
        && left == right
        && path.len() > 1
    {
        path.remove(0);
        folder.remove(0);
    }
    "../".repeat(folder.len()) + &path.join("/")
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn sees_paths_from_the_folder_of_the_rules() {
        assert_eq!(relative("a/b.yaml", ""), "a/b.yaml");
        assert_eq!(relative("a/b.yaml", "a"), "b.yaml");
        assert_eq!(relative("a/b/c.yaml", "./a"), "b/c.yaml");
        assert_eq!(relative("x/b.yaml", "a/b"), "../../x/b.yaml");
    }
}
