//! One compile and what it leaves, over and over.

use std::path::Path;
use std::time::Duration;

use rand_core::OsRng;

use crate::cli::clock::Stopwatch;
use crate::cli::commands::diff as diff_command;
use crate::cli::deadline::Deadline;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::{KeyPlaces, KeyUse};
use crate::cli::printer::Printer;
use crate::cli::progress::Progress;
use crate::cli::report::occupied;
use crate::cli::session::{PROJECT_FILE, PROJECT_FILES, ProjectSession};
use crate::cli::settings::Settings;
use crate::cli::staying_plugins::StayingPlugins;
use crate::diagnostic::Diagnostic;
use crate::diff::{self, Side};
use crate::fs::PathMark;
use crate::pipeline::{self, Compiled, Layout};
use crate::watch::{self, Expected, Watch};
use crate::write::{self, PlanOptions, WriteReport};

/// How often to try again while another Kiln writes.
const ATTEMPTS: u32 = 300;
/// How long to wait before that.
const BETWEEN: Duration = Duration::from_millis(100);

/// What others are told of who writes.
const COMMAND: &str = "kiln watch";

/// What a cycle came to.
pub struct CycleResult {
    /// What was written.
    pub report: WriteReport,
    /// What that does to the cluster, compared with the last good tree.
    pub diff: Option<diff::DiffReport>,
    /// How long it took until the tree was on disk.
    pub took: Duration,
}

impl CycleResult {
    /// Returns the outcome that `kiln render` would have.
    pub(super) fn outcome(&self) -> CommandOutcome {
        if self.report.edited.is_empty() {
            CommandOutcome::Clean
        } else {
            CommandOutcome::Findings
        }
    }
}

/// What goes from one compile to the next.
pub(super) struct Cycles<'c> {
    root: &'c Path,
    settings: &'c Settings,
    dry: bool,
    /// The last tree that was good.
    good: Option<Side>,
    /// The warnings that were shown and still hold.
    warned: Vec<Diagnostic>,
    failing: bool,
    /// What was compiled while a change came to rest.
    ahead: Option<Compile>,
    plugins: StayingPlugins,
}

/// A compile, with what it read.
struct Compile {
    session: ProjectSession,
    /// What it saw, and what decides which project and keys there are.
    seen: Expected,
    result: Result<(Layout, Compiled)>,
    took: Duration,
}

/// A cycle's result, `None` when the user stopped it.
type Result<T> = std::result::Result<T, CommandError>;

impl<'c> Cycles<'c> {
    pub(super) fn new(root: &'c Path, settings: &'c Settings, dry: bool) -> Self {
        Self {
            root,
            settings,
            dry,
            good: None,
            warned: Vec::new(),
            failing: false,
            ahead: None,
            plugins: StayingPlugins::default(),
        }
    }

    /// Compiles what is there now, for [`run`](Self::run) to take if it still holds then.
    pub(super) fn compile_ahead(&mut self, watch: &Watch) {
        self.ahead = None;
        self.ahead = self.compile(watch).ok();
    }

