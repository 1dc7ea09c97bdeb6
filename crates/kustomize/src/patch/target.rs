//! Which objects a patch or a replacement is for.

use super::super::field::Field;
use super::super::go_expression::WholeExpression;
use super::super::problem::{Findings, Problem, ProblemKind};
use super::super::resource::{Resource, ResourceId};
use super::super::scope::is_cluster_scoped;
use super::label_selector::LabelSelector;

/// The keys of a selector.
pub(crate) const SELECTOR_KEYS: [&str; 7] = [
    "group",
    "version",
    "kind",
    "name",
    "namespace",
    "labelSelector",
    "annotationSelector",
];

/// Where kustomize says an object lives that has no namespace at all.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// A selector: each part that is given has to match as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetSelector {
    group: Option<WholeExpression>,
    version: Option<WholeExpression>,
    kind: Option<WholeExpression>,
    name: Option<WholeExpression>,
    namespace: Option<WholeExpression>,
    labels: LabelSelector,
    annotations: LabelSelector,
    has_label_conditions: bool,
}

impl TargetSelector {
    /// Reads a selector; its keys are known to be right.
    pub(crate) fn read(field: &Field, findings: &mut Findings) -> Option<Self> {
        let problems = findings.problems.len();
        let mut pattern = |key: &str| read_pattern(field.get(key)?, findings);
        let (group, version, kind) = (pattern("group"), pattern("version"), pattern("kind"));
        let (name, namespace) = (pattern("name"), pattern("namespace"));
        let mut labels = |key: &str| match field.get(key) {
            Some(text) => read_labels(text, findings),
            None => LabelSelector::default(),
        };
        let (labels, annotations) = (labels("labelSelector"), labels("annotationSelector"));
        let has_label_conditions =
            labels != LabelSelector::default() || annotations != LabelSelector::default();
        let selector = Self {
            group,
            version,
            kind,
            name,
            namespace,
            labels,
            annotations,
            has_label_conditions,
        };
        (findings.problems.len() == problems).then_some(selector)
    }

    /// Returns whether a patch with this target is for an object: by its original or current name and namespace.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        let first = resource.former.first();
        let name = resource.name();
        let former_name = first.map_or(name, |id| id.name.as_str());
        let namespace = effective_namespace(resource);
        let former_namespace = first.map_or(namespace, |id| former_namespace(resource, id));
        (matches(self.namespace.as_ref(), former_namespace)
            || matches(self.namespace.as_ref(), namespace))
            && (matches(self.name.as_ref(), former_name) || matches(self.name.as_ref(), name))
            && self.matches_kind(resource, resource.kind())
            && self.matches_labels(resource)
    }

    /// Returns whether one of an object's ids matches: the current one and all former ones.
    pub(crate) fn matches_any_id(&self, resource: &Resource) -> bool {
        let is_match = |kind: &str, name: &str, namespace: &str| {
            self.matches_kind(resource, kind)
                && matches(self.name.as_ref(), name)
                && matches(self.namespace.as_ref(), namespace)
        };
        is_match(resource.kind(), resource.name(), resource.namespace())
            || resource
                .former
                .iter()
                .any(|id| is_match(&id.kind, &id.name, &id.namespace))
    }

    /// Returns whether it asks for anything but labels and annotations.
    pub(crate) fn has_id(&self) -> bool {
        let parts = [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ];
        parts.into_iter().any(Option::is_some)
    }

    /// Returns whether it asks for labels or annotations.
    pub(crate) fn has_label_conditions(&self) -> bool {
        self.has_label_conditions
    }

    /// Returns whether labels and annotations match.
    pub(crate) fn matches_labels(&self, resource: &Resource) -> bool {
        let value_of = |map: &'static str| {
            move |key: &str| {
                let value = resource.root.find(&["metadata", map, key])?;
                Some(value.as_scalar().map_or("", |scalar| scalar.text.as_str()))
            }
        };
        self.labels.matches(value_of("labels")) && self.annotations.matches(value_of("annotations"))
    }

    fn matches_kind(&self, resource: &Resource, kind: &str) -> bool {
        matches(self.group.as_ref(), resource.group())
            && matches(self.version.as_ref(), resource.version())
            && matches(self.kind.as_ref(), kind)
    }
}

fn matches(pattern: Option<&WholeExpression>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}

fn read_pattern(field: &Field, findings: &mut Findings) -> Option<WholeExpression> {
    let text = field.as_text().filter(|text| !text.is_empty())?;
    let pattern = WholeExpression::compile(text);
    if pattern.is_none() {
        let message = format!("`{text}` is no regular expression that kustomize reads");
        let problem = Problem::new(ProblemKind::Malformed, message, field.place())
            .with_help("a target matches whole names: escape what is not meant as an expression");
        findings.refuse(problem);
    }
    pattern
}

fn read_labels(field: &Field, findings: &mut Findings) -> LabelSelector {
    match LabelSelector::parse(field.as_text().unwrap_or_default()) {
        Ok(selector) => selector,
        Err(error) => {
            let message = format!("the selector {error}");
            findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
            LabelSelector::default()
        }
    }
}

/// Returns the namespace by which kustomize compares an object.
pub(crate) fn effective_namespace(resource: &Resource) -> &str {
    if is_cluster_scoped(resource.group(), resource.version(), resource.kind()) {
        NO_NAMESPACE
    } else {
        default_namespace(resource.namespace())
    }
}

fn former_namespace<'i>(resource: &Resource, id: &'i ResourceId) -> &'i str {
    let is_cluster_scoped = is_cluster_scoped(resource.group(), resource.version(), &id.kind);
    if id.namespace.is_empty() && is_cluster_scoped {
        NO_NAMESPACE
    } else {
        default_namespace(&id.namespace)
    }
}

/// Returns the namespace that an empty one stands for.
pub(crate) fn default_namespace(namespace: &str) -> &str {
    if namespace.is_empty() {
        "default"
    } else {
        namespace
    }
}

/// Returns whether an object has, or had, the id that a patch names.
pub(super) fn is_named_by(resource: &Resource, patch: &Resource) -> bool {
    let (name, kind, namespace) = (patch.name(), patch.kind(), effective_namespace(patch));
    let same_version = resource.group() == patch.group() && resource.version() == patch.version();
    let is_now = || {
        resource.name() == name
            && resource.kind() == kind
            && effective_namespace(resource) == namespace
    };
    let was = |id: &ResourceId| {
        id.name == name && id.kind == kind && former_namespace(resource, id) == namespace
    };
    same_version && (is_now() || resource.former.iter().any(was))
}
