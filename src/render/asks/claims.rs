//! What several apps ask for, brought together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::field_value::FieldClaim;
use crate::diagnostic::{self, Diagnostic};
use crate::source::Place;

/// A field: its name, and the key in it.
type FieldPath = (&'static str, Option<String>);

/// Fields with what apps ask of them; of each one value, by the app that asked first.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    claims: BTreeMap<FieldPath, (String, FieldClaim)>,
    /// The fields of which a contradiction is told.
    told: BTreeSet<FieldPath>,
}

impl Claims {
    /// Adds what an app asks for; another value of the same field is a contradiction.
    ///
    /// `what` says what the fields belong to, as a message goes on behind the field: ``of namespace `media` ``.
    pub(super) fn add(
        &mut self,
        app: &str,
        claim: FieldClaim,
        what: &str,
        problems: &mut Vec<Diagnostic>,
    ) {
        let path = (claim.field, claim.key.clone());
        match self.claims.get(&path) {
            None => {
                self.claims.insert(path, (app.to_owned(), claim));
            }
            Some((_, first)) if first.value == claim.value => {}
            Some((other, first)) => {
                if self.told.insert(path) {
                    problems.push(contradiction((other, first), (app, &claim), what));
                }
            }
        }
    }

    /// Returns a value as templates see it: a flag that nobody asks for is false.
    pub(super) fn flag(&self, field: &'static str) -> bool {
        let claim = self.claims.get(&(field, None));
        claim.is_some_and(|(_, claim)| claim.value == Json::Bool(true))
    }

    /// Returns the entries of a table, sorted by key.
    pub(super) fn table(&self, field: &'static str) -> Map<String, Json> {
        self.of(field)
            .map(|(key, claim)| (key.clone(), claim.value.clone()))
            .collect()
    }

    /// Lists the texts of a list, sorted.
    pub(super) fn texts(&self, field: &'static str) -> Vec<&str> {
        self.of(field).map(|(key, _)| key.as_str()).collect()
    }

    /// Lists what is asked of the keys of a field.
    pub(super) fn of(&self, field: &'static str) -> impl Iterator<Item = (&String, &FieldClaim)> {
        let claims = self.claims.iter().filter(move |(path, _)| path.0 == field);
        claims.filter_map(|((_, key), (_, claim))| Some((key.as_ref()?, claim)))
    }

    /// Lists what is asked for, with who asked first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &FieldClaim)> {
        let claims = self.claims.values();
        claims.map(|(app, claim)| (app.as_str(), claim))
    }

    /// Drops what another list asks for as well.
    pub(super) fn without(&mut self, others: &Self) {
        self.claims
            .retain(|path, _| !others.claims.contains_key(path));
    }
}

/// Tells of two apps that ask for different values of one field.
fn contradiction(
    (first_app, first): (&str, &FieldClaim),
    (app, claim): (&str, &FieldClaim),
    what: &str,
) -> Diagnostic {
    let field = match &claim.key {
        Some(key) => format!("`{}` in `{}`", key, claim.field),
        None => format!("`{}`", claim.field),
    };
    let apps = if first_app == app {
        format!("`{app}` asks for two different values of {field}{what}")
    } else {
        format!("`{first_app}` and `{app}` ask for different values of {field}{what}")
    };
    contradicting(apps, (first_app, &first.place), (app, &claim.place))
}

/// Shows where two apps, or one app twice, ask for what cannot be had together.
pub(super) fn contradicting(
    message: String,
    (first_app, first): (&str, &Place),
    (app, place): (&str, &Place),
) -> Diagnostic {
    let hint = if first_app == app {
        "remove one of them, or give it another `when`".to_owned()
    } else {
        format!(
            "turn `{first_app}` or `{app}` off, or put an `app.toml` of your own for one of them below `templates/`"
        )
    };
    Diagnostic::error(&diagnostic::codes::APP_ASKS_CONTRADICT, message)
        .at_place(place.clone(), "")
        .with_related(first.clone(), "the other value is asked for here")
        .with_hint(hint)
}
