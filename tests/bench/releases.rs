//! Times hardening and checking of trees with 100 and 1,000 HelmReleases.
//!
//! What one release costs must not depend on how many others there are: the last column shows the
//! ratio, which is 1 where the work grows with the tree and 10 where it grows with its square.
//! Machines are noisy, so the sizes take turns and the fastest of several rounds counts.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads profiles, keeps time and prints"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use kiln::charts::{Profiles, Release};
use kiln::check::{Gate, check};
use kiln::flux::builds::Builds;
use kiln::flux::{BuildMemory, FollowOptions, TreeFiles};
use kiln::harden::harden;
use kiln::rules::{Exemptions, Measures, Policy};
use kiln::source::Source;
use kiln::tree::{File, Origin, Rendered, Tree};
use kiln::workload;
use kiln::yaml::load;

const ROUNDS: usize = 5;
const SIZES: [usize; 2] = [100, 1000];
const STAGES: [&str; 4] = ["builds", "workloads", "harden", "check"];

/// Releases stand in namespaces of this many.
const NAMESPACE: usize = 20;

/// Charts with and without values for everything, one with its workloads in the values, and one unknown.
const CHARTS: [(&str, &str, &str); 5] = [
    (
        "oci://ghcr.io/stakater/charts/reloader",
        "2.2.7",
        "    reloader: {logFormat: json}\n",
    ),
    (
        "oci://ghcr.io/spegel-org/helm-charts/spegel",
        "0.7.4",
        "    spegel: {appendMirrors: true}\n",
    ),
    (
        "oci://ghcr.io/example/unknown",
        "1.0.0",
        "    replicas: 1\n",
    ),
    (
        "oci://ghcr.io/siderolabs/charts/talos-cloud-controller-manager",
        "0.5.4",
        "    replicaCount: 1\n",
    ),
    (
        "oci://ghcr.io/bjw-s-labs/helm/app-template",
        "4.6.0",
        "    controllers:\n      web:\n        replicas: 2\n        containers:\n          web:\n            image: {repository: example/web, tag: v1}\n",
    ),
];

fn main() {
    let profiles = profiles();
    let mut fastest = [[Duration::MAX; STAGES.len()]; SIZES.len()];
    for _ in 0..ROUNDS {
        for (size, best) in SIZES.iter().zip(&mut fastest) {
            for (time, best) in round(*size, &profiles).into_iter().zip(best) {
                *best = time.min(*best);
            }
        }
    }
    println!("fastest of {ROUNDS} rounds, in turn");
    println!(
        "  {:<10} {:>12} {:>12} {:>20}",
        "stage", "100", "1,000", "per release, ratio"
    );
    for (index, stage) in STAGES.iter().enumerate() {
        let [few, many] =
            [fastest[0][index], fastest[1][index]].map(|time| time.as_secs_f64() * 1000.0);
        println!(
            "  {stage:<10} {few:>9.1} ms {many:>9.1} ms {:>18.1} x",
            many / few / 10.0
        );
    }
}

fn round(size: usize, profiles: &Profiles) -> [Duration; STAGES.len()] {
    let tree = tree(size);
    let start = Instant::now();
    let applied_files = TreeFiles::of_tree(tree.files());
    let builds = Builds::of(&applied_files);
    let built = start.elapsed();
    let start = Instant::now();
    let releases = Release::all(&builds, profiles);
    let found = workload::all(&builds, &releases).len();
    let looked = start.elapsed();
    assert!(
        found >= size / 5 * 4,
        "{found} workloads of {size} releases"
    );
    drop(releases);
    drop(builds);
    let (kept, follow) = (TreeFiles::default(), FollowOptions::default());
    let (policy, exemptions) = (Policy::default(), Exemptions::default());
    let measures = Measures {
        kept: &kept,
        follow: &follow,
        memory: &BuildMemory::default(),
        profiles,
        policy: &policy,
        exemptions: &exemptions,
        seals: true,
        apps: &[],
        leaks: &[],
        failures: &[],
        gaps: &[],
    };
    let start = Instant::now();
    let hardened = harden(tree, measures).unwrap().value;
    let harden = start.elapsed();
    assert!(hardened.injections().len() > size, "too little was added");
    let start = Instant::now();
    // What it finds is no matter here.
    drop(check(hardened, measures, &Gate::default()));
    [built, looked, harden, start.elapsed()]
}

fn profiles() -> Profiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/charts");
    let paths = std::fs::read_dir(folder).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.is_file()).map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.to_string_lossy().into_owned(), text.into())
    });
    Profiles::load(texts.collect(), &[]).unwrap_or_else(|_| panic!("a profile is broken"))
}

/// A tree in the layout of a Flux repository: one Kustomization an app, one folder a namespace.
fn tree(size: usize) -> Tree<Rendered> {
    let mut texts = BTreeMap::new();
    let mut listed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in 0..size {
        let (namespace, app) = (
            format!("space-{}", number / NAMESPACE),
            format!("app-{number}"),
        );
        let folder = format!("kubernetes/apps/{namespace}/{app}");
        texts.insert(
            format!("{folder}/ks.yaml"),
            flux(&app, &namespace, &format!("./{folder}/app")),
        );
        let (chart, version, values) = CHARTS[number % CHARTS.len()];
        texts.insert(
            format!("{folder}/app/kustomization.yaml"),
            kustomization("", &["./release.yaml".into(), "./source.yaml".into()]),
        );
        texts.insert(format!("{folder}/app/release.yaml"), format!("---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {app}\nspec:\n  chartRef:\n    kind: OCIRepository\n    name: {app}\n  interval: 1h\n  values:\n{values}"));
        texts.insert(format!("{folder}/app/source.yaml"), format!("---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata:\n  name: {app}\nspec:\n  interval: 1h\n  url: {chart}\n  ref:\n    tag: {version}\n"));
        listed
            .entry(namespace)
            .or_default()
            .push(format!("./{app}/ks.yaml"));
    }
    for (namespace, mut files) in listed {
        let folder = format!("kubernetes/apps/{namespace}");
        texts.insert(
            format!("{folder}/namespace.yaml"),
            "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: _\n".to_owned(),
        );
        files.insert(0, "./namespace.yaml".to_owned());
        texts.insert(
            format!("{folder}/kustomization.yaml"),
            kustomization(&format!("namespace: {namespace}\n"), &files),
        );
    }
    texts.insert(
        "kubernetes/flux/cluster/ks.yaml".to_owned(),
        flux("cluster-apps", "flux-system", "./kubernetes/apps"),
    );
    texts.insert(
        "kubernetes/flux/cluster/kustomization.yaml".to_owned(),
        kustomization("", &["./ks.yaml".into()]),
    );
    Tree::rendered(
        texts.iter().map(|(path, text)| file(path, text)),
        Vec::new(),
    )
}

fn flux(name: &str, namespace: &str, path: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\nspec:\n  interval: 1h\n  path: {path}\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n    namespace: flux-system\n  targetNamespace: {namespace}\n"
    )
}

fn kustomization(head: &str, files: &[String]) -> String {
    let list: Vec<String> = files.iter().map(|file| format!("  - {file}\n")).collect();
    format!(
        "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{head}resources:\n{}",
        list.concat()
    )
}

fn file(path: &str, text: &str) -> File {
    let template = Source::new(format!("templates/{path}"), text);
    let origin = |line| Origin::Template {
        template: template.clone(),
        line,
    };
    File {
        path: path.to_owned(),
        source: Source::new(path, text),
        documents: load(text).unwrap().into(),
        origins: (1..=text.lines().count()).map(origin).collect(),
        executable: false,
        binary: None,
    }
}
