//! `$ref` in a schema: settled once when schemas are composed, so that everything after it knows one form.
//!
//! An author may refer to a place by JSON pointer (`#/$defs/name`), by `$anchor` (`#name`) or by the `$id` of the file or of a
//! part of it. What leads out of the file, and `$dynamicRef`, is refused: Kiln reads schemas without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::keyword::{change_subschemas, subschemas};

/// A reference or another word of a schema that cannot be followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SchemaFault {
    /// Where the word stands in the schema: a JSON pointer.
    pub(super) pointer: String,
    /// What is wrong, without a final period.
    pub(super) message: String,
    /// What the author can do, one sentence each.
    pub(super) hints: Vec<String>,
}

/// The places of a schema that references may name.
#[derive(Default)]
struct SchemaNames {
    /// The pointer of every schema.
    schemas: BTreeSet<String>,
    /// The pointer of each part that has an `$id`, by that.
    resources: BTreeMap<String, String>,
    /// The pointer of each anchor, by the part it is in and its name.
    anchors: BTreeMap<(String, String), String>,
}

impl SchemaNames {
    fn collect(schema: &Value, pointer: &str, resource: &str, names: &mut Self) {
        names.schemas.insert(pointer.to_owned());
        let mut resource = resource;
        if let Some(id) = schema.get("$id").and_then(Value::as_str) {
            let id = id.trim_end_matches('#').to_owned();
            names.resources.insert(id, pointer.to_owned());
            resource = pointer;
        }
        for word in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = schema.get(word).and_then(Value::as_str) {
                let anchor = (resource.to_owned(), name.to_owned());
                names.anchors.insert(anchor, pointer.to_owned());
            }
        }
        for held in subschemas(schema) {
            let pointer = format!("{pointer}{}", held.pointer);
            Self::collect(held.schema, &pointer, resource, names);
        }
    }

    /// Returns the pointer that a reference in a part means.
    fn resolve(&self, reference: &str, resource: &str) -> Result<String, &'static str> {
        let (id, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = match id {
            "" => resource,
            id => self.resources.get(id).ok_or("leads out of the file")?,
        };
        let fragment = percent_decoded(fragment).ok_or("is not well written")?;
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            Some(format!("{resource}{fragment}"))
        } else {
            let anchor = (resource.to_owned(), fragment);
            self.anchors.get(&anchor).cloned()
        };
        pointer
            .filter(|pointer| self.schemas.contains(pointer))
            .ok_or("names no schema of the file")
    }
}

/// Turns every reference of a schema into a JSON pointer from its root, and takes out the names that no longer matter.
pub(super) fn settle(schema: &mut Value) -> Vec<SchemaFault> {
    let mut names = SchemaNames::default();
    SchemaNames::collect(schema, "", "", &mut names);
    let mut faults = Vec::new();
    settle_below(schema, "", "", &names, &mut faults);
    faults
}

fn settle_below(
    schema: &mut Value,
    pointer: &str,
    resource: &str,
    names: &SchemaNames,
    faults: &mut Vec<SchemaFault>,
) {
    let mut resource = resource;
    if let Some(object) = schema.as_object_mut() {
        if object.shift_remove("$id").is_some() {
            resource = pointer;
        }
        object.shift_remove("$anchor");
        object.shift_remove("$dynamicAnchor");
        for word in ["$dynamicRef", "$recursiveRef"] {
            if object.shift_remove(word).is_some() {
                faults.push(SchemaFault {
                    pointer: format!("{pointer}/{word}"),
                    message: format!("Kiln does not follow `{word}`"),
                    hints: vec!["write `$ref`, which may name a schema that holds it".to_owned()],
                });
            }
        }
        if let Some(reference) = object.get_mut("$ref") {
            let settled = match reference.as_str() {
                Some(text) => names.resolve(text, resource),
                None => Err("is no text"),
            };
            match settled {
                Ok(target) => *reference = Value::String(written(&target)),
                Err(reason) => faults.push(SchemaFault {
                    pointer: format!("{pointer}/$ref"),
                    message: format!("the reference {reference} {reason}"),
                    hints: vec!["name a schema of this file, like `#/$defs/name`".to_owned()],
                }),
            }
        }
    }
    change_subschemas(schema, &mut |step, held| {
        settle_below(held, &format!("{pointer}{step}"), resource, names, faults);
    });
}

/// Puts a prefix before every settled reference, as the schema moves to that place of a larger one.
pub(super) fn rebase(schema: &mut Value, prefix: &str) {
    let reference = schema.get_mut("$ref");
    if let Some(Value::String(reference)) = reference
        && let Some(pointer) = reference.strip_prefix('#')
    {
        *reference = format!("{}{pointer}", written(prefix));
    }
    change_subschemas(schema, &mut |_, held| rebase(held, prefix));
}

/// Returns the schema that a settled reference names.
pub(super) fn named<'s>(reference: &Value, document: &'s Value) -> Option<&'s Value> {
    document.pointer(&pointer(reference)?)
}

