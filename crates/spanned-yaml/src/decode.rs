//! Decoding structs: a struct asks a table for its fields by name, and every problem is noted at its place.
//!
//! A key that no field asked for is unknown. A field that cannot be read is noted and left out, so that one pass finds
//! all problems; what was decoded counts only where there are none.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::Value;

use super::{Entry, Node, Resolver, Span, shown_key};

/// Something in a document that a struct cannot be decoded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeProblem {
    /// What kind of problem it is.
    pub kind: DecodeProblemKind,
    /// What is wrong, in one sentence without a final period.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What was written in the place of one of `known`.
    pub given: String,
    /// The words that could stand there.
    pub known: Vec<&'static str>,
    /// What helps.
    pub hints: Vec<String>,
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeProblemKind {
    /// A key that no field has.
    UnknownKey,
    /// Something else than a table where a struct is expected.
    NoTable,
    /// A field of another type, or a field that is missing.
    WrongType,
    /// A value of the right type that cannot be.
    WrongValue,
}

impl DecodeProblem {
    /// Starts a problem.
    pub fn new(kind: DecodeProblemKind, message: impl Into<String>, span: Span) -> Self {
        Self {
            kind,
            message: message.into(),
            span,
            given: String::new(),
            known: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Says what helps.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns whether the document may be of another kind than it seems, and may hold what must not be shown.
    pub fn is_strange(&self) -> bool {
        matches!(
            self.kind,
            DecodeProblemKind::UnknownKey | DecodeProblemKind::NoTable
        )
    }
}

/// Decodes a struct from the root of a document, which messages call `what`; problems go to `problems`.
///
/// Returns `None` where the root is no table.
pub fn decode<T>(
    what: &str,
    root: &Node,
    problems: &mut Vec<DecodeProblem>,
    read: impl FnOnce(&mut Table<'_>) -> T,
) -> Option<T> {
    Table::read(&what, what, root, problems, read)
}

/// A mapping of YAML or a table of TOML that a struct is decoded from.
#[derive(Debug)]
pub struct Table<'t> {
    what: &'t str,
    node: &'t Node,
    /// The keys that fields asked for.
    known: Vec<&'static str>,
    takes_any_key: bool,
    problems: &'t mut Vec<DecodeProblem>,
}

impl<'t> Table<'t> {
    /// Decodes a struct from a node, which a complaint about the node itself calls `own_name`, and those about keys `what`.
    fn read<T>(
        own_name: &dyn Display,
        what: &str,
        node: &Node,
        problems: &mut Vec<DecodeProblem>,
        read: impl FnOnce(&mut Table<'_>) -> T,
    ) -> Option<T> {
        if node.entries().is_none() {
            let message = format!("{own_name} must be a mapping");
            let kind = DecodeProblemKind::NoTable;
            problems.push(DecodeProblem::new(kind, message, node.first_line_span()));
            return None;
        }
        let mut table = Table {
            what,
            node,
            known: Vec::with_capacity(16),
            takes_any_key: false,
            problems,
        };
        let value = read(&mut table);
        if !table.takes_any_key {
            table.note_unknown_keys();
        }
        Some(value)
    }

    fn note_unknown_keys(&mut self) {
        for entry in self.node.entries().into_iter().flatten() {
            if !self.known.contains(&entry.key.as_str()) && entry.key != "<<" {
                let message = format!("{} has no key `{}`", self.what, shown_key(&entry.key));
                let mut known = self.known.clone();
                known.sort_unstable();
                self.problems.push(DecodeProblem {
                    given: entry.key.clone(),
                    known,
                    ..DecodeProblem::new(DecodeProblemKind::UnknownKey, message, entry.key_span)
                });
            }
        }
    }

    /// Gives messages another name for the table, and for those in it.
    pub fn call(&mut self, what: &'static str) {
        self.what = what;
    }

    /// Returns the whole table, in which any key is known from now on.
    pub fn whole(&mut self) -> &'t Node {
        self.takes_any_key = true;
        self.node
    }

    /// Returns what messages underline for the whole table.
    pub fn span(&self) -> Span {
        self.node.first_line_span()
    }

    /// Returns the entry of a key, which is known from now on.
    pub fn entry(&mut self, key: &'static str) -> Option<&'t Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.node.entry(key)
    }

    /// Returns the value of a key, which is known from now on.
    pub fn get(&mut self, key: &'static str) -> Option<&'t Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns how many problems there are so far, in the whole document.
    pub fn problem_count(&self) -> usize {
        self.problems.len()
    }

    /// Notes those of some keys that are not there.
    pub fn require(&mut self, keys: &[&str]) {
        let node = self.node;
        for key in keys.iter().filter(|key| node.get(key).is_none()) {
            self.wrong_type(self.span(), format!("`{key}` is missing"));
        }
    }

    /// Notes that a value is of another type than its field.
    pub fn wrong_type(&mut self, span: Span, message: impl Into<String>) {
        self.note(DecodeProblem::new(
            DecodeProblemKind::WrongType,
            message,
            span,
        ));
    }

    /// Notes that a value is not one that its field can have.
    pub fn wrong_value(&mut self, span: Span, message: impl Into<String>) {
        self.note(DecodeProblem::new(
            DecodeProblemKind::WrongValue,
            message,
            span,
        ));
    }

    /// Notes a problem.
    pub fn note(&mut self, problem: DecodeProblem) {
        self.problems.push(problem);
    }

    fn expect<T>(&mut self, key: &str, node: &Node, found: Option<T>, what: &str) -> Option<T> {
        if found.is_none() {
            self.wrong_type(node.first_line_span(), format!("`{key}` must be {what}"));
        }
        found
    }

    /// Reads a string; null counts as none.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.text_at(key).map(|(text, _)| text)
    }

    /// Reads a string, with its place; null counts as none.
    pub fn text_at(&mut self, key: &'static str) -> Option<(String, Span)> {
        let node = self.get(key).filter(|node| !node.is_null())?;
        Some((self.text_of(key, node)?, node.span))
    }

    /// Reads a string from a node in this table.
    pub fn text_of(&mut self, key: &str, node: &Node) -> Option<String> {
        self.expect(key, node, string(node), "a string")
    }

    /// Reads a string that is not blank, with its place.
    pub fn filled_text(&mut self, key: &'static str) -> Option<(String, Span)> {
        let node = self.get(key)?;
        let text = string(node).filter(|text| !text.trim().is_empty());
        let text = self.expect(key, node, text, "a string that says something")?;
        Some((text, node.span))
    }

    /// Reads one of some words, with its place.
    pub fn word(&mut self, key: &'static str, words: &[&'static str]) -> Option<(String, Span)> {
        let (word, span) = self.filled_text(key)?;
        self.check_word(key, &word, span, words);
        Some((word, span))
    }

    /// Notes that a text is not one of some words.
    pub fn check_word(&mut self, what: &str, word: &str, span: Span, words: &[&'static str]) {
        if !words.contains(&word) {
            let message = format!("there is no {what} `{word}`, only `{}`", words.join("`, `"));
            self.note(DecodeProblem {
                given: word.to_owned(),
                known: words.to_vec(),
                ..DecodeProblem::new(DecodeProblemKind::WrongValue, message, span)
            });
        }
    }

    /// Reads a flag; without the key, it is off.
    pub fn flag(&mut self, key: &'static str) -> bool {
        self.optional_flag(key).unwrap_or_default()
    }

    /// Reads a flag.
    pub fn optional_flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.get(key)?;
        let flag = node.to_value(Resolver::Core).as_bool();
        self.expect(key, node, flag, "true or false")
    }

    /// Reads a number above 0.
    pub fn number<N: TryFrom<u64>>(&mut self, key: &'static str) -> Option<N> {
        let node = self.get(key)?;
        let number = node.to_value(Resolver::Core).as_u64();
        let number = number.filter(|number| *number > 0);
        let number = number.and_then(|number| N::try_from(number).ok());
        self.expect(key, node, number, "a number above 0")
    }

    /// Reads any value; without the key, it is null.
    pub fn value(&mut self, key: &'static str) -> Value {
        let node = self.get(key);
        node.map_or(Value::Null, |node| node.to_value(Resolver::Core))
    }

    /// Reads a mapping of any keys; without the key, it is null.
    pub fn mapping(&mut self, key: &'static str) -> Value {
        let Some(node) = self.get(key) else {
            return Value::Null;
        };
        let value = node.to_value(Resolver::Core);
        self.expect(key, node, value.is_object().then_some(value), "a mapping")
            .unwrap_or_default()
    }

    /// Returns the items of a list; without the key, there are none.
    pub fn items(&mut self, key: &'static str) -> &'t [Node] {
        let Some(node) = self.get(key) else {
            return &[];
        };
        self.expect(key, node, node.items(), "a list")
            .unwrap_or_default()
    }

    /// Reads a list of strings; without the key, it is empty.
    pub fn texts(&mut self, key: &'static str) -> Vec<String> {
        let texts = self.texts_at(key, "a list of strings").into_iter();
        texts.map(|(text, _)| text).collect()
    }

    /// Reads a list of strings with their places, which messages call `what`; without the key, it is empty.
    pub fn texts_at(&mut self, key: &'static str, what: &str) -> Vec<(String, Span)> {
        match self.get(key) {
            Some(node) => self.texts_of(key, node, what),
            None => Vec::new(),
        }
    }

    /// Reads a list of strings with their places.
    pub fn texts_of(&mut self, key: &str, node: &Node, what: &str) -> Vec<(String, Span)> {
        let items = self.expect(key, node, node.items(), what);
        let items = items.unwrap_or_default().iter();
        items
            .filter_map(|item| Some((self.expect(key, item, string(item), what)?, item.span)))
            .collect()
    }

    /// Reads a list of scalars, each as it is written; without the key, it is empty.
    pub fn scalars(&mut self, key: &'static str) -> Vec<String> {
        let items = self.items(key).iter();
        items
            .filter_map(|item| self.expect(key, item, item.text(), "a list of scalars"))
            .map(str::to_owned)
            .collect()
    }

    /// Reads a mapping of scalars, each as it is written; without the key, it is empty.
    pub fn scalar_map(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let what = "a mapping of scalars";
        let entries = self.named(key, what).iter();
        entries
            .filter_map(|entry| {
                let text = self.expect(key, &entry.value, entry.value.text(), what)?;
                Some((entry.key.clone(), text.to_owned()))
            })
            .collect()
    }

    /// Returns the entries of a mapping with any keys, which messages call `what`; without the key, there are none.
    pub fn named(&mut self, key: &'static str, what: &str) -> &'t [Entry] {
        let Some(node) = self.get(key) else {
            return &[];
        };
        self.expect(key, node, node.entries(), what)
            .unwrap_or_default()
    }

    /// Decodes a struct in this table.
    pub fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'_>) -> T,
    ) -> Option<T> {
        let node = self.get(key)?;
        self.table_of(key, node, read)
    }

    /// Decodes structs in a list; without the key, there are none.
    pub fn tables<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Table<'_>) -> T,
    ) -> Vec<T> {
        let items = self.items(key).iter();
        items
            .filter_map(|item| self.table_of(key, item, &mut read))
            .collect()
    }

    /// Decodes a struct from a node in this table.
    pub fn table_of<T>(
        &mut self,
        key: &str,
        node: &Node,
        read: impl FnOnce(&mut Table<'_>) -> T,
    ) -> Option<T> {
        let own_name = format_args!("`{key}`");
        Table::read(&own_name, self.what, node, self.problems, read)
    }
}

/// Returns the text of a node that is a string.
fn string(node: &Node) -> Option<String> {
    match node.to_value(Resolver::Core) {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    #[derive(Debug, PartialEq, Eq)]
    struct Probe {
        path: String,
        port: Option<u16>,
        hosts: Vec<String>,
    }

    impl Probe {
        fn decode(table: &mut Table<'_>) -> Self {
            table.require(&["path"]);
            Self {
                path: table.text("path").unwrap_or_default(),
                port: table.number("port"),
                hosts: table.texts("hosts"),
            }
        }
    }

    fn probes(text: &str) -> (Option<Vec<Probe>>, Vec<(DecodeProblemKind, String)>) {
        let document = load(text).unwrap().remove(0);
        let mut problems = Vec::new();
        let probes = decode("a file", &document.root, &mut problems, |table| {
            table.tables("probes", Probe::decode)
        });
        let told = problems.into_iter().map(|problem| {
            let span = problem.span;
            let shown = format!("{} [{}]", problem.message, &text[span.start..span.end]);
            (problem.kind, shown)
        });
        (probes, told.collect())
    }

    #[test]
    fn decodes_structs() {
        let text = "probes:\n  - {path: /, port: 80, hosts: [a, b]}\n  - path: '1'\n";
        let probe = |path: &str, port, hosts: &[&str]| Probe {
            path: path.to_owned(),
            port,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let expected = vec![probe("/", Some(80), &["a", "b"]), probe("1", None, &[])];
        assert_eq!(probes(text), (Some(expected), Vec::new()));
    }

    #[test]
    fn finds_all_problems_at_their_places() {
        use DecodeProblemKind::{NoTable, UnknownKey, WrongType};
        let text = "probe: 1\nprobes:\n  - {port: 70000, hosts: [1, a]}\n  - 7\n";
        let told = [
            (WrongType, "`path` is missing [port]"),
            (WrongType, "`port` must be a number above 0 [70000]"),
            (WrongType, "`hosts` must be a list of strings [1]"),
            (NoTable, "`probes` must be a mapping [7]"),
            (UnknownKey, "a file has no key `probe` [probe]"),
        ];
        let told = told.map(|(kind, text)| (kind, text.to_owned()));
        assert_eq!(probes(text).1, told);
        let (none, told) = probes("- 1\n");
        assert_eq!(none, None);
        assert_eq!(told, [(NoTable, "a file must be a mapping [1]".to_owned())]);
    }
}
