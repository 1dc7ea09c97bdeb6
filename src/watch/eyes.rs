//! The system's events, or the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{INTERVAL, Message, Mode, now};
use crate::fs::{self, FileIdentity};

/// What notices that something happened.
pub(super) struct Eyes {
    mode: Mode,
    watcher: Option<RecommendedWatcher>,
    /// The folders that are watched, and the files of which no folder tells.
    watched: BTreeMap<PathBuf, FileIdentity>,
}

impl fmt::Debug for Eyes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Eyes({:?}, {} folders)", self.mode, self.count())
    }
}

impl Eyes {
    /// Asks the system for events, unless the clock is wanted.
    pub(super) fn open(poll: Option<Duration>, sender: &Sender<Message>) -> Self {
        let mut eyes = Self {
            mode: Mode::Events,
            watcher: None,
            watched: BTreeMap::new(),
        };
        if let Some(interval) = poll {
            eyes.mode = Mode::Polling {
                interval,
                reason: None,
            };
            return eyes;
        }
        let sender = sender.clone();
        let watcher = notify::recommended_watcher(move |event| {
            // Without a receiver the program is at its end already.
            sender.send(Message::Event(event, now())).ok();
        });
        match watcher {
            Ok(watcher) => eyes.watcher = Some(watcher),
            Err(error) => eyes.fall_back(&error),
        }
        eyes
    }

    pub(super) fn mode(&self) -> &Mode {
        &self.mode
    }

    pub(super) fn count(&self) -> usize {
        self.watched
            .values()
            .filter(|known| known.is_folder)
            .count()
    }

    pub(super) fn interval(&self) -> Option<Duration> {
        match self.mode {
            Mode::Events => None,
            Mode::Polling { interval, .. } => Some(interval),
        }
    }

    /// Watches just these folders and files; returns whether one is new, so that what happened in it before may
    /// have been missed.
    pub(super) fn follow(&mut self, wanted: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        let mut failed = None;
        self.watched.retain(|folder, known| {
            let stays = wanted.contains(folder) && fs::identity(folder) == Some(*known);
            if !stays {
                // A folder that is gone has taken its watch along.
                watcher.unwatch(folder).ok();
            }
            stays
        });
        let mut fresh = false;
        for folder in wanted {
            if self.watched.contains_key(folder) {
                continue;
            }
            let Some(identity) = fs::identity(folder) else {
                fresh = true;
                continue;
            };
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder.clone(), identity)),
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            fresh = true;
        }
        if let Some(error) = failed {
            self.fall_back(&error);
        }
        fresh
    }

    /// Forgets folders that were removed or renamed, so that they are watched anew if they are back.
    pub(super) fn forget_gone(&mut self, event: &notify::Event) {
        use notify::event::ModifyKind;
        if !matches!(
            event.kind,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
        ) {
            return;
        }
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        self.watched.retain(|folder, _| {
            let gone = event.paths.iter().any(|path| folder.starts_with(path));
            if gone {
                watcher.unwatch(folder).ok();
            }
            !gone
        });
    }

    fn fall_back(&mut self, error: &notify::Error) {
        let reason = match &error.kind {
            ErrorKind::MaxFilesWatch => "the system watches no more folders".to_owned(),
            ErrorKind::Io(cause) => cause.to_string(),
            other => format!("{other:?}"),
        };
        self.watcher = None;
        self.watched.clear();
        self.mode = Mode::Polling {
            interval: INTERVAL,
            reason: Some(reason),
        };
    }
}

fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(cause) => cause.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}
