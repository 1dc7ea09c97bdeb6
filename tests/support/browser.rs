//! A real browser, which looks at pages.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::oracle::{is_finished, once, or_skip, run};

/// Chromium with what a bare machine lacks, the client that drives it, and fonts.
const PINS: [&str; 3] = [
    "@sparticuz/chromium@147.0.0",
    "puppeteer-core@24.43.1",
    "dejavu-fonts-ttf@2.37.3",
];

static MADE: OnceLock<bool> = OnceLock::new();

/// Finds the folder with the browser, beside the other oracles or in `target/oracles/browser`, or else
/// makes it by npm, once.
///
/// Where it cannot be had, as where Node.js is missing, says so and returns `None`, so that the test is
/// skipped; with `CI=true` that is a failure instead.
pub(crate) fn browser() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oracles/browser");
    let beside = env::var_os("KILN_ORACLES").map(|bin| PathBuf::from(bin).join("../browser"));
    let made = || {
        beside
            .into_iter()
            .chain([own.clone()])
            .find(|folder| is_finished(folder, &PINS))
            .or_else(|| MADE.get_or_init(|| make(&own)).then_some(own))
    };
    let node = Command::new("node").arg("--version").output();
    or_skip("browser", node.ok().and_then(|_| made()))
}

fn make(folder: &Path) -> bool {
    once(folder, &PINS, || {
        let prefix = folder.to_str().unwrap();
        let flags = [
            "install",
            "--prefix",
            prefix,
            "--silent",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--fetch-retries=1",
        ];
        run("npm", flags.iter().chain(&PINS))
            && run("node", [script("chromium.mjs").as_str(), prefix])
    })
}

/// Returns a command that runs a script of this folder with the browser; the page comes next.
pub(crate) fn looking(folder: &Path, name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(script(name)).arg(folder);
    command
}

fn script(name: &str) -> String {
    format!("{}/tests/support/{name}", env!("CARGO_MANIFEST_DIR"))
}
