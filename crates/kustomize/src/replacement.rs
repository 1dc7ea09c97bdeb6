//! Replacements: values of one object that are put into fields of others.

mod field_path;
mod structured_text;

use super::field::{Field, FieldScalar, FieldValue, ScalarKind};
use super::loader::{Loader, documents_of};
use super::patch::{
    EntryReader, SELECTOR_KEYS, TargetSelector, default_namespace, describe, is_given,
};
use super::place::Place;
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::{Resource, ResourceId};
use super::resources::Resources;
pub(crate) use field_path::FieldPath;
use field_path::NewValue;

/// The field that a source or target means that names none.
const DEFAULT_PATH: &str = "metadata.name";

/// Applies the `replacements` of a kustomization, in order.
pub(crate) fn apply_replacements(
    resources: &mut Resources,
    replacements: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) {
    let mut all = Vec::new();
    for field in EntryReader::items(replacements, "replacements", findings) {
        read_entry(field, loader, &mut all, findings);
    }
    for replacement in all {
        if let Some(value) = replacement.value(resources, findings) {
            for target in &replacement.targets {
                target.put(&value, resources, findings);
            }
        }
    }
}

fn read_entry(
    field: &Field,
    loader: &Loader<'_>,
    all: &mut Vec<Replacement>,
    findings: &mut Findings,
) {
    let keys = ["source", "targets", "sourceValue", "path"];
    if !EntryReader::demand_keys(field, "replacements", &keys, findings)
        || !EntryReader::demand_texts(field, &["path"], findings)
    {
        return;
    }
    let Some(path) = is_given(field, "path") else {
        all.extend(Replacement::read(field, UnknownKeys::Strict, findings));
        return;
    };
    let has_targets = field
        .get("targets")
        .is_some_and(|targets| targets.items().is_some_and(|items| !items.is_empty()));
    if is_given(field, "source").is_some() || has_targets {
        let message = "an entry of `replacements` has a `path` and a replacement of its own";
        findings.refuse(Problem::new(ProblemKind::Malformed, message, path.place()));
        return;
    }
    let documents = loader
        .read(path, findings)
        .and_then(|file| documents_of(&file, findings));
    let Some(documents) = documents else { return };
    let document = documents.first();
    match document.map(|document| (document, document.items())) {
        Some((_, Some(items))) => {
            for item in items {
                all.extend(Replacement::read(item, UnknownKeys::Lenient, findings));
            }
        }
        Some((document, None)) if document.entries().is_some() => {
            all.extend(Replacement::read(document, UnknownKeys::Lenient, findings));
        }
        _ => {
            let text = path.as_text().unwrap_or_default();
            let message = format!("`{text}` holds no replacement");
            findings.refuse(Problem::new(ProblemKind::Malformed, message, path.place()));
        }
    }
}

/// Whether unknown keys are refused: in a kustomization they are, in a file of replacements not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnknownKeys {
    Strict,
    Lenient,
}

/// Where the value of a replacement comes from.
#[derive(Debug)]
enum ReplacementSource {
    /// The text itself.
    Value(Field),
    /// A field of an object.
    Object {
        id: ResourceId,
        path: FieldPath,
        options: FieldOptions,
        place: Place,
    },
}

/// A value, and the fields that it is put into.
#[derive(Debug)]
struct Replacement {
    source: ReplacementSource,
    targets: Vec<ReplacementTarget>,
}

/// Fields of objects that get a value.
#[derive(Debug)]
struct ReplacementTarget {
    select: TargetSelector,
    select_field: Field,
    reject: Vec<TargetSelector>,
    paths: Vec<FieldPath>,
    options: FieldOptions,
}

/// How a part of a field is read or written.
#[derive(Clone, Debug, Default)]
struct FieldOptions {
    delimiter: String,
    index: i64,
    create: bool,
}

