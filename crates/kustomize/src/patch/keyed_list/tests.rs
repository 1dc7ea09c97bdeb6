use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::place::SourceFile;
use super::*;

fn fields(items: &Value) -> Vec<Field> {
    let file = SourceFile::new("list.yaml", items.to_string().into_bytes());
    let documents = file.documents().expect("JSON is YAML");
    let list = Field::of_node(&documents[0].root, &file, 0);
    list.items().expect("a list").to_vec()
}

fn merged(target: &Value, patch: &Value, keys: &'static [&'static str]) -> Value {
    let result = merge_keyed_list(fields(target), Some(fields(patch)), keys, MergeSchema::Open);
    result
        .expect("the lists can be merged")
        .iter()
        .map(Field::to_json)
        .collect()
}

const PORT: &[&str] = &["containerPort", "protocol"];

#[test]
fn items_of_the_patch_come_first_in_its_order() {
    let target = json!([{"name": "a", "x": 1}, {"name": "b"}, {"name": "c"}]);
    let patch = json!([{"name": "new"}, {"name": "c", "y": 2}, {"name": "a", "x": null}]);
    let expected = json!([{"name": "new"}, {"name": "c", "y": 2}, {"name": "a"}, {"name": "b"}]);
    assert_eq!(merged(&target, &patch, &["name"]), expected);
}

#[test]
fn ports_are_told_apart_by_protocol() {
    let target = json!([
        {"containerPort": 53, "protocol": "TCP"},
        {"containerPort": 53, "protocol": "UDP"},
    ]);
    let patch = json!([{"containerPort": 53, "protocol": "UDP", "name": "dns"}]);
    let expected = json!([
        {"containerPort": 53, "protocol": "TCP"},
        {"containerPort": 53, "protocol": "UDP", "name": "dns"},
    ]);
    assert_eq!(merged(&target, &patch, PORT), expected);
}

#[test]
fn a_port_without_protocol_hides_the_patch_as_it_does_in_kustomize() {
    let target = json!([{"containerPort": 80}]);
    let patch = json!([{"containerPort": 80, "protocol": "UDP"}]);
    assert_eq!(merged(&target, &patch, PORT), target);
}

#[test]
fn an_item_cannot_be_replaced_only_deleted() {
    let target = json!([{"name": "a", "x": 1}, {"name": "b"}]);
    let patch =
        json!([{"name": "a", "$patch": "replace", "y": 1}, {"name": "b", "$patch": "delete"}]);
    assert_eq!(
        merged(&target, &patch, &["name"]),
        json!([{"name": "a", "x": 1}])
    );
}

#[test]
fn ten_thousand_items_take_no_time_worth_mentioning() {
    let items: Vec<Value> = (0..10_000)
        .map(|index| json!({"name": format!("n{index}"), "x": 1}))
        .collect();
    let items = Value::from(items);
    assert_eq!(merged(&items, &items, &["name"]), items);
}

fn items() -> impl Strategy<Value = Value> {
    let item = (
        "[a-c]",
        0..3_u8,
        prop_oneof![4 => Just(None), 1 => Just(Some("delete"))],
    );
    let item = item.prop_map(|(name, x, directive)| match directive {
        Some(directive) => json!({"name": name, "$patch": directive}),
        None => json!({"name": name, "x": x}),
    });
    prop::collection::vec(item, 0..6).prop_map(Value::from)
}

proptest! {
    #[test]
    fn both_ways_to_merge_agree_on_lists_with_one_key(
        target in items(),
        patch in prop::option::of(items()),
    ) {
        let patch = || patch.as_ref().map(fields);
        let plain = merge_plain_items(fields(&target), patch(), &["name"], MergeSchema::Open);
        let full = KeyedListMerge::new(fields(&target), patch(), &["name"], MergeSchema::Open).run();
        let values = |list: Result<Vec<Field>, Problem>| {
            list.map(|list| list.iter().map(Field::to_json).collect::<Vec<_>>())
        };
        prop_assert_eq!(values(plain), values(full));
    }
}
