//! A tree like the public ones, of any size: the same seed gives the same files.
//!
//! Namespaces of a few apps; an app has its Flux Kustomization, a HelmRelease with its chart and values, an external secret, and a
//! generated ConfigMap or a few more objects. All of them get patches from above, variables of the cluster, and some a component.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Apps of a namespace.
const NAMESPACE: usize = 7;

/// The Kustomization that the cluster starts from.
pub(crate) const SYNC: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  path: ./kubernetes/flux/cluster
  sourceRef: {kind: GitRepository, name: flux-system}
";

/// What all apps get.
const CLUSTER: &str = "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: cluster-apps
  namespace: flux-system
spec:
  interval: 1h
  path: ./kubernetes/apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
  patches:
    - patch: |
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: _}
        spec:
          deletionPolicy: WaitForTermination
          interval: 1h
          retryInterval: 2m
          postBuild:
            substituteFrom:
              - {kind: ConfigMap, name: cluster-settings}
          patches:
            - patch: |
                apiVersion: helm.toolkit.fluxcd.io/v2
                kind: HelmRelease
                metadata: {name: _}
                spec:
                  install: {crds: CreateReplace, strategy: {name: RetryOnFailure}}
                  upgrade: {cleanupOnFail: true, crds: CreateReplace, remediation: {retries: 3}}
              target: {group: helm.toolkit.fluxcd.io, kind: HelmRelease}
      target:
        group: kustomize.toolkit.fluxcd.io
        kind: Kustomization
        labelSelector: substitution.flux.home.arpa/disabled notin (true)
";

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-settings}
data: {DOMAIN: example.com, TIMEZONE: Europe/Berlin, GATEWAY: 10.20.0.2}
";

const COMMON: [(&str, &str); 3] = [
    (
        "common/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
         resources: [./namespace.yaml, ./settings.yaml]\n",
    ),
    (
        "common/namespace.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: _\n  \
         annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n",
    ),
    ("common/settings.yaml", SETTINGS),
];

const VOLSYNC: [(&str, &str); 3] = [
    (
        "volsync/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
         resources: [./claim.yaml, ./replication.yaml]\n",
    ),
    (
        "volsync/claim.yaml",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: \"${APP}\"}\nspec:\n  \
         accessModes: [\"${VOLSYNC_ACCESSMODES:=ReadWriteOnce}\"]\n  \
         dataSourceRef: {kind: ReplicationDestination, apiGroup: volsync.backube, name: \"${APP}-dst\"}\n  \
         resources: {requests: {storage: \"${VOLSYNC_CAPACITY:=5Gi}\"}}\n  \
         storageClassName: \"${VOLSYNC_STORAGECLASS:=ceph-block}\"\n",
    ),
    (
        "volsync/replication.yaml",
        "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: \"${APP}\"}\nspec:\n  \
         sourcePVC: \"${APP}\"\n  trigger: {schedule: \"0 * * * *\"}\n---\n\
         apiVersion: volsync.backube/v1alpha1\nkind: ReplicationDestination\nmetadata: {name: \"${APP}-dst\"}\n\
         spec:\n  trigger: {manual: restore-once}\n  kopia: {repository: \"${APP}-volsync\", copyMethod: Snapshot}\n",
    ),
];

/// Files by their paths.
pub(crate) type Files = BTreeMap<String, String>;

/// Random numbers by xorshift, the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_of(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// Makes a tree of about so many files.
pub(crate) fn files(wanted: usize) -> Files {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut files = Files::new();
    let components = COMMON.iter().chain(&VOLSYNC);
    files.extend(
        components
            .map(|(path, text)| (format!("kubernetes/components/{path}"), (*text).to_owned())),
    );
    files.insert(
        "kubernetes/flux/cluster/ks.yaml".to_owned(),
        CLUSTER.to_owned(),
    );
    let mut app = 0;
    while files.len() < wanted {
        let namespace = format!("space-{}", app / NAMESPACE);
        let mut resources = String::new();
        for _ in 0..NAMESPACE {
            if files.len() >= wanted {
                break;
            }
            let name = format!("app-{app}");
            writeln!(resources, "  - ./{name}/ks.yaml").unwrap();
            add_app(&mut files, &mut numbers, &namespace, &name);
            app += 1;
        }
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: {namespace}\n\
             components:\n  - ../../components/common\nresources:\n{resources}"
        );
        files.insert(
            format!("kubernetes/apps/{namespace}/kustomization.yaml"),
            text,
        );
    }
    files
}

