//! The schema as editors need it: language servers complete and check by it one file at a time, while it is typed.

use serde_json::{Map, Value, json};

use super::keyword::{KeywordRole, change_subschemas, role};
use crate::yaml::{self, Document, Resolver};

/// The definition of a value that stands elsewhere.
const ELSEWHERE: &str = "valueFromElsewhere";

/// Rewrites a whole schema for editors.
///
/// What Kiln takes, an editor takes, and what it completes is valid:
/// - no `default` is null or holds null: servers take it for a text, and fail for all keys of the table;
/// - no `default` or example has what servers insert as something else: a table in a list as `[object Object]`, a text in
///   one without the quotes that it needs;
/// - a text may be `{ fromEnv: NAME }` or `{ fromFile: path }`;
/// - no key is required at the top, as the config may be spread over files.
pub(super) fn for_editors(mut schema: Value) -> Value {
    rewrite(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.shift_remove("required");
        let definitions = root.entry("$defs").or_insert_with(|| json!({}));
        if let Some(definitions) = definitions.as_object_mut() {
            definitions.insert(ELSEWHERE.to_owned(), elsewhere());
        }
    }
    schema
}

/// Rewrites a schema and those within it.
fn rewrite(schema: &mut Value) {
    change_subschemas(schema, &mut |step, held| {
        let keyword = step.split('/').nth(1).unwrap_or_default();
        // What only tests a value tests the one that Kiln has read.
        if role(keyword) != Some(KeywordRole::Test) {
            rewrite(held);
        }
        // Servers offer an example of an item as a list.
        if let ("items", Some(words)) = (keyword, held.as_object_mut()) {
            retain_examples(words, is_insertable_within);
        }
    });
    // After those within, as this adds some that are as they should be.
    if let Some(words) = schema.as_object_mut() {
        rewrite_default(words);
        rewrite_examples(words);
        accept_references(words);
    }
}

fn rewrite_default(words: &mut Map<String, Value>) {
    let Some(default) = words.get_mut("default") else {
        return;
    };
    drop_null_entries(default);
    if !is_insertable(default) {
        words.shift_remove("default");
    }
}

fn rewrite_examples(words: &mut Map<String, Value>) {
    retain_examples(words, is_insertable);
}

fn retain_examples(words: &mut Map<String, Value>, is_kept: impl Fn(&Value) -> bool) {
    let Some(examples) = words.get_mut("examples").and_then(Value::as_array_mut) else {
        return;
    };
    examples.retain(is_kept);
    if examples.is_empty() {
        words.shift_remove("examples");
    }
}

/// Removes the keys of a table that are null, as one that is not set is the same.
fn drop_null_entries(value: &mut Value) {
    if let Some(entries) = value.as_object_mut() {
        entries.retain(|_, entry| !entry.is_null());
        entries.values_mut().for_each(drop_null_entries);
    }
}

