//! `docs/custom-resources.md`: which custom resources make pods.

use std::fmt::Write as _;

use kiln::workload::Profiles;
use kiln::workload::profile::{CustomResourceKind, OperandPlace, OperandPods};

use super::compare;

const HEAD: &str = include_str!("custom_resources.md");

#[test]
fn generated_docs_custom_resources_is_current() {
    let mut text = HEAD.to_owned();
    for known in Profiles::default().custom_resource_kinds() {
        let when = known.when.as_ref().map_or_else(String::new, |when| {
            let is = if when.is.is_empty() {
                String::new()
            } else {
                format!(" is {}", quoted(&when.is))
            };
            format!(", with `{}`{is}", when.field)
        });
        writeln!(
            text,
            "| {} | {}{when} | {} | {} | [source]({}) |",
            quoted(&known.groups),
            quoted(&known.kinds),
            pods(known),
            place(known),
            known.source
        )
        .unwrap();
    }
    compare("docs/custom-resources.md", &text);
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<String> = texts
        .iter()
        .map(|text| match text.as_str() {
            "" => "core".to_owned(),
            "*" => "all".to_owned(),
            text => format!("`{text}`"),
        })
        .collect();
    quoted.join(", ")
}

fn pods(known: &CustomResourceKind) -> String {
    match &known.pods {
        OperandPods::Nothing => "none".to_owned(),
        OperandPods::Some => "not known".to_owned(),
        OperandPods::Level(level) => format!("`{level}`"),
        OperandPods::Like { paths, at_most, .. } => {
            let fields: Vec<String> = paths.values().map(|path| format!("`{path}`")).collect();
            format!("`{at_most}` at best, by {}", fields.join(", "))
        }
    }
}

fn place(known: &CustomResourceKind) -> String {
    match &known.place {
        _ if matches!(known.pods, OperandPods::Nothing) => String::new(),
        OperandPlace::Beside => "beside it".to_owned(),
        OperandPlace::BesideOperator(charts) => format!("beside {}", quoted(charts)),
        OperandPlace::In(namespaces) => format!("in {}", quoted(namespaces)),
        OperandPlace::Anywhere => "anywhere".to_owned(),
    }
}
