//! One compile and what it leaves, over and over.

use std::path::Path;
use std::time::Duration;

use rand_core::OsRng;

use crate::cli::clock::Stopwatch;
use crate::cli::commands::diff as diff_command;
use crate::cli::error::{CommandError, Outcome};
use crate::cli::printer::Printer;
use crate::cli::progress::Progress;
use crate::cli::session::{PROJECT_FILE, Session};
use crate::cli::settings::Settings;
use crate::diagnostic::Diagnostic;
use crate::diff::{self, Side};
use crate::fs::Mark;
use crate::pipeline::{self, Compiled, Layout};
use crate::watch::{Expected, Watch};
use crate::write::{self, Options, Report};

/// How often to try again while another Kiln writes.
const ATTEMPTS: u32 = 50;
/// How long to wait before that.
const BETWEEN: Duration = Duration::from_millis(100);

/// What a cycle came to.
pub struct Written {
    /// What was written.
    pub report: Report,
    /// What that does to the cluster, compared with the last good tree.
    pub diff: Option<diff::Report>,
    /// How long it took until the tree was on disk.
    pub took: Duration,
}

impl Written {
    /// Returns the outcome that `kiln render` would have.
    pub(super) fn outcome(&self) -> Outcome {
        if self.report.edited.is_empty() {
            Outcome::Clean
        } else {
            Outcome::Findings
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
        }
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
    ) -> Result<(Result<Option<Written>>, Expected)> {
        let mut expected = Expected::default();
        let mark = watch.disk().mark(PROJECT_FILE);
        expected.add_inputs([(PROJECT_FILE.to_owned(), mark)]);
        for place in Session::identity_places(self.root, self.settings) {
            let mark = Mark::anywhere(&place);
            expected.add_outside(place, mark);
        }
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
    ) -> Result<Option<Written>> {
        let time = Stopwatch::start();
        if watch.disk().peek(PROJECT_FILE)?.is_none() {
            let message = format!("`{PROJECT_FILE}` is gone");
            return Err(CommandError::failed(message).hint("this goes on when it is back"));
        }
        let session = Session::open_root(self.root, self.settings)?;
        let compiled = self.compile(&session, watch);
        expected.add_inputs(session.disk.seen());
        let (layout, mut compiled) = compiled?;
        warnings.append(&mut compiled.warnings);
        if watch.is_stopped() {
            return Ok(None);
        }
        let report = self.write(&session, &layout, &compiled, watch, warnings);
        if !self.dry {
            expect_outputs(&session, &layout, &compiled, report.as_ref().ok(), expected);
        }
        let report = report?;
        let took = time.elapsed();
        let mut now = Side::of_tree("now", &compiled.tree)
            .with_config(compiled.values)
            .with_secrets(compiled.secrets);
        let diff = self.good.as_ref().map(|good| {
            let mut diff = diff::compare(good, &now, &diff_command::usual(&layout));
            diff.put_below(&diff_command::prefix(&layout));
            diff
        });
        "before".clone_into(&mut now.label);
        self.good = Some(now);
        Ok(Some(Written { report, diff, took }))
    }

    fn compile(&self, session: &Session, watch: &Watch) -> Result<(Layout, Compiled)> {
        let layout = session.layout()?;
        if !self.dry {
            patiently(watch, || write::recover(&session.disk, &layout.output))?;
        }
        let progress = Progress::start(self.settings, "rendering");
        let compiled = pipeline::compile(&session.world(), &mut OsRng);
        drop(progress);
        Ok((layout, compiled?))
    }

    fn write(
        &self,
        session: &Session,
        layout: &Layout,
        compiled: &Compiled,
        watch: &Watch,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Report> {
        let options = Options {
            force: false,
            dry_run: self.dry,
        };
        let plan = || write::plan(&compiled.tree, &session.disk, &layout.output, options);
        let planned = patiently(watch, plan)?.map_err(CommandError::Problems)?;
        warnings.extend(planned.warnings);
        Ok(planned.value.apply()?)
    }
}

/// Tries again for a while when another Kiln is writing.
fn patiently<T>(
    watch: &Watch,
    mut attempt: impl FnMut() -> std::result::Result<T, write::Error>,
) -> std::result::Result<T, write::Error> {
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
    session: &Session,
    layout: &Layout,
    compiled: &Compiled,
    report: Option<&Report>,
    expected: &mut Expected,
) {
    let prefix = diff_command::prefix(layout);
    for (path, file) in compiled.tree.outputs() {
        let path = format!("{prefix}{path}");
        let mark = match report {
            Some(report) if !report.edited.contains(&path) => Mark::of_bytes(&file.bytes),
            _ => session.disk.mark(&path),
        };
        expected.add_output(path, mark);
    }
    let lock = format!("{prefix}{}", write::LOCK_FILE);
    let mark = session.disk.mark(&lock);
    expected.add_output(lock, mark);
}
