//! Values as bytes between Kiln and Python.
//!
//! A value is a tag; then, for a single value, its length in bytes, `:` and the bytes, and for a collection its number
//! of items, `:` and the items. There is no escaping, so that secrets are copied once, into memory that is wiped.
//! `python/wire.py` is the other side.

use zeroize::Zeroizing;

use crate::value::{Handle, HandleKind, PluginValue};

/// How deep values may be nested; a list that holds itself has no end.
pub(crate) const DEEPEST: usize = 200;
/// What replies put around the values of plugins.
const ENVELOPE: usize = 8;

/// Why a value cannot go over the wire.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum WireError {
    #[error("a value that is nested deeper than {DEEPEST} levels")]
    TooDeep,
    #[error("an integer that is not written in decimal digits")]
    NoInteger,
    #[error("a path that is not Unicode")]
    NoUnicodePath,
    #[error("bytes that are no value")]
    Malformed,
}

/// Writes one value, piece by piece.
#[derive(Default)]
pub(crate) struct WireWriter {
    bytes: Zeroizing<Vec<u8>>,
}

impl WireWriter {
    /// Returns the bytes of what was written.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    fn put(&mut self, tag: u8, payload: &[u8]) {
        self.count(tag, payload.len());
        self.bytes.extend_from_slice(payload);
    }

    fn count(&mut self, tag: u8, count: usize) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(format!("{count}:").as_bytes());
    }

    /// Begins a mapping; that many keys and values have to follow.
    pub(crate) fn begin_map(&mut self, entries: usize) {
        self.count(b'm', entries);
    }

    /// Begins a list; that many items have to follow.
    pub(crate) fn begin_list(&mut self, items: usize) {
        self.count(b'l', items);
    }

    /// Writes a text.
    pub(crate) fn text(&mut self, text: &str) {
        self.put(b's', text.as_bytes());
    }

    /// Writes a value.
    pub(crate) fn value(&mut self, value: &PluginValue) -> Result<(), WireError> {
        self.value_at(value, 0)
    }

    fn value_at(&mut self, value: &PluginValue, depth: usize) -> Result<(), WireError> {
        if depth > DEEPEST {
            return Err(WireError::TooDeep);
        }
        match value {
            PluginValue::Null => self.bytes.push(b'N'),
            PluginValue::Bool(true) => self.bytes.push(b'T'),
            PluginValue::Bool(false) => self.bytes.push(b'F'),
            PluginValue::Integer(digits) => {
                let unsigned = digits.strip_prefix('-').unwrap_or(digits);
                if unsigned.is_empty() || !unsigned.bytes().all(|digit| digit.is_ascii_digit()) {
                    return Err(WireError::NoInteger);
                }
                self.put(b'i', digits.as_bytes());
            }
            PluginValue::Float(number) => self.put(b'f', format!("{number:?}").as_bytes()),
            PluginValue::Text(text) => self.text(text),
            PluginValue::Bytes(bytes) => self.put(b'b', bytes),
            PluginValue::Date(text) => self.put(b'd', text.as_bytes()),
            PluginValue::DateTime(text) => self.put(b'D', text.as_bytes()),
            PluginValue::Time(text) => self.put(b't', text.as_bytes()),
            PluginValue::Path(path) => {
                let text = path.to_str().ok_or(WireError::NoUnicodePath)?;
                self.put(b'p', text.as_bytes());
            }
            PluginValue::Undefined(name) => self.put(b'U', name.as_bytes()),
            PluginValue::List(items) => self.items(b'l', items, depth)?,
            PluginValue::Tuple(items) => self.items(b'u', items, depth)?,
            PluginValue::Set(items) => self.items(b'e', items, depth)?,
            PluginValue::FrozenSet(items) => self.items(b'z', items, depth)?,
            PluginValue::Map(entries) => {
                self.begin_map(entries.len());
                for (key, value) in entries {
                    self.value_at(key, depth + 1)?;
                    self.value_at(value, depth + 1)?;
                }
            }
            PluginValue::Handle(handle) => self.handle(handle.id),
        }
        Ok(())
    }

    /// Writes a reference to an object that was lent out.
    pub(crate) fn handle(&mut self, id: u64) {
        self.put(b'H', id.to_string().as_bytes());
    }

    fn items(&mut self, tag: u8, items: &[PluginValue], depth: usize) -> Result<(), WireError> {
        self.count(tag, items.len());
        items
            .iter()
            .try_for_each(|item| self.value_at(item, depth + 1))
    }
}

/// Reads values from bytes.
pub(crate) struct WireReader<'a> {
    bytes: &'a [u8],
}

