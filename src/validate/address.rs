//! IPv4 addresses and ranges.

use std::net::Ipv4Addr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    address: u32,
    prefix: u8,
}

impl Cidr {
    /// Reads `a.b.c.d/n`, with or without bits set behind the prefix.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address = address.parse::<Ipv4Addr>().ok()?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix
            .parse()
            .ok()
            .filter(|prefix| *prefix <= 32 && digits)?;
        Some(Self {
            address: address.to_bits(),
            prefix,
        })
    }

    /// Returns the range with no bits set behind the prefix.
    pub(super) fn canonical(self) -> Self {
        Self {
            address: self.address & self.mask(),
            prefix: self.prefix,
        }
    }

    pub(super) fn prefix(self) -> u8 {
        self.prefix
    }

    pub(super) fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask() == self.address & self.mask()
    }

    /// Returns whether a host of the network can have the address: it is in the range, and neither the network's own address
    /// nor its broadcast address, of which a /31 (RFC 3021) and a /32 have none.
    pub(super) fn has_host(self, address: Ipv4Addr) -> bool {
        let host = address.to_bits() & !self.mask();
        self.contains(address) && (self.prefix >= 31 || (host != 0 && host != !self.mask()))
    }

    /// Returns the n-th address from the start of the range, if it is in it.
    pub(super) fn host(self, number: u32) -> Option<Ipv4Addr> {
        let address = Ipv4Addr::from_bits(self.canonical().address.checked_add(number)?);
        self.contains(address).then_some(address)
    }

    fn mask(self) -> u32 {
        u32::MAX
            .checked_shl(32 - u32::from(self.prefix))
            .unwrap_or(0)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}/{}",
            Ipv4Addr::from_bits(self.address),
            self.prefix
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_lies_in_a_range() {
        let home = Cidr::parse("192.168.1.77/24").unwrap();
        assert_eq!(home.canonical().to_string(), "192.168.1.0/24");
        assert!(home.contains("192.168.1.255".parse().unwrap()));
        assert!(!home.contains("192.168.2.1".parse().unwrap()));
        assert_eq!(home.host(10), "192.168.1.10".parse().ok());
        assert_eq!(home.host(256), None);
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
            let range = Cidr::parse(range).unwrap();
            assert!(
                hosts
                    .iter()
                    .all(|host| range.has_host(host.parse().unwrap())),
                "{range}"
            );
            assert!(
                !others
                    .iter()
                    .any(|other| range.has_host(other.parse().unwrap())),
                "{range}"
            );
        }
        assert_eq!(Cidr::parse("192.168.1.0/33"), None);
        assert_eq!(Cidr::parse("192.168.1.0/+8"), None);
    }
}
