//! The images that the scan and the bill of materials of a cluster's repository see.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Sandbox, oracle};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Copies what is rendered of the full example.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn images_are_found_wherever_they_stand() {
    let sandbox = Sandbox::new();
    copy(&root().join("tests/golden/full"), &sandbox.path("tree"));
    let Some(yq) = oracle("yq") else { return };
    let stubs = root().join("tests/recipes/scan");
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", yq.parent().unwrap().display());
    let output = Command::new("bash")
        .arg(".github/images.sh")
        .current_dir(sandbox.path("tree"))
        .env("PATH", format!("{}:{path}", stubs.display()))
        .env("CALLS", sandbox.path("calls"))
        .output()
        .unwrap();
    let run = sandbox.finish(&output);
    let images = run.stdout.clone();
    let images: Vec<&str> = images.lines().collect();
    run.success();
    for image in [
        // Of charts: in fields, arguments, variables and settings.
        "registry.example.org/quoted:1.0",
        "quay.io/example/reloader:v0.88.0",
        "quay.io/example/mover:0.16.0",
        "ghcr.io/example/sidecar:v0.13.0",
        "ghcr.io/example/collector:0.3.1",
        "mirror.example.org/scanner:0.72.0",
        "short/name:2.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        // That operators start: proxies, caches, databases, Flux.
        "ghcr.io/fluxcd/kustomize-controller:v1.9.0",
        "ghcr.io/fluxcd/source-controller:v1.9.0",
    ] {
        assert!(images.contains(&image), "{image}: {images:?}");
    }
    // The tree names these with versions of its own.
    for name in [
        "docker.dragonflydb.io/dragonflydb/dragonfly",
        "docker.io/envoyproxy/envoy",
        "ghcr.io/cloudnative-pg/postgresql",
        "ghcr.io/siderolabs/kubelet",
        "registry.k8s.io/kube-apiserver",
        "registry.k8s.io/kube-controller-manager",
        "registry.k8s.io/kube-scheduler",
    ] {
        let start = format!("{name}:");
        assert!(
            images.iter().any(|image| image.starts_with(&start)),
            "{name}: {images:?}"
        );
    }
    let is_installer = |image: &&str| image.starts_with("factory.talos.dev/metal-installer/");
    assert_eq!(
        images.iter().filter(|it| is_installer(it)).count(),
        1,
        "{images:?}"
    );
    for other in ["component", "example.org/path", "8080", "IfNotPresent"] {
        assert!(
            !images.iter().any(|image| image.contains(other)),
            "{other}: {images:?}"
        );
    }
    let calls = sandbox.read("calls");
    let releases = calls
        .lines()
        .filter(|call| call.starts_with("helm template "))
        .count();
    assert!(releases > 40, "{calls}");
    assert!(calls.contains("releases/download/v2."), "{calls}");
    assert!(
        calls.contains("oci://quay.io/jetstack/charts/cert-manager --version v1."),
        "{calls}"
    );
    assert!(
        calls.contains("helm template velero velero --repo https://"),
        "{calls}"
    );
}
