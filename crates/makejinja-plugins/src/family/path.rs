//! Paths as Python's `pathlib` takes them apart.

use super::{FamilyError, KeyFiles};
use crate::value::PluginValue;

fn parts_of(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// Returns the last part of a path, as `Path(path).name`.
pub(super) fn name(path: &str) -> &str {
    parts_of(path).next_back().unwrap_or_default()
}

/// Returns the last part of a path without its last suffix, as `Path(path).stem`.
pub(super) fn stem(path: &str) -> &str {
    let name = name(path);
    match name.rfind('.') {
        Some(dot) if dot > 0 && dot + 1 < name.len() => &name[..dot],
        _ => name,
    }
}

/// Lists the paths of the files in a folder whose names end so, sorted. Before June 2024 they were not sorted, in no
/// order that was the same everywhere.
pub(super) fn list(
    files: &dyn KeyFiles,
    folder: &str,
    ending: &str,
) -> Result<PluginValue, FamilyError> {
    let listed = files
        .list_files(folder)
        .map_err(|why| FamilyError::new(format!("`{folder}` cannot be listed: {why}")))?;
    let mut names = listed.unwrap_or_default();
    names.retain(|name| name.ends_with(ending));
    names.sort();
    let normal: Vec<&str> = parts_of(folder).collect();
    let root = if folder.starts_with('/') { "/" } else { "" };
    let path = |name: String| format!("{root}{}/{name}", normal.join("/")).into();
    Ok(PluginValue::List(names.into_iter().map(path).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_those_of_pathlib() {
        let cases = [
            ("a/b/patch.yaml.j2", "patch.yaml"),
            ("patch.yaml", "patch"),
            ("archive.", "archive."),
            (".hidden", ".hidden"),
            (".hidden.yaml", ".hidden"),
            ("a/b/", "b"),
            ("a/./", "a"),
            ("..", ".."),
            (".", ""),
            ("/", ""),
            ("", ""),
        ];
        for (path, expected) in cases {
            assert_eq!(stem(path), expected, "{path}");
        }
        assert_eq!(name("a/b.yaml.j2/"), "b.yaml.j2");
    }
}
