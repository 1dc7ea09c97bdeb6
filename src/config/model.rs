//! The typed config: what Rust code may read of a cluster.
//!
//! The JSON Schema is the source of truth; a test proves that these structs agree with it. Fields hold
//! the values after defaults, so that nothing here is computed twice.

mod services;
pub mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::places::Places;
pub use super::readings::OtherReading;
use super::references::PublicReference;
use crate::secret::Secrets;
pub use services::{Alerts, Backup, Machine, Proxmox, Receiver, Storage};
use versions::VersionTable;

/// The data files of a project as one value.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The value, with nothing defaulted.
    pub value: Value,
    /// Where each part of it was written.
    pub places: Places,
    /// The secrets that came from the environment, from files or from encrypted data files.
    pub secrets: Secrets,
    /// Where they stand: JSON pointers (RFC 6901).
    pub secret_pointers: BTreeSet<String>,
    /// The files that hold some of them.
    pub secret_files: BTreeSet<String>,
    /// Where values have to be made up, since nothing here knows the real ones: by JSON pointer, what holds them.
    pub made_up: BTreeMap<String, String>,
    /// What comes from the environment and is said to be no secret.
    pub public: Vec<PublicReference>,
    /// What YAML 1.1 reads otherwise.
    pub readings: Vec<OtherReading>,
}

/// A config that passed validation.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The typed core.
    pub model: Model,
    /// All values with their defaults, as templates see them.
    pub values: Value,
    /// Where each value was written.
    pub places: Places,
    /// The secrets in it.
    pub secrets: Secrets,
    /// The JSON pointers (RFC 6901) of the secrets in `values`, sorted: all that is below one of them is secret, too.
    pub secret_pointers: Vec<String>,
    /// The files that hold some of them.
    pub secret_files: BTreeSet<String>,
    /// Where values are made up, since nothing here knows the real ones: by JSON pointer, what holds them.
    pub made_up: BTreeMap<String, String>,
    /// What comes from the environment and is said to be no secret.
    pub public: Vec<PublicReference>,
    /// The values as they were given, before any default.
    pub given: Value,
    /// The versions of what it consists of.
    pub versions: VersionTable,
}

/// The top level of the config.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The network the nodes are on.
    pub network: Network,
    /// The networks inside the cluster and its API.
    pub kubernetes: Kubernetes,
    /// The addresses of the gateways.
    pub gateways: Gateways,
    /// The Git repository that Flux follows.
    pub repository: Repository,
    /// The domain of all hostnames.
    pub domain: Domain,
    /// Public DNS and certificates.
    pub dns: Dns,
    /// How the public internet gets in.
    pub ingress: Ingress,
    /// The container network.
    pub cilium: Cilium,
    /// What all machines share.
    pub talos: Talos,
    /// The image mirror between nodes.
    pub spegel: Spegel,
    /// Which volumes apps claim.
    pub storage: Storage,
    /// The bucket that backups go to.
    pub backup: Backup,
    /// Who is told when something is wrong.
    pub alerts: Alerts,
    /// The Proxmox cluster that the nodes run on.
    pub proxmox: Proxmox,
    /// The machines.
    pub nodes: Vec<Node>,
    /// The options of each app, typed by the app's own schema.
    pub apps: BTreeMap<String, Value>,
    /// What the cluster enforces.
    pub security: Security,
    /// What follows from the rest.
    pub derived: Derived,
}

/// The network the nodes are on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The range of the node addresses, in canonical form.
    pub node_cidr: String,
    /// The resolvers of the nodes.
    pub dns_servers: Vec<Ipv4Addr>,
    /// The time servers of the nodes.
    pub ntp_servers: Vec<Ipv4Addr>,
    /// The router.
    pub default_gateway: Ipv4Addr,
    /// The VLAN of the nodes, 1 to 4094.
    pub vlan_tag: Option<String>,
}

