//! What is not seen, in few lines.

use serde_json::{Value, json};

use super::place_names::PlaceNames;
use super::shown::Shown;
use super::shown::terminal::TerminalPage;
use crate::cli::printer::Printer;
use crate::flux::{ObjectKey, UnseenPart};

/// How many parts of a kind are named where nobody asked for all.
const NAMED: usize = 3;

/// A part of what is applied that cannot be seen from here.
#[derive(Clone, Debug)]
pub struct UnseenNote {
    /// What it is.
    pub what: String,
    /// Why it is not seen.
    pub why: String,
    /// What would make it seen; empty where nothing here can.
    pub remedy: String,
    /// The Flux Kustomization that it is missing from.
    pub owner: Option<String>,
    /// Path and line.
    pub place: Option<String>,
}

impl UnseenNote {
    /// Returns the note for programs.
    pub fn json(&self) -> Value {
        json!({
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
            "owner": self.owner,
            "place": self.place,
        })
    }
}

/// Says how much of what Flux applies a run did not see; names all of it where the user asks for more.
pub fn show(parts: &[(ObjectKey, UnseenPart)], printer: &mut Printer) {
    let places = PlaceNames::new(str::to_owned);
    let notes = parts.iter().map(|(owner, part)| UnseenNote {
        what: part.what.clone(),
        why: part.why.clone(),
        remedy: part.remedy.clone(),
        owner: Some(format!("Kustomization/{owner}")),
        place: part.place.as_ref().map(|place| places.line(place)),
    });
    if printer.is_verbose() {
        printer.talk(&list(&notes.collect::<Vec<_>>(), true));
        return;
    }
    match parts.len() {
        0 => {}
        1 => printer.status("not seen: 1 part (`kiln check -v` names it)"),
        count => printer.status(format_args!(
            "not seen: {count} parts (`kiln check -v` lists them)"
        )),
    }
}

/// Lists what is not seen by why it is not; all of it with `verbose`.
pub fn list(notes: &[UnseenNote], verbose: bool) -> Shown {
    let mut groups: Vec<(&str, &str, Vec<&UnseenNote>)> = Vec::new();
    for note in notes {
        let known = groups
            .iter_mut()
            .find(|(why, remedy, _)| *why == note.why && *remedy == note.remedy);
        match known {
            Some((_, _, group)) => group.push(note),
            None => groups.push((&note.why, &note.remedy, vec![note])),
        }
    }
    let mut page = TerminalPage::default();
    for (why, remedy, group) in groups {
        let mut named: Vec<String> = Vec::new();
        for note in &group {
            if !named.contains(&note.what) {
                named.push(note.what.clone());
            }
        }
        let all = named.len();
        if !verbose {
            named.truncate(NAMED);
        }
        let more = match all - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.line(format_args!("not seen: {}{more}: {why}", named.join(", ")));
        if verbose {
            for place in group.iter().filter_map(|note| note.place.as_ref()) {
                page.line(format_args!("  asked for in {place}"));
            }
        }
        if !remedy.is_empty() {
            page.line(format_args!("  {remedy}"));
        }
    }
    page.finish()
}
