//! Paths of field specs.

/// Splits a path at its slashes; `\/` is a slash in a key, and one slash before the first key is left out.
pub(super) fn split_path(path: &str) -> Vec<String> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let mut steps: Vec<String> = Vec::new();
    for part in rest.split('/') {
        match steps.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => steps.push(part.to_owned()),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::split_path;

    #[test]
    fn paths_are_split_at_slashes_that_are_not_escaped() {
        assert_eq!(split_path("a/b[]/c"), ["a", "b[]", "c"]);
        assert_eq!(split_path("/a/b"), ["a", "b"]);
        assert_eq!(
            split_path(r"metadata/annotations/x.io\/y"),
            ["metadata", "annotations", "x.io/y"]
        );
        assert_eq!(split_path("a//b/"), ["a", "", "b", ""]);
    }
}
