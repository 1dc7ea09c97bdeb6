//! What apps ask of other parts: the full example, and small projects for each word and each mistake.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::examples::example;
use crate::support::Sandbox;

const NAMESPACE: &str = "#% include \"_partials/namespace.tera\" %#\n";

const KUSTOMIZATION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: lab
resources:
  - ./namespace.yaml
  #% for name in enabled_apps(namespace=\"lab\") %#
  - ./#{ name }#/ks.yaml
  #% endfor %#
";

const KS: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: #{ app.name }#
spec:
  interval: 1h
  path: ./kubernetes/apps/lab/#{ app.name }#/app
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
    namespace: flux-system
  targetNamespace: lab
";

const RESOURCES: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ./resource.yaml
";

const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: #{ app.name }#
data:
  mode: #{ app.options.mode | default(value=\"unset\") | quote }#
";

const PLAIN: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: #{ app.name }#
";

/// A small project of its own apps in the namespace `lab`, beside the catalogue.
struct Lab {
    sandbox: Sandbox,
}

impl Lab {
    fn new() -> Self {
        Self {
            sandbox: Self::of("homelab"),
        }
    }

    /// Takes an example, with the templates of the namespace.
    fn of(name: &str) -> Sandbox {
        let sandbox = example(name);
        let folder = "templates/kubernetes/apps/lab";
        sandbox.write(&format!("{folder}/namespace.yaml.tera"), NAMESPACE);
        sandbox.write(&format!("{folder}/kustomization.yaml.tera"), KUSTOMIZATION);
        sandbox
    }

    /// Adds an app with a manifest and one resource.
    fn app(self, name: &str, manifest: &str, resource: &str) -> Self {
        let folder = format!("templates/kubernetes/apps/lab/{name}");
        let manifest = format!("summary = \"{name}\"\n{manifest}");
        self.sandbox.write(&format!("{folder}/app.toml"), manifest);
        self.sandbox.write(&format!("{folder}/ks.yaml.tera"), KS);
        self.sandbox
            .write(&format!("{folder}/app/kustomization.yaml"), RESOURCES);
        self.sandbox
            .write(&format!("{folder}/app/resource.yaml.tera"), resource);
        let schema = r#"{
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "x", "type": "object", "additionalProperties": false,
            "properties": {
                "mode": {"title": "x", "description": "x.", "type": ["string", "null"], "default": null},
                "size": {"title": "x", "description": "x.", "type": "integer", "default": 1}
            }
        }"#;
        self.sandbox
            .write(&format!("schemas/apps/{name}.schema.json"), schema);
        self
    }

    /// Adds to the config.
    fn config(self, text: &str) -> Self {
        let config = self.sandbox.read("cluster.yaml");
        self.sandbox
            .write("cluster.yaml", format!("{config}\n{text}"));
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        self.sandbox.write(path, text);
        self
    }

    fn rendered(self) -> Sandbox {
        self.sandbox.kiln(&["render", "--keygen"]).success();
        self.sandbox
    }

    /// Returns what is said of a project that does not render.
    fn refused(self) -> String {
        let run = self.sandbox.kiln(&["render", "--keygen"]);
        assert_eq!(run.code, Some(1), "{run}");
        run.stderr
    }
}

