use serde_json::json;

use super::{all_text, composed, with_options};

/// The messages of a schema that is refused, each with the line and column that it is about.
fn refused(text: &str) -> Vec<String> {
    let problems = composed(text).map(|_| ()).unwrap_err();
    let lines = problems.iter().map(|problem| {
        assert_eq!(problem.code(), "bad-schema");
        let label = problem.primary.as_ref().unwrap();
        assert_eq!(label.place.source.path, "schemas/apps/duo.schema.json");
        let (line, column) = label.place.source.line_column(label.place.span.start);
        let hints = problem.hints.join("; ");
        format!("{line}:{column} {} ({hints})", problem.message)
    });
    lines.collect()
}

#[test]
fn words_that_nobody_knows_are_named_with_their_place() {
    let text = r#"{
  "type": "object",
  "properties": {
    "pin": { "type": "string", "x-secret": true },
    "key": { "type": "string", "writeonly": true },
    "age": { "type": "integer", "minimun": 3 },
    "own": { "type": "string", "sensitive": true }
  }
}"#;
    assert_eq!(
        refused(text),
        [
            "6:33 no schema has the word `minimun`, at `/properties/age/minimun` (did you mean `minimum`?)",
            "5:32 no schema has the word `writeonly`, at `/properties/key/writeonly` (did you mean `writeOnly`?)",
            "7:32 no schema has the word `sensitive`, at `/properties/own/sensitive` \
             (a secret is marked by `\"writeOnly\": true`)",
            "4:32 no schema has the word `x-secret`, at `/properties/pin/x-secret` \
             (a secret is marked by `\"writeOnly\": true`)",
        ]
    );
}

#[test]
fn words_of_the_wrong_type_are_named() {
    for (schema, message) in [
        (
            json!({"writeOnly": "yes"}),
            "`writeOnly` is `true` or `false`, at `/properties/a/writeOnly`",
        ),
        (
            json!({"readOnly": 1}),
            "`readOnly` is `true` or `false`, at `/properties/a/readOnly`",
        ),
        (
            json!({"x-kiln-default": 3}),
            "`x-kiln-default` is an expression in CEL, as a text, at `/properties/a/x-kiln-default`",
        ),
        (
            json!({"x-kubernetes-validations": {"rule": "true"}}),
            "`x-kubernetes-validations` is a list of rules, at `/properties/a/x-kubernetes-validations`",
        ),
        (
            json!({"x-kubernetes-validations": [{"message": "no"}]}),
            "a rule has a condition in CEL behind `rule`, at `/properties/a/x-kubernetes-validations/0`",
        ),
        (
            json!({"x-kubernetes-validations": [{"rule": "true", "mesage": "no"}]}),
            "a rule has no `mesage`, only `rule`, `message`, `messageExpression`, `fieldPath`, `reason`, \
             at `/properties/a/x-kubernetes-validations/0/mesage`",
        ),
        (
            json!({"properties": []}),
            "`properties` holds schemas by name, at `/properties/a/properties`",
        ),
        (
            json!({"anyOf": {}}),
            "`anyOf` holds a list of schemas, at `/properties/a/anyOf`",
        ),
        (
            json!({"items": "x"}),
            "`items` holds one schema, at `/properties/a/items`",
        ),
    ] {
        let found = refused(&json!({"properties": {"a": schema}}).to_string());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(message), "{found:?}");
    }
}

#[test]
fn a_reference_says_where_a_refused_word_was_reached_from() {
    let schema = json!({
        "properties": {"a": {"not": {"$ref": "#/$defs/pin"}}, "b": {"$ref": "#/$defs/pin"}},
        "$defs": {"pin": {"writeOnly": true}},
    });
    let found = refused(&schema.to_string());
    assert_eq!(found.len(), 1, "{found:?}");
    insta::assert_snapshot!(found[0], @"1:95 `writeOnly` has no effect behind `not`: what stands there describes no value of the config, at `/$defs/pin/writeOnly` (put it where the value is described; the reference at `/properties/a/not/$ref` leads here)");
}

