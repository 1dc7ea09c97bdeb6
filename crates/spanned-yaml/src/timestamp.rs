//! Texts that go-yaml takes for a point in time.

/// Returns whether go-yaml takes a plain scalar for a timestamp.
///
/// It gives its text all the same; but where it writes such a text, it quotes it.
pub(super) fn is_timestamp(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    if year != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return false;
    }
    let mut rest = TimestampText(&text[5..]);
    let date = rest.take_date(&text[..4]);
    if date.is_none() {
        return false;
    }
    match rest.0.chars().next() {
        None => true,
        Some('T' | 't') => {
            rest.0 = &rest.0[1..];
            rest.take_clock().is_some() && rest.take_zone().is_some() && rest.0.is_empty()
        }
        Some(' ') => {
            rest.0 = rest.0.trim_start_matches(' ');
            rest.take_clock().is_some() && rest.0.is_empty()
        }
        Some(_) => false,
    }
}

/// What is left of a text.
struct TimestampText<'t>(&'t str);

impl TimestampText<'_> {
    fn take_date(&mut self, year: &str) -> Option<()> {
        let year: u32 = year.parse().ok()?;
        let month = self.take_number(1..=12)?;
        self.take_sign(b"-")?;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        self.take_number(1..=days).map(|_| ())
    }

    fn take_clock(&mut self) -> Option<()> {
        self.take_number(0..=23)?;
        self.take_sign(b":")?;
        self.take_number(0..=59)?;
        self.take_sign(b":")?;
        self.take_number(0..=59)?;
        if let [b'.' | b',', b'0'..=b'9', ..] = self.0.as_bytes() {
            self.0 = self.0[1..].trim_start_matches(|c: char| c.is_ascii_digit());
        }
        Some(())
    }

    fn take_zone(&mut self) -> Option<()> {
        if let Some(rest) = self.0.strip_prefix('Z') {
            self.0 = rest;
            return Some(());
        }
        let [b'+' | b'-', h1, h2, b':', m1, m2, ..] = self.0.as_bytes() else {
            return None;
        };
        let number = |tens: &u8, ones: &u8| {
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
        };
        // Go takes both bounds in.
        if number(h1, h2)? > 24 || number(m1, m2)? > 60 {
            return None;
        }
        self.0 = &self.0[6..];
        Some(())
    }

    /// Takes a number of one or two digits.
    fn take_number(&mut self, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
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
    use super::is_timestamp;

    #[test]
    fn knows_the_dates_that_go_parses() {
        for text in [
            "2001-01-01",
            "2001-1-1",
            "2024-02-29",
            "2001-12-14T21:59:43Z",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14T1:2:3,5+24:60",
            "2001-12-14 21:59:43",
            "2001-12-14   21:59:43.10",
            "0000-1-1",
        ] {
            assert!(is_timestamp(text), "{text}");
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
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
