//! Which values the templates of a chart read, told without rendering them.
//!
//! The templates are walked with what each expression may stand for: a path of values, a mapping that
//! a template made, the root object of a chart. Both branches of every condition are taken, named
//! templates are entered with what they are given. Where a value goes into something that is not
//! understood, it counts as used whole: to take a value for known that is not is the lesser evil.

mod functions;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::chart::Chart;
use super::known::{Known, Use};
use super::template::{Node, Operand, Pipeline, Template};
use shape::{ANY, Atom, Shape};

/// How deep named templates may call each other.
const CALLS: usize = 64;

/// What templates read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// The values.
    pub(super) known: Known,
    /// Those of them that templates read which print workloads or budgets: no other value can make
    /// one come or go.
    pub(super) shaping: Known,
    /// The same for each of these templates.
    pub(super) files: Vec<Known>,
    /// The paths that switch whole subcharts.
    pub(super) conditions: BTreeSet<Vec<String>>,
    /// The paths of these templates.
    pub(super) printers: BTreeSet<String>,
    /// The texts that values are compared with.
    pub(super) compared: BTreeMap<Vec<String>, BTreeSet<String>>,
}

/// Finds out which values the templates of a chart and its subcharts read.
pub(super) fn reads(chart: &Chart) -> Reads {
    let charts = chart.all();
    let mut reader = Reader::new(&charts);
    // A second round knows what the first one put into the root objects.
    for _ in 0..2 {
        for (number, chart) in charts.iter().enumerate() {
            reader.chart(number, chart);
        }
    }
    for chart in &charts {
        for sub in &chart.subcharts {
            for condition in &sub.conditions {
                reader.reads.known.mark(condition, Use::Truth);
                reader.reads.shaping.mark(condition, Use::Truth);
                reader.reads.conditions.insert(condition.clone());
            }
            if sub.tagged {
                reader.reads.known.mark(&["tags".to_owned()], Use::Whole);
                reader.reads.shaping.mark(&["tags".to_owned()], Use::Whole);
            }
            let mut global = sub.chart.prefix.clone();
            reader.reads.known.mark(&global, Use::Truth);
            global.push("global".to_owned());
            reader.reads.known.mark(&global, Use::Whole);
        }
    }
    reader.reads.known.mark(&["global".to_owned()], Use::Whole);
    reader.reads
}

/// Functions that make a hash, with which templates restart pods when anything changes.
const HASHES: [&str; 4] = ["sha256sum", "sha1sum", "sha512sum", "adler32sum"];

/// Where the walk stands.
struct Scope {
    dot: Shape,
    variables: Vec<(String, Shape)>,
}

/// A text that Helm renders.
struct File {
    /// Its path; none for a text in values.
    path: String,
    template: Template,
    prints_workloads: bool,
}

/// A named template.
#[derive(Clone)]
struct Definition {
    body: Vec<Node>,
    prints_workloads: bool,
}

struct Reader {
    prefixes: Vec<Vec<String>>,
    subcharts: Vec<BTreeMap<String, usize>>,
    files: Vec<Vec<File>>,
    defined: BTreeMap<String, Vec<Definition>>,
    /// What templates put into the root objects.
    extras: BTreeMap<(usize, String), Shape>,
    /// The named templates that were walked for the present file, with what they were given.
    done: BTreeMap<(String, Shape), Shape>,
    /// What the present named template prints, as far as it is a value or a literal.
    printed: Shape,
    /// What the present file reads, and whether it prints workloads.
    present: (Known, bool),
    depth: usize,
    /// Whether what is read now goes into a hash.
    hashing: bool,
    reads: Reads,
}

impl Reader {
    fn new(charts: &[&Chart]) -> Self {
        let mut reader = Self {
            prefixes: charts.iter().map(|chart| chart.prefix.clone()).collect(),
            subcharts: Vec::new(),
            files: Vec::new(),
            defined: BTreeMap::new(),
            extras: BTreeMap::new(),
            done: BTreeMap::new(),
            printed: Shape::default(),
            present: (Known::default(), false),
            depth: 0,
            hashing: false,
            reads: Reads::default(),
        };
        for chart in charts {
            let inner = chart.subcharts.iter().filter_map(|sub| {
                let key = sub.chart.prefix.last()?.clone();
                let number = reader
                    .prefixes
                    .iter()
                    .position(|prefix| *prefix == sub.chart.prefix)?;
                Some((key, number))
            });
            let inner = inner.collect();
            reader.subcharts.push(inner);
            reader.parse(chart);
        }
        reader
    }

