//! Timestamps as go-yaml v3 takes them from plain scalars.

use jiff::civil::Date;

/// Reads a YAML timestamp and returns it in Go's `RFC3339Nano`, or `None` for any other text.
///
/// Accepted are the four layouts of go-yaml: a date alone, with `T`, `t` or a blank before the
/// time, one-digit parts, a fraction, and with `T` or `t` a zone (which is then needed).
pub(crate) fn read(text: &str) -> Option<String> {
    let mut rest = Rest(text);
    let year = rest.number(4, 4)?;
    rest.sign(b'-')?;
    let month = rest.number(1, 2)?;
    rest.sign(b'-')?;
    let day = rest.number(1, 2)?;
    let date = Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    )
    .ok()?;
    let date = date.strftime("%Y-%m-%d");
    if rest.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = rest.sign(b'T').or_else(|| rest.sign(b't')).is_some();
    if !zoned {
        rest.sign(b' ')?;
    }
    let time = rest.time()?;
    let zone = if zoned { rest.zone()? } else { "Z".to_owned() };
    rest.0.is_empty().then(|| format!("{date}T{time}{zone}"))
}

struct Rest<'t>(&'t str);

impl Rest<'_> {
    fn sign(&mut self, sign: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(char::from(sign))?;
        Some(())
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u16> {
        let digits = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if digits < least {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        number.parse().ok()
    }

    fn below(&mut self, limit: u16, least: usize) -> Option<u16> {
        self.number(least, 2).filter(|number| *number < limit)
    }

    fn time(&mut self) -> Option<String> {
        let hour = self.below(24, 1)?;
        self.sign(b':')?;
        let minute = self.below(60, 1)?;
        self.sign(b':')?;
        let second = self.below(60, 1)?;
        Some(format!(
            "{hour:02}:{minute:02}:{second:02}{}",
            self.fraction()
        ))
    }

    /// Up to nine digits; further ones are cut off, as Go does.
    fn fraction(&mut self) -> String {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else {
            return String::new();
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return String::new();
        }
        self.0 = &rest[digits..];
        let significant = rest[..digits.min(9)].trim_end_matches('0');
        if significant.is_empty() {
            return String::new();
        }
        format!(".{significant}")
    }

    fn zone(&mut self) -> Option<String> {
        if self.sign(b'Z').is_some() {
            return Some("Z".to_owned());
        }
        let sign = if self.sign(b'+').is_some() {
            '+'
        } else {
            self.sign(b'-')?;
            '-'
        };
        let hour = self.below(24, 2)?;
        self.sign(b':')?;
        let minute = self.below(60, 2)?;
        if hour == 0 && minute == 0 {
            return Some("Z".to_owned());
        }
        Some(format!("{sign}{hour:02}:{minute:02}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: what `sops` 3.11.0 gave back for each.
    #[test]
    fn reads_what_go_yaml_takes_for_a_time() {
        for (text, expected) in [
            ("2001-01-01", Some("2001-01-01T00:00:00Z")),
            ("2001-1-1", Some("2001-01-01T00:00:00Z")),
            ("2001-12-14 21:59:43.10", Some("2001-12-14T21:59:43.1Z")),
            (
                "2001-12-14t21:59:43.10-05:00",
                Some("2001-12-14T21:59:43.1-05:00"),
            ),
            ("2001-01-01T00:00:00+00:00", Some("2001-01-01T00:00:00Z")),
            ("2001-02-30", None),
            ("2001-01-01T00:00:00", None),
            ("2001-01-01 00:00:00Z", None),
            ("20010-01-01", None),
            ("2001-01", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
