//! `docs/custom-resources.md`: which custom resources make pods, what else operators make of them, and what they read.

use std::fmt::Write as _;

use kiln::charts::Profiles;
use kiln::charts::profile::{
    CustomResourceKind, FieldCondition, OperandPlace, OperandPods, OperatorObjects,
};

use super::compare;

const HEAD: &str = include_str!("custom_resources.md");
const OBJECTS: &str = "
## What else operators make, and what they read
The first entry counts that says what is made, and every entry that says what is read. An empty place is not known.

| Groups | Kinds | Made | Read | |
| --- | --- | --- | --- | --- |
";

#[test]
fn generated_docs_custom_resources_is_current() {
    let mut text = HEAD.to_owned();
    for known in Profiles::default().custom_resource_kinds() {
        let when = condition(known.when.as_ref());
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
    text.push_str(OBJECTS);
    for known in Profiles::default().operator_objects() {
        let when = condition(known.when.as_ref());
        let (groups, kinds) = (quoted(&known.groups), quoted(&known.kinds));
        let (made, read, source) = (made(known), read(known), &known.source);
        writeln!(
            text,
            "| {groups} | {kinds}{when} | {made} | {read} | [source]({source}) |"
        )
        .unwrap();
    }
    compare("docs/custom-resources.md", &text);
}

fn condition(when: Option<&FieldCondition>) -> String {
    when.map_or_else(String::new, |when| {
        let is = if when.is.is_empty() {
            String::new()
        } else {
            format!(" is {}", quoted(&when.is))
        };
        format!(", with `{}`{is}", when.field)
    })
}

fn made(known: &OperatorObjects) -> String {
    let Some(makes) = &known.makes else {
        return String::new();
    };
    if makes.is_empty() {
        return "nothing".to_owned();
    }
    let told = makes.iter().map(|made| {
        let names = match &made.field {
            _ if made.is_open() && made.is_anywhere => "any that it names, anywhere".to_owned(),
            _ if made.is_open() => "any that it names".to_owned(),
            Some(field) => format!("as `{field}` says"),
            None => quoted(&made.names),
        };
        format!("{} {names}", made.kind)
    });
    told.collect::<Vec<_>>().join("; ")
}

fn read(known: &OperatorObjects) -> String {
    let reads = known.reads.iter().map(|read| {
        let hand = if read.is_bootstrapped {
            " (made by hand)"
        } else {
            ""
        };
        format!("{}{hand} {}", read.kind, quoted(&read.fields))
    });
    let specs = known
        .specs
        .iter()
        .map(|route| format!("what the pod `{route}` does"));
    reads.chain(specs).collect::<Vec<_>>().join("; ")
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
