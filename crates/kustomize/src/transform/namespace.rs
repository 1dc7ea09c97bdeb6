//! `namespace`.

use super::FieldChange;
use crate::config::TransformerConfig;
use crate::field::{Field, FieldValue, ScalarKind};
use crate::field_spec::{CreatedField, CreatedKind, FieldMismatch, FieldSpec, KindSelector};
use crate::place::Origin;
use crate::problem::Findings;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::scope::is_cluster_scoped;
use crate::setting::{SettingMode, SettingText, read_text};

const NAMESPACE_PATH: &str = "metadata/namespace";
const NAME_PATH: &str = "metadata/name";
const SUBJECTS_PATH: &str = "subjects/namespace";

/// The annotation of an object that a chart rendered: the chart has set its namespace.
const CHART_ANNOTATION: &str = "internal.config.kubernetes.io/helm-generated";

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubjectMode {
    /// Those called `default`.
    Default,
    /// All service accounts.
    ServiceAccounts,
    /// None.
    None,
}

/// Sets a namespace.
pub(super) struct NamespaceChange<'f> {
    /// The namespace.
    pub(super) namespace: SettingText<'f>,
    /// Which fields hold namespaces, besides those that every object has.
    pub(super) specs: &'f [FieldSpec],
    /// Whether a namespace that is there stays.
    pub(super) unset_only: bool,
    /// Which subjects of role bindings get it.
    pub(super) subjects: SubjectMode,
}

/// Sets `namespace` in all objects that may have one, and where the field specs say so; two objects that become the
/// same by it are a problem.
pub(crate) fn set_namespace(
    resources: &mut Resources,
    namespace: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    let Some(namespace) = read_text(namespace, "`namespace`", mode, findings) else {
        return;
    };
    let change = NamespaceChange {
        namespace,
        specs: &config.namespace,
        unset_only: false,
        subjects: SubjectMode::Default,
    };
    change.apply(resources, findings);
}

impl NamespaceChange<'_> {
    /// Sets the namespace in all objects.
    pub(super) fn apply(&self, resources: &mut Resources, findings: &mut Findings) {
        if self.namespace.text.is_empty() {
            return;
        }
        for resource in &mut resources.list {
            let path = ["metadata", "annotations", CHART_ANNOTATION];
            if !super::is_empty(resource) && resource.root.find_text(&path) != Some("true") {
                resource.remember_id();
                self.apply_to(resource, findings);
            }
        }
        resources.refuse_duplicates(self.namespace.place, findings);
    }

    /// Sets the namespace in one object; its former id is not kept.
    pub(super) fn apply_to(&self, resource: &mut Resource, findings: &mut Findings) {
        let origin = Origin::new(self.namespace.place.clone());
        let change = FieldChange {
            created: CreatedField {
                kind: CreatedKind::Text,
                origin: &origin,
            },
            cause: self.namespace.place,
        };
        let mut set = |field: &mut Field| self.set(field, &origin);
        if !is_cluster_scoped(resource.group(), resource.version(), resource.kind()) {
            let spec = FieldSpec::built_in(KindSelector::default(), NAMESPACE_PATH, true);
            change.apply(&spec, resource, findings, &mut set);
        }
        let is_binding = is_role_binding(resource.kind());
        if is_binding && let Err(mismatch) = self.set_in_subjects(&mut resource.root, &origin) {
            findings.refuse(mismatch.problem(SUBJECTS_PATH, resource, Some(change.cause)));
        }
        let is_core = resource.root.find_text(&["apiVersion"]) == Some("v1");
        for spec in self.specs {
            let is_done = spec.path == NAMESPACE_PATH
                || (spec.path == NAME_PATH && !is_core)
                || (is_binding
                    && spec.path == SUBJECTS_PATH
                    && is_role_binding(&spec.selector.kind));
            if !is_done {
                change.apply(spec, resource, findings, &mut set);
            }
        }
    }

    fn set(&self, field: &mut Field, origin: &Origin) -> Result<(), FieldMismatch> {
        let FieldValue::Scalar(scalar) = &field.value else {
            let why = "there is a mapping or list where a text is expected";
            return Err(FieldMismatch::at(field, why));
        };
        let is_set = scalar.kind != ScalarKind::Null && !scalar.text.is_empty();
        if !(self.unset_only && is_set) {
            *field = Field::text(&self.namespace.text, origin.clone());
        }
        Ok(())
    }

    fn set_in_subjects(&self, root: &mut Field, origin: &Origin) -> Result<(), FieldMismatch> {
        let (key, wanted) = match self.subjects {
            SubjectMode::None => return Ok(()),
            SubjectMode::Default => ("name", "default"),
            SubjectMode::ServiceAccounts => ("kind", "ServiceAccount"),
        };
        let Some(subjects) = root
            .get_mut("subjects")
            .filter(|subjects| !subjects.is_null())
        else {
            return Ok(());
        };
        let place = subjects.place().clone();
        let Some(items) = subjects.items_mut() else {
            let why = "`subjects` is no list".to_owned();
            return Err(FieldMismatch { why, place });
        };
        for subject in items.iter_mut().filter(|subject| !subject.is_null()) {
            if subject.entries().is_none() {
                return Err(FieldMismatch::at(subject, "a subject is no mapping"));
            }
            let Some(found) = subject.get(key).filter(|found| !found.is_null()) else {
                continue;
            };
            let Some(text) = found.as_text() else {
                let why = format!("`{key}` of a subject is no text");
                return Err(FieldMismatch::at(found, why));
            };
            if text == wanted {
                if subject.get("namespace").is_none() {
                    subject.set("namespace", Field::text("", origin.clone()));
                }
                if let Some(namespace) = subject.get_mut("namespace") {
                    self.set(namespace, origin)?;
                }
            }
        }
        Ok(())
    }
}

