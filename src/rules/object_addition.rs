//! What an applied object gains, and the two ways to say it in a patch of kustomize.

use serde_json::{Map, Value, json};

use crate::yaml::{Route, Step, pointer_step};

/// Something that an object gains, by routes of the object as it is applied.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ObjectAddition {
    /// What is missing of a value; what is there stays.
    Complete(Route, Value),
    /// An item at the end of a list, which is made where it is not there.
    Append(Route, Value),
}

impl ObjectAddition {
    /// Adds it to an object, and returns the operations of JSON 6902 that do the same; `None` where the object has no
    /// such place.
    pub(super) fn apply(&self, object: &mut Value) -> Option<Vec<Value>> {
        let mut operations = Vec::new();
        let (route, last) = self.parts();
        add(object, &route.0, last, "", &mut operations)?;
        Some(operations)
    }

    /// Returns the part of a strategic merge that adds it to an object, containers and the like by name; `None` where a
    /// list on the way has no names, or an item would take the place of others.
    pub(super) fn merge_patch(&self, object: &Value) -> Option<Value> {
        match self {
            Self::Complete(route, value) => nested(object, &route.0, value.clone()),
            Self::Append(route, item) => {
                let is_new = route.0.iter().try_fold(object, child).is_none();
                let list = Value::Array(vec![item.clone()]);
                is_new.then(|| nested(object, &route.0, list)).flatten()
            }
        }
    }

    fn parts(&self) -> (&Route, Last<'_>) {
        match self {
            Self::Complete(route, value) => (route, Last::Value(value)),
            Self::Append(route, item) => (route, Last::Item(item)),
        }
    }
}

/// What stands at the end of a route.
#[derive(Clone, Copy)]
enum Last<'a> {
    Value(&'a Value),
    Item(&'a Value),
}

fn add(
    present: &mut Value,
    steps: &[Step],
    last: Last<'_>,
    pointer: &str,
    operations: &mut Vec<Value>,
) -> Option<()> {
    match (steps, last) {
        ([Step::Key(key), rest @ ..], _) => {
            let map = present.as_object_mut()?;
            let pointer = format!("{pointer}/{}", pointer_step(key));
            match map.get_mut(key) {
                Some(inner) if !inner.is_null() => add(inner, rest, last, &pointer, operations)?,
                _ => {
                    let new = made(rest, last)?;
                    operations.push(operation(&pointer, &new));
                    map.insert(key.clone(), new);
                }
            }
        }
        ([Step::Index(index), rest @ ..], _) => {
            let inner = present.get_mut(index)?;
            add(inner, rest, last, &format!("{pointer}/{index}"), operations)?;
        }
        ([], Last::Value(value)) => complete(present, value, pointer, operations),
        ([], Last::Item(item)) => {
            let items = present.as_array_mut()?;
            operations.push(operation(&format!("{pointer}/-"), item));
            items.push(item.clone());
        }
    }
    Some(())
}

fn complete(present: &mut Value, wanted: &Value, pointer: &str, operations: &mut Vec<Value>) {
    let (Value::Object(present), Value::Object(wanted)) = (present, wanted) else {
        return;
    };
    for (key, value) in wanted {
        let pointer = format!("{pointer}/{}", pointer_step(key));
        match present.get_mut(key) {
            Some(inner) if !inner.is_null() => complete(inner, value, &pointer, operations),
            _ => {
                operations.push(operation(&pointer, value));
                present.insert(key.clone(), value.clone());
            }
        }
    }
}

fn operation(pointer: &str, value: &Value) -> Value {
    json!({"op": "add", "path": pointer, "value": value})
}

/// Wraps what is added in the mappings that are not there.
fn made(steps: &[Step], last: Last<'_>) -> Option<Value> {
    let innermost = match last {
        Last::Value(value) => value.clone(),
        Last::Item(item) => Value::Array(vec![item.clone()]),
    };
    steps.iter().rev().try_fold(innermost, |inner, step| {
        let Step::Key(key) = step else { return None };
        Some(Value::Object(Map::from_iter([(key.clone(), inner)])))
    })
}

fn child<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match step {
        Step::Key(key) => value.get(key).filter(|inner| !inner.is_null()),
        Step::Index(index) => value.get(index),
    }
}

