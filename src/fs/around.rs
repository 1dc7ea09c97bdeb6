//! Which folders have to be watched to notice whatever may happen to a path.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many symlinks are followed from one path.
const HOPS: usize = 40;

/// The surroundings of some paths: folders to watch, and what in them matters.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Folders that are there, without symlinks on the way.
    pub folders: BTreeSet<PathBuf>,
    /// Every path that leads to one of the paths, over symlinks as well.
    pub points: BTreeSet<PathBuf>,
}

impl Around {
    /// Adds a path, of which everything below `base` may vanish and come back.
    ///
    /// A folder is watched for what is directly in it, so that it takes all those above the path; of
    /// those that are missing, or outside of `base`, the nearest that is there.
    pub fn add(&mut self, path: &Path, base: &Path) {
        let mut waiting = vec![path.to_owned()];
        let mut hops = 0;
        while let Some(path) = waiting.pop() {
            if !self.points.insert(path.clone()) {
                continue;
            }
            for step in path.ancestors() {
                if let Ok(target) = fs::read_link(step)
                    && hops < HOPS
                {
                    hops += 1;
                    let rest = path.strip_prefix(step).unwrap_or(Path::new(""));
                    let above = step.parent().unwrap_or(step);
                    waiting.push(flat(&above.join(target).join(rest)));
                }
                if step != path && step.is_dir() {
                    self.add_folder(step);
                    if step == base || !step.starts_with(base) {
                        break;
                    }
                }
            }
        }
    }

    /// Adds a folder that is there.
    pub fn add_folder(&mut self, folder: &Path) {
        if let Ok(real) = fs::canonicalize(folder) {
            self.folders.insert(real);
        }
    }
}

/// Takes `.` and `..` out by the text alone, so that the symlink before a `..` is not followed: what is
/// then watched is too much or misses an odd link, and never wrong.
fn flat(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                flat.pop();
            }
            other => flat.push(other),
        }
    }
    flat
}

/// What tells a folder from another that has taken its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    number: (u64, u64),
    made: Option<std::time::SystemTime>,
}

/// Returns the identity of a folder that is there.
pub fn identity(folder: &Path) -> Option<Identity> {
    let found = fs::metadata(folder).ok().filter(fs::Metadata::is_dir)?;
    Some(Identity {
        #[cfg(unix)]
        number: {
            use std::os::unix::fs::MetadataExt as _;
            (found.dev(), found.ino())
        },
        made: found.created().ok(),
    })
}
