//! Which values of an encrypted data file are secrets.

use super::cluster::Merged;
use crate::yaml::{Content, Node, Resolver, lies_in};

/// How an encrypted value starts, in SOPS' format.
const CIPHERTEXT: &str = "ENC[";

/// Where SOPS keeps what it needs to open a file.
const METADATA: &str = "/sops";

/// The values of a data file that SOPS encrypted.
pub(super) struct SealedValues {
    /// Where they stand, and their ciphertexts: JSON pointers (RFC 6901).
    ciphertexts: Vec<(String, String)>,
    /// Whether the file stays closed, so that the values have to be made up.
    closed: bool,
}

impl SealedValues {
    /// Finds the encrypted values among the documents of a file as it is on disk.
    pub(super) fn find(roots: &[Node], closed: bool) -> Self {
        let mut ciphertexts = Vec::new();
        for root in roots {
            root.each_scalar(&mut |pointer, scalar| {
                if scalar.text.starts_with(CIPHERTEXT) && !lies_in(pointer, METADATA) {
                    ciphertexts.push((pointer.to_owned(), scalar.text.clone()));
                }
            });
        }
        Self {
            ciphertexts,
            closed,
        }
    }

    /// Notes the values as secrets of the config, and as made up if the file stays closed.
    ///
    /// What is made up depends on the ciphertext, so that another one counts as another value.
    pub(super) fn note(self, path: &str, merged: &mut Merged) {
        for (pointer, ciphertext) in self.ciphertexts {
            if self.closed {
                merged
                    .made_up
                    .insert(pointer.clone(), format!("{path} {ciphertext}"));
            } else if let Some(value) = merged.value.pointer(&pointer) {
                let text = match value {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let route = pointer.trim_start_matches('/').replace('/', ".");
                merged.secrets.insert(&text, route);
            }
            merged.secret_pointers.insert(pointer);
        }
    }
}

/// Takes the metadata of SOPS out of the documents of a closed file.
pub(super) fn without_metadata(roots: Vec<Node>) -> Vec<Node> {
    let stripped = roots.into_iter().map(|mut root| {
        if let Content::Mapping { entries, .. } = &mut root.content {
            entries.retain(|entry| entry.key != "sops");
        }
        root
    });
    stripped
        .filter(|root| !root.to_value(Resolver::Core).is_null())
        .collect()
}
