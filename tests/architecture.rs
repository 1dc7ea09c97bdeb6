//! Who may import whom, as data.
//!
//! The table is the design; a change that needs a new arrow needs an ADR first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::files_with_extension;

const VOCABULARY: [&str; 6] = ["source", "diagnostic", "secret", "yaml", "tree", "cel"];

/// Module, and what it may import besides itself. `config::cluster` is the validated config, which
/// every stage reads.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("diagnostic", &["source"]),
    ("secret", &[]),
    ("yaml", &["source", "diagnostic"]),
    ("tree", &["source", "yaml"]),
    ("cel", &[]),
    ("flux", &["source", "diagnostic", "yaml", "tree"]),
    ("pod_security", &["yaml"]),
    (
        "charts",
        &[
            "source",
            "diagnostic",
            "yaml",
            "tree",
            "flux",
            "pod_security",
        ],
    ),
    (
        "workload",
        &[
            "source",
            "diagnostic",
            "yaml",
            "tree",
            "flux",
            "pod_security",
            "charts",
        ],
    ),
    ("fs", &["source"]),
    (
        "config",
        &["source", "diagnostic", "secret", "yaml", "tree"],
    ),
    (
        "validate",
        &[
            "source",
            "diagnostic",
            "secret",
            "yaml",
            "tree",
            "cel",
            "config::cluster",
        ],
    ),
    (
        "render",
        &[
            "source",
            "diagnostic",
            "secret",
            "yaml",
            "tree",
            "cel",
            "config::cluster",
        ],
    ),
    (
        "makejinja",
        &["source", "diagnostic", "secret", "tree", "render"],
    ),
    (
        "rules",
        &[
            "source",
            "diagnostic",
            "yaml",
            "tree",
            "flux",
            "pod_security",
            "charts",
            "workload",
        ],
    ),
    ("harden", &["source", "diagnostic", "yaml", "tree", "rules"]),
    ("check", &["diagnostic", "yaml", "tree", "flux", "rules"]),
    ("audit", &["diagnostic", "tree", "rules"]),
    ("seal", &["source", "diagnostic", "secret", "yaml", "tree"]),
    ("write", &["source", "diagnostic", "tree", "fs"]),
    (
        "diff",
        &["source", "diagnostic", "secret", "yaml", "tree", "flux"],
    ),
    (
        "adopt",
        &["source", "diagnostic", "yaml", "tree", "flux", "diff"],
    ),
    (
        "watch",
        &["source", "diagnostic", "secret", "yaml", "tree", "fs"],
    ),
    (
        "profiler",
        &[
            "source",
            "diagnostic",
            "yaml",
            "tree",
            "fs",
            "charts",
            "workload",
        ],
    ),
    (
        "pipeline",
        &[
            "source",
            "diagnostic",
            "secret",
            "yaml",
            "tree",
            "flux",
            "pod_security",
            "charts",
            "workload",
            "config",
            "validate",
            "render",
            "makejinja",
            "rules",
            "harden",
            "check",
            "audit",
            "seal",
            "flux",
        ],
    ),
    (
        "cli",
        &[
            "source",
            "diagnostic",
            "secret",
            "yaml",
            "tree",
            "fs",
            "write",
            "watch",
            "profiler",
            "diff",
            "adopt",
            "rules",
            "check",
            "audit",
            "flux",
            "pipeline",
            "flux",
        ],
    ),
];

/// Crate, and the crates of this repository that it depends on.
const CRATES: &[(&str, &[&str])] = &[
    ("spanned-yaml", &[]),
    ("envsubst", &[]),
    ("jinja", &[]),
    ("makejinja-plugins", &[]),
    ("kustomize", &["spanned-yaml"]),
    ("makejinja", &[]),
    ("sops-age", &["spanned-yaml"]),
    (
        "kiln",
        &[
            "spanned-yaml",
            "envsubst",
            "jinja",
            "kustomize",
            "makejinja",
            "makejinja-plugins",
            "sops-age",
        ],
    ),
];

/// Engine of templates, and the one folder in which its name may stand.
const ENGINES: [(&str, &str); 2] = [
    ("tera::", "src/render/engine/tera"),
    ("minijinja::", "crates/jinja/src"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files_with_extension(folder, "rs")
}

/// Every `crate::a::b` that stands in a file, comments and strings aside, `use` braces opened.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            for part in group.split_inclusive(['{', '}', ',']) {
                let name =
                    part.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                if depth == 0 && !name.is_empty() {
                    found.insert(two_steps(name));
                }
                match part.chars().last() {
                    Some('{') => depth += 1,
                    Some('}') if depth == 0 => break,
                    Some('}') => depth -= 1,
                    _ => {}
                }
            }
        } else {
            found.insert(two_steps(rest));
        }
    }
    found
}

