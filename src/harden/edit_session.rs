//! The session in which additions are made: the files under work, and the record of what was added.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::harden::codes;
use crate::rules::{
    AppliedState, GatheredPatch, KustomizationPatch, Measures, NewFile, Plan, PlannedEdit,
    WishedPatch, gather,
};
use crate::source::{Source, Span};
use crate::tree::{File, Gap, Injection, Origin};
use crate::yaml::edit::{Addition, EditError, Insertion, insert};
use crate::yaml::{Document, Route, load};

/// The files under work.
#[derive(Clone)]
pub(super) struct EditSession<'t> {
    files_by_path: BTreeMap<String, EditedFile<'t>>,
}

/// One file under work, and what was added to it.
#[derive(Clone)]
struct EditedFile<'t> {
    file: Cow<'t, File>,
    injections: Vec<Injection>,
}

/// Something to add to a file.
enum Task {
    Edit(&'static str, Box<PlannedEdit>),
    Item(GatheredPatch),
}

impl<'t> EditSession<'t> {
    pub(super) fn new(files: impl Iterator<Item = &'t File>) -> Self {
        let files_by_path = files.map(|file| {
            let edited = EditedFile {
                file: Cow::Borrowed(file),
                injections: Vec::new(),
            };
            (file.path.clone(), edited)
        });
        Self {
            files_by_path: files_by_path.collect(),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files_by_path
            .values()
            .map(|edited| edited.file.as_ref())
    }

    /// Makes the additions of rules, and says which could not be made, and what is left for kustomizations of single
    /// objects.
    pub(super) fn apply(
        &mut self,
        plans: Vec<(&'static str, Plan)>,
    ) -> (Vec<Diagnostic>, Vec<WishedPatch>) {
        let mut tasks = Vec::new();
        let mut patches = Vec::new();
        let mut wished = Vec::new();
        for (rule, plan) in plans {
            wished.extend(plan.wished_patches);
            for file in plan.files {
                self.add(rule, file);
            }
            let edits = plan.edits.into_iter();
            tasks.extend(edits.map(|edit| Task::Edit(rule, Box::new(edit))));
            patches.extend(plan.patches.into_iter().map(|patch| (rule, patch)));
        }
        let (gathered, of_releases) = gather(patches);
        tasks.extend(gathered.into_iter().map(Task::Item));
        wished.extend(of_releases);
        (self.work_all(tasks), wished)
    }

    /// Adds to single objects of manifests in kustomizations of their own, as far as Flux then applies what is meant and
    /// nothing else changes.
    ///
    /// Returns what cannot be written, or was proved to do something else.
    pub(super) fn patch(&mut self, wished: Vec<WishedPatch>, measures: Measures<'_>) -> Vec<Gap> {
        let mut open = KustomizationPatch::gather(wished);
        let mut gaps = Vec::new();
        if open.is_empty() {
            return gaps;
        }
        let before = AppliedState::of(self.files(), measures);
        loop {
            let mut trial = self.clone();
            let tasks = open.iter().filter_map(|patch| {
                Some(Task::Item(GatheredPatch {
                    path: patch.path().to_owned(),
                    insertion: patch.insertion(&before)?,
                    held: patch.held().to_vec(),
                }))
            });
            // What is refused here is not applied, and so does not do what is meant.
            drop(trial.work_all(tasks.collect()));
            let after = AppliedState::of(trial.files(), measures);
            let failed = before.failures(&after, &open);
            if failed.is_empty() {
                *self = trial;
                return gaps;
            }
            let tried = std::mem::take(&mut open).into_iter().enumerate();
            for (index, mut patch) in tried {
                if !failed.contains(&index) || patch.try_next() {
                    open.push(patch);
                } else {
                    gaps.extend(patch.gaps());
                }
            }
        }
    }

    /// Makes additions, and says which could not be made.
    ///
    /// Files are independent and worked on side by side; within a file the order of the rules holds.
    fn work_all(&mut self, tasks: Vec<Task>) -> Vec<Diagnostic> {
        let mut by_file: BTreeMap<String, Vec<(usize, Task)>> = BTreeMap::new();
        for (number, task) in tasks.into_iter().enumerate() {
            let list = by_file.entry(task.path().to_owned()).or_default();
            list.push((number, task));
        }
        let busy: Vec<(&mut EditedFile<'t>, Vec<(usize, Task)>)> = self
            .files_by_path
            .iter_mut()
            .filter_map(|(path, edited)| Some((edited, by_file.remove(path)?)))
            .collect();
        let mut refused: Vec<(usize, Diagnostic)> = busy
            .into_par_iter()
            .flat_map_iter(|(edited, tasks)| edited.work_all(tasks))
            .collect();
        refused.sort_by_key(|(number, _)| *number);
        refused.into_iter().map(|(_, problem)| problem).collect()
    }

    /// Hands over the files that changed and the record, by path and place.
    pub(super) fn finish(self) -> (Vec<File>, Vec<Injection>) {
        let mut changed = Vec::new();
        let mut injections = Vec::new();
        for edited in self.files_by_path.into_values() {
            injections.extend(edited.injections);
            if let Cow::Owned(file) = edited.file {
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
            executable: false,
            binary: None,
        };
        let edited = EditedFile {
            file: Cow::Owned(added),
            injections,
        };
        self.files_by_path.insert(file.path, edited);
    }
}

impl Task {
    fn path(&self) -> &str {
        match self {
            Self::Edit(_, edit) => &edit.path,
            Self::Item(gathered) => &gathered.path,
        }
    }

    fn insertion(&self) -> &Insertion {
        match self {
            Self::Edit(_, edit) => &edit.insertion,
            Self::Item(gathered) => &gathered.insertion,
        }
    }

    /// Returns the rule that asks for it, of an item that of its first field.
    fn rule(&self) -> &'static str {
        match self {
            Self::Edit(rule, _) => rule,
            Self::Item(gathered) => gathered.held.first().map_or("", |held| held.rule),
        }
    }

    /// Records what was added at `span`: of an item, one injection for each field in it.
    fn injections(self, span: Span) -> Vec<Injection> {
        match self {
            Self::Edit(rule, edit) => {
                let route = route_of(&edit.insertion).to_string();
                vec![Injection {
                    rule,
                    path: edit.path,
                    object: edit.object,
                    route,
                    reason: edit.reason,
                    span,
                }]
            }
            Self::Item(GatheredPatch {
                path,
                insertion,
                held,
            }) => {
                let held = held.into_iter();
                held.map(|held| Injection {
                    rule: held.rule,
                    path: path.clone(),
                    object: held.object,
                    route: format!("{}: {}", insertion.route, held.field),
                    reason: held.reason,
                    span,
                })
                .collect()
            }
        }
    }

    /// Says that it was refused, and what to do.
    fn refused(
        &self,
        file: &File,
        documents: &[Document],
        error: &EditError,
    ) -> Option<Diagnostic> {
        let refused = |insertion: &Insertion, route: &Route, what: &str| {
            let document = documents.get(insertion.document)?;
            Some(refused(file, document, route, what, error))
        };
        let insertion = self.insertion();
        match self {
            Self::Edit(rule, edit) => {
                let route = route_of(insertion);
                let what = format!("`{route}` was not added to `{}`", edit.object);
                let refused = refused(insertion, &route, &what)?;
                Some(refused.with_hint(format!(
                    "set it in the template, or exempt the object from `{rule}`"
                )))
            }
            Self::Item(gathered) => {
                let mut objects: Vec<&str> = Vec::new();
                for held in &gathered.held {
                    if !objects.contains(&held.object.as_str()) {
                        objects.push(&held.object);
                    }
                }
                let what = format!("a patch of `{}` was not added", objects.join("`, `"));
                let refused = refused(insertion, &insertion.route, &what)?;
                Some(refused.with_hint("add it by hand, or write the list in block form"))
            }
        }
    }
}

/// Returns the route of what an insertion adds, if it is one thing, or else of what gains it.
fn route_of(insertion: &Insertion) -> Route {
    match &insertion.addition {
        Addition::Entries { entries, .. } if entries.len() == 1 => {
            let key = entries.keys().next().map(String::as_str);
            insertion.route.then(key.unwrap_or_default())
        }
        _ => insertion.route.clone(),
    }
}

impl EditedFile<'_> {
    /// Makes the additions, one after the other, and says which were refused.
    fn work_all(&mut self, tasks: Vec<(usize, Task)>) -> Vec<(usize, Diagnostic)> {
        // Nothing is added to a secret file.
        if self.file.is_secret() {
            return Vec::new();
        }
        let one = |(number, task)| Some((number, self.work(task)?));
        tasks.into_iter().filter_map(one).collect()
    }

    /// Returns the documents of the file; JSON is not parsed when it is rendered.
    fn documents(&self) -> Arc<Vec<Document>> {
        let file = self.file.as_ref();
        if file.documents.is_empty() && file.is_json() {
            return Arc::new(load(&file.source.text).unwrap_or_default());
        }
        Arc::clone(&file.documents)
    }

    fn work(&mut self, task: Task) -> Option<Diagnostic> {
        let file = self.file.as_ref();
        let documents = self.documents();
        match insert(&file.source.text, &documents, task.insertion()) {
            Ok(edited) => {
                self.record(task, &edited.text, edited.inserted);
                self.replace(edited.text, edited.documents);
                None
            }
            Err(error) => task.refused(file, &documents, &error),
        }
    }

    /// Records an addition, of which the bytes are `inserted` in `text`, and moves the record of those behind it.
    ///
    /// Of several, the first in the text comes first.
    fn record(&mut self, task: Task, text: &str, inserted: Span) {
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
        // In JSON a comma ends the line above.
        let lines = added.strip_prefix(',').unwrap_or(added);
        let lines = lines.trim_start_matches(['\r', '\n']);
        let starts_line = text[..inserted.end - lines.len()].ends_with('\n');
        let lead = if starts_line {
            added.len() - lines.len()
        } else {
            0
        };
        let lines = added.matches('\n').count();
        let file = self.file.to_mut();
        let first = text[..inserted.start + lead].matches('\n').count();
        if first <= file.origins.len() {
            let rules = std::iter::repeat_n(Origin::Rule(task.rule()), lines);
            file.origins.splice(first..first, rules);
        }
        let span = Span::new(inserted.start + lead, inserted.end);
        self.injections.extend(task.injections(span));
    }

    /// Puts the edited text in the file's place.
    fn replace(&mut self, text: String, documents: Vec<Document>) {
        let file = self.file.to_mut();
        if !file.documents.is_empty() {
            file.documents = Arc::new(documents);
        }
        file.source = Source::new(file.source.path.clone(), text);
    }
}

/// Says that an addition was refused, and shows where it should have gone.
fn refused(
    file: &File,
    document: &Document,
    route: &Route,
    what: &str,
    error: &EditError,
) -> Diagnostic {
    let span = document.root.span_of(route);
    let refused = Diagnostic::warning(&codes::EDIT_REFUSED, format!("{what}: {error}")).at(
        &file.source,
        span,
        "",
    );
    match file.template_place(span.start) {
        Some(place) => refused.with_related(place, "rendered from here"),
        None => refused,
    }
}
