//! Paths to fields, such as `spec.template.spec.containers.[name=app].image`.

use regex::Regex;

use super::super::emit::to_yaml;
use super::super::field::{Field, FieldValue, ScalarKind};
use super::super::go_expression::compile_expression;
use super::super::place::{Origin, Place, SourceFile};

/// A path to fields, as it is written, and its steps.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    pub(super) text: String,
    pub(crate) steps: Vec<String>,
    pub(super) place: Place,
}

/// What is made at the end of a path that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewValue {
    Scalar,
    Sequence,
    Mapping,
}

/// What is done with each field that a path leads to, and with whether it was made just now.
pub(super) type FieldVisitor<'v> = dyn FnMut(&mut Field, bool) -> Result<(), String> + 'v;

/// What a step of a path means.
enum PathStep<'p> {
    Index(usize),
    Match { key: &'p str, value: &'p str },
    Every,
    Key(&'p str),
}

impl FieldPath {
    pub(crate) fn new(text: &str, place: &Place) -> Self {
        Self {
            text: text.to_owned(),
            steps: split_path(text),
            place: place.clone(),
        }
    }

    /// Finds the only field that the path leads to.
    ///
    /// # Errors
    /// The path has a step that does not fit to what is there, or a `*`.
    pub(crate) fn lookup<'f>(&self, root: &'f Field) -> Result<Option<&'f Field>, String> {
        lookup(root, &self.steps)
    }

    /// Visits all fields that the path leads to, and returns how many there are; makes what is missing if asked to.
    ///
    /// # Errors
    /// The path has a step that does not fit to what is there.
    pub(super) fn visit(
        &self,
        root: &mut Field,
        create: Option<NewValue>,
        visitor: &mut FieldVisitor<'_>,
    ) -> Result<usize, String> {
        let mut walk = FieldPathWalk {
            create,
            origin: self.place.clone().into(),
            visitor,
        };
        walk.visit(root, &self.steps, false)
    }
}

impl NewValue {
    pub(super) fn like(value: &Field) -> Self {
        match &value.value {
            FieldValue::Scalar(_) => Self::Scalar,
            FieldValue::Sequence(_) => Self::Sequence,
            FieldValue::Mapping(_) => Self::Mapping,
        }
    }

    /// Returns what has to be made so that the next step finds its place.
    fn before(self, next: Option<&String>) -> Self {
        match next {
            None => self,
            Some(next) if is_match(next) || index_of(next).is_some() => Self::Sequence,
            Some(next) if next.is_empty() => self,
            Some(_) => Self::Mapping,
        }
    }

    fn make(self, origin: &Origin) -> Field {
        match self {
            Self::Scalar => Field::scalar("", ScalarKind::Null, origin.clone()),
            Self::Sequence => Field::sequence(origin.clone()),
            Self::Mapping => Field::mapping(origin.clone()),
        }
    }
}

/// Splits a path at its dots; `\.` is a dot, and brackets hold together what stands in them.
fn split_path(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text
        .split('.')
        .skip(usize::from(text.len() > 1 && text.starts_with('.')))
    {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    let mut steps = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            steps.push(part);
            continue;
        }
        let mut joined = part;
        for part in parts.by_ref() {
            joined.push('.');
            joined.push_str(&part);
            if part.ends_with(']') {
                break;
            }
        }
        if joined.contains('=') {
            steps.push(joined);
        } else {
            steps.push(joined.trim_matches(['[', ']']).to_owned());
        }
    }
    steps
}

fn is_match(step: &str) -> bool {
    step.len() > 1 && step.starts_with('[') && step.ends_with(']')
}

fn index_of(step: &str) -> Option<usize> {
    step.strip_prefix('+').unwrap_or(step).parse().ok()
}

fn read_step(step: &str) -> Result<PathStep<'_>, String> {
    if let Some(index) = index_of(step) {
        return Ok(PathStep::Index(index));
    }
    if is_match(step) {
        let inner = &step[1..step.len() - 1];
        let (key, value) = inner
            .split_once('=')
            .ok_or_else(|| format!("`{step}` has no `=`"))?;
        return Ok(PathStep::Match { key, value });
    }
    Ok(match step {
        "*" => PathStep::Every,
        key => PathStep::Key(key),
    })
}

