//! What a remedy asks for: additions, files, findings and gaps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Facts;
use super::release_patch::ReleasePatch;
use crate::diagnostic::Diagnostic;
use crate::flux::builds::{ManifestUser, Member};
use crate::tree::Gap;
use crate::workload::profile::Setting;
use crate::workload::{PodField, Reach, Workload, values};
use crate::yaml::edit::{Addition, Insertion};
use crate::yaml::{Node, Route, Step};

/// Why nothing is added to what nobody writes.
const GENERATED: &str = "a generator makes it";

/// Why an addition is a gap where a value of another kind stands.
const IN_THE_WAY: &str = "what is written there is in the way";

/// An addition that a remedy asks for.
pub struct PlannedEdit {
    /// The file.
    pub path: String,
    /// What to add to it.
    pub insertion: Insertion,
    /// The object that gains it, as messages name it.
    pub object: String,
    /// Why, for the record.
    pub reason: String,
    /// For which objects it is right, of those that come of the manifest; `None` where that was looked at.
    pub(super) users: Option<EditUsers>,
}

/// The objects that an addition to one manifest is right for.
pub(super) struct EditUsers {
    /// Where the manifest is written.
    spot: (String, usize),
    users: BTreeSet<ManifestUser>,
    /// The workload and field that asked for it, as gaps name them.
    gap: (String, String),
}

/// A file that a remedy adds.
pub struct NewFile {
    /// The path.
    pub path: String,
    /// The text: YAML.
    pub text: String,
    /// The objects in it, one a document, and why each is there.
    pub objects: Vec<(String, String)>,
}

/// What a remedy asks for.
#[derive(Default)]
pub struct Plan {
    /// The additions to files.
    pub edits: Vec<PlannedEdit>,
    /// The additions to charts that have no value for them.
    pub patches: Vec<ReleasePatch>,
    /// The new files.
    pub files: Vec<NewFile>,
    /// What is wrong.
    pub problems: Vec<Diagnostic>,
    /// What is missing and could not be added.
    pub gaps: Vec<Gap>,
    /// Which edits add to a place, by file, document and route.
    places: BTreeMap<(String, usize, Route), Vec<usize>>,
}

impl Plan {
    /// Adds what a field lacks of a value; what is set stays.
    ///
    /// Mappings are completed key by key. Where the field cannot be reached, that is a gap.
    pub(super) fn add(
        &mut self,
        rule: &'static str,
        workload: &Workload<'_>,
        field: &PodField,
        value: &Value,
        reason: &str,
    ) {
        let Some(lacking) = lacking(workload.value(field), value) else {
            return;
        };
        match workload.reach(field) {
            Reach::Object(route) => {
                if !self.insert(workload, field, &route, &lacking, reason) {
                    self.gap(rule, workload, field, IN_THE_WAY.to_owned());
                }
            }
            Reach::Patch => match workload.member.written {
                Some(written) => self.patch(ReleasePatch {
                    path: written.file.path.clone(),
                    document: written.document,
                    route: written.document_route(&Route::parse("spec.postRenderers")),
                    release: workload.member.label(),
                    kind: workload.kind.clone(),
                    name: workload.name.clone(),
                    spec: in_spec(workload, field, lacking),
                    field: field.to_string(),
                    reason: reason.to_owned(),
                    users: EditUsers::of(workload, field),
                }),
                None => self.gap(rule, workload, field, GENERATED.to_owned()),
            },
            Reach::Nowhere(why) => self.gap(rule, workload, field, why.to_owned()),
        }
    }

    /// Adds a patch, or its user to one that says the same.
    fn patch(&mut self, patch: ReleasePatch) {
        let same = self
            .patches
            .iter_mut()
            .find(|known| known.says_same(&patch));
        match same {
            Some(known) => known.users.add(patch.users),
            None => self.patches.push(patch),
        }
    }

