//! What a plugin file does, as far as it is known without running it.

use std::collections::{BTreeMap, BTreeSet};

use crate::data_hook::read_data_hook;
use crate::family::{DataDefaults, FamilyFunction, NetworkLibrary};
use crate::fingerprint::{KnownDefinition, KnownMethod, find_definition, find_method};
use crate::python_definition::{PythonStatement, statements};
use crate::python_line::{PythonToken, split_lines};

/// What is known of a plugin file without running it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownPlugin {
    /// The class of the plugin, if there is one alone.
    pub class: Option<String>,
    /// Functions that templates call by a name. They are known whether or not the rest of the plugin is.
    pub functions: Vec<(String, FamilyFunction)>,
    /// Filters, likewise.
    pub filters: Vec<(String, FamilyFunction)>,
    /// What the `data` hook adds; nothing if there is none, or if it is not known.
    pub defaults: DataDefaults,
    /// Whether the plugin leaves out the folders that a `.mjfilter.py` in them refuses.
    pub has_folder_filters: bool,
    /// What is not known. If there is anything, the plugin needs Python.
    pub unknown: Vec<UnknownPart>,
}

/// A part of a plugin file that only Python can say something of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPart {
    /// What it is, as a message says it: ``the function `encrypt` ``.
    pub name: String,
    /// The line on which it begins, from 1.
    pub line: usize,
}

impl KnownPlugin {
    /// Tells whether the plugin has parts that are not known.
    pub fn needs_python(&self) -> bool {
        !self.unknown.is_empty()
    }

    fn unknown_file(name: &str, line: usize) -> Self {
        let name = name.to_owned();
        Self {
            unknown: vec![UnknownPart { name, line }],
            ..Self::default()
        }
    }
}

/// Reads a plugin file without running it, and says which of its functions and hooks are those of the cluster-template
/// family.
///
/// A definition is known if it is the same as one of upstream's but for comments, documentation, quoting, white space
/// and annotations. A function is known if whatever it calls is known too, and nothing else in the file takes the place
/// of a name that it uses. Whatever is in doubt needs Python.
pub fn known_plugin(source: &str) -> KnownPlugin {
    let Some(lines) = split_lines(source) else {
        return KnownPlugin::unknown_file("the file, which cannot be taken apart", 1);
    };
    let mut reader = PluginFile::default();
    for statement in statements(&lines) {
        reader.add(&statement);
    }
    reader.finish()
}

/// Modules that change nothing when they are imported, and are not the project's own.
const MODULES: [&str; 18] = [
    "__future__",
    "base64",
    "collections",
    "collections.abc",
    "functools",
    "importlib",
    "importlib.util",
    "ipaddress",
    "json",
    "makejinja",
    "netaddr",
    "os",
    "pathlib",
    "re",
    "subprocess",
    "sys",
    "tomllib",
    "typing",
];

/// Names that known definitions use, and what they have to be imported from; nothing for those that Python has.
const USED_NAMES: [(&str, &str); 36] = [
    ("Any", "typing"),
    ("Callable", "collections.abc typing"),
    ("IPNetwork", "netaddr"),
    ("Path", "pathlib"),
    ("base64", "base64"),
    ("importlib", "importlib"),
    ("ipaddress", "ipaddress"),
    ("json", "json"),
    ("lru_cache", "functools"),
    ("makejinja", "makejinja"),
    ("netaddr", "netaddr"),
    ("re", "re"),
    ("sys", "sys"),
    ("Exception", ""),
    ("False", ""),
    ("FileNotFoundError", ""),
    ("KeyError", ""),
    ("RuntimeError", ""),
    ("ValueError", ""),
    ("all", ""),
    ("any", ""),
    ("bool", ""),
    ("dict", ""),
    ("globals", ""),
    ("int", ""),
    ("isinstance", ""),
    ("len", ""),
    ("list", ""),
    ("map", ""),
    ("open", ""),
    ("range", ""),
    ("set", ""),
    ("sorted", ""),
    ("str", ""),
    ("super", ""),
    ("tuple", ""),
];

/// Words by which a function can give another meaning to the names of its file.
const REBINDING_WORDS: [&str; 9] = [
    "__builtins__",
    "__code__",
    "__dict__",
    "eval",
    "exec",
    "global",
    "globals",
    "setattr",
    "vars",
];