/// Follows steps to one field.
pub(super) fn lookup<'f>(root: &'f Field, steps: &[String]) -> Result<Option<&'f Field>, String> {
    let mut field = root;
    for step in lookup_steps(steps) {
        match position(field, step)? {
            Some(at) => {
                field = match &field.value {
                    FieldValue::Mapping(entries) => &entries[at].value,
                    FieldValue::Sequence(items) => &items[at],
                    FieldValue::Scalar(_) => return Ok(None),
                }
            }
            None => return Ok(None),
        }
    }
    Ok(Some(field))
}

/// Follows steps to one field, to change it; `None` where they lead nowhere.
pub(super) fn lookup_mut<'f>(root: &'f mut Field, steps: &[String]) -> Option<&'f mut Field> {
    let mut field = root;
    for step in lookup_steps(steps) {
        let at = position(field, step).ok().flatten()?;
        field = match &mut field.value {
            FieldValue::Mapping(entries) => &mut entries.get_mut(at)?.value,
            FieldValue::Sequence(items) => items.get_mut(at)?,
            FieldValue::Scalar(_) => return None,
        };
    }
    Some(field)
}

fn lookup_steps(steps: &[String]) -> impl Iterator<Item = &str> {
    steps
        .iter()
        .map(|step| step.trim())
        .filter(|step| !step.is_empty())
}

/// Finds the entry or item that a step of a lookup leads to; here brackets mean a value, not an expression.
fn position(field: &Field, step: &str) -> Result<Option<usize>, String> {
    if step.parse::<i64>().is_ok_and(|index| index < 0) {
        return Err(format!("the index `{step}` is negative"));
    }
    match read_step(step)? {
        PathStep::Every => Err("there is no single field at `*`".to_owned()),
        PathStep::Index(index) => Ok((index < items_of(field)?.len()).then_some(index)),
        PathStep::Key("-") => match items_of(field)?.len().checked_sub(1) {
            Some(last) => Ok(Some(last)),
            None => Err("the list is empty".to_owned()),
        },
        PathStep::Match { key: "", value } => Ok(items_of(field)?
            .iter()
            .position(|item| text_of(item) == value)),
        PathStep::Match { key, value } => Ok(items_of(field)?
            .iter()
            .position(|item| item.get(key).is_some_and(|found| text_of(found) == value))),
        PathStep::Key(key) => {
            demand_mapping(field)?;
            let entries = field.entries().unwrap_or_default();
            Ok(entries.iter().position(|entry| entry.key == key))
        }
    }
}

/// Returns the text of a scalar; a list or mapping has none.
fn text_of(field: &Field) -> &str {
    field.as_scalar().map_or("", |scalar| scalar.text.as_str())
}

/// Returns the items of a list; null is a list without items.
fn items_of(field: &Field) -> Result<&[Field], String> {
    match field.items() {
        Some(items) => Ok(items),
        None if field.is_null() => Ok(&[]),
        None => Err("a list is expected where there is none".to_owned()),
    }
}

fn demand_mapping(field: &Field) -> Result<(), String> {
    if field.entries().is_some() || field.is_null() {
        Ok(())
    } else {
        Err("a mapping is expected where there is none".to_owned())
    }
}

/// A walk along a path that visits, and makes, fields.
struct FieldPathWalk<'w, 'v> {
    create: Option<NewValue>,
    /// The origin of what is made.
    origin: Origin,
    visitor: &'w mut FieldVisitor<'v>,
}

impl FieldPathWalk<'_, '_> {
    /// Visits the fields that steps lead to from a field, which may have been made just now.
    fn visit(
        &mut self,
        field: &mut Field,
        steps: &[String],
        is_new: bool,
    ) -> Result<usize, String> {
        let Some((step, rest)) = steps.split_first() else {
            (self.visitor)(field, is_new)?;
            return Ok(1);
        };
        match read_step(step)? {
            PathStep::Index(index) => self.visit_index(field, index, rest),
            PathStep::Match { key, value } => self.visit_matches(field, key, value, rest),
            PathStep::Every => {
                items_of(field)?;
                let mut count = 0;
                for item in field.items_mut().into_iter().flatten() {
                    count += self.visit(item, rest, false)?;
                }
                Ok(count)
            }
            PathStep::Key(key) => self.visit_key(field, key, rest),
        }
    }

