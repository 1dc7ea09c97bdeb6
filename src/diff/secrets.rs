//! Secrets, compared by key: a value never leaves this module.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::fields::same;
use super::report::{ChangedField, DiffReport, FieldEdit, ReportedChange, Secrecy};
use super::route::{DiffStep, Route};
use super::side::Sight;
use crate::secret::{Secret, Secrets};

/// What is shown where a secret stands.
pub const HIDDEN: &str = "(secret)";

/// The keys of an object that tell what it is and hold no secret.
const OPEN: [&str; 3] = ["apiVersion", "kind", "metadata"];
/// The shortest text that is looked for in what is shown: a shorter one is part of any text.
const SHORTEST: usize = 6;

/// Plain values that are secret, each with how much of it can be seen.
pub(super) type SecretLeaves = BTreeMap<Route, (Value, Sight)>;

/// Compares two secret values key by key.
pub(super) fn compare(old: &SecretLeaves, new: &SecretLeaves) -> Vec<ChangedField> {
    let mut routes: Vec<&Route> = old.keys().chain(new.keys()).collect();
    routes.sort_unstable();
    routes.dedup();
    let mut found = Vec::new();
    for route in routes {
        let secrecy = match (old.get(route), new.get(route)) {
            (Some(old), Some(new)) => match judge((&old.0, old.1), (&new.0, new.1)) {
                Some(secrecy) => secrecy,
                None => continue,
            },
            (Some(_), None) => Secrecy::Removed,
            (None, _) => Secrecy::Added,
        };
        let open = OPEN.iter().any(|key| route.starts_with(&[key]));
        if !(open && secrecy == Secrecy::Same) {
            found.push(ChangedField {
                route: route.clone(),
                edit: FieldEdit::Secret(secrecy),
            });
        }
    }
    found
}

/// Lists the keys of a secret value that came or went as a whole.
pub(super) fn keys(secret: &SecretLeaves, secrecy: Secrecy) -> Vec<ChangedField> {
    let routes = secret.keys().cloned();
    let hidden = routes.filter(|route| !OPEN.iter().any(|key| route.starts_with(&[key])));
    hidden
        .map(|route| ChangedField {
            route,
            edit: FieldEdit::Secret(secrecy),
        })
        .collect()
}

/// Returns whether any key came, went, or has or may have another value.
pub(super) fn differs(fields: &[ChangedField]) -> bool {
    let same = |field: &ChangedField| matches!(field.edit, FieldEdit::Secret(Secrecy::Same));
    !fields.iter().all(same)
}

/// Compares two values; `None` where one is a ciphertext, or made up, and the other is not: nothing can be told then.
fn judge((old, old_sight): (&Value, Sight), (new, new_sight): (&Value, Sight)) -> Option<Secrecy> {
    let closed = |value: &Value, sight: Sight| sight == Sight::Sealed && is_ciphertext(value);
    let made_up = |sight: Sight| sight == Sight::MadeUp;
    match (closed(old, old_sight), closed(new, new_sight)) {
        _ if same(old, new) => Some(Secrecy::Same),
        (true, true) => Some(Secrecy::Unknown),
        // What is made up differs where the ciphertext behind it does.
        (false, false) if made_up(old_sight) && made_up(new_sight) => Some(Secrecy::Unknown),
        (false, false) if made_up(old_sight) == made_up(new_sight) => Some(Secrecy::Changed),
        _ => None,
    }
}

fn is_ciphertext(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.starts_with("ENC[") && text.ends_with(']'))
}

/// Lists the plain values of a value with their routes; items of lists by position, as a name of an
/// item could be a secret itself.
pub(super) fn leaves(value: &Value, sight: Sight) -> SecretLeaves {
    let mut found = BTreeMap::new();
    walk(value, &Route::default(), sight, &mut found);
    found
}

fn walk(value: &Value, route: &Route, sight: Sight, found: &mut SecretLeaves) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, inner) in entries {
                walk(inner, &route.key(key), sight, found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, &route.then(DiffStep::Index(index)), sight, found);
            }
        }
        plain => {
            found.insert(route.clone(), (plain.clone(), sight));
        }
    }
}

/// Finds secrets in what would be shown: the last line of defence, as checks refuse such a tree.
pub(super) struct Censor {
    needles: Vec<Secret>,
}

impl Censor {
    pub(super) fn of<'s>(sides: impl IntoIterator<Item = &'s Secrets>) -> Self {
        let mut needles = Vec::new();
        for (secret, _) in sides.into_iter().flat_map(Secrets::iter) {
            let text = secret.expose();
            if text.len() < SHORTEST {
                continue;
            }
            needles.push(Secret::new(STANDARD.encode(text)));
            let escaped = Value::from(text).to_string();
            needles.push(Secret::new(escaped.trim_matches('"')));
            // The lines of a key are shown one by one.
            let lines = text.lines().map(str::trim);
            let telling = lines.filter(|line| line.len() >= 16 && !line.starts_with("-----"));
            needles.extend(telling.map(Secret::new));
            needles.push(secret.clone());
        }
        needles.sort();
        needles.dedup();
        // The longest first, so that no part of a longer one is left.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.expose().len()));
        Self { needles }
    }

    pub(super) fn text(&self, text: &mut String) {
        for needle in &self.needles {
            if text.contains(needle.expose()) {
                *text = text.replace(needle.expose(), HIDDEN);
            }
        }
    }

    pub(super) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(entries) => {
                let shown = std::mem::take(entries)
                    .into_iter()
                    .map(|(mut key, mut value)| {
                        self.text(&mut key);
                        self.value(&mut value);
                        (key, value)
                    });
                *entries = shown.collect();
            }
            _ => {}
        }
    }

    /// Goes over all that a report shows.
    pub(super) fn report(&self, report: &mut DiffReport) {
        if self.needles.is_empty() {
            return;
        }
        for change in &mut report.changes {
            self.change(change);
        }
        for danger in &mut report.dangers {
            self.text(&mut danger.message);
            self.text(&mut danger.why);
        }
        for setting in &mut report.settings {
            self.text(&mut setting.setting);
            let sides = [&mut setting.before, &mut setting.after];
            sides.into_iter().flatten().for_each(|text| self.text(text));
        }
        for bump in report.images.iter_mut().chain(&mut report.charts) {
            self.text(&mut bump.name);
            bump.before.iter_mut().for_each(|text| self.text(text));
            bump.after.iter_mut().for_each(|text| self.text(text));
        }
    }

    fn change(&self, change: &mut ReportedChange) {
        change.body.iter_mut().for_each(|body| self.text(body));
        for field in &mut change.fields {
            for step in &mut field.route.0 {
                if let DiffStep::Key(text) | DiffStep::Item(text) = step {
                    self.text(text);
                }
            }
            match &mut field.edit {
                FieldEdit::Added(value) | FieldEdit::Removed(value) => self.value(value),
                FieldEdit::Changed(old, new) => {
                    [old, new].into_iter().for_each(|it| self.value(it));
                }
                FieldEdit::Items { removed, added } => {
                    let all = removed.iter_mut().chain(added);
                    all.for_each(|value| self.value(value));
                }
                FieldEdit::Reordered(old, new) => {
                    old.iter_mut().chain(new).for_each(|text| self.text(text));
                }
                FieldEdit::Text(hunks) => {
                    let lines = hunks.iter_mut().flat_map(|hunk| &mut hunk.lines);
                    lines.for_each(|line| self.text(&mut line.text));
                }
                FieldEdit::Secret(_) => {}
            }
        }
    }
}
