//! Texts that hold JSON or YAML, in which a replacement sets a field.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use spanned_yaml::Span;

use super::super::emit::to_yaml;
use super::super::field::{Field, FieldScalar, FieldValue, ScalarKind};
use super::super::place::SourceFile;
use super::field_path::{FieldPath, FieldVisitor, NewValue, lookup, lookup_mut};
use super::takes_text;

/// Sets the fields of a path that leads into a text; false where there is no such text or no such field in it.
pub(super) fn set_in_text(
    root: &mut Field,
    path: &FieldPath,
    create: Option<NewValue>,
    visitor: &mut FieldVisitor<'_>,
) -> bool {
    let Some((to_text, inner)) = split_at_text(root, path) else {
        return false;
    };
    let Some(field) = lookup_mut(root, to_text) else {
        return false;
    };
    let Some(scalar) = field.as_scalar() else {
        return false;
    };
    let text = scalar.text.clone();
    let file = SourceFile::new("", text.as_bytes());
    let Some(document) = file.documents().ok().and_then(|all| all.first()) else {
        return false;
    };
    let mut content = Field::of_written(&document.root, &file, 0);
    if content.is_null() {
        // kustomize makes what is asked for, and loses it.
        return create.is_some();
    }
    let mut edit = TextEdit::default();
    let mut origins = Vec::new();
    let mut is_sound = true;
    let inner = FieldPath {
        steps: inner.to_vec(),
        ..path.clone()
    };
    let count = inner.visit(&mut content, create, &mut |field, is_new| {
        let before = field.clone();
        visitor(field, is_new)?;
        edit.note(&before, field, &file);
        origins.push(field.origin.clone());
        is_sound &= field
            .as_scalar()
            .is_none_or(|scalar| takes_text(scalar.kind, &scalar.text));
        Ok(())
    });
    if !count.is_ok_and(|count| count > 0) {
        return false;
    }
    let is_json = text.trim_start().starts_with(['{', '[']);
    if is_json && !is_sound {
        return false;
    }
    let text = if is_json {
        to_json_text(&content, &text)
    } else {
        edit.apply(&text)
            .unwrap_or_else(|| to_yaml(&content).trim().to_owned())
    };
    for origin in origins {
        field.origin = field.origin.clone().and(&origin.place);
        for place in origin.shaped_by() {
            field.origin = field.origin.clone().and(place);
        }
    }
    field.value = FieldValue::Scalar(FieldScalar {
        text,
        kind: ScalarKind::Text,
    });
    true
}

/// Splits a path behind the first scalar that it meets.
fn split_at_text<'p>(root: &Field, path: &'p FieldPath) -> Option<(&'p [String], &'p [String])> {
    (1..path.steps.len())
        .map(|length| path.steps.split_at(length))
        .find(|(to_text, _)| {
            let field = lookup(root, to_text).ok().flatten();
            let text = field.and_then(Field::as_scalar);
            text.is_some_and(|scalar| spanned_yaml::load(&scalar.text).is_ok())
        })
}

/// The changes of a YAML text that leave the rest of it as it is.
#[derive(Default)]
struct TextEdit {
    /// The spans of scalars, and what stands there now.
    changes: Vec<(Span, String)>,
    /// Whether something changed that is no scalar of the text.
    is_beyond: bool,
}

impl TextEdit {
    fn note(&mut self, before: &Field, after: &Field, file: &Arc<SourceFile>) {
        let place = before.place();
        let written = file.bytes().get(place.span.start..place.span.end);
        let new = match (written, before.as_scalar(), after.as_scalar()) {
            (Some(written), Some(_), Some(new)) if Arc::ptr_eq(&place.file, file) => {
                respell(written, new)
            }
            _ => None,
        };
        match new {
            Some(text) => self.changes.push((place.span, text)),
            None => self.is_beyond = true,
        }
    }

    fn apply(mut self, text: &str) -> Option<String> {
        if self.is_beyond {
            return None;
        }
        self.changes.sort_by_key(|(span, _)| *span);
        let mut edited = String::with_capacity(text.len());
        let mut done = 0;
        for (span, new) in &self.changes {
            edited.push_str(text.get(done..span.start)?);
            edited.push_str(new);
            done = span.end;
        }
        edited.push_str(text.get(done..)?);
        Some(edited.trim().to_owned())
    }
}

/// Spells a scalar as another one is spelled; a type that its text does not show is written before it.
fn respell(written: &[u8], scalar: &FieldScalar) -> Option<String> {
    let text = &scalar.text;
    let shown = ScalarKind::of(text);
    match (written.first(), scalar.kind) {
        (Some(b'"'), _) => serde_json::to_string(text).ok(),
        (Some(b'\''), _) => Some(format!("'{}'", text.replace('\'', "''"))),
        (_, ScalarKind::Text) if shown != ScalarKind::Text => serde_json::to_string(text).ok(),
        (_, kind) if kind == shown => {
            let documents = spanned_yaml::load(text).ok()?;
            let is_plain = documents.first()?.root.text() == Some(text);
            (is_plain && !text.contains('\n') && !text.contains(": ")).then(|| text.clone())
        }
        (_, kind) => {
            let tag = match kind {
                ScalarKind::Null => "!!null",
                ScalarKind::Boolean => "!!bool",
                ScalarKind::Integer => "!!int",
                ScalarKind::Float => "!!float",
                ScalarKind::Text => "!!str",
                ScalarKind::Timestamp => "!!timestamp",
            };
            Some(format!("{tag} {text}").trim_end().to_owned())
        }
    }
}

/// Writes JSON as Go does: keys sorted, and in lines where the old text had lines.
fn to_json_text(content: &Field, old: &str) -> String {
    let value = sorted(content.to_json());
    let text = if old.contains('\n') && old.contains("  ") {
        format!("{value:#}")
    } else {
        value.to_string()
    };
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(entries) => {
            let entries: BTreeMap<String, Value> = entries.into_iter().collect();
            let sorted = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        scalar => scalar,
    }
}
