//! Setting one value in a data file as a person would: comments, order and layout stay.

use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, Table};

use crate::source::Span;
use crate::yaml::edit::{EditError as YamlError, Insertion, insert};
use crate::yaml::{self, Resolver, Route, Step};

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
    let edit = ConfigEdit {
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

/// Returns the text of a YAML, TOML or JSON file without the value at a JSON pointer, and without the groups that it was
/// the last of; as it was where there is none.
///
/// Comments on lines of their own stay, as do all other bytes; a JSON file is written anew as by [`set`].
pub fn remove(path: &str, text: &str, pointer: &str) -> Result<String, EditError> {
    let edit = ConfigEdit {
        path,
        text,
        pointer,
        value: &Value::Null,
    };
    if path.ends_with(".toml") {
        edit.without_toml()
    } else if path.ends_with(".json") {
        edit.without_json()
    } else {
        edit.without_yaml()
    }
}

/// Takes a value out of an object, and the objects that it was the last of.
fn prune(value: &mut Value, keys: &[String]) -> bool {
    let (Some(object), Some((key, rest))) = (value.as_object_mut(), keys.split_first()) else {
        return false;
    };
    let Some(inner) = object.get_mut(key) else {
        return false;
    };
    let gone = rest.is_empty() || {
        let pruned = prune(inner, rest);
        pruned && inner.as_object().is_some_and(Map::is_empty)
    };
    if gone {
        object.shift_remove(key);
    }
    true
}

struct ConfigEdit<'e> {
    path: &'e str,
    text: &'e str,
    pointer: &'e str,
    value: &'e Value,
}

