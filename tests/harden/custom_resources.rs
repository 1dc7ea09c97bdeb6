//! The table of custom resources: its form, and what a broken one says.

use std::collections::BTreeSet;
use std::path::Path;

use kiln::charts::Profiles;
use kiln::charts::profile::OperandPods;
use kiln::yaml::{self, Resolver};
use serde_json::Value;

use super::{profiles, trees};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn validator() -> jsonschema::Validator {
    let schema: Value =
        serde_json::from_str(&read("schemas/custom-resources.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn json(text: &str) -> Value {
    yaml::load(text).unwrap()[0].root.to_value(Resolver::Core)
}

fn load(text: &str) -> Result<Profiles, String> {
    let own = [("charts/custom-resources.yaml".to_owned(), text.to_owned())];
    Profiles::load(Vec::new(), &own).map_err(|problems| trees::told(&problems))
}

#[test]
fn the_table_follows_its_schema_and_names_a_source_for_each_entry() {
    let table = json(&read("schemas/custom-resources.yaml"));
    let validator = validator();
    let errors: Vec<String> = validator
        .iter_errors(&table)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let profiles = Profiles::default();
    let entries: Vec<_> = profiles.custom_resource_kinds().collect();
    assert_eq!(entries.len(), table["resources"].as_array().unwrap().len());
    for entry in &entries {
        assert!(entry.source.starts_with("https://"), "{entry:?}");
    }
    let objects: Vec<_> = profiles.operator_objects().collect();
    assert_eq!(objects.len(), table["objects"].as_array().unwrap().len());
    for entry in objects {
        assert!(entry.source.starts_with("https://"), "{entry:?}");
        let says = entry.makes.is_some() || !(entry.reads.is_empty() && entry.specs.is_empty());
        assert!(says, "{entry:?} says nothing");
    }
    // What stands behind an entry for all resources of its kinds is never asked.
    let mut settled: BTreeSet<(&str, &str)> = BTreeSet::new();
    for entry in entries {
        for group in &entry.groups {
            for kind in &entry.kinds {
                let is_asked =
                    !settled.contains(&(group, kind)) && !settled.contains(&(group, "*"));
                assert!(is_asked, "{group} {kind}");
                if entry.when.is_none() {
                    settled.insert((group, kind));
                }
            }
        }
    }
}

#[test]
fn the_table_says_what_profiles_say_of_the_same_kinds() {
    let (profiles, table) = (profiles(), Profiles::default());
    let operands = profiles.iter().flat_map(|profile| &profile.operands);
    for operand in operands {
        let mut known = table.custom_resources(&operand.group, &operand.kind);
        let makes_pods = known.any(|entry| !matches!(entry.pods, OperandPods::Nothing));
        assert!(makes_pods, "{} {}", operand.group, operand.kind);
    }
}

#[test]
fn the_reader_rejects_what_the_schema_rejects() {
    let validator = validator();
    let good = "resources:\n  - groups: [a.b]\n    kinds: [X]\n    pods: some\n    source: s\n";
    for extra in [
        "",
        "    level: baseline\n",
        "    pod: {}\n    paths: {.: spec.template.spec}\n",
        "    when: {field: spec.a, is: [b]}\n",
        "    operator: [x]\n",
        "    namespaces: [x]\n",
        "    anywhere: true\n",
    ] {
        let text = format!("{good}{extra}");
        assert!(validator.is_valid(&json(&text)), "{text}");
        load(&text).unwrap();
    }
    let objects = "objects:\n  - groups: [a.b]\n    kinds: [X]\n    source: s\n";
    for extra in [
        "    makes: []\n",
        "    makes: [{kind: Secret, names: ['{}-a']}, {kind: Secret, field: spec.a}]\n",
        "    makes: [{kind: Secret, anywhere: true}]\n",
        "    reads: [{kind: Secret, fields: ['spec.a[].b'], bootstrapped: true, operator: [x]}]\n",
        "    specs: [spec.template.spec]\n",
        "    when: {field: spec.a, is: [b]}\n",
    ] {
        let text = format!("{objects}{extra}");
        assert!(validator.is_valid(&json(&text)), "{text}");
        load(&text).unwrap();
    }
    let cases = [
        format!("{objects}    makes: [{{names: [a]}}]\n"),
        format!("{objects}    reads: [{{kind: Secret}}]\n"),
        format!("{objects}    reads: [{{kind: Deployment, fields: [spec.a]}}]\n"),
        format!("{objects}    pods: none\n"),
        good.replace("    source: s\n", ""),
        good.replace("some", "many"),
        good.replace("some", "none") + "    level: baseline\n",
        format!("{good}    level: secure\n"),
        format!("{good}    surprise: 1\n"),
        format!("{good}    when: {{is: [b]}}\n"),
        "[]\n".to_owned(),
    ];
    for text in cases {
        assert!(!validator.is_valid(&json(&text)), "{text}");
        assert!(load(&text).is_err(), "{text}");
    }
}
