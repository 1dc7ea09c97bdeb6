//! Going to the fields that a field spec is for.

use super::FieldSpec;
use crate::field::{Field, FieldEntry, FieldScalar, FieldValue, ScalarKind};
use crate::place::{Origin, Place};
use crate::problem::{Problem, ProblemKind};
use crate::resource::Resource;

/// What is made at the end of a path where there is nothing, or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreatedKind {
    /// Nothing is made, whatever the field spec says.
    Nothing,
    /// An empty text.
    Text,
    /// A mapping without keys.
    Mapping,
}

/// What is made where there is nothing, and its cause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreatedField<'o> {
    /// What is made at the end of the path; before it, mappings are.
    pub(crate) kind: CreatedKind,
    /// The origin of what is made.
    pub(crate) origin: &'o Origin,
}

/// Why a field spec cannot be followed in an object.
#[derive(Clone, Debug)]
pub(crate) struct FieldMismatch {
    /// What is wrong, to stand after the name of the object.
    pub(crate) why: String,
    /// Where.
    pub(crate) place: Place,
}

impl FieldMismatch {
    /// Makes a mismatch at a field.
    pub(crate) fn at(field: &Field, why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            place: field.place().clone(),
        }
    }

    /// Says it as a problem of an object, with the place of what asks for the field.
    pub(crate) fn problem(self, path: &str, resource: &Resource, cause: Option<&Place>) -> Problem {
        let message = format!(
            "the field path `{path}` does not fit {} `{}`: {}",
            resource.kind(),
            resource.name(),
            self.why
        );
        let problem = Problem::new(ProblemKind::Malformed, message, &self.place)
            .with_help("correct the shape of the field");
        match cause {
            Some(cause) => problem.with_related(cause),
            None => problem,
        }
    }
}

/// Changes a field; it gets the positions in mappings and lists that lead to it, too.
pub(crate) type FieldSetter<'s> = dyn FnMut(&mut Field, &[usize]) -> Result<(), FieldMismatch> + 's;

impl FieldSpec {
    /// Calls a function with each field at the path; the object's kind is not looked at.
    ///
    /// A list on the way stands for all of its items. Where a part of the path is missing nothing happens, or the part
    /// is made if the field spec says so.
    ///
    /// # Errors
    /// A scalar on the way, a step that names no key, and what the function returns.
    pub(crate) fn visit(
        &self,
        root: &mut Field,
        created: CreatedField<'_>,
        set: &mut FieldSetter<'_>,
    ) -> Result<(), FieldMismatch> {
        let mut visitor = FieldSpecVisitor {
            creates: self.create && created.kind != CreatedKind::Nothing,
            created,
            trail: Vec::new(),
        };
        visitor.follow(root, &self.steps, set)
    }
}

struct FieldSpecVisitor<'v> {
    creates: bool,
    created: CreatedField<'v>,
    trail: Vec<usize>,
}

impl FieldSpecVisitor<'_> {
    fn follow(
        &mut self,
        field: &mut Field,
        steps: &[String],
        set: &mut FieldSetter<'_>,
    ) -> Result<(), FieldMismatch> {
        let Some((step, rest)) = steps.split_first() else {
            return set(field, &self.trail);
        };
        match &mut field.value {
            FieldValue::Scalar(scalar) if scalar.kind == ScalarKind::Null => Ok(()),
            FieldValue::Scalar(_) => Err(FieldMismatch::at(
                field,
                format!("there is a scalar where a mapping or list with `{step}` is expected"),
            )),
            FieldValue::Sequence(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.trail.push(at);
                    self.follow(item, steps, set)?;
                    self.trail.pop();
                }
                Ok(())
            }
            FieldValue::Mapping(_) => {
                let Some((at, next)) = self.enter(field, step, rest.is_empty())? else {
                    return Ok(());
                };
                self.trail.push(at);
                self.follow(next, rest, set)?;
                self.trail.pop();
                Ok(())
            }
        }
    }

    /// Returns the position and the value of a key, which is made or given its shape where the field spec says so.
    fn enter<'f>(
        &self,
        mapping: &'f mut Field,
        step: &str,
        is_last: bool,
    ) -> Result<Option<(usize, &'f mut Field)>, FieldMismatch> {
        let key = step.strip_suffix("[]").unwrap_or(step);
        let wants_items = key.len() != step.len();
        let key = key.trim();
        if !names_key(key) {
            return Err(FieldMismatch::at(
                mapping,
                format!("the step `{step}` names no key of a mapping"),
            ));
        }
        let Some(entries) = mapping.entries_mut() else {
            return Ok(None);
        };
        let found = entries.iter().position(|entry| entry.key == key);
        let creates = self.creates && !wants_items;
        let at = match found {
            Some(at) => at,
            None if creates => {
                entries.push(FieldEntry {
                    key: key.to_owned(),
                    value: self.made(is_last),
                });
                entries.len() - 1
            }
            None => return Ok(None),
        };
        let value = &mut entries[at].value;
        if found.is_some() && value.is_null() {
            if creates {
                *value = self.made(is_last);
            } else if wants_items {
                // kustomize takes the null for an empty list, and writes it as one.
                let origin = value.origin.clone();
                *value = Field::sequence(origin);
            }
        }
        Ok(Some((at, value)))
    }

    fn made(&self, is_last: bool) -> Field {
        let origin = self.created.origin.clone();
        if is_last && self.created.kind == CreatedKind::Text {
            Field::text("", origin)
        } else {
            Field::mapping(origin)
        }
    }
}

/// Returns whether kustomize takes a step for a key: not for an index (`0`, `-`), a wildcard or an item (`[a=b]`).
fn names_key(step: &str) -> bool {
    let is_index = step.parse::<i64>().is_ok() || step == "-";
    let is_item = step.starts_with('[') && step.ends_with(']');
    !step.is_empty() && !is_index && !is_item && step != "*"
}

/// Puts another text into a scalar, as kustomize does where it says no type: what was quoted stays text, and the type
/// of what was plain follows from the new text.
pub(crate) fn rewrite_scalar(field: &mut Field, text: String) {
    let kind = match &field.value {
        FieldValue::Scalar(old)
            if old.kind == ScalarKind::Text
                && (ScalarKind::of(&old.text) != ScalarKind::Text || is_quoted(field)) =>
        {
            ScalarKind::Text
        }
        _ => ScalarKind::of(&text),
    };
    field.value = FieldValue::Scalar(FieldScalar { text, kind });
}

/// Returns whether a scalar stands in quotes, or in a block, where it is written.
fn is_quoted(field: &Field) -> bool {
    let place = field.place();
    let first = place.file.bytes().get(place.span.start);
    first.is_some_and(|byte| b"\"'|>".contains(byte))
}
