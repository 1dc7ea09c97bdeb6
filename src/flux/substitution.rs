//! Variables put into an object, as Flux does it: into the text that kustomize writes, which is read anew.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use envsubst::{ExpandError, Expansion, Lookup, VariableUse, expand};
use kustomize::{Field, FieldEntry, FieldScalar, FieldValue, Origin, Place, ScalarKind};
use serde_json::Value;

use super::variables::Variables;
use crate::source::Span;
use crate::yaml::{self, Content, Node, Resolver, Route, Step};

/// The label or annotation that keeps Flux from substituting in an object.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// What keeps Flux from putting variables into an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SubstitutionProblem {
    /// Nothing gives a variable.
    Undefined(String, Place),
    /// An expression is none that Flux reads.
    Malformed(String, Place),
    /// With the variables in it, the object is no YAML; of the first variable in the line, the place.
    NotYaml(String, Place),
}

/// Fills in the variables of an object.
///
/// A variable whose value is not seen stays as it is written. Returns `None` where the object stays as it is.
pub(super) fn substitute(
    object: &Field,
    variables: &Variables,
    strict: bool,
) -> Result<Option<Field>, Vec<SubstitutionProblem>> {
    if !variables.are_used() || !has_dollar(object) || is_switched_off(object) {
        return Ok(None);
    }
    let text = kustomize::to_yaml(object);
    let expansion = expand_text(&text, variables, strict)
        .map_err(|error| EmittedObject::new(object, &text).problems(&error))?;
    let documents = yaml::load(&expansion.text).map_err(|error| {
        vec![EmittedObject::new(object, &text).broken(&expansion, error.span, &error.message)]
    })?;
    let Some(document) = documents.first() else {
        return Ok(None);
    };
    let rebuilt = RebuiltObject {
        expansion: &expansion,
        variables,
    };
    Ok(Some(rebuilt.field(
        &document.root,
        Some(object),
        &object.origin,
    )))
}

/// Returns whether a key or a scalar holds the sign that every expression starts with; YAML writes it as it is.
fn has_dollar(field: &Field) -> bool {
    match &field.value {
        FieldValue::Scalar(scalar) => scalar.text.contains('$'),
        FieldValue::Sequence(items) => items.iter().any(has_dollar),
        FieldValue::Mapping(entries) => entries
            .iter()
            .any(|entry| entry.key.contains('$') || has_dollar(&entry.value)),
    }
}

fn is_switched_off(object: &Field) -> bool {
    ["labels", "annotations"]
        .iter()
        .any(|part| object.find_text(&["metadata", part, SWITCH]) == Some("disabled"))
}

/// Expands a text; what no source at hand sets, and some source that is not seen may set, is not seen.
///
/// The default of an expression is taken where only sources that are not seen could set the variable.
fn expand_text(text: &str, variables: &Variables, strict: bool) -> Result<Expansion, ExpandError> {
    let known = |name: &str| {
        variables
            .known
            .get(name)
            .map(|variable| match &variable.value {
                Some(value) => Lookup::Value(Cow::Owned(value.clone())),
                None => Lookup::NotSeen,
            })
    };
    if variables.unseen.is_empty() {
        return expand(
            text,
            &|name| known(name).unwrap_or(Lookup::Undefined),
            strict,
        );
    }
    let first = expand(text, &|name| known(name).unwrap_or(Lookup::Undefined), true);
    let Err(ExpandError::Undefined(undefined)) = first else {
        return first;
    };
    let names: BTreeSet<String> = undefined.into_iter().map(|one| one.name).collect();
    let lookup = |name: &str| {
        known(name).unwrap_or(if names.contains(name) {
            Lookup::NotSeen
        } else {
            Lookup::Undefined
        })
    };
    expand(text, &lookup, strict)
}

/// An object and the text that it was written as.
struct EmittedObject<'o> {
    object: &'o Field,
    text: &'o str,
    root: Option<Node>,
}

impl<'o> EmittedObject<'o> {
    fn new(object: &'o Field, text: &'o str) -> Self {
        Self {
            object,
            text,
            root: None,
        }
    }

    fn problems(mut self, error: &ExpandError) -> Vec<SubstitutionProblem> {
        match error {
            ExpandError::Malformed { span, kind } => {
                let place = self.place(span);
                vec![SubstitutionProblem::Malformed(kind.to_string(), place)]
            }
            ExpandError::Undefined(undefined) => undefined
                .iter()
                .map(|one| {
                    let place = self.place(&one.span);
                    SubstitutionProblem::Undefined(one.name.clone(), place)
                })
                .collect(),
        }
    }

    /// Returns where bytes of the text come from: the expression itself where it stands in the file as it is.
    fn place(&mut self, span: &Range<usize>) -> Place {
        let text = self.text;
        let root = self.root.get_or_insert_with(|| {
            let documents = yaml::load(text).unwrap_or_default();
            documents
                .into_iter()
                .next()
                .map_or_else(empty_node, |document| document.root)
        });
        let mut route = Route::default();
        find_scalar(root, span.start, &mut route);
        let (place, key) = follow(self.object, &route);
        let expression = text.get(span.clone()).unwrap_or_default();
        within(place, expression, key)
    }

    fn broken(mut self, expansion: &Expansion, at: Span, message: &str) -> SubstitutionProblem {
        let mut before = expansion.variables.iter().filter(|one| {
            one.output
                .as_ref()
                .is_some_and(|output| output.start <= at.start)
        });
        let input = before
            .next_back()
            .or(expansion.variables.first())
            .map(|one| one.input.clone());
        let place = self.place(&input.unwrap_or_default());
        SubstitutionProblem::NotYaml(message.to_owned(), place)
    }
}

