//! How a change reaches the cluster: not at all, or with much else.

use std::collections::BTreeMap;

use super::Danger;
use crate::diff::change::Pair;
use crate::diff::items::Item;
use crate::diff::places::spot_of;
use crate::diff::report::Subject;

/// From here on a change is a large one: more than a shared component or the bump of a common chart touches.
const LARGE: usize = 50;

/// Finds what holds for the changes together; `pairs` are those that differ.
pub(in crate::diff) fn find<'s>(pairs: impl Iterator<Item = &'s Pair<'s>>) -> Vec<Danger> {
    let mut below: BTreeMap<Subject, (Danger, usize)> = BTreeMap::new();
    let mut objects = 0;
    for pair in pairs {
        let Some(item) = pair.after.as_ref().or(pair.before.as_ref()) else {
            continue;
        };
        objects += usize::from(!item.identity.subject.is_file());
        if let Some(danger) = suspension(item) {
            let entry = below.entry(danger.subject.clone()).or_insert((danger, 0));
            entry.1 += 1;
        }
    }
    let mut found: Vec<Danger> = below
        .into_values()
        .map(|(danger, count)| {
            let subject = &danger.subject;
            let message = match count {
                1 => format!("1 object below `{subject}` differs, which is suspended"),
                count => format!("{count} objects below `{subject}` differ, which is suspended"),
            };
            Danger { message, ..danger }
        })
        .collect();
    if objects > LARGE {
        found.push(Danger::new(
            "large-change",
            Subject::default(),
            format!("{objects} objects differ"),
            format!("more than {LARGE} at once are hard to read and to take back: is that what was meant?"),
            None,
        ));
    }
    found
}

/// Returns the danger of an object below a suspended Kustomization, without its message.
fn suspension(item: &Item<'_>) -> Option<Danger> {
    let applied = item.side.applied();
    let mut build = &applied.builds[item.build?];
    if !build.suspended {
        return None;
    }
    while let Some(parent) = build.parent.map(|parent| &applied.builds[parent])
        && parent.suspended
    {
        build = parent;
    }
    let kustomization = build.kustomization()?;
    let subject = Subject {
        namespace: build.owner.namespace.clone(),
        kind: "Kustomization".to_owned(),
        name: build.owner.name.clone(),
        group: "kustomize.toolkit.fluxcd.io".to_owned(),
        cluster: item.identity.subject.cluster.clone(),
    };
    let place = kustomization.find(&["spec", "suspend"]);
    let place = place.unwrap_or(kustomization).place();
    Some(Danger {
        route: "spec.suspend".to_owned(),
        ..Danger::new(
            "suspended-parent",
            subject,
            String::new(),
            "nothing of that reaches the cluster until it is resumed, and then all of it at once"
                .to_owned(),
            Some(spot_of(place)),
        )
    })
}