fn assert_told(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn an_app_gives_another_one_an_option() {
    let sandbox = Lab::new()
        .app("first", "[asks.second]\nmode = \"quick\"\n", CONFIG_MAP)
        .app("second", "", CONFIG_MAP)
        .rendered();
    let made = sandbox.read("kubernetes/apps/lab/second/app/resource.yaml");
    insta::assert_snapshot!(made, @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: second
    data:
      mode: "quick"
    "#);
    let own = sandbox.read("kubernetes/apps/lab/first/app/resource.yaml");
    assert!(own.contains("mode: \"unset\""), "{own}");
}

#[test]
fn an_option_may_be_computed_and_the_config_may_say_the_same() {
    let ask = "[asks.second]\nmode = { cel = 'kubernetes.pod_cidr' }\n";
    let lab = || {
        Lab::new()
            .app("first", ask, CONFIG_MAP)
            .app("second", "", CONFIG_MAP)
    };
    let sandbox = lab().rendered();
    let made = sandbox.read("kubernetes/apps/lab/second/app/resource.yaml");
    insta::assert_snapshot!(made, @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: second
    data:
      mode: "10.42.0.0/16"
    "#);
    lab()
        .config("apps: {second: {mode: 10.42.0.0/16}}")
        .rendered();
}

#[test]
fn options_that_contradict_are_shown_with_both_places() {
    let ask = "[asks.third]\nmode = \"quick\"\n";
    let lab = || {
        Lab::new()
            .app("first", ask, CONFIG_MAP)
            .app("third", "", CONFIG_MAP)
    };
    let told = lab().config("apps: {third: {mode: slow}}").refused();
    assert_told(
        &told,
        &[
            "error[app-asks-contradict]: `apps.third.mode` is set, and `first` asks for another value",
            "cluster.yaml:",
            "lab/first/app.toml:3:9",
            "remove it, or turn `first` off",
        ],
    );
    let told = lab()
        .app("second", "[asks.third]\nmode = \"slow\"\n", CONFIG_MAP)
        .refused();
    assert_told(
        &told,
        &[
            "`first` and `second` ask for different values of `apps.third.mode`",
            "lab/second/app.toml:3:9",
            "lab/first/app.toml:3:9",
        ],
    );
}

#[test]
fn what_the_schema_of_the_other_app_refuses_is_shown_where_it_is_asked() {
    let told = Lab::new()
        .app(
            "first",
            "[asks.second]\nsize = \"big\"\nmood = \"x\"\n",
            CONFIG_MAP,
        )
        .app("second", "", CONFIG_MAP)
        .refused();
    assert_told(
        &told,
        &["lab/first/app.toml:3:9", "lab/first/app.toml:4:9", "mood"],
    );
    let told = Lab::new()
        .app("first", "[asks.secnd]\nmode = \"x\"\n", CONFIG_MAP)
        .app("second", "[asks.first]\nenabled = true\n", CONFIG_MAP)
        .refused();
    assert_told(
        &told,
        &["an app is not switched on by an ask: name it in `needs`"],
    );
    let told = Lab::new()
        .app("first", "[asks.secnd]\nmode = \"x\"\n", CONFIG_MAP)
        .app("second", "", CONFIG_MAP)
        .refused();
    assert_told(
        &told,
        &["`secnd`, which does not exist", "did you mean `second`?"],
    );
}

#[test]
fn an_option_that_is_computed_from_a_secret_is_one() {
    let told = Lab::new()
        .app(
            "first",
            "[asks.second]\nmode = { cel = 'apps.third.mode' }\n",
            CONFIG_MAP,
        )
        .app("second", "", CONFIG_MAP)
        .app("third", "", PLAIN)
        .config("apps: {third: {mode: {fromFile: mode.txt}}}")
        .file("mode.txt", "example-of-a-secret")
        .refused();
    assert_told(
        &told,
        &["error[secret-leak]", "lab/second/app/resource.yaml"],
    );
    assert!(!told.contains("example-of-a-secret"), "{told}");
}

const ROOT_POD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tool
spec:
  selector:
    matchLabels: {app: tool}
  template:
    metadata:
      labels: {app: tool}
    spec:
      hostNetwork: true
      containers:
        - name: tool
          image: ghcr.io/example/tool:v1
";

fn enforced(sandbox: &Sandbox) -> Option<String> {
    let text = sandbox.read("kubernetes/apps/lab/namespace.yaml");
    let mut lines = text.lines();
    lines.find_map(|line| {
        let line = line
            .trim()
            .strip_prefix("pod-security.kubernetes.io/enforce: ")?;
        Some(line.to_owned())
    })
}

#[test]
fn the_most_permissive_level_that_an_app_needs_is_enforced() {
    let ask = |level: &str| format!("[[namespace]]\nlevel = \"{level}\"\n");
    let plain = Lab::new().app("first", "", CONFIG_MAP).rendered();
    assert_eq!(enforced(&plain).as_deref(), Some("restricted"));
    let asked = Lab::new()
        .app("first", &ask("baseline"), CONFIG_MAP)
        .app("second", &ask("restricted"), CONFIG_MAP)
        .rendered();
    assert_eq!(enforced(&asked).as_deref(), Some("baseline"));
    let wish = "security: {pod_security: {lab: privileged}}";
    let wished = Lab::new()
        .app("first", &ask("baseline"), CONFIG_MAP)
        .config(wish)
        .rendered();
    assert_eq!(enforced(&wished).as_deref(), Some("privileged"));
}

#[test]
fn a_level_that_is_too_strict_is_an_error() {
    let told = Lab::new()
        .app("first", "[[namespace]]\nlevel = \"baseline\"\n", ROOT_POD)
        .refused();
    assert_told(
        &told,
        &[
            "error[pod-security-forbidden]: namespace `lab` refuses the pods of `Deployment/lab/tool`",
            "lab/first/app/resource.yaml:12:7",
        ],
    );
    let told = Lab::new()
        .app("first", "[[namespace]]\nlevel = \"baseline\"\n", CONFIG_MAP)
        .config("security: {pod_security: {lab: restricted}}")
        .refused();
    assert_told(
        &told,
        &[
            "error[app-asks-contradict]: `security.pod_security` wishes for `restricted` in namespace `lab`, and `first` needs `baseline`",
            "lab/first/app.toml:3:10",
        ],
    );
}

const TASK: &str = "\
apiVersion: tasks.example.org/v1
kind: Task
metadata:
  name: nightly
spec:
  user: 1000
  securityContext:
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
";

/// What its operator makes of a task, in the words of `charts/custom-resources.yaml`.
const TASK_PODS: &str = "
[[operator_pods]]
groups = [\"tasks.example.org\"]
kinds = [\"Task\"]
pods = \"some\"
images = [\"ghcr.io/example/task-runner:v1\"]
source = \"https://example.org/tasks\"
paths = { securityContext = \"spec.securityContext\" }

[[operator_pods.pod.containers]]
name = \"task\"
image = \"ghcr.io/example/task-runner:v1\"
securityContext = { allowPrivilegeEscalation = false, capabilities = { drop = [\"ALL\"] } }
";

#[test]
fn pods_that_an_operator_starts_count_for_the_level_and_among_the_images() {
    let unknown = Lab::new().app("first", "", TASK).rendered();
    assert_eq!(enforced(&unknown), None);
    let known = Lab::new().app("first", TASK_PODS, TASK).rendered();
    assert_eq!(enforced(&known).as_deref(), Some("restricted"));
    let images = known.read(".github/operator-images.txt");
    insta::assert_snapshot!(images, @"ghcr.io/example/task-runner:v1");
    // A registry and a chart have no place here: the tools that ask them are stand-ins.
    let tools = known.path("../tools");
    fs::create_dir(&tools).unwrap();
    for (tool, says) in [
        ("yq", "x"),
        ("curl", ""),
        ("helm", "image: ghcr.io/example/chart:v1"),
    ] {
        let script = format!("#!/bin/sh\necho '{says}'\n");
        fs::write(tools.join(tool), script).unwrap();
        fs::set_permissions(tools.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut script = Command::new("bash");
    script
        .arg(".github/images.sh")
        .current_dir(known.path("."))
        .env("PATH", path);
    let run = known.finish(&script.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    assert_told(
        &run.stdout,
        &[
            "ghcr.io/example/chart:v1\n",
            "ghcr.io/example/task-runner:v1\n",
        ],
    );
    let (task, _) = TASK.split_once("  securityContext").unwrap();
    let root = Lab::new().app("first", TASK_PODS, task).rendered();
    assert_eq!(enforced(&root).as_deref(), Some("baseline"));
    let told = Lab::new()
        .app("first", "[[operator_pods]]\ngroup = [\"x\"]\n", TASK)
        .refused();
    assert_told(
        &told,
        &[
            "lab/first/app.toml:3:1",
            "did you mean `groups`?",
            "`kinds` is missing",
        ],
    );
}

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: #{ app.name }#
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
";

#[test]
fn the_movers_of_volsync_count_for_the_level_of_the_namespace_that_they_run_in() {
    let lab = |manifest: &str| {
        let ks = KS.replace(
            "  prune: true\n",
            "  prune: true\n  components: [../../../../components/volsync]\n",
        );
        Lab {
            sandbox: Lab::of("full"),
        }
        .app("first", manifest, CLAIM)
        .file(
            "templates/kubernetes/apps/lab/first/ks.yaml.tera",
            &format!("{ks}  postBuild:\n    substitute:\n      APP: first\n"),
        )
        .rendered()
    };
    assert_eq!(enforced(&lab("")).as_deref(), Some("restricted"));
    // The annotation makes root of them, which `restricted` would refuse.
    let annotation = "annotations = { \"volsync.backube/privileged-movers\" = \"true\" }";
    let elevated = lab(&format!("[[namespace]]\n{annotation}\n"));
    assert_eq!(enforced(&elevated).as_deref(), Some("baseline"));
}

const MACHINE: &str = "
[[machine]]
external_cloud_provider = true
kernel_modules = [\"nbd\"]
kubelet_args = { max-pods = \"200\" }
node_labels = { \"example.org/disk\" = \"fast\" }
sysctls = { \"vm.max_map_count\" = \"262144\" }

[[machine]]
role = \"worker\"
sysctls = { \"vm.swappiness\" = \"1\" }
";

#[test]
fn machines_are_asked_in_the_shape_of_their_talos() {
    let sandbox = Lab::new().app("first", MACHINE, CONFIG_MAP).rendered();
    let patch = sandbox.read("talos/all/30-apps.yaml");
    assert_told(
        &patch,
        &[
            "  externalCloudProvider:\n    enabled: true\n",
            "machine:\n  kernel:\n    modules:\n      - name: \"nbd\"\n",
            "      max-pods: \"200\"\n",
            "  nodeLabels:\n    example.org/disk: \"fast\"\n",
            "  sysctls:\n    vm.max_map_count: \"262144\"\n",
        ],
    );
    assert_eq!(patch.matches("---").count(), 1, "{patch}");
    let worker = sandbox.read("talos/worker/30-apps.yaml");
    insta::assert_snapshot!(worker, @r#"
    ---
    machine:
      sysctls:
        vm.swappiness: "1"
    "#);
    assert!(
        !sandbox
            .files()
            .contains(&"talos/control-plane/30-apps.yaml".to_owned())
    );
    sandbox.write("versions.yaml", "talos:\n  version: v1.14.2\n");
    sandbox.kiln(&["render"]).success();
    let patch = sandbox.read("talos/all/30-apps.yaml");
    assert_told(
        &patch,
        &[
            "  externalCloudProvider:\n    enabled: true\n",
            "kind: KernelModuleConfig\nname: \"nbd\"\n",
            "kind: KubeletConfig\nextraArgs:\n  max-pods: \"200\"\n",
            "kind: KubeNodeConfig\nlabels:\n  example.org/disk: \"fast\"\n",
            "kind: SysctlConfig\nparams:\n  vm.max_map_count: \"262144\"\n",
        ],
    );
    assert!(!patch.contains("machine:"), "{patch}");
}

#[test]
fn snapshots_are_only_where_the_driver_can() {
    let full = |from: &str, to: &str| {
        let sandbox = example("full");
        let config = sandbox.read("cluster.yaml");
        assert!(config.contains(from));
        sandbox.write("cluster.yaml", config.replace(from, to));
        sandbox
    };
    let from = "  snapshot-controller:\n    enabled: true\n";
    let driver = |name: &str| full(from, &format!("{from}    driver: {name}\n"));
    let run = driver("csi.proxmox.sinextra.dev").kiln(&["render", "--keygen"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_told(
        &run.stderr,
        &["takes no snapshots", "cluster.yaml:", "driver: csi.proxmox"],
    );
    let run =
        full("storage:\n", "storage:\n  snapshot_class: volumes\n").kiln(&["render", "--keygen"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_told(
        &run.stderr,
        &["`storage.class` `proxmox` is of Proxmox", "cluster.yaml:"],
    );
    let sandbox = driver("driver.longhorn.io");
    sandbox.kiln(&["render", "--keygen"]).success();
    let source = sandbox.read("kubernetes/components/volsync/replicationsource.yaml");
    assert!(source.contains("copyMethod: Snapshot"), "{source}");
}

#[test]
fn litellm_calls_langfuse_with_keys_or_not_at_all() {
    let sandbox = example("full");
    let config = sandbox.read("cluster.yaml");
    let keys =
        "    public_key: pk-lf-example-public-key\n    secret_key: sk-lf-example-secret-key\n";
    assert!(config.contains(keys));
    sandbox.write("cluster.yaml", config.replace(keys, ""));
    sandbox.kiln(&["render", "--keygen"]).success();
    for file in [
        "app/configmap.yaml",
        "app/helmrelease.yaml",
        "app/networkpolicy.yaml",
    ] {
        let text = sandbox.read(&format!("kubernetes/apps/ai-system/litellm/{file}"));
        assert!(!text.to_lowercase().contains("langfuse"), "{file}: {text}");
    }
    let half = keys.lines().next().unwrap();
    sandbox.write("cluster.yaml", config.replace(keys, &format!("{half}\n")));
    let run = sandbox.kiln(&["render"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_told(
        &run.stderr,
        &["`public_key` and `secret_key` come together"],
    );
}

/// What an operator starts by default is known of one version of it: a chart that is raised needs another look.
#[test]
fn images_of_operators_are_those_of_the_versions_that_are_installed() {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let versions = fs::read_to_string(templates.join("versions.yaml")).unwrap();
    let mut judged = 0;
    for manifest in files_below(&templates.join("kubernetes/apps")) {
        if !manifest.ends_with("app.toml") {
            continue;
        }
        let text = fs::read_to_string(&manifest).unwrap();
        let sources = text.split("\nsource = \"").skip(1);
        for source in sources.filter_map(|rest| rest.split('"').next()) {
            let is_number = |part: &str| {
                let digits = part
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.');
                digits && part.matches('.').count() == 2
            };
            let mut parts = source.split(['/', '-', 'v']);
            let version = parts.find(|part| is_number(part)).expect(source);
            let own = files_below(manifest.parent().unwrap());
            let own = own.iter().filter(|path| !path.ends_with("app.toml"));
            let mut texts = own.map(|path| fs::read_to_string(path).unwrap());
            let is_installed = |text: &str| {
                let mut lines = text.lines();
                lines.any(|line| {
                    let (_, value) = line.split_once(": ").unwrap_or_default();
                    value.trim_matches(['"', 'v']) == version
                })
            };
            assert!(
                is_installed(&versions) || texts.any(|text| is_installed(&text)),
                "{}: `images` are those of {version}, which is not installed any more: look at what the operator \
                 starts now, and name the new version in `source`",
                manifest.display()
            );
            judged += 1;
        }
    }
    assert_eq!(judged, 1);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
