//! Places of builds as people name them: path, line and column.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kustomize::{Place, SourceFile};

/// Names places, with one look for lines at each file, however many places it has.
pub struct PlaceNames<'n> {
    shown: Box<dyn Fn(&str) -> String + Sync + 'n>,
    /// Where the lines of a file start.
    lines: Mutex<BTreeMap<String, Vec<usize>>>,
}

impl<'n> PlaceNames<'n> {
    /// Names files as a function says.
    pub fn new(shown: impl Fn(&str) -> String + Sync + 'n) -> Self {
        Self {
            shown: Box::new(shown),
            lines: Mutex::default(),
        }
    }

    /// Returns the path of the file that holds a place.
    pub fn path(&self, place: &Place) -> String {
        (self.shown)(&place.file.path)
    }

    /// Returns path and line.
    pub fn line(&self, place: &Place) -> String {
        format!("{}:{}", self.path(place), self.line_column(place).0)
    }

    /// Returns line and column, counted from 1, the column in characters.
    pub fn line_column(&self, place: &Place) -> (usize, usize) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let starts = match lines.get(&place.file.path) {
            Some(starts) => starts,
            None => lines
                .entry(place.file.path.clone())
                .or_insert_with(|| line_starts(&place.file)),
        };
        let bytes = place.file.bytes();
        let offset = place.span.start.min(bytes.len());
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let before = &bytes[starts[line - 1]..offset];
        (line, String::from_utf8_lossy(before).chars().count() + 1)
    }
}

fn line_starts(file: &SourceFile) -> Vec<usize> {
    let breaks = file.bytes().iter().enumerate();
    let after = breaks
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1);
    std::iter::once(0).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn a_place_has_the_line_that_the_file_says() {
        let file = SourceFile::new("a.yaml", "a: ä\r\nbc: d\n\ne".as_bytes().to_vec());
        let names = PlaceNames::new(|path| format!("x/{path}"));
        for offset in 0..20 {
            let place = Place::new(&file, 0, Span::new(offset, offset));
            assert_eq!(names.line_column(&place), place.line_column(), "{offset}");
        }
        let place = Place::new(&file, 0, Span::new(9, 10));
        assert_eq!(names.line(&place), "x/a.yaml:2");
    }
}
