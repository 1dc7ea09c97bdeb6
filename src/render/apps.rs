//! Apps: folders with an `app.toml` that says when they are rendered.

mod manifest;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::condition::Conditions;
use super::layers::LayerEntry;
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::source::Place;
use crate::tree::App;
pub(super) use manifest::AppManifest;

/// Where apps live, below the folder of templates.
const FOLDER: &str = "kubernetes/apps/";
/// The file of an app's Flux Kustomization, but for what follows the dot.
const FLUX_FILE: &str = "ks";
/// The file that makes a folder an app.
const MANIFEST: &str = "app.toml";

/// Where a template stands in the tree of apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppPosition<'p> {
    /// Outside: always rendered.
    Outside,
    /// Directly in the folder of a namespace: rendered when one of its apps is on.
    Namespace(&'p str),
    /// In the folder of an app: rendered when the app is on.
    App(&'p str, &'p str),
    /// The `app.toml` itself: never an output.
    Manifest(&'p str, &'p str),
}

/// Says where a path below the folder of templates stands.
pub(super) fn position(path: &str) -> AppPosition<'_> {
    let Some(rest) = path.strip_prefix(FOLDER) else {
        return AppPosition::Outside;
    };
    let mut parts = rest.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(namespace), Some(app), Some(MANIFEST)) => AppPosition::Manifest(namespace, app),
        (Some(namespace), Some(app), Some(_)) => AppPosition::App(namespace, app),
        (Some(namespace), Some(_), None) => AppPosition::Namespace(namespace),
        _ => AppPosition::Outside,
    }
}

/// Returns whether a template at a path below the folder of templates is rendered with these apps.
pub(super) fn is_on(path: &str, apps: &[App]) -> bool {
    let mut enabled = apps.iter().filter(|app| app.enabled);
    match position(path) {
        AppPosition::Outside => true,
        AppPosition::Manifest(..) => false,
        AppPosition::Namespace(namespace) => enabled.any(|app| app.namespace == namespace),
        AppPosition::App(namespace, name) => {
            enabled.any(|app| app.namespace == namespace && app.name == name)
        }
    }
}

/// What is known of a folder that stands where apps do.
#[derive(Clone, Copy, Debug, Default)]
struct AppFolder {
    has_manifest: bool,
    /// Whether its own Flux Kustomization is in it.
    has_own: bool,
    /// Whether a folder in it has a Flux Kustomization.
    has_inner: bool,
}

impl AppFolder {
    fn note(&mut self, path: &str) {
        let inside = path.splitn(5, '/').nth(4).unwrap_or_default();
        let (folder, name) = inside.rsplit_once('/').unwrap_or(("", inside));
        if name.split('.').next() == Some(FLUX_FILE) {
            match folder {
                "" => self.has_own = true,
                _ => self.has_inner = true,
            }
        }
    }

    /// Returns whether it is an app without a manifest. One whose apps lie a level deeper, as in a repository of several
    /// clusters, is none.
    fn lacks_manifest(self) -> bool {
        !self.has_manifest && (self.has_own || !self.has_inner)
    }
}

/// Reads the manifests, sorted by namespace and name; what is wrong with them goes to `problems`.
pub(super) fn manifests(
    entries: &[LayerEntry],
    problems: &mut Vec<Diagnostic>,
) -> Vec<AppManifest> {
    let mut found = Vec::new();
    let mut known: BTreeMap<(&str, &str), AppFolder> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_partial()) {
        match position(&entry.path) {
            AppPosition::Manifest(namespace, name) => {
                known.entry((namespace, name)).or_default().has_manifest = true;
                found.extend(AppManifest::read(entry, namespace, name, problems));
            }
            AppPosition::App(namespace, name) => {
                let folder = known.entry((namespace, name)).or_default();
                folder.note(&entry.path);
            }
            AppPosition::Outside | AppPosition::Namespace(_) => {}
        }
    }
    for ((namespace, name), _) in known.iter().filter(|(_, folder)| folder.lacks_manifest()) {
        problems.push(without_manifest(namespace, name));
    }
    check_names(&found, problems);
    found.sort_by(|a, b| (&a.app.namespace, &a.app.name).cmp(&(&b.app.namespace, &b.app.name)));
    found
}

