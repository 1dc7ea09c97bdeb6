//! The variables that Flux puts into what a Kustomization builds.

use std::collections::BTreeMap;

use base64::Engine as _;
use kustomize::{Field, Place};

use super::applied_object::{ObjectKey, is_of, key_of};

/// What a ConfigMap or Secret gives to those who read it.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueSource {
    /// The keys; `None` for a value that is not seen.
    pub(super) values: BTreeMap<String, (Option<String>, Place)>,
    /// Whether there may be other keys, as in a Secret that something in the cluster fills.
    pub(super) open_ended: bool,
}

/// A value that Flux puts in the place of a variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// The text; `None` where it is not seen: of a Secret, sealed or outside of git.
    pub(super) value: Option<String>,
    /// Where it is set.
    pub(super) place: Place,
}

/// All variables of a Kustomization.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    pub(super) known: BTreeMap<String, Variable>,
    /// The sources that are not seen, so that any name may be set by them.
    pub(super) unseen: Vec<(String, Place)>,
    /// Whether Flux substitutes even where nothing sets a variable.
    pub(super) always: bool,
}

/// What keeps Flux from reading the variables of a Kustomization.
#[derive(Clone, Debug)]
pub(super) enum VariableProblem {
    /// A name that is no name of a variable.
    Name(String, Place),
    /// A value that is no text.
    NotText(String, Place),
}

/// A source that `substituteFrom` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SubstituteFrom {
    pub(super) kind: String,
    pub(super) key: ObjectKey,
    pub(super) optional: bool,
    pub(super) place: Place,
}

impl ValueSource {
    /// Reads what an applied ConfigMap or Secret holds; `None` for any other object.
    ///
    /// No value of a Secret is ever seen.
    pub(super) fn of(object: &Field) -> Option<(String, ObjectKey, Self)> {
        let kind = object.find_text(&["kind"])?;
        let is_secret = kind == "Secret";
        if !is_of(object, "", kind) || !(is_secret || kind == "ConfigMap") {
            return None;
        }
        let mut source = Self::default();
        for part in ["data", "stringData"] {
            let entries = object
                .get(part)
                .and_then(Field::entries)
                .unwrap_or_default();
            for entry in entries {
                let value = (!is_secret)
                    .then(|| entry.value.as_text().unwrap_or_default().to_owned())
                    .filter(|text| !text.starts_with("ENC[AES256_GCM,"))
                    .filter(|_| !entry.value.origin.is_of_secret());
                let place = entry.value.place().clone();
                source.values.insert(entry.key.clone(), (value, place));
            }
        }
        Some((kind.to_owned(), key_of(object), source))
    }

    /// Takes values that the project gives by name; of a Secret the names alone, unless its values are filled in.
    pub(super) fn given(
        object: &Field,
        fills_in_secrets: bool,
    ) -> Option<(String, ObjectKey, Self)> {
        let mut found = Self::of(object)?;
        if found.0 == "Secret" && !fills_in_secrets {
            return Some(found);
        }
        let data = object.get("stringData").or_else(|| object.get("data"))?;
        for entry in data.entries().unwrap_or_default() {
            let text = entry.value.as_text().unwrap_or_default();
            let encoded = found.0 == "Secret" && object.get("stringData").is_none();
            let value = if encoded {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok();
                bytes.and_then(|bytes| String::from_utf8(bytes).ok())
            } else {
                Some(text.to_owned())
            };
            let place = entry.value.place().clone();
            found.2.values.insert(entry.key.clone(), (value, place));
        }
        Some(found)
    }
}

/// Lists the sources that a Kustomization reads variables from, in order: a later one wins.
pub(super) fn substitute_from(kustomization: &Field) -> Vec<SubstituteFrom> {
    let namespace = key_of(kustomization).namespace;
    let listed = kustomization.find(&["spec", "postBuild", "substituteFrom"]);
    let items = listed.and_then(Field::items).unwrap_or_default();
    let read = |item: &Field| {
        Some(SubstituteFrom {
            kind: item.find_text(&["kind"])?.to_owned(),
            key: ObjectKey::new(namespace.clone(), item.find_text(&["name"])?),
            optional: item.find_text(&["optional"]) == Some("true"),
            place: item.get("name").unwrap_or(item).place().clone(),
        })
    };
    items.iter().filter_map(read).collect()
}

impl Variables {
    /// Returns whether Flux substitutes at all.
    pub(super) fn are_used(&self) -> bool {
        self.always || !self.known.is_empty() || !self.unseen.is_empty()
    }

    /// Adds what a source gives, over what is there.
    pub(super) fn add_source(&mut self, name: &str, source: &ValueSource, asked: &Place) {
        for (key, (value, place)) in &source.values {
            let variable = Variable {
                // Flux takes line breaks out of every value.
                value: value.as_ref().map(|text| text.replace('\n', "")),
                place: place.clone(),
            };
            self.known.insert(key.clone(), variable);
        }
        if source.open_ended {
            self.unseen.push((name.to_owned(), asked.clone()));
        }
    }

    /// Adds what the Kustomization itself sets, over everything else.
    pub(super) fn add_own(&mut self, kustomization: &Field) -> Vec<VariableProblem> {
        let mut problems = Vec::new();
        let post_build = kustomization.find(&["spec", "postBuild"]);
        self.always =
            post_build.and_then(|field| field.find_text(&["substituteStrategy"])) == Some("Always");
        let own = post_build.and_then(|field| field.get("substitute"));
        for entry in own.and_then(Field::entries).unwrap_or_default() {
            let place = entry.value.place().clone();
            let is_text = entry
                .value
                .as_scalar()
                .is_some_and(|scalar| scalar.kind == kustomize::ScalarKind::Text);
            if !is_text {
                problems.push(VariableProblem::NotText(entry.key.clone(), place.clone()));
            }
            let text = entry.value.as_text().unwrap_or_default();
            let variable = Variable {
                value: Some(text.replace('\n', "")),
                place,
            };
            self.known.insert(entry.key.clone(), variable);
        }
        for (name, variable) in &self.known {
            if !is_name(name) {
                problems.push(VariableProblem::Name(name.clone(), variable.place.clone()));
            }
        }
        problems
    }
}

/// Returns whether a text is the name of a variable: a letter or `_`, then letters, digits and `_`.
fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
}
