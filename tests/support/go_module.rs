//! Go modules that tests read files of; `tests/oracles/apiserver/modules.sum` pins them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Returns the folder of a module in Go's cache, which Go fills from its proxy.
///
/// Where Go or the proxy is missing, says so and what is not checked, and returns `None`; with `CI=true` that is a
/// failure instead. Another digest than the pinned one always is.
pub(crate) fn go_module(module: &str, unchecked: &str) -> Option<PathBuf> {
    match download(module) {
        Ok(folder) => Some(folder),
        Err(missing) => {
            let skipped = format!("SKIPPED {module}: {missing}; not checked: {unchecked}");
            assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "{skipped}");
            eprintln!("{skipped}");
            None
        }
    }
}

fn download(module: &str) -> Result<PathBuf, String> {
    let pins = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/oracles/apiserver/modules.sum"
    );
    let pins = fs::read_to_string(Path::new(pins)).unwrap();
    let pin = pins.lines().find_map(|line| {
        let (version, sum) = line.strip_prefix(module)?.trim_start().split_once(' ')?;
        Some((version, sum))
    });
    let (version, sum) = pin.unwrap_or_else(|| panic!("modules.sum does not pin {module}"));
    let output = Command::new("go")
        .args(["mod", "download", "-json", &format!("{module}@{version}")])
        .env("GOWORK", "off")
        .current_dir(env::temp_dir())
        .output()
        .map_err(|error| format!("`go` does not run ({error})"))?;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if let (Some(folder), Some(found)) = (told["Dir"].as_str(), told["Sum"].as_str()) {
        assert_eq!(found, sum, "another {module} {version} than is pinned");
        return Ok(PathBuf::from(folder));
    }
    let problem = match told["Error"].as_str() {
        Some(problem) => problem.to_owned(),
        None => String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    Err(problem.split_whitespace().collect::<Vec<_>>().join(" "))
}