fn two_steps(path: &str) -> String {
    let end = path
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        .unwrap_or(path.len());
    path[..end]
        .split("::")
        .take(2)
        .collect::<Vec<_>>()
        .join("::")
}

/// Lists the sources of all crates of this repository.
fn sources() -> Vec<PathBuf> {
    let folders = CRATES.iter().map(|(name, _)| folder_of(name).join("src"));
    folders.flat_map(|folder| rust_files(&folder)).collect()
}

fn module_of(file: &Path) -> String {
    let Ok(relative) = file.strip_prefix(root().join("src")) else {
        return String::new();
    };
    let first = relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut broken = Vec::new();
    for file in rust_files(&root().join("src")) {
        let module = module_of(&file);
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(allowed) = table.get(module.as_str()) else {
            broken.push(format!(
                "{}: the table does not know `{module}`",
                file.display()
            ));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for import in imports(&text) {
            let first = import.split("::").next().unwrap_or_default();
            let fine =
                first == module || allowed.contains(&first) || allowed.contains(&import.as_str());
            if !fine {
                broken.push(format!("{}: imports `crate::{import}`", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Returns the folder of a crate of this repository.
fn folder_of(name: &str) -> PathBuf {
    match name {
        "kiln" => root(),
        name => root().join("crates").join(name),
    }
}

/// Lists the crates of this repository that a crate depends on, by its `Cargo.toml`.
fn dependencies(name: &str) -> BTreeSet<&'static str> {
    let manifest = fs::read_to_string(folder_of(name).join("Cargo.toml")).unwrap();
    let mut section = String::new();
    let mut found = BTreeSet::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut section);
        }
        let mut own = CRATES.iter().map(|(name, _)| *name);
        let named = own.find(|name| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '=', '.']))
        });
        let in_line = section == "dependencies" || section.ends_with(".dependencies");
        found.extend(named.filter(|_| in_line && section != "workspace.dependencies"));
    }
    found
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let mut folders: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.push("kiln".to_owned());
    folders.sort();
    let mut known: Vec<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(
        folders, known,
        "the table does not know a crate, or knows one too many"
    );
    for (name, allowed) in CRATES {
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(dependencies(name), allowed, "{name}");
        for used in allowed {
            let spelled = used.replace('-', "_");
            let uses = rust_files(&folder_of(name).join("src")).iter().any(|file| {
                fs::read_to_string(file)
                    .unwrap()
                    .contains(&format!("{spelled}::"))
            });
            assert!(uses, "nothing in `{name}` uses `{used}`");
        }
    }
}

#[test]
fn each_engine_of_templates_stands_in_one_folder() {
    for (name, folder) in ENGINES {
        let (mut inside, mut outside) = (0, Vec::new());
        for file in sources() {
            let text = fs::read_to_string(&file).unwrap();
            let code = text
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default());
            let is_path = |(at, line): (usize, &str)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
            };
            let mut uses =
                code.flat_map(|line| line.match_indices(name).map(move |(at, _)| (at, line)));
            if !uses.any(is_path) {
                continue;
            }
            if file.starts_with(root().join(folder)) {
                inside += 1;
            } else {
                outside.push(file.display().to_string());
            }
        }
        assert!(inside > 0, "nothing uses `{name}`");
        assert!(outside.is_empty(), "{name} in {}", outside.join(", "));
    }
}

#[test]
fn the_guard_sees_an_import_in_every_spelling() {
    let text = "use crate::{seal, config::{model, project}};\nfn f() { crate::write::plan() } // crate::cli";
    let expected: BTreeSet<String> = ["seal", "config", "write::plan"]
        .map(str::to_owned)
        .into_iter()
        .collect();
    let found: BTreeSet<String> = imports(text)
        .into_iter()
        .map(|import| import.trim_end_matches("::").to_owned())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_vocabulary_knows_no_stage() {
    for (module, allowed) in MAY_IMPORT {
        if VOCABULARY.contains(module) {
            let outside = allowed.iter().find(|name| !VOCABULARY.contains(name));
            assert_eq!(outside, None, "{module}");
        }
    }
}

#[test]
fn only_fs_touches_the_disk() {
    let mut broken = Vec::new();
    for file in sources() {
        if module_of(&file) == "fs" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if code.contains("std::fs") {
            broken.push(file.display().to_string());
        }
    }
    assert!(broken.is_empty(), "std::fs in {}", broken.join(", "));
}

/// Git obeys what it finds in a repository unless it is told not to, which one place does.
#[test]
fn git_is_started_in_one_place() {
    let mut starters = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let names_git = code.contains("\"git\"") || code.contains("\"git.exe\"");
        if code.contains("Command") && code.contains("::new(") && names_git {
            starters.push(file.strip_prefix(root()).unwrap().display().to_string());
        }
        let others = code.matches("Command::new(\"git\")").count();
        assert!(others <= 1, "{}", file.display());
    }
    assert_eq!(starters, ["src/fs/git/command.rs"]);
}

