//! Raw workloads: where a manifest holds its pod.

use serde_json::{Map, Value};

use crate::tree::object::Object;
use crate::yaml::{Node, Route};

/// Returns the route of the pod template (`metadata` and `spec`) in an object of a kind that runs pods.
pub fn pod_route(object: Object<'_>) -> Option<Route> {
    let route = match (object.group(), object.kind()) {
        ("", "Pod") => Route::default(),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("", "ReplicationController") => Route::parse("spec.template"),
        ("batch", "CronJob") => Route::parse("spec.jobTemplate.spec.template"),
        ("", "PodTemplate") => Route::parse("template"),
        _ => return None,
    };
    Some(route)
}

/// Returns the pod of a raw workload as the API server would read it.
pub fn pod(object: Object<'_>) -> Option<(Route, Value)> {
    let route = pod_route(object)?;
    let pod = object
        .root
        .at(&route)
        .map_or(Value::Null, Node::to_kubernetes);
    Some((route, pod))
}

/// Reads a dotted path of chart values.
pub fn at<'v>(values: &'v Map<String, Value>, dotted: &str) -> Option<&'v Value> {
    let mut keys = dotted.split('.');
    let first = values.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}
