//! What the nodes of a cluster give to pods that say nothing, as far as the tree tells.

use kustomize::SourceFile;

use crate::flux::TreeFiles;
use crate::tree::is_secret_path;

/// The setting of a machine configuration of Talos by which the kubelet gives containers the runtime's seccomp profile.
const SETTING: &str = "defaultRuntimeSeccompProfileEnabled";

/// The files of which Talos' own generator makes machine configurations; it switches the setting on since Talos 1.2.
///
/// Source: `pkg/machinery/config/generate` of siderolabs/talos.
const GENERATED: [&str; 2] = ["talconfig.yaml", "topf.yaml"];

/// What the nodes do by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeDefaults {
    /// Whether containers get the runtime's seccomp profile where they name none.
    pub(super) gives_seccomp: bool,
}

impl NodeDefaults {
    /// Reads them off the machine configurations of Talos in a tree, and off templates and patches of those.
    ///
    /// Where one of them switches the setting off, it may be off on any node.
    pub(super) fn of(files: &TreeFiles<'_>) -> Self {
        let mut defaults = Self::default();
        let paths = files.paths();
        for path in paths.filter(|path| is_of_talos(path) && !is_secret_path(path)) {
            let file = files.file(path);
            match file.and_then(|file| setting(file)).as_deref() {
                Some("true") => {}
                Some(_) => return Self::default(),
                None if GENERATED.contains(&name_of(path)) => {}
                None => continue,
            }
            defaults.gives_seccomp = true;
        }
        defaults
    }
}

/// Returns whether a file belongs to the configuration of Talos, by its name or that of a folder.
fn is_of_talos(path: &str) -> bool {
    GENERATED.contains(&name_of(path)) || path.split('/').rev().skip(1).any(|step| step == "talos")
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the first value of the setting that is not `true`, or `true`; `None` where no line has it.
fn setting(file: &SourceFile) -> Option<String> {
    let text = file.text().ok()?;
    let values = text.lines().filter_map(|line| {
        let value = line.trim().strip_prefix(SETTING)?;
        let value = value.trim_start().strip_prefix(':')?;
        Some(value.split('#').next().unwrap_or_default().trim())
    });
    let mut found = None;
    for value in values {
        found = Some(value.to_owned());
        if value != "true" {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::tree::File;

    fn gives_seccomp(texts: &[(&str, &str)]) -> bool {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            source: Source::new(*path, *text),
            documents: crate::yaml::load(text).unwrap_or_default().into(),
            origins: Vec::new(),
            executable: false,
            binary: None,
        };
        let files: Vec<File> = texts.iter().map(file).collect();
        NodeDefaults::of(&TreeFiles::of_tree(files.iter())).gives_seccomp
    }

    #[test]
    fn only_what_says_so_gives_a_profile() {
        let on =
            "machine:\n  kubelet:\n    defaultRuntimeSeccompProfileEnabled: true # as it comes\n";
        let off = on.replace("true", "false");
        let talos = "talos/machineconfig.yaml";
        assert!(gives_seccomp(&[(talos, on)]));
        assert!(!gives_seccomp(&[(talos, "machine: {}\n")]));
        assert!(!gives_seccomp(&[("apps/talos.yaml", on)]));
        assert!(!gives_seccomp(&[(talos, on), ("talos/worker.yaml", &off)]));
        let generated = "main/talconfig.yaml";
        assert!(gives_seccomp(&[(generated, "clusterName: main\n")]));
        assert!(!gives_seccomp(&[(generated, "a: b\n"), (talos, &off)]));
        let templated =
            "machine:\n  kubelet:\n    defaultRuntimeSeccompProfileEnabled: \"{{ on }}\"\n";
        assert!(!gives_seccomp(&[(talos, templated)]));
    }
}
