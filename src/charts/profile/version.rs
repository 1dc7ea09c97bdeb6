//! The versions that a profile covers.

use semver::Version;

/// A range of chart versions, and single ones outside it.
#[derive(Clone, Debug, Default)]
pub struct VersionRange {
    /// The first version covered.
    pub from: Option<Version>,
    /// The first version not covered any more.
    pub below: Option<Version>,
    /// Versions covered besides, as written: tags that move.
    pub also: Vec<String>,
}

impl VersionRange {
    /// Returns whether a version is covered; one that is no single version is taken to be.
    pub fn cover(&self, version: &str) -> bool {
        if self.also.iter().any(|also| also == version) {
            return true;
        }
        let Some(version) = parse(version) else {
            return true;
        };
        // Pre-releases count as their release: a profile from 1.19.0 covers 1.19.0-pre.3.
        let release = Version::new(version.major, version.minor, version.patch);
        self.from.as_ref().is_none_or(|from| release >= *from)
            && self.below.as_ref().is_none_or(|below| release < *below)
    }
}

/// Reads a version with or without `v`.
pub(super) fn parse(text: &str) -> Option<Version> {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_prereleases_with_their_release_and_leaves_ranges_alone() {
        let versions = VersionRange {
            from: parse("1.19.0"),
            below: parse("2.0.0"),
            also: vec!["v0.0.0-latest".to_owned()],
        };
        for version in [
            "1.19.0-pre.3-dev.1-7df990dc67",
            "v1.20.1",
            "v0.0.0-latest",
            "1.x",
            "*",
        ] {
            assert!(versions.cover(version), "{version}");
        }
        for version in ["1.18.9", "2.0.0-rc.1", "v3.0.0"] {
            assert!(!versions.cover(version), "{version}");
        }
    }
}
