//! Values that reach several pods or containers: what one wishes must be right for all.

use std::collections::{BTreeMap, BTreeSet};

use super::FIELD;
use super::wishes::{LEAVES, Leaves, Wishes, leaf};
use crate::flux::builds::ManifestUser;
use crate::workload::{PodField, Workload};
use crate::yaml::Route;

/// A place in the tree: file, document and route; and the object that it is a part of, of those of the manifest.
type ContextPlace<'t> = ((&'t str, usize, Route), ManifestUser);

/// The contexts that are written at each place, with who has them.
#[derive(Default)]
pub(super) struct WrittenContexts<'t> {
    contexts: BTreeMap<ContextPlace<'t>, Vec<(String, Leaves)>>,
}

impl<'t> WrittenContexts<'t> {
    /// Notes for every context of the tree what it is, or would be if its workload may gain anything: those in
    /// `open` may.
    pub(super) fn of(
        workloads: &'t [Workload<'t>],
        wishes: &[Wishes],
        open: &BTreeSet<*const Workload<'t>>,
    ) -> Self {
        let mut places = Self::default();
        for (workload, wishes) in workloads.iter().zip(wishes) {
            // Hooks gain nothing, but what is right for them may be written where they share it.
            let open = workload.hook || open.contains(&std::ptr::from_ref(workload));
            let wish = |wish: Option<&Leaves>| wish.filter(|_| open).cloned().unwrap_or_default();
            places.note(workload, &PodField::Pod(FIELD), wish(Some(&wishes.pod)));
            for container in workload.containers() {
                let field = PodField::of(container.name, FIELD);
                places.note(
                    workload,
                    &field,
                    wish(wishes.containers.get(container.name)),
                );
            }
        }
        places
    }

    fn note(&mut self, workload: &Workload<'t>, field: &PodField, mut leaves: Leaves) {
        let Some(place) = workload.written_at(field) else {
            return;
        };
        let key = (place, workload.member.user());
        let present = workload.value(field);
        for name in LEAVES {
            let value = leaf(present, name);
            if !value.is_null() {
                leaves.insert(name, value.clone());
            }
        }
        let contexts = self.contexts.entry(key).or_default();
        contexts.push((who(workload, field), leaves));
    }

    /// Returns the part of a wish that is lacking and right for all who share the place, and one of
    /// those for whom the rest is not.
    pub(super) fn grant(
        &self,
        workload: &Workload<'_>,
        field: &PodField,
        wish: &Leaves,
    ) -> (Leaves, Option<String>) {
        let present = workload.value(field);
        let mut granted = wish.clone();
        granted.retain(|name, _| leaf(present, name).is_null());
        let place = workload.written_at(field);
        let contexts = |place| self.contexts.get(&(place, workload.member.user()));
        let Some(contexts) = place.and_then(contexts) else {
            return (granted, None);
        };
        let mut against = None;
        for (who, leaves) in contexts {
            let before = granted.len();
            granted.retain(|leaf, value| leaves.get(leaf) == Some(value));
            if granted.len() < before && against.is_none() {
                against = Some(who.clone());
            }
        }
        // Without what is added again, too much would be dropped.
        let added = "capabilities.add";
        if wish.contains_key(added) && !granted.contains_key(added) {
            granted.remove("capabilities.drop");
        }
        // A number that is not right for all would be lacking.
        if wish.contains_key("runAsUser") && !granted.contains_key("runAsUser") {
            granted.remove("runAsNonRoot");
        }
        (granted, against)
    }
}

fn who(workload: &Workload<'_>, field: &PodField) -> String {
    let pod = format!("{}/{}", workload.kind, workload.name);
    match field {
        PodField::Pod(_) => format!("`{pod}`"),
        PodField::Container { name, .. } => format!("container `{name}` of `{pod}`"),
    }
}
