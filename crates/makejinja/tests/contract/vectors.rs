//! Data files, with what Python makes of them; `oracle.py` recorded it.

use makejinja::{Data, MemoryFiles, Problem, Settings, load_data};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::shown::shown_data;

/// What Python takes and is refused here: a line separator.
const REFUSED: &[&str] = &["a: \u{2028}x"];

/// What Python refuses and is taken here: tabs between tokens.
const TAKEN: &[&str] = &["\ta: 1", "a:\t1"];

pub(crate) fn read_data(suffix: &str, text: &str) -> Result<Value, Vec<Problem>> {
    let path = format!("data{suffix}");
    let arguments = ["-o", "out", "-d", &path].map(str::to_owned);
    let settings = Settings::read(&[], &[], &arguments).unwrap().value;
    let mut files = MemoryFiles::default();
    files.add(&path, text);
    let read = |_: &str| Ok(Some(Zeroizing::new(text.as_bytes().to_vec())));
    load_data(&settings, &files, &read).map(|data| shown_data(&data.value))
}

fn check(suffix: &str, vectors: &str) {
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    let mut wrong = Vec::new();
    for vector in &vectors {
        let text = vector["text"].as_str().unwrap();
        match read_data(suffix, text) {
            Ok(value) if value == vector["value"] => {}
            Ok(_) if TAKEN.contains(&text) => assert!(vector["error"].is_string()),
            Ok(value) => wrong.push(format!("{text}\ngives {value}\nnot {vector}")),
            Err(problems) if vector["error"].is_null() => {
                if !REFUSED.contains(&text) {
                    wrong.push(format!("{text}\nis refused: {problems:?}"));
                }
            }
            Err(problems) => {
                for problem in problems {
                    let at = problem.at.unwrap();
                    assert!(
                        at.span.start <= at.span.end && at.span.end <= text.len(),
                        "{text}"
                    );
                    assert!(!problem.message.ends_with('.'), "{}", problem.message);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn yaml_is_read_as_pyyaml_reads_it() {
    check(".yaml", include_str!("../vectors/yaml.json"));
}

#[test]
fn json_is_read_as_python_reads_it() {
    check(".json", include_str!("../vectors/json.json"));
}

#[test]
fn toml_is_read_as_python_reads_it() {
    check(".toml", include_str!("../vectors/toml.json"));
}

#[test]
fn a_value_shows_its_type_only() {
    let data = Data::List(vec![Data::Text("secret".to_owned())]);
    assert_eq!(format!("{data:?}"), "list");
    assert_eq!(json!(data.type_name()), json!("list"));
}

#[test]
fn hostile_aliases_end() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let items = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let problems = read_data(".yaml", &text).unwrap_err();
    assert!(problems[0].message.contains("too many values"));
    let mut text = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        text.push_str(&format!(
            "a{level}: &a{level} {{<<: [*a{before}, *a{before}]}}\n"
        ));
    }
    assert!(
        read_data(".yaml", &text).unwrap_err()[0]
            .message
            .contains("too many values")
    );
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..2000 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let problems = read_data(".yaml", &text).unwrap_err();
    assert!(problems[0].message.contains("too"), "{problems:?}");
    let deep = "[".repeat(5000);
    assert!(read_data(".yaml", &format!("a: {deep}")).is_err());
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(read_data(".json", &deep).is_err());
    assert!(read_data(".toml", &format!("a = {}", "[".repeat(5000))).is_err());
}
