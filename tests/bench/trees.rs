//! Times `kiln build` of generated trees: beside what kustomize's library and Flux' packages take for one like the public ones, and
//! as trees grow.
//!
//! kustomize's library builds folders, so it is run once for each folder that a Flux Kustomization builds, as people run
//! `kustomize build`; patches, components and variables of Flux are not among its work. fluxbuild does all of it, and the number of
//! objects has to be the same. Machines are noisy, so all are run in turn and only medians and their ratios are reported.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark writes files, runs programs, keeps time and prints"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

mod generated_tree;

#[path = "../support/oracle.rs"]
#[expect(clippy::print_stderr, reason = "written for the test binary")]
mod oracle;

const ROUNDS: usize = 7;

/// As many files as a public tree has, ten times as many, and far more than anybody has.
const SIZES: [usize; 3] = [470, 4_700, 15_000];

/// A generated tree on the disk.
struct GeneratedTree {
    folder: TempDir,
    files: usize,
    /// The folders that Flux Kustomizations build.
    built: Vec<PathBuf>,
}

impl GeneratedTree {
    fn write(size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = generated_tree::files(size);
        let root = folder.path().join("tree");
        let mut built = vec![root.join("kubernetes/apps")];
        for (path, text) in &files {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            if path.ends_with("/ks.yaml") {
                built.push(file.parent().unwrap().join("app"));
            }
        }
        built.retain(|folder| folder.join("kustomization.yaml").is_file());
        fs::write(folder.path().join("sync.yaml"), generated_tree::SYNC).unwrap();
        Self {
            folder,
            files: files.len(),
            built,
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn kiln(&self) -> (Duration, Vec<u8>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        command.current_dir(self.root());
        timed(command.args(["build", "--root", "kubernetes/flux/cluster", "-o", "name"]))
    }

    fn kustomize(&self, kz: &Path) -> Duration {
        let build = |folder| timed(Command::new(kz).arg(folder)).0;
        self.built.iter().map(build).sum()
    }

    fn flux(&self, fluxbuild: &Path) -> (Duration, Vec<u8>) {
        let sync = self.folder.path().join("sync.yaml");
        timed(Command::new(fluxbuild).arg(self.root()).arg(sync))
    }
}

fn main() {
    let trees = SIZES.map(GeneratedTree::write);
    compare(&trees[0]);
    let mut times = SIZES.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (tree, times) in trees.iter().zip(&mut times) {
            times.push(tree.kiln().0);
        }
    }
    println!("`kiln build` as trees grow; medians of {ROUNDS} rounds, in turn");
    for (tree, times) in trees.iter().zip(times) {
        let time = median(times);
        let objects = lines(&tree.kiln().1);
        println!(
            "  {:>6} files, {objects:>6} objects {:>9.1} ms {:>9.0} ns per file",
            tree.files,
            millis(time),
            time.as_secs_f64() * 1e9 / count(tree.files)
        );
    }
}

/// Times one tree by all builders.
fn compare(tree: &GeneratedTree) {
    let (kz, fluxbuild) = (oracle::oracle("kz"), oracle::oracle("fluxbuild"));
    let objects = lines(&tree.kiln().1);
    if let Some(fluxbuild) = &fluxbuild {
        let answer: Value = serde_json::from_slice(&tree.flux(fluxbuild).1).unwrap();
        let of_flux = answer["objects"].as_array().unwrap().len();
        assert_eq!(of_flux, objects, "the builders do not build the same");
    }
    let (mut kiln, mut kustomize, mut flux) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        kiln.push(tree.kiln().0);
        kustomize.extend(kz.as_ref().map(|kz| tree.kustomize(kz)));
        flux.extend(fluxbuild.as_ref().map(|fluxbuild| tree.flux(fluxbuild).0));
    }
    let kiln = median(kiln);
    println!(
        "{} files, {objects} objects; medians of {ROUNDS} rounds, in turn",
        tree.files
    );
    println!("  kiln build                    {:>9.1} ms", millis(kiln));
    let others = [
        (
            format!("kustomize, {:>3} folders", tree.built.len()),
            kustomize,
        ),
        ("fluxbuild".to_owned(), flux),
    ];
    for (name, times) in others {
        if times.is_empty() {
            continue;
        }
        let time = median(times);
        println!(
            "  {name:<30}{:>9.1} ms {:>6.0} x",
            millis(time),
            time.as_secs_f64() / kiln.as_secs_f64()
        );
    }
}

fn timed(command: &mut Command) -> (Duration, Vec<u8>) {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let time = start.elapsed();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {complaint}");
    (time, output.stdout)
}

fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count().saturating_sub(1)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "a number of files")]
fn count(number: usize) -> f64 {
    number as f64
}
