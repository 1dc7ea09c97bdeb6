//! Projects of makejinja as their users run them.

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use sops_age::keys::Identity;

use crate::secrets::project::IDENTITY;
use crate::support::{Run, Sandbox};

/// The settings of a project with a plugin, whose outputs stand beside its inputs.
pub(crate) const SETTINGS: &str = "\
[makejinja]
inputs = [\"templates\"]
output = \"./\"
data = [\"cluster.yaml\"]
import_paths = [\"scripts\"]
plugins = [\"plugin:Plugin\"]
jinja_suffix = \".j2\"
force = true
";

/// A plugin of which every function is that of the family.
const FAMILY: &str = "\
import re
from pathlib import Path
import makejinja

def age_key(key_type: str, file_path: str = 'age.key') -> str:
    try:
        with open(file_path, 'r') as file:
            file_content = file.read().strip()
        if key_type == 'public':
            key_match = re.search(r\"# public key: (age1[\\w]+)\", file_content)
            if not key_match:
                raise ValueError(\"Could not find public key in the age key file.\")
            return key_match.group(1)
        elif key_type == 'private':
            key_match = re.search(r\"(AGE-SECRET-KEY-[\\w]+)\", file_content)
            if not key_match:
                raise ValueError(\"Could not find private key in the age key file.\")
            return key_match.group(1)
        else:
            raise ValueError(\"Invalid key type. Use 'public' or 'private'.\")
    except FileNotFoundError:
        raise FileNotFoundError(f\"File not found: {file_path}\")
    except Exception as e:
        raise RuntimeError(f\"Unexpected error while processing {file_path}: {e}\")

class Plugin(makejinja.plugin.Plugin):
    def functions(self):
        return [age_key]
";

/// A plugin with logic of its own.
const OWN: &str = "\
import makejinja

class Plugin(makejinja.plugin.Plugin):
    def __init__(self, data):
        self._data = data

    def data(self):
        return {'nodes': len(self._data['names'])}

    def filters(self):
        return [shout]

    def functions(self):
        return [key]

def shout(text):
    if text == 'bad':
        raise ValueError(f'{text} cannot be shouted')
    return text.upper() + '!'

def key():
    with open('age.key') as file:
        return [line for line in file.read().splitlines() if not line.startswith('#')][0]
";

const RULES: &str = "\
creation_rules:
  - path_regex: \\.sops\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: [RECIPIENT]
";

/// Returns the public key of the project.
fn recipient() -> String {
    Identity::read(IDENTITY).unwrap().recipient().unwrap()
}

fn project(plugin: &str) -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("makejinja.toml", SETTINGS),
        ("cluster.yaml", "domain: example.com\nnames: [a, b]\n"),
        ("scripts/plugin.py", plugin),
        (
            "templates/plain.txt.j2",
            "{{ domain }} has {{ names | length }}\n",
        ),
    ]);
    let recipient = recipient();
    sandbox.write(
        "age.key",
        format!("# public key: {recipient}\n{IDENTITY}\n"),
    );
    fs::set_permissions(
        sandbox.path("age.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    sandbox.write(".sops.yaml", RULES.replace("[RECIPIENT]", &recipient));
    sandbox
}

/// Runs Kiln with the machine's Python at hand.
fn kiln(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut command = sandbox.command();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    sandbox.finish(&command.args(arguments).output().unwrap())
}

/// Takes the time out of a summary.
fn timeless(run: &Run) -> String {
    let text = run.to_string();
    match text.rsplit_once(" in ") {
        Some((before, _)) => format!("{before} in [N] ms"),
        None => text,
    }
}

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: keys
stringData:
  key: {{ age_key('private') }}
  public: {{ age_key('public') }}
";

#[test]
fn a_plugin_of_the_family_needs_no_python_and_secrets_are_sealed() {
    let sandbox = project(FAMILY);
    sandbox.write("templates/keys.sops.yaml.j2", SECRET);
    // No `PATH`, so that there is no Python.
    let run = sandbox.kiln(&["render"]);
    assert_snapshot!(timeless(&run), @r"
    exit code 0
    --- stderr
    rendered 2 templates: 2 created, 0 changed, 0 unchanged, 0 removed; 1 sealed (0 kept); 0 injections in [N] ms
    ");
    assert_eq!(sandbox.read("plain.txt"), "example.com has 2\n");
    let sealed = sandbox.read("keys.sops.yaml");
    assert!(!sealed.contains("AGE-SECRET-KEY-1"), "{sealed}");
    assert_snapshot!(timeless(&sandbox.kiln(&["render"])), @r"
    exit code 0
    --- stderr
    rendered 2 templates: 0 created, 0 changed, 2 unchanged, 0 removed; 1 sealed (1 kept); 0 injections in [N] ms
    ");
    assert_eq!(sandbox.read("keys.sops.yaml"), sealed);
}

#[test]
fn a_secret_in_the_open_is_found_whoever_reads_it() {
    for (plugin, call) in [(FAMILY, "age_key('private')"), (OWN, "key()")] {
        let sandbox = project(plugin);
        sandbox.write(
            "templates/open.txt.j2",
            format!("key {{{{ {call} | lower }}}}\n"),
        );
        let run = kiln(&sandbox, &["render"]);
        assert_eq!(run.code, Some(1), "{run}");
        assert!(run.stderr.starts_with("error[secret-leak]"), "{run}");
        assert!(
            !run.to_string().to_lowercase().contains("age-secret-key-1"),
            "{run}"
        );
        assert!(!sandbox.path("open.txt").exists());
    }
}

#[test]
fn a_plugin_of_its_own_runs_in_python() {
    let sandbox = project(OWN);
    sandbox.write("templates/own.txt.j2", "{{ 'hey' | shout }} {{ nodes }}\n");
    let run = kiln(&sandbox, &["render"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(sandbox.read("own.txt"), "HEY! 2\n");
    assert!(!sandbox.path("scripts/__pycache__").exists());
}

#[test]
fn folder_filters_run_only_where_a_plugin_runs_them() {
    let sandbox = project(OWN);
    sandbox.write("templates/off/.mjfilter.py", "main = lambda data: False\n");
    sandbox.write("templates/off/a.txt.j2", "{{ domain }}\n");
    let run = kiln(&sandbox, &["render"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(sandbox.read("off/a.txt"), "example.com\n");
}

#[test]
fn what_a_plugin_sets_without_effect_is_told() {
    let sandbox = project(
        "class Plugin:\n    def policies(self):\n        return {'json.dumps_kwargs': {}}\n",
    );
    let run = kiln(&sandbox, &["render"]);
    assert_snapshot!(timeless(&run), @r"
    exit code 0
    --- stderr
    warning[makejinja-no-effect]: a plugin sets the policy `json.dumps_kwargs` of Jinja2, which has no effect
     |
     = help: give the arguments of the filters that it changes, in the templates

    rendered 1 template: 1 created, 0 changed, 0 unchanged, 0 removed; 0 sealed (0 kept); 0 injections in [N] ms
    ");
}

/// makejinja finds a template below a linked folder by its name, and renders none of its own there.
#[test]
fn a_template_of_a_linked_folder_is_found_by_its_name() {
    let sandbox = project(FAMILY);
    sandbox.write("shared/part.txt.j2", "part of {{ domain }}\n");
    std::os::unix::fs::symlink("../shared", sandbox.path("templates/linked")).unwrap();
    sandbox.write(
        "templates/whole.txt.j2",
        "{% include 'linked/part.txt.j2' %}\n",
    );
    sandbox.kiln(&["render"]).success();
    assert_eq!(sandbox.read("whole.txt"), "part of example.com\n");
    assert!(!sandbox.path("linked").exists());
}

#[test]
fn an_exception_is_told_where_it_was_raised_and_where_it_was_asked_for() {
    let sandbox = project(OWN);
    sandbox.write("templates/own.txt.j2", "one\n{{ 'bad' | shout }}\n");
    let run = kiln(&sandbox, &["render"]);
    assert_snapshot!(run, @r"
    exit code 1
    --- stderr
    error[plugin-failed]: ValueError: bad cannot be shouted
      --> scripts/plugin.py:18:1
       |
    18 |         raise ValueError(f'{text} cannot be shouted')
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: templates/own.txt.j2:2:4
       |
     2 | {{ 'bad' | shout }}
       |    ------------- called here

    1 error, nothing written
    ");
}

#[test]
fn a_template_is_told_by_its_line_and_by_the_variable() {
    let sandbox = project(FAMILY);
    sandbox.write(
        "makejinja.toml",
        format!("{SETTINGS}undefined = \"strict\"\n"),
    );
    sandbox.write(
        "templates/bad.txt.j2",
        "one\n{% if domain %}\n  {{ domian }}\n{% endif %}\n",
    );
    sandbox.write("templates/worse.txt.j2", "{% trans %}x{% endtrans %}\n");
    assert_snapshot!(sandbox.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[undefined-variable]: `domian` is undefined
     --> templates/bad.txt.j2:3:6
      |
    3 |   {{ domian }}
      |      ^^^^^^
      |
      = help: set `domian` in the data, or give it a default: `domian | default(…)`

    error[template-construct]: the statement `trans` is not supported
     --> templates/worse.txt.j2:1:4
      |
    1 | {% trans %}x{% endtrans %}
      |    ^^^^^

    2 errors, nothing written
    ");
}

#[test]
fn files_in_the_places_of_outputs_are_replaced_where_the_settings_say_so() {
    let sandbox = project(FAMILY);
    sandbox.write("plain.txt", "mine\n");
    let run = sandbox.kiln(&["render"]);
    assert_snapshot!(timeless(&run), @r"
    exit code 0
    --- stderr
    warning[makejinja-overwritten]: `plain.txt`, which Kiln had not written, is replaced
     |
     = help: `force = true` in `makejinja.toml` asks for it; version control has what they were

    rendered 1 template: 0 created, 1 changed, 0 unchanged, 0 removed; 0 sealed (0 kept); 0 injections in [N] ms
    ");
    assert_eq!(sandbox.read("plain.txt"), "example.com has 2\n");
    let other = project(FAMILY);
    other.write(
        "makejinja.toml",
        SETTINGS.replace("force = true", "force = false"),
    );
    other.write("plain.txt", "mine\n");
    assert_snapshot!(timeless(&other.kiln(&["render"])), @r"
    exit code 0
    --- stderr
    warning[makejinja-overwritten]: `plain.txt`, which Kiln had not written, is left as it was
     |
     = help: with `force = true` in `makejinja.toml`, outputs take their places

    rendered 1 template: 0 created, 0 changed, 0 unchanged, 0 removed; 0 sealed (0 kept); 0 injections in [N] ms
    ");
    assert_eq!(other.read("plain.txt"), "mine\n");
}

#[test]
fn commands_run_if_the_user_agrees() {
    let sandbox = project(FAMILY);
    sandbox.write(
        "makejinja.toml",
        format!("{SETTINGS}exec_pre = [\"echo before > before.txt\"]\nexec_post = [\"cat plain.txt > after.txt\"]\n"),
    );
    assert_snapshot!(timeless(&sandbox.kiln(&["render"])), @r"
    exit code 0
    --- stderr
    warning[makejinja-no-effect]: `echo before > before.txt` is not run, which the settings of makejinja ask for
     |
     = help: `kiln render --yes` runs it

    warning[makejinja-no-effect]: `cat plain.txt > after.txt` is not run, which the settings of makejinja ask for
     |
     = help: `kiln render --yes` runs it

    rendered 1 template: 1 created, 0 changed, 0 unchanged, 0 removed; 0 sealed (0 kept); 0 injections in [N] ms
    ");
    assert!(!sandbox.path("before.txt").exists());
    let run = kiln(&sandbox, &["render", "--yes"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(sandbox.read("before.txt"), "before\n");
    assert_eq!(sandbox.read("after.txt"), "example.com has 2\n");
}

#[test]
fn options_come_from_the_command_line_as_well() {
    let sandbox = project(FAMILY);
    let run = sandbox.kiln(&["render", "--", "-D", "domain=example.org"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(sandbox.read("plain.txt"), "example.org has 2\n");
    assert_snapshot!(sandbox.kiln(&["render", "--", "--undefned", "strict"]), @r"
    exit code 1
    --- stderr
    error[makejinja-option]: makejinja has no option `--undefned`
     --> command line:1:1
      |
    1 | --undefned strict
      | ^^^^^^^^^^
      |
      = help: did you mean `--undefined`?

    error[makejinja-option]: makejinja takes options only, and this argument is none
     --> command line:1:12
      |
    1 | --undefned strict
      |            ^^^^^^
      |
      = help: give inputs by `-i` and the output by `-o`

    2 errors, nothing written
    ");
}

#[test]
fn hardening_is_asked_for_in_a_project_file() {
    let sandbox = project(FAMILY);
    sandbox.write(
        "templates/kubernetes/kustomization.yaml",
        "resources: [namespace.yaml]\n",
    );
    sandbox.write(
        "templates/kubernetes/namespace.yaml.j2",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ names[0] }}\n",
    );
    sandbox.write("templates/flux/cluster.yaml.j2", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: cluster, namespace: flux-system}\nspec: {path: ./kubernetes, interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n");
    sandbox.kiln(&["render"]).success();
    assert!(
        !sandbox
            .read("kubernetes/namespace.yaml")
            .contains("pod-security")
    );
    sandbox.write(
        "kiln.toml",
        "[harden]\nenabled = true\n[flux]\nroots = [\"flux\"]\n",
    );
    sandbox.kiln(&["render"]).success();
    assert!(
        sandbox
            .read("kubernetes/namespace.yaml")
            .contains("pod-security"),
        "{}",
        sandbox.read("kubernetes/namespace.yaml")
    );
}

#[test]
fn init_says_what_is_there_and_writes_nothing() {
    let sandbox = project(FAMILY);
    let before = sandbox.files();
    assert_snapshot!(sandbox.kiln(&["init"]), @r"
    exit code 0
    --- stderr
    nothing is written: this is a project already, of makejinja, which `kiln render` renders as `makejinja.toml` says
    a `kiln.toml` beside it sets what Kiln adds; `kiln adopt` shows what the project is with Kiln's own catalogue
    ");
    assert_eq!(sandbox.files(), before);
}

/// Commits all files of a new repository.
fn commit_all(sandbox: &Sandbox) {
    for arguments in [
        vec!["init", "-q", "-b", "main"],
        vec!["add", "."],
        vec![
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            "commit",
            "-q",
            "-m",
            "first",
        ],
    ] {
        let git = Command::new("git")
            .current_dir(sandbox.path(""))
            .args(arguments)
            .status();
        assert!(git.unwrap().success());
    }
}

#[test]
fn each_side_of_a_comparison_runs_its_own_plugin() {
    let sandbox = project(OWN);
    sandbox.write(".gitignore", "age.key\n");
    sandbox.write("templates/own.txt.j2", "{{ 'hey' | shout }}\n");
    commit_all(&sandbox);
    let run = kiln(&sandbox, &["diff", "--base", "HEAD", "--with-plugins"]);
    assert_eq!(run.code, Some(0), "{run}");
    sandbox.write("scripts/plugin.py", OWN.replace("+ '!'", "+ '?'"));
    let run = kiln(&sandbox, &["diff", "--base", "HEAD", "--with-plugins"]);
    assert_eq!(run.code, Some(1), "{run}");
    for part in ["own.txt", "HEY!", "HEY?"] {
        assert!(run.stdout.contains(part), "{part}: {run}");
    }
}

#[test]
fn a_comparison_runs_no_python_unless_asked() {
    let sandbox = project(OWN);
    sandbox.write(".gitignore", "age.key\n");
    sandbox.write("templates/own.txt.j2", "{{ 'hey' | shout }}\n");
    commit_all(&sandbox);
    sandbox.write("cluster.yaml", "domain: example.net\nnames: [a]\n");
    let run = kiln(&sandbox, &["diff", "--base", "HEAD"]);
    let label = run
        .stderr
        .split(" is in HEAD (")
        .nth(1)
        .and_then(|rest| rest.get(..7))
        .unwrap();
    assert_snapshot!(run.to_string().replace(label, "[COMMIT]"), @r"
    exit code 2
    --- stderr
    error[plugin-not-run]: the plugin `plugin:Plugin` is not run: the method `data` (line 7) is its own
     |
     = help: look through the plugin, and run it with `--with-plugins`
     = help: this is in HEAD ([COMMIT])

    1 error, nothing written
    ");
    // No key is read for a change that nobody has read yet, by Python neither.
    sandbox.write("templates/spy.txt.j2", "{{ key() }}\n");
    let run = kiln(&sandbox, &["diff", "--base", "HEAD", "--with-plugins"]);
    assert!(!run.to_string().contains(IDENTITY), "{run}");
    fs::remove_file(sandbox.path("templates/spy.txt.j2")).unwrap();
    let run = kiln(&sandbox, &["diff", "--base", "HEAD", "--with-plugins"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stdout.starts_with("HEAD "), "{run}");
}

#[test]
fn no_message_shows_what_a_plugin_has_read() {
    let quotes = "\
import makejinja

class Plugin(makejinja.plugin.Plugin):
    def __init__(self, data):
        with open('age.key') as file:
            key = file.read()
        print('read', key)
        raise ValueError(f\"{data['dns_token']} and {key}\")
";
    let sandbox = project(quotes);
    sandbox.write(
        "cluster.yaml",
        "domain: example.com\ndns_token: a-token-that-nobody-sees\n",
    );
    let run = kiln(&sandbox, &["render"]);
    assert_eq!(run.code, Some(1), "{run}");
    let shown = run.to_string();
    assert!(shown.contains("plugin-failed"), "{shown}");
    for secret in ["a-token-that-nobody-sees", IDENTITY] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// A mistake in a project that has secrets in its data and its key file.
type Mistake = (&'static str, fn(&Sandbox), &'static [&'static str]);

const MISTAKES: [Mistake; 11] = [
    (
        "makejinja-data",
        |it| it.write("cluster.yaml", "dns_token: a-token-that-nobody-sees\n- x\n"),
        &["render"],
    ),
    (
        "makejinja-input",
        |it| {
            it.write(
                "makejinja.toml",
                format!("{SETTINGS}include_patterns = [\"*/*.j2\"]\n"),
            );
        },
        &["render"],
    ),
    (
        "makejinja-missing",
        |it| {
            it.write(
                "makejinja.toml",
                SETTINGS.replace("\"templates\"", "\"nowhere\""),
            );
        },
        &["render"],
    ),
    (
        "makejinja-no-effect",
        |it| {
            it.write(
                "makejinja.toml",
                format!("{SETTINGS}exec_pre = [\"true\"]\n"),
            );
        },
        &["render"],
    ),
    (
        "makejinja-option",
        |it| {
            it.write(
                "makejinja.toml",
                format!("{SETTINGS}undefned = \"strict\"\n"),
            );
        },
        &["render"],
    ),
    (
        "makejinja-overwritten",
        |it| it.write("plain.txt", "a-token-that-nobody-sees"),
        &["render"],
    ),
    (
        "makejinja-option",
        |_| {},
        &[
            "render",
            "--",
            "-D",
            "dns_token=a-token-that-nobody-sees",
            "-Ddns_token=a-token-that-nobody-sees",
            "--undefned",
        ],
    ),
    ("no-typed-config", |_| {}, &["apps"]),
    (
        "plugin-failed",
        |it| {
            it.write(
                "templates/x.txt.j2",
                "{{ age_key('a-token-that-nobody-sees') }}",
            );
        },
        &["render"],
    ),
    (
        "plugin-not-run",
        |it| it.write("scripts/plugin.py", OWN),
        &["diff", "--config", "cluster.yaml"],
    ),
    (
        "template-construct",
        |it| it.write("templates/x.txt.j2", "{{ dns_token }}{% trans %}"),
        &["render"],
    ),
];

#[test]
fn no_message_shows_a_secret() {
    for (code, spoil, command) in MISTAKES {
        let sandbox = project(FAMILY);
        sandbox.write(
            "cluster.yaml",
            "domain: example.com\nnames: [a]\ndns_token: a-token-that-nobody-sees\n",
        );
        sandbox.write("templates/deep/file.j2", "{{ domain }}");
        spoil(&sandbox);
        let run = kiln(&sandbox, command);
        let shown = run.to_string();
        assert!(shown.contains(code), "{code}: {shown}");
        for secret in ["a-token-that-nobody-sees", IDENTITY] {
            assert!(!shown.contains(secret), "{code}: {shown}");
        }
    }
}

#[test]
fn data_of_the_environment_stay_unseen() {
    let sandbox = project(FAMILY);
    let mut command = sandbox.command();
    command.env("MAKEJINJA_DATA_VARS", "a-token-that-nobody-sees");
    let run = sandbox.finish(&command.arg("render").output().unwrap());
    assert_snapshot!(run, @r"
    exit code 1
    --- stderr
    error[makejinja-option]: `data_vars` cannot be set by an environment variable
    --> MAKEJINJA_DATA_VARS:1:1
     = help: use `--data-var` on the command line

    1 error, nothing written
    ");
}

#[test]
fn an_included_template_is_told_by_its_line_however_it_is_named() {
    let sandbox = project(FAMILY);
    sandbox.write(
        "templates/whole.txt.j2",
        "{% include './parts//part.txt' %}\n",
    );
    sandbox.write(
        "templates/parts/part.txt",
        "one\n{{ domain.missing.name }}\n",
    );
    assert_snapshot!(sandbox.kiln(&["render"]), @r"
    exit code 1
    --- stderr
    error[undefined-variable]: `missing` is undefined: the str object has no such attribute or item
     --> templates/parts/part.txt:2:4
      |
    2 | {{ domain.missing.name }}
      |    ^^^^^^^^^^^^^^^^^^^
      |
      = help: set `missing` in the data, or give it a default: `missing | default(…)`

    1 error, nothing written
    ");
}

#[test]
fn a_path_filter_that_fails_is_told_where_it_was_raised() {
    let sandbox = project(
        "\
import makejinja

class Plugin(makejinja.plugin.Plugin):
    def path_filters(self):
        return [keep]

def keep(path):
    raise LookupError(f'no rule for {path.name}')
",
    );
    assert_snapshot!(kiln(&sandbox, &["render"]), @r"
    exit code 1
    --- stderr
    error[plugin-failed]: LookupError: no rule for plain.txt.j2
     --> scripts/plugin.py:8:1
      |
    8 |     raise LookupError(f'no rule for {path.name}')
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error, nothing written
    ");
}

#[test]
fn a_line_is_explained_by_the_line_of_its_template() {
    let sandbox = project(FAMILY);
    sandbox.write(
        "templates/list.txt.j2",
        "{# names #}\n{% for name in names %}\nname {{ name }}\n{% endfor %}\nlast\n",
    );
    sandbox.write(
        "makejinja.toml",
        format!("{SETTINGS}[makejinja.whitespace]\ntrim_blocks = true\n"),
    );
    sandbox.kiln(&["render"]).success();
    assert_eq!(sandbox.read("list.txt"), "name a\nname b\nlast\n");
    assert_snapshot!(sandbox.kiln(&["explain", "list.txt:2"]), @r"
    exit code 0
    --- stdout
    list.txt:2
      name b
    from template templates/list.txt.j2:3
      name {{ name }}
    ");
    assert_snapshot!(sandbox.kiln(&["explain", "list.txt:3"]), @r"
    exit code 0
    --- stdout
    list.txt:3
      last
    from template templates/list.txt.j2:5
      last
    ");
}

#[test]
fn keys_that_nobody_asks_for_are_not_missed() {
    let sandbox = project(OWN);
    fs::remove_file(sandbox.path("age.key")).unwrap();
    let run = kiln(&sandbox, &["check"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("not at hand"), "{run}");
}
