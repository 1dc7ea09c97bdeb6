use std::path::PathBuf;
use std::process::{Command, Output};

use super::oracle::oracle;
use super::setting::Pair;

/// A folder of its own for the real `sops`, with nothing in its environment but the identity.
pub(crate) struct Sops {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Sops {
    /// Finds an oracle; `None` where it cannot be had.
    pub(crate) fn find(name: &str, pair: &Pair) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("age.key"), &pair.identity).unwrap();
        let program = oracle(name)?;
        Some(Self { program, folder })
    }

    fn run(&self, arguments: &[&str], name: &str, bytes: &[u8]) -> Output {
        let folder = self.folder.path();
        std::fs::write(folder.join(name), bytes).unwrap();
        Command::new(&self.program)
            .env_clear()
            .env("HOME", folder)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SOPS_AGE_KEY_FILE", folder.join("age.key"))
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .current_dir(folder)
            .args(arguments)
            .output()
            .unwrap()
    }

    fn bytes(output: Output) -> Result<Vec<u8>, String> {
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Encrypts a file by rules.
    pub(crate) fn encrypt(&self, rules: &str, name: &str, bytes: &[u8]) -> Result<String, String> {
        std::fs::write(self.folder.path().join(".sops.yaml"), rules).unwrap();
        let output = self.run(&["encrypt", name], name, bytes);
        Self::bytes(output).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Decrypts a file.
    pub(crate) fn decrypt(&self, name: &str, text: &str) -> Result<Vec<u8>, String> {
        Self::bytes(self.run(&["decrypt", name], name, text.as_bytes()))
    }

    /// Decrypts a YAML file to JSON: go-yaml writes some texts such that no reader takes them back.
    pub(crate) fn decrypt_to_json(&self, name: &str, text: &str) -> Result<String, String> {
        let arguments = ["decrypt", "--output-type", "json", name];
        let output = Self::bytes(self.run(&arguments, name, text.as_bytes()));
        output.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Runs a command that changes a sealed file in its place, and returns what it made of it.
    pub(crate) fn change(
        &self,
        rules: &str,
        arguments: &[&str],
        name: &str,
        text: &str,
    ) -> Result<String, String> {
        std::fs::write(self.folder.path().join(".sops.yaml"), rules).unwrap();
        Self::bytes(self.run(arguments, name, text.as_bytes()))?;
        Ok(std::fs::read_to_string(self.folder.path().join(name)).unwrap())
    }
}
