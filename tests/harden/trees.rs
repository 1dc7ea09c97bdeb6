//! Trees in folders, and what a stage says about them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::diagnostic::{Diagnostic, Severity};
use kiln::source::{Place, Source};
use kiln::tree::{App, File, Origin, Rendered, Tree};
use kiln::yaml;

/// The folder of a test's fixtures.
pub(crate) fn fixtures(area: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(area)
}

/// The folders in a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// The files of text below a folder, by path with `/`.
pub(crate) fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_none_or(|end| end != "gz") {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The texts of a tree in which each of these has a file of its own, and Flux applies all of them.
pub(crate) fn applied(
    manifests: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let mut list =
        "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
            .to_owned();
    let mut texts = BTreeMap::new();
    for (name, text) in manifests {
        writeln!(list, "  - {name}.yaml").unwrap();
        texts.insert(format!("kubernetes/flux/cluster/{name}.yaml"), text);
    }
    texts.insert(
        "kubernetes/flux/cluster/kustomization.yaml".to_owned(),
        list,
    );
    texts
}

/// An output as rendering hands it on: each line from the line of a template with the same text.
pub(crate) fn file(path: &str, text: &str) -> File {
    let secret = kiln::tree::is_secret_path(path);
    let source = if secret {
        Source::sensitive(path, text)
    } else {
        Source::new(path, text)
    };
    let documents = if kiln::tree::is_yaml_path(path) {
        yaml::load(text).unwrap()
    } else {
        Vec::new()
    };
    let template = Source::new(format!("templates/{path}.tera"), text);
    let origins = (1..=text.lines().count())
        .map(|line| Origin::Template {
            template: template.clone(),
            line,
        })
        .collect();
    File {
        path: path.to_owned(),
        source,
        documents: documents.into(),
        origins,
        executable: false,
        binary: None,
    }
}

pub(crate) fn tree(texts: &BTreeMap<String, String>, apps: Vec<App>) -> Tree<Rendered> {
    Tree::rendered(texts.iter().map(|(path, text)| file(path, text)), apps)
}

/// Diagnostics as text, for the eyes of a reviewer.
pub(crate) fn told(problems: &[Diagnostic]) -> String {
    let mut text = String::new();
    for problem in problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(text, "{severity}[{}]: {}", problem.code(), problem.message).unwrap();
        if let Some(label) = &problem.primary {
            writeln!(text, "  --> {}{}", spot(&label.place), said(&label.text)).unwrap();
        }
        for label in &problem.related {
            writeln!(text, "  ::: {}{}", spot(&label.place), said(&label.text)).unwrap();
        }
        for hint in &problem.hints {
            writeln!(text, "  help: {hint}").unwrap();
        }
    }
    text
}

fn said(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}

fn spot(place: &Place) -> String {
    let (line, column) = place.source.line_column(place.span.start);
    let shown = if place.source.sensitive {
        "…".to_owned()
    } else {
        place.source.text[place.span.start..place.span.end]
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    format!("{}:{line}:{column} `{shown}`", place.source.path)
}
