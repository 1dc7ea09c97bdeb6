//! `ResourceSet`s of the Flux operator with inputs that stand in them.

use kustomize::{Field, FieldEntry, FieldScalar, FieldValue, ScalarKind};

use super::applied_object::{is_of, key_of};
use crate::tree::object::is_namespaced;
use crate::yaml::Resolver;

/// The API group of the Flux operator.
const GROUP: &str = "fluxcd.controlplane.io";

/// Makes the objects of a `ResourceSet`, one set for each of its inputs; none for any other object.
///
/// # Errors
/// Why the objects are not seen: they come from inputs that only the cluster has, or from a template that does more
/// than put inputs in.
pub(super) fn expand(object: &Field) -> Vec<Result<Field, String>> {
    if !is_of(object, GROUP, "ResourceSet") {
        return Vec::new();
    }
    let spec = |key: &str| object.find(&["spec", key]).filter(|field| !field.is_null());
    if spec("inputsFrom").is_some() {
        return vec![Err(
            "its inputs come from providers in the cluster".to_owned()
        )];
    }
    if spec("resourcesTemplate").is_some() {
        return vec![Err("its objects come from a text template".to_owned())];
    }
    let inputs = spec("inputs").and_then(Field::items).unwrap_or_default();
    let resources = spec("resources").and_then(Field::items).unwrap_or_default();
    // Without inputs, the objects are made once.
    let once = [Field::mapping(object.origin.clone())];
    let inputs = if inputs.is_empty() { &once } else { inputs };
    let mut made = Vec::new();
    for input in inputs {
        for resource in resources {
            let filled = InputSet { input, object }.fill(resource);
            made.push(filled.map(|made| in_namespace_of(object, made)));
        }
    }
    made
}

/// Puts an object that names no namespace into that of its `ResourceSet`.
fn in_namespace_of(set: &Field, mut made: Field) -> Field {
    let kind = made.find_text(&["kind"]).unwrap_or_default();
    let is_named = made.find(&["metadata", "namespace"]).is_some();
    if let Some(namespace) = set.find(&["metadata", "namespace"])
        && !is_named
        && is_namespaced(kind)
    {
        made.mapping_at("metadata", &set.origin)
            .set("namespace", namespace.clone());
    }
    made
}

/// The input that is put in the place of `<< inputs.name >>`.
struct InputSet<'f> {
    input: &'f Field,
    object: &'f Field,
}

impl InputSet<'_> {
    fn fill(&self, field: &Field) -> Result<Field, String> {
        let value = match &field.value {
            FieldValue::Scalar(scalar) => return self.fill_scalar(field, scalar),
            FieldValue::Sequence(items) => FieldValue::Sequence(
                items
                    .iter()
                    .map(|item| self.fill(item))
                    .collect::<Result<_, _>>()?,
            ),
            FieldValue::Mapping(entries) => FieldValue::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        Ok(FieldEntry {
                            key: self.text(&entry.key)?.0,
                            value: self.fill(&entry.value)?,
                        })
                    })
                    .collect::<Result<_, String>>()?,
            ),
        };
        Ok(Field {
            value,
            origin: field.origin.clone(),
        })
    }

    fn fill_scalar(&self, field: &Field, scalar: &FieldScalar) -> Result<Field, String> {
        let (text, used) = self.text(&scalar.text)?;
        let Some(used) = used else {
            return Ok(field.clone());
        };
        // The template is YAML text: what comes out of an unquoted action is read anew.
        let is_whole = scalar.text.starts_with("<<") && scalar.text.ends_with(">>");
        let kind = match Resolver::Kubernetes.value_of(&text) {
            serde_json::Value::Bool(_) if is_whole => ScalarKind::Boolean,
            serde_json::Value::Number(_) if is_whole => ScalarKind::Integer,
            _ => ScalarKind::Text,
        };
        Ok(Field::scalar(
            text,
            kind,
            field.origin.clone().and(used.place()),
        ))
    }

    /// Puts the inputs into a text, and returns the last one that was used.
    fn text(&self, text: &str) -> Result<(String, Option<&Field>), String> {
        let mut filled = String::new();
        let mut used = None;
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("<<") {
            let Some((action, left)) = after.split_once(">>") else {
                break;
            };
            filled.push_str(before);
            let (value, field) = self.value(action)?;
            filled.push_str(&value);
            used = Some(field);
            rest = left;
        }
        filled.push_str(rest);
        Ok((filled, used))
    }

    fn value(&self, action: &str) -> Result<(String, &Field), String> {
        let mut parts = action.trim_matches(['-', ' ']).split('|').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let path = first.strip_prefix("inputs.").unwrap_or_default();
        let found = match path {
            "" => None,
            "provider.name" => self.object.find(&["metadata", "name"]),
            "provider.namespace" => self.object.find(&["metadata", "namespace"]),
            path => path
                .split('.')
                .try_fold(self.input, |field, key| field.get(key)),
        };
        let field = found.ok_or_else(|| {
            let key = key_of(self.object);
            format!("the template of `{key}` does more than put static inputs in: `<<{action}>>`")
        })?;
        let mut text = field.as_text().unwrap_or_default().to_owned();
        for function in parts {
            text = match function {
                "quote" => text,
                "lower" => text.to_lowercase(),
                "upper" => text.to_uppercase(),
                "trim" => text.trim().to_owned(),
                other => {
                    return Err(format!(
                        "the function `{other}` of its template is not followed"
                    ));
                }
            };
        }
        Ok((text, field))
    }
}
