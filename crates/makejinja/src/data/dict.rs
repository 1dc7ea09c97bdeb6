//! Python's `dict`: equal keys are one, which stays where it first was.

use std::collections::BTreeMap;

use super::{Data, number};

/// A `dict` while it is filled.
#[derive(Default)]
pub(super) struct Dict {
    entries: Vec<(Data, Data)>,
    index: BTreeMap<DictKey, usize>,
}

/// What makes two keys equal for Python: `1`, `1.0` and `True` are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum DictKey {
    Null,
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    Time(&'static str, String),
}

impl Dict {
    pub(super) fn from_entries(entries: Vec<(Data, Data)>) -> Self {
        let index = entries.iter().enumerate();
        let index = index.filter_map(|(at, (key, _))| Some((dict_key(key)?, at)));
        let index = index.collect();
        Self { entries, index }
    }

    pub(super) fn into_entries(self) -> Vec<(Data, Data)> {
        self.entries
    }

    /// Sets a key; returns its position, or `None` where Python cannot hash it.
    pub(super) fn insert(&mut self, key: Data, value: Data) -> Option<usize> {
        let known = dict_key(&key)?;
        let at = *self.index.entry(known).or_insert(self.entries.len());
        match self.entries.get_mut(at) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key, value)),
        }
        Some(at)
    }

    /// Sets all keys, of which later ones win.
    pub(super) fn extend(&mut self, entries: Vec<(Data, Data)>) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }

    /// Returns the position of a text key and its value, which becomes an empty table where it is not there yet.
    pub(super) fn table(&mut self, key: &str) -> (usize, &mut Data) {
        let known = DictKey::Text(key.to_owned());
        let at = *self.index.entry(known).or_insert(self.entries.len());
        if at == self.entries.len() {
            let empty = Data::Map(Vec::new());
            self.entries.push((Data::Text(key.to_owned()), empty));
        }
        (at, &mut self.entries[at].1)
    }
}

fn dict_key(key: &Data) -> Option<DictKey> {
    Some(match key {
        Data::Null => DictKey::Null,
        Data::Bool(flag) => DictKey::Number(u8::from(*flag).to_string()),
        Data::Integer(text) => DictKey::Number(text.clone()),
        Data::Float(number) if number.fract() == 0.0 => {
            // A float prints all digits of a whole number.
            DictKey::Number(format!("{:.0}", if *number == 0.0 { 0.0 } else { *number }))
        }
        Data::Float(number) => DictKey::Number(number::printed_float(*number)),
        Data::Text(text) => DictKey::Text(text.clone()),
        Data::Bytes(bytes) => DictKey::Bytes(bytes.clone()),
        Data::Date(_) | Data::Time(_) | Data::DateTime(_) => {
            DictKey::Time(key.type_name(), key.printed()?)
        }
        Data::List(_) | Data::Tuple(_) | Data::Set(_) | Data::Map(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> Data {
        Data::Integer(text.to_owned())
    }

    #[test]
    fn keys_that_are_equal_for_python_are_one() {
        let mut dict = Dict::default();
        assert_eq!(dict.insert(integer("1"), integer("1")), Some(0));
        assert_eq!(
            dict.insert(Data::Text("1".to_owned()), integer("2")),
            Some(1)
        );
        assert_eq!(dict.insert(Data::Bool(true), integer("3")), Some(0));
        assert_eq!(dict.insert(Data::Float(1.0), integer("4")), Some(0));
        assert_eq!(dict.insert(Data::Float(-0.0), integer("5")), Some(2));
        assert_eq!(dict.insert(Data::Bool(false), integer("6")), Some(2));
        assert_eq!(dict.insert(Data::List(Vec::new()), integer("7")), None);
        let entries = dict.into_entries();
        assert!(entries[0] == (integer("1"), integer("4")));
        assert_eq!(entries.len(), 3);
    }
}
