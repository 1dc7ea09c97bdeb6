//! The defaults that the plugins of the family add to the data.

use super::{FamilyError, NetworkLibrary, network};
use crate::value::PluginValue;

/// What the `data` hook of a plugin of the family adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataDefaults {
    /// Nothing: there is no such hook.
    Nothing,
    /// The data of 2025, all keys on the top level.
    Flat {
        /// Whether there is a default for the issuer of certificates.
        cluster_issuer: bool,
        /// Whether there is one for Spegel, by the number of nodes.
        spegel: bool,
        /// By what the default gateway is found.
        library: NetworkLibrary,
    },
    /// The data of 2026: the default gateway in `network`.
    Gateway {
        /// By what the default gateway is found.
        library: NetworkLibrary,
    },
}

/// Adds the defaults of a plugin to the data, as its `data` hook does: a key that is there stays, whatever it holds.
///
/// # Errors
///
/// Fails where the original raises an exception: without `nodes`, and for `netaddr` without a network.
pub fn defaults(which: DataDefaults, data: &mut PluginValue) -> Result<(), FamilyError> {
    match which {
        DataDefaults::Nothing => Ok(()),
        DataDefaults::Flat {
            cluster_issuer,
            spegel,
            library,
        } => add_flat(data, cluster_issuer, spegel, library),
        DataDefaults::Gateway { library } => {
            let missing = |key: &str| FamilyError::new(format!("the data have no `{key}`"));
            let network = data.get_mut("network").ok_or_else(|| missing("network"))?;
            let cidr = network
                .get("node_cidr")
                .ok_or_else(|| missing("network.node_cidr"))?;
            let gateway = network::nth_host(library, cidr, &PluginValue::from(1))?;
            set_default(network, "default_gateway", gateway)
        }
    }
}

fn add_flat(
    data: &mut PluginValue,
    cluster_issuer: bool,
    spegel: bool,
    library: NetworkLibrary,
) -> Result<(), FamilyError> {
    let cidr = data.get("node_cidr").cloned().unwrap_or(PluginValue::Null);
    let gateway = network::nth_host(library, &cidr, &PluginValue::from(1))?;
    let list = |items: [&str; 2]| PluginValue::List(items.map(PluginValue::from).into());
    set_default(data, "node_default_gateway", gateway)?;
    set_default(data, "node_dns_servers", list(["1.1.1.1", "1.0.0.1"]))?;
    set_default(
        data,
        "node_ntp_servers",
        list(["162.159.200.1", "162.159.200.123"]),
    )?;
    set_default(data, "cluster_pod_cidr", "10.42.0.0/16".into())?;
    set_default(data, "cluster_svc_cidr", "10.43.0.0/16".into())?;
    set_default(data, "repository_branch", "main".into())?;
    set_default(data, "repository_visibility", "public".into())?;
    if cluster_issuer {
        set_default(data, "cloudflare_cluster_issuer", "staging".into())?;
    }
    set_default(data, "cilium_loadbalancer_mode", "dsr".into())?;
    let keys = [
        "cilium_bgp_router_addr",
        "cilium_bgp_router_asn",
        "cilium_bgp_node_asn",
    ];
    let bgp = keys
        .iter()
        .all(|key| data.get(key).is_some_and(PluginValue::is_true));
    set_default(data, "cilium_bgp_enabled", bgp.into())?;
    if spegel {
        let nodes = count(data.get("nodes"))?;
        set_default(data, "spegel_enabled", (nodes > 1).into())?;
    }
    Ok(())
}

fn count(nodes: Option<&PluginValue>) -> Result<usize, FamilyError> {
    match nodes {
        Some(PluginValue::List(items) | PluginValue::Tuple(items)) => Ok(items.len()),
        Some(PluginValue::Map(entries)) => Ok(entries.len()),
        Some(PluginValue::Text(text)) => Ok(text.chars().count()),
        Some(other) => {
            let kind = other.type_name();
            Err(FamilyError::new(format!(
                "`nodes` is of type `{kind}`, and a list is needed"
            )))
        }
        None => Err(FamilyError::new("the data have no `nodes`")),
    }
}

fn set_default(data: &mut PluginValue, key: &str, value: PluginValue) -> Result<(), FamilyError> {
    if data.get(key).is_some() {
        return Ok(());
    }
    let PluginValue::Map(entries) = data else {
        let kind = data.type_name();
        return Err(FamilyError::new(format!(
            "the data are of type `{kind}`, and a mapping is needed"
        )));
    };
    entries.push((PluginValue::from(key), value));
    Ok(())
}
