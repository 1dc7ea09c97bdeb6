//! The one walk of a schema along a value: which schemas say something about which place.
//!
//! All keywords of JSON Schema 2020-12 that hold schemas are followed, and references inside of the document. The
//! walk does not validate: a branch counts whether or not the value is of its form, so that a secret is one even where it
//! is written wrong. What is not known to hold is marked as such by its [`SchemaReach`]. Sets of schemas go down
//! together, each schema at most once for a place, so that references in circles end and branches do not multiply.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::keyword::{KeywordRole, role, subschemas};
use super::pointer::Pointer;
use super::references;

/// How surely a schema holds for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SchemaReach {
    /// If something else is so: `then`, `dependentSchemas`, `contains`, `unevaluatedItems` and their like.
    Sometimes,
    /// As one of several forms: `anyOf`, `oneOf`.
    Alternative,
    /// Whatever the value is.
    Always,
}

/// The patterns for keys, compiled as validation compiles them.
#[derive(Debug, Default)]
pub(super) struct KeyPatterns(Mutex<BTreeMap<String, Option<Validator>>>);

impl KeyPatterns {
    /// Returns whether a key fits; one that does not compile fits all keys, as validation reports it.
    fn fits(&self, pattern: &str, key: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(pattern) {
            let schema = serde_json::json!({ "pattern": pattern });
            let validator = super::shape::validator(&schema).ok();
            known.insert(pattern.to_owned(), validator);
        }
        let validator = known.get(pattern).and_then(Option::as_ref);
        validator.is_none_or(|validator| validator.is_valid(&Value::from(key)))
    }
}

/// A schema that says something about a place, with what the walk asks of it: found in one pass, as a look-up for each word
/// would cost more than all else.
#[derive(Clone)]
struct ApplicableSchema<'s> {
    schema: &'s Value,
    reach: SchemaReach,
    write_only: bool,
    types: Option<&'s Value>,
    rules: Option<&'s Value>,
    properties: Option<&'s Map<String, Value>>,
    pattern_properties: Option<&'s Map<String, Value>>,
    additional_properties: Option<&'s Value>,
    unevaluated_properties: Option<&'s Value>,
    prefix_items: Option<&'s Vec<Value>>,
    items: Option<&'s Value>,
    contains: Option<&'s Value>,
    unevaluated_items: Option<&'s Value>,
}

impl<'s> ApplicableSchema<'s> {
    fn new(schema: &'s Value, reach: SchemaReach) -> Self {
        let mut new = Self {
            schema,
            reach,
            write_only: false,
            types: None,
            rules: None,
            properties: None,
            pattern_properties: None,
            additional_properties: None,
            unevaluated_properties: None,
            prefix_items: None,
            items: None,
            contains: None,
            unevaluated_items: None,
        };
        for (keyword, held) in schema.as_object().into_iter().flatten() {
            match keyword.as_str() {
                "writeOnly" => new.write_only = *held == Value::Bool(true),
                "type" => new.types = Some(held),
                "x-kubernetes-validations" => new.rules = Some(held),
                "properties" => new.properties = held.as_object(),
                "patternProperties" => new.pattern_properties = held.as_object(),
                "additionalProperties" => new.additional_properties = Some(held),
                "unevaluatedProperties" => new.unevaluated_properties = Some(held),
                "prefixItems" => new.prefix_items = held.as_array(),
                "items" => new.items = Some(held),
                "contains" => new.contains = Some(held),
                "unevaluatedItems" => new.unevaluated_items = Some(held),
                _ => {}
            }
        }
        new
    }

    /// Adds what it says about the value of a key; returns whether it says anything.
    fn add_property(
        &self,
        key: &str,
        reach: SchemaReach,
        below: &mut ApplicableSchemas<'s>,
    ) -> bool {
        let mut known = false;
        if let Some(own) = self.properties.and_then(|own| own.get(key)) {
            below.add(own, reach);
            known = true;
        }
        for (pattern, own) in self.pattern_properties.into_iter().flatten() {
            if below.patterns.fits(pattern, key) {
                below.add(own, reach);
                known = true;
            }
        }
        if !known && let Some(others) = self.additional_properties {
            below.add(others, reach);
            known = true;
        }
        known
    }

    /// Adds what it says about an item; returns whether it says anything.
    fn add_item(
        &self,
        index: usize,
        reach: SchemaReach,
        below: &mut ApplicableSchemas<'s>,
    ) -> bool {
        let own = self.prefix_items.and_then(|first| first.get(index));
        let own = own.or(self.items);
        if let Some(own) = own {
            below.add(own, reach);
        }
        own.is_some()
    }

