//! The recipes of CONTRIBUTING, walked: what they name exists, their code is what the tables take, and what is there was made like it.
//!
//! "Add an app" is walked by `examples`, as whole as it stands there. Rust code of a recipe cannot be added to a binary that is built
//! already, so that it is held against the types that it has to fit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kiln::config::{self, Outside, project};
use kiln::diagnostic::{Diagnostic, StageResult, Warned};
use kiln::render::{FILTERS, FUNCTIONS};
use kiln::rules;
use kiln::source::MemoryFiles;
use kiln::validate;
use serde_json::Value;

use crate::support::{Sandbox, oracle};

const RECIPES: [&str; 7] = [
    "Add an app",
    "Add a rule or a check",
    "Add a diagnostic",
    "Add a filter",
    "Add a function",
    "Add a field to the config",
    "Add a chart profile",
];

const FILTERS_FILE: &str = "src/render/engine/tera/filters.rs";
const FUNCTIONS_FILE: &str = "src/render/engine/tera/functions.rs";
const CALLABLE: &str = "src/render/engine/tera/callable.rs";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns what stands below a heading of CONTRIBUTING.
fn recipe(heading: &str) -> String {
    let text = read("CONTRIBUTING.md");
    let (_, section) = text
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no recipe `{heading}`"));
    section.split("\n## ").next().unwrap().to_owned()
}

/// Returns the code blocks of a language, without the indentation of their step.
fn blocks(recipe: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = recipe.lines();
    while let Some(line) = lines.next() {
        let Some(fenced) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let body: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| line.get(indent..).unwrap_or_default())
            .collect();
        if fenced == language {
            found.push(body.join("\n") + "\n");
        }
    }
    found
}

/// Returns the text of a recipe outside of its code blocks.
fn prose(recipe: &str) -> String {
    let parts = recipe.split("```").step_by(2);
    parts.collect()
}

/// Lists the fields of a struct as its source declares them, with their types.
fn declared(path: &str, name: &str) -> BTreeMap<String, String> {
    let text = read(path);
    let start = format!("pub struct {name} {{\n");
    let (_, body) = text.split_once(&start).unwrap();
    let body = body.split("\n}").next().unwrap();
    let fields = body.lines().map(str::trim).filter_map(|line| {
        let line = line.strip_prefix("pub(super) ").unwrap_or(line);
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let (name, kind) = line.strip_suffix(',')?.split_once(": ")?;
        (!line.starts_with('/')).then(|| (name.to_owned(), kind.to_owned()))
    });
    fields.collect()
}

/// Lists the fields that a block of code gives to a struct.
fn given(block: &str) -> BTreeMap<String, String> {
    let (_, body) = block.split_once("{\n").unwrap();
    let body = body.split("\n}").next().unwrap();
    let fields = body.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        // Lines of a nested struct, and its end.
        if line.starts_with([' ', '}']) {
            return None;
        }
        let line = line.strip_suffix([',', '{'])?.trim_end();
        let (name, value) = line.split_once(": ").unwrap_or((line, line));
        Some((name.to_owned(), value.to_owned()))
    });
    fields.collect()
}

/// Returns the type of a Rust function that a block of code starts with: `fn(&Value) -> X`.
fn type_of(block: &str) -> (String, String) {
    let head = block.lines().next().unwrap().strip_suffix(" {").unwrap();
    let (_, head) = head.split_once("fn ").unwrap();
    let (name, rest) = head.split_once('(').unwrap();
    let (parameters, result) = rest.split_once(')').unwrap();
    let types = parameters
        .split(", ")
        .map(|parameter| parameter.split_once(": ").unwrap().1);
    let types: Vec<&str> = types.collect();
    (name.to_owned(), format!("fn({}){result}", types.join(", ")))
}

