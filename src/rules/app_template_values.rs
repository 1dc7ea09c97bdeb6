//! The values of bjw-s' app-template, which spell its objects out.

use serde_json::{Map, Value};

use super::Facts;
use crate::charts::profile::Workloads;
use crate::charts::{Release, values};
use crate::source::Place;

/// A release of app-template of which all values are in the tree.
#[derive(Clone, Copy)]
pub(super) struct AppTemplateValues<'t> {
    pub(super) release: &'t Release<'t>,
}

impl<'t> AppTemplateValues<'t> {
    /// Lists them.
    pub(super) fn all(facts: &Facts<'t>) -> impl Iterator<Item = Self> {
        facts.releases.iter().filter_map(Self::of)
    }

    /// Takes a release, if it is one.
    pub(super) fn of(release: &'t Release<'t>) -> Option<Self> {
        let profile = release.profile()?;
        let is_spelled = matches!(profile.workloads, Workloads::AppTemplate);
        (is_spelled && !release.values_from).then_some(Self { release })
    }

    /// Lists what is on among `controllers`, `service` or `persistence`.
    pub(super) fn entries(self, key: &str) -> impl Iterator<Item = (&'t String, &'t Value)> {
        let all = self.release.values.get(key).and_then(Value::as_object);
        switched_on(all)
    }

    /// Returns what stands below keys of the values.
    pub(super) fn get(self, keys: &[&str]) -> Option<&'t Value> {
        let (first, rest) = keys.split_first()?;
        let first = self.release.values.get(*first)?;
        rest.iter().try_fold(first, |value, key| value.get(*key))
    }

    /// Returns the place of a key below keys of the values, or of the deepest of them that is there.
    pub(super) fn place(self, keys: &[&str]) -> Place {
        let start = values::route("");
        let route = keys.iter().fold(start, |route, key| route.then(*key));
        self.release.member.place(&route)
    }
}

/// Returns whether nothing gives a container of a controller an image.
pub(super) fn lacks_image(controller: &Value, container: &Value) -> bool {
    let has_repository = |image: &Value| {
        let text = image.as_str().or_else(|| image["repository"].as_str());
        text.is_some_and(|text| !text.is_empty())
    };
    let shared = &controller["defaultContainerOptions"]["image"];
    !has_repository(&container["image"]) && !has_repository(shared)
}

/// Returns the key of a container that is spelt nearly like `image`.
pub(super) fn misspelled_image(container: &Value) -> Option<&str> {
    let mut keys = container.as_object()?.keys();
    let found = keys.find(|key| strsim::damerau_levenshtein(key, "image") == 1);
    found.map(String::as_str)
}

/// Lists the entries of a mapping that nothing switches off.
pub(super) fn switched_on(
    all: Option<&Map<String, Value>>,
) -> impl Iterator<Item = (&String, &Value)> {
    let all = all.into_iter().flatten();
    all.filter(|(_, value)| value["enabled"] != false)
}
