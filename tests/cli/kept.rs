//! What lies around a project: files that people keep beside its outputs, and the repository that it is a folder of.

use std::fmt::Write as _;

use crate::diff::project::{commit, git};
use crate::support::{Run, Sandbox};

const LIST: &str = "resources:\n  - ./config.yaml\n  - ./hand.yaml\n";

const HAND: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hand}\ndata: {x: '1'}\n";

/// Writes the Kustomization of an app, whose folder is one below `base`.
fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  interval: 1h\n  path: {path}\n  prune: true\n  targetNamespace: default\n  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )
}

/// Makes a project in a folder of a repository: its kustomization lists a file that no template makes.
fn project(folder: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .kiln(&["init", if folder.is_empty() { "." } else { folder }])
        .success();
    let base = match folder {
        "" => ".".to_owned(),
        folder => format!("./{folder}"),
    };
    let sync = format!(
        "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {{name: flux, namespace: flux-system}}\n\
         spec: {{sync: {{kind: GitRepository, url: https://example.com/home.git, path: {base}/flux}}}}\n"
    );
    for (path, text) in [
        (
            "kiln.toml",
            "catalogue = false\n[harden]\nenabled = false\n".to_owned(),
        ),
        ("templates/bootstrap/instance.yaml", sync),
        (
            "templates/flux/app.yaml",
            kustomization("app", &format!("{base}/app"), ""),
        ),
        ("templates/app/kustomization.yaml", LIST.to_owned()),
        (
            "templates/app/config.yaml",
            HAND.replace("name: hand", "name: config"),
        ),
    ] {
        sandbox.write(&below(folder, path), text);
    }
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    sandbox
}

