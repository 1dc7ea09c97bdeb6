//! Pods of a namespace that nothing lists one by one: those of unknown charts and operators, and those of parts of the
//! cluster that are not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::{PodSecurityStanding, UnseenPods};
use crate::charts::profile::{CustomResourceKind, Match, OperandPlace, OperandPods};
use crate::charts::{Profiles, Release};
use crate::flux::builds::{Builds, Member};
use crate::flux::{HiddenPart, place_in};
use crate::pod_security::{Level, Version};
use crate::source::{Place, Source, Span};

const CHART: &str = "add a profile of the chart below `charts/`, or label the namespace yourself";
const KIND: &str = "say in `charts/custom-resources.yaml` what its operator makes of it, or label the namespace yourself";

/// Takes a release or a custom resource of whose pods nothing is known.
pub(super) fn of_member(member: &Member<'_>, hint: &str) -> PodSecurityStanding {
    PodSecurityStanding {
        label: member.label(),
        level: None,
        obstacles: Vec::new(),
        certain: false,
        place: member.name_place(),
        unseen: Some(UnseenPods {
            what: format!("`{}`", member.label()),
            hint: hint.to_owned(),
            root: None,
            is_anywhere: false,
        }),
    }
}

/// Takes a release of which the chart is not known.
pub(super) fn of_release(release: &Release<'_>) -> PodSecurityStanding {
    let hint = match release.known {
        Match::OtherVersion(_) => {
            "widen `versions` in a copy of the chart's profile below `charts/`, or label the namespace yourself"
        }
        _ => CHART,
    };
    of_member(release.member, hint)
}

/// Takes a custom resource of an operator of which is not known what it makes.
pub(super) fn of_operand(member: &Member<'_>) -> PodSecurityStanding {
    of_member(member, CHART)
}

/// What makes pods in some cluster and is not seen.
pub(super) struct UnseenMakers<'s, 't> {
    pub(super) builds: &'s Builds<'t>,
    pub(super) releases: &'s [Release<'t>],
    pub(super) profiles: &'s Profiles,
    pub(super) version: Version,
    pub(super) found: &'s mut BTreeMap<String, Vec<PodSecurityStanding>>,
}