fn empty_node() -> Node {
    Node {
        span: Span::default(),
        content: Content::Sequence {
            items: Vec::new(),
            flow: true,
        },
        alias_of: None,
        anchored: false,
    }
}

/// Finds the scalar, or the key, that holds a byte.
fn find_scalar(node: &Node, offset: usize, route: &mut Route) {
    let holds = |span: Span| span.start <= offset && offset < span.end;
    for entry in node.entries().unwrap_or_default() {
        if holds(entry.key_span) || holds(entry.value.span) {
            route.0.push(Step::Key(entry.key.clone()));
            if !holds(entry.key_span) {
                find_scalar(&entry.value, offset, route);
            }
            return;
        }
    }
    for (index, item) in node.items().unwrap_or_default().iter().enumerate() {
        if holds(item.span) {
            route.0.push(Step::Index(index));
            find_scalar(item, offset, route);
            return;
        }
    }
}

/// Follows a route in an object as far as it goes; says whether it ends at a value that is no scalar.
fn follow<'f>(object: &'f Field, route: &Route) -> (&'f Place, bool) {
    let mut field = object;
    for step in &route.0 {
        let next = match step {
            Step::Key(key) => field.get(key),
            Step::Index(index) => field.items().and_then(|items| items.get(*index)),
        };
        match next {
            Some(next) => field = next,
            None => break,
        }
    }
    (field.place(), field.as_scalar().is_none())
}

/// Narrows a place to an expression in it, where the file has it letter by letter.
fn within(place: &Place, expression: &str, key: bool) -> Place {
    let text = place.file.text().unwrap_or_default();
    let span = if key {
        // The key stands before its value.
        let start = text[..place.span.start.min(text.len())]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        Span::new(start, place.span.end)
    } else {
        place.span
    };
    let Some(inside) = text.get(span.start..span.end.min(text.len())) else {
        return place.clone();
    };
    match inside.find(expression) {
        Some(at) if !expression.is_empty() => {
            let start = span.start + at;
            Place::new(
                &place.file,
                place.document,
                Span::new(start, start + expression.len()),
            )
        }
        _ => place.clone(),
    }
}

/// Reads the text with the variables in it, and gives each field the origin that it had.
struct RebuiltObject<'o> {
    expansion: &'o Expansion,
    variables: &'o Variables,
}

impl RebuiltObject<'_> {
    fn field(&self, node: &Node, old: Option<&Field>, above: &Origin) -> Field {
        let origin = old.map_or(above, |old| &old.origin);
        let value = match &node.content {
            Content::Scalar(scalar) => {
                let value = Resolver::Kubernetes.resolve(scalar);
                let read = FieldScalar {
                    // For the API server `yes` is a boolean here: the text says which.
                    text: match &value {
                        Value::Bool(is_true) => is_true.to_string(),
                        _ => scalar.text.clone(),
                    },
                    kind: kind_of(&value),
                };
                return self.scalar(read, node.span, old, origin);
            }
            Content::Sequence { items, .. } => {
                let before = old.and_then(Field::items).unwrap_or_default();
                let item = |(index, node)| self.field(node, before.get(index), origin);
                FieldValue::Sequence(items.iter().enumerate().map(item).collect())
            }
            Content::Mapping { entries, .. } => FieldValue::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        let before = old.and_then(|old| self.before(old, entry));
                        FieldEntry {
                            key: entry.key.clone(),
                            value: self.field(&entry.value, before, origin),
                        }
                    })
                    .collect(),
            ),
        };
        Field {
            value,
            origin: origin.clone(),
        }
    }

    /// Returns the value that stood under a key before; under the key as it was written, where that has a variable.
    fn before<'f>(&self, old: &'f Field, entry: &yaml::Entry) -> Option<&'f Field> {
        old.get(&entry.key).or_else(|| {
            self.used_in(entry.key_span).next()?;
            let entries = old.entries()?.iter();
            let mut variable = entries.filter(|entry| entry.key.contains("${"));
            let only = variable.next()?;
            variable.next().is_none().then_some(&only.value)
        })
    }

    fn scalar(&self, read: FieldScalar, span: Span, old: Option<&Field>, origin: &Origin) -> Field {
        if let Some(old) = old.filter(|old| {
            old.as_scalar()
                .is_some_and(|known| !known.text.contains('$'))
        }) {
            return old.clone();
        }
        let mut origin = origin.clone();
        for used in self.used_in(span) {
            // One whose value is not seen stays as it is written: nothing of its place is in the field.
            if let Some(variable) = self.variables.known.get(&used.name)
                && variable.value.is_some()
            {
                origin = origin.and(&variable.place);
            }
        }
        Field {
            value: FieldValue::Scalar(read),
            origin,
        }
    }

    fn used_in(&self, span: Span) -> impl Iterator<Item = &VariableUse> {
        let variables = self.expansion.variables.iter();
        variables.filter(move |one| {
            one.output.as_ref().is_some_and(|output| {
                output.start < span.end.max(span.start + 1) && output.end >= span.start
            })
        })
    }
}

fn kind_of(value: &Value) -> ScalarKind {
    match value {
        Value::Null => ScalarKind::Null,
        Value::Bool(_) => ScalarKind::Boolean,
        Value::Number(number) if number.is_f64() => ScalarKind::Float,
        Value::Number(_) => ScalarKind::Integer,
        _ => ScalarKind::Text,
    }
}
