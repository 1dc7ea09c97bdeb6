use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::Config;
use serde_json::{Map, Value, json};

use super::{all_text, composed, covered, validated};

/// How a schema holds another.
#[derive(Clone, Copy, Debug)]
enum Wrapping {
    Property,
    Pattern,
    Additional,
    UnevaluatedProperty,
    Dependent,
    Item,
    Prefix,
    Contained,
    UnevaluatedItem,
    Reference,
    Anchor,
    AllOf,
    AnyOf,
    OneOf,
    Then,
    Else,
}

const WRAPPINGS: [Wrapping; 16] = [
    Wrapping::Property,
    Wrapping::Pattern,
    Wrapping::Additional,
    Wrapping::UnevaluatedProperty,
    Wrapping::Dependent,
    Wrapping::Item,
    Wrapping::Prefix,
    Wrapping::Contained,
    Wrapping::UnevaluatedItem,
    Wrapping::Reference,
    Wrapping::Anchor,
    Wrapping::AllOf,
    Wrapping::AnyOf,
    Wrapping::OneOf,
    Wrapping::Then,
    Wrapping::Else,
];

/// What goes wrong with a value.
const MISTAKES: [&str; 12] = [
    r#"{"type": "null"}"#,
    r#"{"type": "integer"}"#,
    r#"{"pattern": "^no$"}"#,
    r#"{"const": 0}"#,
    r#"{"enum": ["no"]}"#,
    r#"{"not": {}}"#,
    r#"{"maxLength": 0, "maxItems": 0, "maxProperties": 0, "maximum": 0}"#,
    r#"{"uniqueItems": true, "minItems": 99}"#,
    r#"{"anyOf": [{"const": 1}, {"const": 2}]}"#,
    r#"{"required": ["missing"]}"#,
    r#"{"propertyNames": {"maxLength": 0}}"#,
    r#"{"format": "ipv4-cidr"}"#,
];

/// A schema with an instance of it.
#[derive(Clone, Debug)]
enum Shape {
    /// A secret; the number says of which type.
    Secret(u8),
    /// A secret of anything that holds others.
    SecretTree(Box<Self>),
    Plain,
    Wrapped(Wrapping, Box<Self>),
    /// Several keys.
    Table(Vec<Self>),
    Mistaken(usize, Box<Self>),
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        3 => (0..5_u8).prop_map(Shape::Secret),
        1 => Just(Shape::Plain),
    ];
    leaf.prop_recursive(6, 24, 3, |inner| {
        let wrapping = proptest::sample::select(&WRAPPINGS[..]);
        prop_oneof![
            6 => (wrapping, inner.clone()).prop_map(|(wrapping, inner)| Shape::Wrapped(wrapping, Box::new(inner))),
            2 => proptest::collection::vec(inner.clone(), 1..4).prop_map(Shape::Table),
            1 => inner.clone().prop_map(|inner| Shape::SecretTree(Box::new(inner))),
            1 => (0..MISTAKES.len(), inner).prop_map(|(mistake, inner)| Shape::Mistaken(mistake, Box::new(inner))),
        ]
    })
}

/// Writes a shape as a schema and an instance, and notes where the secrets are.
#[derive(Default)]
struct Writer {
    definitions: Map<String, Value>,
    canaries: usize,
    secrets: Vec<String>,
}

impl Writer {
    fn canary(&mut self) -> usize {
        self.canaries += 1;
        700_000_000 + self.canaries
    }

    fn write(&mut self, shape: &Shape, pointer: &str) -> (Value, Value) {
        match shape {
            Shape::Secret(kind) => {
                self.secrets.push(pointer.to_owned());
                let canary = self.canary();
                let value = match kind {
                    0 => json!(canary),
                    1 => json!(format!("canary-{canary}")),
                    2 => json!({"any": {"thing": canary}}),
                    3 => json!([canary, [format!("canary-{canary}")]]),
                    _ => json!(format!("canary-{canary}\nü canary-{canary}")),
                };
                (json!({"writeOnly": true}), value)
            }
            Shape::SecretTree(inner) => {
                self.secrets.push(pointer.to_owned());
                let (schema, value) = self.write(inner, pointer);
                (json!({"writeOnly": true, "allOf": [schema]}), value)
            }
            Shape::Plain => (json!({"type": "string"}), json!("plain")),
            Shape::Wrapped(wrapping, inner) => self.write_wrapped(*wrapping, inner, pointer),
            Shape::Table(shapes) => {
                let mut schemas = Map::new();
                let mut values = Map::new();
                for (index, shape) in shapes.iter().enumerate() {
                    // A key that has to be escaped in a pointer.
                    let key = format!("k/{index}~");
                    let (schema, value) = self.write(shape, &format!("{pointer}/k~1{index}~0"));
                    schemas.insert(key.clone(), schema);
                    values.insert(key, value);
                }
                (
                    json!({"type": "object", "properties": schemas}),
                    Value::Object(values),
                )
            }
            Shape::Mistaken(mistake, inner) => {
                let (schema, value) = self.write(inner, pointer);
                let mistake: Value = serde_json::from_str(MISTAKES[*mistake]).unwrap();
                (json!({"allOf": [schema, mistake]}), value)
            }
        }
    }

