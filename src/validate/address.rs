//! Networks of IPv4 and their hosts.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Returns whether a host of a network can have an address: it is in the range, and neither the network's own address
/// nor its broadcast address, of which a /31 (RFC 3021) and a /32 have none.
pub(super) fn is_host(network: Ipv4Net, address: Ipv4Addr) -> bool {
    let has_ends = network.prefix_len() < 31;
    let is_end = address == network.network() || address == network.broadcast();
    network.contains(&address) && !(has_ends && is_end)
}

/// Returns the n-th address from the start of a network, if it is in it.
pub(super) fn nth_address(network: Ipv4Net, number: u32) -> Option<Ipv4Addr> {
    let bits = network.network().to_bits().checked_add(number)?;
    let address = Ipv4Addr::from_bits(bits);
    network.contains(&address).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_hosts_of_a_network() {
        let home = "192.168.1.77/24".parse().unwrap();
        assert_eq!(nth_address(home, 10), "192.168.1.10".parse().ok());
        assert_eq!(nth_address(home, 256), None);
        for (range, hosts, others) in [
            (
                "192.168.1.0/24",
                ["192.168.1.1", "192.168.1.254"],
                ["192.168.1.0", "192.168.1.255"],
            ),
            (
                "10.0.0.0/22",
                ["10.0.1.0", "10.0.0.255"],
                ["10.0.0.0", "10.0.3.255"],
            ),
            (
                "10.0.0.4/30",
                ["10.0.0.5", "10.0.0.6"],
                ["10.0.0.4", "10.0.0.7"],
            ),
            (
                "10.0.0.4/31",
                ["10.0.0.4", "10.0.0.5"],
                ["10.0.0.3", "10.0.0.6"],
            ),
            (
                "10.0.0.4/32",
                ["10.0.0.4", "10.0.0.4"],
                ["10.0.0.3", "10.0.0.5"],
            ),
        ] {
            let range: Ipv4Net = range.parse().unwrap();
            assert!(
                hosts
                    .iter()
                    .all(|host| is_host(range, host.parse().unwrap())),
                "{range}"
            );
            assert!(
                !others
                    .iter()
                    .any(|other| is_host(range, other.parse().unwrap())),
                "{range}"
            );
        }
        for text in ["192.168.1.0/33", "192.168.1.0/+8", "192.168.1.0/024"] {
            assert!(text.parse::<Ipv4Net>().is_err(), "{text}");
        }
    }
}
