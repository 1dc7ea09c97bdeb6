//! The walk through the actions of templates.

use super::super::known::Use;
use super::super::template::{CommandOperand, Node, Pipeline};
use super::reader::{ChartReader, ReaderScope};
use super::shape::{ANY, Atom, ExpressionShape};

/// How deep named templates may call each other.
const CALLS: usize = 64;

/// Functions that make a hash, with which templates restart pods when anything changes.
const HASHES: [&str; 4] = ["sha256sum", "sha1sum", "sha512sum", "adler32sum"];

impl ChartReader {
    pub(super) fn body(&mut self, nodes: &[Node], dot: &ExpressionShape) {
        let mut scope = ReaderScope {
            dot: dot.clone(),
            variables: vec![("$".to_owned(), dot.clone())],
        };
        self.nodes(nodes, &mut scope);
    }

    pub(super) fn nodes(&mut self, nodes: &[Node], scope: &mut ReaderScope) {
        let outer = scope.variables.len();
        for node in nodes {
            self.node(node, scope);
        }
        scope.variables.truncate(outer);
    }

    pub(super) fn node(&mut self, node: &Node, scope: &mut ReaderScope) {
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

    pub(super) fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        scope: &mut ReaderScope,
    ) {
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
                scope
                    .variables
                    .push((name.clone(), ExpressionShape(keys.collect())));
            }
            scope.variables.push((last.clone(), items.clone()));
        }
        let dot = std::mem::replace(&mut scope.dot, items);
        self.nodes(body, scope);
        scope.dot = dot;
        self.nodes(otherwise, scope);
    }

    /// Walks a named template once for each thing that it is given, and returns what it may print.
    pub(super) fn call(&mut self, name: &str, dot: &ExpressionShape) -> ExpressionShape {
        let mut dot = dot.clone();
        if dot.is_wild() || self.depth > CALLS {
            self.consume(&dot, Use::Whole);
            dot = ExpressionShape::default();
        }
        let names: Vec<String> = if name.contains(ANY) {
            let fits = |known: &&String| is_like(known, name);
            self.defined.keys().filter(fits).cloned().collect()
        } else {
            vec![name.to_owned()]
        };
        let mut all = ExpressionShape::default();
        for name in names {
            let key = (name, dot.clone());
            if let Some(printed) = self.done.get(&key) {
                all.join(printed);
                continue;
            }
            self.done.insert(key.clone(), ExpressionShape::default());
            self.depth += 1;
            let outer = std::mem::take(&mut self.printed);
            let definitions = self.defined.get(&key.0).cloned().unwrap_or_default();
            if definitions.is_empty() && self.unread {
                self.consume(&dot, Use::Whole);
            }
            for definition in definitions {
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
    pub(super) fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        scope: &mut ReaderScope,
    ) -> ExpressionShape {
        let mut shape = self.commands(pipeline, scope);
        if shape.is_wild() {
            self.consume(&shape, Use::Whole);
            shape = ExpressionShape::default();
        }
        for name in &pipeline.variables {
            match scope.variable(name) {
                Some(old) if !pipeline.declares => old.join(&shape),
                _ => scope.variables.push((name.clone(), shape.clone())),
            }
        }
        shape
    }

    pub(super) fn commands(
        &mut self,
        pipeline: &Pipeline,
        scope: &mut ReaderScope,
    ) -> ExpressionShape {
        let outer = self.hashing;
        self.hashing |= pipeline.commands.last().is_some_and(|words| {
            matches!(words.first(), Some(CommandOperand::Name(name)) if HASHES.contains(&name.as_str()))
        });
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, scope));
        }
        self.hashing = outer;
        piped.unwrap_or_default()
    }

    pub(super) fn command(
        &mut self,
        words: &[CommandOperand],
        piped: Option<ExpressionShape>,
        scope: &mut ReaderScope,
    ) -> ExpressionShape {
        let [first, rest @ ..] = words else {
            return ExpressionShape::default();
        };
        let mut arguments: Vec<ExpressionShape> =
            rest.iter().map(|word| self.operand(word, scope)).collect();
        let has_arguments = !arguments.is_empty() || piped.is_some();
        arguments.extend(piped);
        if let CommandOperand::Name(name) = first {
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

    pub(super) fn operand(
        &mut self,
        word: &CommandOperand,
        scope: &mut ReaderScope,
    ) -> ExpressionShape {
        match word {
            CommandOperand::Dot(path) => {
                let dot = scope.dot.clone();
                self.fields(dot, path)
            }
            CommandOperand::Variable(name, path) => {
                let shape = scope.variable(name).cloned().unwrap_or_default();
                self.fields(shape, path)
            }
            CommandOperand::Group(pipeline, path) => {
                let shape = self.pipeline(pipeline, scope);
                self.fields(shape, path)
            }
            CommandOperand::Text(text) | CommandOperand::Number(text) => {
                ExpressionShape::text(text)
            }
            CommandOperand::Name(name) => self.function(name, &[], None, scope),
        }
    }
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
