//! What transformers know of kinds: the field specs that are built in, and those that a kustomization adds.

mod custom_type;
mod defaults;
mod read;

pub(crate) use read::read_field_specs;

use std::sync::{Arc, OnceLock};

use super::field_spec::{FieldSpec, KindSelector};
use super::place::Place;
use super::problem::Findings;

/// The field specs of all transformers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransformerConfig {
    /// For `namePrefix`.
    pub(crate) name_prefix: Vec<FieldSpec>,
    /// For `nameSuffix`.
    pub(crate) name_suffix: Vec<FieldSpec>,
    /// For `namespace`, besides `metadata.namespace` and the subjects of role bindings.
    pub(crate) namespace: Vec<FieldSpec>,
    /// For `commonLabels`, and `labels` with `includeSelectors`.
    pub(crate) common_labels: Vec<FieldSpec>,
    /// For all `labels`; none is built in.
    pub(crate) labels: Vec<FieldSpec>,
    /// For `labels` with `includeTemplates`.
    pub(crate) template_labels: Vec<FieldSpec>,
    /// For `labels` with `includeVolumeClaimTemplates`.
    pub(crate) volume_claim_template_labels: Vec<FieldSpec>,
    /// For `commonAnnotations`.
    pub(crate) common_annotations: Vec<FieldSpec>,
    /// Which fields name which objects.
    pub(crate) name_references: Vec<NameReferences>,
    /// For `vars`.
    pub(crate) var_references: Vec<FieldSpec>,
    /// For `images`.
    pub(crate) images: Vec<FieldSpec>,
    /// For `replicas`.
    pub(crate) replicas: Vec<FieldSpec>,
}

/// The fields that hold names of objects of some kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameReferences {
    /// The kinds of the objects that are named.
    pub(crate) target: KindSelector,
    /// The fields that name them.
    pub(crate) referrers: Vec<FieldSpec>,
}

impl Default for TransformerConfig {
    /// Returns the field specs that kustomize has built in.
    fn default() -> Self {
        let mut config = Self::empty();
        defaults::fill(&mut config);
        config.sort();
        config
    }
}

impl TransformerConfig {
    /// Returns a config without field specs.
    pub(crate) fn empty() -> Self {
        Self {
            name_prefix: Vec::new(),
            name_suffix: Vec::new(),
            namespace: Vec::new(),
            common_labels: Vec::new(),
            labels: Vec::new(),
            template_labels: Vec::new(),
            volume_claim_template_labels: Vec::new(),
            common_annotations: Vec::new(),
            name_references: Vec::new(),
            var_references: Vec::new(),
            images: Vec::new(),
            replicas: Vec::new(),
        }
    }

    /// Returns what a kustomization without field specs of its own goes by: those that are built in, and of two for the
    /// same field the one that comes first.
    ///
    /// It is made once: sorting it takes longer than most builds. Nothing of it is at `place`.
    pub(crate) fn built_in(place: &Place) -> Arc<Self> {
        static BUILT_IN: OnceLock<Arc<TransformerConfig>> = OnceLock::new();
        let config = BUILT_IN.get_or_init(|| {
            let mut config = Self::empty();
            config.merge(&Self::default(), place, &mut Findings::default());
            Arc::new(config)
        });
        Arc::clone(config)
    }

    /// Adds the field specs of another config; those that are there already are left out.
    ///
    /// Two that do not agree whether a field is created are a problem, at `place` where neither has one.
    pub(crate) fn merge(&mut self, other: &Self, place: &Place, findings: &mut Findings) {
        for (list, added) in self.lists().into_iter().zip(other.clone().lists()) {
            FieldSpec::merge(list, added, place, findings);
        }
        for references in &other.name_references {
            self.add_name_references(references, place, findings);
        }
        self.sort();
    }

    /// Adds fields that name objects of some kinds.
    pub(crate) fn add_name_references(
        &mut self,
        added: &NameReferences,
        place: &Place,
        findings: &mut Findings,
    ) {
        let mut known = self.name_references.iter_mut();
        match known.find(|known| known.target == added.target) {
            Some(known) => {
                FieldSpec::merge(&mut known.referrers, &added.referrers, place, findings);
            }
            None => self.name_references.push(added.clone()),
        }
    }

    fn lists(&mut self) -> [&mut Vec<FieldSpec>; 11] {
        [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.volume_claim_template_labels,
            &mut self.common_annotations,
            &mut self.var_references,
            &mut self.images,
            &mut self.replicas,
        ]
    }

    /// Puts the field specs in the order in which kustomize tries them.
    ///
    /// A field that may name objects of two kinds gets the name of the kind that comes first.
    fn sort(&mut self) {
        for list in self.lists() {
            list.sort_by_key(|spec| spec.selector.order());
        }
        self.name_references
            .sort_by_key(|references| references.target.order());
    }
}

/// The kinds that come before all others, in this order.
const FIRST_KINDS: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// The kinds that come after all others, in this order.
const LAST_KINDS: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

impl KindSelector {
    /// Returns what kustomize sorts by: kinds that others need come first, an empty part comes after all texts.
    fn order(&self) -> (usize, String) {
        let position = |kinds: &[&str]| kinds.iter().position(|kind| *kind == self.kind);
        let middle = FIRST_KINDS.len();
        let rank = match (position(FIRST_KINDS), position(LAST_KINDS)) {
            (Some(first), _) => first,
            (None, Some(last)) => middle + 1 + last,
            (None, None) => middle,
        };
        let part = |text: &str, empty: &str| match text {
            "" => empty.to_owned(),
            text => text.to_owned(),
        };
        let key = format!(
            "{}_{}_{}",
            part(&self.group, "~G"),
            part(&self.version, "~V"),
            part(&self.kind, "~K")
        );
        (rank, key)
    }
}
