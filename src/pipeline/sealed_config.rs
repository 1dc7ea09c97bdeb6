//! The values of the config that stand in an encrypted data file.

use std::collections::BTreeMap;

use rand_core::CryptoRngCore;
use serde_json::Value;

use super::failure::Warnings;
use super::inputs;
use super::sealed_tree::{nothing_at, own_recipient, rule_files};
use super::{CompileFailure, World, configured, opened_project};
use crate::config::cluster::Cluster;
use crate::config::edit::{self, EditError};
use crate::config::places::ConfigPlaces;
use crate::config::project::Project;
use crate::config::{self, Outside};
use crate::diagnostic::{self, Diagnostic};
use crate::pipeline::codes;
use crate::seal::{FileSealer, Keyring, Rules};
use crate::secret::{Secret, Secrets};
use crate::source::{Files as _, OverlaidFiles, Place, Source};
use crate::yaml::{self, Resolver, Route};
use zeroize::Zeroizing;

/// The encrypted data file that is made where a project has none.
const NEW_FILE: &str = "cluster.sops.yaml";

/// What setting a secret comes to; nothing is written yet.
pub struct SecretSet {
    /// The encrypted data file that holds the value.
    pub sealed: String,
    /// The new texts of the data files that change, by path: ciphertext, and plain files that lose the value.
    pub files: BTreeMap<String, String>,
    /// The plain files that held the value.
    pub cleared: Vec<String>,
    /// What is wrong with the config, and was before.
    pub open_problems: usize,
    /// What the stages warned of.
    pub warnings: Vec<Diagnostic>,
}

/// A secret of the config that is written out in a plain data file.
#[derive(Clone, Debug)]
pub struct PlainSecret {
    /// The way to it.
    pub route: Route,
    /// Its key, in the data file.
    pub place: Place,
}

/// Lists the secrets that are written out in plain data files: what the schema calls `writeOnly`, where it is not taken from
/// a file or a variable.
pub(super) fn plain_secrets(cluster: &Cluster) -> Vec<PlainSecret> {
    let places = &cluster.places;
    let is_reference = |pointer: &str| {
        let mut words = ["fromEnv", "fromFile"].into_iter();
        words.any(|word| places.contains(&format!("{pointer}/{word}")))
    };
    let written = |pointer: &&String| {
        let value = cluster.given.pointer(pointer);
        let is_empty = value.is_none_or(|value| value.is_null() || value == "");
        places.contains(pointer) && !is_empty && !is_reference(pointer)
    };
    let pointers = cluster.secret_pointers.iter().filter(written);
    let secrets = pointers.filter_map(|pointer| {
        let place = places.key(pointer)?;
        let route = Route::from_pointer(pointer);
        (!is_sealed_name(&place.source.path)).then_some(PlainSecret { route, place })
    });
    secrets.collect()
}

/// Sets a value of the config in an encrypted data file, takes it out of every plain one, and proves that the config is no
/// worse than before.
///
/// The value goes where it stands already, else where the options around it stand, else into the first encrypted data
/// file; where there is none, into a new `cluster.sops.yaml`, by the creation rule for it, or else for the project's
/// own key. It is a text, unless the schema wants a number or a word such as `true` there.
///
/// # Errors
/// A config that cannot be read, an encrypted data file that cannot be opened, a place that cannot be set, and what is
/// newly wrong with the config.
pub fn set_secret(
    world: &World<'_>,
    route: &Route,
    value: &Secret,
    entropy: &mut dyn CryptoRngCore,
) -> Result<SecretSet, CompileFailure> {
    let mut secrets = Secrets::default();
    secrets.insert(value.expose(), route.to_string());
    world.known().note(secrets);
    let config = SealedConfig::open(world)?;
    let before = problems_of(world);
    let mut refused = None;
    for value in readings(value.expose()) {
        let pointer = route.to_pointer();
        let (files, cleared) =
            config.with(&[(pointer.clone(), value)], BTreeMap::new(), entropy)?;
        let home = config.home(&pointer).map_err(one)?;
        let after = problems_after(world, &files);
        let new: Vec<Diagnostic> = after
            .iter()
            .filter(|one| !is_among(one, &before) && (before.is_empty() || is_in(one, &files)))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(SecretSet {
                sealed: home,
                files,
                cleared,
                open_problems: after.len(),
                warnings: config.warnings,
            });
        }
        refused.get_or_insert(new);
    }
    let mut refused = refused.unwrap_or_default();
    if let Some(last) = refused.last_mut().filter(|_| before.is_empty()) {
        // Of several values that are needed together, the first is always one too many.
        last.hints.push(
            "what it needs goes into the plain config first: a config that is not valid yet takes secrets all the same"
                .to_owned(),
        );
    }
    Err(CompileFailure::Problems(refused))
}

