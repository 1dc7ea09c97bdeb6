//! What is in a folder that git keeps, without a look into any file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::path;
use super::walk::is_left_out;
use crate::source::{FileListing, LeftOut};

/// The name of what makes a folder a repository.
const REPOSITORY: &str = ".git";

/// Walks a folder, past what git ignores: files, and folders with a slash at their end.
pub(super) fn take_inventory(root: &Path, ignored: &BTreeSet<String>) -> FileListing {
    let mut listing = FileListing::default();
    let mut waiting = vec![(root.to_owned(), String::new())];
    while let Some((real, name)) = waiting.pop() {
        let entries = match fs::read_dir(&real) {
            Ok(entries) => entries,
            Err(error) => {
                let reason = LeftOut::Unreadable(error.to_string());
                listing.left_out.insert(format!("{name}/"), reason);
                continue;
            }
        };
        for entry in entries.flatten() {
            take_entry(&entry, &name, ignored, &mut listing, &mut waiting);
        }
    }
    listing.files.sort_unstable();
    listing
}

fn take_entry(
    entry: &fs::DirEntry,
    folder: &str,
    ignored: &BTreeSet<String>,
    listing: &mut FileListing,
    waiting: &mut Vec<(PathBuf, String)>,
) {
    let name = entry.file_name();
    let shown = name.to_string_lossy();
    if is_left_out(&shown) {
        return;
    }
    let mut path = path::join(folder, &shown);
    let kind = entry.file_type();
    let is_folder = kind.as_ref().is_ok_and(fs::FileType::is_dir);
    if is_folder {
        path.push('/');
    }
    let left_out = match kind {
        _ if ignored.contains(&path) => LeftOut::ByGit,
        _ if name.to_str().is_none() => LeftOut::Unreadable("its name is not Unicode".to_owned()),
        Err(error) => LeftOut::Unreadable(error.to_string()),
        Ok(_) if is_folder => {
            let real = entry.path();
            // A submodule and a linked worktree have a file of that name, a clone a folder.
            if fs::symlink_metadata(real.join(REPOSITORY)).is_ok() {
                LeftOut::OtherRepository
            } else {
                path.pop();
                waiting.push((real, path));
                return;
            }
        }
        Ok(kind) if kind.is_symlink() => LeftOut::Symlink,
        Ok(kind) if kind.is_file() => {
            listing.files.push(path);
            return;
        }
        Ok(_) => LeftOut::Unreadable("it is a special file".to_owned()),
    };
    listing.left_out.insert(path, left_out);
}
