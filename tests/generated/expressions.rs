//! The expressions of the catalogue, parsed.

use std::collections::BTreeSet;

use kiln::cel;
use kiln::pipeline::catalogue;
use kiln::source::Files as _;
use kube_cel::cel::Program;
use serde_json::Value;

use super::compare;

/// Collects the rules and computed defaults of a schema.
fn expressions(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(text) if key == "x-kiln-default" || key == "rule" => {
                        found.insert(text.clone());
                    }
                    _ => expressions(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

#[test]
fn generated_expressions_are_current() {
    let files = catalogue();
    let text = |path: &str| String::from_utf8(files.read(path).unwrap().unwrap()).unwrap();
    let mut found = BTreeSet::new();
    let schemas = files.list("schemas").unwrap();
    for path in schemas.iter().filter(|path| path.ends_with(".schema.json")) {
        expressions(&serde_json::from_str(&text(path)).unwrap(), &mut found);
    }
    let templates = files.list("templates").unwrap();
    for path in templates.iter().filter(|path| path.ends_with("/app.toml")) {
        let text = text(path);
        let manifest = toml_span::parse(&text).unwrap();
        let when = manifest.pointer("/when").and_then(|when| when.as_str());
        found.extend(when.map(str::to_owned));
    }
    assert!(found.len() > 50, "{}", found.len());
    let lines: Vec<String> = found
        .iter()
        .filter_map(|text| cel::line(text, Program::compile(text).unwrap().expression()))
        .collect();
    compare("src/cel/expressions.txt", &(lines.join("\n") + "\n"));
}
