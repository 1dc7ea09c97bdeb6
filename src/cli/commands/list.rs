//! `kiln list`: the inventory of what Flux applies.

mod images;
mod kustomizations;
mod releases;
mod sources;

use std::borrow::Cow;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::flux_inputs::{FluxChoices, FluxInputs, applied};
use crate::cli::found_in_tree::FoundInTree;
use crate::cli::printer::Printer;
use crate::cli::report::place_names::PlaceNames;
use crate::cli::report::shown::{self, Shown, terminal};
use crate::cli::report::table::table;
use crate::cli::report::unseen::{self, UnseenNote};
use crate::cli::repository_tree::RepositoryTree;
use crate::cli::settings::Settings;
use crate::flux::{AppliedObject, AppliedObjects, without_secrets};

/// The version of the JSON; raised when a field goes or changes its meaning.
const VERSION: u32 = 1;
/// How many users of a thing are named in a table.
const NAMED: usize = 2;

const MORE: &str = "\
It reads what Flux applies of the repository on disk, as `kiln build` prints it: without a cluster,
a network, a key or a Kiln project. What cannot be told from the files is listed on stderr as not
seen.

Examples:
  kiln list images                              Each image, and who runs it
  kiln list releases -o json                    Helm releases with charts and versions, for programs
  kiln list kustomizations -o mermaid           A graph of what depends on what
  kiln list sources --root clusters/staging     The sources of one of several clusters";

/// List images, releases, kustomizations or sources of what Flux applies
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct ListArgs {
    #[command(subcommand)]
    subject: ListSubject,
}

#[derive(Debug, Subcommand)]
enum ListSubject {
    /// Container images: of pods, of custom resources, and of values of Helm releases
    Images(ListOptions),
    /// Helm releases with their charts and versions
    Releases(ListOptions),
    /// Flux Kustomizations with their folders, and what they depend on
    Kustomizations(KustomizationOptions),
    /// Sources, and who reads from them
    Sources(ListOptions),
}

#[derive(Debug, Args)]
struct ListOptions {
    /// The form of the list
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: ListFormat,
    #[command(flatten)]
    flux: FluxChoices,
}

#[derive(Debug, Args)]
struct KustomizationOptions {
    /// The form of the list
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: GraphFormat,
    #[command(flatten)]
    flux: FluxChoices,
}

/// The form of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// Columns with a head.
    #[default]
    #[value(help = None)]
    Table,
    /// A name a line.
    #[value(help = None)]
    Name,
    /// For programs, by `schemas/list.schema.json`.
    #[value(help = None)]
    Json,
}

/// The form of a list that may be a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// Columns with a head.
    #[default]
    #[value(help = None)]
    Table,
    /// A name a line.
    #[value(help = None)]
    Name,
    /// For programs, by `schemas/list.schema.json`.
    #[value(help = None)]
    Json,
    /// A Mermaid graph: an arrow to what is needed, a dotted one from what applies it.
    #[value(help = None)]
    Mermaid,
}

/// A list in all its forms.
struct Inventory {
    /// What it lists, as JSON names it.
    subject: &'static str,
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
    names: Vec<String>,
    items: Vec<Value>,
}

/// Lists.
pub fn run(
    args: &ListArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let choices = match &args.subject {
        ListSubject::Images(options)
        | ListSubject::Releases(options)
        | ListSubject::Sources(options) => &options.flux,
        ListSubject::Kustomizations(options) => &options.flux,
    };
    let tree = RepositoryTree::open(settings, printer)?;
    let inputs =
        FluxInputs::gather(&tree, choices, false, settings).map_err(CommandError::unanswered)?;
    let files = tree.files()?;
    let options = inputs.options(&tree, &files)?;
    let mut applied = applied(&files, &options, &tree)?;
    hide_secrets(&mut applied);
    let verbose = printer.is_verbose();
    let found = FoundInTree {
        applied: &applied,
        owners: None,
    };
    let unseen = found.unseen(&PlaceNames::new(str::to_owned));
    let text = match &args.subject {
        ListSubject::Images(options) => {
            shown_as(&images::list(&applied, verbose), options.output, &unseen)
        }
        ListSubject::Releases(options) => {
            shown_as(&releases::list(&applied), options.output, &unseen)
        }
        ListSubject::Sources(options) => {
            shown_as(&sources::list(&applied, verbose), options.output, &unseen)
        }
        ListSubject::Kustomizations(options) => {
            let inventory = kustomizations::list(&applied);
            match options.output {
                GraphFormat::Mermaid => kustomizations::graph(&applied),
                GraphFormat::Table => shown_as(&inventory, ListFormat::Table, &unseen),
                GraphFormat::Name => shown_as(&inventory, ListFormat::Name, &unseen),
                GraphFormat::Json => shown_as(&inventory, ListFormat::Json, &unseen),
            }
        }
    };
    printer.data(&text)?;
    if !printer.is_quiet() {
        let notes = unseen::list(&unseen, verbose);
        printer.talk(&notes);
    }
    let refused = found.refused();
    let refused: Vec<String> = refused
        .into_iter()
        .filter_map(|build| build.owner)
        .collect();
    let lacking = [
        (refused, "not in the list, since Flux refuses the build"),
        (
            found.partial(),
            "only a part is in the list, since Flux passes over keys that kustomize does not know",
        ),
    ];
    let mut outcome = CommandOutcome::Clean;
    for (owners, told) in lacking {
        if !owners.is_empty() {
            let sentence = format!("{told}: {}; `kiln build` says why", owners.join(", "));
            printer.talk(&terminal::line(sentence));
            outcome = CommandOutcome::Findings;
        }
    }
    Ok(outcome)
}

/// Takes values of Secrets out of all objects, so that no list can show one.
fn hide_secrets(applied: &mut AppliedObjects) {
    for object in &mut applied.objects {
        let hidden = match without_secrets(&object.field) {
            Cow::Owned(hidden) => Some(hidden),
            Cow::Borrowed(_) => None,
        };
        if let Some(hidden) = hidden {
            object.field = Arc::new(hidden);
        }
    }
}

fn shown_as(inventory: &Inventory, format: ListFormat, unseen: &[UnseenNote]) -> Shown {
    match format {
        ListFormat::Table => table(inventory.head, &inventory.rows),
        ListFormat::Name => inventory.names.iter().map(terminal::line).collect(),
        ListFormat::Json => {
            let mut page = json!({"version": VERSION});
            page[inventory.subject] = json!(inventory.items);
            page["notSeen"] = unseen.iter().map(UnseenNote::json).collect();
            shown::json::page(&page)
        }
    }
}

/// Lists the objects that Flux gets to from one of its roots.
fn reached(applied: &AppliedObjects) -> impl Iterator<Item = &AppliedObject> {
    let objects = applied.objects.iter();
    objects.filter(|object| applied.build_of(object).is_reached())
}

/// Names a few of many.
fn named(all: &[String], verbose: bool) -> String {
    let shown = if verbose { all.len() } else { NAMED };
    let list = all
        .iter()
        .take(shown)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match all.len().saturating_sub(shown) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}
