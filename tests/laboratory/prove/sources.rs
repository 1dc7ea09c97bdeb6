//! The charts at hand: `DIR/<name>-<version>/` or `.tgz`, as `helm pull` writes them, and `DIR/nearest.tsv` with the chart, the
//! version wanted and the version that stands in for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(super) struct ChartSources {
    folder: PathBuf,
    nearest: BTreeMap<(String, String), String>,
}

/// A chart that was found.
pub(super) struct ChartSource {
    pub(super) path: PathBuf,
    /// Its version, where it is not the one that was asked for.
    pub(super) nearest: Option<String>,
}

impl ChartSources {
    pub(super) fn open(folder: &Path) -> Self {
        assert!(folder.is_dir(), "there is no folder {}", folder.display());
        let list = fs::read_to_string(folder.join("nearest.tsv")).unwrap_or_default();
        let lines = list
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let nearest = lines.map(|line| {
            let mut words = line.split('\t').map(str::to_owned);
            let mut word = || {
                words
                    .next()
                    .unwrap_or_else(|| panic!("nearest.tsv: {line}"))
            };
            ((word(), word()), word())
        });
        Self {
            folder: folder.to_owned(),
            nearest: nearest.collect(),
        }
    }

    /// Finds a chart of a version, or the one that stands in for it.
    pub(super) fn find(&self, chart: &str, version: &str) -> Option<ChartSource> {
        let at = |version: &str| {
            let names = [
                format!("{chart}-{version}"),
                format!("{chart}-{version}.tgz"),
            ];
            names
                .map(|name| self.folder.join(name))
                .into_iter()
                .find(|path| path.exists())
        };
        let exact = at(version).or_else(|| at(version.trim_start_matches('v')));
        if let Some(path) = exact {
            return Some(ChartSource {
                path,
                nearest: None,
            });
        }
        let nearest = self.nearest.get(&(chart.to_owned(), version.to_owned()))?;
        let path = at(nearest)?;
        Some(ChartSource {
            path,
            nearest: Some(nearest.clone()),
        })
    }
}
