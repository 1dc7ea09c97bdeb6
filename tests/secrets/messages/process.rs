//! What the real binary prints, of real files.

use std::os::unix::fs::symlink;

use super::{CANARY, NUMBER, assert_no_secret, laden};
use crate::secrets::project::{IDENTITY, Project};
use crate::support::{Run, Sandbox, commands_without_a_run};

const FORMATS: [&str; 3] = ["human", "json", "github"];

fn on_disk(project: &Project) -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, bytes) in &project.files.0 {
        sandbox.write(path, bytes);
    }
    sandbox
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.kiln_with(&[("TOKEN", CANARY)], arguments)
}

/// Runs in every form of messages, and expects an exit code and no secret.
#[track_caller]
fn expect(sandbox: &Sandbox, code: i32, arguments: &[&str]) -> String {
    let mut all = String::new();
    for format in FORMATS {
        let run = run(
            sandbox,
            &[arguments, &["--message-format", format]].concat(),
        );
        assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
        assert_no_secret(&run.to_string(), &format!("{arguments:?}"));
        all.push_str(&run.to_string());
    }
    all
}

/// What goes well once the project is rendered.
const GOOD: &[&[&str]] = &[
    &["check", "--verbose"],
    &["check", "--format", "sarif"],
    &["check", "--format", "junit"],
    &["render", "--verbose"],
    &["audit"],
    &["audit", "--format", "sarif"],
    &["audit", "--format", "junit"],
    &["audit", "--format", "github"],
    &["audit", "--format", "markdown"],
    &["explain", "keep.sops.yaml:1"],
    &["diff", "--disk"],
    &["diff", "--disk", "--format", "html"],
    &["diff", "--disk", "--format", "markdown"],
    &["diff", "--disk", "--format", "json"],
    &["apps"],
    &["apps", "outdated"],
    &["build", "--verbose"],
    &["build", "--origin"],
    &["build", "--output", "json", "--origin"],
    &["build", "--output", "name"],
    &["build", "kubernetes/apps/default/demo/app"],
    &["build", "--kind", "Secret", "--namespace", "default"],
    &["list", "images"],
    &["list", "releases", "--output", "json"],
    &["list", "sources", "--verbose"],
    &["list", "kustomizations"],
    &["list", "kustomizations", "--output", "mermaid"],
    &["catalogue", "list"],
    &["schema"],
    &["completions", "bash"],
    &["init"],
    &["adopt"],
    &["secrets", "status"],
    &["secrets", "status", "--format", "json"],
    &["secrets", "keygen"],
    &["secrets", "update-keys"],
    &["secrets", "rotate"],
];

/// What prints secrets, which is what it is for: to stdout alone.
const ON_PURPOSE: &[&[&str]] = &[
    &["secrets", "get", "apps.demo.word"],
    &["secrets", "get", "apps.demo", "--json"],
    &["secrets", "get", "keep.sops.yaml", "literal"],
    &["secrets", "decrypt", "keep.sops.yaml"],
];

/// What does not go well here: an app that is always on, nothing to copy, no old key and no `helm`.
const BAD: &[&[&str]] = &[
    &["apps", "disable", "demo"],
    &["apps", "enable", "nope"],
    &["catalogue", "eject", CANARY],
    &["secrets", "rekey", "--old-key", "deploy.key"],
    &["secrets", "set", "apps.demo.word"],
    &["secrets", "set", "apps.demo.pin", "--file", "some.txt"],
    &["secrets", "set", "apps.demo.wrod", "--file", "some.txt"],
    &["secrets", "set", "apps.demo.whole", "--file", "some.txt"],
    &["secrets", "get", "apps.demo.nope"],
    &["secrets", "get", "apps.demo.whole"],
    &["secrets", "get", "some.txt", "word"],
    &["secrets", "decrypt", "cluster.yaml"],
    &["secrets", "edit", "some.txt"],
    &["secrets", "encrypt", "some.txt"],
    &["secrets", "rotate", "some.txt"],
    &["harden", "--diff"],
    &["profile", "new", CANARY],
];

/// What never ends by itself; it prints what `render` and `diff` print.
const ENDLESS: &[&[&str]] = &[&["watch"]];

/// Lets Flux apply the app of a project, with a Secret that will be sealed.
fn put_flux(project: &mut Project) {
    let kustomization = |name: &str, path: &str, more: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
             spec:\n  path: {path}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
        )
    };
    let vars = "  targetNamespace: default\n  decryption: {provider: sops}\n  postBuild: {substituteFrom: [{kind: Secret, name: vars}]}\n";
    let secret = |name: &str, namespace: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
             stringData:\n  TOKEN: \"#{{ apps.demo.word }}#\"\n  literal: {CANARY}\n  pin: \"{NUMBER}\"\n"
        )
    };
    for (path, text) in [
        (
            "../.sops.yaml.tera",
            "creation_rules:\n  - path_regex: ^kubernetes/.*\\.sops\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: #{ age_recipient() }#\n  \
             - path_regex: \\.sops\\.yaml$\n    age: #{ age_recipient() }#\n".to_owned(),
        ),
        (
            "flux/cluster/kustomization.yaml",
            "resources: [sync.yaml, app.yaml, vars.sops.yaml]\n".to_owned(),
        ),
        (
            "flux/cluster/sync.yaml",
            kustomization("flux-system", "./kubernetes/flux/cluster", ""),
        ),
        (
            "flux/cluster/app.yaml",
            kustomization("demo", "./kubernetes/apps/default/demo/app", vars),
        ),
        (
            "flux/cluster/vars.sops.yaml.tera",
            secret("vars", "flux-system"),
        ),
        (
            "apps/default/demo/app/kustomization.yaml",
            "resources: [config.yaml, demo.sops.yaml]\n".to_owned(),
        ),
        (
            "apps/default/demo/app/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\ndata: {token: '${TOKEN}'}\n"
                .to_owned(),
        ),
        (
            "apps/default/demo/app/demo.sops.yaml.tera",
            secret("demo", "default"),
        ),
    ] {
        let path = path.strip_prefix("../").map_or(format!("kubernetes/{path}"), str::to_owned);
        project.put(&format!("templates/{path}"), &text);
    }
}

