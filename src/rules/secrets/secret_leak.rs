//! A secret value in the open.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::leak::Leak;
use crate::rules::{Category, Facts, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "secret-leak",
        summary: "Nothing that everybody can read depends on a secret",
        text: "\
The templates are rendered a second time, with every secret replaced by another of the same shape: fields of the
config that a schema calls `writeOnly`, what `fromEnv`, `fromFile` and encrypted data files bring, and what `secret()`,
`age_identity()` and their like read. Whatever differs then depends on a secret, also in part, in upper case, encoded
or spelled out: a line of an output that is not sealed, a value or comment that the creation rule of a sealed file
leaves in plain text, a key, or the name of a file.

Only `age_recipient()` and `cloudflare_tunnel_id()` show something of a key on purpose. A variable that is no secret is
`{ fromEnv: NAME, public: true }` in the config.

The message names where the secret comes from, never the secret, and shows no line of the output.",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 0,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    for finding in leaks(judge.facts) {
        judge.report(finding);
    }
}

fn leaks(facts: &Facts<'_>) -> Vec<Diagnostic> {
    // A value in a loop leaks once, however many lines it fills.
    let mut causes: BTreeMap<_, (&Leak, usize)> = BTreeMap::new();
    for leak in facts.measures.leaks {
        let template = leak.template.as_ref();
        let template = template.map(|place| (place.source.path.as_str(), place.span));
        causes
            .entry((leak.path.as_str(), template, &leak.origins))
            .and_modify(|(_, lines)| *lines += 1)
            .or_insert((leak, 1));
    }
    let found = causes.into_values().map(|(leak, lines)| found(leak, lines));
    found
        .chain(facts.measures.failures.iter().map(failed))
        .collect()
}

fn found(leak: &Leak, lines: usize) -> Diagnostic {
    let origins = leak.origins.iter().map(|origin| format!("`{origin}`"));
    let origins: Vec<String> = origins.collect();
    let secret = match origins.as_slice() {
        [] => "a secret".to_owned(),
        [origin] => format!("the secret {origin}"),
        _ => format!("the secrets {}", origins.join(" and ")),
    };
    let path = &leak.path;
    let (mut message, hint) = match leak.line {
        None => (
            format!("whether there is a file `{path}` depends on {secret}"),
            "let a key of the config that is no secret decide",
        ),
        Some(_) if leak.sealed => (
            format!(
                "{secret} can be read in `{path}`, as its creation rule leaves this place in plain text"
            ),
            "put it below a key that the rule encrypts, or change what the rule selects",
        ),
        Some(_) => (
            format!("{secret} can be read in `{path}`, which will not be sealed"),
            "use it only in files that are sealed, by `.sops.` in their name or by a creation rule that names them, and refer to the Secret from here",
        ),
    };
    if lines > 1 {
        message = format!("{message} ({lines} lines)");
    }
    let mut problem = Diagnostic::error(&RULE.meaning, message);
    if let Some(place) = &leak.line {
        problem = problem.at_place(place.clone(), "");
    }
    if let Some(template) = &leak.template {
        problem = problem.with_related(template.clone(), "rendered from here");
    }
    problem.with_hint(hint)
}

/// A template that only works with the secrets at hand tells something of them when it fails.
fn failed(failure: &Diagnostic) -> Diagnostic {
    let problem = Diagnostic::error(
        &RULE.meaning,
        "whether this can be rendered depends on the text of a secret",
    );
    let place = failure.primary.as_ref().map(|label| label.place.clone());
    problem
        .at_place_if(place.as_ref())
        .with_hint("with another secret of the same shape it fails; let something else decide, or take the secret as a whole")
}