fn is_role_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}

#[cfg(test)]
mod tests {
    use super::set_namespace;
    use crate::transform::sample::SampleBuild;

    fn object(version: &str, kind: &str, rest: &str) -> String {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: a\n{rest}---\n")
    }

    #[test]
    fn objects_get_the_namespace_if_they_can_have_one() {
        let objects = [
            object("v1", "ConfigMap", "  namespace: old\n"),
            object("v1", "PersistentVolume", ""),
            object("cert-manager.io/v1", "ClusterIssuer", ""),
            object("v1", "Namespace", ""),
            object("example.com/v1", "Namespace", ""),
        ];
        let build = SampleBuild::of(&objects.concat()).run(set_namespace, "new");
        assert_eq!(build.messages(), [""; 0]);
        let namespace = |at| build.text(at, "metadata/namespace");
        let namespaces: Vec<_> = (0..5).map(namespace).collect();
        assert_eq!(
            namespaces,
            [Some("new"), None, Some("new"), None, Some("new")]
        );
        assert_eq!(build.text(3, "metadata/name"), Some("new"));
        assert_eq!(build.text(4, "metadata/name"), Some("a"));
        assert_eq!(
            build.places(0, "metadata/namespace"),
            ["kustomization.yaml:1"]
        );
        assert_eq!(build.resources.list[0].former[0].namespace, "old");
    }

    #[test]
    fn only_default_subjects_get_the_namespace() {
        let subjects =
            "subjects: [{name: default}, {name: default, namespace: old}, {name: other}, null]\n";
        let binding = object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            subjects,
        );
        let build = SampleBuild::of(&binding).run(set_namespace, "new");
        assert_eq!(build.messages(), [""; 0]);
        assert_eq!(build.text(0, "metadata/namespace"), None);
        assert_eq!(build.text(0, "subjects/0/namespace"), Some("new"));
        assert_eq!(build.text(0, "subjects/1/namespace"), Some("new"));
        assert_eq!(build.text(0, "subjects/2/namespace"), None);
    }

    #[test]
    fn services_of_apis_and_conversions_get_the_namespace() {
        let objects = [
            object("apiregistration.k8s.io/v1", "APIService", ""),
            object(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                "spec: {conversion: {webhook: {clientConfig: {service: {namespace: old}}}}}\n",
            ),
        ];
        let build = SampleBuild::of(&objects.concat()).run(set_namespace, "new");
        let service = "spec/conversion/webhook/clientConfig/service/namespace";
        assert_eq!(build.text(0, "spec/service/namespace"), Some("new"));
        assert_eq!(build.text(1, service), Some("new"));
    }

    #[test]
    fn objects_that_become_the_same_are_a_problem() {
        let objects = [
            object("v1", "ConfigMap", "  namespace: one\n"),
            object("v1", "ConfigMap", "  namespace: two\n"),
        ];
        let build = SampleBuild::of(&objects.concat()).run(set_namespace, "new");
        assert_eq!(build.messages(), ["`ConfigMap/new/a` is defined twice"]);
    }

    #[test]
    fn subjects_that_are_no_list_are_a_problem() {
        let binding = object(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "subjects: {name: default}\n",
        );
        let build = SampleBuild::of(&binding).run(set_namespace, "new");
        assert_eq!(
            build.messages(),
            [
                "the field path `subjects/namespace` does not fit RoleBinding `a`: `subjects` is no list"
            ]
        );
    }
}
