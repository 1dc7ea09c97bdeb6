//! The kustomization that Flux builds a folder with: the one written, read leniently, and what the Flux Kustomization
//! adds to it.

use std::sync::Arc;

use kustomize::{
    Field, Files, KUSTOMIZATION_FILES, Origin, PathEntry, Place, Problem, ProblemKind, SourceFile,
};

use crate::source::Span;

/// What a Flux Kustomization sets in the kustomization, in the place of what is written there.
const REPLACED: [(&str, &str); 3] = [
    ("targetNamespace", "namespace"),
    ("namePrefix", "namePrefix"),
    ("nameSuffix", "nameSuffix"),
];

/// A kustomization as Flux writes it, and what is wrong on the way.
pub(super) struct GeneratedKustomization {
    /// The kustomization; its fields have the places of what they were made of.
    pub(super) field: Field,
    /// What Flux refuses.
    pub(super) problems: Vec<Problem>,
    /// Keys at the top of the file that Flux does not know and passes over.
    pub(super) ignored: Vec<(String, Place)>,
    /// Whether it is written in a file, and lists and makes nothing.
    pub(super) is_empty: bool,
}

/// The keys that bring objects into a build.
const BRINGING: [&str; 9] = [
    "resources",
    "bases",
    "components",
    "configMapGenerator",
    "secretGenerator",
    "generators",
    "transformers",
    "helmCharts",
    "helmChartInflationGenerator",
];

/// Reads or makes the kustomization of a folder, and adds what a Flux Kustomization says.
///
/// Flux reads the file at `spec.path` leniently: a key that kustomize does not know is passed over, without a word. A
/// folder without a file is taken whole: every manifest in it, and every folder below that has a kustomization.
pub(super) fn generate(
    files: &dyn Files,
    folder: &str,
    flux: Option<&Field>,
    cause: &Place,
) -> GeneratedKustomization {
    let file = find_file(files, folder);
    let mut generated = match &file {
        Some(file) => {
            let mut generated = read(file);
            generated.problems.extend(second_file(files, folder, file));
            generated
        }
        None => GeneratedKustomization {
            field: scan(files, folder, cause),
            problems: Vec::new(),
            ignored: Vec::new(),
            is_empty: false,
        },
    };
    if file.is_some() && items(&generated.field, "resources").is_empty() {
        // Flux' own way to a kustomization that is not empty, whatever else stands in it.
        let origin = generated.field.origin.clone();
        let metadata = Field::text("originAnnotations", origin.clone());
        generated
            .field
            .set("buildMetadata", Field::sequence(origin));
        append(&mut generated.field, "buildMetadata", metadata);
    }
    if let Some(flux) = flux {
        add_flux(&mut generated, files, folder, flux);
    }
    let brings = |key: &&str| !items(&generated.field, key).is_empty();
    generated.is_empty = file.is_some() && !BRINGING.iter().any(brings);
    generated
}

/// Returns the kustomization file of a folder.
pub(super) fn find_file(files: &dyn Files, folder: &str) -> Option<Arc<SourceFile>> {
    KUSTOMIZATION_FILES.iter().find_map(|name| {
        let path = kustomize::join(folder, name)?;
        match files.entry(&path) {
            PathEntry::File(file) => Some(file),
            _ => None,
        }
    })
}

/// Refuses a folder with a second kustomization file.
fn second_file(files: &dyn Files, folder: &str, first: &Arc<SourceFile>) -> Option<Problem> {
    let second = KUSTOMIZATION_FILES.iter().find_map(|name| {
        let path = kustomize::join(folder, name)?;
        match files.entry(&path) {
            PathEntry::File(file) if file.path != first.path => Some(file),
            _ => None,
        }
    })?;
    let start = |file| Place::new(file, 0, Span::default());
    let message = format!("the folder has both `{}` and `{}`", first.path, second.path);
    let problem = Problem::new(ProblemKind::Refused, message, &start(&second));
    Some(
        problem
            .with_related(&start(first))
            .with_help("keep one of them"),
    )
}

fn read(file: &Arc<SourceFile>) -> GeneratedKustomization {
    let start = Place::new(file, 0, Span::default());
    let mut generated = GeneratedKustomization {
        field: Field::mapping(start.clone()),
        problems: Vec::new(),
        ignored: Vec::new(),
        is_empty: false,
    };
    let documents = match file.documents() {
        Ok(documents) => documents,
        Err(error) => {
            generated.problems.push(error.problem(file));
            return generated;
        }
    };
    if let Some(document) = documents.first() {
        generated.field = Field::of_node(&document.root, file, 0);
    }
    let Some(entries) = generated.field.entries_mut() else {
        if !generated.field.is_null() {
            let message = "the kustomization is no mapping of keys";
            generated
                .problems
                .push(Problem::new(ProblemKind::Malformed, message, &start));
        }
        generated.field = Field::mapping(start);
        return generated;
    };
    entries.retain(|entry| {
        let known = kustomize::is_known_field(&entry.key);
        if !known {
            let place = entry.value.place().clone();
            generated.ignored.push((entry.key.clone(), place));
        }
        known && !entry.value.is_null()
    });
    generated
}

