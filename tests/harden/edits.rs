//! Insertions into YAML text.

use kiln::yaml::edit::{EditError, Insertion, insert};
use kiln::yaml::{Route, Step, emit, load};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn at(route: &str, entries: &Value) -> Insertion {
    Insertion::entries(0, Route::parse(route), map(entries))
}

fn edited(text: &str, insertion: &Insertion) -> String {
    let documents = load(text).unwrap();
    insert(text, &documents, insertion).unwrap().text
}

fn refused(text: &str, insertion: &Insertion) -> EditError {
    insert(text, &load(text).unwrap(), insertion).unwrap_err()
}

#[test]
fn adds_below_the_last_entry_and_creates_parents() {
    let text = "---\n# head\nmetadata:\n  name: x # the name\nspec: {}\n";
    assert_eq!(
        edited(
            text,
            &at(
                "metadata.labels",
                &json!({"a/b": "restricted", "v": "1.36"})
            )
        ),
        "---\n# head\nmetadata:\n  name: x # the name\n  labels:\n    a/b: restricted\n    v: \"1.36\"\nspec: {}\n"
    );
}

#[test]
fn what_is_json_stays_json_in_its_own_layout() {
    let added = json!({"a/b": "restricted", "list": [{"u": 1}], "none": []});
    let at_labels = at("metadata.labels", &added);
    let lines = "{\n    \"kind\": \"K\",\n    \"metadata\": {\n        \"name\": \"x\"\n    }\n}\n";
    let grown = "{\n    \"kind\": \"K\",\n    \"metadata\": {\n        \"name\": \"x\",\n        \"labels\": {\n            \"a/b\": \"restricted\",\n            \"list\": [\n                {\n                    \"u\": 1\n                }\n            ],\n            \"none\": []\n        }\n    }\n}\n";
    assert_eq!(edited(lines, &at_labels), grown);
    assert_eq!(
        edited(&lines.replace('\n', "\r\n"), &at_labels),
        grown.replace('\n', "\r\n")
    );
    assert_eq!(
        edited(&lines.replace("    ", "\t"), &at_labels),
        grown.replace("    ", "\t")
    );
    assert_eq!(
        edited("{\"metadata\": {\"name\": \"x\"}}", &at_labels),
        "{\"metadata\": {\"name\": \"x\", \"labels\": {\"a/b\": \"restricted\", \"list\": [{\"u\": 1}], \"none\": []}}}"
    );
    assert_eq!(
        edited("{\"metadata\":{\"labels\":{}},\"x\":1}", &at_labels),
        "{\"metadata\":{\"labels\":{\"a/b\":\"restricted\",\"list\":[{\"u\":1}],\"none\":[]}},\"x\":1}"
    );
    let item = Insertion::item(0, Route::parse("list"), json!({"a": "b"}));
    assert_eq!(
        edited("{\n  \"list\": [\n    1\n  ]\n}\n", &item),
        "{\n  \"list\": [\n    1,\n    {\n      \"a\": \"b\"\n    }\n  ]\n}\n"
    );
    assert_eq!(
        edited("{\"list\": [1]}", &item),
        "{\"list\": [1, {\"a\": \"b\"}]}"
    );
}

#[test]
fn follows_the_indentation_of_the_file() {
    let text = "metadata:\n    name: x\nspec:\n    list:\n    - a\n";
    let insertion = at(
        "metadata",
        &json!({"labels": {"a": "b"}, "items": ["x", {"u": 1, "z": 2}]}),
    );
    assert_eq!(
        edited(text, &insertion),
        "metadata:\n    name: x\n    labels:\n        a: b\n    items:\n    - x\n    - u: 1\n      z: 2\nspec:\n    list:\n    - a\n"
    );
}

