//! What `onedr0p/cluster-template` writes, as its history up to August 2026 has it.

/// The file that starts Flux in a rendered repository.
pub(super) const SYNC: &str = "kubernetes/flux/cluster/ks.yaml";
/// The component that hands the variables of the cluster to each namespace.
pub(super) const COMPONENT: &str = "kubernetes/components/sops/kustomization.yaml";
/// What topf reads, since July 2026.
pub(super) const TOPF: &str = "talos/topf.yaml";
/// What talhelper read before.
pub(super) const TALHELPER: &str = "talos/talconfig.yaml";
/// The versions that talhelper installed.
pub(super) const TALHELPER_VERSIONS: &str = "talos/talenv.yaml";
/// The certificates and tokens of the cluster as talhelper named them; topf reads the same under [`BUNDLE`].
pub(super) const TALHELPER_BUNDLE: &str = "talos/talsecret.sops.yaml";
/// The certificates and tokens of the cluster.
pub(super) const BUNDLE: &str = "talos/secrets.sops.yaml";

/// The names that key files had up to July 2026, each after the one that it has now.
pub(super) const KEY_FILES: [(&str, &str); 3] = [
    ("deploy.key", "github-deploy.key"),
    ("deploy.key.pub", "github-deploy.key.pub"),
    ("flux-webhook-token.txt", "github-push-token.txt"),
];

/// The apps of the template that a cluster can do without.
const APPS: [&str; 3] = ["echo", "reloader", "spegel"];

/// Returns whether an app is one that the template brings and that its user may have removed.
pub fn is_optional_app(name: &str) -> bool {
    APPS.contains(&name)
}

/// Files that the template lists in a `kustomization.yaml` of an app, and for which the catalogue has others.
const REPLACED: &[&str] = &[
    "kubernetes/apps/cert-manager/cert-manager/app/clusterissuers.yaml",
    "kubernetes/apps/flux-system/flux-instance/app/helmrepository.yaml",
    "kubernetes/apps/flux-system/flux-instance/app/ingress.yaml",
    "kubernetes/apps/flux-system/flux-operator/app/helmrepository.yaml",
    "kubernetes/apps/kube-system/coredns/app/helmrepository.yaml",
    "kubernetes/apps/kube-system/reloader/app/helmrepository.yaml",
    "kubernetes/apps/kube-system/spegel/app/helmrepository.yaml",
    "kubernetes/apps/network/envoy-gateway/app/envoy.yaml",
];

/// Returns whether the template lists a file, and the catalogue has another in its place.
pub(super) fn is_replaced(path: &str) -> bool {
    REPLACED.contains(&path)
}

/// The patches of the machine configuration that the template writes for topf.
const MACHINE_PATCHES: &[&str] = &[
    "talos/all/00-install.yaml.tpl",
    "talos/all/01-hostname.yaml.tpl",
    "talos/all/10-cluster.yaml",
    "talos/all/20-network-interfaces.yaml.tpl",
    "talos/all/20-network-links.yaml.tpl",
    "talos/all/21-network.yaml",
    "talos/all/22-time.yaml",
    "talos/all/30-kubelet.yaml",
    "talos/all/40-sysctls.yaml",
    "talos/all/50-files.yaml",
    "talos/all/60-encryption.yaml.tpl",
    "talos/all/61-kernel-modules.yaml.tpl",
    "talos/all/cluster.yaml",
    "talos/all/machine-encryption.yaml.tpl",
    "talos/all/machine-files.yaml",
    "talos/all/machine-hostname.yaml.tpl",
    "talos/all/machine-install.yaml.tpl",
    "talos/all/machine-kernel-modules.yaml.tpl",
    "talos/all/machine-kubelet.yaml",
    "talos/all/machine-network-interfaces.yaml.tpl",
    "talos/all/machine-network.yaml",
    "talos/all/machine-sysctls.yaml",
    "talos/all/machine-time.yaml",
    "talos/control-plane/00-cluster.yaml",
    "talos/control-plane/cluster.yaml",
];

/// Returns whether the template writes a patch of the machine configuration.
pub(super) fn is_machine_patch(path: &str) -> bool {
    MACHINE_PATCHES.contains(&path)
}
