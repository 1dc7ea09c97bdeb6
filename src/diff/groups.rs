//! Changes of many objects that one place makes, told once.

use std::collections::BTreeMap;

use super::danger::Danger;
use super::report::{ChangeKind, DiffReport, ReportedChange, Subject};

/// Joins the changes that are the same and come from the same place, and their dangers; sorts both.
pub(super) fn join(report: &mut DiffReport) {
    let mut changes = std::mem::take(&mut report.changes);
    changes.sort_by(|one, other| order(one).cmp(&order(other)));
    let mut joined: Vec<ReportedChange> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: BTreeMap<Subject, usize> = BTreeMap::new();
    for change in changes {
        let subject = change.subject.clone();
        let found = cause_of(&change).map(|cause| *known.entry(cause).or_insert(joined.len()));
        let at = match found {
            Some(at) if at < joined.len() => {
                add(&mut joined[at], change);
                at
            }
            _ => {
                joined.push(change);
                joined.len() - 1
            }
        };
        groups.insert(subject, at);
    }
    report.changes = joined;
    report.dangers = join_dangers(std::mem::take(&mut report.dangers), &groups);
}

fn order(change: &ReportedChange) -> (bool, &Subject) {
    (change.subject.is_file(), &change.subject)
}

fn add(change: &mut ReportedChange, twin: ReportedChange) {
    change.also.push(twin.subject);
    for cause in twin.causes {
        if !change.causes.contains(&cause) {
            change.causes.push(cause);
        }
    }
    change.causes.sort();
}

/// Returns what has to be equal for two changes to be told as one; `None` for one that stands for itself.
///
/// What comes or goes has one cause with whatever else is made of the same manifest. What changes has one cause with
/// whatever gets the same values from the same places.
fn cause_of(change: &ReportedChange) -> Option<String> {
    if change.subject.is_file() || change.was.is_some() {
        return None;
    }
    let kind = (change.kind, &change.note);
    let object = (&change.subject.kind, &change.subject.group);
    let spots = (&change.before, &change.after);
    match change.kind {
        ChangeKind::Added | ChangeKind::Removed => Some(format!("{kind:?} {object:?} {spots:?}")),
        ChangeKind::Changed if change.fields.is_empty() => Some(format!("{kind:?}")),
        ChangeKind::Changed if change.places.is_empty() => {
            let fields = &change.fields;
            Some(format!("{kind:?} {object:?} {spots:?} {fields:?}"))
        }
        ChangeKind::Changed => {
            let (fields, places) = (&change.fields, &change.places);
            Some(format!("{kind:?} {places:?} {fields:?}"))
        }
        ChangeKind::Renamed => None,
    }
}

/// Joins the dangers of joined changes that say the same of each object.
fn join_dangers(mut dangers: Vec<Danger>, groups: &BTreeMap<Subject, usize>) -> Vec<Danger> {
    dangers.sort();
    dangers.dedup();
    let mut joined: Vec<Danger> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for danger in dangers {
        let Some(group) = groups
            .get(&danger.subject)
            .filter(|_| danger.also.is_empty())
        else {
            joined.push(danger);
            continue;
        };
        let (code, route, why, spot) = (danger.code(), &danger.route, &danger.why, &danger.spot);
        // Two dangers of one object are two, whatever they have in common.
        let pattern = danger.message.replace(&danger.subject.to_string(), "");
        let key = format!("{group} {code} {route} {why} {spot:?} {pattern}");
        if let Some(at) = known.get(&key) {
            joined[*at].also.push(danger.subject);
        } else {
            known.insert(key, joined.len());
            joined.push(danger);
        }
    }
    joined
}
