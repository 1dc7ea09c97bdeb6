//! Setting one value in a data file as a person would: comments, order and layout stay.

use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, Table};

use crate::yaml::edit::{EditError as YamlError, Insertion, insert};
use crate::yaml::{self, Route, Step};

/// Why a value was not set; the text stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read in its format.
    #[error("`{0}` cannot be read")]
    Syntax(String),
    /// Something that holds no keys stands on the way.
    #[error("`{path}` holds something else than keys on the way to `{route}`")]
    Occupied {
        /// The file.
        path: String,
        /// The value that was to be set.
        route: String,
    },
}

/// Returns the text of a YAML, TOML or JSON file with `value` at a JSON pointer.
///
/// What stands elsewhere in the file keeps its bytes; a JSON file is written anew with the
/// indentation of its first indented line. Parents that are missing are created.
pub fn set(path: &str, text: &str, pointer: &str, value: &Value) -> Result<String, EditError> {
    let edit = Edit {
        path,
        text,
        pointer,
        value,
    };
    if path.ends_with(".toml") {
        edit.toml()
    } else if path.ends_with(".json") {
        edit.json()
    } else {
        edit.yaml()
    }
}

struct Edit<'e> {
    path: &'e str,
    text: &'e str,
    pointer: &'e str,
    value: &'e Value,
}

