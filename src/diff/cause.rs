//! What made a difference, as far as it can be proved.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kustomize::Place;
use serde_json::Value;

use super::change::Pair;
use super::fields;
use super::items::Item;
use super::lines::{LineMark, hunks};
use super::places;
use super::report::{ChangedField, FieldEdit, ReportedChange};
use super::route::Route;
use super::side::{Side, SideFile};
use crate::source::{Source, Span};
use crate::tree::Origin;

/// What made a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeCause {
    /// The value of a key of the config, by its dotted way; empty where it is one of several and nobody
    /// can tell which.
    Config(String),
    /// The text of a template, by its path.
    Template(String),
    /// A hardening rule, by its code, that adds something else than before.
    Rule(&'static str),
    /// Another version of Kiln, which makes something else of the same inputs.
    Kiln {
        /// The version that made the old side.
        from: String,
        /// The version that made the new side.
        to: String,
    },
    /// Someone who edited a rendered file.
    Edit,
}

impl fmt::Display for ChangeCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(key) if key.is_empty() => formatter.write_str("the config"),
            Self::Config(key) => write!(formatter, "config `{key}`"),
            Self::Template(path) => write!(formatter, "template `{path}`"),
            Self::Rule(code) => write!(formatter, "rule `{code}`"),
            Self::Kiln { from, to } => write!(formatter, "Kiln {from} → {to}"),
            Self::Edit => formatter.write_str("an edit of the rendered file"),
        }
    }
}

/// Finds causes from the origins of the lines that differ.
pub(super) struct Blame<'s> {
    keys: Vec<Route>,
    /// The versions that differ, with the old and the new one.
    versions: Vec<(Route, String, String)>,
    known: bool,
    before: TemplatesByPath<'s>,
    after: TemplatesByPath<'s>,
}

/// A side's templates by path.
type TemplatesByPath<'s> = BTreeMap<&'s str, &'s Source>;

impl<'s> Blame<'s> {
    pub(super) fn new(before: &'s Side, after: &'s Side) -> Self {
        let mut found = Vec::new();
        if let (Some(old), Some(new)) = (&before.config, &after.config) {
            fields::compare(old, new, &Route::default(), &mut found);
        }
        Self {
            versions: found.iter().filter_map(version_change).collect(),
            keys: found.into_iter().map(|field| field.route).collect(),
            known: before.config.is_some() && after.config.is_some(),
            before: sources(before),
            after: sources(after),
        }
    }

    /// Lists the causes of a change, sorted.
    ///
    /// A line that a template of the same text made on both sides can only differ by the config; which
    /// key it was is read off the line, or else off the template.
    pub(super) fn of(&self, change: &ReportedChange, pair: &Pair<'_>) -> Vec<ChangeCause> {
        if !self.known {
            return Vec::new();
        }
        let whole = change.body.is_some() || pair.before.is_none() || pair.after.is_none();
        if whole && let Some(cause) = self.switch(pair) {
            return vec![cause];
        }
        let mut causes = BTreeSet::new();
        let (old, new) = differing_lines(change, pair);
        for (lines, other) in [(old, &self.after), (new, &self.before)] {
            let mut by_template: BTreeMap<&str, (&Source, BTreeSet<usize>)> = BTreeMap::new();
            for origin in lines {
                match origin {
                    Origin::Rule(code) => drop(causes.insert(ChangeCause::Rule(code))),
                    Origin::Template { template, line } => {
                        let entry = by_template.entry(&template.path);
                        let (_, lines) = entry.or_insert_with(|| (template, BTreeSet::new()));
                        lines.insert(*line);
                    }
                }
            }
            for (template, lines) in by_template.into_values() {
                self.of_lines(template, &lines, other, &mut causes);
            }
        }
        // A template may set what one that it includes writes: the line that differs is the same template on both sides.
        if causes.is_empty() {
            self.of_manifest(pair, &mut causes);
        }
        // What a rule adds to an object that comes or goes comes and goes with it.
        let only_rules = causes
            .iter()
            .all(|cause| matches!(cause, ChangeCause::Rule(_)));
        causes.retain(|cause| !whole || only_rules || !matches!(cause, ChangeCause::Rule(_)));
        let versions = self.versions_of(change, pair);
        if !versions.is_empty() {
            causes.retain(|cause| !is_version(cause));
            causes.extend(versions);
        }
        // A key that can be named says more than that it is one of several.
        let vague =
            |cause: &ChangeCause| matches!(cause, ChangeCause::Config(key) if key.is_empty());
        if !causes.iter().all(vague) {
            causes.retain(|cause| !vague(cause));
        }
        causes.into_iter().collect()
    }

