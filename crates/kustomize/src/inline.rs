//! YAML that stands as a text in a kustomization.

use super::field::{Field, FieldValue};
use super::loader::documents_of;
use super::place::{Origin, SourceFile};
use super::problem::Findings;

/// Reads the documents in a text, each field with the place of the text as a whole; `None` where it is no YAML.
pub(crate) fn inline_documents(written: &Field) -> Option<Vec<Field>> {
    let text = written.as_text().unwrap_or_default();
    let file = SourceFile::new("", text.as_bytes());
    let mut documents = documents_of(&file, &mut Findings::default())?;
    for document in &mut documents {
        set_origins(document, &written.origin);
    }
    Some(documents)
}

fn set_origins(field: &mut Field, origin: &Origin) {
    field.origin = origin.clone();
    match &mut field.value {
        FieldValue::Scalar(_) => {}
        FieldValue::Sequence(items) => {
            for item in items {
                set_origins(item, origin);
            }
        }
        FieldValue::Mapping(entries) => {
            for entry in entries {
                set_origins(&mut entry.value, origin);
            }
        }
    }
}
