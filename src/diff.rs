//! What differs between two rendered trees, by object and not by line.
//!
//! [`compare`] takes two [`Side`]s and returns a [`DiffReport`]. An object is the same one on both sides by
//! its group, kind, namespace and name, wherever it stands; its content is compared by value, so that
//! neither the order of keys nor the formatting counts. Nothing here touches the disk, and no value of
//! a secret, nor its length, gets into a report.

mod cause;
mod change;
mod danger;
mod fields;
mod gaps;
mod groups;
mod guards;
mod items;
mod lines;
mod lists;
mod mode;
mod noise;
mod pairs;
mod past;
mod places;
mod remotes;
mod report;
mod route;
mod secrets;
mod side;
mod split;
mod version;

pub use cause::ChangeCause;
pub use danger::{DANGERS, Danger};
pub use guards::{GuardExemption, GuardPublic, Guards};
pub use lines::{Hunk, HunkLine, LineMark};
pub use noise::NOISE;
pub use report::{
    ChangeKind, ChangedField, ComparisonGap, DiffReport, FieldEdit, OutputLine, ReportedChange,
    Secrecy, SettingChange, Subject,
};
pub use route::{DiffStep, Route};
pub use secrets::HIDDEN;
pub use side::{OutputRecord, Side, SideText};
pub use version::{Bump, Leap};

use change::Pair;
use danger::GoneOwners;
use items::{Item, ItemNaming};
use noise::Noise;
use secrets::Censor;

/// What to compare, and what to leave out.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// Labels and annotations by name, and values by their way from the root of an object
    /// (`/spec/interval`); `*` stands for any text.
    pub ignore: Vec<String>,
}

impl Default for DiffOptions {
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
pub fn compare(before: &Side, after: &Side, options: &DiffOptions) -> DiffReport {
    let noise = Noise::new(options.ignore.iter().cloned());
    let usual = options
        .ignore
        .iter()
        .filter(|it| NOISE.contains(&it.as_str()));
    let usual = Noise::new(usual.cloned());
    let naming = ItemNaming::of(before, after);
    let old = Item::all(before, after, naming);
    let new = Item::all(after, before, naming);
    let mut pairs = pairs::paired(old, new, &noise);
    let mut report = DiffReport {
        before: before.label.clone(),
        after: after.label.clone(),
        gaps: gaps::take_out(&mut pairs, (before, after)),
        ..DiffReport::default()
    };
    if let (Some(old), Some(new)) = (&before.guards, &after.guards) {
        report.settings = old.changes(new);
    }
    report.dangers = danger::find_in_guards(before, after, &pairs);
    remotes::compare(before, after, naming, &mut report);
    let comparison = Comparison {
        noise,
        usual,
        gone: pairs::gone_kustomizations(&pairs),
        blame: cause::Blame::new(before, after),
        past: past::Past::of(before, after, naming),
    };
    report
        .dangers
        .extend(danger::find_moves(&pairs, &comparison.gone));
    let differing: Vec<&Pair<'_>> = pairs
        .iter()
        .filter(|pair| comparison.compare(pair, &mut report))
        .collect();
    report
        .dangers
        .extend(danger::find_in_rollout(differing.into_iter()));
    mode::add_changes(before, after, &mut report.changes);
    finish(&mut report);
    report.show_from(after.output());
    let censor = Censor::of([&before.secrets, &after.secrets]);
    censor.report(&mut report);
    report
}

/// What a pair of items is compared with.
struct Comparison<'s> {
    /// What is left out.
    noise: Noise,
    /// What is left out of it as usual, which hides no danger.
    usual: Noise,
    gone: GoneOwners,
    blame: cause::Blame<'s>,
    past: Option<past::Past<'s>>,
}

impl Comparison<'_> {
    /// Adds to a report what differs in a pair, and returns whether anything does.
    fn compare(&self, pair: &Pair<'_>, report: &mut DiffReport) -> bool {
        let mut hidden = 0;
        let Some(whole) = pair.compare(&self.usual, &mut 0) else {
            pair.compare(&self.noise, &mut report.hidden);
            return false;
        };
        let dangers = danger::find(&whole.seen(pair), &self.gone);
        let found = match pair.compare(&self.noise, &mut hidden) {
            Some(found) => found,
            None if dangers.is_empty() => {
                report.hidden += hidden;
                return false;
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
        change.causes = match &self.past {
            Some(past) => past.causes(&change, pair, &self.noise),
            None => self.blame.of(&change, pair),
        };
        report.changes.push(change);
        true
    }
}

/// Joins what one place does to many objects, and sorts.
fn finish(report: &mut DiffReport) {
    groups::join(report);
    for change in &report.changes {
        for cause in &change.causes {
            *report.causes.entry(cause.clone()).or_default() += 1;
        }
    }
    report.images.sort();
    report.images.dedup();
    report.charts.sort();
    report.charts.dedup();
}