/// Returns a value of the config, with its defaults.
///
/// # Errors
/// An invalid config, or nothing at the route.
pub fn config_value(world: &World<'_>, route: &Route) -> Result<Value, CompileFailure> {
    let (_, cluster) = configured(world, &mut Warnings::default())?;
    let found = cluster.values.pointer(&route.to_pointer());
    found
        .cloned()
        .ok_or_else(|| one(nothing_at(route, "the config")))
}

/// The data files of a project, to set values in the encrypted ones.
pub(super) struct SealedConfig<'w> {
    world: &'w World<'w>,
    project: Project,
    keyring: Keyring,
    rules: Rules,
    places: ConfigPlaces,
    warnings: Vec<Diagnostic>,
}

impl<'w> SealedConfig<'w> {
    /// Reads the data files; nothing is validated.
    pub(super) fn open(world: &'w World<'w>) -> Result<Self, CompileFailure> {
        let mut warnings = Warnings::default();
        let project = opened_project(world, None, &mut warnings)?;
        let keyring = warnings.keep(inputs::keyring(world, &project))?;
        let outside = Outside {
            env: &|name| world.variable(name),
            decrypt: &|source| inputs::opened_data(source, &keyring, world),
            make_up: world.makes_up(),
        };
        let merged = warnings.keep(config::load(&world.files, &project, &outside))?;
        world.known().note(merged.secrets);
        let data = config::data_files(&project);
        let rules = rule_files(&world.files, data.iter().map(String::as_str))?;
        Ok(Self {
            world,
            rules: warnings
                .keep(Rules::read(rules, ""))?
                .with_plugins(&world.plugins()),
            keyring,
            project,
            places: merged.places,
            warnings: warnings.list,
        })
    }

    /// Returns whether a value stands in an encrypted data file.
    pub(super) fn holds(&self, pointer: &str) -> bool {
        let place = self
            .places
            .value(pointer)
            .filter(|_| self.places.contains(pointer));
        place.is_some_and(|place| is_sealed_name(&place.source.path))
    }

