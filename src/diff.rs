//! What differs between two rendered trees, by object and not by line.
//!
//! [`compare`] takes two [`Side`]s and returns a [`Report`]. An object is the same one on both sides by
//! its group, kind, namespace and name, wherever it stands; its content is compared by value, so that
//! neither the order of keys nor the formatting counts. Nothing here touches the disk, and no value of
//! a secret, nor its length, gets into a report.

mod cause;
mod change;
mod danger;
mod fields;
mod guards;
mod items;
mod lines;
mod lists;
mod mode;
mod noise;
mod past;
mod report;
mod route;
mod secrets;
mod side;
mod version;

use std::collections::{BTreeMap, BTreeSet};

pub use cause::Cause;
pub use danger::{DANGERS, Danger, Explained};
pub use guards::{GuardExemption, GuardPublic, Guards};
pub use lines::{Hunk, Line, Mark};
pub use noise::NOISE;
pub use report::{Change, Edit, Field, Kind, Report, Secrecy, SettingChange, Spot, Subject};
pub use route::{Route, Step};
pub use secrets::HIDDEN;
pub use side::{Side, Text, Written};
pub use version::{Bump, Leap};

use change::Pair;
use items::{Identity, Item};
use noise::Noise;
use secrets::Censor;

/// What to compare, and what to leave out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Labels and annotations by name, and values by their way from the root of an object
    /// (`/spec/interval`); `*` stands for any text.
    pub ignore: Vec<String>,
}

impl Default for Options {
    /// Leaves out the usual [`NOISE`].
    fn default() -> Self {
        Self {
            ignore: NOISE.map(str::to_owned).to_vec(),
        }
    }
}

/// Compares two sides.
///
/// What is left out is left out of the changes alone: dangers are looked for in everything but the usual noise, and a
/// change that holds one is shown whole.
pub fn compare(before: &Side, after: &Side, options: &Options) -> Report {
    let noise = Noise::new(options.ignore.iter().cloned());
    let usual = options
        .ignore
        .iter()
        .filter(|it| NOISE.contains(&it.as_str()));
    let usual = Noise::new(usual.cloned());
    let (old, new) = (Item::all(before), Item::all(after));
    let mut pairs = paired(old, new);
    rename(&mut pairs, &noise);
    let mut report = Report {
        before: before.label.clone(),
        after: after.label.clone(),
        ..Report::default()
    };
    if let (Some(old), Some(new)) = (&before.guards, &after.guards) {
        report.settings = old.changes(new);
    }
    report.dangers = danger::find_in_guards(before, after, &pairs);
    let blame = cause::Blame::new(before, after);
    let past = past::Past::of(before, after);
    for pair in &pairs {
        let mut hidden = 0;
        let Some(whole) = pair.compare(&usual, &mut 0) else {
            pair.compare(&noise, &mut report.hidden);
            continue;
        };
        let dangers = danger::find(&whole.seen(pair), &pairs);
        let found = match pair.compare(&noise, &mut hidden) {
            Some(found) => found,
            None if dangers.is_empty() => {
                report.hidden += hidden;
                continue;
            }
            None => {
                hidden = 0;
                whole
            }
        };
        report.hidden += hidden;
        report.dangers.extend(dangers);
        let (images, charts) = version::bumps(&found.seen(pair));
        report.images.extend(images);
        report.charts.extend(charts);
        let mut change = found.change;
        change.causes = match &past {
            Some(past) => past.causes(&change, pair, &noise),
            None => blame.of(&change, pair),
        };
        report.changes.push(change);
    }
    mode::add_changes(before, after, &mut report.changes);
    finish(&mut report);
    let censor = Censor::of([&before.secrets, &after.secrets]);
    censor.report(&mut report);
    report
}

/// Matches the items of both sides by identity; of several of one identity those at one path first.
fn paired<'s>(
    mut old: BTreeMap<Identity, Vec<Item<'s>>>,
    mut new: BTreeMap<Identity, Vec<Item<'s>>>,
) -> Vec<Pair<'s>> {
    let identities: BTreeSet<Identity> = old.keys().chain(new.keys()).cloned().collect();
    let mut pairs = Vec::new();
    for identity in identities {
        let mut before = old.remove(&identity).unwrap_or_default();
        let mut after = new.remove(&identity).unwrap_or_default();
        let path = |item: &Item<'_>| item.held.file.path.clone();
        let mut at = 0;
        while at < before.len() {
            match after.iter().position(|new| path(new) == path(&before[at])) {
                Some(match_at) => {
                    pairs.push(Pair::both(before.remove(at), after.remove(match_at)));
                }
                None => at += 1,
            }
        }
        let mut after = after.into_iter();
        for old in before {
            pairs.push(Pair::one(Some(old), after.next()));
        }
        pairs.extend(after.map(|new| Pair::one(None, Some(new))));
    }
    // An object that is still rendered and that nothing takes in any more is gone from the cluster.
    pairs.into_iter().map(Pair::by_standing).collect()
}

/// Joins what is gone with what is new where kind and content are the same.
fn rename(pairs: &mut Vec<Pair<'_>>, noise: &Noise) {
    let mut gone: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        if let (Some(old), None) = (&pair.before, &pair.after) {
            gone.entry(change::fingerprint(old, noise))
                .or_default()
                .push(at);
        }
    }
    if gone.is_empty() {
        return;
    }
    for at in 0..pairs.len() {
        if pairs[at].before.is_some() {
            continue;
        }
        let Some(new) = &pairs[at].after else {
            continue;
        };
        let Some(equals) = gone.get_mut(&change::fingerprint(new, noise)) else {
            continue;
        };
        if equals.is_empty() {
            continue;
        }
        let from = equals.remove(0);
        let old = pairs[from].before.take();
        let mut pair = Pair::one(old, pairs[at].after.take()).by_standing();
        if pair.after.is_none() {
            std::mem::swap(&mut pairs[from], &mut pair);
        } else {
            std::mem::swap(&mut pairs[at], &mut pair);
        }
    }
    pairs.retain(|pair| pair.before.is_some() || pair.after.is_some());
}

/// Joins what happens to one file's object in several namespaces, and sorts.
fn finish(report: &mut Report) {
    let mut changes: Vec<Change> = Vec::new();
    for change in std::mem::take(&mut report.changes) {
        let twin = changes.iter_mut().find(|twin| twin.is_twin(&change));
        match twin {
            Some(twin) => twin.also.push(change.subject.namespace),
            None => changes.push(change),
        }
    }
    changes.sort_by(|a, b| {
        let key = |change: &Change| (change.subject.is_file(), change.subject.clone());
        key(a).cmp(&key(b))
    });
    for change in &changes {
        for cause in &change.causes {
            *report.causes.entry(cause.clone()).or_default() += 1;
        }
    }
    report.changes = changes;
    report.dangers.sort();
    report.dangers.dedup();
    report.images.sort();
    report.images.dedup();
    report.charts.sort();
    report.charts.dedup();
}
