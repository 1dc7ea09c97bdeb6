//! Reading settings out of a kustomization, or out of the config of a transformer.

use spanned_yaml::Resolver;

use super::field::{Field, FieldScalar, ScalarKind};
use super::place::Place;
use super::problem::{Findings, Problem, ProblemKind};

/// How settings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingMode {
    /// As kustomize reads a kustomization: no unknown keys, and a number is no text.
    Kustomization,
    /// As kustomize reads a file of `configurations`: no unknown keys; a number or boolean may stand for a text.
    Configuration,
    /// As kustomize reads the config of a transformer: unknown keys are left alone too.
    Transformer,
}

/// A mapping with settings; null is one without any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SettingMap<'f> {
    field: &'f Field,
    mode: SettingMode,
}

/// A setting that is a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingText<'f> {
    /// The text.
    pub(crate) text: String,
    /// Where it is written.
    pub(crate) place: &'f Place,
}

impl<'f> SettingMap<'f> {
    /// Takes a mapping with these keys; what it is called stands in the messages.
    ///
    /// What is no mapping is a problem, and so is an unknown key where the mode says so.
    pub(crate) fn read(
        field: &'f Field,
        name: &str,
        keys: &[&str],
        mode: SettingMode,
        findings: &mut Findings,
    ) -> Option<Self> {
        if field.entries().is_none() && !field.is_null() {
            refuse(field, &format!("{name} is no mapping"), findings);
            return None;
        }
        if mode != SettingMode::Transformer {
            let entries = field.entries().unwrap_or_default();
            let is_known = |key: &str| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
            for entry in entries.iter().filter(|entry| !is_known(&entry.key)) {
                let message = format!("{name} has an unknown field `{}`", entry.key);
                let known: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                findings.refuse(
                    Problem::new(ProblemKind::UnknownField, message, entry.value.place())
                        .with_help(format!("the fields are {}", known.join(", "))),
                );
            }
        }
        Some(Self { field, mode })
    }

    /// Returns where the mapping is.
    pub(crate) fn place(&self) -> &'f Place {
        self.field.place()
    }

    /// Returns the value of a key, if it is not null; upper and lower case are the same, as in Go.
    pub(crate) fn get(&self, key: &str) -> Option<&'f Field> {
        let exact = self.field.get(key);
        let entries = self.field.entries().unwrap_or_default();
        let folded = || {
            let mut entries = entries.iter();
            let entry = entries.find(|entry| entry.key.eq_ignore_ascii_case(key))?;
            Some(&entry.value)
        };
        exact.or_else(folded).filter(|value| !value.is_null())
    }

    /// Returns the text of a key, if there is one that is not empty.
    pub(crate) fn text(&self, key: &str, findings: &mut Findings) -> Option<SettingText<'f>> {
        let text = read_text(self.get(key)?, &format!("`{key}`"), self.mode, findings)?;
        (!text.text.is_empty()).then_some(text)
    }

    /// Returns whether a key is true; anything but a boolean is a problem.
    pub(crate) fn flag(&self, key: &str, findings: &mut Findings) -> bool {
        let Some(field) = self.get(key) else {
            return false;
        };
        if let Some(serde_json::Value::Bool(flag)) = field.as_scalar().map(json_of) {
            return flag;
        }
        refuse(field, &format!("`{key}` is no boolean"), findings);
        false
    }

    /// Returns the whole number of a key.
    pub(crate) fn integer(&self, key: &str, findings: &mut Findings) -> Option<(i64, &'f Place)> {
        let field = self.get(key)?;
        let json = field.as_scalar().map(json_of);
        let number = json.as_ref().and_then(whole_number);
        if number.is_none() {
            refuse(field, &format!("`{key}` is no whole number"), findings);
        }
        Some((number?, field.place()))
    }

    /// Returns the items of a key; what is no list is a problem.
    pub(crate) fn items(&self, key: &str, findings: &mut Findings) -> &'f [Field] {
        let Some(field) = self.get(key) else {
            return &[];
        };
        items_of(field, &format!("`{key}`"), findings)
    }
}

/// Returns the items of a list; null is an empty one, and anything else is a problem.
pub(crate) fn items_of<'f>(field: &'f Field, name: &str, findings: &mut Findings) -> &'f [Field] {
    if field.items().is_none() && !field.is_null() {
        refuse(field, &format!("{name} is no list"), findings);
    }
    field.items().unwrap_or_default()
}

/// Returns the entries of a mapping of texts, sorted by key; null is an empty one, and anything else is a problem.
pub(crate) fn read_pairs<'f>(
    field: &'f Field,
    name: &str,
    mode: SettingMode,
    findings: &mut Findings,
) -> Vec<(&'f str, SettingText<'f>)> {
    if field.entries().is_none() && !field.is_null() {
        refuse(field, &format!("{name} is no mapping"), findings);
    }
    let mut pairs = Vec::new();
    for entry in field.entries().unwrap_or_default() {
        let name = format!("the value of `{}` in {name}", entry.key);
        if let Some(text) = read_text(&entry.value, &name, mode, findings) {
            pairs.push((entry.key.as_str(), text));
        }
    }
    pairs.sort_by_key(|(key, _)| *key);
    pairs
}

/// Returns the text of a scalar, empty for null; anything else is a problem.
pub(crate) fn read_text<'f>(
    field: &'f Field,
    name: &str,
    mode: SettingMode,
    findings: &mut Findings,
) -> Option<SettingText<'f>> {
    let place = field.place();
    let scalar = field.as_scalar();
    let json = scalar.map(json_of);
    let text = match json {
        Some(serde_json::Value::String(text)) => text,
        Some(serde_json::Value::Null) => String::new(),
        Some(json) if mode != SettingMode::Kustomization => json.to_string(),
        Some(_) => {
            let message = format!("{name} is no text");
            let problem = Problem::new(ProblemKind::Malformed, message, place);
            findings.refuse(problem.with_help("put it in quotes"));
            return None;
        }
        None => {
            refuse(field, &format!("{name} is no text"), findings);
            return None;
        }
    };
    Some(SettingText { text, place })
}

/// Returns a scalar as JSON; whoever made the field knew by whose rules it has its type.
fn json_of(scalar: &FieldScalar) -> serde_json::Value {
    match scalar.kind {
        ScalarKind::Null => serde_json::Value::Null,
        ScalarKind::Text => scalar.text.as_str().into(),
        ScalarKind::Boolean => scalar.text.eq_ignore_ascii_case("true").into(),
        ScalarKind::Timestamp => scalar.to_json(),
        ScalarKind::Integer | ScalarKind::Float => Resolver::Kubernetes.value_of(&scalar.text),
    }
}

/// Returns a whole number, also one that is written with a fraction of zero.
fn whole_number(json: &serde_json::Value) -> Option<i64> {
    let number = json.as_number()?;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
        format!("{float:.0}").parse().ok()
    })
}

fn refuse(field: &Field, message: &str, findings: &mut Findings) {
    findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
}
