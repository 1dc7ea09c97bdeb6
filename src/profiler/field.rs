//! The fields that a values path may reach, and what is set there to find out.

use serde_json::{Value, json};

use super::chart::at;
use super::known::LearnedValue;
use crate::charts::profile::PROBES;

/// What a candidate path is tried for; where the value turns up decides what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CandidateShape {
    Resources,
    SecurityContext,
    Probe,
    PriorityClass,
    Replicas,
    Spread,
    Affinity,
}

/// A path of values that may be that of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: Vec<String>,
    pub(super) shape: CandidateShape,
    /// What is set there: no other candidate has the same.
    pub(super) sentinel: Value,
}

impl CandidateShape {
    /// Tells by the last key of a path what may stand there.
    fn of(key: &str) -> Option<Self> {
        let key = key.to_lowercase().replace(['-', '_'], "");
        let ends = |end: &[&str]| end.iter().any(|end| key.ends_with(end));
        if ends(&["resources", "resourcerequirements"]) {
            Some(Self::Resources)
        } else if ends(&["securitycontext"]) {
            Some(Self::SecurityContext)
        } else if ends(&["livenessprobe", "readinessprobe", "startupprobe"])
            || ["liveness", "readiness", "startup"].contains(&key.as_str())
        {
            Some(Self::Probe)
        } else if ends(&["priorityclassname", "priorityclass"]) {
            Some(Self::PriorityClass)
        } else if ends(&["replicas", "replicacount"]) {
            Some(Self::Replicas)
        } else if ends(&["topologyspreadconstraints", "topologyspreadconstraint"]) {
            Some(Self::Spread)
        } else if ends(&["affinity"]) {
            Some(Self::Affinity)
        } else {
            None
        }
    }

    fn sentinel(self, number: usize) -> Value {
        let name = format!("klns{number}");
        match self {
            Self::Resources => json!({
                "requests": {"cpu": format!("{number}m"), "memory": format!("{number}Mi")},
                "limits": {"memory": format!("{number}Mi")},
            }),
            Self::SecurityContext => json!({
                "runAsUser": number,
                "seccompProfile": {"type": "Localhost", "localhostProfile": name},
            }),
            Self::Probe => json!({
                "httpGet": {"path": format!("/{name}"), "port": number},
                "periodSeconds": number,
            }),
            Self::PriorityClass => json!(name),
            Self::Replicas => json!(number),
            Self::Spread => json!([
                {"maxSkew": 1, "topologyKey": name, "whenUnsatisfiable": "ScheduleAnyway"}
            ]),
            Self::Affinity => json!({
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchFields": [{"key": name, "operator": "Exists"}]}],
                }},
            }),
        }
    }

    /// Lists the fields of a pod's spec, or of the workload's for `replicas`.
    pub(super) fn pod_fields(self) -> &'static [&'static str] {
        match self {
            Self::SecurityContext => &["securityContext"],
            Self::PriorityClass => &["priorityClassName"],
            Self::Replicas => &["replicas"],
            Self::Spread => &["topologySpreadConstraints"],
            Self::Affinity => &["affinity"],
            Self::Resources | Self::Probe => &[],
        }
    }

    /// Lists the fields of a container.
    pub(super) fn container_fields(self) -> &'static [&'static str] {
        match self {
            Self::Resources => &["resources"],
            Self::SecurityContext => &["securityContext"],
            Self::Probe => &PROBES,
            Self::PriorityClass | Self::Replicas | Self::Spread | Self::Affinity => &[],
        }
    }
}

/// Lists the paths that may be those of fields: of the values that the chart has by default, and of
/// those that its templates read.
pub(super) fn candidates(defaults: &Value, known: &LearnedValue) -> Vec<Candidate> {
    let mut paths = std::collections::BTreeSet::new();
    visit(defaults, &mut Vec::new(), &mut |path, _| {
        paths.insert(path.to_vec());
    });
    known.visit(&mut |path, _| {
        paths.insert(path.to_vec());
    });
    let mut found: Vec<Candidate> = Vec::new();
    let mut replicas = 30;
    for path in paths {
        let Some(shape) = path.last().and_then(|key| CandidateShape::of(key)) else {
            continue;
        };
        if path.iter().any(|key| !is_plain(key)) || !fits(shape, at(defaults, &path)) {
            continue;
        }
        // Replicas are counted through by some charts, so their sentinels are small.
        let number = if shape == CandidateShape::Replicas {
            replicas += 1;
            replicas
        } else {
            7000 + found.len()
        };
        found.push(Candidate {
            path,
            shape,
            sentinel: shape.sentinel(number),
        });
    }
    found
}

/// Returns whether a key can stand in a dotted path.
pub(super) fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.contains(['.', ' ', '\t'])
}

/// Returns whether what stands there by default allows for such a field.
fn fits(shape: CandidateShape, default: Option<&Value>) -> bool {
    let Some(default) = default.filter(|default| !default.is_null()) else {
        return true;
    };
    match shape {
        CandidateShape::Resources
        | CandidateShape::SecurityContext
        | CandidateShape::Probe
        | CandidateShape::Affinity => {
            default.is_object() || default.is_string() || default.is_array()
        }
        CandidateShape::PriorityClass => default.is_string() || default.is_object(),
        CandidateShape::Replicas => default.is_number() || default.is_string(),
        CandidateShape::Spread => !default.is_number() && !default.is_boolean(),
    }
}

/// Calls `visit` with every path of values and what stands there.
pub(super) fn visit(
    value: &Value,
    path: &mut Vec<String>,
    each: &mut dyn FnMut(&[String], &Value),
) {
    if let Value::Object(map) = value {
        for (key, value) in map {
            path.push(key.clone());
            each(path, value);
            visit(value, path, each);
            path.pop();
        }
    }
}
