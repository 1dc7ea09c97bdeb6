//! Names in fields that follow the objects that they name.

mod index;
mod referrer;

use std::collections::BTreeMap;

use index::{NameIndex, Referral};
use referrer::Referrer;

use super::config::{NameReferences, TransformerConfig};
use super::field::{Field, FieldValue};
use super::field_spec::{
    CreatedField, CreatedKind, FieldMismatch, FieldSpec, KindSelector, original_kind,
    rewrite_scalar,
};
use super::place::Origin;
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::Resource;
use super::resources::Resources;

/// Gives the fields that name an object the name that the object has now.
///
/// A field names an object by a former name; what has no former name was never renamed, moved or hashed. A name that
/// may mean several objects with different names now is a problem.
pub(crate) fn fix_name_references(
    resources: &mut Resources,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let index = NameIndex::of(resources);
    let table = ReferenceTable::of(&config.name_references);
    for resource in &mut resources.list {
        fix_references_of(resource, &index, &table, findings);
    }
}

/// The field specs of references, by the kind that refers.
struct ReferenceTable<'c> {
    /// In the order of kustomize: target by target.
    all: Vec<(&'c KindSelector, &'c FieldSpec)>,
    by_kind: BTreeMap<&'c str, Vec<usize>>,
}

impl<'c> ReferenceTable<'c> {
    fn of(references: &'c [NameReferences]) -> Self {
        let pairs = references.iter().flat_map(|references| {
            let target = &references.target;
            references.referrers.iter().map(move |spec| (target, spec))
        });
        let all: Vec<_> = pairs.collect();
        let mut by_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, (_, spec)) in all.iter().enumerate() {
            by_kind.entry(&spec.selector.kind).or_default().push(at);
        }
        Self { all, by_kind }
    }

    /// Lists what an object may refer to.
    fn of_resource(&self, resource: &Resource) -> Vec<(&'c KindSelector, &'c FieldSpec)> {
        let of_kind = |kind: &str| self.by_kind.get(kind).into_iter().flatten().copied();
        let mut places: Vec<usize> = of_kind(original_kind(resource))
            .chain(of_kind(""))
            .collect();
        places.sort_unstable();
        places.dedup();
        places
            .into_iter()
            .filter_map(|at| self.all.get(at).copied())
            .filter(|(_, spec)| spec.selector.selects_original(resource))
            .collect()
    }
}

fn fix_references_of(
    resource: &mut Resource,
    index: &NameIndex,
    table: &ReferenceTable<'_>,
    findings: &mut Findings,
) {
    let specs = table.of_resource(resource);
    if specs.is_empty() {
        return;
    }
    let Some(referrer) = Referrer::of(resource, findings) else {
        return;
    };
    let origin = resource.root.origin.clone();
    let created = CreatedField {
        kind: CreatedKind::Nothing,
        origin: &origin,
    };
    for (target, spec) in specs {
        let mut ambiguous = Vec::new();
        let mut update = ReferenceUpdate {
            index,
            referrer: &referrer,
            target,
            role: referrer.role_for(&spec.path),
            ambiguous: &mut ambiguous,
        };
        let visited = spec.visit(&mut resource.root, created, &mut |field| {
            update.apply(field)
        });
        if let Err(mismatch) = visited {
            let cause = spec.place.as_ref();
            findings.refuse(mismatch.problem(&spec.path, resource, cause));
        }
        findings.problems.append(&mut ambiguous);
    }
}

/// Brings the fields of one path up to date.
struct ReferenceUpdate<'u> {
    index: &'u NameIndex,
    referrer: &'u Referrer,
    target: &'u KindSelector,
    role: Option<&'u KindSelector>,
    ambiguous: &'u mut Vec<Problem>,
}

