//! What depends on a secret and can be read by everybody.
//!
//! Non-interference: the tree is rendered a second time with every secret replaced by another of the same shape. What
//! is the same in both tells nothing of a secret; what differs does, whatever was done to it on the way.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::source::{Place, Source, Span};
use crate::tree::{File, OpenPart, Rendered, Tree};

/// A place that depends on a secret and will be open.
#[derive(Clone, Debug)]
pub struct Leak {
    /// The output.
    pub path: String,
    /// Whether the output will be sealed, and this place of it will not.
    pub sealed: bool,
    /// The line of it that differs, as it was rendered; `None` when the file is there or not as the secret has it.
    pub line: Option<Place>,
    /// The line of the template that made it.
    pub template: Option<Place>,
    /// The secrets that it depends on, if that is known: `dns.token`, `deploy.key`.
    pub origins: BTreeSet<String>,
}

/// Returns the open part of a file.
pub type Opening<'o> = dyn Fn(&File) -> OpenPart + Sync + 'o;

/// Compares the open parts of two renderings that differ in their secrets only, sorted by path and place.
pub fn find_leaks(
    rendered: &Tree<Rendered>,
    other: &Tree<Rendered>,
    open_part: &Opening<'_>,
) -> Vec<Leak> {
    let paths: BTreeSet<&str> = [rendered, other]
        .iter()
        .flat_map(|tree| tree.files())
        .map(|file| file.path.as_str())
        .collect();
    let paths: Vec<&str> = paths.into_iter().collect();
    let leaks_of = |path: &str| match (rendered.get(path), other.get(path)) {
        (Some(file), Some(twin)) if file.source.text == twin.source.text => Vec::new(),
        (Some(file), Some(twin)) => {
            let lines = differing_lines(&open_part(file), &open_part(twin));
            leaks_on(file, &lines)
        }
        _ => vec![Leak {
            path: path.to_owned(),
            sealed: false,
            line: None,
            template: None,
            origins: BTreeSet::new(),
        }],
    };
    paths.into_par_iter().flat_map_iter(leaks_of).collect()
}

/// Points at lines of a file, of which nothing is shown.
fn leaks_on(file: &File, lines: &[Span]) -> Vec<Leak> {
    if lines.is_empty() {
        return Vec::new();
    }
    let hidden = Source::sensitive(file.path.as_str(), file.source.text.as_ref());
    let template = |line: &Span| {
        let place = file.template_place(line.start)?;
        let hidden = Source::sensitive(place.source.path.as_str(), place.source.text.as_ref());
        Some(Place::new(&hidden, place.span))
    };
    let leak = |line: &Span| Leak {
        path: file.path.clone(),
        sealed: file.is_secret(),
        line: Some(Place::new(&hidden, *line)),
        template: template(line),
        origins: BTreeSet::new(),
    };
    lines.iter().map(leak).collect()
}

impl Leak {
    /// Returns what tells the leak from others of the same rendering.
    pub fn spot(&self) -> (&str, Option<Span>) {
        (&self.path, self.line.as_ref().map(|place| place.span))
    }
}

/// Lists the lines of the file in which two open parts differ: each of them where both have as many, or else the first.
fn differing_lines(own: &OpenPart, twin: &OpenPart) -> Vec<Span> {
    let lines = |part: &OpenPart| -> Vec<String> {
        part.text.split_inclusive('\n').map(str::to_owned).collect()
    };
    let (own_lines, twin_lines) = (lines(own), lines(twin));
    let mut found = Vec::new();
    let mut start = 0;
    for (index, line) in own_lines.iter().enumerate() {
        if twin_lines.get(index) != Some(line) {
            let end = start + line.trim_end().len();
            let first = end - line.trim().len();
            found.push(Span::new(own.in_file(first), own.in_file(end)));
        }
        start += line.len();
    }
    if own_lines.len() != twin_lines.len() {
        let end = own.in_file(own.text.len());
        found.push(Span::new(end, end));
        found.truncate(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(own: &str, twin: &str) -> Vec<(usize, usize)> {
        let lines = differing_lines(&OpenPart::whole(own), &OpenPart::whole(twin));
        lines.iter().map(|line| (line.start, line.end)).collect()
    }

    #[test]
    fn finds_each_line_that_differs_and_one_where_lines_come_or_go() {
        assert_eq!(differing("a\nb\nc\n", "a\nx\ny\n"), [(2, 3), (4, 5)]);
        assert_eq!(differing("a\nb\n", "a\nb\nc\n"), [(4, 4)]);
        assert_eq!(differing("a\nb\nc\n", "a\nc\n"), [(2, 3)]);
        assert_eq!(differing("a\n", "a\n"), []);
    }
}
