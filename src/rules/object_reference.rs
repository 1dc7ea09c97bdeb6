//! References from one object to another: whether what they name is there.

use kustomize::Field;

use super::absence::{Absence, AbsentObject};
use super::facts::is_substituted;
use super::judge::Judge;
use super::objects::{ClusterObjects, KnownParts, ObjectDoubt, ObjectId, doubt};
use super::subject::JudgedSubject;
use crate::charts::Release;
use crate::diagnostic::Diagnostic;
use crate::flux::{AppliedObject, UnseenPart, name_without_hash};

/// A reference from one object to another.
pub(super) struct ObjectReference<'a> {
    /// The object that it names.
    pub(super) id: ObjectId,
    /// Where the name is written.
    pub(super) written: &'a Field,
    /// The part of the object that it names.
    pub(super) part: Option<ReferredPart<'a>>,
    /// The object that it stands in.
    pub(super) owner: &'a AppliedObject,
    /// The release that it stands in, if it stands in values.
    pub(super) release: Option<&'a Release<'a>>,
    /// What the owner does with the object: `takes values from`.
    pub(super) verb: &'a str,
    /// Whether it is sure that the reference counts: a chart may not read a value.
    pub(super) counts: bool,
    /// Whether people make such an object by hand, so that it is not sure that it is not there.
    pub(super) by_hand: bool,
    /// Whether that is the usual way, so that nothing is said unless the name is a slip of another one.
    pub(super) is_bootstrapped: bool,
}

/// A part of an object that a reference names.
pub(super) struct ReferredPart<'a> {
    /// What such a part is called.
    pub(super) word: &'a str,
    /// Its name.
    pub(super) name: String,
    /// Where the name is written.
    pub(super) written: &'a Field,
}

