use insta::assert_snapshot;

use crate::support::Sandbox;

fn help(command: &[&str]) -> String {
    Sandbox::new()
        .kiln(&[command, &["--help"]].concat())
        .success()
}

#[test]
fn tells_the_commands_and_the_exit_codes() {
    assert_snapshot!(help(&[]), @r"
    Compile a typed cluster config and templates into a hardened, checked and sealed Flux tree

    Usage: kiln [OPTIONS] <COMMAND>

    Commands:
      init         Start a project, or make the keys that one lacks
      adopt        Take a live repository over: what it is, what the switch does to the cluster, and the
                   switch
      render       Compile the project and write the tree
      watch        Compile and write again on each save, and show what it changes
      check        Check a project or any Flux tree, and write nothing
      audit        Score the tree before and after hardening, and list the gaps that are left
      harden       Add the security defaults that are missing to a Flux tree, in place
      diff         Compare what two revisions, configs or folders deploy, object by object
      build        Print what Flux applies, or what kustomize makes of a folder
      list         List images, releases, kustomizations or sources of what Flux applies
      schema       Print the JSON Schema of the config, the options of all apps included
      apps         List the apps of the catalogue and the project, and switch them on and off
      secrets      Set, edit and print secrets, and seal for other keys
      explain      Tell where an output line comes from, or what a code means
      catalogue    Look into the embedded templates, and copy one out to change it
      profile      Measure what hardening knows of a chart
      completions  Print a completion script for a shell

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
      -C <DIR>                       Run as if started in DIR
          --color <WHEN>             When to use colour [default: auto, or what `KILN_COLOR` says]
                                     [possible values: auto, always, never]
          --message-format <FORMAT>  The form of messages; all but `human` go to stdout [default: human,
                                     or what `KILN_MESSAGE_FORMAT` says] [possible values: human, json,
                                     github]
          --threads <N>              How many threads may work, at most 256 [default: one per processor]
      -v, --verbose                  Say more: list each file
      -q, --quiet                    Say nothing but what is wrong

    Examples:
      kiln init my-cluster           Start a project in a new folder
      kiln adopt                     Look what Kiln would make of a live repository
      kiln -C my-cluster render      Write the tree that the project describes
      kiln render --check            Fail if the tree on disk is not what would be rendered
      kiln watch                     Write the tree again on each save, and show what it changes
      kiln diff                      Show what a change does to the cluster, object by object
      kiln explain pod-security      Tell what a code in a message means

    Variables:
      KILN_COLOR, KILN_MESSAGE_FORMAT  What `--color` and `--message-format` are by default
      KILN_TIME_LIMIT                  Seconds until a run that still reads gives up [default: 60]

    Exit codes:
      0  clean: nothing wrong, nothing differs
      1  findings: your input is wrong, or `render --check` or `diff` found differences
      2  could not tell: wrong usage, no project, a file or a key that cannot be read
    ");
}

#[test]
fn short_and_long_help_are_the_same() {
    let sandbox = Sandbox::new();
    for command in [
        "init",
        "render",
        "check",
        "audit",
        "schema",
        "apps",
        "secrets",
        "explain",
        "catalogue",
        "completions",
    ] {
        assert_eq!(
            sandbox.kiln(&[command, "-h"]),
            sandbox.kiln(&[command, "--help"]),
            "{command}"
        );
    }
}

/// What stands above the global options, which are the same everywhere, and below them.
fn own(command: &[&str]) -> String {
    let text = help(command);
    let (before, rest) = text.split_once("Global options:\n").unwrap();
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    format!("{before}[global options]\n\n{after}")
}

#[test]
fn helps_with_init() {
    assert_snapshot!(own(&["init"]), @r#"
    Start a project, or make the keys that one lacks

    Usage: kiln init [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of the project [default: the current one]

    Options:
          --key-type <TYPE>  The type of a new age key [default: post-quantum, or x25519 with an app
                             that knows no other] [possible values: x25519, post-quantum]
      -h, --help             Print help

    [global options]

    Writes a config that renders as it is, its JSON Schema for the editor, the versions that
    Renovate keeps, a .gitignore and the keys.
    What is there already is never overwritten.

    Examples:
      kiln init my-cluster && kiln -C my-cluster render
      kiln init                 In a project: make the missing keys, and complete .gitignore
    "#);
}

#[test]
fn helps_with_render() {
    assert_snapshot!(own(&["render"]), @r#"
    Compile the project and write the tree

    Usage: kiln render [OPTIONS] [-- <OPTION>...]

    Arguments:
      [OPTION]...  Options of makejinja, in a project of makejinja

    Options:
          --check            Write nothing; list what differs, and exit with 1 if anything does
          --dry-run          Write nothing; list what differs
          --force            Overwrite or remove files of Kiln's that were edited by hand
          --keygen           Make the keys that are missing first, and have git ignore them
          --key-type <TYPE>  The type of an age key that --keygen makes, as for `kiln init` [possible
                             values: x25519, post-quantum]
          --yes              Run the commands that `exec_pre` and `exec_post` of `makejinja.toml` name
          --stage            Stage all files of Kiln's with git, new and removed ones too, but for those
                             edited by hand
      -h, --help             Print help

    [global options]

    Only files that differ are written, all of them or none. Files that an earlier run wrote and no
    template makes any more are removed. Files that Kiln did not write stop the run; those that were
    edited since it wrote them are kept and named, which counts as a finding.

    Examples:
      kiln render               Write what differs
      kiln render -v            Name each file and each default that was added, with the reason
      kiln render --dry-run     List what differs
      kiln render --check       List what differs, and fail if anything does: for CI
      kiln render --stage       Write what differs and stage it with git: for a hook before a commit
      kiln render --keygen      Make missing keys first, as after cloning an example
      kiln render -- -D a=b     Give options of makejinja, in a project of makejinja
    "#);
}

#[test]
fn helps_with_check() {
    assert_snapshot!(own(&["check"]), @r###"
    Check a project or any Flux tree, and write nothing

    Usage: kiln check [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of the project or of the repository [default: the current one]

    Options:
          --root <FOLDER>
              Start from FOLDER, counted from the root of the repository [default: the roots that the
              tree tells of]
          --source <KIND/NAMESPACE/NAME=DIR>
              Take the files of another source from DIR
          --values <FILE>
              Take ConfigMaps and Secrets that lie outside of git from FILE
          --lenient
              Take a variable that nothing gives for empty, as Flux did before 2.9
          --format <FORMAT>
              Print the findings in a form for other programs [possible values: sarif, junit]
          --write-baseline
              Write all findings to the baseline, so that they count no more
      -h, --help
              Print help

    [global options]

    In a project it loads and validates the config, renders, hardens, checks and seals in memory. To
    compare the result with the disk as well, use `kiln render --check`.

    In any other tree it follows Flux from where it starts, builds and fills in what Flux applies, and
    asks the rules of that. It needs no cluster, no network, no key and no Kiln project. A `kiln.toml`
    beside it may hold settings:

      [check]
      fail-on = ["warning"]             # fail on warnings too; or on codes, or on "not-seen"
      ignore = ["kubernetes/archive"]   # say nothing of these files
      baseline = "kiln-baseline.yaml"   # only what is new counts; --write-baseline writes it

      [[exempt]]
      rule = "resource-unlisted"
      path = "kubernetes/bootstrap"
      reason = "Applied by hand"

    Examples:
      kiln check
      kiln check clusters/home
      kiln check --message-format github     Annotations on a pull request
      kiln check --format sarif > check.sarif
    "###);
}

#[test]
fn helps_with_secrets() {
    assert_snapshot!(own(&["secrets"]), @r"
    Set, edit and print secrets, and seal for other keys

    Usage: kiln secrets [OPTIONS] <COMMAND>

    Commands:
      set          Set a secret of the config in `cluster.sops.yaml`, and take it out of plain files
      get          Print a secret value of the config, or of a sealed file
      edit         Edit the plain text of a sealed file, or make a new one
      encrypt      Seal plain files in place, by their creation rules
      decrypt      Print the plain text of a sealed file
      status       List what is sealed, for whom, and what is not as it should be
      update-keys  Seal files for the recipients that their creation rules name now
      rotate       Seal files with new data keys
      rekey        Seal all secrets of the project for a new age key
      keygen       Make a new age key

    Options:
      -h, --help  Print help

    [global options]

    Examples:
      kiln secrets set dns.token                Ask for a secret, and keep it in cluster.sops.yaml
      kiln secrets edit app/secret.sops.yaml    Edit a sealed file; no plain text is on the disk
      kiln secrets status                       Look for what is sealed for others, or not at all
      kiln secrets rekey --keygen               Make a new age key, and seal everything for it
    ");
    assert_snapshot!(own(&["secrets", "rekey"]), @r#"
    Seal all secrets of the project for a new age key

    Usage: kiln secrets rekey [OPTIONS]

    Options:
          --old-key <FILE>   A file with the key that is replaced
          --keygen           Make a new key above the one in age.key first
          --key-type <TYPE>  The type of the key that --keygen makes, as for `kiln init` [possible
                             values: x25519, post-quantum]
          --check            Write nothing; list what would change, and exit with 1 if anything does
          --dry-run          Write nothing; list what would change
      -h, --help             Print help

    [global options]

    Renders the project for the first key in age.key, and seals every other sealed file of the project
    for it as well: the Talos secrets, encrypted data files, what you sealed by hand. Each gets a new
    data key, so that the old key opens none of them. Nothing is written in plain text, and nothing at
    all if one file cannot be opened. A project below this one, with a kiln.toml or a .sops.yaml of its
    own, is left alone.

    The old key is needed once more, to open what is there. It stands below the new one in age.key, in
    a file that --old-key names, or where SOPS looks (SOPS_AGE_KEY and so on).

    Who has the old key can still read the secrets in the history of the repository: change them at
    their source. docs/restore.md of a rendered project has all the steps.

    Examples:
      kiln secrets rekey --keygen             Make a new key above the old one, and seal for it
      kiln secrets rekey --old-key old.key    Seal for the key that you put into age.key
      kiln secrets rekey --dry-run            List what would change
    "#);
}

#[test]
fn helps_with_schema() {
    assert_snapshot!(own(&["schema"]), @r#"
    Print the JSON Schema of the config, the options of all apps included

    Usage: kiln schema [OPTIONS]

    Options:
      -h, --help  Print help

    [global options]

    Editors that know the YAML language server complete and check the config by it.

    Examples:
      kiln schema > cluster.schema.json
    "#);
}

#[test]
fn helps_with_apps() {
    assert_snapshot!(own(&["apps"]), @r"
    List the apps of the catalogue and the project, and switch them on and off

    Usage: kiln apps [OPTIONS] [COMMAND]

    Commands:
      enable    Switch apps on in the config, with the apps that they need; comments stay
      disable   Switch apps off in the config; comments stay
      outdated  List the versions in `versions.yaml` that are older than those of this Kiln

    Options:
          --enabled  Only those that are on
      -h, --help     Print help

    [global options]

    Examples:
      kiln apps
      kiln apps --enabled
      kiln apps enable trust-manager
      kiln apps enable unifi-dns --set host=https://192.168.1.1 --set api_key
      kiln apps disable echo
      kiln apps outdated
      kiln apps --message-format json | jq -r .name
    ");
}

#[test]
fn helps_with_explain() {
    assert_snapshot!(own(&["explain"]), @r#"
    Tell where an output line comes from, or what a code means

    Usage: kiln explain [OPTIONS] [FILE[:LINE]|CODE]

    Arguments:
      [FILE[:LINE]|CODE]  A rendered file, one of its lines, or the code of a message, rule or check;
                          without it, all codes are listed

    Options:
      -h, --help  Print help

    [global options]

    For a file it names the templates and the rules that made it, for one line the exact place. Lines
    of a sealed file are counted in its plain text, which is not shown.

    Examples:
      kiln explain kubernetes/apps/default/echo/ks.yaml
      kiln explain kubernetes/apps/default/namespace.yaml:8
      kiln explain unknown-key
      kiln explain pod-security
      kiln explain                       All codes
    "#);
}

#[test]
fn helps_with_audit() {
    assert_snapshot!(own(&["audit"]), @r###"
    Score the tree before and after hardening, and list the gaps that are left

    Usage: kiln audit [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of the project or of the repository [default: the current one]

    Options:
          --root <FOLDER>
              Start from FOLDER, counted from the root of the repository [default: the roots that the
              tree tells of]
          --source <KIND/NAMESPACE/NAME=DIR>
              Take the files of another source from DIR
          --values <FILE>
              Take ConfigMaps and Secrets that lie outside of git from FILE
          --lenient
              Take a variable that nothing gives for empty, as Flux did before 2.9
          --format <FORMAT>
              The form of the scorecard [default: human] [possible values: human, json, sarif, junit,
              github, markdown]
          --fail-under <N>
              Exit with 1 if the total after hardening is below N per cent
          --only <CATEGORY>
              Look at one category only
      -h, --help
              Print help

    [global options]

    Each rule asks one question of every workload, container or object that it is about: it passes,
    fails, is exempt with a reason, or is not seen. A category's score is the mean of what passes of its
    rules by their weights, over what is seen; the share that is seen stands beside it. The total is the
    mean of the categories.
    Nothing is written. An exemption goes into `kiln.toml`:

      [[exempt]]
      rule = "replicas-min"
      namespace = "default"
      name = "echo"
      reason = "A test page"

    Examples:
      kiln audit                            Print the scorecard and the worst gaps
      kiln audit ../home-ops                The same of any Flux tree
      kiln audit -v --only probes           List all about probes, passes included
      kiln audit --fail-under 80            Exit with 1 below 80 %: for CI
      kiln audit --format sarif > audit.sarif
      kiln explain probe-readiness          Tell what a check asks, and why
    "###);
}

#[test]
fn helps_with_catalogue() {
    assert_snapshot!(own(&["catalogue"]), @r#"
    Look into the embedded templates, and copy one out to change it

    Usage: kiln catalogue [OPTIONS] <COMMAND>

    Commands:
      list   List the embedded templates
      eject  Copy an embedded template into the project, where it takes the place of the original

    Options:
      -h, --help  Print help

    [global options]

    A file below the project's templates folder replaces the embedded one of the same path.

    Examples:
      kiln catalogue list kubernetes/apps/network
      kiln catalogue eject kubernetes/apps/default/echo/app/helmrelease.yaml.tera
    "#);
    assert_snapshot!(own(&["catalogue", "list"]), @r#"
    List the embedded templates

    Usage: kiln catalogue list [OPTIONS] [FOLDER]

    Arguments:
      [FOLDER]  Only those below a folder

    Options:
      -h, --help  Print help

    [global options]
    "#);
    assert_snapshot!(own(&["catalogue", "eject"]), @r#"
    Copy an embedded template into the project, where it takes the place of the original

    Usage: kiln catalogue eject [OPTIONS] <PATH>

    Arguments:
      <PATH>  The path of the template, as `kiln catalogue list` prints it

    Options:
      -h, --help  Print help

    [global options]
    "#);
}

#[test]
fn helps_with_completions() {
    assert_snapshot!(own(&["completions"]), @r#"
    Print a completion script for a shell

    Usage: kiln completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell to write for [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help  Print help

    [global options]

    Examples:
      kiln completions bash > ~/.local/share/bash-completion/completions/kiln
      kiln completions fish > ~/.config/fish/completions/kiln.fish
    "#);
}

#[test]
fn completes_in_every_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.kiln(&["completions", shell]).success();
        let mut words = script.split(|c: char| !c.is_ascii_alphabetic() && c != '-');
        assert!(
            words.any(|word| word.trim_matches('-') == "message-format"),
            "{shell}"
        );
    }
}
