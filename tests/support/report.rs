//! Dated reports of the maintainers' runs, and whether they still speak of what is in the tree.
//!
//! The format is written down in `tests/oracles/README.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::yaml;
use regex::Regex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Where reports stand, from the repository's root.
pub(crate) const REPORTS: &str = "tests/oracles/reports";

/// The header of a report: when it was made, how, and of which files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportHeader {
    /// The file's name without `.md`.
    report: String,
    /// The day of the run.
    date: String,
    /// The command that makes the report anew.
    run: String,
    /// The digest of what each glob matched.
    inputs: BTreeMap<String, String>,
}

/// Writes a report of a run that ended just now over the files that `inputs` name in `root`.
///
/// `body` is Markdown below the header. The run must have read nothing of the repository that no glob
/// matches: the report is trusted until one of these files changes.
pub(crate) fn write_report(root: &Path, name: &str, run: &str, inputs: &[&str], body: &str) {
    let mut text = String::from("---\n");
    let date = jiff::Zoned::now().date();
    write!(
        text,
        "report: {name}\ndate: {date}\nrun: {run:?}\ninputs:\n"
    )
    .unwrap();
    for glob in inputs {
        let digest = digest(root, glob).unwrap_or_else(|problem| panic!("{problem}"));
        writeln!(text, "  {glob:?}: {digest}").unwrap();
    }
    write!(text, "---\n\n{}\n", body.trim()).unwrap();
    fs::create_dir_all(root.join(REPORTS)).unwrap();
    fs::write(root.join(REPORTS).join(format!("{name}.md")), text).unwrap();
}

/// Judges a report: `Ok` where its inputs are what they were on its date, else one message that says
/// what changed and how to make the report anew.
pub(crate) fn judge_report(root: &Path, path: &Path) -> Result<(), String> {
    let shown = path.strip_prefix(root).unwrap_or(path).display();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let header = text
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .ok_or_else(|| format!("{shown} has no header between two lines of `---`"))?
        .0;
    let header = read_header(header).map_err(|problem| format!("{shown}: {problem}"))?;
    if path.file_stem().and_then(|name| name.to_str()) != Some(&header.report) {
        return Err(format!("{shown} calls itself `{}`", header.report));
    }
    let date: jiff::civil::Date = header
        .date
        .parse()
        .map_err(|error| format!("{shown}: date: {error}"))?;
    // Somewhere it is tomorrow already.
    if date > jiff::Zoned::now().date().tomorrow().unwrap() {
        return Err(format!("{shown} is of {date}, which is yet to come"));
    }
    if header.inputs.is_empty() {
        return Err(format!("{shown} names no inputs: it would never be old"));
    }
    let mut changed = Vec::new();
    for (glob, then) in &header.inputs {
        let now = digest(root, glob).map_err(|problem| format!("{shown}: {problem}"))?;
        if now != *then {
            changed.push(format!("`{glob}`"));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{shown} is of {}, and {} changed since: run `{}` and commit the report",
        header.date,
        changed.join(", "),
        header.run
    ))
}

fn read_header(text: &str) -> Result<ReportHeader, String> {
    let documents = yaml::load(text).map_err(|error| error.message)?;
    let header = documents.first().ok_or("an empty header")?;
    let header = header.root.to_kubernetes();
    serde_json::from_value(header).map_err(|error| error.to_string())
}

/// Digests the paths and bytes of all files that a glob matches: `*` within a name, `**` through folders.
fn digest(root: &Path, glob: &str) -> Result<String, String> {
    let mut files = Vec::new();
    let start = glob.split('*').next().unwrap();
    let start = start.rsplit_once('/').map_or("", |(folder, _)| folder);
    list_files(root, Path::new(start), &mut files);
    let pattern = regex::escape(glob)
        .replace(r"\*\*", ".+")
        .replace(r"\*", "[^/]*");
    let pattern = Regex::new(&format!("^{pattern}$")).unwrap();
    files.retain(|file| pattern.is_match(file));
    files.sort();
    if files.is_empty() {
        return Err(format!("`{glob}` matches no file"));
    }
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs::read(root.join(&file)).map_err(|error| format!("{file}: {error}"))?;
        hash.update(format!("{file}\0{}\0", bytes.len()));
        hash.update(bytes);
    }
    let mut shown = String::from("sha256:");
    for byte in hash.finalize() {
        write!(shown, "{byte:02x}").unwrap();
    }
    Ok(shown)
}

fn list_files(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).into_iter().flatten() {
        let entry = entry.unwrap();
        let path: PathBuf = folder.join(entry.file_name());
        let is_folder = entry.file_type().unwrap().is_dir();
        if !is_folder {
            found.push(path.to_str().unwrap().to_owned());
        } else if path != Path::new("target") && entry.file_name() != ".git" {
            list_files(root, &path, found);
        }
    }
}
