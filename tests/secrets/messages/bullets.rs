//! Ways in which messages once showed a secret, each by its name.

use super::{CANARY, NUMBER, assert_hidden, forms, laden, problems};
use crate::secrets::project::{IDENTITY, Project};

/// Compiles, expects a code, and no secret in any form of any problem.
#[track_caller]
fn expect(project: &Project, code: &str) -> String {
    let found = problems(project);
    let all: String = found.iter().map(forms).collect();
    assert!(found.iter().any(|problem| problem.code() == code), "{all}");
    assert_hidden(&found, code);
    all
}

fn with_dns(replacement: &str) -> Project {
    let mut project = laden();
    project.edit("cluster.yaml", "dns:\n  provider: none\n", replacement);
    project
}

#[test]
fn a_number_that_others_read_otherwise() {
    for token in ["0123456701", "7_391_846_205"] {
        let project = with_dns(&format!("dns:\n  provider: cloudflare\n  token: {token}\n"));
        let found = problems(&project);
        let all: String = found.iter().map(forms).collect();
        assert!(all.contains("yaml-1.1-scalar"), "{all}");
        for shown in [token, "123456701", "21913025", "7391846205"] {
            assert!(!all.contains(shown), "{all}");
        }
    }
}

#[test]
fn an_open_value_that_others_read_otherwise_is_still_shown() {
    let mut project = laden();
    project.edit("cluster.yaml", "    word:", "    open: 0755\n    word:");
    project.edit(
        "schemas/apps/demo.schema.json",
        "\"pin\":",
        "\"open\": {\"type\": [\"string\", \"integer\"]}, \"pin\":",
    );
    let all = expect(&project, "yaml-1.1-scalar");
    assert!(all.contains("`0755` means another value"), "{all}");
}

#[test]
fn a_variable_in_a_typed_field_that_does_not_fit() {
    for (from, to) in [
        ("  provider: none\n", "  provider: {fromEnv: TOKEN}\n"),
        ("node_cidr: 192.168.1.0/24", "node_cidr: {fromEnv: TOKEN}"),
        ("    internal: ", "    internal: {fromEnv: TOKEN}\n    x: "),
    ] {
        let mut project = laden();
        if !project.text("cluster.yaml").contains(from) {
            continue;
        }
        project.edit("cluster.yaml", from, to);
        let found = problems(&project);
        assert!(!found.is_empty(), "{to}");
        assert_hidden(&found, to);
    }
}

#[test]
fn a_variable_that_is_used_twice() {
    let mut project = laden();
    let address = "192.168.1.77".to_owned();
    project.env.insert("ADDRESS".to_owned(), address.clone());
    let gateways = "internal: {fromEnv: ADDRESS}\n  dns: {fromEnv: ADDRESS}\n";
    project.edit(
        "cluster.yaml",
        "internal: 192.168.1.20\n  dns: 192.168.1.21\n",
        gateways,
    );
    let all = expect(&project, "used-twice");
    assert!(!all.contains(&address), "{all}");
}

#[test]
fn a_syntax_error_on_the_line_of_a_secret() {
    for text in [
        format!("dns: {{\"token\": \"{CANARY}\", provider: nope]\n"),
        format!("dns: {{token: {CANARY}, pin: {NUMBER}\n"),
        format!("dns:\n  token: \"{CANARY}\n"),
        format!("dns:\n  token: {CANARY} : {CANARY}\n"),
        format!("dns: {{token: [{CANARY}, {{a: {CANARY}]}}\n"),
        format!("\"dns\": {{\"token\": \"{CANARY}\" \"a\": 1}}\n"),
        format!("dns:\n  token: |\n    {CANARY}\n   {CANARY}\n bad: [\n"),
    ] {
        let mut project = laden();
        project.put("nodes.yaml", &text);
        let all = expect(&project, "config-syntax");
        assert!(all.contains("nodes.yaml:"), "{all}");
    }
}

#[test]
fn a_syntax_error_in_json_of_one_line() {
    let mut project = laden();
    project.put(
        "nodes.json",
        &format!("{{\"dns\":{{\"token\":\"{CANARY}\" \"a\":1}}}}"),
    );
    expect(&project, "config-syntax");
}

#[test]
fn a_syntax_error_in_an_inline_table() {
    for text in [
        format!("dns = {{ token = \"{CANARY}\", zz = }}\n"),
        format!("[dns]\ntoken = \"{CANARY}\n"),
        format!("[dns]\ntoken = {CANARY}\n"),
        format!("dns.token = \"{CANARY}\"\ndns.token = \"{CANARY}\"\n"),
        format!("token = \"\"\"\n{CANARY}\nx = 1\n\"\"\" bad\n"),
    ] {
        let mut project = laden();
        project.put("nodes.toml", &text);
        expect(&project, "config-syntax");
    }
}

