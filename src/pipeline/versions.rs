//! The versions of a project beside those of the catalogue.

use super::catalogue::CATALOGUE_VERSIONS;
use super::{CompileFailure, Warnings, World, configured, inputs};
use crate::config;
use crate::config::cluster::versions::{VersionEntry, VersionKey};
use crate::config::versions::{FILE, RaisedVersion, raise};
use crate::diagnostic::Diagnostic;
use crate::render;
use crate::source::Files as _;

/// How the versions of a project stand to those of the catalogue.
#[derive(Clone, Debug)]
pub struct VersionReport {
    /// What the catalogue has newer, in the order of the file.
    pub outdated: Vec<(VersionKey, VersionEntry)>,
    /// What the project's templates read and its file does not have yet.
    pub missing: Vec<(VersionKey, VersionEntry)>,
    /// The text of the project's file, if there is one.
    text: Option<String>,
    /// The text of the catalogue's file.
    catalogue: &'static str,
}

impl VersionReport {
    /// Returns whether the project has the file.
    pub fn is_written(&self) -> bool {
        self.text.is_some()
    }

    /// Returns the text of the project's file with everything that the catalogue has newer, and with what is missing.
    pub fn raised(&self) -> Result<String, CompileFailure> {
        self.with(self.outdated.iter().chain(&self.missing))
    }

    /// Returns the text of the project's file with what is missing; `None` where nothing is, or where there is no file.
    pub fn completed(&self) -> Result<Option<String>, CompileFailure> {
        if self.missing.is_empty() || self.text.is_none() {
            return Ok(None);
        }
        self.with(self.missing.iter()).map(Some)
    }

    fn with<'v>(
        &self,
        versions: impl Iterator<Item = &'v (VersionKey, VersionEntry)>,
    ) -> Result<String, CompileFailure> {
        let raised = RaisedVersion::all_of(versions.map(|(key, _)| key), self.catalogue);
        raise(self.text.as_deref(), &raised).map_err(|error| {
            let problem = Diagnostic::error(&config::codes::VERSIONS_SHAPE, error.to_string()).with_hint(
                "write the entries on lines of their own, or move the file away to have it written anew",
            );
            CompileFailure::Problems(vec![problem])
        })
    }
}

/// Compares the versions of a project with those of the catalogue.
pub fn compare_versions(world: &World<'_>) -> Result<VersionReport, CompileFailure> {
    let mut warnings = Warnings::default();
    let (project, cluster) = configured(world, &mut warnings)?;
    let library = inputs::layers(world, &project).read();
    let used = warnings.keep(render::versions_in_use((&cluster).into(), &library))?;
    let chosen = |is_chosen: &dyn Fn(&VersionKey, &VersionEntry) -> bool| {
        let entries = cluster.versions.entries.iter();
        let chosen = entries.filter(|(key, entry)| is_chosen(key, entry));
        chosen
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect()
    };
    let bytes = world.files.read(FILE)?;
    Ok(VersionReport {
        outdated: chosen(&|_, entry| entry.is_outdated()),
        missing: chosen(&|key, entry| used.contains(key) && entry.is_left_to_catalogue()),
        text: bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        catalogue: world
            .catalogue
            .embedded(CATALOGUE_VERSIONS)
            .unwrap_or_default(),
    })
}

/// The versions behind an output, and the template that reads them.
#[derive(Clone, Debug)]
pub struct ReadVersions {
    /// The template of the output, as messages name it.
    pub template: String,
    /// The versions that it reads.
    pub versions: Vec<(VersionKey, VersionEntry)>,
}

/// Finds the template of an output, and the versions that it reads; `None` for what no template makes.
pub fn versions_behind(
    world: &World<'_>,
    output: &str,
) -> Result<Option<ReadVersions>, CompileFailure> {
    let (project, cluster) = configured(world, &mut Warnings::default())?;
    let library = inputs::layers(world, &project).read();
    let found = library.reads_of(output).map(|(template, keys)| {
        let entries = keys.into_iter().filter_map(|key| {
            let entry = cluster.versions.entries.get(&key)?.clone();
            Some((key, entry))
        });
        ReadVersions {
            template,
            versions: entries.collect(),
        }
    });
    Ok(found)
}