    /// Parses the templates of a chart; of what does not parse, all mentioned values count as used.
    fn parse(&mut self, chart: &Chart) {
        let mut bodies = Vec::new();
        let mut strings = Vec::new();
        strings_with_actions(&chart.values, &mut strings);
        let files = chart.templates.iter().chain(&chart.texts);
        let files = files.map(|(path, text)| (path.as_str(), text.as_str()));
        for (path, text) in files.chain(strings.into_iter().map(|text| ("", text))) {
            let Ok(template) = Template::parse(text) else {
                self.mentioned(&chart.prefix, text);
                self.leave(path);
                continue;
            };
            let prints_workloads = prints_workloads(text);
            for (name, body) in &template.defined {
                let body = body.clone();
                let definition = Definition {
                    body,
                    prints_workloads,
                };
                self.defined
                    .entry(name.clone())
                    .or_default()
                    .push(definition);
            }
            let path = path.to_owned();
            bodies.push(File {
                path,
                template,
                prints_workloads,
            });
        }
        self.files.push(bodies);
    }

    fn mentioned(&mut self, prefix: &[String], text: &str) {
        for piece in text.split(".Values.").skip(1) {
            let end = piece
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
                .unwrap_or(piece.len());
            let path = piece[..end]
                .trim_end_matches('.')
                .split('.')
                .map(str::to_owned);
            let path: Vec<String> = prefix.iter().cloned().chain(path).collect();
            self.mark(&path, Use::Whole);
        }
        self.present.1 = true;
    }

    fn chart(&mut self, number: usize, chart: &Chart) {
        if chart.library {
            return;
        }
        let root = Shape::of(Atom::Context(number));
        for file in std::mem::take(&mut self.files[number]) {
            self.done.clear();
            self.present.1 = file.prints_workloads;
            self.body(&file.template.body, &root);
            self.leave(&file.path);
            self.files[number].push(file);
        }
    }

    /// Adds what a file reads to the rest.
    fn leave(&mut self, path: &str) {
        let (known, prints_workloads) = std::mem::take(&mut self.present);
        self.reads.known.join(&known);
        if prints_workloads {
            self.reads.shaping.join(&known);
            self.reads.printers.insert(path.to_owned());
            if known != Known::default() {
                self.reads.files.push(known);
            }
        }
    }

    fn body(&mut self, nodes: &[Node], dot: &Shape) {
        let mut scope = Scope {
            dot: dot.clone(),
            variables: vec![("$".to_owned(), dot.clone())],
        };
        self.nodes(nodes, &mut scope);
    }

    fn nodes(&mut self, nodes: &[Node], scope: &mut Scope) {
        let outer = scope.variables.len();
        for node in nodes {
            self.node(node, scope);
        }
        scope.variables.truncate(outer);
    }

    fn node(&mut self, node: &Node, scope: &mut Scope) {
        let outer = scope.variables.len();
        match node {
            Node::Print(pipeline) => {
                let shape = self.pipeline(pipeline, scope);
                if pipeline.variables.is_empty() {
                    self.consume(&shape, Use::Whole);
                    self.printed.join(&shape.plain());
                }
                return;
            }
            Node::If(branches) => {
                for (condition, body) in branches {
                    if let Some(condition) = condition {
                        let shape = self.pipeline(condition, scope);
                        self.consume(&shape, Use::Truth);
                    }
                    self.nodes(body, scope);
                }
            }
            Node::With(pipeline, body, otherwise) => {
                let shape = self.pipeline(pipeline, scope);
                self.consume(&shape, Use::Truth);
                let dot = std::mem::replace(&mut scope.dot, shape);
                self.nodes(body, scope);
                scope.dot = dot;
                self.nodes(otherwise, scope);
            }
            Node::Range(pipeline, body, otherwise) => self.range(pipeline, body, otherwise, scope),
            Node::Call(name, pipeline) => {
                let dot = pipeline
                    .as_ref()
                    .map(|pipeline| self.pipeline(pipeline, scope));
                let printed = self.call(name, &dot.unwrap_or_default());
                self.printed.join(&printed);
            }
        }
        scope.variables.truncate(outer);
    }