    /// Returns whether the type is among those that it names; `None` if it names none.
    fn names_type(&self, name: &str) -> Option<bool> {
        match self.types? {
            Value::String(only) => Some(only == name),
            Value::Array(all) => Some(all.iter().any(|one| one == name)),
            _ => None,
        }
    }
}

/// The schemas that say something about one place of a value.
#[derive(Clone)]
pub(super) struct ApplicableSchemas<'s> {
    document: &'s Value,
    patterns: &'s KeyPatterns,
    found: Vec<ApplicableSchema<'s>>,
}

impl<'s> ApplicableSchemas<'s> {
    /// Starts at the root of a document whose references are settled.
    pub(super) fn root(document: &'s Value, patterns: &'s KeyPatterns) -> Self {
        let mut root = Self {
            document,
            patterns,
            found: Vec::new(),
        };
        root.add(document, SchemaReach::Always);
        root
    }

    fn below(&self) -> Self {
        Self {
            found: Vec::new(),
            ..*self
        }
    }

    /// Lists all schemas for the place, an outer one before those that it names or holds.
    pub(super) fn all(&self) -> impl Iterator<Item = &'s Value> {
        self.found.iter().map(|found| found.schema)
    }

    /// Lists the schemas that hold for the place whatever the value is.
    pub(super) fn certain(&self) -> impl Iterator<Item = &'s Value> {
        self.reached(SchemaReach::Always).map(|found| found.schema)
    }

    fn reached(&self, reach: SchemaReach) -> impl Iterator<Item = &ApplicableSchema<'s>> {
        self.found.iter().filter(move |found| found.reach == reach)
    }

    /// Lists the rules that hold for the place whatever the value is.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'s Value> {
        let rules = self.reached(SchemaReach::Always);
        rules.filter_map(|found| found.rules?.as_array()).flatten()
    }

    /// Lists the keys that schemas for the place name, each with its schema.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'s String, &'s Value)> {
        self.found
            .iter()
            .filter_map(|found| found.properties)
            .flatten()
    }

    /// Lists the keys that can be filled in: those that schemas name which hold whatever the value is.
    pub(super) fn certain_keys(&self) -> impl Iterator<Item = &'s String> {
        let certain = self.reached(SchemaReach::Always);
        certain
            .filter_map(|found| found.properties)
            .flat_map(Map::keys)
    }

    /// Returns whether a schema calls the value a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.found.iter().any(|found| found.write_only)
    }

    /// Returns whether no schema knows the place: it is unknown, refused or left open.
    pub(super) fn is_unknown(&self) -> bool {
        self.all().all(Value::is_boolean)
    }

    /// Returns whether the value may be of a type by what is said of types; `false` if nothing is.
    pub(super) fn takes_type(&self, name: &str) -> bool {
        let certain = self.reached(SchemaReach::Always);
        let mut certain = certain.filter_map(|found| found.names_type(name));
        if let Some(first) = certain.next() {
            return first && certain.all(|takes| takes);
        }
        self.reached(SchemaReach::Alternative)
            .filter_map(|found| found.names_type(name))
            .any(|takes| takes)
    }

    /// Returns whether a schema at the place, or anywhere below, calls something a secret.
    pub(super) fn reaches_secret(&self) -> bool {
        let mut todo: Vec<&Value> = self.all().collect();
        let mut seen: Vec<*const Value> = Vec::new();
        while let Some(schema) = todo.pop() {
            if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            seen.push(schema);
            if schema.get("writeOnly") == Some(&Value::Bool(true)) {
                return true;
            }
            let named = schema.get("$ref");
            todo.extend(named.and_then(|named| references::named(named, self.document)));
            let held = subschemas(schema).into_iter();
            todo.extend(
                held.filter(|held| held.role != KeywordRole::Definition)
                    .map(|held| held.schema),
            );
        }
        false
    }

    /// Adds a schema and all that it says about the same value by other schemas.
    fn add(&mut self, schema: &'s Value, reach: SchemaReach) {
        // No recursion: a chain of references may be as long as its author likes.
        let mut todo = vec![(schema, reach)];
        while let Some((schema, reach)) = todo.pop() {
            let mut found = self.found.iter_mut();
            match found.find(|known| std::ptr::eq(known.schema, schema)) {
                Some(known) if known.reach >= reach => continue,
                Some(known) => known.reach = reach,
                None => self.found.push(ApplicableSchema::new(schema, reach)),
            }
            let start = todo.len();
            for (keyword, held) in schema.as_object().into_iter().flatten() {
                self.add_held(keyword, held, reach, &mut todo);
            }
            // What stands first is taken first.
            todo[start..].reverse();
        }
    }

    /// Lists the schemas behind a keyword that speak of the same value.
    fn add_held(
        &self,
        keyword: &str,
        held: &'s Value,
        reach: SchemaReach,
        todo: &mut Vec<(&'s Value, SchemaReach)>,
    ) {
        let reach = match role(keyword) {
            Some(KeywordRole::Same) => reach,
            Some(KeywordRole::Alternative) => reach.min(SchemaReach::Alternative),
            Some(KeywordRole::Conditional) => SchemaReach::Sometimes,
            None if keyword == "$ref" => {
                let target = references::named(held, self.document);
                todo.extend(target.map(|target| (target, reach)));
                return;
            }
            _ => return,
        };
        match held {
            Value::Array(items) => todo.extend(items.iter().map(|held| (held, reach))),
            Value::Object(entries) if keyword == "dependentSchemas" => {
                todo.extend(entries.values().map(|held| (held, reach)));
            }
            held => todo.push((held, reach)),
        }
    }

    /// Returns the schemas for the value of a key.
    pub(super) fn property(&self, key: &str) -> Self {
        let mut below = self.below();
        for found in &self.found {
            found.add_property(key, found.reach, &mut below);
        }
        for found in &self.found {
            let Some(rest) = found.unevaluated_properties else {
                continue;
            };
            let knows = |own: &ApplicableSchema<'s>| {
                own.add_property(key, SchemaReach::Always, &mut self.below())
            };
            if !self.evaluates(found.schema, knows) {
                below.add(rest, SchemaReach::Sometimes);
            }
        }
        below
    }

    /// Returns the schemas for an item of a list.
    pub(super) fn item(&self, index: usize) -> Self {
        let mut below = self.below();
        for found in &self.found {
            found.add_item(index, found.reach, &mut below);
            if let Some(some) = found.contains {
                below.add(some, SchemaReach::Sometimes);
            }
        }
        for found in &self.found {
            let Some(rest) = found.unevaluated_items else {
                continue;
            };
            let knows = |own: &ApplicableSchema<'s>| {
                own.add_item(index, SchemaReach::Always, &mut self.below())
            };
            if !self.evaluates(found.schema, knows) {
                below.add(rest, SchemaReach::Sometimes);
            }
        }
        below
    }

    /// Returns whether a schema itself surely speaks of a value below; what stands beside it does not count for its rest.
    fn evaluates(
        &self,
        schema: &'s Value,
        knows: impl FnMut(&ApplicableSchema<'s>) -> bool,
    ) -> bool {
        let mut own = self.below();
        own.add(schema, SchemaReach::Always);
        own.reached(SchemaReach::Always).any(knows)
    }

    /// Returns the schemas for a step of a JSON pointer, unescaped, where no value says whether it is a key or an index.
    pub(super) fn step(&self, step: &str) -> Self {
        let mut below = self.property(step);
        if let Ok(index) = step.parse() {
            for found in self.item(index).found {
                below.add(found.schema, found.reach);
            }
        }
        below
    }

    /// Returns the schemas for the value at a JSON pointer below the place.
    pub(super) fn at(&self, pointer: &str) -> Self {
        let steps = pointer.split('/').skip(1);
        steps.fold(self.clone(), |here, step| {
            here.step(&step.replace("~1", "/").replace("~0", "~"))
        })
    }
}

