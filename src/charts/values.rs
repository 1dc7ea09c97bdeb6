//! Values of a Helm release: reading them by path, and laying them over a chart's own.

use serde_json::{Map, Value};

use crate::yaml::Route;

/// Returns the route of a dotted path of values in a HelmRelease.
pub fn route(dotted: &str) -> Route {
    let mut route = Route::parse("spec.values");
    route.0.extend(Route::parse(dotted).0);
    route
}

/// Reads a dotted path of chart values.
pub fn at<'v>(values: &'v Map<String, Value>, dotted: &str) -> Option<&'v Value> {
    let mut keys = dotted.split('.');
    let first = values.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}

/// Lays a value over a chart's own as Helm does: mappings key by key, `null` takes away.
pub fn coalesce(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            let mut merged = below.clone();
            for (key, value) in above {
                if value.is_null() {
                    merged.remove(key);
                } else {
                    let inner = coalesce(merged.get(key).unwrap_or(&Value::Null), value);
                    merged.insert(key.clone(), inner);
                }
            }
            Value::Object(merged)
        }
        (_, above) => above.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_laid_over_key_by_key_and_null_takes_away() {
        let below = json!({"a": {"b": 1, "c": 2}, "list": [1, 2], "kept": true});
        let above = json!({"a": {"c": null, "d": 3}, "list": [4]});
        let laid = json!({"a": {"b": 1, "d": 3}, "list": [4], "kept": true});
        assert_eq!(coalesce(&below, &above), laid);
    }
}