/// What files say goes out through `cli::report::shown` alone: the printer takes nothing else, and nothing but
/// the printer has the streams.
#[test]
fn what_files_say_goes_out_escaped() {
    let places = |needle: &str| -> Vec<String> {
        let files = sources();
        let found = files.into_iter().filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            code.contains(needle)
        });
        let relative = |file: PathBuf| file.strip_prefix(root()).unwrap().display().to_string();
        found.map(relative).collect()
    };
    let shown = "src/cli/report/shown";
    // Whole files, which the reader sends into a file.
    assert_eq!(
        places("Shown::file("),
        [
            "src/cli/commands/completions.rs",
            "src/cli/commands/profile.rs"
        ]
    );
    // The settings ask whether they are terminals; the user's own command of `kiln watch` gets them.
    let printer = ["src/cli/printer.rs", "src/cli/settings.rs"];
    assert_eq!(places("io::stdout()"), printer);
    assert_eq!(places("io::stderr()")[..2], printer);
    assert_eq!(places("io::stderr()")[2..], ["src/watch/command.rs"]);
    // A word of its own: the standard library has `AssertUnwindSafe`.
    let unescaped: Vec<String> = [" Safe(", ":Safe(", "(Safe("]
        .into_iter()
        .flat_map(places)
        .collect();
    assert_eq!(unescaped, [format!("{shown}/html.rs")]);
    // Text of a file that is passed off as our own.
    for leak in [".leak()", "::leak("] {
        let leaks = places(leak);
        let leaks: Vec<&String> = leaks
            .iter()
            .filter(|file| file.starts_with("src/cli"))
            .collect();
        assert!(leaks.is_empty(), "{leaks:?}");
    }
    let page = fs::read_to_string(root().join("src/cli/report/diff/html/page.html")).unwrap();
    for way_out in ["|safe", "| safe", "escape", "autoescape"] {
        assert!(!page.contains(way_out), "{way_out}");
    }
}

#[test]
fn every_test_file_is_part_of_the_binary() {
    let tests = root().join("tests");
    let mut forgotten = Vec::new();
    for file in rust_files(&tests) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = file.parent().unwrap();
        let in_bench = folder.ends_with("bench") || folder.ends_with("fuzz");
        if name == "main" || in_bench {
            continue;
        }
        let parent = if folder == tests {
            tests.join("main.rs")
        } else {
            folder.with_extension("rs")
        };
        let declared = fs::read_to_string(&parent).is_ok_and(|text| {
            text.lines().any(|line| {
                line == format!("mod {name};") || line == format!("pub(crate) mod {name};")
            })
        });
        if !declared {
            forgotten.push(file.display().to_string());
        }
    }
    assert!(
        forgotten.is_empty(),
        "no `mod` line for {}",
        forgotten.join(", ")
    );
}

/// Returns the rows of the table below a heading of `docs/architecture.md`, without its head, as cells.
fn rows<'t>(page: &'t str, heading: &str) -> Vec<Vec<&'t str>> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with('|'));
    let cells = |line: &'t str| line.trim_matches('|').split(" | ").map(str::trim).collect();
    let rows: Vec<Vec<&str>> = lines.skip(2).map(cells).collect();
    assert!(rows.len() > 5, "{heading}: {rows:?}");
    rows
}

fn page() -> String {
    fs::read_to_string(root().join("docs/architecture.md")).unwrap()
}

/// Lists what stands in backticks in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_names_every_module_and_every_crate() {
    let page = page();
    let named = |heading: &str| -> BTreeSet<String> {
        let rows = rows(&page, heading);
        let complete = rows
            .iter()
            .all(|row| row.iter().all(|cell| !cell.is_empty()));
        assert!(complete, "{rows:?}");
        rows.iter()
            .map(|row| row[0].trim_matches('`').to_owned())
            .collect()
    };
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules = library.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ").or(line.strip_prefix("mod "));
        Some(name?.trim_end_matches(';').to_owned())
    });
    assert_eq!(named("Modules"), modules.collect());
    let crates = CRATES.iter().filter(|(name, _)| *name != "kiln");
    let crates: BTreeSet<String> = crates.map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named("Crates"), crates);
}

