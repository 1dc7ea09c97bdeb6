//! Texts that go-yaml takes for a point in time.

use std::fmt;
use std::ops::RangeInclusive;

/// A point in time as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timestamp {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Minutes before or behind UTC.
    offset: i32,
}

impl Timestamp {
    /// Reads a plain scalar that go-yaml takes for a timestamp.
    ///
    /// go-yaml v2 gives its text all the same, and quotes such a text where it writes it; what v3 gives comes out of
    /// kustomize as RFC 3339, which is how this one displays.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let year = text.bytes().take_while(u8::is_ascii_digit).count();
        if year != 4 || text.as_bytes().get(4) != Some(&b'-') {
            return None;
        }
        let mut timestamp = Self {
            year: text[..4].parse().ok()?,
            ..Self::default()
        };
        let mut rest = TimestampText(&text[5..]);
        rest.take_date(&mut timestamp)?;
        match rest.0.chars().next() {
            None => {}
            Some('T' | 't') => {
                rest.0 = &rest.0[1..];
                rest.take_clock(&mut timestamp)?;
                timestamp.offset = rest.take_zone()?;
            }
            Some(' ') => {
                rest.0 = rest.0.trim_start_matches(' ');
                rest.take_clock(&mut timestamp)?;
            }
            Some(_) => return None,
        }
        rest.0.is_empty().then_some(timestamp)
    }

    fn days_of_month(self) -> u32 {
        let year = self.year;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            nanosecond,
            offset,
        } = self;
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if *nanosecond > 0 {
            let digits = format!("{nanosecond:09}");
            write!(formatter, ".{}", digits.trim_end_matches('0'))?;
        }
        if *offset == 0 {
            return formatter.write_str("Z");
        }
        let sign = if *offset < 0 { '-' } else { '+' };
        let offset = offset.unsigned_abs();
        write!(formatter, "{sign}{:02}:{:02}", offset / 60, offset % 60)
    }
}

/// What is left of a text.
struct TimestampText<'t>(&'t str);

impl TimestampText<'_> {
    fn take_date(&mut self, timestamp: &mut Timestamp) -> Option<()> {
        timestamp.month = self.take_number(1..=12)?;
        self.take_sign(b"-")?;
        timestamp.day = self.take_number(1..=timestamp.days_of_month())?;
        Some(())
    }

    fn take_clock(&mut self, timestamp: &mut Timestamp) -> Option<()> {
        timestamp.hour = self.take_number(0..=23)?;
        self.take_sign(b":")?;
        timestamp.minute = self.take_number(0..=59)?;
        self.take_sign(b":")?;
        timestamp.second = self.take_number(0..=59)?;
        if let [b'.' | b',', digits @ ..] = self.0.as_bytes() {
            let count = digits
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if count > 0 {
                let digits = &self.0[1..=count.min(9)];
                timestamp.nanosecond = format!("{digits:0<9}").parse().ok()?;
                self.0 = &self.0[1 + count..];
            }
        }
        Some(())
    }

    fn take_zone(&mut self) -> Option<i32> {
        if let Some(rest) = self.0.strip_prefix('Z') {
            self.0 = rest;
            return Some(0);
        }
        let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ..] = self.0.as_bytes() else {
            return None;
        };
        let number = |tens: &u8, ones: &u8| {
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
        };
        let (hours, minutes) = (number(h1, h2)?, number(m1, m2)?);
        // Go takes both bounds in.
        if hours > 24 || minutes > 60 {
            return None;
        }
        let offset = hours * 60 + minutes;
        let offset = if *sign == b'-' { -offset } else { offset };
        self.0 = &self.0[6..];
        Some(offset)
    }

    /// Takes a number of one or two digits.
    fn take_number(&mut self, range: RangeInclusive<u32>) -> Option<u32> {
        let digits = self
            .0
            .bytes()
            .take(2)
            .take_while(u8::is_ascii_digit)
            .count();
        let number = self.0[..digits].parse().ok()?;
        self.0 = &self.0[digits..];
        range.contains(&number).then_some(number)
    }

    fn take_sign(&mut self, sign: &[u8]) -> Option<()> {
        let rest = self.0.as_bytes().strip_prefix(sign)?;
        self.0 = &self.0[self.0.len() - rest.len()..];
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn knows_the_dates_that_go_parses() {
        for (text, shown) in [
            ("2001-01-01", "2001-01-01T00:00:00Z"),
            ("2001-1-1", "2001-01-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14T21:59:43.1-05:00",
            ),
            ("2001-12-14T1:2:3,5+02:30", "2001-12-14T01:02:03.5+02:30"),
            ("2001-12-14 21:59:43", "2001-12-14T21:59:43Z"),
            (
                "2001-12-14   21:59:43.1234567891",
                "2001-12-14T21:59:43.123456789Z",
            ),
            ("0000-1-1", "0000-01-01T00:00:00Z"),
        ] {
            let timestamp = Timestamp::parse(text).map(|timestamp| timestamp.to_string());
            assert_eq!(timestamp.as_deref(), Some(shown), "{text}");
        }
        for text in [
            "",
            "2001",
            "2001-01",
            "2001-13-01",
            "2001-02-29",
            "2001-00-01",
            "2001-1-0",
            "2001-001-1",
            "12001-1-1",
            "2001-12-14T21:59:43",
            "2001-12-14T21:59",
            "2001-12-14T24:00:00Z",
            "2001-12-14T21:59:43z",
            "2001-12-14T21:59:43+0500",
            "2001-12-14 21:59:43Z",
            "2001-12-14 21:59:43 ",
            "2001-12-14 21:59:43.",
            "2001-12-14 ",
            "2001-12-14é",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
