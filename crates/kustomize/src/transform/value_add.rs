//! `ValueAddTransformer`: one value for fields of several objects, whole or as a part of a path in a file system.

use std::borrow::Cow;

use super::builtin::MODE;
use super::namespace::{NamespaceChange, SubjectMode};
use crate::field::{Field, FieldEntry, FieldValue};
use crate::field_spec::{FieldMismatch, rewrite_scalar, split_escaped};
use crate::loader::{Loader, documents_of};
use crate::patch::TargetSelector;
use crate::place::{Origin, Place};
use crate::problem::{Findings, Problem, ProblemKind};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::setting::{SettingMap, SettingText};

/// The fields that get the value.
struct ValueTarget<'f> {
    selector: Option<TargetSelector>,
    path: SettingText<'f>,
    /// Before which part of a path the value goes, counted from 1; 0 puts it in the place of all.
    position: i64,
}

/// Runs the transformer that a config object stands for.
pub(super) fn run_value_add(
    map: SettingMap<'_>,
    resources: &mut Resources,
    loader: &Loader<'_>,
    findings: &mut Findings,
) {
    let before = findings.problems.len();
    let Some(value) = value_of(map, loader, findings) else {
        return;
    };
    let documents = match map.get("targetFilePath") {
        Some(path) => loader
            .read(path, findings)
            .and_then(|file| documents_of(&file, findings))
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let mut targets = read_targets(map, findings);
    for document in &documents {
        let name = "the file of targets";
        if let Some(file) = SettingMap::read(document, name, &[], MODE, findings) {
            targets.extend(read_targets(file, findings));
        }
    }
    if targets.is_empty() && findings.problems.len() == before {
        let message = "the transformer has no `targets`";
        let problem = Problem::new(ProblemKind::Refused, message, map.place());
        findings.refuse(problem.with_help("add `targets`, each with a `fieldPath`"));
    }
    for target in &targets {
        target.add(&value, resources, findings);
    }
}

/// Returns the value; the name of the folder where none is given.
fn value_of<'f>(
    map: SettingMap<'f>,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> Option<SettingText<'f>> {
    let given = map.text("value", findings);
    let given = given.map(|value| SettingText {
        text: value.text.trim().to_owned(),
        place: value.place,
    });
    if let Some(value) = given.filter(|value| !value.text.is_empty()) {
        return Some(value);
    }
    let folder = loader.folder.rsplit('/').next().unwrap_or_default();
    if folder.is_empty() {
        let why = "the value is the name of the folder, and the root of the tree has none here";
        findings.not_seen("ValueAddTransformer", why, map.place());
        return None;
    }
    Some(SettingText {
        text: folder.to_owned(),
        place: map.place(),
    })
}

fn read_targets<'f>(map: SettingMap<'f>, findings: &mut Findings) -> Vec<ValueTarget<'f>> {
    let mut targets = Vec::new();
    for item in map.items("targets", findings) {
        targets.extend(read_target(item, findings));
    }
    targets
}

fn read_target<'f>(item: &'f Field, findings: &mut Findings) -> Option<ValueTarget<'f>> {
    let map = SettingMap::read(item, "the target", &[], MODE, findings)?;
    let Some(path) = map.text("fieldPath", findings) else {
        let message = "the target has no `fieldPath`";
        findings.refuse(Problem::new(ProblemKind::Refused, message, map.place()));
        return None;
    };
    let position = map.integer("filePathPosition", findings);
    let (position, place) = position.unwrap_or((0, map.place()));
    if position < 0 {
        let message = "`filePathPosition` is negative";
        findings.refuse(Problem::new(ProblemKind::Refused, message, place));
        return None;
    }
    let selector = match map.get("selector") {
        Some(selector) => Some(TargetSelector::read(selector, findings)?),
        None => None,
    };
    Some(ValueTarget {
        selector,
        path,
        position,
    })
}