#[test]
fn the_walk_of_the_page_leads_through_functions_that_exist() {
    let page = page();
    for row in rows(&page, "From `cluster.yaml` to the disk") {
        let [_, function, file, _] = row[..] else {
            panic!("{row:?}");
        };
        let (file, link) = file
            .strip_prefix('[')
            .and_then(|file| file.strip_suffix(')')?.split_once("](../"))
            .unwrap_or_else(|| panic!("{row:?}"));
        assert_eq!(file, link);
        let text = fs::read_to_string(root().join(file)).unwrap();
        let name = function.trim_matches('`');
        let defined = ["(", "<"].map(|end| text.contains(&format!("fn {name}{end}")));
        assert!(defined.contains(&true), "{file} has no function {name}");
    }
}

#[test]
fn every_file_that_the_page_names_exists() {
    let page = page();
    let is_path = |text: &&str| {
        let folders = ["src/", "crates/", "tests/", "docs/", "schemas/", "build.rs"];
        folders.iter().any(|start| text.starts_with(start)) && !text.contains("NAME")
    };
    let missing: Vec<&str> = quoted(&page)
        .filter(is_path)
        .filter(|path| !root().join(path).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let links = page.split("](").skip(1);
    for link in links.map(|rest| rest.split(')').next().unwrap()) {
        assert!(root().join("docs").join(link).exists(), "{link}");
    }
    for row in rows(&page, "Glossary") {
        assert!(quoted(row[2]).next().is_some(), "{row:?}");
    }
    let terms: Vec<String> = rows(&page, "Glossary")
        .iter()
        .map(|row| row[0].to_lowercase())
        .collect();
    assert!(
        terms.is_sorted_by_key(|term| term.replace('-', " ")),
        "{terms:?}"
    );
}

/// The compiler that the repository pins is the oldest one with which it is built, so that both say the same.
#[test]
fn the_oldest_compiler_is_the_pinned_one() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let value = |text: &str, key: &str| -> String {
        let start = format!("{key} = \"");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap().trim_end_matches('"').to_owned()
    };
    let oldest = value(&read("Cargo.toml"), "rust-version");
    let pinned = value(&read("rust-toolchain.toml"), "channel");
    assert!(
        pinned.starts_with(&format!("{oldest}.")),
        "{oldest} {pinned}"
    );
    assert!(read("README.md").contains(&format!("Rust {oldest}")));
    for (name, _) in CRATES {
        let manifest = fs::read_to_string(folder_of(name).join("Cargo.toml")).unwrap();
        for field in ["rust-version", "edition", "license", "authors"] {
            let line = format!("{field}.workspace = true");
            assert!(
                manifest.lines().any(|other| other == line),
                "{name}: {field}"
            );
        }
        for field in ["description", "readme", "keywords", "categories"] {
            let line = format!("{field} = ");
            assert!(
                manifest.lines().any(|other| other.starts_with(&line)),
                "{name}: {field}"
            );
        }
    }
}

/// Names that two modules of a crate define, with the reason.
const SHARED_NAMES: &[(&str, &str, &str)] = &[(
    "jinja",
    "Printer",
    "each is private to its file, and writes the values of its filter",
)];

/// A type is found by one search for its name: each crate defines a name once. Types inside of functions and
/// associated types are local, and aside.
#[test]
fn a_type_has_a_name_of_its_own() {
    for (name, _) in CRATES {
        let mut places_by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in rust_files(&folder_of(name).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]\nmod ").next().unwrap();
            for defined in product.lines().filter_map(type_defined_by) {
                let place = path.strip_prefix(root()).unwrap().display().to_string();
                places_by_name.entry(defined).or_default().push(place);
            }
        }
        assert!(places_by_name.len() > 3, "{name}: no types were found");
        places_by_name.retain(|_, places| places.len() > 1);
        let shared = SHARED_NAMES.iter().filter(|(owner, ..)| owner == name);
        for (_, type_name, _) in shared {
            let places = places_by_name.remove(*type_name);
            assert!(places.is_some(), "{name}: `{type_name}` is one again");
        }
        assert!(places_by_name.is_empty(), "{name}: {places_by_name:#?}");
    }
}

/// Returns the name of the type that a line at the left margin defines.
fn type_defined_by(line: &str) -> Option<String> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.strip_prefix(' ')?,
        None => line,
    };
    let words = ["struct ", "enum ", "trait ", "type ", "union "];
    let name = words.iter().find_map(|word| line.strip_prefix(word))?;
    let end = name.find(|letter: char| !letter.is_alphanumeric());
    Some(name[..end.unwrap_or(name.len())].to_owned())
}
