//! The routes of the Gateway API: those of manifests, and those in values of releases.

use kustomize::Field;

use crate::charts::Release;
use crate::flux::AppliedObject;
use crate::rules::Facts;
use crate::rules::objects::is_app_template;

pub(super) const GATEWAY: &str = "gateway.networking.k8s.io";

/// A route.
pub(super) struct WrittenRoute<'f> {
    /// The object that it is, or the release that makes it.
    pub(super) owner: &'f AppliedObject,
    /// The release that makes it.
    pub(super) release: Option<&'f Release<'f>>,
    /// Where it goes.
    pub(super) namespace: String,
    /// Its spec, or what stands for it in values.
    pub(super) spec: &'f Field,
}

impl<'f> WrittenRoute<'f> {
    /// Lists the routes of all clusters.
    pub(super) fn all(facts: &'f Facts<'_>) -> Vec<Self> {
        let mut found = Vec::new();
        for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] {
            for owner in facts.unique_objects(GATEWAY, kind) {
                found.extend(owner.field.get("spec").map(|spec| Self {
                    owner,
                    release: None,
                    namespace: owner.key().namespace,
                    spec,
                }));
            }
        }
        for owner in facts.unique_objects("helm.toolkit.fluxcd.io", "HelmRelease") {
            let (Some(release), Some(values)) = (
                facts.release_of(owner),
                owner.field.find(&["spec", "values"]),
            ) else {
                continue;
            };
            for spec in routes_in(values) {
                found.push(Self {
                    owner,
                    release: Some(release),
                    namespace: release.namespace.clone(),
                    spec,
                });
            }
        }
        found
    }

    /// Returns whether it is sure that the route is made as it is written: a chart may not read its values.
    pub(super) fn counts(&self) -> bool {
        self.release.is_none_or(|release| {
            is_app_template(release) && !release.values_from && release.patches.0.is_empty()
        })
    }

    /// Returns whether its rules are spelt as those of the Gateway API.
    pub(super) fn spells_rules(&self) -> bool {
        self.release.is_none_or(is_app_template)
    }
}

/// Lists what stands for routes in values: each mapping that is switched on and has `parentRefs`.
fn routes_in(values: &Field) -> Vec<&Field> {
    let mut found = Vec::new();
    let mut pending = vec![values];
    while let Some(value) = pending.pop() {
        if value.find_text(&["enabled"]).is_some_and(|on| on != "true") {
            continue;
        }
        if value.get("parentRefs").and_then(Field::items).is_some() {
            found.push(value);
        }
        let entries = value.entries().unwrap_or_default();
        pending.extend(entries.iter().rev().map(|entry| &entry.value));
        pending.extend(value.items().unwrap_or_default().iter().rev());
    }
    found
}
