//! Adds the security defaults that are missing.
//!
//! The principle: add what is missing, never change what the author set, never guess. Each rule is
//! one file below `harden/rules`, with its code, summary, explanation and logic; [`RULES`] lists
//! them, and `kiln explain` and the docs are made from that list. A rule looks at the tree and asks for
//! additions; the bench makes them, without touching any other byte, and records each one.

pub mod app_template;
mod bench;
pub mod pod_security;
pub mod policy;
pub mod profile;
pub mod release;
mod rules;
pub mod standing;
pub mod workload;

use std::cell::RefCell;
use std::collections::BTreeSet;

pub use policy::{Exemption, Policy};
pub use profile::Profiles;

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::tree::builds::Builds;
use crate::tree::{App, Hardened, Rendered, Tree};
use bench::Bench;
use profile::Known;
use release::Release;

/// A hardening rule.
pub struct Rule {
    /// The stable kebab-case name, used in exemptions and by `kiln explain`.
    pub code: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it does and why, in a few paragraphs of Markdown.
    pub explanation: &'static str,
    /// The diagnostics that it can give, with what each means.
    pub findings: &'static [Finding],
    apply: fn(&Context<'_>) -> Outcome,
}

/// A diagnostic that a rule or the stage can give.
pub struct Finding {
    /// The stable kebab-case name.
    pub code: &'static str,
    /// What it means, in one line.
    pub summary: &'static str,
}

/// The rules, in the order in which they are applied.
pub static RULES: &[Rule] = &[rules::pod_security::RULE, rules::priority_class::RULE];

/// The diagnostics of the stage itself.
pub static FINDINGS: &[Finding] = &[
    Finding {
        code: "chart-profile-invalid",
        summary: "A chart profile does not follow its schema",
    },
    Finding {
        code: "chart-unknown",
        summary: "No profile knows the chart of a HelmRelease, so that nothing inside it is hardened",
    },
    Finding {
        code: "edit-refused",
        summary: "A default could not be added to a file without changing something else",
    },
    Finding {
        code: "exemption-unknown-rule",
        summary: "An exemption names a rule that there is not",
    },
    Finding {
        code: "exemption-without-reason",
        summary: "An exemption does not say why",
    },
    Finding {
        code: "exemption-unused",
        summary: "An exemption exempts nothing",
    },
];

/// What a rule sees.
struct Context<'t> {
    builds: &'t Builds<'t>,
    releases: &'t [Release<'t>],
    apps: &'t [App],
    policy: &'t Policy,
    rule: &'static str,
    exempted: &'t RefCell<BTreeSet<usize>>,
}

impl Context<'_> {
    /// Returns whether the policy exempts an object from the rule, and notes that it did.
    fn is_exempt(&self, namespace: &str, name: &str) -> bool {
        let found = self.policy.exemption(self.rule, namespace, name);
        self.exempted.borrow_mut().extend(found);
        found.is_some()
    }
}

/// What a rule asks for.
#[derive(Default)]
struct Outcome {
    edits: Vec<bench::Edit>,
    files: Vec<bench::NewFile>,
    problems: Vec<Diagnostic>,
}

/// Hardens a tree.
///
/// Secret files are never edited. A tree that is hardened already stays as it is, byte for byte.
pub fn harden(
    tree: Tree<Rendered>,
    profiles: &Profiles,
    policy: &Policy,
) -> StageResult<Tree<Hardened>> {
    if !policy.enabled {
        return Ok(Warned {
            value: tree.hardened([], Vec::new()),
            warnings: Vec::new(),
        });
    }
    let mut problems = policy.problems();
    let exempted = RefCell::default();
    let mut bench = Bench::new(tree.files());
    for (index, rule) in RULES.iter().enumerate() {
        let outcome = {
            let builds = Builds::of(bench.files());
            let releases = Release::all(&builds, profiles);
            if index == 0 {
                problems.extend(releases.iter().filter_map(unknown_chart));
            }
            (rule.apply)(&Context {
                builds: &builds,
                releases: &releases,
                apps: tree.apps(),
                policy,
                rule: rule.code,
                exempted: &exempted,
            })
        };
        problems.extend(outcome.problems);
        problems.extend(bench.apply(rule.code, outcome.edits, outcome.files));
    }
    problems.extend(policy.unused(&exempted.borrow()));
    let (changed, injections) = bench.finish();
    Warned::unless_errors((), problems).map(|warned| Warned {
        value: tree.hardened(changed, injections),
        warnings: warned.warnings,
    })
}

/// Says that nothing is known of a release's chart, and why.
fn unknown_chart(release: &Release<'_>) -> Option<Diagnostic> {
    let object = release.member.object;
    let label = release.label();
    let warn = |message: String| {
        let warning =
            Diagnostic::warning("chart-unknown", message).at_place(object.name_place(), "");
        match object.file.template_place(object.start()) {
            Some(place) => warning.with_related(place, "rendered from here"),
            None => warning,
        }
    };
    let Some(chart) = &release.chart else {
        let message = format!("nothing in the tree says where the chart of `{label}` comes from");
        return Some(
            warn(message)
                .with_hint("check that its `chartRef` or `sourceRef` names a source in the tree"),
        );
    };
    match release.known {
        Known::Profile(_) => None,
        Known::OtherVersion(profile) => Some(
            warn(format!("the profile of chart `{}` does not cover the version that `{label}` uses", profile.chart))
                .with_hint(format!("check what changed, and widen `versions` in a copy of `{}` below `charts/`", profile.source.path)),
        ),
        Known::OtherPublisher(profile) => Some(
            warn(format!("`{label}` uses `{chart}`, which is not where the chart that Kiln knows as `{}` is published", profile.chart))
                .with_hint(format!("if it is the same chart, add the URL to `sources` in a copy of `{}` below `charts/`", profile.source.path)),
        ),
        Known::Unknown => Some(
            warn(format!("no profile knows the chart `{chart}` of `{label}`, so nothing inside it is hardened"))
                .with_hint("add a profile of it below `charts/`"),
        ),
    }
}
