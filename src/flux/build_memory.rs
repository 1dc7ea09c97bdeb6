//! What was built of the folders of a tree, for the next time that Flux is followed through it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kustomize::{BuildOptions, Field, FieldValue, Files, Findings, Origin, Place};
use rayon::prelude::*;

use super::recorded_files::{FileAnswers, RecordedFiles, is_same_file};
use super::substitution::{SubstitutionProblem, substitute};
use super::variables::Variables;

/// The builds of folders, each for as long as all that it was made of is as it was.
///
/// Hardening follows Flux through a tree before and after each of its edits, and an edit touches few files. A build
/// depends on its kustomization and on what it is told of the files of its source, and on nothing else. It is taken again
/// where both are the same, byte for byte and place for place, whoever asks for it. So what Flux applies is the same with
/// a memory and without one.
#[derive(Default)]
pub struct BuildMemory {
    builds_by_folder: Mutex<BTreeMap<String, Vec<Arc<FolderBuild>>>>,
    built: AtomicUsize,
}

/// What kustomize makes of a folder, before the variables.
#[derive(Default)]
pub(super) struct FolderBuild {
    kustomization: Option<Field>,
    /// What it was told of files.
    pub(super) answers: FileAnswers,
    /// The objects, in the order of `kustomize build`.
    pub(super) objects: Vec<BuiltObject>,
    /// The problems, and what is not seen.
    pub(super) findings: Findings,
    finished: Mutex<Vec<Arc<FinishedObjects>>>,
}

/// An object of a build.
#[derive(Clone)]
pub(super) struct BuiltObject {
    pub(super) field: Arc<Field>,
    /// The folders of the kustomizations that brought it.
    pub(super) way: Arc<[String]>,
}

/// An object with what its Kustomization adds to it, or why that is refused.
pub(super) type FinishedObject = Result<BuiltObject, Vec<SubstitutionProblem>>;

/// What a Flux Kustomization adds to the objects of its build.
pub(super) struct ObjectFinish {
    /// The variables; `None` where Flux substitutes nothing.
    pub(super) variables: Option<Variables>,
    /// Whether a variable that nothing gives is refused.
    pub(super) strict: bool,
    /// The labels and annotations of `spec.commonMetadata`.
    pub(super) metadata: Option<Field>,
}

/// The objects of a build with what a Kustomization adds to them.
struct FinishedObjects {
    finish: ObjectFinish,
    objects: Vec<FinishedObject>,
}

impl BuildMemory {
    /// Builds a folder as if `kustomization` stood in it, unless it was built already and nothing has changed.
    pub(super) fn build(
        &self,
        files: &dyn Files,
        folder: &str,
        kustomization: &Field,
    ) -> Arc<FolderBuild> {
        let known = lock(&self.builds_by_folder).get(folder).cloned();
        let mut known = known.into_iter().flatten();
        if let Some(build) = known.find(|build| build.is_of(kustomization, files)) {
            return build;
        }
        self.built.fetch_add(1, Ordering::Relaxed);
        let build = Arc::new(FolderBuild::make(files, folder, kustomization));
        let mut builds = lock(&self.builds_by_folder);
        let of_folder = builds.entry(folder.to_owned()).or_default();
        // What was built of the same kustomization has read files that are others now.
        of_folder.retain(|build| !build.has_kustomization(kustomization));
        of_folder.push(Arc::clone(&build));
        drop(builds);
        build
    }

    /// Counts the builds that were made, and not taken again.
    pub fn count_built(&self) -> usize {
        self.built.load(Ordering::Relaxed)
    }
}

impl FolderBuild {
    fn make(files: &dyn Files, folder: &str, kustomization: &Field) -> Self {
        let recorded = RecordedFiles::new(files);
        let options = BuildOptions {
            files_from_anywhere: true,
        };
        let built = kustomize::build_kustomization(&recorded, folder, kustomization, options);
        let objects = built.resources.into_iter().map(|resource| BuiltObject {
            field: Arc::new(resource.root),
            way: resource.way,
        });
        Self {
            kustomization: Some(kustomization.clone()),
            answers: recorded.into_answers(),
            objects: objects.collect(),
            findings: built.findings,
            finished: Mutex::default(),
        }
    }

    fn is_of(&self, kustomization: &Field, files: &dyn Files) -> bool {
        self.has_kustomization(kustomization) && self.answers.hold_for(files)
    }

    fn has_kustomization(&self, kustomization: &Field) -> bool {
        let own = self.kustomization.as_ref();
        own.is_some_and(|own| is_same_field(own, kustomization))
    }

