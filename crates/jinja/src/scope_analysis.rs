//! Finds the variables that a body sets before it reads them.
//!
//! Jinja2 decides while it compiles whether a name is a variable of a body or is looked up in the context: a name that
//! a body sets first, and that nothing around it mentions, is undefined until then, even if the context has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::syntax_tree::{
    Expression, ExpressionKind, ForLoop, Frame, MacroDefinition, Name, Statement, StatementKind,
    Target, Template,
};

/// The names that a body mentions, and whether each is set first.
struct Symbols<'outer> {
    names: BTreeMap<Name, bool>,
    outer: Option<&'outer Self>,
}

impl<'outer> Symbols<'outer> {
    fn within(outer: Option<&'outer Self>) -> Self {
        Self {
            names: BTreeMap::new(),
            outer,
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.outer.is_some_and(|outer| outer.is_known(name))
    }

    fn declare(&mut self, name: &Name) {
        self.names.insert(Name::clone(name), false);
    }

    fn load(&mut self, name: &Name) {
        if !self.is_known(name) {
            self.declare(name);
        }
    }

    fn store(&mut self, name: &Name, in_branch: bool) {
        if !self.names.contains_key(name) {
            let is_unset = !in_branch && !self.is_known(name);
            self.names.insert(Name::clone(name), is_unset);
        }
    }

    fn unset(&self) -> Vec<Name> {
        self.names
            .iter()
            .filter(|(_, is_unset)| **is_unset)
            .map(|(name, _)| Name::clone(name))
            .collect()
    }
}

pub(crate) fn mark_unset(template: &mut Template) {
    mark_frame(&mut template.root, None, |_| {});
    for block in &mut template.blocks {
        if let Some(block) = Arc::get_mut(block) {
            mark_frame(&mut block.frame, None, |_| {});
        }
    }
}

/// Marks a frame and those inside of it; `before` mentions what comes before the body.
fn mark_frame(
    frame: &mut Frame,
    outer: Option<&Symbols<'_>>,
    before: impl FnOnce(&mut Symbols<'_>),
) {
    let mut symbols = Symbols::within(outer);
    before(&mut symbols);
    visit_body(&frame.body, &mut symbols, false);
    frame.unset = symbols.unset();
    mark_inner(&mut frame.body, &symbols);
}

fn mark_inner(body: &mut [Statement], symbols: &Symbols<'_>) {
    for statement in body {
        match &mut statement.node {
            StatementKind::If {
                branches,
                otherwise,
            } => {
                branches
                    .iter_mut()
                    .for_each(|(_, body)| mark_inner(body, symbols));
                mark_inner(otherwise, symbols);
            }
            StatementKind::For(each) => {
                if let Some(each) = Arc::get_mut(each) {
                    mark_loop(each, symbols);
                }
            }
            StatementKind::With { bindings, body } => mark_frame(body, Some(symbols), |symbols| {
                bindings
                    .iter()
                    .for_each(|(target, _)| declare_target(target, symbols));
            }),
            StatementKind::Macro(definition)
            | StatementKind::CallBlock {
                caller: definition, ..
            } => {
                if let Some(definition) = Arc::get_mut(definition) {
                    mark_macro(definition, symbols);
                }
            }
            StatementKind::SetBlock { body, .. }
            | StatementKind::FilterBlock { body, .. }
            | StatementKind::Autoescape { body, .. } => mark_frame(body, Some(symbols), |_| {}),
            _ => {}
        }
    }
}

fn mark_loop(each: &mut ForLoop, symbols: &Symbols<'_>) {
    let (target, has_loop) = (&each.target, each.has_loop_variable);
    mark_frame(&mut each.body, Some(symbols), |symbols| {
        if has_loop {
            symbols.declare(&Name::from("loop"));
        }
        declare_target(target, symbols);
    });
    if let Some(otherwise) = &mut each.otherwise {
        mark_frame(otherwise, Some(symbols), |_| {});
    }
}

fn mark_macro(definition: &mut MacroDefinition, symbols: &Symbols<'_>) {
    let MacroDefinition {
        parameters,
        body,
        takes_caller,
        takes_kwargs,
        takes_varargs,
        ..
    } = definition;
    let special = [
        ("caller", *takes_caller),
        ("kwargs", *takes_kwargs),
        ("varargs", *takes_varargs),
    ];
    mark_frame(body, Some(symbols), |symbols| {
        for (name, default) in parameters.iter() {
            symbols.declare(name);
            if let Some(default) = default {
                visit_expression(default, symbols);
            }
        }
        for (name, _) in special.iter().filter(|(_, is_taken)| *is_taken) {
            symbols.declare(&Name::from(*name));
        }
    });
}

fn declare_target(target: &Target, symbols: &mut Symbols<'_>) {
    match target {
        Target::Name(name) => symbols.declare(name),
        Target::Attribute { namespace, .. } => symbols.load(namespace),
        Target::Tuple(targets, _) => targets
            .iter()
            .for_each(|target| declare_target(target, symbols)),
    }
}

fn store_target(target: &Target, symbols: &mut Symbols<'_>, in_branch: bool) {
    match target {
        Target::Name(name) => symbols.store(name, in_branch),
        Target::Attribute { namespace, .. } => symbols.load(namespace),
        Target::Tuple(targets, _) => targets
            .iter()
            .for_each(|target| store_target(target, symbols, in_branch)),
    }
}

fn visit_body(body: &[Statement], symbols: &mut Symbols<'_>, in_branch: bool) {
    for statement in body {
        match &statement.node {
            StatementKind::Print(value, _)
            | StatementKind::Do(value)
            | StatementKind::Extends(value) => {
                visit_expression(value, symbols);
            }
            StatementKind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    visit_expression(condition, symbols);
                    visit_body(body, symbols, true);
                }
                visit_body(otherwise, symbols, true);
            }
            StatementKind::For(each) => visit_expression(&each.iterable, symbols),
            StatementKind::Set { target, value } => {
                visit_expression(value, symbols);
                store_target(target, symbols, in_branch);
            }
            StatementKind::SetBlock { target, .. } => store_target(target, symbols, in_branch),
            StatementKind::With { bindings, .. } => {
                bindings
                    .iter()
                    .for_each(|(_, value)| visit_expression(value, symbols));
            }
            StatementKind::Macro(definition) => {
                if let Some(name) = &definition.name {
                    symbols.store(name, in_branch);
                }
            }
            StatementKind::CallBlock { call, .. } => visit_expression(call, symbols),
            StatementKind::FilterBlock { filter, .. } => visit_expression(filter, symbols),
            StatementKind::Include { template, .. } => visit_expression(template, symbols),
            StatementKind::Import {
                template, target, ..
            } => {
                visit_expression(template, symbols);
                symbols.store(target, in_branch);
            }
            StatementKind::FromImport {
                template, names, ..
            } => {
                visit_expression(template, symbols);
                names
                    .iter()
                    .for_each(|(_, alias)| symbols.store(alias, in_branch));
            }
            StatementKind::Text(_)
            | StatementKind::Block { .. }
            | StatementKind::Autoescape { .. }
            | StatementKind::Break
            | StatementKind::Continue => {}
        }
    }
}

fn visit_expression(expression: &Expression, symbols: &mut Symbols<'_>) {
    if let ExpressionKind::Name(name) = &expression.node {
        symbols.load(name);
    }
    expression
        .node
        .children()
        .into_iter()
        .for_each(|child| visit_expression(child, symbols));
}
