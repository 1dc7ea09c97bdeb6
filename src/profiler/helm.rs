//! The `helm` command, which renders charts.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::ProfilerError;

/// The Kubernetes version that charts are rendered for.
const KUBERNETES: &str = "1.36.0";

/// How to render one chart.
pub(super) struct Helm<'r> {
    program: &'r Path,
    chart: PathBuf,
    arguments: &'r [String],
    renderings: AtomicUsize,
    tick: &'r dyn Tick,
}

/// Hears of each rendering.
pub trait Tick: Sync {
    /// A rendering is done.
    fn tick(&self);
}

impl<'r> Helm<'r> {
    pub(super) fn new(request: &'r super::Request<'r>, tick: &'r dyn Tick) -> Self {
        Self {
            program: request.helm,
            chart: request.chart.to_owned(),
            arguments: request.helm_arguments,
            renderings: AtomicUsize::new(0),
            tick,
        }
    }

    /// Renders another chart from now on.
    pub(super) fn change_to(&mut self, chart: PathBuf) {
        self.chart = chart;
    }

    /// Returns how often `helm` was run.
    pub(super) fn renderings(&self) -> usize {
        self.renderings.load(Ordering::Relaxed)
    }

    /// Renders the chart as a release of that name with more values on top.
    pub(super) fn template(&self, release: &str, values: &Value) -> Result<String, ProfilerError> {
        let mut command = Command::new(self.program);
        command
            .args(["template", release])
            .arg(&self.chart)
            .args(["--namespace", "klns", "--kube-version", KUBERNETES])
            .args(self.arguments);
        command.args(["--values", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = run(&mut command, &values.to_string()).map_err(|cause| self.missing(cause))?;
        self.renderings.fetch_add(1, Ordering::Relaxed);
        self.tick.tick();
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(ProfilerError::NoRendering {
            chart: self.chart.display().to_string(),
            reason: said.trim().trim_start_matches("Error: ").to_owned(),
        })
    }

    fn missing(&self, cause: io::Error) -> ProfilerError {
        ProfilerError::NoHelm {
            program: self.program.display().to_string(),
            cause,
        }
    }
}

fn run(command: &mut Command, input: &str) -> io::Result<Output> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Helm that stops before it has read all says why by itself.
        drop(stdin.write_all(input.as_bytes()));
    }
    child.wait_with_output()
}
