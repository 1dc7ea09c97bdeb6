//! Addresses and numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tera::Value;

use super::super::callable::{Arguments, FunctionFailure};
use super::super::environment::TemplateEnvironment;
use super::super::session;

/// How many numbers `range` gives at most, as in Tera.
const MAX_RANGE: i128 = 100_000;

pub(super) fn cidr_host(
    _: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let cidr = arguments.text("cidr")?;
    let host = arguments.integer("host")?;
    let wrong = || {
        FunctionFailure::argument(format!(
            "`{cidr}` is not a network such as `192.168.1.0/24`"
        ))
    };
    let (address, prefix) = cidr.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let prefix: u32 = prefix.parse().map_err(|_| wrong())?;
    let (bits, number) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let host_bits = u32::checked_sub(bits, prefix).ok_or_else(wrong)?;
    let mask = if host_bits == 128 {
        u128::MAX
    } else {
        (1_u128 << host_bits) - 1
    };
    let distance = if host < 0 {
        host.unsigned_abs() - 1
    } else {
        host.unsigned_abs()
    };
    if distance > mask {
        return Err(FunctionFailure::argument(format!(
            "the network `{cidr}` has no address number {host}"
        )));
    }
    let network = number & !mask;
    let found = if host < 0 {
        network + (mask - distance)
    } else {
        network + distance
    };
    Ok(Value::from(match address {
        IpAddr::V4(_) => {
            let bits = u32::try_from(found).expect("an IPv4 network holds IPv4 addresses only");
            Ipv4Addr::from_bits(bits).to_string()
        }
        IpAddr::V6(_) => Ipv6Addr::from_bits(found).to_string(),
    }))
}

/// Counts as Tera's own `range` does, and pays for what it makes from the rounds of loops.
pub(super) fn range(arguments: &Arguments) -> Result<Value, FunctionFailure> {
    let start = arguments.integer_or("start", 0)?;
    let end = arguments.integer("end")?;
    let step = arguments.integer_or("step_by", 1)?;
    if step == 0 {
        return Err(FunctionFailure::argument(
            "the argument `step_by` of `range` must not be 0",
        ));
    }
    if start > end && step > 0 {
        return Err(FunctionFailure::argument("`range` starts behind its end"));
    }
    let distance = if step > 0 {
        end.checked_sub(start)
    } else {
        start.checked_sub(end)
    };
    let count = match distance {
        Some(distance) if distance <= 0 => Some(0),
        Some(distance) => {
            i128::try_from(distance.unsigned_abs().div_ceil(step.unsigned_abs())).ok()
        }
        None => None,
    };
    let Some(count) = count.filter(|count| *count <= MAX_RANGE) else {
        return Err(FunctionFailure::argument(format!(
            "`range` gives at most {MAX_RANGE} numbers"
        )));
    };
    if !session::step(count.unsigned_abs().try_into().unwrap_or(u64::MAX)) {
        return Err(FunctionFailure::argument("the loops take too many rounds"));
    }
    Ok(Value::from(
        (0..count)
            .map(|index| start + index * step)
            .collect::<Vec<i128>>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tera::Kwargs;

    fn host(cidr: &str, host: i64) -> Result<String, String> {
        let given = Kwargs::from([("cidr", Value::from(cidr)), ("host", Value::from(host))]);
        let arguments = Arguments::new("cidr_host", &["cidr", "host"], given).unwrap();
        let value = cidr_host(&TemplateEnvironment::default(), &arguments);
        value
            .map(|value| value.to_string())
            .map_err(|failure| failure.message)
    }

    #[test]
    fn counts_addresses_from_either_end() {
        assert_eq!(host("192.168.1.0/24", 1).unwrap(), "192.168.1.1");
        assert_eq!(host("192.168.1.77/24", -2).unwrap(), "192.168.1.254");
        assert_eq!(host("0.0.0.0/0", -1).unwrap(), "255.255.255.255");
        assert_eq!(host("10.0.0.7/32", 0).unwrap(), "10.0.0.7");
        assert_eq!(host("fd00::/64", 16).unwrap(), "fd00::10");
        assert_eq!(
            host("::/0", -1).unwrap(),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        );
    }

    #[test]
    fn refuses_what_is_outside_or_no_network() {
        assert_eq!(
            host("10.0.0.0/30", 4).unwrap_err(),
            "the network `10.0.0.0/30` has no address number 4"
        );
        for cidr in ["10.0.0.0", "10.0.0.0/33", "x/1", "10.0.0.0/"] {
            assert_eq!(
                host(cidr, 1).unwrap_err(),
                format!("`{cidr}` is not a network such as `192.168.1.0/24`")
            );
        }
    }

    #[test]
    fn a_range_that_would_overflow_is_refused() {
        let given = Kwargs::from([
            ("start", Value::from(i128::MIN)),
            ("end", Value::from(i128::MAX)),
        ]);
        let arguments = Arguments::new("range", &["start", "end"], given).unwrap();
        assert_eq!(
            range(&arguments).unwrap_err().message,
            "`range` gives at most 100000 numbers"
        );
    }
}
