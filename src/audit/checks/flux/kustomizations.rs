//! Checks of Flux Kustomizations.

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use crate::audit::review::Subject;
use crate::audit::{Check, Verdict};
use crate::flux::builds::Member;
use crate::yaml::{Node, Route};

const GROUP: &str = "kustomize.toolkit.fluxcd.io";
const KIND: &str = "Kustomization";

pub(super) const ORDER: Check = check(
    "ks-order",
    "What others depend on is in the tree, and in no circle",
    3,
    "A Kustomization whose `dependsOn` leads nowhere, or back to itself, is never applied.",
    |review| {
        review.objects(GROUP, KIND, "spec.dependsOn", |subject, member| {
            let links = links(subject);
            let own = key(member);
            let wanted = links.get(&own)?;
            if wanted.is_empty() {
                return None;
            }
            if let Some((namespace, name)) = wanted.iter().find(|one| !links.contains_key(*one)) {
                let reason = format!("there is no Kustomization `{namespace}/{name}`");
                return Some(Verdict::Fail(reason));
            }
            let mut seen = BTreeSet::new();
            let mut pending: Vec<_> = wanted.iter().collect();
            while let Some(next) = pending.pop() {
                if *next == own {
                    return Some(Verdict::Fail("it depends on itself".to_owned()));
                }
                if seen.insert(next) {
                    pending.extend(links.get(next).into_iter().flatten());
                }
            }
            Some(Verdict::Pass)
        });
    },
);

pub(super) const WAIT: Check = check(
    "ks-wait",
    "What others depend on is waited for",
    2,
    "Without `wait: true` or `healthChecks`, a Kustomization counts as ready as soon as its objects are accepted, and those that depend on it start too early. Asked of Kustomizations that another depends on.",
    |review| {
        review.objects(GROUP, KIND, "spec.wait", |subject, member| {
            let own = key(member);
            let links = links(subject);
            links.values().flatten().find(|wanted| **wanted == own)?;
            let checks = ["spec.healthChecks", "spec.healthCheckExprs"];
            let waits = member.object.text("spec.wait") == Some("true")
                || checks
                    .iter()
                    .any(|route| member.object.find(route).is_some());
            Some(Verdict::when(waits, "it is not waited for"))
        });
    },
);

pub(super) const PRUNE: Check = check(
    "ks-prune",
    "Namespaces and volumes outlive a slip of the keyboard",
    2,
    "Flux removes what left the tree. For a Namespace that means everything in it, and for a volume its data: the annotation or label `kustomize.toolkit.fluxcd.io/prune: disabled` keeps both.",
    |review| {
        for kind in ["Namespace", "PersistentVolume"] {
            review.objects("", kind, "metadata.annotations", |_, member| {
                let key = "kustomize.toolkit.fluxcd.io/prune";
                let kept = ["metadata.annotations", "metadata.labels"]
                    .iter()
                    .any(|at| {
                        let node = member.object.root.at(&Route::parse(at).then(key));
                        node.and_then(Node::text) == Some("disabled")
                    });
                Some(Verdict::when(kept, "Flux may remove it"))
            });
        }
    },
);

pub(super) const DECRYPT: Check = check(
    "ks-decrypt",
    "Kustomizations with sealed files can decrypt them",
    3,
    "Without `spec.decryption`, Flux applies the ciphertext as it is. A patch of the Kustomization above counts. Asked of Kustomizations that take in a sealed file.",
    |review| {
        let patched = review
            .subject
            .is_patched(|patch| patch.contains("decryption"));
        review.objects(GROUP, KIND, "spec.decryption", |subject, member| {
            let index = build(subject, member)?;
            let mut inside = subject.all().filter(|one| one.build == index);
            if !inside.any(|one| one.object.file.is_secret()) {
                return None;
            }
            let set = member.object.find("spec.decryption").is_some();
            Some(Verdict::when(set || patched, "it has no `decryption`"))
        });
    },
);

pub(super) const SUBSTITUTION: Check = check(
    "ks-subst",
    "Every variable for Flux to fill in has a source or a default",
    2,
    "`${NAME}` without a source becomes nothing at all. Sources are `substitute`, and the secrets and config maps of `substituteFrom`, in the Kustomization or in a patch of the one above; of those that are not in the tree nobody knows the keys. Asked of Kustomizations with variables.",
    |review| {
        let patched = review
            .subject
            .is_patched(|patch| patch.contains("substituteFrom"));
        review.objects(GROUP, KIND, "spec.postBuild", |subject, member| {
            let index = build(subject, member)?;
            let mut names = BTreeSet::new();
            for one in subject.all().filter(|one| one.build == index) {
                if !one.object.file.is_secret() {
                    names.extend(variables(&one.object.file.source.text));
                }
            }
            if names.is_empty() {
                return None;
            }
            let post = |route: &str| member.object.find(&format!("spec.postBuild.{route}"));
            if !patched && post("substitute").is_none() && post("substituteFrom").is_none() {
                // Without `postBuild` nothing is filled in: the text is meant as it is.
                return None;
            }
            let given = post("substitute").and_then(Node::entries);
            let given: BTreeSet<&str> = given
                .into_iter()
                .flatten()
                .map(|entry| entry.key.as_str())
                .collect();
            let open = names.iter().find(|name| !given.contains(name.as_str()));
            let Some(open) = open else {
                return Some(Verdict::Pass);
            };
            let elsewhere = patched || post("substituteFrom").is_some();
            Some(match sources(subject, open) {
                true if elsewhere => Verdict::Pass,
                _ if elsewhere => Verdict::Unknown(format!("nothing in the tree gives `{open}`")),
                _ => Verdict::Fail(format!("nothing gives `{open}`")),
            })
        });
    },
);

type Key = (String, String);

fn key(member: &Member<'_>) -> Key {
    (member.namespace_name().to_owned(), member.name.clone())
}

/// Lists what each Kustomization depends on.
fn links(subject: &Subject<'_>) -> BTreeMap<Key, Vec<Key>> {
    let all = subject.objects(GROUP, KIND);
    let links = all.iter().map(|member| {
        let wanted = member.object.find("spec.dependsOn").and_then(Node::items);
        let wanted = wanted.into_iter().flatten().filter_map(|one| {
            let namespace = one.find_text("namespace");
            let namespace = namespace.unwrap_or_else(|| member.namespace_name());
            Some((namespace.to_owned(), one.find_text("name")?.to_owned()))
        });
        (key(member), wanted.collect())
    });
    links.collect()
}

/// Returns the index of the build that a Kustomization starts.
fn build(subject: &Subject<'_>, member: &Member<'_>) -> Option<usize> {
    let builds = &subject.builds.applied.builds;
    builds.iter().position(|build| {
        build.kustomization().is_some()
            && build.owner.name == member.name
            && build.owner.namespace == member.namespace_name()
    })
}

/// Lists the variables of a text that have no default.
fn variables(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("${") {
        if text[..at].ends_with('$') {
            continue;
        }
        let rest = &text[at + 2..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !name.is_empty() && after.starts_with('}') {
            found.push(name.to_owned());
        }
    }
    found
}

/// Returns whether a secret or config map of the tree has a key.
fn sources(subject: &Subject<'_>, name: &str) -> bool {
    ["Secret", "ConfigMap"].iter().any(|kind| {
        subject.objects("", kind).iter().any(|member| {
            ["data", "stringData"].iter().any(|field| {
                let found = member.object.find(field);
                found.and_then(|found| found.get(name)).is_some()
            })
        })
    })
}
