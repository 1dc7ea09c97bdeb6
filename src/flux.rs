//! What Flux applies of a tree: from the sync to the objects that reach the API server.
//!
//! Objects come from builds alone, never from a walk over files. A build is a folder that a Flux Kustomization points
//! at, put together by the crate `kustomize`, with the variables of `postBuild` filled in as Flux does it. Each field of
//! an object knows the file that it comes from. What cannot be told from the files at hand is an [`UnseenPart`], and
//! never taken for nothing there.

mod applied_object;
mod applied_objects;
mod artifact;
mod build_memory;
pub mod builds;
pub mod codes;
mod finding;
mod follow;
mod followed_tree;
mod generated;
mod generated_name;
mod hidden_part;
mod ignored_files;
mod kustomization_file;
mod open_objects;
mod output_base;
mod recorded_files;
mod release_values;
mod resource_set;
mod roots;
mod source_reference;
mod substitution;
mod surroundings;
mod tree_files;
mod variables;
mod veiled_secrets;

pub use applied_object::{AppliedObject, BuildStart, KustomizationBuild, ObjectKey};
pub use applied_objects::{AppliedObjects, AppliedTarget};
pub use artifact::made_artifacts;
pub use build_memory::BuildMemory;
pub use finding::{FluxProblem, UnseenPart, place_in, shown_place};
pub use follow::{FollowOptions, follow, follow_again};
pub use followed_tree::FollowedTree;
pub use generated_name::name_without_hash;
pub use hidden_part::HiddenPart;
pub use kustomization_file::{Kustomization, Reference};
pub use open_objects::without_secrets;
pub use output_base::find_output_base;
pub use release_values::{ReleaseValues, UnseenValues, ValueMaps};
pub use roots::{RootEvidence, SyncRoot, find_roots};
pub use source_reference::SourceReference;
pub use surroundings::{FluxSurroundings, UnusableValues};
pub use tree_files::TreeFiles;
pub use veiled_secrets::{LAST_APPLIED, is_open_in_secret, veiled_source};
