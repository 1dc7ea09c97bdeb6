//! Runs templates.

mod attribute;
mod call;
mod expression;
mod inheritance;
mod loops;
mod scope;
mod statement;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub(crate) use expression::callable_name;
pub(crate) use inheritance::{BlockReference, BlockTable, SelfReference};
pub(crate) use loops::LoopState;
pub(crate) use scope::{Context, Found, Outer, Scope};

use crate::engine::Environment;
use crate::error::Outcome;
use crate::limits::{Budget, Limits};
use crate::output::{LineOrigin, Output, Printed};
use crate::source::Source;
use crate::syntax::UndefinedMode;
use crate::syntax_tree::{MacroDefinition, Name, Template};
use crate::value::{Undefined, Value, lock, text_like, text_of};

/// A template that is ready to run.
#[derive(Debug)]
pub(crate) struct CompiledTemplate {
    pub(crate) source: Source,
    pub(crate) tree: Template,
}

/// What is running: which template, with which variables.
#[derive(Debug, Clone)]
pub(crate) struct Activation {
    pub(crate) template: Arc<CompiledTemplate>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) context: Arc<Context>,
    pub(crate) blocks: Arc<BlockTable>,
    /// Whether what is set here is seen by blocks and exported.
    pub(crate) is_top_level: bool,
    /// What the template extends, once it says so; nothing is printed outside of blocks then.
    pub(crate) parent: Arc<Mutex<Option<Arc<CompiledTemplate>>>>,
    /// Whether that holds here.
    pub(crate) obeys_parent: bool,
    /// Whether what is printed here becomes a value.
    pub(crate) is_captured: bool,
}

impl Activation {
    /// The same inside of a body with variables of its own, of which these are not set yet.
    fn inner(&self, unset: &[Name]) -> Self {
        Self {
            scope: Scope::within(Outer::Scope(Arc::clone(&self.scope)), unset),
            is_top_level: false,
            ..self.clone()
        }
    }

    /// The context of another template that is run from here.
    fn context_of(&self, with_context: bool) -> Context {
        if with_context {
            self.scope.snapshot()
        } else {
            Context::default()
        }
    }

    fn is_silent(&self) -> bool {
        self.obeys_parent && lock(&self.parent).is_some()
    }
}

/// A macro, or what a call block hands over.
#[derive(Debug)]
pub(crate) struct Macro {
    definition: Arc<MacroDefinition>,
    activation: Activation,
    autoescape: bool,
}

impl Macro {
    pub(crate) fn name(&self) -> Option<&str> {
        self.definition.name.as_deref()
    }

    pub(crate) fn definition(&self) -> &MacroDefinition {
        &self.definition
    }
}

/// One rendering.
pub(crate) struct Interpreter<'environment> {
    pub(crate) environment: &'environment Environment,
    pub(crate) budget: Budget,
    pub(crate) autoescape: bool,
    /// Whether literals are computed as Jinja2's compiler does it.
    is_folding: bool,
    /// Texts of several lines that bodies printed into values, with the lines they come from.
    captured: CapturedLines,
    captured_bytes: usize,
    /// Scopes that hold macros that hold them.
    cyclic: Vec<Arc<Scope>>,
    contexts: Vec<Arc<Context>>,
}

impl<'environment> Interpreter<'environment> {
    pub(crate) fn new(environment: &'environment Environment, limits: Limits) -> Self {
        Self {
            environment,
            budget: Budget::new(limits),
            autoescape: false,
            is_folding: false,
            captured: CapturedLines::new(),
            captured_bytes: 0,
            cyclic: Vec::new(),
            contexts: Vec::new(),
        }
    }

    pub(crate) fn render(
        &mut self,
        template: &Arc<CompiledTemplate>,
        values: Value,
    ) -> Outcome<Printed> {
        let context = Arc::new(Context::of_values(values));
        let mut output = Output::default();
        self.run_template(template, &context, &mut output)?;
        Ok(Printed {
            text: output.text,
            lines: output.lines,
        })
    }

    pub(crate) fn undefined_mode(&self) -> UndefinedMode {
        self.environment.undefined
    }

    pub(crate) fn undefined(&self, hint: impl Into<String>, name: Option<&str>) -> Value {
        Undefined::hinted(self.undefined_mode(), hint, name).into_value()
    }

    /// The value of what a body printed, whose lines are remembered.
    pub(crate) fn capture(&mut self, output: Output) -> Value {
        self.remember(&output.text, output.lines);
        text_like(self.autoescape, output.text)
    }

    fn remember(&mut self, text: &str, lines: Vec<LineOrigin>) {
        if !text.contains('\n') {
            return;
        }
        // Only what is printed soon is of use; the rest is forgotten before it takes much memory.
        self.captured_bytes += text.len() + lines.len() * size_of::<LineOrigin>();
        if self.budget.check_size(self.captured_bytes).is_err() {
            self.captured.clear();
            self.captured_bytes = 0;
        }
        self.captured.insert(text.to_owned(), lines);
    }

    /// The lines of a text that a body printed, none if they are not known.
    fn lines_of(&self, value: &Value) -> Vec<LineOrigin> {
        text_of(value).map_or_else(Vec::new, |text| {
            captured_lines(&self.captured, text).to_vec()
        })
    }

    /// Remembers the lines that a filter got for what it gives, if their number is the same.
    fn inherit_lines(&mut self, lines: Vec<LineOrigin>, filtered: &Value) {
        if let Some(text) = text_of(filtered)
            && !lines.is_empty()
            && text.lines().count() == lines.len()
        {
            self.remember(text, lines);
        }
    }
}

type CapturedLines = BTreeMap<String, Vec<LineOrigin>>;

fn captured_lines<'captured>(
    captured: &'captured CapturedLines,
    text: &str,
) -> &'captured [LineOrigin] {
    if text.contains('\n') {
        captured.get(text).map_or(&[], Vec::as_slice)
    } else {
        &[]
    }
}

impl Drop for Interpreter<'_> {
    fn drop(&mut self) {
        self.cyclic.iter().for_each(|scope| scope.clear());
        self.contexts.iter().for_each(|context| context.clear());
    }
}
