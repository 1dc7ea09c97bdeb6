//! Finds which name of a template does not exist, and what was meant.
//!
//! Tera points at the place where a missing value does harm, which is often behind the place where the
//! name is misspelt; so the paths that the template spells are followed again through its variables.

use std::ops::Range;

use tera::{Context, Value};

use std::sync::Arc;

use super::scan::Tag;
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::source::{Source, Span};

const HINT: &str =
    "test it with `is defined`, or give it a `default(value=…)`, if it may be missing";

/// A path as a template spells it: `apps["unifi-dns"].host`.
#[derive(Debug, PartialEq, Eq)]
struct Path<'t> {
    /// The bytes of all of it.
    span: Range<usize>,
    /// Its keys, each with its bytes.
    keys: Vec<(&'t str, Range<usize>)>,
}

/// Reports a variable or key that Tera names: ``Variable `x` is not defined. Available variables: …``.
pub(super) fn named(
    message: &str,
    source: &Arc<Source>,
    span: Span,
    tag: Option<&Tag>,
    variables: &Context,
) -> Option<Diagnostic> {
    let (what, list) = message
        .split_once(". Available ")
        .unwrap_or((message.trim_end_matches('.'), ""));
    let candidates = list
        .split_once(": ")
        .map_or("", |(_, names)| names)
        .split(", ")
        .filter(|name| !name.is_empty());
    let quoted = |prefix: &str| what.strip_prefix(prefix)?.strip_suffix("` is not defined");
    if let Some(name) = quoted("Variable `") {
        return Some(missing(
            &format!("there is no variable `{name}`"),
            name,
            source,
            span,
            candidates,
        ));
    }
    let name = quoted("Field `")?;
    let paths = tag.map_or_else(Vec::new, |tag| paths(&source.text, tag));
    let spelt = paths.iter().find_map(|path| {
        let index = path
            .keys
            .iter()
            .position(|(key, at)| *key == name && at.start >= span.start && at.end <= span.end)?;
        Some((path, index))
    });
    Some(match spelt {
        Some((path, index)) if index > 0 => {
            let parent = &source.text[path.span.start..path.keys[index - 1].1.end];
            missing(
                &no_key(&closed(parent), name),
                name,
                source,
                range(&path.keys[index].1),
                candidates,
            )
        }
        // The span may end before the key, where the one before it is missing already: the path tells.
        _ => first_missing(&paths, source, span, variables).unwrap_or_else(|| {
            missing(
                &format!("there is no key `{name}`"),
                name,
                source,
                span,
                candidates,
            )
        }),
    })
}

/// Reports the first path of a tag that leads nowhere; those that overlap `span` come first.
pub(super) fn unnamed(
    source: &Arc<Source>,
    span: Span,
    tag: &Tag,
    variables: &Context,
) -> Option<Diagnostic> {
    let mut paths = paths(&source.text, tag);
    let overlaps = |path: &Path<'_>| path.span.start < span.end && span.start < path.span.end;
    paths.sort_by_key(|path| !overlaps(path));
    let found = paths
        .iter()
        .find_map(|path| follow(path, source, variables));
    found.or_else(|| {
        let path = paths.first().filter(|path| overlaps(path))?;
        let message = format!("`{}` is not defined", &source.text[path.span.clone()]);
        Some(
            Diagnostic::error(&codes::UNDEFINED_VARIABLE, message)
                .at(source, range(&path.span), "")
                .with_hint(HINT),
        )
    })
}

/// Reports the key that is missing on the first path at a span that leads nowhere.
fn first_missing(
    paths: &[Path<'_>],
    source: &Arc<Source>,
    span: Span,
    variables: &Context,
) -> Option<Diagnostic> {
    let at_span = |path: &&Path<'_>| path.span.start < span.end && span.start < path.span.end;
    let mut paths = paths.iter().filter(at_span);
    paths.find_map(|path| follow(path, source, variables))
}

/// Follows a path through the variables and reports the key that is missing.
///
/// A path that starts at a variable of the template's own (of a loop, say) cannot be followed.
fn follow(path: &Path<'_>, source: &Arc<Source>, variables: &Context) -> Option<Diagnostic> {
    let mut keys = path.keys.iter();
    let (first, mut end) = keys.next().map(|(key, at)| (*key, at.end))?;
    let mut value = variables.get(first)?;
    for (key, at) in keys {
        let next = match value.as_map() {
            Some(map) => map
                .iter()
                .find(|(name, _)| name.as_str() == Some(key))
                .map(|(_, value)| value),
            None => key
                .parse::<usize>()
                .ok()
                .and_then(|index| value.as_array()?.get(index)),
        };
        let Some(next) = next else {
            let message = no_key(&closed(&source.text[path.span.start..end]), key);
            return Some(missing(&message, key, source, range(at), names(value)));
        };
        value = next;
        end = at.end;
    }
    None
}

fn names(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_map()
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| name.as_str())
}

