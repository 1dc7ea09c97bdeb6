//! The addresses that Services of type `LoadBalancer` may have.

use std::net::IpAddr;

use kustomize::Field;

use crate::diagnostic::Diagnostic;
use crate::flux::{AppliedObject, AppliedObjects};

/// A network: its address, and how many bits of it count.
type Network = (u128, u32);

/// What a switch does to the addresses that Services may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AddressLoss {
    /// Nothing is lost.
    #[default]
    Nothing,
    /// Some would be in no pool: the networks of today's pools, and those of the other side that hold more.
    Networks(Vec<String>),
    /// A pool names ranges that are no networks, so that nobody can tell.
    Unknown,
}

impl AddressLoss {
    /// Compares the pools of today with those of the other side.
    pub fn of(before: &AppliedObjects, after: &AppliedObjects) -> Self {
        let (Some(old), Some(new)) = (networks(before), networks(after)) else {
            return Self::Unknown;
        };
        let lost = |from: &[String], to: &[String]| -> Vec<String> {
            let to: Vec<Network> = to.iter().filter_map(|text| parse(text)).collect();
            let is_lost = |text: &&String| {
                let network = parse(text);
                network.is_some_and(|network| !to.iter().any(|outer| contains(*outer, network)))
            };
            from.iter().filter(is_lost).cloned().collect()
        };
        if lost(&old, &new).is_empty() {
            return Self::Nothing;
        }
        let more = lost(&new, &old);
        Self::Networks(old.into_iter().chain(more).collect())
    }

    /// Says that nobody can tell.
    pub fn warning(&self) -> Option<Diagnostic> {
        (*self == Self::Unknown).then(|| {
            Diagnostic::warning(
                "addresses-unknown",
                "a pool of load balancers names ranges that are no networks, so that nobody can tell whether Services keep their addresses",
            )
            .with_hint("name networks with all of them in `apps.cilium.load_balancer_cidrs`")
        })
    }
}

/// Lists the networks of all pools, each once; `None` where a pool names something else.
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
