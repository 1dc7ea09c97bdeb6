//! Field specs out of the `OpenAPI` definitions that `crds` names.

use std::collections::BTreeSet;

use super::{NameReferences, TransformerConfig};
use crate::field::Field;
use crate::field_spec::{FieldSpec, KindSelector};
use crate::problem::{Findings, Problem, ProblemKind};

impl TransformerConfig {
    /// Reads a file of `crds`: definitions by type name, whose properties say by `x-kubernetes-` keys what they hold.
    ///
    /// What is no mapping is a problem. A definition that holds itself is followed once.
    pub(crate) fn read_definitions(field: &Field, findings: &mut Findings) -> Self {
        let mut config = Self::empty();
        let Some(entries) = field.entries() else {
            let message = "the definitions of custom types are no mapping";
            findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
            return config;
        };
        for entry in entries {
            let Some(properties) = properties_of(&entry.value) else {
                continue;
            };
            let is_object = ["kind", "apiVersion", "metadata"]
                .iter()
                .all(|key| properties.get(key).is_some());
            if is_object {
                let kind = entry.key.rsplit('.').next().unwrap_or_default();
                let mut definitions = CustomTypeDefinitions {
                    all: field,
                    selector: KindSelector::new("", "", kind),
                    config: &mut config,
                    findings,
                    open: BTreeSet::new(),
                    left: MOST_PROPERTIES,
                };
                definitions.follow(&entry.key, "");
            }
        }
        config.sort();
        config
    }
}

struct CustomTypeDefinitions<'d> {
    all: &'d Field,
    selector: KindSelector,
    config: &'d mut TransformerConfig,
    findings: &'d mut Findings,
    open: BTreeSet<&'d str>,
    /// How many properties may still be looked at: definitions that hold each other twice are without end in practice.
    left: usize,
}

const MOST_PROPERTIES: usize = 100_000;

impl<'d> CustomTypeDefinitions<'d> {
    fn follow(&mut self, type_name: &'d str, path: &str) {
        let Some(properties) = self.all.get(type_name).and_then(properties_of) else {
            return;
        };
        if !self.open.insert(type_name) {
            return;
        }
        for entry in properties.entries().unwrap_or_default() {
            if self.left == 0 {
                let message = "the definitions of custom types hold each other too often";
                let place = entry.value.place();
                self.findings
                    .refuse(Problem::new(ProblemKind::Refused, message, place));
                break;
            }
            self.left -= 1;
            let path = match path {
                "" => entry.key.clone(),
                path => format!("{path}/{}", entry.key),
            };
            self.add(&entry.value, &path);
            if let Some(type_name) = entry.value.find_text(&["$ref"]) {
                self.follow(type_name, &path);
            }
        }
        self.open.remove(type_name);
    }

    /// Adds what a property says of itself.
    fn add(&mut self, property: &Field, path: &str) {
        let place = property.place().clone();
        let spec =
            |path: String| FieldSpec::new(self.selector.clone(), path, false, Some(place.clone()));
        let says = |key: &str| extension_of(property, key);
        let lists = [
            (
                "x-kubernetes-annotation",
                &mut self.config.common_annotations,
            ),
            (
                "x-kubernetes-label-selector",
                &mut self.config.common_labels,
            ),
            ("x-kubernetes-identity", &mut self.config.name_prefix),
        ];
        for (key, list) in lists {
            if says(key).is_some() {
                FieldSpec::merge(list, &[spec(path.to_owned())], &place, self.findings);
            }
        }
        let version = says("x-kubernetes-object-ref-api-version");
        let kind = says("x-kubernetes-object-ref-kind");
        if let (Some(version), Some(kind)) = (version, kind) {
            let key = says("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let references = NameReferences {
                target: KindSelector::new("", version, kind),
                referrers: vec![spec(format!("{path}/{key}"))],
            };
            self.config
                .add_name_references(&references, &place, self.findings);
        }
    }
}

/// Returns the properties of a definition.
fn properties_of(definition: &Field) -> Option<&Field> {
    let entries = definition.entries()?;
    let schema = entries
        .iter()
        .find(|entry| entry.key.eq_ignore_ascii_case("schema"))?;
    schema.value.get("properties")
}

/// Returns what a property says by a key; its case does not matter.
fn extension_of<'f>(property: &'f Field, key: &str) -> Option<&'f str> {
    let mut entries = property.entries()?.iter();
    let entry = entries.find(|entry| entry.key.eq_ignore_ascii_case(key))?;
    entry.value.as_text()
}
