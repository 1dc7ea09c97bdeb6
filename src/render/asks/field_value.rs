//! A value that an app asks for: written out, or computed from the config.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::render::condition::Conditions;
use crate::source::{Place, Source, Span};
use crate::yaml::decode::Table;
use crate::yaml::{Content, Node, Resolver, Style};

/// The key of a value that is computed: `{ cel = "…" }`.
const EXPRESSION: &str = "cel";

/// What may stand in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// True or false.
    Flag,
    /// A list of texts, in which each text stands once.
    Texts,
    /// A table of texts, in which each key is a field of its own.
    TextTable,
}

/// A field that an app asks for.
#[derive(Clone, Debug)]
pub(super) struct FieldAsk {
    /// The name of the field.
    pub(super) field: &'static str,
    kind: FieldKind,
    /// The key in a table.
    key: Option<String>,
    value: FieldValue,
    span: Span,
}

/// A value as it is written.
#[derive(Clone, Debug)]
enum FieldValue {
    Constant(Json),
    Expression(String),
}

/// A value that an app asks for, computed.
#[derive(Clone, Debug)]
pub(super) struct FieldClaim {
    /// The name of the field.
    pub(super) field: &'static str,
    /// The key in a table, or the text in a list.
    pub(super) key: Option<String>,
    /// The value; true for a text in a list.
    pub(super) value: Json,
    /// The place of it.
    pub(super) place: Place,
}

/// Returns the text of a string.
fn text_of(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar(scalar) if scalar.style == Style::Quoted => Some(&scalar.text),
        _ => None,
    }
}

/// Returns the expression of a value that is computed.
pub(super) fn expression(node: &Node) -> Option<(&str, Span)> {
    let [entry] = node.entries()? else {
        return None;
    };
    let text = text_of(&entry.value).filter(|_| entry.key == EXPRESSION)?;
    Some((text, entry.value.span))
}

impl FieldKind {
    fn expected(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Texts => "a list of texts",
            Self::TextTable => "a table of texts",
        }
    }

    /// Reads a field of this kind; what is wrong with it is reported.
    pub(super) fn decode(self, field: &'static str, table: &mut Table<'_>) -> Vec<FieldAsk> {
        let Some(node) = table.get(field) else {
            return Vec::new();
        };
        let of = |key: Option<String>, value: FieldValue, span: Span| FieldAsk {
            field,
            kind: self,
            key,
            value,
            span,
        };
        if let Some((text, span)) = expression(node) {
            return vec![of(None, FieldValue::Expression(text.to_owned()), span)];
        }
        let wrong = format!("`{field}` must be {}", self.expected());
        let entries: Vec<(Option<&String>, &Node)> = match (self, node.items(), node.entries()) {
            (Self::Flag, ..) => vec![(None, node)],
            (Self::Texts, Some(items), _) => items.iter().map(|item| (None, item)).collect(),
            (Self::TextTable, _, Some(entries)) => {
                let entries = entries.iter();
                entries.map(|it| (Some(&it.key), &it.value)).collect()
            }
            _ => {
                table.wrong_type(node.first_line_span(), wrong);
                return Vec::new();
            }
        };
        let mut asks = Vec::new();
        for (key, node) in entries {
            if let Some((text, span)) = expression(node).filter(|_| key.is_some()) {
                let value = FieldValue::Expression(text.to_owned());
                asks.push(of(key.cloned(), value, span));
                continue;
            }
            match self.constant(node) {
                Some(value) => {
                    asks.push(of(key.cloned(), FieldValue::Constant(value), node.span));
                }
                None => table.wrong_type(node.first_line_span(), wrong.as_str()),
            }
        }
        asks
    }

    /// Returns a single value of a field.
    fn constant(self, node: &Node) -> Option<Json> {
        match self {
            Self::Flag => {
                let value = node.to_value(Resolver::Core);
                (text_of(node).is_none() && value.is_boolean()).then_some(value)
            }
            Self::Texts | Self::TextTable => text_of(node).map(Json::from),
        }
    }

    /// Takes a computed value apart; `None` where it is of another kind.
    fn parts(self, value: Json) -> Option<Vec<(Option<String>, Json)>> {
        match (self, value) {
            (Self::Flag, value @ Json::Bool(_)) => Some(vec![(None, value)]),
            (Self::Texts, Json::Array(items)) => {
                let texts = items.into_iter().map(|item| Some((None, text(item)?)));
                texts.collect()
            }
            (Self::TextTable, Json::Object(entries)) => {
                let entries = entries.into_iter();
                entries
                    .map(|(key, value)| Some((Some(key), text(value)?)))
                    .collect()
            }
            _ => None,
        }
    }
}

/// Returns a text, of a number or truth value as it is written.
fn text(value: Json) -> Option<Json> {
    match value {
        Json::String(_) => Some(value),
        Json::Number(_) | Json::Bool(_) => Some(Json::from(value.to_string())),
        _ => None,
    }
}

/// Computes what fields of a manifest ask for; what is wrong with an expression, or with what it gives, is reported.
pub(super) fn claims<'f>(
    fields: impl IntoIterator<Item = &'f FieldAsk>,
    conditions: &Conditions<'_>,
    source: &Arc<Source>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<FieldClaim> {
    let mut found = Vec::new();
    for field in fields {
        match field.claims(conditions, source) {
            Ok(claims) => found.extend(claims),
            Err(problem) => problems.push(*problem),
        }
    }
    found
}

impl FieldAsk {
    fn claims(
        &self,
        conditions: &Conditions<'_>,
        source: &Arc<Source>,
    ) -> Result<Vec<FieldClaim>, Box<Diagnostic>> {
        let place = Place::new(source, self.span);
        let parts = match &self.value {
            FieldValue::Constant(value) => vec![(self.key.clone(), value.clone())],
            FieldValue::Expression(expression) => {
                let value = conditions.value(expression, &place)?;
                let parts = match &self.key {
                    Some(key) => text(value).map(|value| vec![(Some(key.clone()), value)]),
                    None => self.kind.parts(value),
                };
                parts.ok_or_else(|| self.other_kind(&place))?
            }
        };
        let claims = parts.into_iter().map(|(key, value)| {
            let (key, value) = match (self.kind, value) {
                (FieldKind::Texts, Json::String(text)) => (Some(text), Json::Bool(true)),
                (_, value) => (key, value),
            };
            FieldClaim {
                field: self.field,
                key,
                value,
                place: place.clone(),
            }
        });
        Ok(claims.collect())
    }

    fn other_kind(&self, place: &Place) -> Box<Diagnostic> {
        let expected = match self.key {
            Some(_) => "a text",
            None => self.kind.expected(),
        };
        let message = format!("`{}` needs {expected}, and this gives none", self.field);
        Box::new(Diagnostic::error(&codes::APP_CONDITION, message).at_place(place.clone(), ""))
    }
}
