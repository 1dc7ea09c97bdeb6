//! The options of a project, from all their sources.

mod command_line;
mod convert;
mod environment;
mod given;
mod settings_file;

use std::collections::BTreeMap;
use std::fmt;

use crate::option_table::{DATA_NAMESPACES, NEWLINE_SEQUENCES, OPTIONS, UNDEFINED_MODES};
use crate::path;
use crate::problem::{Loaded, Origin, Problem, ProblemKind};
use convert::Conversion;
use given::GivenOptions;

pub use settings_file::{SettingsFile, SettingsSource, settings_files};

/// The options of makejinja 2.9.1, each with its default where nothing gives it.
///
/// Paths count from the project's folder. The names are those of the settings file, but for `loaders`, which are at the
/// end of `plugins`.
/// `{:?}` shows paths only, as `data_vars` may hold secrets.
#[derive(Clone, PartialEq)]
pub struct Settings {
    /// `inputs`: folders of templates and single templates; what is in an earlier one hides what is in a later one.
    pub inputs: Vec<String>,
    /// `output`: the folder that outputs go to, or the output itself where there is only one.
    pub output: String,
    /// `include_patterns`: what is looked for in each folder of `inputs`; `**/*` by default.
    pub include_patterns: Vec<String>,
    /// `exclude_patterns`: what is left out, matched from the right end of the absolute path.
    pub exclude_patterns: Vec<String>,
    /// `jinja_suffix`: the last suffix of templates, `.jinja` by default; empty if every file is one.
    pub jinja_suffix: String,
    /// `keep_jinja_suffix`: whether outputs keep that suffix.
    pub keep_jinja_suffix: bool,
    /// `keep_empty`: whether an output that holds only white space is written, and an empty folder kept.
    pub keep_empty: bool,
    /// `copy_metadata`: whether outputs and folders get the mode and times of their inputs.
    pub copy_metadata: bool,
    /// `data`: data files and folders of them.
    pub data: Vec<String>,
    /// `data_namespace`: below which names the content of data files goes.
    pub data_namespace: DataNamespace,
    /// `data_vars`: texts by dotted key, over what the data files hold.
    pub data_vars: Vec<(String, String)>,
    /// `file_data`: data files for one template each, by the template's name.
    pub file_data: Vec<(String, Vec<String>)>,
    /// `plugins`, then `loaders`, which is its older name: Python classes as `module:Class`.
    pub plugins: Vec<String>,
    /// `import_paths`: folders in which Python finds plugins; the project's folder by default.
    pub import_paths: Vec<String>,
    /// `extensions`: Jinja extensions by their Python path.
    pub extensions: Vec<String>,
    /// `undefined`: what an undefined variable does.
    pub undefined: UndefinedMode,
    /// `exec_pre`: shell commands to run before.
    pub exec_pre: Vec<String>,
    /// `exec_post`: shell commands to run after.
    pub exec_post: Vec<String>,
    /// `clean`: whether the output folder is removed before.
    pub clean: bool,
    /// `force`: whether outputs that are there are written again.
    pub force: bool,
    /// `quiet`: whether makejinja says what it does.
    pub quiet: bool,
    /// `[delimiter]`.
    pub delimiter: Delimiters,
    /// `[prefix]`.
    pub prefix: LinePrefixes,
    /// `[whitespace]`.
    pub whitespace: WhitespaceSettings,
    /// `[internal]`.
    pub internal: EngineSettings,
    /// The absolute path of the project's folder, as exclude patterns and path filters see it.
    ///
    /// Settings are read without knowing it; it is `/` until [`set_project_folder`](Self::set_project_folder).
    pub project_folder: String,
    origins: BTreeMap<&'static str, Vec<Origin>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("project_folder", &self.project_folder)
            .field("inputs", &self.inputs)
            .field("output", &self.output)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// `data_namespace`: below which names the content of a data file goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataNamespace {
    /// Below none: all files are merged.
    #[default]
    Flat,
    /// Below the file's name without its suffix.
    Stem,
    /// Below its path, one name for each folder, from the entry of `data` that it is found in.
    Path,
}

