//! The time of day and how long things take: the one place that reads a clock.

use std::time::{Duration, Instant};

/// Returns the current time as RFC 3339 in UTC, in whole seconds.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

/// Measures how long a run takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "for the summary only, no output depends on it"
        )]
        Self(Instant::now())
    }

    /// Returns the time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
