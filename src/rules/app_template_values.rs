//! The values of bjw-s' app-template, which spell its objects out.

use serde_json::{Map, Value};

use super::Facts;
use crate::source::Place;
use crate::workload::profile::Workloads;
use crate::workload::{Release, values};

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

    /// Returns the place of a key below keys of the values, or of the deepest of them that is there.
    pub(super) fn place(self, keys: &[&str]) -> Place {
        let start = values::route("");
        let route = keys.iter().fold(start, |route, key| route.then(*key));
        self.release.member.place(&route)
    }
}

/// Lists the entries of a mapping that nothing switches off.
pub(super) fn switched_on(
    all: Option<&Map<String, Value>>,
) -> impl Iterator<Item = (&String, &Value)> {
    let all = all.into_iter().flatten();
    all.filter(|(_, value)| value["enabled"] != false)
}
