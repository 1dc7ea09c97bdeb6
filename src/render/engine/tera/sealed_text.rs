//! What messages show of a template whose output will be sealed: its own expressions and statements, and no text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::scan::{Tag, TagKind, scan, string_length};
use super::template::PreparedTemplate;
use crate::diagnostic::{Diagnostic, Meaning};
use crate::render::codes;
use crate::render::layers::SUFFIX;
use crate::source::{Source, Span};
use crate::tree::is_secret_path;

/// The codes whose messages may quote what a template spells.
static QUOTING: [&Meaning; 4] = [
    &codes::UNDEFINED_VARIABLE,
    &codes::TEMPLATE_FAILED,
    &codes::TEMPLATE_SYNTAX,
    &codes::WRONG_ARGUMENT,
];

/// A string that is shorter is a part of any message by chance.
const SHORTEST_TEXT: usize = 4;

/// Hides the text of a template, in which a secret may stand in plain text, from all messages.
pub(in crate::render) fn veiled(source: &Arc<Source>) -> Arc<Source> {
    source.veiled(hidden(&source.text, &scan(&source.text)))
}

/// Hides the texts of all templates that others include whose outputs will be sealed.
pub(in crate::render) fn veil_included(templates: &mut [PreparedTemplate]) {
    let own = |template: &&PreparedTemplate| {
        is_secret_path(template.name.strip_suffix(SUFFIX).unwrap_or(&template.name))
    };
    let included: BTreeMap<&str, Vec<&str>> = templates
        .iter()
        .map(|template| {
            let targets = template.targets().map(|(target, _)| target);
            (template.name.as_str(), targets.collect())
        })
        .collect();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut todo: Vec<&str> = templates
        .iter()
        .filter(own)
        .map(|it| it.name.as_str())
        .collect();
    while let Some(name) = todo.pop() {
        for target in included.get(name).into_iter().flatten() {
            if reached.insert((*target).to_owned()) {
                todo.push(target);
            }
        }
    }
    for template in templates {
        let is_own = !template.source.path.starts_with("catalogue:");
        if is_own && reached.contains(&template.name) {
            template.source = template
                .source
                .veiled(hidden(&template.source.text, &template.tags));
        }
    }
}

/// Takes a message back that quotes a text of a template of which no text is shown.
pub(super) fn without_quotes(
    mut diagnostic: Diagnostic,
    template: &PreparedTemplate,
) -> Diagnostic {
    let text = &template.source.text;
    if template.source.visible() == Some(text) || !QUOTING.contains(&diagnostic.meaning) {
        return diagnostic;
    }
    let literals: Vec<&str> = template
        .tags
        .iter()
        .flat_map(|tag| strings(text, tag))
        .map(|span| text[span.start..span.end].trim_matches(['"', '\'', '`']))
        .filter(|literal| literal.len() >= SHORTEST_TEXT)
        .collect();
    let quotes = |said: &str| literals.iter().any(|literal| said.contains(literal));
    if quotes(&diagnostic.message) {
        "this fails; the reason quotes a text of a template whose output is sealed, and is not shown"
            .clone_into(&mut diagnostic.message);
    }
    diagnostic.hints.retain(|hint| !quotes(hint));
    diagnostic
}

/// Lists what no message shows: all that is no tag, comments, and the strings in tags.
fn hidden(text: &str, tags: &[Tag]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut from = 0;
    for tag in tags {
        spans.push(Span::new(from, tag.outer.start));
        if tag.kind == TagKind::Comment {
            spans.push(Span::new(tag.inner.start, tag.inner.end));
        } else {
            spans.extend(strings(text, tag));
        }
        from = tag.outer.end;
    }
    spans.push(Span::new(from, text.len()));
    spans
}

/// Lists the string literals of a tag, with their quotes.
fn strings<'t>(text: &'t str, tag: &Tag) -> impl Iterator<Item = Span> + use<'t> {
    let bytes = text.as_bytes();
    let end = tag.inner.end;
    let mut at = tag.inner.start;
    std::iter::from_fn(move || {
        while at < end {
            if matches!(bytes[at], b'"' | b'\'' | b'`') {
                let length = string_length(&bytes[at..end]).unwrap_or(end - at);
                let span = Span::new(at, at + length);
                at = span.end;
                return Some(span);
            }
            at += 1;
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_expressions_without_strings() {
        let text =
            "a: \"one\"\n  b: #{ x[\"two\"] | upper }# three\n#| four |##% if y %#\nfive #{ 'six\n";
        let source = veiled(&Source::new("a.sops.yaml.tera", text));
        insta::assert_snapshot!(source.visible().unwrap(), @r"
        ********
          ***#{ x[*****] | upper }#******
        #|******|##% if y %#
        ************
        ");
    }
}
