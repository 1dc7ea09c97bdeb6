//! JSON patches (RFC 6902), with the readings of the library that kustomize uses.

use super::super::field::{Field, FieldValue, ScalarKind};
use super::super::place::{Origin, Place};
use super::super::problem::{Problem, ProblemKind};

/// An operation of a JSON patch.
#[derive(Clone, Debug)]
pub(super) struct JsonOperation {
    kind: JsonOperationKind,
    path: String,
    from: String,
    value: Field,
    /// The operation as it is written.
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JsonOperationKind {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// A step that leads nowhere.
struct NoSuchPlace;

impl JsonOperation {
    /// Reads the operations of a patch.
    ///
    /// # Errors
    /// An operation has no `op` that JSON patches have, or no `path`.
    pub(super) fn read_all(list: &Field) -> Result<Vec<Self>, Problem> {
        list.items()
            .unwrap_or_default()
            .iter()
            .map(Self::read)
            .collect()
    }

    fn read(field: &Field) -> Result<Self, Problem> {
        let kind = match text_of(field, "op") {
            Some("add") => JsonOperationKind::Add,
            Some("remove") => JsonOperationKind::Remove,
            Some("replace") => JsonOperationKind::Replace,
            Some("move") => JsonOperationKind::Move,
            Some("copy") => JsonOperationKind::Copy,
            Some("test") => JsonOperationKind::Test,
            _ => {
                let place = field.get("op").unwrap_or(field).place();
                let message = "the operation has no `op` that JSON patches know";
                return Err(Problem::new(ProblemKind::Malformed, message, place)
                    .with_help("write `add`, `remove`, `replace`, `move`, `copy` or `test`"));
            }
        };
        let pointer = |key: &str| {
            let text = text_of(field, key).map(str::to_owned);
            text.ok_or_else(|| {
                let message = format!("the operation has no `{key}`");
                Problem::new(ProblemKind::Malformed, message, field.place())
            })
        };
        let needs_from = matches!(kind, JsonOperationKind::Move | JsonOperationKind::Copy);
        Ok(Self {
            kind,
            path: pointer("path")?,
            from: if needs_from {
                pointer("from")?
            } else {
                String::new()
            },
            value: field
                .get("value")
                .cloned()
                .unwrap_or_else(|| null(field.origin.clone())),
            origin: field.origin.clone(),
        })
    }

    /// Returns where the operation is written.
    pub(super) fn place(&self) -> &Place {
        &self.origin.place
    }

    /// Returns whether the annotations of an object are others after it, as a whole.
    pub(super) fn replaces_annotations(&self) -> bool {
        let changed = match self.kind {
            JsonOperationKind::Test => return false,
            JsonOperationKind::Move => [self.path.as_str(), self.from.as_str()],
            _ => [self.path.as_str(); 2],
        };
        let is_above = |path: &str| matches!(path, "" | "/metadata" | "/metadata/annotations");
        changed.into_iter().any(is_above)
    }

    /// Applies the operation to an object.
    ///
    /// # Errors
    /// Its path leads nowhere, or its test fails.
    pub(super) fn apply(&self, root: &mut Field) -> Result<(), Problem> {
        match self.kind {
            JsonOperationKind::Add => self.add(root, self.value.clone()),
            JsonOperationKind::Remove => self.remove(root, &self.path).map(drop),
            JsonOperationKind::Replace => self.replace(root),
            JsonOperationKind::Move => {
                let value = self.remove(root, &self.from)?;
                self.add(root, self.carried(value))
            }
            JsonOperationKind::Copy => {
                let value = self.get(root, &self.from)?.cloned();
                let value = value.unwrap_or_else(|| null(self.origin.clone()));
                self.add(root, self.carried(value))
            }
            JsonOperationKind::Test => self.test(root),
        }
    }

    /// Marks a value that the operation carries from one path to another.
    fn carried(&self, mut value: Field) -> Field {
        value.origin = value.origin.and(&self.origin.place);
        value
    }

    fn add(&self, root: &mut Field, value: Field) -> Result<(), Problem> {
        let (parent, key) = self.parent_mut(root, &self.path)?;
        let added = match &mut parent.value {
            FieldValue::Mapping(_) => {
                parent.set(&key, value);
                Some(())
            }
            FieldValue::Sequence(items) if key == "-" => {
                items.push(value);
                Some(())
            }
            FieldValue::Sequence(items) => {
                position(&key, items.len() + 1).map(|at| items.insert(at, value))
            }
            FieldValue::Scalar(_) => None,
        };
        added.ok_or_else(|| self.leads_nowhere(&self.path))
    }

    fn remove(&self, root: &mut Field, path: &str) -> Result<Field, Problem> {
        let (parent, key) = self.parent_mut(root, path)?;
        let removed = match &mut parent.value {
            FieldValue::Mapping(_) => parent.remove(&key),
            FieldValue::Sequence(items) => position(&key, items.len()).map(|at| items.remove(at)),
            FieldValue::Scalar(_) => None,
        };
        removed.ok_or_else(|| self.leads_nowhere(path))
    }

    fn replace(&self, root: &mut Field) -> Result<(), Problem> {
        if self.path.is_empty() {
            if self.value.as_scalar().is_some() {
                let message = "an object cannot be replaced by a scalar";
                return Err(Problem::new(
                    ProblemKind::Refused,
                    message,
                    self.value.place(),
                ));
            }
            *root = self.value.clone();
            return Ok(());
        }
        let (parent, key) = self.parent_mut(root, &self.path)?;
        let slot = match &mut parent.value {
            // A key that is not there is no obstacle to this library.
            FieldValue::Mapping(_) => {
                parent.set(&key, self.value.clone());
                return Ok(());
            }
            FieldValue::Sequence(items) => {
                position(&key, items.len()).and_then(|at| items.get_mut(at))
            }
            FieldValue::Scalar(_) => None,
        };
        let slot = slot.ok_or_else(|| self.leads_nowhere(&self.path))?;
        *slot = self.value.clone();
        Ok(())
    }

    fn test(&self, root: &Field) -> Result<(), Problem> {
        let found = if self.path.is_empty() {
            Some(root)
        } else {
            self.get(root, &self.path)?
        };
        let found = found.map_or(serde_json::Value::Null, Field::to_json);
        if found == self.value.to_json() {
            return Ok(());
        }
        let message = format!("the test of `{}` fails", self.path);
        Err(
            Problem::new(ProblemKind::Refused, message, &self.origin.place)
                .with_related(root.place()),
        )
    }

    /// Finds a value; a key that a mapping does not have is `None`.
    fn get<'f>(&self, root: &'f Field, path: &str) -> Result<Option<&'f Field>, Problem> {
        let nowhere = |_: NoSuchPlace| self.leads_nowhere(path);
        let (parents, key) = split(path).map_err(nowhere)?;
        let mut field = root;
        for step in &parents {
            field = child(field, step)
                .map_err(nowhere)?
                .ok_or_else(|| nowhere(NoSuchPlace))?;
        }
        child(field, &key).map_err(nowhere)
    }

