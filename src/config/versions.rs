//! `versions.yaml`: the versions of the catalogue, and the project's own over them.
//!
//! Both files have one shape: groups, in them entries by name, and in each a `version`. The project's file may hold
//! any part of it, and entries of its own with a `source`.

mod entry_reader;
mod raising;

pub use raising::{RaisedVersion, raise};

use std::sync::Arc;

use super::cluster::versions::{VersionEntry, VersionGroup, VersionKey, VersionTable};
use crate::config::codes;
use crate::diagnostic::{self, Diagnostic, StageResult, Warned};
use crate::source::{Files, Source, is_plain_key};
use crate::tree::version_number::version_number;
use crate::yaml::decode::{DecodeProblem, DecodeProblemKind, Table, decode};
use crate::yaml::{self, Entry, Node, diagnose_decoding};
use entry_reader::{EntryOwner, KEYS, WrittenEntry};

/// The file of a project that sets versions.
pub const FILE: &str = "versions.yaml";

/// Lays the versions of a project over those of the catalogue.
///
/// A version that is set without a digest has none, whatever the catalogue's has; a `source` of the project's own comes
/// without the signer of the catalogue's.
pub fn load(files: &dyn Files, catalogue: Option<&Node>) -> StageResult<VersionTable> {
    let mut problems = Vec::new();
    let mut table = VersionTable::default();
    if let Some(root) = catalogue {
        let source = Source::new("catalogue:templates/versions.yaml", "");
        for (key, written) in read_groups(&source, root, &mut problems) {
            table.entries.insert(key, written.into_built_in());
        }
    }
    let source = match own_file(files) {
        Ok(Some(source)) => source,
        Ok(None) => return Warned::unless_errors(table, problems),
        Err(problem) => {
            problems.push(*problem);
            return Err(problems);
        }
    };
    match yaml::load(&source.text) {
        Ok(documents) => {
            let roots = documents.into_iter().map(|document| document.root);
            let roots: Vec<Node> = roots.filter(|root| !root.is_null()).collect();
            let shown = shown_source(&source, &roots);
            for root in &roots {
                for (key, written) in read_groups(&shown, root, &mut problems) {
                    let owner = match catalogue {
                        Some(_) => EntryOwner::Catalogue,
                        None => EntryOwner::Project,
                    };
                    problems.extend(lay_over(&mut table, key, written, &shown, owner));
                }
            }
        }
        Err(error) => problems.push(yaml::diagnose(
            &error,
            &codes::CONFIG_SYNTAX,
            &source.keys_only(),
        )),
    }
    // It may be another file than it seems.
    if problems
        .iter()
        .any(|problem| *problem.meaning == codes::VERSIONS_SHAPE)
    {
        let keys = source.keys_only();
        problems
            .iter_mut()
            .for_each(|problem| problem.show_in(&keys));
    }
    Warned::unless_errors(table, problems)
}

/// Returns the file as messages may show it: its keys, and what stands where versions do.
fn shown_source(source: &Arc<Source>, roots: &[Node]) -> Arc<Source> {
    let mut parts = Vec::new();
    let mut nodes: Vec<(&str, &Node)> = roots.iter().map(|root| ("", root)).collect();
    while let Some((key, node)) = nodes.pop() {
        if node.text().is_some() {
            parts.push((node.span, KEYS.contains(&key)));
        }
        for entry in node.entries().unwrap_or_default() {
            parts.push((entry.key_span, is_plain_key(&entry.key)));
            nodes.push((&entry.key, &entry.value));
        }
    }
    source.layered(parts)
}

fn own_file(files: &dyn Files) -> Result<Option<Arc<Source>>, Box<Diagnostic>> {
    let bytes = match files.read(FILE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(error) => {
            let problem =
                Diagnostic::error(&diagnostic::codes::UNREADABLE_CONFIG, error.to_string());
            return Err(Box::new(problem));
        }
    };
    let mut problems = Vec::new();
    match super::utf8(FILE, bytes, &mut problems) {
        Some((path, text)) => Ok(Some(Source::new(path, text))),
        None => Err(Box::new(problems.remove(0))),
    }
}

