//! Where additions are made: the files under work, and the record of what was added.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::tree::{File, Injection, Origin};
use crate::yaml::edit::{Addition, EditError, Edited, Insertion, insert};
use crate::yaml::{Route, load};

use super::outcome::Outcome;
use super::patches::{Gathered, gather};

/// An addition that a rule asks for.
pub(super) struct Edit {
    /// The file.
    pub(super) path: String,
    /// What to add to it.
    pub(super) insertion: Insertion,
    /// The object that gains it, as messages name it.
    pub(super) object: String,
    /// Why, for the record.
    pub(super) reason: String,
}

/// A file that a rule adds.
pub(super) struct NewFile {
    /// The path.
    pub(super) path: String,
    /// The text: YAML.
    pub(super) text: String,
    /// The objects in it, one a document, and why each is there.
    pub(super) objects: Vec<(String, String)>,
}

/// The files under work.
pub(super) struct Bench<'t> {
    files: BTreeMap<String, Cow<'t, File>>,
    injections: Vec<Injection>,
}

impl<'t> Bench<'t> {
    pub(super) fn new(files: impl Iterator<Item = &'t File>) -> Self {
        Self {
            files: files
                .map(|file| (file.path.clone(), Cow::Borrowed(file)))
                .collect(),
            injections: Vec::new(),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values().map(Cow::as_ref)
    }

    /// Makes the additions of rules, and says which could not be made.
    pub(super) fn apply(&mut self, outcomes: Vec<(&'static str, Outcome)>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut patches = Vec::new();
        for (rule, outcome) in outcomes {
            for file in outcome.files {
                self.add(rule, file);
            }
            let refused = outcome.edits.into_iter();
            problems.extend(refused.filter_map(|edit| self.edit(rule, edit)));
            patches.extend(outcome.patches.into_iter().map(|patch| (rule, patch)));
        }
        for gathered in gather(patches) {
            problems.extend(self.patch(gathered));
        }
        problems
    }

    /// Hands over the files that changed and the record, by path and place.
    pub(super) fn finish(self) -> (Vec<File>, Vec<Injection>) {
        let changed = self.files.into_values().filter_map(|file| match file {
            Cow::Owned(file) => Some(file),
            Cow::Borrowed(_) => None,
        });
        let mut injections = self.injections;
        injections.sort_by(|a, b| (&a.path, a.span, &a.route).cmp(&(&b.path, b.span, &b.route)));
        (changed.collect(), injections)
    }

    fn edit(&mut self, rule: &'static str, edit: Edit) -> Option<Diagnostic> {
        let file = self
            .files
            .get(&edit.path)
            .filter(|file| !file.is_secret())?;
        let route = match &edit.insertion.addition {
            Addition::Entries { entries, .. } if entries.len() == 1 => {
                let key = entries
                    .keys()
                    .next()
                    .map(String::as_str)
                    .unwrap_or_default();
                edit.insertion.route.then(key)
            }
            _ => edit.insertion.route.clone(),
        };
        match insert(&file.source.text, &file.documents, &edit.insertion) {
            Ok(edited) => {
                let span = self.replace(rule, &edit.path, edited);
                self.injections.push(Injection {
                    rule,
                    path: edit.path,
                    object: edit.object,
                    route: route.to_string(),
                    reason: edit.reason,
                    span,
                });
                None
            }
            Err(error) => {
                let what = format!("`{route}` was not added to `{}`", edit.object);
                let refused = refused(file, edit.insertion.document, &route, &what, &error)?;
                Some(refused.with_hint(format!(
                    "set it in the template, or exempt the object from `{rule}`"
                )))
            }
        }
    }

    /// Adds the patch of a release, one injection for each field in it.
    fn patch(&mut self, gathered: Gathered) -> Option<Diagnostic> {
        let file = self.files.get(&gathered.path)?;
        let insertion = &gathered.insertion;
        match insert(&file.source.text, &file.documents, insertion) {
            Ok(edited) => {
                let rule = gathered.held.first().map_or("", |(rule, ..)| rule);
                let span = self.replace(rule, &gathered.path, edited);
                let held = gathered.held.into_iter();
                self.injections
                    .extend(held.map(|(rule, object, field, reason)| Injection {
                        rule,
                        path: gathered.path.clone(),
                        object,
                        route: format!("spec.postRenderers: {field}"),
                        reason,
                        span,
                    }));
                None
            }
            Err(error) => {
                let document = insertion.document;
                let what = "a post-renderer with what the chart has no values for was not added";
                let refused = refused(file, document, &insertion.route, what, &error)?;
                Some(refused.with_hint("add it in the template"))
            }
        }
    }

    /// Puts the edited text in the file's place, moves the record of earlier additions along, and
    /// returns the bytes of the new one.
    fn replace(&mut self, rule: &'static str, path: &str, edited: Edited) -> Span {
        let Edited {
            text,
            documents,
            inserted,
        } = edited;
        let length = inserted.end - inserted.start;
        for earlier in self
            .injections
            .iter_mut()
            .filter(|injection| injection.path == path)
        {
            if earlier.span.start >= inserted.start {
                earlier.span.start += length;
            }
            if earlier.span.end > inserted.start {
                earlier.span.end += length;
            }
        }
        let added = &text[inserted.start..inserted.end];
        let lead = added.len() - added.trim_start_matches(['\r', '\n']).len();
        let lines = added.matches('\n').count();
        if let Some(file) = self.files.get_mut(path) {
            let file = file.to_mut();
            let first = text[..inserted.start + lead].matches('\n').count();
            if first <= file.origins.len() {
                let rules = std::iter::repeat_n(Origin::Rule(rule), lines);
                file.origins.splice(first..first, rules);
            }
            file.documents = Arc::new(documents);
            file.source = Source::new(file.source.path.clone(), text);
        }
        Span::new(inserted.start + lead, inserted.end)
    }

    fn add(&mut self, rule: &'static str, file: NewFile) {
        let documents = load(&file.text).expect("a rule writes YAML that loads");
        for ((object, reason), document) in file.objects.into_iter().zip(&documents) {
            self.injections.push(Injection {
                rule,
                path: file.path.clone(),
                object,
                route: String::new(),
                reason,
                span: document.span,
            });
        }
        let lines = file.text.lines().count();
        let added = File {
            path: file.path.clone(),
            source: Source::new(file.path.as_str(), file.text),
            documents: Arc::new(documents),
            origins: vec![Origin::Rule(rule); lines],
        };
        self.files.insert(file.path, Cow::Owned(added));
    }
}

/// Says that an addition was refused, and shows where it should have gone.
fn refused(
    file: &File,
    document: usize,
    route: &Route,
    what: &str,
    error: &EditError,
) -> Option<Diagnostic> {
    let document = file.documents.get(document)?;
    let span = document.root.span_of(route);
    let refused =
        Diagnostic::warning("edit-refused", format!("{what}: {error}")).at(&file.source, span, "");
    Some(match file.template_place(span.start) {
        Some(place) => refused.with_related(place, "rendered from here"),
        None => refused,
    })
}