impl ValueTarget<'_> {
    fn add(&self, value: &SettingText<'_>, resources: &mut Resources, findings: &mut Findings) {
        for resource in &mut resources.list {
            let selector = self.selector.as_ref();
            if selector.is_none_or(|selector| selector.selects(resource)) {
                self.add_to(value, resource, findings);
                resource.settle_shared();
            }
        }
    }

    fn add_to(&self, value: &SettingText<'_>, resource: &mut Resource, findings: &mut Findings) {
        if self.path.text == "metadata/namespace" {
            let change = NamespaceChange {
                namespace: value.clone(),
                specs: &[],
                unset_only: false,
                subjects: SubjectMode::Default,
            };
            change.apply_to(resource, findings);
            return;
        }
        let steps = split_escaped(&self.path.text);
        let origin = Origin::new(value.place.clone());
        let set = field_at(&mut resource.root, &steps, &origin)
            .and_then(|field| set_value(field, value, self.position));
        if let Err(mismatch) = set {
            let cause: Option<&Place> = Some(self.path.place);
            findings.refuse(mismatch.problem(&self.path.text, resource, cause));
        }
    }
}

/// Returns the field that steps lead to; keys and items (`[name=a]`) that are missing are made.
fn field_at<'f>(
    root: &'f mut Field,
    steps: &[String],
    origin: &Origin,
) -> Result<&'f mut Field, FieldMismatch> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(root);
    };
    let is_list = |step: Option<&String>| step.is_some_and(|step| step.starts_with('['));
    let made = || match (rest.is_empty(), is_list(rest.first())) {
        (true, _) => Field::text("", origin.clone()),
        (false, true) => Field::sequence(origin.clone()),
        (false, false) => Field::mapping(origin.clone()),
    };
    let place = root.place().clone();
    let next = match (&mut root.value, item_of(step)) {
        (FieldValue::Mapping(entries), None) if step.parse::<i64>().is_err() => {
            let found = entries.iter().position(|entry| entry.key == *step);
            let at = found.unwrap_or_else(|| {
                entries.push(FieldEntry {
                    key: step.clone(),
                    value: made(),
                });
                entries.len() - 1
            });
            entries.get_mut(at).map(|entry| &mut entry.value)
        }
        (FieldValue::Sequence(items), Some((key, value))) => {
            let fits = |item: &Field| item.find_text(&[key]) == Some(value);
            let at = items.iter().position(fits).unwrap_or_else(|| {
                let mut item = Field::mapping(origin.clone());
                item.set(key, Field::text(value, origin.clone()));
                items.push(item);
                items.len() - 1
            });
            items.get_mut(at)
        }
        (FieldValue::Sequence(items), None) => match step.parse::<usize>() {
            Ok(index) => items.get_mut(index),
            Err(_) => None,
        },
        _ => None,
    };
    match next {
        Some(next) => field_at(next, rest, origin),
        None => Err(FieldMismatch {
            why: format!("there is nothing that the step `{step}` leads to"),
            place,
        }),
    }
}

/// Returns key and value of a step that means an item of a list: `[name=a]`.
fn item_of(step: &str) -> Option<(&str, &str)> {
    step.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

fn set_value(
    field: &mut Field,
    value: &SettingText<'_>,
    position: i64,
) -> Result<(), FieldMismatch> {
    let FieldValue::Scalar(scalar) = &field.value else {
        let why = "there is a mapping or list where a text is expected";
        return Err(FieldMismatch::at(field, why));
    };
    let is_part = position > 0;
    let text: Cow<'_, str> = if is_part {
        insert_part(&scalar.text, position - 1, &value.text).into()
    } else {
        value.text.as_str().into()
    };
    let text = text.into_owned();
    rewrite_scalar(field, text);
    field.origin = if is_part {
        field.origin.clone().and(value.place)
    } else {
        Origin::new(value.place.clone())
    };
    Ok(())
}

/// Puts a part into a path of a file system; an absolute path stays one, and a position too far is the end.
fn insert_part(path: &str, position: i64, part: &str) -> String {
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let at = usize::try_from(position).unwrap_or(usize::MAX);
    parts.insert(at.min(parts.len()), part);
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::insert_part;

    #[test]
    fn a_part_goes_into_a_path() {
        let cases = [
            ("", 0, "PEACH"),
            ("/", 3, "/PEACH"),
            ("pie", 0, "PEACH/pie"),
            ("/pie", 0, "/PEACH/pie"),
            ("raw", 1, "raw/PEACH"),
            ("/raw", 9, "/raw/PEACH"),
            ("/a/nice/warm/pie", 3, "/a/nice/warm/PEACH/pie"),
        ];
        for (path, position, expected) in cases {
            assert_eq!(insert_part(path, position, "PEACH"), expected);
        }
    }
}
