//! What would be right for a workload, whether it has it or not.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::FIELD;
use crate::pod_security::{Level, Version, Violation, evaluate};
use crate::workload::{Home, Workload, WorkloadContainer};

/// A part of a security context, as a dotted path.
pub(super) type Leaf = &'static str;

/// Parts of a security context with what they are set to.
pub(super) type Leaves = BTreeMap<Leaf, Value>;

/// The seccomp profile.
pub(super) const SECCOMP: Leaf = "seccompProfile.type";

/// All parts, in the order in which they are written.
pub(super) const LEAVES: [Leaf; 7] = [
    "runAsNonRoot",
    "runAsUser",
    "allowPrivilegeEscalation",
    "readOnlyRootFilesystem",
    "capabilities.add",
    "capabilities.drop",
    SECCOMP,
];

/// The parts that containers inherit from their pod.
pub(super) const INHERITED: [Leaf; 2] = ["runAsNonRoot", SECCOMP];

/// The capability that `restricted` lets a container add: to listen on ports below 1024.
const LOW_PORTS: &str = "NET_BIND_SERVICE";

/// What says of an image that it runs as another user than root, if nothing in the tree does.
const PROFILE: &str = "the profile of its chart";

/// What shows that a pod needs the node: the controls of `baseline` that are not mere settings.
const NODE: [&str; 10] = [
    "capabilities",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPath",
    "hostPort",
    "hostProcess",
    "privileged",
    "procMount",
    "seLinuxOptions",
];

/// Reads a part of a context.
pub(super) fn leaf<'v>(context: &'v Value, leaf: &str) -> &'v Value {
    leaf.split('.').fold(context, |value, key| &value[key])
}

/// Puts parts together to a context, in the order in which they are written.
pub(super) fn nested(leaves: &Leaves) -> Value {
    let mut context = Map::new();
    for leaf in LEAVES {
        let Some(value) = leaves.get(leaf) else {
            continue;
        };
        match leaf.split_once('.') {
            Some((outer, inner)) => {
                let outer = context.entry(outer).or_insert_with(|| json!({}));
                outer[inner] = value.clone();
            }
            None => {
                context.insert(leaf.to_owned(), value.clone());
            }
        }
    }
    Value::Object(context)
}

/// What is known of the user that a container runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// Another than root, and what says so.
    Other(&'static str),
    /// Root: its author says so.
    Root,
    /// Nobody knows.
    Unknown,
}

impl User {
    /// Reads it from the contexts of container and pod, or from the profile of the chart.
    ///
    /// A number counts more than `runAsNonRoot`, as it does for the kubelet.
    pub(super) fn of(workload: &Workload<'_>, container: WorkloadContainer<'_>) -> Self {
        let own = &container.value[FIELD];
        let pod = &workload.pod["spec"][FIELD];
        let set = |key: &str| {
            if own[key].is_null() {
                &pod[key]
            } else {
                &own[key]
            }
        };
        let (user, non_root) = (set("runAsUser"), set("runAsNonRoot"));
        let known = workload.known_container(container.name);
        if *user == 0 {
            Self::Root
        } else if user.is_u64() {
            Self::Other("its `runAsUser`")
        } else if !user.is_null() {
            Self::Unknown
        } else if *non_root == true {
            Self::Other("its `runAsNonRoot`")
        } else if non_root.is_null() && known.is_some_and(|known| known.non_root) {
            Self::Other(PROFILE)
        } else {
            Self::Unknown
        }
    }
}

/// Returns what shows that a pod needs the node, and so can never be more than privileged.
pub(super) fn needs_node(pod: &Value, version: Version) -> Vec<Violation> {
    let mut found = evaluate(pod, version);
    found.retain(|found| found.keeps_from == Level::Baseline && NODE.contains(&found.control));
    found
}

/// What would be right for the contexts of a workload.
#[derive(Default)]
pub(super) struct Wishes {
    /// For its pod.
    pub(super) pod: Leaves,
    /// For its containers, by name.
    pub(super) containers: BTreeMap<String, Leaves>,
}

impl Wishes {
    pub(super) fn of(workload: &Workload<'_>, version: Version) -> Self {
        let mut wishes = Self::default();
        let windows = workload.pod["spec"]["os"]["name"] == "windows";
        if windows || !needs_node(&workload.pod, version).is_empty() {
            return wishes;
        }
        let mut non_root = !brings_containers(workload);
        for container in workload.containers() {
            let own = &container.value[FIELD];
            let known = matches!(User::of(workload, container), User::Other(_));
            non_root &= known || !own["runAsNonRoot"].is_null();
            let wish = wish(workload, container, known);
            wishes.containers.insert(container.name.to_owned(), wish);
        }
        if !wishes.containers.is_empty() {
            wishes.pod.insert(SECCOMP, json!("RuntimeDefault"));
            if non_root {
                wishes.pod.insert("runAsNonRoot", json!(true));
            }
        }
        wishes
    }
}

fn wish(workload: &Workload<'_>, container: WorkloadContainer<'_>, non_root: bool) -> Leaves {
    let mut wish = Leaves::new();
    let own = &container.value[FIELD];
    if own["seccompProfile"].is_null() {
        wish.insert(SECCOMP, json!("RuntimeDefault"));
    }
    let known = workload.known_container(container.name);
    if known.is_some_and(|known| known.read_only) {
        wish.insert("readOnlyRootFilesystem", json!(true));
    }
    if !non_root {
        return wish;
    }
    wish.insert("runAsNonRoot", json!(true));
    // Where only the profile says so, since what the author writes may be about an image of his own.
    if let Some(user) = known.and_then(|known| known.user)
        && User::of(workload, container) == User::Other(PROFILE)
    {
        wish.insert("runAsUser", json!(user));
    }
    let added = own["capabilities"]["add"].as_array();
    // What else is added may be gained from a file only where privileges may be.
    if !added.is_some_and(|added| added.iter().any(|name| name != LOW_PORTS)) {
        wish.insert("allowPrivilegeEscalation", json!(false));
    }
    if own["capabilities"]["drop"].is_null() {
        wish.insert("capabilities.drop", json!(["ALL"]));
        // A program whose file asks for a capability does not start without it.
        if own["capabilities"]["add"].is_null() && has_low_port(container) {
            wish.insert("capabilities.add", json!([LOW_PORTS]));
        }
    }
    wish
}

fn has_low_port(container: WorkloadContainer<'_>) -> bool {
    let mut ports = container.value["ports"].as_array().into_iter().flatten();
    ports.any(|port| {
        port["containerPort"]
            .as_u64()
            .is_some_and(|port| port < 1024)
    })
}

/// Returns whether the values of a release, or a custom resource, hold containers that no profile can know.
fn brings_containers(workload: &Workload<'_>) -> bool {
    match workload.home {
        Home::Chart(release, _) => holds_containers(&release.values),
        Home::Operand(_) => {
            let resource = workload.member.field.to_json();
            resource.as_object().is_some_and(holds_containers)
        }
        Home::Manifest(_) | Home::AppTemplate(..) => false,
    }
}

fn holds_containers(values: &Map<String, Value>) -> bool {
    values.iter().any(|(key, value)| {
        let named = key.ends_with("ontainers") || key.ends_with("idecars");
        match value {
            Value::Array(items) => named && !items.is_empty(),
            Value::Object(map) => (named && !map.is_empty()) || holds_containers(map),
            _ => false,
        }
    })
}
