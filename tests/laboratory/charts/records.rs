//! The recorded renders, and whether they are of the releases of today.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kiln::profiler::record::{RecordedRender, digest, unpack};

use crate::laboratory::examples::ExampleTree;
use crate::laboratory::releases::AppliedRelease;

/// Where the records lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/charts/proved")
}

static RECORDS: LazyLock<Vec<RecordedRender>> = LazyLock::new(read);

/// Reads the records from the disk.
fn read() -> Vec<RecordedRender> {
    let files = fs::read_dir(folder()).into_iter().flatten();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let of = |path: PathBuf| {
        let records = unpack(&path.display().to_string(), &fs::read(&path).unwrap());
        let records = records.unwrap_or_else(|error| panic!("{error}"));
        let name = path.file_name().unwrap().to_str().unwrap();
        let chart = name.strip_suffix(".json.gz").unwrap();
        assert!(records.iter().all(|record| record.chart == chart), "{name}");
        records
    };
    paths.into_iter().flat_map(of).collect()
}

/// Lists the records.
pub(crate) fn all() -> &'static [RecordedRender] {
    &RECORDS
}

/// Finds the record of a release of a tree, or says what is wrong with it.
pub(crate) fn recorded(
    tree: &ExampleTree,
    release: &AppliedRelease,
) -> Result<&'static RecordedRender, String> {
    find(all(), tree, release)
}

/// Finds the record of a release of a tree among others.
pub(crate) fn find<'r>(
    records: &'r [RecordedRender],
    tree: &ExampleTree,
    release: &AppliedRelease,
) -> Result<&'r RecordedRender, String> {
    let label = format!("{} of {}", release.label, tree.name);
    let found = records.iter().find(|record| {
        record.release == release.name
            && record.namespace == release.namespace
            && record.trees.contains(&tree.name)
    });
    let Some(record) = found else {
        return Err(format!("{label} has no record"));
    };
    let (values, post_renderers) = (digest(&release.values), digest(&release.post_renderers));
    let differs = [
        ("its chart", record.chart != release.chart),
        ("its chart's version", record.version != release.version),
        ("its values", record.values_digest != values),
        (
            "its post-renderers",
            record.post_renderers_digest != post_renderers,
        ),
        (
            "the version of Kubernetes",
            record.kubernetes != tree.kubernetes,
        ),
    ];
    let differs: Vec<&str> = differs
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(what, _)| *what)
        .collect();
    if differs.is_empty() {
        return Ok(record);
    }
    Err(format!(
        "the record of {label} is stale: {} changed",
        differs.join(", ")
    ))
}
