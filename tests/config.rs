//! Config files that are accepted and rejected: one file a case, its name says the point.
//!
//! A rejected file says in its first lines what is expected: `# 12:9 the message`, or `# - the message`
//! for a problem without a place. All problems are compared, in order.

use std::fs;
use std::path::{Path, PathBuf};

use kiln::config::cluster::Cluster;
use kiln::config::{self, Outside, project};
use kiln::diagnostic::{Diagnostic, StageResult};
use kiln::source::MemoryFiles;
use kiln::validate::{self, Schema, SchemaText};
use serde_json::{Value, json};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn whole_schema() -> Schema {
    let mut apps = Vec::new();
    for entry in fs::read_dir(root().join("schemas/apps")).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".schema.json")
            .to_owned();
        apps.push((name, fs::read_to_string(path).unwrap().into()));
    }
    apps.sort_by(|(a, _): &(String, SchemaText), (b, _)| a.cmp(b));
    let base = fs::read_to_string(root().join("schemas/cluster.schema.json")).unwrap();
    validate::compose(base, apps).unwrap()
}

fn compile(files: &[(&str, &str)]) -> StageResult<Cluster> {
    compile_with(files, false)
}

fn compile_with(files: &[(&str, &str)], make_up: bool) -> StageResult<Cluster> {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let files = MemoryFiles(files.collect());
    let project = project::load(&files)?.value;
    let env = |name: &str| (name == "TOKEN").then(|| "token-from-the-environment".to_owned());
    let decrypt = |_: &_| Ok(Some("dns: {token: token-from-a-sealed-file}\n".to_owned()));
    let outside = Outside {
        env: &env,
        decrypt: &decrypt,
        make_up,
    };
    let merged = config::load(&files, &project, &outside)?;
    let mut cluster = validate::validate(merged.value, &whole_schema())?;
    cluster.warnings.splice(0..0, merged.warnings);
    Ok(cluster)
}

#[test]
fn the_defaults_of_every_app_keep_its_rules() {
    let example = |name: &str| {
        let path = root().join("examples/homelab").join(name);
        fs::read_to_string(path).unwrap()
    };
    let cluster = example("cluster.yaml");
    assert!(!cluster.contains("apps:"), "{cluster}");
    let text = format!("{cluster}\n{}", example("nodes.yaml"));
    let compiled = compile(&[("kiln.toml", ""), ("cluster.yaml", &text)]);
    let problems: Vec<String> = compiled.err().iter().flatten().map(line).collect();
    assert_eq!(problems, [""; 0]);
}

fn line(problem: &Diagnostic) -> String {
    match &problem.primary {
        Some(label) => {
            let (line, column) = label.place.source.line_column(label.place.span.start);
            format!("{line}:{column} {}", problem.message)
        }
        None => format!("- {}", problem.message),
    }
}

