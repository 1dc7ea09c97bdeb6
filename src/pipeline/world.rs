//! What a compile may see: files, keys, environment and time.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use sops_age::RULE_FILE;
use sops_age::keys::{KeyKind, PluginAccess, Recipient};

use super::found_identities::FoundIdentities;
use super::inputs;
use crate::config;
use crate::config::project::Project;
use crate::makejinja::PluginStarter;
use crate::secret::{
    AGE_KEY, DEPLOY_KEY, KEY_FILES, KnownSecrets, Secrets, TUNNEL, fingerprint, recipients_in,
};
use crate::source::{Files, ReadError};

/// What a compile does about keys and secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyHandling {
    /// All that are asked for must be there.
    #[default]
    Needed,
    /// Those that are there are used; what is missing is made up, as in a clone without keys.
    AtHand,
    /// None is read, and no variable of the environment: all are made up, as for a change that nobody has read yet.
    MadeUp,
}

/// The repository that a project is a folder of.
#[derive(Clone)]
pub(super) struct AroundProject<'w> {
    /// The folder of the project in it.
    pub(super) folder: String,
    /// Its files, where they are at hand.
    pub(super) files: Option<&'w dyn Files>,
}

/// Opens a folder, counted from the project, which may lie around it.
pub type FolderOpener = dyn Fn(&str) -> Result<Box<dyn Files>, ReadError> + Sync;

/// What a makejinja project is given besides its files.
#[derive(Clone, Copy, Default)]
pub struct MakejinjaSurroundings<'w> {
    /// The absolute path of the project's folder, as patterns and plugins see it.
    pub folder: &'w str,
    /// The options of makejinja that the command line gives.
    pub arguments: &'w [String],
    /// The variables of the environment, which templates and plugins see.
    pub variables: &'w [(String, String)],
    /// What starts the Python of plugins; without, none runs.
    pub plugins: Option<&'w PluginStarter<'w>>,
}

/// What a compile may see.
pub struct World<'w> {
    strict: bool,
    makejinja: MakejinjaSurroundings<'w>,
    /// The repository, where the project is not the root of it.
    pub(super) repository: Option<AroundProject<'w>>,
    /// What opens folders that `kiln.toml` names and that may lie around the project.
    folders: Option<&'w FolderOpener>,
    /// The project, with a guard before its keys.
    pub(super) files: GuardedFiles<'w>,
    /// The built-in templates, schemas and chart profiles.
    pub(super) catalogue: &'w dyn Files,
    env: &'w (dyn Fn(&str) -> Option<String> + Sync),
    identities: FoundIdentities,
    /// The time to write into sealed files: RFC 3339, UTC, whole seconds.
    pub(super) now: String,
}

impl<'w> World<'w> {
    /// Chooses who is told of the secrets that the compile meets.
    #[must_use]
    pub fn telling(mut self, known: &KnownSecrets) -> Self {
        let mut secrets = Secrets::default();
        for (origin, text) in &self.identities.texts {
            secrets.insert(text.expose(), origin);
        }
        known.note(secrets);
        self.files.known = known.clone();
        self
    }

    /// Returns who is told of the secrets that the compile meets.
    pub(super) fn known(&self) -> &KnownSecrets {
        &self.files.known
    }

    /// Takes a project (on disk, in a git revision, or in memory), the built-in catalogue, the environment for
    /// `{ fromEnv: NAME }`, the age identities at hand, and the time in RFC 3339, UTC, whole seconds.
    pub fn new(
        files: &'w dyn Files,
        catalogue: &'w dyn Files,
        env: &'w (dyn Fn(&str) -> Option<String> + Sync),
        identities: impl Into<FoundIdentities>,
        now: String,
    ) -> Self {
        Self {
            files: GuardedFiles::new(files, KeyHandling::Needed),
            catalogue,
            env,
            identities: identities.into(),
            now,
            repository: None,
            folders: None,
            makejinja: MakejinjaSurroundings::default(),
            strict: false,
        }
    }