fn add_app(files: &mut Files, numbers: &mut Numbers, namespace: &str, name: &str) {
    let folder = format!("kubernetes/apps/{namespace}/{name}");
    files.insert(
        format!("{folder}/ks.yaml"),
        flux_kustomization(numbers, namespace, name),
    );
    let app = |file: &str| format!("{folder}/app/{file}");
    let mut kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  \
                             - ./externalsecret.yaml\n  - ./helmrelease.yaml\n  - ./ocirepository.yaml\n"
        .to_owned();
    files.insert(app("externalsecret.yaml"), external_secret(name));
    files.insert(app("helmrelease.yaml"), release(numbers, name));
    files.insert(app("ocirepository.yaml"), chart(numbers, name));
    if numbers.one_of(3) {
        kustomization += "configMapGenerator:\n  - name: NAME-config\n    files: [config.yaml=./config.yaml]\n\
                          generatorOptions: {disableNameSuffixHash: true}\n";
        files.insert(app("config.yaml"), configuration(numbers));
    }
    if numbers.one_of(3) {
        kustomization += "patches:\n  - target: {kind: HelmRelease}\n    patch: |\n      \
                          - {op: add, path: /metadata/labels, value: {tier: web}}\n";
    }
    if numbers.one_of(4) {
        kustomization = kustomization.replace("resources:\n", "resources:\n  - ./rule.yaml\n");
        files.insert(app("rule.yaml"), rule(numbers, name));
    }
    files.insert(
        app("kustomization.yaml"),
        kustomization.replace("NAME", name),
    );
}

fn flux_kustomization(numbers: &mut Numbers, namespace: &str, name: &str) -> String {
    let components = if numbers.one_of(3) {
        "  components: [../../../../components/volsync]\n"
    } else {
        ""
    };
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\nspec:\n  \
         commonMetadata: {{labels: {{app.kubernetes.io/name: {name}}}}}\n{components}  interval: 30m\n  \
         path: ./kubernetes/apps/{namespace}/{name}/app\n  postBuild:\n    substitute:\n      APP: {name}\n      \
         VOLSYNC_CAPACITY: {}Gi\n  prune: true\n  \
         sourceRef: {{kind: GitRepository, name: flux-system, namespace: flux-system}}\n  \
         targetNamespace: {namespace}\n  timeout: 5m\n  wait: false\n",
        1 + numbers.below(50)
    )
}

fn external_secret(name: &str) -> String {
    format!(
        "---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: {name}\nspec:\n  \
         secretStoreRef: {{kind: ClusterSecretStore, name: vault}}\n  target:\n    name: {name}-secret\n    \
         template:\n      data:\n        TOKEN: \"{{{{ .TOKEN }}}}\"\n  dataFrom:\n    - extract: {{key: {name}}}\n"
    )
}

fn chart(numbers: &mut Numbers, name: &str) -> String {
    format!(
        "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata:\n  name: {name}\nspec:\n  \
         interval: 15m\n  layerSelector: {{mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}}\n  \
         ref: {{tag: 4.{}.{}}}\n  url: oci://ghcr.io/example/charts/app-template\n",
        numbers.below(20),
        numbers.below(9)
    )
}

fn release(numbers: &mut Numbers, name: &str) -> String {
    let mut text = format!(
        "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {name}\nspec:\n  \
         chartRef: {{kind: OCIRepository, name: {name}}}\n  interval: 1h\n  values:\n    controllers:\n"
    );
    for controller in 0..=numbers.below(3) {
        write!(
            text,
            "      part-{controller}:\n        annotations:\n          reloader.stakater.com/auto: \"true\"\n        \
             containers:\n          app:\n            image:\n              repository: ghcr.io/example/{name}\n              \
             tag: {}.{}.{}@sha256:{:064x}\n            env:\n              TZ: ${{TIMEZONE}}\n              \
             HOST: {name}.${{DOMAIN}}\n            envFrom:\n              - secretRef: {{name: {name}-secret}}\n",
            numbers.below(5),
            numbers.below(30),
            numbers.below(30),
            numbers.below(u64::MAX)
        )
        .unwrap();
        text += "            probes:\n              liveness: &probes\n                enabled: true\n                \
                 custom: true\n                spec:\n                  httpGet: {path: /health, port: 8080}\n                  \
                 periodSeconds: 10\n              readiness: *probes\n            securityContext:\n              \
                 allowPrivilegeEscalation: false\n              readOnlyRootFilesystem: true\n              \
                 capabilities: {drop: [ALL]}\n            resources:\n              requests: {cpu: 10m}\n              \
                 limits: {memory: 256Mi}\n";
    }
    write!(
        text,
        "    route:\n      app:\n        hostnames: [\"{name}.${{DOMAIN}}\"]\n        parentRefs:\n          - name: envoy\n            \
         namespace: network\n            sectionName: https\n    service:\n      app:\n        ports:\n          \
         http: {{port: 8080}}\n    persistence:\n      data: {{existingClaim: {name}}}\n      tmp: {{type: emptyDir}}\n"
    )
    .unwrap();
    text
}

fn configuration(numbers: &mut Numbers) -> String {
    let lines = (0..20 + numbers.below(80)).map(|line| {
        format!(
            "option-{line}: {}  # what the app has by itself\n",
            numbers.below(1000)
        )
    });
    lines.collect()
}

fn rule(numbers: &mut Numbers, name: &str) -> String {
    let mut text = format!(
        "---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {name}\nspec:\n  groups:\n    \
         - name: {name}\n      rules:\n"
    );
    for alert in 0..2 + numbers.below(6) {
        write!(
            text,
            "        - alert: Absent{alert}\n          annotations:\n            summary: >-\n              \
             {name} has disappeared from Prometheus target discovery\n              for a while.\n          \
             expr: |\n            absent(up{{job=\"{name}-{alert}\"}} == 1)\n          for: 15m\n          \
             labels: {{severity: critical}}\n"
        )
        .unwrap();
    }
    text
}
