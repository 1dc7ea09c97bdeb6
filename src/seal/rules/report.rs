//! What the crate of the format reads in a `.sops.yaml`, as rules with places and diagnostics.

use std::sync::Arc;

use sops_age::keys::{Unfit, shown_recipient};
use sops_age::{CreationRule, RuleFile as ReadFile, RuleProblem, RuleProblemKind};

use super::{RuleFile, SealingRule};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::seal::codes;
use crate::secret::SealTerms;
use crate::source::{Place, Source, Span, shown_key};
use crate::yaml;

pub(super) fn rules(source: &Arc<Source>) -> StageResult<RuleFile> {
    let syntax = |error: &_| yaml::diagnose(error, &codes::SOPS_RULES_SYNTAX, &source.keys_only());
    let file = ReadFile::read(&source.text).map_err(|error| vec![syntax(&error)])?;
    let shown = if file.strange {
        source.keys_only()
    } else {
        Arc::clone(source)
    };
    let told = file.problems.iter();
    let problems = told.map(|problem| diagnose(&shown, problem)).collect();
    let rules = RuleFile {
        name: source.path.clone(),
        place: file.span.map(|span| Place::new(source, span)),
        list: file
            .rules
            .into_iter()
            .map(|creation| rule(source, &shown, creation))
            .collect(),
    };
    Warned::unless_errors(rules, problems)
}

fn rule(source: &Arc<Source>, shown: &Arc<Source>, creation: CreationRule) -> SealingRule {
    let place = |span: Span| Place::new(source, span);
    let unfit = creation.unfit.iter();
    SealingRule {
        place: place(creation.span),
        scope_place: place(creation.scope_span),
        recipients_place: creation.recipients_span.map(place),
        unfit: unfit.map(|problem| diagnose(shown, problem)).collect(),
        terms: SealTerms {
            path_regex: creation.path_regex.clone(),
            recipients: creation.named_keys.clone(),
            selector: creation.scope.to_string(),
            line: source.line_column(creation.start.start).0,
        },
        creation,
    }
}

/// Says what is wrong, and what to do.
fn diagnose(source: &Arc<Source>, problem: &RuleProblem) -> Diagnostic {
    let told = match &problem.kind {
        RuleProblemKind::Recipient {
            text,
            hidden,
            unfit,
        } => recipient(source, text, *hidden, *unfit),
        kind => usual(source, kind),
    };
    // Nobody looks whether recipients stand there.
    let shown = match problem.kind {
        RuleProblemKind::KeyGroups => source.keys_only(),
        _ => Arc::clone(source),
    };
    let label = match problem.kind {
        RuleProblemKind::Shape(_) => "not so here",
        _ => "",
    };
    match problem.span {
        Some(span) => told.at(&shown, span, label),
        None => told,
    }
}

fn usual(source: &Arc<Source>, kind: &RuleProblemKind) -> Diagnostic {
    match kind {
        RuleProblemKind::Shape(what) => Diagnostic::error(&codes::SOPS_RULES_SHAPE, what.clone()),
        RuleProblemKind::UnknownKey { key, known } => {
            let message = format!("SOPS knows no key `{}` and passes over it", shown_key(key));
            Diagnostic::warning(&codes::SOPS_RULES_UNKNOWN_KEY, message)
                .with_suggestion(key, known.iter().copied())
        }
        RuleProblemKind::Selectors { one_span, .. } => {
            Diagnostic::error(&codes::SOPS_RULES_SELECTORS, kind.to_string())
                .with_related(Place::new(source, *one_span), "the other one")
                .with_hint("keep one of them, or write two rules with different `path_regex`")
        }
        RuleProblemKind::Pattern { .. } => {
            Diagnostic::error(&codes::SOPS_RULES_REGEX, kind.to_string()).with_hint(
                "SOPS uses the syntax of Go (RE2), which has no look-around and no back references",
            )
        }
        RuleProblemKind::KeyGroups => Diagnostic::error(
            &codes::UNSUPPORTED_KEY_GROUPS,
            "a rule has several key groups, and Kiln cannot split a data key over them",
        )
        .with_hint("put all recipients into one group, any of which then opens the file"),
        RuleProblemKind::Threshold(_) => Diagnostic::error(
            &codes::SHAMIR_THRESHOLD,
            kind.to_string(),
        )
        .with_hint(
            "SOPS would pass over the threshold and let each single key open the file; remove it",
        ),
        RuleProblemKind::ForeignKey(key) => Diagnostic::error(
            &codes::UNSUPPORTED_KEY_TYPE,
            format!("a rule seals for a key of `{key}`, and Kiln seals for age keys only"),
        )
        .with_hint(
            "use age recipients, or keep such files out of the templates and seal them with `sops`",
        ),
        RuleProblemKind::NoRecipient | RuleProblemKind::Recipient { .. } => {
            Diagnostic::error(&codes::NO_RECIPIENT, "a rule names no one to seal for").with_hint(
                "add `age: age1…` with the public key of each identity that may open the file",
            )
        }
    }
}

fn recipient(source: &Arc<Source>, text: &str, hidden: bool, unfit: Unfit) -> Diagnostic {
    match unfit {
        Unfit::Malformed => {
            let named = if hidden {
                "this".to_owned()
            } else {
                format!("`{text}`")
            };
            Diagnostic::error(&codes::BAD_RECIPIENT, format!("{named} is not an age recipient"))
                .with_hint("a recipient is the line `age1…` that `age-keygen -y` prints for an identity")
        }
        Unfit::Private => Diagnostic::error(
            &codes::BAD_RECIPIENT,
            format!("`{}` holds a private age key", source.path),
        )
        .with_hint("put the public key (`age1…`) there, and make a new key: this one may be known to others"),
        Unfit::Damaged(kind, damage) => {
            let named = shown_recipient(text);
            let message = format!("`{named}` is a broken {kind} recipient: {damage}");
            Diagnostic::error(&codes::BAD_RECIPIENT, message).with_hint("copy the whole public key again")
        }
        Unfit::Unsupported(kind) => Diagnostic::error(
            &codes::UNSUPPORTED_RECIPIENT,
            format!("{kind} are not supported as recipients"),
        )
        .with_hint(kind.advice()),
    }
}