fn cases(folder: &str) -> Vec<(PathBuf, String)> {
    let mut cases: Vec<(PathBuf, String)> = fs::read_dir(root().join("tests/config").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn file_name(path: &Path) -> String {
    format!("cluster.{}", path.extension().unwrap().to_str().unwrap())
}

#[test]
fn accepts_every_valid_config() {
    for (path, text) in cases("valid") {
        let outcome = compile(&[(&file_name(&path), &text)]);
        let problems = outcome.err().unwrap_or_default();
        let lines: Vec<String> = problems.iter().map(line).collect();
        assert!(
            lines.is_empty(),
            "{}:\n{}",
            path.display(),
            lines.join("\n")
        );
    }
}

#[test]
fn rejects_every_invalid_config_with_the_words_expected() {
    let mut wrong = Vec::new();
    for (path, text) in cases("invalid") {
        let expected: Vec<&str> = text
            .lines()
            .map_while(|line| line.strip_prefix("# "))
            .collect();
        let found: Vec<String> = match compile(&[(&file_name(&path), &text)]) {
            Ok(_) => vec!["(accepted)".to_owned()],
            Err(problems) => problems.iter().map(line).collect(),
        };
        if found != expected {
            wrong.push(format!("{}:\n{}", path.display(), found.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const HOME: &str = include_str!("../examples/homelab/cluster.yaml");
const NODES: &str = include_str!("../examples/homelab/nodes.yaml");

#[test]
fn fills_in_constant_and_computed_defaults() {
    let cluster = compile(&[("cluster.yaml", HOME), ("nodes.yaml", NODES)])
        .unwrap()
        .value;
    for (pointer, expected) in [
        ("/network/default_gateway", json!("192.168.1.1")),
        ("/kubernetes/coredns_addr", json!("10.43.0.10")),
        ("/ingress/mode", json!("none")),
        ("/spegel/enabled", json!(false)),
        ("/nodes/0/mtu", json!(1500)),
        ("/derived/cert_sans", json!(["127.0.0.1", "192.168.1.10"])),
        ("/derived/prefix_length", json!(24)),
        ("/apps/echo/enabled", json!(true)),
    ] {
        assert_eq!(
            cluster.values.pointer(pointer),
            Some(&expected),
            "{pointer}"
        );
    }
    let schematic = cluster.values["nodes"][0]["schematic_id"].as_str();
    assert_eq!(schematic.map(str::len), Some(64));
}

fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

#[test]
fn a_section_cannot_be_made_up() {
    let told = |from: &str, to: &str| {
        let text = HOME.replace(from, to);
        assert_ne!(text, HOME);
        let compiled = compile_with(&[("cluster.yaml", &text), ("nodes.yaml", NODES)], true);
        let problems = compiled.err().unwrap_or_default();
        problems.iter().map(line).collect::<Vec<_>>()
    };
    let of_section = told(
        "gateways:\n  internal: 192.168.1.20\n  dns: 192.168.1.21\n",
        "gateways: { fromEnv: GATEWAYS }\n",
    );
    assert_eq!(
        of_section,
        ["- without the real values of `gateways`, nothing can be told of this config"]
    );
    let of_value = told("  dns: 192.168.1.21", "  dns: { fromEnv: DNS }");
    assert_eq!(of_value, [""; 0]);
}

#[test]
fn every_field_is_described() {
    fn walk(schema: &Value, at: &str, bare: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            if property["title"].is_null() || property["description"].is_null() {
                bare.push(at.clone());
            }
            let open = property["type"] == "object" && property["additionalProperties"].is_null();
            if open {
                bare.push(format!("{at} takes unknown keys"));
            }
            walk(property, &at, bare);
            walk(&property["items"], &at, bare);
        }
    }
    let mut bare = Vec::new();
    walk(whole_schema().json(), "config", &mut bare);
    assert!(bare.is_empty(), "{}", bare.join("\n"));
}

#[test]
fn merges_files_and_reports_a_value_in_two_of_them() {
    let nodes = format!("{NODES}domain:\n  name: other.example.com\n");
    let problems = compile(&[("cluster.yaml", HOME), ("nodes.yaml", &nodes)]).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "`name` is set in two places");
    assert_eq!(
        problems[0].primary.as_ref().unwrap().place.source.path,
        "nodes.yaml"
    );
    assert_eq!(problems[0].related[0].place.source.path, "cluster.yaml");
}

/// Sets every table and list at a depth of the schema to null, as a file has it in which all lines below are comments.
fn empty_at(depth: usize, schema: &Value, value: &mut Value, emptied: &mut usize) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let section = property["type"] == "object" || property["type"] == "array";
        if depth == 0 && section {
            value[name] = Value::Null;
            *emptied += 1;
        } else if depth > 0 && property["properties"].is_object() {
            if !value[name].is_object() {
                value[name] = serde_json::json!({});
            }
            empty_at(depth - 1, property, &mut value[name], emptied);
        }
    }
}

#[test]
fn a_section_with_nothing_in_it_is_empty() {
    let home = compile(&[("cluster.yaml", HOME), ("nodes.yaml", NODES)])
        .unwrap()
        .value;
    let mut emptied = 0;
    for depth in 0..4 {
        let mut value = home.given.clone();
        empty_at(depth, whole_schema().json(), &mut value, &mut emptied);
        let problems = compile(&[("cluster.json", &value.to_string())]).err();
        let wrong: Vec<String> = problems
            .iter()
            .flatten()
            .filter(|problem| problem.code() == "wrong-type")
            .map(line)
            .collect();
        assert_eq!(wrong, [""; 0], "at depth {depth}");
    }
    assert!(emptied > 80, "only {emptied} sections are found");
}

#[test]
fn an_empty_section_is_as_good_as_none() {
    let empty = format!("{HOME}apps:\n  # headlamp:\ncilium:\nnodes:\n");
    let with = compile(&[("cluster.yaml", &empty), ("nodes.yaml", NODES)]).unwrap();
    let without = compile(&[("cluster.yaml", HOME), ("nodes.yaml", NODES)]).unwrap();
    assert_eq!(sorted(&with.value.values), sorted(&without.value.values));

    let both = format!("{HOME}{}", NODES.trim_start_matches("---\n"));
    let comments = compile(&[("cluster.yaml", &both), ("nodes.yaml", "---\n# nodes:\n")]).unwrap();
    assert_eq!(
        sorted(&comments.value.values),
        sorted(&without.value.values)
    );

    let servers = HOME.replace(
        "  node_cidr:",
        "  dns_servers:\n    # - 192.168.1.1\n  node_cidr:",
    );
    assert_ne!(servers, HOME);
    let cluster = compile(&[("cluster.yaml", &servers), ("nodes.yaml", NODES)]).unwrap();
    assert_eq!(sorted(&cluster.value.values), sorted(&without.value.values));
}

#[test]
fn a_mac_address_is_taken_as_routers_and_systems_show_it() {
    let own = NODES
        .split_once("mac_addr: ")
        .and_then(|(_, behind)| behind.lines().next())
        .unwrap();
    for spelling in [
        "02:00:00:00:00:ab",
        "02:00:00:00:00:AB",
        "02-00-00-00-00-AB",
        "02-00-00-00-00-ab",
        "0200.0000.00AB",
        "0200.0000.00ab",
    ] {
        let nodes = NODES.replacen(own, spelling, 1);
        let cluster = compile(&[("cluster.yaml", HOME), ("nodes.yaml", &nodes)]).unwrap();
        let found = &cluster.value.values["nodes"][0]["mac_addr"];
        assert_eq!(found, "02:00:00:00:00:ab", "{spelling}");
    }
}

#[test]
fn hosts_of_the_smallest_networks_are_taken() {
    let config = include_str!("config/valid/minimal.yaml");
    let without_gateways = |prefix: &str, own: &str| {
        config
            .replace(
                "  node_cidr: 192.168.1.0/24",
                &format!("  node_cidr: {prefix}"),
            )
            .replace("    address: 192.168.1.11", &format!("    address: {own}"))
    };
    for (prefix, own, taken) in [
        ("192.168.1.10/31", "192.168.1.11", true),
        ("192.168.1.11/32", "192.168.1.11", true),
        ("192.168.1.8/30", "192.168.1.11", false),
        ("192.168.1.8/29", "192.168.1.11", true),
    ] {
        let text = without_gateways(prefix, own);
        let problems = compile(&[("cluster.yaml", &text)])
            .err()
            .unwrap_or_default();
        let refused = problems.iter().any(|problem| {
            problem.message.starts_with("the address of `a`") && problem.message.contains("no host")
        });
        assert_eq!(refused, !taken, "{prefix}");
    }
}

#[test]
fn reads_tokens_from_the_environment_and_from_sealed_files_as_secrets() {
    let public = HOME.replace("  provider: none\n", "  provider: cloudflare\n");
    let public = format!("{public}ingress:\n  mode: none\n");
    let with_env = public.replace("cloudflare\n", "cloudflare\n  token: { fromEnv: TOKEN }\n");
    let cluster = compile(&[("cluster.yaml", &with_env), ("nodes.yaml", NODES)])
        .unwrap()
        .value;
    let secrets: Vec<&str> = cluster
        .secrets
        .iter()
        .map(|(secret, _)| secret.expose())
        .collect();
    assert_eq!(secrets, ["token-from-the-environment"]);

    let files = [
        ("cluster.yaml", public.as_str()),
        ("cluster.sops.yaml", "sops: {}"),
        ("nodes.yaml", NODES),
    ];
    let cluster = compile(&files).unwrap().value;
    let secrets: Vec<(&str, &str)> = cluster
        .secrets
        .iter()
        .map(|(secret, at)| (secret.expose(), at))
        .collect();
    assert_eq!(secrets, [("token-from-a-sealed-file", "dns.token")]);

    let missing = with_env.replace("TOKEN", "NO_SUCH_TOKEN");
    let problems = compile(&[("cluster.yaml", &missing), ("nodes.yaml", NODES)]).unwrap_err();
    assert_eq!(
        problems[0].message,
        "the environment has no `NO_SUCH_TOKEN`"
    );
}

#[test]
fn never_shows_the_value_of_a_secret() {
    let canary = "canary-4f1d";
    let text = HOME.replace(
        "  provider: none\n",
        &format!("  provider: none\n  token: {canary}\n"),
    );
    let list = HOME.replace(
        "  provider: none\n",
        &format!("  provider: cloudflare\n  token: [{canary}]\n"),
    );
    let syntax = format!("{text}  bad: [\n");
    for text in [text, list, syntax] {
        let problems = compile(&[("cluster.yaml", &text), ("nodes.yaml", NODES)]).unwrap_err();
        assert!(!problems.is_empty());
        for problem in &problems {
            let mut shown = format!("{} {}", problem.message, problem.hints.join(" "));
            for label in problem.primary.iter().chain(&problem.related) {
                shown.push_str(&label.text);
                shown.push_str(&label.place.source.text);
            }
            assert!(!shown.contains(canary), "{}", problem.message);
        }
    }
}

#[test]
fn warns_of_scalars_that_yaml_1_1_reads_otherwise() {
    let text = HOME.replace(
        "home.example.com",
        "home.example.com\nspegel:\n  enabled: no",
    );
    let problems = compile(&[("cluster.yaml", &text), ("nodes.yaml", NODES)]).unwrap_err();
    let lines: Vec<String> = problems.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "20:12 `no` means another value in YAML 1.1",
            "20:12 `spegel.enabled` is `true` or `false`, not `\"no\"`"
        ]
    );
    let text = HOME.replace("home.example.com", "home.example.com\nrepository2: 0755");
    let problems = compile(&[("cluster.yaml", &text), ("nodes.yaml", NODES)]).unwrap_err();
    let lines: Vec<String> = problems.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "19:1 the config has no key `repository2`",
            // It may be a secret behind a misspelt key.
            "19:14 this means another value in YAML 1.1"
        ]
    );
}

