//! Differences that can hurt, and why.

mod access;
mod guards;
mod immutable;
mod owner;
mod removal;
mod rollout;
mod scale;

use std::collections::BTreeSet;

use serde_json::Value;

use super::change::Pair;
use super::report::{OutputLine, ReportedChange, Subject};
use crate::diagnostic::Meaning;
use crate::flux::ObjectKey;

/// A difference that can hurt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Danger {
    /// The position of the code in [`DANGERS`]: the worst comes first.
    rank: usize,
    /// The object.
    pub subject: Subject,
    /// The other objects that the same happens to, from the same place.
    pub also: Vec<Subject>,
    /// The dotted way to what differs; empty for the whole object.
    pub route: String,
    /// What happens, in one sentence without a final period.
    pub message: String,
    /// Why that can hurt, or what follows, in one sentence without a final period.
    pub why: String,
    /// Where it stands: on the new side, or on the old one for what is gone.
    pub spot: Option<OutputLine>,
    /// Whether it stands in a file of the project that is no output.
    pub of_project: bool,
}

impl Danger {
    /// Returns the stable kebab-case code.
    pub fn code(&self) -> &'static str {
        DANGERS[self.rank].code
    }

    /// Makes a danger for the whole of an object.
    pub(super) fn new(
        code: &str,
        subject: Subject,
        message: String,
        why: String,
        spot: Option<OutputLine>,
    ) -> Self {
        Self {
            rank: rank(code),
            subject,
            also: Vec::new(),
            route: String::new(),
            message,
            why,
            spot,
            of_project: false,
        }
    }
}

const fn explained(code: &'static str, summary: &'static str) -> Meaning {
    Meaning {
        code,
        summary,
        text: "A danger that `kiln diff` tells of; docs/diff.md lists all.",
    }
}

/// Every code, the worst first.
pub static DANGERS: &[Meaning] = &[
    explained(
        "seal-removed",
        "A secret that was sealed is written in plain text",
    ),
    explained("recipient-added", "Somebody new can open what is sealed"),
    explained(
        "seal-narrowed",
        "What is encrypted of a sealed file is selected otherwise",
    ),
    explained(
        "secret-made-public",
        "A value from the environment or a file is called public",
    ),
    explained(
        "exemption-added",
        "A rule, a check or a comparison is to leave something out",
    ),
    explained(
        "volume-removed",
        "A claim or a volume is removed, and data with it",
    ),
    explained(
        "crd-removed",
        "A CRD is removed, and every object of its kind with it",
    ),
    explained(
        "namespace-removed",
        "A namespace is removed, and everything in it",
    ),
    explained(
        "statefulset-removed",
        "A StatefulSet is removed or gets another name",
    ),
    explained("kustomization-removed", "A Flux Kustomization is removed"),
    explained(
        "release-removed",
        "A Helm release is removed, and uninstalled with it",
    ),
    explained(
        "owner-moved",
        "An object goes to another Flux Kustomization, and the old one may delete it",
    ),
    explained(
        "immutable-field",
        "A field differs that the API server does not let change",
    ),
    explained(
        "release-moved",
        "A Helm release is uninstalled and installed anew under another name or namespace",
    ),
    explained(
        "cluster-admin",
        "Somebody new gets every right in the cluster or a namespace",
    ),
    explained("privileged", "A container becomes privileged"),
    explained(
        "host-access",
        "A pod gets a namespace or a folder of its node",
    ),
    explained(
        "pod-security-lowered",
        "A namespace enforces a lower Pod Security level",
    ),
    explained(
        "network-policy-removed",
        "A network policy is removed, which opens what it closed",
    ),
    explained("replicas-zero", "A workload is scaled to nothing"),
    explained(
        "suspended",
        "Flux or a controller stops to care for an object",
    ),
    explained(
        "resumed",
        "Flux takes up what was suspended, with all that waited",
    ),
    explained(
        "suspended-parent",
        "What differs lies below something suspended, and does not roll out",
    ),
    explained(
        "remote-moved",
        "A resource on another machine is taken from another address or version",
    ),
    explained("large-change", "Many objects differ at once"),
    explained(
        "major-version",
        "An image or a chart leaps to another major version",
    ),
    explained(
        "downgrade",
        "An image or a chart goes back to an older version",
    ),
];

pub(super) use guards::find as find_in_guards;
pub(super) use owner::find as find_moves;
pub(super) use rollout::find as find_in_rollout;

/// What a check of dangers looks at.
pub(super) struct DangerSubject<'c, 's> {
    pub(super) change: &'c ReportedChange,
    pub(super) pair: &'c Pair<'s>,
    pub(super) before: Option<&'c Value>,
    pub(super) after: Option<&'c Value>,
}

/// The Flux Kustomizations that only the old side has, by cluster and name.
pub(super) type GoneOwners = BTreeSet<(String, ObjectKey)>;

impl DangerSubject<'_, '_> {
    pub(super) fn is_secret(&self) -> bool {
        let items = [&self.pair.before, &self.pair.after];
        items
            .into_iter()
            .flatten()
            .any(|item| item.is_secret() || item.is_open_secret())
    }

    /// Reports a danger at a route of the object.
    fn danger(&self, code: &str, route: &str, message: String, why: String) -> Danger {
        let change = self.change;
        let items = [&self.pair.after, &self.pair.before];
        let item = items.into_iter().flatten().next();
        let spot = item.map(|item| item.spot_of(route).unwrap_or_else(|| item.spot()));
        Danger {
            rank: rank(code),
            subject: change.subject.clone(),
            also: Vec::new(),
            route: route.to_owned(),
            message,
            why,
            spot,
            of_project: false,
        }
    }
}

/// Returns the text at a JSON pointer.
fn text<'v>(value: Option<&'v Value>, pointer: &str) -> Option<&'v str> {
    value?.pointer(pointer)?.as_str()
}

fn rank(code: &str) -> usize {
    DANGERS
        .iter()
        .position(|known| known.code == code)
        .expect("every code that is reported is in the list")
}

/// Finds the dangers of one change.
pub(super) fn find(seen: &DangerSubject<'_, '_>, gone: &GoneOwners) -> Vec<Danger> {
    let mut found = Vec::new();
    guards::unsealed(seen, &mut found);
    removal::find(seen, gone, &mut found);
    immutable::find(seen, &mut found);
    if !seen.is_secret() {
        access::find(seen, &mut found);
        scale::find(seen, &mut found);
    }
    found
}
