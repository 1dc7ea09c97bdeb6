//! Values of Secrets and ConfigMaps that the API server does not take.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use kustomize::{Field, ScalarKind};

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::source::{Place, Source};

/// How a value starts that SOPS has sealed.
const SEALED: &str = "ENC[";

/// Base64 as Go reads it: the last bits of the last letter do not matter.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "secret-data-invalid",
        summary: "Every value of a Secret or ConfigMap is of the form that the API server takes",
        text: "\
The values of `data` in a Secret are base64, as are those of `binaryData` in a ConfigMap; all others are texts. The API
server refuses plain text where base64 belongs (\"illegal base64 data\"), and a number, `true`, a list or a mapping where
a text belongs: a chat id or a port needs quotes. Flux then applies nothing of the whole Kustomization.

Once a file is sealed nobody sees it any more, so that files which will be sealed are asked before they are. What is
sealed already is not. The value itself is never shown.

    stringData:
      chat: \"-1001234567890\"",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for (kind, fields) in [
        ("Secret", ["data", "stringData"]),
        ("ConfigMap", ["data", "binaryData"]),
    ] {
        let mut seen = BTreeSet::new();
        for member in facts.builds.of_kind("", kind) {
            let key = (member.spot(), member.namespace_name(), member.name.as_str());
            // Nobody sees what is wrong in a file once it is sealed, whoever applies it then.
            let is_asked = facts.builds.takes_in(member) || member.is_secret();
            if !is_asked || !seen.insert(key) {
                continue;
            }
            let mut findings = Vec::new();
            for part in fields {
                let is_base64 = (kind == "Secret" && part == "data") || part == "binaryData";
                let entries = member.find(part).and_then(Field::entries);
                for entry in entries.into_iter().flatten() {
                    let told = format!("`{part}.{}` of `{}`", entry.key, member.label());
                    findings.extend(problem(facts, member, &told, &entry.value, is_base64));
                }
            }
            judge.found(JudgedSubject::member(member), findings);
        }
    }
}

fn problem(
    facts: &Facts<'_>,
    member: &Member<'_>,
    told: &str,
    value: &Field,
    is_base64: bool,
) -> Option<Diagnostic> {
    let (message, hint) = match value.as_scalar() {
        None => (
            format!("{told} is no text but a list or a mapping"),
            "write it as a block of text: `key: |`",
        ),
        Some(scalar) => match scalar.kind {
            ScalarKind::Text if is_base64 => {
                let text = scalar.text.replace(['\n', '\r'], "");
                let is_open = is_substituted(&text) || text.starts_with(SEALED);
                // `sealed-empty` asks what is blank.
                if is_open || text.trim().is_empty() || LENIENT.decode(&text).is_ok() {
                    return None;
                }
                let hint = match member.kind() {
                    "Secret" => "put plain text into `stringData`, or encode it with `base64`",
                    _ => "put plain text into `data`, or encode it with `base64`",
                };
                (format!("{told} is no base64"), hint)
            }
            ScalarKind::Text | ScalarKind::Null | ScalarKind::Timestamp => return None,
            ScalarKind::Boolean => (
                format!("{told} is `true` or `false`, and the API server takes only texts"),
                "put it into quotes",
            ),
            ScalarKind::Integer | ScalarKind::Float => (
                format!("{told} is a number, and the API server takes only texts"),
                "put it into quotes",
            ),
        },
    };
    let error = Diagnostic::error(&RULE.meaning, message).with_hint(hint);
    let place = member.field_place(value);
    if member.kind() != "Secret" {
        return Some(facts.at(error, &place, ""));
    }
    // A patch may write it in a file of which nobody knows that it holds a secret.
    let error = error.at_place(hidden(&place), "");
    Some(match facts.template(&place) {
        Some(template) => error.with_related(hidden(&template), "rendered from here"),
        None => error,
    })
}

fn hidden(place: &Place) -> Place {
    let source = &place.source;
    let hidden = Source::sensitive(source.path.as_str(), source.text.as_ref());
    Place::new(&hidden, place.span)
}