    /// Sets a value of a release that gives a field what it needs: a switch of its chart.
    pub(super) fn set(
        &mut self,
        rule: &'static str,
        workload: &Workload<'_>,
        field: &PodField,
        setting: &Setting,
        reason: &str,
    ) {
        let Some(release) = workload.release().filter(|release| !release.values_from) else {
            let why = "more of the release's values come from elsewhere";
            return self.gap(rule, workload, field, why.to_owned());
        };
        if values::at(&release.values, &setting.path).is_some() {
            let why = format!("the value `{}` says otherwise", setting.path);
            return self.gap(rule, workload, field, why);
        }
        let route = values::route(&setting.path);
        if !self.insert(workload, field, &route, &setting.value, reason) {
            self.gap(rule, workload, field, IN_THE_WAY.to_owned());
        }
    }

    /// Notes that something is missing and could not be added.
    pub(super) fn gap(
        &mut self,
        rule: &'static str,
        workload: &Workload<'_>,
        field: &PodField,
        reason: String,
    ) {
        self.gaps.push(Gap {
            rule,
            path: workload.member.path(),
            object: workload.label(),
            route: field.to_string(),
            reason,
        });
    }

    /// Inserts at a route of the object that makes a workload, below what is there already.
    ///
    /// Returns `false` where what is there leaves no room for any of it.
    fn insert(
        &mut self,
        workload: &Workload<'_>,
        field: &PodField,
        route: &Route,
        value: &Value,
        reason: &str,
    ) -> bool {
        let Some(object) = workload.member.written else {
            return false;
        };
        let found = entries(object.root, route, value);
        let fits = !found.is_empty();
        for (route, mut entries) in found {
            let route = object.document_route(&route);
            let place = (object.file.path.clone(), object.document, route.clone());
            let earlier = self.places.entry(place).or_default();
            // Several workloads may share a place: what one has added there already is completed.
            for index in earlier.iter() {
                let edit = &mut self.edits[*index];
                let mut agrees = true;
                if let Addition::Entries { entries: known, .. } = &mut edit.insertion.addition {
                    if entries.keys().any(|key| known.contains_key(key)) {
                        join(&mut edit.reason, reason);
                    }
                    agrees = is_within(&entries, known);
                    entries = complete(known, entries);
                }
                if let Some(users) = edit.users.as_mut().filter(|_| agrees) {
                    users.users.insert(workload.member.user());
                }
            }
            if entries.is_empty() {
                continue;
            }
            earlier.push(self.edits.len());
            let in_spec = matches!(route.0.last(), Some(Step::Key(key)) if key == "spec");
            let mut insertion = Insertion::entries(object.document, route, entries);
            if in_spec {
                insertion = insertion.above("containers");
            }
            self.edits.push(PlannedEdit {
                path: object.file.path.clone(),
                insertion,
                object: workload.member.label(),
                reason: reason.to_owned(),
                users: Some(EditUsers::of(workload, field)),
            });
        }
        fits
    }

    /// Takes out what is not right for all objects that come of the place where it would be written.
    ///
    /// A component or a base may be built many times, and a line in it reaches all that comes of it.
    pub(super) fn hold_back_shared(&mut self, facts: &Facts<'_>, rule: &'static str) {
        let mut gaps = Vec::new();
        let mut is_right = |users: &EditUsers, path: &str| {
            let others: Vec<String> = facts
                .all()
                .filter(|member| member.spot() == (users.spot.0.as_str(), users.spot.1))
                .filter(|member| !users.users.contains(&member.user()))
                .map(Member::label)
                .collect();
            let Some(first) = others.first() else {
                return true;
            };
            let (object, route) = users.gap.clone();
            gaps.push(Gap {
                rule,
                path: path.to_owned(),
                object,
                route,
                reason: format!("its manifest makes `{first}` too, for which it may not be right"),
            });
            false
        };
        self.edits.retain(|edit| {
            let users = edit.users.as_ref();
            users.is_none_or(|users| is_right(users, &edit.path))
        });
        self.patches
            .retain(|patch| is_right(&patch.users, &patch.path));
        self.gaps.append(&mut gaps);
        self.places.clear();
    }
}

impl EditUsers {
    fn add(&mut self, other: Self) {
        self.users.extend(other.users);
    }

    pub(super) fn of(workload: &Workload<'_>, field: &PodField) -> Self {
        let (path, start) = workload.member.spot();
        Self {
            spot: (path.to_owned(), start),
            users: BTreeSet::from([workload.member.user()]),
            gap: (workload.label(), field.to_string()),
        }
    }
}

