//! Configs of cluster-template from before July 2026, with the keys of today.

use std::fmt::Write as _;

use serde_json::Value;

use super::entry_lines::{EntryLines, only_mapping};
use super::grouped_config;
use super::repository_kind::ConfigShape;
use crate::source::{Files, ReadError};
use crate::yaml::{self, Node};

/// The config of the newer shapes.
pub(super) const TOML_CONFIG: &str = "cluster.toml";
/// The config of the oldest shape; the nodes stand in a file of their own, which is read as it is.
pub(super) const FLAT_CONFIG: &str = "cluster.yaml";

/// A config with the keys of today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UpgradedConfig {
    /// The text.
    pub(super) text: String,
    /// The keys that have another place, old and new.
    pub(super) moved: Vec<(String, String)>,
}

/// The keys of the oldest shape, each with its place today; those of the repository make one address together.
const FLAT_KEYS: [(&str, &str); 20] = [
    ("node_cidr", "network.node_cidr"),
    ("node_dns_servers", "network.dns_servers"),
    ("node_ntp_servers", "network.ntp_servers"),
    ("node_default_gateway", "network.default_gateway"),
    ("node_vlan_tag", "network.vlan_tag"),
    ("cluster_pod_cidr", "kubernetes.pod_cidr"),
    ("cluster_svc_cidr", "kubernetes.svc_cidr"),
    ("cluster_api_addr", "kubernetes.api.addr"),
    ("cluster_api_tls_sans", "kubernetes.api.tls_sans"),
    ("cluster_gateway_addr", "gateways.internal"),
    ("cluster_dns_gateway_addr", "gateways.dns"),
    ("cloudflare_gateway_addr", "gateways.external"),
    ("repository_branch", "repository.branch"),
    ("cloudflare_domain", "domain.name"),
    ("cloudflare_token", "dns.token"),
    ("cilium_loadbalancer_mode", "cilium.loadbalancer_mode"),
    ("cilium_bgp_router_addr", "cilium.bgp.router_addr"),
    ("cilium_bgp_router_asn", "cilium.bgp.router_asn"),
    ("cilium_bgp_node_asn", "cilium.bgp.node_asn"),
    // No sample has it, and the plugin takes it.
    ("spegel_enabled", "spegel.enabled"),
];
const REPOSITORY: &str = "repository_name";
const VISIBILITY: &str = "repository_visibility";
/// Where both of them go.
pub(super) const REPOSITORY_URL: &str = "repository.url";

/// Says how the config of a cluster-template repository is written.
pub(super) fn shape(files: &dyn Files) -> Result<ConfigShape, ReadError> {
    if let Some(text) = read_text(files, TOML_CONFIG)? {
        return Ok(match grouped_config::upgraded(&text) {
            Some(_) => ConfigShape::Grouped,
            None => ConfigShape::Current,
        });
    }
    Ok(match read_text(files, FLAT_CONFIG)? {
        Some(text) if flattened(&text).is_some() => ConfigShape::Flat,
        Some(_) => ConfigShape::Current,
        None => ConfigShape::Missing,
    })
}

pub(super) fn read_text(files: &dyn Files, path: &str) -> Result<Option<String>, ReadError> {
    let bytes = files.read(path)?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Returns the address of a repository on GitHub, as the templates made it of its name.
pub(super) fn repository_url(name: &str, is_private: bool) -> String {
    let start = if is_private {
        "ssh://git@github.com/"
    } else {
        "https://github.com/"
    };
    format!("{start}{name}.git")
}

/// Returns a config without groups with the groups of today, values as they are written and comments where their keys are;
/// `None` where it is no such config.
pub(super) fn upgraded_flat(text: &str) -> Option<UpgradedConfig> {
    let root = flattened(text)?;
    let entries = root.entries()?;
    let is_private = root.find_text(VISIBILITY) == Some("private");
    let mut sections = Section::default();
    let mut moved = Vec::new();
    let mut end = 0;
    for entry in entries {
        let block = EntryLines::of(text, end, entry)?;
        end = block.end;
        let Some(place) = place_of(&entry.key) else {
            // What nobody knows is told with its line where the config is validated.
            sections.blocks.push(block.text.to_owned());
            continue;
        };
        moved.push((entry.key.clone(), place.to_owned()));
        let is_unset = entry.value.is_null() || entry.value.text() == Some("");
        if is_unset || entry.key == VISIBILITY {
            continue;
        }
        let (way, key) = place.rsplit_once('.').unwrap_or(("", place));
        let written = if entry.key == REPOSITORY {
            let url = repository_url(entry.value.text().unwrap_or_default(), is_private);
            let value = yaml::emit(&Value::String(url));
            format!("{}{key}: {value}", block.comment)
        } else {
            format!("{}{key}{}", block.comment, block.value)
        };
        sections.at(way).blocks.push(written);
    }
    let mut upgraded = UpgradedConfig {
        text: "---\n".to_owned(),
        moved,
    };
    sections.write(0, &mut upgraded.text);
    upgraded.text.push_str(&text[end..]);
    Some(upgraded)
}

fn place_of(key: &str) -> Option<&'static str> {
    if [REPOSITORY, VISIBILITY].contains(&key) {
        return Some(REPOSITORY_URL);
    }
    let known = FLAT_KEYS.iter().find(|(old, _)| *old == key);
    known.map(|(_, place)| *place)
}

