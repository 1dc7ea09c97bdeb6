//! What everybody can read of a file that is sealed.

use sops_age::{PlainFile, Store, cover};

use super::rules::Rules;
use crate::source::Span;
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
    let plain = PlainFile::read(file.bytes(), Store::of(&file.path));
    let (Some(rule), Ok(plain)) = (rule, plain) else {
        return whole();
    };
    match &plain {
        PlainFile::Tree(outline) => {
            let covered = cover(outline, &rule.creation.scope, COVERED);
            OpenPart::without(&outline.text, covered)
        }
        PlainFile::Binary(_) => {
            let all = Span::new(0, file.source.text.len());
            OpenPart::without(&file.source.text, vec![(all, COVERED.to_owned())])
        }
    }
}