    /// Has every error that the rules find stop the compile, of a makejinja project as well.
    #[must_use]
    pub fn judging_strictly(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Returns whether every error that the rules find stops the compile.
    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Tells what a makejinja project is given besides its files; without, it sees no variable and runs no Python.
    #[must_use]
    pub fn around_makejinja(mut self, makejinja: MakejinjaSurroundings<'w>) -> Self {
        self.makejinja = makejinja;
        self
    }

    /// Returns what a makejinja project may see besides its files.
    pub(super) fn makejinja(&self) -> MakejinjaSurroundings<'w> {
        match self.files.keys {
            KeyHandling::MadeUp => MakejinjaSurroundings {
                variables: &[],
                ..self.makejinja
            },
            KeyHandling::Needed | KeyHandling::AtHand => self.makejinja,
        }
    }

    /// Tells how folders are opened that `kiln.toml` names and that may lie around the project; without, none is there.
    #[must_use]
    pub fn opening_folders(mut self, folders: &'w FolderOpener) -> Self {
        self.folders = Some(folders);
        self
    }

    /// Opens a folder that `kiln.toml` names, if it is there and may be read.
    pub(super) fn open_folder(&self, path: &str) -> Option<Box<dyn Files>> {
        if self.files.keys == KeyHandling::MadeUp {
            return None;
        }
        (self.folders?)(path).ok()
    }

    /// Tells the folder of a repository that the project is, and the files of that repository where they are at hand.
    #[must_use]
    pub fn in_repository(mut self, folder: &str, files: Option<&'w dyn Files>) -> Self {
        let folder = folder.to_owned();
        self.repository = (!folder.is_empty()).then_some(AroundProject { folder, files });
        self
    }

    /// Returns what is done about keys.
    pub(super) fn keys(&self) -> KeyHandling {
        self.files.keys
    }

    /// Chooses what is done about keys.
    #[must_use]
    pub fn with_keys(mut self, keys: KeyHandling) -> Self {
        self.files.keys = keys;
        self
    }

    /// Returns the same with another project in it.
    pub(super) fn with_files<'o>(&self, files: &'o dyn Files) -> World<'o>
    where
        'w: 'o,
    {
        let identities = self.identities.clone();
        let mut world = World::new(
            files,
            self.catalogue,
            self.env,
            identities,
            self.now.clone(),
        )
        .with_keys(self.files.keys)
        .telling(&self.files.known);
        world.repository.clone_from(&self.repository);
        world.folders = self.folders;
        world.makejinja = self.makejinja;
        world.strict = self.strict;
        world
    }

    /// Returns the project without the guard, to lay something over it.
    pub(super) fn unguarded(&self) -> &'w dyn Files {
        self.files.files
    }

    /// Returns whether anything may be made up.
    pub(super) fn makes_up(&self) -> bool {
        self.files.keys != KeyHandling::Needed
    }

    /// Returns a variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        match self.files.keys {
            KeyHandling::MadeUp => None,
            KeyHandling::Needed | KeyHandling::AtHand => (self.env)(name),
        }
    }

    /// Returns the age identities at hand, unless keys are made up.
    pub(super) fn identities(&self) -> Option<&FoundIdentities> {
        self.reads_keys().then_some(&self.identities)
    }

    /// Returns whether the programs of age plugins may run.
    pub(super) fn plugins(&self) -> PluginAccess {
        self.identities()
            .map_or_else(PluginAccess::default, |found| found.plugins.clone())
    }

    /// Returns whether keys are read at all.
    pub(super) fn reads_keys(&self) -> bool {
        self.files.keys != KeyHandling::MadeUp
    }
}

/// Folders that are nobody's input: git's own, with the tokens of CI in it, and Kiln's own.
const CLOSED_FOLDERS: [&str; 2] = [".git", ".kiln"];

/// The project's files, with a guard before its keys.
///
/// `read` gives no file in which keys are kept, whatever name or symlink leads to it, and nothing of `.git` and `.kiln`;
/// `read_secret` gives keys, or makes them up.
pub(super) struct GuardedFiles<'w> {
    files: &'w dyn Files,
    keys: KeyHandling,
    settings: OnceLock<FileSettings>,
    /// What git ignores, where nothing of it may be read.
    ignored: OnceLock<Option<BTreeSet<String>>>,
    made_up: Mutex<BTreeSet<String>>,
    known: KnownSecrets,
}

/// What `kiln.toml` says of files.
struct FileSettings {
    identities: Vec<String>,
    listed: Vec<String>,
    rules: String,
}

