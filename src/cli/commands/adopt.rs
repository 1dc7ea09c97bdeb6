//! `kiln adopt`: the way in for a live repository.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::adopt::{self, AddressLoss, RepositoryKind};
use crate::cli::adoption::Adoption;
use crate::cli::commands::replacement::Replacement;
use crate::cli::credentials;
use crate::cli::deadline::Deadline;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::report::diff::terminal::{self, View};
use crate::cli::session::{PROJECT_FILE, ProjectSession, stand_ins};
use crate::cli::settings::Settings;
use crate::cli::turn::Turn;
use crate::diagnostic::Diagnostic;
use crate::fs::Disk;
use crate::pipeline::KeyHandling;
use crate::write::{self, PlanOptions, WritePlan, WriteReport};

const COMMAND: &str = "kiln adopt";

const MORE: &str = "\
Says what the repository is, and compiles it in memory as Kiln would have it: an older config of
cluster-template gets the keys of today, entries of your own stay in the lists, and sealed files whose
values are the same keep their bytes. Then it shows what the switch does to the cluster, dangers
first. Nothing is written without `--write`, which takes the files over in one go; nothing that Flux
applies today is dropped unless `--drop` names it; and a second run has nothing to do.

Exit codes: 0 done, or ready for `--write`; 1 something stands against it; 2 could not tell.

Examples:
  kiln adopt                                    Look
  kiln adopt --drop PodMonitor/network/old      Look, and let one object go
  kiln adopt --write                            Take over";

/// Take a live repository over: what it is, what the switch does to the cluster, and the switch
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct AdoptArgs {
    /// The root of the repository [default: the current folder]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Take over: write the inputs and all outputs
    #[arg(long)]
    write: bool,
    /// Let an object go that Flux applies today: `Kind/namespace/name`, or `Kind/name`; can be given more than once
    #[arg(long, value_name = "OBJECT")]
    drop: Vec<String>,
}

/// Looks at a repository, and takes it over.
pub fn run(
    args: &AdoptArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let start = &settings.directory;
    let named = args.folder.as_ref().map(|folder| start.join(folder));
    let root = named.unwrap_or_else(|| start.clone());
    if !root.is_dir() {
        let message = format!("there is no folder `{}`", root.display());
        return Err(CommandError::failed(message));
    }
    printer.in_project(&root);
    let disk = Disk::open(&root)?;
    let mut kind = adopt::recognize(&disk)?;
    if kind == RepositoryKind::Kiln
        && ProjectSession::rendering_root(disk.root(), settings)?.is_none()
    {
        kind = RepositoryKind::FluxTree;
    }
    printer.status(format_args!("this is {kind}"));
    match kind {
        RepositoryKind::Kiln | RepositoryKind::ClusterTemplate { .. } => {
            adopt_rendered(args, disk.root(), kind, settings, printer)
        }
        RepositoryKind::FluxTree => leave(
            kind,
            "nothing to adopt: what nothing renders stays as it is; `kiln check`, `kiln diff`, `kiln audit` and `kiln harden` work on it at once",
            printer,
        ),
        RepositoryKind::Makejinja => leave(
            kind,
            "nothing to adopt: its own templates render it; `kiln check`, `kiln diff` and `kiln audit` work on what they render",
            printer,
        ),
        RepositoryKind::Unknown => Err(CommandError::failed(format!(
            "nothing in `{}` is applied by Flux",
            disk.root().display()
        ))
        .hint("name the root of a repository, or start one with `kiln init DIR`")),
    }
}

/// Ends where nothing is to be done.
fn leave(
    kind: RepositoryKind,
    sentence: &str,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    printer.summary(
        sentence,
        &json!({"repository": kind.to_string(), "adopted": false}),
    )?;
    Ok(CommandOutcome::Clean)
}

