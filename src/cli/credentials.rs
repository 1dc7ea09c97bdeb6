//! What holds credentials and belongs in no commit: one list, for ignore files and for checks.
//!
//! A test runs every recipe of a rendered project and holds what it writes against this list.

use std::ops::Range;

use super::error::CommandError;
use super::printer::Printer;
use crate::fs::{Access, Disk};

/// A file or a folder with credentials in it.
#[derive(Debug)]
pub struct Credential {
    /// Where it lies, as a line of an ignore file in the project's folder.
    pub pattern: &'static str,
    /// What makes it, and what is in it.
    pub holds: &'static str,
}

/// Everything with credentials in it that Kiln and the recipes of a rendered project write.
///
/// What a recipe writes is named at any depth, since outputs may lie in a folder of the project.
pub static CREDENTIALS: &[Credential] = &[
    Credential {
        pattern: "/age.key",
        holds: "`kiln init`: the key that opens all that is sealed",
    },
    Credential {
        pattern: "/age.key.*",
        holds: "copies of `age.key`, and the old ones after `kiln secrets rekey`",
    },
    Credential {
        pattern: "/old.key",
        holds: "the key that `kiln secrets rekey --old-key old.key` replaces",
    },
    Credential {
        pattern: "/deploy.key",
        holds: "`kiln init`: the key with which Flux reads the repository",
    },
    Credential {
        pattern: "/cloudflare-tunnel.json",
        holds: "`cloudflared tunnel create`: the credentials of the tunnel",
    },
    Credential {
        pattern: "/flux-webhook-token.txt",
        holds: "`kiln init`: the token of Flux' webhook",
    },
    Credential {
        pattern: "kubeconfig",
        holds: "`just talos kubeconfig`: an administrator of Kubernetes",
    },
    Credential {
        pattern: "talosconfig",
        holds: "`just talos talosconfig`: an administrator of Talos",
    },
    Credential {
        pattern: "**/talos/output/",
        holds: "`just talos render`: machine configurations with the keys of the cluster",
    },
    Credential {
        pattern: "/snapshot",
        holds: "docs/restore.md: etcd, with every Secret of the cluster",
    },
    Credential {
        pattern: "/snapshot.*",
        holds: "docs/restore.md: the same, packed",
    },
    Credential {
        pattern: ".terraform/",
        holds: "`just tofu init`: the settings of the state's backend, beside the providers",
    },
    Credential {
        pattern: "*.tfstate",
        holds: "`just tofu apply` without a bucket: the state of the machines",
    },
    Credential {
        pattern: "*.tfstate.*",
        holds: "OpenTofu: copies of the state",
    },
    Credential {
        pattern: "*.tfplan",
        holds: "`just tofu run plan -out=x.tfplan`: what will change, credentials included",
    },
    Credential {
        pattern: ".kiln/",
        holds: "`kiln render`: what it is about to write",
    },
];

/// The file that keeps them out of git.
pub const IGNORE_FILE: &str = ".gitignore";
/// What stands above the lines in an ignore file.
pub const COMMENT: &str = "# Keys and what is made from them: never commit these.";

/// Makes sure that git ignores all of them, in the project's own ignore file: a new one, or the lines that it
/// lacks at its end. Returns whether it lacked any.
pub fn ignore(disk: &Disk, printer: &mut Printer) -> Result<bool, CommandError> {
    let existing = disk.peek(IGNORE_FILE)?;
    let text = String::from_utf8_lossy(existing.as_deref().unwrap_or_default());
    let missing = missing_lines(&text);
    if missing.is_empty() {
        return Ok(false);
    }
    let lines = format!("{COMMENT}\n{}\n", missing.join("\n"));
    let Some(mut bytes) = existing else {
        disk.create(IGNORE_FILE, lines.as_bytes(), Access::Usual)?;
        printer.status(format!("created {IGNORE_FILE}"));
        return Ok(true);
    };
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(lines.as_bytes());
    disk.replace(IGNORE_FILE, &bytes)?;
    printer.status(format!(
        "added {} lines to {IGNORE_FILE}",
        missing.len() + 1
    ));
    Ok(true)
}

