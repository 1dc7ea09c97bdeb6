//! Parts of a cluster that may hold objects which nobody sees from here.

use std::collections::BTreeSet;

use kustomize::Place;

use super::applied_object::KustomizationBuild;
use super::builds::{Builds, Member};
use super::finding::UnseenPart;
use crate::tree::object::Object;
use crate::tree::output_path::split;

/// Kinds that neither have pods nor say anything of some.
const INERT: [&str; 2] = ["ConfigMap", "Secret"];

/// A part of what Flux applies whose objects are not seen: another source, a remote base, a build that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenPart {
    /// What it is, as messages name it: `` `Kustomization/flux-system/apps` ``, ``the resource `https://…` ``.
    pub what: String,
    /// Why it is not seen, in one sentence without a final period.
    pub why: String,
    /// What would make it seen; empty where nothing here can.
    pub remedy: String,
    /// The namespace that its objects go to; `None` where they may go to any.
    pub namespace: Option<String>,
    /// The cluster, as an index of the roots; `None` where no root reaches it.
    pub root: Option<usize>,
    /// Where it is asked for.
    pub place: Option<Place>,
}

impl HiddenPart {
    /// Returns whether objects of a namespace of a cluster may be in it, or of none where that is empty.
    ///
    /// What no root reaches may be of any cluster.
    pub fn may_hold(&self, root: Option<usize>, namespace: &str) -> bool {
        let is_of_root = root.is_none() || self.root.is_none() || self.root == root;
        let own = self.namespace.as_deref();
        is_of_root && (namespace.is_empty() || own.is_none_or(|own| own == namespace))
    }
}

impl Builds<'_> {
    /// Lists the clusters that the object a member is written as goes to.
    pub fn roots_of(&self, member: &Member<'_>) -> Vec<Option<usize>> {
        let same = self.members.iter().filter(|other| {
            other.spot() == member.spot() && other.namespace_name() == member.namespace_name()
        });
        same.map(|other| other.root).collect()
    }

    /// Lists the parts that may hold objects and are not seen; those of other clusters aside.
    pub fn hidden_parts(&self) -> Vec<HiddenPart> {
        let counts = |build: &&KustomizationBuild| {
            !build.elsewhere && (build.is_reached() || self.applied.roots.is_empty())
        };
        let builds = &self.applied.builds;
        let unseen = self.applied.unseen.iter().filter_map(|part| {
            let build = builds.get(part.build).filter(counts)?;
            part.hides_objects.then(|| self.unseen(part, build))
        });
        let all = builds.iter().enumerate();
        let refused = all.filter(|(_, build)| counts(build) && (build.refused || build.is_partial));
        let refused = refused.flat_map(|(index, build)| self.refused(index, build));
        unseen.chain(refused).collect()
    }

    fn unseen(&self, part: &UnseenPart, build: &KustomizationBuild) -> HiddenPart {
        // A `ResourceSet` may make objects in any namespace.
        let is_anywhere = part.what.starts_with("ResourceSet/");
        HiddenPart {
            what: part.told(),
            why: part.why.clone(),
            remedy: part.remedy.clone(),
            namespace: self
                .target(build, part.place.as_ref())
                .filter(|_| !is_anywhere),
            root: build.root,
            place: part.place.clone(),
        }
    }

    /// Lists what a refused build would apply, by namespace.
    fn refused(&self, index: usize, build: &KustomizationBuild) -> Vec<HiddenPart> {
        let part = |namespace: Option<String>| HiddenPart {
            what: if build.owner.name.is_empty() {
                format!("the build of `{}`", build.folder)
            } else {
                format!("`Kustomization/{}`", build.owner)
            },
            why: "it is refused, or a part of it is passed over".to_owned(),
            remedy: "mend what keeps it from being built".to_owned(),
            namespace,
            root: build.root,
            place: build.kustomization().map(|flux| {
                flux.find(&["metadata", "name"])
                    .unwrap_or(flux)
                    .place()
                    .clone()
            }),
        };
        let target = self.target(build, None);
        match self.written_namespaces(index, build) {
            Some(written) if target.is_none() => written.into_iter().map(Some).map(part).collect(),
            _ => vec![part(target)],
        }
    }

    /// Lists the namespaces that the objects of a refused build name themselves, those that tell nothing of pods aside; `None` where there may be others.
    fn written_namespaces(
        &self,
        index: usize,
        build: &KustomizationBuild,
    ) -> Option<BTreeSet<String>> {
        // Such a build is refused when kustomize is done with it, so that all of its objects were read.
        let mut problems = self.applied.problems.iter();
        let is_read = problems.all(|problem| {
            !problem.builds.contains(&index) || problem.meaning.code.starts_with("variable-")
        });
        if !is_read {
            return None;
        }
        let mut found = BTreeSet::new();
        for path in &build.files {
            let file = self.files.output(path)?;
            let objects = Object::of(file).filter(|object| !INERT.contains(&object.kind()));
            for object in objects {
                // It grants something to accounts of any namespace.
                if object.kind() == "ClusterRoleBinding" {
                    return None;
                }
                // Flux applies no object that goes to a namespace and names none.
                let namespace = object.declared_namespace();
                if let Some(namespace) = namespace.filter(|_| object.is_namespaced()) {
                    found.insert((!namespace.contains("${")).then(|| namespace.to_owned())?);
                }
            }
        }
        Some(found)
    }

    /// Returns the namespace that all objects of a build go to, or those of what a kustomization within it names.
    fn target(&self, build: &KustomizationBuild, named: Option<&Place>) -> Option<String> {
        let flux = build.kustomization();
        if let Some(target) = flux.and_then(|flux| flux.find_text(&["spec", "targetNamespace"])) {
            return Some(target.to_owned()).filter(|name| !name.is_empty() && !name.contains("${"));
        }
        // The files of a build that is not seen at all are in no tree at hand.
        let of_folder = |folder: &str| {
            let is_read = build.files.iter().any(|path| split(path).0 == folder);
            let found = self.kustomizations.get(folder).filter(|_| is_read);
            found.and_then(|found| found.namespace.clone())
        };
        let inner = || of_folder(split(&named?.file.path).0);
        of_folder(&build.folder).or_else(inner)
    }
}
