//! The versions of what a cluster consists of: the catalogue's, with the project's own over them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::source::Place;
use crate::tree::version_number::version_number;

/// What kind of thing has a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionGroup {
    /// The operating system of the nodes; the group is its only entry.
    Talos,
    /// What the nodes run; the group is its only entry.
    Kubernetes,
    /// Helm charts by their names.
    Charts,
    /// Images that values of charts name.
    Images,
    /// Programs of workstations and of workflows.
    Tools,
    /// Actions of workflows, each with the commit that it is pinned to.
    Actions,
}

impl VersionGroup {
    /// All of them, in the order of the file.
    pub const ALL: [Self; 6] = [
        Self::Talos,
        Self::Kubernetes,
        Self::Charts,
        Self::Images,
        Self::Tools,
        Self::Actions,
    ];

    /// Returns its key in the file and in the variable `versions`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Talos => "talos",
            Self::Kubernetes => "kubernetes",
            Self::Charts => "charts",
            Self::Images => "images",
            Self::Tools => "tools",
            Self::Actions => "actions",
        }
    }

    /// Returns the group of a key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.key() == key)
    }

    /// Returns whether the group is one entry and has no names below it.
    pub fn is_single(self) -> bool {
        matches!(self, Self::Talos | Self::Kubernetes)
    }
}

/// Which entry: its group, and its name there; a group that is one entry has an empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionKey {
    /// The group.
    pub group: VersionGroup,
    /// The name in it.
    pub name: String,
}

impl VersionKey {
    /// Returns the dotted way to it, as messages name it: `charts.cert-manager`.
    pub fn route(&self) -> String {
        if self.name.is_empty() {
            self.group.key().to_owned()
        } else {
            format!("{}.{}", self.group.key(), self.name)
        }
    }
}

/// Who signs a chart: an identity that a certificate of Sigstore has, both parts as regular expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerIdentity {
    /// Who vouches for the identity.
    pub issuer: String,
    /// The identity.
    pub subject: String,
}

/// The version of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionEntry {
    /// The version, as written.
    pub version: String,
    /// Where it comes from: the address of a chart, the name of an image.
    pub source: Option<String>,
    /// What the version has to be byte for byte.
    pub digest: Option<String>,
    /// Who signs it.
    pub verify: Option<SignerIdentity>,
    /// The oldest version that the files of the catalogue work with.
    pub minimum: Option<String>,
    /// The version that the catalogue has; `None` for an entry of the project's own.
    pub built_in: Option<String>,
    /// Where the project sets the version; `None` where it leaves it to the catalogue.
    pub place: Option<Place>,
}

impl VersionEntry {
    /// Returns whether the catalogue has a newer version than the one that counts.
    pub fn is_outdated(&self) -> bool {
        let built_in = self.built_in.as_deref().and_then(version_number);
        let own = version_number(&self.version);
        built_in
            .zip(own)
            .is_some_and(|(built_in, own)| own < built_in)
    }

    /// Returns whether the project leaves the version to the catalogue.
    pub fn is_left_to_catalogue(&self) -> bool {
        self.place.is_none() && self.built_in.is_some()
    }

    /// Returns the entry as templates see it.
    fn variable(&self) -> Value {
        let tag = match &self.digest {
            Some(digest) => format!("{}@{digest}", self.version),
            None => self.version.clone(),
        };
        let verify = self.verify.as_ref();
        let number = version_number(&self.version);
        json!({
            "version": self.version,
            "source": self.source,
            "digest": self.digest,
            "tag": tag,
            "verify": verify.map(|it| json!({ "issuer": it.issuer, "subject": it.subject })),
            "major": number.as_ref().map(|number| number.major),
            "minor": number.as_ref().map(|number| number.minor),
            "patch": number.as_ref().map(|number| number.patch),
        })
    }
}

/// The versions that count.
#[derive(Clone, Debug, Default)]
pub struct VersionTable {
    /// The entries.
    pub entries: BTreeMap<VersionKey, VersionEntry>,
}

impl VersionTable {
    /// Returns the versions alone, by group and name, for a comparison.
    pub fn numbers(&self) -> Value {
        let mut groups = Map::new();
        for (key, entry) in &self.entries {
            let group = groups.entry(key.group.key()).or_insert_with(|| json!({}));
            if key.name.is_empty() {
                *group = json!(entry.version);
            } else {
                group[&key.name] = json!(entry.version);
            }
        }
        Value::Object(groups)
    }

    /// Returns the variable `versions` of templates: `versions.charts["cert-manager"].version`.
    pub fn variable(&self) -> Value {
        let mut groups = Map::new();
        for group in VersionGroup::ALL
            .into_iter()
            .filter(|group| !group.is_single())
        {
            groups.insert(group.key().to_owned(), Value::Object(Map::new()));
        }
        for (key, entry) in &self.entries {
            match groups.get_mut(key.group.key()) {
                Some(Value::Object(names)) => {
                    names.insert(key.name.clone(), entry.variable());
                }
                _ => {
                    groups.insert(key.group.key().to_owned(), entry.variable());
                }
            }
        }
        Value::Object(groups)
    }
}