/// `undefined`: what an undefined variable does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UndefinedMode {
    /// Prints nothing; an attribute of it is an error.
    #[default]
    Default,
    /// Prints nothing, and so do its attributes.
    Chainable,
    /// Prints the expression that is undefined.
    Debug,
    /// Is an error, unless it is only tested.
    Strict,
}

/// `newline_sequence`: how a line of an output ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewlineSequence {
    /// `\n`.
    #[default]
    LineFeed,
    /// `\r\n`.
    CarriageReturnLineFeed,
    /// `\r`.
    CarriageReturn,
}

impl NewlineSequence {
    /// Returns the characters.
    pub fn as_str(self) -> &'static str {
        NEWLINE_SEQUENCES[self as usize]
    }
}

/// `[delimiter]`: what tags start and end with; Jinja's own by default. A start may equal its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimiters {
    /// Of a block, `{%`.
    pub block_start: String,
    /// Of a block, `%}`.
    pub block_end: String,
    /// Of a variable, `{{`.
    pub variable_start: String,
    /// Of a variable, `}}`.
    pub variable_end: String,
    /// Of a comment, `{#`.
    pub comment_start: String,
    /// Of a comment, `#}`.
    pub comment_end: String,
}

/// `[prefix]`: what makes a whole line a statement or a comment; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinePrefixes {
    /// Of a statement.
    pub line_statement: Option<String>,
    /// Of a comment.
    pub line_comment: Option<String>,
}

/// `[whitespace]`; the flags are on by default, where Jinja's own are off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhitespaceSettings {
    /// Whether the line break behind a block goes.
    pub trim_blocks: bool,
    /// Whether the space before a block that starts its line goes.
    pub lstrip_blocks: bool,
    /// Whether the last line break of a template stays.
    pub keep_trailing_newline: bool,
    /// How lines end.
    pub newline_sequence: NewlineSequence,
}

/// `[internal]`: settings of Jinja's engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Whether Jinja folds constants.
    pub optimized: bool,
    /// Whether what is printed is escaped for HTML.
    pub autoescape: bool,
    /// How many templates Jinja keeps compiled.
    pub cache_size: i64,
    /// Whether Jinja looks for changes of templates.
    pub auto_reload: bool,
    /// Whether Jinja runs templates asynchronously.
    pub enable_async: bool,
}

impl Settings {
    /// Reads the options: what a later source gives wins over earlier ones, whole lists and tables at a time.
    ///
    /// The sources are the settings files in their order, the environment variables `MAKEJINJA_…`, and the command
    /// line. Relative paths count from the folder of the file that holds them, else from the project's folder.
    ///
    /// # Errors
    /// All problems of all sources: unknown options, values of the wrong kind, no `output`.
    pub fn read(
        sources: &[SettingsSource],
        environment: &[(String, String)],
        arguments: &[String],
    ) -> Result<Loaded<Self>, Vec<Problem>> {
        let mut given = GivenOptions::default();
        for source in sources {
            settings_file::read_settings_file(source, &mut given);
        }
        environment::read_environment(environment, &mut given);
        // What the command line replaces has to be right as well.
        let mut replaced = Conversion::new(&given.values);
        Self::convert(&mut replaced, sources);
        let mut wrong = replaced.problems;
        wrong.retain(|problem| problem.kind != ProblemKind::MissingOption);
        command_line::read_command_line(arguments, &mut given);
        let mut conversion = Conversion::new(&given.values);
        let settings = Self::convert(&mut conversion, sources);
        let still = conversion.problems.into_iter();
        let new: Vec<Problem> = still.filter(|problem| !wrong.contains(problem)).collect();
        let mut problems = given.problems;
        problems.extend(wrong.into_iter().chain(new));
        let mut notices = given.notices;
        notices.extend(settings.notices());
        Loaded::unless(problems, settings, notices)
    }

