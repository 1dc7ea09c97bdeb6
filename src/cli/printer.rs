//! The only way out: data to stdout, talk to stderr.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use serde_json::json;
use zeroize::Zeroizing;

use super::args::MessageFormat;
use super::error::{CommandError, FailedCommand};
use super::report::shown::terminal::{self, TerminalPage};
use super::report::shown::{self, Shown};
use super::report::{Reporter, SCHEMA_VERSION, github};
use super::settings::{Settings, Verbosity};
use crate::cli::report::counted::counted;
use crate::diagnostic::Diagnostic;
use crate::secret::KnownSecrets;

/// Writes to stdout and stderr as the settings want it.
///
/// A reader that has gone away (`kiln schema | head`) is no error: what is left to print is dropped
/// and the command goes on to its exit code.
pub struct Printer {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    stdout_closed: bool,
    verbosity: Verbosity,
    color: bool,
    format: MessageFormat,
    reporter: Reporter,
    known: KnownSecrets,
}

/// How many problems are shown at once; the others are counted.
pub const MAX_PROBLEMS: usize = 100;

/// Warnings that come in crowds and say enough in a line: charts that nobody knows, and what Flux does not get to.
const BRIEF: [&str; 2] = ["chart-unknown", "resource-unlisted"];

/// How many of them are shown in full all the same.
const FEW: usize = 3;

impl Printer {
    /// Prints to the streams of the process.
    pub fn new(settings: &Settings) -> Self {
        Self::to(Box::new(io::stdout()), Box::new(io::stderr()), settings)
    }

    /// Prints to any two streams.
    pub fn to(stdout: Box<dyn Write>, stderr: Box<dyn Write>, settings: &Settings) -> Self {
        Self {
            stdout,
            stderr,
            stdout_closed: false,
            verbosity: settings.verbosity,
            color: settings.stderr_color,
            format: settings.format,
            reporter: Reporter::new(settings),
            known: settings.known.clone(),
        }
    }

    /// Tells reports where the paths of the project start, once it is known.
    pub fn in_project(&mut self, root: &std::path::Path) {
        self.reporter.in_project(root);
    }

    /// Returns what stands before the paths of the project where they count from the checkout of a job.
    pub fn checkout_prefix(&self) -> &str {
        self.reporter.prefix()
    }

    /// Returns whether each file is to be named.
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Returns whether only what is wrong is to be said.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Returns whether data goes out as JSON.
    pub fn is_json(&self) -> bool {
        self.format == MessageFormat::Json
    }

    /// Returns whether stdout belongs to a program, so that no sentence may go there.
    pub fn is_machine(&self) -> bool {
        self.format != MessageFormat::Human
    }

    /// Writes data to stdout, as it is but for secrets: none may be in it, and this is the last look.
    pub fn data(&mut self, text: &Shown) -> Result<(), CommandError> {
        let text = self.without_secrets(text).into_owned();
        self.bytes(text.as_bytes())
    }

