//! The outer clock: it ends a run that takes too long in spite of all budgets of work.
//!
//! Budgets count work, so that the same input gives the same answer everywhere. This clock does not; it is there for what
//! no budget counts: a disk, git, a machine that is far too slow.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::{CommandError, FailedCommand};
use super::printer::Printer;
use super::settings::Settings;

/// How long a run, or a compile of `kiln watch`, may take, unless `KILN_TIME_LIMIT` says otherwise.
pub const TIME_LIMIT: Duration = Duration::from_mins(1);

/// A clock that ends the process with exit code 2 when its time is up, unless it is dropped before.
///
/// What writes comes after it was dropped, so that no write is cut in the middle.
#[derive(Debug)]
pub struct Deadline {
    /// Whether it was dropped; locked while the process is ended.
    over: Arc<Mutex<bool>>,
    _ticking: Sender<()>,
}

impl Deadline {
    /// Starts the clock of a run.
    pub fn start(settings: &Settings) -> Self {
        let limit = settings.time_limit.unwrap_or(TIME_LIMIT);
        let settings = settings.clone();
        Self::after(limit, move || end(limit, &settings))
    }

    /// Does something when the time is up.
    fn after(limit: Duration, act: impl FnOnce() + Send + 'static) -> Self {
        let over = Arc::new(Mutex::new(false));
        let (ticking, ended) = mpsc::channel::<()>();
        let seen = Arc::clone(&over);
        std::thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let over = seen.lock().unwrap_or_else(PoisonError::into_inner);
                if !*over {
                    act();
                }
            }
        });
        Self {
            over,
            _ticking: ticking,
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

/// Says that the time is up, and ends the process.
#[expect(
    clippy::exit,
    reason = "what takes too long cannot be asked to stop, and nothing is being written"
)]
fn end(limit: Duration, settings: &Settings) {
    let seconds = limit.as_secs();
    let failed = CommandError::failed(format!("gave up after {seconds} s"))
        .hint("nothing was written; what takes so long is most likely a file, git, or the machine")
        .hint("the variable `KILN_TIME_LIMIT` takes another number of seconds");
    if let CommandError::Failed(failed) = &failed {
        say(failed, settings);
    }
    std::process::exit(2);
}

fn say(failed: &FailedCommand, settings: &Settings) {
    drop(Printer::new(settings).failure(failed));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::Deadline;

    #[test]
    fn acts_once_the_time_is_up() {
        let (sender, receiver) = mpsc::channel();
        let clock = Deadline::after(Duration::from_millis(10), move || sender.send(()).unwrap());
        assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(()));
        drop(clock);
    }

    #[test]
    fn does_nothing_once_it_is_dropped() {
        let (sender, receiver) = mpsc::channel::<()>();
        let clock = Deadline::after(Duration::from_millis(50), move || sender.send(()).unwrap());
        drop(clock);
        // The thread ends without acting, and drops its end of the channel.
        assert_eq!(
            receiver.recv_timeout(Duration::from_secs(20)),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
