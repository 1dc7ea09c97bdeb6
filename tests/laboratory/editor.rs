//! Editors with the schema that `kiln init` writes: the newest YAML language server, and an older one.
//!
//! What a server offers is inserted as an editor does it, and the text that comes of it has to be valid by the server itself.

/// A client of the server.
mod server;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kiln::config::{self, project};
use kiln::source::MemoryFiles;
use serde_json::Value;

use crate::support::{Sandbox, oracle};
use server::{Complaint, Completion, LanguageServer, Position};

const SERVERS: [&str; 2] = ["yaml-language-server", "yaml-language-server-older"];
const HEAD: &str = "# yaml-language-server: $schema=./cluster.schema.json\n";
/// An app of one's own, with all that a default can be.
const OWN_SCHEMA: &str = include_str!("editor/duo.schema.json");

/// Makes a project as a user does, with an own app in it, and asks each server at hand about it.
fn with_servers(test: impl Fn(&mut LanguageServer, &Value)) {
    let sandbox = Sandbox::with(&[("schemas/apps/duo.schema.json", OWN_SCHEMA)]);
    sandbox.kiln(&["init"]).success();
    let schema = serde_json::from_str(&sandbox.read("cluster.schema.json")).unwrap();
    for name in SERVERS {
        if let Some(program) = oracle(name) {
            let mut server = LanguageServer::start(&program, &sandbox.path(""));
            test(&mut server, &schema);
            assert_eq!(server.failures(), [""; 0], "{name}");
        }
    }
}

/// A value in the config: the keys to it, and its schema.
#[derive(Clone)]
struct Slot<'s> {
    steps: Vec<Step<'s>>,
    schema: &'s Value,
}

#[derive(Clone, Copy)]
enum Step<'s> {
    Key(&'s str),
    Item,
}

impl<'s> Slot<'s> {
    fn below(&self, step: Step<'s>, schema: &'s Value) -> Self {
        let steps = self.steps.iter().copied().chain([step]).collect();
        Self { steps, schema }
    }

    /// Lists what the schema says of the values right below this one.
    fn members(&self) -> Vec<Self> {
        let keys = self.schema["properties"].as_object().into_iter().flatten();
        let keys = keys.map(|(key, schema)| self.below(Step::Key(key), schema));
        let items = self.schema.get("items");
        let items = items.map(|schema| self.below(Step::Item, schema));
        let named = self.schema["additionalProperties"].is_object();
        let named =
            named.then(|| self.below(Step::Key("a-name"), &self.schema["additionalProperties"]));
        keys.chain(items).chain(named).collect()
    }

    /// Lists this value and all below.
    fn all(&self) -> Vec<Self> {
        let below = self.members().into_iter().flat_map(|slot| slot.all());
        [self.clone()].into_iter().chain(below).collect()
    }

    fn keys(&self) -> BTreeSet<&'s str> {
        let keys = self.schema["properties"].as_object().into_iter().flatten();
        keys.map(|(key, _)| key.as_str()).collect()
    }

    /// Writes a config up to where the value begins: on the line of its key, or below it.
    fn text(&self, below: bool) -> String {
        let mut text = HEAD.to_owned();
        let mut indent = 0;
        for (index, step) in self.steps.iter().enumerate() {
            if !text.ends_with("- ") {
                text.push_str(&" ".repeat(indent));
            }
            indent += 2;
            match step {
                Step::Item => text.push_str("- "),
                Step::Key(key) => {
                    text.push_str(key);
                    let last = index + 1 == self.steps.len();
                    text.push_str(if last && !below { ": " } else { ":\n" });
                }
            }
        }
        if below && !text.ends_with("- ") {
            text.push_str(&" ".repeat(indent));
        }
        text
    }

    /// Names the value for messages.
    fn name(&self) -> String {
        let steps = self.steps.iter().map(|step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Item => "[]".to_owned(),
        });
        steps.collect()
    }
}

/// The end of a text.
fn end(text: &str) -> Position {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position {
        line: text.matches('\n').count(),
        column: last.chars().count(),
    }
}