/// Every file, recipe of the justfile, filter of tests and page that a recipe names.
#[test]
fn recipes_name_what_exists() {
    let justfile = read("justfile");
    let tests = read("tests/main.rs");
    let mut missing = Vec::new();
    for heading in RECIPES {
        let recipe = recipe(heading);
        assert!(recipe.contains("\n1. "), "{heading}");
        let prose = prose(&recipe);
        let mut named = 0;
        for quoted in prose.split('`').skip(1).step_by(2) {
            let words: Vec<&str> = quoted.split(' ').collect();
            let made_here = ["<", "*", "whoami", "orchard", "service_without_port"];
            let is_path = ["src/", "tests/", "schemas/", "docs/"]
                .iter()
                .any(|start| quoted.starts_with(start));
            let there = match words[..] {
                ["just", name, ..] => justfile
                    .lines()
                    .any(|line| line.split([':', ' ']).next() == Some(name)),
                [.., "cargo", "test", "--test", "main", name] => {
                    tests.lines().any(|line| line == format!("mod {name};"))
                }
                _ if is_path && !made_here.iter().any(|part| quoted.contains(part)) => {
                    root().join(quoted).exists()
                }
                _ => continue,
            };
            named += 1;
            if !there {
                missing.push(format!("{heading}: `{quoted}`"));
            }
        }
        for link in prose.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            named += 1;
            if !root().join(link).exists() {
                missing.push(format!("{heading}: {link}"));
            }
        }
        assert!(named > 1, "{heading}");
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_rule_is_made_as_the_recipe_says() {
    let recipe = recipe("Add a rule or a check");
    let [block] = &blocks(&recipe, "rust")[..] else {
        panic!("{recipe}");
    };
    let fields: BTreeSet<String> = given(block).into_keys().collect();
    let wanted: BTreeSet<String> = declared("src/rules.rs", "Rule").into_keys().collect();
    assert_eq!(fields, wanted);
    let mut wrong = Vec::new();
    for rule in rules::all() {
        let name = rule.meaning.code.replace('-', "_");
        let category = rule.category.code().replace('-', "_");
        let folders = fs::read_dir(root().join("src/rules")).unwrap();
        let home = folders
            .map(|entry| entry.unwrap().path())
            .find(|folder| folder.join(format!("{name}.rs")).is_file());
        let Some(home) = home else {
            // Those that only the score counts may stand in the file of their category.
            if rule.is_checked() {
                wrong.push(format!("{}: no file", rule.meaning.code));
            }
            continue;
        };
        let own = fs::read_to_string(home.join(format!("{name}.rs"))).unwrap();
        let list = fs::read_to_string(home.with_extension("rs")).unwrap();
        for (text, part) in [
            (&own, format!("code: \"{}\",", rule.meaning.code)),
            (&own, "RULE: Rule = Rule {".to_owned()),
            (&list, format!("mod {name};")),
            (&list, format!("{name}::RULE")),
        ] {
            if !text.contains(&part) && rule.is_checked() {
                wrong.push(format!("{} in {category}: no `{part}`", rule.meaning.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_filter_is_made_as_the_recipe_says() {
    let blocks = blocks(&recipe("Add a filter"), "rust");
    let names: Vec<&str> = FILTERS.iter().map(|filter| filter.name).collect();
    let kinds = declared(CALLABLE, "Filter");
    fits(&blocks, &kinds, "Filter {\n", &names);
    let cases = cases();
    let source = read(FILTERS_FILE);
    for name in names {
        assert!(source.contains(&format!("\nfn {name}(")), "{name}");
        let used = [format!("| {name} "), format!("| {name}(")];
        assert!(
            used.iter().any(|used| cases.contains(used)),
            "no case has the filter `{name}`"
        );
    }
}

#[test]
fn a_function_is_made_as_the_recipe_says() {
    let blocks = blocks(&recipe("Add a function"), "rust");
    let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    let kinds = declared(CALLABLE, "Function");
    fits(&blocks, &kinds, "Function {\n", &names);
    let cases = cases();
    let source = read(FUNCTIONS_FILE);
    for name in names {
        let (_, entry) = source.split_once(&format!("name: \"{name}\",")).unwrap();
        let (_, call) = entry.split_once("call: ").unwrap();
        let (file, function) = call.split(',').next().unwrap().split_once("::").unwrap();
        let home = read(&format!("src/render/engine/tera/functions/{file}.rs"));
        assert!(
            home.contains(&format!("pub(super) fn {function}(")),
            "{name}"
        );
        assert!(
            cases.contains(&format!("{name}(")),
            "no case has the function `{name}`"
        );
    }
}

/// The entry of a recipe has the fields of its struct, and calls the function of its second block, which is of the type that the struct
/// wants.
#[track_caller]
fn fits(blocks: &[String], kinds: &BTreeMap<String, String>, start: &str, there: &[&str]) {
    let [entry, function] = blocks else {
        panic!("{blocks:?}");
    };
    assert!(entry.starts_with(start), "{entry}");
    let fields = given(entry);
    let names: Vec<&String> = fields.keys().collect();
    assert_eq!(names, kinds.keys().collect::<Vec<_>>());
    let (name, kind) = type_of(function);
    assert_eq!(kind, kinds["call"]);
    assert_eq!(fields["call"].rsplit("::").next(), Some(name.as_str()));
    assert_eq!(fields["name"], format!("\"{name}\""));
    assert!(
        !there.contains(&name.as_str()),
        "`{name}` is there already: take another example"
    );
}

/// The cases of templates that render, and of those that do not.
fn cases() -> String {
    let entries = fs::read_dir(root().join("tests/render")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.collect()
}

/// Validates the example of one node, with a line more below `network`, by the schema of the core with one property more.
fn validated(property: Option<&Value>, line: &str) -> StageResult<()> {
    let mut core: Value = serde_json::from_str(&read("schemas/cluster.schema.json")).unwrap();
    let known = &mut core["properties"]["network"]["properties"];
    for (name, own) in property.iter().flat_map(|value| value.as_object().unwrap()) {
        assert_eq!(
            known[name],
            Value::Null,
            "`{name}` is there already: take another example"
        );
        known[name] = own.clone();
    }
    let cluster = read("examples/homelab/cluster.yaml");
    let cluster = cluster.replacen("network:\n", &format!("network:\n{line}"), 1);
    let files = [
        ("kiln.toml", String::new()),
        ("cluster.yaml", cluster),
        ("nodes.yaml", read("examples/homelab/nodes.yaml")),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
    let files = MemoryFiles(files.into_iter().collect());
    let project = project::load(&files)?.value;
    let outside = Outside {
        env: &|_| None,
        decrypt: &|_| Ok(None),
        make_up: false,
    };
    let merged = config::load(&files, &project, &outside)?;
    let schema = validate::compose(core.to_string(), Vec::new())?;
    validate::validate(merged.value, &schema)?;
    Warned::unless_errors((), Vec::new())
}

fn codes(result: &StageResult<()>) -> Vec<&'static str> {
    let problems: &[Diagnostic] = result.as_ref().err().map_or(&[], |problems| problems);
    problems.iter().map(Diagnostic::code).collect()
}

#[test]
fn a_field_of_the_config_is_made_as_the_recipe_says() {
    let recipe = recipe("Add a field to the config");
    let [json] = &blocks(&recipe, "json")[..] else {
        panic!("{recipe}");
    };
    let property: Value = serde_json::from_str(json).unwrap();
    let name = property.as_object().unwrap().keys().next().unwrap();

    // Without the field, the config is one that Kiln takes.
    assert_eq!(codes(&validated(None, "")), [""; 0]);
    let written = format!("  {name}: lab.example.com\n");
    assert_eq!(codes(&validated(None, &written)), ["unknown-key"]);
    // The schema alone takes it, fills it in, and refuses what is wrong.
    for line in ["", written.as_str()] {
        assert_eq!(codes(&validated(Some(&property), line)), [""; 0]);
    }
    let wrong = format!("  {name}: No Domain\n");
    assert_eq!(codes(&validated(Some(&property), &wrong)).len(), 1);
}

/// Every property of the core says what it is, as the recipe asks.
#[test]
fn every_field_of_the_config_has_a_title_and_a_description() {
    fn walk(schema: &Value, at: &str, wrong: &mut Vec<String>) {
        let properties = schema["properties"].as_object();
        for (name, property) in properties.into_iter().flatten() {
            let place = format!("{at}.{name}");
            for word in ["title", "description"] {
                // What is computed is no input of the user's.
                if !property[word].is_string() && !place.starts_with(".derived") {
                    wrong.push(format!("{place}: no {word}"));
                }
            }
            walk(property, &place, wrong);
            walk(&property["items"], &place, wrong);
        }
    }
    let core: Value = serde_json::from_str(&read("schemas/cluster.schema.json")).unwrap();
    let mut wrong = Vec::new();
    walk(&core, "", &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The command of the recipe, run for real, on the chart by which the profiler is tested.
#[test]
fn a_chart_profile_is_made_as_the_recipe_says() {
    let recipe = recipe("Add a chart profile");
    let [command] = &blocks(&recipe, "console")[..] else {
        panic!("{recipe}");
    };
    let words: Vec<&str> = command.split_whitespace().collect();
    let ["kiln", arguments @ ..] = &words[..] else {
        panic!("{command}");
    };
    let chart = arguments
        .iter()
        .find(|word| word.ends_with(".tgz"))
        .unwrap();
    let output = arguments.last().unwrap();
    let name = Path::new(output).file_stem().unwrap().to_str().unwrap();
    assert!(chart.starts_with(&format!("./{name}-")), "{command}");
    assert_eq!(
        Path::new(output).parent(),
        Some(Path::new("schemas/charts"))
    );
    let Some(helm) = oracle("helm") else { return };
    let sandbox = Sandbox::with(&[
        ("kiln.toml", ""),
        (
            "chart/Chart.yaml",
            &format!("name: {name}\nversion: 1.2.3\n"),
        ),
        (
            "chart/templates/pod.yaml",
            "kind: Pod\nmetadata: {name: {{ .Release.Name }}}\n",
        ),
        ("schemas/charts/.keep", ""),
    ]);
    let packed = std::process::Command::new(&helm)
        .args(["package", "chart"])
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    assert!(packed.status.success(), "{packed:?}");
    let arguments = [arguments, &["--helm", helm.to_str().unwrap()]].concat();
    sandbox.kiln(&arguments).success();
    let profile = sandbox.read(output);
    assert!(
        profile.starts_with("---\n# yaml-language-server: $schema=../"),
        "{profile}"
    );
    assert!(profile.contains(&format!("chart: {name}\n")), "{profile}");
    let evidence = format!("schemas/charts/measured/{name}.json.gz");
    assert!(recipe.contains("`schemas/charts/measured/<chart>.json.gz`"));
    assert!(sandbox.path(&evidence).is_file());
}

/// Each profile has its evidence, or docs/profiles.md says that it has none.
#[test]
fn chart_profiles_have_evidence_or_a_word_on_it() {
    let page = read("docs/profiles.md");
    let (_, excuse) = page
        .split_once("Profiles without a file in `measured/`")
        .unwrap();
    let excuse = excuse.split("\n- ").next().unwrap();
    let folder = root().join("schemas/charts");
    let entries = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let evidence = folder.join(format!("measured/{name}.json.gz"));
        let words = excuse.split([' ', ',', '\n', '.']);
        let excused = words.into_iter().any(|word| word == name);
        assert_ne!(evidence.is_file(), excused, "{name}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

/// The hosted workflow runs what everybody runs, and takes no action that somebody else can exchange.
#[test]
fn hosted_workflows_run_the_same_and_pin_their_actions() {
    let folder = root().join(".github/workflows");
    let entries = fs::read_dir(&folder).unwrap();
    let mut runs = String::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("\npermissions:\n  contents: read\n"),
            "{}",
            path.display()
        );
        assert!(!text.contains("pull_request_target"), "{}", path.display());
        for line in text.lines().map(|line| line.trim_start_matches(['-', ' '])) {
            if let Some(action) = line.strip_prefix("uses: ") {
                let (commit, version) = action
                    .split_once('@')
                    .unwrap()
                    .1
                    .split_once(" # v")
                    .unwrap();
                let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
                assert!(
                    is_commit && version.contains('.'),
                    "{}: {line}",
                    path.display()
                );
            }
        }
        runs += &text;
    }
    let wanted = [
        "run: .ci/run\n",
        "run: .ci/release\n",
        "run: .ci/first-run\n",
        "check advisories",
    ];
    for command in wanted {
        assert!(runs.contains(command), "no workflow has `{command}`");
    }
    let gate = read(".ci/run");
    for part in [
        "\"$typos\"",
        "\"$cargo_deny\" --locked check bans licenses sources",
        "cargo check --no-default-features",
        ".ci/release ",
    ] {
        assert!(gate.contains(part), ".ci/run has no `{part}`");
    }
}
