//! Times a whole `kiln render` against the chain it replaces, in turn, in one run.
//!
//! The chain is what a makejinja project runs for the same kind of work: `makejinja` on as many
//! templates as Kiln renders, then one `sops encrypt` per secret. What such a project runs besides to
//! see whether its tree holds together, one `kubectl kustomize` per Flux Kustomization, is told apart,
//! though Kiln checks that too. Machines are noisy, so all are run in turn and only medians and their
//! ratios are reported.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs, keeps time and prints"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../support/oracle.rs"]
#[expect(clippy::print_stderr, reason = "written for the test binary")]
mod oracle;

const ROUNDS: usize = 7;

/// One template of the size and habits of a cluster repository: values, a loop, a condition.
const TEMPLATE: &str = r##"---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: app-NUMBER
spec:
  chartRef:
    kind: OCIRepository
    name: app-NUMBER
  interval: 1h
  values:
    domain: "#{ domain }#"
    #% if replicas > 1 %#
    replicas: #{ replicas }#
    #% endif %#
    resources:
      requests: {cpu: 10m, memory: 64Mi}
      limits: {memory: 256Mi}
    nodes:
      #% for node in nodes %#
      - name: "#{ node.name }#"
        address: "#{ node.address }#"
        role: "#{ 'control-plane' if node.controller else 'worker' }#"
      #% endfor %#
    ingress:
      hosts:
        - host: "app-NUMBER.#{ domain | lower }#"
          paths: [{path: /, pathType: Prefix}]
"##;

const SETTINGS: &str = r##"[makejinja]
inputs = ["./templates"]
output = "./out"
data = ["./data.yaml"]
jinja_suffix = ".j2"
force = true
[makejinja.delimiter]
block_start = "#%"
block_end = "%#"
comment_start = "#|"
comment_end = "#|"
variable_start = "#{"
variable_end = "}#"
"##;

const DATA: &str = r"domain: example.com
replicas: 2
nodes:
  - {name: controller-1, address: 10.20.0.11, controller: true}
  - {name: controller-2, address: 10.20.0.12, controller: true}
  - {name: controller-3, address: 10.20.0.13, controller: true}
  - {name: worker-1, address: 10.20.0.21, controller: false}
  - {name: worker-2, address: 10.20.0.22, controller: false}
";

