//! Rules about images, charts and what proves where they come from.

mod image_missing;

use kustomize::Field;

use super::subject::JudgedSubject;
use super::{Category, Rule, Verdict};
use crate::diagnostic::Meaning;
use crate::workload::WorkloadContainer;

const SOURCE: &str = "source.toolkit.fluxcd.io";

pub(super) const RULES: &[Rule] = &[
    Rule {
        meaning: Meaning {
            code: "image-tag",
            summary: "Every image has a tag other than `latest`",
            text: "\
`latest`, or no tag at all, is another program on every node and after every restart. A digest is as good as a tag.
Asked of images that are known.",
        },
        category: Category::Images,
        severity: None,
        weight: 2,
        remedy: None,
        judge: |judge| {
            judge.containers("image", |_| true, |_, container| {
                let (tag, digest) = parts(image(container)?);
                let fine = digest || tag.is_some_and(|tag| tag != "latest");
                Some(Verdict::when(fine, "its image has no tag, or `latest`"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "image-digest",
            summary: "Every image is pinned by digest",
            text: "\
A tag can be moved to another image, a digest cannot. Renovate keeps both up to date.",
        },
        category: Category::Images,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.containers("image", |_| true, |_, container| {
                let (_, digest) = parts(image(container)?);
                Some(Verdict::when(digest, "its image has a tag only"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "pull-policy",
            summary: "Images are pulled anew at each start",
            text: "\
Shown and not counted: with images pinned by tag or digest, and with a mirror such as Spegel, `Always` only makes starts
depend on the registry.",
        },
        category: Category::Images,
        severity: None,
        weight: 0,
        remedy: None,
        judge: |judge| {
            judge.containers("imagePullPolicy", |_| true, |_, container| {
                let policy = container.value["imagePullPolicy"].as_str();
                Some(Verdict::when(policy == Some("Always"), "it is not `Always`"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "image-signature",
            summary: "A policy verifies the signatures of images",
            text: "\
A Kyverno policy with `verifyImages`, an ImageValidatingPolicy or a ClusterImagePolicy of Sigstore's policy controller lets
only signed images in. Whether an image is signed cannot be told from the tree. Asked once, at the start of the tree.",
        },
        category: Category::Images,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            let verifies = judge.facts.all().any(|member| {
                let object = member;
                let kyverno = matches!(object.kind(), "ClusterPolicy" | "Policy")
                    && object.group() == "kyverno.io"
                    && object.find("spec.rules").and_then(Field::items).is_some_and(
                        |rules| rules.iter().any(|rule| rule.get("verifyImages").is_some()),
                    );
                kyverno || matches!(object.kind(), "ImageValidatingPolicy" | "ClusterImagePolicy")
            });
            if let Some(first) = judge.facts.all().next() {
                let verdict = Verdict::when(verifies, "nothing verifies signatures");
                judge.add(JudgedSubject::named("the cluster").at(first.name_place()), verdict);
            }
        },
    },
    Rule {
        meaning: Meaning {
            code: "chart-pinned",
            summary: "Every chart has an exact version",
            text: "\
With a range, `*` or `latest`, Flux upgrades by itself at any time, and what was checked here is not what runs. A digest
is as good as a version. Charts from Git come with the commit, and are not asked.",
        },
        category: Category::Images,
        severity: None,
        weight: 3,
        remedy: None,
        judge: |judge| {
            judge.objects(SOURCE, "OCIRepository", "spec.ref", |_, member| {
                // `oci-without-ref` asks the others.
                member.find("spec.ref")?.entries()?.first()?;
                let text = |route| member.text(route);
                let pinned = text("spec.ref.digest").is_some()
                    || (text("spec.ref.semver").is_none()
                        && text("spec.ref.tag").is_some_and(is_exact));
                Some(Verdict::when(pinned, "its version is not exact"))
            });
            let route = "spec.chart.spec.version";
            let (group, kind) = ("helm.toolkit.fluxcd.io", "HelmRelease");
            judge.objects(group, kind, route, |_, member| {
                member.find("spec.chart")?;
                let source = member.text("spec.chart.spec.sourceRef.kind");
                if source != Some("HelmRepository") {
                    return None;
                }
                let pinned = member.text(route).is_some_and(is_exact);
                Some(Verdict::when(pinned, "its version is not exact"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "git-sync",
            summary: "No sidecar fetches code from Git",
            text: "\
A git-sync sidecar brings files into a running pod that nobody has reviewed with the image.",
        },
        category: Category::Images,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.containers("image", |_| true, |_, container| {
                let image = image(container).unwrap_or_default();
                let git = image.contains("git-sync") || container.name.contains("git-sync");
                Some(Verdict::when(!git, "it is a git-sync sidecar"))
            });
        },
    },
    image_missing::RULE,
];

fn image(container: WorkloadContainer<'_>) -> Option<&str> {
    let image = container.value["image"].as_str();
    image.filter(|image| !image.is_empty() && !image.contains("${"))
}

/// Splits the tag off an image, and says whether it has a digest.
fn parts(image: &str) -> (Option<&str>, bool) {
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    (last.split_once(':').map(|(_, tag)| tag), digest)
}

/// Returns whether a version of a chart is exact; one with a leading `v` is.
fn is_exact(version: &str) -> bool {
    semver_like(version.strip_prefix('v').unwrap_or(version)) && !version.contains("latest")
}

fn semver_like(version: &str) -> bool {
    semver::Version::parse(version).is_ok()
}
