//! Adds the security defaults that are missing.
//!
//! The principle: add what is missing, never change what the author set, never guess. Each rule is
//! one file below `harden/rules`, with its code, summary, explanation and logic; [`RULES`] lists
//! them, and `kiln explain` and the docs are made from that list. A rule looks at the tree and asks for
//! additions; the bench makes them, without touching any other byte, and records each one.

mod bench;
mod codes;
mod listing;
mod outcome;
mod patches;
pub mod policy;
mod rules;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

pub use codes::CODES;
pub use policy::{Closed, Policy, Resources};

use crate::diagnostic::{Diagnostic, Meaning, StageResult, Warned};
use crate::flux::TreeFiles;
use crate::flux::builds::Builds;
use crate::tree::object::Object;
use crate::tree::{App, Gap, Hardened, Rendered, Tree};
use crate::workload::profile::Match;
use crate::workload::{self, Profiles, Release, Workload};
use bench::Bench;
use outcome::Outcome;

/// A hardening rule.
pub struct Rule {
    /// The stable kebab-case name, used in exemptions and by `kiln explain`.
    pub code: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it does and why, in a few paragraphs of Markdown.
    pub explanation: &'static str,
    /// The diagnostics that it can give, with what each means.
    pub findings: &'static [Meaning],
    /// When it looks at the tree.
    pass: Pass,
    apply: fn(&Context<'_>) -> Outcome,
}

/// When a rule looks at the tree: those of one pass see the same tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// As it was rendered.
    Workloads,
    /// When workloads have what they lacked, and can be judged.
    Judgement,
}

/// The rules, in the order in which they are applied.
pub static RULES: &[Rule] = &[
    rules::pod_security::RULE,
    rules::priority_class::RULE,
    rules::probes::RULE,
    rules::security_context::RULE,
    rules::service_account_token::RULE,
    rules::resources::RULE,
    rules::topology_spread::RULE,
    rules::pod_disruption_budget::RULE,
    rules::network_policy::RULE,
];

/// What a rule sees.
struct Context<'t> {
    builds: &'t Builds<'t>,
    releases: &'t [Release<'t>],
    workloads: &'t [Workload<'t>],
    apps: &'t [App],
    /// The paths of all files, manifests or not.
    paths: &'t BTreeSet<&'t str>,
    policy: &'t Policy,
    rule: &'static str,
    /// Which exemptions were of use.
    exempted: &'t Mutex<BTreeSet<usize>>,
}

impl<'t> Context<'t> {
    /// Returns whether the policy exempts an object from the rule, and notes that it did.
    fn is_exempt(&self, namespace: &str, name: &str) -> bool {
        let found = self.policy.exemption(self.rule, namespace, name);
        let exempted = self.exempted.lock();
        exempted
            .unwrap_or_else(PoisonError::into_inner)
            .extend(found);
        found.is_some()
    }

    /// Returns whether additions can be made to an object: it is rendered as YAML, and is no secret.
    fn may_edit(&self, object: Object<'_>) -> bool {
        let file = object.file;
        self.paths.contains(file.path.as_str()) && !file.documents.is_empty() && !file.is_secret()
    }

    /// Lists the workloads that the rule may add to: Flux deploys them, and nobody exempts them, by
    /// their own name or that of their release.
    fn workloads(&self) -> impl Iterator<Item = &'t Workload<'t>> {
        self.workloads.iter().filter(|workload| {
            let maker = workload.member;
            !workload.hook
                && workload.is_deployed(self.builds)
                && self.may_edit(maker.object)
                && !self.is_exempt(&workload.namespace, &workload.name)
                && !self.is_exempt(maker.namespace_name(), &maker.name)
        })
    }
}

/// Hardens a tree.
///
/// `kept` are the files beside the rendered ones: they are looked at, and never edited. Secret files are never edited. A tree that is hardened already stays as it is, byte for byte.
pub fn harden(
    tree: Tree<Rendered>,
    kept: &TreeFiles<'_>,
    profiles: &Profiles,
    policy: &Policy,
) -> StageResult<Tree<Hardened>> {
    if !policy.enabled {
        return Ok(Warned {
            value: tree.hardened([], Vec::new(), Vec::new()),
            warnings: Vec::new(),
        });
    }
    let mut problems = policy.problems();
    let exempted = Mutex::default();
    let mut bench = Bench::new(tree.files());
    let mut gaps = Vec::new();
    for pass in [Pass::Workloads, Pass::Judgement] {
        let mut outcomes: Vec<(&'static str, Outcome)> = {
            let files = TreeFiles::over(kept, bench.files());
            let builds = Builds::of(&files);
            let paths = bench.files().map(|file| file.path.as_str()).collect();
            let releases = Release::all(&builds, profiles);
            let workloads = workload::all(&builds, &releases);
            if pass == Pass::Workloads {
                problems.extend(releases.iter().filter_map(unknown_chart));
            }
            let rules = RULES.par_iter().filter(|rule| rule.pass == pass);
            rules
                .map(|rule| {
                    let context = Context {
                        builds: &builds,
                        releases: &releases,
                        workloads: &workloads,
                        apps: tree.apps(),
                        paths: &paths,
                        policy,
                        rule: rule.code,
                        exempted: &exempted,
                    };
                    (rule.code, (rule.apply)(&context))
                })
                .collect()
        };
        for (_, outcome) in &mut outcomes {
            problems.append(&mut outcome.problems);
            gaps.append(&mut outcome.gaps);
        }
        problems.extend(bench.apply(outcomes));
    }
    let exempted = exempted.into_inner();
    problems.extend(policy.unused(&exempted.unwrap_or_else(PoisonError::into_inner)));
    let (changed, injections) = bench.finish();
    gaps.sort_by(|a: &Gap, b: &Gap| {
        (&a.path, &a.object, &a.route).cmp(&(&b.path, &b.object, &b.route))
    });
    Warned::unless_errors((), problems).map(|warned| Warned {
        value: tree.hardened(changed, injections, gaps),
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
        Match::Profile(_) => None,
        Match::OtherVersion(profile) => Some(
            warn(format!("the profile of chart `{}` does not cover the version that `{label}` uses", profile.chart))
                .with_hint(format!("check what changed, and widen `versions` in a copy of `{}` below `charts/`", profile.source.path)),
        ),
        Match::OtherPublisher(profile) => Some(
            warn(format!("`{label}` uses `{chart}`, which is not where the chart that Kiln knows as `{}` is published", profile.chart))
                .with_hint(format!("if it is the same chart, add the URL to `sources` in a copy of `{}` below `charts/`", profile.source.path)),
        ),
        Match::Unknown => Some(
            warn(format!("no profile knows the chart `{chart}` of `{label}`, so nothing inside it is hardened"))
                .with_hint("add a profile of it below `charts/`"),
        ),
    }
}