fn main() {
    let (Some(makejinja), Some(sops)) = (oracle::oracle("makejinja"), oracle::oracle("sops"))
    else {
        println!("the chain needs makejinja and sops; they could not be installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("production");
    copy_example(&project);
    timed(&mut kiln(&project, &["render", "--keygen", "-q"]));
    let (outputs, secrets) = count_outputs(&project);
    let chain = folder.path().join("chain");
    let recipient = prepare_chain(&chain, &project, outputs, secrets);

    let mut fresh = Vec::new();
    let mut unchanged = Vec::new();
    let mut replaced = Vec::new();
    let kubectl = oracle::oracle("kubectl");
    let folders = kustomizations(&project);
    let mut built = Vec::new();
    for _ in 0..ROUNDS {
        clear_outputs(&project);
        fresh.push(timed(&mut kiln(&project, &["render", "-q"])));
        unchanged.push(timed(&mut kiln(&project, &["render", "-q"])));
        replaced.push(run_chain(&chain, &makejinja, &sops, &recipient, secrets));
        if let Some(kubectl) = &kubectl {
            built.push(build_all(kubectl, &folders));
        }
    }
    let (fresh, unchanged, replaced) = (median(fresh), median(unchanged), median(replaced));
    println!("{outputs} files, {secrets} of them sealed; medians of {ROUNDS} rounds, in turn");
    println!(
        "  kiln render, all files new      {:>9.1} ms",
        millis(fresh)
    );
    println!(
        "  kiln render, nothing changed    {:>9.1} ms",
        millis(unchanged)
    );
    println!(
        "  makejinja + sops encrypt each   {:>9.1} ms",
        millis(replaced)
    );
    println!(
        "  ratio, all files new            {:>9.0} x",
        replaced.as_secs_f64() / fresh.as_secs_f64()
    );
    println!(
        "  ratio, nothing changed          {:>9.0} x",
        replaced.as_secs_f64() / unchanged.as_secs_f64()
    );
    if !built.is_empty() {
        let built = median(built);
        println!(
            "  kubectl kustomize, {:>3} folders  {:>9.1} ms",
            folders.len(),
            millis(built)
        );
        println!(
            "  ratio with that, nothing changed{:>9.0} x",
            (replaced + built).as_secs_f64() / unchanged.as_secs_f64()
        );
    }
}

/// Lists the folders that Flux Kustomizations build: those beside a `ks.yaml`.
fn kustomizations(project: &Path) -> Vec<PathBuf> {
    let folders = outputs(project).into_iter().filter_map(|path| {
        let folder = path.parent()?;
        let beside = folder.parent()?.join("ks.yaml");
        (path.ends_with("kustomization.yaml") && beside.is_file()).then(|| folder.to_owned())
    });
    folders.collect()
}

fn build_all(kubectl: &Path, folders: &[PathBuf]) -> Duration {
    let build = |folder| timed(Command::new(kubectl).arg("kustomize").arg(folder));
    folders.iter().map(build).sum()
}

fn copy_example(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/production");
    fs::create_dir_all(to).unwrap();
    for name in ["kiln.toml", "cluster.toml", "cloudflare-tunnel.json"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn kiln(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.current_dir(project).args(arguments);
    command
}

fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let time = start.elapsed();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {complaint}");
    time
}

/// Counts what the lock file owns.
fn count_outputs(project: &Path) -> (usize, usize) {
    let files = outputs(project);
    let secrets = files
        .iter()
        .filter(|path| path.to_string_lossy().contains(".sops.yaml"));
    let secrets = secrets
        .filter(|path| path.file_name().is_some_and(|name| name != ".sops.yaml"))
        .count();
    (files.len(), secrets)
}

const TREES: [&str; 3] = ["bootstrap", "kubernetes", "talos"];

fn outputs(project: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for tree in TREES {
        walk(&project.join(tree), &mut found);
    }
    found
}

fn clear_outputs(project: &Path) {
    for tree in TREES {
        fs::remove_dir_all(project.join(tree)).unwrap();
    }
}

/// Writes the makejinja project and the plain secrets, and returns the recipient.
fn prepare_chain(chain: &Path, project: &Path, outputs: usize, secrets: usize) -> String {
    fs::create_dir_all(chain.join("templates")).unwrap();
    fs::write(chain.join("makejinja.toml"), SETTINGS).unwrap();
    fs::write(chain.join("data.yaml"), DATA).unwrap();
    for number in 0..outputs {
        let text = TEMPLATE.replace("NUMBER", &number.to_string());
        fs::write(chain.join(format!("templates/app-{number}.yaml.j2")), text).unwrap();
    }
    for number in 0..secrets {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s{number}\nstringData:\n  token: t{number}\n"
        );
        fs::write(chain.join(format!("secret-{number}.yaml")), text).unwrap();
    }
    let key = fs::read_to_string(project.join("age.key")).unwrap();
    let recipient = key
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    recipient.unwrap().to_owned()
}

fn run_chain(
    chain: &Path,
    makejinja: &Path,
    sops: &Path,
    recipient: &str,
    secrets: usize,
) -> Duration {
    let mut total = timed(Command::new(makejinja).current_dir(chain).arg("--quiet"));
    for number in 0..secrets {
        let file = format!("secret-{number}.yaml");
        let mut command = Command::new(sops);
        command
            .current_dir(chain)
            .args(["encrypt", "--age", recipient, &file]);
        total += timed(&mut command);
    }
    total
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
