//! What of the findings counts.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Findings;
use crate::check::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::rules::{Judgement, PLAIN_TEXT};
use crate::yaml;

/// What makes a run fail besides errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// Any warning.
    Warning,
    /// Anything that could not be judged.
    NotSeen,
    /// A warning of this code.
    Code(String),
}

impl FailOn {
    /// Reads a word of `fail-on`.
    pub fn parse(word: &str) -> Self {
        match word {
            "warning" => Self::Warning,
            word if word == codes::NOT_SEEN.code => Self::NotSeen,
            code => Self::Code(code.to_owned()),
        }
    }
}

/// What of the findings counts, by the settings of a project.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// The files and folders of which nothing is said.
    pub ignore: Vec<String>,
    /// What is an error though its rule calls it a warning.
    pub fail_on: Vec<FailOn>,
    /// The findings that are known already.
    pub baseline: Baseline,
    /// Whether errors are told and stop nothing, but for what would be written in plain text.
    pub only_tells: bool,
}

/// The findings that a tree starts with: only what is new counts.
///
/// A finding is known again by its code, the path of its file and its message, so that it may move within the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeSet<(String, String, String)>);

impl Baseline {
    /// Takes the findings of a run, but for what would be written in plain text.
    pub fn of<'d>(findings: impl IntoIterator<Item = &'d Diagnostic>) -> Self {
        let findings = findings.into_iter();
        let known = findings.filter(|finding| !must_be_told(finding));
        Self(known.map(key_of).collect())
    }

    /// Reads a baseline file; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let documents = yaml::load(text).ok()?;
        let Some(document) = documents.first() else {
            return Some(Self::default());
        };
        let Value::Array(items) = document.root.to_kubernetes() else {
            return None;
        };
        let items = items.iter().map(|item| {
            let text = |key: &str| Some(item[key].as_str()?.to_owned());
            Some((text("code")?, text("path")?, text("message")?))
        });
        items.collect::<Option<_>>().map(Self)
    }

    /// Writes the baseline as YAML, sorted.
    pub fn to_yaml(&self) -> String {
        let items = self
            .0
            .iter()
            .map(|(code, path, message)| json!({"code": code, "path": path, "message": message}));
        yaml::emit(&Value::Array(items.collect()))
    }

    /// Returns how many findings it knows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns whether a finding stops the run whatever a project ignores or knows: a secret would be written in plain text.
pub(super) fn must_be_told(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error && PLAIN_TEXT.contains(&finding.code())
}

fn key_of(finding: &Diagnostic) -> (String, String, String) {
    let path = finding
        .primary
        .as_ref()
        .map(|label| &label.place.source.path);
    (
        finding.code().to_owned(),
        path.cloned().unwrap_or_default(),
        finding.message.clone(),
    )
}

impl Gate {
    /// Leaves out what is ignored or known, and raises what is to be an error.
    ///
    /// What would be written in plain text is never left out.
    pub(super) fn pass(
        &self,
        found: Vec<Diagnostic>,
        unseen: Vec<(&'static str, Judgement)>,
    ) -> Findings {
        let mut findings = Findings::default();
        let mut met = BTreeSet::new();
        for mut finding in found {
            let key = key_of(&finding);
            let may_pass = !must_be_told(&finding);
            if may_pass && self.ignores(&key.1) {
                findings.ignored += 1;
            } else if may_pass && self.baseline.0.contains(&key) {
                findings.known += 1;
                met.insert(key);
            } else {
                if self.raises(&finding) {
                    finding.severity = Severity::Error;
                } else if self.only_tells && may_pass {
                    finding.severity = Severity::Warning;
                }
                findings.diagnostics.push(finding);
            }
        }
        findings.gone = self.baseline.len() - met.len();
        if self.fail_on.contains(&FailOn::NotSeen) {
            let told = unseen
                .iter()
                .map(|(code, judgement)| not_seen(code, judgement));
            findings.diagnostics.extend(told);
        }
        findings.unseen = unseen;
        findings
    }

    fn ignores(&self, path: &str) -> bool {
        let mut ignored = self.ignore.iter();
        !path.is_empty()
            && ignored.any(|one| {
                let one = one.trim_start_matches("./").trim_end_matches('/');
                let rest = path.strip_prefix(one);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    fn raises(&self, finding: &Diagnostic) -> bool {
        let mut asked = self.fail_on.iter();
        asked.any(|one| match one {
            FailOn::Warning => true,
            FailOn::NotSeen => false,
            FailOn::Code(code) => code == finding.code(),
        })
    }
}

fn not_seen(code: &str, judgement: &Judgement) -> Diagnostic {
    let reason = judgement.verdict.reason();
    let message = format!("`{code}` cannot judge `{}`: {reason}", judgement.subject);
    Diagnostic::error(&codes::NOT_SEEN, message)
        .at_place_if(judgement.place.as_ref())
        .with_hint("make it seen, or take `not-seen` out of `fail-on` in `kiln.toml`")
}
