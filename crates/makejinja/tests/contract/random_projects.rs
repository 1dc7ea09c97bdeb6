//! Random projects and settings, run by makejinja and selected here.

use std::fs;
use std::path::Path;

use super::chance::Chance;
use super::judge::{Run, difference};
use super::served::Oracle;

const NAMES: &[&str] = &[
    "a",
    "b.txt",
    "b.txt.j2",
    "a.j2",
    "c.yaml.j2",
    ".d",
    ".d.j2",
    "e.",
    "f.j2.yaml",
    "A",
    "x-y",
];
const FOLDERS: &[&str] = &[
    "", "", "one", "one/two", "two", "one.j2", ".dot", "x/y/z", "a",
];
const PATTERNS: &[&str] = &[
    "*.j2",
    "a*",
    "one",
    "one/*",
    "**/two",
    "two/**",
    "?",
    "[ab]*",
    "*.txt",
    "x",
    "x/y",
    "y/*",
    ".d*",
    "one/**/*",
    "**/*.yaml.j2",
    "!*",
];
const INCLUDES: &[&str] = &[
    "**/*", "*", "one", "one/*", "**/*.j2", "*.j2", "one/**", "**", "x/**/*", "*/",
];
const DATA: &[(&str, &str)] = &[
    (".yaml", "a: 1\nb: {c: yes}\n"),
    (".yaml", "a: {x: 2}\n---\nd: 0755\n"),
    (".yml", "b: [1, 2]\n"),
    (".json", "{\"a\": {\"y\": 1}, \"e\": null}\n"),
    (".toml", "a = 3\n[f]\ng = 2024-01-01\n"),
    (".txt", "no data\n"),
];

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    // A name may be a file and a folder; whichever comes first stays.
    if path.ancestors().skip(1).any(Path::is_file) || path.exists() {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn below(folder: &str, name: &str) -> String {
    let folder = folder.trim_start_matches('/');
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

fn texts(chance: &mut Chance, from: &[&str], at_most: usize) -> String {
    let count = chance.below(at_most + 1);
    let items: Vec<String> = (0..count)
        .map(|_| format!("{:?}", chance.pick(from)))
        .collect();
    format!("[{}]", items.join(", "))
}

/// Writes a project and returns how it is run.
fn make_project(root: &Path, chance: &mut Chance) -> Run {
    let mut settings = "[makejinja]\n".to_owned();
    let mut inputs = Vec::new();
    for input in ["first", "second", "third.d"]
        .iter()
        .take(1 + chance.below(3))
    {
        for _ in 0..=chance.below(6) {
            let path = below(&below(input, chance.pick(FOLDERS)), chance.pick(NAMES));
            write(
                root,
                &path,
                chance.pick(&["", " \n", "text\n", "{{ 1 + 1 }}\n"]),
            );
        }
        let alone = chance.one_in(4).then(|| below(input, chance.pick(NAMES)));
        match alone {
            Some(path) => {
                write(root, &path, "{{ 2 + 2 }}\n");
                let kept = root.join(&path).is_file();
                inputs.push(if kept { path } else { (*input).to_owned() });
            }
            None => inputs.push((*input).to_owned()),
        }
    }
    settings.push_str(&format!("inputs = {inputs:?}\n"));
    let output = chance.pick(&["out", "out", "out.d", "./", "deep/out"]);
    settings.push_str(&format!("output = {output:?}\n"));
    if chance.one_in(3) {
        let path = below(
            output.trim_start_matches("./"),
            &below(chance.pick(FOLDERS), "old"),
        );
        write(root, &path, "old\n");
    }
    if chance.one_in(2) {
        let includes = texts(chance, INCLUDES, 3);
        settings.push_str(&format!("include_patterns = {includes}\n"));
    }
    if chance.one_in(2) {
        let excludes = texts(chance, PATTERNS, 3);
        settings.push_str(&format!("exclude_patterns = {excludes}\n"));
    }
    let suffix = chance.pick(&[".j2", ".j2", ".j2", "", ".txt", ".yaml.j2"]);
    settings.push_str(&format!("jinja_suffix = {suffix:?}\n"));
    for flag in ["keep_jinja_suffix", "keep_empty", "copy_metadata", "force"] {
        if chance.one_in(4) {
            settings.push_str(&format!("{flag} = true\n"));
        }
    }
    add_data(root, &mut settings, chance);
    write(root, "makejinja.toml", &settings);
    Run {
        environment: Vec::new(),
        arguments: Vec::new(),
    }
}

fn add_data(root: &Path, settings: &mut String, chance: &mut Chance) {
    let mut paths: Vec<String> = Vec::new();
    for index in 0..chance.below(4) {
        let (suffix, content) = DATA[chance.below(DATA.len())];
        let folder = chance.pick(&["data", "data/sub-folder", "", "data/.hidden"]);
        let stem = chance.pick(&["n", "2n", "my-n", ".n", "a.b"]);
        let path = below(folder, &format!("{stem}{suffix}"));
        write(root, &path, content);
        let named = if index == 0 && folder.starts_with("data") {
            "data".to_owned()
        } else {
            path
        };
        paths.push(named);
    }
    let mode = chance.pick(&["flat", "flat", "stem", "path"]);
    settings.push_str(&format!("data = {paths:?}\ndata_namespace = {mode:?}\n"));
    if chance.one_in(3) {
        let key = chance.pick(&["a", "a.x", "new.key.deep", "b.0", "f.g"]);
        settings.push_str(&format!("data_vars = {{{key:?} = \"set\"}}\n"));
    }
}

fn run_cases(first: u64, count: u64) {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let kept = oracle.folder.join("kept");
    for case in first..first + count {
        if kept.exists() {
            fs::remove_dir_all(&kept).unwrap();
        }
        let run = make_project(&kept, &mut Chance::new(case));
        let answer = oracle.ask_project_copy(&kept, &run);
        if let Some(difference) = difference(&kept, &run, &answer) {
            let settings = fs::read_to_string(kept.join("makejinja.toml")).unwrap();
            panic!("case {case}: {difference}\n{settings}\n{answer:#}");
        }
    }
}

#[test]
fn random_projects_are_selected_as_makejinja_does() {
    run_cases(1, 40);
}

/// `KILN_MAKEJINJA_CASES=2000`, `KILN_MAKEJINJA_FROM` being the first.
#[test]
#[ignore = "takes a minute for a thousand projects"]
fn many_random_projects_are_selected_as_makejinja_does() {
    let (first, count) = Chance::cases(1000, 1000);
    run_cases(first, count);
}
