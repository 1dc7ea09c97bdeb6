//! What the tests of this folder share: a folder of their own, programs, and keys.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sops_age::keys::{IdentityFile, Keyring, NativeKind, Recipient, WrappedKey};
use sops_age::{DataKey, Secret};
use tempfile::TempDir;

/// A folder that is removed when its test ends.
pub(super) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Prepares a program that sees nothing of the keys of whoever runs the tests.
    pub(super) fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", "/usr/bin:/bin");
        command
    }

    /// Makes a key with `ssh-keygen`; `None`, and a word about it, where there is no such program.
    pub(super) fn ssh_keygen(&self, name: &str, arguments: &[&str]) -> Option<PathBuf> {
        let path = self.path(name);
        let mut command = self.program(Path::new("ssh-keygen"));
        command
            .args(["-q", "-C", "me@here", "-f"])
            .arg(&path)
            .args(arguments);
        let Ok(output) = command.output() else {
            eprintln!("SKIPPED ssh-keygen: not in $PATH; not checked: keys of OpenSSH itself");
            return None;
        };
        assert!(output.status.success(), "{output:?}");
        Some(path)
    }
}

/// Runs a program on an input, and returns what it prints; it must not fail.
pub(super) fn printed(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let output = ran(command, input);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    output.stdout
}

pub(super) fn ran(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

pub(super) fn new_key(kind: NativeKind) -> IdentityFile {
    IdentityFile::generate(kind, "2026-01-01T00:00:00Z")
}

pub(super) fn keyring(text: &str) -> Keyring {
    let (keyring, problems) = Keyring::parse(&[("key".to_owned(), Secret::new(text))]);
    assert!(problems.is_empty(), "{problems:?}");
    keyring
}

pub(super) fn wrap(recipient: &str, key: &DataKey) -> WrappedKey {
    Recipient::read(recipient).unwrap().wrap(key).unwrap()
}

pub(super) fn copy(recipient: &str, enc: impl Into<String>) -> WrappedKey {
    WrappedKey {
        recipient: recipient.to_owned(),
        enc: enc.into(),
    }
}
