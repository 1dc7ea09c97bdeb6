//! Objects that are not there: whether that is sure.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::flux::{ObjectKey, UnseenPart};
use crate::tree::object::Object;

use super::Facts;
use super::facts::label_of;
use super::judge::Judge;
use super::subject::JudgedSubject;

/// An object that something refers to and that no build applies.
pub(super) struct AbsentObject<'a> {
    /// The kind.
    pub(super) kind: &'a str,
    /// Namespace and name; the namespace is empty for a kind without one.
    pub(super) key: ObjectKey,
    /// The cluster, as an index of the roots.
    pub(super) root: Option<usize>,
}

/// What is known of an object that no build applies.
pub(super) enum Absence<'c> {
    /// It is nowhere.
    Sure,
    /// The project says that it is there.
    External,
    /// A part of the cluster is not seen that may have it.
    Unseen(&'c UnseenPart),
    /// It may be in a build that is refused, which is a problem of its own.
    Refused,
}

impl AbsentObject<'_> {
    /// Looks where the object may be after all.
    pub(super) fn judge<'c>(&self, facts: &'c Facts<'_>) -> Absence<'c> {
        let applied = &facts.builds.applied;
        let label = label_of(self.kind, &self.key);
        if facts.policy().external.contains(&label) {
            return Absence::External;
        }
        if self.is_in_refused_build(facts) {
            return Absence::Refused;
        }
        let is_there = |part: &&UnseenPart| {
            let build = applied.builds.get(part.build);
            let other = part
                .namespace
                .as_ref()
                .filter(|_| !self.key.namespace.is_empty());
            part.hides_objects
                && build.is_some_and(|build| build.root == self.root && !build.elsewhere)
                && other.is_none_or(|namespace| *namespace == self.key.namespace)
        };
        match applied.unseen.iter().find(is_there) {
            Some(part) => Absence::Unseen(part),
            None => Absence::Sure,
        }
    }

    fn is_in_refused_build(&self, facts: &Facts<'_>) -> bool {
        let builds = &facts.builds;
        let mut all = builds.builds.iter();
        if !all.any(|build| build.refused && build.reached) {
            return false;
        }
        // Nobody knows what it is called there: a namespace or a prefix may be added.
        let may_be = |object: Object<'_>| {
            object.kind() == self.kind
                && (self.kind == "Namespace"
                    || object.name().contains("${")
                    || self.key.name.contains(object.name()))
        };
        let written = builds.members.iter().filter_map(|member| member.written);
        let taken: BTreeSet<(&str, usize)> = written.map(Object::spot).collect();
        let mut files = builds
            .files
            .rendered()
            .filter(|(path, _)| builds.used.contains(*path));
        files.any(|(_, file)| {
            Object::of(file).any(|object| !taken.contains(&object.spot()) && may_be(object))
        })
    }
}

impl Absence<'_> {
    /// Hands the answer in: a failure where it is sure, and something not seen where it may be there after all.
    ///
    /// `finding` makes an error or a warning of what `check` is to say.
    pub(super) fn hand_in(
        &self,
        judge: &mut Judge<'_, '_>,
        subject: JudgedSubject,
        message: &str,
        finish: impl FnOnce(Diagnostic) -> Diagnostic,
    ) {
        match self {
            Self::Sure => {
                let error = judge.error(message);
                judge.found(subject, vec![finish(error)]);
            }
            Self::External => judge.found(subject, Vec::new()),
            Self::Refused => judge.unseen(subject, "a build is refused that may have it", None),
            Self::Unseen(part) => {
                let warning = judge.warning(message).with_hint(format!(
                    "it may be in {}, which is not seen: {}",
                    part.told(),
                    part.why
                ));
                let warning = match part.remedy.as_str() {
                    "" => warning,
                    remedy => warning.with_hint(remedy),
                };
                let place = part.place.as_ref();
                let place = place.and_then(|place| judge.facts.builds.place(place));
                let warning = match place {
                    Some(place) => warning.with_related(place, "this is not seen"),
                    None => warning,
                };
                let why = format!("{} is not seen: {}", part.told(), part.why);
                judge.unseen(subject, why, Some(finish(warning)));
            }
        }
    }
}
