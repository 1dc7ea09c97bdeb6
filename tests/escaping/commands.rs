//! The real binary in a project that somebody filled with such names: every command, every form.

use std::fmt::Write as _;

use super::log;
use super::names::NAMES;
use crate::diff::project::{commit, project};
use crate::support::{Run, Sandbox};

const FORMS: [&[&str]; 3] = [
    &["--color", "always"],
    &["--message-format", "json"],
    &["--message-format", "github"],
];

/// Writes a text so that YAML reads it back as it is.
fn quoted(text: &str) -> String {
    let mut yaml = "\"".to_owned();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            yaml.push(letter);
        } else {
            write!(yaml, "\\U{:08x}", u32::from(letter)).unwrap();
        }
    }
    yaml + "\""
}

/// Runs commands in every form, those with a form of their own once, and returns all that was printed.
fn walk(sandbox: &Sandbox, commands: &[&[&str]]) -> String {
    let mut printed = String::new();
    for command in commands {
        let forms = if command.contains(&"--format") {
            1
        } else {
            FORMS.len()
        };
        for form in &FORMS[..forms] {
            let run = sandbox.kiln(&[*form, *command].concat());
            expect_no_orders(&run, &[*form, *command].concat());
            printed.extend([run.stdout, run.stderr]);
        }
    }
    printed
}

fn expect_no_orders(run: &Run, arguments: &[&str]) {
    assert!(matches!(run.code, Some(0..=2)), "{arguments:?} {run}");
    let wants_commands = arguments.contains(&"github");
    for text in [&run.stdout, &run.stderr] {
        let found = log::read(text).unwrap_or_else(|wrong| panic!("{arguments:?}: {wrong}"));
        assert!(wants_commands || found.is_empty(), "{arguments:?} {run}");
    }
}

/// Returns objects of a cluster that have such names everywhere.
fn objects(version: u32) -> String {
    let mut text = String::new();
    for (number, (name, _)) in NAMES.iter().enumerate() {
        let name = quoted(name);
        let lines = quoted(&format!(
            "{}\n{version}\n{}",
            NAMES[number].0, NAMES[number].0
        ));
        writeln!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {name}\n  labels: {{ {name}: {name} }}\ndata:\n  {name}: {lines}\n  v: \"{version}\"\n\
             ---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  replicas: {}\n  template:\n    spec:\n      containers:\n        - name: {name}\n          image: \"example.org/x:{version}.0.0\"\n          args: [{name}]\n\
             ---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\n  namespace: v{version}",
            2 - version
        )
        .unwrap();
    }
    text
}

#[test]
fn no_command_passes_on_an_order_of_an_object() {
    let sandbox = project();
    sandbox.write("templates/apps/odd.yaml", objects(1));
    commit(&sandbox, "names");
    sandbox.write("templates/apps/odd.yaml", objects(2));
    let printed = walk(
        &sandbox,
        &[
            &["check"],
            &["render", "--dry-run", "-v"],
            &["diff", "--base", "HEAD"],
            &["diff", "--base", "HEAD", "--format", "github"],
            &["diff", "--base", "HEAD", "--format", "json"],
            &["diff", "--base", "HEAD", "--format", "markdown"],
            &["diff", "--base", "HEAD", "--format", "html"],
            &["audit", "-v", "--format", "human"],
            &["audit", "--format", "json"],
            &["audit", "--format", "sarif"],
            &["audit", "--format", "markdown"],
            &["explain", "out/apps/odd.yaml:5"],
        ],
    );
    let shown = r"ConfigMap/x\n\n# Approved by @admin";
    assert!(printed.contains(shown), "{printed}");
}

#[test]
fn no_command_passes_on_an_order_of_a_file() {
    let sandbox = project();
    for (name, _) in NAMES {
        let name = name.replace(['/', '\0'], "");
        let name: String = name.chars().take(60).collect();
        sandbox.write(
            &format!("templates/apps/odd/{name}.yaml"),
            format!("a: {name}\n"),
        );
        sandbox.write(
            &format!("templates/apps/odd/{name}.txt.tera"),
            format!("{name} #{{ x\n"),
        );
    }
    let printed = walk(
        &sandbox,
        &[
            &["check"],
            &["render", "--dry-run"],
            &["diff", "--base", "first"],
            &["audit"],
        ],
    );
    assert!(printed.contains(r"x\n\n# Approved by @admin"), "{printed}");
}

#[test]
fn no_command_passes_on_an_order_of_the_config() {
    let sandbox = project();
    let cluster = sandbox.read("cluster.yaml");
    let mut keys = String::new();
    for (name, _) in NAMES {
        writeln!(keys, "{0}: {0}", quoted(name)).unwrap();
    }
    sandbox.write("cluster.yaml", format!("{cluster}\n{keys}"));
    let printed = walk(&sandbox, &[&["check"], &["apps"], &["schema"]]);
    assert!(printed.contains("unknown-key"), "{printed}");
    sandbox.write("cluster.yaml", cluster);
    let settings = sandbox.read("kiln.toml");
    for (name, _) in NAMES {
        let key = serde_json::Value::from(*name)
            .to_string()
            .replace('\u{7f}', "");
        sandbox.write("kiln.toml", format!("{settings}\n[{key}]\nx = {key}\n"));
        walk(&sandbox, &[&["check"]]);
    }
}

#[test]
fn no_command_passes_on_an_order_of_its_arguments() {
    let sandbox = project();
    for (name, _) in NAMES.iter().filter(|(name, _)| !name.contains('\0')) {
        for arguments in [
            &["explain", name][..],
            &["explain", &format!("a/{name}:1")],
            &["apps", "enable", name],
            &["catalogue", "list", name],
            &["catalogue", "eject", name],
            &["diff", "--base", name],
            &["-C", name, "check"],
            &["check", name],
            &[name],
        ] {
            let run = sandbox.kiln(arguments);
            expect_no_orders(&run, &[]);
        }
    }
}
