//! Expressions in rules, service levels and dashboards, as the real `promtool` reads them.
//!
//! It comes with Debian's package `prometheus`, from which `.ci/run` takes it; where it is missing, the
//! test is skipped, but not in CI.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiln::yaml::{self, Resolver};
use serde_json::{Value, json};

use crate::support::{Sandbox, files_with_extension, oracle};

/// All strings below a key of this name.
fn below<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| {
                let own = value.as_str().filter(|_| key == name);
                own.into_iter().chain(below(value, name))
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| below(item, name)).collect(),
        _ => Vec::new(),
    }
}

/// The rules of a `PrometheusRule`; of a service level or a dashboard one rule an expression.
fn rules(object: &Value) -> Vec<Value> {
    let records = |expressions: Vec<&str>| {
        let rule = |(at, text): (usize, &str)| {
            let text = text.replace("{{.window}}", "5m");
            json!({"record": format!("expression:{at}"), "expr": text})
        };
        let rules: Vec<Value> = expressions.into_iter().enumerate().map(rule).collect();
        json!({"groups": [{"name": "expressions", "rules": rules}]})
    };
    match object["kind"].as_str().unwrap_or_default() {
        "PrometheusRule" => vec![object["spec"].clone()],
        "PrometheusServiceLevel" => {
            let queries = below(object, "errorQuery").into_iter();
            vec![records(
                queries.chain(below(object, "totalQuery")).collect(),
            )]
        }
        "ConfigMap" => {
            let data = object["data"].as_object().into_iter().flatten();
            let dashboards = data.filter(|(name, _)| name.ends_with(".json"));
            dashboards
                .map(|(_, text)| {
                    let dashboard = serde_json::from_str(text.as_str().unwrap()).unwrap();
                    records(below(&dashboard, "expr"))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn promtool_reads_every_expression() {
    let Some(promtool) = oracle("promtool") else {
        return;
    };
    let sandbox = Sandbox::new();
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/full/kubernetes");
    let mut written = Vec::new();
    for path in files_with_extension(&tree, "yaml") {
        let text = fs::read_to_string(&path).unwrap();
        for document in yaml::load(&text).unwrap() {
            for rules in rules(&document.root.to_value(Resolver::Kubernetes)) {
                let name = format!("rules-{}.yaml", written.len());
                sandbox.write(&name, yaml::emit(&rules));
                written.push(sandbox.path(&name));
            }
        }
    }
    assert!(written.len() >= 8, "{}", written.len());
    let output = Command::new(promtool)
        .args(["check", "rules"])
        .args(&written)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