impl<'w> GuardedFiles<'w> {
    /// Puts the guard before the files of a project.
    fn new(files: &'w dyn Files, keys: KeyHandling) -> Self {
        Self {
            files,
            keys,
            settings: OnceLock::new(),
            ignored: OnceLock::new(),
            made_up: Mutex::default(),
            known: KnownSecrets::default(),
        }
    }

    /// Takes over what `kiln.toml` says; the first project counts.
    pub(super) fn heed(&self, project: &Project) {
        let rules = inputs::in_project(&inputs::output_folder(project), RULE_FILE);
        self.settings.get_or_init(|| FileSettings {
            identities: project.seal.identities.clone(),
            listed: project.files.clone(),
            rules,
        });
    }

    /// Lists the files that were made up.
    pub(super) fn made_up(&self) -> BTreeSet<String> {
        let made_up = self.made_up.lock().unwrap_or_else(PoisonError::into_inner);
        made_up.clone()
    }

    /// Refuses what no template, schema or data file may be.
    pub(super) fn guard(&self, path: &str) -> Result<(), ReadError> {
        let real = self.files.real_path(path)?;
        refuse_closed(path, &real)?;
        let identities = self.settings.get().map(|settings| &settings.identities);
        let is_key = |name: &str| {
            KEY_FILES.contains(&name)
                || identities.is_some_and(|all| all.iter().any(|identity| identity == name))
        };
        if is_key(path) || is_key(&real) {
            return Err(ReadError {
                path: path.to_owned(),
                reason: "it is a key, which only `secret()` and `fromFile` read".to_owned(),
            });
        }
        self.refuse_ignored(path, &real)
    }

    /// Refuses what lies about in the folder and belongs to nobody's change: in CI, what the job has put there.
    ///
    /// Only the config may be ignored, by one of its usual names.
    fn refuse_ignored(&self, path: &str, real: &str) -> Result<(), ReadError> {
        if self.keys != KeyHandling::MadeUp {
            return Ok(());
        }
        let reason = match self.ignored() {
            None => "git cannot tell whether it ignores it",
            Some(ignored) if [path, real].iter().any(|path| is_among(path, ignored)) => {
                "git ignores it, and a change that nobody has read yet must not show it; `--with-keys` reads it"
            }
            Some(_) => return Ok(()),
        };
        let absent = || matches!(self.files.read(path), Ok(None));
        if config::is_usual_name(real) || absent() {
            return Ok(());
        }
        Err(ReadError {
            path: path.to_owned(),
            reason: reason.to_owned(),
        })
    }

    fn ignored(&self) -> Option<&BTreeSet<String>> {
        let ignored = self.ignored.get_or_init(|| self.files.ignored_files());
        ignored.as_ref()
    }

    /// Returns whether `kiln.toml` lists a file that git ignores.
    fn lists(&self, path: &str) -> bool {
        let settings = self.settings.get();
        settings.is_some_and(|settings| settings.listed.iter().any(|listed| listed == path))
    }

    /// Makes up a key that is missing.
    fn make_up(&self, path: &str) -> Vec<u8> {
        let mut made_up = self.made_up.lock().unwrap_or_else(PoisonError::into_inner);
        made_up.insert(path.to_owned());
        drop(made_up);
        match path {
            AGE_KEY => self.age_key(),
            _ => key_text(path),
        }
        .into_bytes()
    }

    /// Makes up an age key that names the public key for which the project is sealed.
    fn age_key(&self) -> String {
        let rules = self
            .settings
            .get()
            .map_or(RULE_FILE, |settings| &settings.rules);
        let found = [rules, RULE_FILE].into_iter().find_map(|path| {
            let bytes = self.files.read_output(path).ok()??;
            recipients_in(&String::from_utf8_lossy(&bytes))
                .into_iter()
                .next()
        });
        match found {
            // No identity that could be read: the comment tells the public key. A key for tools that know no others may
            // stand below, and nobody here knows it.
            Some(recipient) if is_post_quantum(&recipient) => {
                format!("# public key: {recipient}\n{UNUSABLE}\n{IDENTITY}\n")
            }
            Some(recipient) => format!("# public key: {recipient}\n{UNUSABLE}\n"),
            None => format!("{IDENTITY}\n"),
        }
    }
}

