//! The engine: templates, what they know, and their rendering.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::callable::Callable;
use crate::error::{ErrorKind, Failure, Outcome, TemplateError};
use crate::function::Function;
use crate::interpreter::{CompiledTemplate, Interpreter};
use crate::limits::Limits;
use crate::output::Printed;
use crate::parser::{KnownNames, parse};
use crate::source::Source;
use crate::syntax::{Syntax, UndefinedMode};
use crate::value::{Entity, Value, adopt, lock};
use crate::{filter, predicate};

/// Finds the text of a template by the name that `include`, `import` and `extends` say.
pub type Loader = Arc<dyn Fn(&str) -> Option<Arc<str>> + Send + Sync>;

/// Renders templates as Jinja2 does.
///
/// A template is read when it is first used, and kept. Rendering can go on in several threads at once; a template that
/// changes a list or dict of the globals changes it for all renderings, as in Python.
#[derive(Debug)]
pub struct Engine {
    environment: Environment,
    limits: Limits,
}

/// What all templates share.
pub(crate) struct Environment {
    pub(crate) syntax: Syntax,
    pub(crate) undefined: UndefinedMode,
    pub(crate) globals: BTreeMap<String, Value>,
    pub(crate) filters: BTreeMap<String, Arc<dyn Callable>>,
    pub(crate) tests: BTreeMap<String, Arc<dyn Callable>>,
    loader: Loader,
    compiled: Mutex<BTreeMap<String, Arc<CompiledTemplate>>>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("syntax", &self.syntax)
            .finish_non_exhaustive()
    }
}

impl KnownNames for Environment {
    fn has_filter(&self, name: &str) -> bool {
        filter::find(name).is_some() || self.filters.contains_key(name)
    }

    fn has_test(&self, name: &str) -> bool {
        predicate::find(name).is_some() || self.tests.contains_key(name)
    }
}

impl Environment {
    /// The template of a name, `None` if the loader has none.
    pub(crate) fn find_template(&self, name: &str) -> Outcome<Option<Arc<CompiledTemplate>>> {
        if let Some(template) = lock(&self.compiled).get(name) {
            return Ok(Some(Arc::clone(template)));
        }
        let Some(text) = (self.loader)(name) else {
            return Ok(None);
        };
        let source = Source::new(Arc::from(name), &text, self.syntax.keep_trailing_newline);
        let tree = parse(&source, &self.syntax, self)
            .map_err(|failure| with_original_span(failure, &source))?;
        let template = Arc::new(CompiledTemplate { source, tree });
        lock(&self.compiled).insert(name.to_owned(), Arc::clone(&template));
        Ok(Some(template))
    }
}

/// A failure of a template that could not be kept, with its bytes in the loader's text; they do not change any more.
fn with_original_span(mut failure: Box<Failure>, source: &Source) -> Box<Failure> {
    if let Some((name, span)) = failure.place.take() {
        failure.place = Some((name, source.original(&span)));
        failure.is_original = true;
    }
    failure
}

impl Engine {
    /// An engine with Jinja2's own functions, filters and tests, and the default limits.
    pub fn new(syntax: Syntax, undefined: UndefinedMode, loader: Loader) -> Self {
        let globals = Function::ALL
            .into_iter()
            .map(|(name, function)| {
                (
                    name.to_owned(),
                    Value::from_object(Entity::Function(function)),
                )
            })
            .collect();
        let environment = Environment {
            syntax,
            undefined,
            globals,
            filters: BTreeMap::new(),
            tests: BTreeMap::new(),
            loader,
            compiled: Mutex::default(),
        };
        Self {
            environment,
            limits: Limits::default(),
        }
    }

    /// The same with other limits, which hold for each rendering.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds a variable that all templates see, imported ones too; it replaces one of the same name.
    pub fn add_global(&mut self, name: &str, value: Value) {
        self.environment
            .globals
            .insert(name.to_owned(), adopt(value));
    }

    /// Adds a function that all templates see.
    pub fn add_function(&mut self, name: &str, callable: Arc<dyn Callable>) {
        let entity = Entity::Callable {
            name: name.to_owned(),
            callable,
        };
        self.environment
            .globals
            .insert(name.to_owned(), Value::from_object(entity));
    }

    /// Adds a filter; it replaces Jinja2's of the same name.
    pub fn add_filter(&mut self, name: &str, callable: Arc<dyn Callable>) {
        self.environment.filters.insert(name.to_owned(), callable);
    }

    /// Adds a test; whether it holds is whether what it gives is true.
    pub fn add_test(&mut self, name: &str, callable: Arc<dyn Callable>) {
        self.environment.tests.insert(name.to_owned(), callable);
    }

    /// Reads a template, and those that it names as texts, and these in turn, without running any of them.
    ///
    /// # Errors
    ///
    /// A template that does not parse or uses what is not supported; a template that is named but does not exist,
    /// unless `ignore missing` says so.
    pub fn load(&self, name: &str) -> Result<(), TemplateError> {
        let mut seen = BTreeSet::from([name.to_owned()]);
        let mut waiting = vec![self.compile(name)?];
        while let Some(template) = waiting.pop() {
            for reference in &template.tree.references {
                match self.environment.find_template(&reference.name) {
                    Ok(Some(found)) => {
                        if seen.insert(reference.name.clone()) {
                            waiting.push(found);
                        }
                    }
                    Ok(None) if reference.may_miss => {}
                    Ok(None) => {
                        let failure = missing_template(&reference.name)
                            .at(&template.source.name, &reference.span);
                        return Err(self.finish(*failure, name));
                    }
                    Err(failure) => return Err(self.finish(*failure, name)),
                }
            }
        }
        Ok(())
    }

    /// Renders a template with the variables of a dict.
    ///
    /// # Errors
    ///
    /// Everything that Jinja2 refuses as well, what is not supported, and what goes over a limit.
    pub fn render(&self, name: &str, context: &Value) -> Result<Printed, TemplateError> {
        let template = self.compile(name)?;
        let values = adopt(context.clone());
        let mut interpreter = Interpreter::new(&self.environment, self.limits);
        interpreter
            .render(&template, values)
            .map_err(|failure| self.finish(*failure, name))
    }

    fn compile(&self, name: &str) -> Result<Arc<CompiledTemplate>, TemplateError> {
        match self.environment.find_template(name) {
            Ok(Some(template)) => Ok(template),
            Ok(None) => Err(self.finish(*missing_template(name), name)),
            Err(failure) => Err(self.finish(*failure, name)),
        }
    }

    fn finish(&self, failure: Failure, name: &str) -> TemplateError {
        let (template, span) = failure.place.unwrap_or_else(|| (Arc::from(name), 0..0));
        let span = match lock(&self.environment.compiled).get(&*template) {
            Some(compiled) if !failure.is_original => compiled.source.original(&span),
            _ => span,
        };
        TemplateError {
            kind: failure.kind,
            exception: failure.exception,
            message: failure.message,
            template: template.to_string(),
            span,
            variable: failure.variable,
            cause: failure.cause,
        }
    }
}

pub(crate) fn missing_template(name: &str) -> Box<Failure> {
    let mut failure = Failure::new(
        ErrorKind::MissingTemplate,
        "TemplateNotFound",
        format!("there is no template `{name}`"),
    );
    failure.variable = Some(name.to_owned());
    failure
}