impl ObjectReference<'_> {
    /// Judges it.
    pub(super) fn judge(&self, judge: &mut Judge<'_, '_>) {
        let facts = judge.facts;
        let subject = self.subject(judge);
        if self.is_hidden() {
            judge.unseen(subject, "the name is only known in the cluster", None);
            return;
        }
        let root = facts.root_of(self.owner);
        let cluster = facts.objects_of(root);
        if let Some(known) = cluster.find(&self.id) {
            let findings = self.missing_part(judge, &known.parts);
            judge.found(subject, findings.into_iter().collect());
            return;
        }
        let Self { id, .. } = self;
        let has_kind = cluster.of_kind(&id.group, &id.kind).next().is_some();
        if !(id.group.is_empty() || has_kind) {
            let why = format!("no {} is in the tree, so they are elsewhere", id.kind);
            judge.unseen(subject, why, None);
            return;
        }
        let doubt = doubt(facts, root, id, self.release);
        let silent = match &doubt {
            ObjectDoubt::Maker(who) => Some(who),
            ObjectDoubt::Namesake(who) => (!self.is_slip(cluster)).then_some(who),
            ObjectDoubt::Chart(who) => {
                let silent = id.kind == "IngressClass" && !self.is_slip(cluster);
                silent.then_some(who)
            }
            ObjectDoubt::Nobody => None,
        };
        if self.is_bootstrapped && !self.is_slip(cluster) {
            judge.unseen(subject, "people make it before Flux runs", None);
            return;
        }
        if let Some(who) = silent {
            judge.unseen(subject, format!("{who} may make `{id}`"), None);
            return;
        }
        let idle = self.written_elsewhere(judge);
        if let (Some(path), true) = (&idle, self.by_hand) {
            let why = format!("it is in `{path}`, which Flux does not apply, and people may");
            judge.unseen(subject, why, None);
            return;
        }
        let absent = AbsentObject {
            kind: &id.kind,
            key: id.key.clone(),
            root,
        };
        match absent.judge(facts) {
            Absence::Sure => self.hand_in(judge, subject, cluster, &doubt),
            Absence::External => judge.found(subject, Vec::new()),
            Absence::Refused => {
                judge.unseen(subject, "a build is refused that may have it", None);
            }
            Absence::Unseen(part) => self.hand_in_unseen(judge, subject, cluster, part),
        }
    }

    fn subject(&self, judge: &Judge<'_, '_>) -> JudgedSubject {
        let place = judge.facts.builds.place(self.written.place());
        let mut subject = JudgedSubject::applied(self.owner, place);
        subject.label = match &self.part {
            Some(part) => format!(
                "{}: {} `{}` of `{}`",
                subject.label, part.word, part.name, self.id
            ),
            None => format!("{}: `{}`", subject.label, self.id),
        };
        subject
    }

    fn is_hidden(&self) -> bool {
        let key = &self.id.key;
        let part = self.part.as_ref().map_or("", |part| &part.name);
        [key.name.as_str(), key.namespace.as_str(), part]
            .iter()
            .any(|text| is_substituted(text) || text.contains("{{"))
    }

    fn missing_part(&self, judge: &Judge<'_, '_>, known: &KnownParts) -> Option<Diagnostic> {
        let (Some(part), KnownParts::Listed(known)) = (&self.part, known) else {
            return None;
        };
        if known.contains(&part.name) {
            return None;
        }
        let message = format!(
            "`{}` {} the {} `{}` of `{}`, which has no such {}",
            super::facts::object_label(self.owner),
            self.verb,
            part.word,
            part.name,
            self.id,
            part.word
        );
        let finding = if self.counts {
            judge.error(message)
        } else {
            judge.warning(message)
        };
        let finding = judge.facts.at_field(finding, part.written);
        let names = known.iter().map(String::as_str);
        let suggested = finding.with_suggestion(&part.name, names.clone());
        if suggested.hints.is_empty() && known.len() <= SHOWN {
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            return Some(suggested.with_hint(format!("it has {}", names.join(", "))));
        }
        Some(suggested)
    }

    fn message(&self) -> String {
        format!(
            "`{}` {} `{}`, which nothing in the tree makes",
            super::facts::object_label(self.owner),
            self.verb,
            self.id
        )
    }

    /// Hands in what is nowhere in the tree.
    fn hand_in(
        &self,
        judge: &mut Judge<'_, '_>,
        subject: JudgedSubject,
        cluster: &ClusterObjects,
        doubt: &ObjectDoubt,
    ) {
        let (is_sure, why) = match doubt {
            ObjectDoubt::Chart(who) | ObjectDoubt::Namesake(who) | ObjectDoubt::Maker(who) => {
                (false, Some(format!("{who} may make it")))
            }
            ObjectDoubt::Nobody if self.by_hand && !self.is_slip(cluster) => {
                let how = "if it is made by hand, name it in `[flux] external` of kiln.toml";
                (false, Some(how.to_owned()))
            }
            ObjectDoubt::Nobody => (self.counts, None),
        };
        if is_sure {
            let finding = self.advised(judge, judge.error(self.message()), cluster);
            judge.found(subject, vec![finding]);
            return;
        }
        let finding = self.advised(judge, judge.warning(self.message()), cluster);
        let told = why
            .clone()
            .unwrap_or_else(|| "its chart may not read the value".to_owned());
        let finding = match why {
            Some(why) if finding.hints.is_empty() => finding.with_hint(why),
            _ => finding,
        };
        judge.unseen(subject, told, Some(finding));
    }

    fn hand_in_unseen(
        &self,
        judge: &mut Judge<'_, '_>,
        subject: JudgedSubject,
        cluster: &ClusterObjects,
        part: &UnseenPart,
    ) {
        let why = format!(
            "it may be in `{}`, which is not seen: {}",
            part.what, part.why
        );
        let finding = self.advised(judge, judge.warning(self.message()), cluster);
        judge.unseen(subject, why.clone(), Some(finding.with_hint(why)));
    }

    /// Returns whether an object of the tree is called nearly so: one sign is a slip, more may be another object, and so
    /// may a number.
    fn is_slip(&self, cluster: &ClusterObjects) -> bool {
        let name = &self.id.key.name;
        let mut others = cluster.names(&self.id);
        others.any(|other| {
            let is_near = strsim::damerau_levenshtein(other, name) <= 1;
            is_near && without_digits(other) != without_digits(name)
        })
    }

    /// Returns the file that has the object although Flux does not apply it.
    fn written_elsewhere(&self, judge: &Judge<'_, '_>) -> Option<String> {
        let builds = judge.facts.builds;
        let mut idle = builds.members.iter().filter(|member| {
            let is_reached = builds
                .builds
                .get(member.build)
                .is_some_and(|build| build.reached);
            !is_reached && member.name == self.id.key.name
        });
        let found = idle.find(|member| member.is(&self.id.group, &self.id.kind))?;
        Some(found.path())
    }

    /// Says what was meant, if something near is there.
    fn advised(
        &self,
        judge: &Judge<'_, '_>,
        finding: Diagnostic,
        cluster: &ClusterObjects,
    ) -> Diagnostic {
        let finding = judge.facts.at_field(finding, self.written);
        let ObjectId { kind, group, key } = &self.id;
        let generated = cluster.of_kind(group, kind).find(|(found, known)| {
            let base = known.applied.as_deref().and_then(name_without_hash);
            found.namespace == key.namespace && base == Some(&key.name)
        });
        if let Some((generated, _)) = generated {
            return finding.with_hint(format!(
                "a generator makes `{}`, and kustomize does not put that name here: say \
                 `disableNameSuffixHash: true`, or add a `nameReference`",
                generated.name
            ));
        }
        if let Some(path) = self.written_elsewhere(judge) {
            return finding.with_hint(format!("it is in `{path}`, which Flux does not apply"));
        }
        let elsewhere = cluster
            .of_kind(group, kind)
            .find(|(found, _)| found.name == key.name);
        if let Some((found, _)) = elsewhere {
            return finding.with_hint(format!("there is one in `{}`", found.namespace));
        }
        finding.with_suggestion(&key.name, cluster.names(&self.id))
    }
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|sign| !sign.is_ascii_digit()).collect()
}

/// How many parts of an object are listed.
const SHOWN: usize = 8;