fn adopt_rendered(
    args: &AdoptArgs,
    root: &Path,
    kind: RepositoryKind,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let session = ProjectSession::open_root(root, settings, KeyUse::WithPlugins)?;
    let mut claimed = None;
    if args.write {
        let layout = Adoption::layout(&session, kind)?;
        let claim = || write::claim(&session.target(&layout, COMMAND));
        claimed = Some(Turn::new(settings).wait(claim)?);
    }
    let keys = if args.write {
        KeyHandling::Needed
    } else {
        KeyHandling::AtHand
    };
    let clock = Deadline::start(settings);
    let adoption = Adoption::prepare(&session, kind, keys)?;
    let target = session.target(&adoption.layout, COMMAND);
    let target = target.taking_over(&adoption.take_over);
    let options = PlanOptions {
        force: false,
        dry_run: !args.write,
    };
    let tree = &adoption.compiled.tree;
    let planned = match claimed {
        Some(claimed) => claimed.plan(tree, &target, options)?,
        None => write::plan(tree, &target, options)?,
    };
    let planned = planned.map_err(CommandError::Problems)?;
    let plan = planned.value;
    let result = AdoptSummary {
        adoption: &adoption,
        kind,
        written: args.write,
    };
    if plan.report().is_clean() && adoption.proposal.is_empty() {
        printer.summary(
            "nothing to adopt: all of it is Kiln's",
            &result.object(plan.report()),
        )?;
        return Ok(CommandOutcome::Clean);
    }
    result.show(settings, printer)?;
    if let Some(told) = stand_ins(&adoption.compiled.stand_ins) {
        printer.status(told);
    }
    printer.report(&adoption.compiled.warnings)?;
    printer.report(&planned.warnings)?;
    printer.report(&adoption.warnings())?;
    let mut problems = adoption.problems(&args.drop);
    if args.write {
        problems.extend(uncommitted(&adoption, &session)?);
    }
    if !problems.is_empty() {
        return Err(CommandError::Problems(problems));
    }
    drop(clock);
    let report = if args.write {
        take_over(plan, &adoption, &session, printer)?
    } else {
        plan.report().clone()
    };
    result.list(&report, printer);
    printer.summary(&result.sentence(&report), &result.object(&report))?;
    Ok(CommandOutcome::Clean)
}

/// Refuses to write over what could not be had back.
fn uncommitted(
    adoption: &Adoption,
    session: &ProjectSession,
) -> Result<Option<Diagnostic>, CommandError> {
    let paths = adoption.uncommitted(session)?;
    let message = match paths.as_slice() {
        [] => return Ok(None),
        [one] => format!("`{one}` would be replaced, and is not in the last commit as it is"),
        all => format!(
            "{} files would be replaced, and are not in the last commit as they are",
            all.len()
        ),
    };
    let problem = Diagnostic::error(&adopt::codes::NOT_COMMITTED, message)
        .with_hint("commit them first, so that they can be had back");
    Ok(Some(match paths.as_slice() {
        [_] => problem,
        _ => problem.with_files(paths),
    }))
}

/// Writes the inputs, and then all outputs in one go: cut off in between, the old outputs are there, and the next run goes
/// on.
fn take_over(
    plan: WritePlan<'_>,
    adoption: &Adoption,
    session: &ProjectSession,
    printer: &mut Printer,
) -> Result<WriteReport, CommandError> {
    credentials::ignore(&session.disk, printer)?;
    let folder = session.disk.folder(".")?;
    let proposal = &adoption.proposal;
    for moved in proposal.key_files.iter().chain(&proposal.bundle) {
        folder.rename(&moved.from, &moved.to)?;
        printer.status(format_args!("renamed {} to {}", moved.from, moved.to));
    }
    // Last, since it is what makes the folder a project.
    let is_project = |(path, _): &(&String, &String)| path.as_str() == PROJECT_FILE;
    let (last, first): (Vec<_>, Vec<_>) = proposal.inputs.iter().partition(is_project);
    let files = first.into_iter().chain(last);
    let replaced = Replacement::make(
        &session.disk,
        files.map(|(path, text)| (path.clone(), text.clone())),
    )?;
    match plan.apply() {
        Ok(report) => Ok(report),
        Err(error) => {
            replaced.undo()?;
            Err(error.into())
        }
    }
}

/// What a run came to.
struct AdoptSummary<'r> {
    adoption: &'r Adoption,
    kind: RepositoryKind,
    written: bool,
}

