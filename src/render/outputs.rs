//! From printed texts to the files of the tree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::Printed;
use super::layers::Entry;
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source, Span};
use crate::tree::output_path::{ReservedPaths, folded};
use crate::tree::{File, Origin, is_secret_path, is_yaml_path};
use crate::yaml;

const NOT_YAML: &str = "output-not-yaml";
const FROM_HERE: &str = "rendered from here";

/// Reports outputs that have no safe path, that are one file on some disks, and files where another output needs a folder.
pub(super) fn check_paths(
    entries: &[&Entry],
    reserved: &ReservedPaths,
    problems: &mut Vec<Diagnostic>,
) {
    let mut outputs: BTreeMap<Cow<'_, str>, &Entry> = BTreeMap::new();
    // What is wrong is the path; and a file that should be no template may be a key.
    let place = |entry: &Entry| {
        let without_text = Source::new(entry.source.path.as_str(), "");
        Place::new(&without_text, Span::default())
    };
    let bad = |entry: &Entry, message: String| {
        Diagnostic::error("output-path", message).at_place(place(entry), "from this file")
    };
    for entry in entries {
        let path = entry.output();
        if let Some(reason) = reserved.refuse(path) {
            let message = format!("`{path}` cannot be the path of an output: {reason}");
            problems.push(bad(entry, message).with_hint(
                "rename the template: its path without `.tera` is the path of its output",
            ));
        }
        if let Some(twin) = outputs.insert(folded(path), entry) {
            let message = format!(
                "`{}` and `{path}` are one file where a disk tells neither capitals nor accents apart, as on macOS and Windows",
                twin.output()
            );
            problems.push(bad(entry, message).with_related(place(twin), "the other one"));
        }
    }
    for (folded, entry) in &outputs {
        let folders = folded.match_indices('/').map(|(at, _)| &folded[..at]);
        for file in folders.filter_map(|folder| outputs.get(folder)) {
            let message = format!(
                "`{}` is a file, but `{}` needs a folder there",
                file.output(),
                entry.output()
            );
            problems.push(bad(entry, message));
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
    problems: &mut Vec<Diagnostic>,
) -> Option<File> {
    if printed.text.trim().is_empty() {
        return None;
    }
    Some(file(
        entry,
        Cow::Owned(printed.text),
        printed.lines,
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
        executable: entry.executable,
        binary: entry.binary.clone(),
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
        executable: entry.executable,
        binary: entry.binary.clone(),
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