/// Inserts at the end of a text what a server offers, as an editor does it.
fn inserted(text: &str, completion: &Completion) -> String {
    let (before, line) = text.rsplit_once('\n').unwrap();
    let indent: String = line.chars().take_while(|letter| *letter == ' ').collect();
    let insertion = filled(&completion.snippet).replace('\n', &format!("\n{indent}"));
    let kept = &line[..completion.replaced.start];
    format!("{before}\n{kept}{insertion}\n")
}

/// Takes the defaults of a snippet, and leaves the stops without one empty.
fn filled(snippet: &str) -> String {
    let mut text = String::new();
    let mut letters = snippet.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.extend(letters.next()),
            '$' if letters.next_if_eq(&'{').is_some() => {
                while letters.next_if(char::is_ascii_digit).is_some() {}
                letters.next_if_eq(&':');
            }
            '$' => while letters.next_if(char::is_ascii_digit).is_some() {},
            '}' => {}
            letter => text.push(letter),
        }
    }
    text
}

/// Whether a line still waits for a value.
fn is_unfinished(text: &str, line: usize) -> bool {
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let mut lines = text.lines().skip(line);
    let own = lines.next().unwrap_or_default();
    let next = lines
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let waits = own.trim_end().ends_with([':', '-']) && depth(next) <= depth(own);
    // Of a key whose values may be anything, a server gives the bare name.
    waits || !own.contains([':', '-'])
}

/// Whether a complaint is about what is not written yet.
fn is_about_missing(text: &str, complaint: &Complaint) -> bool {
    complaint.message.starts_with("Missing property") || is_unfinished(text, complaint.line)
}

#[test]
fn every_key_completes() {
    with_servers(|server, schema| {
        let root = Slot {
            steps: Vec::new(),
            schema,
        };
        let tables = root
            .all()
            .into_iter()
            .filter(|slot| !slot.keys().is_empty());
        for table in tables {
            let text = table.text(true);
            let offered = server.complete(&text, end(&text));
            let offered: BTreeSet<_> = offered.iter().map(|item| item.label.as_str()).collect();
            let missing: Vec<_> = table.keys().difference(&offered).copied().collect();
            assert!(missing.is_empty(), "{}: {missing:?}", table.name());
        }
    });
}

#[test]
fn what_is_completed_is_valid() {
    with_servers(|server, schema| {
        let root = Slot {
            steps: Vec::new(),
            schema,
        };
        let mut texts = Vec::new();
        for slot in root.all() {
            let is_table = !slot.keys().is_empty();
            let places = [Some(slot.text(false)), is_table.then(|| slot.text(true))];
            for text in places.into_iter().flatten() {
                let offered = server.complete(&text, end(&text));
                texts.extend(offered.iter().map(|item| inserted(&text, item)));
            }
        }
        let found = server.complaints(&texts);
        let wrong = texts.iter().zip(found).filter_map(|(text, mut found)| {
            found.retain(|complaint| !is_about_missing(text, complaint));
            (!found.is_empty()).then(|| format!("{text}{found:?}\n"))
        });
        let wrong: Vec<_> = wrong.collect();
        assert!(
            wrong.is_empty(),
            "{} of {}:\n{}",
            wrong.len(),
            texts.len(),
            wrong.concat()
        );
    });
}

/// Returns the data files of the examples, as an editor of YAML would see them.
fn examples() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    for example in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(example.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.starts_with("cluster.") && !name.starts_with("nodes.") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = match path.extension().and_then(|extension| extension.to_str()) {
                Some("toml") => as_json(name, &text),
                _ => text,
            };
            let text = text.replace("# yaml-language-server", "#");
            found.push((path.display().to_string(), format!("{HEAD}{text}")));
        }
    }
    found
}

/// Writes a config in TOML as JSON, of which YAML is a superset.
fn as_json(name: &str, text: &str) -> String {
    let files = [(name, text), ("kiln.toml", "")];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let files = MemoryFiles(files.into_iter().collect());
    let project = project::load(&files).unwrap().value;
    let outside = config::Outside {
        env: &|_| None,
        decrypt: &|_| Ok(None),
        make_up: true,
    };
    let merged = config::load(&files, &project, &outside).unwrap();
    merged.value.value.to_string()
}

