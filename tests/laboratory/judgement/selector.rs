//! Label selectors, as the API defines them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::laboratory::releases::{items, text};

/// Whether a selector selects labels: no selector selects nothing, an empty one everything.
pub(super) fn matches(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let Some(parts) = selector.as_object() else {
        return false;
    };
    let equal = parts.get("matchLabels").and_then(Value::as_object);
    let mut equal = equal.into_iter().flatten();
    let label = |key: &str| labels.get(key).map(String::as_str);
    equal.all(|(key, value)| label(key).is_some() && label(key) == value.as_str())
        && items(selector, "/matchExpressions").all(|expression| {
            let found = label(text(expression, "/key"));
            let mut values = items(expression, "/values");
            let among = found.is_some() && values.any(|value| value.as_str() == found);
            match text(expression, "/operator") {
                "In" => among,
                "NotIn" => !among,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                other => panic!("operator `{other}`"),
            }
        })
}

#[test]
fn selectors_select_as_the_api_defines_it() {
    let labels = BTreeMap::from([("app".to_owned(), "a".to_owned())]);
    let selects = |selector: Value| matches(&selector, &labels);
    assert!(!selects(Value::Null));
    assert!(selects(serde_json::json!({})));
    assert!(selects(serde_json::json!({"matchLabels": {"app": "a"}})));
    assert!(!selects(
        serde_json::json!({"matchLabels": {"app": "a", "b": "c"}})
    ));
    let by = |operator: &str, key: &str, values: &[&str]| {
        selects(
            serde_json::json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}),
        )
    };
    assert!(by("In", "app", &["x", "a"]) && !by("In", "app", &["x"]) && !by("In", "no", &["a"]));
    assert!(by("NotIn", "app", &["x"]) && by("NotIn", "no", &["a"]) && !by("NotIn", "app", &["a"]));
    assert!(by("Exists", "app", &[]) && !by("Exists", "no", &[]));
    assert!(by("DoesNotExist", "no", &[]) && !by("DoesNotExist", "app", &[]));
}