    fn write_wrapped(
        &mut self,
        wrapping: Wrapping,
        inner: &Shape,
        pointer: &str,
    ) -> (Value, Value) {
        use Wrapping::*;
        let step = match wrapping {
            Property | Pattern | Additional | UnevaluatedProperty | Dependent => "/key",
            Item | Prefix | Contained | UnevaluatedItem => "/0",
            _ => "",
        };
        let (schema, value) = self.write(inner, &format!("{pointer}{step}"));
        let value = match step {
            "/key" => json!({"key": value}),
            "/0" => json!([value]),
            _ => value,
        };
        let name = format!("d{}", self.definitions.len());
        let schema = match wrapping {
            Property => json!({"properties": {"key": schema}, "additionalProperties": false}),
            Pattern => json!({"patternProperties": {"^(?!other)k": schema}}),
            Additional => json!({"properties": {"other": true}, "additionalProperties": schema}),
            UnevaluatedProperty => {
                json!({"allOf": [{"properties": {"other": true}}], "unevaluatedProperties": schema})
            }
            Dependent => json!({"dependentSchemas": {"key": {"properties": {"key": schema}}}}),
            Item => json!({"items": schema}),
            Prefix => json!({"prefixItems": [schema], "items": false}),
            Contained => json!({"contains": schema}),
            UnevaluatedItem => json!({"unevaluatedItems": schema}),
            Reference | Anchor => {
                let by = if matches!(wrapping, Anchor) {
                    let anchored = json!({"$anchor": name, "allOf": [schema]});
                    self.definitions.insert(name.clone(), anchored);
                    format!("#{name}")
                } else {
                    self.definitions.insert(name.clone(), schema);
                    format!("#/$defs/{name}")
                };
                json!({ "$ref": by })
            }
            AllOf => json!({"allOf": [{}, schema]}),
            AnyOf => json!({"anyOf": [{"type": "null"}, schema]}),
            OneOf => json!({"oneOf": [schema, {"type": "null"}]}),
            Then => json!({"if": {"type": ["string", "object"]}, "then": schema}),
            Else => json!({"if": {"type": "null"}, "else": schema}),
        };
        (schema, value)
    }
}

proptest::proptest! {
    #![proptest_config(Config { cases: 192, failure_persistence: None, ..Config::default() })]

    /// A secret is one below any mixture of keywords, valid or not; and no message shows it.
    #[test]
    fn secrets_are_known_and_never_shown(shape in shape(), block in any::<bool>(), extra in any::<bool>()) {
        let mut writer = Writer::default();
        let (schema, value) = writer.write(&shape, "/apps/duo/top");
        let app = json!({"properties": {"top": schema}, "additionalProperties": false, "$defs": writer.definitions});
        let schema = composed(&app.to_string()).map_err(|problems| all_text(&problems)).unwrap();
        let mut options = json!({"top": value});
        if extra {
            options["topp"] = json!({"deep": ["canary-extra"]});
        }
        let config = json!({"apps": {"duo": options}});
        let text = if block { kiln::yaml::emit(&config) } else { config.to_string() };
        match validated(&schema, "more.yaml", &text) {
            Ok(found) => {
                let noted: Vec<String> = found.value.secrets.iter().map(|(secret, _)| secret.expose().to_owned()).collect();
                for pointer in &writer.secrets {
                    assert!(covered(&found.value, pointer), "{pointer} in {app}");
                }
                for canary in (1..=writer.canaries).map(|number| (700_000_000 + number).to_string()) {
                    assert!(noted.iter().any(|noted| noted.contains(&canary)), "{canary} in {app}");
                }
            }
            Err(problems) => {
                let shown = all_text(&problems);
                assert!(!shown.contains("canary") && !shown.contains("7000000"), "{app}\n{shown}");
            }
        }
    }
}
