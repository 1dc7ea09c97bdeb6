//! The keys and values that a generator takes from literals, files and env files.

use std::sync::Arc;

use spanned_yaml::Span;

use super::super::field::Field;
use super::super::loader::Loader;
use super::super::place::{Place, SourceFile};
use super::super::problem::{Findings, Problem, ProblemKind};
use super::super::remote::{is_remote_file, shown_address};

/// A key of a generated object.
pub(super) struct GeneratedPair {
    pub(super) key: String,
    pub(super) value: PairValue,
    /// Where the value is written.
    pub(super) place: Place,
}

/// The bytes of a value.
pub(super) enum PairValue {
    Text(String),
    File(Arc<SourceFile>),
}

impl PairValue {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::File(file) => file.bytes(),
        }
    }
}

/// Go's line scanner stops at a line that does not fit its buffer, and says nothing.
const LONGEST_LINE: usize = 65_535;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads all pairs of a generator; `None` where one cannot be had.
pub(super) fn read_pairs(
    generator: &Field,
    with_env: bool,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> Option<Vec<GeneratedPair>> {
    let list = |name: &str| {
        generator
            .get(name)
            .and_then(Field::items)
            .unwrap_or_default()
    };
    let mut pairs = Vec::new();
    let mut whole = true;
    let single = generator
        .get("env")
        .filter(|field| with_env && field.as_text() != Some(""));
    for written in list("envs").iter().chain(single) {
        match read_file(written, written, loader, findings) {
            Some(file) => whole &= read_env_lines(&file, &mut pairs, findings),
            None => whole = false,
        }
    }
    for written in list("literals") {
        match read_literal(written, findings) {
            Some(pair) => pairs.push(pair),
            None => whole = false,
        }
    }
    for written in list("files") {
        match read_file_pair(written, loader, findings) {
            Some(pair) => pairs.push(pair),
            None => whole = false,
        }
    }
    whole.then_some(pairs)
}

fn read_literal(written: &Field, findings: &mut Findings) -> Option<GeneratedPair> {
    let text = written.as_text().unwrap_or_default();
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Some(GeneratedPair {
            key: key.to_owned(),
            value: PairValue::Text(without_quotes(value).to_owned()),
            place: written.place().clone(),
        }),
        _ => {
            let message = "the literal is no `key=value`";
            let problem = Problem::new(ProblemKind::Malformed, message, written.place());
            findings.refuse(problem);
            None
        }
    }
}

/// Takes off quotes that stand on both sides.
fn without_quotes(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

fn read_file_pair(
    written: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> Option<GeneratedPair> {
    let text = written.as_text().unwrap_or_default();
    let (key, path) = match text.split_once('=') {
        None => (base_name(text), text),
        Some((_, path)) if path.contains('=') => {
            let message = "the entry has more than one `=`";
            findings.refuse(
                Problem::new(ProblemKind::Malformed, message, written.place())
                    .with_help("Write `key=path`; neither may hold a `=`"),
            );
            return None;
        }
        Some((key, path)) if key.is_empty() || path.is_empty() => {
            let message = "the entry lacks the key or the path around `=`";
            findings.refuse(
                Problem::new(ProblemKind::Malformed, message, written.place())
                    .with_help("Write `key=path`, or the path alone"),
            );
            return None;
        }
        Some(pair) => pair,
    };
    let named = Field::text(path, written.origin.clone());
    let file = read_file(written, &named, loader, findings)?;
    Some(GeneratedPair {
        key: key.to_owned(),
        place: Place::new(&file, 0, Span::new(0, file.bytes().len())),
        value: PairValue::File(file),
    })
}

/// Returns the last step of a path, as Go's `path.Base` does.
fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None if path.is_empty() => ".",
        Some("") | None => "/",
        Some(name) => name,
    }
}

fn read_file(
    written: &Field,
    named: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> Option<Arc<SourceFile>> {
    let text = named.as_text().unwrap_or_default();
    if is_remote_file(text) {
        let what = format!("the file `{}`", shown_address(text));
        findings.not_seen(what, "it lies on another machine", written.place());
        return None;
    }
    loader.read(named, findings)
}

/// Reads lines of `key=value`; returns whether all could be read.
fn read_env_lines(
    file: &Arc<SourceFile>,
    pairs: &mut Vec<GeneratedPair>,
    findings: &mut Findings,
) -> bool {
    let bytes = file.bytes();
    let mut start = 0;
    for raw in bytes.split(|byte| *byte == b'\n') {
        let at = start;
        start += raw.len() + 1;
        if raw.len() > LONGEST_LINE {
            break;
        }
        let line = raw.strip_suffix(b"\r").unwrap_or(raw);
        let Ok(text) = str::from_utf8(line) else {
            let message = "the line is no UTF-8 text";
            let place = Place::new(file, 0, Span::new(at, at + line.len()));
            findings.refuse(Problem::new(ProblemKind::Malformed, message, &place));
            return false;
        };
        let text = if at == 0 && line.starts_with(BYTE_ORDER_MARK) {
            &text[BYTE_ORDER_MARK.len()..]
        } else {
            text
        };
        let text = text.trim_start();
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if text.starts_with('#') || key.is_empty() {
            continue;
        }
        let end = at + line.len();
        pairs.push(GeneratedPair {
            key: key.to_owned(),
            value: PairValue::Text(value.to_owned()),
            place: Place::new(file, 0, Span::new(end - text.len(), end)),
        });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs_of(text: &[u8]) -> Vec<(String, String, Span)> {
        let file = SourceFile::new("some.env", text.to_vec());
        let mut pairs = Vec::new();
        assert!(read_env_lines(&file, &mut pairs, &mut Findings::default()));
        let shown = |pair: GeneratedPair| {
            let value = String::from_utf8_lossy(pair.value.bytes()).into_owned();
            (pair.key, value, pair.place.span)
        };
        pairs.into_iter().map(shown).collect()
    }

    #[test]
    fn reads_env_lines_as_kustomize_does() {
        let text = b"\xef\xbb\xbfA=1\r\n\n  # none\n  B = 2 \nC\n=D\nE=F=G";
        let read = pairs_of(text);
        let pairs: Vec<(&str, &str)> = read
            .iter()
            .map(|(key, value, _)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("A", "1"), ("B ", " 2 "), ("C", ""), ("E", "F=G")]);
        for (key, value, span) in &read {
            let line = str::from_utf8(&text[span.start..span.end]).unwrap();
            let written = format!("{key}={value}");
            assert!(line == written || line == key, "{line}");
        }
    }

    #[test]
    fn stops_where_the_line_scanner_stops() {
        let long = format!("A=1\nB={}\nC=3\n", "x".repeat(70_000));
        assert_eq!(pairs_of(long.as_bytes()).len(), 1);
        let fits = format!("A=1\nB={}\nC=3\n", "x".repeat(65_533));
        assert_eq!(pairs_of(fits.as_bytes()).len(), 3);
    }

    #[test]
    fn takes_off_quotes_on_both_sides_only() {
        for (text, expected) in [
            ("\"a\"", "a"),
            ("'a'", "a"),
            ("'a", "'a"),
            ("\"a'", "\"a'"),
            ("\"", "\""),
            ("''", ""),
        ] {
            assert_eq!(without_quotes(text), expected, "{text}");
        }
    }

    #[test]
    fn names_a_file_by_its_last_step() {
        for (path, expected) in [("a/b.txt", "b.txt"), ("b", "b"), ("a/", "a"), ("", ".")] {
            assert_eq!(base_name(path), expected);
        }
    }
}