    fn range(&mut self, pipeline: &Pipeline, body: &[Node], otherwise: &[Node], scope: &mut Scope) {
        let over = self.commands(pipeline, scope);
        self.consume_values(&over, Use::Whole);
        let items = over.items();
        if let [names @ .., last] = pipeline.variables.as_slice() {
            for name in names {
                let keys = over.0.iter().filter_map(|atom| match atom {
                    Atom::Mapping(entries) => Some(entries.keys()),
                    _ => None,
                });
                let keys = keys.flatten().map(|key| Atom::Text(key.clone()));
                scope.variables.push((name.clone(), Shape(keys.collect())));
            }
            scope.variables.push((last.clone(), items.clone()));
        }
        let dot = std::mem::replace(&mut scope.dot, items);
        self.nodes(body, scope);
        scope.dot = dot;
        self.nodes(otherwise, scope);
    }

    /// Walks a named template once for each thing that it is given, and returns what it may print.
    fn call(&mut self, name: &str, dot: &Shape) -> Shape {
        let mut dot = dot.clone();
        if dot.is_wild() || self.depth > CALLS {
            self.consume(&dot, Use::Whole);
            dot = Shape::default();
        }
        let names: Vec<String> = if name.contains(ANY) {
            let fits = |known: &&String| is_like(known, name);
            self.defined.keys().filter(fits).cloned().collect()
        } else {
            vec![name.to_owned()]
        };
        let mut all = Shape::default();
        for name in names {
            let key = (name, dot.clone());
            if let Some(printed) = self.done.get(&key) {
                all.join(printed);
                continue;
            }
            self.done.insert(key.clone(), Shape::default());
            self.depth += 1;
            let outer = std::mem::take(&mut self.printed);
            for definition in self.defined.get(&key.0).cloned().unwrap_or_default() {
                self.present.1 |= definition.prints_workloads;
                self.body(&definition.body, &dot);
            }
            let printed = std::mem::replace(&mut self.printed, outer);
            self.depth -= 1;
            all.join(&printed);
            self.done.insert(key, printed);
        }
        all
    }

    /// Follows a pipeline and sets its variables.
    fn pipeline(&mut self, pipeline: &Pipeline, scope: &mut Scope) -> Shape {
        let mut shape = self.commands(pipeline, scope);
        if shape.is_wild() {
            self.consume(&shape, Use::Whole);
            shape = Shape::default();
        }
        for name in &pipeline.variables {
            let known = scope
                .variables
                .iter_mut()
                .rev()
                .find(|(known, _)| known == name);
            match known {
                Some((_, old)) if !pipeline.declares => old.join(&shape),
                _ => scope.variables.push((name.clone(), shape.clone())),
            }
        }
        shape
    }

