//! Patches: strategic merge and JSON 6902, and the objects they are for.

mod entry;
mod json_patch;
mod keyed_list;
mod label_selector;
mod merge_key;
mod patch_text;
mod scalar_list;
mod strategic_merge;
mod target;

use std::collections::BTreeMap;

use super::field::{Field, FieldScalar, FieldValue, ScalarKind};
use super::generated_note::{has_build_notes, take_notes, write_notes, write_texts};
use super::loader::Loader;
use super::place::Place;
use super::problem::{Findings, Problem, ProblemKind};
use super::provenance::Provenance;
use super::resource::Resource;
use super::resources::Resources;

pub(crate) use entry::{EntryReader, is_given};
pub(crate) use target::{SELECTOR_KEYS, TargetSelector, default_namespace, effective_namespace};

use entry::PatchEntry;
use json_patch::JsonOperation;
use patch_text::{PatchContent, PatchText};
use strategic_merge::merge_object;
use target::is_named_by;

/// Applies the `patches` of a kustomization, in order.
pub(crate) fn apply_patches(
    resources: &mut Resources,
    patches: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) {
    for field in EntryReader::items(patches, "patches", findings) {
        if let Some(entry) = PatchEntry::read(field, loader, findings) {
            apply_entry(resources, &entry, findings);
        }
    }
}

/// Applies the `patchesStrategicMerge` of a kustomization: paths, or patches in place.
pub(crate) fn apply_strategic_merges(
    resources: &mut Resources,
    patches: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) {
    let fields = EntryReader::items(patches, "patchesStrategicMerge", findings);
    let mut is_empty = !fields.is_empty();
    for field in fields {
        let Some(objects) = read_strategic_merge(field, loader, findings) else {
            is_empty = false;
            continue;
        };
        is_empty &= objects.is_empty();
        for object in objects {
            let patch = ObjectPatch::new(object, PatchPermissions::default()).with_text_labels();
            merge_into_named(resources, &patch, findings);
        }
    }
    if is_empty {
        let message = "`patchesStrategicMerge` holds no patch";
        findings.refuse(Problem::new(
            ProblemKind::Malformed,
            message,
            patches.place(),
        ));
    }
}

/// Applies the `patchesJson6902` of a kustomization.
pub(crate) fn apply_json_patches(
    resources: &mut Resources,
    patches: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) {
    for field in EntryReader::items(patches, "patchesJson6902", findings) {
        let Some(mut entry) = PatchEntry::read(field, loader, findings) else {
            continue;
        };
        entry.is_legacy = true;
        let named = field.find_text(&["target", "name"]).unwrap_or_default();
        match entry.content {
            PatchContent::Operations(_) if named.is_empty() => {
                let message = "a patch in `patchesJson6902` has no `target.name`";
                findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
            }
            PatchContent::Operations(_) => apply_entry(resources, &entry, findings),
            PatchContent::Nothing | PatchContent::Objects(_) => {
                let message = "a patch in `patchesJson6902` is no list of operations";
                findings.refuse(Problem::new(ProblemKind::Malformed, message, &entry.place));
            }
        }
    }
}

