//! The addresses that Services of type `LoadBalancer` may have.

use ipnet::IpNet;
use kustomize::Field;

use crate::diagnostic::Diagnostic;
use crate::flux::{AppliedObject, AppliedObjects};

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
        let lost = |from: &[IpNet], to: &[IpNet]| -> Vec<IpNet> {
            let is_lost = |network: &&IpNet| !to.iter().any(|outer| outer.contains(*network));
            from.iter().filter(is_lost).copied().collect()
        };
        if lost(&old, &new).is_empty() {
            return Self::Nothing;
        }
        let more = lost(&new, &old);
        let all = old.iter().chain(&more);
        Self::Networks(all.map(IpNet::to_string).collect())
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
fn networks(tree: &AppliedObjects) -> Option<Vec<IpNet>> {
    let pools = tree.of_kind("cilium.io", "CiliumLoadBalancerIPPool");
    let mut found = Vec::new();
    for block in pools.flat_map(blocks) {
        let network = block.find_text(&["cidr"])?.parse().ok()?;
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

#[cfg(test)]
mod tests {
    use kustomize::SourceFile;

    use super::*;
    use crate::yaml;

    fn pools(blocks: &str) -> AppliedObjects {
        let text = format!(
            "apiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: {{name: pool}}\nspec: {{blocks: [{blocks}]}}\n"
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

    #[test]
    fn addresses_are_lost_that_no_pool_holds() {
        let loss = |before: &str, after: &str| AddressLoss::of(&pools(before), &pools(after));
        let networks = |networks: &[&str]| {
            AddressLoss::Networks(networks.iter().map(|&text| text.to_owned()).collect())
        };
        let home = "{cidr: 10.0.0.0/24}";
        for held in [home, "{cidr: 10.0.0.7/32}", "{cidr: 10.0.0.7/26}"] {
            assert_eq!(loss(held, home), AddressLoss::Nothing, "{held}");
        }
        assert_eq!(loss(home, "{cidr: 0.0.0.0/0}"), AddressLoss::Nothing);
        assert_eq!(
            loss("{cidr: 'fd00:1::/64'}", "{cidr: 'fd00::/8'}"),
            AddressLoss::Nothing
        );
        // What the other side has more stays in it.
        assert_eq!(
            loss(
                "{cidr: 10.0.1.0/24}",
                "{cidr: 10.0.0.0/24}, {cidr: 10.0.1.7/32}"
            ),
            networks(&["10.0.1.0/24", "10.0.0.0/24"])
        );
        // A network of IPv6 holds no address of IPv4.
        assert_eq!(
            loss(home, "{cidr: '::/0'}"),
            networks(&["10.0.0.0/24", "::/0"])
        );
        for broken in [
            "10.0.0.0",
            "10.0.0.0/33",
            "x/24",
            "10.0.0.0/-1",
            "''",
            "'${NETWORK}'",
        ] {
            let block = format!("{{cidr: {broken}}}");
            assert_eq!(loss(&block, home), AddressLoss::Unknown, "{broken}");
        }
        assert_eq!(
            loss("{start: 10.0.0.1, stop: 10.0.0.9}", home),
            AddressLoss::Unknown
        );
    }
}
