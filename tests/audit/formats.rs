//! The scorecard in each format, as golden text and by its schema.

use kiln::cli::report::audit::{AuditReport, github, human, json, junit, markdown, sarif};
use serde_json::Value;

use crate::harden::trees;
use crate::support::ExpectedFiles;

fn report(audited: &kiln::pipeline::Audited, verbose: bool) -> AuditReport<'_> {
    AuditReport {
        audited,
        prefix: String::new(),
        verbose,
        color: false,
    }
}

#[test]
fn scorecards_are_as_recorded() {
    let mut expected = ExpectedFiles::new();
    for case in ["unknown", "good"] {
        let folder = trees::fixtures("audit").join(case);
        let audited = super::audited(case);
        let report = report(&audited, false);
        let texts = [
            ("scorecard.txt", human::render(&report).to_string()),
            ("scorecard.md", markdown::render(&report).to_string()),
            ("scorecard.json", format!("{:#}\n", json::render(&report))),
            ("scorecard.xml", junit::render(&report).to_string()),
            ("scorecard.github", github::render(&report).to_string()),
            ("scorecard.sarif", format!("{:#}\n", sarif::render(&report))),
        ];
        for (name, text) in texts {
            expected.compare(&folder.join(name), &text);
        }
    }
    expected.assert();
}

#[test]
fn json_follows_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/audit.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for case in ["unknown", "good"] {
        let mut value = json::render(&report(&super::audited(case), false));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{case}: {errors:#?}");
        value["rules"][0]["weight"] = "much".into();
        assert!(!validator.is_valid(&value));
    }
}

#[test]
fn junit_counts_what_it_lists() {
    for case in ["unknown", "good"] {
        let text = junit::render(&report(&super::audited(case), false)).to_string();
        let count = |element: &str| text.matches(&format!("<{element} ")).count();
        let total = text
            .lines()
            .find(|line| line.starts_with("<testsuites"))
            .unwrap();
        for (key, element) in [
            ("tests", "testcase"),
            ("failures", "failure"),
            ("skipped", "skipped"),
        ] {
            let told = format!(" {key}=\"{}\"", count(element));
            assert!(total.contains(&told), "{case}: {told} in {total}");
        }
        assert!(count("failure") > 0 && count("skipped") > 0, "{case}");
    }
}

/// What SARIF 2.1.0 requires, by its published schema: `version` and `runs`; a run's `tool.driver.name`;
/// a result's `message`; a rule's `id`; and that levels, lines and indices are what they may be.
#[test]
fn sarif_has_what_its_standard_requires() {
    let audited = super::audited("unknown");
    let value = sarif::render(&report(&audited, false));
    assert_eq!(value["version"], "2.1.0");
    let run = &value["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "kiln");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let levels = ["none", "note", "warning", "error"];
    for rule in rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(levels.contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 10);
    let mut suppressed = 0;
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(levels.contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(' '));
        if let Some(suppression) = result["suppressions"].get(0) {
            assert_eq!(suppression["kind"], "external");
            suppressed += 1;
        }
    }
    assert_eq!(suppressed, 1);
}

#[test]
fn no_scorecard_shows_a_secret() {
    let audited = super::audited("good");
    for verbose in [false, true] {
        let report = report(&audited, verbose);
        for text in [
            human::render(&report).to_string(),
            json::render(&report).to_string(),
        ] {
            assert!(!text.contains("swordfish"));
        }
    }
    let sheet = super::plain("bad", &[]);
    for item in sheet
        .outcomes
        .iter()
        .flat_map(|outcome| &outcome.judgements)
    {
        assert!(
            !item.verdict.reason().contains("swordfish"),
            "{}",
            item.subject
        );
    }
}