    /// Returns the objects with what a Flux Kustomization adds to them.
    pub(super) fn finished(&self, finish: ObjectFinish) -> Vec<FinishedObject> {
        if finish.adds_nothing() {
            return self.objects.iter().cloned().map(Ok).collect();
        }
        let known = lock(&self.finished).clone();
        let mut known = known.into_iter();
        if let Some(known) = known.find(|known| known.finish.is_same(&finish)) {
            return known.objects.clone();
        }
        let objects: Vec<FinishedObject> = self
            .objects
            .par_iter()
            .map(|object| finish.finish(object))
            .collect();
        lock(&self.finished).push(Arc::new(FinishedObjects {
            finish,
            objects: objects.clone(),
        }));
        objects
    }
}

impl ObjectFinish {
    fn adds_nothing(&self) -> bool {
        let has_variables = self.variables.as_ref().is_some_and(Variables::are_used);
        !has_variables && self.metadata.is_none()
    }

    fn is_same(&self, other: &Self) -> bool {
        let variables = match (&self.variables, &other.variables) {
            (Some(one), Some(other)) => is_same_variables(one, other),
            (None, None) => true,
            _ => false,
        };
        let metadata = match (&self.metadata, &other.metadata) {
            (Some(one), Some(other)) => is_same_field(one, other),
            (None, None) => true,
            _ => false,
        };
        variables && metadata && self.strict == other.strict
    }

    fn finish(&self, object: &BuiltObject) -> FinishedObject {
        let field = match &self.variables {
            Some(variables) => substitute(&object.field, variables, self.strict)?,
            None => None,
        };
        let field = match (field, &self.metadata) {
            (None, None) => Arc::clone(&object.field),
            (Some(field), None) => Arc::new(field),
            (field, Some(metadata)) => {
                let mut field = field.unwrap_or_else(|| Field::clone(&object.field));
                add_common_metadata(&mut field, metadata);
                Arc::new(field)
            }
        };
        let way = Arc::clone(&object.way);
        Ok(BuiltObject { field, way })
    }
}

/// Adds the labels and annotations that a Kustomization gives to everything it applies.
fn add_common_metadata(object: &mut Field, common: &Field) {
    for part in ["labels", "annotations"] {
        let common = common.get(part);
        for entry in common.and_then(Field::entries).unwrap_or_default() {
            let origin = entry.value.origin.clone();
            object
                .mapping_at("metadata", &origin)
                .mapping_at(part, &origin)
                .set(&entry.key, entry.value.clone());
        }
    }
}

/// Returns whether two fields have the same value, and come from the same bytes of the same files.
fn is_same_field(one: &Field, other: &Field) -> bool {
    let is_same_value = match (&one.value, &other.value) {
        (FieldValue::Scalar(one), FieldValue::Scalar(other)) => one == other,
        (FieldValue::Sequence(one), FieldValue::Sequence(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same_field(one, other))
        }
        (FieldValue::Mapping(one), FieldValue::Mapping(other)) => {
            let is_same = |(one, other): (&kustomize::FieldEntry, &kustomize::FieldEntry)| {
                one.key == other.key && is_same_field(&one.value, &other.value)
            };
            one.len() == other.len() && one.iter().zip(other).all(is_same)
        }
        _ => false,
    };
    is_same_value && is_same_origin(&one.origin, &other.origin)
}

fn is_same_origin(one: &Origin, other: &Origin) -> bool {
    is_same_place(&one.place, &other.place)
        && one.is_of_secret() == other.is_of_secret()
        && one.shaped_by().len() == other.shaped_by().len()
        && one
            .shaped_by()
            .iter()
            .zip(other.shaped_by())
            .all(|(one, other)| is_same_place(one, other))
}

/// Returns whether two places are the same bytes of the same file; the path alone says nothing of what the file holds.
fn is_same_place(one: &Place, other: &Place) -> bool {
    one == other && is_same_file(&one.file, &other.file)
}

fn is_same_variables(one: &Variables, other: &Variables) -> bool {
    let known = one.known.iter().zip(&other.known);
    let unseen = one.unseen.iter().zip(&other.unseen);
    one.always == other.always
        && one.known.len() == other.known.len()
        && one.unseen.len() == other.unseen.len()
        && { known }.all(|((name, own), (other_name, other))| {
            name == other_name
                && own.value == other.value
                && is_same_place(&own.place, &other.place)
        })
        && { unseen }.all(|((name, own), (other_name, other))| {
            name == other_name && is_same_place(own, other)
        })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
