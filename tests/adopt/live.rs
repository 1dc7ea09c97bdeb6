use std::collections::BTreeMap;
use std::fs;

use crate::diff::project::{commit, git};
use crate::support::{Run, Sandbox};

/// What stands at every place where the repository has a secret.
pub(super) const CANARY: &str = "canary-5e1f-of-a-live-cluster";

/// The config, with the keys of today.
pub(super) const CONFIG: &str = r#"# one machine
[network]
node_cidr = "10.0.0.0/24"

[kubernetes.api]
addr = "10.0.0.2"

[gateways]
internal = "10.0.0.3"
dns = "10.0.0.4"

[repository]
url = "https://github.com/me/home.git"
webhook_provider = "github"

[domain]
name = "example.com"

[dns]
provider = "cloudflare"
token = "canary-5e1f-of-a-live-cluster"

[ingress]
mode = "none"

[[nodes]]
name = "one"
address = "10.0.0.11"
controller = true
disk = "/dev/sda"
mac_addr = "02:00:00:00:00:11"
schematic_id = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
"#;

/// An object of the template's, in a file for which the catalogue has others, and under a name that no template has.
const POLICY: &str = "\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata:
  name: from-before
spec:
  targetSelectors:
    - {group: gateway.networking.k8s.io, kind: Gateway}
";

/// What the template's pool has, and a network of the user's.
const POOL: &str = "  allowFirstLastIPs: \"No\"
  blocks:
    - cidr: 10.0.0.0/24
    - cidr: 10.9.0.0/24
";

/// A small repository that Flux applies, in git: what the templates of cluster-template would make, and the user's own.
pub(super) struct LiveRepository {
    pub(super) sandbox: Sandbox,
}

impl LiveRepository {
    /// Makes one whose key is of a type.
    pub(super) fn new(key_type: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.kiln(&["init", "--key-type", key_type]).success();
        remove(&sandbox, &["cluster.yaml", "cluster.schema.json"]);
        // The template has no network policies.
        let open = format!("{CONFIG}\n[security]\nnetwork_policies = false\n");
        sandbox.write("cluster.toml", open);
        sandbox.write("kiln.toml", "[harden]\nenabled = false\n");
        // What is the same whoever renders it, secrets above all.
        sandbox.kiln(&["render"]).success();
        sandbox.write("cluster.toml", CONFIG);
        let start = "kubernetes/flux/cluster/kustomization.yaml";
        remove(&sandbox, &["kiln.toml", "kiln.lock", start]);
        let live = Self { sandbox };
        live.differ();
        live.put_own();
        let sandbox = &live.sandbox;
        sandbox.write(
            ".gitignore",
            "*.key\n*.pub\n/flux-webhook-token.txt\n/cluster.toml\n",
        );
        git(sandbox, &["init", "--quiet", "--initial-branch=main"]);
        commit(sandbox, "live");
        live
    }

    /// Makes it differ from what Kiln would render.
    fn differ(&self) {
        let sandbox = &self.sandbox;
        let app = "kubernetes/apps/network/envoy-gateway/app";
        sandbox.write(&format!("{app}/envoy.yaml"), POLICY);
        let list = format!("{app}/kustomization.yaml");
        let text = sandbox.read(&list);
        sandbox.write(
            &list,
            text.replace("resources:\n", "resources:\n  - ./envoy.yaml\n"),
        );
        let pool = "kubernetes/apps/kube-system/cilium/app/networks.yaml";
        let text = sandbox.read(pool);
        let start = text.find("  blocks:\n").unwrap();
        let end = start + text[start..].find("---\n").unwrap();
        let (before, after) = (&text[..start], &text[end..]);
        sandbox.write(pool, format!("{before}{POOL}{after}"));
        let chart = "kubernetes/apps/kube-system/coredns/app/ocirepository.yaml";
        let text = sandbox.read(chart);
        let at = text.find("tag: ").unwrap();
        let end = at + text[at..].find('\n').unwrap();
        sandbox.write(chart, format!("{}tag: 99.0.0{}", &text[..at], &text[end..]));
        sandbox.write("talos/all/30-kubelet.yaml", "machine: {}\n");
        sandbox.write("talos/all/90-mine.yaml", "machine: {}\n");
        sandbox.write("notes.md", "mine\n");
        // The user has removed an app of the template.
        fs::remove_dir_all(sandbox.path("kubernetes/apps/default/echo")).unwrap();
    }

