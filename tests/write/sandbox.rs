use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln::diagnostic::{Diagnostic, Warned};
use kiln::fs::Disk;
use kiln::source::Source;
use kiln::tree::{File, Sealed, SealedFile, Tree, is_secret_path};
use kiln::write::{self, PlanOptions, Target, WritePlan, WriteReport};

/// What stands in the plain text of every secret output, and must never stand on disk.
pub(super) const CANARY: &str = "canary-in-plain-text";

pub(super) const FORCE: PlanOptions = PlanOptions {
    force: true,
    dry_run: false,
};
pub(super) const DRY: PlanOptions = PlanOptions {
    force: false,
    dry_run: true,
};

/// Makes a sealed tree; the text given for a secret path is taken for its ciphertext.
pub(super) fn tree<P: AsRef<str>, T: AsRef<str>>(
    files: impl IntoIterator<Item = (P, T)>,
) -> Tree<Sealed> {
    let mut outputs = Vec::new();
    let mut ciphertexts = BTreeMap::new();
    for (path, text) in files {
        let path = path.as_ref().to_owned();
        let mut plain = text.as_ref();
        if is_secret_path(&path) {
            let sealed = SealedFile {
                bytes: plain.as_bytes().to_vec(),
                sealed: true,
                kept: false,
                executable: false,
            };
            ciphertexts.insert(path.clone(), sealed);
            plain = CANARY;
        }
        outputs.push(File {
            source: Source::new(path.as_str(), plain),
            path,
            documents: Arc::default(),
            origins: Vec::new(),
            executable: false,
            binary: None,
        });
    }
    Tree::rendered(outputs, Vec::new())
        .hardened(Vec::new(), Vec::new(), Vec::new())
        .checked()
        .sealed(ciphertexts)
}

/// Makes the same tree with one output as a program.
pub(super) fn with_program(tree: &Tree<Sealed>, program: &str) -> Tree<Sealed> {
    let files = tree.files().cloned().map(|file| File {
        executable: file.path == program,
        ..file
    });
    sealed(files)
}

fn sealed(files: impl IntoIterator<Item = File>) -> Tree<Sealed> {
    Tree::rendered(files, Vec::new())
        .hardened(Vec::new(), Vec::new(), Vec::new())
        .checked()
        .sealed(BTreeMap::new())
}

pub(super) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn disk(&self) -> Disk {
        Disk::open(self.path()).unwrap()
    }

    pub(super) fn put(&self, path: &str, text: &str) {
        let full = self.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }

    pub(super) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Returns who may do what with a file.
    pub(super) fn mode(&self, path: &str) -> u32 {
        let found = fs::metadata(self.path().join(path)).unwrap();
        found.permissions().mode() & 0o777
    }

    pub(super) fn set_mode(&self, path: &str, mode: u32) {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.path().join(path), permissions).unwrap();
    }

    pub(super) fn picture(&self) -> BTreeMap<String, String> {
        picture(self.path())
    }

    pub(super) fn plan<'t>(
        &self,
        tree: &'t Tree<Sealed>,
        options: PlanOptions,
    ) -> Warned<WritePlan<'t>> {
        write::plan(tree, &Target::new(&self.disk(), "."), options)
            .unwrap()
            .unwrap()
    }

    /// Plans and applies; returns what was done and the warnings.
    pub(super) fn write_with(
        &self,
        tree: &Tree<Sealed>,
        options: PlanOptions,
    ) -> (WriteReport, Vec<Diagnostic>) {
        let Warned { value, warnings } = self.plan(tree, options);
        (value.apply().unwrap(), warnings)
    }

    pub(super) fn write(&self, tree: &Tree<Sealed>) -> WriteReport {
        self.write_with(tree, PlanOptions::default()).0
    }

    /// Plans a tree that must be refused, and returns why.
    pub(super) fn refuse(&self, tree: &Tree<Sealed>, options: PlanOptions) -> Vec<Diagnostic> {
        write::plan(tree, &Target::new(&self.disk(), "."), options)
            .unwrap()
            .unwrap_err()
    }
}

/// Every file below a folder with its text, a symlink with its target, an empty folder with a `/`.
pub(super) fn picture(folder: &Path) -> BTreeMap<String, String> {
    fn add(folder: &Path, name: &str, found: &mut BTreeMap<String, String>) {
        let mut empty = true;
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            empty = false;
            let path = entry.path();
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                add(&path, &name, found);
            } else if kind.is_symlink() {
                let target: PathBuf = fs::read_link(&path).unwrap();
                found.insert(name[1..].to_owned(), format!("-> {}", target.display()));
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                found.insert(name[1..].to_owned(), text);
            }
        }
        if empty && !name.is_empty() {
            found.insert(format!("{}/", &name[1..]), String::new());
        }
    }
    let mut found = BTreeMap::new();
    add(folder, "", &mut found);
    found
}

pub(super) fn codes(problems: &[Diagnostic]) -> Vec<&'static str> {
    problems.iter().map(Diagnostic::code).collect()
}