impl AdoptSummary<'_> {
    /// Shows what the switch does to the cluster, and what becomes of the config and the lists.
    fn show(&self, settings: &Settings, printer: &mut Printer) -> Result<(), CommandError> {
        if !printer.is_machine() {
            let view = View {
                color: settings.stdout_color,
                body_lines: (!printer.is_verbose()).then_some(View::BODY_LINES),
            };
            printer.data(&terminal::render(&self.adoption.report, view))?;
        }
        let proposal = &self.adoption.proposal;
        for (old, new) in &proposal.moved_keys {
            printer.status(format_args!("config: {old} is now {new}"));
        }
        let kept = &self.adoption.kept;
        for addition in &kept.lists.additions {
            for name in addition.names() {
                printer.status(format_args!("kept in {}: {name}", addition.path));
            }
        }
        for app in &kept.switched_off {
            printer.status(format_args!("config: {app} stays off, as it is not here"));
        }
        if let AddressLoss::Ranges(ranges) = &kept.addresses {
            let list = ranges.join(", ");
            printer.status(format_args!("config: load balancers keep {list}"));
        }
        if kept.traffic {
            printer.status("config: network policies stay off, as there are none today");
        }
        Ok(())
    }

    /// Names each file for those who asked for more, and says what comes next.
    fn list(&self, report: &WriteReport, printer: &mut Printer) {
        for path in self.adoption.proposal.inputs.keys() {
            printer.status(format_args!("{} {path}", self.verb("wrote", "would write")));
        }
        let kinds = [
            ("created", &report.created),
            ("changed", &report.changed),
            ("removed", &report.removed),
        ];
        for (kind, path) in kinds
            .iter()
            .flat_map(|(kind, paths)| paths.iter().map(move |path| (kind, path)))
        {
            printer.detail(format_args!("{kind} {path}"));
        }
        if self.touches_machines(report) {
            printer.status("in this order, once it is written:");
            printer.status("  1. commit, and do not push yet: the machines come first");
            printer.status("  2. `just talos diff`, then `just talos apply`, one machine after another: Flux' side counts on");
            printer.status(
                "     certificates of kubelets and on a host DNS that the machines have only then",
            );
            printer.status("  3. push, and watch `flux get kustomizations --all-namespaces`");
        }
    }

    fn touches_machines(&self, report: &WriteReport) -> bool {
        let changed = [&report.created, &report.changed, &report.removed];
        let mut paths = changed.into_iter().flatten();
        let prefix = super::diff::prefix(&self.adoption.layout);
        paths.any(|path| {
            let path = path.strip_prefix(&prefix).unwrap_or(path);
            path.starts_with("talos/")
        })
    }

    fn verb(&self, done: &'static str, would: &'static str) -> &'static str {
        if self.written { done } else { would }
    }

    /// Counts the sealed files, and those of which the ciphertext was kept.
    fn sealed(&self) -> (usize, usize) {
        let tree = &self.adoption.compiled.tree;
        let sealed = || tree.outputs().filter(|(_, file)| file.sealed);
        (
            sealed().count(),
            sealed().filter(|(_, file)| file.kept).count(),
        )
    }

    fn sentence(&self, report: &WriteReport) -> String {
        let WriteReport {
            created,
            changed,
            unchanged,
            removed,
            ..
        } = report;
        let (sealed, kept) = self.sealed();
        let end = self.verb("", "; nothing was written, `--write` does it");
        format!(
            "{}: {} files changed, {} as they were, {} created, {} removed; {sealed} sealed ({kept} kept){end}",
            self.verb("taken over", "would take over"),
            changed.len(),
            unchanged.len(),
            created.len(),
            removed.len(),
        )
    }

    fn object(&self, report: &WriteReport) -> serde_json::Value {
        let (sealed, sealed_kept) = self.sealed();
        let Adoption {
            proposal,
            kept,
            lost,
            report: diff,
            ..
        } = self.adoption;
        let lists = kept.lists.additions.iter().map(|addition| {
            let entries = addition.entries.iter().map(|(_, entry)| entry);
            let fields = addition.fields.iter().map(|(field, _)| field);
            json!({"path": addition.path, "entries": entries.collect::<Vec<_>>(), "fields": fields.collect::<Vec<_>>()})
        });
        let renamed = proposal.key_files.iter().chain(&proposal.bundle);
        let renamed = renamed.map(|moved| json!({"from": moved.from, "to": moved.to}));
        let dangers = diff.dangers.iter().map(|danger| {
            json!({"code": danger.code(), "object": danger.subject.to_string(), "message": danger.message})
        });
        json!({
            "repository": self.kind.to_string(),
            "adopted": self.written,
            "dangers": dangers.collect::<Vec<_>>(),
            "lost": lost.names(),
            "inputs": proposal.inputs.keys().collect::<Vec<_>>(),
            "renamed": renamed.collect::<Vec<_>>(),
            "movedKeys": proposal.moved_keys,
            "keptInLists": lists.collect::<Vec<_>>(),
            "switchedOff": kept.switched_off,
            "created": report.created,
            "changed": report.changed,
            "unchanged": report.unchanged.len(),
            "removed": report.removed,
            "sealed": sealed,
            "sealedKept": sealed_kept,
        })
    }
}
