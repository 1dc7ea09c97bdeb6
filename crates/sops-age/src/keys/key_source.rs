//! Where private keys come from: the places that SOPS knows, in its order and with its meaning.
//!
//! From `age/keysource.go` of SOPS 3.13: `SOPS_AGE_SSH_PRIVATE_KEY_FILE`, `SOPS_AGE_SSH_PRIVATE_KEY_CMD`,
//! `~/.ssh/id_ed25519`, `~/.ssh/id_rsa`, `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD`, and `sops/age/keys.txt`
//! in the user's config folder. All of them count; none hides another. A variable that is set to nothing counts as unset.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key_command::{KeyCommand, KeyCommandError};
use super::keyring::{Keyring, USUAL_IDENTITY_FILE, USUAL_SSH_FILES};
use crate::secret::Secret;

const SSH_KEY_FILE: &str = "SOPS_AGE_SSH_PRIVATE_KEY_FILE";
const SSH_KEY_COMMAND: &str = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
const AGE_KEY: &str = "SOPS_AGE_KEY";
const AGE_KEY_FILE: &str = "SOPS_AGE_KEY_FILE";
const AGE_KEY_COMMAND: &str = "SOPS_AGE_KEY_CMD";
const CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// The systems whose users keep their files in other places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserSystem {
    /// Linux and other systems of that kind.
    Unix,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl UserSystem {
    /// Returns the system that this is built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Unix
        }
    }
}

/// What is known of a process and its user, handed in so that nothing here reads it.
pub trait KeyEnvironment {
    /// Returns the value of a variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns on which system the user's files lie.
    fn system(&self) -> UserSystem;

    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    fn read_key_file(&self, path: &Path) -> io::Result<Option<KeyFile>>;

    /// Runs a command, within the time that the caller grants: [`KeyCommand::run`] does it.
    ///
    /// # Errors
    /// What went wrong.
    fn run_key_command(
        &self,
        command: &KeyCommand,
        recipient: Option<&str>,
    ) -> Result<Secret, KeyCommandError>;
}

/// A file that should hold private keys.
pub struct KeyFile {
    /// Its bytes.
    pub content: Zeroizing<Vec<u8>>,
    /// Whether others than its owner may read it.
    pub is_open_to_others: bool,
}

/// What was found in one place.
#[derive(Clone)]
pub struct FoundKeys {
    /// The variable or the path, to be shown.
    pub origin: String,
    /// The file, where it is one.
    pub path: Option<PathBuf>,
    /// What stands there, as [`Keyring::parse`] takes it.
    pub text: Secret,
}

impl fmt::Debug for FoundKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FoundKeys({})", self.origin)
    }
}

/// What is wrong with a place where keys may be.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceProblem {
    /// Others can read a private key. A warning: the key works.
    #[error("`{path}` holds a private key, and others can read it")]
    OpenToOthers {
        /// The file.
        path: String,
    },
    /// A variable names a file that is not there.
    #[error("`{variable}` names `{path}`, which is no file")]
    NoFile {
        /// The variable.
        variable: &'static str,
        /// The file.
        path: String,
    },
    /// A file is there and cannot be read.
    #[error("`{path}` cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Whether a variable names it, as none does for those that every user may have.
        is_named: bool,
        /// Why.
        cause: io::Error,
    },
    /// A file is no text, as key files are.
    #[error("`{path}` is no age key file: it is not UTF-8")]
    NoText {
        /// The file.
        path: String,
        /// Whether a variable names it, as none does for those that every user may have.
        is_named: bool,
    },
    /// A command gave no keys.
    #[error("the command in `{variable}` {cause}")]
    Command {
        /// The variable.
        variable: &'static str,
        /// Why.
        cause: KeyCommandError,
    },
}

