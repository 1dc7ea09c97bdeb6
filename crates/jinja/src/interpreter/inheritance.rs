//! Blocks, and templates that extend, include and import others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::engine::missing_template;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::interpreter::{Activation, CompiledTemplate, Context, Interpreter, Outer, Scope};
use crate::output::Output;
use crate::syntax_tree::{Block, Frame, Name};
use crate::value::{
    Entity, Module, Value, View, items, lock, quoted_hint, text_of, try_str, undefined_of, view,
};

/// A block of a template.
#[derive(Debug, Clone)]
pub(crate) struct BlockBody {
    template: Arc<CompiledTemplate>,
    block: Arc<Block>,
}

/// For each name the blocks of it, that of the template that extends most first.
#[derive(Debug, Default)]
pub(crate) struct BlockTable(Mutex<BTreeMap<Name, Vec<BlockBody>>>);

impl BlockTable {
    fn of(template: &Arc<CompiledTemplate>) -> Self {
        let table = Self::default();
        table.add(template);
        table
    }

    fn add(&self, template: &Arc<CompiledTemplate>) {
        let mut blocks = lock(&self.0);
        for block in &template.tree.blocks {
            let body = BlockBody {
                template: Arc::clone(template),
                block: Arc::clone(block),
            };
            blocks
                .entry(Name::clone(&block.name))
                .or_default()
                .push(body);
        }
    }

    fn get(&self, name: &str, index: usize) -> Option<BlockBody> {
        lock(&self.0).get(name)?.get(index).cloned()
    }

    fn count(&self, name: &str) -> usize {
        lock(&self.0).get(name).map_or(0, Vec::len)
    }
}

/// The variable `self` of a template.
#[derive(Debug)]
pub(crate) struct SelfReference {
    template: Arc<str>,
    context: Arc<Context>,
    blocks: Arc<BlockTable>,
}

impl SelfReference {
    pub(crate) fn template(&self) -> &str {
        &self.template
    }

    pub(crate) fn block(&self, name: &str) -> Option<Value> {
        self.blocks.get(name, 0)?;
        Some(BlockReference::value(name, &self.context, &self.blocks, 0))
    }
}

/// A block that can be called: `self.name` or `super`.
#[derive(Debug)]
pub(crate) struct BlockReference {
    name: Name,
    context: Arc<Context>,
    blocks: Arc<BlockTable>,
    index: usize,
}

impl BlockReference {
    fn value(name: &str, context: &Arc<Context>, blocks: &Arc<BlockTable>, index: usize) -> Value {
        Value::from_object(Entity::Block(Self {
            name: Name::from(name),
            context: Arc::clone(context),
            blocks: Arc::clone(blocks),
            index,
        }))
    }

    /// The block that this one replaces.
    pub(crate) fn parent(&self, interpreter: &Interpreter<'_>) -> Value {
        parent_block(
            interpreter,
            &self.name,
            &self.context,
            &self.blocks,
            self.index,
        )
    }
}

fn parent_block(
    interpreter: &Interpreter<'_>,
    name: &str,
    context: &Arc<Context>,
    blocks: &Arc<BlockTable>,
    index: usize,
) -> Value {
    if blocks.get(name, index + 1).is_some() {
        return BlockReference::value(name, context, blocks, index + 1);
    }
    let hint = quoted_hint("there is no parent block called ", name, ".");
    interpreter.undefined(hint, Some("super"))
}