/// Returns whether all of some entries are among others, with the same values.
fn is_within(entries: &Map<String, Value>, known: &Map<String, Value>) -> bool {
    entries
        .iter()
        .all(|(key, value)| match (known.get(key), value) {
            (Some(Value::Object(known)), Value::Object(inner)) => is_within(inner, known),
            (Some(known), value) => known == value,
            (None, _) => false,
        })
}

/// Puts another reason beside those that an addition has.
fn join(reasons: &mut String, reason: &str) {
    if !reasons.split("; ").any(|known| known == reason) {
        reasons.push_str("; ");
        reasons.push_str(reason);
    }
}

/// Puts more into entries whose keys are there, and returns the rest.
fn complete(known: &mut Map<String, Value>, more: Map<String, Value>) -> Map<String, Value> {
    let mut rest = Map::new();
    for (key, value) in more {
        match (known.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(value)) => {
                let missing = complete(own, value);
                own.extend(missing);
            }
            (Some(_), _) => {}
            (None, value) => {
                rest.insert(key, value);
            }
        }
    }
    rest
}

/// Returns what is missing of a value, or `None` if nothing is; what is set otherwise is not missing.
fn lacking(present: &Value, wanted: &Value) -> Option<Value> {
    match (present, wanted) {
        (Value::Null, wanted) => Some(wanted.clone()),
        (Value::Object(present), Value::Object(wanted)) => {
            let missing: Map<String, Value> = wanted
                .iter()
                .filter_map(|(key, value)| {
                    let own = present.get(key).unwrap_or(&Value::Null);
                    Some((key.clone(), lacking(own, value)?))
                })
                .collect();
            (!missing.is_empty()).then_some(Value::Object(missing))
        }
        _ => None,
    }
}

/// Splits an addition into entries for the mappings that are there.
///
/// What stands in the way as another kind of value is the author's, and stays.
fn entries(root: &Node, route: &Route, value: &Value) -> Vec<(Route, Map<String, Value>)> {
    let parent = |value: &Value| -> Option<(Route, Map<String, Value>)> {
        let mut steps = route.0.clone();
        let Some(Step::Key(key)) = steps.pop() else {
            return None;
        };
        Some((Route(steps), Map::from_iter([(key, value.clone())])))
    };
    let Some(node) = root.at(route) else {
        let way = if is_blocked(root, route) {
            None
        } else {
            parent(value)
        };
        return way.into_iter().collect();
    };
    let (Some(_), Value::Object(wanted)) = (node.entries(), value) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut new = Map::new();
    for (key, value) in wanted {
        if node.get(key).is_none() {
            new.insert(key.clone(), value.clone());
        } else {
            found.extend(entries(root, &route.then(key.as_str()), value));
        }
    }
    if !new.is_empty() {
        found.insert(0, (route.clone(), new));
    }
    found
}

/// Returns whether a route to something that is not there leads through a value that can hold no key.
///
/// A key with nothing behind it holds none yet; an alias is for the insertion to refuse, which says so.
fn is_blocked(root: &Node, route: &Route) -> bool {
    let mut node = root;
    for step in &route.0 {
        let next = match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().and_then(|items| items.get(*index)),
        };
        let Some(next) = next else {
            let is_empty = node.span.is_empty() && node.text().is_some();
            return node.entries().is_none() && !is_empty;
        };
        node = next;
    }
    false
}

/// Wraps a field's value in the pod's spec that holds it.
fn in_spec(workload: &Workload<'_>, field: &PodField, value: Value) -> Map<String, Value> {
    let mut spec = Map::new();
    match field {
        PodField::Pod(key) => {
            spec.insert((*key).to_owned(), value);
        }
        PodField::Container { name, key } => {
            let mut all = workload.containers();
            let list = all
                .find(|container| container.name == name)
                .map_or("containers", |container| container.list);
            let container = serde_json::json!({"name": name, (*key): value});
            spec.insert(list.to_owned(), Value::Array(vec![container]));
        }
    }
    spec
}