impl KeySourceProblem {
    /// Returns whether keys that the user asked for are missing; all else is a warning.
    pub fn is_error(&self) -> bool {
        match self {
            Self::OpenToOthers { .. } => false,
            Self::NoFile { .. } | Self::Command { .. } => true,
            Self::Unreadable { is_named, .. } | Self::NoText { is_named, .. } => *is_named,
        }
    }

    /// Says what to do.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::OpenToOthers { .. } => {
                "take their right away: `chmod 600`, or the like on other systems"
            }
            Self::NoFile { .. } => "correct the path, or unset the variable",
            Self::Unreadable { .. } => "see to it that you may read it, or move it away",
            Self::NoText { .. } => "put the file there that `age-keygen -o` wrote",
            Self::Command { .. } => "the command has to print private keys of age, a line each",
        }
    }
}

/// The keys that SOPS would use, and where there are none.
#[derive(Debug, Default)]
pub struct KeySources {
    /// What was found, in the order of SOPS.
    pub found: Vec<FoundKeys>,
    /// Commands that are not run yet.
    pub commands: Vec<KeyCommand>,
    /// The places where nothing is: to be named when a key is missing.
    pub empty: Vec<String>,
    /// What is wrong with a place; the others count all the same.
    pub problems: Vec<KeySourceProblem>,
}

impl KeySources {
    /// Looks into all places; runs no command.
    pub fn find(environment: &dyn KeyEnvironment) -> Self {
        let mut sources = Self::default();
        let home = home(environment);
        sources.take_named_file(environment, SSH_KEY_FILE);
        sources.take_command(environment, SSH_KEY_COMMAND);
        for file in USUAL_SSH_FILES {
            if let Some(home) = &home {
                sources.take_file(environment, &home.join(file), None);
            }
        }
        match filled(environment, AGE_KEY) {
            Some(text) => sources.found.push(FoundKeys {
                origin: AGE_KEY.to_owned(),
                path: None,
                text: Secret::new(text),
            }),
            None => sources.empty.push(AGE_KEY.to_owned()),
        }
        sources.take_named_file(environment, AGE_KEY_FILE);
        sources.take_command(environment, AGE_KEY_COMMAND);
        if let Some(folder) = config_folder(environment) {
            sources.take_file(environment, &folder.join(USUAL_IDENTITY_FILE), None);
        }
        sources
    }

    /// Runs the commands for files that are to be opened, each given by the public keys that it is sealed for.
    ///
    /// A command may print another key for each of them, so it runs for one after the other until a key at hand, in
    /// `keyring` or printed before, is for one of a file's, and never twice for the same. Without any file it does not
    /// run. What it printed before is kept once; that it gave nothing for some is told only where it gave no key at all.
    pub fn run_commands(
        &mut self,
        environment: &dyn KeyEnvironment,
        files: &[Vec<String>],
        keyring: &Keyring,
    ) {
        for command in std::mem::take(&mut self.commands) {
            let origin = command.variable;
            let mut asked: Vec<&str> = Vec::new();
            let mut failure = None;
            for recipients in files {
                for recipient in recipients {
                    if self.opens(recipients, keyring) {
                        break;
                    }
                    if asked.contains(&recipient.as_str()) {
                        continue;
                    }
                    asked.push(recipient);
                    match environment.run_key_command(&command, Some(recipient)) {
                        Ok(text) => self.keep_printed(origin, text),
                        Err(cause) => failure = failure.or(Some(cause)),
                    }
                }
            }
            let printed = self.found.iter().any(|found| found.origin == origin);
            if let Some(cause) = failure.filter(|_| !printed) {
                let variable = origin;
                self.problems
                    .push(KeySourceProblem::Command { variable, cause });
            }
        }
    }

    /// Returns whether a key at hand is for one of the public keys of a file.
    fn opens(&self, recipients: &[String], keyring: &Keyring) -> bool {
        let texts = self.found.iter();
        let texts: Vec<_> = texts
            .map(|found| (found.origin.clone(), found.text.clone()))
            .collect();
        let found = Keyring::parse(&texts).0;
        let mut recipients = recipients.iter();
        recipients.any(|recipient| keyring.holds(recipient) || found.holds(recipient))
    }

