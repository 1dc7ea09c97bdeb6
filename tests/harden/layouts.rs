//! Insertions into documents as people write them: braces within blocks, anchors, merges, comments and
//! blank lines anywhere, odd indentation, block scalars, several documents, CRLF and any script.

use kiln::yaml::edit::{Addition, EditError, Edited, Insertion, insert};
use kiln::yaml::{Document, Node, Resolver, Route, Step, load};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value};

use super::edits::{ends_in_a_block, values};

/// Comments and blank lines that people leave between entries; a margin is put in front.
const BETWEEN: [&str; 6] = [
    "# note",
    "# - off: 1",
    "",
    "#commented: {out}",
    "# größer ☃",
    "#",
];

/// What stands behind a value on its line.
const BEHIND: [&str; 4] = ["", "", " # why: so", "  #x"];

/// Writes a value with choices of layout that it takes from a list, in turn.
struct Hand<'m> {
    marks: std::iter::Cycle<std::slice::Iter<'m, u8>>,
    text: String,
    step: usize,
    anchors: usize,
    /// Whether it knows of anchors at all.
    anchored: bool,
    /// The anchors whose value is complete, so that an alias may follow.
    closed: Vec<String>,
}

impl Hand<'_> {
    fn pick(&mut self, choices: usize) -> usize {
        usize::from(*self.marks.next().unwrap()) % choices
    }

    fn line(&mut self, margin: usize, words: &str) {
        let written = format!("{:margin$}{words}", "");
        self.text.push_str(written.trim_end());
        self.text.push('\n');
    }

    /// Writes what may stand between two entries.
    fn between(&mut self, margin: usize) {
        if self.pick(4) == 0 {
            let words = BETWEEN[self.pick(BETWEEN.len())];
            // A comment in another column is about something else, or just carelessly put.
            let shift = [0, 0, 0, 2][self.pick(4)];
            self.line(margin + shift, words);
        }
    }

    fn anchor(&mut self) -> String {
        if !self.anchored || self.pick(5) != 0 {
            return String::new();
        }
        self.anchors += 1;
        format!(" &a{}", self.anchors)
    }

    fn mapping(&mut self, map: &Map<String, Value>, margin: usize, mut lead: Option<String>) {
        for (key, value) in map {
            if lead.is_none() {
                self.between(margin);
            }
            let start = lead.take().unwrap_or_else(|| " ".repeat(margin));
            let key = format!("{start}{}:", self.key(key));
            self.value(&key, value, margin);
        }
        if !self.closed.is_empty() && self.pick(6) == 0 {
            let place = self.pick(self.closed.len());
            let words = format!("again: *{}", self.closed[place]);
            self.line(margin, &words);
        }
    }

    fn key(&mut self, key: &str) -> String {
        match self.pick(5) {
            0 => Value::from(key).to_string(),
            1 => format!("'{key}'"),
            _ if key.contains('/') => key.to_owned(),
            _ => format!("{key}_"),
        }
    }

    /// Writes a value behind a key or a dash, which stands in a column.
    fn value(&mut self, before: &str, value: &Value, margin: usize) {
        let anchor = self.anchor();
        self.written(before, &anchor, value, margin);
        let name = anchor.trim_start_matches([' ', '&']);
        if !name.is_empty() {
            self.closed.push(name.to_owned());
        }
    }

    fn written(&mut self, before: &str, anchor: &str, value: &Value, margin: usize) {
        match value {
            Value::Object(map) if !map.is_empty() && self.pick(4) != 0 => {
                let behind = BEHIND[self.pick(BEHIND.len())];
                self.line(0, &format!("{before}{anchor}{behind}"));
                let inner = margin + self.step + self.pick(2);
                self.mapping(map, inner, None);
            }
            Value::Array(items) if !items.is_empty() && self.pick(4) != 0 => {
                let behind = BEHIND[self.pick(BEHIND.len())];
                self.line(0, &format!("{before}{anchor}{behind}"));
                let is_entry = before.ends_with(':');
                let inner = margin
                    + if is_entry {
                        [0, self.step][self.pick(2)]
                    } else {
                        2
                    };
                self.list(items, inner);
            }
            Value::String(text) if is_block(text) && self.pick(2) == 0 => {
                let style = ["|", "|-", "|+", ">", ">-"][self.pick(5)];
                self.line(0, &format!("{before}{anchor} {style}"));
                let inner = margin + self.step;
                for line in text.lines() {
                    self.line(inner, line);
                }
                if self.pick(3) == 0 {
                    self.line(0, "");
                }
            }
            Value::Null if anchor.is_empty() && self.pick(2) == 0 => self.line(0, before),
            value => {
                let behind = BEHIND[self.pick(BEHIND.len())];
                let words = self.flow(value);
                self.line(0, &format!("{before}{anchor} {words}{behind}"));
            }
        }
    }

    fn list(&mut self, items: &[Value], margin: usize) {
        for item in items {
            self.between(margin);
            let dash = format!("{:margin$}-", "");
            match item {
                Value::Object(map) if !map.is_empty() && self.pick(3) != 0 => {
                    let gap = 1 + self.pick(3);
                    let lead = format!("{dash}{:gap$}", "");
                    self.mapping(map, margin + 1 + gap, Some(lead));
                }
                item => self.value(&dash, item, margin),
            }
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        let (open, close) = [("", ""), (" ", " ")][self.pick(2)];
        match value {
            Value::Object(map) if !map.is_empty() => {
                let entries: Vec<String> = map
                    .iter()
                    .map(|(key, value)| {
                        format!("{}: {}", Value::from(key.as_str()), self.flow(value))
                    })
                    .collect();
                let comma = ["", ","][self.pick(2)];
                format!("{{{open}{}{comma}{close}}}", entries.join(", "))
            }
            Value::Array(items) if !items.is_empty() => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                let comma = ["", ","][self.pick(2)];
                format!("[{open}{}{comma}{close}]", items.join(", "))
            }
            Value::String(text) if !text.contains(['\n', '\'']) && self.pick(2) == 0 => {
                format!("'{text}'")
            }
            value => value.to_string(),
        }
    }
}

