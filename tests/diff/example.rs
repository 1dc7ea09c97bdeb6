//! Revisions of an example with the built-in catalogue: what changed, and why.

use std::fmt::Write as _;

use serde_json::Value;

use super::expect;
use super::project::{commit, diff, git};
use crate::examples::example;
use crate::support::Sandbox;

fn history() -> Sandbox {
    let sandbox = example("homelab");
    sandbox.kiln(&["init"]).success();
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    git(&sandbox, &["tag", "first"]);
    sandbox
}

/// Lists objects with what became of them and the causes, a line each.
fn changes(sandbox: &Sandbox) -> String {
    let run = diff(sandbox, &["--base", "first", "--format", "json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let mut text = String::new();
    for change in value["changes"].as_array().unwrap() {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let object = ["kind", "namespace", "name"].map(|key| word(&change["object"][key]));
        let causes = change["causes"].as_array().unwrap().iter();
        let causes: Vec<String> = causes
            .map(|cause| format!("{} {}", word(&cause["type"]), word(&cause["name"])))
            .collect();
        let fields = change["fields"].as_array().unwrap().iter();
        let fields: Vec<String> = fields.map(|field| word(&field["route"])).collect();
        writeln!(
            text,
            "{} {} [{}] by {}",
            word(&change["kind"]),
            object.join("/"),
            fields.join(", "),
            causes.join(", ")
        )
        .unwrap();
    }
    text
}

#[test]
fn each_edit_of_the_config_is_traced_to_its_key() {
    let sandbox = history();
    let config = sandbox.read("cluster.yaml");
    let edits = [
        (
            "dns",
            config.replace("dns: 192.168.1.21", "dns: 192.168.1.22"),
        ),
        (
            "resolvers",
            config.replace(
                "node_cidr: 192.168.1.0/24",
                "node_cidr: 192.168.1.0/24\n  dns_servers: [9.9.9.9]",
            ),
        ),
        (
            "app off",
            config.clone() + "apps:\n  echo:\n    enabled: false\n",
        ),
        (
            "domain",
            config.replace("name: home.example.com", "name: other.example.org"),
        ),
    ];
    let mut text = String::new();
    for (name, edited) in edits {
        assert_ne!(edited, config, "{name}");
        sandbox.write("cluster.yaml", &edited);
        writeln!(text, "# {name}\n{}", changes(&sandbox)).unwrap();
    }
    expect("example-config.txt", &text);
    sandbox.write("cluster.yaml", &config);
    assert_eq!(changes(&sandbox), "");
}

#[test]
fn an_edit_of_a_template_or_of_the_rules_is_told_from_one_of_the_config() {
    let sandbox = history();
    let template = "templates/kubernetes/apps/default/echo/ks.yaml.tera";
    sandbox
        .kiln(&[
            "catalogue",
            "eject",
            template.strip_prefix("templates/").unwrap(),
        ])
        .success();
    assert_eq!(changes(&sandbox), "", "the same text as in the catalogue");
    let ejected = sandbox.read(template);
    sandbox.write(
        template,
        ejected.replace("  dependsOn:\n", "  force: false\n  dependsOn:\n"),
    );
    let mut text = format!("# template\n{}", changes(&sandbox));
    // The line of the timeout stands in a partial of the catalogue, which is what it was.
    sandbox.write(
        template,
        "#% set timeout = \"17m\" %#\n".to_owned() + &ejected,
    );
    text.push_str("\n# what a partial is given\n");
    text.push_str(&changes(&sandbox));
    std::fs::remove_file(sandbox.path(template)).unwrap();
    sandbox.write(
        "kiln.toml",
        sandbox.read("kiln.toml") + "\n[harden]\nnetwork-policies = [\"kube-system\"]\n",
    );
    text.push_str("\n# rule\n");
    text.push_str(&changes(&sandbox));
    expect("example-template.txt", &text);
}
