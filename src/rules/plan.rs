//! What a remedy asks for: additions, files, findings and gaps.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Facts;
use super::kustomization_patch::{HeldAddition, PatchHome, WishedPatch};
use super::object_addition::ObjectAddition;
use super::release_patch::{RENDERERS, ReleasePatch};
use super::shared_manifest::{SharedAddition, Wisher, settle};
use crate::charts::profile::Setting;
use crate::charts::values;
use crate::diagnostic::Diagnostic;
use crate::flux::builds::ManifestUser;
use crate::tree::Gap;
use crate::workload::{PodField, Reach, Workload};
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
    /// The object that it is right for, of those that come of the manifest; `None` where that was looked at.
    pub(super) wisher: Option<Wisher>,
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
    /// The additions to one of the objects that come of a manifest.
    pub wished_patches: Vec<WishedPatch>,
    /// The new files.
    pub files: Vec<NewFile>,
    /// Whether something goes into a manifest from which several objects come: a patch of one of them may undo it.
    pub reaches_several: bool,
    /// What is wrong.
    pub problems: Vec<Diagnostic>,
    /// What is missing and could not be added.
    pub gaps: Vec<Gap>,
    /// Which edits add to a place for one object, by file, document, route and object.
    places: BTreeMap<(String, usize, Route, ManifestUser), Vec<usize>>,
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
                let applied = workload.applied_route(field);
                let routes = (&route, applied.as_ref().unwrap_or(&route));
                if !self.insert(workload, field, routes, &lacking, reason) {
                    self.gap(rule, workload, field, IN_THE_WAY.to_owned());
                }
            }
            Reach::Patch => match workload.member.written {
                Some(written) => self.patches.push(ReleasePatch {
                    path: written.file.path.clone(),
                    document: written.document,
                    route: written.document_route(&Route::parse(RENDERERS)),
                    release: workload.member.label(),
                    kind: workload.kind.clone(),
                    name: workload.name.clone(),
                    spec: in_spec(workload, field, lacking),
                    field: field.to_string(),
                    reason: reason.to_owned(),
                    wisher: Some(Wisher::of_workload(workload, field)),
                    home: None,
                }),
                None => self.gap(rule, workload, field, GENERATED.to_owned()),
            },
            Reach::Nowhere(why) => self.gap(rule, workload, field, why.to_owned()),
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
        if !self.insert(workload, field, (&route, &route), &setting.value, reason) {
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

    /// Inserts into the object that makes a workload, below what is there already: at a route of it as it is written,
    /// and as it is applied.
    ///
    /// Returns `false` where what is there leaves no room for any of it.
    fn insert(
        &mut self,
        workload: &Workload<'_>,
        field: &PodField,
        (written, applied): (&Route, &Route),
        value: &Value,
        reason: &str,
    ) -> bool {
        let Some(object) = workload.member.written else {
            return false;
        };
        let found = entries(object.root, written, value);
        let fits = !found.is_empty();
        let gain = ObjectAddition::Complete(applied.clone(), value.clone());
        for (route, mut entries) in found {
            let route = object.document_route(&route);
            let (path, user) = (object.file.path.clone(), workload.member.user());
            let place = (path, object.document, route.clone(), user);
            let earlier = self.places.entry(place).or_default();
            // Several workloads may share a place: what one has added there already is completed.
            for index in earlier.iter() {
                let edit = &mut self.edits[*index];
                if let Addition::Entries { entries: known, .. } = &mut edit.insertion.addition {
                    if entries.keys().any(|key| known.contains_key(key)) {
                        join(&mut edit.reason, reason);
                    }
                    entries = complete(known, entries);
                }
                if let Some(wisher) = &mut edit.wisher {
                    wisher.gains.push(gain.clone());
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
            let mut wisher = Wisher::of_workload(workload, field);
            wisher.gains.push(gain.clone());
            self.edits.push(PlannedEdit {
                path: object.file.path.clone(),
                insertion,
                object: workload.member.label(),
                reason: reason.to_owned(),
                wisher: Some(wisher),
            });
        }
        fits
    }

    /// Makes one edit of those for one mapping that were looked at; the reason is that of the first.
    pub(super) fn gather_edits(&mut self) {
        let mut gathered: Vec<PlannedEdit> = Vec::new();
        for edit in std::mem::take(&mut self.edits) {
            let mut known = gathered.iter_mut().filter(|known| {
                let place =
                    |edit: &PlannedEdit| (edit.insertion.document, edit.insertion.route.clone());
                known.path == edit.path && place(known) == place(&edit)
            });
            match (known.next(), &edit.insertion.addition) {
                (Some(known), Addition::Entries { entries: more, .. }) => {
                    if let Addition::Entries { entries, .. } = &mut known.insertion.addition {
                        entries.extend(more.clone());
                    }
                }
                _ => gathered.push(edit),
            }
        }
        self.edits = gathered;
    }

    /// Moves what is not right for all objects that come of the place where it would be written into kustomizations of
    /// their own, and takes it out where there are none.
    ///
    /// A component or a base may be built many times, and a line in it reaches all that comes of it.
    pub(super) fn settle_shared(&mut self, facts: &Facts<'_>, rule: &'static str) {
        let edits = settle(facts, rule, std::mem::take(&mut self.edits));
        self.edits = edits.at_source;
        self.reaches_several |= edits.reaches_several;
        self.gaps.extend(edits.gaps);
        let wished = edits.apart.into_iter();
        self.wished_patches
            .extend(wished.filter_map(|(edit, home)| edit.into_wish(rule, home)));
        let patches = settle(facts, rule, std::mem::take(&mut self.patches));
        self.patches = patches.at_source;
        self.reaches_several |= patches.reaches_several;
        self.gaps.extend(patches.gaps);
        let apart = patches.apart.into_iter();
        self.patches.extend(apart.map(|(patch, home)| ReleasePatch {
            home: Some(home),
            wisher: None,
            ..patch
        }));
        self.places.clear();
    }
}

impl PlannedEdit {
    /// Makes it an addition to one object, in the kustomization that this has to itself.
    fn into_wish(self, rule: &'static str, home: PatchHome) -> Option<WishedPatch> {
        let wisher = self.wisher?;
        Some(WishedPatch {
            home,
            gains: wisher.gains,
            held: vec![HeldAddition {
                rule,
                source: self.path,
                object: wisher.object,
                field: wisher.field,
                reason: self.reason,
            }],
        })
    }
}

impl SharedAddition for PlannedEdit {
    fn wisher(&self) -> Option<&Wisher> {
        self.wisher.as_ref()
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn says_same(&self, other: &Self) -> bool {
        (&self.path, &self.insertion) == (&other.path, &other.insertion)
    }

    fn settle(&mut self, others: Vec<Self>) {
        self.wisher = None;
        if !others.is_empty() {
            self.object = format!("{} and {} more", self.object, others.len());
        }
        for other in others {
            join(&mut self.reason, &other.reason);
        }
    }
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