#[test]
fn a_key_that_stands_twice_and_a_former_draft_are_refused() {
    let twice = "{\n  \"properties\": {\"pin\": {\"writeOnly\": true}},\n  \"properties\": {}\n}";
    let found = refused(twice);
    insta::assert_snapshot!(found[0], @"3:14 `schemas/apps/duo.schema.json` cannot be read: the key `properties` stands twice at line 3 column 14 ()");
    assert!(found[0].starts_with("3:"), "{found:?}");
    let former = refused(r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#);
    insta::assert_snapshot!(former[0], @r#"1:2 Kiln reads JSON Schema of draft 2020-12 only, at `/$schema` (write `"$schema": "https://json-schema.org/draft/2020-12/schema"`)"#);
    let broken = refused("{\n  \"type\": \"object\",\n}");
    assert!(broken[0].starts_with("3:1 "), "{broken:?}");
}

#[test]
fn defaults_without_end_are_an_error() {
    let circle = json!({"properties": {"next": {"$ref": "#", "default": {}}}});
    let computed = json!({"properties": {"next": {"$ref": "#", "x-kiln-default": "{}"}}});
    for schema in [circle, computed] {
        let schema = composed(&schema.to_string()).unwrap();
        let problems = with_options(&schema, &json!({})).unwrap_err();
        assert!(
            all_text(&problems).contains("holds itself without end"),
            "{problems:?}"
        );
    }
    // A circle that the config fills as deep as it likes is none.
    let list = json!({"properties": {
        "size": {"type": "integer", "default": 3},
        "children": {"type": "array", "items": {"$ref": "#"}, "default": []},
    }});
    let schema = composed(&list.to_string()).unwrap();
    let options = json!({"children": [{"children": [{"size": 5}]}]});
    let values = with_options(&schema, &options).unwrap().value.values;
    let leaf = json!({"size": 5, "children": []});
    let expected = json!({"size": 3, "children": [{"size": 3, "children": [leaf]}]});
    assert_eq!(values["apps"]["duo"], expected);
}

#[test]
fn an_outer_default_goes_before_the_one_it_refers_to() {
    let schema = json!({
        "properties": {
            "a": {"$ref": "#/$defs/port", "default": 8080},
            "b": {"$ref": "#/$defs/port"},
            "c": {"$ref": "#/$defs/computed", "default": 1},
            "d": {"$ref": "#/$defs/computed"},
        },
        "$defs": {
            "port": {"type": "integer", "default": 80},
            "computed": {"type": "integer", "x-kiln-default": "self.a + 1"},
        },
    });
    let schema = composed(&schema.to_string()).unwrap();
    let values = with_options(&schema, &json!({})).unwrap().value.values;
    assert_eq!(
        values["apps"]["duo"],
        json!({"a": 8080, "b": 80, "c": 1, "d": 8081})
    );
}

/// The whole schema is one that any validator reads: references of an app lead into that app.
#[test]
fn references_of_an_app_hold_in_the_schema_for_editors() {
    let app = json!({
        "properties": {"a": {"$ref": "#pin"}, "b": {"$ref": "#/$defs/50%25"}},
        "$defs": {"50%": {"type": "integer"}, "x": {"$anchor": "pin", "type": "string"}},
    });
    let schema = composed(&app.to_string()).unwrap();
    let mut whole = schema.json().clone();
    whole.as_object_mut().unwrap().shift_remove("required");
    let validator = jsonschema::draft202012::new(&whole).unwrap();
    let valid = |options| validator.is_valid(&json!({"apps": {"duo": options}}));
    assert!(valid(json!({"a": "x", "b": 3})));
    assert!(!valid(json!({"a": 3})) && !valid(json!({"b": "x"})));
}
