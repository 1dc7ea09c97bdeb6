//! Values that apps ask for, laid beneath what the data files say.

use serde_json::{Map, Value};

use super::cluster::Merged;
use crate::diagnostic::{self, Diagnostic};
use crate::source::Place;
use crate::yaml::{Route, Step};

/// A value that an app asks for.
#[derive(Clone, Debug)]
pub struct AskedValue {
    /// Where it belongs: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// The app.
    pub by: String,
    /// Where it asks.
    pub place: Place,
}

impl Merged {
    /// Fills in values where the data files say nothing; where they say something else, that is reported with both places.
    pub fn lay_under(&mut self, asked: Vec<AskedValue>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for one in asked {
            let given = self.value.pointer(&one.pointer);
            match given.filter(|value| !value.is_null()) {
                None => {
                    if set(&mut self.value, &one.pointer, one.value) {
                        self.places.note(&one.pointer, &one.place);
                    }
                }
                Some(given) if *given == one.value => {}
                Some(_) => problems.push(self.contradiction(&one)),
            }
        }
        problems
    }

    fn contradiction(&self, asked: &AskedValue) -> Diagnostic {
        let key = Route::from_pointer(&asked.pointer);
        let message = format!("`{key}` is set, and `{}` asks for another value", asked.by);
        Diagnostic::error(&diagnostic::codes::APP_ASKS_CONTRADICT, message)
            .at_place_if(self.places.key(&asked.pointer).as_ref())
            .with_related(asked.place.clone(), "asked for here")
            .with_hint(format!("remove it, or turn `{}` off", asked.by))
    }
}

/// Sets a value, with the tables on the way; false where something else than a table is in the way.
fn set(root: &mut Value, pointer: &str, value: Value) -> bool {
    let mut steps = Route::from_pointer(pointer).0.into_iter().peekable();
    let mut at = root;
    while let Some(step) = steps.next() {
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
        let (Some(table), Step::Key(key)) = (at.as_object_mut(), step) else {
            return false;
        };
        let next = table.entry(key).or_insert(Value::Null);
        if steps.peek().is_none() {
            *next = value;
            return true;
        }
        at = next;
    }
    false
}
