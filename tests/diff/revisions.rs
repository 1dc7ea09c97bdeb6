//! The real binary on a project with a history: every format, and every place it is run in.

use std::process::Command;

use serde_json::Value;

use super::expect;
use super::project::{CANARY, KS, OTHER_CANARY, WEB, change, commit, diff, git, git_in, project};

#[test]
fn every_format_is_as_recorded_and_shows_no_secret() {
    let sandbox = project();
    change(&sandbox);
    let formats = ["terminal", "markdown", "github", "json", "html"];
    for format in formats {
        let run = diff(&sandbox, &["--base", "first", "--format", format]);
        assert_eq!(run.code, Some(1), "{run}");
        let expected = "a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand\n";
        assert_eq!(run.stderr, expected, "{format}");
        for canary in [CANARY, OTHER_CANARY, "canary"] {
            assert!(!run.stdout.contains(canary), "{format} shows a secret");
        }
        expect(&format!("revisions.{format}"), &run.stdout);
    }
    let verbose = diff(
        &sandbox,
        &["--base", "first", "-v", "--no-strip", "--color", "always"],
    );
    assert!(!verbose.stdout.contains("canary"));
    expect("revisions.colour", &verbose.stdout);
}

#[test]
fn json_follows_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/diff.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let sandbox = project();
    change(&sandbox);
    for arguments in [
        &["--base", "first"][..],
        &["--base", "first", "--head", "first"],
    ] {
        let run = diff(&sandbox, &[arguments, &["--format", "json"]].concat());
        let mut value: Value = serde_json::from_str(&run.stdout).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        value["summary"]["added"] = "much".into();
        assert!(!validator.is_valid(&value));
    }
}

#[test]
fn a_comment_leaves_out_whole_objects_and_says_so() {
    let sandbox = project();
    change(&sandbox);
    let whole = diff(&sandbox, &["--base", "first", "--format", "markdown"]).stdout;
    let mut cut = 0;
    for size in [1500, 2500, 3500, 4500, 6000] {
        let size_text = size.to_string();
        let run = diff(
            &sandbox,
            &[
                "--base",
                "first",
                "--format",
                "markdown",
                "--max-size",
                &size_text,
            ],
        );
        assert!(run.stdout.len() <= size, "{} of {size}", run.stdout.len());
        let opened = run.stdout.matches("<details>").count();
        assert_eq!(opened, run.stdout.matches("</details>").count());
        assert!(
            run.stdout.contains("left out here") || run.stdout == whole,
            "{size}"
        );
        cut += usize::from(run.stdout != whole);
    }
    assert!(cut >= 3, "{cut}");
}

#[test]
fn the_step_summary_is_added_to_what_is_there() {
    let sandbox = project();
    change(&sandbox);
    sandbox.write("../summary.md", "before\n");
    let summary = sandbox.path("../summary.md");
    let run = sandbox.kiln_with(
        &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())],
        &["diff", "--base", "first", "--format", "github"],
    );
    assert_eq!(run.code, Some(1), "{run}");
    let text = sandbox.read("../summary.md");
    assert!(
        text.starts_with("before\n<!-- kiln-diff -->\n## Kiln diff\n"),
        "{text}"
    );
    assert!(!text.contains("canary"));
}

