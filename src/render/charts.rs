//! Which charts an app installs, as its templates name them.

use super::apps::{AppPosition, position};
use super::layers::LayerEntry;
use super::version_reads;
use crate::config::cluster::versions::{VersionGroup, VersionTable};
use crate::tree::App;

/// A chart and the version that is installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstalledChart {
    /// The last part of its address.
    pub name: String,
    /// The version, as written.
    pub version: String,
}

/// Finds the charts of an app, sorted by name: those whose versions its templates read, and those that its
/// `OCIRepository` and `HelmRelease` objects spell out.
///
/// The templates are read as text, because those of an app that is off cannot be rendered: its
/// options may be missing. A name or version that a tag computes otherwise is left out.
pub(super) fn of(
    app: &App,
    entries: &[LayerEntry],
    versions: &VersionTable,
) -> Vec<InstalledChart> {
    let mut charts: Vec<InstalledChart> = entries
        .iter()
        .filter(|entry| position(&entry.path) == AppPosition::App(&app.namespace, &app.name))
        .flat_map(|entry| {
            let text = &entry.source.text;
            [in_text(text), read_in(text, versions)].concat()
        })
        .collect();
    charts.sort();
    charts.dedup();
    charts
}

/// Lists the charts whose versions a template reads.
fn read_in(text: &str, versions: &VersionTable) -> Vec<InstalledChart> {
    let reads = version_reads::in_text(text).into_iter();
    let charts = reads.filter(|key| key.group == VersionGroup::Charts);
    let chart = |key| {
        let entry = versions.entries.get(&key)?;
        let source = entry.source.as_deref().unwrap_or_default();
        let artifact = source.strip_prefix("oci://");
        let name = artifact.and_then(|path| path.rsplit('/').next());
        Some(InstalledChart {
            name: name.unwrap_or(&key.name).to_owned(),
            version: entry.version.clone(),
        })
    };
    charts.filter_map(chart).collect()
}

fn in_text(text: &str) -> Vec<InstalledChart> {
    let documents = text.split("\n---");
    documents
        .filter_map(|document| {
            let kind = value(document, "kind:")?;
            let (name, version) = match kind {
                "OCIRepository" => {
                    let (_, name) = value(document, "url:")?.rsplit_once('/')?;
                    (name, value(document, "tag:")?)
                }
                "HelmRelease" => (value(document, "chart:")?, value(document, "version:")?),
                _ => return None,
            };
            Some(InstalledChart {
                name: name.to_owned(),
                version: version.to_owned(),
            })
        })
        .collect()
}

/// Returns the first value that is written behind a key on its line.
fn value<'t>(document: &'t str, key: &str) -> Option<&'t str> {
    document.lines().find_map(|line| {
        let written = line.trim_start().strip_prefix(key)?.split('#').next()?;
        let written = written.trim().trim_matches(['"', '\'']);
        (!written.is_empty()).then_some(written)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_repositories_and_releases() {
        let text = "---\nkind: OCIRepository\nspec:\n  url: oci://quay.io/jetstack/charts/cert-manager\n  ref:\n    tag: v1.19.2\n---\nkind: HelmRelease\nspec:\n  chart:\n    spec:\n      chart: tempo\n      # renovate: x\n      version: 1.24.1\n";
        let charts = in_text(text);
        let shown: Vec<String> = charts
            .iter()
            .map(|chart| format!("{} {}", chart.name, chart.version))
            .collect();
        assert_eq!(shown, ["cert-manager v1.19.2", "tempo 1.24.1"]);
    }

    #[test]
    fn leaves_out_what_a_tag_computes() {
        let text = "kind: OCIRepository\nspec:\n  url: oci://example.com/a\n  ref:\n    tag: #{ app.options.version }#\n";
        assert_eq!(in_text(text), []);
    }
}