/// The bases that a plugin may have: they give nothing to the functions of the family.
const BASES: [&str; 5] = [
    "",
    "makejinja.plugin.Plugin",
    "makejinja.loader.AbstractLoader",
    "makejinja.plugin.AbstractLoader",
    "object",
];

#[derive(Default)]
struct PluginFile<'a> {
    bound: BTreeSet<String>,
    definitions: BTreeMap<String, (PythonStatement<'a>, Option<KnownDefinition>)>,
    classes: Vec<PythonStatement<'a>>,
    /// Names that mean something else than in upstream's file.
    replaced: BTreeSet<String>,
    /// Whether something may replace any name.
    replaces_all: bool,
    has_constructor: bool,
    hooks: BTreeSet<String>,
    unknown: Vec<UnknownPart>,
}

impl<'a> PluginFile<'a> {
    fn note(&mut self, name: impl Into<String>, line: usize) {
        let name = name.into();
        self.unknown.push(UnknownPart { name, line });
    }

    fn add(&mut self, statement: &PythonStatement<'a>) {
        let head = statement.head();
        if let Some(name) = statement.defines("def") {
            self.bind(name, "", statement.number());
            let known = find_definition(&statement.fingerprint());
            if known.is_none() && statement.is_decorated() {
                self.note(
                    format!("the decorated function `{name}`"),
                    statement.number(),
                );
            }
            self.replaces_all |= known.is_none() && may_rebind(statement);
            self.definitions
                .insert(name.to_owned(), (*statement, known));
        } else if let Some(name) = statement.defines("class") {
            self.bind(name, "", statement.number());
            self.replaces_all |= may_rebind(statement);
            self.classes.push(*statement);
        } else if head
            .first()
            .is_some_and(|first| first.is_word("import") || first.is_word("from"))
        {
            self.import(head, statement.number());
        } else if let Some(name) = constant_name(head).filter(|_| statement.body().is_empty()) {
            self.bind(name, "", statement.number());
        } else if !statement.is_docstring() {
            self.replaces_all = true;
            self.note("a statement that is no definition", statement.number());
        }
    }

    /// Notes that a name is bound, from a module or by the file itself.
    fn bind(&mut self, name: &str, module: &str, line: usize) {
        let meant = USED_NAMES.iter().find(|(used, _)| *used == name);
        let is_meant = meant.is_none_or(|(_, modules)| {
            !module.is_empty() && modules.split(' ').any(|meant| meant == module)
        });
        let is_new = self.bound.insert(name.to_owned());
        // The same module can be imported twice.
        if !is_meant || (!is_new && meant.is_none()) {
            self.replaced.insert(name.to_owned());
            self.note(format!("another meaning of `{name}`"), line);
        }
    }

    fn import(&mut self, head: &[PythonToken], line: usize) {
        let Some(imports) = read_imports(head) else {
            self.replaces_all = true;
            self.note("an import", line);
            return;
        };
        for (module, name) in imports {
            if !MODULES.contains(&module.as_str()) {
                self.note(format!("the import of `{module}`"), line);
            }
            let top = module.split('.').next().unwrap_or_default();
            let (name, from) = match &name {
                Some(name) => (name.as_str(), module.as_str()),
                None => (top, top),
            };
            self.bind(name, from, line);
        }
    }

    /// Returns the definition of a name, if it is known with all that it calls.
    fn known(&self, name: &str, depth: usize) -> Option<KnownDefinition> {
        let (statement, known) = self.definitions.get(name)?;
        // What is known is small, so the words of what it calls are few.
        let known = (*known)?;
        let mut words = statement.words().filter(|word| *word != name);
        let is_whole = depth < 4
            && !self.replaces_all
            && !self.replaced.contains(name)
            && words.all(|word| self.means(word, depth));
        is_whole.then_some(known)
    }

    /// Returns the function of a name, if it is known with all that it calls.
    fn known_function(&self, name: &str) -> Option<FamilyFunction> {
        match self.known(name, 0)? {
            KnownDefinition::Function(function) => Some(function),
            KnownDefinition::Helper => None,
        }
    }

    /// Tells whether a word in a known definition means here what it means upstream: nothing else is bound to it.
    fn means(&self, word: &str, depth: usize) -> bool {
        if USED_NAMES.iter().any(|(used, _)| *used == word) {
            !self.replaced.contains(word)
        } else {
            !self.bound.contains(word) || self.known(word, depth + 1).is_some()
        }
    }

