//! From a folder to objects.

use super::field::Field;
use super::files::Files;
use super::problem::Findings;
use super::resource::Resource;

/// How to build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// Whether a kustomization may name files outside of its folder, as Flux allows and `kustomize build` does not.
    pub files_from_anywhere: bool,
}

/// What a build gives.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The objects, in the order of `kustomize build`; empty where there is a problem.
    pub resources: Vec<Resource>,
    /// The problems, and what is not seen.
    pub findings: Findings,
}

/// Builds the kustomization of a folder.
pub fn build(files: &dyn Files, folder: &str, options: BuildOptions) -> Build {
    let _ = (files, folder, options);
    Build::default()
}

/// Builds a folder as if `kustomization` stood in it, as Flux does with the file that it writes anew.
///
/// The fields of the kustomization have their places in what it was made of.
pub fn build_kustomization(
    files: &dyn Files,
    folder: &str,
    kustomization: &Field,
    options: BuildOptions,
) -> Build {
    let _ = (files, folder, kustomization, options);
    Build::default()
}