    /// Returns whether the last compile failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failing
    }

    /// Compiles and writes, and returns how it went and what has to stand for that to stay true.
    ///
    /// # Errors
    /// Only when nothing can be said any more.
    pub(super) fn run(
        &mut self,
        watch: &Watch,
        printer: &mut Printer,
    ) -> Result<(Result<Option<CycleResult>>, Expected)> {
        let mut expected = Expected::default();
        let mut warnings = Vec::new();
        let result = self.attempt(watch, &mut expected, &mut warnings);
        self.failing = result.is_err();
        let new = warnings.iter().filter(|new| !self.warned.contains(new));
        printer.report(&new.cloned().collect::<Vec<_>>())?;
        if !self.failing {
            self.warned = warnings;
        }
        Ok((result, expected))
    }

    fn attempt(
        &mut self,
        watch: &Watch,
        expected: &mut Expected,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Option<CycleResult>> {
        let ahead = self.ahead.take();
        let ahead = ahead.filter(|ahead| self.is_current(ahead, watch));
        let Compile {
            session,
            seen,
            result,
            took,
        } = if let Some(ahead) = ahead {
            ahead
        } else {
            *expected = self.standing(watch);
            self.recover(watch)?;
            self.compile(watch)?
        };
        *expected = seen;
        let time = Stopwatch::start();
        let (layout, mut compiled) = result?;
        warnings.append(&mut compiled.warnings);
        if watch.is_stopped() {
            return Ok(None);
        }
        let report = self.write(&session, &layout, &compiled, watch, warnings);
        if !self.dry {
            expect_outputs(&session, &layout, &compiled, report.as_ref().ok(), expected);
        }
        let report = report?;
        let took = took + time.elapsed();
        let tree = pipeline::follow_outputs(&session.world(), compiled.tree.files())?;
        let mut now = Side::of_tree("now", &compiled.tree, &compiled.unseen)
            .with_config(compiled.values)
            .with_secrets(compiled.secrets)
            .in_tree(tree);
        let diff = self.good.as_ref().map(|good| {
            let mut diff = diff::compare(good, &now, &diff_command::usual(&layout));
            diff.put_below(&diff_command::prefix(&layout));
            diff
        });
        "before".clone_into(&mut now.label);
        self.good = Some(now);
        Ok(Some(CycleResult { report, diff, took }))
    }

    /// Returns whether a compile saw what is there, and no killed run has left anything to complete since.
    fn is_current(&self, ahead: &Compile, watch: &Watch) -> bool {
        let untouched = || match &ahead.result {
            Ok((layout, _)) if !self.dry => write::is_complete(watch.disk(), &layout.output),
            _ => true,
        };
        watch.holds(&ahead.seen) && untouched()
    }

    /// Returns what decides which project and keys there are, as it is now.
    fn standing(&self, watch: &Watch) -> Expected {
        let mut standing = Expected::default();
        let marks = PROJECT_FILES.map(|name| (name.to_owned(), watch.disk().mark(name)));
        standing.add_inputs(marks);
        for place in KeyPlaces(self.settings).files(self.root) {
            let mark = PathMark::anywhere(&place);
            standing.add_outside(place, mark);
        }
        standing
    }

    /// Completes what a killed run left.
    fn recover(&self, watch: &Watch) -> Result<()> {
        if self.dry || !is_project(watch)? {
            return Ok(());
        }
        let session = ProjectSession::open_root(self.root, self.settings, KeyUse::Never)?;
        let layout = session.layout()?;
        let target = session.target(&layout, COMMAND);
        patiently(watch, || write::recover(&target))?;
        Ok(())
    }

    /// Compiles what is there.
    fn compile(&self, watch: &Watch) -> Result<Compile> {
        let time = Stopwatch::start();
        let mut seen = self.standing(watch);
        if !is_project(watch)? {
            let message = format!("`{PROJECT_FILE}` is gone");
            return Err(CommandError::failed(message).hint("this goes on when it is back"));
        }
        let mut session = ProjectSession::open_root(self.root, self.settings, KeyUse::WithPlugins)?;
        session.keep_plugins(&self.plugins);
        self.plugins.end_outdated(&session.disk);
        let clock = Deadline::start(self.settings);
        let progress = Progress::start(self.settings, "rendering");
        let result = session.layout().and_then(|layout| {
            let compiled = pipeline::compile(&session.world(), &mut OsRng)?;
            Ok((layout, compiled))
        });
        drop(progress);
        drop(clock);
        self.plugins.note_reads(&session.disk);
        seen.add_inputs(session.disk.seen());
        Ok(Compile {
            session,
            seen,
            result,
            took: time.elapsed(),
        })
    }

    fn write(
        &self,
        session: &ProjectSession,
        layout: &Layout,
        compiled: &Compiled,
        watch: &Watch,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<WriteReport> {
        let options = PlanOptions {
            force: false,
            dry_run: self.dry,
        };
        let target = session.target_of(&session.target(layout, COMMAND), compiled);
        let plan = || write::plan(&compiled.tree, &target, options);
        let planned = patiently(watch, plan)?.map_err(CommandError::Problems)?;
        warnings.extend(planned.warnings);
        let report = planned.value.apply()?;
        warnings.extend(occupied::describe(&report));
        Ok(report)
    }
}

/// Tries again for a while when another Kiln is writing.
fn patiently<T>(
    watch: &Watch,
    mut attempt: impl FnMut() -> std::result::Result<T, write::WriteError>,
) -> std::result::Result<T, write::WriteError> {
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(error) if error.is_busy() && !watch.is_stopped() => std::thread::sleep(BETWEEN),
            other => return other,
        }
    }
    attempt()
}

/// Notes the outputs as they were written, so that it is noticed when someone else changes them.
///
/// Those that were not written, as they were edited by hand or nothing was, are taken as they are.
fn expect_outputs(
    session: &ProjectSession,
    layout: &Layout,
    compiled: &Compiled,
    report: Option<&WriteReport>,
    expected: &mut Expected,
) {
    let prefix = diff_command::prefix(layout);
    for (path, file) in compiled.tree.outputs() {
        let path = format!("{prefix}{path}");
        let mark = match report {
            Some(report) if !report.edited.contains(&path) => {
                let executable = file.executable && session.disk.keeps_modes();
                PathMark::of_bytes(&file.bytes, executable)
            }
            _ => session.disk.mark(&path),
        };
        expected.add_output(path, mark);
    }
    let lock = format!("{prefix}{}", write::LOCK_FILE);
    let mark = session.disk.mark(&lock);
    expected.add_output(lock, mark);
}

/// Returns whether the folder is a project now.
fn is_project(watch: &Watch) -> std::result::Result<bool, watch::WatchError> {
    for name in PROJECT_FILES {
        if watch.disk().peek(name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "templates/name.txt.tera";

    /// What was compiled while a change came to rest is written if the files are as that compile read them,
    /// and compiled anew if not.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the test makes a project, and edits it"
    )]
    fn takes_what_was_compiled_ahead_only_if_it_still_holds() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let write = |path: &str, text: &str| std::fs::write(root.join(path), text).unwrap();
        std::fs::create_dir(root.join("templates")).unwrap();
        write("kiln.toml", "catalogue = false\noutput = \"out\"\n");
        write(
            "cluster.yaml",
            include_str!("../../../../examples/homelab/cluster.yaml"),
        );
        write(
            "nodes.yaml",
            include_str!("../../../../examples/homelab/nodes.yaml"),
        );
        let settings = Settings {
            directory: root.clone(),
            ..Settings::default()
        };
        let mut printer = Printer::new(&settings);
        let watch = Watch::open(&root, None).unwrap();
        let mut cycles = Cycles::new(&root, &settings, false);
        for (ahead, there, holds) in [("same", "same", true), ("gone", "other", false)] {
            write(TEMPLATE, ahead);
            cycles.compile_ahead(&watch);
            write(TEMPLATE, there);
            let compile = cycles.ahead.as_ref().unwrap();
            assert_eq!(cycles.is_current(compile, &watch), holds);
            let (result, _) = cycles.run(&watch, &mut printer).unwrap();
            assert!(result.is_ok_and(|written| written.is_some()));
            let output = std::fs::read_to_string(root.join("out/name.txt")).unwrap();
            assert_eq!(output, there);
            assert!(cycles.ahead.is_none());
        }
    }
}
