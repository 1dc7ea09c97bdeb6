//! The way in for a live repository: what it is, what Kiln needs to render it, and what of it is the user's.
//!
//! Nothing here touches the disk or compiles anything: files are handed in, and new texts come back. What a switch does
//! to the cluster is told by `diff`; [`LostObjects`] takes from its report what Flux would no longer apply.
//!
//! # Steps
//! 1. [`recognize`] says what a repository is, and [`propose`] what is to be written beside its config.
//! 2. [`fn@kept_lists`] finds the entries of lists that the rendered ones lack, and [`ListAddition::added_to`] adds them to a
//!    template.
//! 3. [`TalosFiles`] tells which machine patches of the template that made the repository have no part any more.

mod cluster_template;
pub mod codes;
mod config_upgrade;
mod entry_lines;
mod grouped_config;
mod kept_lists;
mod lost_objects;
mod proposal;
mod repository_kind;
mod service_addresses;
mod talos_files;

pub use cluster_template::is_optional_app;
pub use kept_lists::{KeptLists, ListAddition, kept_lists};
pub use lost_objects::{LostObjects, refused_builds};
pub use proposal::{Proposal, SecretFileRename, propose};
pub use repository_kind::{ConfigShape, RepositoryKind, recognize};
pub use service_addresses::AddressLoss;
pub use talos_files::{TalosFiles, VersionStep};

/// Makes a tree of files, by path and text.
#[cfg(test)]
fn rendered_tree(files: &[(&str, &str)]) -> crate::tree::Tree<crate::tree::Rendered> {
    let file = |&(path, text): &(&str, &str)| crate::tree::File {
        documents: std::sync::Arc::new(crate::yaml::load(text).unwrap()),
        source: crate::source::Source::new(path, text),
        path: path.to_owned(),
        origins: Vec::new(),
        executable: false,
        binary: None,
    };
    crate::tree::Tree::rendered(files.iter().map(file), Vec::new())
}
