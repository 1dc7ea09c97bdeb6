//! Objects without the values of Secrets, as a reader may see them.

use std::borrow::Cow;

use kustomize::{Field, FieldScalar, FieldValue};

use super::veiled_secrets::{LAST_APPLIED, is_open_in_secret};

/// What stands in the place of a value of a Secret.
const HIDDEN: &str = "…";

/// Takes the values of Secrets out of an object, its own and those that replacements put into it: all that are neither
/// sealed nor the name of a variable.
pub fn without_secrets(object: &Field) -> Cow<'_, Field> {
    let version = object.find_text(&["apiVersion"]).unwrap_or_default();
    if object.find_text(&["kind"]) != Some("Secret") || version.contains('/') {
        return without_replaced(object);
    }
    let mut object = object.clone();
    for entry in object.entries_mut().into_iter().flatten() {
        if !is_open_in_secret(&entry.key) {
            hide(&mut entry.value);
        }
    }
    if let Some(applied) = object.find_mut(&["metadata", "annotations", LAST_APPLIED]) {
        hide(applied);
    }
    Cow::Owned(object)
}

/// Takes out of an object what replacements put into it from Secrets; its own values stay.
pub(super) fn without_replaced(object: &Field) -> Cow<'_, Field> {
    if !object.holds_secret() {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    hide_replaced(&mut object);
    Cow::Owned(object)
}

fn hide_replaced(field: &mut Field) {
    let is_of_secret = field.origin.is_of_secret();
    match &mut field.value {
        FieldValue::Scalar(scalar) if is_of_secret => hide_scalar(scalar),
        FieldValue::Scalar(_) => {}
        FieldValue::Sequence(items) => items.iter_mut().for_each(hide_replaced),
        FieldValue::Mapping(entries) => {
            let values = entries.iter_mut().map(|entry| &mut entry.value);
            values.for_each(hide_replaced);
        }
    }
}

fn hide_scalar(scalar: &mut FieldScalar) {
    let text = scalar.text.as_str();
    if !(text.is_empty() || text.starts_with("ENC[AES256_GCM,") || is_variable(text)) {
        HIDDEN.clone_into(&mut scalar.text);
        scalar.kind = kustomize::ScalarKind::Text;
    }
}

fn hide(field: &mut Field) {
    match &mut field.value {
        FieldValue::Scalar(scalar) => hide_scalar(scalar),
        FieldValue::Sequence(items) => items.iter_mut().for_each(hide),
        FieldValue::Mapping(entries) => entries.iter_mut().for_each(|entry| hide(&mut entry.value)),
    }
}

/// Returns whether a text is a variable and nothing else.
fn is_variable(text: &str) -> bool {
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use kustomize::SourceFile;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_shows_what_is_sealed_and_what_is_a_variable() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter2}\ndata:\n  b: aHVudGVyMg==\nstringData:\n  c: ENC[AES256_GCM,data:x]\n  d: ${PASSWORD}\n  e: ${PASSWORD:=hunter2}\n  f: 1234\n  g:\n    h: hunter2\n";
        let file = SourceFile::new("a.yaml", text.as_bytes().to_vec());
        let documents = file.documents().unwrap();
        let object = Field::of_node(&documents[0].root, &file, 0);
        let shown = without_secrets(&object).to_json();
        let expected = json!({"c": "ENC[AES256_GCM,data:x]", "d": "${PASSWORD}", "e": "…", "f": "…", "g": {"h": "…"}});
        assert_eq!(shown["stringData"], expected);
        assert_eq!(shown["data"], json!({"b": "…"}));
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
    }
}
