//! PodDisruptionBudgets: which pods one selects, whether it lets any of them go, and those that charts make.

use kustomize::Field;
use serde_json::{Map, Value};

use super::{Home, Workload};
use crate::charts::values::{at, coalesce};
use crate::charts::{Release, profile};
use crate::flux::builds::Builds;
use crate::source::Place;

/// Whether a budget selects the pods of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selects {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It asks for labels of which nobody knows whether the pods have them.
    Maybe,
}

/// A budget that somebody wrote: as a manifest, or among the values of a release.
#[derive(Clone, Debug)]
pub struct DisruptionBudget {
    /// Its name; empty when it stands among values.
    pub name: String,
    /// The namespace it holds in.
    pub namespace: String,
    /// Its spec; the selector is null where it is made by a template.
    pub spec: Value,
    /// Where it is named.
    pub place: Place,
}

impl DisruptionBudget {
    /// Lists the budgets of a tree: manifests, and objects that releases bring among their values.
    pub fn all(builds: &Builds<'_>, releases: &[Release<'_>]) -> Vec<Self> {
        let mut found: Vec<Self> = builds
            .of_kind("policy", "PodDisruptionBudget")
            .map(|member| Self {
                name: member.name.clone(),
                namespace: member.namespace_name().to_owned(),
                spec: member.value("spec"),
                place: member.name_place(),
            })
            .collect();
        for release in releases {
            for spec in among(&release.values) {
                found.push(Self {
                    name: String::new(),
                    namespace: release.namespace.clone(),
                    spec,
                    place: release.values_place(""),
                });
            }
        }
        found
    }

    /// Returns whether it selects the pods of a workload.
    pub fn selects(&self, workload: &Workload<'_>) -> Selects {
        if self.namespace != workload.namespace {
            return Selects::No;
        }
        match self.spec.get("selector") {
            Some(Value::Object(selector)) => select(selector, workload),
            // In `policy/v1`, a budget without a selector selects nothing; a templated one anything.
            _ if self.name.is_empty() => Selects::Maybe,
            _ => Selects::No,
        }
    }
}

/// Finds objects of the kind among values, such as `rawResources` and `extraObjects`.
fn among(values: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    let mut pending: Vec<&Value> = values.values().collect();
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(map) if map.get("kind") == Some(&"PodDisruptionBudget".into()) => {
                // App-template nests the spec in a spec.
                let spec = &value["spec"];
                let inner = if spec["spec"].is_object() {
                    &spec["spec"]
                } else {
                    spec
                };
                let mut spec = inner.clone();
                if spec["selector"].to_string().contains("{{") {
                    spec["selector"] = Value::Null;
                }
                found.push(spec);
            }
            Value::Object(map) => pending.extend(map.values()),
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    found
}

/// Asks a label selector about the pods of a workload; an empty one selects everything.
pub fn select(selector: &Map<String, Value>, workload: &Workload<'_>) -> Selects {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let mut answer = Selects::Yes;
    for (key, wanted) in labels.into_iter().flatten() {
        let held = workload.label_of(key);
        let is = held.map(|held| held.is_some_and(|held| wanted == held));
        answer = both(answer, is);
    }
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let held = workload.label_of(expression["key"].as_str().unwrap_or_default());
        let is = held.map(|held| {
            let listed = |held: &str| {
                let values = expression["values"].as_array();
                values.is_some_and(|values| values.iter().any(|value| value == held))
            };
            match expression["operator"].as_str() {
                Some("In") => held.is_some_and(listed),
                Some("NotIn") => !held.is_some_and(listed),
                Some("Exists") => held.is_some(),
                Some("DoesNotExist") => held.is_none(),
                _ => false,
            }
        });
        answer = both(answer, is);
    }
    answer
}

fn both(answer: Selects, next: Option<bool>) -> Selects {
    match (answer, next) {
        (Selects::No, _) | (_, Some(false)) => Selects::No,
        (Selects::Maybe, _) | (_, None) => Selects::Maybe,
        (Selects::Yes, Some(true)) => Selects::Yes,
    }
}

/// Returns whether the spec of a budget ever lets one of so many healthy pods go.
///
/// Percentages are rounded up, as the disruption controller does with either field.
pub fn allows_eviction(spec: &Value, replicas: u64) -> bool {
    if let Some(most) = count(&spec["maxUnavailable"], replicas) {
        return most > 0;
    }
    count(&spec["minAvailable"], replicas).is_none_or(|least| least < replicas)
}

/// Reads a number or a percentage of replicas.
fn count(value: &Value, replicas: u64) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => match text.strip_suffix('%') {
            Some(percent) => {
                let percent: u64 = percent.trim().parse().ok()?;
                Some((percent * replicas).div_ceil(100))
            }
            None => text.parse().ok(),
        },
        _ => None,
    }
}

