//! Two values, compared route by route.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::lines::hunks;
use super::lists::lists;
use super::report::{ChangedField, FieldEdit};
use super::route::Route;

/// Lists what differs between two values, sorted by key.
///
/// The order of mappings never counts, and that of lists only where Kubernetes or a program heeds it.
pub(super) fn compare(before: &Value, after: &Value, route: &Route, found: &mut Vec<ChangedField>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let at = route.key(key);
                match (old.get(key), new.get(key)) {
                    (Some(old), Some(new)) => compare(old, new, &at, found),
                    (Some(old), None) => found.push(ChangedField {
                        route: at,
                        edit: FieldEdit::Removed(old.clone()),
                    }),
                    (None, Some(new)) => found.push(ChangedField {
                        route: at,
                        edit: FieldEdit::Added(new.clone()),
                    }),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => lists(old, new, route, found),
        (Value::Number(old), Value::Number(new)) if old.as_f64() == new.as_f64() => {
            // `1` and `1.0` are one number, but two integers beyond 2^53 may share a float.
            if old.is_f64() == new.is_f64() {
                found.push(changed(before, after, route));
            }
        }
        (Value::String(old), Value::String(new)) if is_block(old) || is_block(new) => {
            found.push(ChangedField {
                route: route.clone(),
                edit: FieldEdit::Text(hunks(old, new)),
            });
        }
        _ => found.push(changed(before, after, route)),
    }
}

fn changed(before: &Value, after: &Value, route: &Route) -> ChangedField {
    ChangedField {
        route: route.clone(),
        edit: FieldEdit::Changed(before.clone(), after.clone()),
    }
}

/// Returns whether a text has more than one line.
fn is_block(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Returns whether nothing differs.
pub(super) fn same(before: &Value, after: &Value) -> bool {
    let mut found = Vec::new();
    compare(before, after, &Route::default(), &mut found);
    found.is_empty()
}

/// Returns a number that is equal for all values that are the [`same`], and for few others.
pub(super) fn digest(value: &Value) -> u64 {
    let hashed = |parts: (u8, &str, u64)| {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        hasher.finish()
    };
    // Neither the order of keys nor, for most lists, that of items counts.
    match value {
        Value::Object(entries) => entries.iter().fold(1, |sum: u64, (key, value)| {
            sum.wrapping_add(hashed((0, key, digest(value))))
        }),
        Value::Array(items) => items.iter().fold(2, |sum: u64, item| {
            sum.wrapping_add(hashed((1, "", digest(item))))
        }),
        Value::String(text) => hashed((2, text, 0)),
        // `0.0` and `-0.0` are one number.
        Value::Number(number) => {
            let number = number.as_f64().map_or(0, |number| (number + 0.0).to_bits());
            hashed((3, "", number))
        }
        Value::Bool(flag) => hashed((4, "", u64::from(*flag))),
        Value::Null => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(before: &Value, after: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare(before, after, &Route::default(), &mut found);
        let line = |field: &ChangedField| match &field.edit {
            FieldEdit::Added(value) => format!("{} + {value}", field.route),
            FieldEdit::Removed(value) => format!("{} - {value}", field.route),
            FieldEdit::Changed(old, new) => format!("{} {old} -> {new}", field.route),
            FieldEdit::Items { removed, added } => format!(
                "{} - {} + {}",
                field.route,
                Value::from(removed.clone()),
                Value::from(added.clone())
            ),
            FieldEdit::Reordered(old, new) => {
                format!("{} {} => {}", field.route, old.join(","), new.join(","))
            }
            FieldEdit::Text(_) | FieldEdit::Secret(_) => field.route.to_string(),
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn finds_containers_and_ports_by_their_merge_keys() {
        let before = json!({"containers": [
            {"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]},
            {"name": "b", "image": "x:1"},
        ]});
        let after = json!({"containers": [
            {"name": "b", "image": "x:2"},
            {"name": "a", "ports": [{"containerPort": 53, "protocol": "UDP", "name": "dns"}, {"containerPort": 80, "protocol": "TCP"}]},
        ]});
        assert_eq!(
            shown(&before, &after),
            [
                "containers[a].ports[53/UDP].name + \"dns\"",
                "containers[a].ports[80/TCP].protocol + \"TCP\"",
                "containers[b].image \"x:1\" -> \"x:2\"",
            ]
        );
    }

    #[test]
    fn the_order_of_a_list_counts_only_where_someone_heeds_it() {
        let list = |key: &str, items: &[&str]| json!({key: items});
        let ab = ["a", "b"];
        assert!(shown(&list("accessModes", &ab), &list("accessModes", &["b", "a"])).is_empty());
        assert_eq!(
            shown(&list("args", &ab), &list("args", &["b", "a"])),
            ["args a,b => b,a"]
        );
        let containers =
            |names: [&str; 2]| json!({"initContainers": [{"name": names[0]}, {"name": names[1]}]});
        assert_eq!(
            shown(&containers(["x", "y"]), &containers(["y", "x"])),
            ["initContainers x,y => y,x"]
        );
    }

    #[test]
    fn pairs_items_without_a_name_by_value_first() {
        let before = json!({"rules": [{"a": [1]}, {"b": [2]}, {"c": [3]}]});
        let after = json!({"rules": [{"c": [3]}, {"a": [1]}, {"b": [2, 4]}]});
        assert_eq!(shown(&before, &after), ["rules[2].b - [] + [4]"]);
    }

    #[test]
    fn values_that_are_the_same_have_one_digest() {
        let pairs = [
            (
                json!({"a": 1, "b": [1, 2]}),
                json!({"b": [2, 1.0], "a": 1.0}),
            ),
            (json!([{"a": -0.0}, null]), json!([null, {"a": 0}])),
        ];
        for (one, other) in pairs {
            assert!(same(&one, &other), "{one} {other}");
            assert_eq!(digest(&one), digest(&other), "{one} {other}");
        }
        assert_ne!(digest(&json!(["1"])), digest(&json!([1])));
        assert_ne!(digest(&json!({"a": "b"})), digest(&json!({"b": "a"})));
    }

    #[test]
    fn long_lists_are_compared_in_time() {
        let values = |start: usize| (start..start + 20_000).collect::<Value>();
        let found = shown(&json!({"a": values(0)}), &json!({"a": values(10_000)}));
        assert_eq!(found.len(), 1);
        let items = |start: usize| (start..start + 5_000).map(|n| json!({"x": {"y": n}}));
        let list = |start: usize| items(start).collect::<Value>();
        assert_eq!(shown(&list(0), &list(5_000)).len(), 5_000);
        assert!(shown(&list(0), &items(0).rev().collect()).is_empty());
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(shown(&json!({"a": 1}), &json!({"a": 1.0})).is_empty());
        assert_eq!(
            shown(&json!([{"name": 1}]), &json!([{"name": "1"}])),
            ["[1].name 1 -> \"1\""]
        );
        let (one, other) = (9_007_199_254_740_993_u64, 9_007_199_254_740_992_u64);
        assert_eq!(shown(&json!({"a": one}), &json!({"a": other})).len(), 1);
    }
}
