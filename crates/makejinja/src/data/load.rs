//! From data files to one `dict` for templates.

use zeroize::Zeroizing;

use super::Data;
use super::dict::Dict;
use super::json::read_json;
use super::toml::{into_entries, read_toml};
use super::yaml::read_yaml;
use crate::files::{PathKind, ProjectFiles};
use crate::path;
use crate::problem::{Loaded, Origin, Problem, ProblemKind};
use crate::settings::{DataNamespace, Settings};

/// The data for templates: what each name is, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadedData {
    /// The entries, in the order of Python's `dict`.
    pub entries: Vec<DataEntry>,
}

/// A name of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataEntry {
    /// The name; templates reach only texts.
    pub key: Data,
    /// The value.
    pub value: Data,
    /// What set it last: the path of a data file, or the source of `data_vars`.
    pub source: String,
}

impl LoadedData {
    /// Returns the value of a name.
    pub fn get(&self, name: &str) -> Option<&Data> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.key.as_text() == Some(name));
        entry.map(|entry| &entry.value)
    }
}

/// How the content of a data file is had: the caller may decrypt it; `None` where there is no such file.
pub type DataReader<'r> = &'r dyn Fn(&str) -> Result<Option<Zeroizing<Vec<u8>>>, String>;

/// Loads `data` and `data_vars`: the names that all templates see.
///
/// The files of `data` are read in order, those of a folder sorted; names that start with `.` and other suffixes than
/// `.yaml`, `.yml`, `.toml` and `.json` are left out. The last file, and in a file the last YAML document, that sets a name
/// wins; tables are not merged. `data_vars` come last and reach into tables by dots.
///
/// # Errors
/// All problems of all files, with places in them; no message holds a value.
pub fn load_data(
    settings: &Settings,
    files: &dyn ProjectFiles,
    read_file: DataReader<'_>,
) -> Result<Loaded<LoadedData>, Vec<Problem>> {
    let mut loader = DataLoader::new(read_file);
    for (index, entry) in settings.data.iter().enumerate() {
        let at = settings.origin_of_item("data", index);
        for (path, relative) in loader.collect(entry, files, at.as_ref()) {
            let names = namespace(&relative, settings.data_namespace);
            loader.load(&path, &names, at.as_ref());
        }
    }
    for (index, (key, value)) in settings.data_vars.iter().enumerate() {
        let at = settings.origin_of_item("data_vars", index);
        loader.set(key, value, at);
    }
    loader.finish()
}

/// Loads `file_data` of one template: names that only this template sees, and not the macros that it imports.
///
/// The name of the template is compared as it is written. Files that are not there or have another suffix are left out.
///
/// # Errors
/// As of [`load_data`].
pub fn load_file_data(
    settings: &Settings,
    template: &str,
    files: &dyn ProjectFiles,
    read_file: DataReader<'_>,
) -> Result<Loaded<LoadedData>, Vec<Problem>> {
    let mut loader = DataLoader::new(read_file);
    let entries = settings.file_data.iter().enumerate();
    for (index, (_, paths)) in entries.filter(|(_, (name, _))| name == template) {
        let at = settings.origin_of_item("file_data", index);
        for path in paths {
            match files.kind(path) {
                Ok(Some(PathKind::File)) => loader.load(path, &[], at.as_ref()),
                Ok(_) => loader.skip(path, "it is not there", at.clone()),
                Err(why) => loader.refuse_unreadable(path, &why, at.as_ref()),
            }
        }
    }
    loader.finish()
}

struct DataLoader<'r> {
    read_file: DataReader<'r>,
    dict: Dict,
    /// What set each entry of the dict last.
    sources: Vec<String>,
    problems: Vec<Problem>,
    notices: Vec<Problem>,
}

impl<'r> DataLoader<'r> {
    fn new(read_file: DataReader<'r>) -> Self {
        Self {
            read_file,
            dict: Dict::default(),
            sources: Vec::new(),
            problems: Vec::new(),
            notices: Vec::new(),
        }
    }

    fn finish(self) -> Result<Loaded<LoadedData>, Vec<Problem>> {
        let entries = self.dict.into_entries().into_iter().zip(self.sources);
        let entries = entries.map(|((key, value), source)| DataEntry { key, value, source });
        let entries = entries.collect();
        Loaded::unless(self.problems, LoadedData { entries }, self.notices)
    }

