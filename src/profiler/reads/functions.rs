//! What Helm's template functions do with values.

use super::reader::{ChartReader, ReaderScope};
use super::shape::{ANY, Atom, ExpressionShape};
use crate::profiler::known::Use;
use crate::profiler::template::{ChartTemplate, CommandOperand};

/// Functions that only ask whether something is there, its kind, or what it equals.
const QUESTIONS: [&str; 16] = [
    "not",
    "empty",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "kindIs",
    "kindOf",
    "typeIs",
    "typeOf",
    "typeIsLike",
    "len",
    "until",
    "isset",
];
/// Functions that return one of their arguments, or all of them in one.
const CHOICES: [&str; 13] = [
    "default",
    "coalesce",
    "and",
    "or",
    "deepCopy",
    "mustDeepCopy",
    "merge",
    "mustMerge",
    "mergeOverwrite",
    "mustMergeOverwrite",
    "omit",
    "concat",
    "unset",
];
/// Functions that return a list with one more item.
const LISTS: [&str; 4] = ["append", "mustAppend", "prepend", "mustPrepend"];
/// Functions that return a part of a list.
const PARTS: [&str; 8] = [
    "initial",
    "compact",
    "uniq",
    "mustUniq",
    "reverse",
    "without",
    "slice",
    "mustCompact",
];

impl ChartReader {
    fn pluck(&mut self, arguments: &[ExpressionShape]) -> ExpressionShape {
        let [key, from @ ..] = arguments else {
            return ExpressionShape::default();
        };
        let found: Vec<ExpressionShape> = from
            .iter()
            .map(|from| self.step(&[from.clone(), key.clone()]))
            .collect();
        ExpressionShape::of(Atom::List(ExpressionShape::union(&found)))
    }

    /// Returns what a function makes of its arguments; `target` is the first of them as written.
    pub(super) fn function(
        &mut self,
        name: &str,
        arguments: &[ExpressionShape],
        target: Option<&CommandOperand>,
        scope: &mut ReaderScope,
    ) -> ExpressionShape {
        match name {
            "nil" | "true" | "false" => ExpressionShape::default(),
            "include" | "tpl" => self.enter(name, arguments),
            "ternary" => {
                self.consume(
                    arguments.get(2).unwrap_or(&ExpressionShape::default()),
                    Use::Truth,
                );
                ExpressionShape::union(arguments.iter().take(2))
            }
            "required" | "fail" if arguments.len() == 2 => arguments[1].clone(),
            "printf" | "print" => self.printed(name, arguments),
            "dict" => mapping(arguments),
            "set" => self.put(arguments, target, scope),
            "hasKey" => {
                let found = self.step(arguments);
                self.consume(&found, Use::Truth);
                ExpressionShape::default()
            }
            "get" | "index" => match arguments {
                [from, keys @ ..] => keys
                    .iter()
                    .fold(from.clone(), |from, key| self.step(&[from, key.clone()])),
                [] => ExpressionShape::default(),
            },
            "dig" => self.dig(arguments),
            "pluck" => self.pluck(arguments),
            "pick" => self.pick(arguments),
            "first" | "mustFirst" => self.item_of(arguments, <[ExpressionShape]>::first),
            "last" | "mustLast" => self.item_of(arguments, <[ExpressionShape]>::last),
            "rest" | "mustRest" => rest(arguments),
            "keys" | "values" => {
                let over = ExpressionShape::union(arguments);
                self.consume_values(&over, Use::Whole);
                let keys = over.0.iter().filter_map(|atom| match atom {
                    Atom::Mapping(entries) => Some(entries.keys()),
                    _ => None,
                });
                let keys = keys.flatten().map(|key| Atom::Text(key.clone())).collect();
                ExpressionShape::of(Atom::List(if name == "keys" {
                    ExpressionShape(keys)
                } else {
                    over.items()
                }))
            }
            _ if QUESTIONS.contains(&name) => {
                self.compare(name, arguments);
                arguments
                    .iter()
                    .for_each(|shape| self.consume(shape, Use::Truth));
                ExpressionShape::default()
            }
            _ if CHOICES.contains(&name) => {
                arguments
                    .iter()
                    .for_each(|shape| self.consume(shape, Use::Truth));
                let all = ExpressionShape::union(arguments);
                if name.to_lowercase().contains("merge") {
                    self.assign(&all, target, scope);
                }
                all
            }
            "list" | "tuple" => ExpressionShape::of(Atom::Tuple(arguments.to_vec())),
            _ if LISTS.contains(&name) => longer(arguments),
            _ if PARTS.contains(&name) => ExpressionShape::union(arguments),
            _ => {
                arguments
                    .iter()
                    .for_each(|shape| self.consume(shape, Use::Whole));
                ExpressionShape::default()
            }
        }
    }

