//! The controls of `baseline`: known ways to gain privileges.

use serde_json::Value;

use super::{Review, ReviewedContainer, array, is_confined, is_unmasked};
use crate::pod_security::{Level, Version, Violation};
use crate::yaml::{Route, Step};

const BASELINE_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Sysctls that are safe, with the minor version that first allowed them.
const SYSCTLS: &[(&str, u32)] = &[
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

impl Review<'_> {
    pub(in crate::pod_security) fn baseline(&mut self) {
        self.host_namespaces();
        self.host_paths();
        self.sysctls();
        self.app_armor_annotations();
        self.context_baseline(None, &self.spec["securityContext"]);
        for container in self.containers.clone() {
            self.context_baseline(Some(&container), container.context());
            self.container_baseline(&container);
        }
    }

    fn host_namespaces(&mut self) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if self.spec[field] == true {
                self.add(
                    Level::Baseline,
                    field,
                    None,
                    Route::parse("spec").then(field),
                    true,
                );
            }
        }
    }

    fn host_paths(&mut self) {
        for (index, volume) in array(&self.spec["volumes"]).iter().enumerate() {
            if !volume["hostPath"].is_null() {
                let route = Route::parse("spec.volumes").then(index).then("hostPath");
                self.add(Level::Baseline, "hostPath", None, route, true);
            }
        }
    }

    fn sysctls(&mut self) {
        for (index, sysctl) in array(&self.spec["securityContext"]["sysctls"])
            .iter()
            .enumerate()
        {
            let name = sysctl["name"].as_str().unwrap_or_default();
            let safe = SYSCTLS
                .iter()
                .any(|(safe, since)| *safe == name && self.version.0 >= *since);
            if !safe {
                let route = Route::parse("spec.securityContext.sysctls")
                    .then(index)
                    .then("name");
                self.add(Level::Baseline, "sysctls", None, route, true);
            }
        }
    }

    fn app_armor_annotations(&mut self) {
        for (key, value) in self.pod["metadata"]["annotations"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let Some(container) =
                key.strip_prefix("container.apparmor.security.beta.kubernetes.io/")
            else {
                continue;
            };
            let profile = value.as_str().unwrap_or_default();
            if !profile.is_empty()
                && profile != "runtime/default"
                && !profile.starts_with("localhost/")
            {
                let route = Route::parse("metadata.annotations").then(key.as_str());
                self.add(
                    Level::Baseline,
                    "appArmorProfile",
                    Some(container),
                    route,
                    true,
                );
            }
        }
    }

    /// What a security context must not have, of the pod or of a container.
    fn context_baseline(&mut self, container: Option<&ReviewedContainer<'_>>, context: &Value) {
        let base =
            container.map_or_else(|| Route::parse("spec"), |container| container.route.clone());
        let name = container.map(|container| container.name.as_str());
        let mut forbid = |control: &'static str, field: &str| {
            let mut route = base.then("securityContext");
            route.0.extend(field.split('.').map(Step::from));
            self.violations.push(Violation {
                control,
                keeps_from: Level::Baseline,
                container: name.map(str::to_owned),
                route,
                explicit: true,
            });
        };
        if context["windowsOptions"]["hostProcess"] == true {
            forbid("hostProcess", "windowsOptions.hostProcess");
        }
        for (control, field) in [
            ("seccompProfile", "seccompProfile.type"),
            ("appArmorProfile", "appArmorProfile.type"),
        ] {
            let profile = &context[control];
            if !profile.is_null() && !is_confined(&profile["type"]) {
                forbid(control, field);
            }
        }
        let linux = &context["seLinuxOptions"];
        let types: &[&str] = if self.version >= Version(31) {
            &[
                "",
                "container_t",
                "container_init_t",
                "container_kvm_t",
                "container_engine_t",
            ]
        } else {
            &["", "container_t", "container_init_t", "container_kvm_t"]
        };
        if !types.contains(&linux["type"].as_str().unwrap_or_default()) {
            forbid("seLinuxOptions", "seLinuxOptions.type");
        }
        for field in ["user", "role"] {
            if linux[field].as_str().is_some_and(|value| !value.is_empty()) {
                forbid("seLinuxOptions", &format!("seLinuxOptions.{field}"));
            }
        }
    }

    fn container_baseline(&mut self, container: &ReviewedContainer<'_>) {
        let context = container.context();
        if context["privileged"] == true {
            self.forbid(container, "privileged", "securityContext.privileged");
        }
        let added = array(&context["capabilities"]["add"]);
        let allowed = |capability: &Value| {
            capability
                .as_str()
                .is_some_and(|name| BASELINE_CAPABILITIES.contains(&name))
        };
        if !added.iter().all(allowed) {
            self.forbid(
                container,
                "capabilities",
                "securityContext.capabilities.add",
            );
        }
        if is_unmasked(context) && !self.user_namespace() {
            self.forbid(container, "procMount", "securityContext.procMount");
        }
        for (index, port) in array(&container.value["ports"]).iter().enumerate() {
            if port["hostPort"].as_i64().is_some_and(|port| port != 0) {
                self.forbid(container, "hostPort", &format!("ports.{index}.hostPort"));
            }
        }
        if self.version >= Version(34) {
            self.probe_hosts(container);
        }
    }

    fn probe_hosts(&mut self, container: &ReviewedContainer<'_>) {
        let places = [
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle.postStart",
            "lifecycle.preStop",
        ];
        for place in places {
            let handler = place
                .split('.')
                .fold(container.value, |value, key| &value[key]);
            for action in ["httpGet", "tcpSocket"] {
                if handler[action]["host"]
                    .as_str()
                    .is_some_and(|host| !host.is_empty())
                {
                    self.forbid(container, "probeHost", &format!("{place}.{action}.host"));
                }
            }
        }
    }
}
