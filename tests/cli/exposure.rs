use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use super::small;
use crate::support::Sandbox;

fn git(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    command
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .env("HOME", sandbox.path(""))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(sandbox.path(""));
    sandbox.finish(&command.output().unwrap()).success()
}

#[test]
fn stops_when_git_tracks_a_key() {
    let sandbox = small();
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "--force", "age.key"]);
    assert_snapshot!(sandbox.kiln(&["check"]), @r#"
    exit code 1
    --- stderr
    error[key-tracked]: git tracks credentials: `age.key`
     |
     = help: run `git rm --cached age.key`, and commit that
     = help: add `/age.key` to `.gitignore`; `kiln init` adds all such rules
     = help: what was pushed counts as known: replace it, the age key by `kiln secrets rekey --keygen`

    1 error, nothing written
    "#);
    let run = sandbox.kiln(&["render"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!sandbox.path("out").exists());
    git(&sandbox, &["rm", "--quiet", "--cached", "age.key"]);
    sandbox.kiln(&["render"]).success();
}

#[test]
fn stops_when_git_tracks_what_a_recipe_made() {
    let sandbox = small();
    git(&sandbox, &["init", "--quiet"]);
    for path in [
        "out/talos/talosconfig",
        "out/talos/output/a.yaml",
        "kubeconfig",
    ] {
        sandbox.write(path, "x\n");
        git(&sandbox, &["add", "--force", path]);
    }
    let run = sandbox.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[key-tracked]: git tracks credentials: `kubeconfig` and 2 other files
     |
     = help: run `git rm --cached kubeconfig out/talos/output/a.yaml out/talos/talosconfig`, and commit that
     = help: add `**/talos/output/`, `kubeconfig`, `talosconfig` to `.gitignore`; `kiln init` adds all such rules
     = help: what was pushed counts as known: replace it, the age key by `kiln secrets rekey --keygen`

    1 error, nothing written
    ");
}

#[test]
fn warns_of_keys_that_git_would_take() {
    let sandbox = small();
    fs::remove_file(sandbox.path(".gitignore")).unwrap();
    // No repository, no question.
    assert!(!sandbox.kiln(&["check"]).stderr.contains("warning["));
    git(&sandbox, &["init", "--quiet"]);
    assert_snapshot!(sandbox.kiln(&["check"]), @r#"
    exit code 0
    --- stderr
    warning[key-not-ignored]: the next `git add` may take credentials: `age.key` and 2 other files
     |
     = help: add `/age.key`, `/deploy.key`, `/flux-webhook-token.txt` to `.gitignore`; `kiln init` adds all such rules

    checked 2 files from 2 templates: no errors, 1 warning
    "#);
    assert_snapshot!(sandbox.kiln(&["init"]), @r#"
    exit code 0
    --- stderr
    created .gitignore
    "#);
    assert!(!sandbox.kiln(&["check"]).stderr.contains("warning["));
}

#[test]
fn rules_hold_below_the_root_of_the_repository() {
    let sandbox = Sandbox::new();
    git(&sandbox, &["init", "--quiet"]);
    sandbox.kiln(&["init", "clusters/home"]).success();
    let run = sandbox.kiln(&["-C", "clusters/home", "check"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("key-"), "{run}");
    git(&sandbox, &["add", "--all"]);
    let staged = git(&sandbox, &["diff", "--cached", "--name-only"]);
    insta::assert_snapshot!(staged, @"
    clusters/home/.gitignore
    clusters/home/cluster.schema.json
    clusters/home/cluster.yaml
    clusters/home/deploy.key.pub
    clusters/home/kiln.toml
    clusters/home/versions.yaml
    ");
    git(&sandbox, &["add", "--force", "clusters/home/age.key"]);
    let run = sandbox.kiln(&["-C", "clusters/home", "check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[key-tracked]: git tracks credentials: `age.key`
     |
     = help: run `git rm --cached age.key`, and commit that
     = help: add `/age.key` to `.gitignore`; `kiln init` adds all such rules
     = help: what was pushed counts as known: replace it, the age key by `kiln secrets rekey --keygen`

    1 error, nothing written
    ");
}

#[test]
fn looks_at_the_identity_files_that_the_project_names() {
    let sandbox = small();
    sandbox.write("team.key", sandbox.read("age.key"));
    let toml = sandbox.read("kiln.toml");
    sandbox.write(
        "kiln.toml",
        format!("{toml}[seal]\nidentities = [\"team.key\"]\n"),
    );
    git(&sandbox, &["init", "--quiet"]);
    let run = sandbox.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stderr
    warning[key-not-ignored]: the next `git add` may take credentials: `team.key`
     |
     = help: add `/team.key` to `.gitignore`; `kiln init` adds all such rules

    warning[key-readable]: other users of this machine can read `team.key`
     |
     = help: run `chmod 600 team.key`

    checked 2 files from 2 templates: no errors, 2 warnings
    ");
    git(&sandbox, &["add", "team.key"]);
    let run = sandbox.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[key-tracked]: git tracks credentials: `team.key`
     |
     = help: run `git rm --cached team.key`, and commit that
     = help: add `/team.key` to `.gitignore`; `kiln init` adds all such rules
     = help: what was pushed counts as known: replace it, the age key by `kiln secrets rekey --keygen`

    warning[key-readable]: other users of this machine can read `team.key`
     |
     = help: run `chmod 600 team.key`

    1 error, 1 warning, nothing written
    ");
}

#[test]
fn lets_the_key_of_an_example_in_by_its_name() {
    let sandbox = small();
    git(&sandbox, &["init", "--quiet"]);
    sandbox.write("cloudflare-tunnel.json", "{}");
    let ignore = sandbox.read(".gitignore");
    sandbox.write(".gitignore", format!("{ignore}!/cloudflare-tunnel.json\n"));
    git(&sandbox, &["add", "cloudflare-tunnel.json"]);
    let run = sandbox.kiln(&["check"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("key-"), "{run}");
}

#[test]
fn warns_of_keys_that_others_can_read() {
    let sandbox = small();
    let open = |path: &str, mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(sandbox.path(path), permissions).unwrap();
    };
    open("age.key", 0o644);
    open("deploy.key", 0o640);
    assert_snapshot!(sandbox.kiln(&["check"]), @r#"
    exit code 0
    --- stderr
    warning[key-readable]: other users of this machine can read `age.key` and another file
     |
     = help: run `chmod 600 age.key deploy.key`

    checked 2 files from 2 templates: no errors, 1 warning
    "#);
    open("age.key", 0o600);
    open("deploy.key", 0o600);
    sandbox.write("elsewhere.key", sandbox.read("age.key"));
    open("elsewhere.key", 0o604);
    let run = sandbox.kiln_with(&[("SOPS_AGE_KEY_FILE", "elsewhere.key")], &["check"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stderr
    warning[key-readable]: other users of this machine can read `elsewhere.key`
     |
     = help: run `chmod 600 elsewhere.key`

    checked 2 files from 2 templates: no errors, 1 warning
    ");
}

#[test]
fn makes_the_rules_before_the_keys() {
    let sandbox = Sandbox::with(&[
        ("kiln.toml", "catalogue = false\n"),
        ("cluster.yaml", ""),
        (".gitignore", "target"),
    ]);
    // What does not compile yet has its keys, and their rules, all the same.
    assert_eq!(sandbox.kiln(&["render", "--keygen"]).code, Some(1));
    assert!(sandbox.path("age.key").exists());
    let ignore = sandbox.read(".gitignore");
    assert!(ignore.starts_with("target\n# Keys"), "{ignore}");
    for line in ["/age.key", "talosconfig", "**/talos/output/"] {
        assert!(ignore.lines().any(|known| known == line), "{ignore}");
    }
}

#[test]
fn keeps_every_byte_of_an_ignore_file() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", b"caf\xe9\r\n/age.key\r\n");
    sandbox.kiln(&["init"]).success();
    let bytes = fs::read(sandbox.path(".gitignore")).unwrap();
    assert!(bytes.starts_with(b"caf\xe9\r\n/age.key\r\n# Keys"));
    assert!(!bytes.ends_with(b"/age.key\n"));
}

#[test]
fn says_so_where_git_cannot_tell() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    git(&sandbox, &["init", "--quiet"]);
    sandbox.write(".git/index", "no index at all");
    let path = std::env::var("PATH").unwrap();
    let run = sandbox.kiln_with(&[("PATH", &path)], &["check"]);
    assert_eq!(run.code, Some(0), "{run}");
    let expected = "nobody can tell whether git would take the keys";
    assert!(run.stderr.contains(expected), "{run}");
}

#[test]
fn warns_of_secrets_in_a_config_that_git_tracks() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let text = sandbox.read("cluster.yaml");
    let token = "  provider: cloudflare\n  token: canary-in-plain\n";
    sandbox.write(
        "cluster.yaml",
        text.replacen("  provider: none\n", token, 1),
    );
    git(&sandbox, &["init", "--quiet"]);
    // Nobody can have it yet.
    sandbox.kiln(&["check"]).success();
    assert!(!sandbox.kiln(&["check"]).stderr.contains("secret-tracked"));
    git(&sandbox, &["add", "cluster.yaml"]);
    let run = sandbox.kiln(&["check"]);
    let (told, _) = run.stderr.split_once("\n\n").unwrap();
    assert_snapshot!(told, @r"
    warning[secret-tracked]: `dns.token` is a secret, and stands in `cluster.yaml`, which git tracks
      --> cluster.yaml:35:3
       |
    35 |   token: ***************
       |   ^^^^^
       |
       = help: replace it with `kiln secrets set dns.token`, which takes it out of `cluster.yaml`
       = help: what was committed counts as known: change it at its source
    ");
    let rendered = sandbox.kiln(&["render"]);
    assert!(
        rendered.stderr.contains("warning[secret-tracked]"),
        "{rendered}"
    );
    assert!(
        !rendered.to_string().contains("canary-in-plain"),
        "{rendered}"
    );
    // What is said elsewhere is no secret of the file.
    let named = sandbox
        .read("cluster.yaml")
        .replace("canary-in-plain", "{ fromEnv: TOKEN }");
    let plain = sandbox.read("cluster.yaml");
    sandbox.write("cluster.yaml", named);
    let run = sandbox.kiln_with(&[("TOKEN", "canary")], &["check"]);
    assert!(!run.stderr.contains("secret-tracked"), "{run}");
    sandbox.write("cluster.yaml", plain);
    sandbox.write("../home/token", "another");
    sandbox
        .kiln(&["secrets", "set", "dns.token", "--file", "../home/token"])
        .success();
    let run = sandbox.kiln(&["check"]);
    assert!(!run.stderr.contains("secret-tracked"), "{run}");
}
