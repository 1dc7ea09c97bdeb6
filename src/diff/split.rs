//! Values of items, with what must not be shown taken apart.

use kustomize::{Field, FieldValue, Origin};
use serde_json::Value;

use super::items::{Item, ItemContent, LISTS, is_kustomization};
use super::route::{DiffStep, Route};
use super::secrets::{HIDDEN, SecretLeaves, leaves};
use super::side::{Side, Sight};
use crate::flux::{LAST_APPLIED, is_open_in_secret};

/// The content of an item: what may be shown, and what is told by key.
#[derive(Clone, Debug)]
pub(super) struct SplitValue {
    /// What may be shown; of an item that is a secret as a whole, everything all the same.
    pub(super) open: Value,
    /// What is only compared.
    pub(super) secret: SecretLeaves,
}

impl Item<'_> {
    /// Returns the content, without SOPS' metadata and without what a kustomization only lists.
    pub(super) fn split(&self) -> SplitValue {
        let mut secret = SecretLeaves::new();
        let mut open = match &self.content {
            ItemContent::Text(text) => Value::from(*text),
            ItemContent::Document(root) => root.to_kubernetes(),
            ItemContent::Applied(_) | ItemContent::Release(_) => {
                let field = self.field();
                let hides = !self.is_secret()
                    && (!self.side.is_open() || field.is_some_and(Field::holds_secret));
                match field {
                    Some(field) if hides => {
                        let mut reader = PartReader {
                            side: self.side,
                            secret: &mut secret,
                        };
                        reader.read(field, &Route::default())
                    }
                    Some(field) => field.to_json(),
                    None => Value::Null,
                }
            }
        };
        if let Some(entries) = open.as_object_mut() {
            if self.is_secret() {
                entries.shift_remove("sops");
            }
            if matches!(&self.content, ItemContent::Document(root) if is_kustomization(root)) {
                entries.retain(|key, _| !LISTS.contains(&key.as_str()));
            }
        }
        if self.is_open_secret() {
            self.take_data(&mut open, &mut secret);
        }
        SplitValue { open, secret }
    }

    /// Takes what a Secret holds out of what may be shown.
    fn take_data(&self, open: &mut Value, secret: &mut SecretLeaves) {
        let Some(entries) = open.as_object_mut() else {
            return;
        };
        let mut take = |above: Route, value: &Value| {
            for (route, leaf) in leaves(value, self.sight) {
                let mut whole = above.clone();
                whole.0.extend(route.0);
                // What was taken out before has its own sight.
                secret.entry(whole).or_insert(leaf);
            }
        };
        let hidden: Vec<String> = entries
            .keys()
            .filter(|key| !is_open_in_secret(key))
            .cloned()
            .collect();
        for key in hidden {
            if let Some(value) = entries.shift_remove(&key) {
                take(Route::default().key(&key), &value);
            }
        }
        let metadata = entries.get_mut("metadata").and_then(Value::as_object_mut);
        let annotations = metadata
            .and_then(|metadata| metadata.get_mut("annotations"))
            .and_then(Value::as_object_mut);
        if let Some(value) = annotations.and_then(|all| all.shift_remove(LAST_APPLIED)) {
            let above = Route::default().key("metadata").key("annotations");
            take(above.key(LAST_APPLIED), &value);
        }
    }
}

struct PartReader<'r, 's> {
    side: &'s Side,
    secret: &'r mut SecretLeaves,
}

impl PartReader<'_, '_> {
    fn read(&mut self, field: &Field, route: &Route) -> Value {
        match &field.value {
            FieldValue::Scalar(_) => {
                let value = field.to_json();
                let sight = self.sight(&field.origin);
                if sight == Sight::Open {
                    return value;
                }
                self.secret.insert(route.clone(), (value, sight));
                Value::from(HIDDEN)
            }
            FieldValue::Sequence(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| self.read(item, &route.then(DiffStep::Index(index))))
                    .collect()
            }
            FieldValue::Mapping(entries) => {
                let pairs = entries.iter().map(|entry| {
                    let value = self.read(&entry.value, &route.key(&entry.key));
                    (entry.key.clone(), value)
                });
                Value::Object(pairs.collect())
            }
        }
    }

    /// Returns how much may be shown of a value: as much as of all the places that have a part in it.
    fn sight(&self, origin: &Origin) -> Sight {
        let places = std::iter::once(&origin.place).chain(origin.shaped_by());
        let sight = places
            .map(|place| self.side.sight(place))
            .find(|sight| *sight != Sight::Open)
            .unwrap_or(Sight::Open);
        match sight {
            Sight::Open if origin.is_of_secret() => Sight::Secret,
            sight => sight,
        }
    }
}
