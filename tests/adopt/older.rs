use super::live::{CANARY, LiveRepository, remove};
use super::switch::LOST;
use crate::diff::project::commit;

/// The same config as it was written before May 2026.
const FLAT: &str = "\
---
# -- the machines' network
node_cidr: 10.0.0.0/24
node_dns_servers: []
node_vlan_tag: \"\"
cluster_api_addr: 10.0.0.2
cluster_gateway_addr: 10.0.0.3   # the internal one
cluster_dns_gateway_addr: 10.0.0.4
cloudflare_gateway_addr: 10.0.0.5
repository_name: me/home
repository_visibility: public
cloudflare_domain: example.com
cloudflare_token: canary-5e1f-of-a-live-cluster
";

const NODES: &str = "\
nodes:
  - name: one
    address: 10.0.0.11
    controller: true
    disk: /dev/sda
    mac_addr: 02:00:00:00:00:11
    schematic_id: 376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba
";

/// Gives a repository the names and the tools of before May 2026.
fn aged() -> LiveRepository {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    remove(
        sandbox,
        &[
            "cluster.toml",
            "talos/topf.yaml",
            "talos/all/30-kubelet.yaml",
        ],
    );
    sandbox.write("cluster.yaml", FLAT);
    sandbox.write("nodes.yaml", NODES);
    for (from, to) in [
        ("deploy.key", "github-deploy.key"),
        ("deploy.key.pub", "github-deploy.key.pub"),
        ("flux-webhook-token.txt", "github-push-token.txt"),
    ] {
        std::fs::rename(sandbox.path(from), sandbox.path(to)).unwrap();
    }
    sandbox.write("cloudflare-tunnel.json", TUNNEL);
    sandbox.write("talos/talconfig.yaml", "clusterName: kubernetes\n");
    sandbox.write(
        "talos/talenv.yaml",
        "talosVersion: v99.0.0\nkubernetesVersion: v1.30.0\n",
    );
    sandbox.write("talos/patches/global/mine.yaml", "machine: {}\n");
    let bundle = sandbox.read("kubernetes/apps/default/mine/app/secret.sops.yaml");
    sandbox.write("talos/talsecret.sops.yaml", bundle);
    sandbox.write("templates/config/a.yaml.j2", "a: 1\n");
    sandbox.write("makejinja.toml", "[makejinja]\n");
    sandbox.write(
        ".gitignore",
        "*.key\n*.pub\n/github-push-token.txt\n/cluster.yaml\n/nodes.yaml\n/cloudflare-tunnel.json\n",
    );
    commit(sandbox, "older");
    live
}

const TUNNEL: &str = r#"{"AccountTag":"a","TunnelID":"6ff42ae2-765d-4adf-8112-31c55c1551ef","TunnelSecret":"c2VjcmV0"}"#;