    /// Adds the templates with a part in a manifest that are other ones, or none, on the other side.
    fn of_manifest(&self, pair: &Pair<'_>, causes: &mut BTreeSet<ChangeCause>) {
        for (item, other) in [(&pair.before, &self.after), (&pair.after, &self.before)] {
            let (lines, _) = origins_between(item.as_ref().map(manifest), None);
            let changed = lines.into_iter().filter_map(|origin| match origin {
                Origin::Template { template, .. } if !is_on(other, template) => Some(template),
                _ => None,
            });
            causes.extend(changed.map(|template| ChangeCause::Template(template.path.clone())));
        }
    }

    /// Lists the versions whose old and new text stand in what differs; those that the object names, where it names any.
    ///
    /// Many files read their versions in one shared template, so that lines of templates do not tell them apart.
    fn versions_of(&self, change: &ReportedChange, pair: &Pair<'_>) -> Vec<ChangeCause> {
        let holds = |value: &Value, version: &str| match value {
            Value::String(text) => text.contains(version),
            Value::Number(number) => number.to_string() == version,
            _ => false,
        };
        let changed = change.fields.iter().filter_map(|field| match &field.edit {
            FieldEdit::Changed(before, after) => Some((before, after)),
            _ => None,
        });
        let changed: Vec<(&Value, &Value)> = changed.collect();
        let seen = self.versions.iter().filter(|(_, old, new)| {
            let mut changed = changed.iter();
            changed.any(|(before, after)| holds(before, old) && holds(after, new))
        });
        let seen: Vec<&Route> = seen.map(|(route, ..)| route).collect();
        let text = pair.after.as_ref().map_or("", |item| manifest(item).1);
        let named = seen.iter().filter(|route| text.contains(route.last_key()));
        let named: Vec<&&Route> = named.collect();
        let chosen = if named.is_empty() {
            seen
        } else {
            named.into_iter().copied().collect()
        };
        let causes = chosen.into_iter();
        causes
            .map(|route| ChangeCause::Config(route.to_string()))
            .collect()
    }

    /// Returns the option that switched on or off the app in whose folder an object is.
    fn switch(&self, pair: &Pair<'_>) -> Option<ChangeCause> {
        let item = pair.after.as_ref().or(pair.before.as_ref())?;
        let of_app = |key: &&Route| {
            let mut steps = key.keys();
            steps.next() == Some("apps")
                && steps
                    .next()
                    .is_some_and(|app| item.path().contains(&format!("/{app}/")))
                && key.last_key() == "enabled"
        };
        let key = self.keys.iter().find(of_app)?;
        Some(ChangeCause::Config(key.to_string()))
    }

    /// Adds the causes of lines of a template, counted from 1.
    fn of_lines(
        &self,
        template: &Source,
        lines: &BTreeSet<usize>,
        other: &TemplatesByPath<'_>,
        causes: &mut BTreeSet<ChangeCause>,
    ) {
        let named = |text: &str| -> Vec<ChangeCause> {
            let keys = self.keys.iter().filter(|key| names(text, key));
            keys.map(|key| ChangeCause::Config(key.to_string()))
                .collect()
        };
        let known = other.get(template.path.as_str());
        let same = is_on(other, template);
        let kept: BTreeSet<&str> = match known {
            Some(known) if !same => known.text.lines().collect(),
            _ => BTreeSet::new(),
        };
        let by_itself = OnceCell::new();
        let texts: Vec<&str> = template.text.lines().collect();
        for line in lines {
            let text = line.checked_sub(1).and_then(|at| texts.get(at));
            let text = text.copied().unwrap_or_default();
            let mut found = named(text);
            if !same {
                if found.is_empty() || !kept.contains(text) {
                    found = vec![ChangeCause::Template(template.path.clone())];
                }
            } else if found.is_empty() {
                found.clone_from(by_itself.get_or_init(|| {
                    match (self.keys.as_slice(), named(&template.text)) {
                        (_, found) if !found.is_empty() => found,
                        ([], _) => Vec::new(),
                        ([only], _) => vec![ChangeCause::Config(only.to_string())],
                        _ => vec![ChangeCause::Config(String::new())],
                    }
                }));
            }
            causes.extend(found);
        }
    }
}

/// Returns whether a side has a template as it is.
fn is_on(side: &TemplatesByPath<'_>, template: &Source) -> bool {
    match side.get(template.path.as_str()) {
        Some(known) => known.text == template.text,
        // The catalogue is in the program: the same on both sides.
        None => template.path.starts_with("catalogue:"),
    }
}

/// Returns a version that differs; a digest is another version.
fn version_change(field: &ChangedField) -> Option<(Route, String, String)> {
    let FieldEdit::Changed(Value::String(old), Value::String(new)) = &field.edit else {
        return None;
    };
    let is_version = field.route.keys().next() == Some("versions");
    is_version.then(|| (field.route.clone(), old.clone(), new.clone()))
}

fn is_version(cause: &ChangeCause) -> bool {
    matches!(cause, ChangeCause::Config(key) if key.starts_with("versions."))
}

fn sources(side: &Side) -> TemplatesByPath<'_> {
    let mut found = TemplatesByPath::new();
    for held in side.files.values() {
        for origin in &held.file.origins {
            if let Origin::Template { template, .. } = origin {
                found.insert(&template.path, template);
            }
        }
    }
    found
}