/// The budget that a chart or an operator makes for a workload by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// Its spec, as far as known; empty when nobody knows more than that there is one.
    pub spec: Value,
    /// Whether the author said something of it.
    pub by_author: bool,
}

/// Returns the budget that comes with a workload, if one does.
///
/// The profile says what the chart makes by default; the values of the release are laid over it.
pub fn own(workload: &Workload<'_>) -> Option<Own> {
    let known = workload.known()?.budget.as_ref()?;
    let written = |setting: Option<&profile::Setting>| {
        setting.and_then(|setting| setting_value(workload, &setting.path))
    };
    let switched = written(known.disable.as_ref());
    if let (Some(value), Some(disable)) = (&switched, &known.disable)
        && *value == disable.value
    {
        return None;
    }
    let asked = written(known.enable.as_ref());
    let by_author = switched.is_some() || asked.is_some();
    let by_default = known.default.is_some()
        || (known.when_replicated && workload.replicas.is_some_and(|replicas| replicas > 1));
    let on = match (&asked, &known.enable) {
        (Some(asked), Some(enable)) => turned_on(asked, &enable.value).unwrap_or(by_default),
        _ => by_default || switched.is_some(),
    };
    on.then(|| {
        let mut spec = known.default.clone().unwrap_or_default();
        if let Some(Value::Object(asked)) = asked {
            for field in ["minAvailable", "maxUnavailable"] {
                if let Some(value) = asked.get(field) {
                    spec = coalesce(&spec, &serde_json::json!({ field: value }));
                }
            }
        }
        Own { spec, by_author }
    })
}

/// Returns the name of the budget that the chart makes for a workload, if it makes one.
///
/// Where nobody has looked it is taken to be that of the workload, as it is in most charts.
pub fn own_name(workload: &Workload<'_>) -> Option<String> {
    let Home::Chart(release, known) = &workload.home else {
        return None;
    };
    own(workload)?;
    let name = known.budget.as_ref()?.name.as_ref();
    Some(name.map_or_else(|| workload.name.clone(), |name| release.fill(name)))
}

/// Returns whether what the author wrote switches a budget on, by what is known to; `None` where it
/// says neither.
fn turned_on(asked: &Value, known: &Value) -> Option<bool> {
    let (Value::Object(asked), Value::Object(known)) = (asked, known) else {
        return Some(asked == known);
    };
    let switches = known.iter().filter(|(_, value)| value.is_boolean());
    let mut on = None;
    for (key, value) in switches {
        if let Some(said) = asked.get(key) {
            on = Some(on.unwrap_or(true) && said == value);
        }
    }
    if known.values().any(Value::is_boolean) {
        return on;
    }
    let says = |field: &str| asked.get(field).is_some_and(|value| !value.is_null());
    (says("minAvailable") || says("maxUnavailable")).then_some(true)
}

/// Reads a path of the values, or of the custom resource, from which a workload is made.
fn setting_value(workload: &Workload<'_>, path: &str) -> Option<Value> {
    match &workload.home {
        Home::Chart(release, _) | Home::AppTemplate(release, _) => {
            at(&release.values, path).cloned()
        }
        Home::Operand(_) => workload.member.find(path).map(Field::to_json),
        Home::Manifest(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_budget_allows_an_eviction_when_fewer_than_all_must_stay() {
        let allows = |spec: Value, replicas| allows_eviction(&spec, replicas);
        assert!(allows(json!({"maxUnavailable": 1}), 2));
        assert!(!allows(json!({"maxUnavailable": 0}), 2));
        assert!(allows(json!({"maxUnavailable": "1%"}), 2));
        assert!(!allows(json!({"maxUnavailable": "0%"}), 2));
        assert!(allows(json!({"minAvailable": 1}), 2));
        assert!(!allows(json!({"minAvailable": 1}), 1));
        assert!(!allows(json!({"minAvailable": 2}), 2));
        assert!(allows(json!({"minAvailable": "50%"}), 2));
        assert!(!allows(json!({"minAvailable": "51%"}), 2));
        assert!(!allows(json!({"minAvailable": "100%"}), 3));
        assert!(allows(json!({}), 1));
    }

    #[test]
    fn a_switch_decides_or_a_number_where_there_is_none() {
        let switch = json!({"enabled": true, "maxUnavailable": 1});
        assert_eq!(turned_on(&json!({"enabled": true}), &switch), Some(true));
        assert_eq!(turned_on(&json!({"enabled": false}), &switch), Some(false));
        assert_eq!(turned_on(&json!({"minAvailable": 2}), &switch), None);
        let copied = json!({"maxUnavailable": 1});
        assert_eq!(turned_on(&json!({"minAvailable": 1}), &copied), Some(true));
        assert_eq!(turned_on(&json!({}), &copied), None);
        assert_eq!(turned_on(&json!(true), &json!(true)), Some(true));
        assert_eq!(turned_on(&json!(false), &json!(true)), Some(false));
    }
}
