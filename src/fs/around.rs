//! Which folders have to be watched to notice whatever may happen to a path.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many symlinks are followed from one path.
const HOPS: usize = 40;

/// The surroundings of some paths: folders to watch, and what in them matters.
#[derive(Clone, Debug, Default)]
pub struct WatchedSurroundings {
    /// Folders that are there, without symlinks on the way.
    pub folders: BTreeSet<PathBuf>,
    /// Every path that leads to one of the paths, over symlinks as well.
    pub points: BTreeSet<PathBuf>,
    /// Files of which no folder here tells: those with another name elsewhere, and those that are mounted.
    pub files: BTreeSet<PathBuf>,
    mounts: BTreeSet<PathBuf>,
}

impl WatchedSurroundings {
    /// Starts with nothing, and looks at what is mounted.
    pub fn new() -> Self {
        Self {
            mounts: mounts(&fs::read_to_string(MOUNTS).unwrap_or_default()),
            ..Self::default()
        }
    }

    /// Adds a path as [`add`](Self::add) does, and the file itself if it can change without its folder noticing.
    pub fn add_file(&mut self, path: &Path, base: &Path) {
        self.add(path, base);
        let Ok(real) = fs::canonicalize(path) else {
            return;
        };
        if real.is_file() && (has_other_names(&real) || self.mounts.contains(&real)) {
            self.files.insert(real);
        }
    }

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

/// Where Linux lists what is mounted; elsewhere there is no such file, and no mount is a file.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Reads the places of a list of mounts: the fifth field of a line, blanks in it written as `\\040`.
fn mounts(list: &str) -> BTreeSet<PathBuf> {
    let places = list.lines().filter_map(|line| line.split(' ').nth(4));
    let plain = |place: &str| {
        [
            ("\\040", " "),
            ("\\011", "\t"),
            ("\\012", "\n"),
            ("\\134", "\\"),
        ]
        .iter()
        .fold(place.to_owned(), |place, (code, c)| place.replace(code, c))
    };
    places.map(|place| PathBuf::from(plain(place))).collect()
}

#[cfg(unix)]
fn has_other_names(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(file).is_ok_and(|found| found.nlink() > 1)
}

/// Elsewhere links cannot be counted.
#[cfg(not(unix))]
fn has_other_names(_: &Path) -> bool {
    false
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

/// What tells a folder or file from another that has taken its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// Whether it is a folder.
    pub is_folder: bool,
    #[cfg(unix)]
    number: (u64, u64),
    made: Option<std::time::SystemTime>,
}

/// Returns the identity of a folder or file that is there.
pub fn identity(path: &Path) -> Option<FileIdentity> {
    let found = fs::metadata(path).ok()?;
    Some(FileIdentity {
        is_folder: found.is_dir(),
        #[cfg(unix)]
        number: {
            use std::os::unix::fs::MetadataExt as _;
            (found.dev(), found.ino())
        },
        made: found.created().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_something_is_mounted() {
        let list = "22 1 0:21 / / rw - overlay overlay rw\n\
            36 22 8:1 /src/a.yaml /work/my\\040project/cluster.yaml rw,relatime - ext4 /dev/sda1 rw\n\nodd\n";
        let expected = ["/", "/work/my project/cluster.yaml"].map(PathBuf::from);
        assert_eq!(mounts(list), BTreeSet::from(expected));
    }
}
