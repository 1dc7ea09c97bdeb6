//! Values that change nothing.

use crate::charts::Release;
use crate::charts::dead_value::{self, DeadValue};
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::app_template_values::{AppTemplateValues, lacks_image, misspelled_image};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

/// How the labels of the built-in catalogue's templates start.
const CATALOGUE: &str = "catalogue:";

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "dead-value",
        summary: "Every value of a release is one that its chart knows",
        text: "\
Helm takes any value without a word. One that no template of the chart reads changes nothing: the limits,
probes and security contexts that stand there are not in the cluster, and whoever reads the file believes that they
are.

A chart profile lists every value path that the chart knows, its dependencies' included. A key on none of them is
reported once, with everything below it. What was meant is named where it can be told: a key that is spelt alike, or
the same key elsewhere in the chart's values.

Asked are releases of the version that the profile was `verified` with, and of those that differ from it by bug fixes
alone: another one may know more. In the built-in catalogue such a value is an error; in templates of your own it is a
warning. Nothing is said of `global`, of which the chart's dependencies may read anything, nor of a chart without a
profile, or with one that lists no values. `kiln profile new` lists the values of a chart of yours.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    for release in judge.facts.releases {
        if release.values.is_empty() {
            continue;
        }
        let subject = JudgedSubject::release(release);
        match release.profile() {
            None => judge.unseen(subject, "no profile knows its chart", None),
            Some(profile) if profile.values_in(release.version.as_deref()).is_none() => {
                let why = "the profile of its chart lists no values of this version";
                judge.unseen(subject, why, None);
            }
            Some(_) => {
                let dead = dead_value::all(release).into_iter();
                let dead = dead.filter(|dead| !is_misspelled_image(release, &dead.path));
                let findings = dead.map(|dead| problem(judge.facts, release, &dead));
                let findings = findings.collect();
                judge.found(subject, findings);
            }
        }
    }
}

/// Returns whether a path is that of an image that is spelt differently, of which `image-missing` tells.
fn is_misspelled_image(release: &Release<'_>, path: &str) -> bool {
    let steps: Vec<&str> = path.split('.').collect();
    let [
        "controllers",
        controller,
        list @ ("containers" | "initContainers"),
        name,
        key,
    ] = steps[..]
    else {
        return false;
    };
    let values = AppTemplateValues::of(release);
    let controller = values.and_then(|values| values.get(&["controllers", controller]));
    controller.is_some_and(|controller| {
        let container = &controller[list][name];
        lacks_image(controller, container) && misspelled_image(container) == Some(key)
    })
}

fn problem(facts: &Facts<'_>, release: &Release<'_>, dead: &DeadValue) -> Diagnostic {
    let chart = release.profile().map_or("", |profile| &profile.chart);
    let message = format!(
        "the value `{}` of `{}` changes nothing: the chart `{chart}` does not know it",
        dead.path,
        release.label()
    );
    let template = facts.template(&dead.place);
    let ours = template.is_some_and(|place| place.source.path.starts_with(CATALOGUE));
    let problem = if ours {
        Diagnostic::error(&RULE.meaning, message)
    } else {
        Diagnostic::warning(&RULE.meaning, message)
    };
    let problem = facts.at(problem, &dead.place, "");
    match &dead.meant {
        Some(meant) => problem.with_hint(format!("did you mean `{meant}`?")),
        None => problem.with_hint("remove it, or look up the value in the chart's `values.yaml`"),
    }
}