#[test]
fn a_misspelt_key_of_a_secret() {
    for text in [
        format!("dns:\n  provider: none\n  tken: {CANARY}\n"),
        format!("dns: {{provider: none, tokn: {CANARY}, tkn: {NUMBER}}}\n"),
        format!("dns:\n  provider: none\n  tokn: [{CANARY}, {{a: {CANARY}}}]\n"),
    ] {
        let all = expect(&with_dns(&text), "unknown-key");
        assert!(
            all.contains("did you mean `token`?") || all.contains("it knows"),
            "{all}"
        );
    }
}

#[test]
fn a_secret_that_becomes_a_part_of_the_value_before_it() {
    for text in [
        format!("dns:\n  provider: none\n   token {CANARY}\n"),
        format!("dns:\n  provider: none\n    {CANARY}\n"),
        format!("dns: {{provider: none\n  {CANARY}}}\n"),
    ] {
        let all = expect(&with_dns(&text), "wrong-value");
        assert!(all.contains("it is one of"), "{all}");
    }
}

#[test]
fn a_secret_of_the_wrong_type() {
    for text in [
        format!("dns: {CANARY}\n"),
        format!("dns:\n  provider: cloudflare\n  token: [{CANARY}]\n"),
        format!("dns:\n  provider: cloudflare\n  token: {{a: {CANARY}}}\n"),
        format!("dns:\n  provider: cloudflare\n  token: {NUMBER}\n"),
        format!("dns:\n  - {CANARY}\n"),
    ] {
        let found = problems(&with_dns(&text));
        assert!(!found.is_empty(), "{text}");
        assert_hidden(&found, &text);
    }
}

#[test]
fn a_literal_in_a_template_of_a_sealed_file() {
    for (code, text) in [
        (
            "undefined-variable",
            format!("word: {CANARY} #{{ nope }}#\n"),
        ),
        (
            "undefined-variable",
            format!("word: #{{ apps[\"{CANARY}\"].x }}#\n"),
        ),
        ("template-syntax", format!("word: {CANARY} #{{ x | }}#\n")),
        (
            "template-syntax",
            format!("word: #{{ \"{CANARY}\" \"{CANARY}\" }}#\n"),
        ),
        (
            "wrong-argument",
            format!("word: #{{ \"{CANARY}\" | indent(width=\"{CANARY}\") }}#\n"),
        ),
        (
            "output-not-yaml",
            format!("word: {CANARY}\nword: {CANARY}\n"),
        ),
        (
            "output-not-yaml",
            format!("\"{CANARY}\": 1\n\"{CANARY}\": 2\n"),
        ),
        ("output-not-yaml", format!("a: [{CANARY}\n")),
    ] {
        let mut project = laden();
        project.put("templates/x.sops.yaml.tera", &text);
        let all = expect(&project, code);
        assert!(all.contains("x.sops.yaml.tera:"), "{text}: {all}");
    }
}

#[test]
fn a_literal_in_what_a_template_of_a_sealed_file_includes() {
    let mut project = laden();
    project.put(
        "templates/_part.tera",
        &format!("word: {CANARY} #{{ nope }}#\n"),
    );
    project.put(
        "templates/x.sops.yaml.tera",
        "#% include \"_part.tera\" %#\n",
    );
    expect(&project, "undefined-variable");
}

#[test]
fn a_sealed_file_that_is_copied_and_is_not_yaml() {
    let mut project = laden();
    project.put("templates/x.sops.yaml", &format!("a: [{CANARY}\n"));
    expect(&project, "output-not-yaml");
}

#[test]
fn a_key_file_by_another_name() {
    let pem = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\nb3BlbnNzaC1rZXktdjEA=\n-----END OPENSSH PRIVATE KEY-----\n"
    );
    let age = format!("# created: now\n# public key: age1qqq\n{IDENTITY}\n");
    let git = format!("[remote \"origin\"]\n\turl = https://x:{CANARY}@example.com/\n");
    let json = format!("{{\"AccountTag\":\"a\",\"TunnelSecret\":\"{CANARY}\"}}");
    let app = "templates/kubernetes/apps/default/demo/app.toml";
    for text in [pem, age, git, json, CANARY.to_owned()] {
        for path in [
            "cluster.yaml",
            "nodes.toml",
            "kiln.toml",
            ".sops.yaml",
            "charts/x.yaml",
            "schemas/apps/demo.schema.json",
            app,
        ] {
            let mut project = laden();
            if path == ".sops.yaml" {
                project.files.0.remove("templates/.sops.yaml.tera");
            }
            project.put(path, &text);
            let found = problems(&project);
            assert!(!found.is_empty(), "{path}: {text}");
            let all: String = found.iter().map(forms).collect();
            assert!(!all.contains("b3Blbn"), "{all}");
            assert_hidden(&found, path);
        }
    }
}

#[test]
fn a_value_in_the_place_of_a_name() {
    let project = with_dns(&format!(
        "dns:\n  provider: cloudflare\n  token: {{fromEnv: \"{CANARY}\"}}\n"
    ));
    expect(&project, "missing-reference");
}
