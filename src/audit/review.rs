//! What a check sees, and how it hands in its answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Check, Item, Measures, Outcome, Verdict};
use crate::flux::builds::{Builds, Member};
use crate::source::Place;
use crate::tree::File;
use crate::tree::object::Object;
use crate::workload::budget::Budget;
use crate::workload::profile::Match;
use crate::workload::{Container, Field, Home, Release, Workload};
use crate::yaml::Node;

/// A tree under audit.
pub(super) struct Subject<'t> {
    pub(super) files: Vec<&'t File>,
    pub(super) builds: &'t Builds<'t>,
    pub(super) releases: &'t [Release<'t>],
    pub(super) workloads: &'t [Workload<'t>],
    /// The budgets that somebody wrote.
    pub(super) budgets: Vec<Budget>,
    pub(super) measures: Measures<'t>,
}

impl<'t> Subject<'t> {
    /// Lists the workloads that Flux deploys and that stay: no hooks.
    pub(super) fn deployed(&self) -> impl Iterator<Item = &'t Workload<'t>> {
        let workloads = self.workloads.iter();
        workloads.filter(|workload| !workload.hook && workload.is_deployed(self.builds))
    }

    /// Lists the releases whose chart nobody knows.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &'t Release<'t>> {
        self.releases
            .iter()
            .filter(|release| release.profile().is_none())
    }

    /// Lists the objects of a group and kind, each once even if several builds take it in.
    pub(super) fn objects(&self, group: &str, kind: &str) -> Vec<&'t Member<'t>> {
        let mut seen = BTreeSet::new();
        self.all()
            .filter(|member| member.object.is(group, kind))
            .filter(|member| {
                let object = member.object;
                seen.insert((object.spot(), member.namespace_name(), &member.name))
            })
            .collect()
    }

    /// Lists all objects, again for every build that takes them in.
    pub(super) fn all(&self) -> impl Iterator<Item = &'t Member<'t>> {
        self.builds.members.iter()
    }

    /// Returns whether some Flux Kustomization has a patch of a kind, by its text.
    pub(super) fn is_patched(&self, by: impl Fn(&str) -> bool) -> bool {
        let all = self.objects("kustomize.toolkit.fluxcd.io", "Kustomization");
        all.iter().any(|member| {
            let patches = member.object.find("spec.patches").and_then(Node::items);
            let mut texts = patches
                .into_iter()
                .flatten()
                .filter_map(|patch| patch.find_text("patch"));
            texts.any(&by)
        })
    }

    /// Returns whether some chart in a namespace may make objects that nobody knows of.
    pub(super) fn has_release(&self, namespace: &str) -> bool {
        self.releases
            .iter()
            .any(|release| release.namespace == namespace)
    }
}

/// One check at work.
pub(super) struct Review<'s, 't> {
    pub(super) subject: &'s Subject<'t>,
    check: &'static Check,
    items: Vec<Item>,
}

