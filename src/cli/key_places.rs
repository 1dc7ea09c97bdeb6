//! Where this process finds private keys, and how it may use them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sops_age::keys::{
    KeyCommand, KeyCommandError, KeyEnvironment, KeyFile, KeySources, PluginAccess, UserSystem,
};

use super::settings::Settings;
use crate::fs;
use crate::secret::{AGE_KEY, Secret};

/// How long a command that prints keys may take: somebody may have to unlock something.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);

/// What a command does with private keys.
///
/// What a pull request says must not start a program: whoever may write a rule or a key file chooses the plugin that
/// its keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUse {
    /// It looks for none.
    Never,
    /// It takes those of files and variables, and starts no program.
    AtHand,
    /// It also runs the commands that variables name.
    WithCommands,
    /// It also lets plugins of age run.
    WithPlugins,
}

impl KeyUse {
    /// Returns whether commands of the environment may run.
    pub fn runs_commands(self) -> bool {
        self >= Self::WithCommands
    }

    /// Returns what plugins of age may do; nobody is there to answer their questions.
    pub fn plugins(self) -> PluginAccess {
        match self {
            Self::WithPlugins => PluginAccess::Silent,
            Self::Never | Self::AtHand | Self::WithCommands => PluginAccess::Denied,
        }
    }
}

/// A command, and the public key that it was run for.
type KeyRequest = (&'static str, Option<String>);

/// What commands have printed in this run: none is asked twice for the same key, as somebody may have to unlock
/// something each time.
#[derive(Clone, Default)]
pub struct PrintedKeys(Arc<Mutex<BTreeMap<KeyRequest, Secret>>>);

impl fmt::Debug for PrintedKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrintedKeys")
    }
}

/// The places of this process and its user.
pub struct KeyPlaces<'s>(pub &'s Settings);

impl KeyPlaces<'_> {
    /// Returns a path as this process understands it.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.0.directory.join(path)
    }

    /// Lists the files that keys may be in: the project's own, then those that SOPS would use.
    pub fn files(&self, root: &Path) -> Vec<PathBuf> {
        let listing = ListedPlaces {
            places: self,
            files: RefCell::new(vec![root.join(AGE_KEY)]),
        };
        KeySources::find(&listing);
        listing.files.into_inner()
    }
}

impl KeyEnvironment for KeyPlaces<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.environment.get(name).map(str::to_owned)
    }

    fn system(&self) -> UserSystem {
        UserSystem::current()
    }

    fn read_key_file(&self, path: &Path) -> io::Result<Option<KeyFile>> {
        let path = self.resolve(path);
        let content = fs::read_keys_anywhere(&path)?;
        Ok(content.map(|content| KeyFile {
            content,
            is_open_to_others: fs::is_readable_by_others(&path),
        }))
    }

    fn run_key_command(
        &self,
        command: &KeyCommand,
        recipient: Option<&str>,
    ) -> Result<Secret, KeyCommandError> {
        let asked = (command.variable, recipient.map(str::to_owned));
        let printed = &self.0.printed.0;
        let known = printed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&asked) {
            return Ok(text.clone());
        }
        drop(known);
        let text = command.run(recipient, COMMAND_LIMIT)?;
        let mut known = printed.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(asked, text.clone());
        Ok(text)
    }
}

/// The same places, of which nothing is read: they are only listed.
struct ListedPlaces<'p> {
    places: &'p KeyPlaces<'p>,
    files: RefCell<Vec<PathBuf>>,
}

impl KeyEnvironment for ListedPlaces<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.places.variable(name)
    }

    fn system(&self) -> UserSystem {
        self.places.system()
    }

    fn read_key_file(&self, path: &Path) -> io::Result<Option<KeyFile>> {
        self.files.borrow_mut().push(self.places.resolve(path));
        Ok(None)
    }

    fn run_key_command(&self, _: &KeyCommand, _: Option<&str>) -> Result<Secret, KeyCommandError> {
        Err(KeyCommandError::NoCommand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn lists_the_files_that_sops_would_look_at() {
        let variables = [
            ("SOPS_AGE_KEY_FILE", "my.key"),
            ("XDG_CONFIG_HOME", "/x"),
            ("HOME", "/h"),
        ];
        let settings = Settings {
            directory: PathBuf::from("/here"),
            environment: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Settings::default()
        };
        let files = KeyPlaces(&settings).files(Path::new("/project"));
        let expected = [
            "/project/age.key",
            "/h/.ssh/id_ed25519",
            "/h/.ssh/id_rsa",
            "/here/my.key",
            "/x/sops/age/keys.txt",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
    }
}