    /// Enters named templates, or a text that is a template.
    fn enter(&mut self, name: &str, arguments: &[ExpressionShape]) -> ExpressionShape {
        let [what, dot, ..] = arguments else {
            return ExpressionShape::default();
        };
        let texts: Vec<String> = what.texts().into_iter().map(str::to_owned).collect();
        if name == "include" {
            if texts.is_empty() {
                self.consume(what, Use::Whole);
                return self.call(&ANY.to_string(), dot);
            }
            let printed: Vec<ExpressionShape> =
                texts.iter().map(|text| self.call(text, dot)).collect();
            return ExpressionShape::union(&printed);
        }
        self.consume(what, Use::Whole);
        for text in texts {
            if let Ok(template) = ChartTemplate::parse(&text) {
                self.body(&template.body, dot);
            }
        }
        what.plain()
    }

    /// Returns the texts that a format may print, as far as they are literals.
    fn printed(&mut self, name: &str, arguments: &[ExpressionShape]) -> ExpressionShape {
        let any = ANY.to_string();
        let mut words = Vec::new();
        for shape in arguments {
            self.consume_values(shape, Use::Whole);
            let texts: Vec<String> = shape.texts().into_iter().map(str::to_owned).collect();
            words.push(if texts.is_empty() {
                vec![any.clone()]
            } else {
                texts
            });
        }
        let mut printed = vec![String::new()];
        if name == "print" {
            for word in &words {
                printed = combine(&printed, word);
            }
        } else if let [format, words @ ..] = words.as_slice() {
            let mut words = words.iter();
            let mut pieces = format[0].split('%');
            printed = vec![pieces.next().unwrap_or_default().to_owned()];
            for piece in pieces {
                let verb = piece
                    .find(|c: char| c.is_alphabetic())
                    .map_or(0, |at| at + 1);
                let fallback = vec![any.clone()];
                let word = words.next().unwrap_or(&fallback);
                printed = combine(&printed, word);
                printed = combine(&printed, &[piece[verb.min(piece.len())..].to_owned()]);
            }
        }
        ExpressionShape(printed.into_iter().take(64).map(Atom::Text).collect())
    }

    /// Follows one key, `[from, key]`; a key that is not a literal may be any.
    fn step(&mut self, arguments: &[ExpressionShape]) -> ExpressionShape {
        let [from, key] = arguments else {
            return ExpressionShape::default();
        };
        let keys: Vec<String> = key
            .texts()
            .into_iter()
            .filter(|text| !text.contains(ANY))
            .map(str::to_owned)
            .collect();
        if keys.is_empty() {
            self.consume(key, Use::Whole);
            self.consume_values(from, Use::Whole);
            return from.items();
        }
        let mut found = ExpressionShape::default();
        for key in keys {
            found.join(&self.field(from, &key));
            for atom in &from.0 {
                match (atom, key.parse::<usize>()) {
                    (Atom::Tuple(items), Ok(at)) => {
                        found.join(items.get(at).unwrap_or(&ExpressionShape::default()));
                    }
                    (Atom::List(items), _) => found.join(items),
                    _ => {}
                }
            }
        }
        found
    }

    fn dig(&mut self, arguments: &[ExpressionShape]) -> ExpressionShape {
        let [keys @ .., otherwise, from] = arguments else {
            return ExpressionShape::default();
        };
        let found = keys
            .iter()
            .fold(from.clone(), |from, key| self.step(&[from, key.clone()]));
        self.consume(&found, Use::Truth);
        ExpressionShape::union([&found, otherwise])
    }

    fn pick(&mut self, arguments: &[ExpressionShape]) -> ExpressionShape {
        let [from, keys @ ..] = arguments else {
            return ExpressionShape::default();
        };
        let mut entries = std::collections::BTreeMap::new();
        for key in keys {
            let found = self.step(&[from.clone(), key.clone()]);
            for text in key.texts() {
                entries.insert(text.to_owned(), found.clone());
            }
        }
        ExpressionShape::of(Atom::Mapping(entries))
    }