#[test]
fn says_what_is_missing_where_there_is_no_config() {
    let problems = compile(&[]).unwrap_err();
    assert_eq!(line(&problems[0]), "- this project has no cluster config");
    assert_eq!(problems[0].hints.len(), 2);
    let problems = compile(&[("kiln.toml", "data = [\"site.yaml\"]")]).unwrap_err();
    assert_eq!(line(&problems[0]), "1:10 there is no data file `site.yaml`");
}

#[test]
fn rejects_unknown_keys_and_exemptions_without_a_reason_in_kiln_toml() {
    let text = "[hardn]\n[[exempt]]\nrule = \"pod-security\"\n";
    let problems = compile(&[("kiln.toml", text)]).unwrap_err();
    let lines: Vec<String> = problems.iter().map(line).collect();
    assert_eq!(lines[0], "1:2 `kiln.toml` has no key `hardn`");
    assert_eq!(problems[0].hints[0], "did you mean `harden`?");
    assert!(
        lines[1].ends_with("an exemption needs a `reason`"),
        "{lines:?}"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        for name in ["cluster.yaml", "cluster.toml", "cluster.json", "kiln.toml"] {
            let files = MemoryFiles([(name.to_owned(), bytes.clone())].into());
            let env = |_: &str| None;
            let decrypt = |_: &_| Ok(Some(String::new()));
            let outside = Outside { env: &env, decrypt: &decrypt, make_up: false };
            if let Ok(project) = project::load(&files) {
                drop(config::load(&files, &project.value, &outside));
            }
        }
    }
}
