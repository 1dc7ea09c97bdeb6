use std::collections::BTreeSet;
use std::process::Command;

use super::live::{CANARY, LiveRepository};
use crate::diff::project::{commit, git};
use crate::support::oracle;

/// The object that no template has.
pub(super) const LOST: &str = "BackendTrafficPolicy/network/from-before";

#[test]
fn a_look_says_all_and_writes_nothing() {
    let live = LiveRepository::new("x25519");
    let before = live.picture();
    let run = live.adopt(&[]);
    assert_eq!(run.code, Some(1), "{run}");
    for said in [
        "this is a cluster of cluster-template's, without its templates, config of since July 2026, machines by topf",
        "kept in kubernetes/apps/default/kustomization.yaml: ./mine/ks.yaml",
        "kept in kubernetes/apps/default/kustomization.yaml: patches",
        "config: echo stays off",
        "config: network policies stay off, as there are none today",
        "config: load balancers keep 10.0.0.5-10.0.0.10, 10.0.0.12-10.0.0.254, 10.9.0.0/24",
        "warning[machine-patches-replaced]",
        "`talos/all/30-kubelet.yaml`",
        "warning[machine-patches-kept]",
        "`talos/all/90-mine.yaml`",
        "error[object-lost]: Flux applies `BackendTrafficPolicy/network/from-before` today",
        "kiln adopt --drop BackendTrafficPolicy/network/from-before",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
    // The diff is data, and dangers come first.
    assert!(run.stdout.contains("goes back from 99.0.0"), "{run}");
    assert!(run.stdout.contains("talos/all/30-kubelet.yaml"), "{run}");
    for kept in [
        "films",
        "PersistentVolumeClaim/default/mine",
        "Namespace/media",
    ] {
        assert!(!run.stdout.contains(kept), "{kept}: {run}");
    }
    assert_eq!(live.picture(), before);
    let run = live.adopt(&["--drop", "BackendTrafficPolicy/network/from-bfore"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("error[drop-unknown]"), "{run}");
    assert!(
        run.stderr
            .contains("did you mean `BackendTrafficPolicy/network/from-before`?"),
        "{run}"
    );
    let run = live.adopt(&["--drop", LOST]);
    assert!(
        run.stderr
            .contains("nothing was written, `--write` does it"),
        "{run}"
    );
    run.success();
    assert_eq!(live.picture(), before);
}

#[test]
fn the_switch_keeps_all_that_is_the_users() {
    for key_type in ["x25519", "post-quantum"] {
        let live = LiveRepository::new(key_type);
        let sandbox = &live.sandbox;
        let before = live.picture();
        let summary = live.summary(&["--drop", LOST, "--write"]);
        assert_eq!(summary["adopted"], true, "{summary}");
        assert_eq!(summary["lost"].as_array().unwrap().len(), 1, "{summary}");
        assert_eq!(summary["sealed"], summary["sealedKept"], "{summary}");
        assert!(summary["sealed"].as_u64().unwrap() > 3, "{summary}");
        let after = live.picture();
        let own = |path: &&String| {
            path.contains("/mine/")
                || path.starts_with("kubernetes/apps/media/")
                || path.contains(".sops.")
                || ["talos/all/90-mine.yaml", "notes.md", "age.key"].contains(&path.as_str())
        };
        let own: Vec<&String> = before.keys().filter(own).collect();
        assert!(own.len() > 15, "{own:?}");
        for path in own {
            assert_eq!(after.get(path), before.get(path), "{path}");
        }
        let gone: Vec<&String> = before
            .keys()
            .filter(|path| !after.contains_key(*path))
            .collect();
        assert_eq!(
            gone,
            [
                "kubernetes/apps/network/envoy-gateway/app/envoy.yaml",
                "talos/all/30-kubelet.yaml"
            ]
        );
        let list = sandbox.read("kubernetes/apps/default/kustomization.yaml");
        assert!(list.contains("  - ./mine/ks.yaml\npatches:\n"), "{list}");
        assert!(!list.contains("echo"), "{list}");
        let config = sandbox.read("cluster.toml");
        assert!(config.starts_with("# one machine\n"), "{config}");
        assert!(
            config.contains("load_balancer_ranges = [\"10.0.0.5-10.0.0.10\", \"10.0.0.12-10.0.0.254\", \"10.9.0.0/24\"]"),
            "{config}"
        );

        assert!(config.contains("network_policies = false"), "{config}");

        for arguments in [
            &["check"][..],
            &["render", "--check"],
            &["adopt", "--write"],
        ] {
            let run = sandbox.kiln(arguments);
            assert!(!run.stderr.contains("warning["), "{run}");
            run.success();
        }
        assert_eq!(live.picture(), after);
        let names = sandbox.kiln(&["build", "-o", "name"]).success();
        assert!(!names.contains("CiliumNetworkPolicy"), "{names}");
        for kept in [
            "PersistentVolumeClaim/default/mine",
            "Secret/default/mine",
            "PersistentVolumeClaim/media/films",
            "Secret/media/films",
            "Namespace/media",
        ] {
            assert!(names.lines().any(|name| name == kept), "{kept}: {names}");
        }
        opens_with_sops(&live);
    }
}

/// Holds what is sealed against the real program.
fn opens_with_sops(live: &LiveRepository) {
    let Some(sops) = oracle("sops") else { return };
    let sealed: Vec<String> = live
        .sandbox
        .files()
        .into_iter()
        .filter(|path| path.ends_with(".sops.yaml") && path.contains('/'))
        .collect();
    assert!(sealed.len() > 3, "{sealed:?}");
    for path in sealed {
        let output = Command::new(&sops)
            .env("SOPS_AGE_KEY_FILE", live.sandbox.path("age.key"))
            .args(["decrypt", &path])
            .current_dir(live.sandbox.path(""))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path}: {said}");
    }
}

/// To Flux, an object with another name is another object.
#[test]
fn an_object_that_gets_another_name_is_lost() {
    let live = LiveRepository::new("x25519");
    let pool = "kubernetes/apps/kube-system/cilium/app/networks.yaml";
    let text = live.sandbox.read(pool);
    let renamed = text.replace("name: pool\n", "name: lan\n");
    assert_ne!(renamed, text);
    live.sandbox.write(pool, renamed);
    let run = live.adopt(&["--drop", LOST]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr
            .contains("Flux applies `CiliumLoadBalancerIPPool/lan` today, and would remove it"),
        "{run}"
    );
}

/// What is not in the last commit could not be had back.
#[test]
fn nothing_that_is_not_committed_is_written_over() {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    let edited = "kubernetes/apps/kube-system/coredns/app/helmrelease.yaml";
    sandbox.write(edited, sandbox.read(edited) + "# not committed\n");
    sandbox.write("talos/all/30-kubelet.yaml", "machine: {a: b}\n");
    let before = live.picture();
    let run = live.adopt(&["--drop", LOST, "--write"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr.contains("error[not-committed]: 2 files"),
        "{run}"
    );
    assert!(run.stderr.contains(edited), "{run}");
    assert_eq!(live.picture(), before);
    commit(sandbox, "edits");
    live.adopt(&["--drop", LOST, "--write"]).success();
}

/// Where git has no commit, nothing could be had back; without git, nobody expects that.
#[test]
fn a_repository_without_a_commit_is_not_written_over() {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    std::fs::remove_dir_all(sandbox.path(".git")).unwrap();
    git(sandbox, &["init", "--quiet"]);
    let before = live.picture();
    let run = live.adopt(&["--drop", LOST, "--write"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("error[not-committed]"), "{run}");
    assert_eq!(live.picture(), before);
    std::fs::remove_dir_all(sandbox.path(".git")).unwrap();
    live.adopt(&["--drop", LOST, "--write"]).success();
    assert!(sandbox.path("kiln.lock").exists());
}

/// Cut off between the inputs and the outputs.
#[test]
fn a_switch_that_was_cut_off_is_gone_on_with() {
    let live = LiveRepository::new("x25519");
    let sandbox = &live.sandbox;
    let inputs = ["kiln.toml", "cluster.toml", ".gitignore"];
    live.adopt(&["--drop", LOST, "--write"]).success();
    let whole = live.picture();
    let is_input =
        |path: &String| path.starts_with("templates/") || inputs.contains(&path.as_str());
    let kept: Vec<(String, Vec<u8>)> = whole
        .iter()
        .filter(|(path, _)| is_input(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    git(sandbox, &["clean", "-dfq"]);
    git(sandbox, &["checkout", "--quiet", "."]);
    for (path, bytes) in kept {
        sandbox.write(&path, bytes);
    }
    assert!(!sandbox.path("kiln.lock").exists());
    let render = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(render, @"
    exit code 1
    --- stderr
    error[foreign-output]: 16 files are not Kiln's, so they are not overwritten, and nothing is written
     |
     = note: `.renovaterc.json5`
             `kubernetes/apps/cert-manager/cert-manager/app/helmrelease.yaml`
             `kubernetes/apps/cert-manager/namespace.yaml`
             `kubernetes/apps/flux-system/flux-operator/app/helmrelease.yaml`
             `kubernetes/apps/flux-system/namespace.yaml`
             `kubernetes/apps/kube-system/cilium/app/networks.yaml`
             `kubernetes/apps/kube-system/coredns/app/helmrelease.yaml`
             `kubernetes/apps/kube-system/coredns/app/ocirepository.yaml`
             `kubernetes/apps/kube-system/namespace.yaml`
             `kubernetes/apps/kube-system/reloader/app/helmrelease.yaml`
             and 6 more, which `--message-format json` names
     = help: `kiln adopt` shows what it does to the cluster that Kiln takes them over, keeps what is yours, and does it with `--write`
     = help: to keep them as a file of your own, remove the template or switch its app off

    1 error, nothing written
    ");
    live.adopt(&["--drop", LOST, "--write"]).success();
    let (now, whole): (BTreeSet<_>, BTreeSet<_>) = (
        live.picture().into_iter().collect(),
        whole.into_iter().collect(),
    );
    let other: Vec<&String> = now
        .symmetric_difference(&whole)
        .map(|(path, _)| path)
        .collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn nothing_that_is_said_shows_a_secret() {
    let live = LiveRepository::new("x25519");
    for form in ["human", "json", "github"] {
        for more in [&[][..], &["--verbose"], &["--drop", LOST]] {
            let run = live.adopt(&[&["--message-format", form], more].concat());
            let told = run.to_string();
            assert!(!told.contains(CANARY), "{told}");
        }
    }
    let run = live.adopt(&["--drop", LOST, "--write"]);
    assert!(!run.to_string().contains(CANARY), "{run}");
    run.success();
    for (path, bytes) in live.picture() {
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(text.contains(CANARY), path == "cluster.toml", "{path}");
    }
}

/// What Flux cannot build today is nothing that anything could be told of.
#[test]
fn a_part_that_flux_refuses_stops_the_switch() {
    let live = LiveRepository::new("x25519");
    let list = "kubernetes/apps/media/kustomization.yaml";
    let text = live.sandbox.read(list);
    live.sandbox.write(list, text + "  - ./nowhere/ks.yaml\n");
    let run = live.adopt(&["--drop", LOST, "--write"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    this is a cluster of cluster-template's, without its templates, config of since July 2026, machines by topf
    error[not-compared]: Flux cannot build `kubernetes/apps` today: there is no file or folder `./nowhere/ks.yaml`
     |
     = help: mend that first, as nobody can tell what the switch does to it; `kiln build` says where it stands

    1 error, nothing written
    ");
}

#[test]
fn a_pool_whose_addresses_nobody_knows_is_told() {
    let live = LiveRepository::new("x25519");
    let pool = "kubernetes/apps/kube-system/cilium/app/networks.yaml";
    let text = live.sandbox.read(pool);
    let range = "    - cidr: 10.9.0.0\n";
    live.sandbox
        .write(pool, text.replace("    - cidr: 10.9.0.0/24\n", range));
    let run = live.adopt(&["--drop", LOST]);
    assert!(run.stderr.contains("warning[addresses-unknown]"), "{run}");
    assert!(!run.stderr.contains("load balancers keep"), "{run}");
    assert!(
        run.stdout.contains("CiliumLoadBalancerIPPool/pool"),
        "{run}"
    );
    run.success();
}