    /// Adds apps of the user's: one in a namespace that Kiln renders, and one in a namespace of its own.
    fn put_own(&self) {
        let sandbox = &self.sandbox;
        let ks = |namespace: &str, name: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\nspec:\n  interval: 1h\n  \
                 path: ./kubernetes/apps/{namespace}/{name}/app\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system, namespace: flux-system}}\n  \
                 targetNamespace: {namespace}\n"
            )
        };
        let claim = |name: &str| {
            format!(
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\nspec:\n  accessModes: [ReadWriteOnce]\n  \
                 resources: {{requests: {{storage: 5Gi}}}}\n"
            )
        };
        for (namespace, name) in [("default", "mine"), ("media", "films")] {
            let folder = format!("kubernetes/apps/{namespace}/{name}");
            sandbox.write(&format!("{folder}/ks.yaml"), ks(namespace, name));
            sandbox.write(&format!("{folder}/app/claim.yaml"), claim(name));
            sandbox.write(
                &format!("{folder}/app/kustomization.yaml"),
                "resources:\n  - ./claim.yaml\n  - ./secret.sops.yaml\n",
            );
            sandbox.write(
                &format!("{folder}/app/secret.sops.yaml"),
                format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  word: {CANARY}\n"),
            );
            let secret = format!("{folder}/app/secret.sops.yaml");
            sandbox.kiln(&["init"]).success();
            sandbox.kiln(&["secrets", "encrypt", &secret]).success();
            remove(sandbox, &["kiln.toml", "cluster.schema.json"]);
        }
        let list = |namespace: &str, more: &str| {
            format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: {namespace}\ncomponents:\n  - ../../components/sops\n\
                 resources:\n  - ./namespace.yaml\n{more}"
            )
        };
        sandbox.write(
            "kubernetes/apps/default/kustomization.yaml",
            list(
                "default",
                "  - ./mine/ks.yaml\npatches:\n  - target: {kind: Namespace}\n    patch: |\n      apiVersion: v1\n      kind: Namespace\n      metadata:\n        name: not-used\n        labels: {mine: x}\n",
            ),
        );
        sandbox.write(
            "kubernetes/apps/media/kustomization.yaml",
            list("media", "  - ./films/ks.yaml\n"),
        );
        sandbox.write(
            "kubernetes/apps/media/namespace.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n  labels: {a: b}\n",
        );
    }

    pub(super) fn adopt(&self, arguments: &[&str]) -> Run {
        self.sandbox.kiln(&[&["adopt"], arguments].concat())
    }

    /// Returns the last object that a run printed for programs.
    #[track_caller]
    pub(super) fn summary(&self, arguments: &[&str]) -> serde_json::Value {
        let run = self.adopt(&[arguments, &["--message-format", "json"]].concat());
        let last = run.stdout.lines().last().unwrap_or_default();
        let page: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(page["type"], "summary", "{run}");
        page["summary"].clone()
    }

    /// Returns what every file holds.
    pub(super) fn picture(&self) -> BTreeMap<String, Vec<u8>> {
        let files = self.sandbox.files().into_iter();
        let read = |path: String| {
            let bytes = fs::read(self.sandbox.path(&path)).unwrap();
            (path, bytes)
        };
        files.map(read).collect()
    }
}

pub(super) fn remove(sandbox: &Sandbox, paths: &[&str]) {
    for path in paths {
        fs::remove_file(sandbox.path(path)).unwrap();
    }
}
