//! What is written beside the outputs, so that Kiln renders a repository.

use std::collections::BTreeMap;

use super::cluster_template::{BUNDLE, KEY_FILES, TALHELPER_BUNDLE};
use super::config_upgrade::{FLAT_CONFIG, TOML_CONFIG, read_text, upgraded_flat};
use super::grouped_config;
use super::repository_kind::{ConfigShape, PROJECT_FILE, RepositoryKind};
use crate::adopt::codes;
use crate::diagnostic::{self, Diagnostic};
use crate::source::{Files, ReadError};

/// The folder of templates where the usual one is makejinja's.
const OTHER_TEMPLATES: &str = "kiln-templates";
/// The usual folder of templates.
const TEMPLATES: &str = "templates";
/// Where `just template tidy` moves the config.
const ARCHIVE: &str = ".private";

/// What is written so that Kiln renders a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The texts of inputs, by path: `kiln.toml`, and a config with the keys of today.
    pub inputs: BTreeMap<String, String>,
    /// The keys of the config that have another place, old and new.
    pub moved_keys: Vec<(String, String)>,
    /// The key files that get another name.
    pub key_files: Vec<SecretFileRename>,
    /// The certificates and tokens of the cluster, if they get another name.
    pub bundle: Option<SecretFileRename>,
}

impl Proposal {
    /// Returns whether nothing is to be written, nor to get another name.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A file with secrets that gets another name, and keeps its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFileRename {
    /// The old name.
    pub from: String,
    /// The new name, which is free.
    pub to: String,
}

/// Proposes what is to be written, so that Kiln renders a repository.
///
/// # Errors
/// The config is not there, or a file cannot be read.
pub fn propose(files: &dyn Files, kind: RepositoryKind) -> Result<Proposal, Diagnostic> {
    let mut proposal = Proposal::default();
    let RepositoryKind::ClusterTemplate { config, .. } = kind else {
        return Ok(proposal);
    };
    propose_config(files, config, &mut proposal)?;
    let is_free = |path: &str| files.read_output(path).map(|found| found.is_none());
    let moved = |(to, from): (&str, &str)| -> Result<Option<SecretFileRename>, ReadError> {
        let moves = is_free(to)? && !is_free(from)?;
        Ok(moves.then(|| SecretFileRename {
            from: from.to_owned(),
            to: to.to_owned(),
        }))
    };
    for names in KEY_FILES {
        let found = moved(names).map_err(|error| unreadable(&error))?;
        proposal.key_files.extend(found);
    }
    proposal.bundle = moved((BUNDLE, TALHELPER_BUNDLE)).map_err(|error| unreadable(&error))?;
    if is_free(PROJECT_FILE).map_err(|error| unreadable(&error))? {
        let text = project_text(files).map_err(|error| unreadable(&error))?;
        proposal.inputs.insert(PROJECT_FILE.to_owned(), text);
    }
    Ok(proposal)
}

fn unreadable(error: &ReadError) -> Diagnostic {
    Diagnostic::error(&diagnostic::codes::UNREADABLE_CONFIG, error.to_string())
}

fn propose_config(
    files: &dyn Files,
    shape: ConfigShape,
    proposal: &mut Proposal,
) -> Result<(), Diagnostic> {
    let path = match shape {
        ConfigShape::Current => return Ok(()),
        ConfigShape::Missing => return Err(missing(files)),
        ConfigShape::Grouped => TOML_CONFIG,
        ConfigShape::Flat => FLAT_CONFIG,
    };
    let text = read_text(files, path).map_err(|error| unreadable(&error))?;
    let text = text.unwrap_or_default();
    let upgraded = match shape {
        ConfigShape::Grouped => grouped_config::upgraded(&text),
        _ => upgraded_flat(&text),
    };
    let upgraded = upgraded.ok_or_else(|| {
        Diagnostic::error(
            &codes::CONFIG_NOT_UPGRADED,
            format!("the keys of `{path}` cannot be given their places of today"),
        )
        .with_hint("write one key a line, each at the start of its line")
    })?;
    proposal.inputs.insert(path.to_owned(), upgraded.text);
    proposal.moved_keys = upgraded.moved;
    Ok(())
}

