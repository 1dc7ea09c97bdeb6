//! Dates and times, as Python's `datetime` has them and prints them.

use std::fmt;

/// A day of the calendar, in the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

/// A time of the day without offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOfDay {
    /// The hour, from 0 to 23.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second, from 0 to 59.
    pub second: u8,
    /// Millionths of a second.
    pub microsecond: u32,
}

/// A day with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// The time.
    pub time: TimeOfDay,
    /// Minutes ahead of UTC; `None` for a time of nowhere in particular.
    pub offset: Option<i32>,
}

impl Date {
    /// Makes a date, where there is such a day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let fits = (1..=9999).contains(&year) && (1..=days).contains(&day);
        fits.then_some(Self { year, month, day })
    }
}

impl TimeOfDay {
    /// Makes a time, where the day has it; Python knows no leap second.
    pub fn new(hour: u8, minute: u8, second: u8, microsecond: u32) -> Option<Self> {
        let fits = hour < 24 && minute < 60 && second < 60 && microsecond < 1_000_000;
        fits.then_some(Self {
            hour,
            minute,
            second,
            microsecond,
        })
    }
}

impl DateTime {
    /// Makes a point in time, where its offset is less than a day.
    pub fn new(date: Date, time: TimeOfDay, offset: Option<i32>) -> Option<Self> {
        let fits = offset.is_none_or(|offset| offset.abs() < 24 * 60);
        fits.then_some(Self { date, time, offset })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hour,
            minute,
            second,
            microsecond,
        } = self;
        write!(formatter, "{hour:02}:{minute:02}:{second:02}")?;
        if *microsecond > 0 {
            write!(formatter, ".{microsecond:06}")?;
        }
        Ok(())
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.date, self.time)?;
        if let Some(offset) = self.offset {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.unsigned_abs();
            write!(formatter, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}
