//! From a folder to objects.

use super::accumulate::{Accumulation, BuildSession, FolderBuild};
use super::annotation::finish_annotations;
use super::field::{Field, FieldScalar};
use super::files::{Files, PathEntry};
use super::kustomization::{KUSTOMIZATION_FILES, Kustomization};
use super::loader::Loader;
use super::order::sort_resources;
use super::place::Origin;
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::Resource;
use super::resources::Resources;

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
///
/// All problems of the folder and of the ones that it names are found at once.
pub fn build(files: &dyn Files, folder: &str, options: BuildOptions) -> Build {
    let loader = loader_at(files, folder, options);
    let mut findings = Findings::default();
    if !matches!(files.entry(folder), PathEntry::Folder) {
        findings.refuse(Problem {
            kind: ProblemKind::Missing,
            message: format!("there is no folder `{folder}`"),
            place: None,
            related: None,
            help: String::new(),
        });
        return refused(findings);
    }
    match Kustomization::find(&loader, None, &mut findings) {
        Some(kustomization) => build_loaded(loader, &kustomization, findings),
        None => refused(findings),
    }
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
    let loader = loader_at(files, folder, options);
    let mut findings = Findings::default();
    let [file, ..] = KUSTOMIZATION_FILES;
    match Kustomization::of_field(kustomization.clone(), file, &mut findings) {
        Some(kustomization) => build_loaded(loader, &kustomization, findings),
        None => refused(findings),
    }
}

fn loader_at<'f>(files: &'f dyn Files, folder: &str, options: BuildOptions) -> Loader<'f> {
    Loader {
        files,
        folder: folder.to_owned(),
        restricted: !options.files_from_anywhere,
    }
}

fn refused(findings: Findings) -> Build {
    Build {
        resources: Vec::new(),
        findings,
    }
}

fn build_loaded(loader: Loader<'_>, kustomization: &Kustomization, findings: Findings) -> Build {
    let notes_provenance = !kustomization.items("buildMetadata").is_empty();
    let mut session = BuildSession::new(findings, notes_provenance, kustomization.root.place());
    let folder = FolderBuild::root(loader, kustomization.clone());
    let mut accumulation = Accumulation::default();
    folder.accumulate(&mut session, &mut accumulation);
    FolderBuild::finish_names(&mut session, &mut accumulation);
    let Accumulation { mut resources, .. } = accumulation;
    let BuildSession { mut findings, .. } = session;
    drop_local(&mut resources, &mut findings);
    let options = kustomization.root.get("sortOptions");
    sort_resources(&mut resources, options, &mut findings);
    refuse_equal(&resources, &kustomization.root.origin, &mut findings);
    refuse_not_finite(&resources, &mut findings);
    for resource in &mut resources.list {
        finish_annotations(resource, kustomization);
        resource.root.write_timestamps();
    }
    if !findings.problems.is_empty() {
        return refused(findings);
    }
    Build {
        resources: resources.list,
        findings,
    }
}

/// Drops the objects that are for programs on the author's machine only.
fn drop_local(resources: &mut Resources, findings: &mut Findings) {
    const LOCAL: &str = "config.kubernetes.io/local-config";
    resources.list.retain(|resource| {
        if resource.kind().is_empty()
            || (resource.name().is_empty() && !resource.kind().ends_with("List"))
        {
            let message = "the object has lost its kind or name on its way through the build";
            let place = resource.place();
            findings.refuse(Problem::new(ProblemKind::Refused, message, place));
        }
        let local = resource.root.find(&["metadata", "annotations", LOCAL]);
        local.is_none_or(|field| field.as_text() == Some("false"))
    });
}

/// Refuses numbers that JSON has no form for.
fn refuse_not_finite(resources: &Resources, findings: &mut Findings) {
    for resource in &resources.list {
        resource.root.each_scalar(&mut |_, field| {
            if field.as_scalar().is_some_and(FieldScalar::is_not_finite) {
                let message = "the number is infinite or none at all, which JSON cannot say";
                findings.refuse(
                    Problem::new(ProblemKind::Refused, message, field.place())
                        .with_help("Put it in quotes if it is a text"),
                );
            }
        });
    }
}

/// Refuses objects that transformers have given the same id.
fn refuse_equal(resources: &Resources, origin: &Origin, findings: &mut Findings) {
    // Where something went wrong before, the objects may be equal because of it.
    if findings.problems.is_empty() {
        resources.refuse_duplicates(&origin.place, findings);
    }
}
