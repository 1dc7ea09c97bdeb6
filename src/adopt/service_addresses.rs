//! The addresses that Services of type `LoadBalancer` may have.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use kustomize::Field;
use serde_json::Value;

use crate::adopt::codes;
use crate::diagnostic::Diagnostic;
use crate::flux::{AppliedObject, AppliedObjects};

/// Where a config names addresses of machines and gateways, besides those of the nodes.
const HELD: [&str; 6] = [
    "/kubernetes/api/addr",
    "/network/default_gateway",
    "/cilium/bgp/router_addr",
    "/gateways/internal",
    "/gateways/dns",
    "/gateways/external",
];

/// What a switch does to the addresses that Services may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AddressLoss {
    /// Nothing is lost.
    #[default]
    Nothing,
    /// Some would be in no pool: the ranges of today's pools and of the other side's, without what is held.
    Ranges(Vec<String>),
    /// A pool names what is no range, so that nobody can tell.
    Unknown,
}

impl AddressLoss {
    /// Compares the pools of today with those of the other side, whose config says which addresses machines and gateways
    /// hold: those are none that other Services could have.
    pub fn of(before: &AppliedObjects, after: &AppliedObjects, config: &Value) -> Self {
        let (Some(old), Some(new)) = (blocks(before), blocks(after)) else {
            return Self::Unknown;
        };
        let held = held_addresses(config);
        let free = |blocks: &[PoolBlock]| held.iter().fold(blocks.to_vec(), without);
        let (old, new) = (free(&old), free(&new));
        let remain = new.iter().fold(old.clone(), |rest, block| {
            rest.into_iter()
                .flat_map(|one| one.outside(block))
                .collect()
        });
        if remain.is_empty() {
            return Self::Nothing;
        }
        let mut all = old;
        for block in new {
            let rest = all.iter().fold(vec![block], |rest, old| {
                rest.into_iter().flat_map(|one| one.outside(old)).collect()
            });
            all.extend(rest);
        }
        Self::Ranges(all.iter().map(PoolBlock::to_string).collect())
    }

    /// Says that nobody can tell.
    pub fn warning(&self) -> Option<Diagnostic> {
        (*self == Self::Unknown).then(|| {
            Diagnostic::warning(
                &codes::ADDRESSES_UNKNOWN,
                "a pool of load balancers names what is no range of addresses, so that nobody can tell whether Services keep theirs",
            )
            .with_hint("name the ranges in `apps.cilium.load_balancer_ranges`")
        })
    }
}

/// Addresses of a pool from one to another, of one family.
#[derive(Clone, Debug)]
struct PoolBlock {
    first: IpAddr,
    last: IpAddr,
    /// The network, where the addresses are just those that Kiln's pool gives of it.
    network: Option<IpNet>,
}

impl PoolBlock {
    /// Reads a block of a pool, which gives the first and the last address of a network, or does not.
    fn read(block: &Field, with_ends: bool) -> Option<Self> {
        if let Some(cidr) = block.find_text(&["cidr"]) {
            return Some(Self::of_network(cidr.parse().ok()?, with_ends));
        }
        let first = block.find_text(&["start"])?.parse().ok()?;
        let last = match block.find_text(&["stop"]) {
            Some(stop) => stop.parse().ok()?,
            None => first,
        };
        Some(Self {
            first,
            last,
            network: None,
        })
    }

    fn of_network(network: IpNet, with_ends: bool) -> Self {
        let (first, last) = (network.network(), network.broadcast());
        let inner = next(first).zip(previous(last));
        let inner = inner.filter(|(first, last)| !with_ends && first <= last);
        // As Cilium has it, a pair of addresses and a single one have no ends to leave out.
        let is_small = next(first).is_none_or(|second| second >= last);
        let (first, last) = inner.unwrap_or((first, last));
        Self {
            first,
            last,
            network: (!with_ends || is_small).then_some(network),
        }
    }

    /// Returns what of it is not in the other.
    fn outside(self, other: &Self) -> Vec<Self> {
        if other.last < self.first || self.last < other.first {
            return vec![self];
        }
        let range = |first, last| Self {
            first,
            last,
            network: None,
        };
        let below = previous(other.first).filter(|last| self.first <= *last);
        let above = next(other.last).filter(|first| *first <= self.last);
        let below = below.map(|last| range(self.first, last));
        below
            .into_iter()
            .chain(above.map(|first| range(first, self.last)))
            .collect()
    }
}

impl std::fmt::Display for PoolBlock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.network {
            Some(network) => write!(formatter, "{network}"),
            None if self.first == self.last => write!(formatter, "{}", IpNet::from(self.first)),
            None => write!(formatter, "{}-{}", self.first, self.last),
        }
    }
}

/// Lists the blocks of all pools; `None` where one is no range.
fn blocks(tree: &AppliedObjects) -> Option<Vec<PoolBlock>> {
    let mut found: Vec<PoolBlock> = Vec::new();
    for pool in tree.of_kind("cilium.io", "CiliumLoadBalancerIPPool") {
        let ends = pool.field.find_text(&["spec", "allowFirstLastIPs"]);
        let with_ends = ends.is_none_or(|allowed| allowed != "No");
        for block in blocks_of(pool) {
            let block = PoolBlock::read(block, with_ends)?;
            let rest = found.iter().fold(vec![block], |rest, old| {
                rest.into_iter().flat_map(|one| one.outside(old)).collect()
            });
            found.extend(rest);
        }
    }
    Some(found)
}

fn blocks_of(pool: &AppliedObject) -> impl Iterator<Item = &Field> {
    let blocks = pool.field.find(&["spec", "blocks"]);
    blocks.and_then(Field::items).unwrap_or_default().iter()
}

