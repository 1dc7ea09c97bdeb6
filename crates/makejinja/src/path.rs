//! Paths as Python's `pathlib` splits them.

/// Returns a path without `.`, empty parts and inner `..`; what leads out of the project keeps its `..` at the start.
pub(crate) fn normalize(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in parts_of(path) {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            ("..", None) if absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

/// Returns `path`, which counts from `folder` unless it starts at the root.
pub(crate) fn join(folder: &str, path: &str) -> String {
    if path.starts_with('/') || folder.is_empty() {
        normalize(path)
    } else {
        normalize(&format!("{folder}/{path}"))
    }
}

/// Returns the parts of a path, without `.` and empty ones.
pub(crate) fn parts_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// Returns the last part of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the folder of a path; `None` for the project's folder and the root.
pub(crate) fn folder_of(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        Some(("", "")) => None,
        Some(("", _)) => Some("/"),
        Some((folder, _)) => Some(folder),
        None if path.is_empty() => None,
        None => Some(""),
    }
}

/// Returns the last suffix of a name with its dot, as `Path.suffix` does: empty for `.name` and `name.`.
pub(crate) fn suffix_of(path: &str) -> &str {
    let name = name_of(path);
    match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => &name[at..],
        _ => "",
    }
}

/// Returns a path without the last suffix of its name.
pub(crate) fn without_suffix(path: &str) -> &str {
    path.strip_suffix(suffix_of(path)).unwrap_or(path)
}

/// Returns the path of a file as it counts from a folder, where it lies in it.
pub(crate) fn relative_to<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    match folder {
        "" if path == ".." || path.starts_with("../") || path.starts_with('/') => None,
        "" => Some(path),
        "/" => path.strip_prefix('/'),
        _ if path == folder => Some(""),
        _ => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

/// Sorts paths as Python does: part by part.
pub(crate) fn sort_by_parts(paths: &mut [String]) {
    paths.sort_by(|left, right| left.split('/').cmp(right.split('/')));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_normalized_without_leaving_its_meaning() {
        for (path, expected) in [
            ("./", ""),
            (".", ""),
            ("./a//b/./c", "a/b/c"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("a/../../b", "../b"),
            ("/a/../..", "/"),
            ("/a/b/", "/a/b"),
        ] {
            assert_eq!(normalize(path), expected, "{path}");
        }
        assert_eq!(join("conf", "../in"), "in");
        assert_eq!(join("", "../in"), "../in");
        assert_eq!(join("conf", "/in"), "/in");
    }

    /// Measured with Python 3.13's `Path.suffix`.
    #[test]
    fn a_suffix_is_that_of_pathlib() {
        for (path, suffix, rest) in [
            ("a/b.yaml.j2", ".j2", "a/b.yaml"),
            (".j2", "", ".j2"),
            ("a/.hidden", "", "a/.hidden"),
            (".hidden.j2", ".j2", ".hidden"),
            ("name.", "", "name."),
            ("a.d/name", "", "a.d/name"),
        ] {
            assert_eq!(suffix_of(path), suffix, "{path}");
            assert_eq!(without_suffix(path), rest, "{path}");
        }
    }

    #[test]
    fn paths_sort_by_their_parts() {
        let mut paths = ["a.b", "a/z", "a", "B", "a-b/c"].map(str::to_owned);
        sort_by_parts(&mut paths);
        assert_eq!(paths, ["B", "a", "a/z", "a-b/c", "a.b"]);
    }

    #[test]
    fn a_file_counts_from_its_folder() {
        assert_eq!(relative_to("a/b", "a"), Some("b"));
        assert_eq!(relative_to("ab", "a"), None);
        assert_eq!(relative_to("a", "a"), Some(""));
        assert_eq!(relative_to("a/b", ""), Some("a/b"));
        assert_eq!(relative_to("..a", ""), Some("..a"));
        assert_eq!(relative_to("../a", ""), None);
        assert_eq!(relative_to("..", ""), None);
        assert_eq!(relative_to("/a/b", "/"), Some("a/b"));
        assert_eq!(folder_of("a"), Some(""));
        assert_eq!(folder_of("/a"), Some("/"));
        assert_eq!(folder_of(""), None);
    }
}