/// Returns the patterns that no line of an ignore file covers as it stands.
fn missing_lines(text: &str) -> Vec<&'static str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let patterns = CREDENTIALS.iter().map(|credential| credential.pattern);
    patterns
        .filter(|pattern| !lines.iter().any(|line| says(line, pattern)))
        .collect()
}

/// Returns whether a line ignores at least what a pattern does: the same, at any depth instead of at the root, or
/// files as well as folders.
fn says(line: &str, pattern: &str) -> bool {
    let wider = [pattern, pattern.trim_end_matches('/')];
    wider.into_iter().any(|pattern| {
        let bare = pattern.trim_start_matches("**/");
        let anchored = bare.strip_prefix('/');
        line == pattern
            || line.strip_prefix("**/") == Some(anchored.unwrap_or(bare))
            || (anchored.is_some() && Some(line) == anchored)
    })
}

/// Returns whether an ignore file lets a path in by its name, as one that holds nothing worth hiding: the key of
/// an example.
pub fn lets_in(text: &str, path: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let names = lines.filter_map(|line| line.strip_prefix('!'));
    names
        .map(|name| name.trim_start_matches('/'))
        .any(|name| name == path)
}

/// Returns git's pathspecs for all of them, from the project's folder.
pub fn pathspecs() -> Vec<String> {
    CREDENTIALS.iter().map(Credential::pathspec).collect()
}

impl Credential {
    fn pathspec(&self) -> String {
        let folder = self.pattern.ends_with('/');
        let path = self.pattern.trim_end_matches('/');
        let inside = if folder { "/**" } else { "" };
        match path.strip_prefix('/') {
            Some(path) => format!(":(glob){path}{inside}"),
            None => format!(":(glob)**/{}{inside}", path.trim_start_matches("**/")),
        }
    }

    /// Returns whether this is about a path of the project, or one below it.
    pub fn covers(&self, path: &str) -> bool {
        let is_root = self.pattern.starts_with('/');
        let wanted = self.pattern.trim_start_matches("**/").trim_matches('/');
        let wanted: Vec<&str> = wanted.split('/').collect();
        let parts: Vec<&str> = path.split('/').collect();
        let hits = |range: Range<usize>| {
            parts.get(range).is_some_and(|parts| {
                let mut pairs = wanted.iter().zip(parts);
                pairs.all(|(wanted, part)| matches(wanted, part))
            })
        };
        let starts = if is_root { 1 } else { parts.len() };
        (0..starts).any(|start| hits(start..start + wanted.len()))
    }
}

/// Returns whether a name is what a pattern with stars says.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(path: &str) -> bool {
        CREDENTIALS.iter().any(|credential| credential.covers(path))
    }

    #[test]
    fn covers_what_its_patterns_say() {
        for path in [
            "age.key",
            "age.key.old",
            "kubeconfig",
            "out/talos/talosconfig",
            "talos/output/node-1.yaml",
            "out/talos/output/node-1.yaml",
            "tofu/terraform.tfstate.backup",
            "tofu/.terraform/terraform.tfstate",
        ] {
            assert!(covered(path), "{path}");
        }
        for path in [
            "sub/age.key",
            "deploy.key.pub",
            "talos/outputs",
            "kubeconfig.yaml",
            "docs/snapshot",
            "tofu/.terraform.lock.hcl",
        ] {
            assert!(!covered(path), "{path}");
        }
    }

    #[test]
    fn adds_only_the_lines_that_are_missing() {
        let all = |text: &str| missing_lines(text);
        assert!(
            !all("age.key\n**/deploy.key\n.kiln\n")
                .iter()
                .any(|line| { ["/age.key", "/deploy.key", ".kiln/"].contains(line) })
        );
        // A line for the root alone does not say what one for any depth does.
        assert!(all("/talosconfig\n/talos/output/\n").contains(&"talosconfig"));
        assert!(all("/talosconfig\n/talos/output/\n").contains(&"**/talos/output/"));
        assert!(all("# /age.key\n!/age.key\n").contains(&"/age.key"));
        let patterns: Vec<&str> = CREDENTIALS.iter().map(|one| one.pattern).collect();
        assert!(missing_lines(&patterns.join("\n")).is_empty());
    }
}
