//! A folder as it is in a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use super::git::{GitError, Repository};
use super::{Disk, path};
use crate::source::{Files, ReadError};

/// How many symlinks may lead to one another.
const LINKS: usize = 16;

/// A project folder as it is in a commit, read from git's own store.
///
/// Files that git ignores are in no commit, and are read from the disk: keys, and whatever else a
/// project keeps to itself. They are the same for every revision.
pub struct Revision {
    repository: Repository,
    disk: Disk,
    entries: BTreeMap<String, Entry>,
    store: Mutex<Store>,
    ignored: Mutex<BTreeSet<String>>,
}

/// A file of a commit.
struct Entry {
    object: String,
    link: bool,
}

/// A running `git cat-file --batch`.
struct Store {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Revision {
    pub(super) fn open(repository: &Repository, commit: &str) -> Result<Self, GitError> {
        let failed = |command: &str, said: String| GitError::Failed {
            command: command.to_owned(),
            said,
        };
        let (folder, prefix) = repository.place();
        let disk = Disk::open(folder).map_err(|error| failed("ls-tree", error.to_string()))?;
        let mut command = vec!["ls-tree", "-r", "-z", "--full-tree", commit];
        if !prefix.is_empty() {
            command.extend(["--", prefix]);
        }
        let listing = repository.must(&command)?;
        let mut child = repository
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| GitError::Missing { cause })?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| failed("cat-file --batch", "no output".to_owned()))?;
        Ok(Self {
            repository: repository.clone(),
            disk,
            entries: entries(&listing.stdout, prefix),
            store: Mutex::new(Store {
                child,
                input,
                output: BufReader::new(output),
            }),
            ignored: Mutex::default(),
        })
    }

    /// Returns whether all that was read so far is as it was at a time, in seconds since 1970: what is in
    /// the commit, and of what git ignores the files that did not change since.
    pub fn is_as_of(&self, time: u64) -> bool {
        let ignored = self.ignored.lock().unwrap_or_else(PoisonError::into_inner);
        ignored
            .iter()
            .all(|path| self.disk.modified(path).is_some_and(|at| at <= time))
    }

    fn blob(&self, entry: &Entry, path: &str) -> Result<Vec<u8>, ReadError> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.blob(&entry.object).map_err(|error| ReadError {
            path: path.to_owned(),
            reason: format!("git cannot show it: {error}"),
        })
    }

    /// Follows symlinks inside the folder to a file of the commit.
    fn find(&self, path: &str) -> Result<Option<(String, &Entry)>, ReadError> {
        let mut at = path.to_owned();
        for _ in 0..LINKS {
            let Some((link, rest)) = self.link_on(&at) else {
                return Ok(self.entries.get(&at).map(|entry| (at, entry)));
            };
            let target = self.blob(&self.entries[&link], &link)?;
            let target = String::from_utf8_lossy(&target).into_owned();
            let (folder, _) = link.rsplit_once('/').unwrap_or(("", &link));
            let Some(next) = resolved(folder, &target, rest) else {
                return Err(ReadError {
                    path: path.to_owned(),
                    reason: format!("it is a symlink that leaves the project, to `{target}`"),
                });
            };
            at = next;
        }
        Err(ReadError {
            path: path.to_owned(),
            reason: "symlinks lead in a circle".to_owned(),
        })
    }

    /// Returns the first symlink on the way to a path, and the rest of the way.
    fn link_on<'p>(&self, path: &'p str) -> Option<(String, &'p str)> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        ends.chain([path.len()]).find_map(|end| {
            let entry = self.entries.get(&path[..end])?;
            let rest = path[end..].trim_start_matches('/');
            entry.link.then(|| (path[..end].to_owned(), rest))
        })
    }
}

impl Files for Revision {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let path = path::normal(path)?;
        if let Some((at, entry)) = self.find(&path)? {
            return self.blob(entry, &at).map(Some);
        }
        let here = self.disk.peek(&path).ok().flatten();
        let here = here.filter(|_| self.repository.ignores(&path));
        if here.is_some() {
            let ignored = self.ignored.lock();
            ignored.unwrap_or_else(PoisonError::into_inner).insert(path);
        }
        Ok(here)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let folder = path::normal(folder)?;
        let prefix = if folder.is_empty() {
            folder
        } else {
            format!("{folder}/")
        };
        let below = self.entries.range(prefix.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&prefix));
        Ok(below.map(|(path, _)| path.clone()).collect())
    }
}

impl Store {
    fn blob(&mut self, object: &str) -> io::Result<Vec<u8>> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(format!("{object}\n").as_bytes())?;
        input.flush()?;
        let mut head = String::new();
        self.output.read_line(&mut head)?;
        // `<object> <kind> <size>`, or `<object> missing`.
        let size = head.trim_end().rsplit(' ').next();
        let size: usize = size
            .and_then(|size| size.parse().ok())
            .ok_or_else(|| io::Error::other(head.trim_end().to_owned()))?;
        let mut bytes = vec![0; size + 1];
        self.output.read_exact(&mut bytes)?;
        bytes.pop();
        Ok(bytes)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Without input it ends by itself.
        drop(self.input.take());
        drop(self.child.wait());
    }
}

/// Reads `ls-tree -z`: `<mode> <kind> <object>\t<path>\0`; modules of other repositories are left out.
fn entries(listing: &[u8], prefix: &str) -> BTreeMap<String, Entry> {
    let text = String::from_utf8_lossy(listing);
    let lines = text.split('\0').filter_map(|line| {
        let (head, path) = line.split_once('\t')?;
        let mut head = head.split(' ');
        let (mode, kind, object) = (head.next()?, head.next()?, head.next()?);
        let path = path.strip_prefix(prefix)?;
        (kind == "blob").then(|| {
            let entry = Entry {
                object: object.to_owned(),
                link: mode == "120000",
            };
            (path.to_owned(), entry)
        })
    });
    lines.collect()
}

/// Resolves the target of a symlink; `None` when it leads out of the project.
fn resolved(folder: &str, target: &str, rest: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_listing_below_a_folder() {
        let lines = [
            "100644 blob aa\tsub/a b",
            "120000 blob bb\tsub/link",
            "160000 commit cc\tsub/module",
        ];
        let listing = lines.join("\0");
        let found = entries(listing.as_bytes(), "sub/");
        let shown: Vec<(&str, bool)> = found
            .iter()
            .map(|(path, entry)| (&**path, entry.link))
            .collect();
        assert_eq!(shown, [("a b", false), ("link", true)]);
    }

    #[test]
    fn symlinks_stay_in_the_project() {
        assert_eq!(resolved("a/b", "../c", "d").as_deref(), Some("a/c/d"));
        assert_eq!(resolved("a", "../../c", ""), None);
        assert_eq!(resolved("a", "/etc", ""), None);
    }
}
