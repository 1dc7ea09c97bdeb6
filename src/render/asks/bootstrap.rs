//! The releases that are installed before Flux runs, in the order that apps ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::AskCondition;
use crate::diagnostic::Diagnostic;
use crate::render::apps::AppManifest;
use crate::render::codes;
use crate::render::condition::Conditions;
use crate::render::layers::LayerEntry;
use crate::render::library::Library;
use crate::source::Span;
use crate::tree::is_secret_path;
use crate::yaml::decode::Table;

/// What the bootstrap reads of an app, below its folder.
const READ: [&str; 2] = ["app/ocirepository.yaml", "app/helmrelease.yaml"];

/// The `[bootstrap]` of an app.
#[derive(Clone, Debug)]
pub(super) struct BootstrapAsk {
    when: Option<AskCondition>,
    /// The apps whose releases come first.
    after: Vec<(String, Span)>,
    /// The apps whose releases come later.
    before: Vec<(String, Span)>,
    /// The sealed files below the folder of the app that its release needs.
    secrets: Vec<(String, Span)>,
    span: Span,
}

impl BootstrapAsk {
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        table.call("`[bootstrap]`");
        Self {
            when: AskCondition::decode(table),
            after: table.texts_at("after", "a list of apps"),
            before: table.texts_at("before", "a list of apps"),
            secrets: table.texts_at("secrets", "a list of files"),
            span: table.span(),
        }
    }
}

/// A release of the bootstrap.
#[derive(Clone, Copy)]
struct BootstrapRelease<'m> {
    manifest: &'m AppManifest,
    ask: &'m BootstrapAsk,
}

/// Returns the releases in an order in which each comes after those that it waits for, and the secrets that they need, as
/// templates see them.
pub(super) fn asked(
    library: &Library,
    asking: &[&AppManifest],
    conditions: &Conditions<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Json {
    let mut releases: BTreeMap<&str, BootstrapRelease<'_>> = BTreeMap::new();
    for manifest in asking {
        let Some(ask) = &manifest.asks.bootstrap else {
            continue;
        };
        if AskCondition::holds(ask.when.as_ref(), manifest, conditions, problems) {
            let release = BootstrapRelease { manifest, ask };
            release.check_files(library, problems);
            releases.insert(&manifest.app.name, release);
        }
    }
    let waits = waits(library, &releases, problems);
    let order = order(&releases, &waits, problems).unwrap_or_default();
    let shown = order.iter().map(|name| {
        let app = &releases[name].manifest.app;
        let needs: Vec<String> = direct(name, &waits)
            .into_iter()
            .map(|need| format!("{}/{need}", releases[need].manifest.app.namespace))
            .collect();
        json!({"name": app.name, "namespace": app.namespace, "needs": needs})
    });
    let secrets = order.iter().flat_map(|name| {
        let BootstrapRelease { manifest, ask } = releases[name];
        let file = |path: &str| format!("{}/{path}", folder(manifest));
        let all = ask.secrets.iter();
        all.map(move |(path, _)| json!({"namespace": manifest.app.namespace, "file": file(path)}))
    });
    json!({"releases": shown.collect::<Vec<_>>(), "secrets": secrets.collect::<Vec<_>>()})
}

/// Returns the folder of an app in the output.
fn folder(manifest: &AppManifest) -> String {
    let app = &manifest.app;
    format!("kubernetes/apps/{}/{}", app.namespace, app.name)
}

impl BootstrapRelease<'_> {
    /// Reports files that the bootstrap reads and that no template makes.
    fn check_files(self, library: &Library, problems: &mut Vec<Diagnostic>) {
        let folder = folder(self.manifest);
        let outputs: BTreeSet<&str> = library
            .entries
            .iter()
            .filter(|entry| entry.path.starts_with(&folder))
            .map(LayerEntry::output)
            .collect();
        let manifest = self.manifest;
        let name = &manifest.app.name;
        for path in READ {
            if !outputs.contains(format!("{folder}/{path}").as_str()) {
                let message =
                    format!("the bootstrap takes `{name}` from `{path}`, which no template makes");
                problems.push(
                    Diagnostic::error(&codes::APP_ASKS, message)
                        .at_place(manifest.place(self.ask.span), "")
                        .with_hint(format!(
                            "add `{folder}/{path}`, or leave the app to Flux: remove `[bootstrap]`"
                        )),
                );
            }
        }
        for (path, span) in &self.ask.secrets {
            let full = format!("{folder}/{path}");
            let problem = if !outputs.contains(full.as_str()) {
                format!("`{name}` has no file `{path}`")
            } else if !is_secret_path(path) {
                format!("`{path}` is not sealed, so that it is no secret of the bootstrap")
            } else {
                continue;
            };
            let sealed = outputs.iter().filter(|path| is_secret_path(path));
            let sealed = sealed.filter_map(|path| path.strip_prefix(&folder)?.strip_prefix('/'));
            problems.push(
                Diagnostic::error(&codes::APP_ASKS, problem)
                    .at_place(manifest.place(*span), "")
                    .with_suggestion(path, sealed)
                    .with_hint(
                        "name files below the folder of the app, such as `app/secret.sops.yaml`",
                    ),
            );
        }
    }
}