#[test]
fn an_older_cluster_gets_the_names_of_today() {
    let live = aged();
    let sandbox = &live.sandbox;
    let bundle = sandbox.read("talos/talsecret.sops.yaml");
    let key = sandbox.read("github-deploy.key");
    let before = live.picture();
    let run = live.adopt(&["--drop", LOST]);
    for said in [
        "with its templates, config of before May 2026, machines by talhelper",
        "config: node_cidr is now network.node_cidr",
        "config: repository_name is now repository.url",
        "config: cloudflare_token is now dns.token",
        "warning[machines-go-back]: `talos/topf.yaml` would name Talos",
        "and names 99.0.0 today",
        "warning[talhelper-unread]",
        "`talos/patches/global/mine.yaml`",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
    assert!(!run.stderr.contains("would name Kubernetes"), "{run}");
    assert!(!run.to_string().contains(CANARY), "{run}");
    run.success();
    assert_eq!(live.picture(), before);

    live.adopt(&["--drop", LOST, "--write"]).success();
    assert_eq!(sandbox.read("talos/secrets.sops.yaml"), bundle);
    assert_eq!(sandbox.read("deploy.key"), key);
    for gone in [
        "talos/talsecret.sops.yaml",
        "github-deploy.key",
        "github-push-token.txt",
    ] {
        assert!(!sandbox.path(gone).exists(), "{gone}");
    }
    insta::assert_snapshot!(sandbox.read("cluster.yaml"), @r"
    ---
    network:
      # -- the machines' network
      node_cidr: 10.0.0.0/24
      dns_servers: []
    kubernetes:
      api:
        addr: 10.0.0.2
    gateways:
      internal: 10.0.0.3   # the internal one
      dns: 10.0.0.4
      external: 10.0.0.5
    repository:
      url: https://github.com/me/home.git
    domain:
      name: example.com
    dns:
      token: canary-5e1f-of-a-live-cluster
    apps:
      echo:
        enabled: false
      cilium:
        load_balancer_ranges:
          - 10.0.0.6-10.0.0.10
          - 10.0.0.12-10.0.0.254
          - 10.9.0.0/24
    security:
      network_policies: false
    ");
    assert_eq!(sandbox.read("nodes.yaml"), NODES);
    // That folder is makejinja's.
    let list = "kubernetes/apps/default/kustomization.yaml.tera";
    assert!(sandbox.path(&format!("kiln-templates/{list}")).exists());
    for arguments in [
        &["check"][..],
        &["render", "--check"],
        &["adopt", "--write"],
    ] {
        sandbox.kiln(arguments).success();
    }
}

#[test]
fn a_config_in_groups_keeps_its_comments() {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    let config = sandbox.read("cluster.toml");
    let config = config
        .replace(
            "url = \"https://github.com/me/home.git\"\nwebhook_provider = \"github\"\n",
            "# mine\nname = \"me/home\"\n",
        )
        .replace("[domain]\nname =", "[cloudflare]\ndomain =")
        .replace("\n[dns]\nprovider = \"cloudflare\"\ntoken", "token");
    sandbox.write("cluster.toml", config);
    let run = live.adopt(&["--drop", LOST, "--write"]);
    assert!(run.stderr.contains("config of May to July 2026"), "{run}");
    assert!(
        run.stderr
            .contains("config: cloudflare.token is now dns.token"),
        "{run}"
    );
    run.success();
    let config = sandbox.read("cluster.toml");
    for kept in [
        "# one machine\n",
        "[domain]\nname = \"example.com\"\n",
        "[dns]\ntoken = ",
    ] {
        assert!(config.contains(kept), "{config}");
    }
    assert!(!config.contains("cloudflare"), "{config}");
    sandbox.kiln(&["adopt", "--write"]).success();
}

/// A list whose additions nobody can take apart stops the switch.
#[test]
fn a_list_that_cannot_be_kept_stops_the_switch() {
    let live = LiveRepository::new("x25519");
    let list = "kubernetes/apps/default/kustomization.yaml";
    live.sandbox.write(
        list,
        "{resources: [./namespace.yaml], commonAnnotations: {a: b}}\n",
    );
    let before = live.picture();
    let run = live.adopt(&["--write"]);
    assert_eq!(run.code, Some(1), "{run}");
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    this is a cluster of cluster-template's, without its templates, config of since July 2026, machines by topf
    error[list-not-kept]: what `kubernetes/apps/default/kustomization.yaml` lists cannot be kept
     |
     = help: write each list as a mapping with one key a line, as `kustomize create` does, and no entry that leads nowhere

    1 error, nothing written
    ");
    assert_eq!(live.picture(), before);
}

/// Adds an object of the user's to a list that Kiln renders, and returns the list as it was.
fn put_into_rendered_list(live: &LiveRepository) -> String {
    let sandbox = &live.sandbox;
    let text = sandbox.read(RENDERED_LIST);
    let more = text.replace("resources:\n", "resources:\n  - ./own.yaml\n");
    assert_ne!(more, text);
    sandbox.write(RENDERED_LIST, more);
    sandbox.write(
        "kubernetes/apps/network/own.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n",
    );
    commit(sandbox, "own");
    text
}

const RENDERED_LIST: &str = "kubernetes/apps/network/kustomization.yaml";

#[test]
fn entries_of_a_list_are_rendered_from_then_on() {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    let before = put_into_rendered_list(&live);
    live.adopt(&["--drop", LOST, "--write"]).success();
    assert!(sandbox.read("kiln.lock").contains(RENDERED_LIST));
    let list = sandbox.read(RENDERED_LIST);
    assert!(list.ends_with("  - ./own.yaml\n"), "{list}");
    assert_eq!(list.replace("  - ./own.yaml\n", ""), before);
    let names = sandbox.kiln(&["build", "-o", "name"]).success();
    assert!(
        names.lines().any(|name| name == "ConfigMap/network/own"),
        "{names}"
    );
    sandbox.kiln(&["render", "--check"]).success();
}

/// What is added to a template of the user's own has to get into what is rendered.
#[test]
fn entries_that_a_template_drops_stop_the_switch() {
    let live = LiveRepository::new("x25519");
    let text = put_into_rendered_list(&live);
    live.sandbox.write(
        &format!("templates/{RENDERED_LIST}.tera"),
        format!("#% if false %#\nresources:\n#% endif %#\n{text}"),
    );
    let before = live.picture();
    let run = live.adopt(&["--drop", LOST, "--write"]);
    assert_eq!(run.code, Some(1), "{run}");
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    this is a cluster of cluster-template's, without its templates, config of since July 2026, machines by topf
    error[list-not-kept]: `./own.yaml` of `kubernetes/apps/network/kustomization.yaml` cannot be kept
     |
     = help: write each list as a mapping with one key a line, as `kustomize create` does, and no entry that leads nowhere

    1 error, nothing written
    ");
    assert_eq!(live.picture(), before);
}
