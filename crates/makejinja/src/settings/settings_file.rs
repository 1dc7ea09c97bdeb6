//! Settings files: `makejinja.toml`, and those that `MAKEJINJA_SETTINGS` names.

use std::fmt;
use std::ops::Range;

use super::given::{GivenContent, GivenOptions, GivenValue};
use super::{nearest, option_names};
use crate::data::toml::{TomlContent, TomlEntry, TomlNode, read_toml};
use crate::option_table::{OPTIONS, option};
use crate::path;
use crate::problem::{Origin, Problem, ProblemKind};

const SETTINGS_FILE: &str = "makejinja.toml";
const SETTINGS_VARIABLE: &str = "MAKEJINJA_SETTINGS";
const TABLE: &str = "makejinja";

/// A settings file with its text; `{:?}` shows the path only, as `data_vars` may hold secrets.
#[derive(Clone)]
pub struct SettingsSource {
    /// The path from the project's folder; paths in the file count from its folder.
    pub path: String,
    /// The text.
    pub text: String,
}

impl fmt::Debug for SettingsSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SettingsSource({})", self.path)
    }
}

/// A settings file that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// The path from the project's folder.
    pub path: String,
    /// Whether the file has to be there; makejinja goes on without one that does not.
    pub required: bool,
    /// Whether an environment variable names it, so that a missing one is worth a word.
    pub from_environment: bool,
}

/// Lists the settings files in the order in which they are read: the last one that gives an option wins.
///
/// They are `makejinja.toml`, then those of `MAKEJINJA_SETTINGS`, parted by colons; a `!` before a path makes the file
/// required.
pub fn settings_files(environment: &[(String, String)]) -> Vec<SettingsFile> {
    let own = SettingsFile {
        path: SETTINGS_FILE.to_owned(),
        required: false,
        from_environment: false,
    };
    let variable = environment
        .iter()
        .rfind(|(name, _)| name == SETTINGS_VARIABLE);
    let named = variable.into_iter().flat_map(|(_, value)| value.split(':'));
    let named = named.filter_map(|named| {
        let (required, path) = match named.rsplit_once('!') {
            Some((_, path)) => (true, path),
            None => (false, named),
        };
        (!path.is_empty()).then(|| SettingsFile {
            path: path::normalize(path),
            required,
            from_environment: true,
        })
    });
    std::iter::once(own).chain(named).collect()
}

/// Adds what a settings file gives.
pub(super) fn read_settings_file(source: &SettingsSource, given: &mut GivenOptions) {
    if !source.path.ends_with(".toml") {
        let message = format!(
            "`{}` is no TOML file, so it cannot hold settings",
            source.path
        );
        let problem = Problem::new(ProblemKind::InvalidValue, message);
        let problem = problem.with_hint("give the file a name that ends with `.toml`");
        let origin = Origin::new(&source.path, 0..0);
        given.problems.push(problem.at(Some(origin)));
        return;
    }
    let root = match read_toml(&source.path, &source.text) {
        Ok(root) => root,
        Err(problem) => return given.problems.push(problem),
    };
    let Some(entry) = root.into_iter().find(|entry| entry.key == TABLE) else {
        return;
    };
    let reader = SettingsFileReader {
        source,
        folder: path::folder_of(&source.path).unwrap_or_default(),
    };
    if let TomlContent::Table(entries) = entry.value.content {
        for entry in entries {
            reader.read_entry("", entry, given);
        }
    } else {
        let message = "`makejinja` is no table, so it holds no settings";
        let problem = Problem::new(ProblemKind::InvalidValue, message);
        let problem = problem.with_hint("write the settings below a line `[makejinja]`");
        given
            .problems
            .push(problem.at(Some(reader.origin(entry.key_span))));
    }
}

struct SettingsFileReader<'s> {
    source: &'s SettingsSource,
    folder: &'s str,
}

impl SettingsFileReader<'_> {
    fn origin(&self, span: Range<usize>) -> Origin {
        Origin::new(&self.source.path, span)
    }

    fn read_entry(&self, prefix: &str, entry: TomlEntry, given: &mut GivenOptions) {
        let TomlEntry {
            key,
            key_span,
            value,
        } = entry;
        let name = format!("{prefix}{}", key.replace('-', "_"));
        if let Some(option) = option(&name) {
            given.values.insert(option.name, self.given_value(value));
            return;
        }
        if let TomlContent::Table(entries) = value.content {
            let prefix = format!("{name}.");
            for entry in entries {
                self.read_entry(&prefix, entry, given);
            }
        } else {
            let problem = unknown_option(&name).at(Some(self.origin(key_span)));
            given.problems.push(problem);
        }
    }

    fn given_value(&self, node: TomlNode) -> GivenValue {
        let content = match node.content {
            TomlContent::Scalar(data) => GivenContent::Scalar(data),
            TomlContent::List(items) => {
                let items = items.into_iter().map(|item| self.given_value(item));
                GivenContent::List(items.collect())
            }
            TomlContent::Table(entries) => {
                let entries = entries
                    .into_iter()
                    .map(|entry| (entry.key, self.given_value(entry.value)));
                GivenContent::Table(entries.collect())
            }
        };
        GivenValue {
            content,
            origin: Origin::new(&self.source.path, node.span),
            folder: self.folder.to_owned(),
        }
    }
}

fn unknown_option(name: &str) -> Problem {
    let message = format!("makejinja has no option `{name}`");
    let problem = Problem::new(ProblemKind::UnknownOption, message);
    let table = format!("{name}.");
    if OPTIONS.iter().any(|option| option.name.starts_with(&table)) {
        return problem.with_hint(format!("`{name}` is a table: write `[makejinja.{name}]`"));
    }
    let of_command_line = OPTIONS.iter().find(|option| {
        let mut spellings = option.spellings.iter();
        let spelled = name.replace('_', "-");
        spellings.any(|spelling| spelling.strip_prefix("--") == Some(spelled.as_str()))
    });
    let near = of_command_line
        .map(|option| option.name)
        .or_else(|| nearest(name, option_names()))
        .or_else(|| in_table(name));
    match near {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem.with_hint("remove it, or move it out of `[makejinja]`"),
    }
}

/// Returns the option that has its table before its name, where the table is forgotten.
fn in_table(name: &str) -> Option<&'static str> {
    option_names().find(|option| {
        let own = option.rsplit('.').next();
        option.contains('.') && own == Some(name)
    })
}
