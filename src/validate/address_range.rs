//! Ranges of addresses, as a network or from one address to another.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses from one to another, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// Reads `192.168.1.32/27`, with or without bits set behind the prefix, or `192.168.1.32-192.168.1.63`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Some((first, last)) = text.split_once('-') else {
            let network = text.parse::<IpNet>().ok()?;
            let (first, last) = (network.network(), network.broadcast());
            return Some(Self { first, last });
        };
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        let range = Self { first, last };
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(range)
    }

    pub(super) fn contains(self, address: IpAddr) -> bool {
        // Addresses of IPv4 come before all of IPv6.
        self.first <= address && address <= self.last
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        AddressRange::parse(text).unwrap()
    }

    #[test]
    fn reads_networks_and_ends() {
        for (text, inside, outside) in [
            ("192.168.1.77/24", "192.168.1.255", "192.168.2.0"),
            ("10.0.0.7/32", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.7-10.0.0.9", "10.0.0.9", "10.0.0.10"),
            ("10.0.0.7-10.0.0.7", "10.0.0.7", "10.0.0.6"),
            ("fd00::/64", "fd00::1", "10.0.0.7"),
            ("0.0.0.0/0", "10.0.0.7", "::1"),
        ] {
            assert!(range(text).contains(inside.parse().unwrap()), "{text}");
            assert!(!range(text).contains(outside.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "10.0.0.7",
            "10.0.0.0/33",
            "10.0.0.9-10.0.0.7",
            "10.0.0.9-::1",
            "10.0.0.1 - 10.0.0.9",
            "a-b",
        ] {
            assert_eq!(AddressRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_overlap_at_their_ends() {
        for (left, right, overlap) in [
            ("10.0.0.0/30", "10.0.0.3-10.0.0.9", true),
            ("10.0.0.0/30", "10.0.0.4-10.0.0.9", false),
            ("192.168.0.0/16", "192.168.1.0/24", true),
            ("0.0.0.0/0", "::/0", false),
        ] {
            assert_eq!(
                range(left).overlaps(range(right)),
                overlap,
                "{left} {right}"
            );
            assert_eq!(
                range(right).overlaps(range(left)),
                overlap,
                "{left} {right}"
            );
        }
    }
}