    fn convert(from: &mut Conversion<'_>, sources: &[SettingsSource]) -> Self {
        let mut plugins = from.texts("plugins", &[]);
        plugins.extend(from.texts("loaders", &[]));
        let namespaces = [
            DataNamespace::Flat,
            DataNamespace::Stem,
            DataNamespace::Path,
        ];
        let modes = [
            UndefinedMode::Default,
            UndefinedMode::Chainable,
            UndefinedMode::Debug,
            UndefinedMode::Strict,
        ];
        Self {
            inputs: from.paths("inputs", &[]),
            output: Self::convert_output(from, sources),
            include_patterns: from.texts("include_patterns", &["**/*"]),
            exclude_patterns: from.texts("exclude_patterns", &[]),
            jinja_suffix: from.text("jinja_suffix", ".jinja"),
            keep_jinja_suffix: from.flag("keep_jinja_suffix", false),
            keep_empty: from.flag("keep_empty", false),
            copy_metadata: from.flag("copy_metadata", false),
            data: from.paths("data", &[]),
            data_namespace: namespaces[from.choice("data_namespace", DATA_NAMESPACES)],
            data_vars: from.text_table("data_vars"),
            file_data: from.paths_table("file_data"),
            plugins,
            import_paths: from.paths("import_paths", &[""]),
            extensions: from.texts("extensions", &[]),
            undefined: modes[from.choice("undefined", UNDEFINED_MODES)],
            exec_pre: from.texts("exec_pre", &[]),
            exec_post: from.texts("exec_post", &[]),
            clean: from.flag("clean", false),
            force: from.flag("force", false),
            quiet: from.flag("quiet", false),
            delimiter: Delimiters::convert(from),
            prefix: LinePrefixes {
                line_statement: from.optional_text("prefix.line_statement"),
                line_comment: from.optional_text("prefix.line_comment"),
            },
            whitespace: WhitespaceSettings::convert(from),
            internal: EngineSettings::convert(from),
            project_folder: "/".to_owned(),
            origins: from.origins(),
        }
    }

    fn convert_output(from: &mut Conversion<'_>, sources: &[SettingsSource]) -> String {
        from.path("output").unwrap_or_else(|| {
            let message = "`output` is not set, so outputs have nowhere to go";
            let hint =
                "add `output = \"./\"` below `[makejinja]` to write into the project's folder";
            let at = sources
                .first()
                .map(|source| Origin::new(&source.path, 0..0));
            let problem = Problem::new(ProblemKind::MissingOption, message);
            from.problems.push(problem.with_hint(hint).at(at));
            String::new()
        })
    }

    /// Sets the absolute path of the project's folder; paths that lie in it count from there.
    pub fn set_project_folder(&mut self, folder: &str) {
        self.project_folder = path::normalize(&format!("/{folder}"));
        let folder = &self.project_folder;
        let file_data = self.file_data.iter_mut().flat_map(|(_, paths)| paths);
        let paths = self
            .inputs
            .iter_mut()
            .chain(&mut self.data)
            .chain(&mut self.import_paths)
            .chain(file_data)
            .chain(std::iter::once(&mut self.output));
        for path in paths {
            if let Some(relative) = path::relative_to(path, folder).map(str::to_owned) {
                *path = relative;
            }
        }
    }

    /// Returns a path as Python sees it: absolute.
    pub fn absolute(&self, path: &str) -> String {
        path::join(&self.project_folder, path)
    }

    /// Returns where an option is set; `None` where it has its default. The name is that of the settings file.
    pub fn origin(&self, option: &str) -> Option<&Origin> {
        self.origins.get(option)?.first()
    }

    /// Returns where an item of a list, or an entry of a table, is set, counted from 0; in `plugins` those of
    /// `loaders` have their own place below `loaders`.
    pub fn origin_of_item(&self, option: &str, index: usize) -> Option<Origin> {
        let origins = self.origins.get(option)?;
        origins.get(index + 1).or(origins.first()).cloned()
    }

