//! What a `data` hook does, if it does no more than to set defaults in the ways of the cluster-template family.

use std::collections::{BTreeMap, BTreeSet};

use crate::family::{
    DataDefaults, DataMapping, DataPlace, DefaultStep, DefaultValue, NetworkLibrary,
};
use crate::python_definition::PythonStatement;
use crate::python_line::PythonToken;
use crate::token_cursor::TokenCursor;
use crate::value::PluginValue;

/// Reads the body of a `data` hook; none if it has a statement of another form.
///
/// The forms are `data = self._data`, `network = data["network"]`, `data.setdefault("key", VALUE)`, `name = VALUE` and
/// `return data`; a VALUE is a literal, a name, `nthhost(data.get("key"), 1)`, `all(data.get(key) for key in KEYS)` or
/// `len(data.get("key")) > 1`. `library` is that of `nthhost`, if it is known.
pub(crate) fn read_data_hook(
    hook: &PythonStatement<'_>,
    library: Option<NetworkLibrary>,
) -> Option<DataDefaults> {
    let parameters = TokenCursor::new(&hook.head()[2..]).sequence(&["(", "self", ")"]);
    let mut reader = DataHookReader {
        library,
        aliases: BTreeMap::new(),
        lists: BTreeMap::new(),
        kept: BTreeSet::new(),
        steps: Vec::new(),
    };
    let body = hook.body();
    let (last, statements) = body.split_last()?;
    parameters.filter(|()| !hook.is_decorated())?;
    for statement in statements {
        let is_simple = statement.body().is_empty() && !statement.is_decorated();
        is_simple
            .then(|| reader.statement(statement.head()))
            .flatten()?;
    }
    let mut result = TokenCursor::new(last.head());
    let returns_data = result.word("return")
        && reader.mapping(&mut result) == Some(DataMapping::Whole)
        && result.is_at_end();
    returns_data.then_some(DataDefaults {
        steps: reader.steps,
    })
}

struct DataHookReader<'a> {
    library: Option<NetworkLibrary>,
    /// Names for the data, or for a mapping in them.
    aliases: BTreeMap<&'a str, DataMapping>,
    /// Names for lists of texts.
    lists: BTreeMap<&'a str, Vec<String>>,
    kept: BTreeSet<&'a str>,
    steps: Vec<DefaultStep>,
}

impl<'a> DataHookReader<'a> {
    fn statement(&mut self, tokens: &'a [PythonToken]) -> Option<()> {
        let mut cursor = TokenCursor::new(tokens);
        let mut assigned = cursor;
        if let Some(name) = assigned.name()
            && assigned.sign('=')
        {
            return self.assign(name, assigned);
        }
        let of = self.mapping(&mut cursor)?;
        cursor.sequence(&[".", "setdefault", "("])?;
        let key = cursor.text()?.to_owned();
        cursor.sequence(&[","])?;
        let value = self.value(&mut cursor)?;
        cursor.sequence(&[")"])?;
        let place = DataPlace {
            of,
            key,
            required: false,
        };
        self.steps.push(DefaultStep::Set(place, value));
        cursor.is_at_end().then_some(())
    }

    fn assign(&mut self, name: &'a str, cursor: TokenCursor<'a>) -> Option<()> {
        // A name that gets a second meaning is left to Python.
        let is_new = !self.aliases.contains_key(name) && !self.lists.contains_key(name);
        (is_new && !["all", "len", "nthhost", "self"].contains(&name) && self.kept.insert(name))
            .then_some(())?;
        let mut mapping = cursor;
        if let Some(of) = self.mapping_or_part(&mut mapping)
            && mapping.is_at_end()
        {
            self.kept.remove(name);
            self.aliases.insert(name, of);
            return Some(());
        }
        let mut value = cursor;
        let found = self.value(&mut value).filter(|_| value.is_at_end())?;
        if let DefaultValue::Literal(PluginValue::List(items)) = &found {
            let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
            if let Some(texts) = texts.collect() {
                self.lists.insert(name, texts);
            }
        }
        self.steps.push(DefaultStep::Keep(name.to_owned(), found));
        Some(())
    }

    /// Takes a name of the data or of a mapping in them.
    fn mapping(&self, cursor: &mut TokenCursor<'a>) -> Option<DataMapping> {
        if cursor.sequence(&["self", ".", "_data"]).is_some() {
            return Some(DataMapping::Whole);
        }
        let name = cursor.name()?;
        self.aliases.get(name).cloned()
    }

    /// Takes a name of the data, or `data["key"]`.
    fn mapping_or_part(&self, cursor: &mut TokenCursor<'a>) -> Option<DataMapping> {
        let of = self.mapping(cursor)?;
        if !cursor.sign('[') {
            return Some(of);
        }
        let key = cursor.text()?.to_owned();
        (of == DataMapping::Whole && cursor.sign(']')).then_some(DataMapping::Part(key))
    }

    /// Takes `data.get("key")` or `data["key"]`.
    fn place(&self, cursor: &mut TokenCursor<'a>) -> Option<DataPlace> {
        let of = self.mapping(cursor)?;
        let required = cursor.sign('[');
        if !required {
            cursor.sequence(&[".", "get", "("])?;
        }
        let key = cursor.text()?.to_owned();
        cursor.sequence(&[if required { "]" } else { ")" }])?;
        Some(DataPlace { of, key, required })
    }

    fn value(&self, cursor: &mut TokenCursor<'a>) -> Option<DefaultValue> {
        if let Some(literal) = cursor.literal() {
            return Some(DefaultValue::Literal(literal));
        }
        if cursor.sequence(&["nthhost", "("]).is_some() {
            let network = self.place(cursor)?;
            cursor.sequence(&[","])?;
            let nth = cursor.literal()?;
            cursor.sequence(&[")"])?;
            return Some(DefaultValue::Host(self.library?, network, nth));
        }
        if cursor.sequence(&["all", "("]).is_some() {
            return self.all_true(cursor);
        }
        if cursor.sequence(&["len", "("]).is_some() {
            let place = self.place(cursor)?;
            cursor.sequence(&[")", ">"])?;
            let PluginValue::Integer(least) = cursor.literal()? else {
                return None;
            };
            return Some(DefaultValue::LongerThan(place, least.parse().ok()?));
        }
        let name = cursor.name()?;
        let is_kept = self.kept.contains(name);
        is_kept.then(|| DefaultValue::Kept(name.to_owned()))
    }

    /// Takes the rest of `all(data.get(key) for key in keys)`.
    fn all_true(&self, cursor: &mut TokenCursor<'a>) -> Option<DefaultValue> {
        let of = self.mapping(cursor)?;
        cursor.sequence(&[".", "get", "("])?;
        let variable = cursor.name()?;
        cursor.sequence(&[")", "for", variable, "in"])?;
        let keys = self.lists.get(cursor.name()?)?;
        cursor.sequence(&[")"])?;
        let place = |key: &String| DataPlace {
            of: of.clone(),
            key: key.clone(),
            required: false,
        };
        // A variable of that name hides what it is read from.
        (!self.aliases.contains_key(variable))
            .then(|| DefaultValue::AllTrue(keys.iter().map(place).collect()))
    }
}
