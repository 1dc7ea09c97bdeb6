//! Builds kustomizations as kustomize 5.8 does, and knows the place that each field of a result comes from.
//!
//! A build reads through [`Files`]: a map in memory, a git revision, a folder. It opens no file itself and starts no
//! program. What cannot be had from the files at hand (remote resources, charts, plugins) is [`NotSeen`]; what
//! kustomize refuses is a [`Problem`], with its place, and all problems are found at once.
//!
//! # Differences
//!
//! Known differences to kustomize 5.8, none of which a tree needs:
//!
//! - A key that stands twice in a mapping of a strategic merge is refused. kustomize takes the first one where the
//!   mapping is merged into another, and refuses it elsewhere.
//! - A `-` alone as a value in brackets or braces (`{k: -}`) is refused, where kustomize takes it for a text; a `?` alone
//!   is a text, where kustomize refuses it.
//! - A key that is null, a boolean or a number with a fraction is refused where it is read. kustomize refuses it in the
//!   result, so that a patch may take it out before. In the value of a JSON patch such a key is a text, also null, which
//!   kustomize refuses; a date as a key is a time there, and an underscore in a fraction stays.
//! - A key with `!!str` before it keeps its type, where a strategic merge of kustomize loses it.
//! - kustomize keeps its own notes on an object among the annotations while it builds. A JSON patch that moves or copies
//!   all annotations elsewhere takes these notes along in kustomize, and not here.

mod accumulate;
mod annotation;
mod build;
mod config;
mod emit;
mod field;
mod field_spec;
mod files;
mod folded;
mod generate;
mod generated_note;
mod go_expression;
mod inline;
mod kustomization;
mod loader;
mod named_path;
mod object;
mod order;
mod patch;
mod place;
mod problem;
mod provenance;
mod reference;
mod refused_key;
mod remote;
mod replacement;
mod resource;
mod resources;
mod scope;
mod setting;
mod shared;
mod transform;

pub use build::{Build, BuildOptions, build, build_kustomization};
pub use emit::to_yaml;
pub use field::{Field, FieldEntry, FieldScalar, FieldValue, ScalarKind};
pub use files::{Files, MemoryFiles, PathEntry, join};
pub use kustomization::{KUSTOMIZATION_FILES, is_known_field, known_fields};
pub use named_path::{NamedPath, PathRole, named_paths};
pub use place::{Origin, Place, SourceError, SourceFile};
pub use problem::{Findings, NotSeen, Problem, ProblemKind, TargetNote};
pub use resource::{GeneratorBehavior, Resource, ResourceId};
