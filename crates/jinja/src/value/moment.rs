//! Dates and times as Python's `datetime` has them.

use std::cmp::Ordering;

use crate::error::{Failure, Outcome};
use crate::value::{Entity, Value, text};

/// A date, a time of the day, or both with an offset from UTC.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Moment {
    day: Option<Day>,
    clock: Option<[u32; 4]>,
    offset: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Day {
    year: i32,
    month: u32,
    of_month: u32,
}

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Day {
    fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in(year, month);
        exists.then_some(Self {
            year,
            month,
            of_month: day,
        })
    }

    fn of_year(self) -> u32 {
        (1..self.month)
            .map(|month| days_in(self.year, month))
            .sum::<u32>()
            + self.of_month
    }

    /// Days since the first of January of the year 1, which is day 1.
    fn ordinal(self) -> i64 {
        let before = i64::from(self.year - 1);
        before * 365 + before / 4 - before / 100 + before / 400 + i64::from(self.of_year())
    }

    /// Days since Monday.
    fn weekday(self) -> i64 {
        (self.ordinal() + 6) % 7
    }

    fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.of_month)
    }
}

fn iso_clock([hour, minute, second, micro]: [u32; 4]) -> String {
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if micro == 0 {
        clock
    } else {
        format!("{clock}.{micro:06}")
    }
}

fn iso_offset(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let seconds = offset.unsigned_abs();
    let minutes = format!(
        "{sign}{:02}{separator}{:02}",
        seconds / 3600,
        seconds / 60 % 60
    );
    if seconds.is_multiple_of(60) {
        minutes
    } else {
        format!("{minutes}{separator}{:02}", seconds % 60)
    }
}

fn read_day(text: &str) -> Option<(i32, u32, u32)> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    Some((year, month, parts.next()?.parse().ok()?))
}

/// Reads hours, minutes, seconds and microseconds.
fn read_clock(text: &str) -> Option<[u32; 4]> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let digits = format!("{fraction:0<6}");
    Some([hours, minutes, seconds, digits.get(..6)?.parse().ok()?])
}

/// Reads an offset from UTC, in seconds.
fn read_offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let clock = read_clock(text.strip_prefix(['+', '-'])?)?;
    let [hours, minutes, seconds, _] = Moment::time(clock)?.clock?;
    let offset = i32::try_from(hours * 3600 + minutes * 60 + seconds).ok()?;
    Some(if text.starts_with('-') {
        -offset
    } else {
        offset
    })
}

impl Moment {
    pub(crate) fn date(year: i32, month: u32, day: u32) -> Option<Self> {
        Some(Self {
            day: Some(Day::new(year, month, day)?),
            clock: None,
            offset: None,
        })
    }

    pub(crate) fn time(clock: [u32; 4]) -> Option<Self> {
        let [hour, minute, second, micro] = clock;
        let exists = hour < 24 && minute < 60 && second < 60 && micro < 1_000_000;
        exists.then_some(Self {
            day: None,
            clock: Some(clock),
            offset: None,
        })
    }

    pub(crate) fn datetime(
        (year, month, day): (i32, u32, u32),
        clock: [u32; 4],
        offset: Option<i32>,
    ) -> Option<Self> {
        if offset.is_some_and(|offset| offset.unsigned_abs() >= 86400) {
            return None;
        }
        Some(Self {
            day: Some(Day::new(year, month, day)?),
            clock: Self::time(clock)?.clock,
            offset,
        })
    }

