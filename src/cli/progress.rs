//! A sign of life for runs that take long.

use std::fmt::Display;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::report::shown::terminal;
use super::settings::Settings;
use crate::profiler::Tick;

/// How long a run may take before anything is drawn.
const PATIENCE: Duration = Duration::from_millis(500);

/// A spinner on stderr that shows up after half a second and goes when dropped.
pub struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to wait, if the settings allow a spinner at all.
    pub fn start(settings: &Settings, doing: &'static str) -> Self {
        Self {
            running: settings.progress.then(|| {
                let (done, wait) = mpsc::channel();
                let spinner = thread::spawn(move || {
                    if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                        spin_until_dropped(doing, &wait);
                    }
                });
                (done, spinner)
            }),
        }
    }
}

/// A line at the end of what is on the terminal that says what goes on, gone when dropped.
#[derive(Debug)]
pub struct StatusLine {
    bar: ProgressBar,
}

impl StatusLine {
    /// Draws the line; returns `None` where none may be drawn.
    ///
    /// # Panics
    /// Never: the template is a constant that parses.
    pub fn draw(settings: &Settings, text: impl Display) -> Option<Self> {
        if !settings.progress {
            return None;
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{wide_msg:.dim}");
        bar.set_style(style.expect("the template is a constant that parses"));
        let line = terminal::line(text);
        bar.set_message(line.as_str().trim_end().to_owned());
        bar.tick();
        Some(Self { bar })
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A count on stderr of what was done so far, for runs of which nobody knows how long they take.
#[derive(Debug)]
pub struct Counter {
    bar: ProgressBar,
}

impl Counter {
    /// Starts to count, if the settings allow a progress bar at all.
    ///
    /// # Panics
    /// Never: the template is a constant that parses.
    pub fn start(settings: &Settings, doing: &'static str) -> Self {
        let bar = if settings.progress {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {msg}: {pos} renderings, {elapsed}");
        bar.set_style(style.expect("the template is a constant that parses"));
        bar.set_message(doing);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }
}

impl Tick for Counter {
    fn tick(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn spin_until_dropped(doing: &'static str, wait: &mpsc::Receiver<()>) {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    bar.set_style(style.expect("the template is a constant that parses"));
    bar.set_message(doing);
    bar.enable_steady_tick(Duration::from_millis(100));
    while wait.recv().is_ok() {}
    bar.finish_and_clear();
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, spinner)) = self.running.take() {
            drop(done);
            drop(spinner.join());
        }
    }
}
