//! The controls of `restricted`: the current practice of hardening.

use serde_json::Value;

use super::{Review, ReviewedContainer, array, is_confined, is_unmasked};
use crate::pod_security::{Level, Version};
use crate::yaml::Route;

const RESTRICTED_VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// The minor version of Kubernetes that first let `restricted` pods mount images, whatever version
/// of the standard a label asks for.
const IMAGE_VOLUMES: Version = Version(33);

impl Review<'_> {
    pub(in crate::pod_security) fn restricted(&mut self) {
        self.restricted_volumes();
        let pod_context = &self.spec["securityContext"];
        let pod_seccomp = &pod_context["seccompProfile"]["type"];
        // A profile that is set and confines nothing breaks baseline already, and is reported there.
        let seccomp_below = is_confined(pod_seccomp);
        if let Some(false) = pod_context["runAsNonRoot"]
            .as_bool()
            .filter(|_| !self.user_namespace())
        {
            self.pod("runAsNonRoot", "securityContext.runAsNonRoot");
        }
        let non_root_below = pod_context["runAsNonRoot"] == true;
        if pod_context["runAsUser"] == 0 && !self.user_namespace() {
            self.pod("runAsUser", "securityContext.runAsUser");
        }
        for container in self.containers.clone() {
            self.restricted_privileges(&container);
            self.restricted_users(&container, non_root_below);
            self.restricted_proc_mount(&container);
            let own = &container.context()["seccompProfile"];
            if !self.is_windows() && own.is_null() && !seccomp_below {
                self.restrict(&container, "seccompProfile", "seccompProfile.type", false);
            }
        }
    }

    fn restricted_volumes(&mut self) {
        for (index, volume) in array(&self.spec["volumes"]).iter().enumerate() {
            if !self.is_restricted_volume(volume) {
                let route = Route::parse("spec.volumes").then(index);
                self.add(Level::Restricted, "volumes", None, route, true);
            }
        }
    }

    /// A volume that names no source is an `emptyDir` by the API server's default.
    fn is_restricted_volume(&self, volume: &Value) -> bool {
        let sources = volume.as_object().into_iter().flatten();
        let mut sources = sources
            .filter(|(key, source)| *key != "name" && !source.is_null())
            .map(|(key, _)| key.as_str())
            .peekable();
        sources.peek().is_none()
            || sources.any(|source| {
                RESTRICTED_VOLUMES.contains(&source)
                    || (source == "image" && self.version >= IMAGE_VOLUMES)
            })
    }

    /// Since 1.35, baseline lets pods with a user namespace unmask `/proc`; restricted does not.
    fn restricted_proc_mount(&mut self, container: &ReviewedContainer<'_>) {
        if is_unmasked(container.context()) && self.user_namespace() {
            self.restrict(container, "procMount", "procMount", true);
        }
    }

    fn restricted_privileges(&mut self, container: &ReviewedContainer<'_>) {
        if self.is_windows() {
            return;
        }
        let context = container.context();
        let escalation = &context["allowPrivilegeEscalation"];
        if *escalation != false {
            let explicit = !escalation.is_null();
            self.restrict(
                container,
                "allowPrivilegeEscalation",
                "allowPrivilegeEscalation",
                explicit,
            );
        }
        let capabilities = &context["capabilities"];
        if !array(&capabilities["drop"])
            .iter()
            .any(|name| name == "ALL")
        {
            let explicit = !capabilities["drop"].is_null();
            self.restrict(container, "capabilities", "capabilities.drop", explicit);
        }
        if array(&capabilities["add"])
            .iter()
            .any(|name| name != "NET_BIND_SERVICE")
        {
            self.restrict(container, "capabilities", "capabilities.add", true);
        }
    }

    fn restricted_users(&mut self, container: &ReviewedContainer<'_>, non_root_below: bool) {
        if self.user_namespace() {
            return;
        }
        let context = container.context();
        match context["runAsNonRoot"].as_bool() {
            Some(true) => {}
            None if non_root_below => {}
            set => self.restrict(container, "runAsNonRoot", "runAsNonRoot", set.is_some()),
        }
        if context["runAsUser"] == 0 {
            self.restrict(container, "runAsUser", "runAsUser", true);
        }
    }
}
