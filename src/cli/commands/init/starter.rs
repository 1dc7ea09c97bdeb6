//! The files of a new project.

/// The config file that `init` writes.
pub(super) const CONFIG: &str = "cluster.yaml";
/// The names under which a config may be there already.
pub(super) const CONFIG_NAMES: [&str; 8] = [
    "cluster.yaml",
    "cluster.yml",
    "cluster.toml",
    "cluster.json",
    "cluster.sops.yaml",
    "cluster.sops.yml",
    "cluster.sops.toml",
    "cluster.sops.json",
];
/// A config that describes one machine on a home network, and renders as it is.
pub(super) const CONFIG_TEXT: &str = include_str!("starter/cluster.yaml");
/// The project file: nothing but defaults.
pub(super) const PROJECT_TEXT: &str = include_str!("starter/kiln.toml");
/// The JSON Schema of the config, for editors.
pub(super) const SCHEMA: &str = "cluster.schema.json";
