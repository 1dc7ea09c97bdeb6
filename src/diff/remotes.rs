//! Parts of builds that lie on other machines: of them only the address can be compared.

use std::collections::BTreeMap;

use kustomize::Place;
use serde_json::Value;

use super::danger::Danger;
use super::items::ItemNaming;
use super::places::spot_of;
use super::report::{ChangeKind, ChangedField, DiffReport, FieldEdit, ReportedChange, Subject};
use super::route::Route;
use super::side::Side;

/// The kind under which a remote part is shown.
const KIND: &str = "remote resource";

/// A remote part of a build.
#[derive(Clone, Debug)]
struct RemotePart<'s> {
    /// The address without credentials and query.
    address: String,
    /// The version that the address asks for, if it does.
    version: String,
    place: &'s Place,
}

/// What asks for a part: the cluster, the build and the file.
type Asker = (String, String, String);

/// Adds to a report where the address of a remote part differs.
pub(super) fn compare(before: &Side, after: &Side, naming: ItemNaming, report: &mut DiffReport) {
    let (mut old, mut new) = (parts(before, naming), parts(after, naming));
    let askers: Vec<Asker> = old.keys().chain(new.keys()).cloned().collect();
    for asker in askers {
        let mut gone = old.remove(&asker).unwrap_or_default();
        let mut added = new.remove(&asker).unwrap_or_default();
        gone.retain(|part| {
            let same = |other: &RemotePart<'_>| {
                other.address == part.address && other.version == part.version
            };
            let found = added.iter().position(same);
            found.map(|at| added.remove(at)).is_none()
        });
        // What moved: the same address first, then whatever else is left.
        for by_address in [true, false] {
            gone.retain(|part| {
                let found = added
                    .iter()
                    .position(|other| !by_address || other.address == part.address);
                let Some(at) = found else { return true };
                moved(part, &added.remove(at), &asker, report);
                false
            });
        }
        let removed = gone.iter().map(|part| (part, ChangeKind::Removed));
        let whole = removed.chain(added.iter().map(|part| (part, ChangeKind::Added)));
        for (part, kind) in whole {
            report.changes.push(change(part, kind, &asker));
        }
    }
}

/// Lists the remote parts of what Flux gets to.
fn parts<'s>(side: &'s Side, naming: ItemNaming) -> BTreeMap<Asker, Vec<RemotePart<'s>>> {
    let applied = side.applied();
    let mut found: BTreeMap<Asker, Vec<RemotePart<'s>>> = BTreeMap::new();
    for unseen in &applied.unseen {
        let build = &applied.builds[unseen.build];
        let Some(place) = unseen.place.as_ref().filter(|_| build.is_reached()) else {
            continue;
        };
        let Some((address, version)) = written_at(place).and_then(|text| split_address(&text))
        else {
            continue;
        };
        let asker = (
            naming.cluster(side, build),
            build.owner.to_string(),
            place.file.path.clone(),
        );
        found.entry(asker).or_default().push(RemotePart {
            address,
            version,
            place,
        });
    }
    found
}

/// Returns the scalar that stands at a place.
fn written_at(place: &Place) -> Option<String> {
    let documents = place.file.documents().ok()?;
    let root = &documents.get(place.document)?.root;
    Some(root.at(&place.route())?.text()?.to_owned())
}

/// Splits an address on another machine into what it names and the version; `None` for any other text.
fn split_address(text: &str) -> Option<(String, String)> {
    let (rest, query) = text.split_once('?').unwrap_or((text, ""));
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), rest),
    };
    let host_end = rest.find('/').unwrap_or(rest.len());
    let is_remote = !scheme.is_empty()
        || rest[..host_end].contains('@')
        || rest.starts_with("github.com/")
        || rest.starts_with("github.com:");
    if !is_remote {
        return None;
    }
    let host = rest[..host_end].rfind('@').map_or(0, |at| at + 1);
    let version = query.split('&').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        ["ref", "version"].contains(&key).then_some(value)
    });
    Some((
        format!("{scheme}{}", &rest[host..]),
        version.unwrap_or_default().to_owned(),
    ))
}

impl RemotePart<'_> {
    fn shown(&self) -> String {
        match self.version.as_str() {
            "" => self.address.clone(),
            version => format!("{}?ref={version}", self.address),
        }
    }
}

fn subject_of(part: &RemotePart<'_>, (cluster, _, _): &Asker) -> Subject {
    Subject {
        kind: KIND.to_owned(),
        name: part.address.clone(),
        cluster: cluster.clone(),
        ..Subject::default()
    }
}

fn change(part: &RemotePart<'_>, kind: ChangeKind, asker: &Asker) -> ReportedChange {
    let spot = Some(spot_of(part.place));
    let (before, after) = match kind {
        ChangeKind::Added => (None, spot),
        _ => (spot, None),
    };
    ReportedChange {
        subject: subject_of(part, asker),
        also: Vec::new(),
        kind,
        was: None,
        before,
        after,
        places: Vec::new(),
        fields: Vec::new(),
        body: Some(format!("{}\n", part.shown())),
        note: Some("not seen: what it holds is not compared".to_owned()),
        causes: Vec::new(),
    }
}

fn moved(old: &RemotePart<'_>, new: &RemotePart<'_>, asker: &Asker, report: &mut DiffReport) {
    let (from, to) = if old.address == new.address {
        (old.version.clone(), new.version.clone())
    } else {
        (old.shown(), new.shown())
    };
    let subject = subject_of(new, asker);
    report.dangers.push(Danger::new(
        "remote-moved",
        subject.clone(),
        format!(
            "the remote resource `{}` moves from `{from}` to `{to}`",
            old.address
        ),
        "nobody sees here what it brings, changes and removes: read what differs between the two"
            .to_owned(),
        Some(spot_of(new.place)),
    ));
    let field = ChangedField {
        route: Route::default().key(if old.address == new.address {
            "ref"
        } else {
            "address"
        }),
        edit: FieldEdit::Changed(Value::from(from), Value::from(to)),
    };
    report.changes.push(ReportedChange {
        before: Some(spot_of(old.place)),
        after: Some(spot_of(new.place)),
        fields: vec![field],
        body: None,
        kind: ChangeKind::Changed,
        ..change(new, ChangeKind::Changed, asker)
    });
}
