//! Prints what a folder on disk builds to: `cargo run -p kustomize --example build -- [--anywhere] DIR`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example reads a folder and prints"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use kustomize::{BuildOptions, Files, PathEntry, SourceFile, build, to_yaml};

/// A folder on disk.
struct Disk {
    root: PathBuf,
    read: Mutex<std::collections::BTreeMap<String, Arc<SourceFile>>>,
}

impl Files for Disk {
    fn entry(&self, path: &str) -> PathEntry {
        let place = self.root.join(path);
        if place.is_dir() {
            return PathEntry::Folder;
        }
        let mut read = self.read.lock().expect("nothing panics while it is held");
        if let Some(file) = read.get(path) {
            return PathEntry::File(Arc::clone(file));
        }
        match std::fs::read(&place) {
            Ok(bytes) => {
                let file = SourceFile::new(path, bytes);
                read.insert(path.to_owned(), Arc::clone(&file));
                PathEntry::File(file)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => PathEntry::Missing,
            Err(error) => PathEntry::Unreadable(error.to_string()),
        }
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let entries = std::fs::read_dir(self.root.join(folder))
            .into_iter()
            .flatten();
        let mut names: Vec<(String, bool)> = entries
            .flatten()
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, entry.path().is_dir())
            })
            .collect();
        names.sort();
        names
    }
}

fn main() -> ExitCode {
    let mut options = BuildOptions::default();
    let mut folder = String::from(".");
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--anywhere" => options.files_from_anywhere = true,
            other => other.clone_into(&mut folder),
        }
    }
    let full = Path::new(&folder)
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from(&folder));
    let disk = Disk {
        root: PathBuf::from("/"),
        read: Mutex::default(),
    };
    let path = full.to_string_lossy().trim_start_matches('/').to_owned();
    let built = build(&disk, &path, options);
    for problem in &built.findings.problems {
        eprintln!("error: {} ({:?})", problem.message, problem.place);
    }
    for unseen in &built.findings.not_seen {
        eprintln!(
            "not seen: {}: {} ({:?})",
            unseen.what, unseen.why, unseen.place
        );
    }
    if !built.findings.problems.is_empty() {
        return ExitCode::FAILURE;
    }
    let texts: Vec<String> = built
        .resources
        .iter()
        .map(|resource| to_yaml(&resource.root))
        .collect();
    print!("{}", texts.join("---\n"));
    ExitCode::SUCCESS
}
