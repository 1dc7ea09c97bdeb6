use serde_json::{Value, json};

use super::{all_text, composed, covered, validated, with_options};

const CANARY: &str = "canary-4f1d7";

/// Composes a schema whose one key is `pin`.
fn of_pin(pin: &Value) -> kiln::validate::Schema {
    composed(&json!({"additionalProperties": false, "properties": {"pin": pin, "plain": {"type": "string"}}, "$defs": {
        "secret": {"type": "string", "writeOnly": true},
    }}).to_string())
    .unwrap()
}

/// The shapes in which authors mark secrets; each once slipped through, the first aside.
#[test]
fn a_secret_is_one_in_every_form() {
    let text = json!({"type": "string", "writeOnly": true});
    for (pin, value) in [
        (text.clone(), json!(CANARY)),
        (json!({"$ref": "#/$defs/secret"}), json!(CANARY)),
        (
            json!({"type": "object", "additionalProperties": text}),
            json!({"a": CANARY}),
        ),
        (
            json!({"type": "object", "patternProperties": {"^a": text}}),
            json!({"a": CANARY}),
        ),
        (json!({"anyOf": [text, {"type": "null"}]}), json!(CANARY)),
        (json!({"allOf": [text]}), json!(CANARY)),
        (
            json!({"type": "object", "writeOnly": true}),
            json!({"a": {"b": [CANARY]}}),
        ),
        (json!({"type": "array", "writeOnly": true}), json!([CANARY])),
        (
            json!({"type": ["string", "integer"], "writeOnly": true}),
            json!(98_765_432),
        ),
        (
            json!({"type": "integer", "writeOnly": true}),
            json!(98_765_432),
        ),
    ] {
        let schema = of_pin(&pin);
        let cluster = with_options(&schema, &json!({"pin": value})).unwrap().value;
        let noted: Vec<&str> = cluster
            .secrets
            .iter()
            .map(|(secret, _)| secret.expose())
            .collect();
        let expected = if value.is_number() {
            "98765432"
        } else {
            CANARY
        };
        assert_eq!(noted, [expected], "{pin}");
        let all: Vec<&String> = cluster.secret_pointers.iter().collect();
        assert_eq!(all.len(), 1, "{pin}");
        assert!(all[0].starts_with("/apps/duo/pin"), "{pin}");
    }
}

#[test]
fn rules_and_defaults_work_behind_references_and_in_maps() {
    let rule = json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 5", "message": "too small"}]});
    for (pin, value) in [
        (rule.clone(), json!(1)),
        (json!({"additionalProperties": rule}), json!({"a": 1})),
        (json!({"allOf": [rule]}), json!(1)),
        (json!({"items": {"allOf": [rule]}}), json!([9, 1])),
    ] {
        let problems = with_options(&of_pin(&pin), &json!({"pin": value})).unwrap_err();
        let messages: Vec<&str> = problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        assert_eq!(messages, ["too small"], "{pin}");
    }
}

/// What comes from the environment is a secret wherever it goes.
#[test]
fn what_comes_from_the_environment_is_listed_and_never_shown() {
    let schema = of_pin(&json!({"type": "string", "maxLength": 3}));
    let options = json!({"plain": {"fromEnv": "FROM_ENV"}});
    let cluster = with_options(&schema, &options).unwrap().value;
    assert!(
        covered(&cluster, "/apps/duo/plain"),
        "{:?}",
        cluster.secret_pointers
    );
    let options = json!({"pin": {"fromEnv": "FROM_ENV"}});
    let problems = with_options(&schema, &options).unwrap_err();
    assert!(
        !all_text(&problems).contains("canary"),
        "{}",
        all_text(&problems)
    );
}

