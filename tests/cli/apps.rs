use crate::support::Sandbox;

const CLUSTER: &str = include_str!("../../examples/homelab/cluster.yaml");
const NODES: &str = include_str!("../../examples/homelab/nodes.yaml");

fn homelab(apps: &str) -> Sandbox {
    let cluster = format!("{CLUSTER}{apps}");
    Sandbox::with(&[
        ("kiln.toml", ""),
        ("cluster.yaml", &cluster),
        ("nodes.yaml", NODES),
    ])
}

fn state(sandbox: &Sandbox, name: &str) -> String {
    let listed = sandbox.kiln(&["apps"]).success();
    let line = listed
        .lines()
        .find(|line| line.split_whitespace().any(|word| word == name));
    line.unwrap().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn switches_an_app_where_its_options_stand_and_keeps_the_comments() {
    let apps = "\napps:\n  # Answers requests.\n  echo:\n    enabled: false # not today\n";
    let sandbox = homelab(apps);
    assert_eq!(state(&sandbox, "echo"), "off");
    sandbox.kiln(&["apps", "enable", "echo"]).success();
    assert_eq!(state(&sandbox, "echo"), "on");
    let on = apps.replace("enabled: false", "enabled: true");
    assert_eq!(sandbox.read("cluster.yaml"), format!("{CLUSTER}{on}"));
    sandbox.kiln(&["apps", "disable", "echo"]).success();
    assert_eq!(sandbox.read("cluster.yaml"), format!("{CLUSTER}{apps}"));
}

#[test]
fn adds_the_options_of_an_app_that_the_config_does_not_name() {
    let sandbox = homelab("");
    sandbox
        .kiln(&["apps", "disable", "reloader", "echo"])
        .success();
    assert_eq!(
        sandbox.read("cluster.yaml"),
        format!("{CLUSTER}apps:\n  echo:\n    enabled: false\n  reloader:\n    enabled: false\n")
    );
    assert_eq!(state(&sandbox, "reloader"), "off");
}

#[test]
fn switches_what_the_core_has_a_key_for() {
    let sandbox = homelab("");
    assert_eq!(state(&sandbox, "spegel"), "off");
    sandbox.kiln(&["apps", "enable", "spegel"]).success();
    assert_eq!(state(&sandbox, "spegel"), "on");
}

#[test]
fn writes_nothing_while_options_are_missing() {
    let sandbox = homelab("");
    let told = sandbox.kiln(&["apps", "enable", "unifi-dns"]).to_string();
    insta::assert_snapshot!(told, @"
    exit code 1
    --- stderr
    error[broken-rule]: `host` is needed when `unifi-dns` is enabled
      --> cluster.yaml:27:3
       |
    27 |   unifi-dns:
       |   ^^^^^^^^^ `apps.unifi-dns.host`

    error[broken-rule]: `api_key` is needed when `unifi-dns` is enabled
      --> cluster.yaml:27:3
       |
    27 |   unifi-dns:
       |   ^^^^^^^^^ `apps.unifi-dns.api_key`

    2 errors, nothing written
    ");
    assert_eq!(sandbox.read("cluster.yaml"), CLUSTER);
    sandbox.write(
        "cluster.yaml",
        format!("{CLUSTER}\napps:\n  unifi-dns:\n    api_key: {{ fromEnv: HOME }}\n"),
    );
    let arguments = ["--set", "host=https://192.168.1.1", "--set", "interval=5m"];
    let command = [&["apps", "enable", "unifi-dns"], &arguments[..]].concat();
    sandbox.kiln(&command).success();
    assert!(
        sandbox.read("cluster.yaml").ends_with(
            "    api_key: { fromEnv: HOME }\n    enabled: true\n    host: https://192.168.1.1\n    interval: 5m\n"
        ),
        "{}",
        sandbox.read("cluster.yaml")
    );
}

#[test]
fn says_why_an_app_cannot_be_switched() {
    let sandbox = homelab("");
    let told = sandbox.transcript(&[
        "apps enable ecko",
        "apps disable cilium",
        "apps enable echo --set port",
        "apps enable echo reloader --set a=1",
    ]);
    insta::assert_snapshot!(told, @"
    $ kiln apps enable ecko
    exit code 1
    --- stderr
    error[app-unknown]: there is no app `ecko`
     |
     = help: did you mean `echo`?
     = help: `kiln apps` lists them all

    1 error, nothing written
    $ kiln apps disable cilium
    exit code 1
    --- stderr
    error[app-without-switch]: `cilium` has no switch of its own
     |
     = help: it is on when `true` holds: change that in the config

    1 error, nothing written
    $ kiln apps enable echo --set port
    exit code 1
    --- stderr
    error[app-option]: option 1 has no `=` and sets nothing
     |
     = help: write it as `key=value`, such as `replicas=2`; the key alone asks for the value of an option

    1 error, nothing written
    $ kiln apps enable echo reloader --set a=1
    exit code 1
    --- stderr
    error[app-option]: options are for one app, and several are named
     |
     = help: enable one app at a time, each with its options

    1 error, nothing written
    ");
    assert_eq!(sandbox.read("cluster.yaml"), CLUSTER);
}