    /// Lists the files of an entry of `data`, each with its path from there.
    fn collect(
        &mut self,
        entry: &str,
        files: &dyn ProjectFiles,
        at: Option<&Origin>,
    ) -> Vec<(String, String)> {
        let kind = match files.kind(entry) {
            Ok(kind) => kind,
            Err(why) => {
                self.refuse_unreadable(entry, &why, at);
                return Vec::new();
            }
        };
        match kind {
            Some(PathKind::File) => vec![(entry.to_owned(), path::name_of(entry).to_owned())],
            Some(PathKind::Folder) => match files.list(entry) {
                Ok(mut paths) => {
                    path::sort_by_parts(&mut paths);
                    let visible = paths
                        .into_iter()
                        .filter(|path| !path::name_of(path).starts_with('.'));
                    let with_relative = visible.map(|path| {
                        let relative = path::relative_to(&path, entry).unwrap_or(&path);
                        let relative = relative.to_owned();
                        (path, relative)
                    });
                    with_relative.collect()
                }
                Err(why) => {
                    self.refuse_unreadable(entry, &why, at);
                    Vec::new()
                }
            },
            None => {
                let message = format!("the data file or folder `{entry}` does not exist");
                let problem = Problem::new(ProblemKind::Missing, message);
                let hint = "make it, or take it out of `data`";
                self.problems.push(problem.with_hint(hint).at(at.cloned()));
                Vec::new()
            }
        }
    }

    fn skip(&mut self, path: &str, why: &str, at: Option<Origin>) {
        let message = format!("the data file `{path}` is left out, because {why}");
        let notice = Problem::new(ProblemKind::Skipped, message);
        self.notices.push(notice.at(at));
    }

    fn refuse_unreadable(&mut self, path: &str, why: &str, at: Option<&Origin>) {
        let message = format!("the data file `{path}` cannot be read: {why}");
        let problem = Problem::new(ProblemKind::Unreadable, message);
        self.problems.push(problem.at(at.cloned()));
    }

    /// Adds what a file holds, below `names`.
    fn load(&mut self, path: &str, names: &[String], at: Option<&Origin>) {
        if !matches!(path::suffix_of(path), ".yaml" | ".yml" | ".toml" | ".json") {
            let why = "its suffix is none of `.yaml`, `.yml`, `.toml` and `.json`";
            return self.skip(path, why, at.cloned());
        }
        let bytes = match (self.read_file)(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return self.refuse_unreadable(path, "it is not there", at),
            Err(why) => return self.refuse_unreadable(path, &why, at),
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return self.refuse_unreadable(path, "it is not UTF-8 text", at);
        };
        match read_data_file(path, text) {
            Ok(entries) => self.merge(path, names, entries),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn merge(&mut self, path: &str, names: &[String], entries: Vec<(Data, Data)>) {
        let Some((first, rest)) = names.split_first() else {
            for (key, value) in entries {
                if let Some(index) = self.dict.insert(key, value) {
                    self.set_source(index, path.to_owned());
                }
            }
            return;
        };
        let (index, mut table) = self.dict.table(first);
        for name in rest {
            table = match table {
                Data::Map(entries) => table_entry(entries, name),
                other => other,
            };
        }
        if let Data::Map(inner) = table {
            let mut dict = Dict::from_entries(std::mem::take(inner));
            dict.extend(entries);
            *inner = dict.into_entries();
            self.set_source(index, path.to_owned());
        } else {
            let message = format!(
                "the content of `{path}` goes below `{}`, which is a value already",
                names.join(".")
            );
            let problem = Problem::new(ProblemKind::NamespaceTaken, message);
            let hint = "rename one of the data files, or set `data_namespace = \"flat\"`";
            let at = Some(Origin::new(path, 0..0));
            self.problems.push(problem.with_hint(hint).at(at));
        }
    }

    fn set_source(&mut self, index: usize, source: String) {
        match self.sources.get_mut(index) {
            Some(known) => *known = source,
            None => self.sources.push(source),
        }
    }

    /// Sets a text by its dotted key.
    fn set(&mut self, dotted: &str, value: &str, at: Option<Origin>) {
        let mut names = dotted.split('.');
        let first = names.next().unwrap_or_default();
        let source = at.as_ref().map_or_else(String::new, |at| at.source.clone());
        let (index, mut place) = self.dict.table(first);
        for name in names {
            place = match place {
                Data::Map(entries) => table_entry(entries, name),
                Data::List(items) => {
                    match name.parse().ok().and_then(|at: usize| items.get_mut(at)) {
                        Some(item) => item,
                        None => return self.problems.push(not_table(dotted).at(at)),
                    }
                }
                _ => return self.problems.push(not_table(dotted).at(at)),
            };
        }
        *place = Data::Text(value.to_owned());
        self.set_source(index, source);
    }
}

fn not_table(dotted: &str) -> Problem {
    let message =
        format!("`{dotted}` cannot be set, because something before its last dot is no table");
    let problem = Problem::new(ProblemKind::NamespaceTaken, message);
    problem.with_hint("change the data file that sets it, or use another key")
}

/// Returns the value of a text key, which becomes an empty table where it is not there yet.
fn table_entry<'e>(entries: &'e mut Vec<(Data, Data)>, key: &str) -> &'e mut Data {
    let known = entries
        .iter()
        .position(|(known, _)| known.as_text() == Some(key));
    let index = known.unwrap_or(entries.len());
    if index == entries.len() {
        entries.push((Data::Text(key.to_owned()), Data::Map(Vec::new())));
    }
    &mut entries[index].1
}

