//! The services outside the cluster that several apps share: volumes, backups, alerts, Proxmox.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which volumes apps claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The storage class; unset, the cluster's default class.
    pub class: Option<String>,
    /// The class of snapshots; unset, the driver's default class.
    pub snapshot_class: Option<String>,
}

/// The bucket that backups go to.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The address of the store; unset, nothing is backed up.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket.
    pub bucket: Option<String>,
    /// Who writes the backups; never shown.
    pub access_key_id: Option<String>,
    /// The key that goes with it; never shown.
    pub secret_access_key: Option<String>,
}

/// Who is told when something is wrong.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// Where alerts and Flux's events are sent.
    pub receivers: Vec<Receiver>,
    /// An address that is called as long as alerting works; never shown.
    pub heartbeat_url: Option<String>,
}

/// A channel that alerts are sent to.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// Its name in Alertmanager and in Flux.
    pub name: String,
    /// `discord`, `slack` or `webhook`.
    pub r#type: String,
    /// The incoming webhook's address; never shown.
    pub url: String,
    /// Which alerts it gets: `critical`, `warning`, `info`.
    pub severities: Vec<String>,
}

/// The Proxmox cluster that the nodes run on.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxmox {
    /// The address of its API; unset, the nodes are not on Proxmox.
    pub url: Option<String>,
    /// Its name, which becomes the nodes' region.
    pub region: String,
    /// Whether a self-signed certificate is accepted.
    pub insecure: bool,
    /// The name of the API token.
    pub token_id: Option<String>,
    /// The token's secret; never shown.
    pub token_secret: Option<String>,
    /// The hosts that machines are shared out among.
    pub hosts: Vec<String>,
    /// How each machine is made.
    pub machine: Machine,
    /// What OpenTofu's state is encrypted with; never shown.
    pub state_passphrase: Option<String>,
}

/// How a virtual machine is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Virtual processors.
    pub cores: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// The system disk in GiB.
    pub disk: u32,
    /// The storage of the disks.
    pub storage: String,
    /// The network bridge.
    pub bridge: String,
}

// By hand, because a derived `Debug` would print the secrets.

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts")
            .field("receivers", &self.receivers)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("name", &self.name)
            .field("type", &self.r#type)
            .field("severities", &self.severities)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Proxmox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxmox")
            .field("url", &self.url)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
