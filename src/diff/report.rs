//! What differs: the result of a comparison, free of every secret value.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::cause::ChangeCause;
use super::danger::Danger;
use super::lines::Hunk;
use super::route::Route;
use super::version::Bump;

/// What differs between two sides.
///
/// Holds no value of a secret, nor its length: whoever prints a report cannot leak one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiffReport {
    /// What the old side is, for people.
    pub before: String,
    /// What the new side is, for people.
    pub after: String,
    /// What can hurt, the worst first.
    pub dangers: Vec<Danger>,
    /// What differs, by namespace, kind and name; files that hold no object come last.
    pub changes: Vec<ReportedChange>,
    /// What the project says otherwise of how it is judged and sealed.
    pub settings: Vec<SettingChange>,
    /// Images whose version changed, was added or removed.
    pub images: Vec<Bump>,
    /// Charts whose version changed, was added or removed.
    pub charts: Vec<Bump>,
    /// What made the difference, each cause with the number of changes it is behind.
    pub causes: BTreeMap<ChangeCause, usize>,
    /// How many differences were left out as noise.
    pub hidden: usize,
    /// What nobody can compare, since one side does not have it: its objects are neither called new nor gone.
    pub gaps: Vec<ComparisonGap>,
}

impl DiffReport {
    /// Returns whether nothing differs, and nothing is to be said of what guards the project.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.settings.is_empty() && self.dangers.is_empty()
    }

    /// Returns whether Flux refuses a part of a side, so that the comparison has a hole.
    pub fn is_incomplete(&self) -> bool {
        self.gaps.iter().any(|gap| gap.refused)
    }

    /// Puts what stands before all paths of outputs, such as the output folder with its slash.
    pub fn put_below(&mut self, prefix: &str) {
        if prefix.is_empty() {
            return;
        }
        let places = self
            .changes
            .iter_mut()
            .flat_map(|change| {
                let own = [&mut change.before, &mut change.after]
                    .into_iter()
                    .flatten();
                own.chain(&mut change.places)
            })
            .chain(
                self.dangers
                    .iter_mut()
                    .filter(|danger| !danger.of_project)
                    .filter_map(|danger| danger.spot.as_mut()),
            )
            .chain(self.gaps.iter_mut().filter_map(|gap| gap.spot.as_mut()));
        for spot in places {
            spot.path.insert_str(0, prefix);
        }
    }

    /// Writes all paths as they are seen from the folder of the outputs.
    pub(super) fn show_from(&mut self, output: &str) {
        if output.is_empty() {
            return;
        }
        let folder = format!("{output}/");
        let up = "../".repeat(output.split('/').count());
        let seen = |path: &mut String| {
            *path = match path.strip_prefix(&folder) {
                Some(inside) => inside.to_owned(),
                None => format!("{up}{path}"),
            };
        };
        for change in &mut self.changes {
            let own = [&mut change.before, &mut change.after];
            let own = own.into_iter().flatten().chain(&mut change.places);
            own.for_each(|spot| seen(&mut spot.path));
            if change.subject.is_file() {
                seen(&mut change.subject.name);
            }
        }
        for danger in self.dangers.iter_mut().filter(|danger| !danger.of_project) {
            danger.spot.iter_mut().for_each(|spot| seen(&mut spot.path));
            if danger.subject.is_file() && !danger.subject.name.is_empty() {
                seen(&mut danger.subject.name);
            }
        }
        for gap in &mut self.gaps {
            gap.spot.iter_mut().for_each(|spot| seen(&mut spot.path));
        }
    }

    /// Counts the changes of a kind.
    pub fn count(&self, kind: ChangeKind) -> usize {
        let alike = self.changes.iter().filter(|change| change.kind == kind);
        alike.map(|change| 1 + change.also.len()).sum()
    }
}

/// A part of a side that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComparisonGap {
    /// The side, for people.
    pub side: String,
    /// What is not compared: `Kustomization/flux-system/apps`, or a folder.
    pub what: String,
    /// Why, in one sentence without a final period.
    pub why: String,
    /// Where.
    pub spot: Option<OutputLine>,
    /// How many objects of the other side have nothing that they can be held against.
    pub objects: usize,
    /// Whether Flux refuses it; else it only cannot be seen from here.
    pub refused: bool,
}

