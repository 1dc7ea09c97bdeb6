//! Waiting for another Kiln that writes to the same folder.

use std::thread;
use std::time::Duration;

use super::clock::Stopwatch;
use super::error::CommandError;
use super::progress::StatusLine;
use super::settings::Settings;
use crate::write;

/// How long to wait for another Kiln in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing is said of it.
const SILENCE: Duration = Duration::from_secs(1);
/// How often to look.
const BETWEEN: Duration = Duration::from_millis(50);

/// The turn of a run among others that write to the same folder.
pub struct Turn<'s> {
    settings: &'s Settings,
    waited: Duration,
}

impl<'s> Turn<'s> {
    /// Starts a run that has not waited yet.
    pub fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            waited: Duration::ZERO,
        }
    }

    /// Tries until no other Kiln is in the way, or the patience is at its end.
    ///
    /// # Errors
    /// Any other error at once; and at the end who is in the way.
    pub fn wait<T>(
        &mut self,
        mut attempt: impl FnMut() -> Result<T, write::WriteError>,
    ) -> Result<T, CommandError> {
        let time = Stopwatch::start();
        let mut line = None;
        loop {
            let waited = self.waited + time.elapsed();
            match attempt() {
                Err(error) if error.is_busy() && waited < PATIENCE => {
                    if line.is_none() && waited >= SILENCE {
                        line = StatusLine::draw(self.settings, format!("waiting: {error}"));
                    }
                    thread::sleep(BETWEEN);
                }
                result => {
                    self.waited = waited;
                    return Ok(result?);
                }
            }
        }
    }

    /// Returns whether a failure only says that another Kiln came first, and there is patience left to go round.
    pub fn comes_again(&self, error: &write::WriteError) -> bool {
        error.is_busy() && self.waited < PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{self, Holder};

    fn busy() -> write::WriteError {
        write::WriteError::Disk(fs::DiskError::Busy {
            path: ".kiln/lock".to_owned(),
            holder: Some(Holder {
                pid: 12,
                command: "kiln watch".to_owned(),
                since: "2026-11-30T00:00:00Z".to_owned(),
            }),
        })
    }

    #[test]
    fn ends_by_saying_who_is_in_the_way() {
        let settings = Settings::default();
        let mut turn = Turn::new(&settings);
        let mut left = 3;
        let tried: Result<u8, CommandError> = turn.wait(|| {
            left -= 1;
            if left > 0 { Err(busy()) } else { Ok(7) }
        });
        assert!(matches!(tried, Ok(7)));
        assert!(turn.waited >= 2 * BETWEEN && turn.comes_again(&busy()));
        turn.waited = PATIENCE;
        assert!(!turn.comes_again(&busy()));
        let tried: Result<u8, CommandError> = turn.wait(|| Err(busy()));
        let Err(CommandError::Failed(failed)) = tried else {
            panic!("it waits for ever")
        };
        assert_eq!(
            failed.message,
            "another kiln is writing here (`kiln watch`, process 12, since 2026-11-30T00:00:00Z): `.kiln/lock` is locked"
        );
    }
}