impl Interpreter<'_> {
    /// Runs a whole template, and what it extends.
    pub(super) fn run_template(
        &mut self,
        template: &Arc<CompiledTemplate>,
        context: &Arc<Context>,
        output: &mut Output,
    ) -> Outcome<()> {
        self.contexts.push(Arc::clone(context));
        let blocks = Arc::new(BlockTable::of(template));
        let mut running = Some(Arc::clone(template));
        while let Some(template) = running {
            self.budget.enter()?;
            let root = &template.tree.root;
            let activation = self.activate(&template, root, context, &blocks, true);
            self.run_body(&root.body, &activation, output)?;
            self.budget.leave();
            running = lock(&activation.parent).take();
        }
        Ok(())
    }

    /// What runs at the top level of a template, or in one of its blocks; both have the variable `self`.
    fn activate(
        &mut self,
        template: &Arc<CompiledTemplate>,
        frame: &Frame,
        context: &Arc<Context>,
        blocks: &Arc<BlockTable>,
        is_top_level: bool,
    ) -> Activation {
        let scope = Scope::within(Outer::Context(Arc::clone(context)), &frame.unset);
        let reference = SelfReference {
            template: Arc::clone(&template.source.name),
            context: Arc::clone(context),
            blocks: Arc::clone(blocks),
        };
        scope.set(
            &Name::from("self"),
            Value::from_object(Entity::SelfReference(reference)),
        );
        self.cyclic.push(Arc::clone(&scope));
        Activation {
            template: Arc::clone(template),
            scope,
            context: Arc::clone(context),
            blocks: Arc::clone(blocks),
            is_top_level,
            parent: Arc::default(),
            obeys_parent: is_top_level,
            is_captured: false,
        }
    }

    pub(super) fn extend(&mut self, name: &Value, activation: &Activation) -> Outcome<()> {
        if !activation.is_top_level {
            return Err(Failure::syntax("`extends` stands at the top level only"));
        }
        if lock(&activation.parent).is_some() {
            return Err(Failure::raised(
                "TemplateRuntimeError",
                "the template extends two others",
            ));
        }
        let parent = self.find_template(name)?;
        activation.blocks.add(&parent);
        *lock(&activation.parent) = Some(parent);
        Ok(())
    }

    /// Prints a block where it stands in a template.
    pub(super) fn print_block(
        &mut self,
        name: &Name,
        is_scoped: bool,
        is_required: bool,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<()> {
        if activation.is_top_level && activation.is_silent() {
            return Ok(());
        }
        if is_required && activation.blocks.count(name) <= 1 {
            return Err(Failure::raised(
                "TemplateRuntimeError",
                format!("the required block `{name}` is not defined"),
            ));
        }
        let context = if is_scoped {
            Arc::new(activation.scope.snapshot())
        } else {
            Arc::clone(&activation.context)
        };
        self.run_block(name, 0, &context, &activation.blocks, output)
    }

    fn run_block(
        &mut self,
        name: &str,
        index: usize,
        context: &Arc<Context>,
        blocks: &Arc<BlockTable>,
        output: &mut Output,
    ) -> Outcome<()> {
        let Some(BlockBody { template, block }) = blocks.get(name, index) else {
            return Ok(());
        };
        let activation = self.activate(&template, &block.frame, context, blocks, false);
        activation.scope.set(
            &Name::from("super"),
            parent_block(self, name, context, blocks, index),
        );
        self.run_body(&block.frame.body, &activation, output)
            .map(|_| ())
    }

    /// What calling a block gives.
    pub(super) fn call_block(&mut self, reference: &BlockReference) -> Outcome<Value> {
        let mut output = Output::default();
        let BlockReference {
            name,
            context,
            blocks,
            index,
        } = reference;
        self.run_block(name, *index, context, blocks, &mut output)?;
        Ok(self.capture(output))
    }

    /// The template of a name.
    fn find_template(&mut self, name: &Value) -> Outcome<Arc<CompiledTemplate>> {
        if let Some(name) = text_of(name) {
            return self
                .environment
                .find_template(name)?
                .ok_or_else(|| missing_template(name));
        }
        if let View::Entity(Entity::Undefined(undefined)) = view(name) {
            return Err(undefined.failure());
        }
        match view(name) {
            View::Entity(_) => Err(Failure::of_type("the name of a template is a text")),
            _ => Err(missing_template(&try_str(name)?)),
        }
    }

    /// The first template of a name, or of a list of names, that exists.
    fn select_template(&mut self, name: &Value) -> Outcome<Arc<CompiledTemplate>> {
        if text_of(name).is_some() || undefined_of(name).is_some() {
            return self.find_template(name);
        }
        let mut names = Vec::new();
        for candidate in items(name)? {
            let candidate = try_str(&candidate)?;
            if let Some(template) = self.environment.find_template(&candidate)? {
                return Ok(template);
            }
            names.push(candidate);
        }
        let mut failure = missing_template(&names.join("` or `"));
        failure.exception = "TemplatesNotFound";
        Err(failure)
    }

    pub(super) fn include(
        &mut self,
        name: &Value,
        ignores_missing: bool,
        with_context: bool,
        activation: &Activation,
        output: &mut Output,
    ) -> Outcome<()> {
        if !with_context && activation.is_captured {
            return Err(Failure::unsupported(
                "`include` without context is not supported in a body that becomes a value: Jinja2 prints it elsewhere",
            ));
        }
        let template = match self.select_template(name) {
            Err(failure) if ignores_missing && failure.kind == ErrorKind::MissingTemplate => {
                return Ok(());
            }
            found => found?,
        };
        let context = Arc::new(activation.context_of(with_context));
        self.run_template(&template, &context, output)
    }

    /// Runs a template for what it exports.
    pub(super) fn import(
        &mut self,
        name: &Value,
        with_context: bool,
        activation: &Activation,
    ) -> Outcome<Module> {
        let template = self.find_template(name)?;
        let context = Arc::new(activation.context_of(with_context));
        let mut output = Output::default();
        let autoescape = std::mem::take(&mut self.autoescape);
        let result = self.run_template(&template, &context, &mut output);
        self.autoescape = autoescape;
        result?;
        self.remember(&output.text, output.lines);
        Ok(Module {
            template: Arc::clone(&template.source.name),
            text: output.text,
            exports: context.exports(),
        })
    }

    /// What a module exports under a name.
    pub(super) fn exported(
        &self,
        module: &Module,
        name: &Name,
        line: usize,
        importer: &str,
    ) -> Value {
        if let Some(value) = module.exports.get(name) {
            return value.clone();
        }
        let template = crate::value::quote(&module.template);
        let importer = crate::value::quote(importer);
        let hint = format!(
            "the template {template} (imported on line {line} in {importer}) does not export the requested name "
        );
        self.undefined(quoted_hint(&hint, name, ""), Some(name))
    }
}
