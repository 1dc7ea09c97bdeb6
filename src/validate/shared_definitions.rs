//! Definitions that the schemas of all apps share: `$defs` of the core's schema.
//!
//! A reference to one is replaced when the schema of the app is read, so that everything after it, editors included, sees a
//! plain schema. The app's `default` goes down into the keys of the copy: a user who sets one key keeps the defaults of
//! the others.

use serde_json::{Map, Value};

use super::keyword::change_subschemas;
use super::references::SchemaFault;
use crate::diagnostic::closest;
use crate::yaml::pointer_step;

/// How a reference to a shared definition starts: the path to the core's schema from the folder of the apps' schemas.
const CORE_DEFINITIONS: &str = "../cluster.schema.json#/$defs/";

/// The words that an app may write beside such a reference.
const WORDS_BESIDE: [&str; 6] = [
    "$ref",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
];

/// Replaces every reference of an app's schema to a definition of the core's by a copy of that definition.
///
/// Shared definitions refer to no others.
pub(super) fn inline(schema: &mut Value, definitions: &Value) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    inline_below(schema, "", definitions, &mut faults);
    faults
}

fn inline_below(
    schema: &mut Value,
    pointer: &str,
    definitions: &Value,
    faults: &mut Vec<SchemaFault>,
) {
    if let Some(beside) = schema.as_object_mut()
        && let Some(name) = shared_name(beside)
    {
        match completed(&name, beside, definitions) {
            Ok(copy) => *schema = copy,
            Err(fault) => {
                faults.push(SchemaFault {
                    pointer: format!("{pointer}{}", fault.pointer),
                    ..fault
                });
                // It is not a second fault that it leads out of the file.
                beside.shift_remove("$ref");
            }
        }
        return;
    }
    change_subschemas(schema, &mut |step, held| {
        inline_below(held, &format!("{pointer}{step}"), definitions, faults);
    });
}

fn shared_name(schema: &Map<String, Value>) -> Option<String> {
    let reference = schema.get("$ref")?.as_str()?;
    reference.strip_prefix(CORE_DEFINITIONS).map(str::to_owned)
}

/// Copies a definition with the words beside a reference to it, or says which of the words is wrong.
fn completed(
    name: &str,
    beside: &Map<String, Value>,
    definitions: &Value,
) -> Result<Value, SchemaFault> {
    let mut words = beside.keys();
    if let Some(word) = words.find(|word| !WORDS_BESIDE.contains(&word.as_str())) {
        let hint = "put the reference into an `allOf`, and the word beside that";
        return Err(SchemaFault {
            pointer: format!("/{}", pointer_step(word)),
            message: format!("`{word}` cannot stand beside a reference to a shared definition"),
            hints: vec![hint.to_owned()],
        });
    }
    let Some(Value::Object(definition)) = definitions.get(name) else {
        let names = definitions.as_object().into_iter().flat_map(Map::keys);
        let close = closest(name, names.map(String::as_str));
        let hint = close.map(|known| format!("did you mean `{CORE_DEFINITIONS}{known}`?"));
        return Err(SchemaFault {
            pointer: "/$ref".to_owned(),
            message: format!("there is no shared definition `{name}`"),
            hints: hint.into_iter().collect(),
        });
    };
    let mut copy = Map::new();
    let words = beside.iter().filter(|(word, _)| *word != "$ref");
    copy.extend(words.map(|(word, value)| (word.clone(), value.clone())));
    for (word, value) in definition {
        copy.entry(word).or_insert_with(|| value.clone());
    }
    let mut copy = Value::Object(copy);
    if let Some(default) = beside.get("default") {
        spread_default(&mut copy, default);
    }
    Ok(copy)
}

/// Gives a schema a default, and the keys that it names those in it.
fn spread_default(schema: &mut Value, default: &Value) {
    schema["default"] = default.clone();
    for (key, default) in default.as_object().into_iter().flatten() {
        let named = schema.get_mut("properties");
        if let Some(own) = named.and_then(|named| named.get_mut(key))
            && own.is_object()
        {
            spread_default(own, default);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CORE_DEFINITIONS, inline};

    fn definitions() -> Value {
        json!({
            "size": {
                "title": "Size",
                "type": "object",
                "properties": {
                    "least": {"type": "object", "properties": {"cpu": {"type": "string"}}},
                    "most": {"type": "integer", "default": 3},
                },
            },
        })
    }

    fn inlined(mut schema: Value) -> (Value, Vec<String>) {
        let faults = inline(&mut schema, &definitions()).into_iter();
        let faults = faults.map(|fault| format!("{} {}", fault.pointer, fault.message));
        (schema, faults.collect())
    }

    #[test]
    fn the_default_beside_a_reference_reaches_every_key() {
        let (schema, faults) = inlined(json!({
            "properties": {
                "a": {
                    "$ref": format!("{CORE_DEFINITIONS}size"),
                    "title": "Mine",
                    "default": {"least": {"cpu": "10m"}},
                },
            },
        }));
        assert_eq!(faults, [""; 0]);
        let expected = json!({
            "title": "Mine",
            "default": {"least": {"cpu": "10m"}},
            "type": "object",
            "properties": {
                "least": {
                    "type": "object",
                    "properties": {"cpu": {"type": "string", "default": "10m"}},
                    "default": {"cpu": "10m"},
                },
                "most": {"type": "integer", "default": 3},
            },
        });
        assert_eq!(schema["properties"]["a"], expected);
    }

    #[test]
    fn refuses_unknown_names_and_words_that_would_do_nothing() {
        let (_, faults) = inlined(json!({
            "properties": {
                "a": {"$ref": format!("{CORE_DEFINITIONS}unknown")},
                "b": {"$ref": format!("{CORE_DEFINITIONS}size"), "minimum": 3},
            },
        }));
        let expected = [
            "/properties/a/$ref there is no shared definition `unknown`",
            "/properties/b/minimum `minimum` cannot stand beside a reference to a shared definition",
        ];
        assert_eq!(faults, expected);
    }
}