impl<'a> WireReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Tells whether nothing follows.
    pub(crate) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads the next value.
    pub(crate) fn value(&mut self) -> Result<PluginValue, WireError> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: usize) -> Result<PluginValue, WireError> {
        if depth > DEEPEST + ENVELOPE {
            return Err(WireError::TooDeep);
        }
        let (&tag, rest) = self.bytes.split_first().ok_or(WireError::Malformed)?;
        self.bytes = rest;
        Ok(match tag {
            b'N' => PluginValue::Null,
            b'T' => PluginValue::Bool(true),
            b'F' => PluginValue::Bool(false),
            b'i' => PluginValue::Integer(self.text()?.to_owned()),
            b'f' => PluginValue::Float(self.text()?.parse().map_err(|_| WireError::Malformed)?),
            b's' => PluginValue::text(self.text()?),
            b'b' => PluginValue::Bytes(Zeroizing::new(self.payload()?.to_vec())),
            b'd' => PluginValue::Date(self.text()?.to_owned()),
            b'D' => PluginValue::DateTime(self.text()?.to_owned()),
            b't' => PluginValue::Time(self.text()?.to_owned()),
            b'U' => PluginValue::Undefined(self.text()?.to_owned()),
            b'l' => PluginValue::List(self.items(depth)?),
            b'u' => PluginValue::Tuple(self.items(depth)?),
            b'e' => PluginValue::Set(self.items(depth)?),
            b'z' => PluginValue::FrozenSet(self.items(depth)?),
            b'm' => {
                let mut entries = Vec::new();
                for _ in 0..self.count()? {
                    entries.push((self.value_at(depth + 1)?, self.value_at(depth + 1)?));
                }
                PluginValue::Map(entries)
            }
            b'h' => PluginValue::Handle(self.handle(depth)?),
            _ => return Err(WireError::Malformed),
        })
    }

    fn items(&mut self, depth: usize) -> Result<Vec<PluginValue>, WireError> {
        let mut items = Vec::new();
        for _ in 0..self.count()? {
            items.push(self.value_at(depth + 1)?);
        }
        Ok(items)
    }

    fn handle(&mut self, depth: usize) -> Result<Handle, WireError> {
        let PluginValue::List(parts) = self.value_at(depth + 1)? else {
            return Err(WireError::Malformed);
        };
        let Ok([id, type_name, text, kind, callable, is_true]) =
            <[PluginValue; 6]>::try_from(parts)
        else {
            return Err(WireError::Malformed);
        };
        let kind = match kind.as_text() {
            Some("mapping") => HandleKind::Mapping,
            Some("sequence") => HandleKind::Sequence,
            Some("iterable") => HandleKind::Iterable,
            _ => HandleKind::Plain,
        };
        Ok(Handle {
            id: number(&id).ok_or(WireError::Malformed)?,
            type_name: type_name.as_text().unwrap_or_default().to_owned(),
            text: Zeroizing::new(text.as_text().unwrap_or_default().to_owned()),
            kind,
            callable: callable == PluginValue::Bool(true),
            is_true: is_true == PluginValue::Bool(true),
        })
    }

    fn count(&mut self) -> Result<usize, WireError> {
        let end = self.bytes.iter().position(|byte| *byte == b':');
        let (digits, rest) = self.bytes.split_at(end.ok_or(WireError::Malformed)?);
        self.bytes = &rest[1..];
        let digits = str::from_utf8(digits).map_err(|_| WireError::Malformed)?;
        digits.parse().map_err(|_| WireError::Malformed)
    }

    fn payload(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.count()?;
        let (payload, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(WireError::Malformed)?;
        self.bytes = rest;
        Ok(payload)
    }

    fn text(&mut self) -> Result<&'a str, WireError> {
        str::from_utf8(self.payload()?).map_err(|_| WireError::Malformed)
    }
}

/// Returns an integer that fits, as ids and lines do.
pub(crate) fn number<N: std::str::FromStr>(value: &PluginValue) -> Option<N> {
    match value {
        PluginValue::Integer(digits) => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(value: &PluginValue) -> Result<Zeroizing<Vec<u8>>, WireError> {
        let mut writer = WireWriter::default();
        writer.value(value)?;
        Ok(writer.finish())
    }

    fn nested(depth: usize) -> PluginValue {
        (0..depth).fold(PluginValue::Null, |inner, _| PluginValue::List(vec![inner]))
    }

    fn values() -> impl Strategy<Value = PluginValue> {
        let leaf = prop_oneof![
            Just(PluginValue::Null),
            any::<bool>().prop_map(PluginValue::Bool),
            any::<i128>().prop_map(PluginValue::integer),
            (-1e300..1e300).prop_map(PluginValue::Float),
            any::<String>().prop_map(PluginValue::from),
            any::<Vec<u8>>().prop_map(|bytes| PluginValue::Bytes(Zeroizing::new(bytes))),
            any::<String>().prop_map(PluginValue::Undefined),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            let items = prop::collection::vec(inner.clone(), 0..6);
            let entries = prop::collection::vec((inner.clone(), inner), 0..6);
            prop_oneof![
                items.clone().prop_map(PluginValue::List),
                items.clone().prop_map(PluginValue::Tuple),
                items.prop_map(PluginValue::Set),
                entries.prop_map(PluginValue::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in values()) {
            let bytes = encode(&value).unwrap();
            let mut reader = WireReader::new(&bytes);
            prop_assert!(reader.value().unwrap() == value);
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), text in "[NTFifsbdDtUluezmh0-9:]{0,60}") {
            drop(WireReader::new(&bytes).value());
            drop(WireReader::new(text.as_bytes()).value());
        }
    }

    #[test]
    fn nesting_has_an_end_in_both_directions() {
        assert!(encode(&nested(DEEPEST)).is_ok());
        assert_eq!(
            encode(&nested(DEEPEST + 1)).unwrap_err(),
            WireError::TooDeep
        );
        let deep = "l1:".repeat(100_000);
        assert_eq!(
            WireReader::new(deep.as_bytes()).value().unwrap_err(),
            WireError::TooDeep
        );
    }

    #[test]
    fn a_count_that_nothing_follows_takes_no_memory() {
        let read = WireReader::new(b"l99999999999:N").value();
        assert_eq!(read.unwrap_err(), WireError::Malformed);
        let read = WireReader::new(b"s99999999999:a").value();
        assert_eq!(read.unwrap_err(), WireError::Malformed);
    }

    #[test]
    fn an_integer_is_digits() {
        let wrong = PluginValue::Integer("1_000".to_owned());
        assert_eq!(encode(&wrong).unwrap_err(), WireError::NoInteger);
    }

    #[test]
    fn debug_shows_no_text() {
        let value = PluginValue::map([("token", PluginValue::from("hunter2"))]);
        assert_eq!(format!("{value:?}"), "{str: str}");
    }
}