/// Lists everything in a folder that is a manifest, as Flux does where no kustomization is.
fn scan(files: &dyn Files, folder: &str, cause: &Place) -> Field {
    let mut paths = Vec::new();
    scan_folder(files, folder, "", &mut paths);
    let mut kustomization = Field::mapping(cause.clone());
    let mut resources = Field::sequence(cause.clone());
    for path in paths {
        if let Some(items) = resources.items_mut() {
            items.push(Field::text(format!("./{path}"), cause.clone()));
        }
    }
    if resources.items().is_some_and(<[Field]>::is_empty) {
        // Flux' own way to a kustomization that is not empty.
        kustomization.set("namespace", Field::text("_placeholder", cause.clone()));
    } else {
        kustomization.set("resources", resources);
    }
    kustomization
}

fn scan_folder(files: &dyn Files, folder: &str, below: &str, paths: &mut Vec<String>) {
    let inside = |name: &str| match below {
        "" => name.to_owned(),
        below => format!("{below}/{name}"),
    };
    let Some(here) = kustomize::join(folder, below) else {
        return;
    };
    for (name, is_folder) in files.children(&here) {
        let path = inside(&name);
        if !is_folder {
            if crate::tree::is_yaml_path(&name) {
                paths.push(path);
            }
        } else if kustomize::join(folder, &path)
            .is_some_and(|inner| find_file(files, &inner).is_some())
        {
            paths.push(path);
        } else {
            scan_folder(files, folder, &path, paths);
        }
    }
}

fn add_flux(generated: &mut GeneratedKustomization, files: &dyn Files, folder: &str, flux: &Field) {
    let Some(spec) = flux.get("spec") else { return };
    let kustomization = &mut generated.field;
    for (from, to) in REPLACED {
        if let Some(value) = spec.get(from).filter(|value| !value.is_null()) {
            kustomization.set(to, value.clone());
        }
    }
    for patch in items(spec, "patches") {
        append(kustomization, "patches", patch.clone());
    }
    for component in components(generated, files, folder, spec) {
        append(&mut generated.field, "components", component);
    }
    for image in items(spec, "images") {
        merge_image(&mut generated.field, image);
    }
    if let Some(metadata) = spec
        .get("buildMetadata")
        .filter(|list| list.items().is_some_and(|items| !items.is_empty()))
    {
        generated.field.set("buildMetadata", metadata.clone());
    }
}

/// Lists the components that are there to be used; Flux passes over a missing one only where it is told to.
fn components(
    generated: &mut GeneratedKustomization,
    files: &dyn Files,
    folder: &str,
    spec: &Field,
) -> Vec<Field> {
    let passes_over = spec.find_text(&["ignoreMissingComponents"]) == Some("true");
    let mut found = Vec::new();
    for component in items(spec, "components") {
        let written = component.as_text().unwrap_or_default();
        if is_remote(written) {
            let message =
                format!("the component `{written}` is not a path below the folder of the source");
            generated.problems.push(
                Problem::new(ProblemKind::Outside, message, component.place())
                    .with_help("Flux takes only relative paths for `components`"),
            );
            continue;
        }
        let is_there = kustomize::join(folder, written)
            .is_some_and(|path| !matches!(files.entry(&path), PathEntry::Missing));
        if is_there || !passes_over {
            found.push(component.clone());
        }
    }
    found
}

/// Returns whether Flux takes a path for one on another machine, or from the root of the disk.
fn is_remote(path: &str) -> bool {
    const STARTS: [&str; 8] = [
        "git::",
        "gh:",
        "ssh://",
        "https://",
        "http://",
        "git@",
        "github.com:",
        "github.com/",
    ];
    let lower = path.to_ascii_lowercase();
    path.starts_with('/') || STARTS.iter().any(|start| lower.starts_with(start))
}

/// Lays an image of a Flux Kustomization over the one of the same name that is written, field by field.
fn merge_image(kustomization: &mut Field, image: &Field) {
    let name = image.find_text(&["name"]).unwrap_or_default();
    let written = kustomization.get_mut("images").and_then(Field::items_mut);
    let same = written.and_then(|images| {
        images
            .iter_mut()
            .find(|known| known.find_text(&["name"]).unwrap_or_default() == name)
    });
    let Some(same) = same else {
        append(kustomization, "images", image.clone());
        return;
    };
    let set = |key: &str| {
        image
            .get(key)
            .filter(|value| value.as_text().is_some_and(|text| !text.is_empty()))
    };
    if let Some(name) = set("newName") {
        same.set("newName", name.clone());
    }
    // Tag and digest choose the version together: a new one takes the place of both.
    if set("newTag").is_some() || set("digest").is_some() {
        for key in ["newTag", "digest"] {
            same.remove(key);
            if let Some(value) = set(key) {
                same.set(key, value.clone());
            }
        }
    }
}

fn items<'f>(field: &'f Field, key: &str) -> &'f [Field] {
    field.get(key).and_then(Field::items).unwrap_or_default()
}

fn append(kustomization: &mut Field, key: &str, item: Field) {
    let origin: Origin = item.origin.clone();
    if kustomization.get(key).and_then(Field::items).is_none() {
        kustomization.set(key, Field::sequence(origin));
    }
    if let Some(items) = kustomization.get_mut(key).and_then(Field::items_mut) {
        items.push(item);
    }
}