    /// Returns the new texts of the data files with values set in the encrypted ones, and the plain ones that lose some;
    /// `files` has texts that were edited before.
    pub(super) fn with(
        &self,
        values: &[(String, Value)],
        mut files: BTreeMap<String, String>,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<(BTreeMap<String, String>, Vec<String>), CompileFailure> {
        let mut homes: BTreeMap<String, Vec<(&str, &Value)>> = BTreeMap::new();
        for (pointer, value) in values {
            let home = self.home(pointer).map_err(one)?;
            homes
                .entry(home)
                .or_default()
                .push((pointer.as_str(), value));
        }
        for (path, values) in homes {
            if let Some(text) = self.sealed_with(&path, &values, entropy)? {
                files.insert(path, text);
            }
        }
        let mut cleared = Vec::new();
        for path in self.places.paths().filter(|path| !is_sealed_name(path)) {
            let before = match files.get(path) {
                Some(edited) => edited.clone(),
                None => self.text(path)?.unwrap_or_default(),
            };
            let mut text = before.clone();
            for (pointer, _) in values {
                text = edit::remove(path, &text, pointer)
                    .map_err(|error| one(unedited(&error, pointer)))?;
            }
            if text != before {
                cleared.push(path.to_owned());
                files.insert(path.to_owned(), text);
            }
        }
        Ok((files, cleared))
    }

    /// Says which encrypted data file a value belongs in.
    fn home(&self, pointer: &str) -> Result<String, Diagnostic> {
        let mut at = pointer;
        loop {
            if self.places.contains(at)
                && let Some(place) = self.places.value(at)
                && is_sealed_name(&place.source.path)
            {
                return editable(&place.source.path, pointer);
            }
            match at.rfind('/') {
                Some(end) => at = &at[..end],
                None => break,
            }
        }
        let mut sealed = self.places.paths().filter(|path| is_sealed_name(path));
        if let Some(path) = sealed.next() {
            return editable(path, pointer);
        }
        match &self.project.data {
            None => Ok(NEW_FILE.to_owned()),
            Some(_) => Err(Diagnostic::error(
                &codes::CONFIG_NO_SEALED_FILE,
                "`data` of `kiln.toml` names no encrypted file, so that no secret can be kept in the config",
            )
            .with_hint(format!("add a file to it, such as `{NEW_FILE}`, and make that with `kiln secrets edit {NEW_FILE}`"))),
        }
    }

    fn sealed_with(
        &self,
        path: &str,
        values: &[(&str, &Value)],
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<Option<String>, CompileFailure> {
        let by = FileSealer::new(&self.rules, &self.keyring, self.world.plugins());
        let now = &self.world.now;
        let source = self.text(path)?.map(|text| Source::sensitive(path, text));
        let mut plain = match &source {
            Some(source) => by.open(source).map_err(one)?,
            None => Zeroizing::default(),
        };
        for (pointer, value) in values {
            plain = with_value(path, &plain, pointer, value)
                .map_err(|error| one(unedited(&error, pointer)))?;
        }
        let sealed = if let Some(source) = &source {
            by.edit(source, &plain, now, entropy)
        } else {
            let own = own_recipient(&self.keyring);
            by.seal(path, &plain, own.as_deref(), now, entropy)
                .map(Some)
        };
        sealed.map_err(CompileFailure::Problems)
    }

    fn text(&self, path: &str) -> Result<Option<String>, CompileFailure> {
        let bytes = self.world.files.read(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Returns whether the name of a data file says that it is encrypted.
fn is_sealed_name(path: &str) -> bool {
    path.contains(".sops.")
}

/// Refuses a file in a format that Kiln does not set values in.
fn editable(path: &str, pointer: &str) -> Result<String, Diagnostic> {
    if !path.ends_with(".toml") {
        return Ok(path.to_owned());
    }
    let message = format!("`{path}` is encrypted as a whole, and no value of it can be set alone");
    let route = Route::from_pointer(pointer);
    Err(Diagnostic::error(&codes::CONFIG_EDIT, message)
        .with_hint(format!("set `{route}` with `kiln secrets edit {path}`")))
}

/// Says that a value could not be set, or taken out.
fn unedited(error: &EditError, pointer: &str) -> Diagnostic {
    let route = Route::from_pointer(pointer);
    Diagnostic::error(&codes::CONFIG_EDIT, error.to_string()).with_hint(format!(
        "change `{route}` by hand: in a sealed file with `kiln secrets edit`"
    ))
}

fn one(problem: Diagnostic) -> CompileFailure {
    CompileFailure::Problems(vec![problem])
}

/// Returns what a text may mean: itself, and what YAML reads in it.
pub(super) fn readings(text: &str) -> Vec<Value> {
    let mut all = vec![Value::String(text.to_owned())];
    let read = Resolver::Core.value_of(text);
    if read.is_number() || read.is_boolean() {
        all.push(read);
    }
    all
}

/// Sets a value in the plain text of a data file, and looks whether it reads as what it was.
fn with_value(
    path: &str,
    plain: &[u8],
    pointer: &str,
    value: &Value,
) -> Result<Zeroizing<Vec<u8>>, EditError> {
    let syntax = || EditError::Syntax(path.to_owned());
    let text = std::str::from_utf8(plain).map_err(|_| syntax())?;
    let text = Zeroizing::new(edit::set(path, text, pointer, value)?);
    let documents = yaml::load(&text).map_err(|_| syntax())?;
    let mut roots = documents.iter().map(|document| &document.root);
    let found = roots.find_map(|root| root.at(&Route::from_pointer(pointer)));
    if found.is_some_and(|node| node.to_value(Resolver::Core) == *value) {
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    } else {
        Err(syntax())
    }
}

/// Lists what is wrong with the config of a project.
fn problems_of(world: &World<'_>) -> Vec<Diagnostic> {
    match configured(world, &mut Warnings::default()) {
        Ok(_) => Vec::new(),
        Err(CompileFailure::Problems(mut problems)) => {
            problems.retain(Diagnostic::is_error);
            problems
        }
        Err(CompileFailure::Read(error)) => {
            vec![Diagnostic::error(
                &diagnostic::codes::UNREADABLE_CONFIG,
                error.to_string(),
            )]
        }
    }
}

fn problems_after(world: &World<'_>, texts: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let bytes = |(path, text): (&String, &String)| (path.clone(), text.clone().into_bytes());
    let files = OverlaidFiles::new(world.unguarded(), texts.iter().map(bytes));
    problems_of(&world.with_files(&files))
}

/// Returns whether a problem stands in one of some files.
fn is_in(problem: &Diagnostic, files: &BTreeMap<String, String>) -> bool {
    let place = problem.primary.as_ref().map(|label| &label.place);
    place.is_some_and(|place| files.contains_key(&place.source.path))
}

/// Returns whether a problem was there before, wherever it stood then.
fn is_among(problem: &Diagnostic, before: &[Diagnostic]) -> bool {
    let mut before = before.iter();
    before.any(|other| (other.code(), &other.message) == (problem.code(), &problem.message))
}
