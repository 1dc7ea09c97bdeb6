//! `kiln audit`: how well the tree follows the field's advice.

use clap::ValueEnum;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::judged_tree::{JudgedTree, TreeChoices};
use crate::cli::printer::Printer;
use crate::cli::progress::Progress;
use crate::cli::report::audit::{
    AuditReport, github, human, json, junit, markdown, percent, sarif,
};
use crate::cli::report::shown;
use crate::cli::session;
use crate::cli::settings::Settings;
use crate::pipeline::{self, Audited, KeyHandling};
use crate::rules::Category;

const MORE: &str = "\
Each rule asks one question of every workload, container or object that it is about: it passes,
fails, is exempt with a reason, or is not seen. A category's score is the mean of what passes of its
rules by their weights, over what is seen; the share that is seen stands beside it. The total is the
mean of the categories.
Nothing is written. An exemption goes into `kiln.toml`:

  [[exempt]]
  rule = \"replicas-min\"
  namespace = \"default\"
  name = \"echo\"
  reason = \"A test page\"

Examples:
  kiln audit                            Print the scorecard and the worst gaps
  kiln audit ../home-ops                The same of any Flux tree
  kiln audit -v --only probes           List all about probes, passes included
  kiln audit --fail-under 80            Exit with 1 below 80 %: for CI
  kiln audit --format sarif > audit.sarif
  kiln explain probe-readiness          Tell what a check asks, and why";

/// Score the tree before and after hardening, and list the gaps that are left
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct AuditArgs {
    #[command(flatten)]
    tree: TreeChoices,
    /// The form of the scorecard
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ScorecardFormat,
    /// Exit with 1 if the total after hardening is below N per cent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
    /// Look at one category only
    #[arg(long, value_name = "CATEGORY", value_parser = category)]
    only: Option<Category>,
}

/// The form of a scorecard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ScorecardFormat {
    /// For people.
    #[default]
    #[value(help = None)]
    Human,
    /// For programs, by `schemas/audit.schema.json`.
    #[value(help = None)]
    Json,
    /// For code scanning.
    #[value(help = None)]
    Sarif,
    /// For programs that show lists of tests.
    #[value(help = None)]
    Junit,
    /// For annotations on a pull request.
    #[value(help = None)]
    Github,
    /// For a comment on a pull request.
    #[value(help = None)]
    Markdown,
}

fn category(text: &str) -> Result<Category, String> {
    Category::parse(text).ok_or_else(|| {
        let codes: Vec<&str> = Category::ALL.into_iter().map(Category::code).collect();
        format!("the categories are {}", codes.join(", "))
    })
}

/// Audits what there is to look at; also returns the folder that outputs go to.
fn audit(
    args: &AuditArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(Audited, String), CommandError> {
    let opened = args.tree.open(settings, printer);
    let opened = opened.map_err(CommandError::unanswered)?;
    let progress = Progress::start(settings, "auditing");
    let (audited, output) = match &opened {
        JudgedTree::Project(session) => {
            let layout = session.layout().map_err(CommandError::unanswered)?;
            let audited = pipeline::audit(&session.world().with_keys(KeyHandling::AtHand));
            (audited, layout.output)
        }
        JudgedTree::Plain(open) => (open.ask(|plain| plain.audit())?, String::new()),
    };
    drop(progress);
    let audited = audited.map_err(|failure| CommandError::from(failure).unanswered())?;
    Ok((audited, output))
}

/// Audits and prints the scorecard.
pub fn run(
    args: &AuditArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let (mut audited, output) = audit(args, settings, printer)?;
    if let Some(told) = session::stand_ins(&audited.stand_ins) {
        printer.status(told);
    }
    if let Some(category) = args.only {
        audited.scorecard.only(category);
    }
    let total = audited.scorecard.after.total();
    let prefix = match output.trim_matches('/') {
        "" | "." => String::new(),
        folder => format!("{folder}/"),
    };
    let prefix = match args.format {
        ScorecardFormat::Github => format!("{}{prefix}", printer.checkout_prefix()),
        _ => prefix,
    };
    let report = AuditReport {
        audited: &audited,
        prefix,
        verbose: printer.is_verbose(),
        color: settings.stdout_color,
    };
    let text = match args.format {
        ScorecardFormat::Human => human::render(&report),
        ScorecardFormat::Json => shown::json::page(&json::render(&report)),
        ScorecardFormat::Sarif => shown::json::page(&sarif::render(&report)),
        ScorecardFormat::Junit => junit::render(&report),
        ScorecardFormat::Github => github::render(&report),
        ScorecardFormat::Markdown => markdown::render(&report),
    };
    printer.data(&text)?;
    match args.fail_under {
        Some(wanted) if total < u64::from(wanted) * 100 => {
            printer.status(format_args!(
                "the total is {}, and {wanted} % are wanted",
                percent(Some(total))
            ));
            Ok(CommandOutcome::Findings)
        }
        _ => Ok(CommandOutcome::Clean),
    }
}