    fn parent_mut<'f>(
        &self,
        root: &'f mut Field,
        path: &str,
    ) -> Result<(&'f mut Field, String), Problem> {
        let nowhere = || self.leads_nowhere(path);
        let (parents, key) = split(path).map_err(|_| nowhere())?;
        let mut field = root;
        for step in &parents {
            let next = if field.items().is_some() {
                field.items_mut().and_then(|items| {
                    let at = position(step, items.len())?;
                    items.get_mut(at)
                })
            } else {
                field.get_mut(step)
            };
            field = next.ok_or_else(nowhere)?;
        }
        if field.as_scalar().is_some() {
            return Err(nowhere());
        }
        Ok((field, key))
    }

    fn leads_nowhere(&self, path: &str) -> Problem {
        let message =
            format!("the path `{path}` leads to nothing in an object that the patch is for");
        Problem::new(ProblemKind::Refused, message, &self.origin.place).with_help(
            "a path has to lead through what is there; add what is missing by an operation before",
        )
    }
}

fn text_of<'f>(field: &'f Field, key: &str) -> Option<&'f str> {
    let scalar = field.get(key)?.as_scalar()?;
    (scalar.kind == ScalarKind::Text).then_some(scalar.text.as_str())
}

fn null(origin: Origin) -> Field {
    Field::scalar("null", ScalarKind::Null, origin)
}

/// Splits a pointer into the steps to the parent and the last step. What stands before the first `/` does not count.
fn split(path: &str) -> Result<(Vec<String>, String), NoSuchPlace> {
    let mut steps: Vec<String> = path.split('/').skip(1).map(unescape).collect();
    let last = steps.pop().ok_or(NoSuchPlace)?;
    Ok((steps, last))
}

/// Reads `~0` and `~1` in one pass, so that `~01` is `~1`.
fn unescape(step: &str) -> String {
    let mut text = String::with_capacity(step.len());
    let mut rest = step;
    while let Some(at) = rest.find('~') {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let (character, length) = match after.as_bytes().get(1) {
            Some(b'0') => ('~', 2),
            Some(b'1') => ('/', 2),
            _ => ('~', 1),
        };
        text.push(character);
        rest = &after[length..];
    }
    text.push_str(rest);
    text
}

fn child<'f>(field: &'f Field, step: &str) -> Result<Option<&'f Field>, NoSuchPlace> {
    match &field.value {
        FieldValue::Mapping(_) => Ok(field.get(step)),
        FieldValue::Sequence(items) => {
            let at = position(step, items.len()).ok_or(NoSuchPlace)?;
            items.get(at).map(Some).ok_or(NoSuchPlace)
        }
        FieldValue::Scalar(_) => Err(NoSuchPlace),
    }
}

/// Reads an index; a negative one counts from the end.
fn position(step: &str, length: usize) -> Option<usize> {
    let index: i64 = step.parse().ok()?;
    let index = if index < 0 {
        index.checked_add(i64::try_from(length).ok()?)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|index| *index < length)
}