    fn visit_key(
        &mut self,
        field: &mut Field,
        key: &str,
        rest: &[String],
    ) -> Result<usize, String> {
        demand_mapping(field)?;
        if key.is_empty() && !field.is_null() {
            return Err("a step of the path is empty".to_owned());
        }
        let is_new = field.get(key).is_none();
        if is_new && let Some(create) = self.create {
            field.set(key, create.before(rest.first()).make(&self.origin));
        }
        let Some(child) = field.get_mut(key) else {
            return Ok(0);
        };
        match child.as_scalar() {
            Some(scalar) if !rest.is_empty() => self.visit_text(&scalar.text.clone(), rest),
            _ => self.visit(child, rest, is_new),
        }
    }

    /// Follows the rest of a path into a text that holds YAML. kustomize finds fields there, and changes a copy.
    fn visit_text(&mut self, text: &str, rest: &[String]) -> Result<usize, String> {
        let no_fields = || "the path leads into a text without fields".to_owned();
        let documents = spanned_yaml::load(text).map_err(|_| no_fields())?;
        let root = documents.first().ok_or_else(no_fields)?;
        let file = SourceFile::new("", text.as_bytes());
        let mut copy = Field::of_written(&root.root, &file, 0);
        let mut walk = FieldPathWalk {
            create: self.create,
            origin: self.origin.clone(),
            visitor: &mut |_, _| Ok(()),
        };
        walk.visit(&mut copy, rest, false)
    }

    fn visit_index(
        &mut self,
        field: &mut Field,
        index: usize,
        rest: &[String],
    ) -> Result<usize, String> {
        let count = items_of(field)?.len();
        let is_new = count == index;
        if is_new
            && let Some(create) = self.create
            && let Some(items) = field.items_mut()
        {
            items.push(create.before(rest.first()).make(&self.origin));
        }
        match field.items_mut().and_then(|items| items.get_mut(index)) {
            Some(item) => self.visit(item, rest, is_new),
            None => Err(format!("the list has {count} items, and none at {index}")),
        }
    }

    fn visit_matches(
        &mut self,
        field: &mut Field,
        key: &str,
        value: &str,
        rest: &[String],
    ) -> Result<usize, String> {
        let pattern = compile_expression(value)
            .ok_or_else(|| format!("`{value}` is no regular expression"))?;
        let count = self.visit_asked(field, key, &pattern, rest, false)?;
        if count > 0 || self.create.is_none() {
            return Ok(count);
        }
        let text = Field::scalar(value, ScalarKind::of(value), self.origin.clone());
        let item = if key.is_empty() {
            text
        } else {
            let mut item = Field::mapping(self.origin.clone());
            item.set(key, text);
            item
        };
        match field.items_mut() {
            Some(items) => items.push(item),
            None => return Err("a list is expected where there is none".to_owned()),
        }
        self.visit_asked(field, key, &pattern, rest, key.is_empty())
    }

    fn visit_asked(
        &mut self,
        field: &mut Field,
        key: &str,
        pattern: &Regex,
        rest: &[String],
        is_new: bool,
    ) -> Result<usize, String> {
        items_of(field)?;
        // What stands behind a scalar of a list is not looked at.
        let rest = if key.is_empty() { &[] } else { rest };
        let mut count = 0;
        for item in field.items_mut().into_iter().flatten() {
            let asked = if key.is_empty() {
                Some(&*item)
            } else {
                item.get(key)
            };
            if asked.is_some_and(|asked| pattern.is_match(&yaml_text(asked))) {
                count += self.visit(item, rest, is_new)?;
            }
        }
        Ok(count)
    }
}

/// Returns a value as kustomize writes it in YAML, which is what an expression in brackets is held against.
fn yaml_text(field: &Field) -> String {
    match field.as_scalar() {
        Some(scalar) if field.is_quoted() => format!("\"{}\"", scalar.text),
        Some(scalar) => scalar.text.clone(),
        None => to_yaml(field).trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::split_path;

    #[test]
    fn paths_split_at_dots_outside_of_brackets() {
        for (text, expected) in [
            ("spec.name", vec!["spec", "name"]),
            ("a.[name=x.y].b", vec!["a", "[name=x.y]", "b"]),
            (
                "metadata.annotations.[a.b/c]",
                vec!["metadata", "annotations", "a.b/c"],
            ),
            (r"data.config\.json.a", vec!["data", "config.json", "a"]),
            ("a.*.0", vec!["a", "*", "0"]),
            (".a.b", vec!["a", "b"]),
            ("a.[x", vec!["a", "x"]),
            ("a.[x]", vec!["a", "[x]"]),
            ("", vec![""]),
        ] {
            assert_eq!(split_path(text), expected, "{text}");
        }
    }
}