/// What is wrong with a secret, by what its schema asks for besides.
const WRONG_SECRETS: [(&str, &str); 18] = [
    (r#"{"type": "integer"}"#, r#""canary-4f1d7""#),
    (r#"{"type": "object"}"#, r#""canary-4f1d7""#),
    (r#"{"pattern": "^x"}"#, r#""canary-4f1d7""#),
    (r#"{"enum": ["c4nary-4f1d7"]}"#, r#""canary-4f1d7""#),
    (r#"{"const": "x"}"#, r#""canary-4f1d7""#),
    (r#"{"maxLength": 2}"#, r#""canary-4f1d7""#),
    (r#"{"minLength": 99}"#, r#""canary-4f1d7""#),
    (r#"{"format": "ipv4"}"#, r#""canary-4f1d7""#),
    (r#"{"format": "email"}"#, r#""canary-4f1d7""#),
    (r#"{"format": "ipv4-cidr"}"#, r#""10.99.98.97/8""#),
    (r#"{"not": {}}"#, r#""canary-4f1d7""#),
    (r#"{"anyOf": [{"type": "null"}]}"#, r#""canary-4f1d7""#),
    (
        r#"{"oneOf": [{"type": "string"}, {"minLength": 1}]}"#,
        r#""canary-4f1d7""#,
    ),
    (r#"{"minimum": 999999999}"#, "98765432"),
    (r#"{"multipleOf": 7}"#, "98765432"),
    (
        r#"{"uniqueItems": true}"#,
        r#"["canary-4f1d7", "canary-4f1d7"]"#,
    ),
    (r#"{"items": false}"#, r#"["canary-4f1d7"]"#),
    (
        r#"{"unevaluatedProperties": false}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
];

/// What is wrong with a list of secrets, each of them `@`.
const WRONG_LISTS: [(&str, &str); 10] = [
    (
        r#"{"items": @, "uniqueItems": true}"#,
        r#"["canary-4f1d7", "canary-4f1d7"]"#,
    ),
    (
        r#"{"items": @, "maxItems": 1}"#,
        r#"["canary-4f1d7", "canary-4f1d7"]"#,
    ),
    (
        r#"{"items": @, "contains": {"const": "x"}}"#,
        r#"["canary-4f1d7"]"#,
    ),
    (r#"{"items": @, "const": []}"#, r#"["canary-4f1d7"]"#),
    (r#"{"items": @, "enum": [[]]}"#, r#"["canary-4f1d7"]"#),
    (r#"{"items": @, "not": {}}"#, r#"["canary-4f1d7"]"#),
    (
        r#"{"items": {"allOf": [@, {"type": "integer"}]}}"#,
        r#"["canary-4f1d7"]"#,
    ),
    (
        r#"{"prefixItems": [@], "unevaluatedItems": false}"#,
        r#"["x", "canary-4f1d7"]"#,
    ),
    // A level too high, or the list forgotten.
    (r#"{"items": @, "type": "array"}"#, r#""canary-4f1d7""#),
    (
        r#"{"items": {"properties": {"a": @}}, "type": "array"}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
];

/// What is wrong with a table that has secrets, each of them `@`.
const WRONG_TABLES: [(&str, &str); 14] = [
    (
        r#"{"properties": {"a": @}, "type": "object"}"#,
        r#""canary-4f1d7""#,
    ),
    (
        r#"{"properties": {"a": @}, "type": "object"}"#,
        r#"["canary-4f1d7"]"#,
    ),
    (
        r#"{"properties": {"a": @}, "minProperties": 4}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
    (
        r#"{"properties": {"a": @}, "required": ["b"]}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
    (
        r#"{"properties": {"a": @}, "const": {}}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
    (
        r#"{"properties": {"a": @}, "dependentRequired": {"a": ["b"]}}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
    (
        r#"{"properties": {"a": @}, "propertyNames": {"maxLength": 0}}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
    // Behind a key that is none.
    (
        r#"{"properties": {"a": @}, "additionalProperties": false}"#,
        r#"{"aa": "canary-4f1d7"}"#,
    ),
    (
        r#"{"properties": {"a": @}, "unevaluatedProperties": false}"#,
        r#"{"aa": {"b": ["canary-4f1d7"]}}"#,
    ),
    (
        r#"{"properties": {"a": @}, "propertyNames": {"enum": ["a"]}}"#,
        r#"{"aa": "canary-4f1d7"}"#,
    ),
    (
        r#"{"anyOf": [{"properties": {"a": @}, "additionalProperties": false}, {"type": "null"}]}"#,
        r#"{"aa": "canary-4f1d7"}"#,
    ),
    (
        r#"{"anyOf": [{"properties": {"a": @}, "required": ["a"]}, {"type": "null"}]}"#,
        r#"{"aa": "canary-4f1d7"}"#,
    ),
    (
        r#"{"properties": {"old": false}}"#,
        r#"{"old": "canary-4f1d7"}"#,
    ),
    // By the words of a rule.
    (
        r#"{"properties": {"a": @}, "x-kubernetes-validations": [{"rule": "false", "messageExpression": "'it is ' + self.a"}]}"#,
        r#"{"a": "canary-4f1d7"}"#,
    ),
];

/// Every mistake about a secret that validation knows, at the place of it and around it, in every format of a config.
#[test]
fn no_message_shows_a_secret() {
    let secret = r#"{"writeOnly": true}"#;
    let own = WRONG_SECRETS
        .map(|(more, value)| (format!(r#"{{"writeOnly": true, {}"#, &more[1..]), value));
    let held = WRONG_LISTS.into_iter().chain(WRONG_TABLES);
    let held = held.map(|(schema, value)| (schema.replace('@', secret), value));
    for (pin, value) in own.into_iter().chain(held) {
        let schema = of_pin(&serde_json::from_str(&pin).unwrap());
        let json = format!(r#"{{"apps": {{"duo": {{"pin": {value}}}}}}}"#);
        let yaml = kiln::yaml::emit(&serde_json::from_str(&json).unwrap());
        for (file, text) in [
            ("more.json", &json),
            ("more.yaml", &json),
            ("more.yaml", &yaml),
        ] {
            let problems = validated(&schema, file, text).map(|_| ()).expect_err(&pin);
            let shown = all_text(&problems);
            for leaf in ["canary", "98765432", "10.99", "10.0.0.0"] {
                assert!(!shown.contains(leaf), "{pin} {file}: {shown}");
            }
        }
    }
}

/// Block scalars, tables in several places and files of TOML are blotted out whole.
#[test]
fn texts_are_blotted_out_whole() {
    let pin = json!({"type": "object", "writeOnly": true, "maxProperties": 0});
    let schema = of_pin(&pin);
    let block = format!(
        "apps:\n  duo:\n    pin:\n      a: |\n        {CANARY}\n        {CANARY}-ü\n      b: [{CANARY}, {{c: {CANARY}}}]\n"
    );
    let toml = format!(
        "[apps.duo.pin]\na = \"{CANARY}\"\n[apps.duo.pin.b]\nc = [\"{CANARY}\"]\n[[apps.duo.pin.d]]\ne = \"\"\"\n{CANARY}\n\"\"\"\n"
    );
    let inline =
        format!("apps = {{ duo = {{ pin = {{ a = \"{CANARY}\", b = [\"{CANARY}\"] }} }} }}\n");
    for (file, text) in [
        ("more.yaml", block),
        ("more.toml", toml),
        ("more.toml", inline),
    ] {
        let problems = validated(&schema, file, &text).map(|_| ()).unwrap_err();
        assert!(all_text(&problems).contains("***"), "{file}");
        assert!(
            !all_text(&problems).contains("canary"),
            "{}",
            all_text(&problems)
        );
    }
}

/// A stand-in for a value is made from the schemas for its place.
#[test]
fn lists_the_schemas_of_a_place() {
    let schema =
        of_pin(&json!({"items": {"$ref": "#/$defs/secret", "anyOf": [{"pattern": "^x"}]}}));
    let found = schema.at("/apps/duo/pin/3");
    let reference = json!("#/properties/apps/properties/duo/$defs/secret");
    assert_eq!(found[0]["$ref"], reference);
    assert!(found.contains(&&json!({"type": "string", "writeOnly": true})));
    assert!(found.contains(&&json!({"pattern": "^x"})));
    assert_eq!(schema.at("/apps/duo/none"), [&json!(false)]);
}
