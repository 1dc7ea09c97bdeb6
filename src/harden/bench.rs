//! Where additions are made: the files under work, and the record of what was added.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

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
    desks: BTreeMap<String, Desk<'t>>,
}

/// One file under work, and what was added to it.
struct Desk<'t> {
    file: Cow<'t, File>,
    injections: Vec<Injection>,
}

/// Something to add to a file.
enum Task {
    Edit(&'static str, Edit),
    Patch(Gathered),
}

impl<'t> Bench<'t> {
    pub(super) fn new(files: impl Iterator<Item = &'t File>) -> Self {
        let desks = files.map(|file| {
            let desk = Desk {
                file: Cow::Borrowed(file),
                injections: Vec::new(),
            };
            (file.path.clone(), desk)
        });
        Self {
            desks: desks.collect(),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.desks.values().map(|desk| desk.file.as_ref())
    }

    /// Makes the additions of rules, and says which could not be made.
    ///
    /// Files are independent and worked on side by side; within a file the order of the rules holds.
    pub(super) fn apply(&mut self, outcomes: Vec<(&'static str, Outcome)>) -> Vec<Diagnostic> {
        let mut tasks = Vec::new();
        let mut patches = Vec::new();
        for (rule, outcome) in outcomes {
            for file in outcome.files {
                self.add(rule, file);
            }
            tasks.extend(outcome.edits.into_iter().map(|edit| Task::Edit(rule, edit)));
            patches.extend(outcome.patches.into_iter().map(|patch| (rule, patch)));
        }
        tasks.extend(gather(patches).into_iter().map(Task::Patch));
        let mut by_file: BTreeMap<String, Vec<(usize, Task)>> = BTreeMap::new();
        for (number, task) in tasks.into_iter().enumerate() {
            let list = by_file.entry(task.path().to_owned()).or_default();
            list.push((number, task));
        }
        let busy: Vec<(&mut Desk<'t>, Vec<(usize, Task)>)> = self
            .desks
            .iter_mut()
            .filter_map(|(path, desk)| Some((desk, by_file.remove(path)?)))
            .collect();
        let mut refused: Vec<(usize, Diagnostic)> = busy
            .into_par_iter()
            .flat_map_iter(|(desk, tasks)| {
                tasks
                    .into_iter()
                    .filter_map(|(number, task)| Some((number, desk.work(task)?)))
            })
            .collect();
        refused.sort_by_key(|(number, _)| *number);
        refused.into_iter().map(|(_, problem)| problem).collect()
    }

    /// Hands over the files that changed and the record, by path and place.
    pub(super) fn finish(self) -> (Vec<File>, Vec<Injection>) {
        let mut changed = Vec::new();
        let mut injections = Vec::new();
        for desk in self.desks.into_values() {
            injections.extend(desk.injections);
            if let Cow::Owned(file) = desk.file {
                changed.push(file);
            }
        }
        injections.sort_by(|a, b| (&a.path, a.span, &a.route).cmp(&(&b.path, b.span, &b.route)));
        (changed, injections)
    }

    fn add(&mut self, rule: &'static str, file: NewFile) {
        let documents = load(&file.text).expect("a rule writes YAML that loads");
        let injections = file.objects.into_iter().zip(&documents);
        let injections = injections.map(|((object, reason), document)| Injection {
            rule,
            path: file.path.clone(),
            object,
            route: String::new(),
            reason,
            span: document.span,
        });
        let injections = injections.collect();
        let lines = file.text.lines().count();
        let added = File {
            path: file.path.clone(),
            source: Source::new(file.path.as_str(), file.text),
            documents: Arc::new(documents),
            origins: vec![Origin::Rule(rule); lines],
        };
        let desk = Desk {
            file: Cow::Owned(added),
            injections,
        };
        self.desks.insert(file.path, desk);
    }
}

impl Task {
    fn path(&self) -> &str {
        match self {
            Self::Edit(_, edit) => &edit.path,
            Self::Patch(gathered) => &gathered.path,
        }
    }
}

impl Desk<'_> {
    fn work(&mut self, task: Task) -> Option<Diagnostic> {
        match task {
            Task::Edit(rule, edit) => self.edit(rule, edit),
            Task::Patch(gathered) => self.patch(gathered),
        }
    }

    fn edit(&mut self, rule: &'static str, edit: Edit) -> Option<Diagnostic> {
        let file = self.file.as_ref();
        if file.is_secret() {
            return None;
        }
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
                let span = self.replace(rule, edited);
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
        let file = self.file.as_ref();
        let insertion = &gathered.insertion;
        match insert(&file.source.text, &file.documents, insertion) {
            Ok(edited) => {
                let rule = gathered.held.first().map_or("", |(rule, ..)| rule);
                let span = self.replace(rule, edited);
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
    fn replace(&mut self, rule: &'static str, edited: Edited) -> Span {
        let Edited {
            text,
            documents,
            inserted,
        } = edited;
        let length = inserted.end - inserted.start;
        for earlier in &mut self.injections {
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
        let file = self.file.to_mut();
        let first = text[..inserted.start + lead].matches('\n').count();
        if first <= file.origins.len() {
            let rules = std::iter::repeat_n(Origin::Rule(rule), lines);
            file.origins.splice(first..first, rules);
        }
        file.documents = Arc::new(documents);
        file.source = Source::new(file.source.path.clone(), text);
        Span::new(inserted.start + lead, inserted.end)
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
