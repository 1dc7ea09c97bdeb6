//! From printed texts to the files of the tree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::Printed;
use super::layers::LayerEntry;
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::source::{Place, Source, Span};
use crate::tree::output_path::{ReservedPaths, folded};
use crate::tree::{File, Origin, is_secret_path, is_yaml_path};
use crate::yaml;

const FROM_HERE: &str = "rendered from here";

/// Reports outputs that have no safe path, that are one file on some disks, and files where another output needs a folder.
pub(super) fn check_paths(
    entries: &[&LayerEntry],
    reserved: &ReservedPaths,
    problems: &mut Vec<Diagnostic>,
) {
    let mut outputs: BTreeMap<Cow<'_, str>, &LayerEntry> = BTreeMap::new();
    // What is wrong is the path; and a file that should be no template may be a key.
    let place = |entry: &LayerEntry| {
        let without_text = Source::new(entry.source.path.as_str(), "");
        Place::new(&without_text, Span::default())
    };
    let bad = |entry: &LayerEntry, message: String| {
        Diagnostic::error(&codes::OUTPUT_PATH, message).at_place(place(entry), "from this file")
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

/// A file to be made, and what it is made from.
#[derive(Clone, Copy)]
pub(super) struct Output<'e> {
    /// The path below the output folder.
    pub(super) path: &'e str,
    /// The template, or the file that is copied.
    pub(super) source: &'e Arc<Source>,
    /// Whether it may be run as a program.
    pub(super) executable: bool,
    /// The bytes of a file that is no text.
    pub(super) binary: Option<&'e Arc<[u8]>>,
    /// Whether it has to be YAML if its name says so.
    pub(super) strict: bool,
}

impl<'e> From<&'e LayerEntry> for Output<'e> {
    fn from(entry: &'e LayerEntry) -> Self {
        Self {
            path: entry.output(),
            source: &entry.source,
            executable: entry.executable,
            binary: entry.binary.as_ref(),
            strict: true,
        }
    }
}

/// Makes a file of a text that is copied as it is.
pub(super) fn copied(output: Output<'_>, problems: &mut Vec<Diagnostic>) -> File {
    let text = &output.source.text;
    let lines = text.split_inclusive('\n').count();
    let origins = (1..=lines).map(|line| Origin::Template {
        template: Arc::clone(output.source),
        line,
    });
    file(output, text.clone(), origins.collect(), problems)
}

/// Makes a file of what a template printed.
pub(super) fn rendered(
    output: Output<'_>,
    printed: Printed,
    problems: &mut Vec<Diagnostic>,
) -> File {
    file(output, Cow::Owned(printed.text), printed.lines, problems)
}

/// Makes a file of a text that is only compared: it is not parsed, and nothing tells where its lines came from.
pub(super) fn compared(output: Output<'_>, text: Cow<'static, str>) -> File {
    unparsed(output, text, Vec::new())
}

fn unparsed(output: Output<'_>, text: Cow<'static, str>, origins: Vec<Origin>) -> File {
    File {
        path: output.path.to_owned(),
        source: Source::of(output.path, text, is_secret_path(output.path)),
        documents: Arc::default(),
        origins,
        executable: output.executable,
        binary: output.binary.cloned(),
    }
}

fn file(
    output: Output<'_>,
    text: Cow<'static, str>,
    origins: Vec<Origin>,
    problems: &mut Vec<Diagnostic>,
) -> File {
    let mut file = unparsed(output, text, origins);
    if is_yaml_path(output.path) {
        match yaml::load(&file.source.text) {
            Ok(documents) => file.documents = Arc::new(documents),
            Err(error) if output.strict => problems.push(not_yaml(&file, &error, output)),
            // Whoever reads it as YAML says so; a template of another tool may have such a name.
            Err(_) => {}
        }
    }
    file
}

/// Shows the output, and the template's line behind it; of a secret output only the latter.
fn not_yaml(file: &File, error: &yaml::LoadError, output: Output<'_>) -> Diagnostic {
    // The end of the text is behind its last line.
    let before = error.span.start.saturating_sub(1);
    let template = file.template_place(error.span.start);
    let template = template
        .or_else(|| file.template_place(before))
        .or_else(|| Some(Place::new(output.source, Span::default())));
    // The reason may quote a key, and a key may be made of a secret.
    let reason = if file.source.sensitive {
        "it is not what a YAML reader expects here, or repeats a key"
    } else {
        &error.message
    };
    let message = format!("`{}` is not YAML: {reason}", file.path);
    let diagnostic = Diagnostic::error(&codes::OUTPUT_NOT_YAML, message);
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
    if *problem.meaning == codes::OUTPUT_NOT_YAML && shown.is_some_and(quotes) {
        problem.primary = problem
            .related
            .pop()
            .filter(|label| label.text == FROM_HERE);
        problem.related.clear();
    }
}
