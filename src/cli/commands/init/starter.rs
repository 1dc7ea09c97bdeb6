//! The files of a new project.

/// The config file that `init` writes.
pub(super) const CONFIG: &str = "cluster.yaml";
/// The names under which a config may be there already.
pub(super) const CONFIG_NAMES: [&str; 8] = [
    "cluster.yaml",
    "cluster.yml",
    "cluster.toml",
    "cluster.json",
    "cluster.sops.yaml",
    "cluster.sops.yml",
    "cluster.sops.toml",
    "cluster.sops.json",
];
/// A config that describes one machine on a home network, and renders as it is.
pub(super) const CONFIG_TEXT: &str = include_str!("starter/cluster.yaml");
/// The project file: nothing but defaults.
pub(super) const PROJECT_TEXT: &str = include_str!("starter/kiln.toml");
/// The JSON Schema of the config, for editors.
pub(super) const SCHEMA: &str = "cluster.schema.json";

/// The file that keeps keys out of git.
pub(super) const IGNORE: &str = ".gitignore";
const IGNORE_COMMENT: &str = "# Keys and what is made from them: never commit these.";
const IGNORED: [&str; 7] = [
    "/age.key",
    "/deploy.key",
    "/cloudflare-tunnel.json",
    "/flux-webhook-token.txt",
    "/kubeconfig",
    "/talosconfig",
    "/.kiln/",
];

/// Returns the whole text of a new ignore file.
pub(super) fn ignore_text() -> String {
    ignore_lines(&IGNORED)
}

/// Returns lines for an ignore file, with what they are for above them.
pub(super) fn ignore_lines(lines: &[&str]) -> String {
    format!("{IGNORE_COMMENT}\n{}\n", lines.join("\n"))
}

/// Returns the lines that an ignore file lacks, with or without slashes around the name.
pub(super) fn lines_to_ignore(text: &str) -> Vec<&'static str> {
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    let present: Vec<String> = text.lines().map(bare).collect();
    IGNORED
        .into_iter()
        .filter(|line| !present.contains(&bare(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_only_the_lines_that_are_missing() {
        let lines = lines_to_ignore("age.key\n/kubeconfig\n.kiln\n");
        assert_eq!(
            lines,
            [
                "/deploy.key",
                "/cloudflare-tunnel.json",
                "/flux-webhook-token.txt",
                "/talosconfig"
            ]
        );
        assert!(lines_to_ignore(&ignore_text()).is_empty());
    }
}