/// The releases that each one waits for.
type Waits<'m> = BTreeMap<&'m str, BTreeSet<&'m str>>;

/// Finds what each release waits for; an app that is off is not waited for.
fn waits<'m>(
    library: &'m Library,
    releases: &BTreeMap<&'m str, BootstrapRelease<'m>>,
    problems: &mut Vec<Diagnostic>,
) -> Waits<'m> {
    let mut waits: Waits<'m> = releases
        .keys()
        .map(|name| (*name, BTreeSet::new()))
        .collect();
    let names = || library.manifests.iter().map(|one| one.app.name.as_str());
    for (name, release) in releases {
        let ask = release.ask;
        let after = ask.after.iter().map(|other| (other, false));
        let before = ask.before.iter().map(|other| (other, true));
        for ((other, span), comes_first) in after.chain(before) {
            let Some((other, _)) = releases.get_key_value(other.as_str()) else {
                let known = library.manifests.iter().find(|one| one.app.name == *other);
                let place = release.manifest.place(*span);
                match known {
                    None => problems.push(
                        Diagnostic::error(&codes::APP_ASKS, format!("there is no app `{other}`"))
                            .at_place(place, "")
                            .with_suggestion(other, names()),
                    ),
                    Some(known) if known.asks.bootstrap.is_none() => problems.push(
                        Diagnostic::error(
                            &codes::APP_ASKS,
                            format!("`{other}` is not in the bootstrap, so that `{name}` has no place beside it there"),
                        )
                        .at_place(place, "")
                        .with_hint(format!("add `[bootstrap]` to the `app.toml` of `{other}`, or name another app")),
                    ),
                    Some(_) => {}
                }
                continue;
            };
            let (later, first) = if comes_first {
                (*other, *name)
            } else {
                (*name, *other)
            };
            waits.entry(later).or_default().insert(first);
        }
    }
    waits
}

/// Puts the releases in order; `None` where they wait for each other.
fn order<'m>(
    releases: &BTreeMap<&'m str, BootstrapRelease<'m>>,
    waits: &Waits<'m>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<&'m str>> {
    let mut order: Vec<&str> = Vec::new();
    while order.len() < releases.len() {
        let is_ready = |name: &&&'m str| {
            !order.contains(*name) && waits[**name].iter().all(|first| order.contains(first))
        };
        if let Some(next) = releases.keys().find(is_ready) {
            order.push(next);
            continue;
        }
        let stuck: Vec<&str> = releases
            .keys()
            .copied()
            .filter(|name| !order.contains(name))
            .collect();
        let shown: Vec<String> = stuck.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "these releases of the bootstrap wait for each other: {}",
            shown.join(", ")
        );
        let mut problem = Diagnostic::error(&codes::APP_ASKS, message)
            .with_hint("take one of them out of an `after` or `before`");
        for (number, name) in stuck.iter().enumerate() {
            let release = releases[name];
            let place = release.manifest.place(release.ask.span);
            problem = match number {
                0 => problem.at_place(place, ""),
                _ => problem.with_related(place, "and this one"),
            };
        }
        problems.push(problem);
        return None;
    }
    Some(order)
}

/// Lists what a release waits for, without what another of these waits for itself.
fn direct<'m>(name: &str, waits: &Waits<'m>) -> Vec<&'m str> {
    let own = &waits[name];
    let own_of = own.iter().copied();
    own_of
        .filter(|need| !own.iter().any(|other| reaches(other, need, waits)))
        .collect()
}

/// Returns whether a release waits for another one, perhaps by way of others; there is no circle.
fn reaches(from: &str, to: &str, waits: &Waits<'_>) -> bool {
    waits[from]
        .iter()
        .any(|next| *next == to || reaches(next, to, waits))
}