fn read_strategic_merge(
    field: &Field,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> Option<Vec<Field>> {
    if !EntryReader::demand_text(field, "patchesStrategicMerge", findings) {
        return None;
    }
    // Before it had `patches`, kustomize took a patch here in the place of its path.
    if let Ok(objects) = PatchText::of_field(field).read_objects_only() {
        return Some(objects);
    }
    let file = loader.read(field, findings)?;
    let objects = PatchText::of_file(&file).and_then(|text| text.read_objects_only());
    objects.map_err(|problem| findings.refuse(problem)).ok()
}

fn apply_entry(resources: &mut Resources, entry: &PatchEntry, findings: &mut Findings) {
    match (&entry.content, &entry.target) {
        (PatchContent::Nothing, _) => {}
        (PatchContent::Objects(objects), None) => {
            for object in objects {
                let patch = ObjectPatch::new(object.clone(), entry.permissions);
                merge_into_named(resources, &patch, findings);
            }
        }
        (PatchContent::Objects(objects), Some(target)) => {
            let [object] = &objects[..] else {
                let message = "a patch with a `target` holds more than one object";
                let help = "write one entry of `patches` for each object";
                let problem = Problem::new(ProblemKind::Refused, message, &entry.place);
                return findings.refuse(problem.with_help(help));
            };
            let patch = ObjectPatch::new(object.clone(), entry.permissions)
                .with_text_labels()
                .for_any_kind();
            merge_into_selected(resources, &patch, target, findings);
        }
        (PatchContent::Operations(_), None) => {
            let message = "a patch that is a list of operations has no `target`";
            let problem = Problem::new(ProblemKind::Malformed, message, &entry.place)
                .with_help("say with `target` which objects it is for");
            findings.refuse(problem);
        }
        (PatchContent::Operations(list), Some(target)) => {
            operate_on_selected(resources, list, target, entry.is_legacy, findings);
        }
    }
}

/// What a patch may change besides the content of an object.
#[derive(Clone, Copy, Debug, Default)]
struct PatchPermissions {
    name: bool,
    kind: bool,
}

/// A patch that is merged into objects.
struct ObjectPatch {
    /// The patch as an object, for the search of the one that it names.
    named: Resource,
    permissions: PatchPermissions,
}

/// The objects that a patch is for, and where the user says so.
struct PatchTarget {
    selector: TargetSelector,
    field: Field,
}

impl ObjectPatch {
    fn new(root: Field, permissions: PatchPermissions) -> Self {
        Self {
            named: Resource::new(root),
            permissions,
        }
    }

    /// Makes texts of all labels and annotations, null as well: kustomize does so with patches that it copies.
    fn with_text_labels(mut self) -> Self {
        for name in ["labels", "annotations"] {
            write_texts(&mut self.named.root, name);
        }
        self
    }

    /// Takes the API version off, so that objects keep theirs.
    fn for_any_kind(mut self) -> Self {
        self.named.root.remove("apiVersion");
        self
    }

    /// Merges the patch into an object; false where nothing is left of it.
    fn merge_into(&self, resource: &mut Resource) -> Result<bool, Problem> {
        if self.permissions.name || self.permissions.kind {
            resource.remember_id();
        }
        let mut root = resource.root.clone();
        let has_notes = has_build_notes(resource) || resource.provenance.maker.is_some();
        if has_notes {
            write_notes(&mut root);
        }
        let merged = merge_object(root, self.named.root.clone())?;
        let kept = merged.filter(|root| root.entries().is_some_and(|all| !all.is_empty()));
        let Some(mut root) = kept else {
            return Ok(false);
        };
        let before = &resource.root;
        if !self.permissions.kind
            && let Some(kind) = before.get("kind")
        {
            root.set("kind", kind.clone());
        }
        let metadata = root.mapping_at("metadata", &before.origin);
        if !self.permissions.name
            && let Some(name) = before.find(&["metadata", "name"])
        {
            metadata.set("name", name.clone());
        }
        match before.find(&["metadata", "namespace"]) {
            Some(namespace) => metadata.set("namespace", namespace.clone()),
            None => drop(metadata.remove("namespace")),
        }
        let are_notes_lost = has_notes && !take_notes(&mut root);
        resource.root = root;
        if are_notes_lost {
            resource.forget_notes();
        }
        resource.settle_shared();
        if has_build_notes(resource) {
            write_texts(&mut resource.root, "annotations");
        }
        Ok(true)
    }
}

/// Merges a patch into the only object that has, or had, the id that the patch names.
fn merge_into_named(resources: &mut Resources, patch: &ObjectPatch, findings: &mut Findings) {
    let named = &patch.named;
    let mut found = resources
        .list
        .iter()
        .enumerate()
        .filter(|(_, resource)| is_named_by(resource, named));
    let place = named.place();
    match (found.next(), found.next()) {
        (None, _) => {
            let message = format!("no object matches the patch for {}", describe(named));
            let problem = Problem::new(ProblemKind::NoTarget, message, place).with_help(
                "group, version, kind, name and namespace have to be those of an object in `resources`",
            );
            findings.refuse(problem);
        }
        (Some((_, first)), Some(_)) => {
            let message = format!(
                "more than one object matches the patch for {}",
                describe(named)
            );
            let problem = Problem::new(ProblemKind::Ambiguous, message, place)
                .with_related(first.place())
                .with_help("say with `target` which objects the patch is for");
            findings.refuse(problem);
        }
        (Some((index, _)), None) => match patch.merge_into(&mut resources.list[index]) {
            Ok(true) => {}
            Ok(false) => drop(resources.list.remove(index)),
            Err(problem) => findings.refuse(problem),
        },
    }
}

fn merge_into_selected(
    resources: &mut Resources,
    patch: &ObjectPatch,
    target: &PatchTarget,
    findings: &mut Findings,
) {
    let mut matched = false;
    resources.list.retain_mut(|resource| {
        if !target.selector.selects(resource) {
            return true;
        }
        matched = true;
        match patch.merge_into(resource) {
            Ok(kept) => kept,
            Err(problem) => {
                findings.refuse(problem);
                true
            }
        }
    });
    findings.note_target(&target.field, matched, false);
    refuse_equal_ids(resources, patch.named.place(), findings);
}

/// Refuses a patch after which two objects have the same id.
fn refuse_equal_ids(resources: &Resources, patch: &Place, findings: &mut Findings) {
    let mut seen: BTreeMap<[&str; 5], &Resource> = BTreeMap::new();
    for resource in &resources.list {
        let id = [
            resource.name(),
            resource.kind(),
            effective_namespace(resource),
            resource.group(),
            resource.version(),
        ];
        if let Some(first) = seen.insert(id, resource) {
            let message = format!("after this patch two objects are {}", describe(resource));
            let problem = Problem::new(ProblemKind::Duplicate, message, patch);
            findings.refuse(problem.with_related(first.place()));
            return;
        }
    }
}

fn operate_on_selected(
    resources: &mut Resources,
    list: &Field,
    target: &PatchTarget,
    is_legacy: bool,
    findings: &mut Findings,
) {
    let mut selected = resources
        .list
        .iter_mut()
        .filter(|resource| target.selector.selects(resource))
        .peekable();
    findings.note_target(&target.field, selected.peek().is_some(), false);
    if selected.peek().is_none() {
        // kustomize reads the operations for an object that they are for, and only then.
        return;
    }
    let operations = match JsonOperation::read_all(list) {
        Ok(operations) => operations,
        Err(problem) => return findings.refuse(problem),
    };
    for resource in selected {
        if let Err(problem) = operate_on(resource, &operations, is_legacy) {
            findings.refuse(problem);
        }
    }
}

fn operate_on(
    resource: &mut Resource,
    operations: &[JsonOperation],
    is_legacy: bool,
) -> Result<(), Problem> {
    if !is_legacy {
        resource.remember_id();
    }
    let mut root = resource.root.clone();
    // kustomize keeps its notes among the annotations: a patch may add to them where the user has none.
    if has_build_notes(resource) {
        let origin = root.origin.clone();
        root.mapping_at("metadata", &origin)
            .mapping_at("annotations", &origin);
    }
    for operation in operations {
        operation.apply(&mut root)?;
    }
    let last = operations.last().map_or(root.place(), JsonOperation::place);
    for path in [&["kind"][..], &["metadata", "name"]] {
        if root.find_text(path).is_none_or(str::is_empty) {
            let message = format!(
                "after this patch {} has no `{}`",
                describe(resource),
                path.join(".")
            );
            return Err(Problem::new(ProblemKind::Refused, message, last));
        }
    }
    write_texts(&mut root, "annotations");
    round_integers(&mut root);
    root.write_timestamps();
    resource.root = root;
    if operations.iter().any(JsonOperation::replaces_annotations) {
        // Of its own notes kustomize keeps the ids and the hash, but not where an object comes from.
        resource.provenance = Provenance::default();
    }
    resource.unshare();
    Ok(())
}

/// Rounds the whole numbers that a float cannot hold: kustomize reads the patched object as JSON, by floats.
fn round_integers(field: &mut Field) {
    match &mut field.value {
        FieldValue::Scalar(scalar) => {
            if let Some(rounded) = rounded(scalar) {
                scalar.text = rounded;
            }
        }
        FieldValue::Sequence(items) => items.iter_mut().for_each(round_integers),
        FieldValue::Mapping(entries) => entries
            .iter_mut()
            .for_each(|entry| round_integers(&mut entry.value)),
    }
}

/// Returns the text of a whole number after its way through a float, if it is another one.
fn rounded(scalar: &FieldScalar) -> Option<String> {
    const EXACT: u64 = 1 << 53;
    if scalar.kind != ScalarKind::Integer {
        return None;
    }
    let number = scalar.to_json();
    let size = number.as_i64().map(i64::unsigned_abs).or(number.as_u64())?;
    let float = number.as_f64().filter(|_| size > EXACT)?;
    Some(float.to_string())
}

/// Names an object in a message.
pub(crate) fn describe(resource: &Resource) -> String {
    let (kind, name) = (resource.kind(), resource.name());
    match resource.namespace() {
        "" => format!("`{kind}` `{name}`"),
        namespace => format!("`{kind}` `{name}` in namespace `{namespace}`"),
    }
}

#[cfg(test)]
mod tests;