    fn finish(mut self) -> KnownPlugin {
        let [class] = self.classes.as_slice() else {
            let line = self.classes.get(1).map_or(1, PythonStatement::number);
            let count = self.classes.len();
            return KnownPlugin::unknown_file(&format!("{count} classes instead of one"), line);
        };
        let class = *class;
        let builtins_hold = USED_NAMES
            .iter()
            .all(|(name, modules)| !modules.is_empty() || !self.replaced.contains(*name));
        let mut known = KnownPlugin {
            class: class.defines("class").map(str::to_owned),
            ..KnownPlugin::default()
        };
        if !builtins_hold {
            self.replaces_all = true;
        }
        if class.is_decorated() || !BASES.contains(&bases(class.head()).as_str()) {
            self.note("the class", class.number());
        }
        let mut methods = BTreeSet::new();
        for member in class.body() {
            self.add_member(&member, &mut known, &mut methods);
        }
        self.check_methods(&methods, class.number(), &mut known);
        known.unknown = self.unknown;
        known.unknown.sort_by_key(|part| part.line);
        known
    }

    fn add_member(
        &mut self,
        member: &PythonStatement<'a>,
        known: &mut KnownPlugin,
        methods: &mut BTreeSet<&'static str>,
    ) {
        let line = member.number();
        let Some(name) = member.defines("def") else {
            if !is_pass(member) && !member.is_docstring() {
                self.note("a statement of the class that is no method", line);
            }
            return;
        };
        self.has_constructor |= name == "__init__";
        let is_offer = matches!(name, "globals" | "functions" | "filters");
        if let Some(offered) = offered_names(member).filter(|_| is_offer) {
            let offers = self.offers(&offered, line);
            match name {
                "filters" => known.filters.extend(offers),
                _ => known.functions.extend(offers),
            }
            // A hook that is defined twice counts once.
            if !self.hooks.insert(name.to_owned()) {
                self.note(format!("another method `{name}`"), line);
            }
            return;
        }
        if name == "data"
            && !self.replaces_all
            && let Some(defaults) = read_data_hook(member, self.network_library())
        {
            known.defaults = defaults;
            methods.insert("data");
            return;
        }
        match find_method(&member.fingerprint()).filter(|method| method.name() == name) {
            Some(method) => {
                methods.insert(method.name());
                if let KnownMethod::Constructor { folder_filters } = method {
                    known.has_folder_filters = folder_filters;
                }
            }
            None => self.note(format!("the method `{name}`"), line),
        }
    }

    fn network_library(&self) -> Option<NetworkLibrary> {
        match self.known_function("nthhost")? {
            FamilyFunction::NthHost(library) => Some(library),
            _ => None,
        }
    }

    fn offers(&mut self, names: &[&str], line: usize) -> Vec<(String, FamilyFunction)> {
        let mut offers = Vec::new();
        for name in names {
            if let Some(function) = self.known_function(name) {
                offers.push(((*name).to_owned(), function));
            } else {
                let definition = self.definitions.get(*name);
                let place = definition.map_or(line, |(found, _)| found.number());
                self.note(format!("the function `{name}`"), place);
            }
        }
        offers
    }

    /// Methods use one another: path filters those of the constructor, and the data what it keeps.
    fn check_methods(
        &mut self,
        methods: &BTreeSet<&'static str>,
        line: usize,
        known: &mut KnownPlugin,
    ) {
        let parts = [
            known.has_folder_filters,
            methods.contains("path_filters"),
            methods.contains("_mjfilter_func"),
        ];
        let is_whole = parts.iter().all(|part| *part) && self.known("import_filter", 0).is_some();
        if parts.contains(&true) && !is_whole {
            known.has_folder_filters = false;
            // Without a known constructor, that is what there is to say.
            if methods.contains("__init__") || !self.has_constructor {
                self.note("path filters", line);
            }
        }
        if methods.contains("data") && !methods.contains("__init__") {
            known.defaults = DataDefaults::default();
            self.note("the method `data`, without a known constructor", line);
        }
    }
}

/// Tells whether something in a definition can give another meaning to a name. That a method is named `globals` is none.
fn may_rebind(statement: &PythonStatement<'_>) -> bool {
    let mut before = "";
    statement.words().any(|word| {
        let rebinds = REBINDING_WORDS.contains(&word) && before != "def";
        before = word;
        rebinds
    })
}