/// Returns the JSON pointer that a settled reference is.
pub(super) fn pointer(reference: &Value) -> Option<String> {
    percent_decoded(reference.as_str()?.strip_prefix('#')?)
}

/// Returns whether a schema, or one that it holds, refers to another.
pub(super) fn refers(schema: &Value) -> bool {
    schema.get("$ref").is_some() || subschemas(schema).iter().any(|held| refers(held.schema))
}

/// Copies a part of a document so that it stands alone: with what its references name, and theirs.
pub(super) fn bundled(part: &Value, document: &Value) -> Value {
    let mut targets: Vec<String> = Vec::new();
    let mut bundle = part.clone();
    point_to_bundle(&mut bundle, &mut targets);
    let mut definitions = Map::new();
    let mut done = 0;
    while let Some(target) = targets.get(done) {
        let named = named(&json!(target), document);
        let mut definition = named.cloned().unwrap_or(Value::Bool(true));
        point_to_bundle(&mut definition, &mut targets);
        definitions.insert(done.to_string(), definition);
        done += 1;
    }
    // Its own definitions are among the copies as far as something names them.
    if let Some(object) = bundle.as_object_mut() {
        object.shift_remove("definitions");
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    bundle
}

fn point_to_bundle(schema: &mut Value, targets: &mut Vec<String>) {
    if let Some(Value::String(reference)) = schema.get_mut("$ref") {
        let known = targets.iter().position(|target| target == reference);
        let number = known.unwrap_or_else(|| {
            targets.push(reference.clone());
            targets.len() - 1
        });
        *reference = format!("#/$defs/{number}");
    }
    change_subschemas(schema, &mut |_, held| point_to_bundle(held, targets));
}

/// A JSON pointer as a reference.
fn written(pointer: &str) -> String {
    let mut reference = String::from("#");
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/~-._$@:!,+".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            write!(reference, "%{byte:02X}").expect("a string takes all text");
        }
    }
    reference
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{bundled, rebase, settle};

    fn settled(mut schema: Value) -> (Value, Vec<String>) {
        let faults = settle(&mut schema).into_iter();
        let faults = faults.map(|fault| format!("{} {}", fault.pointer, fault.message));
        (schema, faults.collect())
    }

    #[test]
    fn knows_pointers_anchors_and_ids() {
        let (schema, faults) = settled(json!({
            "$id": "https://example.com/app.json",
            "properties": {
                "a": {"$ref": "#/$defs/50%25%20off"},
                "b": {"$ref": "#named"},
                "c": {"$ref": "https://example.com/app.json#/$defs/50%25%20off"},
                "d": {"$ref": "part"},
                "e": {"$ref": "#"},
                "f": {"$ref": "part#inner"},
            },
            "$defs": {
                "50% off": {"$anchor": "named"},
                "g": {
                    "$id": "part",
                    "items": {"$anchor": "inner", "$ref": "#"},
                    "contains": {"$ref": "#/items"},
                },
            },
        }));
        assert_eq!(faults, [""; 0]);
        let properties = &schema["properties"];
        let written = ["a", "b", "c", "d", "e", "f"].map(|key| properties[key]["$ref"].clone());
        let first = "#/$defs/50%25%20off";
        let expected = [first, first, first, "#/$defs/g", "#", "#/$defs/g/items"];
        assert_eq!(written, expected.map(Value::from));
        assert_eq!(schema["$defs"]["g"]["items"], json!({"$ref": "#/$defs/g"}));
        assert_eq!(schema["$defs"]["g"]["contains"]["$ref"], "#/$defs/g/items");
    }

    #[test]
    fn refuses_what_leads_nowhere() {
        let (_, faults) = settled(json!({
            "properties": {
                "a": {"$ref": "https://example.com/other.json"},
                "b": {"$ref": "#/$defs/none"},
                "c": {"$ref": "#none"},
                "d": {"$ref": "#/examples/0"},
                "e": {"$ref": 3},
                "f": {"$dynamicRef": "#x"},
            },
            "examples": [{}],
        }));
        let places: Vec<&str> = faults
            .iter()
            .filter_map(|fault| fault.split(' ').next())
            .collect();
        let expected = ["a", "b", "c", "d", "e"].map(|key| format!("/properties/{key}/$ref"));
        assert_eq!(places[..5], expected);
        assert_eq!(places[5], "/properties/f/$dynamicRef");
    }

    #[test]
    fn a_part_takes_along_what_it_names() {
        let mut app = json!({
            "properties": {"next": {"$ref": "#"}, "name": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "string"}},
        });
        rebase(&mut app, "/properties/one");
        let document = json!({"properties": {"one": app}});
        let bundle = bundled(&document["properties"]["one"], &document);
        let validator = jsonschema::draft202012::new(&bundle).unwrap();
        assert!(validator.is_valid(&json!({"next": {"next": {"name": "x"}}})));
        assert!(!validator.is_valid(&json!({"next": {"next": {"name": 3}}})));
    }
}
