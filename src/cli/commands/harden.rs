//! `kiln harden`: the defaults that are missing, added in place.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::judged_tree::{JudgedTree, TreeChoices};
use crate::cli::printer::Printer;
use crate::cli::report::counted::counted;
use crate::cli::report::record::named;
use crate::cli::report::unified;
use crate::cli::settings::Settings;
use crate::diagnostic::closest;
use crate::fs::{Access, Disk};
use crate::pipeline::{self, HardenedTree};

const MORE: &str = "\
It adds what is missing and proved to be right for all that comes of a file: Pod Security labels,
priority classes, probes, security contexts, budgets and the like. What somebody set stays, comments
and order too, and nothing is added where something is not seen that may say otherwise. Without
`--write` nothing is written.

In a project that renders its tree, `kiln render` does the same to what it renders.

Examples:
  kiln harden                             Say what would be added, and why
  kiln harden --diff                      Show it as a diff
  kiln harden --rule pod-security --write Add the labels of one rule";

/// Add the security defaults that are missing to a Flux tree, in place
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct HardenArgs {
    #[command(flatten)]
    tree: TreeChoices,
    /// Print the additions as a unified diff
    #[arg(long)]
    diff: bool,
    /// Write the additions
    #[arg(long, conflicts_with = "diff")]
    write: bool,
    /// Only what a rule adds
    #[arg(long = "rule", value_name = "RULE", value_parser = remedy)]
    rules: Vec<String>,
}

fn remedy(text: &str) -> Result<String, String> {
    if pipeline::remedy_codes().any(|code| code == text) {
        return Ok(text.to_owned());
    }
    let codes: Vec<&str> = pipeline::remedy_codes().collect();
    Err(match closest(text, codes.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the rules that add something are {}", codes.join(", ")),
    })
}

/// Hardens in memory, and shows or writes what that adds.
pub fn run(
    args: &HardenArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let JudgedTree::Plain(open) = args.tree.open(settings, printer)? else {
        return Err(CommandError::failed(
            "this project renders its tree, and hardens it as it does",
        )
        .hint("`kiln render` writes it; `kiln render -v` says what was added"));
    };
    let hardened = open.ask(|plain| plain.harden(&args.rules))?;
    let hardened = hardened.map_err(CommandError::from)?;
    printer.report(&hardened.warnings)?;
    if args.diff {
        printer.data(&unified::render(&changes(&hardened), settings.stdout_color))?;
    } else if args.write {
        write(&hardened, open.tree.disk())?;
    }
    record(args, &hardened, printer)?;
    Ok(if args.write || hardened.tree.injections().is_empty() {
        CommandOutcome::Clean
    } else {
        CommandOutcome::Findings
    })
}

/// Lists the files that change, by path: the text before, empty for a new one, and after.
fn changes(hardened: &HardenedTree) -> BTreeMap<&str, (&str, &str)> {
    let mut changes = BTreeMap::new();
    for file in &hardened.before {
        let after = hardened.tree.get(&file.path);
        let after = after.map_or("", |after| &after.source.text);
        changes.insert(file.path.as_str(), (&*file.source.text, after));
    }
    for path in &hardened.created {
        if let Some(file) = hardened.tree.get(path) {
            changes.insert(path, ("", &file.source.text));
        }
    }
    changes
}

/// Writes new files first, and then those that list them: a run that is cut off leaves nothing listed that is missing.
fn write(hardened: &HardenedTree, disk: &Disk) -> Result<(), CommandError> {
    for file in &hardened.before {
        let now = disk.peek(&file.path)?;
        if now.as_deref() != Some(file.source.text.as_bytes()) {
            let message = format!("`{}` changed while it was looked at", file.path);
            return Err(CommandError::failed(message).hint("run it again"));
        }
    }
    for path in &hardened.created {
        if let Some(file) = hardened.tree.get(path) {
            disk.create(path, file.source.text.as_bytes(), Access::Usual)?;
        }
    }
    for file in &hardened.before {
        if let Some(after) = hardened.tree.get(&file.path) {
            disk.replace(&file.path, after.source.text.as_bytes())?;
        }
    }
    Ok(())
}

/// Says what is added and why, and what could not be.
fn record(
    args: &HardenArgs,
    hardened: &HardenedTree,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let tree = &hardened.tree;
    let verb = if args.write {
        "added"
    } else {
        "would be added"
    };
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for injection in tree.injections() {
        *rules.entry(injection.rule).or_default() += 1;
        if !args.diff && !printer.is_json() {
            let what = named(&injection.object, &injection.route);
            let (path, rule, reason) = (&injection.path, injection.rule, &injection.reason);
            printer.line(format_args!("{path}: {what} by {rule}: {reason}"))?;
        }
    }
    for gap in tree.gaps() {
        let what = named(&gap.object, &gap.route);
        let (path, rule, reason) = (&gap.path, gap.rule, &gap.reason);
        printer.detail(format_args!(
            "missing in {path}: {what} by {rule}: {reason}"
        ));
    }
    let counts: Vec<String> = rules
        .iter()
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    let total = tree.injections().len();
    let files = hardened.before.len() + hardened.created.len();
    let sentence = match total {
        0 => "nothing to add".to_owned(),
        _ => format!(
            "{total} {verb} in {}: {}",
            counted(files, "file"),
            counts.join(", ")
        ),
    };
    let missing = tree.gaps().len();
    let sentence = match missing {
        0 => sentence,
        _ => format!("{sentence}; {missing} missing that cannot be added (-v says why)"),
    };
    let object = json!({
        "additions": total,
        "files": files,
        "rules": rules,
        "missing": missing,
        "written": args.write,
    });
    printer.summary(&sentence, &object)
}