    /// Writes the plain text of a secret that the user asked for to stdout, byte for byte.
    pub fn plain_text(&mut self, secret: &Zeroizing<Vec<u8>>) -> Result<(), CommandError> {
        self.bytes(secret)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        if self.stdout_closed {
            return Ok(());
        }
        let written = self
            .stdout
            .write_all(bytes)
            .and_then(|()| self.stdout.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout_closed = true;
                Ok(())
            }
            other => other
                .map_err(|error| CommandError::failed("cannot write to stdout").because(&error)),
        }
    }

    /// Writes one line of data for people to stdout.
    pub fn line(&mut self, text: impl Display) -> Result<(), CommandError> {
        self.data(&terminal::line(text))
    }

    /// Writes one line of JSON to stdout.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<(), CommandError> {
        self.data(&shown::json::line(value))
    }

    /// Says what was done, unless the user wants it quiet.
    pub fn status(&mut self, text: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.talk(&terminal::line(text));
        }
    }

    /// Says a detail to those who asked for more.
    pub fn detail(&mut self, text: impl Display) {
        if self.verbosity == Verbosity::Verbose {
            self.talk(&terminal::line(text));
        }
    }

    /// Reports problems in the user's input, each in the chosen form, up to [`MAX_PROBLEMS`], and says how many more
    /// there are.
    ///
    /// Where there are more, warnings are left out before errors. Crowds of warnings of one kind come in a line each,
    /// unless the user wants to know more.
    pub fn report(&mut self, problems: &[Diagnostic]) -> Result<(), CommandError> {
        let quiet = self.verbosity == Verbosity::Quiet;
        let wanted: Vec<&Diagnostic> = problems
            .iter()
            .filter(|problem| !quiet || problem.is_error())
            .collect();
        let crowds = self.crowds(&wanted);
        let is_brief = |problem: &&&Diagnostic| {
            !problem.is_error() && crowds.iter().any(|(code, _)| *code == problem.code())
        };
        self.report_each(wanted.iter().filter(|problem| !is_brief(problem)).copied())?;
        for (code, warnings) in &crowds {
            let text = self.reporter.render_briefly(code, warnings);
            self.talk(&text);
        }
        Ok(())
    }

    /// Finds the warnings that are to be told in a line each, by code.
    fn crowds<'d>(&self, problems: &[&'d Diagnostic]) -> Vec<(&'static str, Vec<&'d Diagnostic>)> {
        if self.is_machine() || self.is_verbose() {
            return Vec::new();
        }
        let of_code = |code: &'static str| {
            let found = problems.iter().copied();
            let found = found.filter(|problem| problem.code() == code && !problem.is_error());
            (code, found.collect::<Vec<&Diagnostic>>())
        };
        let crowds = BRIEF.into_iter().map(of_code);
        crowds.filter(|(_, found)| found.len() > FEW).collect()
    }

    fn report_each<'d>(
        &mut self,
        problems: impl Iterator<Item = &'d Diagnostic> + Clone,
    ) -> Result<(), CommandError> {
        let errors = problems.clone().filter(|it| it.is_error()).count();
        let mut errors_left = MAX_PROBLEMS;
        let mut warnings_left = MAX_PROBLEMS.saturating_sub(errors);
        let (mut errors_omitted, mut warnings_omitted) = (0, 0);
        for problem in problems {
            let (left, omitted) = if problem.is_error() {
                (&mut errors_left, &mut errors_omitted)
            } else {
                (&mut warnings_left, &mut warnings_omitted)
            };
            if *left == 0 {
                *omitted += 1;
                continue;
            }
            *left -= 1;
            let text = self.reporter.render(problem);
            match self.format {
                MessageFormat::Human => self.talk(&text),
                MessageFormat::Json | MessageFormat::Github => self.data(&text)?,
            }
        }
        self.omitted(errors_omitted, warnings_omitted)
    }

    /// Says how many problems were left out, if any.
    fn omitted(&mut self, errors: usize, warnings: usize) -> Result<(), CommandError> {
        if errors + warnings == 0 {
            return Ok(());
        }
        let sentence = format!("{} more, not shown", count_problems(errors, warnings));
        match self.format {
            MessageFormat::Human => {
                self.talk(
                    &[terminal::line(sentence), terminal::line("")]
                        .into_iter()
                        .collect(),
                );
                Ok(())
            }
            MessageFormat::Json => self.json(&json!({
                "schemaVersion": SCHEMA_VERSION,
                "type": "omitted",
                "errors": errors,
                "warnings": warnings,
            })),
            MessageFormat::Github => self.data(&github::notice("kiln", &sentence)),
        }
    }

    /// Reports the problems that stopped a run, and how many there are.
    pub fn problems(&mut self, problems: &[Diagnostic]) -> Result<(), CommandError> {
        self.report(problems)?;
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        let warnings = problems.len() - errors;
        let sentence = format!("{}, nothing written", count_problems(errors, warnings));
        self.summary(&sentence, &json!({"errors": errors, "warnings": warnings}))
    }

    /// Closes a run: a sentence for people, an object for machines.
    pub fn summary(
        &mut self,
        sentence: &str,
        object: &serde_json::Value,
    ) -> Result<(), CommandError> {
        if self.is_json() {
            let summary =
                json!({"schemaVersion": SCHEMA_VERSION, "type": "summary", "summary": object});
            return self.json(&summary);
        }
        self.status(sentence);
        Ok(())
    }

    /// Reports why nothing can be told about the user's input.
    pub fn failure(&mut self, failed: &FailedCommand) -> Result<(), CommandError> {
        match self.format {
            MessageFormat::Json => self.json(&json!({
                "schemaVersion": SCHEMA_VERSION,
                "type": "failure",
                "message": failed.message,
                "causes": failed.causes,
                "hints": failed.hints,
            })),
            MessageFormat::Github => self.data(&github::failure(failed)),
            MessageFormat::Human => {
                let text = self.human_failure(failed);
                self.talk(&text);
                Ok(())
            }
        }
    }

    fn human_failure(&self, failed: &FailedCommand) -> Shown {
        const RED: &str = "\x1b[1m\x1b[91m";
        const BLUE: &str = "\x1b[1m\x1b[96m";
        let mut page = TerminalPage::new(self.color);
        let message = format!(": {}", failed.message);
        page.spans(&[(RED, &"error"), ("\x1b[1m", &message)]);
        for cause in &failed.causes {
            page.line(format_args!("  because: {cause}"));
        }
        for hint in &failed.hints {
            page.spans(&[(BLUE, &"help"), ("", &format_args!(": {hint}"))]);
        }
        page.finish()
    }

    /// What cannot be said on stderr cannot be said at all, so errors there are dropped.
    ///
    /// As in [`Printer::data`], no secret goes out.
    pub fn talk(&mut self, text: &Shown) {
        drop(
            self.stderr
                .write_all(self.without_secrets(text).as_bytes())
                .and_then(|()| self.stderr.flush()),
        );
    }

    fn without_secrets<'t>(&self, text: &'t Shown) -> Cow<'t, str> {
        self.known.blot_out(text.as_str(), shown::spellings)
    }
}

fn count_problems(errors: usize, warnings: usize) -> String {
    match warnings {
        0 => counted(errors, "error"),
        _ => format!(
            "{}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    }
}
