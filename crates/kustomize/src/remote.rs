//! What kustomize would fetch: URLs, and git repositories in any of their spellings.

/// Returns whether kustomize fetches a file from here.
pub(crate) fn is_remote_file(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Returns whether kustomize clones a git repository from here.
///
/// The test is kustomize's own: `github.com/a/b` is a repository also where a folder of that name is at hand.
pub(crate) fn is_repository(text: &str) -> bool {
    if text.starts_with('/') {
        return false;
    }
    let text = text.split_once('?').map_or(text, |(path, _)| path);
    let text = strip_prefix_ignoring_case(text, "git::").unwrap_or(text);
    let scheme = ["ssh://", "https://", "http://", "file://"]
        .into_iter()
        .find(|scheme| strip_prefix_ignoring_case(text, scheme).is_some());
    let rest = &text[scheme.map_or(0, str::len)..];
    if scheme == Some("file://") {
        return has_repository_path(rest, true);
    }
    let without_user = after_user(rest);
    let github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| strip_prefix_ignoring_case(without_user, host).is_some());
    let as_scp = scheme.is_none() && (without_user.len() < rest.len() || github);
    if scheme.is_none() && !as_scp {
        return false;
    }
    let slash = without_user.find('/');
    let colon = without_user.find(':').filter(|_| as_scp);
    let separator = match (slash, colon) {
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (None, colon) => colon,
        (slash, _) => slash,
    };
    separator.is_some_and(|at| has_repository_path(&without_user[at + 1..], false))
}

/// Writes an address without the name and password that may stand in it.
pub(crate) fn shown_address(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let host = match rest[..end].rfind('@') {
        Some(at) => at + 1,
        None => 0,
    };
    let path = &rest[host..];
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    format!("{scheme}{path}")
}

fn has_repository_path(path: &str, whole: bool) -> bool {
    let (repository, folder) = if let Some(at) = path.find("_git/") {
        let end = at + "_git/".len();
        let name = path[end..]
            .find('/')
            .map_or(path.len(), |slash| end + slash);
        (&path[..name], path.get(name + 1..).unwrap_or_default())
    } else if let Some(at) = path.find("//") {
        (&path[..at], &path[at + 2..])
    } else if let Some(at) = path.find(".git") {
        path.split_at(at + ".git".len())
    } else if whole {
        (path, "")
    } else {
        match path.match_indices('/').nth(1) {
            Some((second, _)) => (&path[..second], &path[second + 1..]),
            None if path.contains('/') => (path, ""),
            None => return false,
        }
    };
    !repository.is_empty() && !leads_out(folder.trim_start_matches('/'))
}

fn leads_out(path: &str) -> bool {
    let mut depth = 0_usize;
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Skips a name before `@` of the form that git's ssh addresses have.
fn after_user(text: &str) -> &str {
    let Some((user, rest)) = text.split_once('@') else {
        return text;
    };
    let mut letters = user.chars();
    let starts = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic());
    if starts && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        rest
    } else {
        text
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: kustomize's `NewRepoSpecFromURL`.
    #[test]
    fn tells_repositories_from_folders() {
        for text in [
            "https://github.com/org/repo",
            "https://github.com/org/repo/deploy/base?ref=v1",
            "github.com/org/repo",
            "git@github.com:org/repo.git",
            "git::https://gitlab.com/org/repo.git//deploy",
            "ssh://git@example.org/org/repo",
            "https://dev.azure.com/org/project/_git/repo/deploy",
            "file:///srv/repo",
            "GitHub.com/org/repo",
        ] {
            assert!(is_repository(text), "{text}");
        }
        for text in [
            "",
            "base",
            "../base",
            "example.org/org/repo",
            "https://github.com/org",
            "/abs/github.com/org/repo",
            "github.com/org",
            "https://github.com/org/repo//../../x",
        ] {
            assert!(!is_repository(text), "{text}");
        }
    }

    #[test]
    fn hides_credentials_of_an_address() {
        assert_eq!(
            shown_address("https://me:secret@example.org/a/b?ref=x&token=y"),
            "https://example.org/a/b"
        );
        assert_eq!(
            shown_address("git@github.com:a/b.git"),
            "github.com:a/b.git"
        );
    }
}