impl Replacement {
    fn read(field: &Field, strictness: UnknownKeys, findings: &mut Findings) -> Option<Self> {
        let known = ["source", "targets", "sourceValue", "path"];
        demand_keys(field, "replacements", &known, strictness, findings)?;
        let value = field.get("sourceValue").filter(|value| !value.is_null());
        let source = field.get("source").filter(|source| !source.is_null());
        let targets = field.get("targets").filter(|targets| !targets.is_null());
        let targets = targets
            .map(|targets| EntryReader::items(targets, "targets", findings))
            .unwrap_or_default();
        if (value.is_none() && source.is_none()) || targets.is_empty() {
            let message = "a replacement lacks a source or targets";
            let problem = Problem::new(ProblemKind::Malformed, message, field.place());
            findings.refuse(problem.with_help("give it `source` or `sourceValue`, and `targets`"));
            return None;
        }
        let source = match (value, source) {
            (Some(value), None) => EntryReader::demand_text(value, "sourceValue", findings)
                .then(|| ReplacementSource::Value(value.clone())),
            (None, Some(source)) => ReplacementSource::read(source, strictness, findings),
            _ => {
                let message = "a replacement has both `source` and `sourceValue`";
                findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
                None
            }
        };
        let targets: Vec<Option<ReplacementTarget>> = targets
            .iter()
            .map(|target| ReplacementTarget::read(target, strictness, findings))
            .collect();
        Some(Self {
            source: source?,
            targets: targets.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Finds the value.
    fn value(&self, resources: &Resources, findings: &mut Findings) -> Option<Field> {
        match &self.source {
            ReplacementSource::Value(value) => {
                let mut value = value.clone();
                if let FieldValue::Scalar(scalar) = &mut value.value {
                    scalar.kind = ScalarKind::of(&scalar.text);
                }
                Some(value)
            }
            ReplacementSource::Object {
                id,
                path,
                options,
                place,
            } => {
                let found = find_source(id, path, options, place, resources);
                found.map_err(|problem| findings.refuse(problem)).ok()
            }
        }
    }
}

impl ReplacementSource {
    fn read(field: &Field, strictness: UnknownKeys, findings: &mut Findings) -> Option<Self> {
        let texts = ["group", "version", "kind", "name", "namespace", "fieldPath"];
        let keys = [&texts[..], &["options"]].concat();
        demand_keys(field, "source", &keys, strictness, findings)?;
        if !EntryReader::demand_texts(field, &texts, findings) {
            return None;
        }
        let text = |key: &str| field.find_text(&[key]).unwrap_or_default().to_owned();
        let path = is_given(field, "fieldPath").map_or_else(
            || FieldPath::new(DEFAULT_PATH, field.place()),
            |path| FieldPath::new(path.as_text().unwrap_or_default(), path.place()),
        );
        Some(Self::Object {
            id: ResourceId {
                group: text("group"),
                version: text("version"),
                kind: text("kind"),
                name: text("name"),
                namespace: text("namespace"),
            },
            path,
            options: FieldOptions::read(field, strictness, findings)?,
            place: field.place().clone(),
        })
    }
}

impl FieldOptions {
    fn read(field: &Field, strictness: UnknownKeys, findings: &mut Findings) -> Option<Self> {
        let Some(options) = field.get("options").filter(|options| !options.is_null()) else {
            return Some(Self::default());
        };
        // kustomize takes `encoding`, and does nothing with it.
        let keys = ["delimiter", "index", "encoding", "create"];
        demand_keys(options, "options", &keys, strictness, findings)?;
        if !EntryReader::demand_texts(options, &["delimiter", "encoding"], findings) {
            return None;
        }
        let index = match options.get("index").filter(|index| !index.is_null()) {
            None => 0,
            Some(index) => {
                let number = index.to_json().as_i64();
                if number.is_none() {
                    EntryReader::refuse_shape(index, "index", "a whole number", findings);
                }
                number?
            }
        };
        Some(Self {
            delimiter: options
                .find_text(&["delimiter"])
                .unwrap_or_default()
                .to_owned(),
            index,
            create: EntryReader::flag(options, "create", findings),
        })
    }
}

impl ReplacementTarget {
    fn read(field: &Field, strictness: UnknownKeys, findings: &mut Findings) -> Option<Self> {
        let keys = ["select", "reject", "fieldPaths", "options"];
        demand_keys(field, "targets", &keys, strictness, findings)?;
        let Some(select) = field.get("select").filter(|select| !select.is_null()) else {
            let message = "a target of a replacement has no `select`";
            findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
            return None;
        };
        let mut reject = Vec::new();
        if let Some(rejects) = field.get("reject") {
            for item in EntryReader::items(rejects, "reject", findings) {
                reject.push(read_selector(item, "reject", strictness, findings)?);
            }
        }
        let mut paths = Vec::new();
        if let Some(list) = field.get("fieldPaths") {
            for item in EntryReader::items(list, "fieldPaths", findings) {
                EntryReader::demand_text(item, "fieldPaths", findings).then_some(())?;
                paths.push(FieldPath::new(
                    item.as_text().unwrap_or_default(),
                    item.place(),
                ));
            }
        }
        if paths.is_empty() {
            paths.push(FieldPath::new(DEFAULT_PATH, field.place()));
        }
        Some(Self {
            select: read_selector(select, "select", strictness, findings)?,
            select_field: select.clone(),
            reject,
            paths,
            options: FieldOptions::read(field, strictness, findings)?,
        })
    }

    /// Puts a value into the fields of the objects that are meant.
    fn put(&self, value: &Field, resources: &mut Resources, findings: &mut Findings) {
        let mut matched = false;
        for resource in &mut resources.list {
            if !self.is_for(resource) {
                continue;
            }
            matched = true;
            for path in &self.paths {
                if let Err(problem) = self.put_at(path, value, resource) {
                    findings.refuse(problem);
                }
                resource.settle_shared();
            }
        }
        findings.note_target(&self.select_field, matched, true);
    }

    fn is_for(&self, resource: &Resource) -> bool {
        let is_rejected = |reject: &TargetSelector| {
            (reject.has_label_conditions() && reject.matches_labels(resource))
                || (reject.has_id() && reject.matches_any_id(resource))
        };
        self.select.matches_labels(resource)
            && self.select.matches_any_id(resource)
            && !self.reject.iter().any(is_rejected)
    }

    fn put_at(
        &self,
        path: &FieldPath,
        value: &Field,
        resource: &mut Resource,
    ) -> Result<(), Problem> {
        let create = self.options.create.then(|| NewValue::like(value));
        let set_as = |host: FieldHost| {
            move |field: &mut Field, is_new: bool| {
                let host = if is_new { FieldHost::New } else { host };
                self.set(field, host, value, &path.place)
            }
        };
        let root = &mut resource.root;
        if structured_text::set_in_text(root, path, create, &mut set_as(FieldHost::Text)) {
            return Ok(());
        }
        let found = path.visit(root, create, &mut set_as(FieldHost::Object));
        let reason = match found {
            Ok(0) => None,
            Ok(_) if resource.name().is_empty() || resource.kind().is_empty() => {
                Some("no object is without name and kind".to_owned())
            }
            Ok(_) => return Ok(()),
            Err(reason) => Some(reason),
        };
        let reason = reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        let verb = if self.options.create {
            "can be made"
        } else {
            "is"
        };
        let object = describe(resource);
        let message = format!("no field `{}` {verb} in {object}{reason}", path.text);
        let mut problem =
            Problem::new(ProblemKind::Refused, message, &path.place).with_related(resource.place());
        if !self.options.create {
            problem = problem.with_help("with `options.create: true` a missing field is made");
        }
        Err(problem)
    }

    /// Puts a value into a field: all of it, or a part between delimiters.
    fn set(
        &self,
        field: &mut Field,
        host: FieldHost,
        value: &Field,
        path: &Place,
    ) -> Result<(), String> {
        let mut new = value.clone();
        new.origin = new.origin.and(path);
        if !self.options.delimiter.is_empty() {
            let Some(old) = field.as_scalar() else {
                return Err("a delimiter is for texts alone".to_owned());
            };
            let part = value.as_text().unwrap_or_default();
            let text = join_part(&old.text, &self.options, part);
            let kind = value.as_scalar().map_or(old.kind, |scalar| scalar.kind);
            // Nothing may be left of the old text, or it was empty: made just now.
            let origin = if text == part || old.text.is_empty() {
                value.origin.clone()
            } else {
                field.origin.clone().and_all(&value.origin)
            };
            new = Field::scalar(text, kind, origin.and(path));
        }
        match &mut field.value {
            FieldValue::Scalar(old) => put_text(old, host, new.as_scalar())?,
            _ => field.value = new.value,
        }
        field.origin = new.origin;
        Ok(())
    }
}

/// What holds a field that gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldHost {
    /// An object.
    Object,
    /// An object or text, in which the field was made just now.
    New,
    /// A text, in which kustomize notes a type that its value does not have.
    Text,
}

/// Puts a text into a scalar, which keeps its type: a number that is put into a text is a text.
///
/// # Errors
/// The type does not take the text: kustomize fails when it writes such an object.
fn put_text(
    old: &mut FieldScalar,
    host: FieldHost,
    new: Option<&FieldScalar>,
) -> Result<(), String> {
    let text = new.map_or("", |scalar| scalar.text.as_str());
    if text.is_empty() && old.kind == ScalarKind::Null {
        old.kind = ScalarKind::Text;
    } else if host == FieldHost::New {
        old.kind = ScalarKind::of(text);
    }
    if host == FieldHost::Object && !takes_text(old.kind, text) {
        let name = match old.kind {
            ScalarKind::Null => "null",
            ScalarKind::Boolean => "`true` or `false`",
            ScalarKind::Integer => "a whole number",
            ScalarKind::Float => "a number",
            ScalarKind::Text => "a text",
            ScalarKind::Timestamp => "a date",
        };
        return Err(format!(
            "the field holds {name}, and the value is of another type"
        ));
    }
    old.text.clear();
    old.text.push_str(text);
    Ok(())
}

/// Returns whether a scalar of a type can have a text.
fn takes_text(kind: ScalarKind, text: &str) -> bool {
    let shown = ScalarKind::of(text);
    kind == shown
        || kind == ScalarKind::Text
        || (kind == ScalarKind::Float && shown == ScalarKind::Integer)
}

/// Puts a part of a text in its place between delimiters, before all of them, or behind.
fn join_part(text: &str, options: &FieldOptions, part: &str) -> String {
    let mut parts: Vec<&str> = text.split(options.delimiter.as_str()).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, part),
        Ok(index) => match parts.get_mut(index) {
            Some(slot) => *slot = part,
            None => parts.push(part),
        },
    }
    parts.join(&options.delimiter)
}

