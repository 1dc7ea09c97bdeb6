//! `docs/catalogue.md`: every app with its options.

use std::fmt::Write as _;

use kiln::pipeline::{self, InstalledChart, World};
use kiln::source::MemoryFiles;
use kiln::tree::App;
use serde_json::Value;

use super::compare;

const HEAD: &str = "\
# The catalogue

Every app that Kiln brings, by namespace, with the options that `apps.NAME` in the config takes. `kiln apps` shows which are
on in your project, `kiln apps enable NAME` switches one on. This page is generated; `just docs` writes it anew.
";

fn project() -> MemoryFiles {
    let files = [
        ("kiln.toml", ""),
        (
            "cluster.yaml",
            include_str!("../../examples/homelab/cluster.yaml"),
        ),
        (
            "nodes.yaml",
            include_str!("../../examples/homelab/nodes.yaml"),
        ),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    MemoryFiles(files.into())
}

#[test]
fn generated_docs_catalogue_is_current() {
    let files = project();
    let catalogue = pipeline::catalogue();
    let world = World::new(&files, &catalogue, &|_| None, Vec::new(), String::new());
    let apps = pipeline::apps(&world).unwrap();
    let schema = pipeline::schema(&world).unwrap();
    let mut text = HEAD.to_owned();
    let mut namespace = "";
    for (app, charts) in &apps {
        if app.namespace != namespace {
            namespace = &app.namespace;
            write!(text, "\n## {namespace}\n").unwrap();
        }
        section(&mut text, app, charts, &schema);
    }
    compare("docs/catalogue.md", &text);
}

fn section(text: &mut String, app: &App, charts: &[InstalledChart], schema: &Value) {
    write!(text, "\n### {}\n\n{}.", app.name, app.summary).unwrap();
    for chart in charts {
        write!(text, " Chart `{}` {}.", chart.name, chart.version).unwrap();
    }
    match &app.when {
        Some(when) if when == "true" => text.push_str(" Always on."),
        Some(when) => write!(text, " On when `{when}`.").unwrap(),
        None => text.push_str(" Always on."),
    }
    if !app.needs.is_empty() {
        write!(text, " Needs `{}`.", app.needs.join("`, `")).unwrap();
    }
    text.push('\n');
    let pointer = format!("/properties/apps/properties/{}", app.name);
    let mut rows = Vec::new();
    if let Some(options) = schema.pointer(&pointer) {
        options_of(options, "", &mut rows);
    }
    if !rows.is_empty() {
        text.push_str("\n| Option | Default | What it does |\n| --- | --- | --- |\n");
        for row in rows {
            writeln!(text, "{row}").unwrap();
        }
    }
}

/// Writes a row for each option; groups of options are written by their members.
fn options_of(schema: &Value, before: &str, rows: &mut Vec<String>) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for (name, option) in properties {
        let path = format!("{before}{name}");
        if option["properties"]["limits"].is_object() {
            rows.push(resources(&path, option));
            continue;
        }
        if option["properties"].is_object() {
            options_of(option, &format!("{path}."), rows);
            continue;
        }
        let default = match option.get("default") {
            Some(Value::Null) | None => String::new(),
            Some(value) => format!("`{value}`"),
        };
        let secret = if option["writeOnly"] == true {
            " Secret."
        } else {
            ""
        };
        let description = option["description"].as_str().unwrap_or_default();
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        rows.push(format!(
            "| `{path}` | {} | {}{secret} |",
            cell(&default),
            cell(description)
        ));
    }
}

/// Writes one row for requests and limits, whose members are the same in every app.
fn resources(path: &str, option: &Value) -> String {
    let quantity = |pointer: &str| option["default"].pointer(pointer).and_then(Value::as_str);
    let shown = |pointer: &str| quantity(pointer).unwrap_or("none").to_owned();
    let title = option["title"].as_str().unwrap_or_default();
    format!(
        "| `{path}` | {} CPU, {} to {} memory | {title}: `requests.cpu`, `requests.memory` and `limits.memory`. |",
        shown("/requests/cpu"),
        shown("/requests/memory"),
        shown("/limits/memory")
    )
}
