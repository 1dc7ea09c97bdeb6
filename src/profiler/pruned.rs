//! A copy of a chart without the templates that have nothing to do with workloads: it renders faster.

use std::collections::BTreeSet;

use super::chart::LoadedChart;
use super::reads::Reads;
use crate::source::MemoryFiles;

/// Returns the files of a chart that matter to its workloads and budgets.
///
/// Kept are the templates that print some, named templates, and what may stop a rendering, change values
/// or be included by its file name; all that is not a template is kept too, but for CRDs and documents.
pub(super) fn pruned(files: &MemoryFiles, chart: &LoadedChart, reads: &Reads) -> MemoryFiles {
    let mut left_out = BTreeSet::new();
    let charts = chart.all();
    let templates: Vec<&(String, String)> =
        charts.iter().flat_map(|chart| &chart.templates).collect();
    for (path, text) in &templates {
        let name = path.rsplit('/').next().unwrap_or(path);
        let included = |(other, text): &&&(String, String)| {
            other != path && text.contains(&format!("/{name}"))
        };
        let kept = reads.printers.contains(path)
            || name.starts_with('_')
            || ["fail ", "set .", "set $", "define "]
                .iter()
                .any(|word| text.contains(word))
            || templates.iter().any(|other| included(&other));
        if !kept {
            left_out.insert(path.as_str());
        }
    }
    let folders: Vec<&str> = charts.iter().map(|chart| chart.folder.as_str()).collect();
    let is_spare = |path: &str| {
        path.ends_with(".md")
            || folders.iter().any(|folder| {
                let inner = path.strip_prefix(folder).unwrap_or_default();
                inner.starts_with("crds/") || inner.starts_with("ci/")
            })
    };
    let kept = files
        .0
        .iter()
        .filter(|(path, _)| !left_out.contains(path.as_str()) && !is_spare(path));
    MemoryFiles(
        kept.map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect(),
    )
}
