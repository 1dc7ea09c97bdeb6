//! Versions of images and charts, and how far they leap.

use serde_json::Value;

use super::danger::DangerSubject;
use super::report::{ChangeKind, Subject};
use crate::tree::images::{ImageVersions, images};
use crate::tree::version_number::version_number;

/// How a version changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leap {
    /// Its first number rose.
    Major,
    /// It is an older one.
    Down,
    /// Its second number rose, or it counts by the calendar.
    Minor,
    /// A later number rose.
    Patch,
    /// It changed in a way that has no order: a digest, a branch, another image.
    Other,
    /// There was none before.
    Added,
    /// There is none any more.
    Removed,
}

impl Leap {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Down => "down",
            Self::Minor => "minor",
            Self::Patch => "patch",
            Self::Other => "other",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// Compares two versions, with or without `v`, of one to three numbers.
    pub fn between(before: &str, after: &str) -> Self {
        let (Some(old), Some(new)) = (version_number(before), version_number(after)) else {
            return Self::Other;
        };
        if new < old {
            Self::Down
        } else if old.major != new.major && old.major < FIRST_YEAR {
            Self::Major
        } else if (old.major, old.minor) != (new.major, new.minor) {
            Self::Minor
        } else if old == new {
            Self::Other
        } else {
            Self::Patch
        }
    }
}

/// From here on a first number is a year, and says nothing of what breaks.
const FIRST_YEAR: u64 = 1990;

/// A version that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bump {
    /// The object, or the file.
    pub subject: Subject,
    /// The image or chart.
    pub name: String,
    /// The version on the old side.
    pub before: Option<String>,
    /// The version on the new side.
    pub after: Option<String>,
    /// How far it leaps.
    pub leap: Leap,
    /// The dotted way to it.
    pub route: String,
}

/// Lists the images and the charts of a change, in this order.
pub(super) fn bumps(seen: &DangerSubject<'_, '_>) -> (Vec<Bump>, Vec<Bump>) {
    if seen.is_secret() || seen.change.kind == ChangeKind::Renamed {
        return (Vec::new(), Vec::new());
    }
    let of = |value: Option<&Value>, read: fn(&Value) -> ImageVersions| {
        value.map(read).unwrap_or_default()
    };
    let subject = &seen.change.subject;
    let images = between(subject, &of(seen.before, images), &of(seen.after, images));
    let charts = between(subject, &of(seen.before, charts), &of(seen.after, charts));
    (images, charts)
}

fn between(subject: &Subject, old: &ImageVersions, new: &ImageVersions) -> Vec<Bump> {
    let mut routes: Vec<&String> = old.keys().chain(new.keys()).collect();
    routes.sort_unstable();
    routes.dedup();
    let bump = |route: &String| {
        let (before, after) = (old.get(route), new.get(route));
        let (name, before, after, leap) = match (before, after) {
            (Some(old), Some(new)) if old == new => return None,
            (Some((old_name, old)), Some((name, new))) if old_name == name => {
                let leap = Leap::between(old, new);
                (name, Some(old.clone()), Some(new.clone()), leap)
            }
            (Some((old_name, old)), Some((name, new))) => {
                let whole = format!("{old_name}:{old}");
                (name, Some(whole), Some(new.clone()), Leap::Other)
            }
            (Some((name, old)), None) => (name, Some(old.clone()), None, Leap::Removed),
            (None, Some((name, new))) => (name, None, Some(new.clone()), Leap::Added),
            (None, None) => return None,
        };
        Some(Bump {
            subject: subject.clone(),
            name: name.clone(),
            before,
            after,
            leap,
            route: route.clone(),
        })
    };
    routes.into_iter().filter_map(bump).collect()
}

fn charts(value: &Value) -> ImageVersions {
    let mut found = ImageVersions::new();
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or_default();
    let mut add = |route: &str, name: Option<&str>, version: Option<&str>| {
        if let (Some(name), Some(version)) = (name, version) {
            let name = name.trim_start_matches("oci://");
            found.insert(route.to_owned(), (name.to_owned(), version.to_owned()));
        }
    };
    match kind {
        "HelmRelease" => add(
            "spec.chart.spec",
            text("/spec/chart/spec/chart"),
            text("/spec/chart/spec/version"),
        ),
        "HelmChart" => add("spec", text("/spec/chart"), text("/spec/version")),
        "OCIRepository" => {
            let digest = text("/spec/ref/digest");
            let version = text("/spec/ref/tag").or_else(|| text("/spec/ref/semver"));
            add("spec.ref", text("/spec/url"), version.or(digest));
        }
        // A helmfile is no object.
        "" => {
            let releases = value.get("releases").and_then(Value::as_array);
            for release in releases.into_iter().flatten() {
                let text = |key: &str| release.get(key).and_then(Value::as_str);
                let name = text("name").unwrap_or_default();
                add(&format!("releases[{name}]"), text("chart"), text("version"));
            }
        }
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_how_far_a_version_leaps() {
        for (before, after, leap) in [
            ("v1.2.3", "v2.0.0", Leap::Major),
            ("40", "41", Leap::Major),
            ("1.2.3", "1.3.0", Leap::Minor),
            ("1.2.3", "1.2.4-r1", Leap::Patch),
            ("1.2.3", "1.2.0", Leap::Down),
            ("2025.12.1", "2026.1.0", Leap::Minor),
            ("1.2.3@sha256:aa", "1.2.3@sha256:bb", Leap::Other),
            ("latest", "main", Leap::Other),
        ] {
            assert_eq!(Leap::between(before, after), leap, "{before} {after}");
        }
    }
}
