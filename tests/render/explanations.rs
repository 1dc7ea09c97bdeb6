//! The examples of templates that the explanations of codes show.

use std::collections::BTreeSet;

use kiln::cli::codes;
use kiln::secret::Secrets;
use serde_json::json;

use super::{project, rendered, show};

/// The files that the examples read.
const FILES: [&str; 5] = [
    "page.html",
    "config.json",
    "deploy.key",
    "files/large.json",
    "files/motd.txt",
];

/// Lists the blocks of a text that are indented as code is in Markdown, without that indentation.
fn examples(text: &str) -> Vec<String> {
    let blocks = text.split("\n\n");
    let code = blocks.filter(|block| block.starts_with("    "));
    code.map(|block| {
        let lines: Vec<&str> = block
            .lines()
            .map(|line| line.get(4..).unwrap_or_default())
            .collect();
        lines.join("\n") + "\n"
    })
    .collect()
}

/// Lists what the includes of an example name.
fn included(example: &str) -> BTreeSet<&str> {
    let behind = example.split("include \"").skip(1);
    behind.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_template_example_of_an_explanation_renders() {
    let values = json!({
        "domain": {"name": "example.com"},
        "dns": {"token": null},
        "network": {"node_cidr": "192.168.1.0/24"},
        "nodes": [{"name": "node-1", "controller": true, "mtu": 1500}, {"name": "node-2", "controller": false}],
        "title": "a: b",
    });
    let mut wrong = Vec::new();
    let mut count = 0;
    for meaning in codes::all() {
        let templates = examples(meaning.text);
        for example in templates
            .iter()
            .filter(|text| text.contains("#{") || text.contains("#%"))
        {
            count += 1;
            let mut files = vec![("templates/out.txt.tera".to_owned(), example.clone())];
            files.extend(FILES.map(|path| (path.to_owned(), "text\n".to_owned())));
            let targets = included(example);
            files.extend(
                targets
                    .iter()
                    .map(|target| (format!("templates/{target}"), "part: 1\n".to_owned())),
            );
            let files: Vec<(&str, &str)> = files
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect();
            match rendered(&values, &Secrets::default(), &project(&files)) {
                Ok(rendering) if rendering.value.tree.get("out.txt").is_some() => {}
                Ok(_) => wrong.push(format!("{}: prints nothing\n{example}", meaning.code)),
                Err(problems) => {
                    wrong.push(format!("{}:\n{example}{}", meaning.code, show(&problems)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 10, "only {count} examples are found");
}