fn below(folder: &str, path: &str) -> String {
    match folder {
        "" => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

fn kiln(sandbox: &Sandbox, folder: &str, arguments: &[&str]) -> Run {
    let folder = if folder.is_empty() { "." } else { folder };
    sandbox.kiln(&[&["-C", folder], arguments].concat())
}

#[test]
fn a_file_that_somebody_keeps_beside_the_outputs_is_part_of_the_world() {
    let mut differs = Vec::new();
    for folder in ["", "clusters/home"] {
        let sandbox = project(folder);
        let run = kiln(&sandbox, folder, &["check"]);
        assert_eq!(
            (run.code, run.codes()),
            (Some(1), vec!["error[resource-missing]"]),
            "{run}"
        );
        sandbox.write(&below(folder, "app/hand.yaml"), HAND);
        // Nobody has to tell git of it first.
        kiln(&sandbox, folder, &["check"]).success();
        kiln(&sandbox, folder, &["render"]).success();
        assert_eq!(sandbox.read(&below(folder, "app/hand.yaml")), HAND);
        let names = kiln(&sandbox, folder, &["build", "-o", "name"]).success();
        assert!(
            names.ends_with("ConfigMap/default/config\nConfigMap/default/hand\n"),
            "{names}"
        );
        // It is judged as what Flux applies, and compared.
        commit(&sandbox, "rendered");
        sandbox.write(&below(folder, "app/hand.yaml"), HAND.replace("'1'", "'2'"));
        let run = kiln(&sandbox, folder, &["diff", "--base", "HEAD"]);
        differs.push(run.steady());
    }
    assert_eq!(differs[0], differs[1]);
    insta::assert_snapshot!(differs[0], @r#"
    exit code 1
    --- stdout
    HEAD ([COMMIT]) → the working tree

    ~ ConfigMap/default/hand
      app/hand.yaml:1
      data.x: "1" → "2"

    1 changed
    "#);
}

#[test]
fn a_file_that_git_ignores_does_not_reach_flux() {
    let mut told = String::new();
    for folder in ["", "clusters/home"] {
        let sandbox = project(folder);
        sandbox.write(&below(folder, "app/hand.yaml"), HAND);
        let ignored = sandbox.read(&below(folder, ".gitignore"));
        sandbox.write(&below(folder, ".gitignore"), ignored + "hand.yaml\n");
        let run = kiln(&sandbox, folder, &["check"]);
        assert_eq!(run.code, Some(1), "{run}");
        writeln!(told, "{}", run.headlines().join("\n")).unwrap();
        sandbox.write(&below(folder, "templates/app/hand.yaml"), HAND);
        kiln(&sandbox, folder, &["render"]).success();
        std::fs::remove_file(sandbox.path(&below(folder, "templates/app/hand.yaml"))).unwrap();
        let run = kiln(&sandbox, folder, &["build"]);
        assert_eq!(run.code, Some(1), "{run}");
        let lines = run.lines_that_start(&["error", "warning", "  = help"]);
        writeln!(told, "{}", lines.join("\n")).unwrap();
    }
    insta::assert_snapshot!(told, @"
    error[resource-ignored]: `./hand.yaml` is there, and Flux does not get it: git ignores it
    error[resource-ignored]: `./hand.yaml` is there, and Flux does not get it: git ignores it
      = help: add it with `git add --force`, or mend the `.gitignore`
      = help: Flux builds it for `flux-system/app`
    error[resource-ignored]: `./hand.yaml` is there, and Flux does not get it: git ignores it
    error[resource-ignored]: `./hand.yaml` is there, and Flux does not get it: git ignores it
      = help: add it with `git add --force`, or mend the `.gitignore`
      = help: Flux builds it for `flux-system/app`
    ");
}

#[test]
fn paths_of_a_project_in_a_subfolder_count_from_the_repository() {
    let sandbox = project("clusters/home");
    sandbox.write("clusters/home/app/hand.yaml", HAND);
    kiln(&sandbox, "clusters/home", &["check"]).success();
    // One that counts from the project is wrong, and the suggestion says how.
    let path = "clusters/home/templates/flux/app.yaml";
    let text = sandbox.read(path);
    sandbox.write(
        path,
        text.replace("./clusters/home/app", "./clusters/home/ap"),
    );
    let run = kiln(&sandbox, "clusters/home", &["check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[flux-path]: `Kustomization/flux-system/app` points at `./clusters/home/ap`, which is not in the tree
     --> flux/app.yaml:6:9
      |
    6 |   path: ./clusters/home/ap
      |         ^^^^^^^^^^^^^^^^^^
      |
     ::: templates/flux/app.yaml:6:1
      |
    6 |   path: ./clusters/home/ap
      | -------------------------- rendered from here
      |
      = help: did you mean `./clusters/home/app`?

    1 error, nothing written
    ");
}

#[test]
fn what_is_not_seen_is_counted_and_listed_on_request() {
    let sandbox = project("");
    sandbox.write("app/hand.yaml", HAND);
    for arguments in [&["check"][..], &["render", "--dry-run"]] {
        let run = sandbox.kiln(arguments);
        assert!(!run.stderr.contains("not seen"), "{run}");
    }
    sandbox.write(
        "templates/app/kustomization.yaml",
        format!("{LIST}  - https://example.com/one.yaml\n"),
    );
    let run = sandbox.kiln(&["check"]);
    assert_eq!(run.code, Some(0), "{run}");
    let line = "not seen: 1 part (`kiln check -v` names it)\n";
    assert!(run.stderr.starts_with(line), "{run}");
    sandbox.write(
        "templates/flux/app.yaml",
        kustomization(
            "app",
            "./app",
            "  postBuild: {substituteFrom: [{kind: Secret, name: gone}]}\n",
        ),
    );
    let line = "not seen: 2 parts (`kiln check -v` lists them)\n";
    for arguments in [&["check"][..], &["render", "--dry-run"], &["render"]] {
        let run = sandbox.kiln(arguments);
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stderr.contains(line), "{run}");
        let run = sandbox.kiln(&[arguments, &["--verbose"]].concat());
        assert!(!run.stderr.contains(line), "{run}");
        for part in [
            "not seen: the resource `https://example.com/one.yaml`: it lies on another machine\n",
            "not seen: Secret/flux-system/gone: no build of the tree makes it",
            "asked for in app/kustomization.yaml:4\n",
        ] {
            assert!(run.stderr.contains(part), "{part}: {run}");
        }
        let run = sandbox.kiln(&[arguments, &["--quiet"]].concat());
        assert_eq!(run.stderr, "", "{run}");
        let run = sandbox.kiln(&[arguments, &["--message-format", "json"]].concat());
        let last = run.stdout.lines().last().unwrap_or_default();
        let value: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(value["summary"]["notSeen"], 2, "{run}");
    }
}