/// Finds the field of the only object that a source means.
fn find_source(
    id: &ResourceId,
    path: &FieldPath,
    options: &FieldOptions,
    place: &Place,
    resources: &Resources,
) -> Result<Field, Problem> {
    let mut found = resources
        .list
        .iter()
        .filter(|resource| is_source(resource, id));
    let (first, second) = (found.next(), found.next());
    let Some(resource) = first else {
        let message = "no object matches the source of the replacement";
        return Err(Problem::new(ProblemKind::NoTarget, message, place));
    };
    if second.is_some() {
        let message = "more than one object matches the source of the replacement";
        return Err(Problem::new(ProblemKind::Ambiguous, message, place)
            .with_related(resource.place())
            .with_help("name the object by `kind`, `name` and `namespace`"));
    }
    let refuse = |message: String| {
        Problem::new(ProblemKind::Refused, message, &path.place).with_related(resource.place())
    };
    let object = describe(resource);
    let field = path
        .lookup(&resource.root)
        .map_err(|reason| {
            refuse(format!(
                "`{}` cannot be read in {object}: {reason}",
                path.text
            ))
        })?
        .filter(|field| !is_empty(field))
        .ok_or_else(|| refuse(format!("there is no field `{}` in {object}", path.text)))?;
    let mut field = field.clone();
    if is_secret_data(resource, path) {
        mark_secret(&mut field);
    }
    if options.delimiter.is_empty() {
        return Ok(field);
    }
    let Some(scalar) = field.as_scalar() else {
        return Err(refuse(format!(
            "`{}` of {object} is no text to be split",
            path.text
        )));
    };
    let mut parts = scalar.text.split(options.delimiter.as_str());
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|index| parts.nth(index));
    match part {
        Some(part) => Ok(Field::scalar(part, scalar.kind, field.origin.clone())),
        None => Err(refuse(format!(
            "`{}` of {object} has no part {} between its delimiters",
            path.text, options.index
        ))),
    }
}

