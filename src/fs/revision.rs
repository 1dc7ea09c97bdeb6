//! A folder as it is in a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use super::git::{GitError, Repository};
use super::walk::{LINKED_FOLDERS, is_left_out, leads_on, too_many_links};
use super::{Disk, path};
use crate::source::{FileListing, Files, LeftOut, ReadError};

/// Why an object that a commit names is not here.
const MISSING: &str = "its content is not in this clone, and Kiln fetches nothing; `git fetch --refetch --no-filter` completes a clone made with `--filter`";
/// How many symlinks may lead to one another.
const LINKS: usize = 16;

/// A project folder as it is in a commit, read from git's own store.
///
/// Files that git ignores are in no commit, and are read from the disk: keys, and whatever else a
/// project keeps to itself. They are the same for every revision.
pub struct Revision {
    repository: Repository,
    disk: Disk,
    entries: BTreeMap<String, CommitEntry>,
    store: Mutex<Store>,
    ignored: Mutex<BTreeSet<String>>,
}

/// What stands at a path of a commit.
struct CommitEntry {
    object: String,
    kind: CommitEntryKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommitEntryKind {
    File,
    /// A file of mode 100755.
    Program,
    Symlink,
    /// A commit of another repository.
    Submodule,
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

    /// Returns the files that were read so far from the disk, since git ignores them and no commit has them.
    pub fn ignored(&self) -> BTreeSet<String> {
        let ignored = self.ignored.lock().unwrap_or_else(PoisonError::into_inner);
        ignored.clone()
    }

    /// Returns whether the commit has a file, or a symlink to one, at a path.
    pub fn holds(&self, path: &str) -> bool {
        let at = path::normal(path).map_err(ReadError::from);
        let at = at.and_then(|path| self.follow(&path));
        at.is_ok_and(|at| self.entries.contains_key(&at))
    }

    fn blob(&self, entry: &CommitEntry, path: &str) -> Result<Vec<u8>, ReadError> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.blob(&entry.object).map_err(|error| ReadError {
            path: path.to_owned(),
            reason: format!("git cannot show it: {error}"),
        })
    }

    /// Follows symlinks inside the folder to where a path leads, as [`Disk`] does.
    fn follow(&self, path: &str) -> Result<String, ReadError> {
        let failed = |reason: String| ReadError {
            path: path.to_owned(),
            reason,
        };
        let mut at = path.to_owned();
        for _ in 0..LINKS {
            let Some((on_the_way, rest)) = self.first_no_file(&at) else {
                return Ok(at);
            };
            let entry = &self.entries[&on_the_way];
            if entry.kind == CommitEntryKind::Submodule {
                return Err(failed(in_submodule(&on_the_way)));
            }
            let target = self.blob(entry, &on_the_way)?;
            let target = String::from_utf8_lossy(&target).into_owned();
            let (folder, _) = on_the_way.rsplit_once('/').unwrap_or(("", &on_the_way));
            let Some(next) = resolved(folder, &target, rest) else {
                let reason = format!("it is a symlink that leaves the project, to `{target}`");
                return Err(failed(reason));
            };
            at = next;
        }
        Err(failed("symlinks lead in a circle".to_owned()))
    }