/// A setting of a project that differs: of what is left out when it is judged, or of how it seals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// The file, as the project names it.
    pub file: String,
    /// The setting: `diff.ignore`, `harden.exempt`, `creation_rules[…]`.
    pub setting: String,
    /// What it said; `None` for what is new.
    pub before: Option<String>,
    /// What it says; `None` for what is gone.
    pub after: Option<String>,
}

/// An object, or a file that holds none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The namespace; empty for none.
    pub namespace: String,
    /// The kind; empty for a file that holds no object.
    pub kind: String,
    /// The name; the path of a file that holds no object.
    pub name: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The cluster, by the folder that Flux starts from there; empty where a tree has one cluster only.
    pub cluster: String,
}

impl Subject {
    /// Returns whether this is of a group and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// Returns whether this is a file and no object.
    pub fn is_file(&self) -> bool {
        self.kind.is_empty()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.kind, &self.namespace, &self.name];
        let mut filled = parts.into_iter().filter(|part| !part.is_empty());
        if let Some(first) = filled.next() {
            formatter.write_str(first)?;
        }
        filled.try_for_each(|part| write!(formatter, "/{part}"))?;
        if self.cluster.is_empty() {
            return Ok(());
        }
        write!(formatter, " in {}", self.cluster)
    }
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has the same content under another name, or in another namespace.
    Renamed,
    /// It holds something else.
    Changed,
}

impl ChangeKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Added, Self::Removed, Self::Renamed, Self::Changed];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }

    /// Returns the sign for it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Removed => "-",
            Self::Renamed => ">",
            Self::Changed => "~",
        }
    }
}

/// A line in an output file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputLine {
    /// The path below the output folder.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for OutputLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.path, self.line)
    }
}

/// What became of one object or file.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedChange {
    /// The object; of a renamed one its new name.
    pub subject: Subject,
    /// The other objects that the same happens to, from the same place: those of a component, a patch or a base.
    pub also: Vec<Subject>,
    /// What became of it.
    pub kind: ChangeKind,
    /// The old name of what is renamed.
    pub was: Option<Subject>,
    /// Where it stands on the old side.
    pub before: Option<OutputLine>,
    /// Where it stands on the new side.
    pub after: Option<OutputLine>,
    /// Where what differs is written, as far as that is not where the object stands: a patch, a component, a variable.
    pub places: Vec<OutputLine>,
    /// What differs in it; for secrets also what is the same, and for a new or removed secret file
    /// all of its keys.
    pub fields: Vec<ChangedField>,
    /// The whole of what is added or removed, as YAML or plain text; none of a secret file.
    pub body: Option<String>,
    /// What else is to be known, in one sentence without a final period.
    pub note: Option<String>,
    /// What made the difference, as far as it can be proved.
    pub causes: Vec<ChangeCause>,
}

/// A difference inside an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedField {
    /// Where in the object; the root for a text file.
    pub route: Route,
    /// What differs.
    pub edit: FieldEdit,
}

/// What differs at a route.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldEdit {
    /// There is a value where there was none.
    Added(Value),
    /// There is no value where there was one.
    Removed(Value),
    /// There is another value.
    Changed(Value, Value),
    /// A text of several lines has other lines.
    Text(Vec<Hunk>),
    /// A list of plain values has lost some items and got others.
    Items {
        /// The items that are gone.
        removed: Vec<Value>,
        /// The items that are new.
        added: Vec<Value>,
    },
    /// The items of a list whose order counts are the same in another order.
    Reordered(Vec<String>, Vec<String>),
    /// A secret of which the value is not told.
    Secret(Secrecy),
}

/// What can be told of a secret value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// The key is new.
    Added,
    /// The key is gone.
    Removed,
    /// The value is another one.
    Changed,
    /// The value is the same.
    Same,
    /// The ciphertext is another one, and no identity at hand opens it.
    Unknown,
}

impl Secrecy {
    /// Returns the word for it, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Unknown => "unknown",
        }
    }

    /// Returns what is said of it, for people.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Unknown => "changed, value not seen",
            known => known.word(),
        }
    }
}
