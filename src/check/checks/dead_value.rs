//! Values that change nothing.

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::Release;
use crate::workload::dead_value::{self, DeadValue};

/// How the labels of the built-in catalogue's templates start.
const CATALOGUE: &str = "catalogue:";

pub(in crate::check) const CHECK: Check = Check {
    code: "dead-value",
    summary: "A HelmRelease sets a value that its chart does not know",
    explanation: "\
Helm takes any value without a word. One that no template of the chart reads changes nothing: the limits,
probes and security contexts that stand there are not in the cluster, and whoever reads the file believes that they
are.

A chart profile lists every value path that the chart knows, its dependencies' included. A key on none of them is
reported once, with everything below it. What was meant is named where it can be told: a key that is spelt alike, or
the same key elsewhere in the chart's values.

In the built-in catalogue such a value is an error; in templates of your own it is a warning, since you may use a
version of the chart that knows more than the profile. Nothing is said of `global`, of which the chart's dependencies
may read anything, nor of a chart without a profile, or with one that lists no values. `kiln profile new` lists the
values of a chart of yours.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let releases = context.releases.iter();
    releases
        .flat_map(|release| {
            let dead = dead_value::all(release).into_iter();
            dead.map(move |dead| problem(context, release, &dead))
        })
        .collect()
}

fn problem(context: &Context<'_>, release: &Release<'_>, dead: &DeadValue) -> Diagnostic {
    let chart = release.profile().map_or("", |profile| &profile.chart);
    let message = format!(
        "the value `{}` of `{}` changes nothing: the chart `{chart}` does not know it",
        dead.path,
        release.label()
    );
    let template = context.template(&dead.place);
    let ours = template.is_some_and(|place| place.source.path.starts_with(CATALOGUE));
    let problem = if ours {
        Diagnostic::error(CHECK.code, message)
    } else {
        Diagnostic::warning(CHECK.code, message)
    };
    let problem = context.at(problem, &dead.place, "");
    match &dead.meant {
        Some(meant) => problem.with_hint(format!("did you mean `{meant}`?")),
        None => problem.with_hint("remove it, or look up the value in the chart's `values.yaml`"),
    }
}
