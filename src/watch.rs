//! Waits until something that a compile read, looked for or wrote is not as it was.
//!
//! What counts is content: an event only says when to look. Folders are watched, one by one and never
//! recursively, so that a file that an editor replaces by renaming is followed, and so that a file or folder
//! that was looked for is noticed when it appears. A file is watched besides where its folder would tell
//! nothing: where it has another name elsewhere, or is mounted. Where the system has no events
//! to give, the same look is taken at intervals.

mod command;
mod eyes;
mod expected;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::fs::{self, Disk, WatchedSurroundings};

pub use command::{Changes, Ended, UserCommand, run_line};
pub use expected::{Difference, Expected};
use eyes::Eyes;

/// How long nothing may happen before what happened counts as one change.
pub const QUIET: Duration = Duration::from_millis(50);
/// How long a change may go on before it is looked at all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often to look where the system has no events.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Why waiting was not possible.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The project cannot be opened.
    #[error(transparent)]
    Disk(#[from] fs::DiskError),
    /// The system does not let the program hear of Ctrl-C.
    #[error("cannot listen for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
    /// The command could not be started.
    #[error("cannot start `{command}`: {cause}")]
    Command {
        /// The command as it was given.
        command: String,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// How changes are noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The system tells.
    Events,
    /// By looking at intervals; why, if that was not asked for.
    Polling {
        /// How long to wait between two looks.
        interval: Duration,
        /// Why the system cannot tell.
        reason: Option<String>,
    },
}

/// What ended the wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something is not as it was.
    Changed(Difference),
    /// The user wants to stop.
    Stopped,
}

/// What reaches the waiting thread.
#[derive(Debug)]
enum Message {
    /// Something happened at a moment.
    Event(notify::Result<notify::Event>, Instant),
    Stop,
}

/// Watches one project.
#[derive(Debug)]
pub struct Watch {
    disk: Disk,
    base: PathBuf,
    expected: Expected,
    around: WatchedSurroundings,
    eyes: Eyes,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    stopped: Arc<AtomicBool>,
    /// When something that matters happened last.
    last: Instant,
}