fn read_data_file(path: &str, text: &str) -> Result<Vec<(Data, Data)>, Problem> {
    match path::suffix_of(path) {
        ".toml" => Ok(into_entries(read_toml(path, text)?)),
        ".json" => match read_json(path, text)? {
            Data::Map(entries) => Ok(entries),
            other => Err(not_mapping(path, &other, 0..text.len())),
        },
        _ => {
            let mut dict = Dict::default();
            for (document, span) in read_yaml(path, text)? {
                let Data::Map(entries) = document else {
                    return Err(not_mapping(path, &document, span));
                };
                dict.extend(entries);
            }
            Ok(dict.into_entries())
        }
    }
}

fn not_mapping(path: &str, found: &Data, span: std::ops::Range<usize>) -> Problem {
    let message = match found {
        Data::Null => "this document is empty, where a data file holds keys with values".to_owned(),
        other => format!(
            "this is a Python `{}`, where a data file holds keys with values",
            other.type_name()
        ),
    };
    let hint = match found {
        Data::Null => "remove the `---` of the empty document, or give it a key",
        _ => "put the value below a key",
    };
    let problem = Problem::new(ProblemKind::NotMapping, message);
    problem.with_hint(hint).at(Some(Origin::new(path, span)))
}

/// Returns the names below which the content of a data file goes.
fn namespace(relative: &str, mode: DataNamespace) -> Vec<String> {
    let stem = path::without_suffix(relative);
    match mode {
        DataNamespace::Flat => Vec::new(),
        DataNamespace::Stem => vec![to_identifier(path::name_of(stem))],
        DataNamespace::Path => stem.split('/').map(to_identifier).collect(),
    }
}

/// Makes a name that templates can write: what may not stand in one becomes `_`.
fn to_identifier(name: &str) -> String {
    let identifier: String = name
        .chars()
        .map(|c| {
            if unicode_ident::is_xid_continue(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let starts =
        identifier.starts_with(|first: char| first == '_' || unicode_ident::is_xid_start(first));
    if starts {
        identifier
    } else {
        format!("_{identifier}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured with makejinja 2.9.1.
    #[test]
    fn a_name_becomes_an_identifier() {
        for (name, expected) in [
            ("my-hosting", "my_hosting"),
            ("2nd", "_2nd"),
            ("größe.eu", "größe_eu"),
            ("_x", "_x"),
            ("a b", "a_b"),
            ("-", "_"),
        ] {
            assert_eq!(to_identifier(name), expected, "{name}");
        }
    }

    #[test]
    fn a_data_file_goes_below_its_name_or_path() {
        let names = |mode| namespace("cata-logs/hosting.eu.toml", mode);
        assert!(names(DataNamespace::Flat).is_empty());
        assert_eq!(names(DataNamespace::Stem), ["hosting_eu"]);
        assert_eq!(names(DataNamespace::Path), ["cata_logs", "hosting_eu"]);
    }
}
