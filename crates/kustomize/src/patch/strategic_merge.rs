//! Strategic merge patches, as kustomize applies them.

use std::collections::BTreeMap;

use super::super::field::{Field, FieldEntry, FieldValue, ScalarKind};
use super::super::problem::{Problem, ProblemKind};
use super::keyed_list::merge_keyed_list;
use super::merge_key::MergeSchema;
use super::scalar_list::merge_scalar_list;

/// The key that says what to do with a mapping or a list instead of merging it.
pub(super) const DIRECTIVE: &str = "$patch";

/// What a patch has for a value of the object.
#[derive(Debug)]
pub(super) enum PatchSide {
    /// Nothing. The value is still walked: kustomize drops empty nulls and equal items from all of an object.
    Absent,
    /// The value itself: it came from the patch, and is merged with itself.
    Same,
    /// A value.
    Given(Field),
}

/// What a patch asks to do with a mapping or list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

/// The result of a merge: a value, or the wish to have none.
pub(super) type Merged = Result<Option<Field>, Problem>;

/// Merges a patch into an object; `None` where the patch deletes the object.
///
/// # Errors
/// A value of the patch is of another kind than the one of the object, or a `$patch` says something else than
/// `merge`, `replace` or `delete`.
pub(super) fn merge_object(object: Field, mut patch: Field) -> Merged {
    match take_directive(&mut patch)? {
        Directive::Delete => Ok(None),
        // kustomize replaces a copy, and keeps the object.
        Directive::Replace => Ok(Some(object)),
        Directive::Merge => merge(Some(object), PatchSide::Given(patch), MergeSchema::Open),
    }
}

/// Merges what a patch has for a value into the value.
pub(super) fn merge(target: Option<Field>, patch: PatchSide, schema: MergeSchema) -> Merged {
    let schema = match schema {
        MergeSchema::Open => embedded_schema(target.as_ref(), &patch),
        known => known,
    };
    let Some(target) = target.filter(|target| !is_dropped_null(target, &patch)) else {
        return merge_new(patch, schema);
    };
    if target.is_null() {
        return Ok(match patch {
            PatchSide::Absent => Some(target),
            PatchSide::Same | PatchSide::Given(_) => None,
        });
    }
    if let PatchSide::Given(given) = &patch {
        if given.is_null() {
            return Ok(None);
        }
        demand_same_shape(&target, given)?;
    }
    match &target.value {
        FieldValue::Scalar(_) => Ok(Some(merge_scalar(target, patch))),
        FieldValue::Mapping(_) => merge_mapping(target, patch, schema),
        FieldValue::Sequence(_) => merge_sequence(target, patch, schema),
    }
}

/// Takes a value that the object does not have; it is merged with itself, so that directives in it count.
fn merge_new(patch: PatchSide, schema: MergeSchema) -> Merged {
    let PatchSide::Given(mut given) = patch else {
        return Ok(None);
    };
    match &given.value {
        FieldValue::Scalar(_) => Ok((!given.is_null()).then_some(given)),
        FieldValue::Mapping(_) => match take_directive(&mut given) {
            Ok(Directive::Delete) => Ok(None),
            // An unknown directive of a new mapping is content to kustomize.
            Ok(_) | Err(_) => merge_entries(given, PatchSide::Same, schema).map(Some),
        },
        FieldValue::Sequence(_) => match schema {
            MergeSchema::List { keys, items } => {
                merge_items(given, PatchSide::Same, keys, items.map(MergeSchema::Object))
            }
            _ => Ok(Some(given)),
        },
    }
}

/// Returns whether kustomize takes a null of the object for nothing: where the patch has a value, and where the null
/// is written as no text at all.
fn is_dropped_null(target: &Field, patch: &PatchSide) -> bool {
    let null = target.is_null();
    let without_text = target
        .as_scalar()
        .is_some_and(|scalar| scalar.text.is_empty());
    null && match patch {
        PatchSide::Absent => without_text,
        PatchSide::Same => false,
        PatchSide::Given(_) => true,
    }
}

/// Returns the schema of an object that is part of another one, by its own `apiVersion` and `kind`.
fn embedded_schema(target: Option<&Field>, patch: &PatchSide) -> MergeSchema {
    let given = match patch {
        PatchSide::Given(given) => Some(given),
        _ => None,
    };
    target
        .into_iter()
        .chain(given)
        .find_map(|object| {
            let version = object.get("apiVersion")?.as_text()?;
            MergeSchema::of_kind(version, object.get("kind")?.as_text()?)
        })
        .unwrap_or(MergeSchema::Open)
}

fn merge_scalar(target: Field, patch: PatchSide) -> Field {
    let PatchSide::Given(mut given) = patch else {
        return target;
    };
    // The quotes of the object stay, and make text of what the patch writes as a number.
    if target.is_quoted()
        && let FieldValue::Scalar(scalar) = &mut given.value
    {
        scalar.kind = ScalarKind::Text;
    }
    given
}

fn merge_mapping(mut target: Field, patch: PatchSide, schema: MergeSchema) -> Merged {
    match patch {
        PatchSide::Absent => merge_entries(target, PatchSide::Absent, schema).map(Some),
        PatchSide::Same => match take_directive(&mut target)? {
            Directive::Delete => Ok(None),
            _ => merge_entries(target, PatchSide::Same, schema).map(Some),
        },
        PatchSide::Given(mut given) => match take_directive(&mut given)? {
            Directive::Delete => Ok(None),
            Directive::Replace => merge_entries(given, PatchSide::Same, schema).map(Some),
            Directive::Merge => merge_entries(target, PatchSide::Given(given), schema).map(Some),
        },
    }
}

