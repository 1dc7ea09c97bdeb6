//! Rights and powers that are new.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Danger, DangerSubject, text};
use crate::tree::images::walk_mappings;

const RBAC: &str = "rbac.authorization.k8s.io";
const ENFORCE: &str = "/metadata/labels/pod-security.kubernetes.io~1enforce";
/// The Pod Security levels, the weakest first.
const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];

pub(super) fn find(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    let subject = &seen.change.subject;
    let old = powers(seen.before);
    for (route, power) in powers(seen.after).difference(&old) {
        let (code, why) = match *power {
            "privileged" => (
                "privileged",
                "a privileged container can do all that root on the node can",
            ),
            "hostPath" => (
                "host-access",
                "who can write the pod's files can write those of the node",
            ),
            _ => (
                "host-access",
                "the pod sees what other pods and the node do",
            ),
        };
        let message = format!("`{route}` of `{subject}` is new");
        found.push(seen.danger(code, route, message, why.to_owned()));
    }
    grants(seen, found);
    level(seen, found);
}

/// Lists the settings that lift a container over its node, each with its way.
fn powers(value: Option<&Value>) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    let Some(value) = value else { return found };
    walk_mappings(value, "", &mut |route, entries| {
        for key in [
            "privileged",
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "hostPath",
        ] {
            let on = match entries.get(key) {
                Some(Value::Bool(on)) => *on,
                Some(Value::Object(_)) => key == "hostPath",
                _ => false,
            };
            if on {
                found.insert((
                    format!("{route}.{key}").trim_start_matches('.').to_owned(),
                    key,
                ));
            }
        }
    });
    found
}

fn grants(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    let subject = &seen.change.subject;
    if subject.group != RBAC {
        return;
    }
    match subject.kind.as_str() {
        "ClusterRoleBinding" | "RoleBinding" => {
            let bound = |value| text(value, "/roleRef/name") == Some("cluster-admin");
            let old = if bound(seen.before) {
                who(seen.before)
            } else {
                BTreeSet::new()
            };
            if !bound(seen.after) {
                return;
            }
            for name in who(seen.after).difference(&old) {
                let message = format!("`{subject}` makes {name} `cluster-admin`");
                let why = if subject.kind == "RoleBinding" {
                    "that is every right in the namespace"
                } else {
                    "that is every right in the cluster"
                };
                found.push(seen.danger("cluster-admin", "subjects", message, why.to_owned()));
            }
        }
        "ClusterRole" | "Role" if allows_all(seen.after) && !allows_all(seen.before) => {
            let message = format!("`{subject}` allows everything");
            let why = "whoever is bound to it is as good as `cluster-admin`".to_owned();
            found.push(seen.danger("cluster-admin", "rules", message, why));
        }
        _ => {}
    }
}

fn who(value: Option<&Value>) -> BTreeSet<String> {
    let subjects = value.and_then(|value| value.get("subjects")?.as_array());
    let name = |subject: &Value| {
        let field = |key: &str| subject.get(key).and_then(Value::as_str);
        let parts = [field("kind"), field("namespace"), field("name")];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        format!("`{}`", parts.join("/"))
    };
    subjects.into_iter().flatten().map(name).collect()
}

fn allows_all(value: Option<&Value>) -> bool {
    let rules = value.and_then(|value| value.get("rules")?.as_array());
    let star = |rule: &Value, key: &str| {
        let items = rule.get(key).and_then(Value::as_array);
        items.is_some_and(|items| items.iter().any(|item| item == "*"))
    };
    let all = |rule: &Value| {
        ["apiGroups", "resources", "verbs"]
            .iter()
            .all(|key| star(rule, key))
    };
    rules.is_some_and(|rules| rules.iter().any(all))
}

fn level(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    let subject = &seen.change.subject;
    if !subject.is("", "Namespace") || seen.before.is_none() || seen.after.is_none() {
        return;
    }
    let rank = |value| {
        let level = text(value, ENFORCE)?;
        LEVELS.iter().position(|known| *known == level)
    };
    let (old, new) = (rank(seen.before), rank(seen.after));
    let Some(before) = old.filter(|before| new.is_none_or(|new| new < *before)) else {
        return;
    };
    let now = new.map_or("nothing", |new| LEVELS[new]);
    let message = format!(
        "`{subject}` enforces `{now}` instead of `{}`",
        LEVELS[before]
    );
    let why = "pods that were refused until now are let in".to_owned();
    found.push(seen.danger("pod-security-lowered", "metadata.labels", message, why));
}
