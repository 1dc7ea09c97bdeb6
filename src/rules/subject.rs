//! What a judgement is about.

use super::Facts;
use crate::charts::Release;
use crate::flux::AppliedObject;
use crate::flux::builds::Member;
use crate::source::Place;
use crate::workload::Workload;
use crate::workload::budget::DisruptionBudget;

/// One thing that a rule looks at, and the names by which a project may exempt it.
#[derive(Clone, Debug)]
pub(super) struct JudgedSubject {
    /// How messages name it.
    pub(super) label: String,
    /// Namespace and name: its own, and those of what makes it.
    pub(super) names: Vec<(String, String)>,
    /// The line that it is about.
    pub(super) place: Option<Place>,
}

impl JudgedSubject {
    /// Takes an applied object.
    pub(super) fn member(member: &Member<'_>) -> Self {
        Self {
            label: member.label(),
            names: vec![names_of(member)],
            place: Some(member.name_place()),
        }
    }

    /// Takes a workload, which may also be exempt by the name of what makes it.
    pub(super) fn workload(workload: &Workload<'_>) -> Self {
        Self {
            label: workload.label(),
            names: vec![
                (workload.namespace.clone(), workload.name.clone()),
                names_of(workload.member),
            ],
            place: Some(workload.member.name_place()),
        }
    }

    /// Takes a release, which may also be exempt by the name that Helm gives it.
    pub(super) fn release(release: &Release<'_>) -> Self {
        Self {
            label: release.label(),
            names: vec![
                (release.namespace.clone(), release.name.clone()),
                names_of(release.member),
            ],
            place: Some(release.member.name_place()),
        }
    }

    /// Takes an object as Flux hands it to the API server.
    pub(super) fn applied(object: &AppliedObject, place: Option<Place>) -> Self {
        let key = object.key();
        Self {
            label: super::facts::object_label(object),
            names: vec![(key.namespace, key.name)],
            place,
        }
    }

    /// Takes a budget, which may also be exempt by the name of the release that has it among its values.
    pub(super) fn budget(facts: &Facts<'_>, budget: &DisruptionBudget) -> Self {
        let (label, mut names) = facts.subjects_at(&budget.place);
        let own = (budget.namespace.clone(), budget.name.clone());
        if !budget.name.is_empty() && !names.contains(&own) {
            names.push(own);
        }
        Self {
            label,
            names,
            place: Some(budget.place.clone()),
        }
    }

    /// Takes something that is no object.
    pub(super) fn named(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            names: Vec::new(),
            place: None,
        }
    }

    /// Says which line it is about.
    #[must_use]
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

fn names_of(member: &Member<'_>) -> (String, String) {
    (member.namespace_name().to_owned(), member.name.clone())
}
