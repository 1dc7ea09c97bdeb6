//! `docs/templates.md` lists what there is.

use std::fs;
use std::path::Path;

use kiln::render::{FILTERS, FUNCTIONS, Flow};

use crate::support::expect_file;

/// Puts a table between the comment that starts with `mark` and the next one.
fn with_table(text: &str, mark: &str, rows: &[String]) -> String {
    let start = text.find(mark).unwrap();
    let start = start + text[start..].find('\n').unwrap() + 1;
    let end = start + text[start..].find("<!-- end -->").unwrap();
    format!(
        "{}\n{}\n\n{}",
        &text[..start],
        rows.join("\n"),
        &text[end..]
    )
}

#[test]
fn the_documentation_lists_every_function_and_filter() {
    let head = |name: &str| vec![format!("| {name} | |"), "|---|---|".to_owned()];
    let mut functions = head("function");
    for function in FUNCTIONS {
        let secret = match function.flow {
            Flow::Secret => " (secret)",
            Flow::Open | Flow::Declassified => "",
        };
        functions.push(format!(
            "| `{}` | {}{secret} |",
            function.signature, function.summary
        ));
    }
    let mut filters = head("filter");
    filters.extend(
        FILTERS
            .iter()
            .map(|filter| format!("| `{}` | {} |", filter.signature, filter.summary)),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/templates.md");
    let written = fs::read_to_string(&path).unwrap();
    let expected = with_table(
        &with_table(&written, "<!-- functions", &functions),
        "<!-- filters",
        &filters,
    );
    expect_file(&path, &expected);
}