    fn commands(&mut self, pipeline: &Pipeline, scope: &mut Scope) -> Shape {
        let outer = self.hashing;
        self.hashing |= pipeline.commands.last().is_some_and(|words| {
            matches!(words.first(), Some(Operand::Name(name)) if HASHES.contains(&name.as_str()))
        });
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, scope));
        }
        self.hashing = outer;
        piped.unwrap_or_default()
    }

    fn command(&mut self, words: &[Operand], piped: Option<Shape>, scope: &mut Scope) -> Shape {
        let [first, rest @ ..] = words else {
            return Shape::default();
        };
        let mut arguments: Vec<Shape> = rest.iter().map(|word| self.operand(word, scope)).collect();
        let has_arguments = !arguments.is_empty() || piped.is_some();
        arguments.extend(piped);
        if let Operand::Name(name) = first {
            return self.function(name, &arguments, rest.first(), scope);
        }
        let shape = self.operand(first, scope);
        if has_arguments {
            // A method of what is no value: `.Files.Get`, `.Capabilities.APIVersions.Has`.
            for argument in &arguments {
                self.consume(argument, Use::Whole);
            }
        }
        shape
    }

    fn operand(&mut self, word: &Operand, scope: &mut Scope) -> Shape {
        match word {
            Operand::Dot(path) => {
                let dot = scope.dot.clone();
                self.fields(dot, path)
            }
            Operand::Variable(name, path) => {
                let found = scope
                    .variables
                    .iter()
                    .rev()
                    .find(|(known, _)| known == name);
                let shape = found.map(|(_, shape)| shape.clone()).unwrap_or_default();
                self.fields(shape, path)
            }
            Operand::Group(pipeline, path) => {
                let shape = self.pipeline(pipeline, scope);
                self.fields(shape, path)
            }
            Operand::Text(text) | Operand::Number(text) => Shape::text(text),
            Operand::Name(name) => self.function(name, &[], None, scope),
        }
    }

    fn fields(&self, shape: Shape, path: &[String]) -> Shape {
        path.iter()
            .fold(shape, |shape, key| self.field(&shape, key))
    }

    fn field(&self, shape: &Shape, key: &str) -> Shape {
        let mut found = Shape::default();
        for atom in &shape.0 {
            match atom {
                Atom::Context(number) => found.join(&self.root_field(*number, key)),
                Atom::Value(path) => {
                    let mut path = path.clone();
                    path.push(key.to_owned());
                    found.0.insert(Atom::Value(self.global(path)));
                }
                Atom::Mapping(entries) => {
                    for key in [key, "\0"] {
                        if let Some(entry) = entries.get(key) {
                            found.join(entry);
                        }
                    }
                }
                Atom::List(_) | Atom::Tuple(_) | Atom::Text(_) => {}
            }
        }
        found
    }

    fn root_field(&self, number: usize, key: &str) -> Shape {
        let mut found = match key {
            "Values" => Shape::of(Atom::Value(self.prefixes[number].clone())),
            "Subcharts" => {
                let entries = self.subcharts[number].iter();
                let entries =
                    entries.map(|(key, number)| (key.clone(), Shape::of(Atom::Context(*number))));
                Shape::of(Atom::Mapping(entries.collect()))
            }
            _ => Shape::default(),
        };
        if let Some(extra) = self.extras.get(&(number, key.to_owned())) {
            found.join(extra);
        }
        found
    }

    /// Takes a subchart's `global` for the one that it gets from the outermost chart.
    fn global(&self, path: Vec<String>) -> Vec<String> {
        let inner = path.split_last().filter(|(last, _)| *last == "global");
        match inner {
            Some((_, prefix)) if self.prefixes.iter().any(|known| known == prefix) => {
                vec!["global".to_owned()]
            }
            _ => path,
        }
    }

    /// A hash of all values tells of none of them.
    fn mark(&mut self, path: &[String], used: Use) {
        if self.hashing && self.prefixes.iter().any(|prefix| prefix == path) {
            return;
        }
        self.present.0.mark(path, used);
    }

    /// Notes that all values that a shape stands for are used.
    fn consume(&mut self, shape: &Shape, used: Use) {
        for atom in &shape.0 {
            match atom {
                Atom::Value(path) => self.mark(&path.clone(), used),
                Atom::Context(number) if used == Use::Whole => {
                    let prefix = self.prefixes[*number].clone();
                    self.mark(&prefix, Use::Whole);
                }
                Atom::Mapping(entries) if used == Use::Whole => {
                    for entry in entries.values() {
                        self.consume(entry, used);
                    }
                }
                Atom::List(items) if used == Use::Whole => self.consume(items, used),
                Atom::Tuple(items) if used == Use::Whole => {
                    items.iter().for_each(|item| self.consume(item, used));
                }
                _ => {}
            }
        }
    }

    /// Notes that the values themselves are used, but not what templates made of others.
    fn consume_values(&mut self, shape: &Shape, used: Use) {
        for atom in &shape.0 {
            if let Atom::Value(path) = atom {
                self.mark(&path.clone(), used);
            }
        }
    }
}

/// Gathers the strings in values that have actions which read values.
fn strings_with_actions<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) if text.contains("{{") && text.contains(".Values") => found.push(text),
        Value::Array(items) => items
            .iter()
            .for_each(|item| strings_with_actions(item, found)),
        Value::Object(map) => map
            .values()
            .for_each(|item| strings_with_actions(item, found)),
        _ => {}
    }
}

/// Returns whether a template's text has the kind of a workload or budget in it, or one that it makes
/// up.
fn prints_workloads(text: &str) -> bool {
    let kinds = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "Pod",
    ];
    text.split("kind:").skip(1).any(|rest| {
        let rest = rest.trim_start_matches([' ', '"', '\'']);
        rest.starts_with("{{") || kinds.iter().any(|kind| rest.starts_with(kind))
    })
}

/// Returns whether a name fits a pattern in which [`ANY`] stands for any text.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split(ANY);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
