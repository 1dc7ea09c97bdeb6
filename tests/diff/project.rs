//! A small project with a history, made with the real git.

use std::path::Path;
use std::process::Command;

use crate::support::{Run, Sandbox};

/// A secret that must not be seen anywhere.
pub(crate) const CANARY: &str = "canary-7f3d9b1e-of-the-first-revision";
/// The same, changed later.
pub(crate) const OTHER_CANARY: &str = "canary-a04c55-of-a-later-revision";

pub(crate) const KS: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: shop
  namespace: flux-system
spec:
  interval: 1h
  path: ./apps/shop
  prune: true
  targetNamespace: shop
  sourceRef:
    kind: GitRepository
    name: flux-system
  decryption:
    provider: sops
";

const LIST: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ./namespace.yaml
  - ./web.yaml
  - ./db.yaml
  - ./secret.sops.yaml
  - ./config.yaml
";

pub(crate) const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    checksum/config: \"1\"
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ghcr.io/example/web:1.4.0
          args:
            - --domain=#{ domain.name }#
            - --verbose
          ports:
            - containerPort: 8080
";

const DB: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      containers:
        - name: db
          image: docker.io/library/postgres:17.2
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: backup
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Gi
";

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: shop
stringData:
  token: \"#{ secret(path=\"token.txt\") }#\"
  user: shopkeeper
";

const CONFIG: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
data:
  shop.conf: |
    listen 8080
    currency EUR
    logs on
";

pub(crate) const RULES: &str = "\
creation_rules:
  - path_regex: \\.sops\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: \"#{ age_recipient() }#\"
";

/// Makes the project with one commit on `main` and the tag `first`.
pub(crate) fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    for (path, text) in [
        (
            "kiln.toml",
            "catalogue = false\noutput = \"out\"\n[harden]\nenabled = false\n",
        ),
        (
            ".gitignore",
            "age.key\ndeploy.key*\nflux-webhook-token.txt\nout/\n",
        ),
        ("token.txt", &format!("{CANARY}\n")),
        ("templates/.sops.yaml.tera", RULES),
        ("templates/flux/ks.yaml", KS),
        (
            "templates/flux/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ./ks.yaml\n",
        ),
        ("templates/apps/shop/kustomization.yaml", LIST),
        (
            "templates/apps/shop/namespace.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
        ),
        ("templates/apps/shop/web.yaml.tera", WEB),
        ("templates/apps/shop/db.yaml", DB),
        ("templates/apps/shop/secret.sops.yaml.tera", SECRET),
        ("templates/apps/shop/config.yaml", CONFIG),
        ("templates/notes.txt", "one\ntwo\n"),
    ] {
        sandbox.write(path, text);
    }
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    git(&sandbox, &["tag", "first"]);
    sandbox
}

/// Changes a bit of everything.
pub(crate) fn change(sandbox: &Sandbox) {
    let edit = |path: &str, from: &str, to: &str| {
        let text = sandbox.read(path);
        assert!(text.contains(from), "{path} has no {from}");
        sandbox.write(path, text.replace(from, to));
    };
    let domain = sandbox.read("cluster.yaml");
    let name = domain
        .lines()
        .skip_while(|line| !line.starts_with("domain:"))
        .find_map(|line| line.trim().strip_prefix("name: "))
        .unwrap()
        .to_owned();
    edit(
        "cluster.yaml",
        &format!("name: {name}"),
        "name: shop.example.org",
    );
    edit("token.txt", CANARY, OTHER_CANARY);
    let web = "templates/apps/shop/web.yaml.tera";
    edit(web, "replicas: 2", "replicas: 0");
    edit(web, "web:1.4.0", "web:2.0.0");
    edit(web, "            - --verbose\n", "");
    edit(
        web,
        "      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n",
        "      app: web2\n  template:\n    metadata:\n      labels:\n        app: web2\n",
    );
    edit(web, "checksum/config: \"1\"", "checksum/config: \"2\"");
    edit(
        web,
        "          ports:",
        "          securityContext:\n            privileged: true\n          ports:",
    );
    edit(
        "templates/apps/shop/db.yaml",
        &DB[DB.find("---").unwrap()..],
        "",
    );
    edit(
        "templates/apps/shop/config.yaml",
        "currency EUR",
        "currency CHF",
    );
    edit(
        "templates/apps/shop/secret.sops.yaml.tera",
        "  user: shopkeeper\n",
        "  password: \"#{ secret(path=\"token.txt\") }#\"\n",
    );
    edit("templates/notes.txt", "two", "three");
    edit(
        "templates/apps/shop/kustomization.yaml",
        "./config.yaml\n",
        "./config.yaml\n  - ./admin.yaml\n",
    );
    sandbox.write("templates/apps/shop/admin.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: shop\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: cluster-admin\nsubjects:\n  - kind: ServiceAccount\n    name: default\n    namespace: shop\n");
}

/// Commits everything.
pub(crate) fn commit(sandbox: &Sandbox, message: &str) {
    git(sandbox, &["add", "--all"]);
    git(sandbox, &["commit", "--quiet", "--message", message]);
}

/// Runs git in the work folder and returns what it says.
#[track_caller]
pub(crate) fn git(sandbox: &Sandbox, arguments: &[&str]) -> String {
    git_in(&sandbox.path(""), arguments)
}

/// Runs git with nothing of this machine's settings.
#[track_caller]
pub(crate) fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Compares, with the names of commits taken out.
pub(crate) fn diff(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut run = sandbox.kiln(&[&["diff"], arguments].concat());
    let commits = git(sandbox, &["log", "--all", "--format=%h"]);
    for (at, commit) in commits.lines().rev().enumerate() {
        run.stdout = run.stdout.replace(commit, &format!("[COMMIT {at}]"));
        run.stderr = run.stderr.replace(commit, &format!("[COMMIT {at}]"));
    }
    run
}