impl ConfigEdit<'_> {
    fn yaml(&self) -> Result<String, EditError> {
        let documents = yaml::load(self.text).map_err(|_| self.syntax())?;
        let is_blank =
            |document: &yaml::Document| document.root.is_null() && document.root.span.is_empty();
        let Some(first) = documents
            .first()
            .filter(|_| !documents.iter().all(is_blank))
        else {
            return Ok(self.beginning());
        };
        let mut steps = Route::from_pointer(self.pointer).0;
        if let Some(node) = first.root.at(&Route(steps.clone())) {
            if node.is_alias() || node.entries().is_some() || node.items().is_some() {
                return Err(self.occupied());
            }
            if matches!(&node.content, yaml::Content::Scalar(scalar) if scalar.style == yaml::Style::Block)
            {
                return self.replaced_block(&first.root, &steps, node.span.end);
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
        let mut written = yaml::emit(self.value);
        written.truncate(written.trim_end().len());
        // A block would have to be indented like its key; JSON is YAML, and one line.
        if written.contains('\n') {
            written = self.value.to_string();
        }
        format!("{}{written}{}", &self.text[..start], &self.text[end..])
    }

    /// Returns where a value ends: that of a block may reach into the indentation of what follows.
    fn end_of(&self, end: usize) -> usize {
        let trimmed = self.text[..end].trim_end_matches(' ');
        if trimmed.ends_with('\n') {
            trimmed.len()
        } else {
            end
        }
    }

    /// Replaces a block of lines, which starts with a sign behind the colon.
    fn replaced_block(
        &self,
        root: &yaml::Node,
        steps: &[Step],
        end: usize,
    ) -> Result<String, EditError> {
        let Some((Step::Key(key), above)) = steps.split_last() else {
            return Err(self.occupied());
        };
        let parent = root.at(&Route(above.to_vec()));
        let entry = parent.and_then(|parent| parent.entry(key));
        let key_end = entry.ok_or_else(|| self.occupied())?.key_span.end;
        let colon = self.text[key_end..].find(':').map(|at| key_end + at + 1);
        let colon = colon.ok_or_else(|| self.occupied())?;
        let end = self.end_of(end);
        let line_end = if self.text[..end].ends_with('\n') {
            "\n"
        } else {
            ""
        };
        let (before, after) = (&self.text[..colon], &self.text[end..]);
        Ok(format!("{before} {}{line_end}{after}", self.value))
    }

    fn without_yaml(&self) -> Result<String, EditError> {
        let documents = yaml::load(self.text).map_err(|_| self.syntax())?;
        let keys = self.keys();
        let route =
            |keys: &[String]| Route(keys.iter().map(|key| Step::from(key.as_str())).collect());
        let mut roots = documents.iter().map(|document| &document.root);
        let Some(root) = roots.find(|root| root.at(&route(&keys)).is_some()) else {
            return Ok(self.text.to_owned());
        };
        let mut wanted = root.to_value(Resolver::Core);
        prune(&mut wanted, &keys);
        let mut kept = keys.len();
        let is_alone = |keys: &[String]| {
            let parent = root.at(&route(keys));
            parent
                .and_then(yaml::Node::entries)
                .is_some_and(|entries| entries.len() == 1)
        };
        while kept > 1 && is_alone(&keys[..kept - 1]) {
            kept -= 1;
        }
        let (parent, key) = (root.at(&route(&keys[..kept - 1])), &keys[kept - 1]);
        let parent = parent.ok_or_else(|| self.occupied())?;
        let entry = parent.entry(key).ok_or_else(|| self.occupied())?;
        let entry = Span::new(
            entry.key_span.start,
            entry.value.span.end.max(entry.key_span.end),
        );
        let flow = matches!(parent.content, yaml::Content::Mapping { flow: true, .. });
        let piece = if flow {
            self.flow_entry(entry)
        } else {
            self.block_lines(entry)
        };
        let text = format!("{}{}", &self.text[..piece.start], &self.text[piece.end..]);
        let read = yaml::load(&text).map_err(|_| self.occupied())?;
        let mut left = read
            .iter()
            .map(|document| document.root.to_value(Resolver::Core));
        // Whatever else would change, such as an anchor that is gone, the text stays.
        let gone = wanted.as_object().is_some_and(Map::is_empty);
        if left.any(|value| value == wanted || gone && value.is_null()) || gone && read.is_empty() {
            Ok(text)
        } else {
            Err(self.occupied())
        }
    }

    /// An entry in block YAML: all of its lines.
    fn block_lines(&self, entry: Span) -> Span {
        let entry = Span::new(entry.start, self.end_of(entry.end));
        let start = self.text[..entry.start].rfind('\n').map_or(0, |at| at + 1);
        let ended = self.text[..entry.end].ends_with('\n');
        let end = match self.text[entry.end..].find('\n').filter(|_| !ended) {
            Some(at) => entry.end + at + 1,
            None if ended => entry.end,
            None => self.text.len(),
        };
        Span::new(start, end)
    }

    /// An entry in braces, with the comma that parts it from its neighbour.
    fn flow_entry(&self, entry: Span) -> Span {
        let after = self.text[entry.end..].trim_start();
        if let Some(rest) = after.strip_prefix(',') {
            return Span::new(entry.start, self.text.len() - rest.trim_start().len());
        }
        let before = self.text[..entry.start].trim_end();
        let start = before.strip_suffix(',').map_or(entry.start, str::len);
        Span::new(start, entry.end)
    }

    fn without_toml(&self) -> Result<String, EditError> {
        fn take(table: &mut dyn toml_edit::TableLike, keys: &[String]) -> Option<()> {
            let (key, rest) = keys.split_first()?;
            if rest.is_empty() {
                return table.remove(key).map(drop);
            }
            let inner = table.get_mut(key)?.as_table_like_mut()?;
            take(inner, rest)?;
            if inner.is_empty() {
                table.remove(key);
            }
            Some(())
        }
        let mut document: DocumentMut = self.text.parse().map_err(|_| self.syntax())?;
        Ok(match take(document.as_table_mut(), &self.keys()) {
            Some(()) => document.to_string(),
            None => self.text.to_owned(),
        })
    }

    fn without_json(&self) -> Result<String, EditError> {
        let mut root: Value = serde_json::from_str(self.text).map_err(|_| self.syntax())?;
        if !prune(&mut root, &self.keys()) {
            return Ok(self.text.to_owned());
        }
        self.written_json(&root)
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
        let value = self.toml_value(self.value)?;
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

    fn toml_value(&self, value: &Value) -> Result<toml_edit::Value, EditError> {
        Ok(match value {
            Value::Bool(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::Number(value) => match (value.as_i64(), value.as_f64()) {
                (Some(value), _) => value.into(),
                (None, Some(value)) => value.into(),
                (None, None) => return Err(self.occupied()),
            },
            Value::Array(items) => {
                let items = items.iter().map(|item| self.toml_value(item));
                items
                    .collect::<Result<toml_edit::Array, EditError>>()?
                    .into()
            }
            Value::Null | Value::Object(_) => return Err(self.occupied()),
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
        self.written_json(&root)
    }

    fn written_json(&self, root: &Value) -> Result<String, EditError> {
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
        serde::Serialize::serialize(root, &mut serializer).map_err(|_| self.syntax())?;
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
    fn sets_a_list_in_every_format() {
        let list = Value::from(vec!["10.0.0.0/24", "10.0.1.0/24"]);
        let on = |path: &str, text: &str| set(path, text, "/a/b", &list).unwrap();
        assert_eq!(
            on("cluster.toml", "x = 1\n"),
            "x = 1\n\n[a]\nb = [\"10.0.0.0/24\", \"10.0.1.0/24\"]\n"
        );
        assert_eq!(
            on("cluster.yaml", "x: 1\n"),
            "x: 1\na:\n  b:\n    - 10.0.0.0/24\n    - 10.0.1.0/24\n"
        );
        let json: Value = serde_json::from_str(&on("cluster.json", "{}")).unwrap();
        assert_eq!(json["a"]["b"], list);
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
        assert_eq!(
            on("cluster.yaml", "---\n# Nothing yet.\n"),
            "---\n# Nothing yet.\napps:\n  echo:\n    enabled: true\n"
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
    fn takes_out_a_value_and_nothing_else() {
        let without = |path: &str, text: &str| remove(path, text, "/dns/token").unwrap();
        for (text, expected) in [
            (
                "a: 1\ndns:\n  # Ours.\n  token: x # y\n  zone: z\n",
                "a: 1\ndns:\n  # Ours.\n  zone: z\n",
            ),
            ("a: 1\ndns:\n  token: x\nb: 2\n", "a: 1\nb: 2\n"),
            (
                "dns:\n  zone: z\n  token: |\n    one\n    two\n",
                "dns:\n  zone: z\n",
            ),
            (
                "dns:\n  token: |\n    one\n    two\n  zone: z\n",
                "dns:\n  zone: z\n",
            ),
            ("dns: {token: x, zone: z}\n", "dns: {zone: z}\n"),
            ("dns: {zone: z, token: x}\n", "dns: {zone: z}\n"),
            (
                "a: 1\n---\ndns:\n  token: x\n  zone: z",
                "a: 1\n---\ndns:\n  zone: z",
            ),
            ("# Nothing else.\ndns:\n  token: x\n", "# Nothing else.\n"),
            ("a: 1\n", "a: 1\n"),
        ] {
            assert_eq!(without("cluster.yaml", text), expected);
        }
        assert_eq!(
            without("c.toml", "a = 1\n\n[dns]\ntoken = \"x\"\n"),
            "a = 1\n"
        );
        assert_eq!(
            without(
                "c.json",
                "{\n  \"a\": 1,\n  \"dns\": {\n    \"token\": \"x\"\n  }\n}\n"
            ),
            "{\n  \"a\": 1\n}\n"
        );
        // An alias elsewhere needs it.
        remove("c.yaml", "dns:\n  token: &t x\n  zone: *t\n", "/dns/token").unwrap_err();
    }

    #[test]
    fn a_text_of_several_lines_replaces_one_of_one() {
        let value = Value::String("one\ntwo\n".to_owned());
        let text = set("c.yaml", "dns:\n  token: x # y\n", "/dns/token", &value).unwrap();
        let read = yaml::load(&text).unwrap()[0].root.to_value(Resolver::Core);
        assert_eq!(read.pointer("/dns/token"), Some(&value));
        let before = "dns:\n  token: |\n    old\n    word\n  zone: z\n";
        let text = set("c.yaml", before, "/dns/token", &value).unwrap();
        assert_eq!(text, "dns:\n  token: \"one\\ntwo\\n\"\n  zone: z\n");
        let text = set("c.yaml", "dns:\n  zone: x\n", "/dns/token", &value).unwrap();
        let read = yaml::load(&text).unwrap()[0].root.to_value(Resolver::Core);
        assert_eq!(read.pointer("/dns/token"), Some(&value));
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