/// Returns whether the text of a template names a key of the config: its way, or its last two steps.
fn names(text: &str, key: &Route) -> bool {
    let keys: Vec<&str> = key.keys().collect();
    let tail = keys.get(keys.len().saturating_sub(2)..).unwrap_or(&keys);
    let dotted = tail.join(".");
    let option = keys
        .strip_prefix(&["apps"])
        .and_then(|rest| rest.get(1..))
        .map(|rest| format!("options.{}", rest.join(".")));
    has_word(text, &dotted)
        || option.is_some_and(|option| has_word(text, &option))
        || keys
            .last()
            .is_some_and(|last| key.0.len() > keys.len() && has_word(text, &format!(".{last}")))
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        (word.starts_with('.') || !before.is_some_and(part)) && !after.is_some_and(part)
    })
}

/// Lists the origins of the lines that only one side has: of the manifest, and of what else has a part in what differs.
fn differing_lines<'s>(
    change: &ReportedChange,
    pair: &Pair<'s>,
) -> (Vec<&'s Origin>, Vec<&'s Origin>) {
    let manifests = (
        pair.before.as_ref().map(manifest),
        pair.after.as_ref().map(manifest),
    );
    let mut found = origins_between(manifests.0, manifests.1);
    if let (Some(before), Some(after)) = (&pair.before, &pair.after) {
        for (old, new) in parts(change, before, after) {
            let (removed, added) = origins_between(old, new);
            found.0.extend(removed);
            found.1.extend(added);
        }
    }
    found
}

/// Lines of a file: the index of the first one, their text, and the origins of all lines of the file.
type Passage<'s> = (usize, &'s str, &'s [Origin]);

fn manifest<'s>(item: &Item<'s>) -> Passage<'s> {
    let Some(file) = item.file() else {
        return (0, "", &[]);
    };
    match file.documents.get(item.document) {
        Some(document) => passage(&file, document.span),
        None => (0, file.text, file.origins),
    }
}

fn passage<'s>(file: &SideFile<'s>, span: Span) -> Passage<'s> {
    let start = span.start.min(file.text.len());
    let end = span.end.clamp(start, file.text.len());
    let line = file.text[..start].matches('\n').count();
    (line, &file.text[start..end], file.origins)
}

/// Lists the passages outside of the manifest from which a differing field comes, on both sides.
fn parts<'s>(
    change: &ReportedChange,
    before: &Item<'s>,
    after: &Item<'s>,
) -> Vec<(Option<Passage<'s>>, Option<Passage<'s>>)> {
    let of_side = |item: &Item<'s>, route: &Route| -> Vec<(String, Passage<'s>)> {
        let Some(field) = item.field().and_then(|root| places::follow(root, route)) else {
            return Vec::new();
        };
        let origin = &field.origin;
        let all = std::iter::once(&origin.place).chain(origin.shaped_by());
        let elsewhere =
            all.filter(|place| item.written_at() != (place.file.path.as_str(), place.document));
        let read = |place: &Place| {
            let file = item.side.file(&place.file.path)?;
            Some((place.file.path.clone(), passage(&file, place.span)))
        };
        elsewhere.filter_map(read).collect()
    };
    let mut found = Vec::new();
    for field in &change.fields {
        let mut old = of_side(before, &field.route);
        for (path, new) in of_side(after, &field.route) {
            let same = old.iter().position(|(other, _)| *other == path);
            found.push((same.map(|at| old.remove(at).1), Some(new)));
        }
        found.extend(old.into_iter().map(|(_, old)| (Some(old), None)));
    }
    found
}

/// Lists the origins of the lines that only one of two passages has.
fn origins_between<'s>(
    before: Option<Passage<'s>>,
    after: Option<Passage<'s>>,
) -> (Vec<&'s Origin>, Vec<&'s Origin>) {
    let all = |passage: Passage<'s>| {
        let (start, text, origins) = passage;
        let end = start + text.lines().count().max(1);
        (start..end).filter_map(move |line| origins.get(line))
    };
    let (Some(old_passage), Some(new_passage)) = (before, after) else {
        let one = |passage: Option<Passage<'s>>| passage.into_iter().flat_map(all).collect();
        return (one(before), one(after));
    };
    let ((old_start, old_text, old_origins), (new_start, new_text, new_origins)) =
        (old_passage, new_passage);
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for hunk in hunks(old_text, new_text) {
        let (mut at, mut to) = (hunk.before - 1, hunk.after - 1);
        for line in hunk.lines {
            match line.mark {
                LineMark::Same => (at, to) = (at + 1, to + 1),
                LineMark::Removed => {
                    old.extend(old_origins.get(old_start + at));
                    at += 1;
                }
                LineMark::Added => {
                    new.extend(new_origins.get(new_start + to));
                    to += 1;
                }
            }
        }
    }
    (old, new)
}