/// Says that the config is gone, and where it may be.
fn missing(files: &dyn Files) -> Diagnostic {
    let archived = files.list_outputs(ARCHIVE).unwrap_or_default();
    let mut archived: Vec<String> = archived
        .into_iter()
        .filter(|path| {
            [TOML_CONFIG, FLAT_CONFIG]
                .iter()
                .any(|name| path.ends_with(&format!("/{name}")))
        })
        .collect();
    archived.reverse();
    let problem = Diagnostic::error(
        &codes::CONFIG_NOT_HERE,
        format!(
            "the config of this cluster is not here: there is neither `{TOML_CONFIG}` nor `{FLAT_CONFIG}`"
        ),
    );
    let problem = match archived.first() {
        Some(path) => problem.with_hint(format!(
            "`just template tidy` has put it away: copy `{path}` back"
        )),
        None => problem.with_hint(
            "take it from where the repository was rendered, or write it anew: `kiln init` in an empty folder writes one to start from",
        ),
    };
    problem.with_files(archived)
}

/// Writes the file that makes a folder a project.
fn project_text(files: &dyn Files) -> Result<String, ReadError> {
    let start = "\
# Kiln renders this repository with its own templates, and leaves alone what it does not render: see `kiln.lock`.
catalogue = true
";
    let found = files.list_outputs(TEMPLATES)?;
    let text = if found.iter().any(|path| path.ends_with(".j2")) {
        format!("{start}\n# `{TEMPLATES}` is makejinja's.\ntemplates = [\"{OTHER_TEMPLATES}\"]\n")
    } else {
        start.to_owned()
    };
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemoryFiles;

    fn proposed(files: &[(&str, &str)], config: ConfigShape) -> Result<Proposal, Diagnostic> {
        let file = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        let kind = RepositoryKind::ClusterTemplate {
            config,
            talhelper: true,
            templates: true,
        };
        propose(&MemoryFiles(files.iter().map(file).collect()), kind)
    }

    #[test]
    fn old_names_give_way_to_those_of_today() {
        let proposal = proposed(
            &[
                ("cluster.yaml", "node_cidr: 10.0.0.0/24\n"),
                ("github-deploy.key", "x"),
                ("github-push-token.txt", "x"),
                ("flux-webhook-token.txt", "there already"),
                ("talos/talsecret.sops.yaml", "x"),
                ("templates/config/a.yaml.j2", ""),
            ],
            ConfigShape::Flat,
        );
        let proposal = proposal.unwrap();
        let moved = |moved: &SecretFileRename| format!("{} {}", moved.from, moved.to);
        let keys: Vec<String> = proposal.key_files.iter().map(moved).collect();
        assert_eq!(keys, ["github-deploy.key deploy.key"]);
        assert_eq!(
            proposal.bundle.as_ref().map(moved).unwrap(),
            "talos/talsecret.sops.yaml talos/secrets.sops.yaml"
        );
        assert_eq!(
            proposal.inputs["cluster.yaml"],
            "---\nnetwork:\n  node_cidr: 10.0.0.0/24\n"
        );
        assert!(proposal.inputs["kiln.toml"].contains("templates = [\"kiln-templates\"]"));
    }

    #[test]
    fn a_config_that_was_put_away_is_named() {
        let archive = [
            (".private/100/cluster.toml", ""),
            (".private/200/cluster.toml", ""),
            (".private/200/mycluster.toml", ""),
        ];
        let problem = proposed(&archive, ConfigShape::Missing).unwrap_err();
        assert!(
            problem.hints[0].contains("`.private/200/cluster.toml`"),
            "{problem:?}"
        );
        assert_eq!(problem.list.len(), 2);
        let problem = proposed(&[], ConfigShape::Missing).unwrap_err();
        assert!(problem.list.is_empty());
    }
}