impl<'t> UnseenMakers<'_, 't> {
    /// Adds what stands for custom resources.
    pub(super) fn add_custom_resources(&mut self) {
        let builds = self.builds;
        let mut kinds: BTreeMap<(&str, &str), Vec<&Member<'t>>> = BTreeMap::new();
        for member in &builds.members {
            if builds.takes_in(member) {
                let of_kind = kinds.entry((member.group(), member.kind())).or_default();
                of_kind.push(member);
            }
        }
        let predicted = self.predicted();
        for ((group, kind), members) in kinds {
            if !predicted.contains(&(group, kind)) {
                self.add_kind(group, kind, &members);
            }
        }
    }

    /// Lists the kinds of which the profile of a release says what comes of them.
    fn predicted(&self) -> BTreeSet<(&'t str, &'t str)> {
        let here = self.releases.iter().filter(|release| !release.elsewhere);
        let profiles = here.filter_map(Release::profile);
        profiles
            .flat_map(|profile| &profile.operands)
            .map(|operand| (operand.group.as_str(), operand.kind.as_str()))
            .collect()
    }

    fn add_kind(&mut self, group: &str, kind: &str, members: &[&Member<'t>]) {
        let profiles = self.profiles;
        let known: Vec<&CustomResourceKind> = profiles.custom_resources(group, kind).collect();
        let mut unseen: BTreeMap<(Option<usize>, String), Vec<&Member<'t>>> = BTreeMap::new();
        for member in members {
            let entry = known
                .iter()
                .copied()
                .find(|one| one.holds_for(&member.field));
            if entry.is_some_and(|entry| matches!(entry.pods, OperandPods::Nothing)) {
                continue;
            }
            let level = entry.and_then(|entry| entry.level_of(member, self.version));
            let place = entry.map_or(&OperandPlace::Beside, |entry| &entry.place);
            for namespace in self.namespaces_of(member, place) {
                if let Some(level) = level {
                    self.add(namespace, predicted_level(member, level));
                } else {
                    let key = (member.root, namespace);
                    unseen.entry(key).or_default().push(member);
                }
            }
        }
        for ((root, namespace), members) in unseen {
            let Some(first) = members.first() else {
                continue;
            };
            let mut standing = of_member(first, KIND);
            if let Some(pods) = &mut standing.unseen {
                pods.root = root;
                pods.is_anywhere = namespace != first.namespace_name();
                if members.len() > 1 {
                    pods.what = format!("{} resources of kind `{kind}`", members.len());
                }
            }
            self.add(namespace, standing);
        }
    }

    /// Lists where the pods of a custom resource run.
    fn namespaces_of(&self, member: &Member<'t>, place: &OperandPlace) -> Vec<String> {
        if let OperandPlace::BesideOperator(charts) = place {
            let operators = self.releases.iter().filter(|release| {
                let chart = release.chart.as_deref().unwrap_or_default();
                let name = chart.rsplit('/').next().unwrap_or_default();
                charts.iter().any(|known| known == name)
            });
            let beside = operators.map(|release| release.namespace.clone());
            let beside: BTreeSet<String> = beside.collect();
            if !beside.is_empty() {
                return beside.into_iter().collect();
            }
        }
        match (place, &member.namespace) {
            (OperandPlace::In(namespaces), _) => namespaces.clone(),
            (OperandPlace::Beside | OperandPlace::BesideOperator(_), Some(namespace)) => {
                vec![namespace.name.clone()]
            }
            // The operator of a resource of the whole cluster may make pods anywhere in it.
            _ => self.all_namespaces(),
        }
    }

    fn all_namespaces(&self) -> Vec<String> {
        let namespaces = self.builds.of_kind("", "Namespace");
        let names: BTreeSet<String> = namespaces.map(|one| one.name.clone()).collect();
        names.into_iter().collect()
    }

    /// Adds what stands for parts of the cluster that are not seen.
    pub(super) fn add_hidden_parts(&mut self) {
        for part in self.builds.hidden_parts() {
            let namespaces = match &part.namespace {
                Some(namespace) => vec![namespace.clone()],
                None => self.all_namespaces(),
            };
            for namespace in namespaces {
                let standing = self.of_part(&part);
                self.add(namespace, standing);
            }
        }
    }

    fn of_part(&self, part: &HiddenPart) -> PodSecurityStanding {
        let place = part.place.as_ref();
        let place = place.and_then(|place| place_in(&[self.builds.files], place));
        let nowhere = || Place::new(&Source::new(part.what.as_str(), ""), Span::new(0, 0));
        PodSecurityStanding {
            label: part.what.clone(),
            level: None,
            obstacles: Vec::new(),
            certain: false,
            place: place.unwrap_or_else(nowhere),
            unseen: Some(UnseenPods {
                what: part.what.clone(),
                hint: match part.remedy.as_str() {
                    "" => format!("{}; label the namespace yourself", part.why),
                    remedy => remedy.to_owned(),
                },
                root: part.root,
                is_anywhere: part.namespace.is_none(),
            }),
        }
    }

    /// Adds a standing, once where several builds take the same thing in.
    fn add(&mut self, namespace: String, standing: PodSecurityStanding) {
        let inside = self.found.entry(namespace).or_default();
        let what = |one: &PodSecurityStanding| {
            one.unseen
                .as_ref()
                .map(|pods| (pods.what.clone(), pods.root))
        };
        if inside
            .iter()
            .all(|known| known.level != standing.level || what(known) != what(&standing))
        {
            inside.push(standing);
        }
    }
}

/// Takes a custom resource whose pods satisfy a level.
fn predicted_level(member: &Member<'_>, level: Level) -> PodSecurityStanding {
    let told = format!("its operator makes pods that are `{level}`");
    PodSecurityStanding {
        level: Some(level),
        obstacles: vec![(told, member.name_place())],
        ..of_member(member, KIND)
    }
}
