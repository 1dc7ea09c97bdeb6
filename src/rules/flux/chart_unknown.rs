//! Charts that are not known.

use std::collections::BTreeMap;

use crate::charts::Release;
use crate::charts::profile::Match;
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

/// How many releases of one chart are pointed at.
const SHOWN: usize = 5;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "chart-unknown",
        summary: "A profile knows the chart of every release",
        text: "\
What a chart makes of its values cannot be told from outside, so that nothing in its pods is judged or hardened, and no
namespace that it may bring pods into enforces a Pod Security level. Nothing is guessed, and the release is left as it is.

One finding stands for all releases of a chart in one version. Make a profile by rendering the chart, or widen the versions
of one that is there:

    kiln profile new oci://ghcr.io/example/charts/whoami",
    },
    category: Category::Flux,
    severity: Some(Severity::Warning),
    weight: 0,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut charts: BTreeMap<(String, Option<&str>), Vec<&Release<'_>>> = BTreeMap::new();
    for release in facts.releases {
        if release.profile().is_some() {
            judge.found(JudgedSubject::release(release), Vec::new());
            continue;
        }
        if release.chart.is_none() && !has_chart_in_files(release) {
            judge.unseen(
                JudgedSubject::release(release),
                "the source of its chart is not in the tree",
                None,
            );
            continue;
        }
        // Where nothing says which chart it is, each release is a case of its own.
        let chart = release.chart.clone().unwrap_or_else(|| release.label());
        let users = charts
            .entry((chart, release.version.as_deref()))
            .or_default();
        users.push(release);
    }
    for users in charts.values() {
        if let Some(first) = users.first() {
            let mut subject = JudgedSubject::release(first);
            for user in users {
                subject.names.extend(JudgedSubject::release(user).names);
            }
            let finding = unknown(facts, first, users);
            judge.found(subject, vec![finding]);
        }
    }
}

/// Returns whether the chart is a folder of another source, which has no URL of its own.
///
/// `flux-source` tells of the others.
fn has_chart_in_files(release: &Release<'_>) -> bool {
    let kind = release.member.text("spec.chart.spec.sourceRef.kind");
    matches!(kind, Some("GitRepository" | "Bucket"))
}

fn unknown(facts: &Facts<'_>, first: &Release<'_>, users: &[&Release<'_>]) -> Diagnostic {
    let (who, installs, employs) = match users {
        [only] => (format!("`{}`", only.label()), "installs", "uses"),
        many => (format!("{} releases", many.len()), "install", "use"),
    };
    let warn = |message: String| {
        let place = first.member.name_place();
        let mut warning = facts.at(Diagnostic::warning(&RULE.meaning, message), &place, "");
        for user in users.iter().skip(1).take(SHOWN) {
            let text = format!("`{}` uses it too", user.label());
            warning = warning.with_related(user.member.name_place(), text);
        }
        warning
    };
    let Some(chart) = &first.chart else {
        return warn(format!(
            "the chart of {who} is a folder of another source, so nothing inside it is judged or hardened"
        ))
        .with_hint("nothing can be known of it here: `kiln profile` knows charts of registries");
    };
    let version = match &first.version {
        Some(version) => format!(" `{version}`"),
        None => String::new(),
    };
    match first.known {
        Match::OtherVersion(profile) => warn(format!(
            "the profile of chart `{}` does not cover the version{version} that {who} {installs}",
            profile.chart
        ))
        .with_hint(format!(
            "check what changed, and widen `versions` in a copy of `{}` below `charts/`",
            profile.source.path
        )),
        Match::OtherPublisher(profile) => warn(format!(
            "{who} {employs} `{chart}`, which is not where the chart that Kiln knows as `{}` is published",
            profile.chart
        ))
        .with_hint(format!(
            "if it is the same chart, add the URL to `sources` in a copy of `{}` below `charts/`",
            profile.source.path
        )),
        Match::Profile(_) | Match::Unknown => warn(format!(
            "no profile knows the chart `{chart}`{version} of {who}, so nothing inside it is judged or hardened"
        ))
        .with_hint("add a profile of it below `charts/`"),
    }
}