fn is_pass(member: &PythonStatement<'_>) -> bool {
    matches!(member.head(), [word] if word.is_word("pass"))
}

/// The name of an assignment of literals, which does nothing else when the file is read.
fn constant_name(head: &[PythonToken]) -> Option<&str> {
    let [name, equals, value @ ..] = head else {
        return None;
    };
    let literal = |token: &PythonToken| match token {
        PythonToken::Word(word) => {
            word.starts_with(|first: char| first.is_ascii_digit())
                || matches!(word.as_str(), "True" | "False" | "None")
        }
        PythonToken::Text { prefix, .. } => !prefix.contains('f'),
        PythonToken::Sign(sign) => "()[]{},:.-+".contains(*sign),
    };
    let is_constant = equals.is_sign('=') && !value.is_empty() && value.iter().all(literal);
    is_constant.then(|| name.word()).flatten()
}

/// The modules that a line imports, each with the name that is taken from it; none if names are changed on the way.
fn read_imports(head: &[PythonToken]) -> Option<Vec<(String, Option<String>)>> {
    let (first, rest) = head.split_first()?;
    let dotted = |tokens: &[PythonToken]| -> Option<String> {
        let mut name = String::new();
        for token in tokens {
            match token {
                PythonToken::Word(word) if word != "as" => name.push_str(word),
                PythonToken::Sign('.') if !name.is_empty() => name.push('.'),
                _ => return None,
            }
        }
        (!name.is_empty()).then_some(name)
    };
    if first.is_word("import") {
        let modules = rest.split(|token| token.is_sign(','));
        return modules
            .map(|module| Some((dotted(module)?, None)))
            .collect();
    }
    let at = rest.iter().position(|token| token.is_word("import"))?;
    let module = dotted(&rest[..at])?;
    let mut names = &rest[at + 1..];
    if let [PythonToken::Sign('('), inner @ .., PythonToken::Sign(')')] = names {
        names = inner
            .strip_suffix(&[PythonToken::Sign(',')])
            .unwrap_or(inner);
    }
    let names = names.split(|token| token.is_sign(','));
    let name = |tokens: &[PythonToken]| match tokens {
        [PythonToken::Word(name)] => Some((module.clone(), Some(name.clone()))),
        _ => None,
    };
    names.map(name).collect()
}

