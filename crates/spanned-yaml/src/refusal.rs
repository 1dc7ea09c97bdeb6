//! What go-yaml refuses, or reads otherwise, where the parser follows YAML 1.2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use granit_parser::Tag;
use serde_json::Value;

use super::source_text::is_name_byte;
use super::timestamp::Timestamp;
use super::{Content, Document, Node, Resolver, Scalar, Span, Style};

/// Characters that end a line for YAML 1.1 and not for YAML 1.2.
const LINE_SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// Returns the first escape of a double-quoted scalar that YAML 1.1 does not have: where, and how long it is.
pub(super) fn refused_escape(raw: &str) -> Option<Span> {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        let start = raw.len() - rest.len() + at;
        let escaped = rest[at + 1..].chars().next()?;
        let digits = match escaped {
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let behind = at + 1 + escaped.len_utf8();
        let code = rest.get(behind..behind + digits).unwrap_or_default();
        let half =
            u32::from_str_radix(code, 16).is_ok_and(|code| (0xd800..=0xdfff).contains(&code));
        if escaped == '/' || half {
            return Some(Span::new(start, start + 2 + digits));
        }
        rest = &rest[behind..];
    }
    None
}

/// Takes the spaces around a line separator out of a quoted scalar, as they go at the end of each line.
pub(super) fn fold_line_separators(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive(LINE_SEPARATORS).enumerate() {
        let line = if index == 0 {
            line
        } else {
            line.trim_start_matches([' ', '\t'])
        };
        match line.char_indices().last() {
            Some((at, last)) if LINE_SEPARATORS.contains(&last) => {
                folded.push_str(line[..at].trim_end_matches([' ', '\t']));
                folded.push(last);
            }
            _ => folded.push_str(line),
        }
    }
    folded
}

pub(super) fn has_line_separator(text: &str) -> bool {
    // Each of them alone is searched for faster than both together.
    LINE_SEPARATORS
        .iter()
        .any(|separator| text.contains(separator.encode_utf8(&mut [0; 4]) as &str))
}

/// Returns the first line separator outside of quotes: there it parts what YAML 1.2 reads as one line.
pub(super) fn refused_line_separator(text: &str, documents: &[Document]) -> Option<Span> {
    if !has_line_separator(text) {
        return None;
    }
    let mut quoted = Vec::new();
    for document in documents {
        each_scalar_span(&document.root, &mut |span| {
            if text[span.start..].starts_with(['"', '\'']) {
                quoted.push(span);
            }
        });
    }
    quoted.sort_unstable();
    text.match_indices(LINE_SEPARATORS)
        .find(|(at, _)| covering(&quoted, *at).is_none())
        .map(|(at, separator)| Span::new(at, at + separator.len()))
}

/// Lists the spans of scalars that stand where they are written, keys among them.
pub(super) fn each_scalar_span(node: &Node, visit: &mut impl FnMut(Span)) {
    match &node.content {
        _ if node.is_alias() => {}
        Content::Scalar(_) => visit(node.span),
        Content::Sequence { items, .. } => {
            items.iter().for_each(|item| each_scalar_span(item, visit));
        }
        Content::Mapping { entries, .. } => {
            for entry in entries {
                visit(entry.key_span);
                each_scalar_span(&entry.value, visit);
            }
        }
    }
}

/// Returns the one of sorted spans that a place lies in.
pub(super) fn covering(spans: &[Span], at: usize) -> Option<Span> {
    let behind = spans.partition_point(|span| span.start <= at);
    let span = *spans.get(behind.checked_sub(1)?)?;
    (at < span.end).then_some(span)
}

/// Applies a tag to a scalar; returns `false` where the scalar is not of the type.
pub(super) fn apply_tag(scalar: &mut Scalar, tag: &Tag) -> bool {
    let core = tag.suffix_in_namespace("tag:yaml.org,2002:");
    let Some(core) = core.as_deref() else {
        // `!` alone says nothing; a tag of someone's own makes a string.
        scalar.tagged_string = !(tag.suffix().is_empty() || tag.suffix() == "!");
        return true;
    };
    if core == "binary" {
        let encoded: String = scalar.text.split(['\n', '\r']).collect();
        scalar.tagged_string = true;
        return match STANDARD.decode(encoded) {
            Ok(bytes) => {
                scalar.text = String::from_utf8_lossy(&bytes).into_owned();
                true
            }
            Err(_) => false,
        };
    }
    let value = Resolver::Kustomize.value_of(&scalar.text);
    let fits = match core {
        "int" => value.is_i64() || value.is_u64(),
        "float" => {
            value.is_number() || !Resolver::Kustomize.is_string(&scalar.text) && value.is_string()
        }
        "bool" => value.is_boolean(),
        "null" => value == Value::Null,
        "timestamp" => Timestamp::parse(&scalar.text).is_some(),
        _ => {
            scalar.tagged_string = true;
            return true;
        }
    };
    scalar.style = Style::Plain;
    fits
}

/// Returns the name of the anchor between two events that go-yaml refuses: it has more than letters, digits, `-` and
/// `_`.
pub(super) fn refused_anchor(text: &str, between: Span) -> Option<Span> {
    let mut start = between.start;
    for line in text[between.start..between.end].split_inclusive('\n') {
        let code = line.split(" #").next().unwrap_or_default();
        if let Some(at) = code.find('&')
            && !code.trim_start().starts_with('#')
        {
            let at = start + at;
            return refused_name(text, at);
        }
        start += line.len();
    }
    text[between.end..]
        .starts_with('&')
        .then(|| refused_name(text, between.end))
        .flatten()
}

/// Returns the span of an anchor or alias whose name go-yaml refuses, or ends before YAML 1.2 does.
pub(super) fn refused_name(text: &str, sign: usize) -> Option<Span> {
    let name = &text[sign + 1..];
    let length = name.bytes().take_while(|byte| is_name_byte(*byte)).count();
    let mut behind = name[length..].chars();
    let ends = match behind.next() {
        None | Some(',' | ']' | '}') => true,
        Some(':') => text[sign..].starts_with('*') && behind.next().is_none_or(char::is_whitespace),
        Some(character) => character.is_whitespace(),
    };
    let refused = length == 0 || !ends;
    refused.then(|| Span::new(sign, sign + 1 + length))
}