fn no_key(parent: &str, key: &str) -> String {
    if key.parse::<usize>().is_ok() {
        format!("`{parent}` has no item {key}")
    } else {
        format!("`{parent}` has no key `{key}`")
    }
}

fn missing<'c>(
    message: &str,
    name: &str,
    source: &Arc<Source>,
    span: Span,
    candidates: impl Iterator<Item = &'c str>,
) -> Diagnostic {
    let plain = Diagnostic::error(&codes::UNDEFINED_VARIABLE, message).at(source, span, "");
    let suggested = plain.clone().with_suggestion(name, candidates);
    if suggested == plain {
        plain.with_hint(HINT)
    } else {
        suggested
    }
}

/// Closes the bracket of a path that ends within one: `apps["x` to `apps["x"]`.
fn closed(text: &str) -> String {
    let Some(open) = text.rfind('[') else {
        return text.to_owned();
    };
    let inside = &text[open + 1..];
    match inside.chars().next() {
        _ if inside.contains(']') => text.to_owned(),
        Some(quote @ ('"' | '\'' | '`')) => format!("{text}{quote}]"),
        _ => format!("{text}]"),
    }
}

const fn range(range: &Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

/// Lists the paths in a tag; names of functions, filters, tests and arguments are none.
fn paths<'t>(text: &'t str, tag: &Tag) -> Vec<Path<'t>> {
    let mut paths = Vec::new();
    let bytes = text.as_bytes();
    let mut at = tag.inner.start;
    let mut last = ' ';
    while at < tag.inner.end {
        let byte = bytes[at];
        if matches!(byte, b'"' | b'\'' | b'`') {
            at = string_end(bytes, at, tag.inner.end);
            last = '"';
        } else if is_start(byte) {
            let path = path_at(text, at, tag.inner.end);
            let rest = text[path.span.end..tag.inner.end].trim_start();
            let called = rest.starts_with('(');
            let argument = rest.starts_with('=') && !rest.starts_with("==");
            at = path.span.end;
            if !called && !argument && !matches!(last, '|' | '.' | '<') && !is_word(path.keys[0].0)
            {
                paths.push(path);
            }
            last = 'a';
        } else {
            if !byte.is_ascii_whitespace() {
                last = char::from(byte);
            }
            at += 1;
        }
    }
    paths
}

/// Words of the language that stand where a path could.
fn is_word(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "if",
        "elif",
        "else",
        "for",
        "in",
        "is",
        "not",
        "and",
        "or",
        "set",
        "set_global",
        "include",
        "filter",
        "true",
        "false",
        "True",
        "False",
        "none",
        "None",
        "null",
        "defined",
        "undefined",
        "block",
        "component",
    ];
    WORDS.contains(&name)
}

const fn is_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn string_end(bytes: &[u8], start: usize, limit: usize) -> usize {
    let mut at = start + 1;
    while at < limit && bytes[at] != bytes[start] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(limit)
}

fn path_at(text: &str, start: usize, limit: usize) -> Path<'_> {
    let bytes = text.as_bytes();
    let name_end = |from: usize| {
        (from..limit)
            .find(|at| !is_start(bytes[*at]) && !bytes[*at].is_ascii_digit())
            .unwrap_or(limit)
    };
    let mut end = name_end(start);
    let mut keys = vec![(&text[start..end], start..end)];
    loop {
        let rest = &text[end..limit];
        let optional = usize::from(rest.starts_with('?'));
        let access = &rest[optional..];
        if access.starts_with('.') && access.as_bytes().get(1).is_some_and(|byte| is_start(*byte)) {
            let from = end + optional + 1;
            end = name_end(from);
            keys.push((&text[from..end], from..end));
        } else if access.starts_with('[')
            && let Some(close) = access.find(']')
        {
            let inside = &access[1..close];
            let quote = matches!(inside.as_bytes().first(), Some(b'"' | b'\'' | b'`'));
            if !quote && inside.parse::<usize>().is_err() {
                break;
            }
            let key = inside.trim_matches(['"', '\'', '`']);
            let from = end + optional + 1 + usize::from(quote);
            keys.push((key, from..from + key.len()));
            end += optional + close + 1;
        } else {
            break;
        }
    }
    Path {
        span: start..end,
        keys,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::paths;

    #[test]
    fn lists_paths_only() {
        let text = r#"#{ a.b?.c["d-e"][0] | f(g=h.i) if j is defined and "k" == l(m=n) else [x for x in o[p]] }#"#;
        let tags = scan(text);
        let found: Vec<&str> = paths(text, &tags[0])
            .iter()
            .map(|path| &text[path.span.clone()])
            .collect();
        assert_eq!(
            found,
            [r#"a.b?.c["d-e"][0]"#, "h.i", "j", "n", "x", "x", "o", "p"]
        );
    }
}
