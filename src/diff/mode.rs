//! Files that became programs, and programs that are none any more.

use serde_json::Value;

use super::report::{Change, Edit, Field, Kind, Spot, Subject};
use super::route::{Route, Step};
use super::side::{Held, Side};

/// Adds to the changes what differs in the modes of files that both sides have, as git names them.
pub(super) fn add_changes(before: &Side, after: &Side, changes: &mut Vec<Change>) {
    for (path, old) in &before.files {
        let Some(new) = after.files.get(path) else {
            continue;
        };
        if old.file.executable == new.file.executable {
            continue;
        }
        let field = Field {
            route: Route(vec![Step::Key("mode".to_owned())]),
            edit: Edit::Changed(mode(old), mode(new)),
        };
        let is_of_file = |change: &&mut Change| {
            change.kind == Kind::Changed && change.subject.is_file() && change.subject.name == *path
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

fn change(path: &str, field: Field) -> Change {
    let spot = Spot {
        path: path.to_owned(),
        line: 1,
    };
    Change {
        subject: Subject {
            name: path.to_owned(),
            ..Subject::default()
        },
        also: Vec::new(),
        kind: Kind::Changed,
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