#[test]
fn what_goes_well_shows_no_secret() {
    let mut project = laden();
    put_flux(&mut project);
    let sandbox = on_disk(&project);
    expect(&sandbox, 0, &["check", "--verbose"]);
    run(&sandbox, &["render"]).success();
    for arguments in GOOD {
        expect(&sandbox, 0, arguments);
    }
    for arguments in ON_PURPOSE {
        let run = run(&sandbox, arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {run}");
        assert!(run.stdout.contains(CANARY), "{arguments:?}: {run}");
        assert_no_secret(&run.stderr, &format!("{arguments:?}"));
    }
    let built = run(&sandbox, &["build"]).success();
    assert!(built.contains("token: ${TOKEN}"), "{built}");
    assert!(built.contains("literal: ENC[AES256_GCM,"), "{built}");
}

#[test]
fn what_goes_wrong_at_once_shows_no_secret() {
    let sandbox = on_disk(&laden());
    for arguments in BAD {
        let run = run(&sandbox, arguments);
        assert!(matches!(run.code, Some(1 | 2)), "{arguments:?}: {run}");
        let told = run.to_string();
        // What the user typed may come back, as no option says that it is a secret.
        let told = if arguments.contains(&CANARY) {
            told.replace(CANARY, "")
        } else {
            told
        };
        assert_no_secret(&told, &format!("{arguments:?}"));
    }
}

#[test]
fn every_command_is_looked_at() {
    let missing = commands_without_a_run(&[GOOD, BAD, ENDLESS, ON_PURPOSE].concat());
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_link_to_a_key_shows_nothing_of_it() {
    let pem = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----\n"
    );
    let age = format!("# public key: age1qqq\n{IDENTITY}\n");
    for target in [
        "age.key",
        "deploy.key",
        "copy-of-age",
        "copy-of-deploy",
        ".git/config",
    ] {
        for path in [
            "cluster.yaml",
            "cluster.toml",
            "kiln.toml",
            ".sops.yaml",
            "charts/x.yaml",
            "schemas/apps/demo.schema.json",
        ] {
            let mut project = laden();
            for (name, text) in [
                ("age.key", &age),
                ("copy-of-age", &age),
                ("deploy.key", &pem),
                ("copy-of-deploy", &pem),
            ] {
                project.put(name, text);
            }
            project.put(
                ".git/config",
                &format!("[core]\n\turl = https://x:{CANARY}@example.com\n"),
            );
            project.files.0.remove("templates/.sops.yaml.tera");
            project.files.0.remove(path);
            let sandbox = on_disk(&project);
            let up = "../".repeat(path.matches('/').count());
            std::fs::create_dir_all(sandbox.path(path).parent().unwrap()).unwrap();
            symlink(format!("{up}{target}"), sandbox.path(path)).unwrap();
            let run = run(&sandbox, &["check"]);
            assert!(matches!(run.code, Some(1 | 2)), "{path} -> {target}: {run}");
            assert_no_secret(&run.to_string(), &format!("{path} -> {target}"));
        }
    }
}

#[test]
fn values_among_the_arguments_are_not_repeated() {
    let sandbox = on_disk(&laden());
    let option = format!("word={CANARY}");
    let joined = format!("--set=word={CANARY}");
    for arguments in [
        &["apps", "enable", "demo", option.as_str()][..],
        &["apps", "enable", "demo", "--set", CANARY],
        &["apps", "enable", "demo", &format!("--set=word {CANARY}")],
        &["apps", "enable", "demo", "--set", &format!("pin={CANARY}")],
        &["apps", "enable", "demo", "--set", &format!("wrod={CANARY}")],
        &[
            "apps",
            "enable",
            "demo",
            "--set",
            &format!("word.deep={CANARY}"),
        ],
        &["apps", "enable", "nope", "--set", option.as_str()],
        &["apps", "enable", "--set", option.as_str()],
        &["apps", "enable", &joined],
        &["apps", "enabel", "demo", "--set", option.as_str()],
        &["apps", "disable", "demo", "--set", option.as_str()],
        &["apps", "disable", "demo", &joined],
        &["apps", &joined],
        &["apps", "enable", "demo", &format!("--sett=word={CANARY}")],
    ] {
        for format in FORMATS {
            let arguments = [arguments, &["--message-format", format]].concat();
            let run = run(&sandbox, &arguments);
            assert!(matches!(run.code, Some(1 | 2)), "{arguments:?}: {run}");
            assert_no_secret(&run.to_string(), &format!("{arguments:?}"));
        }
    }
}

#[test]
fn a_secret_in_a_path_is_blotted_out_at_the_last_moment() {
    // No message hides the name of a file: only the last look at what goes out finds it.
    let mut project = laden();
    let name = "swordfish-in-a-path";
    project.put(&format!("templates/{name}.txt.tera"), "#{ nope }#\n");
    project.put("some.txt", name);
    let sandbox = on_disk(&project);
    for format in FORMATS {
        let told = run(&sandbox, &["check", "--message-format", format]).to_string();
        assert!(told.contains("undefined-variable"), "{told}");
        assert!(
            told.contains("templates/….txt.tera") && !told.contains(name),
            "{told}"
        );
    }
}