fn is_block(text: &str) -> bool {
    text.contains('\n')
        && text
            .lines()
            .all(|line| !line.is_empty() && !line.starts_with(' '))
}

/// A text of one to three documents.
fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof!["[a-z]{1,6}", "[a-z]{1,4}/[a-z]{1,4}"];
    let document = prop::collection::btree_map(word, nested(), 1..5);
    (
        prop::collection::vec(document, 1..4),
        prop::collection::vec(any::<u8>(), 16..64),
        any::<bool>(),
        0..6_u8,
    )
        .prop_map(|(documents, marks, start, end)| {
            let mut hand = Hand {
                marks: marks.iter().cycle(),
                text: String::new(),
                step: 2,
                anchors: 0,
                anchored: marks[0] % 3 == 0,
                closed: Vec::new(),
            };
            for (index, map) in documents.into_iter().enumerate() {
                if index > 0 || start {
                    hand.line(0, "---");
                }
                hand.closed.clear();
                hand.step = 2 + hand.pick(3);
                hand.mapping(&map.into_iter().collect(), 0, None);
            }
            match end {
                0 => hand.text.replace('\n', "\r\n"),
                1 => hand.text.trim_end().to_owned(),
                2 => hand.text + "\n\n# the end\n",
                _ => hand.text,
            }
        })
}

/// Values deep enough to be written in several ways, with letters of other scripts and block texts.
fn nested() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        values(),
        Just(Value::from("größe ☃ 日本")),
        "[a-z#: ]{1,8}(\n[a-z#:-]{1,8}){1,3}\n".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Lists the mappings and lists of a document.
fn collections(node: &Node, route: &Route, found: &mut Vec<(Route, bool)>) {
    for entry in node.entries().into_iter().flatten() {
        collections(&entry.value, &route.then(entry.key.as_str()), found);
    }
    for (index, item) in node.items().into_iter().flatten().enumerate() {
        collections(item, &route.then(index), found);
    }
    if node.entries().is_some() || node.items().is_some() {
        found.push((route.clone(), node.items().is_some()));
    }
}

fn whole(document: &Document) -> Value {
    document.root.to_value(Resolver::Kubernetes)
}

/// What a document shall be after an insertion below collections that are there.
fn intended(before: &Value, insertion: &Insertion) -> Value {
    let mut after = before.clone();
    let mut value = &mut after;
    for step in &insertion.route.0 {
        value = match step {
            Step::Key(key) => value
                .as_object_mut()
                .unwrap()
                .entry(key.clone())
                .or_insert_with(|| Value::Object(Map::new())),
            Step::Index(index) => &mut value[*index],
        };
    }
    match &insertion.addition {
        Addition::Entries { entries, .. } => value.as_object_mut().unwrap().extend(entries.clone()),
        Addition::Item(item) => value.as_array_mut().unwrap().push(item.clone()),
    }
    after
}

/// Proves that an edit is what was meant, and nothing else.
fn prove(
    text: &str,
    documents: &[Document],
    insertion: &Insertion,
    edited: &Edited,
) -> Result<(), TestCaseError> {
    let mut rest = edited.text.clone();
    rest.replace_range(edited.inserted.start..edited.inserted.end, "");
    prop_assert_eq!(&rest, text);
    let after = load(&edited.text).unwrap();
    prop_assert_eq!(after.len(), documents.len());
    for (index, (old, new)) in documents.iter().zip(&after).enumerate() {
        let mut meant = whole(old);
        if index == insertion.document {
            meant = intended(&meant, insertion);
        }
        prop_assert_eq!(whole(new), meant, "{}", edited.text);
        let said = |document: &Document, text: &str| -> Vec<String> {
            document
                .comments
                .iter()
                .map(|span| text[span.start..span.end].to_owned())
                .collect()
        };
        prop_assert_eq!(said(new, &edited.text), said(old, text), "{}", edited.text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2500,
        rng_seed: RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_insertion_into_a_text_by_hand_is_only_what_was_meant(
        text in texts(),
        value in values(),
        place in any::<prop::sample::Index>(),
        pick in any::<prop::sample::Index>(),
        deep in any::<bool>(),
    ) {
        let documents = load(&text).map_err(|problem| TestCaseError::fail(format!("{problem:?}\n{text}")))?;
        let index = place.index(documents.len());
        let mut found = Vec::new();
        collections(&documents[index].root, &Route::default(), &mut found);
        let (route, is_list) = found[pick.index(found.len())].clone();
        let insertion = match (is_list, deep) {
            (true, _) => Insertion::item(index, route, value),
            (false, true) => Insertion::entry(index, route.then("ZZ").then("YY"), "NEW", value),
            (false, false) => Insertion::entry(index, route, "NEW", value),
        };
        match insert(&text, &documents, &insertion) {
            Ok(edited) => {
                prove(&text, &documents, &insertion, &edited)?;
                if !is_list {
                    let again = insert(&edited.text, &edited.documents, &insertion);
                    prop_assert!(matches!(again, Err(EditError::Exists(_))), "{:?}", again);
                }
            }
            // What is shared by anchors cannot change in one place alone.
            Err(EditError::Shared(_) | EditError::Unsafe(_)) if text.contains('&') => {}
            // A line break behind a block that ends the text would be part of it.
            Err(EditError::Unsafe(_)) if ends_in_a_block(&text, &documents) => {}
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}"))),
        }
    }
}
