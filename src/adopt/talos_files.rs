//! What is left of an older configuration of the machines.

use super::cluster_template::{self, TALHELPER, TALHELPER_VERSIONS, TOPF};
use crate::adopt::codes;
use crate::diagnostic::Diagnostic;
use crate::diff::Leap;
use crate::source::{Files, ReadError};
use crate::tree::Tree;
use crate::yaml;

/// The folders of which topf applies every file, by the role of the machines.
const PATCH_FOLDERS: [&str; 3] = ["talos/all/", "talos/control-plane/", "talos/worker/"];
/// The folder in which talhelper had its patches.
const TALHELPER_PATCHES: &str = "talos/patches/";
/// What the versions of the machines are called, for topf and for people.
const VERSIONS: [(&str, &str); 2] = [
    ("talosVersion", "Talos"),
    ("kubernetesVersion", "Kubernetes"),
];

/// Files of the configuration of the machines that are not rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TalosFiles {
    /// The patches of cluster-template: topf would apply them after the rendered ones that replace them.
    pub superseded: Vec<String>,
    /// The patches of the user's own, which topf applies beside the rendered ones.
    pub own: Vec<String>,
    /// What talhelper read, and topf does not.
    pub unread: Vec<String>,
    /// The versions that would be other ones.
    pub versions: Vec<VersionStep>,
}

/// A version that would be another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionStep {
    /// `Talos` or `Kubernetes`.
    pub name: &'static str,
    /// The version that the repository has, without `v`.
    pub before: String,
    /// The version that is rendered, without `v`.
    pub after: String,
}

impl VersionStep {
    /// Returns whether the machines would go back.
    pub fn goes_back(&self) -> bool {
        Leap::between(&self.before, &self.after) == Leap::Down
    }

    fn warning(&self) -> Diagnostic {
        let Self {
            name,
            before,
            after,
        } = self;
        Diagnostic::warning(
            &codes::MACHINES_GO_BACK,
            format!("`{TOPF}` would name {name} {after}, and names {before} today"),
        )
        .with_hint(format!(
            "to keep the newer one, run `kiln catalogue eject {TOPF}.tera` after the switch, and write it there before anything is applied"
        ))
    }
}

impl TalosFiles {
    /// Looks for them beside the rendered files.
    ///
    /// # Errors
    /// The folder cannot be listed, or a file that names the versions of today not be read.
    pub fn find<S>(files: &dyn Files, rendered: &Tree<S>) -> Result<Self, ReadError> {
        let mut found = Self::default();
        let Some(topf) = rendered.get(TOPF) else {
            return Ok(found);
        };
        for path in files.list_outputs("talos")? {
            if rendered.get(&path).is_some() {
                continue;
            }
            if PATCH_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
                if cluster_template::is_machine_patch(&path) {
                    found.superseded.push(path);
                } else {
                    found.own.push(path);
                }
            } else if path == TALHELPER || path.starts_with(TALHELPER_PATCHES) {
                found.unread.push(path);
            }
        }
        let old = [TOPF, TALHELPER_VERSIONS]
            .into_iter()
            .find_map(|path| files.read_output(path).transpose());
        let old = String::from_utf8(old.transpose()?.unwrap_or_default()).unwrap_or_default();
        found.versions = steps(&old, &topf.source.text);
        Ok(found)
    }

    /// Says what is to be known of them before the machines are given their new configuration.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let lowered = self.versions.iter().filter(|step| step.goes_back());
        let mut warnings: Vec<Diagnostic> = lowered.map(VersionStep::warning).collect();
        let groups = [
            (
                &codes::MACHINE_PATCHES_REPLACED,
                &self.superseded,
                "topf applies every file of its folders: these are of cluster-template, other ones are rendered in their places, and they are removed",
                "what you changed in them is to be had back from git: put it into a patch with a name of its own",
            ),
            (
                &codes::MACHINE_PATCHES_KEPT,
                &self.own,
                "topf applies these patches of yours beside the rendered ones",
                "`just talos diff` shows what the machines would get",
            ),
            (
                &codes::TALHELPER_UNREAD,
                &self.unread,
                "talhelper read these files, and nothing does any more",
                "put what you changed in them into `talos/all/`, `talos/control-plane/` or `talos/worker/`, a patch of Talos a file",
            ),
        ];
        warnings.extend(groups.into_iter().filter(|group| !group.1.is_empty()).map(
            |(code, paths, message, hint)| {
                Diagnostic::warning(code, message)
                    .with_hint(hint)
                    .with_files(paths)
            },
        ));
        warnings
    }
}

/// Compares the versions that two files name at their top.
fn steps(before: &str, after: &str) -> Vec<VersionStep> {
    let steps = VERSIONS.into_iter().filter_map(|(key, name)| {
        let step = VersionStep {
            name,
            before: version(before, key)?,
            after: version(after, key)?,
        };
        (step.before != step.after).then_some(step)
    });
    steps.collect()
}

fn version(text: &str, key: &str) -> Option<String> {
    let documents = yaml::load(text).ok()?;
    let written = documents.first()?.root.find_text(key)?;
    Some(written.trim_start_matches('v').to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::rendered_tree;
    use super::*;
    use crate::source::MemoryFiles;

    #[test]
    fn patches_of_the_template_are_told_from_those_of_the_user() {
        let files = |paths: &[&str], versions: &str| {
            let file = |path: &&str| ((*path).to_owned(), versions.as_bytes().to_vec());
            MemoryFiles(paths.iter().map(file).collect())
        };
        let topf = "talosVersion: v1.12.0\nkubernetesVersion: v1.35.0\n";
        let rendered = rendered_tree(&[(TOPF, topf), ("talos/all/00-install.yaml.tpl", "")]);
        let theirs = [
            "talos/topf.yaml",
            "talos/all/00-install.yaml.tpl",
            "talos/all/30-kubelet.yaml",
            "talos/all/99-mine.yaml",
            "talos/control-plane/00-cluster.yaml",
            "talos/README.md",
        ];
        let old = "talosVersion: v1.13.1\nkubernetesVersion: v1.35.0\n";
        let found = TalosFiles::find(&files(&theirs, old), &rendered).unwrap();
        assert_eq!(
            found.superseded,
            [
                "talos/all/30-kubelet.yaml",
                "talos/control-plane/00-cluster.yaml"
            ]
        );
        assert_eq!(found.own, ["talos/all/99-mine.yaml"]);
        assert!(found.unread.is_empty());
        let [step] = found.versions.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((step.name, step.goes_back()), ("Talos", true));
        // Where no machine is rendered, nothing is superseded.
        let nothing = TalosFiles::find(&files(&theirs, old), &rendered_tree(&[])).unwrap();
        assert_eq!(nothing, TalosFiles::default());
    }

    #[test]
    fn what_talhelper_read_is_told() {
        let paths = [
            "talos/talconfig.yaml",
            "talos/talenv.yaml",
            "talos/patches/global/a.yaml",
        ];
        let file = |path: &str| (path.to_owned(), b"talosVersion: v1.11.0\n".to_vec());
        let files = MemoryFiles(paths.map(file).into());
        let rendered = rendered_tree(&[(TOPF, "talosVersion: v1.12.0\n")]);
        let found = TalosFiles::find(&files, &rendered).unwrap();
        assert_eq!(
            found.unread,
            ["talos/patches/global/a.yaml", "talos/talconfig.yaml"]
        );
        assert!(!found.versions[0].goes_back());
    }
}
