//! Names that kustomize ends with a hash of the content.

use kustomize::{Field, Place};

/// The letters and digits of a hash.
const LETTERS: &str = "2456789bcdfghkmt";
/// How many of them a hash has.
const LENGTH: usize = 10;

/// Returns the name of an object without the hash that its generator put at the end; `None` for an object that is
/// written, and for a generated one without a hash.
pub fn name_without_hash(object: &Field) -> Option<&str> {
    let kind = object.find_text(&["kind"])?;
    if !["ConfigMap", "Secret"].contains(&kind) {
        return None;
    }
    let name = object.find_text(&["metadata", "name"])?;
    let (base, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == LENGTH && hash.chars().all(|sign| LETTERS.contains(sign));
    (is_hash && !base.is_empty() && is_generated(object.place(), kind)).then_some(base)
}

/// Returns whether an object comes from a place that is no object of its kind.
fn is_generated(place: &Place, kind: &str) -> bool {
    let documents = place.file.documents().ok();
    let document = documents.and_then(|documents| documents.get(place.document));
    let written = document.and_then(|document| document.root.at(&place.route()));
    written.is_some_and(|node| node.find_text("kind") != Some(kind))
}