/// Reads the groups of a file; what is wrong with one entry leaves the others.
fn read_groups(
    source: &Arc<Source>,
    root: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Vec<(VersionKey, WrittenEntry)> {
    let mut wrong = Vec::new();
    let found = decode("a file of versions", root, &mut wrong, |table| {
        VersionGroup::ALL
            .into_iter()
            .flat_map(|group| group_entries(table, group))
            .collect()
    });
    let code = |kind| match kind {
        DecodeProblemKind::WrongValue => &codes::VERSION_INVALID,
        _ => &codes::VERSIONS_SHAPE,
    };
    problems.extend(diagnose_decoding(wrong, code, source));
    found.unwrap_or_default()
}

fn group_entries(table: &mut Table<'_>, group: VersionGroup) -> Vec<(VersionKey, WrittenEntry)> {
    let Some(single) = table.entry(group.key()) else {
        return Vec::new();
    };
    let entries: Vec<(&str, &Entry)> = match single.value.entries() {
        _ if group.is_single() => vec![("", single)],
        Some(entries) => entries.iter().map(|entry| (&*entry.key, entry)).collect(),
        None if single.value.is_null() => Vec::new(),
        None => {
            let key = group.key();
            let message = format!("`{key}` holds entries by name");
            let hint = format!("write `{key}:`, a name, and `version: …`");
            note_scalar(table, &single.value, message, hint);
            Vec::new()
        }
    };
    let mut found = Vec::new();
    for (name, entry) in entries {
        let key = VersionKey {
            group,
            name: name.to_owned(),
        };
        let route = key.route();
        if entry.value.entries().is_none() {
            let message = format!("`{route}` holds `version` and what belongs to it");
            let hint = "write `version: …` below it, indented";
            note_scalar(table, &entry.value, message, hint);
            continue;
        }
        let before = table.problem_count();
        let written = table.table_of(&route, &entry.value, |table| {
            WrittenEntry::decode(table, &key, entry.key_span)
        });
        if table.problem_count() == before {
            found.extend(written.map(|written| (key, written)));
        }
    }
    found
}

fn note_scalar(table: &mut Table<'_>, node: &Node, message: String, hint: impl Into<String>) {
    let kind = DecodeProblemKind::NoTable;
    table.note(DecodeProblem::new(kind, message, node.first_line_span()).with_hint(hint));
}

/// Lays an entry of the project over that of the catalogue, or adds it; returns what is wrong with that.
fn lay_over(
    table: &mut VersionTable,
    key: VersionKey,
    written: WrittenEntry,
    source: &Arc<Source>,
    owner: EntryOwner,
) -> Option<Diagnostic> {
    let Some(entry) = table.entries.get_mut(&key) else {
        if !written.is_of_its_own(&key, owner) {
            return Some(unknown_entry(table, &key, &written, source));
        }
        table.entries.insert(key, written.into_own(source));
        return None;
    };
    written.lay_over(entry, source);
    too_old(&key, entry)
}

fn unknown_entry(
    table: &VersionTable,
    key: &VersionKey,
    written: &WrittenEntry,
    source: &Arc<Source>,
) -> Diagnostic {
    let message = format!(
        "Kiln has no version `{}` that this could replace",
        key.route()
    );
    let names = table
        .entries
        .keys()
        .filter(|other| other.group == key.group);
    let problem = Diagnostic::error(&codes::VERSION_UNKNOWN, message)
        .at(source, written.key_span, "")
        .with_suggestion(&key.name, names.map(|other| other.name.as_str()));
    if !written.has_version() {
        return problem.with_hint("write `version: …` below it");
    }
    match key.group {
        VersionGroup::Charts => {
            problem.with_hint("an entry for an app of your own needs a `source: oci://…`")
        }
        VersionGroup::Images => problem.with_hint(
            "an entry for an app of your own needs a `source`, the image without its tag",
        ),
        _ => problem.with_hint("remove it; entries of your own stand in `charts` and `images`"),
    }
}

fn too_old(key: &VersionKey, entry: &VersionEntry) -> Option<Diagnostic> {
    let minimum = entry.minimum.as_deref()?;
    let place = entry.place.as_ref()?;
    if version_number(&entry.version)? >= version_number(minimum)? {
        return None;
    }
    let message = format!(
        "`{}` {} is too old for the files of this Kiln, which need {minimum} or newer",
        key.route(),
        entry.version
    );
    let problem = Diagnostic::error(&codes::VERSION_TOO_OLD, message).at_place(place.clone(), "");
    Some(match &entry.built_in {
        Some(built_in) => problem.with_hint(format!(
            "raise it; this Kiln has {built_in}, which also counts where the entry is removed"
        )),
        None => problem,
    })
}