/// Returns whether a path leads to what a Secret holds; its name and type are no secret.
fn is_secret_data(resource: &Resource, path: &FieldPath) -> bool {
    let first = path.steps.first().map(String::as_str);
    resource.kind() == "Secret"
        && resource.group().is_empty()
        && matches!(first, Some("data" | "stringData"))
}

/// Says of each value that it is one of a Secret, wherever it goes.
fn mark_secret(field: &mut Field) {
    field.origin = field.origin.clone().of_secret();
    match &mut field.value {
        FieldValue::Scalar(_) => {}
        FieldValue::Sequence(items) => items.iter_mut().for_each(mark_secret),
        FieldValue::Mapping(entries) => entries
            .iter_mut()
            .for_each(|entry| mark_secret(&mut entry.value)),
    }
}

fn is_empty(field: &Field) -> bool {
    match &field.value {
        FieldValue::Scalar(_) => field.is_null(),
        FieldValue::Sequence(items) => items.is_empty(),
        FieldValue::Mapping(entries) => entries.is_empty(),
    }
}

/// Returns whether a source means an object, by its current id or a former one; here each part is taken literally.
fn is_source(resource: &Resource, id: &ResourceId) -> bool {
    let is_part = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
    let is_id = |kind: &str, name: &str, namespace: &str| {
        is_part(&id.kind, kind)
            && is_part(&id.name, name)
            && (id.namespace.is_empty()
                || default_namespace(&id.namespace) == default_namespace(namespace))
    };
    is_part(&id.group, resource.group())
        && is_part(&id.version, resource.version())
        && (is_id(resource.kind(), resource.name(), resource.namespace())
            || resource
                .former
                .iter()
                .any(|former| is_id(&former.kind, &former.name, &former.namespace)))
}

fn demand_keys(
    field: &Field,
    name: &str,
    keys: &[&str],
    strictness: UnknownKeys,
    findings: &mut Findings,
) -> Option<()> {
    let is_right = match strictness {
        UnknownKeys::Strict => EntryReader::demand_keys(field, name, keys, findings),
        UnknownKeys::Lenient => {
            field.entries().is_some() || {
                EntryReader::refuse_shape(field, name, "a mapping", findings);
                false
            }
        }
    };
    is_right.then_some(())
}

fn read_selector(
    field: &Field,
    name: &str,
    strictness: UnknownKeys,
    findings: &mut Findings,
) -> Option<TargetSelector> {
    demand_keys(field, name, &SELECTOR_KEYS, strictness, findings)?;
    EntryReader::demand_texts(field, &SELECTOR_KEYS, findings).then_some(())?;
    TargetSelector::read(field, findings)
}

#[cfg(test)]
mod tests;
