//! Reads the settings and data of makejinja projects and selects their files, as makejinja 2.9 does.
//!
//! This is everything of makejinja that is neither Jinja nor Python: the options with their sources and defaults
//! ([`Settings`]), the data for templates ([`load_data`]), which file becomes which output ([`select`]), and which
//! file a template's name means ([`find_template`], [`list_templates`]). Files are read through [`ProjectFiles`] alone;
//! nothing is written and no program runs. The same input gives the same result.
//!
//! What makejinja refuses, often with a Python traceback, is a [`Problem`] with its place and what to change. No
//! message holds a value of the data.
//!
//! # Paths
//!
//! Paths count from the project's folder, which is the working directory of makejinja. They use `/`, hold no `.`, and
//! `..` only at the start; the project's folder is the empty path. A path that the user wrote from the root stays so.
//!
//! # Differences
//!
//! Known differences to makejinja 2.9.1 on Python 3.13 with `PyYAML` 6.0.3:
//!
//! - `**` at the end of an include pattern names files and folders, as in Python 3.13; older ones give folders only.
//! - An output that lies in an input is no input for a later pattern of the same run.
//! - Linked folders are not looked into, also where a pattern names them without `**`; folders without files are not
//!   seen.
//! - A null, list or table as a text of the settings is refused, where makejinja takes what Python prints for it.
//! - A file whose name is `..` without its suffix is refused, where makejinja goes on if the folder above is there.
//! - TOML 1.1 is read, where Python reads TOML 1.0. JSON has no `NaN` and `Infinity`, and no half of a surrogate pair.
//! - In YAML, an alias as a key needs a space before the colon (`*name :`), a line separator (U+0085, U+2028, U+2029)
//!   is refused, and a tab may part tokens. A value that contains itself is refused.
//! - `!!set` keeps the order written, where Python's order is another one in each run.
//! - Of a list below `<<`, the first mapping that has a key wins, as YAML says and as `PyYAML` 6.0.3 and older do.

mod data;
mod files;
mod folder_filter;
mod name_pattern;
mod option_table;
mod path;
mod problem;
mod selection;
mod settings;
mod template_search;

pub use data::{
    Data, DataEntry, DataReader, Date, DateTime, LoadedData, TimeOfDay, load_data, load_file_data,
};
pub use files::{MemoryFiles, PathKind, ProjectFiles};
pub use folder_filter::{FolderFilter, find_folder_filters};
pub use problem::{Loaded, Origin, Problem, ProblemKind};
pub use selection::{HiddenInput, Output, Selection, select};
pub use settings::{
    DataNamespace, Delimiters, EngineSettings, LinePrefixes, NewlineSequence, Settings,
    SettingsFile, SettingsSource, UndefinedMode, WhitespaceSettings, settings_files,
};
pub use template_search::{TemplateSearch, find_template, list_templates};
