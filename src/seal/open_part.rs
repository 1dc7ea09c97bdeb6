//! What everybody can read of a file that is sealed.

use super::outline::{Outline, State};
use super::rules::Rules;
use super::writer;
use crate::tree::{File, OpenPart};

/// What stands where a value is encrypted.
const COVERED: &str = "ENC[…]";

/// Returns a file as others see it: without the values and comments that its rule encrypts.
///
/// A file that is not sealed is open as a whole, and so is one that cannot be sealed, which sealing reports.
pub fn open_part(file: &File, rules: &Rules) -> OpenPart {
    let whole = || OpenPart::whole(&file.source.text);
    if !file.is_secret() {
        return whole();
    }
    let rule = rules.find(&file.path);
    let outline = Outline::read(&file.source, State::Plain);
    let (Some(rule), Ok(outline)) = (rule, outline) else {
        return whole();
    };
    let mut edits = Vec::new();
    for leaf in outline.leaves() {
        if writer::covered_value(leaf, &rule.scope).is_some() {
            writer::replace(leaf, COVERED, &mut edits);
        }
    }
    OpenPart::without(&outline.source.text, edits)
}
