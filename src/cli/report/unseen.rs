//! What is not seen, in few lines.

use serde_json::{Value, json};

use super::shown::Shown;
use super::shown::terminal::TerminalPage;

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
