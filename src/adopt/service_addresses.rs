//! The addresses that Services of type `LoadBalancer` may have.

use std::net::IpAddr;

use kustomize::Field;

use crate::flux::{AppliedObject, AppliedObjects};

/// A network: its address, and how many bits of it count.
type Network = (u128, u32);

/// Returns the networks of today's pools, and those of the other side that hold more, if the other side leaves out any
/// address of today's.
///
/// `None` where nothing is lost, and where a pool is no list of networks.
pub fn lost_addresses(before: &AppliedObjects, after: &AppliedObjects) -> Option<Vec<String>> {
    let old = networks(before)?;
    let new = networks(after)?;
    let ours: Vec<Network> = new.iter().filter_map(|text| parse(text)).collect();
    let is_lost = |text: &String| {
        let network = parse(text);
        network.is_some_and(|network| !ours.iter().any(|outer| contains(*outer, network)))
    };
    if !old.iter().any(is_lost) {
        return None;
    }
    let theirs: Vec<Network> = old.iter().filter_map(|text| parse(text)).collect();
    let is_more = |text: &String| {
        let network = parse(text);
        network.is_some_and(|network| !theirs.iter().any(|outer| contains(*outer, network)))
    };
    let more = new.into_iter().filter(is_more);
    Some(old.into_iter().chain(more).collect())
}

/// Lists the networks of all pools.
fn networks(tree: &AppliedObjects) -> Option<Vec<String>> {
    let pools = tree.of_kind("cilium.io", "CiliumLoadBalancerIPPool");
    let mut found = Vec::new();
    for block in pools.flat_map(blocks) {
        let network = block.find_text(&["cidr"])?.to_owned();
        if !found.contains(&network) {
            found.push(network);
        }
    }
    Some(found)
}

fn blocks(pool: &AppliedObject) -> impl Iterator<Item = &Field> {
    let blocks = pool.field.find(&["spec", "blocks"]);
    blocks.and_then(Field::items).unwrap_or_default().iter()
}

fn parse(text: &str) -> Option<Network> {
    let (address, length) = text.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    let (bits, more) = match address.parse().ok()? {
        IpAddr::V4(address) => (address.to_ipv6_mapped().to_bits(), 96),
        IpAddr::V6(address) => (address.to_bits(), 0),
    };
    let length = length.checked_add(more).filter(|length| *length <= 128)?;
    Some((bits & mask(length), length))
}

fn mask(length: u32) -> u128 {
    u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

fn contains(outer: Network, inner: Network) -> bool {
    outer.1 <= inner.1 && inner.0 & mask(outer.1) == outer.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_those_inside_of_it() {
        let holds =
            |outer: &str, inner: &str| contains(parse(outer).unwrap(), parse(inner).unwrap());
        assert!(holds("10.0.0.0/24", "10.0.0.7/32"));
        assert!(holds("10.0.0.0/24", "10.0.0.0/24"));
        assert!(holds("0.0.0.0/0", "10.0.0.0/24"));
        assert!(!holds("10.0.0.7/32", "10.0.0.0/24"));
        assert!(!holds("10.0.1.0/24", "10.0.0.7/32"));
        assert!(holds("fd00::/8", "fd00:1::/64"));
        for broken in ["10.0.0.0", "10.0.0.0/33", "x/24", "10.0.0.0/-1", ""] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
