//! The options of makejinja: what each takes, and what it is called on the command line.

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionKind {
    Flag,
    Integer,
    Text,
    Texts,
    Path,
    Paths,
    /// Texts by name.
    TextTable,
    /// Lists of paths by name.
    PathsTable,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl OptionKind {
    /// Says what the option takes, as the end of a sentence.
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Paths => "a list of paths".to_owned(),
            Self::TextTable => "a table of texts".to_owned(),
            Self::PathsTable => "a table of lists of paths".to_owned(),
            Self::Choice(words) => {
                let words = words
                    .iter()
                    .map(|word| format!("`{}`", word.escape_debug()));
                words.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Returns whether the option takes values by name.
    pub(crate) fn is_table(self) -> bool {
        matches!(self, Self::TextTable | Self::PathsTable)
    }

    /// Returns whether the option may be given more than once on the command line.
    pub(crate) fn is_repeated(self) -> bool {
        self.is_table() || matches!(self, Self::Texts | Self::Paths)
    }
}

/// One option.
#[derive(Debug)]
pub(crate) struct OptionSpec {
    /// Its way in the settings file below `[makejinja]`, with `_` and dots.
    pub(crate) name: &'static str,
    pub(crate) kind: OptionKind,
    /// What it is called on the command line.
    pub(crate) spellings: &'static [&'static str],
    /// What takes back a flag there.
    pub(crate) negation: Option<&'static str>,
}

impl OptionSpec {
    /// Returns the environment variable of the option.
    pub(crate) fn variable(&self) -> String {
        format!("MAKEJINJA_{}", self.name.to_uppercase().replace('.', "_"))
    }
}

/// Returns the option of a name.
pub(crate) fn option(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.name == name)
}

const fn spec(
    name: &'static str,
    kind: OptionKind,
    spellings: &'static [&'static str],
) -> OptionSpec {
    OptionSpec {
        name,
        kind,
        spellings,
        negation: None,
    }
}

const fn switch(
    name: &'static str,
    spellings: &'static [&'static str],
    negation: &'static str,
) -> OptionSpec {
    OptionSpec {
        name,
        kind: OptionKind::Flag,
        spellings,
        negation: Some(negation),
    }
}

pub(crate) const UNDEFINED_MODES: &[&str] = &["default", "chainable", "debug", "strict"];
pub(crate) const DATA_NAMESPACES: &[&str] = &["flat", "stem", "path"];
pub(crate) const NEWLINE_SEQUENCES: &[&str] = &["\n", "\r\n", "\r"];

/// All options of makejinja 2.9.1, in the order of its help.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    spec("inputs", OptionKind::Paths, &["--input", "-i"]),
    spec("output", OptionKind::Path, &["--output", "-o"]),
    spec(
        "include_patterns",
        OptionKind::Texts,
        &["--include-pattern", "--include", "-I"],
    ),
    spec(
        "exclude_patterns",
        OptionKind::Texts,
        &["--exclude-pattern", "--exclude", "-E"],
    ),
    spec("jinja_suffix", OptionKind::Text, &["--jinja-suffix"]),
    spec(
        "keep_jinja_suffix",
        OptionKind::Flag,
        &["--keep-jinja-suffix"],
    ),
    spec("keep_empty", OptionKind::Flag, &["--keep-empty"]),
    spec(
        "copy_metadata",
        OptionKind::Flag,
        &["--copy-metadata", "-m"],
    ),
    spec("data", OptionKind::Paths, &["--data", "-d"]),
    spec(
        "data_namespace",
        OptionKind::Choice(DATA_NAMESPACES),
        &["--data-namespace"],
    ),
    spec("data_vars", OptionKind::TextTable, &["--data-var", "-D"]),
    spec("file_data", OptionKind::PathsTable, &["--file-data"]),
    spec("loaders", OptionKind::Texts, &["--loader", "-l"]),
    spec("plugins", OptionKind::Texts, &["--plugin", "-p"]),
    spec("import_paths", OptionKind::Paths, &["--import-path"]),
    spec("extensions", OptionKind::Texts, &["--extension", "-e"]),
    spec(
        "undefined",
        OptionKind::Choice(UNDEFINED_MODES),
        &["--undefined"],
    ),
    spec("exec_pre", OptionKind::Texts, &["--exec-pre"]),
    spec("exec_post", OptionKind::Texts, &["--exec-post"]),
    spec("clean", OptionKind::Flag, &["--clean", "-c"]),
    spec("force", OptionKind::Flag, &["--force", "-f"]),
    spec("quiet", OptionKind::Flag, &["--quiet", "-q"]),
    spec(
        "delimiter.block_start",
        OptionKind::Text,
        &["--delimiter-block-start"],
    ),
    spec(
        "delimiter.block_end",
        OptionKind::Text,
        &["--delimiter-block-end"],
    ),
    spec(
        "delimiter.variable_start",
        OptionKind::Text,
        &["--delimiter-variable-start"],
    ),
    spec(
        "delimiter.variable_end",
        OptionKind::Text,
        &["--delimiter-variable-end"],
    ),
    spec(
        "delimiter.comment_start",
        OptionKind::Text,
        &["--delimiter-comment-start"],
    ),
    spec(
        "delimiter.comment_end",
        OptionKind::Text,
        &["--delimiter-comment-end"],
    ),
    spec(
        "prefix.line_statement",
        OptionKind::Text,
        &["--prefix-line-statement"],
    ),
    spec(
        "prefix.line_comment",
        OptionKind::Text,
        &["--prefix-line-comment"],
    ),
    switch(
        "whitespace.trim_blocks",
        &["--trim-blocks"],
        "--no-trim-blocks",
    ),
    switch(
        "whitespace.lstrip_blocks",
        &["--lstrip-blocks"],
        "--no-lstrip-blocks",
    ),
    spec(
        "whitespace.newline_sequence",
        OptionKind::Choice(NEWLINE_SEQUENCES),
        &["--newline-sequence"],
    ),
    switch(
        "whitespace.keep_trailing_newline",
        &["--keep-trailing-newline"],
        "--strip-trailing-newline",
    ),
    switch(
        "internal.optimized",
        &["--internal-optimized"],
        "--no-internal-optimized",
    ),
    spec(
        "internal.autoescape",
        OptionKind::Flag,
        &["--internal-autoescape"],
    ),
    spec(
        "internal.cache_size",
        OptionKind::Integer,
        &["--internal-cache-size"],
    ),
    switch(
        "internal.auto_reload",
        &["--internal-auto-reload"],
        "--no-internal-auto-reload",
    ),
    spec(
        "internal.enable_async",
        OptionKind::Flag,
        &["--internal-enable-async"],
    ),
];