#[test]
fn appends_to_lists_of_either_indentation() {
    let item = |route: &str| Insertion::item(0, Route::parse(route), json!("./new.yaml"));
    assert_eq!(
        edited(
            "resources:\n  - ./a.yaml\n  # - ./off.yaml\nkind: K\n",
            &item("resources")
        ),
        "resources:\n  - ./a.yaml\n  # - ./off.yaml\n  - ./new.yaml\nkind: K\n"
    );
    assert_eq!(
        edited(
            "resources:\n- ./a.yaml\n# the kind\nkind: K\n",
            &item("resources")
        ),
        "resources:\n- ./a.yaml\n- ./new.yaml\n# the kind\nkind: K\n"
    );
    assert_eq!(
        edited("resources: []\n", &item("resources")),
        "resources: [./new.yaml]\n"
    );
    assert_eq!(
        edited("resources: [a]\n", &item("resources")),
        "resources: [a, ./new.yaml]\n"
    );
    assert_eq!(
        edited("resources:\nkind: K\n", &item("resources")),
        "resources:\n  - ./new.yaml\nkind: K\n"
    );
    assert_eq!(
        edited("kind: K\n", &item("resources")),
        "kind: K\nresources:\n  - ./new.yaml\n"
    );
}

#[test]
fn adds_inside_braces() {
    let add = at("a", &json!({"k": "v", "odd": "x, y"}));
    assert_eq!(edited("a: {}\n", &add), "a: {k: v, odd: \"x, y\"}\n");
    assert_eq!(
        edited("a: { b: 1 } # c\n", &add),
        "a: { b: 1, k: v, odd: \"x, y\" } # c\n"
    );
}

#[test]
fn keeps_missing_final_newline_and_carriage_returns() {
    assert_eq!(
        edited("a:\n  b: 1", &at("a", &json!({"c": 2}))),
        "a:\n  b: 1\n  c: 2"
    );
    assert_eq!(
        edited("a:\r\n  b: 1\r\n", &at("a", &json!({"c": 2}))),
        "a:\r\n  b: 1\r\n  c: 2\r\n"
    );
}

#[test]
fn keeps_block_scalars_whole() {
    for body in [
        "|\n    x\n    # not a comment\n",
        "|-\n    x\n\n",
        "|+\n    x\n\n",
        ">\n    a\n    b\n\n\n",
    ] {
        let text = format!("a:\n  b: {body}c: 1\n");
        let result = edited(&text, &at("a", &json!({"d": 2})));
        assert!(result.contains("  d: 2\n"), "{result}");
    }
}

#[test]
fn leaves_comments_with_what_they_are_about() {
    let text = "a:\n  b:\n    c: 1\n    # d: off\n\n    # e: off\n\n# about f\nf: 1\n";
    assert_eq!(
        edited(text, &at("a", &json!({"k": 1}))),
        "a:\n  b:\n    c: 1\n    # d: off\n\n    # e: off\n  k: 1\n\n# about f\nf: 1\n"
    );
}

#[test]
fn writes_above_a_key_and_its_comment_when_asked() {
    let add = at("spec", &json!({"priorityClassName": "x"})).above("containers");
    assert_eq!(
        edited("spec:\n  a: 1\n  # main\n  containers: []\n", &add),
        "spec:\n  a: 1\n  priorityClassName: x\n  # main\n  containers: []\n"
    );
}

#[test]
fn edits_one_document_of_many_and_items_of_lists() {
    let text = "a: 1\n---\nlist:\n  - name: x\n  - name: y\n    z: 1\n---\nb: 2\n";
    let route = Route(vec![Step::from("list"), Step::from(0)]);
    let insertion = Insertion::entry(1, route, "q", json!([1]));
    assert_eq!(
        edited(text, &insertion),
        "a: 1\n---\nlist:\n  - name: x\n    q:\n      - 1\n  - name: y\n    z: 1\n---\nb: 2\n"
    );
}

