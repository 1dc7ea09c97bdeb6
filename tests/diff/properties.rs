//! What holds for any tree.

use kiln::diff::{DiffOptions, compare};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{diff, side};

/// Any value, with lists of plain values, of named and of nameless mappings.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        "[a-z]{0,4}( [a-z]{1,3}\n[a-z]{1,3}\n)?".prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let map = prop::collection::btree_map("[a-e]", inner.clone(), 0..4);
        let map = map.prop_map(|map| Value::Object(map.into_iter().collect()));
        let named =
            prop::collection::btree_map("[a-e]{1,2}", inner.clone(), 0..4).prop_map(|items| {
                let items = items.into_iter();
                items
                    .map(|(name, value)| json!({"name": name, "value": value}))
                    .collect::<Vec<_>>()
                    .into()
            });
        let bare = prop::collection::vec(inner, 0..4).prop_map(Value::from);
        prop_oneof![map, named, bare]
    })
}

/// Turns the order of all mappings and lists round.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().rev();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), turned(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => items.iter().rev().map(turned).collect(),
        other => other.clone(),
    }
}

fn object(value: &Value) -> String {
    let text = kiln::yaml::emit(&json!({"spec": value}));
    format!("apiVersion: v1\nkind: Thing\nmetadata:\n  name: x\n{text}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_differs_from_itself(value in value()) {
        let text = object(&value);
        let files = [("a.yaml", &*text), ("b.sops.yaml", &*text), ("c.txt", &*text)];
        let one = side("one", &files);
        prop_assert!(compare(&one, &one, &DiffOptions::default()).is_empty());
    }

    #[test]
    fn the_order_of_mappings_and_lists_is_no_difference(value in value()) {
        let report = diff(&[("a.yaml", &object(&value))], &[("a.yaml", &object(&turned(&value)))]);
        prop_assert!(report.is_empty(), "{:?}", report.changes);
    }

    #[test]
    fn different_values_differ_both_ways(one in value(), other in value()) {
        let (one, other) = (object(&one), object(&other));
        let there = diff(&[("a.yaml", &one)], &[("a.yaml", &other)]);
        let back = diff(&[("a.yaml", &other)], &[("a.yaml", &one)]);
        prop_assert_eq!(there.is_empty(), back.is_empty());
    }

    #[test]
    fn no_secret_value_is_told(value in "[a-z]{12,20}", other in "[a-z]{12,20}", key in "[A-Z]{1,4}") {
        let secret = |value: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  {key}: {value}\n  {key}1: [{value}, {{name: {value}}}]\n");
        let report = diff(&[("s.sops.yaml", &secret(&value))], &[("s.sops.yaml", &secret(&other))]);
        let shown = format!("{report:?}");
        prop_assert!(!shown.contains(&value) && !shown.contains(&other));
        prop_assert_eq!(report.is_empty(), value == other);
        // A Secret that is not sealed tells no value either.
        let open = diff(&[("s.yaml", &secret(&value))], &[("s.yaml", &secret(&other))]);
        let shown = format!("{open:?}");
        prop_assert!(!shown.contains(&value));
    }
}
