//! The paths that a kustomization names, and what for.

use super::field::Field;
use super::kustomization::{FieldShape, KUSTOMIZATION};
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

/// Lists the paths that a kustomization names, field by field, in the order in which each field has them.
///
/// Inline patches, generators and transformers are none. A path on another machine is one.
pub fn named_paths(kustomization: &Field) -> Vec<NamedPath> {
    let mut found = Vec::new();
    for (field, shape) in KUSTOMIZATION {
        if let Some(value) = kustomization.get(field) {
            collect(value, shape, field, &mut found);
        }
    }
    found
}

fn collect(value: &Field, shape: &FieldShape, field: &'static str, found: &mut Vec<NamedPath>) {
    let mut collect_below = |key: &str, shape: &FieldShape| {
        if let Some(value) = value.get(key) {
            collect(value, shape, field, found);
        }
    };
    match shape {
        FieldShape::Path(role) => {
            found.extend(
                value
                    .as_text()
                    .and_then(|path| named(path, *role, field, value)),
            );
        }
        FieldShape::KeyedPath => {
            let path = value.as_text().map(|text| match text.split_once('=') {
                Some((_, path)) => path,
                None => text,
            });
            found.extend(path.and_then(|path| named(path, PathRole::Input, field, value)));
        }
        FieldShape::PathTexts => collect_below("path", &FieldShape::Path(PathRole::Input)),
        FieldShape::List(of) => {
            for item in value.items().unwrap_or_default() {
                collect(item, of, field, found);
            }
        }
        FieldShape::Object(fields) => {
            for (key, shape) in *fields {
                collect_below(key, shape);
            }
        }
        FieldShape::Objects(parts) => {
            for (key, shape) in parts.iter().copied().flatten() {
                collect_below(key, shape);
            }
        }
        FieldShape::Text
        | FieldShape::Flag
        | FieldShape::Integer
        | FieldShape::Texts
        | FieldShape::Values => {}
    }
}

fn named(path: &str, role: PathRole, field: &'static str, written: &Field) -> Option<NamedPath> {
    if path.is_empty() || path.contains('\n') {
        return None;
    }
    Some(NamedPath {
        role,
        field,
        path: path.to_owned(),
        is_remote: is_remote_file(path) || is_repository(path),
        place: written.place().clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::SourceFile;

    #[test]
    fn every_field_with_a_path_names_it() {
        let text = "resources: [a]\nbases: [b]\ncomponents: [c]\ncrds: [d]\nconfigurations: [e]\ngenerators: [f, \"a\\nb\"]\n\
                    transformers: [g]\nvalidators: [h]\npatchesStrategicMerge: [i]\npatches: [{path: j, patch: x}]\n\
                    patchesJson6902: [{path: k}]\nreplacements: [{path: l}]\n\
                    configMapGenerator: [{name: x, literals: [x=y], files: [m, k=n], envs: [o], env: p}]\n\
                    secretGenerator: [{files: [q]}]\nopenapi: {path: r, version: x}\n\
                    helmCharts: [{name: x, valuesFile: t, additionalValuesFiles: [s]}]\n\
                    helmChartInflationGenerator: [{values: u}]\nnamePrefix: x\nvars: [{name: x}]\n";
        let file = SourceFile::new("kustomization.yaml", text.as_bytes());
        let documents = file.documents().expect("the file is YAML");
        let field = Field::of_kustomization(&documents[0].root, &file, 0);
        let found = named_paths(&field);
        let paths: String = found.iter().map(|named| named.path.as_str()).collect();
        assert_eq!(paths, "abcdefghijklmnopqrstu");
        let with_role = |role| found.iter().filter(move |named| named.role == role).count();
        assert_eq!(with_role(PathRole::Resource), 2);
        assert_eq!(with_role(PathRole::Component), 1);
    }
}
