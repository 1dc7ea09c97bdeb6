//! Proofs by rendering of what the reading of templates says: that unknown values do nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::chart::{LoadedChart, at};
use super::field::visit;
use super::helm::Helm;
use super::known::{LearnedValue, Use};
use super::rendering::ChartRendering;
use super::trial::{ValueChange, changed, render};

/// How many renderings each proof may take.
const BUDGET: usize = 80;

/// Opens the mappings in which a key that nobody knows shows in the manifests.
pub(super) fn open_leaks(
    helm: &Helm<'_>,
    base: &Value,
    effective: &Value,
    known: &mut LearnedValue,
) {
    let mut folders = vec![Vec::new()];
    known.visit(&mut |path, node| {
        let inside = at(effective, path);
        if !node.is_open() && inside.is_none_or(|value| value.is_object() || value.is_null()) {
            folders.push(path.to_vec());
        }
    });
    let numbered: Vec<(usize, Vec<String>)> = folders.into_iter().enumerate().collect();
    let mut leaking = Vec::new();
    let mut left = BUDGET;
    let mut waiting = vec![numbered];
    while let Some(set) = waiting.pop() {
        if left == 0 || set.is_empty() {
            break;
        }
        left -= 1;
        let changes: Vec<ValueChange> = set.iter().map(unknown).collect();
        match render(helm, &changed(base, &changes)) {
            Some(rendering) => leaking.extend(set.into_iter().filter(|(number, _)| {
                let mark = format!("klnu{number}x");
                rendering.text.contains(&mark)
            })),
            None if set.len() > 1 => {
                let (one, other) = set.split_at(set.len() / 2);
                waiting.push(other.to_vec());
                waiting.push(one.to_vec());
            }
            None => {}
        }
    }
    for (_, path) in leaking {
        known.mark(&path, Use::Whole);
    }
}

fn unknown((number, folder): &(usize, Vec<String>)) -> ValueChange {
    let mark = format!("klnu{number}x");
    let path = folder.iter().cloned().chain([mark.clone()]).collect();
    (path, json!(mark))
}

/// Adds those default values whose change is seen in the manifests though no template was found to
/// read them.
pub(super) fn find_living(
    helm: &Helm<'_>,
    base: &Value,
    effective: &Value,
    rendering: &ChartRendering,
    known: &mut LearnedValue,
) {
    let mut dead: Vec<ValueChange> = Vec::new();
    visit(effective, &mut Vec::new(), &mut |path, value| {
        if !known.covers(path) && other(value).is_some() {
            dead.extend(other(value).map(|value| (path.to_vec(), value)));
        }
    });
    let Some(again) = render(helm, base) else {
        return;
    };
    let steady = Steady::new(&rendering.text, &again.text);
    let mut left = BUDGET;
    let mut waiting = vec![dead];
    while let Some(set) = waiting.pop() {
        if set.is_empty() {
            continue;
        }
        let seen = left == 0
            || render(helm, &changed(base, &set)).is_none_or(|now| !steady.is_same(&now.text));
        left = left.saturating_sub(1);
        match set.as_slice() {
            _ if !seen => {}
            [(path, _)] => known.mark(path, Use::Whole),
            _ if left == 0 => set
                .iter()
                .for_each(|(path, _)| known.mark(path, Use::Whole)),
            _ => {
                let (one, other) = set.split_at(set.len() / 2);
                waiting.push(other.to_vec());
                waiting.push(one.to_vec());
            }
        }
    }
}

/// Returns another value of the same type; none for mappings, whose entries are changed instead.
fn other(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(on) => Some(json!(!on)),
        Value::Number(number) => Some(json!(number.as_i64().unwrap_or_default() + 1)),
        Value::String(text) => Some(json!(format!("{text}klnd"))),
        Value::Array(_) => Some(json!(["klnd"])),
        Value::Object(map) if map.is_empty() => Some(json!({"klnd": "klnd"})),
        Value::Object(_) => None,
        Value::Null => Some(json!("klnd")),
    }
}

/// The lines of a rendering that do not change from one to the next, as those of new certificates do.
struct Steady {
    lines: Vec<String>,
    changing: BTreeSet<usize>,
}

impl Steady {
    fn new(one: &str, other: &str) -> Self {
        let lines: Vec<String> = one.lines().map(without_hashes).collect();
        let others: Vec<String> = other.lines().map(without_hashes).collect();
        let changing = (0..lines.len())
            .filter(|at| others.get(*at) != lines.get(*at))
            .collect();
        Self { lines, changing }
    }

    fn is_same(&self, text: &str) -> bool {
        let lines: Vec<String> = text.lines().map(without_hashes).collect();
        lines.len() == self.lines.len()
            && lines
                .iter()
                .enumerate()
                .all(|(at, line)| self.changing.contains(&at) || *line == self.lines[at])
    }
}

/// Returns a line with a mark for each hash in it: templates put one of their values into pods, so that
/// these restart when any of them changes.
fn without_hashes(line: &str) -> String {
    let is_hash =
        |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_hash(bare) { "#" } else { word }
        })
        .collect()
}

/// Closes what the schemas of the charts' values close.
pub(super) fn close_by_schema(chart: &LoadedChart, known: &mut LearnedValue) {
    for chart in chart.all() {
        if let Some(schema) = &chart.schema {
            let node = chart.prefix.iter().fold(&mut *known, |node, key| {
                node.keys.entry(key.clone()).or_default()
            });
            close(node, schema, schema, 0);
        }
    }
}

fn close(node: &mut LearnedValue, schema: &Value, root: &Value, depth: usize) {
    let schema = resolve(schema, root);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    if depth > 12 {
        return;
    }
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
        && schema.get("patternProperties").is_none();
    if closed && node.is_open() && !properties.is_empty() {
        node.open = false;
        node.keys = keys(properties);
    }
    if !node.is_open() {
        for (key, node) in &mut node.keys {
            if let Some(schema) = properties.get(key) {
                close(node, schema, root, depth + 1);
            }
        }
    }
}

fn keys(properties: &Map<String, Value>) -> std::collections::BTreeMap<String, LearnedValue> {
    properties
        .keys()
        .map(|key| (key.clone(), LearnedValue::default()))
        .collect()
}

fn resolve<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let target = schema.get("$ref").and_then(Value::as_str);
    let target = target.and_then(|target| target.strip_prefix('#'));
    target
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}
