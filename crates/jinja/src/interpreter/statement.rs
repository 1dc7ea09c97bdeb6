//! Runs statements.

use std::sync::Arc;

use crate::error::{Failure, Outcome};
use crate::interpreter::{Activation, Interpreter, Macro, captured_lines};
use crate::output::{LineOrigin, Output};
use crate::syntax_tree::{Expression, Frame, Name, Statement, StatementKind, Target};
use crate::value::{
    Entity, Module, Value, View, effort, is_true, items, lock, text_of, try_html, try_str,
    type_name, view,
};

/// Steps that stand for the memory of a scope.
const KEPT_SCOPE: usize = 50;

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Normal,
    Break,
    Continue,
}

impl Interpreter<'_> {
    pub(super) fn run_body(
        &mut self,
        body: &[Statement],
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<Flow> {
        for statement in body {
            let flow = self.run_statement(statement, activation, output)?;
            if flow != Flow::Normal {
                return Ok(flow);
            }
        }
        Ok(Flow::Normal)
    }

    /// Runs a body with variables of its own.
    pub(super) fn run_frame(
        &mut self,
        frame: &Frame,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<Flow> {
        self.run_body(&frame.body, &activation.inner(&frame.unset), output)
    }

    fn run_statement(
        &mut self,
        statement: &Statement,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<Flow> {
        self.budget.enter()?;
        let result = self.run_kind(statement, activation, output);
        self.budget.leave();
        result.map_err(|failure| failure.at(&activation.template.source.name, &statement.span))
    }

    fn run_kind(
        &mut self,
        statement: &Statement,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<Flow> {
        match &statement.node {
            StatementKind::Text(content) => {
                if !activation.is_silent() {
                    let origin = origin(activation, content.line);
                    output.push_text(&content.content, &origin, &mut self.budget)?;
                }
            }
            StatementKind::Print(value, line) => {
                if !activation.is_silent() {
                    let printed = self.evaluate_printed(value, activation)?;
                    self.print(&printed, &origin(activation, *line), output)
                        .map_err(|failure| at(failure, activation, value))?;
                }
            }
            StatementKind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    let condition_holds = self.evaluate_truth(condition, activation)?;
                    if condition_holds {
                        return self.run_body(body, activation, output);
                    }
                }
                return self.run_body(otherwise, activation, output);
            }
            StatementKind::For(each) => {
                self.run_loop(each, activation, line_of(statement, activation), output)?;
            }
            StatementKind::Set { target, value } => {
                self.check_namespaces(target, activation)?;
                let value = self.evaluate(value, activation)?;
                self.assign(target, value, activation)?;
            }
            StatementKind::With { bindings, body } => {
                return self.run_with(bindings, body, activation, output);
            }
            StatementKind::Do(value) => {
                self.evaluate(value, activation)?;
            }
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
            _ => return self.run_large_kind(statement, activation, output),
        }
        Ok(Flow::Normal)
    }

    /// Statements that hold bodies of their own or reach other templates.
    fn run_large_kind(
        &mut self,
        statement: &Statement,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<Flow> {
        match &statement.node {
            StatementKind::SetBlock {
                target,
                filter,
                body,
            } => {
                let value = self.capture_frame(body, activation, true)?;
                let value = match filter {
                    Some(filter) => self.apply_filters(filter, value, activation)?,
                    None => value,
                };
                self.assign(target, value, activation)?;
            }
            StatementKind::FilterBlock { filter, body } => {
                let value = self.capture_frame(body, activation, false)?;
                let value = self.apply_filters(filter, value, activation)?;
                self.print_text(&value, filter, statement, activation, output)?;
            }
            StatementKind::Macro(definition) => {
                let value = self.macro_value(definition, activation);
                if let Some(name) = &definition.name {
                    assign_name(name, value, activation, true);
                }
            }
            StatementKind::CallBlock { call, caller } => {
                let caller = self.macro_value(caller, activation);
                let value = self.evaluate_call_block(call, caller, activation)?;
                self.print_text(&value, call, statement, activation, output)?;
            }
            StatementKind::Autoescape { value, body } => {
                let value = self.evaluate_truth(value, activation)?;
                let before = std::mem::replace(&mut self.autoescape, value);
                let flow = self.run_frame(body, activation, output);
                self.autoescape = before;
                return flow;
            }
            StatementKind::Block {
                name,
                is_scoped,
                is_required,
            } => {
                self.print_block(name, *is_scoped, *is_required, activation, output)?;
            }
            _ => self.run_reference(statement, activation, output)?,
        }
        Ok(Flow::Normal)
    }

    /// Statements that name other templates.
    fn run_reference(
        &mut self,
        statement: &Statement,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<()> {
        match &statement.node {
            StatementKind::Extends(template) => {
                let name = self.evaluate(template, activation)?;
                self.extend(&name, activation)
                    .map_err(|failure| at(failure, activation, template))
            }
            StatementKind::Include {
                template,
                ignores_missing,
                with_context,
            } => {
                let name = self.evaluate(template, activation)?;
                self.include(&name, *ignores_missing, *with_context, activation, output)
                    .map_err(|failure| at(failure, activation, template))
            }
            StatementKind::Import {
                template,
                target,
                with_context,
            } => {
                let module = self.evaluate_import(template, *with_context, activation)?;
                let value = Value::from_object(Entity::Module(module));
                assign_name(target, value, activation, false);
                Ok(())
            }
            StatementKind::FromImport {
                template,
                names,
                with_context,
            } => {
                let module = self.evaluate_import(template, *with_context, activation)?;
                let line = line_of(statement, activation);
                for (name, alias) in names {
                    let value =
                        self.exported(&module, name, line, &activation.template.source.name);
                    assign_name(alias, value, activation, false);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn evaluate_import(
        &mut self,
        template: &Expression,
        with_context: bool,
        activation: &Activation,
    ) -> Outcome<Module> {
        let name = self.evaluate(template, activation)?;
        self.import(&name, with_context, activation)
            .map_err(|failure| at(failure, activation, template))
    }

    pub(super) fn print(
        &mut self,
        value: &Value,
        origin: &LineOrigin,
        output: &mut Output,
    ) -> Outcome<()> {
        let printed = if self.autoescape {
            try_html(value)?
        } else {
            try_str(value)?
        };
        let lines = captured_lines(&self.captured, &printed);
        output.push_value(&printed, lines, origin, &mut self.budget)
    }

    /// Prints what a filter or call block gives; Jinja2 does it without making a text of it.
    fn print_text(
        &mut self,
        value: &Value,
        part: &Expression,
        statement: &Statement,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<()> {
        if text_of(value).is_none() {
            let failure = Failure::of_type(format!(
                "the block gives a value of type `{}`, and only a text can be printed here",
                type_name(value)
            ));
            return Err(at(failure, activation, part));
        }
        let origin = origin(activation, line_of(statement, activation));
        self.print(value, &origin, output)
    }

    /// What a body prints, as a value.
    fn capture_frame(
        &mut self,
        frame: &Frame,
        activation: &Activation,
        prints_always: bool,
    ) -> Outcome<Value> {
        let mut inner = activation.inner(&frame.unset);
        inner.obeys_parent &= !prints_always;
        inner.is_captured = true;
        let mut output = Output::default();
        self.run_body(&frame.body, &inner, &mut output)?;
        Ok(self.capture(output))
    }

    fn macro_value(
        &mut self,
        definition: &Arc<crate::syntax_tree::MacroDefinition>,
        activation: &Activation,
    ) -> Value {
        // Its scope is kept until the end, since each holds the other.
        effort::note(KEPT_SCOPE);
        self.cyclic.push(Arc::clone(&activation.scope));
        let activation = Activation {
            is_top_level: false,
            obeys_parent: false,
            is_captured: true,
            ..activation.clone()
        };
        Value::from_object(Entity::Macro(Macro {
            definition: Arc::clone(definition),
            activation,
            autoescape: self.autoescape,
        }))
    }

    fn run_with(
        &mut self,
        bindings: &[(Target, Expression)],
        body: &Frame,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<Flow> {
        let inner = activation.inner(&body.unset);
        for (target, value) in bindings {
            let value = self.evaluate(value, activation)?;
            self.assign(target, value, &inner)?;
        }
        self.run_body(&body.body, &inner, output)
    }

    /// Jinja2 looks at the namespaces before it computes what they get.
    fn check_namespaces(&mut self, target: &Target, activation: &Activation) -> Outcome<()> {
        match target {
            Target::Name(_) => Ok(()),
            Target::Attribute {
                namespace, span, ..
            } => {
                let value = self.lookup(namespace, activation);
                match view(&value) {
                    View::Entity(Entity::Namespace(_)) => Ok(()),
                    _ => Err(Failure::raised(
                        "TemplateRuntimeError",
                        format!("`{namespace}` is no namespace"),
                    )
                    .at(&activation.template.source.name, span)),
                }
            }
            Target::Tuple(targets, _) => targets
                .iter()
                .try_for_each(|target| self.check_namespaces(target, activation)),
        }
    }

    pub(super) fn assign(
        &mut self,
        target: &Target,
        value: Value,
        activation: &Activation,
    ) -> Outcome<()> {
        match target {
            Target::Name(name) => {
                assign_name(name, value, activation, true);
                Ok(())
            }
            Target::Attribute {
                namespace,
                attribute,
                span,
            } => {
                let owner = self.lookup(namespace, activation);
                if let View::Entity(Entity::Namespace(entries)) = view(&owner) {
                    lock(entries).insert_text(attribute, value);
                    return Ok(());
                }
                Err(
                    Failure::raised("TypeError", format!("`{namespace}` is no namespace"))
                        .at(&activation.template.source.name, span),
                )
            }
            Target::Tuple(targets, span) => {
                self.budget.enter()?;
                let values = items(&value)
                    .map_err(|failure| failure.at(&activation.template.source.name, span))?;
                if values.len() != targets.len() {
                    let message = format!(
                        "{} values are unpacked to {} names",
                        values.len(),
                        targets.len()
                    );
                    return Err(
                        Failure::of_value(message).at(&activation.template.source.name, span)
                    );
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, activation)?;
                }
                self.budget.leave();
                Ok(())
            }
        }
    }

    pub(super) fn evaluate_truth(
        &mut self,
        expression: &Expression,
        activation: &Activation,
    ) -> Outcome<bool> {
        let value = self.evaluate(expression, activation)?;
        is_true(&value).map_err(|failure| at(failure, activation, expression))
    }
}

fn assign_name(name: &Name, value: Value, activation: &Activation, exports: bool) {
    if activation.is_top_level {
        activation.context.set(name, value.clone(), exports);
    }
    activation.scope.set(name, value);
}

fn line_of(statement: &Statement, activation: &Activation) -> usize {
    activation.template.source.line(statement.span.start)
}

pub(super) fn origin(activation: &Activation, line: usize) -> LineOrigin {
    LineOrigin {
        template: Arc::clone(&activation.template.source.name),
        line,
    }
}

pub(super) fn at(
    failure: Box<Failure>,
    activation: &Activation,
    part: &Expression,
) -> Box<Failure> {
    failure.at(&activation.template.source.name, &part.span)
}