impl Watch {
    /// Opens a project to watch; an interval asks for polling.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn open(root: &Path, poll: Option<Duration>) -> Result<Self, WatchError> {
        let disk = Disk::open(root)?;
        let (sender, receiver) = mpsc::channel();
        let base = disk.root().parent().unwrap_or(disk.root()).to_owned();
        Ok(Self {
            base,
            expected: Expected::default(),
            around: WatchedSurroundings::default(),
            eyes: Eyes::open(poll, &sender),
            disk,
            sender,
            receiver,
            stopped: Arc::default(),
            last: now(),
        })
    }

    /// Turns Ctrl-C, SIGTERM and SIGHUP into the end of the wait, instead of that of the process.
    ///
    /// # Errors
    /// When the system refuses, or when the process does so already.
    pub fn stop_on_signals(&self) -> Result<(), WatchError> {
        let stopped = Arc::clone(&self.stopped);
        let sender = self.sender.clone();
        ctrlc::set_handler(move || {
            stopped.store(true, Ordering::SeqCst);
            // Without a receiver the program is at its end already.
            sender.send(Message::Stop).ok();
        })?;
        Ok(())
    }

    /// Returns whether the user wants to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Returns how changes are noticed.
    pub fn mode(&self) -> &Mode {
        self.eyes.mode()
    }

    /// Returns the project, for marks of what is not read.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Takes what the last compile saw and left.
    pub fn expect(&mut self, expected: Expected) {
        self.expected = expected;
    }

    /// Waits until something differs from what is expected, and is at rest.
    ///
    /// Calls `ready` once all is in place, so that whatever happens from then on is noticed. What
    /// happened since the last compile looked is noticed as well. Calls `early` as soon as something
    /// differs, so that work can be done while it comes to rest; what that read may change again.
    pub fn wait(&mut self, ready: &mut dyn FnMut(&Self), early: &mut dyn FnMut(&Self)) -> Wake {
        let mut told = false;
        loop {
            if self.is_stopped() {
                return Wake::Stopped;
            }
            let fresh = self.follow();
            let mut found = self.expected.differences(&self.disk);
            while !found.is_empty() {
                early(self);
                if self.settle() {
                    return Wake::Stopped;
                }
                self.follow();
                let again = self.expected.differences(&self.disk);
                if again == found {
                    return Wake::Changed(found.named());
                }
                found = again;
            }
            if fresh {
                continue;
            }
            if !told {
                ready(self);
                told = true;
            }
            if self.next() {
                return Wake::Stopped;
            }
        }
    }

    /// Returns whether what a compile saw is still there, as it saw it.
    pub fn holds(&self, seen: &Expected) -> bool {
        seen.differences(&self.disk).is_empty()
    }

    /// Watches the folders around all that is expected; returns whether one is new.
    fn follow(&mut self) -> bool {
        self.around = WatchedSurroundings::new();
        self.expected
            .surround(&self.disk, &self.base, &mut self.around);
        let WatchedSurroundings { folders, files, .. } = &self.around;
        self.eyes.follow(&folders.union(files).cloned().collect())
    }

    /// Waits for something to look at; returns whether to stop instead.
    fn next(&mut self) -> bool {
        loop {
            let message = match self.eyes.interval() {
                None => self
                    .receiver
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(interval) => self.receiver.recv_timeout(interval),
            };
            match message {
                Ok(Message::Stop) => return true,
                Ok(Message::Event(event, at)) => {
                    if self.matters(event, at) {
                        return self.drain();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.last = now();
                    return false;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    unreachable!("this struct holds a sender")
                }
            }
        }
    }

    /// Takes the events that are here already, which one look answers; returns whether to stop instead.
    fn drain(&mut self) -> bool {
        while let Ok(message) = self.receiver.try_recv() {
            match message {
                Message::Stop => return true,
                Message::Event(event, at) => _ = self.matters(event, at),
            }
        }
        false
    }

    /// Waits until nothing has happened for a while; returns whether to stop instead.
    ///
    /// What happens while the process does something else counts from when it happened.
    fn settle(&mut self) -> bool {
        let start = now();
        loop {
            let rest = (self.last + QUIET).min(start + PATIENCE);
            let left = rest.saturating_duration_since(now());
            match self.receiver.recv_timeout(left) {
                Ok(Message::Stop) => return true,
                Ok(Message::Event(event, at)) => _ = self.matters(event, at),
                Err(_) => return false,
            }
        }
    }

    /// Notes when an event can be about something that is expected, and returns whether it can.
    fn matters(&mut self, event: notify::Result<notify::Event>, at: Instant) -> bool {
        let matters = self.concerns(event);
        if matters {
            self.last = self.last.max(at);
        }
        matters
    }

    fn concerns(&mut self, event: notify::Result<notify::Event>) -> bool {
        use notify::event::{AccessKind, AccessMode};
        let Ok(event) = event else {
            return true;
        };
        let read = matches!(event.kind, notify::EventKind::Access(kind)
            if kind != AccessKind::Close(AccessMode::Write));
        if read {
            return false;
        }
        self.eyes.forget_gone(&event);
        let root = self.disk.root();
        event.need_rescan()
            || event
                .paths
                .iter()
                .any(|path| match path.strip_prefix(root) {
                    Ok(inside) => !inside
                        .components()
                        .any(|part| matches!(part.as_os_str().to_str(), Some(".git" | ".kiln"))),
                    Err(_) => {
                        root.starts_with(path)
                            || self
                                .around
                                .points
                                .iter()
                                .any(|point| point.starts_with(path))
                    }
                })
    }

    /// Returns how many folders are watched; none when polling.
    pub fn folders(&self) -> usize {
        self.eyes.count()
    }

    /// Returns how many inputs are waited for, folders and missing ones included.
    pub fn inputs(&self) -> usize {
        self.expected.inputs()
    }
}

/// Returns the moment, to bound a wait.
#[expect(
    clippy::disallowed_methods,
    reason = "to bound a wait, no output depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

/// Paths in order, each once.
type Paths = BTreeSet<String>;