/// The networks inside the cluster and its API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// The range of the pods.
    pub pod_cidr: String,
    /// The range of the services.
    pub svc_cidr: String,
    /// The address of the cluster's DNS service.
    pub coredns_addr: Ipv4Addr,
    /// The API server.
    pub api: Api,
}

/// The API server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The address shared by the controllers.
    pub addr: Ipv4Addr,
    /// Further names in its certificate.
    pub tls_sans: Vec<String>,
}

/// The addresses of the gateways.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateways {
    /// The gateway of the home network.
    pub internal: Ipv4Addr,
    /// The DNS server for the cluster's names.
    pub dns: Ipv4Addr,
    /// The gateway of the public internet.
    pub external: Option<Ipv4Addr>,
}

/// The Git repository that Flux follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Its clone URL.
    pub url: String,
    /// Its branch.
    pub branch: String,
    /// The form of its push webhooks, or `none`.
    pub webhook_provider: String,
    /// Host keys for SSH, as `ssh-keyscan` prints them.
    pub known_hosts: Option<String>,
}

/// The domain of all hostnames.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Its name.
    pub name: String,
}

/// Public DNS and certificates.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// `cloudflare` or `none`.
    pub provider: String,
    /// The API token of the provider; never shown.
    pub token: Option<String>,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Dns({}, …)", self.provider)
    }
}

/// How the public internet gets in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingress {
    /// `cloudflare-tunnel`, `direct` or `none`.
    pub mode: String,
}

/// The container network.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cilium {
    /// `dsr` or `snat`.
    pub loadbalancer_mode: String,
    /// The router that routes are announced to.
    pub bgp: Bgp,
}

/// The router that routes are announced to; all set or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bgp {
    /// Its address.
    pub router_addr: Option<Ipv4Addr>,
    /// Its autonomous system.
    pub router_asn: Option<String>,
    /// The autonomous system of the nodes.
    pub node_asn: Option<String>,
}

/// What all machines share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talos {
    /// The Image Factory schematic of nodes that name none.
    pub schematic_id: Option<String>,
}

/// The image mirror between nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spegel {
    /// Whether it runs.
    pub enabled: bool,
}

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its hostname.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Whether it runs the control plane.
    pub controller: bool,
    /// The device or serial number of the disk to install on.
    pub disk: String,
    /// The MAC address of its network card.
    pub mac_addr: String,
    /// Its Image Factory schematic.
    pub schematic_id: String,
    /// The size of its network packets, 1450 to 9000 bytes.
    pub mtu: u16,
    /// Whether it boots with Secure Boot.
    pub secureboot: bool,
    /// Whether its disks are encrypted with its TPM.
    pub encrypt_disk: bool,
    /// Kernel modules to load.
    pub kernel_modules: Vec<String>,
}

/// What the cluster enforces.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The Pod Security level that is wished for, by namespace.
    pub pod_security: BTreeMap<String, String>,
    /// Whether policies report (`audit`) or refuse (`enforce`).
    pub policies: String,
    /// The registries that images may come from.
    pub registries: Vec<String>,
    /// Whether traffic in the namespaces of the catalogue is denied unless an app needs it.
    pub network_policies: bool,
}

/// What follows from the rest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// Whether routes are announced by BGP.
    pub bgp: bool,
    /// How many nodes run the control plane.
    pub controller_count: u32,
    /// The issuer of certificates.
    pub cluster_issuer: String,
    /// The names in the certificates of machines and API server.
    pub cert_sans: Vec<String>,
    /// The prefix length of `network.node_cidr`.
    pub prefix_length: u8,
    /// Whether Flux clones over SSH.
    pub ssh: bool,
    /// Whether there is a public gateway.
    pub external: bool,
    /// Whether there is a bucket for backups.
    pub backups: bool,
    /// Whether the nodes are virtual machines on Proxmox.
    pub proxmox: bool,
    /// How many pods a workload that can have several gets.
    pub replicas: u32,
}
