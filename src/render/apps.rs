//! Apps: folders with an `app.toml` that says when they are rendered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use toml_span::ErrorKind;
use toml_span::value::{Table, Value};

use super::condition::Conditions;
use super::layers::Entry;
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source, Span, shown_key};
use crate::tree::App;

/// Where apps live, below the folder of templates.
const FOLDER: &str = "kubernetes/apps/";
/// The file of an app's Flux Kustomization, but for what follows the dot.
const FLUX_FILE: &str = "ks";
/// The file that makes a folder an app.
const MANIFEST: &str = "app.toml";
const KEYS: &[&str] = &["summary", "when", "tier", "needs"];
const TIERS: &[&str] = &["critical", "high", "standard", "low"];

/// Where a template stands in the tree of apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position<'p> {
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
pub(super) fn position(path: &str) -> Position<'_> {
    let Some(rest) = path.strip_prefix(FOLDER) else {
        return Position::Outside;
    };
    let mut parts = rest.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(namespace), Some(app), Some(MANIFEST)) => Position::Manifest(namespace, app),
        (Some(namespace), Some(app), Some(_)) => Position::App(namespace, app),
        (Some(namespace), Some(_), None) => Position::Namespace(namespace),
        _ => Position::Outside,
    }
}

/// Returns whether a template at a path below the folder of templates is rendered with these apps.
pub(super) fn is_on(path: &str, apps: &[App]) -> bool {
    let mut enabled = apps.iter().filter(|app| app.enabled);
    match position(path) {
        Position::Outside => true,
        Position::Manifest(..) => false,
        Position::Namespace(namespace) => enabled.any(|app| app.namespace == namespace),
        Position::App(namespace, name) => {
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

/// The `app.toml` of an app, with the places that messages need.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    /// The app; nothing is on before [`discover`].
    app: App,
    source: Arc<Source>,
    needs: Vec<(String, Span)>,
    when: Option<Span>,
}

/// Reads the manifests, sorted by namespace and name; what is wrong with them goes to `problems`.
pub(super) fn manifests(entries: &[Entry], problems: &mut Vec<Diagnostic>) -> Vec<Manifest> {
    let mut found = Vec::new();
    let mut known: BTreeMap<(&str, &str), AppFolder> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_partial()) {
        match position(&entry.path) {
            Position::Manifest(namespace, name) => {
                known.entry((namespace, name)).or_default().has_manifest = true;
                found.extend(read(entry, namespace, name, problems));
            }
            Position::App(namespace, name) => {
                let folder = known.entry((namespace, name)).or_default();
                folder.note(&entry.path);
            }
            Position::Outside | Position::Namespace(_) => {}
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
    manifests: &[Manifest],
    values: &Json,
    problems: &mut Vec<Diagnostic>,
) -> Vec<App> {
    let conditions = Conditions::new(values);
    let mut apps = Vec::new();
    for manifest in manifests {
        let Manifest {
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
        "app-without-manifest",
        format!("the app folder `{folder}` has no `{MANIFEST}`"),
    )
    .with_hint(format!("add `{folder}/{MANIFEST}` with `summary = \"…\"`"))
}

fn read(
    entry: &Entry,
    namespace: &str,
    name: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<Manifest> {
    let source = &entry.source;
    let parsed = match toml_span::parse(&source.text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = Span::new(error.span.start, error.span.end);
            let source = &source.keys_only();
            let first = match &error.kind {
                ErrorKind::DuplicateKey { first, .. } | ErrorKind::DuplicateTable { first, .. } => {
                    Some(span(*first))
                }
                _ => None,
            };
            let reason = match first {
                Some(_) => "a key is set twice".to_owned(),
                None => error.to_string(),
            };
            let problem = Diagnostic::error("app-manifest", format!("this is not TOML: {reason}"))
                .at(source, at, "");
            problems.push(match first {
                Some(first) => problem.with_related(Place::new(source, first), "first set here"),
                None => problem,
            });
            return None;
        }
    };
    let table = parsed.as_table()?;
    let strange = table.keys().any(|key| !KEYS.contains(&key.name.as_ref()));
    // It may be another file than it seems.
    let shown = if strange {
        source.keys_only()
    } else {
        Arc::clone(source)
    };
    let mut manifest = Reader {
        source: &shown,
        table,
        problems,
    };
    manifest.reject_unknown_keys();
    let summary = manifest.text("summary");
    if summary.is_none() && !table.contains_key("summary") {
        manifest.problem("an app needs a `summary`", Span::default());
    }
    let tier = manifest.tier();
    let needs = manifest.needs();
    let when = manifest.text("when");
    Some(Manifest {
        app: App {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            summary: summary.map_or_else(String::new, |(summary, _)| summary),
            tier,
            when: when.as_ref().map(|(condition, _)| condition.clone()),
            needs: needs.iter().map(|(need, _)| need.clone()).collect(),
            enabled: false,
        },
        source: Arc::clone(&shown),
        needs,
        when: when.map(|(_, span)| span),
    })
}

/// Reads a manifest.
struct Reader<'m, 'de> {
    source: &'m Arc<Source>,
    table: &'m Table<'de>,
    problems: &'m mut Vec<Diagnostic>,
}

impl<'m, 'de> Reader<'m, 'de> {
    fn problem(&mut self, message: impl Into<String>, span: Span) {
        self.problems
            .push(Diagnostic::error("app-manifest", message).at(self.source, span, ""));
    }

    fn reject_unknown_keys(&mut self) {
        for key in self
            .table
            .keys()
            .filter(|key| !KEYS.contains(&key.name.as_ref()))
        {
            let message = format!("an app has no key `{}`", shown_key(&key.name));
            self.problems.push(
                Diagnostic::error("app-manifest", message)
                    .at(self.source, span(key.span), "")
                    .with_suggestion(&key.name, KEYS.iter().copied()),
            );
        }
    }

    fn get(&self, key: &str) -> Option<&'m Value<'de>> {
        self.table.get(key)
    }

    fn text(&mut self, key: &str) -> Option<(String, Span)> {
        let value = self.get(key)?;
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => Some((text.to_owned(), span(value.span))),
            _ => {
                self.problem(
                    format!("`{key}` must be a string that says something"),
                    span(value.span),
                );
                None
            }
        }
    }

    /// Reads the tier; an app without one is a standard one.
    fn tier(&mut self) -> String {
        let Some((tier, at)) = self.text("tier") else {
            return "standard".to_owned();
        };
        if !TIERS.contains(&tier.as_str()) {
            let message = format!("there is no tier `{tier}`, only `{}`", TIERS.join("`, `"));
            self.problems.push(
                Diagnostic::error("app-manifest", message)
                    .at(self.source, at, "")
                    .with_suggestion(&tier, TIERS.iter().copied()),
            );
        }
        tier
    }

    fn needs(&mut self) -> Vec<(String, Span)> {
        let Some(value) = self.get("needs") else {
            return Vec::new();
        };
        let Some(items) = value.as_array() else {
            self.problem("`needs` must be a list of apps", span(value.span));
            return Vec::new();
        };
        let mut needs = Vec::new();
        for item in items {
            match item.as_str() {
                Some(name) => needs.push((name.to_owned(), span(item.span))),
                None => self.problem("`needs` must be a list of apps", span(item.span)),
            }
        }
        needs
    }
}

fn span(span: toml_span::Span) -> Span {
    Span::new(span.start, span.end)
}

/// Functions and `needs` name an app by its folder alone, so that must be enough.
fn check_names(found: &[Manifest], problems: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&str, &Manifest> = BTreeMap::new();
    for found in found {
        if let Some(other) = first.get(found.app.name.as_str()) {
            let message = format!(
                "the app `{}` is both in `{}` and in `{}`",
                found.app.name, other.app.namespace, found.app.namespace
            );
            problems.push(
                Diagnostic::error("app-twice", message)
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

fn check_needs(manifests: &[Manifest], apps: &[App], problems: &mut Vec<Diagnostic>) {
    for (dependent, app) in manifests.iter().zip(apps) {
        for (need, at) in &dependent.needs {
            let name = &app.name;
            let mut all = manifests.iter().zip(apps);
            match all.find(|(_, other)| other.name == *need) {
                None => {
                    let message = format!("`{name}` needs the app `{need}`, which does not exist");
                    let names = apps.iter().map(|other| other.name.as_str());
                    problems.push(
                        Diagnostic::error("app-needs", message)
                            .at(&dependent.source, *at, "")
                            .with_suggestion(need, names),
                    );
                }
                Some((manifest, other)) if app.enabled && !other.enabled => {
                    let message = format!("`{name}` is on and needs `{need}`, which is off");
                    let diagnostic = Diagnostic::error("app-needs", message)
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
    use super::{Position, position};

    #[test]
    fn knows_where_a_template_stands() {
        assert_eq!(position("talos/app.toml"), Position::Outside);
        assert_eq!(
            position("kubernetes/apps/kustomization.yaml"),
            Position::Outside
        );
        assert_eq!(
            position("kubernetes/apps/network/namespace.yaml.tera"),
            Position::Namespace("network")
        );
        assert_eq!(
            position("kubernetes/apps/network/dns/app.toml"),
            Position::Manifest("network", "dns")
        );
        assert_eq!(
            position("kubernetes/apps/network/dns/app/x.yaml"),
            Position::App("network", "dns")
        );
        assert_eq!(
            position("kubernetes/apps/network/dns/app/app.toml"),
            Position::App("network", "dns")
        );
    }
}