impl<'s, 't> Review<'s, 't> {
    pub(super) fn new(subject: &'s Subject<'t>, check: &'static Check) -> Self {
        Self {
            subject,
            check,
            items: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Outcome {
        Outcome {
            check: self.check,
            items: self.items,
        }
    }

    /// Asks a field of the containers that run on, of all deployed workloads that are picked.
    ///
    /// `None` as an answer means that the question does not arise. Releases of unknown charts are
    /// asked as if they had one container.
    pub(super) fn containers(
        &mut self,
        key: &'static str,
        pick: fn(&Workload<'t>) -> bool,
        judge: impl Fn(&Workload<'_>, Container<'_>) -> Option<Verdict>,
    ) {
        for workload in self.subject.deployed().filter(|one| pick(one)) {
            for container in workload.containers().filter(|one| !one.init) {
                let answer = judge(workload, container);
                let Some(verdict) = answer.map(|verdict| doubted(workload, verdict)) else {
                    continue;
                };
                let subject = format!("{}, container `{}`", workload.label(), container.name);
                let field = Field::of(container.name, key);
                let verdict = self.explained(workload, &field, verdict);
                let place = workload.place(&field);
                self.add(subject, &names(workload), verdict, place);
            }
        }
        self.unknown_charts();
    }

    /// Asks a field of the pods of all deployed workloads that are picked.
    pub(super) fn workloads(
        &mut self,
        key: &'static str,
        pick: fn(&Workload<'t>) -> bool,
        judge: impl Fn(&Subject<'t>, &'t Workload<'t>) -> Option<Verdict>,
    ) {
        let subject = self.subject;
        for workload in subject.deployed().filter(|one| pick(one)) {
            self.workload(key, workload, judge(subject, workload));
        }
        self.unknown_charts();
    }

    /// Takes the answer for one workload.
    pub(super) fn workload(
        &mut self,
        key: &'static str,
        workload: &Workload<'_>,
        answer: Option<Verdict>,
    ) {
        if let Some(verdict) = answer.map(|verdict| doubted(workload, verdict)) {
            let field = Field::Pod(key);
            let verdict = self.explained(workload, &field, verdict);
            let place = workload.place(&field);
            self.add(workload.label(), &names(workload), verdict, place);
        }
    }

    /// Asks the workloads that are written as manifests of some kind; charts do not tell.
    pub(super) fn manifests(
        &mut self,
        kind: &str,
        route: &str,
        judge: impl Fn(&Subject<'t>, Object<'t>, &Workload<'t>) -> Option<Verdict>,
    ) {
        let subject = self.subject;
        for workload in subject.deployed() {
            let written = matches!(workload.home, Home::Manifest(_));
            if !written || (!kind.is_empty() && workload.kind != kind) {
                continue;
            }
            let object = workload.member.object;
            if let Some(verdict) = judge(subject, object, workload) {
                let place = object.value_place(route);
                self.add(workload.label(), &names(workload), verdict, place);
            }
        }
    }

    /// Asks the objects of a group and kind.
    pub(super) fn objects(
        &mut self,
        group: &str,
        kind: &str,
        route: &str,
        judge: impl Fn(&Subject<'t>, &'t Member<'t>) -> Option<Verdict>,
    ) {
        let subject = self.subject;
        for member in subject.objects(group, kind) {
            if let Some(verdict) = judge(subject, member) {
                let place = member.object.value_place(route);
                self.object(member, verdict, place);
            }
        }
    }

    /// Takes the answer for one object.
    pub(super) fn object(&mut self, member: &Member<'_>, verdict: Verdict, place: Place) {
        let names = [(member.namespace_name().to_owned(), member.name.clone())];
        self.add(member.label(), &names, verdict, place);
    }

    /// Takes an answer; an exemption of the project comes before one that is a gap.
    pub(super) fn add(
        &mut self,
        subject: String,
        names: &[(String, String)],
        verdict: Verdict,
        place: Place,
    ) {
        let exempt = verdict.is_gap().then(|| self.exemption(names)).flatten();
        let file = self
            .subject
            .files
            .iter()
            .find(|file| Arc::ptr_eq(&file.source, &place.source));
        self.items.push(Item {
            subject,
            verdict: exempt.map_or(verdict, Verdict::Exempt),
            template: file.and_then(|file| file.template_place(place.span.start)),
            place,
            unknown_chart: false,
        });
    }

    /// Adds to a failure why hardening did not help.
    fn explained(&self, workload: &Workload<'_>, field: &Field, verdict: Verdict) -> Verdict {
        let Verdict::Fail(reason) = verdict else {
            return verdict;
        };
        let mut gaps = self.subject.measures.gaps.iter();
        let gap = gaps.find(|gap| {
            Some(gap.rule) == self.check.rule
                && gap.object == workload.label()
                && gap.route == field.to_string()
        });
        Verdict::Fail(match gap {
            Some(gap) => format!("{reason}: {}", gap.reason),
            None => reason,
        })
    }

    fn exemption(&self, names: &[(String, String)]) -> Option<String> {
        let mut all = self.subject.measures.exemptions.iter();
        all.find(|exemption| {
            (exemption.code == self.check.code || Some(&*exemption.code) == self.check.rule)
                && names
                    .iter()
                    .any(|(namespace, name)| exemption.covers(namespace, name))
        })
        .map(|exemption| exemption.reason.clone())
    }

    fn unknown_charts(&mut self) {
        let subject = self.subject;
        for release in subject.unknown() {
            let why = match (&release.chart, release.known) {
                (None, _) => "nothing in the tree says where its chart comes from".to_owned(),
                (Some(_), Match::OtherVersion(_)) => {
                    "the profile of its chart is of other versions".to_owned()
                }
                (Some(chart), _) => format!("no profile knows its chart `{chart}`"),
            };
            let object = release.member.object;
            let names = [
                (release.namespace.clone(), release.name.clone()),
                (
                    release.member.namespace_name().to_owned(),
                    release.member.name.clone(),
                ),
            ];
            let verdict = Verdict::Unknown(why);
            self.add(release.label(), &names, verdict, object.name_place());
            if let Some(item) = self.items.last_mut() {
                item.unknown_chart = true;
            }
        }
    }
}

/// The names by which a project may exempt a workload: its own, and that of what makes it.
fn names(workload: &Workload<'_>) -> [(String, String); 2] {
    let member = workload.member;
    [
        (workload.namespace.clone(), workload.name.clone()),
        (member.namespace_name().to_owned(), member.name.clone()),
    ]
}

/// Takes back an answer that values from elsewhere, or patches that are not followed, may change.
fn doubted(workload: &Workload<'_>, verdict: Verdict) -> Verdict {
    let (Some(release), false) = (workload.release(), workload.certain) else {
        return verdict;
    };
    if matches!(verdict, Verdict::Exempt(_)) {
        return verdict;
    }
    Verdict::Unknown(if release.values_from {
        "more of the release's values come from elsewhere".to_owned()
    } else {
        "a patch of the release is of a form that is not followed".to_owned()
    })
}