/// Decides which apps are on.
pub(super) fn discover(
    manifests: &[AppManifest],
    values: &Json,
    problems: &mut Vec<Diagnostic>,
) -> Vec<App> {
    let conditions = Conditions::new(values);
    let mut apps = Vec::new();
    for manifest in manifests {
        let AppManifest {
            app, source, when, ..
        } = manifest;
        let mut app = app.clone();
        app.enabled = app.when.as_ref().zip(*when).is_none_or(|(when, span)| {
            let holds = conditions.holds(when, &Place::new(source, span));
            holds.unwrap_or_else(|problem| {
                problems.push(*problem);
                false
            })
        });
        apps.push(app);
    }
    check_needs(manifests, &apps, problems);
    apps
}

fn without_manifest(namespace: &str, name: &str) -> Diagnostic {
    let folder = format!("{FOLDER}{namespace}/{name}");
    Diagnostic::error(
        &codes::APP_WITHOUT_MANIFEST,
        format!("the app folder `{folder}` has no `{MANIFEST}`"),
    )
    .with_hint(format!("add `{folder}/{MANIFEST}` with `summary = \"…\"`"))
}

/// Functions and `needs` name an app by its folder alone, so that must be enough.
fn check_names(found: &[AppManifest], problems: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&str, &AppManifest> = BTreeMap::new();
    for found in found {
        if let Some(other) = first.get(found.app.name.as_str()) {
            let message = format!(
                "the app `{}` is both in `{}` and in `{}`",
                found.app.name, other.app.namespace, found.app.namespace
            );
            problems.push(
                Diagnostic::error(&codes::APP_TWICE, message)
                    .at(&found.source, found.source.line_span(1), "")
                    .with_related(
                        Place::new(&other.source, other.source.line_span(1)),
                        "the other one",
                    )
                    .with_hint("rename one of the folders"),
            );
        } else {
            first.insert(&found.app.name, found);
        }
    }
}

fn check_needs(manifests: &[AppManifest], apps: &[App], problems: &mut Vec<Diagnostic>) {
    for (dependent, app) in manifests.iter().zip(apps) {
        for (need, at) in &dependent.needs {
            let name = &app.name;
            let mut all = manifests.iter().zip(apps);
            match all.find(|(_, other)| other.name == *need) {
                None => {
                    let message = format!("`{name}` needs the app `{need}`, which does not exist");
                    let names = apps.iter().map(|other| other.name.as_str());
                    problems.push(
                        Diagnostic::error(&codes::APP_NEEDS, message)
                            .at(&dependent.source, *at, "")
                            .with_suggestion(need, names),
                    );
                }
                Some((manifest, other)) if app.enabled && !other.enabled => {
                    let message = format!("`{name}` is on and needs `{need}`, which is off");
                    let diagnostic = Diagnostic::error(&codes::APP_NEEDS, message)
                        .at(&dependent.source, *at, "")
                        .with_hint(format!("turn `{need}` on, or `{name}` off"));
                    problems.push(match manifest.when {
                        Some(when) => diagnostic
                            .with_related(Place::new(&manifest.source, when), "this does not hold"),
                        None => diagnostic,
                    });
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AppPosition, position};

    #[test]
    fn knows_where_a_template_stands() {
        assert_eq!(position("talos/app.toml"), AppPosition::Outside);
        assert_eq!(
            position("kubernetes/apps/kustomization.yaml"),
            AppPosition::Outside
        );
        assert_eq!(
            position("kubernetes/apps/network/namespace.yaml.tera"),
            AppPosition::Namespace("network")
        );
        assert_eq!(
            position("kubernetes/apps/network/dns/app.toml"),
            AppPosition::Manifest("network", "dns")
        );
        assert_eq!(
            position("kubernetes/apps/network/dns/app/x.yaml"),
            AppPosition::App("network", "dns")
        );
        assert_eq!(
            position("kubernetes/apps/network/dns/app/app.toml"),
            AppPosition::App("network", "dns")
        );
    }
}
