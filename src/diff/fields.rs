//! Two values, compared route by route.

use serde_json::Value;

use super::lines::hunks;
use super::lists::lists;
use super::report::{Edit, Field};
use super::route::Route;

/// Lists what differs between two values, sorted by key.
///
/// The order of mappings never counts, and that of lists only where Kubernetes or a program heeds it.
pub(super) fn compare(before: &Value, after: &Value, route: &Route, found: &mut Vec<Field>) {
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
                    (Some(old), None) => found.push(Field {
                        route: at,
                        edit: Edit::Removed(old.clone()),
                    }),
                    (None, Some(new)) => found.push(Field {
                        route: at,
                        edit: Edit::Added(new.clone()),
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
            found.push(Field {
                route: route.clone(),
                edit: Edit::Text(hunks(old, new)),
            });
        }
        _ => found.push(changed(before, after, route)),
    }
}

fn changed(before: &Value, after: &Value, route: &Route) -> Field {
    Field {
        route: route.clone(),
        edit: Edit::Changed(before.clone(), after.clone()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(before: &Value, after: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare(before, after, &Route::default(), &mut found);
        let line = |field: &Field| match &field.edit {
            Edit::Added(value) => format!("{} + {value}", field.route),
            Edit::Removed(value) => format!("{} - {value}", field.route),
            Edit::Changed(old, new) => format!("{} {old} -> {new}", field.route),
            Edit::Items { removed, added } => format!(
                "{} - {} + {}",
                field.route,
                Value::from(removed.clone()),
                Value::from(added.clone())
            ),
            Edit::Reordered(old, new) => {
                format!("{} {} => {}", field.route, old.join(","), new.join(","))
            }
            Edit::Text(_) | Edit::Secret(_) => field.route.to_string(),
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
