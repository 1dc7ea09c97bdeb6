//! Which lists of which kinds are merged item by item, and by which keys.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What a strategic merge knows about a value before it looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MergeSchema {
    /// Nothing: a list is replaced as a whole.
    Open,
    /// The fields that lead to lists whose items are merged.
    Object(&'static TypeFields),
    /// A list whose items are merged.
    List {
        /// The keys that tell items apart; none for a list of scalars.
        keys: &'static [&'static str],
        /// The type of the items, if lists below them are merged too.
        items: Option<&'static TypeFields>,
    },
}

/// The fields of a type that lead to lists whose items are merged.
pub(crate) type TypeFields = BTreeMap<&'static str, TypeField>;

/// Where a field of a type leads to.
#[derive(Debug)]
pub(crate) struct TypeField {
    keys: Option<Vec<&'static str>>,
    of_type: &'static str,
}

#[derive(Debug, Default)]
struct MergeKeyTable {
    kinds: BTreeMap<(&'static str, &'static str), &'static str>,
    types: BTreeMap<&'static str, TypeFields>,
}

impl MergeSchema {
    /// Returns the schema of a kind; `None` for a kind that kustomize does not know.
    pub(crate) fn of_kind(api_version: &str, kind: &str) -> Option<Self> {
        let table = merge_key_table();
        let name = table.kinds.get(&(api_version, kind))?;
        table.types.get(name).map(Self::Object)
    }

    /// Returns the schema of a field.
    pub(crate) fn field(self, key: &str) -> Self {
        let Self::Object(fields) = self else {
            return Self::Open;
        };
        let Some(field) = fields.get(key) else {
            return Self::Open;
        };
        let below = merge_key_table().types.get(field.of_type);
        match (&field.keys, below) {
            (Some(keys), items) => Self::List { keys, items },
            (None, Some(fields)) => Self::Object(fields),
            (None, None) => Self::Open,
        }
    }
}

fn merge_key_table() -> &'static MergeKeyTable {
    static TABLE: OnceLock<MergeKeyTable> = OnceLock::new();
    TABLE.get_or_init(|| read_table(include_str!("merge_key.txt")))
}

fn read_table(text: &'static str) -> MergeKeyTable {
    let mut table = MergeKeyTable::default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let words: Vec<&'static str> = line.split(' ').collect();
        match words[..] {
            [api_version, kind, name] if !kind.contains('=') => {
                table.kinds.insert((api_version, kind), name);
            }
            [name, ref fields @ ..] if !name.is_empty() => {
                let fields = fields.iter().filter_map(|field| read_field(field));
                table.types.insert(name, fields.collect());
            }
            _ => {}
        }
    }
    table
}

fn read_field(text: &'static str) -> Option<(&'static str, TypeField)> {
    let (name, value) = text.split_once('=')?;
    let listed = value
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let field = match listed {
        Some((keys, of_type)) => TypeField {
            keys: Some(keys.split(',').filter(|key| !key.is_empty()).collect()),
            of_type,
        },
        None => TypeField {
            keys: None,
            of_type: value,
        },
    };
    Some((name, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_merged_by_name_and_ports_by_two_keys() {
        let pod = MergeSchema::of_kind("v1", "Pod").expect("pods are known");
        let MergeSchema::List { keys, items } = pod.field("spec").field("containers") else {
            panic!("containers are a list");
        };
        assert_eq!(keys, ["name"]);
        let container = MergeSchema::Object(items.expect("containers hold lists"));
        let MergeSchema::List { keys, .. } = container.field("ports") else {
            panic!("ports are a list");
        };
        assert_eq!(keys, ["containerPort", "protocol"]);
    }

    #[test]
    fn a_field_without_lists_and_an_unknown_kind_are_open() {
        let pod = MergeSchema::of_kind("v1", "Pod").expect("pods are known");
        assert!(matches!(
            pod.field("spec").field("tolerations"),
            MergeSchema::Open
        ));
        assert!(MergeSchema::of_kind("example.org/v1", "Pod").is_none());
    }

    #[test]
    fn every_type_of_the_table_is_there() {
        let table = merge_key_table();
        assert!(table.kinds.len() > 60 && table.types.len() > 40);
        for name in table.kinds.values() {
            assert!(table.types.contains_key(name), "{name}");
        }
        for fields in table.types.values() {
            for field in fields.values() {
                let known = field.of_type.is_empty() || table.types.contains_key(field.of_type);
                assert!(known, "{}", field.of_type);
            }
        }
    }
}
