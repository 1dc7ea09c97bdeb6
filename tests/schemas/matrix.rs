use kiln::validate::Schema;
use serde_json::{Value, json};

use super::{all_text, composed, covered, with_options};

/// What stands at a place: of each type, a value.
fn types() -> [(&'static str, Value); 5] {
    [
        ("string", json!("canary-text")),
        ("integer", json!(918_273_645)),
        ("boolean", json!(true)),
        ("object", json!({"inner": "canary-text"})),
        ("array", json!(["canary-text", 918_273_645])),
    ]
}

/// Places for a schema, `@`: by what, the schema of the app, and the pointer of what `@` describes in the options, if it
/// describes anything.
const PLACES: [(&str, &str, Option<&str>); 34] = [
    ("the root", "@", Some("")),
    ("properties", r#"{"properties": {"a": @}}"#, Some("/a")),
    (
        "properties twice",
        r#"{"properties": {"a": {"properties": {"k": @}}}}"#,
        Some("/a/k"),
    ),
    (
        "patternProperties",
        r#"{"properties": {"a": {"patternProperties": {"^(?=k)": @}}}}"#,
        Some("/a/k"),
    ),
    (
        "additionalProperties",
        r#"{"properties": {"a": {"additionalProperties": @}}}"#,
        Some("/a/k"),
    ),
    (
        "unevaluatedProperties",
        r#"{"properties": {"a": {"unevaluatedProperties": @}}}"#,
        Some("/a/k"),
    ),
    (
        "items",
        r#"{"properties": {"a": {"items": @}}}"#,
        Some("/a/0"),
    ),
    (
        "prefixItems",
        r#"{"properties": {"a": {"prefixItems": [@]}}}"#,
        Some("/a/0"),
    ),
    (
        "contains",
        r#"{"properties": {"a": {"contains": @}}}"#,
        Some("/a/0"),
    ),
    (
        "unevaluatedItems",
        r#"{"properties": {"a": {"unevaluatedItems": @}}}"#,
        Some("/a/0"),
    ),
    (
        "allOf",
        r#"{"properties": {"a": {"allOf": [true, @]}}}"#,
        Some("/a"),
    ),
    (
        "allOf of the root",
        r#"{"allOf": [{"properties": {"a": @}}]}"#,
        Some("/a"),
    ),
    (
        "anyOf",
        r#"{"properties": {"a": {"anyOf": [@, {"type": "null"}]}}}"#,
        Some("/a"),
    ),
    (
        "oneOf",
        r#"{"properties": {"a": {"oneOf": [@, {"type": "null"}]}}}"#,
        Some("/a"),
    ),
    (
        "then",
        r#"{"properties": {"a": {"if": true, "then": @}}}"#,
        Some("/a"),
    ),
    (
        "else",
        r#"{"properties": {"a": {"if": false, "else": @}}}"#,
        Some("/a"),
    ),
    ("if", r#"{"properties": {"a": {"if": @}}}"#, Some("/a")),
    (
        "not",
        r#"{"properties": {"a": {"not": {"allOf": [@, false]}}}}"#,
        Some("/a"),
    ),
    (
        "dependentSchemas",
        r#"{"dependentSchemas": {"a": {"properties": {"a": @}}}}"#,
        Some("/a"),
    ),
    (
        "propertyNames",
        r#"{"properties": {"a": {"propertyNames": {"anyOf": [@, true]}}}}"#,
        None,
    ),
    (
        "contentSchema",
        r#"{"properties": {"a": {"contentSchema": @}}}"#,
        None,
    ),
    (
        "$ref",
        r##"{"properties": {"a": {"$ref": "#/properties/b"}, "b": @}}"##,
        Some("/a"),
    ),
    (
        "$ref to $defs",
        r##"{"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": @}}"##,
        Some("/a"),
    ),
    (
        "$ref to definitions",
        r##"{"properties": {"a": {"$ref": "#/definitions/b"}}, "definitions": {"b": @}}"##,
        Some("/a"),
    ),
    (
        "$ref to $anchor",
        r##"{"properties": {"a": {"$ref": "#b"}}, "$defs": {"x": {"$anchor": "b", "allOf": [@]}}}"##,
        Some("/a"),
    ),
    (
        "$ref to $id",
        r#"{"properties": {"a": {"$ref": "b"}}, "$defs": {"x": {"$id": "b", "allOf": [@]}}}"#,
        Some("/a"),
    ),
    (
        "$ref to $ref",
        r##"{"properties": {"a": {"$ref": "#/$defs/c"}}, "$defs": {"b": @, "c": {"$ref": "#/$defs/b"}}}"##,
        Some("/a"),
    ),
    (
        "$ref in a circle",
        r##"{"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"additionalProperties": @, "allOf": [{"$ref": "#/$defs/b"}]}}}"##,
        Some("/a/k"),
    ),
    (
        "$ref behind items",
        r##"{"properties": {"a": {"items": {"$ref": "#/$defs/b"}}}, "$defs": {"b": @}}"##,
        Some("/a/0"),
    ),
    (
        "$ref behind not",
        r##"{"properties": {"a": {"not": {"allOf": [false, {"$ref": "#/$defs/b"}]}}}, "$defs": {"b": @}}"##,
        Some("/a"),
    ),
    (
        "$dynamicRef",
        r##"{"properties": {"a": {"$dynamicRef": "#b"}}, "$defs": {"x": {"$dynamicAnchor": "b", "allOf": [@]}}}"##,
        Some("/a"),
    ),
    (
        "$ref out of the file",
        r#"{"properties": {"a": {"$ref": "https://example.com/b.json", "allOf": [@]}}}"#,
        Some("/a"),
    ),
    (
        "an unknown keyword",
        r#"{"properties": {"a": {"anyof": [@]}}}"#,
        Some("/a"),
    ),
    (
        "a former draft",
        r#"{"properties": {"a": {"items": [@], "additionalItems": @}}}"#,
        Some("/a/0"),
    ),
];

/// What became of a word.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Honoured,
    Refused,
    Dropped(String),
}

/// Composes the schema with a word at a place.
fn composed_with(inner: &Value, template: &str) -> Result<Schema, Fate> {
    composed(&template.replace('@', &inner.to_string())).map_err(|problems| {
        let named = problems.iter().all(|problem| {
            let at = problem
                .primary
                .as_ref()
                .map(|label| &label.place.source.path);
            problem.code() == "bad-schema"
                && problem.message.contains("at `/")
                && at.is_some_and(|path| path == "schemas/apps/duo.schema.json")
        });
        if named {
            Fate::Refused
        } else {
            Fate::Dropped(all_text(&problems))
        }
    })
}

/// Validates, and asks whether the word had its effect on the value at a place of the options.
fn effect(word: &str, schema: &Schema, pointer: &str, value: &Value) -> Fate {
    let filled = word == "default" || word == "x-kiln-default";
    let options = match pointer {
        "" => value.clone(),
        "/a" if filled => json!({}),
        "/a" => json!({"a": value}),
        "/a/k" if filled => json!({"a": {}}),
        "/a/k" => json!({"a": {"k": value}}),
        _ if filled => json!({"a": []}),
        _ => json!({"a": [value]}),
    };
    let place = format!("/apps/duo{pointer}");
    let outcome = with_options(schema, &options);
    let problems = outcome.as_ref().err().cloned().unwrap_or_default();
    let honoured = match word {
        "writeOnly" => outcome.as_ref().is_ok_and(|found| {
            let noted = found.value.secrets.iter();
            let noted: Vec<&str> = noted.map(|(secret, _)| secret.expose()).collect();
            let text = value.to_string();
            let mut leaves = ["canary-text", "918273645"].iter();
            covered(&found.value, &place)
                && leaves.all(|leaf| !text.contains(leaf) || noted.contains(leaf))
        }),
        "x-kubernetes-validations" => problems
            .iter()
            .any(|problem| problem.message == "it is never right"),
        _ => outcome.is_ok_and(|found| found.value.values.pointer(&place) == Some(value)),
    };
    if honoured {
        Fate::Honoured
    } else {
        Fate::Dropped(all_text(&problems))
    }
}

/// The fate of a word, for a value of each type, at a place.
fn fates(word: &str, template: &str, pointer: Option<&str>) -> Vec<Fate> {
    let mut fates = Vec::new();
    for (kind, value) in types() {
        // An app as a whole is a table.
        if pointer == Some("") && kind != "object" {
            continue;
        }
        let says = match word {
            "writeOnly" => json!(true),
            "default" => value.clone(),
            // As CEL, JSON stands for itself.
            "x-kiln-default" => json!(value.to_string()),
            _ => json!([{"rule": "false", "message": "it is never right"}]),
        };
        let mut inner = json!({"type": kind});
        inner[word] = says;
        fates.push(match (composed_with(&inner, template), pointer) {
            (Err(fate), _) => fate,
            (Ok(_), None) => Fate::Dropped("there is no value to honour it for".to_owned()),
            (Ok(schema), Some(pointer)) => effect(word, &schema, pointer, &value),
        });
    }
    fates
}

const WORDS: [&str; 4] = [
    "writeOnly",
    "x-kubernetes-validations",
    "default",
    "x-kiln-default",
];

/// How many of the words work behind a keyword.
fn honoured(keyword: &str) -> usize {
    match keyword {
        "properties"
        | "properties twice"
        | "allOf"
        | "allOf of the root"
        | "$ref"
        | "$ref to $defs"
        | "$ref to definitions"
        | "$ref to $anchor"
        | "$ref to $id"
        | "$ref to $ref" => 4,
        "patternProperties"
        | "additionalProperties"
        | "items"
        | "prefixItems"
        | "$ref in a circle"
        | "$ref behind items" => 2,
        "unevaluatedProperties"
        | "unevaluatedItems"
        | "contains"
        | "anyOf"
        | "oneOf"
        | "then"
        | "else"
        | "dependentSchemas" => 1,
        _ => 0,
    }
}

#[test]
fn every_word_behind_every_keyword_is_honoured_or_refused() {
    let mut wrong = Vec::new();
    for (number, word) in WORDS.into_iter().enumerate() {
        for (keyword, template, pointer) in PLACES {
            // The default of an app as a whole is that of a key, `apps.duo`, which is always there here.
            let expected = match (keyword, number) {
                ("the root", 2..) => continue,
                ("the root", _) => Fate::Honoured,
                _ if number < honoured(keyword) => Fate::Honoured,
                _ => Fate::Refused,
            };
            for fate in fates(word, template, pointer) {
                if fate != expected {
                    wrong.push(format!("{word} behind {keyword}: {fate:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
