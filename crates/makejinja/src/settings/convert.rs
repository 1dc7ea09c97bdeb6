//! From what is given to what an option takes, as typed-settings and cattrs convert it.

use std::collections::BTreeMap;

use super::given::{GivenContent, GivenValue};
use crate::data::Data;
use crate::option_table::{OptionKind, option};
use crate::path;
use crate::problem::{Origin, Problem, ProblemKind};

/// Reads options out of what is given, and collects what is wrong.
pub(super) struct Conversion<'g> {
    given: &'g BTreeMap<&'static str, GivenValue>,
    pub(super) problems: Vec<Problem>,
}

impl<'g> Conversion<'g> {
    pub(super) fn new(given: &'g BTreeMap<&'static str, GivenValue>) -> Self {
        Self {
            given,
            problems: Vec::new(),
        }
    }

    /// Returns where each option is set, and behind that the places of its items.
    pub(super) fn origins(&self) -> BTreeMap<&'static str, Vec<Origin>> {
        let origins = self.given.iter().map(|(name, value)| {
            let mut origins = vec![value.origin.clone()];
            match &value.content {
                GivenContent::Scalar(_) => {}
                GivenContent::List(items) => {
                    origins.extend(items.iter().map(|item| item.origin.clone()));
                }
                GivenContent::Table(entries) => {
                    origins.extend(entries.iter().map(|(_, value)| value.origin.clone()));
                }
            }
            (*name, origins)
        });
        origins.collect()
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        self.read(name, to_flag).unwrap_or(default)
    }

    pub(super) fn integer(&mut self, name: &str, default: i64) -> i64 {
        let read = |value: &GivenValue| match &value.content {
            GivenContent::Scalar(Data::Integer(text)) => text.parse().ok(),
            GivenContent::Scalar(Data::Text(text)) => text.trim().parse().ok(),
            _ => None,
        };
        self.read(name, read).unwrap_or(default)
    }

    pub(super) fn text(&mut self, name: &str, default: &str) -> String {
        self.optional_text(name)
            .unwrap_or_else(|| default.to_owned())
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        self.read(name, to_text)
    }

    pub(super) fn texts(&mut self, name: &str, default: &[&str]) -> Vec<String> {
        self.list(name, default, to_texts)
    }

    pub(super) fn path(&mut self, name: &str) -> Option<String> {
        self.read(name, to_path)
    }

    pub(super) fn paths(&mut self, name: &str, default: &[&str]) -> Vec<String> {
        self.list(name, default, to_paths)
    }

    fn list(
        &mut self,
        name: &str,
        default: &[&str],
        read: impl Fn(&GivenValue) -> Option<Vec<String>>,
    ) -> Vec<String> {
        let default = || default.iter().map(|text| (*text).to_owned()).collect();
        self.read(name, read).unwrap_or_else(default)
    }

    pub(super) fn text_table(&mut self, name: &str) -> Vec<(String, String)> {
        self.table(name, to_text)
    }

    pub(super) fn paths_table(&mut self, name: &str) -> Vec<(String, Vec<String>)> {
        self.table(name, to_paths)
    }

    /// Returns the index of the word that is given; the first one is the default.
    pub(super) fn choice(&mut self, name: &str, words: &[&str]) -> usize {
        let read = |value: &GivenValue| {
            let text = to_text(value)?;
            words.iter().position(|word| *word == text)
        };
        self.read(name, read).unwrap_or_default()
    }

    fn table<T>(
        &mut self,
        name: &str,
        read: impl Fn(&GivenValue) -> Option<T>,
    ) -> Vec<(String, T)> {
        let Some(value) = self.given.get(name) else {
            return Vec::new();
        };
        let GivenContent::Table(entries) = &value.content else {
            self.refuse(name, &value.origin, None);
            return Vec::new();
        };
        let mut table = Vec::new();
        for (key, value) in entries {
            match read(value) {
                Some(value) => table.push((key.clone(), value)),
                None => self.refuse(name, &value.origin, Some((key, value))),
            }
        }
        table
    }

    /// Reads an option; where `read` makes nothing of the value, this is a problem.
    fn read<T>(&mut self, name: &str, read: impl Fn(&GivenValue) -> Option<T>) -> Option<T> {
        let value = self.given.get(name)?;
        let read = read(value);
        if read.is_none() {
            let at = first_refused(name, value).unwrap_or(&value.origin);
            self.refuse(name, at, None);
        }
        read
    }

    fn refuse(&mut self, name: &str, at: &Origin, entry: Option<(&str, &GivenValue)>) {
        let expected = option(name).map_or_else(String::new, |option| option.kind.expected());
        let mut problem = Problem::new(
            ProblemKind::InvalidValue,
            format!("`{name}` takes {expected}, and this is something else"),
        );
        if let Some((key, value)) = entry
            && let GivenContent::Table(inner) = &value.content
            && let Some((inner, _)) = inner.first()
        {
            problem =
                problem.with_hint(format!("write the key in quotes: `\"{key}.{inner}\" = …`"));
        }
        self.problems.push(problem.at(Some(at.clone())));
    }
}

/// Returns the place of the first item of a list that is none of its kind.
fn first_refused<'v>(name: &str, value: &'v GivenValue) -> Option<&'v Origin> {
    let read = match option(name)?.kind {
        OptionKind::Paths => to_path,
        OptionKind::Texts => to_text,
        _ => return None,
    };
    let GivenContent::List(items) = &value.content else {
        return None;
    };
    let refused = items.iter().find(|item| read(item).is_none());
    refused.map(|item| &item.origin)
}

/// Reads a flag: a boolean, or a word for one in any case.
fn to_flag(value: &GivenValue) -> Option<bool> {
    let GivenContent::Scalar(data) = &value.content else {
        return None;
    };
    let word = match data {
        Data::Bool(flag) => return Some(*flag),
        Data::Integer(text) | Data::Text(text) => text.to_lowercase(),
        _ => return None,
    };
    match word.as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Reads a text; numbers, booleans and times are what Python prints for them.
fn to_text(value: &GivenValue) -> Option<String> {
    match &value.content {
        GivenContent::Scalar(data) => data.printed(),
        _ => None,
    }
}

fn to_path(value: &GivenValue) -> Option<String> {
    match &value.content {
        GivenContent::Scalar(Data::Text(text)) => Some(path::join(&value.folder, text)),
        _ => None,
    }
}

fn to_texts(value: &GivenValue) -> Option<Vec<String>> {
    list_of(value, to_text)
}

fn to_paths(value: &GivenValue) -> Option<Vec<String>> {
    list_of(value, to_path)
}

/// Reads a list; a text alone is a list parted by colons.
fn list_of(
    value: &GivenValue,
    read: impl Fn(&GivenValue) -> Option<String>,
) -> Option<Vec<String>> {
    match &value.content {
        GivenContent::List(items) => items.iter().map(&read).collect(),
        GivenContent::Scalar(Data::Text(text)) => {
            let items = text.split(':').map(|part| GivenValue {
                content: GivenContent::Scalar(Data::Text(part.to_owned())),
                ..value.clone()
            });
            items.map(|item| read(&item)).collect()
        }
        _ => None,
    }
}
