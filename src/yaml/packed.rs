//! Documents in a form that is quick to read: what `build.rs` makes of YAML and JSON files in the binary.
//!
//! A node is a byte for its kind, then a length in LEB128, then what it is made of:
//!
//! | kind | length | behind it |
//! |---|---|---|
//! | `p` plain scalar | bytes of text | the text |
//! | `q` quoted or block scalar | bytes of text | the text |
//! | `m` mapping | entries | for each a scalar, the key, and a node |
//! | `s` sequence | items | the nodes |

use serde_json::{Map, Value};

use super::{Content, Entry, Node, Scalar, Style};
use crate::source::Span;

/// Reads the one document that was packed; `None` when the bytes are none.
///
/// Nodes have no places, and are neither anchored nor aliased.
pub fn unpack(bytes: &[u8]) -> Option<Node> {
    let mut reader = PackedReader { rest: bytes };
    let root = reader.node()?;
    reader.rest.is_empty().then_some(root)
}

/// Reads the one document that was packed as JSON; `None` when the bytes are none.
pub fn unpack_json(bytes: &[u8]) -> Option<Value> {
    let mut reader = PackedReader { rest: bytes };
    let root = reader.value()?;
    reader.rest.is_empty().then_some(root)
}

/// Splits a mapping that was packed into its keys and what each value was packed to, for [`unpack`]; `None` when
/// the bytes are none.
pub fn unpack_entries(bytes: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut reader = PackedReader { rest: bytes };
    let (kind, length) = reader.head()?;
    let mut entries = Vec::with_capacity(reader.at_most(length));
    for _ in 0..length {
        let (_, key) = reader.head()?;
        let key = str::from_utf8(reader.bytes(key)?).ok()?;
        let value = reader.rest;
        reader.skip()?;
        entries.push((key, &value[..value.len() - reader.rest.len()]));
    }
    (kind == b'm' && reader.rest.is_empty()).then_some(entries)
}

/// Reads the one mapping that was packed but for what is behind a key, and returns what that was packed to, if it is
/// there; `None` when the bytes are none.
pub fn unpack_without<'b>(bytes: &'b [u8], key: &str) -> Option<(Node, Option<&'b [u8]>)> {
    let mut left_out = None;
    let mut entries = Vec::new();
    for (name, value) in unpack_entries(bytes)? {
        if name == key {
            left_out = Some(value);
        } else {
            entries.push(entry(name.to_owned(), unpack(value)?));
        }
    }
    let flow = false;
    Some((node(Content::Mapping { entries, flow }), left_out))
}

fn node(content: Content) -> Node {
    Node {
        span: Span::default(),
        content,
        alias_of: None,
        anchored: false,
    }
}

fn entry(key: String, value: Node) -> Entry {
    Entry {
        key,
        key_span: Span::default(),
        value,
    }
}

struct PackedReader<'b> {
    rest: &'b [u8],
}

impl<'b> PackedReader<'b> {
    fn node(&mut self) -> Option<Node> {
        let (kind, length) = self.head()?;
        let content = match kind {
            b'p' => self.scalar(length, Style::Plain)?,
            b'q' => self.scalar(length, Style::Quoted)?,
            b's' => Content::Sequence {
                items: self.list(length, Self::node)?,
                flow: false,
            },
            b'm' => Content::Mapping {
                entries: self.list(length, Self::entry)?,
                flow: false,
            },
            _ => return None,
        };
        Some(node(content))
    }

    fn list<T>(&mut self, length: usize, read: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::with_capacity(self.at_most(length));
        for _ in 0..length {
            list.push(read(self)?);
        }
        Some(list)
    }

    /// Bounds a length, whatever a damaged one says: each item takes two bytes at least.
    fn at_most(&self, length: usize) -> usize {
        length.min(self.rest.len() / 2)
    }

    fn value(&mut self) -> Option<Value> {
        let (kind, length) = self.head()?;
        Some(match kind {
            b'q' => Value::String(self.text(length)?),
            b's' => Value::Array(self.list(length, Self::value)?),
            b'm' => {
                let mut entries = Map::with_capacity(self.at_most(length));
                for _ in 0..length {
                    entries.insert(self.key()?, self.value()?);
                }
                Value::Object(entries)
            }
            b'p' => serde_json::from_str(&self.text(length)?).ok()?,
            _ => return None,
        })
    }

    fn key(&mut self) -> Option<String> {
        let (_, length) = self.head()?;
        self.text(length)
    }

    fn entry(&mut self) -> Option<Entry> {
        Some(entry(self.key()?, self.node()?))
    }

    fn scalar(&mut self, length: usize, style: Style) -> Option<Content> {
        Some(Content::Scalar(Scalar {
            text: self.text(length)?,
            style,
            tagged_string: false,
        }))
    }

    fn text(&mut self, length: usize) -> Option<String> {
        String::from_utf8(self.bytes(length)?.to_vec()).ok()
    }

    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// Passes over a node.
    fn skip(&mut self) -> Option<()> {
        let (kind, length) = self.head()?;
        match kind {
            b's' => (0..length).try_for_each(|_| self.skip()),
            b'm' => (0..length).try_for_each(|_| self.skip().and_then(|()| self.skip())),
            _ => self.bytes(length).map(drop),
        }
    }

    /// Reads a kind and a length.
    fn head(&mut self) -> Option<(u8, usize)> {
        let (kind, mut rest) = self.rest.split_first()?;
        let mut length = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, behind) = rest.split_first()?;
            rest = behind;
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                self.rest = rest;
                return Some((*kind, length));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mappings_sequences_and_scalars() {
        let node = unpack(b"m\x02q\x01ap\x011q\x01bs\x02q\x012p\x04null").unwrap();
        let value = node.to_value(crate::yaml::Resolver::Core);
        assert_eq!(value, serde_json::json!({"a": 1, "b": ["2", null]}));
        let packed = b"m\x02q\x01ap\x011q\x01bs\x02q\x012p\x04null";
        assert_eq!(unpack_json(packed), Some(value));
    }

    #[test]
    fn splits_a_mapping() {
        let packed = b"m\x03q\x01am\x01q\x01xs\x02p\x011p\x00q\x01bs\x00p\x01cp\x011";
        let entries = unpack_entries(packed).unwrap();
        let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["a", "b", "c"]);
        let root = unpack(packed).unwrap();
        for (key, value) in entries {
            assert_eq!(unpack(value).as_ref(), root.get(key), "{key}");
        }
        assert_eq!(unpack_entries(b"s\x00"), None);
    }

    #[test]
    fn refuses_what_is_cut_off_or_too_long() {
        for bytes in [
            &b""[..],
            b"m\x01q\x01a",
            b"p\x05abc",
            b"p\x01ab",
            b"x\x00",
            b"s\xff\xff\xff",
        ] {
            assert_eq!(unpack(bytes), None, "{bytes:?}");
            assert_eq!(unpack_json(bytes), None, "{bytes:?}");
            assert_eq!(unpack_entries(bytes), None, "{bytes:?}");
        }
    }
}
