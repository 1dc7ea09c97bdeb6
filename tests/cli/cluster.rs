//! A small repository that Flux applies, without a Kiln project.

use crate::diff::project::{commit, git};
use crate::support::{FLUX_INSTANCE, Sandbox};

const FILES: [(&str, &str); 8] = [
    ("cluster/instance.yaml", FLUX_INSTANCE),
    (
        "cluster/settings.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\ndata:\n  # Where everything is.\n  DOMAIN: example.com\n",
    ),
    (
        "cluster/apps.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec:\n  path: ./apps\n  prune: true\n  targetNamespace: default\n  sourceRef: {kind: GitRepository, name: flux-system}\n  postBuild:\n    substituteFrom:\n      - {kind: ConfigMap, name: settings}\n",
    ),
    (
        "apps/kustomization.yaml",
        "resources:\n  - config.yaml\n  - deployment.yaml\n  - secret.yaml\n",
    ),
    (
        "apps/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  host: web.${DOMAIN}\n",
    ),
    (
        "apps/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n        - name: web\n          image: ghcr.io/web:1.2.3\n",
    ),
    (
        "apps/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\nstringData:\n  password: hunter2\n  sealed: ENC[AES256_GCM,data:x]\n  token: ${TOKEN:=}\n",
    ),
    ("README.md", "# A cluster\n"),
];

/// Writes the files below a folder.
pub(super) fn fill(sandbox: &Sandbox, folder: &str) {
    for (path, text) in FILES {
        sandbox.write(&format!("{folder}{path}"), text);
    }
}

/// Makes the repository.
pub(super) fn cluster() -> Sandbox {
    let sandbox = Sandbox::new();
    fill(&sandbox, "");
    commit_all(&sandbox);
    sandbox
}

/// Makes a repository of all that is there.
pub(super) fn commit_all(sandbox: &Sandbox) {
    git(sandbox, &["init", "--quiet"]);
    commit(sandbox, "first");
}