#[test]
fn refuses_what_it_cannot_add_to() {
    let add = |route: &str| at(route, &json!({"k": 1}));
    let route = Route::parse;
    assert_eq!(
        refused("a: 1\n", &add("a")),
        EditError::Occupied(route("a"))
    );
    assert_eq!(
        refused("a: null\n", &add("a")),
        EditError::Occupied(route("a"))
    );
    assert_eq!(
        refused("a: {k: 2}\n", &add("a")),
        EditError::Exists(route("a.k"))
    );
    assert_eq!(
        refused("x: &x {b: 1}\na: *x\n", &add("a")),
        EditError::Shared(route("a"))
    );
    assert_eq!(
        refused("x: &x {b: {}}\na:\n  <<: *x\n", &add("a.b")),
        EditError::Shared(route("a.b"))
    );
    assert_eq!(
        refused("a: &x {b: 1}\nc: *x\n", &add("a")),
        EditError::Unsafe(route("a"))
    );
}

/// A value with at most a few levels, with keys and strings that YAML finds awkward.
pub(super) fn values() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("on".to_owned()),
        Just("0644".to_owned()),
        Just("two\nlines\n".to_owned()),
        Just("a: b # c".to_owned()),
        Just(String::new()),
        "[a-z{}\\[\\],&*#:' \"-]{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,4}(/[a-z.]{1,5})?", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A document in one of several layouts: indented or flush lists, comments, CRLF, braces.
fn texts() -> impl Strategy<Value = String> {
    (
        prop::collection::btree_map("[a-z]{1,5}", values(), 1..5),
        0..6_u8,
        any::<bool>(),
    )
        .prop_map(|(map, layout, newline)| {
            let value = Value::Object(map.into_iter().collect());
            let text = match layout {
                0 => format!("{value}\n"),
                1 => format!("---\n# head\n{}# tail\n", emit(&value)),
                2 => emit(&value).replace('\n', "\r\n"),
                3 => format!("first: 1\n---\n{}---\nlast: 2\n", emit(&value)),
                4 => format!("{}# a\n\n  # b\n", emit(&value)),
                _ => emit(&value),
            };
            if newline {
                text
            } else {
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        })
}

fn mappings(node: &kiln::yaml::Node, route: &Route, found: &mut Vec<Route>) {
    for entry in node.entries().into_iter().flatten() {
        mappings(&entry.value, &route.then(entry.key.as_str()), found);
    }
    for (index, item) in node.items().into_iter().flatten().enumerate() {
        mappings(item, &route.then(index), found);
    }
    if node.entries().is_some() {
        found.push(route.clone());
    }
}

/// Returns whether a text has no line break behind the block that ends it.
pub(super) fn ends_in_a_block(text: &str, documents: &[kiln::yaml::Document]) -> bool {
    let mut last_is_block = false;
    if let Some(document) = documents.last() {
        document.root.each_scalar(&mut |_, scalar| {
            last_is_block = scalar.style == kiln::yaml::Style::Block;
        });
    }
    last_is_block && !text.ends_with('\n')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn an_insertion_adds_bytes_and_changes_none(
        text in texts(),
        value in values(),
        pick in any::<prop::sample::Index>(),
        deep in any::<bool>(),
    ) {
        let documents = load(&text).unwrap();
        let index = documents.len() / 2;
        let mut routes = Vec::new();
        mappings(&documents[index].root, &Route::default(), &mut routes);
        let mut route = routes[pick.index(routes.len())].clone();
        if deep {
            route = route.then("ZZ").then("YY");
        }
        let insertion = Insertion::entry(index, route.clone(), "NEW", value.clone());
        let edited = match insert(&text, &documents, &insertion) {
            // A line break behind a block that ends the text would be part of it.
            Err(_) if ends_in_a_block(&text, &documents) => return Ok(()),
            edited => edited.unwrap(),
        };
        let mut rest = edited.text.clone();
        rest.replace_range(edited.inserted.start..edited.inserted.end, "");
        prop_assert_eq!(&rest, &text);
        let new = edited.documents[index].root.at(&route.then("NEW")).unwrap();
        prop_assert_eq!(new.to_kubernetes(), value);
        prop_assert!(insert(&edited.text, &edited.documents, &insertion).is_err());
    }
}
