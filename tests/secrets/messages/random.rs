//! Data files that are broken at random.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{CANARY, NUMBER, assert_no_secret, forms};
use kiln::config::{self, Outside, project};
use kiln::source::MemoryFiles;
use kiln::validate::{self, Schema};

/// The schema of a small config, so that each case is quick.
fn small_schema() -> Schema {
    let text = r#"{
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "dns": {"type": "object", "additionalProperties": false, "properties": {
          "provider": {"enum": ["none", "cloudflare"]},
          "token": {"type": "string", "writeOnly": true},
          "pin": {"type": "integer", "writeOnly": true}
        }},
        "keys": {"type": "array", "items": {"type": "string", "writeOnly": true}},
        "apps": {"type": "object", "properties": {}}
      }
    }"#;
    validate::compose(text.to_owned(), Vec::new()).unwrap()
}

/// The same data in every form that a file can have.
fn files() -> Vec<(&'static str, String)> {
    let block = format!(
        "dns:\n  provider: \"cloudflare\"\n  token: {CANARY}\n  pin: {NUMBER}\nkeys:\n  - {CANARY}\n  - \"{CANARY}\"\n"
    );
    let folded = format!(
        "dns:\n  token: |\n    {CANARY}\n    {CANARY}\nkeys:\n- >-\n  {CANARY}\n- '{CANARY}'\n"
    );
    let json = format!(
        "{{\"dns\":{{\"provider\":\"none\",\"token\":\"{CANARY}\",\"pin\":{NUMBER}}},\"keys\":[\"{CANARY}\"]}}"
    );
    let pretty = json.replace('{', "{\n  ").replace(',', ",\n    ");
    vec![
        ("cluster.yaml", block.clone()),
        ("cluster.yaml", block.replace('\n', "\r\n")),
        ("cluster.yaml", format!("\u{feff}{block}")),
        (
            "cluster.yaml",
            format!(
                "dns: {{\"token\": \"{CANARY}\", provider: \"none\", pin: {NUMBER}}}\nkeys: [\"{CANARY}\"]\n"
            ),
        ),
        (
            "cluster.yaml",
            format!("---\ndns: {{token: \"{CANARY}\"}}\n---\nkeys:\n- {CANARY}\n"),
        ),
        ("cluster.yaml", folded),
        ("cluster.json", json),
        ("cluster.json", pretty),
        (
            "cluster.toml",
            format!(
                "keys = [\"{CANARY}\"]\n[dns]\nprovider = \"none\"\ntoken = \"{CANARY}\"\npin = {NUMBER}\n"
            ),
        ),
        (
            "cluster.toml",
            format!("dns = {{ token = \"{CANARY}\", pin = {NUMBER} }}\nkeys = ['{CANARY}']\n"),
        ),
        (
            "kiln.toml",
            format!("output = \".\"\ntoken = \"{CANARY}\"\nseal = {{ tokn = \"{CANARY}\" }}\n"),
        ),
    ]
}

#[derive(Clone, Debug)]
enum Damage {
    Remove(usize),
    Insert(usize, char),
    Double(usize),
    Swap(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..400_usize;
    let letter = prop::sample::select("{}[]:,=\"'#&*!|>-% \n\t0ax".chars().collect::<Vec<_>>());
    prop_oneof![
        at.clone().prop_map(Damage::Remove),
        (at.clone(), letter).prop_map(|(at, letter)| Damage::Insert(at, letter)),
        at.clone().prop_map(Damage::Double),
        (at.clone(), at).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn damaged(text: &str, all: &[Damage]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for damage in all {
        let length = text.len().max(1);
        match damage {
            Damage::Remove(at) if !text.is_empty() => drop(text.remove(at % length)),
            Damage::Remove(_) => {}
            Damage::Insert(at, letter) => text.insert(at % length, *letter),
            Damage::Double(at) => {
                if let Some(letter) = text.get(at % length).copied() {
                    text.insert(at % length, letter);
                }
            }
            Damage::Swap(a, b) => {
                let whole: String = text.iter().collect();
                let mut lines: Vec<&str> = whole.split_inclusive('\n').collect();
                let count = lines.len().max(1);
                if !lines.is_empty() {
                    lines.swap(a % count, b % count);
                }
                text = lines.concat().chars().collect();
            }
        }
    }
    text.into_iter().collect()
}

fn told(path: &str, text: &str, schema: &Schema) -> String {
    let mut files = MemoryFiles([(path.to_owned(), text.as_bytes().to_vec())].into());
    if path == "kiln.toml" {
        files
            .0
            .insert("cluster.yaml".to_owned(), b"keys: []\n".to_vec());
    }
    let env = |_: &str| None;
    let decrypt = |_: &_| Ok(None);
    let outside = Outside {
        env: &env,
        decrypt: &decrypt,
        make_up: false,
    };
    let loaded = project::load(&files)
        .and_then(|project| config::load(&files, &project.value, &outside))
        .and_then(|merged| {
            let mut warnings = merged.warnings;
            validate::validate(merged.value, schema)
                .map(|cluster| warnings.extend(cluster.warnings))?;
            Ok(warnings)
        });
    let problems = loaded.unwrap_or_else(|problems| problems);
    problems.iter().map(forms).collect()
}

proptest! {
    #[test]
    fn however_a_data_file_is_broken_no_message_shows_a_secret(
        which in 0..11_usize,
        all in vec(damage(), 1..4),
    ) {
        let schema = small_schema();
        let (path, text) = files().swap_remove(which);
        let text = damaged(&text, &all);
        assert_no_secret(&told(path, &text, &schema), &text);
    }
}

#[test]
fn the_sound_files_are_all_read() {
    let schema = small_schema();
    for (path, text) in files() {
        let told = told(path, &text, &schema);
        assert!(!told.contains("config-syntax"), "{path}: {told}");
        assert_no_secret(&told, path);
    }
}
