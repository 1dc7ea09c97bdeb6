//! The controls, one by one.

use serde_json::Value;

use super::{Level, Version, Violation};
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
];

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

/// A pod under review.
pub(super) struct Review<'p> {
    pod: &'p Value,
    spec: &'p Value,
    version: Version,
    containers: Vec<Container<'p>>,
    pub(super) violations: Vec<Violation>,
}

#[derive(Clone)]
struct Container<'p> {
    name: String,
    route: Route,
    value: &'p Value,
}

impl Container<'_> {
    fn context(&self) -> &Value {
        &self.value["securityContext"]
    }
}

impl<'p> Review<'p> {
    pub(super) fn new(pod: &'p Value, version: Version) -> Self {
        let spec = &pod["spec"];
        let mut containers = Vec::new();
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, value) in array(&spec[list]).iter().enumerate() {
                containers.push(Container {
                    name: value["name"].as_str().unwrap_or_default().to_owned(),
                    route: Route::parse("spec").then(list).then(index),
                    value,
                });
            }
        }
        Self {
            pod,
            spec,
            version,
            containers,
            violations: Vec::new(),
        }
    }

    pub(super) fn baseline(&mut self) {
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

    pub(super) fn restricted(&mut self) {
        self.restricted_volumes();
        let pod_context = &self.spec["securityContext"];
        let pod_seccomp = &pod_context["seccompProfile"]["type"];
        // `Unconfined` breaks baseline already, and is reported there.
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
            let own = &container.context()["seccompProfile"]["type"];
            if !self.is_windows() && !is_confined(own) && (!own.is_null() || !seccomp_below) {
                self.restrict(
                    &container,
                    "seccompProfile",
                    "seccompProfile.type",
                    !own.is_null(),
                );
            }
        }
    }

    fn is_windows(&self) -> bool {
        self.spec["os"]["name"] == "windows"
    }

    /// Pods with a user namespace may be root in it, by the standard of 1.35.
    fn user_namespace(&self) -> bool {
        self.version >= Version(35) && self.spec["hostUsers"] == false
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
    fn context_baseline(&mut self, container: Option<&Container<'_>>, context: &Value) {
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
        if context["seccompProfile"]["type"] == "Unconfined" {
            forbid("seccompProfile", "seccompProfile.type");
        }
        if context["appArmorProfile"]["type"] == "Unconfined" {
            forbid("appArmorProfile", "appArmorProfile.type");
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

    fn container_baseline(&mut self, container: &Container<'_>) {
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
        let mount = context["procMount"].as_str().unwrap_or("Default");
        if mount != "Default" && !self.user_namespace() {
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

    fn probe_hosts(&mut self, container: &Container<'_>) {
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

    fn restricted_volumes(&mut self) {
        for (index, volume) in array(&self.spec["volumes"]).iter().enumerate() {
            let allowed = RESTRICTED_VOLUMES
                .iter()
                .any(|kind| !volume[*kind].is_null());
            if !allowed {
                let route = Route::parse("spec.volumes").then(index);
                self.add(Level::Restricted, "volumes", None, route, true);
            }
        }
    }

    fn restricted_privileges(&mut self, container: &Container<'_>) {
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

    fn restricted_users(&mut self, container: &Container<'_>, non_root_below: bool) {
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

    fn forbid(&mut self, container: &Container<'_>, control: &'static str, field: &str) {
        let mut route = container.route.clone();
        route.0.extend(steps(field));
        self.add(Level::Baseline, control, Some(&container.name), route, true);
    }

    fn restrict(
        &mut self,
        container: &Container<'_>,
        control: &'static str,
        field: &str,
        explicit: bool,
    ) {
        let mut route = container.route.then("securityContext");
        route.0.extend(steps(field));
        self.add(
            Level::Restricted,
            control,
            Some(&container.name),
            route,
            explicit,
        );
    }

    fn pod(&mut self, control: &'static str, field: &str) {
        let mut route = Route::parse("spec");
        route.0.extend(steps(field));
        self.add(Level::Restricted, control, None, route, true);
    }

    fn add(
        &mut self,
        keeps_from: Level,
        control: &'static str,
        container: Option<&str>,
        route: Route,
        explicit: bool,
    ) {
        self.violations.push(Violation {
            control,
            keeps_from,
            container: container.map(str::to_owned),
            route,
            explicit,
        });
    }
}

fn steps(field: &str) -> impl Iterator<Item = Step> {
    field
        .split('.')
        .map(|step| step.parse().map_or_else(|_| Step::from(step), Step::Index))
}

fn is_confined(seccomp: &Value) -> bool {
    seccomp == "RuntimeDefault" || seccomp == "Localhost"
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