    /// Reads what Python prints, also with `T` between day and time and `Z` for UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((day, rest)) = text.split_once([' ', 'T']) else {
            return match read_day(text) {
                Some((year, month, day)) => Self::date(year, month, day),
                None => Self::time(read_clock(text)?),
            };
        };
        let (clock, offset) = match rest.find(['+', '-', 'Z']) {
            Some(at) => {
                let (clock, offset) = rest.split_at(at);
                (clock, Some(read_offset(offset)?))
            }
            None => (rest, None),
        };
        Self::datetime(read_day(day)?, read_clock(clock)?, offset)
    }

    pub(crate) fn into_value(self) -> Value {
        Value::from_object(Entity::Moment(self))
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match (&self.day, &self.clock) {
            (Some(_), Some(_)) => "datetime",
            (Some(_), None) => "date",
            _ => "time",
        }
    }

    fn iso(&self, separator: &str) -> String {
        let mut parts: Vec<String> = self.day.map(Day::iso).into_iter().collect();
        parts.extend(self.clock.map(iso_clock));
        let zone = self
            .offset
            .map(|offset| iso_offset(offset, ":"))
            .unwrap_or_default();
        parts.join(separator) + &zone
    }

    pub(crate) fn printed(&self) -> String {
        self.iso(" ")
    }

    pub(crate) fn repr(&self) -> String {
        let mut numbers: Vec<String> = Vec::new();
        if let Some(Day {
            year,
            month,
            of_month,
        }) = self.day
        {
            numbers.extend([year.to_string(), month.to_string(), of_month.to_string()]);
        }
        if let Some(clock) = self.clock {
            let shown = match clock {
                [_, _, 0, 0] => 2,
                [_, _, _, 0] => 3,
                _ => 4,
            };
            numbers.extend(clock.iter().take(shown).map(u32::to_string));
        }
        match self.offset {
            Some(0) => numbers.push("tzinfo=datetime.timezone.utc".to_owned()),
            Some(offset) => {
                let days = if offset < 0 { "days=-1, " } else { "" };
                let seconds = offset.rem_euclid(86400);
                numbers.push(format!(
                    "tzinfo=datetime.timezone(datetime.timedelta({days}seconds={seconds}))"
                ));
            }
            None => {}
        }
        format!("datetime.{}({})", self.type_name(), numbers.join(", "))
    }

    /// Microseconds since the start of the year 1, in UTC if it has an offset.
    fn instant(&self) -> i64 {
        let days = self.day.map_or(0, Day::ordinal);
        let [hour, minute, second, micro] = self.clock.unwrap_or_default().map(i64::from);
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
            - i64::from(self.offset.unwrap_or_default());
        seconds * 1_000_000 + micro
    }

    fn has_same_form(&self, other: &Self) -> bool {
        self.type_name() == other.type_name() && self.offset.is_some() == other.offset.is_some()
    }

    pub(crate) fn is_equal(&self, other: &Self) -> bool {
        self.has_same_form(other) && self.instant() == other.instant()
    }

    /// The order of two of the same form; others have none.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        self.has_same_form(other)
            .then(|| self.instant().cmp(&other.instant()))
    }

    fn strftime(&self, format: &str) -> Outcome<String> {
        let day = self.day.unwrap_or(Day {
            year: 1900,
            month: 1,
            of_month: 1,
        });
        let mut printed = String::new();
        let mut characters = format.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                printed.push(character);
                continue;
            }
            match characters.next() {
                Some(directive) => printed.push_str(&self.directive(day, directive)?),
                None => printed.push('%'),
            }
        }
        Ok(printed)
    }

    fn directive(&self, day: Day, directive: char) -> Outcome<String> {
        let [hour, minute, second, micro] = self.clock.unwrap_or_default();
        let weekday = usize::try_from(day.weekday())
            .ok()
            .and_then(|index| WEEKDAYS.get(index))
            .copied();
        let month = MONTHS.get(day.month as usize - 1).copied();
        let (weekday, month) = (weekday.unwrap_or_default(), month.unwrap_or_default());
        let short = |name: &str| name.chars().take(3).collect::<String>();
        Ok(match directive {
            'Y' => format!("{}", day.year),
            'y' => format!("{:02}", day.year % 100),
            'm' => format!("{:02}", day.month),
            'd' => format!("{:02}", day.of_month),
            'e' => format!("{:2}", day.of_month),
            'j' => format!("{:03}", day.of_year()),
            'H' => format!("{hour:02}"),
            'I' => format!("{:02}", (hour + 11) % 12 + 1),
            'M' => format!("{minute:02}"),
            'S' => format!("{second:02}"),
            'f' => format!("{micro:06}"),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            'a' => short(weekday),
            'A' => weekday.to_owned(),
            'b' | 'h' => short(month),
            'B' => month.to_owned(),
            'w' => ((day.weekday() + 1) % 7).to_string(),
            'u' => (day.weekday() + 1).to_string(),
            'F' => day.iso(),
            'T' => format!("{hour:02}:{minute:02}:{second:02}"),
            'R' => format!("{hour:02}:{minute:02}"),
            'D' => format!("{:02}/{:02}/{:02}", day.month, day.of_month, day.year % 100),
            'z' => self
                .offset
                .map(|offset| iso_offset(offset, ""))
                .unwrap_or_default(),
            'Z' => match self.offset {
                Some(0) => "UTC".to_owned(),
                Some(offset) => format!("UTC{}", iso_offset(offset, ":")),
                None => String::new(),
            },
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            _ => {
                return Err(Failure::unsupported(format!(
                    "the directive `%{directive}` of `strftime` is not supported"
                )));
            }
        })
    }
}