    /// Returns the first symlink or submodule on the way to a path, and the rest of the way.
    fn first_no_file<'p>(&self, path: &'p str) -> Option<(String, &'p str)> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        ends.chain([path.len()]).find_map(|end| {
            let entry = self.entries.get(&path[..end])?;
            let rest = path[end..].trim_start_matches('/');
            let is_file = matches!(entry.kind, CommitEntryKind::File | CommitEntryKind::Program);
            (!is_file).then(|| (path[..end].to_owned(), rest))
        })
    }

    /// Lists what is below a folder, symlinks to other folders of the project included, as [`Disk`] does.
    ///
    /// `links` are the folders in which the symlinks stand that led here, and `linked` counts such symlinks.
    fn walk(
        &self,
        at: &str,
        name: &str,
        links: &mut Vec<PathBuf>,
        linked: &mut usize,
        found: &mut Vec<String>,
    ) -> Result<(), ReadError> {
        for (path, entry) in self.below(at) {
            if entry.kind == CommitEntryKind::Submodule {
                return Err(ReadError {
                    path: name.to_owned(),
                    reason: in_submodule(path),
                });
            }
            let inner = path[at.len()..].trim_start_matches('/');
            if inner.split('/').any(is_left_out) {
                continue;
            }
            let shown = path::join(name, inner);
            let folder = Path::new(path).parent().unwrap_or(Path::new(""));
            match self.linked_folder(path, entry, folder, links) {
                Some(target) => {
                    *linked += 1;
                    if *linked > LINKED_FOLDERS {
                        return Err(too_many_links(name).into());
                    }
                    links.push(folder.to_owned());
                    self.walk(&target, &shown, links, linked, found)?;
                    links.pop();
                }
                None => found.push(shown),
            }
        }
        Ok(())
    }

    /// Returns the folder that a symlink leads to, if it is another one of the project.
    fn linked_folder(
        &self,
        path: &str,
        entry: &CommitEntry,
        folder: &Path,
        links: &[PathBuf],
    ) -> Option<String> {
        if entry.kind != CommitEntryKind::Symlink {
            return None;
        }
        let target = self.follow(path).ok()?;
        let walks = !target.split('/').any(is_left_out)
            && self.below(&target).next().is_some()
            && leads_on(folder, Path::new(&target), links);
        walks.then_some(target)
    }

    /// Returns what is below a folder, which is named without its slash.
    fn below(&self, folder: &str) -> impl Iterator<Item = (&String, &CommitEntry)> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let entries = self.entries.range(prefix.clone()..);
        entries.take_while(move |(path, _)| path.starts_with(&prefix))
    }
}

/// The same project reads the same from a commit and from [`Disk`]: what one refuses the other refuses, too.
impl Files for Revision {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let path = path::normal(path)?;
        let failed = |reason: &str| ReadError {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let at = self.follow(&path)?;
        if let Some(entry) = self.entries.get(&at) {
            return self.blob(entry, &at).map(Some);
        }
        if self.below(&at).next().is_some() {
            return Err(failed("it is a folder, not a file"));
        }
        let here = self.disk.peek(&at).ok().flatten();
        let here = here.filter(|_| self.repository.ignores(&at) == Some(true));
        if here.is_some() {
            let ignored = self.ignored.lock();
            ignored.unwrap_or_else(PoisonError::into_inner).insert(path);
        } else if at != path {
            return Err(failed("it is a symlink to nothing"));
        }
        Ok(here)
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        self.follow(&path::normal(path)?)
    }

