//! Templates and what they render to, one text file a case in `tests/render`.
//!
//! A case holds the config, then the files of the project, each under `--- path`, then what comes out:
//! each output under `=== path`, or `=== problems`. Names say what is expected: `err_` problems, `map_`
//! the template line before each output line. `KILN_BLESS=1 cargo test render` writes what came out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::diagnostic::{Diagnostic, Label, Warned};
use kiln::render::{Context, FILTERS, FUNCTIONS, Layer, Layers, Rendering, render};
use kiln::secret::Secrets;
use kiln::source::MemoryFiles;
use kiln::tree::Origin;
use kiln::yaml::{self, Resolver};
use serde_json::{Value, json};

fn project(files: &[(&str, &str)]) -> MemoryFiles {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    MemoryFiles(files.collect())
}

fn rendered(values: &Value, secrets: &Secrets, files: &MemoryFiles) -> Result<Warned<Rendering>, Vec<Diagnostic>> {
    let layer = |label: &str, folder: &str| Layer {
        label: label.to_owned(),
        files,
        folder: folder.to_owned(),
    };
    let layers = Layers {
        layers: vec![layer("templates", "templates"), layer("catalogue:templates", "catalogue")],
    };
    render(Context { values, secrets }, &layers, files)
}

/// Renders one template and returns its output.
fn one(text: &str, values: &Value) -> Result<String, Vec<Diagnostic>> {
    let files = project(&[("templates/out.txt.tera", text)]);
    let rendering = rendered(values, &Secrets::default(), &files)?.value;
    let file = rendering.tree.get("out.txt");
    Ok(file.map_or_else(String::new, |file| file.source.text.clone()))
}

fn show_label(shown: &mut String, arrow: &str, label: &Label) {
    let source = &label.place.source;
    let (line, column) = source.line_column(label.place.span.start);
    let text = if source.sensitive { "…" } else { &source.text[label.place.span.start..label.place.span.end] };
    write!(shown, " {arrow} {}:{line}:{column} `{}`", source.path, text.escape_debug()).unwrap();
    let separator = if label.text.is_empty() { "" } else { " " };
    writeln!(shown, "{separator}{}", label.text).unwrap();
}

fn show(problems: &[Diagnostic]) -> String {
    let mut shown = String::new();
    for problem in problems {
        writeln!(shown, "{}: {}", problem.code, problem.message).unwrap();
        if let Some(label) = &problem.primary {
            show_label(&mut shown, "-->", label);
        }
        for label in &problem.related {
            show_label(&mut shown, ":::", label);
        }
        for hint in &problem.hints {
            writeln!(shown, " hint: {hint}").unwrap();
        }
    }
    shown
}

/// Splits a text at lines that start with `mark`, into what is before and the named parts.
fn parts<'t>(text: &'t str, mark: &str) -> (&'t str, Vec<(&'t str, &'t str)>) {
    let mut starts: Vec<usize> =
        text.match_indices(mark).map(|(at, _)| at).filter(|at| *at == 0 || text[..*at].ends_with('\n')).collect();
    let head = &text[..starts.first().copied().unwrap_or(text.len())];
    starts.push(text.len());
    let parts = starts.windows(2).map(|pair| text[pair[0] + mark.len()..pair[1]].split_once('\n').unwrap());
    (head, parts.collect())
}

fn outcome(name: &str, head: &str) -> String {
    let (config, files) = parts(head, "--- ");
    let documents = yaml::load(config).unwrap();
    let values = documents.first().map_or_else(|| json!({}), |config| config.root.to_value(Resolver::Core));
    let mut secrets = Secrets::default();
    if let Some(secret) = values.pointer("/dns/token").and_then(Value::as_str) {
        secrets.insert(secret, "dns.token");
    }
    let rendering = match rendered(&values, &secrets, &project(&files)) {
        Ok(rendering) => rendering.value,
        Err(problems) => return format!("=== problems\n{}", show(&problems)),
    };
    let mut shown = String::new();
    for file in rendering.tree.files() {
        let note = if file.source.sensitive { " (secret)" } else { "" };
        writeln!(shown, "=== {}{note}", file.path).unwrap();
        for (index, line) in file.source.text.lines().enumerate() {
            if name.starts_with("map_") {
                match file.origins.get(index) {
                    Some(Origin::Template { template, line }) => {
                        write!(shown, "{}:{line} | ", template.path.trim_start_matches("templates/")).unwrap();
                    }
                    _ => shown.push_str("? | "),
                }
            }
            writeln!(shown, "{line}").unwrap();
        }
    }
    for (_, origin) in rendering.secrets.iter().filter(|(_, origin)| *origin != "dns.token") {
        writeln!(shown, "=== a secret from {origin}").unwrap();
    }
    shown
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_comes_out_as_written() {
    let bless = std::env::var("KILN_BLESS").is_ok();
    let mut wrong = Vec::new();
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let end = text.find("\n=== ").map_or(text.len(), |at| at + 1);
        let (head, expected) = text.split_at(end);
        let found = outcome(&name, head);
        assert_eq!(name.starts_with("err_"), found.starts_with("=== problems"), "{name}\n{found}");
        if bless {
            fs::write(&path, format!("{head}{found}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
