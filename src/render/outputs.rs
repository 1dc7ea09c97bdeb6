//! From printed texts to the files of the tree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::{Engine, Printed};
use super::layers::Entry;
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source, Span};
use crate::tree::{File, Origin, is_secret_path, is_yaml_path};
use crate::yaml;

const NOT_YAML: &str = "output-not-yaml";
const FROM_HERE: &str = "rendered from here";

/// Returns why a path cannot be an output, if so.
fn unsafe_path(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.ends_with('/') {
        return Some("it has no name");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("a part of it is empty"),
        "." | ".." => Some("it leaves its folder"),
        _ => None,
    })
}

/// Reports outputs that have no safe path, and files where another output needs a folder.
pub(super) fn check_paths(entries: &[&Entry], problems: &mut Vec<Diagnostic>) {
    let outputs: BTreeMap<&str, &Entry> = entries
        .iter()
        .map(|entry| (entry.output(), *entry))
        .collect();
    for (path, entry) in &outputs {
        if let Some(reason) = unsafe_path(path) {
            let message = format!("`{path}` cannot be the path of an output: {reason}");
            problems.push(Diagnostic::error("output-path", message).at(
                &entry.source,
                Span::default(),
                "from this file",
            ));
        }
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        for folder in folders.filter(|folder| outputs.contains_key(folder)) {
            let message = format!("`{folder}` is a file, but `{path}` needs a folder there");
            problems.push(Diagnostic::error("output-path", message).at(
                &entry.source,
                Span::default(),
                "from this file",
            ));
        }
    }
}

/// Makes a file of a text that is copied as it is.
pub(super) fn copied(entry: &Entry, problems: &mut Vec<Diagnostic>) -> File {
    let text = &entry.source.text;
    let lines = text.split_inclusive('\n').count();
    let origins = (1..=lines).map(|line| Origin::Template {
        template: Arc::clone(&entry.source),
        line,
    });
    file(entry, text.clone(), origins.collect(), problems)
}

/// Makes a file of what a template printed; `None` when it printed white space only.
pub(super) fn rendered(
    entry: &Entry,
    printed: Printed,
    engine: &Engine<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<File> {
    if printed.text.trim().is_empty() {
        return None;
    }
    let origins = printed.lines.iter().map(|line| Origin::Template {
        template: engine
            .template(line.template)
            .map_or_else(|| Arc::clone(&entry.source), |it| Arc::clone(&it.source)),
        line: line.line,
    });
    Some(file(
        entry,
        Cow::Owned(printed.text),
        origins.collect(),
        problems,
    ))
}

/// Makes a file of a text that is only compared: it is not parsed, and nothing tells where its lines came from.
pub(super) fn compared(entry: &Entry, text: Cow<'static, str>) -> Option<File> {
    let path = entry.output();
    let source = Source::of(path, text, is_secret_path(path));
    (!source.text.trim().is_empty() || !entry.is_template()).then(|| File {
        path: path.to_owned(),
        source,
        documents: Arc::default(),
        origins: Vec::new(),
    })
}

fn file(
    entry: &Entry,
    text: Cow<'static, str>,
    origins: Vec<Origin>,
    problems: &mut Vec<Diagnostic>,
) -> File {
    let path = entry.output();
    let source = Source::of(path, text, is_secret_path(path));
    let mut file = File {
        path: path.to_owned(),
        source,
        documents: Arc::default(),
        origins,
    };
    if is_yaml_path(path) {
        match yaml::load(&file.source.text) {
            Ok(documents) => file.documents = Arc::new(documents),
            Err(error) => problems.push(not_yaml(&file, &error, entry)),
        }
    }
    file
}

/// Shows the output, and the template's line behind it; of a secret output only the latter.
fn not_yaml(file: &File, error: &yaml::LoadError, entry: &Entry) -> Diagnostic {
    // The end of the text is behind its last line.
    let before = error.span.start.saturating_sub(1);
    let template = file.template_place(error.span.start);
    let template = template
        .or_else(|| file.template_place(before))
        .or_else(|| Some(Place::new(&entry.source, Span::default())));
    // The reason may quote a key, and a key may be made of a secret.
    let reason = if file.source.sensitive {
        "it is not what a YAML reader expects here, or repeats a key"
    } else {
        &error.message
    };
    let message = format!("`{}` is not YAML: {reason}", file.path);
    let diagnostic = Diagnostic::error(NOT_YAML, message);
    if file.source.sensitive {
        return match template {
            Some(place) => diagnostic.at_place(place, FROM_HERE),
            None => diagnostic,
        };
    }
    let mut diagnostic = diagnostic.at(&file.source, error.span, "");
    if let Some(first) = error.first {
        diagnostic = diagnostic.with_related(Place::new(&file.source, first), "first set here");
    }
    match template {
        Some(place) => diagnostic.with_related(place, FROM_HERE),
        None => diagnostic,
    }
}

/// Shows the template alone when the output that a problem shows turns out to hold a secret.
pub(super) fn conceal(problem: &mut Diagnostic, quotes: &dyn Fn(&str) -> bool) {
    let output = problem.primary.as_ref();
    let shown = output
        .filter(|label| label.text != FROM_HERE)
        .and_then(|label| label.place.source.visible());
    if problem.code == NOT_YAML && shown.is_some_and(quotes) {
        problem.primary = problem
            .related
            .pop()
            .filter(|label| label.text == FROM_HERE);
        problem.related.clear();
    }
}