    /// Returns one item of a list: which of them, where the list is spelled out.
    fn item_of(
        &mut self,
        arguments: &[ExpressionShape],
        which: fn(&[ExpressionShape]) -> Option<&ExpressionShape>,
    ) -> ExpressionShape {
        let over = ExpressionShape::union(arguments);
        self.consume_values(&over, Use::Whole);
        let mut found = ExpressionShape::default();
        for atom in &over.0 {
            match atom {
                Atom::Tuple(items) => {
                    found.join(which(items).unwrap_or(&ExpressionShape::default()));
                }
                other => found.join(&ExpressionShape::of(other.clone()).items()),
            }
        }
        found
    }

    /// `set`: the target gets an entry, wherever it is kept.
    fn put(
        &mut self,
        arguments: &[ExpressionShape],
        target: Option<&CommandOperand>,
        scope: &mut ReaderScope,
    ) -> ExpressionShape {
        let [into, key, value] = arguments else {
            return ExpressionShape::default();
        };
        let place = self.step(&[into.clone(), key.clone()]);
        self.consume(&place, Use::Truth);
        let entry = mapping(&[key.clone(), value.clone()]);
        for atom in &into.0 {
            if let Atom::Context(number) = atom {
                for text in key.texts() {
                    let extra = self.extras.entry((*number, text.to_owned())).or_default();
                    extra.join(value);
                }
            }
        }
        let is_root = into.0.iter().any(|atom| matches!(atom, Atom::Context(_)));
        if !self.assign(&entry, target, scope) && !is_root {
            self.consume(value, Use::Whole);
        }
        ExpressionShape::union([into, &entry])
    }

    /// Adds to the variable that was named as target; `false` when it is something else.
    fn assign(
        &mut self,
        shape: &ExpressionShape,
        target: Option<&CommandOperand>,
        scope: &mut ReaderScope,
    ) -> bool {
        let (name, path) = match target {
            Some(CommandOperand::Variable(name, path)) => (name, path),
            Some(CommandOperand::Dot(path)) if path.is_empty() && !shape.is_wild() => {
                scope.dot.join(shape);
                return true;
            }
            _ => return false,
        };
        if !path.is_empty() {
            self.consume(shape, Use::Whole);
            return false;
        }
        match scope.variable(name) {
            Some(old) if !shape.is_wild() => {
                old.join(shape);
                true
            }
            _ => false,
        }
    }

    fn compare(&mut self, name: &str, arguments: &[ExpressionShape]) {
        if name != "eq" && name != "ne" {
            return;
        }
        let texts: Vec<String> = arguments
            .iter()
            .flat_map(ExpressionShape::texts)
            .filter(|text| !text.contains(ANY))
            .map(str::to_owned)
            .collect();
        for atom in arguments.iter().flat_map(|shape| &shape.0) {
            if let Atom::Value(path) = atom {
                let known = self.reads.compared.entry(path.clone()).or_default();
                known.extend(texts.iter().cloned());
            }
        }
    }
}

/// Makes a mapping of keys and values in turn.
fn mapping(arguments: &[ExpressionShape]) -> ExpressionShape {
    let mut entries = std::collections::BTreeMap::<String, ExpressionShape>::new();
    for pair in arguments.chunks(2) {
        let [key, value] = pair else { continue };
        let texts = key.texts();
        let any = ANY.to_string();
        let keys = if texts.is_empty() {
            vec![any.as_str()]
        } else {
            texts
        };
        for key in keys {
            let key = if key.contains(ANY) { any.as_str() } else { key };
            entries.entry(key.to_owned()).or_default().join(value);
        }
    }
    ExpressionShape::of(Atom::Mapping(entries))
}

/// Returns a list with one more item, `[list, item]`.
fn longer(arguments: &[ExpressionShape]) -> ExpressionShape {
    let [list, more @ ..] = arguments else {
        return ExpressionShape::default();
    };
    let mut items = list.items();
    items.join(&ExpressionShape::union(more));
    let mut found = ExpressionShape::of(Atom::List(items));
    let values = list.0.iter().filter(|atom| matches!(atom, Atom::Value(_)));
    found.0.extend(values.cloned());
    found
}

/// Returns lists without their first items.
fn rest(arguments: &[ExpressionShape]) -> ExpressionShape {
    let mut found = ExpressionShape::default();
    for atom in arguments.iter().flat_map(|shape| &shape.0) {
        found.0.insert(match atom {
            Atom::Tuple(items) => Atom::Tuple(items.iter().skip(1).cloned().collect()),
            other => other.clone(),
        });
    }
    found
}

fn combine(starts: &[String], ends: &[String]) -> Vec<String> {
    let all = starts
        .iter()
        .flat_map(|start| ends.iter().map(move |end| format!("{start}{end}")));
    all.take(64).collect()
}
