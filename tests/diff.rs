//! What differs between two trees.
//!
//! What is expected stands in `tests/diff/expected/`.

mod applied;
mod bases;
mod browser;
mod comments;
mod dangers;
mod docs;
mod example;
mod guards;
mod hostile;

mod objects;
pub(crate) mod project;
mod properties;
mod revisions;
mod written;

use std::collections::BTreeMap;

use crate::harden::trees;
use crate::support::expect_file;
use kiln::diff::{DiffOptions, DiffReport, Side, SideText, compare};

/// Makes a side of files; those with `.sops.` in their names count as opened secrets.
pub(crate) fn side(label: &str, files: &[(&str, &str)]) -> Side {
    let texts: BTreeMap<String, SideText> = files
        .iter()
        .map(|(path, text)| {
            let text = (*text).to_owned();
            let text = if path.contains(".sops.") {
                SideText::Opened(text)
            } else {
                SideText::Open(text)
            };
            ((*path).to_owned(), text)
        })
        .collect();
    Side::of_texts(label, texts).unwrap()
}

/// Compares two sets of files.
pub(crate) fn diff(before: &[(&str, &str)], after: &[(&str, &str)]) -> DiffReport {
    compare(
        &side("old", before),
        &side("new", after),
        &DiffOptions::default(),
    )
}

/// Compares a text with what is expected of it.
#[track_caller]
pub(crate) fn expect(name: &str, text: &str) {
    let path = trees::fixtures("diff").join("expected").join(name);
    expect_file(&path, text);
}

#[test]
fn every_expected_file_is_one_that_a_test_gives() {
    let sources: String = trees::texts(&trees::fixtures("diff"))
        .into_iter()
        .filter_map(|(path, text)| path.ends_with(".rs").then_some(text))
        .collect();
    for path in trees::texts(&trees::fixtures("diff").join("expected")).keys() {
        let (stem, _) = path.rsplit_once('.').unwrap();
        let names = [format!("\"{path}\""), format!("\"{stem}.{{format}}\"")];
        let is_given = names.iter().any(|name| sources.contains(name));
        assert!(is_given, "no test gives tests/diff/expected/{path}");
    }
}
