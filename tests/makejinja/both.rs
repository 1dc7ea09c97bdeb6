//! One project, rendered by makejinja and by Kiln, each in a copy of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::Sandbox;

/// A file: what it holds, and whether it may be run.
pub(super) type Outcome = BTreeMap<String, (Vec<u8>, bool)>;

/// Lists the files below a folder.
pub(super) fn outcome(folder: &Path) -> Outcome {
    let mut found = Outcome::new();
    collect(folder, "", &mut found);
    found
}

fn collect(folder: &Path, below: &str, found: &mut Outcome) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let meta = fs::metadata(entry.path()).unwrap();
        if meta.is_dir() {
            collect(&entry.path(), &path, found);
        } else {
            let runs = meta.permissions().mode() & 0o100 != 0;
            found.insert(path, (fs::read(entry.path()).unwrap(), runs));
        }
    }
}

/// Renders with makejinja, and returns what it wrote or how it failed.
pub(super) fn by_makejinja(
    makejinja: &Path,
    project: &Sandbox,
    output: &str,
) -> Result<Outcome, String> {
    let run = Command::new(makejinja)
        .current_dir(project.path(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    if run.status.success() {
        Ok(outcome(&project.path(output)))
    } else {
        // The traceback goes through makejinja itself before it says anything.
        let told = String::from_utf8_lossy(&run.stderr);
        let lines: Vec<&str> = told.lines().collect();
        Err(lines[lines.len().saturating_sub(4)..].join("\n"))
    }
}

/// Renders with Kiln, and returns what it wrote or how it failed.
pub(super) fn by_kiln(project: &Sandbox, output: &str) -> Result<Outcome, String> {
    let run = project
        .command()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .arg("render")
        .output()
        .unwrap();
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned());
    }
    let mut found = outcome(&project.path(output));
    found.remove("kiln.lock");
    Ok(found)
}

/// Says in what two outcomes differ; empty if in nothing.
pub(super) fn difference(makejinja: &Outcome, kiln: &Outcome) -> String {
    let mut told = String::new();
    for (path, (bytes, runs)) in makejinja {
        match kiln.get(path) {
            None => writeln!(told, "{path}: missing").unwrap(),
            Some((other, _)) if other != bytes => {
                let [theirs, ours] = [bytes, other].map(|bytes| String::from_utf8_lossy(bytes));
                write!(
                    told,
                    "{path}: makejinja {theirs:?}\n{path}: kiln      {ours:?}\n"
                )
                .unwrap();
            }
            Some((_, other)) if other != runs => writeln!(told, "{path}: another mode").unwrap(),
            Some(_) => {}
        }
    }
    for path in kiln.keys().filter(|path| !makejinja.contains_key(*path)) {
        writeln!(told, "{path}: only Kiln makes it").unwrap();
    }
    told
}
