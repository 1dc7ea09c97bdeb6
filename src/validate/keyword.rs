//! The words of JSON Schema 2020-12, and what the schemas behind each of them say something about.
//!
//! This is the one table of them: what walks along a value, what resolves references and what checks the words of a
//! schema all ask it.

use crate::yaml::pointer_step;
use std::fmt::Write as _;

use serde_json::Value;

/// What the schemas behind a keyword are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeywordRole {
    /// The same value, always.
    Same,
    /// The same value, if it is of that form.
    Alternative,
    /// The same value, if something else holds.
    Conditional,
    /// The value of a key that the schema names, present or not.
    Property,
    /// Each value below that the keyword selects.
    Member,
    /// Some of the values below; which ones, only validation knows.
    SomeMember,
    /// What must not hold, what is only asked, or what is no value of the config.
    Test,
    /// Nothing, until a reference names it.
    Definition,
}

/// How a keyword holds its schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holding {
    One,
    List,
    Map,
}

/// Returns the role of the schemas behind a keyword; `None` for a word that holds none.
pub(super) fn role(keyword: &str) -> Option<KeywordRole> {
    applicator(keyword).map(|(role, _)| role)
}

fn applicator(keyword: &str) -> Option<(KeywordRole, Holding)> {
    Some(match keyword {
        "allOf" => (KeywordRole::Same, Holding::List),
        "anyOf" | "oneOf" => (KeywordRole::Alternative, Holding::List),
        "then" | "else" => (KeywordRole::Conditional, Holding::One),
        "dependentSchemas" => (KeywordRole::Conditional, Holding::Map),
        "properties" => (KeywordRole::Property, Holding::Map),
        "patternProperties" => (KeywordRole::Member, Holding::Map),
        "additionalProperties" | "items" => (KeywordRole::Member, Holding::One),
        "prefixItems" => (KeywordRole::Member, Holding::List),
        "contains" | "unevaluatedItems" | "unevaluatedProperties" => {
            (KeywordRole::SomeMember, Holding::One)
        }
        "not" | "if" | "propertyNames" | "contentSchema" => (KeywordRole::Test, Holding::One),
        "$defs" | "definitions" => (KeywordRole::Definition, Holding::Map),
        _ => return None,
    })
}

/// Says what a keyword holds, where the value behind it is something else.
pub(super) fn misheld(keyword: &str, value: &Value) -> Option<&'static str> {
    let is_schema = |value: &Value| value.is_object() || value.is_boolean();
    let (_, holding) = applicator(keyword)?;
    match (holding, value) {
        (Holding::One, value) if is_schema(value) => None,
        (Holding::List, Value::Array(items)) if items.iter().all(is_schema) => None,
        (Holding::Map, Value::Object(entries)) if entries.values().all(is_schema) => None,
        (Holding::One, _) => Some("one schema"),
        (Holding::List, _) => Some("a list of schemas"),
        (Holding::Map, _) => Some("schemas by name"),
    }
}

/// The keywords that hold schemas.
pub(super) const APPLICATORS: [&str; 20] = [
    "allOf",
    "anyOf",
    "oneOf",
    "then",
    "else",
    "dependentSchemas",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "prefixItems",
    "contains",
    "unevaluatedItems",
    "unevaluatedProperties",
    "not",
    "if",
    "propertyNames",
    "contentSchema",
    "$defs",
    "definitions",
];

/// The other words of a schema: those of JSON Schema 2020-12, those that editors of YAML and JSON know, and Kiln's own.
pub(super) const PLAIN_WORDS: [&str; 53] = [
    "$anchor",
    "$comment",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    // Editors.
    "allowComments",
    "allowTrailingCommas",
    "completionDetail",
    "defaultSnippets",
    "deprecationMessage",
    "disallowDefaults",
    "doNotSuggest",
    "enumDescriptions",
    "enumDetails",
    "enumSortTexts",
    "errorMessage",
    "markdownDescription",
    "markdownEnumDescriptions",
    "patternErrorMessage",
    "suggestSortText",
    // Kiln.
    "x-kiln-default",
    "x-kubernetes-validations",
];

/// A schema within another, one keyword further down.
pub(super) struct Subschema<'s> {
    /// What it is about.
    pub(super) role: KeywordRole,
    /// The keyword that holds it.
    pub(super) keyword: &'s str,
    /// Where it is, from the schema that holds it: a JSON pointer.
    pub(super) pointer: String,
    /// The schema.
    pub(super) schema: &'s Value,
}

/// Lists the schemas that a schema holds itself, in the order of its text; references are not followed.
pub(super) fn subschemas(schema: &Value) -> Vec<Subschema<'_>> {
    let mut found = Vec::new();
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        let Some((role, holding)) = applicator(keyword) else {
            continue;
        };
        let mut push = |step: Option<&str>, schema| {
            let mut pointer = format!("/{}", pointer_step(keyword));
            if let Some(step) = step {
                write!(pointer, "/{}", pointer_step(step)).expect("a string takes all text");
            }
            found.push(Subschema {
                role,
                keyword,
                pointer,
                schema,
            });
        };
        match (holding, value) {
            (Holding::One, schema) => push(None, schema),
            (Holding::List, Value::Array(items)) => {
                for (index, schema) in items.iter().enumerate() {
                    push(Some(&index.to_string()), schema);
                }
            }
            (Holding::Map, Value::Object(entries)) => {
                for (name, schema) in entries {
                    push(Some(name), schema);
                }
            }
            _ => {}
        }
    }
    found
}

/// Changes every schema that a schema holds itself.
pub(super) fn change_subschemas(schema: &mut Value, change: &mut impl FnMut(&str, &mut Value)) {
    for (keyword, value) in schema.as_object_mut().into_iter().flatten() {
        let Some((_, holding)) = applicator(keyword) else {
            continue;
        };
        let start = format!("/{}", pointer_step(keyword));
        match (holding, value) {
            (Holding::One, schema) => change(&start, schema),
            (Holding::List, Value::Array(items)) => {
                for (index, schema) in items.iter_mut().enumerate() {
                    change(&format!("{start}/{index}"), schema);
                }
            }
            (Holding::Map, Value::Object(entries)) => {
                for (name, schema) in entries {
                    change(&format!("{start}/{}", pointer_step(name)), schema);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{APPLICATORS, PLAIN_WORDS, applicator};

    #[test]
    fn lists_are_what_the_table_knows() {
        for keyword in APPLICATORS {
            assert!(applicator(keyword).is_some(), "{keyword}");
        }
        for word in PLAIN_WORDS {
            assert!(applicator(word).is_none(), "{word}");
        }
    }
}
