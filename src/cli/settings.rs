//! What a run is told: arguments and environment resolved into one value.
//!
//! This is the only module that reads the environment, the current folder or the terminal.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use super::args::{Color, Global, MessageFormat};
use super::error::CommandError;
use super::key_places::PrintedKeys;
use crate::secret::KnownSecrets;

/// The environment variables of the process, read once.
///
/// `Debug` shows no value: some are keys.
#[derive(Clone, Default)]
pub struct ProcessEnvironment(BTreeMap<String, String>);

impl ProcessEnvironment {
    /// Reads the environment of this process; names and values that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self(texts.collect())
    }

    /// Returns the value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Lists all variables with their values, sorted by name.
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Lists the names of all variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the value of a variable that is set and not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for ProcessEnvironment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for ProcessEnvironment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Environment({} variables)", self.0.len())
    }
}

/// Where the process stands: what of the world besides the environment decides how it behaves.
#[derive(Clone, Debug)]
pub struct ProcessSurroundings {
    /// The current folder, absolute.
    pub directory: PathBuf,
    /// Whether stdin is a terminal.
    pub stdin_terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_terminal: bool,
    /// Whether stderr is a terminal.
    pub stderr_terminal: bool,
}

impl ProcessSurroundings {
    /// Looks at this process.
    pub fn of_process() -> Result<Self, CommandError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "settings is where the process is looked at"
        )]
        let directory = std::env::current_dir().map_err(|error| {
            CommandError::failed("cannot tell the current folder").because(&error)
        })?;
        Ok(Self {
            directory,
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
        })
    }
}

/// How much to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only what is wrong.
    Quiet,
    /// What was done, in a line.
    #[default]
    Normal,
    /// Each file.
    Verbose,
}

/// Everything that a command may depend on, besides the project itself.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The absolute folder that the run starts from.
    pub directory: PathBuf,
    /// Whether stdout gets colour.
    pub stdout_color: bool,
    /// Whether stderr gets colour.
    pub stderr_color: bool,
    /// Whether a progress bar may be drawn on stderr.
    pub progress: bool,
    /// Whether somebody may be asked: stdin and stderr are terminals.
    pub interactive: bool,
    /// The form of messages.
    pub format: MessageFormat,
    /// How much to say.
    pub verbosity: Verbosity,
    /// How many threads may work; all processors when unset.
    pub threads: Option<usize>,
    /// How long a run, or a compile of `kiln watch`, may take; [`TIME_LIMIT`](super::deadline::TIME_LIMIT) when unset.
    pub time_limit: Option<Duration>,
    /// The environment, for `{ fromEnv: NAME }` and for keys.
    pub environment: ProcessEnvironment,
    /// What commands have printed of keys.
    pub printed: PrintedKeys,
    /// The secrets that the run has met, which nothing that it prints may hold.
    pub known: KnownSecrets,
}

impl Settings {
    /// Merges arguments and environment; an argument wins over its variable.
    ///
    /// Variables: `KILN_COLOR` and `KILN_MESSAGE_FORMAT` (as the options of that name), `NO_COLOR`
    /// (any text but the empty one), `TERM=dumb`, `CI` (no progress bar), `KILN_TIME_LIMIT` (in seconds).
    pub fn resolve(
        global: &Global,
        environment: ProcessEnvironment,
        standing: &ProcessSurroundings,
    ) -> Result<Self, CommandError> {
        let color = choice(global.color, &environment, "KILN_COLOR")?;
        let format = choice(global.message_format, &environment, "KILN_MESSAGE_FORMAT")?;
        let colored = |terminal: bool| match color {
            Some(Color::Always) => true,
            Some(Color::Never) => false,
            Some(Color::Auto) | None => terminal && wants_color(&environment),
        };
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let format = format.unwrap_or_default();
        Ok(Self {
            known: KnownSecrets::default(),
            printed: PrintedKeys::default(),
            directory: match &global.directory {
                Some(chosen) => standing.directory.join(chosen),
                None => standing.directory.clone(),
            },
            stdout_color: colored(standing.stdout_terminal),
            stderr_color: colored(standing.stderr_terminal),
            progress: standing.stderr_terminal
                && verbosity != Verbosity::Quiet
                && format == MessageFormat::Human
                && environment.filled("CI").is_none()
                && environment.get("TERM") != Some("dumb"),
            interactive: standing.stdin_terminal && standing.stderr_terminal,
            format,
            verbosity,
            threads: global.threads.map(Into::into),
            time_limit: time_limit(&environment)?,
            environment,
        })
    }
}

fn time_limit(environment: &ProcessEnvironment) -> Result<Option<Duration>, CommandError> {
    let Some(text) = environment.filled("KILN_TIME_LIMIT") else {
        return Ok(None);
    };
    match text.parse::<u32>() {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds.into()))),
        _ => Err(CommandError::failed(format!(
            "the variable `KILN_TIME_LIMIT` has no meaning as `{text}`"
        ))
        .hint("it is a whole number of seconds")),
    }
}

fn wants_color(environment: &ProcessEnvironment) -> bool {
    environment.filled("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb")
}

fn choice<C: clap::ValueEnum>(
    argument: Option<C>,
    environment: &ProcessEnvironment,
    variable: &str,
) -> Result<Option<C>, CommandError> {
    match (argument, environment.filled(variable)) {
        (Some(choice), _) => Ok(Some(choice)),
        (None, None) => Ok(None),
        (None, Some(text)) => C::from_str(text, false).map(Some).map_err(|_| {
            let known: Vec<String> = C::value_variants()
                .iter()
                .filter_map(clap::ValueEnum::to_possible_value)
                .map(|value| format!("`{}`", value.get_name()))
                .collect();
            CommandError::failed(format!(
                "the variable `{variable}` has no meaning as `{text}`"
            ))
            .hint(format!("use one of {}", known.join(", ")))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(global: &Global, variables: &[(&str, &str)], terminal: bool) -> Settings {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let standing = ProcessSurroundings {
            directory: PathBuf::from("/here"),
            stdin_terminal: terminal,
            stdout_terminal: terminal,
            stderr_terminal: terminal,
        };
        Settings::resolve(global, environment, &standing).unwrap()
    }

    #[test]
    fn colours_a_terminal_and_nothing_else() {
        assert!(settings(&Global::default(), &[], true).stderr_color);
        assert!(!settings(&Global::default(), &[], false).stderr_color);
    }

    #[test]
    fn obeys_no_color_and_dumb_terminals_unless_told_otherwise() {
        let always = Global {
            color: Some(Color::Always),
            ..Global::default()
        };
        for variables in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
            assert!(!settings(&Global::default(), &variables, true).stderr_color);
            assert!(settings(&always, &variables, false).stderr_color);
        }
        assert!(settings(&Global::default(), &[("NO_COLOR", "")], true).stderr_color);
        assert!(
            settings(
                &Global::default(),
                &[("KILN_COLOR", "always"), ("NO_COLOR", "1")],
                false
            )
            .stdout_color
        );
    }

    #[test]
    fn shows_no_value_of_the_environment() {
        let settings = settings(
            &Global::default(),
            &[("SOPS_AGE_KEY", "AGE-SECRET-KEY-1X")],
            false,
        );
        assert!(!format!("{settings:?}").contains("AGE-SECRET"));
    }
}
