//! The examples into a real kube-apiserver, as Flux applies them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::{Value, json};

use super::applied::{FluxOrder, flux_order};
use super::nodes::ADDRESSES;
use crate::support::{ControlPlane, control_plane};

/// The field that no kind has.
const UNKNOWN: &str = "kilnLaboratory";

/// Mutants that the server takes, and why it does.
const TAKEN: [(&str, Mutation, &str); 2] = [
    (
        "v1 ConfigMap",
        Mutation::UnknownWithin,
        "`data` takes any key",
    ),
    (
        "v1 Secret",
        Mutation::UnknownWithin,
        "`data` and `stringData` take any key",
    ),
];

/// How a sound object is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutation {
    /// A field at the top that the kind does not have.
    UnknownAtTop,
    /// A field that the kind does not have in `spec`, or in the first field with fields where there is none.
    UnknownWithin,
    /// A value of a type that its field does not take.
    WrongType,
}

impl Mutation {
    const ALL: [Self; 3] = [Self::UnknownAtTop, Self::UnknownWithin, Self::WrongType];

    /// Breaks an object; nothing where it has no field for that.
    fn apply(self, object: &Value) -> Option<Value> {
        let mut mutant = object.clone();
        if self == Self::UnknownAtTop {
            mutant[UNKNOWN] = json!("x");
            return Some(mutant);
        }
        let fields = mutant.as_object_mut().unwrap().iter_mut();
        let mut body: Vec<(&String, &mut Value)> = fields
            .filter(|(name, _)| !["apiVersion", "kind", "metadata"].contains(&name.as_str()))
            .collect();
        body.sort_by_key(|(name, _)| *name != "spec");
        if self == Self::UnknownWithin {
            let mut fields = body
                .into_iter()
                .filter_map(|(_, value)| value.as_object_mut());
            fields.next()?.insert(UNKNOWN.to_owned(), json!("x"));
        } else {
            let (_, first) = body.into_iter().next()?;
            let field = match first {
                Value::Object(fields) => fields.values_mut().next()?,
                field => field,
            };
            *field = match field {
                Value::Object(_) | Value::Array(_) => json!("x"),
                _ => json!({ UNKNOWN: 1 }),
            };
        }
        Some(mutant)
    }
}

fn describe(object: &Value) -> String {
    let metadata = &object["metadata"];
    let namespace = metadata["namespace"].as_str();
    let namespace = namespace.map_or(String::new(), |namespace| format!("{namespace}/"));
    let name = metadata["name"].as_str().unwrap();
    format!("{} {namespace}{name}", kind(object))
}

fn kind(object: &Value) -> String {
    let [version, kind] = ["apiVersion", "kind"].map(|field| object[field].as_str().unwrap());
    format!("{version} {kind}")
}

/// Applies a tree, and takes it away again but for its namespaces; returns every refusal and warning.
fn apply(server: &ControlPlane, order: &FluxOrder) -> Vec<String> {
    let mut lines = Vec::new();
    for (owner, objects) in &order.0 {
        for object in objects {
            let answer = server.apply(object);
            let told = answer.lines();
            lines.extend(told.map(|line| format!("{owner}: {}: {line}", describe(object))));
        }
    }
    // What was refused cannot be taken away.
    for object in order.objects().rev() {
        if object["kind"] != "Namespace" {
            let answer = server.delete(object);
            assert!(
                answer.refusal().is_none() || !lines.is_empty(),
                "{}: {answer:?}",
                describe(object)
            );
        }
    }
    lines
}

#[test]
fn the_api_server_takes_every_example_with_any_number_of_nodes() {
    let examples = ADDRESSES.iter().map(|(example, _)| *example);
    let trees: Vec<(&str, usize)> = examples
        .flat_map(|example| (1..=3).map(move |nodes| (example, nodes)))
        .collect();
    let orders: Option<Vec<FluxOrder>> = trees
        .par_iter()
        .map(|(example, nodes)| flux_order(example, *nodes))
        .collect();
    let (Some(orders), Some(server)) = (orders, control_plane()) else {
        return;
    };
    let mut lines = Vec::new();
    for ((name, nodes), order) in trees.iter().zip(&orders) {
        let (sets, objects) = (order.0.len(), order.objects().count());
        eprintln!("{name}, nodes: {nodes}; Kustomizations: {sets}, objects: {objects}");
        assert!(sets >= 12 && objects >= 60, "{name}: {sets}, {objects}");
        let told = apply(server, order);
        lines.extend(
            told.iter()
                .map(|line| format!("{name}, nodes: {nodes}; {line}")),
        );
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// The control: what the server takes above is worth something only if it refuses what is wrong.
#[test]
fn the_api_server_refuses_a_mutant_of_every_kind() {
    let (Some(order), Some(server)) = (flux_order("full", 3), control_plane()) else {
        return;
    };
    for namespace in order
        .objects()
        .filter(|object| object["kind"] == "Namespace")
    {
        assert_eq!(server.apply(namespace).refusal(), None);
    }
    let kinds: BTreeMap<String, &Value> = order
        .objects()
        .map(|object| (kind(object), object))
        .collect();
    let mut wrong = Vec::new();
    let mut taken = BTreeSet::new();
    let mut refused = 0;
    for (kind, object) in &kinds {
        assert_eq!(
            server.try_apply(object).refusal(),
            None,
            "{}",
            describe(object)
        );
        for mutation in Mutation::ALL {
            let Some(mutant) = mutation.apply(object) else {
                continue;
            };
            match server.try_apply(&mutant).refusal() {
                None => {
                    taken.insert((kind.as_str(), format!("{mutation:?}")));
                }
                Some(refusal) if mutation != Mutation::WrongType && !refusal.contains(UNKNOWN) => {
                    wrong.push(format!("{kind}, {mutation:?}: {refusal}"));
                }
                Some(_) => refused += 1,
            }
        }
    }
    let known = TAKEN
        .iter()
        .map(|(kind, mutation, _)| (*kind, format!("{mutation:?}")));
    assert_eq!(taken, known.collect());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!("kinds: {}, mutants refused: {refused}", kinds.len());
    assert!(
        kinds.len() >= 39 && refused >= 110,
        "{}: {refused}",
        kinds.len()
    );
}

/// The control for warnings, of which there are none above.
#[test]
fn a_warning_of_the_api_server_shows() {
    let Some(server) = control_plane() else {
        return;
    };
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "warned",
        "labels": {"pod-security.kubernetes.io/warn": "restricted"},
    }});
    assert_eq!(server.apply(&namespace).refusal(), None);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "bare",
        "namespace": "warned",
    }, "spec": {"containers": [{"name": "bare", "image": "registry.example/bare:1"}]}});
    let lines: Vec<String> = server.try_apply(&pod).lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("warning: would violate PodSecurity"),
        "{lines:?}"
    );
}
