//! How a rule looks at things, and hands in its answers.

use super::judgement::{Judgement, RuleOutcome, Verdict};
use super::subject::JudgedSubject;
use super::{Facts, Rule};
use crate::charts::Release;
use crate::charts::profile::Match;
use crate::diagnostic::Diagnostic;
use crate::flux::builds::Member;
use crate::source::Place;
use crate::workload::{Home, PodField, Workload, WorkloadContainer};

/// A rule at work.
pub(super) struct Judge<'f, 't> {
    pub(super) facts: &'f Facts<'t>,
    rule: &'static Rule,
    judgements: Vec<Judgement>,
}

impl<'f, 't> Judge<'f, 't> {
    pub(super) fn new(facts: &'f Facts<'t>, rule: &'static Rule) -> Self {
        Self {
            facts,
            rule,
            judgements: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> RuleOutcome {
        RuleOutcome {
            rule: self.rule,
            judgements: self.judgements,
        }
    }

    /// Returns an error by the code of the rule.
    pub(super) fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.rule.meaning, message)
    }

    /// Returns a warning by the code of the rule.
    pub(super) fn warning(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(&self.rule.meaning, message)
    }

    /// Asks a field of the containers that run on, of all deployed workloads that are picked.
    ///
    /// `None` as an answer means that the question does not arise. Releases of unknown charts are
    /// asked as if they had one container.
    pub(super) fn containers(
        &mut self,
        key: &'static str,
        pick: fn(&Workload<'t>) -> bool,
        judge: impl Fn(&Workload<'_>, WorkloadContainer<'_>) -> Option<Verdict>,
    ) {
        for workload in self.facts.lasting().filter(|one| pick(one)) {
            for container in workload.containers().filter(|one| !one.init) {
                let answer = judge(workload, container);
                let Some(verdict) = answer.map(|verdict| doubted(workload, verdict)) else {
                    continue;
                };
                let field = PodField::of(container.name, key);
                let verdict = self.explained(workload, &field, verdict);
                let mut subject = JudgedSubject::workload(workload).at(workload.place(&field));
                subject.label = format!("{}, container `{}`", subject.label, container.name);
                self.add(subject, verdict);
            }
        }
        self.unknown_charts();
    }

    /// Asks a field of the pods of all deployed workloads that are picked.
    pub(super) fn workloads(
        &mut self,
        key: &'static str,
        pick: fn(&Workload<'t>) -> bool,
        judge: impl Fn(&Facts<'t>, &'t Workload<'t>) -> Option<Verdict>,
    ) {
        let facts = self.facts;
        for workload in facts.lasting().filter(|one| pick(one)) {
            self.workload(key, workload, judge(facts, workload));
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
            let field = PodField::Pod(key);
            let verdict = self.explained(workload, &field, verdict);
            self.add(
                JudgedSubject::workload(workload).at(workload.place(&field)),
                verdict,
            );
        }
    }

    /// Asks the workloads that are written as manifests of some kind; charts do not tell.
    pub(super) fn manifests(
        &mut self,
        kind: &str,
        route: &str,
        judge: impl Fn(&Facts<'t>, &'t Member<'t>, &Workload<'t>) -> Option<Verdict>,
    ) {
        let facts = self.facts;
        for workload in facts.lasting() {
            let written = matches!(workload.home, Home::Manifest(_));
            if !written || (!kind.is_empty() && workload.kind != kind) {
                continue;
            }
            let object = workload.member;
            if let Some(verdict) = judge(facts, object, workload) {
                let place = object.value_place(route);
                self.add(JudgedSubject::workload(workload).at(place), verdict);
            }
        }
    }

    /// Asks the objects of a group and kind.
    pub(super) fn objects(
        &mut self,
        group: &str,
        kind: &str,
        route: &str,
        judge: impl Fn(&Facts<'t>, &'t Member<'t>) -> Option<Verdict>,
    ) {
        let facts = self.facts;
        for member in facts.objects(group, kind) {
            if let Some(verdict) = judge(facts, member) {
                self.object(member, verdict, member.value_place(route));
            }
        }
    }

    /// Takes the answer for one object.
    pub(super) fn object(&mut self, member: &Member<'_>, verdict: Verdict, place: Place) {
        self.add(JudgedSubject::member(member).at(place), verdict);
    }

    /// Takes an answer.
    pub(super) fn add(&mut self, subject: JudgedSubject, verdict: Verdict) {
        self.take(subject, verdict, Vec::new());
    }

    /// Takes a subject that is as it should be, unless something was found.
    pub(super) fn found(&mut self, subject: JudgedSubject, findings: Vec<Diagnostic>) {
        let verdict = findings.first().map_or(Verdict::Pass, |finding| {
            Verdict::Fail(finding.message.clone())
        });
        self.take(subject, verdict, findings);
    }

    /// Takes a subject of which something is not seen, and what `check` says of that.
    pub(super) fn unseen(
        &mut self,
        subject: JudgedSubject,
        why: impl Into<String>,
        finding: Option<Diagnostic>,
    ) {
        self.take(
            subject,
            Verdict::Unknown(why.into()),
            finding.into_iter().collect(),
        );
    }

    /// Takes a finding about whatever stands at its place.
    pub(super) fn report(&mut self, finding: Diagnostic) {
        let place = finding.primary.as_ref().map(|label| label.place.clone());
        let (label, names) = match &place {
            Some(place) => self.facts.subjects_at(place),
            None => (String::new(), Vec::new()),
        };
        let subject = JudgedSubject {
            label,
            names,
            place,
        };
        self.take(
            subject,
            Verdict::Fail(finding.message.clone()),
            vec![finding],
        );
    }

    /// Takes an answer; an exemption of the project comes before one that is no pass.
    fn take(&mut self, subject: JudgedSubject, verdict: Verdict, findings: Vec<Diagnostic>) {
        let facts = self.facts;
        let passes = matches!(verdict, Verdict::Pass | Verdict::Exempt(_));
        let codes = [
            Some(self.rule.meaning.code),
            self.rule.remedy.map(|remedy| remedy.meaning.code),
        ];
        let path = subject
            .place
            .as_ref()
            .map_or("", |place| &place.source.path);
        let exempt = (!passes)
            .then(|| {
                let exemptions = facts.measures.exemptions;
                let codes = codes.into_iter().flatten();
                exemptions.covering(codes, &subject.names, path)
            })
            .flatten();
        let template = subject.place.as_ref();
        self.judgements.push(Judgement {
            verdict: match exempt {
                Some(exemption) => Verdict::Exempt(exemption.reason.clone()),
                None => verdict,
            },
            template: template.and_then(|place| facts.template(place)),
            subject: subject.label,
            place: subject.place,
            unknown_chart: false,
            findings,
        });
    }

    /// Adds to a failure why hardening did not help.
    fn explained(&self, workload: &Workload<'_>, field: &PodField, verdict: Verdict) -> Verdict {
        let (Verdict::Fail(reason), Some(remedy)) = (&verdict, self.rule.remedy) else {
            return verdict;
        };
        let mut gaps = self.facts.measures.gaps.iter();
        let gap = gaps.find(|gap| {
            gap.rule == remedy.meaning.code
                && gap.object == workload.label()
                && gap.route == field.to_string()
        });
        match gap {
            Some(gap) if gap.reason != *reason => {
                Verdict::Fail(format!("{reason}: {}", gap.reason))
            }
            _ => verdict,
        }
    }

    fn unknown_charts(&mut self) {
        let facts = self.facts;
        for release in facts.unknown_releases() {
            let verdict = Verdict::Unknown(why_unknown(release));
            self.add(JudgedSubject::release(release), verdict);
            if let Some(judgement) = self.judgements.last_mut() {
                judgement.unknown_chart = true;
            }
        }
    }
}

fn why_unknown(release: &Release<'_>) -> String {
    match (&release.chart, release.known) {
        (None, _) => "nothing in the tree says where its chart comes from".to_owned(),
        (Some(_), Match::OtherVersion(_)) => {
            "the profile of its chart is of other versions".to_owned()
        }
        (Some(chart), _) => format!("no profile knows its chart `{chart}`"),
    }
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
