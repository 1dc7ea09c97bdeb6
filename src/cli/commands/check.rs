//! `kiln check`: everything but the writing.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::check::{Baseline, Findings};
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::judged_tree::{JudgedTree, TreeChoices};
use crate::cli::printer::Printer;
use crate::cli::report::check::{junit, sarif, unjudged};
use crate::cli::report::counted::counted;
use crate::cli::report::unseen;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::diagnostic::Diagnostic;
use crate::pipeline::{self, KeyHandling};

const MORE: &str = "\
In a project it loads and validates the config, renders, hardens, checks and seals in memory. To
compare the result with the disk as well, use `kiln render --check`.

In any other tree it follows Flux from where it starts, builds and fills in what Flux applies, and
asks the rules of that. It needs no cluster, no network, no key and no Kiln project. A `kiln.toml`
beside it may hold settings:

  [check]
  fail-on = [\"warning\"]             # fail on warnings too; or on codes, or on \"not-seen\"
  ignore = [\"kubernetes/archive\"]   # say nothing of these files
  baseline = \"kiln-baseline.yaml\"   # only what is new counts; --write-baseline writes it

  [[exempt]]
  rule = \"resource-unlisted\"
  path = \"kubernetes/bootstrap\"
  reason = \"Applied by hand\"

Examples:
  kiln check
  kiln check clusters/home
  kiln check --message-format github     Annotations on a pull request
  kiln check --format sarif > check.sarif";

/// Check a project or any Flux tree, and write nothing
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct CheckArgs {
    #[command(flatten)]
    tree: TreeChoices,
    /// Print the findings in a form for other programs
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<CheckFormat>,
    /// Write all findings to the baseline, so that they count no more
    #[arg(long)]
    write_baseline: bool,
}

/// The form of findings on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For code scanning.
    #[value(help = None)]
    Sarif,
    /// For a list of tests.
    #[value(help = None)]
    Junit,
}

/// Checks and reports.
pub fn run(
    args: &CheckArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    match args.tree.open(settings, printer)? {
        JudgedTree::Project(session) => {
            check_project(args, &session.judging_strictly(), settings, printer)
        }
        JudgedTree::Plain(open) => {
            let findings = open.ask(|plain| Ok(plain.check(args.write_baseline)))??;
            if args.write_baseline {
                return write_baseline(&findings.diagnostics, &open.session, printer);
            }
            let sentence = format!(
                "checked {} of {}",
                counted(findings.objects, "object"),
                counted(findings.builds, "Kustomization")
            );
            let object = json!({"objects": findings.objects, "kustomizations": findings.builds});
            args.report(
                &findings.diagnostics,
                &findings,
                (&sentence, object),
                printer,
            )
        }
    }
}

fn check_project(
    args: &CheckArgs,
    session: &ProjectSession,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    if args.write_baseline {
        let found = pipeline::all_findings(&session.world().with_keys(KeyHandling::AtHand));
        let found = found.map_err(|failure| CommandError::from(failure).unanswered())?;
        return write_baseline(&found, session, printer);
    }
    if args.format.is_some() {
        let compiled = session.compile_silently(KeyHandling::AtHand, settings);
        let none = Findings::default();
        let (diagnostics, findings) = match &compiled {
            Ok(compiled) => (&compiled.warnings, &compiled.findings),
            Err(CommandError::Problems(problems)) => (problems, &none),
            Err(_) => return compiled.map(|_| CommandOutcome::Clean),
        };
        return args.report(
            diagnostics,
            findings,
            ("checked the project", json!({})),
            printer,
        );
    }
    let compiled = session.compile_guarded(KeyHandling::AtHand, settings, printer)?;
    let files = compiled.tree.files().len();
    let sentence = format!(
        "checked {} from {}",
        counted(files, "file"),
        counted(compiled.templates, "template")
    );
    let object = json!({"files": files, "templates": compiled.templates});
    // Its warnings were reported on the way.
    args.conclude(
        &compiled.warnings,
        &compiled.findings,
        (&sentence, object),
        printer,
    )
}

impl CheckArgs {
    fn report(
        &self,
        diagnostics: &[Diagnostic],
        findings: &Findings,
        done: (&str, Value),
        printer: &mut Printer,
    ) -> Result<CommandOutcome, CommandError> {
        match self.format {
            None => printer.report(diagnostics)?,
            Some(CheckFormat::Sarif) => printer.data(&sarif::render(diagnostics))?,
            Some(CheckFormat::Junit) => printer.data(&junit::render(diagnostics))?,
        }
        self.conclude(diagnostics, findings, done, printer)
    }

    /// Says what is not seen or left out, and how much was found.
    fn conclude(
        &self,
        diagnostics: &[Diagnostic],
        findings: &Findings,
        (sentence, mut object): (&str, Value),
        printer: &mut Printer,
    ) -> Result<CommandOutcome, CommandError> {
        let errors = diagnostics.iter().filter(|found| found.is_error()).count();
        let warnings = diagnostics.len() - errors;
        if !printer.is_machine() && !printer.is_quiet() {
            unseen::show(&findings.parts, printer);
            let notes = unjudged::list(findings, printer.is_verbose());
            printer.talk(&notes);
        }
        let mut told = match errors {
            0 => format!("{sentence}: no errors, {}", counted(warnings, "warning")),
            _ => format!(
                "{sentence}: {}, {}",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
        };
        for (number, what) in [
            (findings.known, "known by the baseline"),
            (findings.ignored, "in paths that are left out"),
            (
                findings.gone,
                "of the baseline gone (`--write-baseline` takes them out)",
            ),
        ] {
            if number > 0 {
                told.extend([", ", &number.to_string(), " ", what]);
            }
        }
        object["errors"] = errors.into();
        object["warnings"] = warnings.into();
        object["notSeen"] = findings.parts.len().into();
        object["notJudged"] = findings.unseen.len().into();
        object["known"] = findings.known.into();
        object["ignored"] = findings.ignored.into();
        if self.format.is_none() {
            printer.summary(&told, &object)?;
        } else {
            printer.status(told);
        }
        Ok(if errors > 0 {
            CommandOutcome::Findings
        } else {
            CommandOutcome::Clean
        })
    }
}

fn write_baseline(
    found: &[Diagnostic],
    session: &ProjectSession,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let Some(path) = pipeline::baseline_file(&session.world())? else {
        return Err(CommandError::failed("`kiln.toml` names no baseline")
            .hint("say `baseline = \"kiln-baseline.yaml\"` below `[check]`"));
    };
    let baseline = Baseline::of(found);
    let head = "# Findings that `kiln check` knows already; `kiln check --write-baseline` writes this anew.\n";
    let text = format!("{head}{}", baseline.to_yaml());
    session.disk.put(&path, text.as_bytes())?;
    let sentence = format!("wrote {} to `{path}`", counted(baseline.len(), "finding"));
    printer.summary(&sentence, &json!({"findings": baseline.len()}))?;
    Ok(CommandOutcome::Clean)
}