/// Lists the addresses that machines and gateways have.
fn held_addresses(config: &Value) -> BTreeSet<IpAddr> {
    let nodes = config.get("nodes").and_then(Value::as_array);
    let nodes = nodes.into_iter().flatten();
    let of_nodes = nodes.filter_map(|node| node.get("address"));
    let others = HELD.iter().filter_map(|pointer| config.pointer(pointer));
    let texts = of_nodes.chain(others).filter_map(Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// Takes an address out of blocks.
fn without(blocks: Vec<PoolBlock>, address: &IpAddr) -> Vec<PoolBlock> {
    let one = PoolBlock::of_network((*address).into(), true);
    let parts = blocks.into_iter().flat_map(|block| block.outside(&one));
    parts.collect()
}

fn next(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => IpAddr::V4(address.to_bits().checked_add(1)?.into()),
        IpAddr::V6(address) => IpAddr::V6(address.to_bits().checked_add(1)?.into()),
    })
}

fn previous(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => IpAddr::V4(address.to_bits().checked_sub(1)?.into()),
        IpAddr::V6(address) => IpAddr::V6(address.to_bits().checked_sub(1)?.into()),
    })
}

#[cfg(test)]
mod tests {
    use kustomize::SourceFile;
    use serde_json::json;

    use super::*;
    use crate::yaml;

    fn pools(spec: &str) -> AppliedObjects {
        let text = format!(
            "apiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: {{name: pool}}\nspec: {{{spec}}}\n"
        );
        let file = SourceFile::new("pool.yaml", text.as_bytes());
        let documents = yaml::load(&text).unwrap();
        let object = AppliedObject {
            field: Field::of_node(&documents[0].root, &file, 0).into(),
            way: [].into(),
            build: 0,
        };
        AppliedObjects {
            objects: vec![object],
            ..AppliedObjects::default()
        }
    }

    /// What is lost between blocks of a pool that leaves the ends of networks out, as Kiln's do.
    fn loss(before: &str, after: &str) -> AddressLoss {
        let inner = |blocks: &str| pools(&format!("allowFirstLastIPs: 'No', blocks: [{blocks}]"));
        let config = json!({
            "network": {"default_gateway": "10.0.0.1"},
            "kubernetes": {"api": {"addr": "10.0.0.2"}},
            "gateways": {"internal": "10.0.0.20", "external": null},
            "nodes": [{"address": "10.0.0.11"}, {"address": "10.0.0.12"}],
        });
        AddressLoss::of(&inner(before), &inner(after), &config)
    }

    fn ranges(ranges: &[&str]) -> AddressLoss {
        AddressLoss::Ranges(ranges.iter().map(|&text| text.to_owned()).collect())
    }

    const HOME: &str = "{cidr: 10.0.0.0/24}";
    const GATEWAY: &str = "{cidr: 10.0.0.20/32}";

    #[test]
    fn addresses_are_lost_that_no_pool_holds() {
        for held in [
            HOME,
            "{cidr: 10.0.0.7/32}",
            "{cidr: 10.0.0.7/26}",
            "{start: 10.0.0.1, stop: 10.0.0.9}",
        ] {
            assert_eq!(loss(held, HOME), AddressLoss::Nothing, "{held}");
        }
        assert_eq!(loss(HOME, "{cidr: 0.0.0.0/0}"), AddressLoss::Nothing);
        assert_eq!(
            loss("{cidr: 'fd00:1::/64'}", "{cidr: 'fd00::/8'}"),
            AddressLoss::Nothing
        );
        // What the other side has more stays in it.
        assert_eq!(
            loss(
                "{cidr: 10.0.1.0/24}",
                "{cidr: 10.0.2.0/24}, {cidr: 10.0.3.7/32}"
            ),
            ranges(&["10.0.1.0/24", "10.0.2.0/24", "10.0.3.7/32"])
        );
        // A network of IPv6 holds no address of IPv4.
        assert_eq!(
            loss("{cidr: 10.0.1.0/24}", "{cidr: '::/0'}"),
            ranges(&["10.0.1.0/24", "::/0"])
        );
        for broken in [
            "cidr: 10.0.0.0",
            "cidr: 10.0.0.0/33",
            "cidr: x/24",
            "cidr: 10.0.0.0/-1",
            "cidr: ''",
            "cidr: '${NETWORK}'",
            "start: 10.0.0.1, stop: x",
        ] {
            assert_eq!(
                loss(&format!("{{{broken}}}"), HOME),
                AddressLoss::Unknown,
                "{broken}"
            );
        }
    }

    #[test]
    fn what_machines_and_gateways_hold_is_left_out() {
        assert_eq!(loss(GATEWAY, ""), AddressLoss::Nothing);
        assert_eq!(
            loss(HOME, GATEWAY),
            ranges(&[
                "10.0.0.3-10.0.0.10",
                "10.0.0.13-10.0.0.19",
                "10.0.0.21-10.0.0.254",
            ])
        );
        assert_eq!(
            loss("{cidr: 10.0.0.10/31}", GATEWAY),
            ranges(&["10.0.0.10/32"])
        );
    }

    #[test]
    fn the_ends_of_a_network_count_where_a_pool_gives_them() {
        let given = pools("blocks: [{cidr: 10.9.0.0/24}]");
        let kept = pools("allowFirstLastIPs: 'No', blocks: [{cidr: 10.9.0.0/24}]");
        let compare = |before, after| AddressLoss::of(before, after, &json!({}));
        assert_eq!(compare(&kept, &given), AddressLoss::Nothing);
        assert_eq!(compare(&given, &kept), ranges(&["10.9.0.0-10.9.0.255"]));
        assert_eq!(
            compare(&pools("blocks: [{cidr: 10.9.0.4/31}]"), &pools("")),
            ranges(&["10.9.0.4/31"])
        );
    }
}
