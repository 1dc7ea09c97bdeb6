//! Relative paths with `/`, as the whole project names its files.

use super::DiskError;

/// Brings a path that a person wrote into normal form: no `.`, no empty part; the root is `""`.
///
/// # Errors
/// When the path is absolute or has a `..`.
pub(super) fn normal(path: &str) -> Result<String, DiskError> {
    let outside = || DiskError::Outside {
        path: path.to_owned(),
    };
    if path.starts_with('/') {
        return Err(outside());
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(outside()),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Accepts only a path that names a file in normal form and means the same on every system.
///
/// # Errors
/// When the path is absolute, climbs, is not in normal form, or has a backslash or a control character.
pub(super) fn strict(path: &str) -> Result<(), DiskError> {
    let bad = |reason| {
        Err(DiskError::BadPath {
            path: path.escape_debug().to_string(),
            reason,
        })
    };
    if path.chars().any(char::is_control) {
        return bad("it has a control character");
    }
    if path.contains('\\') {
        return bad("it has a backslash");
    }
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(DiskError::Outside {
            path: path.to_owned(),
        });
    }
    let no_name = |part: &str| part.is_empty() || part == ".";
    if path.split('/').all(no_name) {
        return bad("it is empty");
    }
    if path.split('/').any(no_name) {
        return bad("it has an empty part or a `.`");
    }
    Ok(())
}

/// Puts a name below a folder, of which the root is `""`.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_form_has_no_dots_and_no_empty_parts() {
        assert_eq!(normal("./a//b/./c/").unwrap(), "a/b/c");
        assert_eq!(normal(".").unwrap(), "");
        assert_eq!(normal("a..b/...").unwrap(), "a..b/...");
        assert!(normal("a/../b").is_err());
        assert!(normal("/etc").is_err());
    }

    #[test]
    fn strict_takes_only_plain_names() {
        assert!(strict("a/b.yaml").is_ok());
        assert!(strict("a b/ü").is_ok());
        for path in [
            "", ".", "./a", "a//b", "a/", "../a", "/a", "a\\b", "a\nb", "a\0b",
        ] {
            assert!(strict(path).is_err(), "{path:?}");
        }
    }
}
