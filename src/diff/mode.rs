//! Files that became programs, and programs that are none any more.

use serde_json::Value;

use super::report::{ChangeKind, ChangedField, FieldEdit, OutputLine, ReportedChange, Subject};
use super::route::{DiffStep, Route};
use super::side::{Held, Side};

/// Adds to the changes what differs in the modes of files that both sides have, as git names them.
pub(super) fn add_changes(before: &Side, after: &Side, changes: &mut Vec<ReportedChange>) {
    for (path, old) in &before.files {
        let Some(new) = after.files.get(path) else {
            continue;
        };
        if old.file.executable == new.file.executable {
            continue;
        }
        let field = ChangedField {
            route: Route(vec![DiffStep::Key("mode".to_owned())]),
            edit: FieldEdit::Changed(mode(old), mode(new)),
        };
        let is_of_file = |change: &&mut ReportedChange| {
            change.kind == ChangeKind::Changed
                && change.subject.is_file()
                && change.subject.name == *path
        };
        match changes.iter_mut().find(is_of_file) {
            Some(change) => change.fields.push(field),
            None => changes.push(change(path, field)),
        }
    }
}

fn mode(held: &Held) -> Value {
    Value::from(if held.file.executable {
        "100755"
    } else {
        "100644"
    })
}

fn change(path: &str, field: ChangedField) -> ReportedChange {
    let spot = OutputLine {
        path: path.to_owned(),
        line: 1,
    };
    ReportedChange {
        subject: Subject {
            name: path.to_owned(),
            ..Subject::default()
        },
        also: Vec::new(),
        kind: ChangeKind::Changed,
        was: None,
        before: Some(spot.clone()),
        after: Some(spot),
        places: Vec::new(),
        fields: vec![field],
        body: None,
        note: None,
        causes: Vec::new(),
    }
}
