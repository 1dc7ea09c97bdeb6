//! Numbers as Python reads and prints them.

/// How many decimal digits Python takes for an integer.
const DIGIT_LIMIT: usize = 4300;

/// How many decimal digits one limb holds.
const LIMB_DIGITS: usize = 9;
const LIMB: u64 = 1_000_000_000;

/// An integer of any size, as it is read digit by digit.
#[derive(Default)]
pub(super) struct IntegerReader {
    /// The lowest limb first.
    limbs: Vec<u64>,
}

impl IntegerReader {
    /// Reads digits of a base up to 36; `None` where one is none, where there is none, or where they are too many.
    pub(super) fn read(digits: &str, base: u32) -> Option<Self> {
        let mut reader = Self::default();
        for digit in digits.chars() {
            reader.push(base, digit.to_digit(base)?)?;
        }
        (!digits.is_empty()).then_some(reader)
    }

    /// Appends a digit; `None` where the number gets larger than Python prints.
    pub(super) fn push(&mut self, base: u32, digit: u32) -> Option<()> {
        let mut carry = u64::from(digit);
        for limb in &mut self.limbs {
            let value = *limb * u64::from(base) + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            self.limbs.push(carry);
        }
        (self.limbs.len() * LIMB_DIGITS <= DIGIT_LIMIT + LIMB_DIGITS).then_some(())
    }

    /// Returns the decimal digits.
    pub(super) fn decimal(&self, negative: bool) -> String {
        let Some((highest, rest)) = self.limbs.split_last() else {
            return "0".to_owned();
        };
        let sign = if negative { "-" } else { "" };
        let rest = rest.iter().rev().map(|limb| format!("{limb:09}"));
        format!("{sign}{highest}{}", rest.collect::<String>())
    }
}

/// Returns what Python's `repr` gives for a float: the shortest digits that read back, with an exponent from 1e16 on
/// and below 1e-4.
pub(crate) fn printed_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') {
        plain
    } else {
        format!("{plain}.0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured with Python 3.13.
    #[test]
    fn a_float_prints_as_in_python() {
        for (number, printed) in [
            (1.5, "1.5"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e16, "1e+16"),
            (1_234_567_890_123_456.0, "1234567890123456.0"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1.25e300, "1.25e+300"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(printed_float(number), printed);
        }
    }

    #[test]
    fn an_integer_has_any_size() {
        let read = |digits, base| IntegerReader::read(digits, base).map(|read| read.decimal(true));
        assert_eq!(read("755", 8).as_deref(), Some("-493"));
        assert_eq!(
            read("ffffffffffffffffffff", 16).as_deref(),
            Some("-1208925819614629174706175")
        );
        assert_eq!(
            read("1000000000000000000000000", 10).as_deref(),
            Some("-1000000000000000000000000")
        );
        assert_eq!(read("0", 10).as_deref(), Some("0"));
        assert_eq!(read("", 10), None);
        assert_eq!(read("8", 8), None);
        assert_eq!(read(&"9".repeat(5000), 10), None);
    }
}