#[test]
fn examples_are_valid() {
    with_servers(|server, _| {
        let (names, texts): (Vec<_>, Vec<_>) = examples().into_iter().unzip();
        assert!(names.len() >= 4, "{names:?}");
        for (name, found) in names.iter().zip(server.complaints(&texts)) {
            assert_eq!(found, [], "{name}");
        }
    });
}

#[test]
fn what_kiln_accepts_is_valid() {
    let texts = [
        "dns:\n  token: { fromEnv: CLOUDFLARE_TOKEN }\n",
        "domain:\n  name: { fromEnv: DOMAIN, public: true }\n",
        "backup:\n  access_key_id: { fromFile: access-key.txt }\n",
        "ingress:\n  mode: { fromEnv: MODE, public: true }\n",
        "network: { node_cidr: 192.168.1.0/24, vlan_tag: 20 }\n",
        "network: { node_cidr: 192.168.1.0/24, vlan_tag: null }\n",
        "apps:\n  duo: { tag: null, window: { start: null }, hosts: [{ name: a, address: null }] }\n",
        "storage: {}\n",
    ];
    let texts = texts.map(|text| format!("{HEAD}{text}"));
    with_servers(|server, _| {
        for (text, found) in texts.iter().zip(server.complaints(&texts)) {
            assert_eq!(found, [], "{text}");
        }
    });
}

#[test]
fn typos_show_at_their_line() {
    let cases = [
        (
            "network:\n  node_cidr: 192.168.1.0/24\nnetwrok: {}\n",
            3,
            "netwrok",
        ),
        ("network:\n  node_cdir: 192.168.1.0/24\n", 2, "node_cdir"),
        ("apps:\n  ecoh:\n    enabled: true\n", 2, "ecoh"),
        ("apps:\n  duo:\n    tga: a\n", 3, "tga"),
        (
            "apps:\n  duo:\n    tag: a\n    window: {}\n    level: medium\n",
            5,
            "\"low\"",
        ),
        ("ingress:\n  mode: tunnel\n", 2, "\"cloudflare-tunnel\""),
        ("apps:\n  echo:\n    enabled: 3\n", 3, "boolean"),
        ("dns:\n  provider: none\n  token: 3\n", 3, "string"),
        (
            "dns:\n  provider: none\n  token: { formEnv: NAME }\n",
            3,
            "formEnv",
        ),
        ("network:\n  dns_servers:\n    - 1.1.1\n", 3, "IPv4"),
        ("network:\n  vlan_tag: a\n", 2, "^[0-9]+$"),
    ];
    let texts = cases.map(|(text, ..)| format!("{HEAD}{text}"));
    with_servers(|server, _| {
        for ((text, line, word), found) in cases.iter().zip(server.complaints(&texts)) {
            let here =
                |complaint: &Complaint| complaint.line == *line && complaint.message.contains(word);
            assert!(found.iter().any(here), "{text}{found:?}");
        }
    });
}

#[test]
fn hovering_says_what_a_key_is_for() {
    with_servers(|server, schema| {
        let root = Slot {
            steps: Vec::new(),
            schema,
        };
        let described = |slot: &Slot<'_>| {
            let keyed = matches!(slot.steps.last(), Some(Step::Key(key)) if *key != "a-name");
            keyed && slot.schema.get("description").is_some()
        };
        for slot in root.all().into_iter().filter(described) {
            let text = slot.text(false);
            let mut position = end(&text);
            position.column -= 3;
            let shown = server.hover(&text, position);
            // What Markdown has signs for comes out with backslashes.
            let letters = |text: &str| {
                text.chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect::<String>()
            };
            let description = letters(slot.schema["description"].as_str().unwrap());
            assert!(
                letters(&shown).contains(&description),
                "{}: {shown}",
                slot.name()
            );
        }
    });
}