    fn keep_printed(&mut self, variable: &'static str, text: Secret) {
        let mut known = self.found.iter();
        if !known.any(|found| found.origin == variable && found.text == text) {
            self.found.push(FoundKeys {
                origin: variable.to_owned(),
                path: None,
                text,
            });
        }
    }

    fn take_named_file(&mut self, environment: &dyn KeyEnvironment, variable: &'static str) {
        match filled(environment, variable) {
            Some(path) => self.take_file(environment, Path::new(&path), Some(variable)),
            None => self.empty.push(variable.to_owned()),
        }
    }

    fn take_command(&mut self, environment: &dyn KeyEnvironment, variable: &'static str) {
        let Some(text) = filled(environment, variable) else {
            return self.empty.push(variable.to_owned());
        };
        match KeyCommand::read(variable, &text) {
            Ok(command) => self.commands.push(command),
            Err(cause) => self
                .problems
                .push(KeySourceProblem::Command { variable, cause }),
        }
    }

    fn take_file(
        &mut self,
        environment: &dyn KeyEnvironment,
        file: &Path,
        named_by: Option<&'static str>,
    ) {
        let path = file.display().to_string();
        let is_named = named_by.is_some();
        let content = match environment.read_key_file(file) {
            Ok(Some(content)) => content,
            Ok(None) => {
                return match named_by {
                    Some(variable) => self
                        .problems
                        .push(KeySourceProblem::NoFile { variable, path }),
                    None => self.empty.push(path),
                };
            }
            Err(cause) => {
                return self.problems.push(KeySourceProblem::Unreadable {
                    path,
                    is_named,
                    cause,
                });
            }
        };
        let Some(text) = text_of(&content.content) else {
            return self
                .problems
                .push(KeySourceProblem::NoText { path, is_named });
        };
        if content.is_open_to_others {
            let path = path.clone();
            self.problems.push(KeySourceProblem::OpenToOthers { path });
        }
        self.found.push(FoundKeys {
            origin: path,
            path: Some(file.to_owned()),
            text,
        });
    }
}

/// Takes a key file for a text. Of an encrypted one that is not armored, the first line tells all.
fn text_of(bytes: &[u8]) -> Option<Secret> {
    let encrypted = bytes.starts_with(b"age-encryption.org/");
    let line = bytes.split(|byte| *byte == b'\n').next();
    let text = if encrypted { line? } else { bytes };
    std::str::from_utf8(text).ok().map(Secret::new)
}

fn filled(environment: &dyn KeyEnvironment, name: &str) -> Option<String> {
    environment.variable(name).filter(|value| !value.is_empty())
}

fn home(environment: &dyn KeyEnvironment) -> Option<PathBuf> {
    let name = match environment.system() {
        UserSystem::Windows => "USERPROFILE",
        UserSystem::Unix | UserSystem::MacOs => "HOME",
    };
    filled(environment, name).map(PathBuf::from)
}

