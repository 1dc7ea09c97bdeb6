//! Values that stand elsewhere: in a variable of the environment, or in a file.

use serde_json::{Map, Value};

use super::Outside;
use super::cluster::Merged;
use crate::config::codes;
use crate::diagnostic::Diagnostic;
use crate::source::{Files, Place};
use crate::yaml::pointer_step;

/// How the variables start that hold keys: no config can call one of them public.
const KEY_VARIABLES: &str = "SOPS_AGE_";

/// A value that is taken from the environment, and is said to be no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicReference {
    /// The dotted key in the config.
    pub key: String,
    /// What it is taken from, as the config says it: `fromEnv: NAME`.
    pub origin: String,
    /// The data file.
    pub file: String,
    /// The line in it, counted from 1.
    pub line: usize,
}

/// What a value refers to.
enum ReferenceTarget {
    Variable(String),
    File(String),
}

/// A value that stands elsewhere.
struct ConfigReference {
    target: ReferenceTarget,
    /// Whether the config says that it is no secret.
    public: bool,
}

impl ConfigReference {
    /// Reads `{ fromEnv: NAME }`, `{ fromEnv: NAME, public: true }` and `{ fromFile: path }`.
    fn read(map: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let target = match (text("fromEnv"), text("fromFile")) {
            (Some(name), None) => ReferenceTarget::Variable(name),
            (None, Some(path)) => ReferenceTarget::File(path),
            _ => return None,
        };
        let public = map.get("public").and_then(Value::as_bool);
        (map.len() == 1 + usize::from(public.is_some())).then_some(Self {
            target,
            public: public.unwrap_or_default(),
        })
    }
}

/// Replaces references by what they name; the results are secrets unless they are public.
pub(super) fn resolve(
    mut merged: Merged,
    files: &dyn Files,
    outside: &Outside<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Merged {
    let mut value = std::mem::take(&mut merged.value);
    replace(
        &mut value,
        "",
        &mut |pointer, reference| match find(&reference, files, outside) {
            Ok(Some(text)) => {
                merged.note(pointer, &reference, &text);
                Value::String(text)
            }
            Ok(None) => {
                let origin = match &reference.target {
                    ReferenceTarget::Variable(name) | ReferenceTarget::File(name) => name.clone(),
                };
                merged.made_up.insert(pointer.to_owned(), origin);
                merged.note(pointer, &reference, "");
                Value::Null
            }
            Err(message) => {
                let problem = Diagnostic::error(&codes::MISSING_REFERENCE, message);
                let place = merged.places.key(pointer);
                problems.push(match place {
                    Some(place) => problem.at_place(place, "needed here"),
                    None => problem,
                });
                Value::Null
            }
        },
    );
    merged.value = value;
    merged
}

impl Merged {
    /// Notes where a secret came to stand.
    fn note(&mut self, pointer: &str, reference: &ConfigReference, text: &str) {
        if let ReferenceTarget::File(path) = &reference.target {
            self.secret_files.insert(path.clone());
        }
        let route = pointer.trim_start_matches('/').replace('/', ".");
        match &reference.target {
            ReferenceTarget::Variable(name) if reference.public => {
                let place = self.places.value(pointer);
                let line = |place: &Place| place.source.line_column(place.span.start).0;
                self.public.push(PublicReference {
                    key: route,
                    origin: format!("fromEnv: {name}"),
                    line: place.as_ref().map_or(1, line),
                    file: place.map_or_else(String::new, |place| place.source.path.clone()),
                });
            }
            _ => {
                self.secret_pointers.insert(pointer.to_owned());
                self.secrets.insert(text, route);
            }
        }
    }
}

/// Finds what a reference names; `None` when a value has to be made up.
fn find(
    reference: &ConfigReference,
    files: &dyn Files,
    outside: &Outside<'_>,
) -> Result<Option<String>, String> {
    let found = match &reference.target {
        ReferenceTarget::Variable(name) if reference.public && name.starts_with(KEY_VARIABLES) => {
            return Err(format!("`{name}` holds a key, which cannot be public"));
        }
        ReferenceTarget::File(path) if reference.public => {
            return Err(format!(
                "only a variable can be public, and `{path}` is a file; read it with `file()` in a template"
            ));
        }
        ReferenceTarget::Variable(name) => match (outside.env)(name) {
            None if !outside.make_up => return Err(missing_variable(name)),
            found => found,
        },
        ReferenceTarget::File(path) => match files.read_secret(path) {
            Ok(None) if outside.make_up => None,
            Ok(None) => return Err(format!("there is no file `{path}`")),
            Ok(Some(bytes)) => {
                let text = String::from_utf8(bytes);
                Some(text.map_err(|_| format!("`{path}` is not UTF-8 text"))?)
            }
            Err(error) => return Err(error.to_string()),
        },
    };
    Ok(found.map(|text| text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Names the variable unless it looks like a value that was put in the place of a name.
fn missing_variable(name: &str) -> String {
    let is_of_name =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if name.chars().all(is_of_name) {
        format!("the environment has no `{name}`")
    } else {
        "the environment has no variable of this name; `fromEnv` takes the name of a variable and not a value".to_owned()
    }
}

fn replace(
    value: &mut Value,
    pointer: &str,
    found: &mut impl FnMut(&str, ConfigReference) -> Value,
) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = ConfigReference::read(map) {
                *value = found(pointer, reference);
                return;
            }
            for (key, value) in map {
                let step = pointer_step(key);
                replace(value, &format!("{pointer}/{step}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                replace(item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}