    /// Says that a file or folder of `inputs` cannot be read.
    pub(crate) fn unreadable_input(&self, index: usize, why: &str) -> Problem {
        let input = &self.inputs[index];
        let message = format!("the input `{input}` cannot be read: {why}");
        let problem = Problem::new(ProblemKind::Unreadable, message);
        problem.at(self.origin_of_item("inputs", index))
    }

    /// Says what is accepted and has no effect.
    fn notices(&self) -> Vec<Problem> {
        let mut notices = Vec::new();
        let mut say = |message: String, hint: &str, at: Option<Origin>| {
            let notice = Problem::new(ProblemKind::WithoutEffect, message);
            notices.push(notice.with_hint(hint).at(at));
        };
        for (option, why) in [
            ("internal.optimized", "templates print the same either way"),
            ("internal.cache_size", "each template is compiled once"),
            ("internal.auto_reload", "each run reads the templates again"),
            (
                "internal.enable_async",
                "templates print the same either way",
            ),
        ] {
            if let Some(origin) = self.origin(option) {
                let message = format!("`{option}` has no effect here, because {why}");
                say(message, "it may stay for makejinja", Some(origin.clone()));
            }
        }
        for (index, pattern) in self.exclude_patterns.iter().enumerate() {
            if pattern.contains("**") {
                let message =
                    format!("`**` in the exclude pattern `{pattern}` is not more than `*`");
                let hint = "write one pattern for each depth, or a pattern of the name alone";
                say(
                    message,
                    hint,
                    self.origin_of_item("exclude_patterns", index),
                );
            }
        }
        let suffix = &self.jinja_suffix;
        if !suffix.is_empty() && (path::suffix_of(&format!("a{suffix}")) != suffix) {
            let message = format!(
                "no file has the suffix `{suffix}`, because only the last `.` and what follows counts"
            );
            let hint = "write one suffix with its dot, such as `.j2`";
            say(message, hint, self.origin("jinja_suffix").cloned());
        }
        notices
    }
}

impl Delimiters {
    fn convert(from: &mut Conversion<'_>) -> Self {
        Self {
            block_start: from.text("delimiter.block_start", "{%"),
            block_end: from.text("delimiter.block_end", "%}"),
            variable_start: from.text("delimiter.variable_start", "{{"),
            variable_end: from.text("delimiter.variable_end", "}}"),
            comment_start: from.text("delimiter.comment_start", "{#"),
            comment_end: from.text("delimiter.comment_end", "#}"),
        }
    }
}

impl WhitespaceSettings {
    fn convert(from: &mut Conversion<'_>) -> Self {
        let sequences = [
            NewlineSequence::LineFeed,
            NewlineSequence::CarriageReturnLineFeed,
            NewlineSequence::CarriageReturn,
        ];
        Self {
            trim_blocks: from.flag("whitespace.trim_blocks", true),
            lstrip_blocks: from.flag("whitespace.lstrip_blocks", true),
            keep_trailing_newline: from.flag("whitespace.keep_trailing_newline", true),
            newline_sequence: sequences
                [from.choice("whitespace.newline_sequence", NEWLINE_SEQUENCES)],
        }
    }
}

impl EngineSettings {
    fn convert(from: &mut Conversion<'_>) -> Self {
        Self {
            optimized: from.flag("internal.optimized", true),
            autoescape: from.flag("internal.autoescape", false),
            cache_size: from.integer("internal.cache_size", 0),
            auto_reload: from.flag("internal.auto_reload", false),
            enable_async: from.flag("internal.enable_async", false),
        }
    }
}

/// Suggests the name of an option near to one that is not known, out of its names of one source.
fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (given.chars().count() / 3).max(1);
    names
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Lists the names of all options as they stand in a settings file.
fn option_names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|option| option.name)
}