impl ReferenceUpdate<'_> {
    /// Brings a field up to date: a name, a mapping with `name` and `namespace`, or a list of such.
    fn apply(&mut self, field: &mut Field) -> Result<(), FieldMismatch> {
        match &mut field.value {
            FieldValue::Scalar(_) | FieldValue::Mapping(_) => self.apply_to_item(field),
            FieldValue::Sequence(items) => {
                for item in items {
                    self.apply_to_item(item)?;
                }
                Ok(())
            }
        }
    }

    fn apply_to_item(&mut self, field: &mut Field) -> Result<(), FieldMismatch> {
        match &field.value {
            FieldValue::Scalar(_) if field.is_null() => Ok(()),
            FieldValue::Scalar(_) => {
                self.apply_to_name(field);
                Ok(())
            }
            FieldValue::Mapping(_) => self.apply_to_mapping(field),
            FieldValue::Sequence(_) => {
                let why = "there is a list where a name is expected";
                Err(FieldMismatch::at(field, why))
            }
        }
    }

    fn apply_to_name(&mut self, field: &mut Field) {
        if let Some(referral) = self.select(field, field, None) {
            follow_name(field, referral);
        }
    }

    fn apply_to_mapping(&mut self, mapping: &mut Field) -> Result<(), FieldMismatch> {
        let Some(name) = mapping.get("name") else {
            let why = "the mapping has no `name`";
            return Err(FieldMismatch::at(mapping, why));
        };
        let namespace = mapping.get("namespace");
        let Some(referral) = self.select(name, mapping, namespace) else {
            return Ok(());
        };
        if let Some(name) = mapping.get_mut("name") {
            follow_name(name, referral);
        }
        if let Some(current) = &referral.namespace {
            let text = current.as_text().unwrap_or_default();
            match mapping.get_mut("namespace") {
                Some(namespace) => follow(namespace, current),
                None => mapping.set("namespace", Field::text(text, current.origin.clone())),
            }
        }
        Ok(())
    }

    /// Returns the object that a name means; several that differ in what is taken from them are a problem.
    fn select(
        &mut self,
        name: &Field,
        field: &Field,
        namespace: Option<&Field>,
    ) -> Option<&Referral> {
        let old = name.as_scalar()?.text.as_str();
        let index = self.index;
        let scalar_text = |field: &Field| match field.as_scalar() {
            Some(scalar) => scalar.text.clone(),
            None => String::new(),
        };
        let is_mapping = field.entries().is_some();
        let namespace = namespace.map(scalar_text);
        let candidates = index.candidates(old, namespace.as_deref(), self.referrer);
        let mut fitting: Vec<&Referral> = candidates
            .into_iter()
            .filter(|referral| referral.was_of(self.target))
            .filter(|referral| self.role.is_none_or(|role| referral.was_of(role)))
            .collect();
        if fitting.len() > 1 {
            fitting.retain(|referral| self.referrer.shares_affixes(referral, true));
            if fitting.len() > 1 {
                fitting.retain(|referral| self.referrer.shares_affixes(referral, false));
            }
        }
        let first = *fitting.first()?;
        let same = |other: &&Referral| {
            first.name_text() == other.name_text()
                && (!is_mapping || first.namespace_text() == other.namespace_text())
        };
        if !fitting.iter().all(same) {
            self.refuse_ambiguous(name, &fitting);
            return None;
        }
        Some(first)
    }

    fn refuse_ambiguous(&mut self, name: &Field, fitting: &[&Referral]) {
        let ids: Vec<String> = fitting.iter().map(|referral| referral.id.shown()).collect();
        let text = name.as_text().unwrap_or_default();
        let message = format!("the name `{text}` may mean any of {}", ids.join(", "));
        let mut problem = Problem::new(ProblemKind::Ambiguous, message, name.place())
            .with_help("write the name that the object has in the end");
        if let Some(first) = fitting.first() {
            problem = problem.with_related(first.name.place());
        }
        self.ambiguous.push(problem);
    }
}

/// Gives a field the name of an object.
fn follow_name(field: &mut Field, referral: &Referral) {
    follow(field, &referral.name);
}

/// Gives a field the text of another one, which then has a part in it.
///
/// The field itself decides what it names, so that it keeps its place.
fn follow(field: &mut Field, current: &Field) {
    let text = current.as_text().unwrap_or_default();
    if field.as_scalar().is_some_and(|scalar| scalar.text == text) {
        return;
    }
    rewrite_scalar(field, text.to_owned());
    let shapes = current.origin.shaped_by().iter();
    let origin = field.origin.clone().and(current.place());
    field.origin = shapes.fold(origin, Origin::and);
}

#[cfg(test)]
mod tests {
    use crate::transform::sample::SampleBuild;
    use crate::transform::{add_prefix, add_suffix, set_namespace};

    const OBJECTS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: cm
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  volumes:
  - configMap:
      name: cm
  - configMap:
      name: other
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sa}
subjects:
- kind: ServiceAccount
  name: sa
";

    #[test]
    fn a_reference_follows_and_keeps_its_place() {
        let build = SampleBuild::of(OBJECTS)
            .run(add_prefix, "p-")
            .run(add_suffix, "-s")
            .fix_references();
        assert_eq!(build.messages(), [""; 0]);
        let path = "spec/volumes/0/configMap/name";
        assert_eq!(build.text(1, path), Some("p-cm-s"));
        assert_eq!(
            build.places(1, path),
            ["objects.yaml:12", "objects.yaml:4", "kustomization.yaml:1"]
        );
        let path = "spec/volumes/1/configMap/name";
        assert_eq!(build.text(1, path), Some("other"));
        assert_eq!(build.places(1, path), ["objects.yaml:14"]);
        assert_eq!(build.text(3, "roleRef/name"), Some("sa"));
    }

    #[test]
    fn a_subject_gets_name_and_namespace() {
        let build = SampleBuild::of(OBJECTS)
            .run(set_namespace, "new")
            .fix_references();
        assert_eq!(build.text(3, "subjects/0/namespace"), Some("new"));
        assert_eq!(
            build.places(3, "subjects/0/namespace"),
            ["kustomization.yaml:1"]
        );
    }

    #[test]
    fn a_subject_without_name_is_a_problem() {
        let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nsubjects:\n- kind: User\n";
        let build = SampleBuild::of(binding).fix_references();
        assert_eq!(
            build.messages(),
            ["the field path `subjects` does not fit RoleBinding `b`: the mapping has no `name`"]
        );
    }

    #[test]
    fn a_name_of_two_objects_is_a_problem() {
        let accounts = "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa, namespace: x}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa, namespace: y}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
subjects: [{kind: ServiceAccount, name: sa}]
";
        let build = SampleBuild::of(accounts)
            .run(add_prefix, "p-")
            .fix_references();
        assert_eq!(
            build.messages(),
            ["the name `sa` may mean any of `ServiceAccount/x/p-sa`, `ServiceAccount/y/p-sa`"]
        );
    }
}
