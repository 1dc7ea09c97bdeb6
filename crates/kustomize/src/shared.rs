//! Fields of an object that are one and the same to kustomize.
//!
//! kustomize makes one YAML node of a label, and puts it wherever the label was missing. Whoever changes it in place
//! at one of these places later, a label of an overlay, a strategic merge or a replacement, changes all of them.

use spanned_yaml::{Route, Step};

use super::field::{Field, FieldValue};
use super::resource::Resource;

/// A scalar that stands at several places of an object.
#[derive(Clone, Debug)]
pub(crate) struct SharedField {
    /// The places, sorted: kustomize merges in this order, and the last change counts.
    routes: Vec<Route>,
    /// What stands at all of them.
    last: Field,
}

/// The way to a field by positions in mappings and lists, and the key of a value in it.
pub(crate) type FieldPosition = (Vec<usize>, String);

impl Resource {
    /// Remembers that one scalar was put at several places; one place alone shares nothing.
    pub(crate) fn share(&mut self, positions: &[FieldPosition]) {
        let routes = positions
            .iter()
            .filter_map(|(trail, key)| route_of(&self.root, trail, key));
        let mut routes: Vec<Route> = routes.collect();
        for other in &mut self.shared {
            other.routes.retain(|route| !routes.contains(route));
        }
        self.shared.retain(|other| other.routes.len() > 1);
        routes.sort();
        let last = routes.first().and_then(|route| find(&self.root, route));
        if let Some(last) = last.cloned().filter(|_| routes.len() > 1) {
            self.shared.push(SharedField { routes, last });
        }
    }

    /// Forgets what is shared, as kustomize does where it writes an object to JSON and reads it again.
    pub(crate) fn unshare(&mut self) {
        self.shared.clear();
    }

    /// Gives all places of a shared field what was put at one of them.
    pub(crate) fn settle_shared(&mut self) {
        let root = &mut self.root;
        for shared in &mut self.shared {
            shared.routes.retain(|route| find(root, route).is_some());
            let fields = shared.routes.iter().filter_map(|route| find(root, route));
            let mut differing = fields.filter(|field| **field != shared.last);
            let Some(changed) = differing.next_back() else {
                continue;
            };
            shared.last = changed.clone();
            for route in &shared.routes {
                if let Some(field) = find_mut(root, route) {
                    field.clone_from(&shared.last);
                }
            }
        }
        self.shared.retain(|shared| shared.routes.len() > 1);
    }
}

fn route_of(root: &Field, trail: &[usize], key: &str) -> Option<Route> {
    let mut field = root;
    let mut route = Route::default();
    for at in trail {
        match &field.value {
            FieldValue::Mapping(entries) => {
                let entry = entries.get(*at)?;
                route.0.push(Step::from(entry.key.as_str()));
                field = &entry.value;
            }
            FieldValue::Sequence(items) => {
                route.0.push(Step::from(*at));
                field = items.get(*at)?;
            }
            FieldValue::Scalar(_) => return None,
        }
    }
    route.0.push(Step::from(key));
    Some(route)
}

fn find<'f>(root: &'f Field, route: &Route) -> Option<&'f Field> {
    route.0.iter().try_fold(root, |field, step| match step {
        Step::Key(key) => field.get(key),
        Step::Index(index) => field.items()?.get(*index),
    })
}

fn find_mut<'f>(root: &'f mut Field, route: &Route) -> Option<&'f mut Field> {
    route.0.iter().try_fold(root, |field, step| match step {
        Step::Key(key) => field.get_mut(key),
        Step::Index(index) => field.items_mut()?.get_mut(*index),
    })
}

#[cfg(test)]
mod tests {
    use crate::field::Field;
    use crate::transform::sample::SampleBuild;
    use crate::transform::{add_common_labels, add_labels};

    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";
    const LABEL: &str = "metadata/labels/app";
    const SELECTOR: &str = "spec/selector/matchLabels/app";
    const TEMPLATE: &str = "spec/template/metadata/labels/app";

    fn patch(build: &mut SampleBuild) {
        let resource = &mut build.resources.list[0];
        let place = resource.place().clone();
        if let Some(labels) = resource.root.find_mut(&["metadata", "labels"]) {
            labels.set("app", Field::text("patched", place));
        }
        resource.settle_shared();
    }

    fn texts(build: &SampleBuild) -> [Option<&str>; 3] {
        [LABEL, SELECTOR, TEMPLATE].map(|path| build.text(0, path))
    }

    #[test]
    fn a_later_label_of_the_object_changes_its_selector() {
        let build = SampleBuild::of(DEPLOYMENT)
            .run(add_common_labels, "app: one\n")
            .run(add_labels, "- pairs: {app: two}\n");
        assert_eq!(texts(&build), [Some("two"); 3]);
        assert_eq!(build.places(0, SELECTOR), build.places(0, LABEL));
    }

    #[test]
    fn a_label_that_was_there_is_not_shared() {
        let object =
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, labels: {app: zero}}\n";
        let mut build = SampleBuild::of(object).run(add_common_labels, "app: one\n");
        patch(&mut build);
        assert_eq!(texts(&build), [Some("patched"), Some("one"), Some("one")]);
    }

    #[test]
    fn a_change_in_place_changes_all_until_the_object_is_written_anew() {
        let mut build = SampleBuild::of(DEPLOYMENT).run(add_common_labels, "app: one\n");
        patch(&mut build);
        assert_eq!(texts(&build), [Some("patched"); 3]);
        let mut build = SampleBuild::of(DEPLOYMENT).run(add_common_labels, "app: one\n");
        build.resources.list[0].unshare();
        patch(&mut build);
        assert_eq!(texts(&build), [Some("patched"), Some("one"), Some("one")]);
    }

    #[test]
    fn a_place_that_is_gone_shares_nothing() {
        let mut build = SampleBuild::of(DEPLOYMENT).run(add_common_labels, "app: one\n");
        let root = &mut build.resources.list[0].root;
        if let Some(metadata) = root.get_mut("metadata") {
            metadata.remove("labels");
        }
        build.resources.list[0].settle_shared();
        assert_eq!(texts(&build), [None, Some("one"), Some("one")]);
    }
}