fn merge_entries(
    mut target: Field,
    patch: PatchSide,
    schema: MergeSchema,
) -> Result<Field, Problem> {
    let same = matches!(patch, PatchSide::Same);
    let mut given: BTreeMap<String, Field> = match patch {
        PatchSide::Given(Field {
            value: FieldValue::Mapping(entries),
            ..
        }) => entries
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect(),
        _ => BTreeMap::new(),
    };
    let old = target.entries_mut().map(std::mem::take).unwrap_or_default();
    let mut merged = Vec::with_capacity(old.len() + given.len());
    for FieldEntry { key, value } in old {
        let side = match given.remove(&key) {
            Some(given) => PatchSide::Given(given),
            None if same => PatchSide::Same,
            None => PatchSide::Absent,
        };
        if let Some(value) = merge(Some(value), side, schema.field(&key))? {
            merged.push(FieldEntry { key, value });
        }
    }
    for (key, value) in given {
        let schema = schema.field(&key);
        if let Some(value) = merge(None, PatchSide::Given(value), schema)? {
            merged.push(FieldEntry { key, value });
        }
    }
    target.value = FieldValue::Mapping(merged);
    Ok(target)
}

fn merge_sequence(mut target: Field, patch: PatchSide, schema: MergeSchema) -> Merged {
    let MergeSchema::List { keys, items } = schema else {
        return Ok(Some(match patch {
            PatchSide::Given(given) => given,
            PatchSide::Absent | PatchSide::Same => target,
        }));
    };
    let items = items.map(MergeSchema::Object);
    match patch {
        PatchSide::Absent => merge_items(target, PatchSide::Absent, keys, items),
        PatchSide::Same => match take_list_directive(&mut target)? {
            Directive::Delete => Ok(None),
            _ => merge_items(target, PatchSide::Same, keys, items),
        },
        PatchSide::Given(mut given) => match take_list_directive(&mut given)? {
            Directive::Delete => Ok(None),
            Directive::Replace => merge_items(given, PatchSide::Same, keys, items),
            Directive::Merge => merge_items(target, PatchSide::Given(given), keys, items),
        },
    }
}

fn merge_items(
    mut target: Field,
    patch: PatchSide,
    keys: &'static [&'static str],
    items: Option<MergeSchema>,
) -> Merged {
    let old = target.items_mut().map(std::mem::take).unwrap_or_default();
    let given = match patch {
        PatchSide::Given(Field {
            value: FieldValue::Sequence(given),
            ..
        }) => Some(given),
        PatchSide::Given(_) | PatchSide::Absent => Some(Vec::new()),
        PatchSide::Same => None,
    };
    let merged = if keys.is_empty() {
        merge_scalar_list(old, given)?
    } else {
        merge_keyed_list(old, given, keys, items.unwrap_or(MergeSchema::Open))?
    };
    target.value = FieldValue::Sequence(merged);
    Ok(Some(target))
}

/// Takes the directive out of a mapping; anything else is to be merged.
pub(super) fn take_directive(patch: &mut Field) -> Result<Directive, Problem> {
    let Some(value) = patch.get(DIRECTIVE) else {
        return Ok(Directive::Merge);
    };
    let directive = read_directive(value)?;
    patch.remove(DIRECTIVE);
    Ok(directive)
}

/// Takes the directive out of a list: an item that has no other key.
fn take_list_directive(patch: &mut Field) -> Result<Directive, Problem> {
    let items = patch.items().unwrap_or_default();
    let first = items.iter().find(|item| item.get(DIRECTIVE).is_some());
    let Some(item) = first.filter(|item| item.entries().is_some_and(|all| all.len() == 1)) else {
        return Ok(Directive::Merge);
    };
    let Some(value) = item.get(DIRECTIVE) else {
        return Ok(Directive::Merge);
    };
    let directive = read_directive(value)?;
    let text = value.as_text().unwrap_or_default().to_owned();
    if let Some(items) = patch.items_mut() {
        // With it go the items that carry the same directive beside other keys, and the empty ones.
        items.retain(|item| !is_vacant(item) && item.find_text(&[DIRECTIVE]) != Some(&text));
    }
    Ok(directive)
}

fn read_directive(value: &Field) -> Result<Directive, Problem> {
    match value.as_text() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        _ => Err(Problem::new(
            ProblemKind::Malformed,
            "`$patch` has a value that kustomize does not know",
            value.place(),
        )
        .with_help("write `delete`, `replace` or `merge`")),
    }
}

/// Returns whether an item is null or a mapping without keys.
pub(super) fn is_vacant(item: &Field) -> bool {
    item.is_null() || item.entries().is_some_and(<[FieldEntry]>::is_empty)
}

fn demand_same_shape(target: &Field, given: &Field) -> Result<(), Problem> {
    let (has, gets) = (shape_name(target), shape_name(given));
    if has == gets {
        return Ok(());
    }
    let message = format!("the patch has {gets} where the object has {has}");
    Err(Problem::new(ProblemKind::Refused, message, given.place()).with_related(target.place()))
}

pub(super) fn shape_name(field: &Field) -> &'static str {
    match &field.value {
        FieldValue::Scalar(_) => "a scalar",
        FieldValue::Sequence(_) => "a list",
        FieldValue::Mapping(_) => "a mapping",
    }
}
