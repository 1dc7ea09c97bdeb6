//! Checks of images, charts and what proves where they come from.

use crate::audit::{Category, Check, Verdict};
use crate::workload::Container;

const SOURCE: &str = "source.toolkit.fluxcd.io";

pub(super) const CHECKS: &[Check] = &[
    Check {
        code: "image-tag",
        category: Category::Images,
        line: "Every image has a tag other than `latest`",
        weight: 2,
        rule: None,
        explanation: "\
`latest`, or no tag at all, is another program on every node and after every restart. A digest is as good as a tag.
Asked of images that are known.",
        run: |review| {
            review.containers("image", |_| true, |_, container| {
                let (tag, digest) = parts(image(container)?);
                let fine = digest || tag.is_some_and(|tag| tag != "latest");
                Some(Verdict::when(fine, "its image has no tag, or `latest`"))
            });
        },
    },
    Check {
        code: "image-digest",
        category: Category::Images,
        line: "Every image is pinned by digest",
        weight: 1,
        rule: None,
        explanation: "\
A tag can be moved to another image, a digest cannot. Renovate keeps both up to date.",
        run: |review| {
            review.containers("image", |_| true, |_, container| {
                let (_, digest) = parts(image(container)?);
                Some(Verdict::when(digest, "its image has a tag only"))
            });
        },
    },
    Check {
        code: "pull-policy",
        category: Category::Images,
        line: "Images are pulled anew at each start",
        weight: 0,
        rule: None,
        explanation: "\
Shown and not counted: with images pinned by tag or digest, and with a mirror such as Spegel, `Always` only makes starts
depend on the registry.",
        run: |review| {
            review.containers("imagePullPolicy", |_| true, |_, container| {
                let policy = container.value["imagePullPolicy"].as_str();
                Some(Verdict::when(policy == Some("Always"), "it is not `Always`"))
            });
        },
    },
    Check {
        code: "image-signature",
        category: Category::Images,
        line: "A policy verifies the signatures of images",
        weight: 1,
        rule: None,
        explanation: "\
A Kyverno policy with `verifyImages`, an ImageValidatingPolicy or a ClusterImagePolicy of Sigstore's policy controller lets
only signed images in. Whether an image is signed cannot be told from the tree. Asked once, at the start of the tree.",
        run: |review| {
            let verifies = review.subject.all().any(|member| {
                let object = member.object;
                let kyverno = matches!(object.kind(), "ClusterPolicy" | "Policy")
                    && object.group() == "kyverno.io"
                    && object.find("spec.rules").and_then(|rules| rules.items()).is_some_and(
                        |rules| rules.iter().any(|rule| rule.get("verifyImages").is_some()),
                    );
                kyverno || matches!(object.kind(), "ImageValidatingPolicy" | "ClusterImagePolicy")
            });
            if let Some(first) = review.subject.all().next() {
                let place = first.object.name_place();
                let verdict = Verdict::when(verifies, "nothing verifies signatures");
                review.add("the cluster".to_owned(), &[], verdict, place);
            }
        },
    },
    Check {
        code: "chart-pinned",
        category: Category::Images,
        line: "Every chart has an exact version",
        weight: 3,
        rule: None,
        explanation: "\
With a range, `*` or `latest`, Flux upgrades by itself at any time, and what was checked here is not what runs. A digest
is as good as a version. Charts from Git come with the commit, and are not asked.",
        run: |review| {
            review.objects(SOURCE, "OCIRepository", "spec.ref", |_, member| {
                let text = |route| member.object.text(route);
                let pinned = text("spec.ref.digest").is_some()
                    || (text("spec.ref.semver").is_none()
                        && text("spec.ref.tag").is_some_and(is_exact));
                Some(Verdict::when(pinned, "its version is not exact"))
            });
            let route = "spec.chart.spec.version";
            let (group, kind) = ("helm.toolkit.fluxcd.io", "HelmRelease");
            review.objects(group, kind, route, |_, member| {
                member.object.find("spec.chart")?;
                let source = member.object.text("spec.chart.spec.sourceRef.kind");
                if source != Some("HelmRepository") {
                    return None;
                }
                let pinned = member.object.text(route).is_some_and(is_exact);
                Some(Verdict::when(pinned, "its version is not exact"))
            });
        },
    },
    Check {
        code: "git-sync",
        category: Category::Images,
        line: "No sidecar fetches code from Git",
        weight: 1,
        rule: None,
        explanation: "\
A git-sync sidecar brings files into a running pod that nobody has reviewed with the image.",
        run: |review| {
            review.containers("image", |_| true, |_, container| {
                let image = image(container).unwrap_or_default();
                let git = image.contains("git-sync") || container.name.contains("git-sync");
                Some(Verdict::when(!git, "it is a git-sync sidecar"))
            });
        },
    },
];

fn image(container: Container<'_>) -> Option<&str> {
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
