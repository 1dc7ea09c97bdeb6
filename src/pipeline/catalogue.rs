//! The catalogue inside the binary: templates, schemas and chart profiles.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};

use crate::source::{Files, ReadError};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");

/// All files by path: looking one up in the nested folders takes a walk through their paths.
static FILES: LazyLock<BTreeMap<String, &[u8]>> = LazyLock::new(|| {
    let mut files = BTreeMap::new();
    collect(&TEMPLATES, "templates", &mut files);
    collect(&SCHEMAS, "schemas", &mut files);
    files
});

/// The files of the built-in catalogue, below `templates/` and `schemas/`.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue;

/// Returns the built-in catalogue.
pub fn catalogue() -> Catalogue {
    Catalogue
}

impl Files for Catalogue {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(FILES.get(path).map(|contents| contents.to_vec()))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, ReadError> {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let below = FILES.range(folder.clone()..);
        let found = below
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&folder));
        Ok(found.cloned().collect())
    }
}

fn collect(folder: &Dir<'static>, root: &str, files: &mut BTreeMap<String, &'static [u8]>) {
    for file in folder.files() {
        let path = format!("{root}/{}", file.path().display());
        files.insert(path, file.contents());
    }
    for child in folder.dirs() {
        collect(child, root, files);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_reads_what_it_lists() {
        let listed = catalogue().list("templates/kubernetes/flux").unwrap();
        assert!(
            listed.contains(&"templates/kubernetes/flux/cluster/ks.yaml".to_owned()),
            "{listed:?}"
        );
        for path in catalogue().list("schemas").unwrap() {
            assert!(catalogue().read(&path).unwrap().is_some(), "{path}");
        }
    }
}