/// Whether servers insert a value as it is.
fn is_insertable(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().all(is_insertable_within),
        Value::Object(entries) => entries.iter().all(|(key, entry)| {
            let table = entry.is_object() || entry.is_array();
            let fits = if table {
                is_insertable(entry)
            } else {
                is_insertable_within(entry)
            };
            is_plain(key) && fits
        }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Whether servers insert a value within a list or table as it is: they quote nothing there.
fn is_insertable_within(value: &Value) -> bool {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => is_plain(text),
    }
}

/// Whether a text stays the same text in YAML 1.1 and 1.2 without quotes.
fn is_plain(text: &str) -> bool {
    let is_same = |document: &Document| {
        let resolvers = [Resolver::Core, Resolver::Kubernetes];
        resolvers
            .iter()
            .all(|resolver| document.root.to_value(*resolver) == *text)
    };
    yaml::load(text).is_ok_and(|documents| documents.first().is_some_and(is_same))
}

/// Has a schema that takes texts take a reference as well.
fn accept_references(words: &mut Map<String, Value>) {
    let mut types = match words.get("type") {
        Some(Value::String(one)) => vec![Value::from(one.as_str())],
        Some(Value::Array(types)) => types.clone(),
        _ => return,
    };
    if !types.contains(&json!("string")) || types.contains(&json!("object")) {
        return;
    }
    let texts = words.get("type").cloned();
    types.push(json!("object"));
    words.insert("type".to_owned(), Value::Array(types));
    let reference = json!({"$ref": format!("#/$defs/{ELSEWHERE}")});
    // A reference is none of the values that are listed.
    let listed = ["enum", "const"].into_iter();
    let mut listed: Map<String, Value> = listed
        .filter_map(|word| Some((word.to_owned(), words.shift_remove(word)?)))
        .collect();
    if listed.is_empty() {
        // With `properties` beside the types, or behind `anyOf`, servers would complete the key as a table.
        demand(words, json!({"if": {"type": "object"}, "then": reference}));
    } else {
        // Behind `else`, servers would not find the values; without a type beside them, they would not quote them.
        listed.extend(texts.map(|texts| ("type".to_owned(), texts)));
        demand(words, json!({"anyOf": [listed, reference]}));
    }
}

/// Adds words to those of a schema, by `allOf` where it has one of them already.
fn demand(words: &mut Map<String, Value>, more: Value) {
    match more {
        Value::Object(mut more) if more.keys().all(|word| !words.contains_key(word)) => {
            words.append(&mut more);
        }
        more => {
            let all = words.entry("allOf").or_insert_with(|| json!([]));
            if let Some(all) = all.as_array_mut() {
                all.push(more);
            }
        }
    }
}

/// Describes a reference; without words on the whole, as servers would show those instead of the words on the key.
fn elsewhere() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "fromEnv": {
                "description": "The name of the variable that holds the value.",
                "type": "string",
                "examples": ["CLOUDFLARE_TOKEN"]
            },
            "fromFile": {
                "description": "The file in the project that holds the value.",
                "type": "string",
                "examples": ["cloudflare-token.txt"]
            },
            "public": {
                "description": "Whether the variable's value is no secret. A file's always is.",
                "type": "boolean"
            }
        },
        "oneOf": [
            { "required": ["fromEnv"] },
            { "required": ["fromFile"], "properties": { "public": { "const": false } } }
        ]
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::for_editors;

    fn option(schema: &Value) -> Value {
        let whole = for_editors(json!({"properties": {"option": schema}}));
        whole["properties"]["option"].clone()
    }

    #[test]
    fn leaves_out_defaults_that_editors_cannot_insert() {
        for (default, left) in [
            (json!(null), None),
            (json!([{"a": 1}]), None),
            (json!([null]), None),
            (json!(["a: b"]), None),
            (json!(["20"]), None),
            (json!({"a": "yes"}), None),
            (json!("a: b"), Some(json!("a: b"))),
            (
                json!({"a": null, "b": {"c": null, "d": 1}}),
                Some(json!({"b": {"d": 1}})),
            ),
            (json!([]), Some(json!([]))),
            (json!(false), Some(json!(false))),
        ] {
            let found = option(&json!({"default": default}));
            assert_eq!(found.get("default"), left.as_ref(), "{default}");
        }
    }

    #[test]
    fn takes_references_where_a_text_may_stand() {
        for (schema, takes) in [
            (json!({"type": "string"}), true),
            (json!({"type": ["string", "integer", "null"]}), true),
            (json!({"type": "string", "enum": ["a"]}), true),
            (
                json!({"type": "string", "if": true, "then": {"minLength": 2}}),
                true,
            ),
            (json!({"type": "integer"}), false),
            (json!({"type": ["string", "object"]}), false),
        ] {
            let found = option(&schema);
            assert_eq!(found.to_string().contains("$ref"), takes, "{schema}");
            // An editor inserts values of the first type.
            assert_eq!(
                found["type"].get(0).unwrap_or(&found["type"]),
                schema["type"].get(0).unwrap_or(&schema["type"])
            );
        }
    }

    #[test]
    fn leaves_tests_as_they_are() {
        let tested = json!({"not": {"type": "string", "default": null}});
        assert_eq!(option(&tested), tested);
    }
}
