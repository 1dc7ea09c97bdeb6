//! The real binary in a project that somebody filled with such names: every command, every form.

use std::fmt::Write as _;

use super::log;
use super::names::NAMES;
use crate::diff::project::{commit, git, project};
use crate::support::{Run, Sandbox, commands_without_a_run};

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

/// What is run on objects with such names in a project.
const OBJECTS: &[&[&str]] = &[
    &["check"],
    &["render", "--dry-run", "-v"],
    &["check", "-v"],
    &["check", "--message-format", "github"],
    &["check", "--format", "sarif"],
    &["check", "--format", "junit"],
    &["audit", "-v"],
    &["harden", "-v"],
    &["harden", "--diff"],
    &["diff", "--base", "HEAD"],
    &["diff", "--base", "HEAD", "--format", "github"],
    &["diff", "--base", "HEAD", "--format", "json"],
    &["diff", "--base", "HEAD", "--format", "markdown"],
    &["diff", "--base", "HEAD", "--format", "html"],
    &["audit", "-v", "--format", "human"],
    &["audit", "--format", "json"],
    &["audit", "--format", "sarif"],
    &["audit", "--format", "junit"],
    &["audit", "--format", "github"],
    &["audit", "--format", "markdown"],
    &["explain", "out/apps/odd.yaml:5"],
    &["adopt"],
];

/// What is run on files with such names.
const FILES: &[&[&str]] = &[
    &["check"],
    &["secrets", "status"],
    &["render", "--dry-run"],
    &["diff", "--base", "first"],
    &["audit"],
];

/// What is run on a config with such names.
const CONFIG: &[&[&str]] = &[&["check"], &["apps"], &["schema"]];

/// What is run on a Flux tree with such names, in which no project is.
const TREE: &[&[&str]] = &[
    &["build"],
    &["build", "--origin", "-v"],
    &["build", "-o", "json", "--origin"],
    &["build", "-o", "name"],
    &["build", "apps"],
    &["list", "images"],
    &["list", "images", "-o", "json"],
    &["list", "images", "-o", "name", "-v"],
    &["list", "releases"],
    &["list", "releases", "-o", "json"],
    &["list", "sources"],
    &["list", "sources", "-o", "name"],
    &["list", "kustomizations"],
    &["list", "kustomizations", "-o", "json"],
    &["list", "kustomizations", "-o", "mermaid"],
    &["diff", "--base", "HEAD"],
    &["diff", "--base", "HEAD", "--format", "github"],
    &["diff", "--base", "HEAD", "--format", "markdown"],
    &["diff", "--base", "HEAD", "--format", "html"],
    &["secrets", "status"],
    &["secrets", "status", "--format", "json"],
];

/// What such a name is an argument of; it stands in the place of `NAME`.
const ARGUMENTS: &[&[&str]] = &[
    &["explain", "NAME"],
    &["explain", "a/NAME:1"],
    &["apps", "enable", "NAME"],
    &["apps", "disable", "NAME"],
    &["catalogue", "list", "NAME"],
    &["catalogue", "eject", "NAME"],
    &["diff", "--base", "NAME"],
    &["build", "NAME"],
    &["build", "--owner", "a/NAME"],
    &["build", "--root", "NAME"],
    &["build", "--source", "GitRepository/a/b=NAME"],
    &["list", "images", "--root", "NAME"],
    &["secrets", "rekey", "--old-key", "NAME"],
    &["secrets", "set", "NAME"],
    &["secrets", "get", "NAME"],
    &["secrets", "get", "NAME", "NAME"],
    &["secrets", "edit", "NAME"],
    &["secrets", "encrypt", "NAME"],
    &["secrets", "decrypt", "NAME"],
    &["secrets", "rotate", "NAME"],
    &["secrets", "update-keys", "NAME"],
    &["secrets", "keygen", "-o", "none/NAME"],
    &["profile", "new", "NAME"],
    &["completions", "NAME"],
    &["init", "NAME", "NAME"],
    &["adopt", "NAME"],
    &["adopt", "--drop", "NAME"],
    &["-C", "NAME", "check"],
    &["check", "NAME"],
    &["harden", "--rule", "NAME"],
    &["NAME"],
];

/// What is run on a file of versions with such names.
const VERSIONS: &[&[&str]] = &[
    &["check"],
    &["apps", "outdated"],
    &["apps", "outdated", "--format", "json"],
    &["apps", "outdated", "--write"],
];

