//! The routes of the Gateway API: those of manifests, and those of app-template's values.

use kustomize::{Field, FieldEntry};

use crate::flux::AppliedObject;
use crate::rules::Facts;
use crate::rules::objects::is_app_template;
use crate::workload::Release;

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
            let release = facts.release_of(owner);
            let Some(release) = release.filter(|release| is_app_template(release)) else {
                continue;
            };
            let routes = owner.field.find(&["spec", "values", "route"]);
            let routes = routes.and_then(Field::entries).unwrap_or_default();
            for FieldEntry { value: spec, .. } in routes {
                let is_on = spec.find_text(&["enabled"]).is_none_or(|on| on == "true");
                if is_on {
                    found.push(Self {
                        owner,
                        release: Some(release),
                        namespace: release.namespace.clone(),
                        spec,
                    });
                }
            }
        }
        found
    }

    /// Returns whether what its values say may be changed elsewhere.
    pub(super) fn is_changed(&self) -> bool {
        self.release
            .is_some_and(|release| release.values_from || !release.patches.0.is_empty())
    }
}
