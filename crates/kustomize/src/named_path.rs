//! The paths that a kustomization names, and what for.

use super::field::Field;
use super::place::Place;
use super::remote::{is_remote_file, is_repository};

/// What a kustomization uses a path for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathRole {
    /// A file of objects, or a folder with a kustomization.
    Resource,
    /// A folder with a component.
    Component,
    /// A patch, the input of a generator, a configuration, or an object of a generator or transformer.
    Input,
}

/// A path that a kustomization names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// What for.
    pub role: PathRole,
    /// The field that it stands in: `resources`, `patches`.
    pub field: &'static str,
    /// The path; of a generator's `key=path`, what follows the sign.
    pub path: String,
    /// Whether it leads to another machine.
    pub is_remote: bool,
    /// Where it is written.
    pub place: Place,
}

/// How a field names paths.
enum PathForm {
    /// It is a list of paths.
    Items(PathRole),
    /// It is a list of mappings with a path in `path`.
    InPath,
    /// It is a list of generators, with lists of paths in `files` and `envs`, and one in `env`.
    Generators,
    /// It is a list of objects, with a path in each of these fields.
    InFields(&'static [&'static str]),
    /// It has a path in this key.
    InKey(&'static str),
}

/// The fields that name paths.
const PATH_FIELDS: &[(&str, PathForm)] = &[
    ("resources", PathForm::Items(PathRole::Resource)),
    ("bases", PathForm::Items(PathRole::Resource)),
    ("components", PathForm::Items(PathRole::Component)),
    ("crds", PathForm::Items(PathRole::Input)),
    ("configurations", PathForm::Items(PathRole::Input)),
    ("generators", PathForm::Items(PathRole::Input)),
    ("transformers", PathForm::Items(PathRole::Input)),
    ("validators", PathForm::Items(PathRole::Input)),
    ("patchesStrategicMerge", PathForm::Items(PathRole::Input)),
    ("patches", PathForm::InPath),
    ("patchesJson6902", PathForm::InPath),
    ("replacements", PathForm::InPath),
    ("configMapGenerator", PathForm::Generators),
    ("secretGenerator", PathForm::Generators),
    ("openapi", PathForm::InKey("path")),
    ("helmCharts", PathForm::InFields(&["valuesFile"])),
    (
        "helmChartInflationGenerator",
        PathForm::InFields(&["values"]),
    ),
];

/// Lists the paths that a kustomization names, field by field, in the order in which each field has them.
///
/// Inline patches, generators and transformers are none. A path on another machine is one.
pub fn named_paths(kustomization: &Field) -> Vec<NamedPath> {
    let mut found = Vec::new();
    for (field, form) in PATH_FIELDS {
        let Some(value) = kustomization.get(field) else {
            continue;
        };
        let items = value.items().unwrap_or_default().iter();
        let mut add = |role, path: &Field| found.extend(named(role, field, path));
        match form {
            PathForm::Items(role) => items.for_each(|item| add(*role, item)),
            PathForm::InPath => items
                .filter_map(|item| item.get("path"))
                .for_each(|path| add(PathRole::Input, path)),
            PathForm::InFields(keys) => items
                .flat_map(|item| keys.iter().filter_map(|key| item.get(key)))
                .for_each(|path| add(PathRole::Input, path)),
            PathForm::InKey(key) => value
                .get(key)
                .into_iter()
                .for_each(|path| add(PathRole::Input, path)),
            PathForm::Generators => items
                .flat_map(generator_paths)
                .for_each(|path| add(PathRole::Input, path)),
        }
    }
    found
}

fn generator_paths(generator: &Field) -> impl Iterator<Item = &Field> {
    let lists = ["files", "envs"].into_iter();
    let listed = lists.filter_map(|key| generator.get(key)?.items());
    listed.flatten().chain(generator.get("env"))
}

fn named(role: PathRole, field: &'static str, path: &Field) -> Option<NamedPath> {
    let written = path.as_text()?;
    if written.is_empty() || written.contains('\n') {
        return None;
    }
    let is_generator = matches!(field, "configMapGenerator" | "secretGenerator");
    let path_of = match written.split_once('=') {
        Some((_, path)) if is_generator => path,
        _ => written,
    };
    Some(NamedPath {
        role,
        field,
        path: path_of.to_owned(),
        is_remote: is_remote_file(path_of) || is_repository(path_of),
        place: path.place().clone(),
    })
}