/// What never ends by itself; it prints what `render` and `diff` print.
const ENDLESS: &[&[&str]] = &[&["watch"]];

#[test]
fn every_command_is_looked_at() {
    let all = [OBJECTS, FILES, CONFIG, VERSIONS, TREE, ARGUMENTS, ENDLESS].concat();
    assert_eq!(commands_without_a_run(&all), [""; 0]);
}

#[test]
fn no_command_passes_on_an_order_of_an_object() {
    let sandbox = project();
    sandbox.write("templates/apps/odd.yaml", objects(1));
    commit(&sandbox, "names");
    sandbox.write("templates/apps/odd.yaml", objects(2));
    let printed = walk(&sandbox, OBJECTS);
    let shown = r"ConfigMap/x\n\n# Approved by @admin";
    assert!(printed.contains(shown), "{printed}");
}

/// Returns a Flux Kustomization, a release, a source and a pod for each of the names.
fn flux_objects(version: u32) -> String {
    let mut text = String::new();
    for (name, _) in NAMES {
        let name = quoted(name);
        writeln!(
            text,
            "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: {name}}}\n\
             spec: {{path: {name}, suspend: true, sourceRef: {{kind: GitRepository, name: {name}}}, dependsOn: [{{name: {name}}}], postBuild: {{substituteFrom: [{{kind: ConfigMap, name: {name}}}]}}}}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: {name}}}\nspec: {{url: {name}}}\n\
             ---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, labels: {{{name}: {name}}}}}\n\
             spec: {{chart: {{spec: {{chart: {name}, version: {name}, sourceRef: {{kind: HelmRepository, name: {name}}}}}}}, values: {{a: {version}, image: {{repository: {name}, tag: {name}}}}}}}\n\
             ---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: {name}, image: {name}, args: ['{version}']}}]}}\n\
             ---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{{name}: '{version}'}}"
        )
        .unwrap();
    }
    text
}

#[test]
fn no_command_passes_on_an_order_of_a_flux_tree() {
    let sandbox = Sandbox::with(&[
        (
            "cluster/instance.yaml",
            "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
             spec: {sync: {kind: GitRepository, url: https://example.com/home.git, path: cluster}}\n",
        ),
        (
            "cluster/apps.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n\
             spec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}\n",
        ),
        ("apps/kustomization.yaml", "resources: [odd.yaml]\n"),
    ]);
    sandbox.write("apps/odd.yaml", flux_objects(1));
    git(&sandbox, &["init", "--quiet"]);
    commit(&sandbox, "first");
    sandbox.write("apps/odd.yaml", flux_objects(2));
    let printed = walk(&sandbox, TREE);
    for shown in [
        r"HelmRelease/x\n\n# Approved by @admin",
        r"Kustomization/x\n\n# Approved by @admin",
    ] {
        assert!(printed.contains(shown), "{shown}: {printed}");
    }
    // What is refused names what it refuses.
    let list = |name: &str| format!("resources: [odd.yaml, {}]\n", quoted(name));
    for (name, _) in NAMES {
        sandbox.write("apps/kustomization.yaml", list(name));
        walk(&sandbox, &[&["build"], &["list", "images"]]);
    }
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
    let printed = walk(&sandbox, FILES);
    assert!(printed.contains(r"x\n\n# Approved by @admin"), "{printed}");
}

#[test]
fn no_command_passes_on_an_order_of_a_file_of_versions() {
    let sandbox = project();
    let (mut own, mut unknown) = (String::from("charts:\n"), String::new());
    for (name, _) in NAMES {
        let name = quoted(name);
        writeln!(own, "  {name}: {{source: {name}, version: 1.0.0}}").unwrap();
        writeln!(unknown, "  {name}: {{version: {name}, digest: {name}}}").unwrap();
    }
    sandbox.write("versions.yaml", &own);
    walk(&sandbox, VERSIONS);
    sandbox.write("versions.yaml", format!("charts:\n{unknown}"));
    let printed = walk(&sandbox, VERSIONS);
    assert!(printed.contains("version-invalid"), "{printed}");
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
    let printed = walk(&sandbox, CONFIG);
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
        for arguments in ARGUMENTS {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|text| text.replace("NAME", name))
                .collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let run = sandbox.kiln(&arguments);
            expect_no_orders(&run, &[]);
        }
    }
}