impl Files for GuardedFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        if self.keys == KeyHandling::MadeUp && self.lists(path) && self.files.is_ignored(path) {
            return Ok(Some(self.make_up(path)));
        }
        self.guard(path)?;
        self.files.read(path)
    }

    fn read_secret(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let real = self.files.real_path(path)?;
        refuse_closed(path, &real)?;
        // What git has is no secret to whoever sees the change.
        let private = || {
            KEY_FILES.contains(&path)
                || self.files.is_ignored(path)
                || (real != path
                    && (KEY_FILES.contains(&real.as_str()) || self.files.is_ignored(&real)))
        };
        if self.keys == KeyHandling::MadeUp && private() {
            return Ok(Some(self.make_up(path)));
        }
        let found = self.files.read_secret(path)?;
        if let Some(text) = found
            .as_deref()
            .and_then(|bytes| str::from_utf8(bytes).ok())
        {
            let mut secrets = Secrets::default();
            secrets.insert(text, path);
            self.known.note(secrets);
        }
        if found.is_none() && self.keys == KeyHandling::AtHand && private() {
            return Ok(Some(self.make_up(path)));
        }
        Ok(found)
    }

    fn read_output(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.files.read_output(path)
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        self.files.real_path(path)
    }

    fn linked(&self, folder: &str) -> Vec<String> {
        self.files.linked(folder)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.files.is_executable(path)
    }

    fn is_ignored(&self, path: &str) -> bool {
        !self.lists(path) && self.files.is_ignored(path)
    }

    fn ignored_files(&self) -> Option<BTreeSet<String>> {
        self.files.ignored_files()
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let mut found = self.files.list(folder)?;
        if self.keys == KeyHandling::MadeUp
            && let Some(ignored) = self.ignored()
        {
            found.retain(|path| !is_among(path, ignored));
        }
        Ok(found)
    }

    fn list_outputs(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        self.files.list_outputs(folder)
    }

    fn embedded(&self, path: &str) -> Option<&'static str> {
        self.files.embedded(path)
    }

    fn packed(&self, path: &str) -> Option<&'static [u8]> {
        self.files.packed(path)
    }
}

/// Refuses what lies in folders that are nobody's input.
fn refuse_closed(path: &str, real: &str) -> Result<(), ReadError> {
    let closed = |part: &str| {
        let mut folders = CLOSED_FOLDERS.iter();
        folders.any(|folder| part.eq_ignore_ascii_case(folder))
    };
    if [path, real].iter().any(|path| path.split('/').any(closed)) {
        return Err(ReadError {
            path: path.to_owned(),
            reason: "nothing in `.git` and `.kiln` is an input".to_owned(),
        });
    }
    Ok(())
}

/// Returns whether a path is one of some, or below one that ends in a slash.
pub(super) fn is_among(path: &str, some: &BTreeSet<String>) -> bool {
    let mut folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
    some.contains(path) || folders.any(|folder| some.contains(folder))
}

fn is_post_quantum(recipient: &str) -> bool {
    Recipient::read(recipient).is_ok_and(|recipient| recipient.kind() == KeyKind::PostQuantum)
}

/// The private key of nobody: its bytes are known to everybody.
const IDENTITY: &str = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ8H00W3";

/// What stands for the private key where the public one is known.
const UNUSABLE: &str = "AGE-SECRET-KEY-1STANDINSTANDINSTANDINSTANDINSTANDINSTANDINSTANDINSTANDIN";

/// Makes up the text of a key file, the same for the same name.
fn key_text(path: &str) -> String {
    let hash = fingerprint(path);
    match path {
        DEPLOY_KEY => format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{hash}\n{hash}\n-----END OPENSSH PRIVATE KEY-----\n"
        ),
        TUNNEL => format!(
            "{{\"AccountTag\":\"{}\",\"TunnelID\":\"00000000-0000-4000-8000-000000000000\",\"TunnelSecret\":\"{hash}\"}}",
            &hash[..32]
        ),
        _ => format!("{hash}\n"),
    }
}

#[cfg(test)]
mod tests {
    use sops_age::keys::Identity;

    use super::*;

    #[test]
    fn the_identity_of_nobody_is_sound() {
        assert!(Identity::read(IDENTITY).is_ok());
        assert!(Identity::read(UNUSABLE).is_err());
    }
}
