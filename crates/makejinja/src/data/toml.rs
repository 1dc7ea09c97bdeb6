//! TOML, with places.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};
use zeroize::Zeroizing;

use super::{Data, Date, DateTime, TimeOfDay};
use crate::problem::{Origin, Problem, ProblemKind};

/// A value with its place.
pub(crate) struct TomlNode {
    pub(crate) span: Range<usize>,
    pub(crate) content: TomlContent,
}

pub(crate) enum TomlContent {
    Scalar(Data),
    List(Vec<TomlNode>),
    Table(Vec<TomlEntry>),
}

/// A key with its value.
pub(crate) struct TomlEntry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: TomlNode,
}

impl TomlNode {
    pub(crate) fn into_data(self) -> Data {
        match self.content {
            TomlContent::Scalar(data) => data,
            TomlContent::List(items) => {
                Data::List(items.into_iter().map(Self::into_data).collect())
            }
            TomlContent::Table(entries) => Data::Map(into_entries(entries)),
        }
    }
}

/// Returns the entries of a table as those of a `dict`.
pub(super) fn into_entries(entries: Vec<TomlEntry>) -> Vec<(Data, Data)> {
    let entries = entries.into_iter();
    let entries = entries.map(|entry| (Data::Text(entry.key), entry.value.into_data()));
    entries.collect()
}

/// Reads a text; line breaks in texts of several lines are `\n`, as Python's `tomllib` has them.
pub(crate) fn read_toml(path: &str, text: &str) -> Result<Vec<TomlEntry>, Problem> {
    let lines = Zeroizing::new(text.replace("\r\n", "\n"));
    let reader = TomlReader {
        path,
        returns: text
            .match_indices("\r\n")
            .enumerate()
            .map(|(index, (at, _))| at - index)
            .collect(),
    };
    let document = Document::parse(lines.as_str()).map_err(|error| {
        // The parser names what it expects, never what stands there.
        let message = error.message().lines().next().unwrap_or_default();
        let message = format!("this is not TOML: {message}");
        let at = error.span().unwrap_or_default();
        Problem::new(ProblemKind::Syntax, message).at(Some(reader.origin(at)))
    })?;
    reader.table(document.as_table())
}

struct TomlReader<'t> {
    path: &'t str,
    /// Where the text has a line break from which the carriage return is taken, in bytes of what the parser sees.
    returns: Vec<usize>,
}

impl TomlReader<'_> {
    fn origin(&self, span: Range<usize>) -> Origin {
        Origin::new(self.path, self.place(span))
    }

    /// Counts the carriage returns in that the parser does not see.
    fn place(&self, span: Range<usize>) -> Range<usize> {
        let place = |at: usize| at + self.returns.partition_point(|found| *found < at);
        place(span.start)..place(span.end)
    }

    fn table(&self, table: &dyn TableLike) -> Result<Vec<TomlEntry>, Problem> {
        let mut entries = Vec::new();
        for (name, item) in table.iter() {
            let key = table.get_key_value(name).and_then(|(key, _)| key.span());
            let key_span = key.or_else(|| item.span()).unwrap_or_default();
            let span = item.span().unwrap_or_else(|| key_span.clone());
            let value = self.item(item, span)?;
            entries.push(TomlEntry {
                key: name.to_owned(),
                key_span: self.place(key_span),
                value,
            });
        }
        Ok(entries)
    }

    fn item(&self, item: &Item, span: Range<usize>) -> Result<TomlNode, Problem> {
        let content = match item {
            Item::Value(value) => return self.value(value, span),
            Item::Table(table) => TomlContent::Table(self.table(table)?),
            Item::ArrayOfTables(tables) => {
                let tables = tables.iter().map(|table| {
                    let span = table.span().unwrap_or_else(|| span.clone());
                    Ok(TomlNode {
                        span: self.place(span),
                        content: TomlContent::Table(self.table(table)?),
                    })
                });
                TomlContent::List(tables.collect::<Result<_, Problem>>()?)
            }
            Item::None => TomlContent::Table(Vec::new()),
        };
        let span = self.place(span);
        Ok(TomlNode { span, content })
    }

    fn value(&self, value: &Value, span: Range<usize>) -> Result<TomlNode, Problem> {
        let span = value.span().unwrap_or(span);
        let content = match value {
            Value::String(text) => TomlContent::Scalar(Data::Text(text.value().clone())),
            Value::Integer(number) => {
                TomlContent::Scalar(Data::Integer(number.value().to_string()))
            }
            Value::Float(number) => TomlContent::Scalar(Data::Float(*number.value())),
            Value::Boolean(flag) => TomlContent::Scalar(Data::Bool(*flag.value())),
            Value::Datetime(time) => {
                let time = read_time(*time.value()).ok_or_else(|| {
                    let message = "Python has no such date or time";
                    let problem = Problem::new(ProblemKind::UnsupportedValue, message);
                    problem.at(Some(self.origin(span.clone())))
                })?;
                TomlContent::Scalar(time)
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item, span.clone()));
                TomlContent::List(items.collect::<Result<_, Problem>>()?)
            }
            Value::InlineTable(table) => TomlContent::Table(self.table(table)?),
        };
        let span = self.place(span);
        Ok(TomlNode { span, content })
    }
}

/// Makes Python's date or time of one of TOML; a fraction of a second is cut after six digits.
fn read_time(time: toml_edit::Datetime) -> Option<Data> {
    let date = match time.date {
        Some(date) => Some(Date::new(date.year, date.month, date.day)?),
        None => None,
    };
    let clock = match time.time {
        Some(clock) => Some(TimeOfDay::new(
            clock.hour,
            clock.minute,
            clock.second.unwrap_or_default(),
            clock.nanosecond.unwrap_or_default() / 1000,
        )?),
        None => None,
    };
    let offset = time.offset.map(|offset| match offset {
        toml_edit::Offset::Z => 0,
        toml_edit::Offset::Custom { minutes } => i32::from(minutes),
    });
    match (date, clock) {
        (Some(date), Some(clock)) => Some(Data::DateTime(DateTime::new(date, clock, offset)?)),
        (Some(date), None) => Some(Data::Date(date)),
        (None, Some(clock)) => Some(Data::Time(clock)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_the_carriage_returns() {
        let text = "a = 1\r\nb = \"\"\"x\r\ny\"\"\"\r\nc = 3\r\n";
        let entries = read_toml("a.toml", text).unwrap();
        let spans: Vec<&str> = entries
            .iter()
            .map(|entry| &text[entry.key_span.clone()])
            .collect();
        assert_eq!(spans, ["a", "b", "c"]);
        assert_eq!(&text[entries[2].value.span.clone()], "3");
        let data = Data::Map(into_entries(entries));
        assert_eq!(data.get("b").and_then(Data::as_text), Some("x\ny"));
    }
}
