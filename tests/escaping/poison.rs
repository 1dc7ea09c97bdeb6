//! A diff and a scorecard in which every text of people's files is one name.

use kiln::audit::Sheet;
use kiln::diff::{
    ChangeCause, ChangedField, ComparisonGap, DiffReport, DiffStep, FieldEdit, HunkLine,
    OutputLine, Route, SettingChange, Subject,
};
use kiln::pipeline::Audited;
use kiln::rules::Verdict;
use kiln::source::{Place, Source, Span};
use serde_json::{Value, json};

use crate::diff::diff;

const BEFORE: &[(&str, &str)] = &[
    (
        "apps/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n        - name: web\n          image: example.org/web:1.0.0\n          args: [a, b]\n",
    ),
    (
        "apps/old.yaml",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: old\n",
    ),
    (
        "apps/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  text: |\n    one\n    two\n",
    ),
    (
        "apps/secret.sops.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: secret\nstringData:\n  a: one-of-many\n",
    ),
    ("notes.txt", "one\n"),
];

const AFTER: &[(&str, &str)] = &[
    (
        "apps/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 0\n  template:\n    spec:\n      containers:\n        - name: web\n          image: example.org/web:2.0.0\n          args: [a, c]\n          securityContext:\n            privileged: true\n",
    ),
    (
        "apps/new.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\ndata:\n  a: b\n",
    ),
    (
        "apps/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  text: |\n    one\n    three\n",
    ),
    (
        "apps/secret.sops.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: secret\nstringData:\n  a: two-of-many\n",
    ),
    ("notes.txt", "two\n"),
];

/// Returns a diff that has of everything, all texts of which are `name`.
pub(super) fn report(name: &str) -> DiffReport {
    let mut report = diff(BEFORE, AFTER);
    assert!(report.dangers.len() > 2 && report.changes.len() > 5 && !report.images.is_empty());
    name.clone_into(&mut report.before);
    name.clone_into(&mut report.after);
    for danger in &mut report.dangers {
        // As our own sentences are made: with the name in backticks, and without.
        danger.message = format!("`{name}` of {name} is gone");
        danger.why = format!("{name} needs `{name}`");
        if let Some(spot) = &mut danger.spot {
            name.clone_into(&mut spot.path);
        }
    }
    for (at, change) in report.changes.iter_mut().enumerate() {
        // An own namespace each, as a diff has no object twice.
        change.subject = subject(name, at);
        change.also = vec![subject(name, at + 200), subject(name, at + 300)];
        change.places = vec![OutputLine {
            path: name.to_owned(),
            line: 1,
        }];
        change.was = Some(subject(name, at + 100));
        change.note = Some(format!("{name} was `{name}`"));
        change.causes = vec![
            ChangeCause::Template(name.to_owned()),
            ChangeCause::Config(name.to_owned()),
        ];
        for spot in [&mut change.before, &mut change.after]
            .into_iter()
            .flatten()
        {
            name.clone_into(&mut spot.path);
        }
        if let Some(body) = &mut change.body {
            *body = format!("{name}\n{name}");
        }
        for field in &mut change.fields {
            *field = ChangedField {
                route: Route(vec![
                    DiffStep::Key(name.to_owned()),
                    DiffStep::Item(name.to_owned()),
                ]),
                edit: poisoned(&field.edit, name),
            };
        }
    }
    report.gaps = vec![ComparisonGap {
        side: name.to_owned(),
        what: name.to_owned(),
        why: format!("{name} needs `{name}`"),
        spot: None,
        objects: 2,
        refused: true,
    }];
    report.settings = vec![SettingChange {
        file: name.to_owned(),
        setting: name.to_owned(),
        before: Some(name.to_owned()),
        after: Some(name.to_owned()),
    }];
    for bump in &mut report.images {
        bump.subject = subject(name, 0);
        name.clone_into(&mut bump.name);
        bump.before = Some(name.to_owned());
        bump.after = Some(name.to_owned());
    }
    report
}

fn subject(name: &str, number: usize) -> Subject {
    Subject {
        namespace: format!("{name}{number}"),
        kind: name.to_owned(),
        name: name.to_owned(),
        group: name.to_owned(),
        cluster: name.to_owned(),
    }
}

fn poisoned(edit: &FieldEdit, name: &str) -> FieldEdit {
    let value = || Value::from(name);
    match edit {
        FieldEdit::Added(_) => FieldEdit::Added(json!({name: [name]})),
        FieldEdit::Removed(_) => FieldEdit::Removed(value()),
        FieldEdit::Changed(..) => FieldEdit::Changed(value(), value()),
        FieldEdit::Text(hunks) => {
            let mut hunks = hunks.clone();
            let lines = hunks.iter_mut().flat_map(|hunk| &mut hunk.lines);
            lines.for_each(|HunkLine { text, .. }| name.clone_into(text));
            FieldEdit::Text(hunks)
        }
        FieldEdit::Items { .. } => FieldEdit::Items {
            removed: vec![value()],
            added: vec![value()],
        },
        FieldEdit::Reordered(..) => {
            FieldEdit::Reordered(vec![name.to_owned()], vec![name.to_owned()])
        }
        FieldEdit::Secret(secrecy) => FieldEdit::Secret(*secrecy),
    }
}

/// Returns a scorecard, all texts of which are `name`.
pub(super) fn audited(name: &str) -> Audited {
    let mut audited = crate::audit::audited("unknown");
    for sheet in [&mut audited.scorecard.before, &mut audited.scorecard.after] {
        poison_sheet(sheet, name);
    }
    name.clone_into(&mut audited.kubernetes);
    audited
}

fn poison_sheet(sheet: &mut Sheet, name: &str) {
    let source = Source::new(name, "x");
    let place = Place::new(&source, Span::new(0, 1));
    for (at, item) in sheet
        .outcomes
        .iter_mut()
        .flat_map(|outcome| &mut outcome.judgements)
        .enumerate()
    {
        // Charts that are not known are listed once each.
        let number = if item.unknown_chart { 0 } else { at };
        item.subject = format!("{name}/{number}, container `{name}`");
        item.place = Some(place.clone());
        item.template = Some(place.clone());
        item.verdict = match &item.verdict {
            Verdict::Pass => Verdict::Pass,
            Verdict::Fail(_) => Verdict::Fail(format!("it lacks `{name}` of {name}")),
            Verdict::Unknown(_) => Verdict::Unknown(name.to_owned()),
            Verdict::Exempt(_) => Verdict::Exempt(name.to_owned()),
        };
    }
}