/// An attribute that is not a method.
pub(crate) fn date_attribute(moment: &Moment, name: &str) -> Option<Value> {
    let number = |number: u32| Some(Value::from(i64::from(number)));
    if let Some(day) = moment.day {
        match name {
            "year" => return Some(Value::from(i64::from(day.year))),
            "month" => return number(day.month),
            "day" => return number(day.of_month),
            _ => {}
        }
    }
    let [hour, minute, second, micro] = moment.clock?;
    match name {
        "hour" => number(hour),
        "minute" => number(minute),
        "second" => number(second),
        "microsecond" => number(micro),
        "tzinfo" if moment.offset.is_none() => Some(Value::from(())),
        _ => None,
    }
}

/// What a method gives, `None` if there is no such method.
pub(crate) fn date_method(
    moment: &Moment,
    name: &str,
    argument: Option<&str>,
) -> Outcome<Option<Value>> {
    if name == "isoformat" {
        return Ok(Some(text(moment.iso(argument.unwrap_or("T")))));
    }
    if name == "strftime" {
        let Some(format) = argument else {
            return Err(Failure::of_type("`strftime` needs a format"));
        };
        return moment.strftime(format).map(|printed| Some(text(printed)));
    }
    let Some(day) = moment.day else {
        return Ok(None);
    };
    let part = |day, clock| {
        Moment {
            day,
            clock,
            offset: None,
        }
        .into_value()
    };
    Ok(match name {
        "weekday" => Some(Value::from(day.weekday())),
        "isoweekday" => Some(Value::from(day.weekday() + 1)),
        "toordinal" => Some(Value::from(day.ordinal())),
        "date" if moment.clock.is_some() => Some(part(moment.day, None)),
        "time" if moment.clock.is_some() => Some(part(None, moment.clock)),
        "timestamp" if moment.offset.is_some() => {
            const UNIX_EPOCH: i64 = 719_163 * 86400 * 1_000_000;
            #[expect(clippy::cast_precision_loss, reason = "Python's timestamps are floats")]
            Some(Value::from((moment.instant() - UNIX_EPOCH) as f64 / 1e6))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::value::{moment, str};

    #[test]
    fn a_moment_prints_as_what_it_was_read_from() {
        for text in [
            "2024-01-31",
            "10:00:00",
            "10:00:00.250000",
            "2024-01-31 10:00:00",
            "2024-01-31 10:00:00+00:00",
            "2024-01-31 10:00:00.000001-05:30",
            "2024-01-31 10:00:00+23:59:59",
        ] {
            assert_eq!(str(&moment(text).unwrap()), text);
        }
        for text in [
            "",
            "x",
            "2024-13-01",
            "2024-01",
            "1:2:3:4",
            "2024-01-31 x",
            "2024-01-31 10:00:00+x",
            "2024-01-31 10:00:00+24:00",
            "2024-01-31 10:00:00+4294967295:00",
        ] {
            assert!(moment(text).is_none(), "{text}");
        }
    }
}