/// Reads a config without groups.
fn flattened(text: &str) -> Option<Node> {
    let root = only_mapping(text)?;
    let mut entries = root.entries()?.iter();
    let is_flat = entries.any(|entry| place_of(&entry.key).is_some());
    is_flat.then_some(root)
}

/// Entries below one key, in the order in which the first of each group came.
#[derive(Default)]
struct Section {
    name: String,
    blocks: Vec<String>,
    inner: Vec<Self>,
}

impl Section {
    /// Finds or makes the section at a dotted way.
    fn at(&mut self, way: &str) -> &mut Self {
        if way.is_empty() {
            return self;
        }
        let (name, rest) = way.split_once('.').unwrap_or((way, ""));
        let known = self.inner.iter().position(|section| section.name == name);
        let index = known.unwrap_or_else(|| {
            self.inner.push(Self {
                name: name.to_owned(),
                ..Self::default()
            });
            self.inner.len() - 1
        });
        self.inner[index].at(rest)
    }

    fn write(&self, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        for line in self.blocks.iter().flat_map(|block| block.lines()) {
            let indent = if line.is_empty() { "" } else { &indent };
            writeln!(text, "{indent}{line}").expect("writing to a String cannot fail");
        }
        for section in &self.inner {
            writeln!(text, "{indent}{}:", section.name).expect("writing to a String cannot fail");
            section.write(depth + 1, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_flat_config_has_its_place() {
        let text = "\
---
# the nodes
node_cidr: 10.0.0.0/24   # all of them
node_dns_servers:
  - 1.1.1.1
  - 9.9.9.9

# not set
node_vlan_tag: \"\"
cluster_api_addr: 10.0.0.2
repository_name: me/home
repository_visibility: private
cluster_api_tls_sans: [\"a.example.com\"]
mine: {x: 1}
cloudflare_token: \"t\"
nodes:
  - name: a
# the end
";
        let upgraded = upgraded_flat(text).unwrap();
        insta::assert_snapshot!(upgraded.text, @r#"
        ---
        mine: {x: 1}
        nodes:
          - name: a
        network:
          # the nodes
          node_cidr: 10.0.0.0/24   # all of them
          dns_servers:
            - 1.1.1.1
            - 9.9.9.9
        kubernetes:
          api:
            addr: 10.0.0.2
            tls_sans: ["a.example.com"]
        repository:
          url: ssh://git@github.com/me/home.git
        dns:
          token: "t"
        # the end
        "#);
        assert_eq!(upgraded.moved.len(), 8);
        assert!(yaml::load(&upgraded.text).is_ok());
        // What is in groups already is left alone, and so is what cannot be read.
        for other in [
            upgraded.text.as_str(),
            "",
            "a: [",
            "{node_cidr: 1}",
            "- node_cidr",
        ] {
            assert_eq!(upgraded_flat(other), None, "{other}");
        }
    }

    #[test]
    fn all_keys_of_the_oldest_shape_are_known() {
        let more = [REPOSITORY, VISIBILITY];
        assert_eq!(FLAT_KEYS.len() + more.len(), 21 + 1);
        let mut places: Vec<&str> = FLAT_KEYS.iter().map(|(_, place)| *place).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), FLAT_KEYS.len());
    }
}