/// Returns the folder of the user's settings as Go's `os.UserConfigDir` has it, and SOPS on macOS.
fn config_folder(environment: &dyn KeyEnvironment) -> Option<PathBuf> {
    let named = || filled(environment, CONFIG_HOME).map(PathBuf::from);
    let below_home = |folder: &str| home(environment).map(|home| home.join(folder));
    match environment.system() {
        UserSystem::Unix => named().or_else(|| below_home(".config")),
        UserSystem::MacOs => named().or_else(|| below_home("Library/Application Support")),
        UserSystem::Windows => filled(environment, "AppData").map(PathBuf::from),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::super::identity::{IdentityFile, NativeKind};
    use super::*;

    /// A process that exists in a test only.
    struct Imagined {
        variables: BTreeMap<&'static str, String>,
        files: BTreeMap<&'static str, (Vec<u8>, bool)>,
        system: UserSystem,
        runs: RefCell<Vec<Option<String>>>,
        prints: fn(Option<&str>) -> Result<Secret, KeyCommandError>,
    }

    impl Imagined {
        fn new(system: UserSystem, variables: &[(&'static str, &str)]) -> Self {
            let variables = variables.iter();
            Self {
                variables: variables
                    .map(|(name, value)| (*name, (*value).to_owned()))
                    .collect(),
                files: BTreeMap::new(),
                system,
                runs: RefCell::default(),
                prints: |_| Err(KeyCommandError::NoText),
            }
        }

        fn with_file(mut self, path: &'static str, content: &str, open: bool) -> Self {
            self.files.insert(path, (content.as_bytes().to_vec(), open));
            self
        }
    }

    impl KeyEnvironment for Imagined {
        fn variable(&self, name: &str) -> Option<String> {
            self.variables.get(name).cloned()
        }

        fn system(&self) -> UserSystem {
            self.system
        }

        fn read_key_file(&self, path: &Path) -> io::Result<Option<KeyFile>> {
            let path = path.to_str().unwrap().replace('\\', "/");
            if path.ends_with("forbidden") {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            let file = self.files.get(path.as_str());
            Ok(file.map(|(content, open)| KeyFile {
                content: Zeroizing::new(content.clone()),
                is_open_to_others: *open,
            }))
        }

        fn run_key_command(
            &self,
            _: &KeyCommand,
            recipient: Option<&str>,
        ) -> Result<Secret, KeyCommandError> {
            self.runs.borrow_mut().push(recipient.map(str::to_owned));
            (self.prints)(recipient)
        }
    }

    fn origins(sources: &KeySources) -> Vec<&str> {
        sources
            .found
            .iter()
            .map(|found| found.origin.as_str())
            .collect()
    }

    fn told(sources: &KeySources) -> Vec<String> {
        sources.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn looks_where_sops_looks_in_its_order() {
        let variables = [
            ("HOME", "/h"),
            (SSH_KEY_FILE, "ssh.key"),
            (AGE_KEY, "AGE-SECRET-KEY-1X"),
            (AGE_KEY_FILE, "/k/own.txt"),
            (AGE_KEY_COMMAND, "pass show 'age key'"),
        ];
        let process = Imagined::new(UserSystem::Unix, &variables)
            .with_file("ssh.key", "a", false)
            .with_file("/h/.ssh/id_ed25519", "b", false)
            .with_file("/k/own.txt", "c", true)
            .with_file("/h/.config/sops/age/keys.txt", "d", false);
        let sources = KeySources::find(&process);
        assert_eq!(
            origins(&sources),
            [
                "ssh.key",
                "/h/.ssh/id_ed25519",
                "SOPS_AGE_KEY",
                "/k/own.txt",
                "/h/.config/sops/age/keys.txt"
            ]
        );
        assert_eq!(sources.empty, [SSH_KEY_COMMAND, "/h/.ssh/id_rsa"]);
        assert_eq!(sources.commands.len(), 1);
        assert!(process.runs.borrow().is_empty());
        assert_eq!(
            told(&sources),
            ["`/k/own.txt` holds a private key, and others can read it"]
        );
        assert!(!sources.problems[0].is_error());
        assert!(!format!("{sources:?}").contains("AGE-SECRET"));
    }

    #[test]
    fn knows_the_config_folders_of_all_systems() {
        let last = |system, variables: &[(&'static str, &str)]| {
            let sources = KeySources::find(&Imagined::new(system, variables));
            sources.empty.last().unwrap().replace('\\', "/")
        };
        let home = ("HOME", "/h");
        let named = (CONFIG_HOME, "/x");
        for (system, variables, expected) in [
            (UserSystem::Unix, vec![home], "/h/.config/sops/age/keys.txt"),
            (UserSystem::Unix, vec![home, named], "/x/sops/age/keys.txt"),
            (
                UserSystem::MacOs,
                vec![home, (CONFIG_HOME, "")],
                "/h/Library/Application Support/sops/age/keys.txt",
            ),
            (UserSystem::MacOs, vec![home, named], "/x/sops/age/keys.txt"),
            (
                UserSystem::Windows,
                vec![home, named, ("AppData", "C:/a")],
                "C:/a/sops/age/keys.txt",
            ),
            (
                UserSystem::Windows,
                vec![("USERPROFILE", "C:/h")],
                AGE_KEY_COMMAND,
            ),
        ] {
            assert_eq!(last(system, &variables), expected);
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_place() {
        let variables = [
            ("HOME", "/h"),
            (SSH_KEY_FILE, "/gone"),
            (AGE_KEY_FILE, "/forbidden"),
            (AGE_KEY_COMMAND, "sh -c 'no end"),
        ];
        let mut process = Imagined::new(UserSystem::Unix, &variables);
        process.files.insert("/h/.ssh/id_rsa", (vec![0xff], false));
        let encrypted = b"age-encryption.org/v1\n\xff".to_vec();
        process
            .files
            .insert("/h/.config/sops/age/keys.txt", (encrypted, false));
        let sources = KeySources::find(&process);
        let unreadable = format!(
            "`/forbidden` cannot be read: {}",
            io::ErrorKind::PermissionDenied
        );
        assert_eq!(
            told(&sources),
            [
                "`SOPS_AGE_SSH_PRIVATE_KEY_FILE` names `/gone`, which is no file",
                "`/h/.ssh/id_rsa` is no age key file: it is not UTF-8",
                unreadable.as_str(),
                "the command in `SOPS_AGE_KEY_CMD` is no command",
            ]
        );
        let errors: Vec<bool> = sources
            .problems
            .iter()
            .map(KeySourceProblem::is_error)
            .collect();
        assert_eq!(errors, [true, false, true, true]);
        assert_eq!(sources.found[0].text.expose(), "age-encryption.org/v1");
    }

    #[test]
    fn asks_a_command_for_each_public_key_without_a_private_one() {
        let one = IdentityFile::generate(NativeKind::X25519, "now");
        let held = Keyring::parse(&[("age.key".to_owned(), one.text.clone())]).0;
        let mut process = Imagined::new(UserSystem::Unix, &[(AGE_KEY_COMMAND, "x")]);
        process.prints = |recipient| match recipient {
            Some("age1bad") => Err(KeyCommandError::NoText),
            _ => Ok(Secret::new("AGE-SECRET-KEY-1X")),
        };
        let run = |files: &[&[&str]]| {
            let mut sources = KeySources::find(&process);
            let owned = |file: &&[&str]| file.iter().map(|it| (*it).to_owned()).collect();
            let files: Vec<Vec<String>> = files.iter().map(owned).collect();
            sources.run_commands(&process, &files, &held);
            (sources, process.runs.take())
        };
        let asked = |names: &[&str]| -> Vec<Option<String>> {
            names.iter().map(|name| Some((*name).to_owned())).collect()
        };
        let (sources, runs) = run(&[&["age1a", "age1bad"], &["age1bad", "age1b"]]);
        assert_eq!(runs, asked(&["age1a", "age1bad", "age1b"]));
        assert_eq!(origins(&sources), [AGE_KEY_COMMAND]);
        assert!(told(&sources).is_empty());
        let (sources, _) = run(&[&["age1bad"]]);
        assert_eq!(
            told(&sources),
            ["the command in `SOPS_AGE_KEY_CMD` printed no key file"]
        );
        for nothing_closed in [&[][..], &[&["age1a", one.recipient.as_str()][..]]] {
            assert!(run(nothing_closed).1.is_empty());
        }
    }
}
