//! The Pythons of plugins that stay from one compile to the next.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use makejinja_plugins::{PluginError, PluginReads};

use crate::fs::{Disk, PathMark};
use crate::pipeline::{PluginRequest, PluginStart, StartedPlugins};

/// The Pythons that were started for a project, each to be asked again until something that it read is not as it was.
///
/// Whether a file exists can be asked without a trace, so that one ends with every file that comes or goes.
#[derive(Clone, Default)]
pub struct StayingPlugins(Arc<Mutex<Vec<StayingPlugin>>>);

struct StayingPlugin {
    start: PluginStart,
    started: StartedPlugins,
    /// What it read, as it was when that was seen first; `None` until a compile is at its end.
    saw: Option<SeenPaths>,
    /// Whether this compile asks it.
    is_used: bool,
}

/// What stood where Python looked.
struct SeenPaths {
    files: BTreeMap<PathBuf, PathMark>,
    folders: BTreeMap<PathBuf, PathMark>,
    project: PathMark,
}

impl SeenPaths {
    fn of(project: PathMark) -> Self {
        Self {
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
            project,
        }
    }

    /// Takes in where Python looked since; what was seen before stays as it was then.
    fn add(&mut self, reads: PluginReads) {
        for path in reads.files {
            let mark = self.files.entry(path);
            mark.or_insert_with_key(|path| PathMark::anywhere(path));
        }
        for path in reads.folders {
            let mark = self.folders.entry(path);
            mark.or_insert_with_key(|path| PathMark::names_in(path));
        }
    }

    /// Returns whether all is as it was.
    fn is_current(&self, project: &PathMark) -> bool {
        let mut files = self.files.iter();
        let mut folders = self.folders.iter();
        self.project.is_same(project)
            && files.all(|(path, mark)| mark.is_same(&PathMark::anywhere(path)))
            && folders.all(|(path, mark)| mark.is_same(&PathMark::names_in(path)))
    }
}

impl StayingPlugins {
    /// Returns the Python that was started for just this and may be asked again, else starts one.
    ///
    /// # Errors
    /// As `start`.
    pub fn take(
        &self,
        request: &PluginRequest<'_>,
        start: impl FnOnce() -> Result<StartedPlugins, PluginError>,
    ) -> Result<StartedPlugins, PluginError> {
        let wanted = request.describe();
        let mut all = self.lock();
        let stayed = all.iter_mut().find(|it| it.start == wanted);
        if let Some(stayed) = stayed
            && stayed.started.forget_answers().is_ok()
        {
            stayed.is_used = true;
            return Ok(stayed.started.clone());
        }
        let started = start()?;
        all.retain(|it| it.start != wanted);
        all.push(StayingPlugin {
            start: wanted,
            started: started.clone(),
            saw: None,
            is_used: true,
        });
        Ok(started)
    }

    /// Ends those that saw something that is not as it was, before a compile.
    pub fn end_outdated(&self, disk: &Disk) {
        let project = disk.mark(PROJECT);
        self.lock().retain_mut(|it| {
            it.is_used = false;
            it.saw.as_ref().is_some_and(|saw| saw.is_current(&project))
        });
    }

    /// Notes what those have read that stay, and ends the others, after a compile.
    pub fn note_reads(&self, disk: &Disk) {
        self.lock().retain_mut(|it| {
            let reads = it.started.reads().filter(|_| it.is_used);
            let Some(reads) = reads else {
                return false;
            };
            let saw = it
                .saw
                .get_or_insert_with(|| SeenPaths::of(disk.mark(PROJECT)));
            saw.add(reads);
            true
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<StayingPlugin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of the project, as a disk names what is below a folder.
const PROJECT: &str = "./";
