//! Plain text in the spelling that go-yaml reads as everybody else does.
//!
//! go-yaml v3 takes NEL, LS and PS (U+0085, U+2028, U+2029) for line breaks, as YAML 1.1 did, and does not know the
//! escape `\/`. What is encrypted is never seen by it; what stays in plain text is spelled with escapes here. Source:
//! `is_break` in `yamlprivateh.go` and `yaml_parser_scan_flow_scalar` in `scannerc.go` of go-yaml v3.

use spanned_yaml::{Content as NodeContent, Node, Span};

use crate::edit::Edit;
use crate::outline::{Content, Outline, Spot};
use crate::scalar_text;
use crate::scope::{Scope, covered_value};
use crate::value::Kind;
use crate::writer::replace;

/// Returns whether go-yaml ends a line at a sign that is no line break to YAML 1.2.
pub(crate) fn is_foreign_break(sign: char) -> bool {
    matches!(sign, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Adds the edits that spell keys, values and comments which stay in plain text such that go-yaml reads the same.
pub(crate) fn respell(outline: &Outline, scope: &Scope, edits: &mut Vec<Edit>) {
    let text = outline.text.as_str();
    if !text.contains(is_foreign_break) && !text.contains("\\/") {
        return;
    }
    let raw = |span: Span| &text[span.start..span.end];
    for leaf in outline.leaves() {
        let Content::Value(value) = &leaf.content else {
            continue;
        };
        if covered_value(leaf, scope).is_some() {
            continue;
        }
        match &leaf.spot {
            Spot::Comment(span) if raw(*span).contains(is_foreign_break) => {
                edits.push((*span, raw(*span).replace(is_foreign_break, " ")));
            }
            Spot::Block { span, .. } | Spot::Flow(span)
                if value.kind == Kind::Str && is_misread(raw(*span)) =>
            {
                edits.push((*span, scalar_text::quoted(value.text.expose())));
            }
            Spot::Literal { body, .. } if raw(*body).contains(is_foreign_break) => {
                // `replace` writes what it is given in the place of header and lines.
                replace(text, leaf, &scalar_text::quoted(value.text.expose()), edits);
            }
            _ => {}
        }
    }
    let roots = outline.documents.iter().filter_map(|one| one.root.as_ref());
    roots.for_each(|root| keys(text, root, edits));
}

fn keys(text: &str, node: &Node, edits: &mut Vec<Edit>) {
    if node.is_alias() {
        return;
    }
    match &node.content {
        NodeContent::Scalar(_) => {}
        NodeContent::Sequence { items, .. } => {
            items.iter().for_each(|item| keys(text, item, edits));
        }
        NodeContent::Mapping { entries, .. } => {
            for entry in entries {
                if is_misread(&text[entry.key_span.start..entry.key_span.end]) {
                    edits.push((entry.key_span, scalar_text::quoted(&entry.key)));
                }
                keys(text, &entry.value, edits);
            }
        }
    }
}

fn is_misread(raw: &str) -> bool {
    raw.contains(is_foreign_break) || raw.starts_with('"') && raw.contains("\\/")
}
