//! Targets of patches and replacements that are for no object.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::TargetNote;

use crate::diagnostic::{Diagnostic, Meaning, Severity, closest};
use crate::flux::AppliedTarget;
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "patch-target-missing",
        summary: "Every target of a patch or replacement is for some object of its build",
        text: "\
kustomize passes over a patch whose `target` matches nothing, and over a replacement whose `select` does, without a
word, and so does Flux with the `patches` of a Kustomization: what they were to change stays as it was. The fields of a
target are regular expressions that must match the whole: `metrics` does not match `metrics-server`.

A target that stands in a component, or in a patch that many Kustomizations get, is fine as soon as one build has an
object for it. One that names an object is an error; one that asks for a kind or a pattern of names is a warning, as the
object may be still to come. Nothing is said of targets by label alone, which objects opt in to, and where a part of the
build is not seen.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let applied = &facts.builds.applied;
    let mut places: BTreeMap<(&str, usize, usize), Vec<&AppliedTarget>> = BTreeMap::new();
    for target in &applied.targets {
        let build = &applied.builds[target.build];
        let is_reached = build.is_reached() || applied.roots.is_empty();
        if build.refused || !is_reached {
            continue;
        }
        let place = target.note.field.place();
        let key = (place.file.path.as_str(), place.document, place.span.start);
        places.entry(key).or_default().push(target);
    }
    for targets in places.into_values() {
        let Some(first) = targets.first() else {
            continue;
        };
        let shown = facts.builds.place(first.note.field.place());
        let mut subject = JudgedSubject::named(shown.as_ref().map_or_else(
            || first.note.field.place().file.path.clone(),
            |place| place.source.path.clone(),
        ));
        subject.place = shown;
        let wanted = WantedObject::read(&first.note);
        if targets.iter().any(|target| target.note.matched) {
            judge.found(subject, Vec::new());
        } else if wanted.is_substituted {
            judge.unseen(subject, "it holds a variable that is not seen", None);
        } else if wanted.labels.is_some() && wanted.name.is_none() {
            judge.unseen(
                subject,
                "objects ask for it by a label, and none does",
                None,
            );
        } else {
            let finding = unmatched(facts, &targets, &wanted);
            judge.found(subject, vec![finding]);
        }
    }
}

/// What a target asks for, as it is written.
struct WantedObject {
    kind: Option<String>,
    name: Option<String>,
    labels: Option<String>,
    is_replacement: bool,
    is_substituted: bool,
}

impl WantedObject {
    fn read(note: &TargetNote) -> Self {
        let text = |key| note.field.find_text(&[key]).map(str::to_owned);
        let entries = note.field.entries().unwrap_or_default().iter();
        let mut texts = entries.filter_map(|entry| entry.value.as_text());
        Self {
            kind: text("kind"),
            name: text("name"),
            labels: text("labelSelector").or_else(|| text("annotationSelector")),
            is_replacement: note.is_replacement,
            is_substituted: texts.any(is_substituted),
        }
    }

    /// Returns whether it names one object, and no pattern of names.
    fn names_one(&self) -> bool {
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
        let name = self.name.as_deref().unwrap_or_default();
        !name.is_empty() && name.chars().all(is_plain)
    }

    fn told(&self) -> String {
        match (&self.kind, &self.name) {
            (Some(kind), Some(name)) => format!("`{kind}/{name}`"),
            (Some(kind), None) => format!("a `{kind}`"),
            (None, Some(name)) => format!("an object `{name}`"),
            (None, None) => "an object".to_owned(),
        }
    }
}

fn unmatched(facts: &Facts<'_>, targets: &[&AppliedTarget], wanted: &WantedObject) -> Diagnostic {
    let what = if wanted.is_replacement {
        "this replacement"
    } else {
        "this patch"
    };
    let builds = match targets {
        [one] => format!(
            "its build `{}`",
            facts.builds.applied.builds[one.build].folder
        ),
        many => format!("any of the {} builds that have it", many.len()),
    };
    let message = format!(
        "{what} is for {}, and there is none in {builds}",
        wanted.told()
    );
    let problem = if wanted.names_one() {
        Diagnostic::error(&RULE.meaning, message)
    } else {
        Diagnostic::warning(&RULE.meaning, message)
    };
    let mut problem = problem;
    if let Some(place) = targets
        .first()
        .and_then(|target| facts.builds.place(target.note.field.place()))
    {
        problem = facts.at(problem, &place, "");
    }
    with_advice(facts, problem, targets, wanted)
}

/// Says what was meant, if something near is there.
fn with_advice(
    facts: &Facts<'_>,
    problem: Diagnostic,
    targets: &[&AppliedTarget],
    wanted: &WantedObject,
) -> Diagnostic {
    let builds: BTreeSet<usize> = targets.iter().map(|target| target.build).collect();
    let objects = facts.builds.applied.objects.iter();
    let objects = objects.filter(|object| builds.contains(&object.build));
    let kind = wanted.kind.as_deref();
    let (given, names): (&str, BTreeSet<String>) = if let Some(name) = wanted.name.as_deref() {
        let same_kind = objects.filter(|object| kind.is_none_or(|kind| kind == object.kind()));
        (name, same_kind.map(|object| object.key().name).collect())
    } else {
        let kinds = objects.map(|object| object.kind().to_owned());
        (kind.unwrap_or_default(), kinds.collect())
    };
    match closest(given, names.iter().map(String::as_str)) {
        Some(near) if near != given => problem.with_hint(format!("did you mean `{near}`?")),
        _ => problem.with_hint("mend its `target`, or remove it"),
    }
}