    fn linked(&self, folder: &str) -> Vec<String> {
        let is_link = |entry: &CommitEntry| entry.kind == CommitEntryKind::Symlink;
        let names = match self.list(folder) {
            Ok(names) if self.entries.values().any(is_link) => names,
            _ => return Vec::new(),
        };
        let inside = path::normal(folder).map_or(0, |folder| folder.len() + 1);
        let target = |path: &str| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let plain = path::join(&self.follow(folder).ok()?, name);
            self.follow(path).ok().filter(|at| *at != plain)
        };
        let mut linked = BTreeSet::new();
        for name in &names {
            let above = name.match_indices('/').map(|(at, _)| &name[..at]);
            let above = above.filter(|folder| folder.len() >= inside);
            linked.extend(above.filter_map(target).map(|at| format!("{at}/")));
            // What leads back is named, and not walked; what leads nowhere may be there, and ignored by git.
            let file = target(name).filter(|at| self.below(at).next().is_none());
            linked.extend(file);
        }
        linked.into_iter().collect()
    }

    fn is_executable(&self, path: &str) -> bool {
        let at = path::normal(path).map_err(ReadError::from);
        let Ok(at) = at.and_then(|path| self.follow(&path)) else {
            return false;
        };
        match self.entries.get(&at) {
            // Held against a disk that cannot tell, neither side may.
            Some(entry) => entry.kind == CommitEntryKind::Program && self.disk.keeps_modes(),
            None => self.disk.is_executable(&at),
        }
    }

    fn is_ignored(&self, path: &str) -> bool {
        // A file of the commit is everybody's, whatever the work tree says of it now.
        !self.holds(path) && self.repository.ignores(path) != Some(false)
    }

    fn ignored_files(&self) -> Option<BTreeSet<String>> {
        let mut ignored = self.disk.ignored_files()?;
        ignored.retain(|path| !self.holds(path));
        Some(ignored)
    }

    fn listing(&self) -> Result<FileListing, ReadError> {
        let mut listing = FileListing::default();
        for (path, entry) in &self.entries {
            if path.split('/').any(is_left_out) {
                continue;
            }
            match entry.kind {
                CommitEntryKind::File | CommitEntryKind::Program => {
                    listing.files.push(path.clone());
                }
                CommitEntryKind::Symlink => {
                    listing.left_out.insert(path.clone(), LeftOut::Symlink);
                }
                CommitEntryKind::Submodule => {
                    let folder = format!("{path}/");
                    listing.left_out.insert(folder, LeftOut::OtherRepository);
                }
            }
        }
        Ok(listing)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let folder = path::normal(folder)?;
        let failed = |reason: String| ReadError {
            path: folder.clone(),
            reason,
        };
        let at = self.follow(&folder)?;
        if self.entries.contains_key(&at) {
            return Err(failed("it is not a folder".to_owned()));
        }
        let mut found = Vec::new();
        self.walk(&at, &folder, &mut Vec::new(), &mut 0, &mut found)?;
        found.sort_unstable();
        if found.is_empty() && at != folder && self.below(&at).next().is_none() {
            return Err(failed("it is a symlink to nothing".to_owned()));
        }
        Ok(found)
    }
}

/// Says that what is wanted is in another repository.
fn in_submodule(path: &str) -> String {
    format!(
        "`{path}` is a submodule, whose files are not in this commit: what they were cannot be told"
    )
}

impl Store {
    fn blob(&mut self, object: &str) -> io::Result<Vec<u8>> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(format!("{object}\n").as_bytes())?;
        input.flush()?;
        let mut head = String::new();
        self.output.read_line(&mut head)?;
        // `<object> <kind> <size>`, or `<object> missing`, or nothing where git died of looking for it.
        let size = head.trim_end().rsplit(' ').next();
        let size: usize = size
            .and_then(|size| size.parse().ok())
            .ok_or_else(|| io::Error::other(MISSING))?;
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

/// Reads `ls-tree -z`: `<mode> <kind> <object>\t<path>\0`.
fn entries(listing: &[u8], prefix: &str) -> BTreeMap<String, CommitEntry> {
    let text = String::from_utf8_lossy(listing);
    let lines = text.split('\0').filter_map(|line| {
        let (head, path) = line.split_once('\t')?;
        let mut head = head.split(' ');
        let (mode, kind, object) = (head.next()?, head.next()?, head.next()?);
        let path = path.strip_prefix(prefix)?;
        let entry = CommitEntry {
            object: object.to_owned(),
            kind: match (mode, kind) {
                ("120000", _) => CommitEntryKind::Symlink,
                (_, "commit") => CommitEntryKind::Submodule,
                ("100755", _) => CommitEntryKind::Program,
                _ => CommitEntryKind::File,
            },
        };
        Some((path.to_owned(), entry))
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
            "100755 blob dd\tsub/run",
        ];
        let listing = lines.join("\0");
        let found = entries(listing.as_bytes(), "sub/");
        let shown: Vec<(&str, CommitEntryKind)> = found
            .iter()
            .map(|(path, entry)| (&**path, entry.kind))
            .collect();
        let expected = [
            ("a b", CommitEntryKind::File),
            ("link", CommitEntryKind::Symlink),
            ("module", CommitEntryKind::Submodule),
            ("run", CommitEntryKind::Program),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn symlinks_stay_in_the_project() {
        assert_eq!(resolved("a/b", "../c", "d").as_deref(), Some("a/c/d"));
        assert_eq!(resolved("a", "../../c", ""), None);
        assert_eq!(resolved("a", "/etc", ""), None);
    }
}