impl Edit<'_> {
    fn yaml(&self) -> Result<String, EditError> {
        let documents = yaml::load(self.text).map_err(|_| self.syntax())?;
        let Some(first) = documents.first() else {
            return Ok(self.beginning());
        };
        let mut steps = Route::from_pointer(self.pointer).0;
        if let Some(node) = first.root.at(&Route(steps.clone())) {
            if node.is_alias() || node.entries().is_some() || node.items().is_some() {
                return Err(self.occupied());
            }
            if !node.span.is_empty() {
                return Ok(self.replaced(node.span.start, node.span.end));
            }
        }
        let Some(Step::Key(key)) = steps.pop() else {
            return Err(self.occupied());
        };
        let insertion = Insertion::entry(0, Route(steps), &key, self.value.clone());
        match insert(self.text, &documents, &insertion) {
            Ok(edited) => Ok(edited.text),
            // A key without a value: the value goes behind the colon.
            Err(YamlError::Exists(route)) => {
                let span = first.root.span_of(&route);
                let colon = self.text[span.end..].find(':').map(|at| span.end + at + 1);
                let at = colon.ok_or_else(|| self.occupied())?;
                Ok(format!(
                    "{} {}{}",
                    &self.text[..at],
                    self.value,
                    &self.text[at..]
                ))
            }
            Err(_) => Err(self.occupied()),
        }
    }

    /// A file without any value yet, comments kept.
    fn beginning(&self) -> String {
        let mut value = self.value.clone();
        for step in Route::from_pointer(self.pointer).0.into_iter().rev() {
            if let Step::Key(key) = step {
                value = Value::Object(Map::from_iter([(key, value)]));
            }
        }
        format!("{}{}", self.text, yaml::emit(&value))
    }

    fn replaced(&self, start: usize, end: usize) -> String {
        let written = yaml::emit(self.value);
        format!(
            "{}{}{}",
            &self.text[..start],
            written.trim_end(),
            &self.text[end..]
        )
    }

    fn toml(&self) -> Result<String, EditError> {
        let mut document: DocumentMut = self.text.parse().map_err(|_| self.syntax())?;
        let mut keys = self.keys();
        let last = keys.pop().ok_or_else(|| self.occupied())?;
        let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
        for key in keys {
            let item = table.entry(&key).or_insert_with(|| {
                let mut parent = Table::new();
                // `[apps.echo]` needs no `[apps]` above it.
                parent.set_implicit(true);
                Item::Table(parent)
            });
            table = item.as_table_like_mut().ok_or_else(|| self.occupied())?;
        }
        let value = self.toml_value()?;
        match table.get_mut(&last) {
            Some(Item::Value(old)) => {
                // The comment behind the old value stays behind the new one.
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
            Some(_) => return Err(self.occupied()),
            None => {
                table.insert(&last, Item::Value(value));
            }
        }
        Ok(document.to_string())
    }

    fn toml_value(&self) -> Result<toml_edit::Value, EditError> {
        Ok(match self.value {
            Value::Bool(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::Number(value) => match (value.as_i64(), value.as_f64()) {
                (Some(value), _) => value.into(),
                (None, Some(value)) => value.into(),
                (None, None) => return Err(self.occupied()),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return Err(self.occupied()),
        })
    }

    fn json(&self) -> Result<String, EditError> {
        let mut root: Value = serde_json::from_str(self.text).map_err(|_| self.syntax())?;
        let mut keys = self.keys();
        let last = keys.pop().ok_or_else(|| self.occupied())?;
        let mut at = &mut root;
        for key in keys {
            let object = at.as_object_mut().ok_or_else(|| self.occupied())?;
            at = object
                .entry(key)
                .or_insert_with(|| Value::Object(Map::new()));
        }
        let object = at.as_object_mut().ok_or_else(|| self.occupied())?;
        object.insert(last, self.value.clone());
        let indent = self
            .text
            .lines()
            .find_map(|line| {
                let width = line.len() - line.trim_start().len();
                (width > 0).then(|| &line[..width])
            })
            .unwrap_or("  ");
        let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        serde::Serialize::serialize(&root, &mut serializer).map_err(|_| self.syntax())?;
        bytes.push(b'\n');
        String::from_utf8(bytes).map_err(|_| self.syntax())
    }

    fn keys(&self) -> Vec<String> {
        let steps = Route::from_pointer(self.pointer).0;
        steps
            .into_iter()
            .map(|step| match step {
                Step::Key(key) => key,
                Step::Index(index) => index.to_string(),
            })
            .collect()
    }

    fn syntax(&self) -> EditError {
        EditError::Syntax(self.path.to_owned())
    }

    fn occupied(&self) -> EditError {
        EditError::Occupied {
            path: self.path.to_owned(),
            route: Route::from_pointer(self.pointer).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(path: &str, text: &str) -> String {
        set(path, text, "/apps/echo/enabled", &Value::Bool(true)).unwrap()
    }

    #[test]
    fn keeps_the_comments_of_yaml() {
        let text =
            "# Ours.\napps:\n  # Off for now.\n  echo:\n    enabled: false # since May\nz: 1\n";
        assert_eq!(
            on("cluster.yaml", text),
            text.replace("enabled: false", "enabled: true")
        );
    }

    #[test]
    fn adds_what_is_missing_to_yaml() {
        let expected = "a: 1\napps:\n  echo:\n    enabled: true\n";
        assert_eq!(on("cluster.yaml", "a: 1\n"), expected);
        assert_eq!(on("cluster.yaml", "a: 1\napps:\n"), expected);
        assert_eq!(on("cluster.yaml", "a: 1\napps:\n  echo:\n"), expected);
        assert_eq!(
            on("cluster.yaml", "a: 1\napps:\n  echo:\n    enabled:\n"),
            expected
        );
        assert_eq!(
            on("cluster.yaml", "# Nothing yet.\n"),
            "# Nothing yet.\napps:\n  echo:\n    enabled: true\n"
        );
    }

    #[test]
    fn keeps_the_comments_of_toml() {
        let text = "# Ours.\n[apps.echo] # small\nenabled = false # since May\n\n[[nodes]]\nname = \"a\"\n";
        assert_eq!(
            on("cluster.toml", text),
            text.replace("enabled = false", "enabled = true")
        );
        assert_eq!(
            on("cluster.toml", "a = 1\n"),
            "a = 1\n\n[apps.echo]\nenabled = true\n"
        );
    }

    #[test]
    fn keeps_the_order_and_indentation_of_json() {
        assert_eq!(
            on("cluster.json", "{\n    \"z\": 1,\n    \"a\": 2\n}\n"),
            "{\n    \"z\": 1,\n    \"a\": 2,\n    \"apps\": {\n        \"echo\": {\n            \"enabled\": true\n        }\n    }\n}\n"
        );
    }

    #[test]
    fn refuses_what_stands_in_the_way() {
        for (path, text) in [
            ("cluster.yaml", "apps: none\n"),
            ("cluster.yaml", "apps: [echo]\n"),
            ("cluster.toml", "apps = \"none\"\n"),
            ("cluster.json", "{\"apps\": []}"),
        ] {
            let error = set(path, text, "/apps/echo/enabled", &Value::Bool(true)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`{path}` holds something else than keys on the way to `apps.echo.enabled`"
                )
            );
        }
    }
}