#[test]
fn moving_and_rewriting_templates_is_no_difference() {
    let sandbox = project();
    // Other files, another order of keys, comments, other quotes: the same objects.
    let web = WEB.replace(
        "metadata:\n  name: web\n  annotations:\n    checksum/config: \"1\"\n",
        "metadata: {annotations: {\"checksum/config\": '1'}, name: web}\n# Nothing\n",
    );
    sandbox.write("templates/apps/shop/parts/shop-web.yaml.tera", web);
    std::fs::remove_file(sandbox.path("templates/apps/shop/web.yaml.tera")).unwrap();
    let list = sandbox.read("templates/apps/shop/kustomization.yaml");
    sandbox.write(
        "templates/apps/shop/kustomization.yaml",
        list.replace("./web.yaml", "./parts/shop-web.yaml"),
    );
    std::fs::rename(
        sandbox.path("templates/flux/ks.yaml"),
        sandbox.path("templates/flux/shop.yaml"),
    )
    .unwrap();
    let list = sandbox.read("templates/flux/kustomization.yaml");
    sandbox.write(
        "templates/flux/kustomization.yaml",
        list.replace("ks.yaml", "shop.yaml"),
    );
    let run = diff(&sandbox, &["--base", "first"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.stdout,
        "first ([COMMIT 0]) → the working tree\n\nno difference\n"
    );
}

#[test]
fn the_default_is_where_the_branch_left_main() {
    let sandbox = project();
    git(&sandbox, &["switch", "--quiet", "--create", "feature"]);
    sandbox.write("templates/notes.txt", "one\nthree\n");
    commit(&sandbox, "second");
    git(&sandbox, &["switch", "--quiet", "main"]);
    sandbox.write("templates/other.txt", "only on main\n");
    commit(&sandbox, "third");
    git(&sandbox, &["switch", "--quiet", "feature"]);
    let run = diff(&sandbox, &[]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    main ([COMMIT 0]) → the working tree

    ~ notes.txt
          one
        - two
        + three
      by template `templates/notes.txt`

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
    assert!(!run.stdout.contains("other.txt"), "{run}");
    // Both sides from git, whatever lies in the working tree.
    sandbox.write("templates/notes.txt", "one\ntwo\n");
    assert_eq!(diff(&sandbox, &[]).code, Some(0));
    assert_eq!(diff(&sandbox, &["--head", "feature"]).code, Some(1));
}

#[test]
fn works_in_a_worktree_and_from_a_folder_below() {
    let sandbox = project();
    change(&sandbox);
    commit(&sandbox, "second");
    git(
        &sandbox,
        &[
            "worktree",
            "add",
            "--quiet",
            "../linked",
            "main~1",
            "--detach",
        ],
    );
    std::fs::copy(sandbox.path("age.key"), sandbox.path("../linked/age.key")).unwrap();
    let output = sandbox
        .command()
        .arg("-C")
        .arg(sandbox.path("../linked/templates"))
        .args(["diff", "--base", "main"])
        .output()
        .unwrap();
    let run = sandbox.finish(&output);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stdout.contains("+ PersistentVolumeClaim/shop/backup"),
        "{run}"
    );
}

#[test]
fn a_project_below_the_root_of_its_repository_is_compared() {
    let sandbox = project();
    std::fs::remove_dir_all(sandbox.path(".git")).unwrap();
    git_in(
        &sandbox.path(".."),
        &["init", "--quiet", "--initial-branch=main"],
    );
    commit(&sandbox, "first");
    sandbox.write("templates/notes.txt", "one\nthree\n");
    let run = diff(&sandbox, &[]);
    assert_eq!(run.code, Some(1), "{run}");
    // As git runs a hook: with a repository that is named from the root of the worktree.
    let hook = sandbox.kiln_with(
        &[("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index")],
        &["diff", "--base", "HEAD"],
    );
    assert_eq!(hook.code, Some(1), "{hook}");
}

#[test]
fn a_shallow_clone_says_what_to_fetch() {
    let sandbox = project();
    sandbox.write("templates/notes.txt", "one\nthree\n");
    commit(&sandbox, "second");
    let url = format!("file://{}", sandbox.path("").display());
    git(
        &sandbox,
        &["clone", "--quiet", "--depth=1", &url, "../shallow"],
    );
    std::fs::copy(sandbox.path("age.key"), sandbox.path("../shallow/age.key")).unwrap();
    let first = git(&sandbox, &["rev-parse", "first"]);
    let run = |arguments: &[&str]| {
        let output = sandbox
            .command()
            .arg("-C")
            .arg(sandbox.path("../shallow"))
            .arg("diff")
            .args(arguments)
            .output();
        sandbox.finish(&output.unwrap())
    };
    let missing = run(&["--base", &first]);
    assert_eq!(missing.code, Some(2), "{missing}");
    assert!(
        missing.stderr.contains("this clone is shallow"),
        "{missing}"
    );
    assert!(missing.stderr.contains("git fetch --deepen"), "{missing}");
    // No other repository knows what `HEAD~1` is here.
    let parent = run(&["--base", "HEAD~1"]);
    insta::assert_snapshot!(parent, @"
    exit code 2
    --- stderr
    error: there is no revision `HEAD~1` in this repository
    help: this clone is shallow, so that the revision may exist elsewhere
    help: fetch it with `git fetch --deepen=100`, or in a workflow by `fetch-depth: 0` of `actions/checkout`
    ");
    assert!(!parent.stderr.contains("origin HEAD"), "{parent}");
    // What is there is compared.
    assert_eq!(run(&["--base", "HEAD"]).code, Some(0));
}

#[test]
fn no_repository_and_no_base_are_told_and_other_sides_still_work() {
    let sandbox = project();
    sandbox.kiln(&["render"]).success();
    git(&sandbox, &["branch", "--move", "work"]);
    let run = diff(&sandbox, &[]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: nothing tells which branch to compare with: there is no `origin/HEAD`, no `origin/main`, no `origin/master`, no `main`, no `master`, no `@{upstream}`
    help: name what to compare with: `--base REV`; `--base HEAD` is the last commit
    help: in a clone of one branch, fetch the one that it goes to: `git fetch origin main:refs/remotes/origin/main`
    ");
    let unknown = diff(&sandbox, &["--base", "nope"]);
    assert_eq!(unknown.code, Some(2));
    insta::assert_snapshot!(unknown, @"
    exit code 2
    --- stderr
    error: there is no revision `nope` in this repository
    help: `git branch --all` and `git tag` list what there is
    ");
    std::fs::remove_dir_all(sandbox.path(".git")).unwrap();
    let run = sandbox.kiln(&["diff"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: `[WORK]` is in no git repository
    help: compare with what is on disk (`--disk`), another folder (`--tree DIR`) or another config (`--config FILE`)
    ");
    assert_eq!(sandbox.kiln(&["diff", "--disk"]).code, Some(0));
    sandbox.write("templates/notes.txt", "other\n");
    let run = sandbox.kiln(&["diff", "--disk"]);
    assert_eq!(run.code, Some(1), "{run}");
}

#[test]
fn sealed_files_on_disk_are_opened_or_told_by_key() {
    let sandbox = project();
    sandbox.kiln(&["render"]).success();
    sandbox.write("token.txt", OTHER_CANARY);
    let run = diff(&sandbox, &["--disk"]);
    assert_eq!(run.code, Some(0), "{run}");
    let expected =
        "the values of the secrets in one file are not seen; `--with-keys` uses what is at hand\n";
    assert_eq!(run.stderr, expected);
    let run = diff(&sandbox, &["--disk", "--with-keys"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    the rendered files on disk → the working tree

    ~ Secret/shop/shop
      out/apps/shop/secret.sops.yaml:1
      stringData.token: secret changed
      1 key the same

    1 changed
    ");
    // Two folders, and nobody who could open them.
    let copy = |to: &str| {
        let status = Command::new("cp")
            .arg("-r")
            .arg(sandbox.path("out"))
            .arg(sandbox.path(to))
            .status();
        assert!(status.unwrap().success());
    };
    copy("../old");
    sandbox.kiln(&["render"]).success();
    copy("../new");
    std::fs::remove_file(sandbox.path("age.key")).unwrap();
    let run = diff(&sandbox, &["--tree", "../old", "--output-dir", "../new"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    ../old → ../new

    ~ Secret/shop/shop
      apps/shop/secret.sops.yaml:1
      stringData.token: secret changed, value not seen
      1 key the same

    1 changed
    --- stderr
    the values of the secrets in one file are not seen; `--with-keys` uses what is at hand
    ");
    assert_eq!(
        diff(&sandbox, &["--tree", "../old", "--output-dir", "../old"]).code,
        Some(0)
    );
}

#[test]
fn another_config_shows_what_it_would_change_and_why() {
    let sandbox = project();
    let config = sandbox.read("cluster.yaml");
    let at = config.find("\ndomain:").unwrap();
    let name = config[at..].find("name: ").unwrap() + at;
    let end = config[name..].find('\n').unwrap() + name;
    let next = format!(
        "{}name: next.example.org{}",
        &config[..name],
        &config[end..]
    );
    sandbox.write("../next.yaml", next);
    let mut arguments = vec!["--config", "../next.yaml"];
    if sandbox.path("nodes.yaml").is_file() {
        arguments.extend(["--config", "nodes.yaml"]);
    }
    let run = diff(&sandbox, &arguments);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    the working tree → the working tree with ../next.yaml

    ~ Deployment/shop/web
      out/apps/shop/web.yaml:1
      spec.template.spec.containers[web].args
        - --domain=home.example.com
        + --domain=next.example.org
      by config `domain.name`

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
}

#[test]
fn a_side_that_does_not_compile_is_an_error_and_no_deletion() {
    let sandbox = project();
    sandbox.write("templates/broken.txt.tera", "#{ nowhere }#\n");
    let run = diff(&sandbox, &["--base", "first"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert_eq!(run.stdout, "", "{run}");
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error[undefined-variable]: there is no variable `nowhere`
     --> templates/broken.txt.tera:1:4
      |
    1 | #{ nowhere }#
      |    ^^^^^^^
      |
      = help: test it with `is defined`, or give it a `default(value=…)`, if it may be missing
      = help: this is in the working tree

    1 error, nothing written
    ");
    commit(&sandbox, "broken");
    std::fs::remove_file(sandbox.path("templates/broken.txt.tera")).unwrap();
    let run = diff(&sandbox, &["--base", "HEAD"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error[undefined-variable]: there is no variable `nowhere`
     --> templates/broken.txt.tera:1:4
      |
    1 | #{ nowhere }#
      |    ^^^^^^^
      |
      = help: test it with `is defined`, or give it a `default(value=…)`, if it may be missing
      = help: this is in HEAD ([COMMIT 1])

    1 error, nothing written
    ");
}

#[test]
fn what_the_rules_find_wrong_is_compared_all_the_same() {
    let sandbox = project();
    let list = sandbox.read("templates/apps/shop/kustomization.yaml");
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: nobody\n  \
                   ports:\n    - port: 80\n";
    sandbox.write("templates/apps/shop/service.yaml", service);
    sandbox.write(
        "templates/apps/shop/kustomization.yaml",
        format!("{list}  - ./service.yaml\n"),
    );
    let run = sandbox.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[service-selects-nothing]: `Service/shop/web` selects no pod of `shop`
     --> apps/shop/service.yaml:7:5
      |
    7 |     app: nobody
      |     ^^^^^^^^^^^
      |
     ::: templates/apps/shop/service.yaml:7:1
      |
    7 |     app: nobody
      | --------------- rendered from here
      |
      = help: take the labels of the pods that it is for

    1 error, nothing written
    ");
    commit(&sandbox, "wrong");
    sandbox.write(
        "templates/apps/shop/service.yaml",
        service.replace("nobody", "web"),
    );
    let run = diff(&sandbox, &["--base", "HEAD"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    HEAD ([COMMIT 1]) → the working tree

    ~ Service/shop/web
      out/apps/shop/service.yaml:1
      spec.selector.app: nobody → web
      by template `templates/apps/shop/service.yaml`

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
    // A secret in plain text stays where it is: nobody is to see it in a comparison either.
    sandbox.write(
        "templates/apps/shop/config.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\nstringData:\n  token: swordfish\n",
    );
    let run = diff(&sandbox, &["--base", "HEAD"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error[secret-unsealed]: Secret `shop` has values, but `apps/shop/config.yaml` will not be sealed
    --> apps/shop/config.yaml:5:1
    ::: templates/apps/shop/config.yaml:5:1
     = note: rendered from here
     = help: name the file `config.sops.yaml`
     = help: or have a rule of `.sops.yaml` name it: by a `path_regex` that matches it, and no file that Kustomize, Flux or Talos reads in plain text
     = help: this is in the working tree

    1 error, nothing written
    ");
    assert!(
        !run.stdout.contains("swordfish") && !run.stderr.contains("swordfish"),
        "{run}"
    );
}

#[test]
fn an_object_that_nothing_takes_in_any_more_is_removed() {
    let sandbox = project();
    let list = sandbox.read("templates/apps/shop/kustomization.yaml");
    sandbox.write(
        "templates/apps/shop/kustomization.yaml",
        list.replace("  - ./config.yaml\n", ""),
    );
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    first ([COMMIT 0]) → the working tree

    - ConfigMap/shop/shop
      out/apps/shop/config.yaml:1
      `apps/shop/config.yaml` still holds it, but nothing that Flux deploys takes it in any more
        - apiVersion: v1
        - kind: ConfigMap
        - metadata:
        -   name: shop
        -   namespace: shop
        - data:
        -   shop.conf: |
        -     listen 8080
        -     currency EUR
        -     logs on

    1 removed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
    assert!(run.stdout.ends_with("\n1 removed\n"), "{run}");
    let list = "namespace: shop\nresources:\n  - ./config.yaml\n  - ./other.yaml\n";
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n";
    let other = config.replace("name: shop", "name: other");
    let files = vec![
        ("flux/ks.yaml", KS),
        ("apps/shop/kustomization.yaml", list),
        ("apps/shop/config.yaml", config),
        ("apps/shop/other.yaml", other.as_str()),
    ];
    let shorter = list.replace("  - ./config.yaml\n", "");
    let mut after = files.clone();
    after[1].1 = &shorter;
    let report = super::diff(&files, &after);
    assert_eq!(report.changes.len(), 1);
    let note = report.changes[0].note.as_deref().unwrap();
    assert!(
        note.contains("nothing that Flux deploys takes it in"),
        "{note}"
    );
}

#[test]
fn patterns_of_noise_are_the_projects_own() {
    let sandbox = project();
    let edit = |from: &str, to: &str| {
        let path = "templates/apps/shop/web.yaml.tera";
        sandbox.write(path, sandbox.read(path).replace(from, to));
    };
    edit("replicas: 2", "replicas: 3");
    edit("checksum/config: \"1\"", "checksum/config: \"2\"");
    let run = diff(&sandbox, &["--base", "first", "--ignore", "/spec/replicas"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stdout
            .ends_with("no difference; 2 differences left out as noise\n"),
        "{run}"
    );
    sandbox.write(
        "kiln.toml",
        sandbox.read("kiln.toml") + "[diff]\nignore = [\"/spec/rep*\"]\ndefaults = false\n",
    );
    // What is judged does not say how: the patterns count once they are on the old side.
    git(&sandbox, &["add", "kiln.toml"]);
    git(&sandbox, &["commit", "--quiet", "--message", "patterns"]);
    git(&sandbox, &["tag", "--force", "first"]);
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @r#"
    exit code 1
    --- stdout
    first ([COMMIT 1]) → the working tree

    ~ Deployment/shop/web
      out/apps/shop/web.yaml:1
      metadata.annotations.checksum/config: "1" → "2"
      by template `templates/apps/shop/web.yaml.tera`

    1 changed; 1 difference left out as noise
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    "#);
    assert!(!run.stdout.contains("replicas"), "{run}");
    let run = diff(&sandbox, &["--base", "first", "--no-strip"]);
    insta::assert_snapshot!(run, @r#"
    exit code 1
    --- stdout
    first ([COMMIT 1]) → the working tree

    ~ Deployment/shop/web
      out/apps/shop/web.yaml:1
      metadata.annotations.checksum/config: "1" → "2"
      spec.replicas: 2 → 3
      by template `templates/apps/shop/web.yaml.tera`

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    "#);
}

/// The page is well-formed: every tag is closed in order, and nothing is fetched from elsewhere.
#[test]
fn html_stands_by_itself_and_is_well_formed() {
    let sandbox = project();
    change(&sandbox);
    sandbox.write(
        "templates/notes.txt",
        "<script>alert(1)</script> & \"quotes\"\n",
    );
    let page = diff(&sandbox, &["--base", "first", "--format", "html"]).stdout;
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"),
        "{page}"
    );
    for outside in ["<script", "http://", "https://", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
    let body = page.strip_prefix("<!DOCTYPE html>").unwrap();
    let mut open = Vec::new();
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap().to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn no_key_is_needed_to_compare_revisions() {
    let sandbox = project();
    sandbox.write("token.txt", OTHER_CANARY);
    std::fs::remove_file(sandbox.path("age.key")).unwrap();
    let run = diff(&sandbox, &["--base", "first"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(
        run.stderr,
        "a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand\n"
    );
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    first ([COMMIT 0]) → the working tree

    ~ Secret/shop/shop
      out/apps/shop/secret.sops.yaml:1
      stringData.token: secret changed
      1 key the same

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
    assert!(!sandbox.path("age.key").exists());
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect()
}

#[test]
fn a_head_that_is_too_large_alone_is_cut_as_well() {
    let many = |replicas: usize| -> Vec<(String, String)> {
        let object = |at: usize| {
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{at}}}\nspec: {{replicas: {replicas}}}\n"
            )
        };
        (0..200)
            .map(|at| (format!("d{at}.yaml"), object(at)))
            .collect()
    };
    let (before, after) = (many(1), many(0));
    let report = super::diff(&borrowed(&before), &borrowed(&after));
    // Each of them, and that they are many.
    assert_eq!(report.dangers.len(), 201);
    for size in [1000, 3000, 20_000, 40_000] {
        let text = kiln::cli::report::diff::markdown::render(&report, Some(size)).to_string();
        assert!(text.len() <= size, "{} of {size}", text.len());
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.iter().any(|line| line
                .split_once("**200 changed**; **201 dangers**")
                .is_some()),
            "{text}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.split_once("left out here").is_some()),
            "{text}"
        );
    }
    let refused = project().kiln(&["diff", "--disk", "--max-size", "2000"]);
    assert_eq!(refused.code, Some(2), "{refused}");
}