/// The names in `return [a, b]`, if a hook does nothing else.
fn offered_names<'a>(hook: &PythonStatement<'a>) -> Option<Vec<&'a str>> {
    let body = hook.body();
    let [only] = body.as_slice() else {
        return None;
    };
    let [
        first,
        PythonToken::Sign('['),
        names @ ..,
        PythonToken::Sign(']'),
    ] = only.head()
    else {
        return None;
    };
    if !first.is_word("return") || hook.is_decorated() {
        return None;
    }
    if names.is_empty() {
        return Some(Vec::new());
    }
    let names = names.split(|token| token.is_sign(','));
    names
        .map(|tokens| match tokens {
            [PythonToken::Word(name)] => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

/// What stands between the brackets of a class.
fn bases(head: &[PythonToken]) -> String {
    let inner = match head {
        [
            _,
            _,
            PythonToken::Sign('('),
            inner @ ..,
            PythonToken::Sign(')'),
            PythonToken::Sign(':'),
        ] => inner,
        [_, _, PythonToken::Sign(':')] => &[],
        _ => return "?".to_owned(),
    };
    inner
        .iter()
        .map(|token| match token {
            PythonToken::Word(word) => word.as_str(),
            PythonToken::Sign('.') => ".",
            _ => "?",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::defaults;
    use crate::value::PluginValue;

    const HEAD: &str = "from pathlib import Path\nfrom typing import Any\nimport makejinja\n";
    const STEM: &str = "def basename(value: str) -> str:\n    return Path(value).stem\n";

    fn class(members: &str) -> String {
        format!("class Plugin(makejinja.plugin.Plugin):\n{members}")
    }

    fn filters(names: &str) -> String {
        class(&format!(
            "    def filters(self):\n        return [{names}]\n"
        ))
    }

    fn unknown(source: &str) -> Vec<(String, usize)> {
        let known = known_plugin(source);
        known
            .unknown
            .into_iter()
            .map(|part| (part.name, part.line))
            .collect()
    }

    #[test]
    fn a_plugin_of_known_parts_needs_no_python() {
        let members = "    \"\"\"Ours.\"\"\"\n    def __init__(self, data: dict[str, Any]):\n        self._data = data\n\n    \
                       def filters(self) -> makejinja.plugin.Filters:\n        return [\n            basename,\n        ]\n";
        let source = format!(
            "\"\"\"Ours.\"\"\"\n{HEAD}NAMES = ['a', 1]\n\ndef unused():\n    pass\n\n{STEM}\n{}",
            class(members)
        );
        let known = known_plugin(&source);
        assert_eq!(known.unknown, []);
        assert!(!known.needs_python());
        assert_eq!(known.class.as_deref(), Some("Plugin"));
        assert_eq!(
            known.filters,
            [("basename".to_owned(), FamilyFunction::PathStem)]
        );
        assert_eq!(known.functions, []);
    }

    #[test]
    fn what_is_not_known_is_named_with_its_line() {
        let source = format!(
            "{HEAD}import validation\n\ndef encrypt(value):\n    return value\n\n{STEM}\n{}",
            filters("basename, encrypt")
        );
        assert_eq!(
            unknown(&source),
            [
                ("the import of `validation`".to_owned(), 4),
                ("the function `encrypt`".to_owned(), 6)
            ]
        );
        let known = known_plugin(&source);
        assert_eq!(known.filters.len(), 1, "what is known is known beside it");
        let members = "    def data(self):\n        return {'a': 1}\n\n    def filters(self):\n        return list(FILTERS)\n";
        let names: Vec<String> = unknown(&format!("{HEAD}{}", class(members)))
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["the method `data`", "the method `filters`"]);
    }

    #[test]
    fn a_name_that_means_something_else_is_not_known() {
        let others = [
            "from upath import Path\n",
            "import upath as Path\n",
            "from os.path import *\n",
            "from os.path import basename\n",
            "def basename(value):\n    return value\n",
            "Path = str\n",
            "basename = 1\n",
            "for basename in []:\n    pass\n",
            "setattr(Path, 'stem', 1)\n",
            "def str(value):\n    return 'x'\n",
            "if True:\n    Path = 1\n",
            "x = 1; Path = 2\n",
        ];
        for other in others {
            for source in [
                format!("{HEAD}{other}{STEM}{}", filters("basename")),
                format!("{HEAD}{STEM}{other}{}", filters("basename")),
            ] {
                let known = known_plugin(&source);
                assert_eq!(known.filters, [], "{source}");
                assert!(known.needs_python(), "{source}");
            }
        }
    }

    #[test]
    fn a_file_that_may_rebind_names_is_not_known() {
        for word in [
            "global basename",
            "globals()['basename'] = 1",
            "setattr(sys, 'a', 1)",
        ] {
            let method = format!("    def tests(self):\n        {word}\n        return []\n");
            let source = format!("{HEAD}import sys\n\n{STEM}{}{method}", filters("basename"));
            assert_eq!(known_plugin(&source).filters, [], "{word}");
            let function = format!("def other():\n    {word}\n\n");
            let source = format!(
                "{HEAD}import sys\n\n{STEM}{function}{}",
                filters("basename")
            );
            assert_eq!(known_plugin(&source).filters, [], "{word}");
        }
    }

    #[test]
    fn the_hook_of_old_plugins_is_known() {
        let members = "    def globals(self):\n        return [basename]\n";
        let known = known_plugin(&format!("{HEAD}{STEM}{}", class(members)));
        assert_eq!(known.unknown, []);
        assert_eq!(
            known.functions,
            [("basename".to_owned(), FamilyFunction::PathStem)]
        );
        let twice = format!("{HEAD}{STEM}{}", class(&members.repeat(2)));
        assert_eq!(
            unknown(&twice),
            [("another method `globals`".to_owned(), 9)]
        );
    }

    #[test]
    fn a_file_without_one_class_is_not_known() {
        assert_eq!(unknown(HEAD), [("0 classes instead of one".to_owned(), 1)]);
        let two = format!("{HEAD}{}{}", filters(""), "class Other:\n    pass\n");
        assert_eq!(unknown(&two), [("2 classes instead of one".to_owned(), 7)]);
        let base = "class Plugin(Base):\n    pass\n";
        assert_eq!(unknown(base), [("the class".to_owned(), 1)]);
        let statement = class("    functions = 1\n");
        assert_eq!(
            unknown(&statement),
            [("a statement of the class that is no method".to_owned(), 2)]
        );
        assert_eq!(
            unknown("'open"),
            [("the file, which cannot be taken apart".to_owned(), 1)]
        );
    }

    fn data_hook(body: &str) -> KnownPlugin {
        let constructor = "    def __init__(self, data):\n        self._data = data\n\n";
        let body = body.replace('\n', "\n        ");
        let hook = format!("    def data(self):\n        {body}\n");
        known_plugin(&format!("{HEAD}{}", class(&format!("{constructor}{hook}"))))
    }

    #[test]
    fn a_hook_that_sets_defaults_is_known() {
        let known = data_hook(
            "data = self._data\ndata.setdefault('branch', 'main')\nkeys = ['a', 'b']\n\
             both = all(data.get(key) for key in keys)\ndata.setdefault('both', both)\n\
             part = data['part']\npart.setdefault(\n    'servers', [\"x\", 1, None],\n)\n\
             data.setdefault('many', len(self._data.get('branch')) > 3)\nreturn self._data",
        );
        assert_eq!(known.unknown, []);
        let entries = [
            ("a", true.into()),
            ("b", 0.into()),
            ("part", PluginValue::Map(vec![])),
        ];
        let mut data = PluginValue::map(entries.clone());
        defaults(&known.defaults, &mut data).unwrap();
        let servers = vec!["x".into(), 1.into(), PluginValue::Null];
        let part = PluginValue::map([("servers", PluginValue::List(servers))]);
        let added = [
            ("branch", "main".into()),
            ("both", false.into()),
            ("many", true.into()),
        ];
        let [a, b, _] = entries;
        let expected = PluginValue::map([a, b, ("part", part)].into_iter().chain(added));
        assert_eq!(data, expected);
        let without = defaults(&known.defaults, &mut PluginValue::Map(vec![])).unwrap_err();
        assert_eq!(without.message, "the data have no `part`");
    }

    #[test]
    fn a_hook_that_does_more_is_not_known() {
        let others = [
            "return {}",
            "data = self._data",
            "data = self._data\nreturn data['part']",
            "data = self._data\ndata['a'] = 1\nreturn data",
            "data = self._data\nif data:\n    data.setdefault('a', 1)\nreturn data",
            "data = self._data\ndata.setdefault('a', f'{data}')\nreturn data",
            "data = self._data\ndata.setdefault('a', nthhost(data.get('b'), 1))\nreturn data",
            "data = self._data\nlen = 1\nreturn data",
            "data = self._data\ndata = self._data\nreturn data",
            "data = self._data\na = 1\na = 2\ndata.setdefault('a', a)\nreturn data",
            "data = self._data\ndata.setdefault('a', 1) or 2\nreturn data",
            "data = self._data\nkeys = ['a']\nb = all(data.get(data) for data in keys)\nreturn data",
            "data = self._data\nb = all(data.get(key) for key in keys if key)\nreturn data",
            "data = self._data\ndata.setdefault('a', len(data.get('b')) > 1 > 0)\nreturn data",
        ];
        for other in others {
            let known = data_hook(other);
            assert!(known.defaults.is_empty(), "{other}");
            let names: Vec<&str> = known
                .unknown
                .iter()
                .map(|part| part.name.as_str())
                .collect();
            assert_eq!(names, ["the method `data`"], "{other}");
        }
    }

    #[test]
    fn a_large_file_is_read_quickly() {
        let names: Vec<String> = (0..300).map(|number| format!("f{number}")).collect();
        let all = names.join(", ");
        let functions: Vec<String> = names
            .iter()
            .map(|name| format!("def {name}():\n    return [{all}]\n"))
            .collect();
        let source = format!("{HEAD}{}{}", functions.join("\n"), filters(&all));
        assert_eq!(known_plugin(&source).unknown.len(), 300);
    }

    #[test]
    fn parts_that_belong_together_are_known_together() {
        let filters = class("    def path_filters(self):\n        return [self._mjfilter_func]\n");
        assert_eq!(unknown(&filters), [("path filters".to_owned(), 1)]);
    }
}