/// Wraps a value in what leads to it, with items of lists by their names.
fn nested(object: &Value, steps: &[Step], value: Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    let below = child(object, step);
    let inner = nested(below.unwrap_or(&Value::Null), rest, value)?;
    match step {
        Step::Key(key) => Some(Value::Object(Map::from_iter([(key.clone(), inner)]))),
        Step::Index(_) => {
            let mut item = Map::from_iter([("name".to_owned(), below?.get("name")?.clone())]);
            item.extend(inner.as_object()?.clone());
            Some(Value::Array(vec![Value::Object(item)]))
        }
    }
}

/// Puts one part of a strategic merge beside another, items of lists by name.
pub(super) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(own) => merge(own, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => {
            for item in from {
                let same =
                    |known: &Value| item["name"].is_string() && known["name"] == item["name"];
                match into.iter().position(same) {
                    Some(index) => merge(&mut into[index], item),
                    None if into.contains(&item) => {}
                    None => into.push(item),
                }
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"template": {"spec": {"containers": [
                {"name": "side"},
                {"name": "main", "securityContext": {"runAsUser": 1000}},
            ]}}},
        })
    }

    fn main_container() -> Route {
        Route::parse("spec.template.spec.containers").then(1_usize)
    }

    #[test]
    fn an_addition_completes_and_never_changes() {
        let mut object = deployment();
        let route = main_container().then("securityContext");
        let value = json!({"runAsUser": 0, "capabilities": {"drop": ["ALL"]}});
        let addition = ObjectAddition::Complete(route, value);
        let operations = addition.apply(&mut object).unwrap();
        let context = &object["spec"]["template"]["spec"]["containers"][1]["securityContext"];
        assert_eq!(
            *context,
            json!({"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}})
        );
        assert_eq!(
            operations,
            [json!({
                "op": "add",
                "path": "/spec/template/spec/containers/1/securityContext/capabilities",
                "value": {"drop": ["ALL"]},
            })]
        );
        assert!(addition.apply(&mut object).unwrap().is_empty());
    }

    #[test]
    fn a_merge_names_the_containers() {
        let route = main_container().then("resources");
        let value = json!({"limits": {"memory": "1Gi"}});
        let patch = ObjectAddition::Complete(route, value).merge_patch(&deployment());
        let container = json!({"name": "main", "resources": {"limits": {"memory": "1Gi"}}});
        assert_eq!(
            patch.unwrap(),
            json!({"spec": {"template": {"spec": {"containers": [container]}}}})
        );
    }

    #[test]
    fn a_slash_in_a_key_is_escaped_and_a_list_that_is_there_is_no_matter_of_a_merge() {
        let mut object = json!({"metadata": {}, "spec": {"list": [1]}});
        let labels = ObjectAddition::Complete(Route::parse("metadata.labels"), json!({"a/b": "c"}));
        assert_eq!(
            labels.apply(&mut object).unwrap()[0]["path"],
            "/metadata/labels"
        );
        let more = ObjectAddition::Complete(Route::parse("metadata.labels"), json!({"d/e": "f"}));
        assert_eq!(
            more.apply(&mut object).unwrap()[0]["path"],
            "/metadata/labels/d~1e"
        );
        let item = ObjectAddition::Append(Route::parse("spec.list"), json!(2));
        assert_eq!(item.merge_patch(&object), None);
        assert_eq!(item.apply(&mut object).unwrap()[0]["path"], "/spec/list/-");
        assert_eq!(object["spec"]["list"], json!([1, 2]));
        let new = ObjectAddition::Append(Route::parse("spec.new"), json!(2));
        let patch = new.merge_patch(&object);
        assert_eq!(patch, Some(json!({"spec": {"new": [2]}})));
    }

    #[test]
    fn parts_of_one_container_become_one() {
        let part = |key: &str| json!({"containers": [{"name": "main", key: 1}]});
        let mut all = part("a");
        merge(&mut all, part("b"));
        merge(&mut all, json!({"containers": [{"name": "side", "c": 1}]}));
        assert_eq!(
            all,
            json!({"containers": [{"name": "main", "a": 1, "b": 1}, {"name": "side", "c": 1}]})
        );
    }
}
