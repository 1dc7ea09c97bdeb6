//! `kiln secrets status`: what is sealed, for whom, and what is not as it should be.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::sealed_files::SealedFiles;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::report::SCHEMA_VERSION;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::terminal::{TerminalPage, cell, columns};
use crate::cli::settings::Settings;
use crate::diagnostic::{self, Diagnostic};
use crate::pipeline::{ReviewedFile, SealReview};
use crate::secret::SealTerms;

const MORE: &str = "\
No key is needed, and no project: any tree with files of SOPS will do. With a key at hand, each file is
opened as well, and what was changed since it was sealed is told.

Looked at are the files below the current folder that git does not ignore: those that are sealed, those
that should be (a creation rule names them, or `.sops.` is in their name), and Secrets in plain text.
Templates of a project are not: they are sealed when they are rendered.

Examples:
  kiln secrets status
  kiln secrets status --format json | jq -r '.files[] | select(.problems != []) | .path'";

/// List what is sealed, for whom, and what is not as it should be
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct StatusArgs {
    /// The form of the list
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: StatusFormat,
}

/// The form of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    /// Columns, and what is wrong as messages.
    #[default]
    #[value(help = None)]
    Human,
    /// One object.
    #[value(help = None)]
    Json,
}

/// Looks, lists, and judges.
pub(super) fn run(
    args: &StatusArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let files = SealedFiles::open(settings, KeyUse::AtHand, printer)?;
    let paths = files.list()?;
    let tree = files.at_hand(&paths)?;
    printer.report(&tree.warnings)?;
    let found = tree.review(paths.iter().map(String::as_str))?;
    let problems: Vec<Diagnostic> = found
        .iter()
        .flat_map(|file| file.review.problems.iter().cloned())
        .collect();
    if args.format == StatusFormat::Json {
        let files: Vec<Value> = found.iter().map(object).collect();
        printer.json(&json!({ "schemaVersion": SCHEMA_VERSION, "files": files }))?;
    } else {
        if !printer.is_machine() {
            printer.data(&table(&found))?;
        }
        printer.report(&problems)?;
        let wrong = found
            .iter()
            .filter(|file| !file.review.problems.is_empty())
            .count();
        printer.status(match (found.len(), wrong) {
            (0, _) => "of the files that git does not ignore, none is sealed and none has to be"
                .to_owned(),
            (1, 0) => "1 file, in order".to_owned(),
            (all, 0) => format!("{all} files, all in order"),
            (all, wrong) => format!("{wrong} of {all} files not in order"),
        });
    }
    Ok(if problems.is_empty() {
        CommandOutcome::Clean
    } else {
        CommandOutcome::Findings
    })
}

/// Says in a word how a file is.
fn state(review: &SealReview) -> &'static str {
    match (&review.terms, review.problems.is_empty()) {
        (Some(_), true) => "ok",
        (Some(_), false) => "wrong",
        (None, _)
            if review
                .problems
                .iter()
                .any(|one| *one.meaning == diagnostic::codes::FILE_UNSEALED) =>
        {
            "plain"
        }
        (None, _) => "broken",
    }
}

fn opens(review: &SealReview) -> &'static str {
    match review.opens {
        Some(true) => "opens",
        Some(false) => "closed",
        None => "",
    }
}

/// Lays out files in columns: how they are, whether they open, where they are, and for whom.
fn table(found: &[ReviewedFile]) -> Shown {
    let width =
        |words: &mut dyn Iterator<Item = &str>| words.map(columns).max().unwrap_or_default();
    let states = width(&mut found.iter().map(|file| state(&file.review)));
    let keys = width(&mut found.iter().map(|file| opens(&file.review)));
    let paths = width(&mut found.iter().map(|file| file.path.as_str()));
    let mut page = TerminalPage::default();
    for ReviewedFile { path, review } in found {
        let recipients = review.terms.iter().flat_map(|terms| &terms.recipients);
        let recipients: Vec<String> = recipients
            .map(|one| sops_age::keys::shown_recipient(one))
            .collect();
        let state = cell(state(review), states);
        let opens = cell(opens(review), keys);
        let (gap, path, recipients) = (
            if keys > 0 { "  " } else { "" },
            cell(path, paths),
            recipients.join(", "),
        );
        let line = format!("{state}  {opens}{gap}{path}  {recipients}");
        page.line(line.trim_end());
    }
    page.finish()
}

fn object(file: &ReviewedFile) -> Value {
    let ReviewedFile { path, review } = file;
    let terms =
        |terms: &SealTerms| json!({ "recipients": terms.recipients, "selector": terms.selector });
    let problem = |problem: &Diagnostic| json!({ "code": problem.code(), "message": problem.message, "hints": problem.hints });
    let problems: Vec<Value> = review.problems.iter().map(problem).collect();
    json!({
        "path": path,
        "state": state(review),
        "sealed": review.terms.as_ref().map(terms),
        "rule": review.rule.as_ref().map(terms),
        "opens": review.opens,
        "problems": problems,
    })
}
