//! What a repository is.

use std::fmt;

use super::cluster_template::{COMPONENT, SYNC, TALHELPER, TOPF};
use super::config_upgrade;
use crate::source::{Files, ReadError};
use crate::tree::is_yaml_path;
use crate::tree::output_path::LOCK_FILE;

/// What makes a folder a project of Kiln's.
pub(super) const PROJECT_FILE: &str = "kiln.toml";
/// What makes a folder a project of makejinja's.
pub(super) const MAKEJINJA_FILE: &str = "makejinja.toml";
/// The group in whose objects every tree of Flux' says what it applies.
const FLUX: &str = "kustomize.toolkit.fluxcd.io/";

/// The ages of the config of cluster-template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigShape {
    /// Since July 2026: `cluster.toml`, with the keys that Kiln knows.
    Current,
    /// May to July 2026: `cluster.toml`, with the groups `cloudflare` and `repository.name`.
    Grouped,
    /// Before: `cluster.yaml` without groups, and `nodes.yaml`.
    Flat,
    /// It is not here any more.
    Missing,
}

/// What a repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositoryKind {
    /// Kiln renders it.
    Kiln,
    /// `onedr0p/cluster-template` made it.
    ClusterTemplate {
        /// How its config is written.
        config: ConfigShape,
        /// Whether talhelper makes the configuration of its machines, and not topf.
        talhelper: bool,
        /// Whether the templates are still there.
        templates: bool,
    },
    /// makejinja renders it, by templates of its own.
    Makejinja,
    /// Flux applies it, and nothing renders it.
    FluxTree,
    /// None of these.
    Unknown,
}

impl fmt::Display for RepositoryKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kiln => formatter.write_str("a project of Kiln's"),
            Self::ClusterTemplate {
                config,
                talhelper,
                templates,
            } => {
                formatter.write_str(match templates {
                    true => "a cluster of cluster-template's, with its templates",
                    false => "a cluster of cluster-template's, without its templates",
                })?;
                formatter.write_str(match config {
                    ConfigShape::Current => ", config of since July 2026",
                    ConfigShape::Grouped => ", config of May to July 2026",
                    ConfigShape::Flat => ", config of before May 2026",
                    ConfigShape::Missing => ", without its config",
                })?;
                formatter.write_str(match talhelper {
                    true => ", machines by talhelper",
                    false => ", machines by topf",
                })
            }
            Self::Makejinja => formatter.write_str("a makejinja project with templates of its own"),
            Self::FluxTree => formatter.write_str("a tree of Flux', which nothing renders"),
            Self::Unknown => formatter.write_str("nothing that Flux applies"),
        }
    }
}

/// Says what a repository is.
///
/// # Errors
/// A file cannot be read.
pub fn recognize(files: &dyn Files) -> Result<RepositoryKind, ReadError> {
    let is_there = |path: &str| Ok::<_, ReadError>(files.read_output(path)?.is_some());
    if is_there(PROJECT_FILE)? && is_there(LOCK_FILE)? {
        return Ok(RepositoryKind::Kiln);
    }
    let by_makejinja = is_there(MAKEJINJA_FILE)?;
    let talhelper = !is_there(TOPF)? && is_there(TALHELPER)?;
    if is_there(SYNC)? && is_there(COMPONENT)? && (talhelper || is_there(TOPF)?) {
        return Ok(RepositoryKind::ClusterTemplate {
            config: config_upgrade::shape(files)?,
            talhelper,
            templates: by_makejinja,
        });
    }
    if is_there(PROJECT_FILE)? {
        return Ok(RepositoryKind::Kiln);
    }
    if by_makejinja {
        return Ok(RepositoryKind::Makejinja);
    }
    for path in files.list_outputs("")? {
        if !is_yaml_path(&path) {
            continue;
        }
        let bytes = files.read_output(&path)?.unwrap_or_default();
        if String::from_utf8_lossy(&bytes).contains(FLUX) {
            return Ok(RepositoryKind::FluxTree);
        }
    }
    Ok(RepositoryKind::Unknown)
}
