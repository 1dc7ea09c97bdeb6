//! The catalogue inside the binary: templates, schemas and chart profiles.

use include_dir::{Dir, include_dir};

use crate::source::{Files, ReadError};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");

/// The files of the built-in catalogue, below `templates/` and `schemas/`.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue;

/// Returns the built-in catalogue.
pub fn catalogue() -> Catalogue {
    Catalogue
}

impl Catalogue {
    fn folder(path: &str) -> Option<(&'static Dir<'static>, &str)> {
        [("templates", &TEMPLATES), ("schemas", &SCHEMAS)]
            .into_iter()
            .find_map(|(name, folder)| match path.strip_prefix(name)? {
                "" => Some((folder, "")),
                rest => Some((folder, rest.strip_prefix('/')?)),
            })
    }
}

impl Files for Catalogue {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let file = Self::folder(path).and_then(|(folder, rest)| folder.get_file(rest));
        Ok(file.map(|file| file.contents().to_vec()))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, ReadError> {
        let mut found = Vec::new();
        if let Some((folder, rest)) = Self::folder(path.trim_end_matches('/')) {
            let name = path.split('/').next().unwrap_or_default();
            let start = if rest.is_empty() {
                Some(folder)
            } else {
                folder.get_dir(rest)
            };
            if let Some(start) = start {
                collect(start, name, &mut found);
            }
        }
        found.sort();
        Ok(found)
    }
}

fn collect(folder: &Dir<'_>, root: &str, found: &mut Vec<String>) {
    for file in folder.files() {
        found.push(format!("{root}/{}", file.path().display()));
    }
    for child in folder.dirs() {
        collect(child, root, found);
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