/// Visits a value and what is below it as far as schemas speak of it; `visit` says whether to go further down.
pub(super) fn visit<'s>(
    schemas: &ApplicableSchemas<'s>,
    value: &Value,
    pointer: &mut Pointer,
    visitor: &mut impl FnMut(&ApplicableSchemas<'s>, &Value, &Pointer) -> bool,
) {
    if schemas.found.is_empty() || !visitor(schemas, value, pointer) {
        return;
    }
    match value {
        Value::Object(entries) => {
            for (key, child) in entries {
                let below = schemas.property(key);
                pointer.below(key, |pointer| visit(&below, child, pointer, visitor));
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                let below = schemas.item(index);
                pointer.below(index, |pointer| visit(&below, child, pointer, visitor));
            }
        }
        _ => {}
    }
}

/// Changes a value, then what is below it, as far as schemas speak of it.
pub(super) fn visit_mut<'s>(
    schemas: &ApplicableSchemas<'s>,
    value: &mut Value,
    change: &mut impl FnMut(&ApplicableSchemas<'s>, &mut Value),
) {
    if schemas.found.is_empty() {
        return;
    }
    change(schemas, value);
    match value {
        Value::Object(entries) => {
            for (key, child) in entries {
                visit_mut(&schemas.property(key), child, change);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter_mut().enumerate() {
                visit_mut(&schemas.item(index), child, change);
            }
        }
        _ => {}
    }
}

/// Lists the keys that a schema itself names.
pub(super) fn named_properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}
