//! The nth host of a network, as Python's `ipaddress` and as `netaddr` count.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{FamilyError, NetworkLibrary};
use crate::value::PluginValue;

/// A network, or the whole of an address and its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Network {
    /// Reads `address/prefix`, `address/netmask`, `address/hostmask` or `address`.
    fn parse(text: &str) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        let (address, bits) = if let Ok(address) = address.parse::<Ipv4Addr>() {
            (u128::from(u32::from(address)), 32)
        } else {
            (u128::from(address.parse::<Ipv6Addr>().ok()?), 128)
        };
        let prefix = match mask {
            None => bits,
            Some(mask) if !mask.is_empty() && mask.bytes().all(|digit| digit.is_ascii_digit()) => {
                mask.parse().ok().filter(|prefix| *prefix <= bits)?
            }
            Some(mask) if bits == 32 => prefix_of_mask(u32::from(mask.parse::<Ipv4Addr>().ok()?))?,
            Some(_) => return None,
        };
        Some(Self {
            address,
            prefix,
            bits,
        })
    }

    fn host_mask(self) -> u128 {
        let host_bits = self.bits - self.prefix;
        u128::MAX.checked_shr(128 - host_bits).unwrap_or(0)
    }

    /// The address that stands so far from the first one, if it is in the network.
    fn nth(self, nth: u128) -> Option<u128> {
        let first = self.address & !self.host_mask();
        (nth <= self.host_mask()).then(|| first + nth)
    }

    fn show(self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(address) if self.bits == 32 => Ipv4Addr::from(address).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }

    /// Shows an address as `inet_ntop` of C does, by which `netaddr` prints: where only the last 32 bits are used and
    /// more than 16 of them, they are an IPv4 address.
    fn show_as_inet_ntop(self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(low) if self.bits == 128 && low > 0xffff => format!("::{}", Ipv4Addr::from(low)),
            _ => self.show(address),
        }
    }
}

/// The prefix of a netmask, or of its inverse.
fn prefix_of_mask(mask: u32) -> Option<u32> {
    let of_netmask = |mask: u32| {
        (mask.leading_ones() + mask.trailing_zeros() == 32).then(|| mask.leading_ones())
    };
    if mask == 0 {
        return Some(0);
    }
    of_netmask(mask).or_else(|| of_netmask(!mask))
}

/// Returns the nth host of a network as a text, or `False`.
pub(super) fn nth_host(
    library: NetworkLibrary,
    network: &PluginValue,
    nth: &PluginValue,
) -> Result<PluginValue, FamilyError> {
    match library {
        NetworkLibrary::Ipaddress => by_ipaddress(network, nth),
        NetworkLibrary::Netaddr => by_netaddr(network, nth),
    }
}

fn by_ipaddress(network: &PluginValue, nth: &PluginValue) -> Result<PluginValue, FamilyError> {
    let network = match network {
        PluginValue::Text(text) => Network::parse(text),
        PluginValue::Null => None,
        other => return Err(unknown_network(other)),
    };
    let Some(network) = network else {
        return Ok(PluginValue::Bool(false));
    };
    let digits = digits_of(nth).ok_or_else(|| no_number(nth))?;
    let host = digits.parse().ok().and_then(|nth| network.nth(nth));
    Ok(host.map_or(PluginValue::Bool(false), |host| network.show(host).into()))
}

fn by_netaddr(network: &PluginValue, nth: &PluginValue) -> Result<PluginValue, FamilyError> {
    let PluginValue::Text(text) = network else {
        return Err(unknown_network(network));
    };
    let network = Network::parse(text).ok_or_else(|| FamilyError::new("`value` is no network"))?;
    let digits = match nth {
        PluginValue::Text(text) => match whole_number(text) {
            Some(digits) => digits,
            None => return Ok(PluginValue::Bool(false)),
        },
        other => digits_of(other).ok_or_else(|| no_number(other))?,
    };
    let from_end = digits
        .strip_prefix('-')
        .filter(|rest| !rest.trim_matches('0').is_empty());
    let host = match from_end {
        Some(from_end) => {
            let from_end = from_end
                .parse::<u128>()
                .ok()
                .and_then(|from_end| from_end.checked_sub(1));
            let nth = from_end.and_then(|from_end| network.host_mask().checked_sub(from_end));
            let host = nth.and_then(|nth| network.nth(nth));
            let no_host = || FamilyError::new(format!("the network has no host {digits}"));
            Some(host.ok_or_else(no_host)?)
        }
        None => digits
            .trim_start_matches('-')
            .parse()
            .ok()
            .and_then(|nth| network.nth(nth)),
    };
    Ok(match host {
        Some(host) => network.show_as_inet_ntop(host).into(),
        None => format!(
            "{}/{}",
            network.show_as_inet_ntop(network.address),
            network.prefix
        )
        .into(),
    })
}

/// The digits of a text that Python's `int` takes: white space around them and one `_` between two of them.
fn whole_number(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let groups = || digits.split('_');
    let fine = groups()
        .all(|group| !group.is_empty() && group.bytes().all(|digit| digit.is_ascii_digit()));
    fine.then(|| format!("{sign}{}", groups().collect::<String>()))
}

fn digits_of(value: &PluginValue) -> Option<String> {
    match value {
        PluginValue::Integer(digits) => Some(digits.clone()),
        PluginValue::Bool(is) => Some(u8::from(*is).to_string()),
        _ => None,
    }
}

fn no_number(value: &PluginValue) -> FamilyError {
    FamilyError::new(format!(
        "`query` is of type `{}`, and a whole number is needed",
        value.type_name()
    ))
}

fn unknown_network(value: &PluginValue) -> FamilyError {
    FamilyError::new(format!(
        "`value` is of type `{}`, and a network as a text is needed",
        value.type_name()
    ))
}
